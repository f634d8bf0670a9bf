"""`unparrot theory peel`: learning as peeling, simulated and in the limit."""

import math
from dataclasses import asdict
from typing import Any

from unparrot.cli.command import command, option
from unparrot.cli.output import Answer, Table
from unparrot.cli.values import DEGREES, INTERVAL, MOST_POINTS, SEED, Count, degree_of
from unparrot.core.errors import BadInput
from unparrot.core.wording import plural
from unparrot.report.draw.chart import Chart, Series

LINE_POINTS = 400


@command(plots=True)
def peel(
    degrees: dict[int, float] = option(
        "Skills in a piece: one number, or shares of the pieces by number.",
        DEGREES,
        default="1:0.1,4:0.9",
    ),
    skills: int = option("Number of skills, N1.", Count(1), default=100_000),
    data: tuple[float, float] | None = option(
        "Range of the data: pieces per skill, c = (mean degree) N2 / N1.  [default: 0.5..12]",
        INTERVAL,
    ),
    points: int = option("Sizes in the range.", Count(2, MOST_POINTS), default=40),
    pieces: int | None = option("N2: one size instead of a range of them.", Count(1)),
    power: float = option(
        "Draw the skill of rank r in proportion to r^-POWER.  [default: 0, all alike]",
        default=0.0,
        show_default=False,
    ),
    distinct: bool = option("No skill twice in a piece."),
    seed: int = option("Of the corpus.", SEED, default=1),
) -> Answer:
    """Learning as peeling: a piece teaches a skill when it is the only unknown one in it.

    Draws one random corpus, lets it grow, and counts the skills learned beside what density
    evolution says for infinitely many skills. Where learning jumps, the threshold is printed.

    Examples:
      unparrot theory peel --degrees 1:0.1,4:0.9 --skills 100000 --data 0.5..12 --plot peel.svg
      unparrot theory peel --degrees 1:0.5,2:0.5 --skills 1e6 --pieces 2e6
    """
    from unparrot.theory.graph.graph_spec import GraphSpec, PowerLaw
    from unparrot.theory.peeling import density_evolution, peel_threshold, simulate_peeling

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
        sizes = [round(min(c * skills / mean, 1e18)) for c in steps]
    if sizes[-1] < 1:
        raise BadInput(
            f"the data end at {sizes[-1]} pieces for {plural(skills, 'skill')}; raise --data or "
            "--skills"
        )
    spec = GraphSpec(
        skills=skills,
        pieces=sizes[-1],
        degree=degree_of(degrees),
        repeats=not distinct,
        frequencies=PowerLaw(power),
        seed=seed,
    )
    threshold = peel_threshold(spec)
    per_skill = [mean * n / skills for n in sizes]
    limit = (1 - density_evolution(spec, per_skill)).tolist()
    simulated = (simulate_peeling(spec, sizes)[0] / skills).tolist()
    jumps = [
        {**asdict(jump), "pieces": jump.mean_degree * skills / mean} for jump in threshold.jumps
    ]
    notes = [f"Density evolution: {threshold.describe()}."]
    notes += [
        f"The jump at c = {jump['mean_degree']:.6g} is at {jump['pieces']:,.0f} pieces; with "
        f"{plural(skills, 'skill')} chance moves it by some {100 * skills**-0.5:.2g} % (N1^-1/2)."
        for jump in jumps
    ]
    if not threshold.starts and degrees.get(2, 0.0) > 0 and not distinct:
        notes.append(
            "In the simulation a piece of degree 2 can hold one skill twice and teach it, and so "
            "start what density evolution says never starts; --distinct forbids it."
        )
    result: dict[str, Any] = {
        "degrees": {str(k): p for k, p in sorted(degrees.items())},
        "skills": skills,
        "power": power,
        "distinct": distinct,
        "seed": seed,
        "starts": threshold.starts,
        "jumps": jumps,
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

    def chart() -> Chart:
        low, high = (0.0 if len(sizes) == 1 else per_skill[0]), per_skill[-1]
        grid = [low + (high - low) * i / (LINE_POINTS - 1) for i in range(LINE_POINTS)]
        seen = [jump.mean_degree for jump in threshold.jumps if low <= jump.mean_degree <= high]
        # both sides of a jump, so that the line stands upright there
        grid = sorted([*grid, *seen, *(c * (1 + 1e-9) for c in seen)])
        series = [
            Series("density evolution", grid, (1 - density_evolution(spec, grid)).tolist()),
            Series("simulation", per_skill, simulated, "dots"),
        ]
        if seen:
            series.append(Series("threshold", seen, [], "mark", quiet=True))
        return Chart(
            title="Skills learned against data",
            subtitle=f"share of {plural(skills, 'skill')} learned",
            x_label="mean number of pieces per skill, c",
            series=series,
            alt=f"Share of skills learned against the mean number of pieces per skill. {notes[0]}",
            y_percent=True,
        )

    return Answer(result, [table], notes, chart)
