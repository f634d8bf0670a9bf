"""What `unparrot theory graph` prints and draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unparrot.cli.output import Answer, Table
from unparrot.core.errors import BadInput
from unparrot.stats.intervals import wilson
from unparrot.theory.graph.exchange import TaggedCorpus
from unparrot.theory.graph.measured import CurveComparison, compare
from unparrot.theory.graph.simulate import GraphCounts, TupleCounts
from unparrot.theory.graph.stored import skill_counts, tuple_counts
from unparrot.theory.graph.tuples import rank_table, tuple_total, unrank

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart

DEFAULT_ALPHA = 0.1
ALPHAS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
LINE_POINTS = 150
# Worst tuples of a corpus that are named,
LISTED = 10
# of these many that deviate most
CANDIDATES = 10_000

COLUMNS = ("alpha", "worst share", "all but alpha", "by chance", "halves", "luck", "sharp",
           "classic")  # fmt: skip
KEYS = ("alpha", "worst", "quantile", "chance", "split", "luck", "sharp", "classic")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that both sources share; alpha is None where it is not given."""

    alpha: float | None
    tuple_size: int
    seed: int

    def alpha_for(self, counted: int) -> float:
        """Return alpha, or the default that this many tuples allow; refuse less than one tuple."""
        what = "skill" if self.tuple_size == 1 else f"{self.tuple_size}-tuple"
        if counted == 1:
            raise BadInput(f"a curve ranks {what}s, and there is one only; give more skills")
        if self.alpha is None:
            return max(DEFAULT_ALPHA, 1 / counted)
        if self.alpha * counted < 1 - 1e-9:
            raise BadInput(
                f"--alpha {self.alpha:g} of {counted:,} {what}s is less than one; give at least "
                f"{1 / counted:.3g}"
            )
        return self.alpha


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Counts of skills or tuples, ready to be compared."""

    degree: NDArray[np.int64]
    failed: NDArray[np.int64]
    weights: NDArray[np.float64]
    pieces: int
    failed_pieces: int
    k: int | tuple[float, ...]
    asked: Asked

    def at(self, alpha: Sequence[float]) -> CurveComparison:
        """Work out all curves at some alphas."""
        return compare(
            alpha,
            self.degree,
            self.failed,
            self.weights,
            theta=self.failed_pieces / self.pieces,
            k=self.k,
            tuple_size=self.asked.tuple_size,
            rng=np.random.default_rng(self.asked.seed),
        )

    @property
    def least(self) -> float:
        """The share of one tuple, below which a curve says nothing."""
        return 1 / len(self.degree)

    @property
    def what(self) -> str:
        """What is counted, one of them."""
        size = self.asked.tuple_size
        return "skill" if size == 1 else f"{size}-tuple"

    def answer(
        self,
        given: dict[str, Any],
        curves: CurveComparison,
        more: dict[str, Any],
        notes: list[str],
        tables: Sequence[Table] = (),
    ) -> Answer:
        """Return the answer of either source: its own figures around those that both have."""
        columns = [getattr(curves, key) for key in KEYS]
        points: list[dict[str, float | None]] = [
            {key: None if c is None else float(c[i]) for key, c in zip(KEYS, columns, strict=True)}
            for i in range(len(curves.alpha))
        ]
        result = {
            **given,
            "tuple": self.asked.tuple_size,
            "theta": self.failed_pieces / self.pieces,
            "failed_share": curves.measured.overall,
            "degree": {f"{q:g}": float(np.quantile(self.degree, q)) for q in QUANTILES},
            "unmeasured": {
                "count": curves.measured.unmeasured,
                "share": curves.measured.unmeasured_share,
            },
            "curve": points,
            **more,
        }
        # four digits, so that the table fits a terminal of 80 columns
        rows = [
            [None if x is None else float(f"{x:.4g}") for x in point.values()] for point in points
        ]
        title = f"Failure of the worst {self.what}s against their share alpha"
        return Answer(
            result,
            [_summary(result, self.what), Table(COLUMNS, rows, title), *tables],
            [*notes, *_notes(curves, self)],
            partial(_chart, self),
        )

    def curves(self) -> CurveComparison:
        """Return the curves at alpha and at `ALPHAS`, as far as there are tuples for them."""
        alpha = self.asked.alpha_for(len(self.degree))
        return self.at(sorted({a for a in (*ALPHAS, alpha) if a >= self.least * (1 - 1e-9)}))


def simulated_answer(counts: GraphCounts, model: str, asked: Asked, seconds: float) -> Answer:
    """Return what a simulation came to.

    Parameters
    ----------
    counts
        The simulation.
    model
        Name of the errors.
    asked
        Options.
    seconds
        The time it took.
    """
    spec, tuples = counts.spec, counts.tuples
    counted = tuples or counts
    measured = Measured(
        counted.degree,
        counted.failed,
        spec.probabilities if tuples is None else tuples.weights,
        spec.pieces,
        counts.failed_pieces,
        spec.degree,
        asked,
    )
    curves = measured.curves()
    pace = counts.edges / seconds
    notes = [f"{counts.edges:,} edges in {seconds:.3g} s: {pace:.3g} edges a second"]
    adversary = _adversary(counts, curves)
    if adversary is not None:
        notes.append(
            f"The adversary's set Z holds {adversary['alpha']:.6g} of the edges and fails on "
            f"{adversary['failure']:.6g} of them; sharp allows {adversary['sharp']:.6g}."
        )
    if not spec.repeats and asked.tuple_size > 1:
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
        "tuples": None
        if tuples is None
        else {"possible": tuples.total, "counted": len(tuples.ids), "sampled": tuples.sampled},
        "adversary": adversary,
        "seconds": {"simulation": seconds, "edges_a_second": pace},
    }
    return measured.answer(given, curves, more, notes)


def tagged_answer(path: Path, corpus: TaggedCorpus, asked: Asked) -> Answer:
    """Return what a tagged corpus comes to.

    Parameters
    ----------
    path
        Where it was read.
    corpus
        The corpus.
    asked
        Options.
    """
    graph = corpus.graph
    counts: TupleCounts | None = None
    if asked.tuple_size == 1:
        degree, failed = skill_counts(graph)
    else:
        counts = tuple_counts(graph, asked.tuple_size)
        degree, failed = counts.degree, counts.failed
    by_degree = np.bincount(np.diff(graph.indptr))
    k = len(by_degree) - 1
    one = int(by_degree[k]) == graph.pieces
    measured = Measured(
        degree,
        failed,
        degree / degree.sum(),
        graph.pieces,
        int(graph.failed.sum()),
        k if one else tuple((by_degree / graph.pieces).tolist()),
        asked,
    )
    worst = _worst_tuples(corpus, counts, measured)
    theta = wilson(measured.failed_pieces, measured.pieces)
    given: dict[str, Any] = {
        "source": str(path),
        "skills": graph.skill_count,
        "pieces": graph.pieces,
        "k": measured.k,
        "edges": graph.edges,
    }
    more = {
        "theta_interval": [theta.low, theta.high],
        "tuples": None if counts is None else {"possible": counts.total, "counted": len(degree)},
        "worst_tuples": worst,
    }
    rows = [(" + ".join(w["skills"]), *list(w.values())[1:]) for w in worst]
    heads = ("skills", "pieces", "failed", "rate", "from", "to")
    title = f"The worst, by the lower end of 95 % intervals for all {len(degree):,} at once"
    note = (
        "Alpha counts tuples by their edges. The bounds speak of skills drawn independently of "
        "each other; in a corpus where skills keep company, errors can gather more."
    )
    return measured.answer(given, measured.curves(), more, [note], [Table(heads, rows, title)])


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
    if result["tuples"] is not None:
        rows += [(f"{name} {what}s", n) for name, n in result["tuples"].items() if n is not None]
    spread = ", ".join(f"{value:,.6g}" for value in result["degree"].values())
    rows.append((f"pieces of a {what}: least, quarters, most", spread))
    return Table(("", "value"), rows)


def _adversary(counts: GraphCounts, curves: CurveComparison) -> dict[str, Any] | None:
    """How the worst case fared with its set, and what the bound says of it."""
    from unparrot.theory.curve.performance import sharp

    chosen = counts.chosen
    if chosen is None or not chosen.alpha or chosen.alpha >= 1 or curves.sharp is None:
        return None
    theta = counts.failed_pieces / counts.pieces
    size = 1 if counts.tuples is None else counts.tuples.size
    bound = sharp(theta, chosen.alpha, counts.spec.degree, size)
    return {"alpha": chosen.alpha, "failure": chosen.failure, "sharp": float(bound)}


def _notes(curves: CurveComparison, measured: Measured) -> list[str]:
    notes: list[str] = []
    at = int(np.argmin(np.abs(curves.alpha - measured.asked.alpha_for(len(measured.degree)))))
    overall = curves.measured.overall
    if curves.chance[at] > 1.05 * overall:
        notes.append(
            f"With {measured.degree.mean():,.4g} pieces each, on average, chance alone lifts the "
            f"worst {curves.alpha[at]:g} from {overall:.4g} to {curves.chance[at]:.4g}; 'halves' "
            "ranks by one half of the pieces and measures by the other, which undoes that."
        )
    if curves.measured.unmeasured:
        notes.append(
            f"{curves.measured.unmeasured:,} without a piece, "
            f"{curves.measured.unmeasured_share:.3g} of the measure, are no part of the curve: "
            "nothing is known of them."
        )
    if curves.sharp is None:
        notes.append("No piece failed, or all did, so that there is no bound to compare with.")
    return notes


def _worst_tuples(
    corpus: TaggedCorpus, counts: TupleCounts | None, measured: Measured
) -> list[dict[str, Any]]:
    """The worst tuples, by the lower end of exact binomial intervals.

    The intervals (Clopper and Pearson 1934) hold for all tuples at once with 95 %, by Bonferroni's
    inequality; else the first of many would be those of one piece that happened to fail.
    """
    degree, failed = measured.degree, measured.failed
    overall = failed.sum() / degree.sum()
    score = (failed - degree * overall) / np.sqrt(np.maximum(degree, 1))
    some = np.argsort(-score, kind="stable")[:CANDIDATES]
    some = some[failed[some] > 0]
    tail = 0.025 / len(degree)
    low = special.betaincinv(failed[some], degree[some] - failed[some] + 1, tail)
    first = np.argsort(-low, kind="stable")[:LISTED]
    places = some[first]
    if counts is None:
        members = places[:, None]
    else:
        skills = corpus.graph.skill_count
        repeats = counts.total != tuple_total(skills, counts.size, repeats=False)
        members = unrank(counts.ids[places], rank_table(skills, counts.size, repeats))
    listed: list[dict[str, Any]] = []
    for at, least, skills in zip(
        places.tolist(), low[first].tolist(), members.tolist(), strict=True
    ):
        n, fails = int(degree[at]), int(failed[at])
        most = 1.0 if fails == n else float(special.betaincinv(fails + 1, n - fails, 1 - tail))
        listed.append(
            {
                "skills": [corpus.names[s] for s in skills],
                "pieces": n,
                "failed": fails,
                "rate": fails / n,
                "low": least,
                "high": most,
            }
        )
    return listed


def _chart(measured: Measured) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    low = min(max(measured.least, 1e-4), 0.5)
    alpha = np.geomspace(low, 0.999, LINE_POINTS)
    lines = measured.at(alpha.tolist())
    x = alpha.tolist()
    series: list[Series] = []
    if lines.classic is not None:
        # beyond its last alpha with a solution it says nothing: no line there
        below = np.flatnonzero(lines.classic < 1)
        shown = lines.classic[: below[-1] + 1 if len(below) else None].tolist()
        series.append(Series("classic", x[: len(shown)], shown, "dashes"))
    if lines.sharp is not None:
        series.append(Series("sharp", x, lines.sharp.tolist()))
    series.append(Series("measured", x, lines.worst.tolist()))
    series.append(Series("by chance", x, lines.chance.tolist(), "dashes", quiet=True))
    if lines.luck is not None:
        series.append(Series("luck", x, lines.luck.tolist(), quiet=True))
    return Chart(
        f"The worst {measured.what}s, measured and bounded",
        "share of their pieces that fail",
        f"alpha, the share of the {measured.what}s that counts as the worst",
        series,
        x_log=True,
        y_percent=True,
    )
