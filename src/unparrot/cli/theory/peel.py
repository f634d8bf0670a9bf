"""`unparrot theory peel`: learning as peeling, simulated and in the limit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import MOST_POINTS, Count, Table, output_options, show, whole
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.graph import GraphSpec
    from unparrot.theory.peel.peel import PeelThreshold

LINE_POINTS = 400

MOST_SKILLS = 65_536
"""Skills of the largest piece where there are pieces of several sizes."""


class Degrees(click.ParamType[dict[int, float]]):
    """How many skills a piece holds: ``4``, or shares of the pieces, ``1:0.1,4:0.9``."""

    name = "degrees"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[int, float]:
        """Return the share of the pieces by degree."""
        if isinstance(value, dict):
            return value  # pyright: ignore[reportUnknownVariableType]
        shares: dict[int, float] = {}
        parts = str(value).split(",")
        for part in parts:
            degree, colon, share = part.partition(":")
            k = whole(degree)
            try:
                p = float(share) if colon or len(parts) > 1 else 1.0
            except ValueError:
                k, p = None, 1.0
            if k is None:
                self.fail(
                    f"{part!r} is no degree with its share; write them like 1:0.1,4:0.9", param, ctx
                )
            if k < 0 or not 0 <= p <= 1:
                self.fail(
                    f"{part!r} must be a degree from 0 up and a share from 0 to 1", param, ctx
                )
            if len(parts) > 1 and k > MOST_SKILLS:
                self.fail(
                    f"{part!r}: a piece of mixed sizes has at most {MOST_SKILLS:,} skills; lower "
                    "the degree",
                    param,
                    ctx,
                )
            if k in shares:
                self.fail(f"the degree {k} is given twice in {value!r}", param, ctx)
            shares[k] = p
        if abs(math.fsum(shares.values()) - 1) > 1e-6:
            self.fail(
                f"the shares in {value!r} add up to {math.fsum(shares.values()):g}, not 1",
                param,
                ctx,
            )
        return shares


class Interval(click.ParamType[tuple[float, float]]):
    """A range of numbers, ``0.5..12``."""

    name = "interval"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Return both ends, rising."""
        if isinstance(value, tuple):
            return value  # pyright: ignore[reportUnknownVariableType]
        low, _, high = str(value).partition("..")
        try:
            ends = float(low), float(high)
        except ValueError:
            ends = math.nan, math.nan
        if not 0 <= ends[0] < ends[1] < math.inf:
            self.fail(
                f"{value!r} is not a range of numbers from 0 up; write it like 0.5..12", param, ctx
            )
        return ends


@click.command()
@click.option(
    "--degrees",
    type=Degrees(),
    default="1:0.1,4:0.9",
    show_default=True,
    help="Skills in a piece: one number, or shares of the pieces by number.",
)
@click.option("--skills", type=Count(1), default="100000", show_default=True, help="N1.")
@click.option(
    "--data",
    type=Interval(),
    help="Range of the data: pieces per skill, c = (mean degree) N2 / N1.  [default: 0.5..12]",
)
@click.option("--points", type=click.IntRange(2, MOST_POINTS), default=40, show_default=True)
@click.option("--pieces", type=Count(1), help="N2: one size instead of a range of them.")
@click.option(
    "--power",
    type=float,
    default=0.0,
    help="Draw the skill of rank r in proportion to r^-POWER.  [default: 0, all alike]",
)
@click.option("--distinct", is_flag=True, help="No skill twice in a piece.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@output_options
def peel(
    degrees: dict[int, float],
    skills: int,
    data: tuple[float, float] | None,
    points: int,
    pieces: int | None,
    power: float,
    distinct: bool,
    seed: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Learning as peeling: a piece teaches a skill when it is the only unknown one in it.

    Draws one random corpus, lets it grow, and counts the skills learned beside what density
    evolution says for infinitely many skills. Where learning jumps, the threshold is told.

    \b
    Example:
      unparrot theory peel --degrees 1:0.1,4:0.9 --skills 100000 --data 0.5..12 --plot peel.svg
      unparrot theory peel --degrees 1:0.5,2:0.5 --skills 1e6 --pieces 2e6
    """
    from unparrot.theory.graph import GraphSpec, PowerLaw
    from unparrot.theory.peel.peel import density_evolution, peel_threshold, simulate_peeling

    if data is not None and pieces is not None:
        raise BadInput("--data and --pieces exclude each other: a range of sizes, or one")
    mean = math.fsum(k * p for k, p in degrees.items())
    if mean == 0:
        raise BadInput("no piece holds a skill with these --degrees; give some a degree above 0")
    if pieces is not None:
        sizes = [pieces]
    else:
        low, high = data or (0.5, 12.0)
        steps = [low + (high - low) * i / (points - 1) for i in range(points)]
        sizes = [round(c * skills / mean) for c in steps]
    if sizes[-1] < 1:
        raise BadInput(
            f"the data end at {sizes[-1]} pieces for {skills:,} skills; raise --data or --skills"
        )
    spec = GraphSpec(
        skills=skills,
        pieces=sizes[-1],
        degree=tuple(degrees.get(k, 0.0) for k in range(max(degrees) + 1)),
        repeats=not distinct,
        frequencies=PowerLaw(power),
        seed=seed,
    )
    threshold = peel_threshold(spec)
    per_skill = [mean * n / skills for n in sizes]
    limit = (1 - density_evolution(spec, per_skill)).tolist()
    simulated = simulate_peeling(spec, sizes).share.tolist()
    result: dict[str, Any] = {
        "degrees": {str(k): p for k, p in sorted(degrees.items())},
        "skills": skills,
        "power": power,
        "distinct": distinct,
        "seed": seed,
        "starts": threshold.starts,
        "jumps": [
            {
                "mean_degree": jump.mean_degree,
                "pieces": jump.mean_degree * skills / mean,
                "before": jump.before,
                "after": jump.after,
            }
            for jump in threshold.jumps
        ],
        "points": [
            {"pieces": n, "mean_degree": c, "simulation": s, "density_evolution": d}
            for n, c, s, d in zip(sizes, per_skill, simulated, limit, strict=True)
        ],
    }
    table = Table(
        ("pieces", "mean degree c", "simulation", "density evolution"),
        [tuple(point.values()) for point in result["points"]],
        "Share of skills learned",
    )
    notes = _notes(threshold, degrees, skills, mean, distinct)

    def chart() -> Chart:
        return _chart(spec, threshold, per_skill, simulated, notes[0])

    show(result, [table], as_json, plot, chart, notes)


def _notes(
    threshold: PeelThreshold, degrees: dict[int, float], skills: int, mean: float, distinct: bool
) -> list[str]:
    finding = threshold.describe()
    notes = [f"Density evolution: {finding}."]
    for jump in threshold.jumps:
        size = jump.mean_degree * skills / mean
        notes.append(
            f"The jump at c = {jump.mean_degree:.6g} is at {size:,.0f} pieces; with {skills:,} "
            f"skills chance moves it by the order of {100 * skills**-0.5:.2g} % (N1^-1/2)."
        )
    if not threshold.starts and degrees.get(2, 0.0) > 0 and not distinct:
        notes.append(
            "In the simulation a piece of degree 2 can hold one skill twice and teach it, and so "
            "start what density evolution says never starts; --distinct forbids it."
        )
    return notes


def _chart(
    spec: GraphSpec,
    threshold: PeelThreshold,
    per_skill: list[float],
    simulated: list[float],
    finding: str,
) -> Chart:
    from unparrot.report.draw.chart import Chart, Series
    from unparrot.theory.peel.peel import density_evolution

    low, high = (0.0 if len(per_skill) == 1 else per_skill[0]), per_skill[-1]
    grid = [low + (high - low) * i / (LINE_POINTS - 1) for i in range(LINE_POINTS)]
    jumps = [jump.mean_degree for jump in threshold.jumps if low <= jump.mean_degree <= high]
    # both sides of a jump, so that the line stands upright there
    grid = sorted([*grid, *jumps, *(c * (1 + 1e-9) for c in jumps)])
    series = [
        Series("density evolution", grid, (1 - density_evolution(spec, grid)).tolist()),
        Series("simulation", per_skill, simulated, "dots"),
    ]
    if jumps:
        series.append(Series("threshold", jumps, [], "mark", quiet=True))
    return Chart(
        title="Skills learned against data",
        subtitle=f"share of {spec.skills:,} skills learned",
        x_label="mean number of pieces per skill, c",
        series=series,
        alt=f"Share of skills learned against the mean number of pieces per skill. {finding}",
        y_percent=True,
    )
