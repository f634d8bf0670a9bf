"""`unparrot theory threshold`: thresholds of random graphs and of skill graphs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import Count, Table, output_options, show
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.gnp import GnpTrials

DIGITS_LIMIT = 4000
"""Longest whole number that is printed: Python itself refuses from 4,300 digits on."""

C_GRID = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
"""c of the simulated points of the coin-flip picture; c = -log(expected isolated vertices)."""

DEGREE_GRID = (0.5, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
"""Mean degrees of the simulated points of the picture of the giant component."""

LINE_POINTS = 200


@click.group()
def threshold() -> None:
    """Where isolated vertices vanish and a giant appears; where skills and tuples are seen.

    \b
    Example:
      unparrot theory threshold gnp --n 1000000 --c 0 --trials 100
      unparrot theory threshold skills --skills 1000 --pieces 1e6 --k 8 --tuple 4 --topics 100
    """


@threshold.command()
@click.option("--n", type=Count(2), default="100000", show_default=True, help="Vertices.")
@click.option("--c", type=float, help="p = (log n + c)/n.  [default: 0]")
@click.option("--p", type=float, help="Probability of an edge, in place of --c.")
@click.option("--mean-degree", type=float, help="p = this/n; the giant component is measured.")
@click.option("--giant", is_flag=True, help="Measure the giant component too.")
@click.option(
    "--trials", type=Count(0), default="100", show_default=True, help="Graphs simulated; 0: none."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Graphs at a time.  [default: all cores]")
@output_options
def gnp(
    n: int,
    c: float | None,
    p: float | None,
    mean_degree: float | None,
    giant: bool,
    trials: int,
    seed: int,
    threads: int | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Isolated vertices and giant component of G(n, p): formula, limit and simulation.

    --plot draws P(no isolated vertex) against c, or with --mean-degree or --giant the share of the
    giant component against the mean degree; it simulates --trials graphs at each of seven points.

    \b
    Example:
      unparrot theory threshold gnp --n 1000000 --c 0 --trials 100
      unparrot theory threshold gnp --n 100000 --mean-degree 2 --plot giant.svg
    """
    from unparrot.theory.gnp import giant_test, isolated_test, simulate_gnp
    from unparrot.theory.threshold import (
        MOST_EXPECTED,
        edge_probability,
        giant_share,
        isolated_expected,
        isolated_none,
        isolated_none_limit,
        isolated_variance,
    )

    if sum(value is not None for value in (c, p, mean_degree)) > 1:
        raise BadInput("--c, --p and --mean-degree exclude each other: give one of them")
    if mean_degree is not None:
        p = mean_degree / n
    elif p is None:
        p = edge_probability(n, 0.0 if c is None else c)
    giant = giant or mean_degree is not None
    mean = isolated_expected(n, p)
    found = None
    if trials:
        found = simulate_gnp(n, p, trials=trials, seed=seed, components=giant, threads=threads)
    shift = n * p - math.log(n)
    isolated: dict[str, Any] = {
        "expected": mean,
        "variance": isolated_variance(n, p),
        "none": isolated_none(n, p) if mean <= MOST_EXPECTED else None,
        "none_limit": float(isolated_none_limit(shift)),
        "simulated": None,
    }
    result: dict[str, Any] = {
        "n": n,
        "p": p,
        "c": shift,
        "mean_degree": n * p,
        "trials": trials,
        "seed": seed,
        "isolated": isolated,
    }
    rows: list[tuple[object, ...]] = [
        ("expected isolated vertices", mean, None),
        ("variance", isolated["variance"], None),
        ("P(no isolated vertex), exact", isolated["none"], None),
        ("P(no isolated vertex), limit", isolated["none_limit"], None),
    ]
    notes: list[str] = []
    if found is not None:
        test = isolated_test(found) if mean > 0 else None
        simulated: dict[str, Any] = {
            "mean": float(found.isolated.mean()),
            "variance": float(found.isolated.var(ddof=1)) if trials > 1 else None,
            "none": found.none_isolated().as_dict(),
            "test": None if test is None else _as_dict(test),
        }
        isolated["simulated"] = simulated
        rows[0] = (*rows[0][:2], simulated["mean"])
        rows[1] = (*rows[1][:2], simulated["variance"])
        rows[2] = (*rows[2][:2], simulated["none"]["value"])
        notes.append(
            f"{trials:,} graphs, seed {seed}. 95 % interval of P(no isolated vertex): "
            f"{simulated['none']['low']:.4g} to {simulated['none']['high']:.4g}."
        )
        if test is not None and test.p_value is not None:
            notes.append(f"Isolated vertices, {test.test}: p = {test.p_value:.3g}.")
    if giant:
        share = float(giant_share(n * p))
        giant_result: dict[str, Any] = {"share": share, "simulated": None}
        result["giant"] = giant_result
        simulated_share = None
        if found is not None and found.largest is not None:
            simulated_share = float(found.largest.mean() / n)
            test = giant_test(found) if n * p > 1 else None
            giant_result["simulated"] = {
                "share": simulated_share,
                "test": None if test is None else _as_dict(test),
            }
            if test is not None and test.p_value is not None:
                notes.append(f"Giant component, {test.test}: p = {test.p_value:.3g}.")
        rows.append(("share in the giant component", share, simulated_share))
    table = Table(("", "theory", "simulated"), rows, f"G({n:,}, {p:.6g}), c = {shift:.6g}")

    def chart() -> Chart:
        if giant:
            return _giant_chart(n, trials, seed, threads)
        return _coin_chart(n, trials, seed, threads)

    show(result, [table], as_json, plot, chart, notes)


@threshold.command()
@click.option("--skills", type=Count(1), required=True, help="N1.")
@click.option("--pieces", type=Count(0), required=True, help="N2.")
@click.option("--k", type=int, required=True, help="Skills in a piece.")
@click.option("--tuple", "tuple_size", type=int, default=2, show_default=True, help="k'.")
@click.option("--topics", type=Count(1), default="1", show_default=True, help="T.")
@click.option("--distinct", is_flag=True, help="No skill twice in a piece.")
@output_options
def skills(
    skills: int,
    pieces: int,
    k: int,
    tuple_size: int,
    topics: int,
    distinct: bool,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Skills without text, k'-tuples ever seen, and combinations that there are.

    \b
    Example:
      unparrot theory threshold skills --skills 1000 --pieces 1e6 --k 8 --tuple 4 --topics 100
    """
    from unparrot.theory.threshold import (
        combinations,
        isolated_none_limit,
        log_combinations,
        pieces_for_skills,
        pieces_for_tuples,
        skills_without_text,
        tuples_seen,
    )

    without = skills_without_text(skills, pieces, k, repeats=not distinct)
    seen = tuples_seen(skills, pieces, k, tuple_size)
    shift = k * pieces / skills - math.log(skills)
    all_seen = float(isolated_none_limit(shift))
    half = pieces_for_tuples(skills, k, tuple_size)
    digits = log_combinations(skills, tuple_size) / math.log(10) + math.log10(topics)
    exact = combinations(skills, tuple_size, topics) if digits < DIGITS_LIMIT else None
    result: dict[str, Any] = {
        "skills": skills,
        "pieces": pieces,
        "k": k,
        "tuple": tuple_size,
        "topics": topics,
        "skills_without_text": without,
        "all_skills_have_text_limit": all_seen,
        "pieces_for_all_skills": pieces_for_skills(skills, k),
        "tuples_seen": seen,
        "pieces_for_half_of_the_tuples": half if math.isfinite(half) else None,
        "combinations": exact,
        "log10_combinations": digits,
        "log10_ordered": math.log10(topics) + tuple_size * math.log10(skills),
    }
    rows: list[tuple[object, ...]] = [
        ("expected skills without text", without),
        ("P(every skill has text), limit", all_seen),
        ("pieces where one such skill is expected", result["pieces_for_all_skills"]),
        (f"share of {tuple_size}-tuples seen", seen),
        (f"pieces for half of the {tuple_size}-tuples", half),
        (
            "combinations with a topic, exactly",
            f"{exact:,}" if exact is not None and digits < 40 else f"10^{digits:.6g}",
        ),
        ("ordered draws with a topic", f"10^{result['log10_ordered']:.6g}"),
    ]
    table = Table(("", "value"), rows, f"{skills:,} skills, {pieces:,} pieces of {k} skills")

    def chart() -> Chart:
        return _skills_chart(skills, k, tuple_size, distinct)

    show(result, [table], as_json, plot, chart)


def _as_dict(test: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(test)


def _none(found: GnpTrials) -> tuple[float | None, float | None, float | None]:
    estimate = found.none_isolated()
    return estimate.value, estimate.low, estimate.high


def _coin_chart(n: int, trials: int, seed: int, threads: int | None) -> Chart:
    from unparrot.report.draw.chart import Chart, Series
    from unparrot.theory.gnp import simulate_gnp
    from unparrot.theory.threshold import edge_probability, isolated_none_limit

    low, high = C_GRID[0] - 1, C_GRID[-1] + 1
    grid = [low + (high - low) * i / (LINE_POINTS - 1) for i in range(LINE_POINTS)]
    series = [Series("limit exp(-exp(-c))", grid, isolated_none_limit(grid).tolist())]
    points_at = [c for c in C_GRID if -math.log(n) <= c <= n - math.log(n)]
    if trials and points_at:
        points = [
            _none(
                simulate_gnp(n, edge_probability(n, c), trials=trials, seed=seed, threads=threads)
            )
            for c in points_at
        ]
        value, lower, upper = ([point[i] for point in points] for i in range(3))
        series.append(Series("simulated", points_at, value, "dots", lower, upper))
    return Chart(
        "The last isolated vertex vanishes within a few units of c",
        f"P(no isolated vertex) of G(n, (log n + c)/n), n = {n:,}, {trials:,} graphs a point",
        "c",
        series,
        "The probability of no isolated vertex against c: the limit and simulated points.",
        y_percent=True,
    )


def _giant_chart(n: int, trials: int, seed: int, threads: int | None) -> Chart:
    from unparrot.report.draw.chart import Chart, Series
    from unparrot.theory.gnp import simulate_gnp
    from unparrot.theory.threshold import giant_share

    grid = [4.0 * i / (LINE_POINTS - 1) for i in range(LINE_POINTS)]
    series = [Series("S = 1 - exp(-np S)", grid, giant_share(grid).tolist())]
    if trials:
        value: list[float | None] = []
        lower: list[float | None] = []
        upper: list[float | None] = []
        degrees = [degree for degree in DEGREE_GRID if degree <= n]
        for degree in degrees:
            found = simulate_gnp(
                n, degree / n, trials=trials, seed=seed, components=True, threads=threads
            )
            if found.largest is not None:
                share = found.largest / n
                value.append(float(share.mean()))
                lower.append(float(share.min()))
                upper.append(float(share.max()))
        series.append(Series("simulated", degrees, value, "dots", lower, upper))
    return Chart(
        "A giant component appears at mean degree 1",
        f"Share of the vertices in the largest component, n = {n:,}; mean and range of {trials:,}",
        "mean degree np",
        series,
        "The share of the largest component against the mean degree: limit and simulated points.",
        y_percent=True,
    )


def _skills_chart(skills: int, k: int, tuple_size: int, distinct: bool) -> Chart:
    from unparrot.report.draw.chart import Chart, Series
    from unparrot.theory.threshold import pieces_for_tuples, skills_without_text, tuples_seen

    low = max(1.0, skills / k / 100)
    high = min(100 * pieces_for_tuples(skills, k, tuple_size), 1e200)
    ratio = max(high / low, 10.0)
    grid = [low * ratio ** (i / (LINE_POINTS - 1)) for i in range(LINE_POINTS)]
    counts = sorted({round(x) for x in grid})
    pieces = [float(x) for x in counts]
    text = [1 - skills_without_text(skills, x, k, repeats=not distinct) / skills for x in counts]
    sizes = sorted({2, tuple_size} - {1}) if k > 1 else []
    series = [Series("skills with text", pieces, text)]
    series += [
        Series(f"{size}-tuples seen", pieces, [tuples_seen(skills, x, k, size) for x in counts])
        for size in sizes
    ]
    return Chart(
        "Skills are seen long before their combinations",
        f"Share seen in text, {skills:,} skills, {k} in a piece",
        "pieces of text",
        series,
        "Shares of skills and of tuples of skills seen, against the number of pieces.",
        x_log=True,
        y_percent=True,
    )
