"""`unparrot theory threshold`: thresholds of random graphs and of skill graphs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.command import command, option
from unparrot.cli.output import Answer, Table
from unparrot.cli.values import POSITIVE, SEED, Count
from unparrot.core.errors import BadInput
from unparrot.core.wording import plural
from unparrot.report.draw.chart import Chart, Series

if TYPE_CHECKING:
    from unparrot.theory.gnp import GnpTrials

# c of the simulated points of the coin-flip picture; c = -log(expected isolated vertices)
C_GRID = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0)

# Mean degrees of the simulated points of the picture of the giant component
DEGREE_GRID = (0.5, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)

LINE_POINTS = 200


@click.group(
    epilog="""\b
Examples:
  unparrot theory threshold gnp --n 1000000 --c 0 --trials 100
  unparrot theory threshold skills --skills 1000 --pieces 1e6 --k 8 --tuple 4 --topics 100
"""
)
def threshold() -> None:
    """Where isolated vertices vanish and a giant appears; where skills and tuples are seen."""


@command(group=threshold, plots=True)
def gnp(
    n: int = option("Vertices.", Count(2), default=100_000),
    c: float | None = option("p = (log n + c)/n.  [default: 0]"),
    p: float | None = option("Probability of an edge, in place of --c."),
    mean_degree: float | None = option("p = this/n; the giant component is measured."),
    giant: bool = option("Measure the giant component too."),
    trials: int = option("Graphs simulated; 0: none.", Count(0), default=100),
    seed: int = option("Of the graphs.", SEED, default=1),
    threads: int | None = option("Graphs at a time.  [default: all cores]", POSITIVE),
) -> Answer:
    """Isolated vertices and giant component of G(n, p): formula, limit and simulation.

    --plot draws P(no isolated vertex) against c, or with --mean-degree or --giant the share of the
    giant component against the mean degree; it simulates --trials graphs at each of seven points.

    Examples:
      unparrot theory threshold gnp --n 1000000 --c 0 --trials 100
      unparrot theory threshold gnp --n 100000 --mean-degree 2 --plot giant.svg
    """
    from unparrot.theory import threshold as formula
    from unparrot.theory.gnp import simulate_gnp

    if sum(value is not None for value in (c, p, mean_degree)) > 1:
        raise BadInput("--c, --p and --mean-degree exclude each other: give one of them")
    if mean_degree is not None:
        p = mean_degree / n
    elif p is None:
        p = formula.edge_probability(n, 0.0 if c is None else c)
    giant = giant or mean_degree is not None

    def simulate(p: float) -> GnpTrials | None:
        if not trials:
            return None
        return simulate_gnp(n, p, trials=trials, seed=seed, components=giant, threads=threads)

    drawn = simulate(p)
    shift = n * p - math.log(n)
    mean, variance = formula.isolated_expected(n, p), formula.isolated_variance(n, p)
    none = formula.isolated_none(n, p) if mean <= formula.MOST_EXPECTED else None
    limit = float(formula.isolated_none_limit(shift))
    seen: dict[str, Any] | None = None
    notes: list[str] = []
    if drawn is not None:
        share = drawn.none_isolated()
        seen = {
            "mean": float(drawn.isolated.mean()),
            "variance": float(drawn.isolated.var(ddof=1)) if trials > 1 else None,
            "none": share,
        }
        notes.append(
            f"{plural(trials, 'graph')}, seed {seed}. 95 % interval of P(no isolated vertex): "
            f"{share.low:.4g} to {share.high:.4g}."
        )
    result: dict[str, Any] = {
        "n": n,
        "p": p,
        "c": shift,
        "mean_degree": n * p,
        "trials": trials,
        "seed": seed,
        "isolated": {
            "expected": mean,
            "variance": variance,
            "none": none,
            "none_limit": limit,
            "simulated": seen,
        },
    }
    rows: list[tuple[object, ...]] = [
        ("expected isolated vertices", mean, seen and seen["mean"]),
        ("variance", variance, seen and seen["variance"]),
        ("P(no isolated vertex), exact", none, seen and seen["none"].value),
        ("P(no isolated vertex), limit", limit, None),
    ]
    if giant:
        largest = None if drawn is None else drawn.largest
        simulated = None if largest is None else float(largest.mean() / n)
        share = float(formula.giant_share(n * p))
        result["giant"] = {"share": share, "simulated": simulated and {"share": simulated}}
        rows.append(("share in the giant component", share, simulated))
    table = Table(("", "theory", "simulated"), rows, f"G({n:,}, {p:.6g}), c = {shift:.6g}")
    return Answer(result, [table], notes, lambda: _gnp_chart(giant, n, trials, simulate))


@command(group=threshold, plots=True)
def skills(
    skills: int = option("Number of skills, N1.", Count(1), required=True),
    pieces: int = option("Number of pieces of text, N2.", Count(0), required=True),
    k: int = option("Skills in a piece.", required=True),
    tuple_size: int = option("Skills in a tuple, k'.", Count(), "--tuple", default=2),
    topics: int = option("Number of topics, T.", Count(1), default=1),
    distinct: bool = option("No skill twice in a piece."),
) -> Answer:
    """Skills without text, k'-tuples ever seen, and combinations that there are.

    Example:
      unparrot theory threshold skills --skills 1000 --pieces 1e6 --k 8 --tuple 4 --topics 100
    """
    from unparrot.theory.threshold import text_figures

    figures = text_figures(skills, pieces, k, tuple_size, topics, repeats=not distinct)
    combinations, digits = figures["combinations"], figures["log10_combinations"]
    short = combinations is not None and digits < 40
    half = figures["pieces_for_half_of_the_tuples"]
    rows: list[tuple[object, ...]] = [
        ("expected skills without text", figures["skills_without_text"]),
        ("P(every skill has text), limit", figures["all_skills_have_text_limit"]),
        ("pieces where one such skill is expected", figures["pieces_for_all_skills"]),
        (f"share of {tuple_size}-tuples seen", figures["tuples_seen"]),
        (f"pieces for half of the {tuple_size}-tuples", "over 1e308" if half is None else half),
        (
            "combinations with a topic, exactly",
            f"{combinations:,}" if short else f"10^{digits:.6g}",
        ),
        ("ordered draws with a topic", f"10^{figures['log10_ordered']:.6g}"),
    ]
    table = Table(
        ("", "value"), rows, f"{plural(skills, 'skill')}, {plural(pieces, 'piece')} of {k}"
    )
    return Answer(figures, [table], chart=lambda: _skills_chart(skills, k, tuple_size, distinct))


def _gnp_chart(
    giant: bool, n: int, trials: int, simulate: Callable[[float], GnpTrials | None]
) -> Chart:
    import numpy as np

    from unparrot.theory.threshold import edge_probability, giant_share, isolated_none_limit

    if giant:
        grid = np.linspace(0, 4, LINE_POINTS).tolist()
        series = [Series("S = 1 - exp(-np S)", grid, giant_share(grid).tolist())]
        x = [degree for degree in DEGREE_GRID if degree <= n]
        drawn = [simulate(degree / n) for degree in x]
        shares = [one.largest / n for one in drawn if one and one.largest is not None]
        if shares:
            mean, least, most = ([float(f(s)) for s in shares] for f in (np.mean, np.min, np.max))
            series.append(Series("simulated", x, mean, "dots", least, most))
        title, x_label = "A giant component appears at mean degree 1", "mean degree np"
        what = f"Share of the vertices in the largest component, n = {n:,}; mean and range of"
        return Chart(title, f"{what} {trials:,}", x_label, series, y_percent=True)
    grid = np.linspace(C_GRID[0] - 1, C_GRID[-1] + 1, LINE_POINTS).tolist()
    series = [Series("limit exp(-exp(-c))", grid, isolated_none_limit(grid).tolist())]
    x = [c for c in C_GRID if -math.log(n) <= c <= n - math.log(n)]
    drawn = [simulate(edge_probability(n, c)) for c in x]
    if trials:
        none = [one and one.none_isolated() for one in drawn]
        series.append(Series.of("simulated", x, none, style="dots"))
    title = "The last isolated vertex vanishes within a few units of c"
    what = f"P(no isolated vertex) of G(n, (log n + c)/n), n = {n:,}; trials a point: {trials:,}"
    return Chart(title, what, "c", series, y_percent=True)


def _skills_chart(skills: int, k: int, tuple_size: int, distinct: bool) -> Chart:
    from unparrot.theory.threshold import pieces_for_tuples, skills_without_text, tuples_seen

    low = max(1.0, skills / k / 100)
    high = min(100 * pieces_for_tuples(skills, k, tuple_size), 1e200)
    ratio = max(high / low, 10.0)
    counts = sorted({round(low * ratio ** (i / (LINE_POINTS - 1))) for i in range(LINE_POINTS)})
    pieces = [float(x) for x in counts]
    text = [1 - skills_without_text(skills, x, k, repeats=not distinct) / skills for x in counts]
    sizes = sorted({2, tuple_size} - {1}) if k > 1 else []
    return Chart(
        "Skills are seen long before their combinations",
        f"Share seen in text, {plural(skills, 'skill')}, {k} in a piece",
        "pieces of text",
        [
            Series("skills with text", pieces, text),
            *(
                Series(f"{s}-tuples seen", pieces, [tuples_seen(skills, x, k, s) for x in counts])
                for s in sizes
            ),
        ],
        x_log=True,
        y_percent=True,
    )
