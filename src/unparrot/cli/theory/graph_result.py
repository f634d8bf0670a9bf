"""What `unparrot theory graph` prints and draws."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unparrot.cli.output import Answer, Table
from unparrot.core.errors import BadInput
from unparrot.report.draw.chart import Chart, Series, Style
from unparrot.stats.intervals import wilson
from unparrot.theory.curve.performance import sharp
from unparrot.theory.graph.exchange import TaggedCorpus
from unparrot.theory.graph.measured import compare, performance_curve
from unparrot.theory.graph.simulate import GraphCounts, TupleCounts
from unparrot.theory.graph.stored import tuple_counts
from unparrot.theory.graph.tuples import rank_table, tuple_total, unrank

Curves = dict[str, NDArray[np.float64]]

ALPHAS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LINE_POINTS = 150
# Worst tuples of a corpus that are named, of these many that deviate most
LISTED, CANDIDATES = 10, 10_000

# the key of each column, and its heading
COLUMNS = {
    "alpha": "alpha",
    "worst": "worst share",
    "quantile": "all but alpha",
    "chance": "by chance",
    "split": "halves",
    "luck": "luck",
    "sharp": "sharp",
    "classic": "classic",
}

# The lines of the figure: curve, name, style, and whether it stands back
LINES: tuple[tuple[str, str, Style, bool], ...] = (
    ("classic", "classic", "dashes", False),
    ("sharp", "sharp", "line", False),
    ("worst", "measured", "line", False),
    ("chance", "by chance", "dashes", True),
    ("luck", "luck", "line", True),
)


def noun(tuple_size: int) -> str:
    """Return what is counted, one of them."""
    return "skill" if tuple_size == 1 else f"{tuple_size}-tuple"


def alpha_for(alpha: float | None, tuple_size: int, counted: int) -> float:
    """Return alpha, or the default that this many tuples allow; refuse less than one tuple."""
    what = noun(tuple_size)
    if counted == 1:
        raise BadInput(f"a curve ranks {what}s, and there is one only; give more skills")
    if alpha is None:
        return max(0.1, 1 / counted)
    if alpha * counted < 1 - 1e-9:
        raise BadInput(
            f"--alpha {alpha:g} of {counted:,} {what}s is less than one; give at least "
            f"{1 / counted:.3g}"
        )
    return alpha


def _answer(
    given: dict[str, Any],
    counts: TupleCounts,
    theta: float,
    alpha: float | None,
    seed: int,
    more: dict[str, Any],
    notes: list[str],
    tables: Sequence[Table] = (),
) -> Answer:
    """Return the answer of either source: its own figures around those that both have."""
    counted, what = len(counts.ids), noun(counts.size)

    def at(shares: Sequence[float]) -> Curves:
        return compare(shares, counts, theta=theta, k=given["k"], rng=np.random.default_rng(seed))

    share = alpha_for(alpha, counts.size, counted)
    # at alpha and at `ALPHAS`, as far as there are tuples for them
    curves = at(sorted({a for a in (*ALPHAS, share) if a * counted >= 1 - 1e-9}))
    points: list[dict[str, float | None]] = [
        {key: float(curves[key][i]) if key in curves else None for key in COLUMNS}
        for i in range(len(curves["alpha"]))
    ]
    measured = performance_curve(counts.degree, counts.failed, counts.weights)
    without = counts.degree == 0
    unmeasured = {"count": int(without.sum()), "share": float(counts.weights[without].sum())}
    result = {
        **given,
        "tuple": counts.size,
        "theta": theta,
        "failed_share": measured.overall,
        "degree": {f"{q:g}": float(np.quantile(counts.degree, q)) for q in (0, 0.25, 0.5, 0.75, 1)},
        "unmeasured": unmeasured,
        "curve": points,
        **more,
    }
    # four digits, so that the table fits a terminal of 80 columns
    rows = [[x and float(f"{x:.4g}") for x in point.values()] for point in points]
    title = f"Failure of the worst {what}s against their share alpha"
    return Answer(
        result,
        [_summary(result, what), Table([*COLUMNS.values()], rows, title), *tables],
        [*notes, *_notes(curves, result, share, counts.degree)],
        lambda: _chart(at, 1 / counted, what),
    )


def simulated_answer(counts: GraphCounts, model: str, alpha: float | None) -> Answer:
    """Return what a simulation came to.

    Parameters
    ----------
    counts
        The simulation.
    model
        Name of the errors.
    alpha
        The share that was asked for, if one was.
    """
    spec, tuples = counts.spec, counts.tuples
    theta = counts.failed_pieces / spec.pieces
    measured = tuples or counts.skills
    notes: list[str] = []
    adversary: dict[str, Any] | None = None
    chosen = counts.chosen
    if chosen is not None and chosen.alpha and chosen.alpha < 1 and 0 < theta < 1:
        # how the worst case fared with its set, and what the bound says of it
        allowed = float(sharp(theta, chosen.alpha, spec.degree, measured.size))
        adversary = {"alpha": chosen.alpha, "failure": chosen.failure, "sharp": allowed}
        notes.append(
            f"The adversary's set Z holds {chosen.alpha:.6g} of the edges and fails on "
            f"{chosen.failure:.6g} of them; sharp allows {allowed:.6g}."
        )
    if not spec.repeats and measured.size > 1:
        notes.append(
            "The bounds for tuples speak of pieces that may repeat a skill; without repeats the "
            "worst case can exceed them by a share of the order 1/N1."
        )
    given: dict[str, Any] = {
        "source": "simulation",
        "skills": spec.skills,
        "pieces": spec.pieces,
        "k": spec.degree,
        "repeats": spec.repeats,
        "errors": model,
        "seed": spec.seed,
        "edges": counts.edges,
    }
    more = {
        "tuples": tuples
        and {"possible": tuples.total, "counted": len(tuples.ids), "sampled": tuples.sampled},
        "adversary": adversary,
    }
    return _answer(given, measured, theta, alpha, spec.seed, more, notes)


def tagged_answer(
    path: Path, corpus: TaggedCorpus, alpha: float | None, tuple_size: int, seed: int
) -> Answer:
    """Return what a tagged corpus comes to.

    Parameters
    ----------
    path
        Where it was read.
    corpus
        The corpus.
    alpha
        The share that was asked for, if one was.
    tuple_size
        k'.
    seed
        Of the split halves.
    """
    graph = corpus.graph
    counts = tuple_counts(graph, tuple_size)
    by_degree = np.bincount(np.diff(graph.indptr))
    one = int(by_degree[-1]) == graph.pieces
    worst = _worst_tuples(corpus, counts)
    theta = wilson(int(graph.failed.sum()), graph.pieces)
    given: dict[str, Any] = {
        "source": str(path),
        "skills": graph.skill_count,
        "pieces": graph.pieces,
        "k": len(by_degree) - 1 if one else tuple((by_degree / graph.pieces).tolist()),
        "edges": graph.edges,
    }
    tuples = {"possible": counts.total, "counted": len(counts.ids)}
    more = {
        "theta_interval": [theta.low, theta.high],
        "tuples": None if tuple_size == 1 else tuples,
        "worst_tuples": worst,
    }
    rows = [(" + ".join(w["skills"]), *list(w.values())[1:]) for w in worst]
    heads = ("skills", "pieces", "failed", "rate", "from", "to")
    title = f"The worst, by the lower end of 95 % intervals for all {len(counts.ids):,} at once"
    note = (
        "Alpha counts tuples by their edges. The bounds speak of skills drawn independently of "
        "each other; in a corpus where skills keep company, errors can gather more."
    )
    table, share = Table(heads, rows, title), float(graph.failed.mean())
    return _answer(given, counts, share, alpha, seed, more, [note], [table])


def _summary(result: dict[str, Any], what: str) -> Table:
    rows: list[tuple[str, object]] = [
        ("skills, N1", result["skills"]),
        ("pieces, N2", result["pieces"]),
        ("edges", result["edges"]),
        ("failed pieces, theta", result["theta"]),
    ]
    if "theta_interval" in result:
        low, high = result["theta_interval"]
        rows.append(("its 95 % interval (Wilson)", f"{low:.6g} to {high:.6g}"))
    rows.append(("failed edges", result["failed_share"]))
    tuples: dict[str, Any] = result["tuples"] or {}
    rows += [(f"{name} {what}s", n) for name, n in tuples.items() if n is not None]
    spread = ", ".join(f"{value:,.6g}" for value in result["degree"].values())
    rows.append((f"pieces of a {what}: least, quarters, most", spread))
    return Table(("", "value"), rows)


def _notes(
    curves: Curves, result: dict[str, Any], alpha: float, degree: NDArray[np.int64]
) -> list[str]:
    notes: list[str] = []
    at = int(np.argmin(np.abs(curves["alpha"] - alpha)))
    chance, overall, unmeasured = curves["chance"][at], result["failed_share"], result["unmeasured"]
    if chance > 1.05 * overall:
        notes.append(
            f"With {degree.mean():,.4g} pieces each, on average, chance alone lifts the worst "
            f"{curves['alpha'][at]:g} from {overall:.4g} to {chance:.4g}; "
            "'halves' ranks by one half of the pieces and measures by the other, which undoes that."
        )
    if unmeasured["count"]:
        notes.append(
            f"{unmeasured['count']:,} without a piece, {unmeasured['share']:.3g} of the "
            "measure, are no part of the curve: nothing is known of them."
        )
    if "sharp" not in curves:
        notes.append("No piece failed, or all did, so that there is no bound to compare with.")
    return notes


def _worst_tuples(corpus: TaggedCorpus, counts: TupleCounts) -> list[dict[str, Any]]:
    """The worst tuples, by the lower end of exact binomial intervals.

    The intervals (Clopper and Pearson 1934) hold for all tuples at once with 95 %, by Bonferroni's
    inequality; else the first of many would be those of one piece that happened to fail.
    """
    degree, failed, size = counts.degree, counts.failed, counts.size
    overall = failed.sum() / degree.sum()
    score = (failed - degree * overall) / np.sqrt(degree)
    some = np.argsort(-score, kind="stable")[:CANDIDATES]
    some = some[failed[some] > 0]
    tail = 0.025 / len(degree)
    low = special.betaincinv(failed[some], degree[some] - failed[some] + 1, tail)
    first = np.argsort(-low, kind="stable")[:LISTED]
    worst, low = some[first], low[first]
    n, fails = degree[worst], failed[worst]
    high = special.betaincinv(fails + 1, np.maximum(n - fails, 1), 1 - tail)
    skills = corpus.graph.skill_count
    repeats = counts.total != tuple_total(skills, size, repeats=False)
    members: list[list[int]] = unrank(counts.ids[worst], rank_table(skills, size, repeats)).tolist()
    keys = ("skills", "pieces", "failed", "rate", "low", "high")
    names = [[corpus.names[s] for s in row] for row in members]
    figures = [x.tolist() for x in (n, fails, fails / n, low, np.where(fails < n, high, 1.0))]
    return [dict(zip(keys, row, strict=True)) for row in zip(names, *figures, strict=True)]


def _chart(at: Callable[[Sequence[float]], Curves], least: float, what: str) -> Chart:
    x: list[float] = np.geomspace(min(max(least, 1e-4), 0.5), 0.999, LINE_POINTS).tolist()
    curves = at(x)
    if "classic" in curves:
        # beyond its last alpha with a solution it says nothing: no line there
        below = np.flatnonzero(curves["classic"] < 1)
        curves["classic"] = curves["classic"][: below[-1] + 1 if len(below) else None]
    series = [
        Series(name, x[: len(curves[key])], curves[key].tolist(), style, quiet=quiet)
        for key, name, style, quiet in LINES
        if key in curves
    ]
    return Chart(
        f"The worst {what}s, measured and bounded",
        "share of their pieces that fail",
        f"alpha, the share of the {what}s that counts as the worst",
        series,
        x_log=True,
        y_percent=True,
    )
