"""`unparrot theory curve`: how badly all but an alpha share of the skills, or tuples, can fare."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import MOST_POINTS, Count, Table, output_options, show
from unparrot.cli.theory.peel import Degrees
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.curve.piece import Degree

GRID = (1e-3, 0.9)
"""Ends of the grid of alpha, where it is not given."""

MOST_DECIMALS = 290
"""Decimal digits of the largest number of tuples that is worked with."""


@click.command()
@click.option("--theta", type=float, help="Share of the pieces that the model fails, in (0, 1).")
@click.option(
    "--k",
    "degrees",
    type=Degrees(),
    required=True,
    help="Skills in a piece: one number, or for the sharp bound shares of the pieces by number.",
)
@click.option("--tuple", "tuple_size", type=int, help="k', the skills in a tuple.  [default: 1]")
@click.option(
    "--alpha",
    "alphas",
    type=float,
    multiple=True,
    help="Share of the tuples given up as the worst; may be repeated.  [default: 1e-3 to 0.9]",
)
@click.option("--points", type=click.IntRange(2, MOST_POINTS), default=25, show_default=True)
@click.option(
    "--bound",
    type=click.Choice(("sharp", "entropic", "classic", "both")),
    help="both: sharp and classic.  [default: both; sharp where --k is a distribution]",
)
@click.option("--failure", type=float, help="A failure rate to keep: ask for what it allows.")
@click.option("--pieces", type=Count(1), help="N2: add the bound of a finite graph.")
@click.option("--skills", type=Count(1), help="N1: gives the number of tuples, C(N1, k').")
@click.option(
    "--delta",
    type=float,
    default=1.0,
    show_default=True,
    help="Chance that a finite graph breaks its bound; 1 leaves out its term.",
)
@output_options
def curve(
    theta: float | None,
    degrees: dict[int, float],
    tuple_size: int | None,
    alphas: tuple[float, ...],
    points: int,
    bound: str | None,
    failure: float | None,
    pieces: int | None,
    skills: int | None,
    delta: float,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Bound the failure rate of all but an alpha share of the k'-tuples of skills.

    With --failure and without --theta: the largest theta that keeps it. With both: the largest k'
    that keeps it.

    \b
    Example:
      unparrot theory curve --theta 0.05 --k 8 --tuple 2 --alpha 0.1 --bound both
      unparrot theory curve --theta 0.05 --k 8 --pieces 400000 --skills 500 --plot curve.svg
      unparrot theory curve --failure 0.1 --k 8 --alpha 0.1
      unparrot theory curve --failure 0.3 --theta 0.05 --k 8 --alpha 0.1
    """
    from unparrot.theory.curve.finite import require_members
    from unparrot.theory.curve.piece import require_shares

    k: Degree
    if len(degrees) == 1:
        k = next(iter(degrees))
    else:
        k = tuple(degrees.get(i, 0.0) for i in range(max(degrees) + 1))
    if bound is None:
        bound = "both" if isinstance(k, int) else "sharp"
    bounds = ("sharp", "classic") if bound == "both" else (bound,)
    size = 1 if tuple_size is None else tuple_size
    if (pieces is None) != (skills is None) and pieces is not None:
        raise BadInput("--pieces needs --skills, which gives the number of tuples; add it")
    if delta != 1 and pieces is None:
        raise BadInput("--delta is of the bound for a finite graph; add --pieces and --skills")
    tuples = None if skills is None else _tuples(skills, size, pieces)
    if tuples == 1:
        raise BadInput(
            f"--skills {skills} and --tuple {size} leave one tuple, and no share of it to give up; "
            "raise --skills"
        )
    alpha = tuple(sorted(set(alphas))) or _grid(points, tuples)
    if tuples is not None:
        require_members(require_shares("alpha", alpha), tuples)
    if failure is None:
        if theta is None:
            raise BadInput("give --theta, or --failure to ask for the largest theta")
        finite = None if pieces is None or tuples is None else (pieces, tuples, delta)
        _forward(theta, k, size, alpha, bounds, finite, skills, as_json, plot)
        return
    if not isinstance(k, int):
        raise BadInput("--failure takes one --k, not a distribution; give a number")
    if pieces is not None:
        raise BadInput("--failure is answered for large graphs only; leave out --pieces")
    if theta is None:
        _largest_theta(failure, k, size, alpha, bounds, as_json, plot)
        return
    if tuple_size is not None:
        raise BadInput("--failure with --theta asks for the largest k'; leave out --tuple")
    _largest_tuple(theta, failure, k, alpha, bounds, as_json, plot)


def _tuples(skills: int, size: int, pieces: int | None) -> int | None:
    """C(N1, k'); None where it is beyond a float, so that any alpha has tuples enough."""
    from unparrot.theory.threshold import log_combinations

    if not 1 <= size <= skills:
        raise BadInput(f"--tuple {size} must be between 1 and the number of skills, {skills}")
    decimals = log_combinations(skills, size) / math.log(10)
    if decimals > MOST_DECIMALS:
        if pieces is None:
            return None
        raise BadInput(
            f"{skills:,.15g} skills have some 10^{decimals:,.0f} tuples of {size}, for which no "
            "finite graph has pieces enough; leave out --pieces, or lower --tuple"
        )
    return math.comb(skills, size)


def _grid(points: int, tuples: int | None) -> tuple[float, ...]:
    low = max(GRID[0], 0.0 if tuples is None else 1 / tuples)
    ratio = GRID[1] / low
    grid = (low * ratio ** (i / (points - 1)) for i in range(points))
    return tuple(max(low, float(f"{alpha:.4g}")) for alpha in grid)


def _forward(
    theta: float,
    k: Degree,
    size: int,
    alpha: tuple[float, ...],
    bounds: tuple[str, ...],
    finite: tuple[int, int, float] | None,
    skills: int | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    from unparrot.theory.curve.finite import least_edges
    from unparrot.theory.curve.performance import classic, entropic, luck, sharp

    columns: dict[str, list[float]] = {"alpha": list(alpha), "luck": luck(theta, alpha).tolist()}
    for name in bounds:
        if name == "sharp":
            columns[name] = sharp(theta, alpha, k, size).tolist()
            continue
        # a distribution is refused by the bound itself, with the remedy
        function = classic if name == "classic" else entropic
        columns[name] = function(theta, alpha, k, size).tolist()  # pyright: ignore[reportArgumentType]
    if finite is not None:
        n, m, delta = finite
        if "entropic" in bounds:
            raise BadInput("the entropic bound has no term for a finite graph; choose another")
        for name in bounds:
            function = sharp if name == "sharp" else classic
            found = function(theta, alpha, k, size, pieces=n, tuples=m, delta=delta)  # pyright: ignore[reportArgumentType]
            columns[f"{name}_finite"] = found.tolist()
        if isinstance(k, int):
            edges = least_edges(alpha, k, size, pieces=n, tuples=m, delta=delta)
            columns["least_edges"] = edges.tolist()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    result: dict[str, Any] = {
        "theta": theta,
        "k": k,
        "tuple": size,
        "blocks": k // size if isinstance(k, int) else None,
        "skills": skills,
        "tuples": None if finite is None else finite[1],
        "pieces": None if finite is None else finite[0],
        "delta": None if finite is None else finite[2],
        "points": rows,
    }
    notes = [
        f"All but an alpha share of the {size}-tuples fail on at most this share of their pieces."
        if size > 1
        else "All but an alpha share of the skills fail on at most this share of their pieces.",
    ]
    if 1.0 in columns.get("classic", ()):
        notes.append("Where the classic bound is 1 its equation has no solution: it says nothing.")
    if finite is not None:
        notes.append(
            "finite: over the expected edges of a set of tuples, for all sets at once; every set "
            "has at least the share least_edges of those."
        )
    heads = [name.replace("_", " ") for name in columns]
    table = Table(heads, [tuple(row.values()) for row in rows], f"theta = {theta:g}")

    def chart() -> Chart:
        from unparrot.report.draw.chart import Chart, Series

        # a bound of 1 says nothing, and the classic one can jump there
        lines = [
            Series(
                name.replace("_", " "),
                list(alpha),
                [value if value < 1 else None for value in values],
                "dashes" if name.endswith("_finite") else "line",
            )
            for name, values in columns.items()
            if name not in ("alpha", "least_edges")
        ]
        what = "skills" if size == 1 else f"{size}-tuples of skills"
        return Chart(
            "How badly skills can fare",
            f"Failure rate of all but an alpha share of the {what}, theta = {theta:g}",
            "alpha, the share given up as the worst",
            lines if len(alpha) > 1 else _dots(lines),
            f"Bounds on the failure rate against alpha for theta = {theta:g}.",
            x_log=True,
            y_percent=True,
        )

    show(result, [table], as_json, plot, chart, notes)


def _dots(lines: list[Any]) -> list[Any]:
    from dataclasses import replace

    return [replace(line, style="dots") for line in lines]


def _largest_theta(
    failure: float,
    k: int,
    size: int,
    alpha: tuple[float, ...],
    bounds: tuple[str, ...],
    as_json: bool,
    plot: Path | None,
) -> None:
    from unparrot.theory.curve.inverse import theta_for

    found = {
        name: [
            None if math.isnan(value) else value
            for value in theta_for(failure, alpha, k, size, bound=name).tolist()
        ]
        for name in bounds
    }
    rows = [{"alpha": a, **{name: found[name][i] for name in bounds}} for i, a in enumerate(alpha)]
    result: dict[str, Any] = {"failure": failure, "k": k, "tuple": size, "largest_theta": rows}
    _show_answer(
        result,
        rows,
        f"Largest theta that keeps a failure rate of {failure:g}",
        "Largest theta: the share of pieces that may be failed",
        as_json,
        plot,
    )


def _largest_tuple(
    theta: float,
    failure: float,
    k: int,
    alpha: tuple[float, ...],
    bounds: tuple[str, ...],
    as_json: bool,
    plot: Path | None,
) -> None:
    from unparrot.theory.curve.inverse import largest_tuple

    rows = [
        {"alpha": a, **{name: largest_tuple(theta, a, failure, k, bound=name) for name in bounds}}
        for a in alpha
    ]
    result: dict[str, Any] = {"theta": theta, "failure": failure, "k": k, "largest_tuple": rows}
    _show_answer(
        result,
        rows,
        f"Largest k' whose tuples, but for an alpha share, keep a failure rate of {failure:g}",
        f"Largest k' at theta = {theta:g}; 0: not even single skills",
        as_json,
        plot,
    )


def _show_answer(
    result: dict[str, Any],
    rows: list[dict[str, Any]],
    title: str,
    subtitle: str,
    as_json: bool,
    plot: Path | None,
) -> None:
    names = [name for name in rows[0] if name != "alpha"]
    table = Table(list(rows[0]), [tuple(row.values()) for row in rows], title)

    def chart() -> Chart:
        from unparrot.report.draw.chart import Chart, Series

        alpha = [row["alpha"] for row in rows]
        counts = all(isinstance(row[name], int) for row in rows for name in names)
        style = "dots" if counts or len(rows) == 1 else "line"
        lines = [Series(name, alpha, [row[name] for row in rows], style) for name in names]
        return Chart(title, subtitle, "alpha", lines, f"{title}, against alpha.", x_log=True)

    show(result, [table], as_json, plot, chart, [f"{subtitle}."])
