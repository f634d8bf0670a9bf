"""`unparrot compare RUN RUN`: two models over the same combinations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from unparrot.cli.output import Count, Table, output_options, show
from unparrot.cli.runs.runmodel import RunModel, RunModelType

if TYPE_CHECKING:
    from unparrot.analysis.between.comparison import Comparison
    from unparrot.core.estimate import Estimate
    from unparrot.report.draw.chart import Chart


@click.command(
    epilog="""\b
Examples:
  unparrot compare runs/old runs/new
  unparrot compare runs/demo:139k runs/demo:463k --decoding greedy
"""
)
@click.argument("first", type=RunModelType())
@click.argument("second", type=RunModelType())
@click.option("--split", help="Only texts of this split.")
@click.option("--decoding", help="Only texts of this decoding.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence level of each interval.",
)
@click.option(
    "--family",
    type=click.Choice(["k", "all"]),
    default="k",
    show_default=True,
    help="What Holm's adjustment runs over: the k of one split and decoding, or all rows.",
)
@click.option("--resamples", type=Count(100), default=1000, show_default=True)
@click.option("--seed", type=Count(0), default=1, show_default=True)
@output_options
def compare(
    first: RunModel,
    second: RunModel,
    split: str | None,
    decoding: str | None,
    level: float,
    family: Literal["k", "all"],
    resamples: int,
    seed: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Compare two models over the same combinations: FIRST and SECOND are runs, or RUN:MODEL.

    Differences are second minus first, with intervals over combinations, and exact p values that
    are adjusted for the number of k. Without models, those that both runs have are compared.
    """
    from unparrot.analysis.between.compare import compare_runs
    from unparrot.analysis.read.protocol import Side

    found = compare_runs(
        Side(*first),
        Side(*second),
        level=level,
        resamples=resamples,
        seed=seed,
        family=family,
        split=split,
        decoding=decoding,
    )
    show(
        {"level": level, "comparisons": [comparison.as_dict() for comparison in found]},
        [table for comparison in found for table in _tables(comparison)],
        as_json,
        plot,
        lambda: _chart(found),
        list(dict.fromkeys(note for comparison in found for note in _notes(comparison, level))),
    )


def _tables(comparison: Comparison) -> list[Table]:
    """One table for each split and decoding."""
    groups: dict[str, list[list[object]]] = {}
    for cell in comparison.cells:
        groups.setdefault(f"{cell.split}, {cell.decoding}", []).append(
            [
                cell.k,
                cell.combinations,
                _percent(cell.first),
                _percent(cell.second),
                _points(cell.full_marks.estimate),
                _p(cell.p),
                _p(cell.p_adjusted),
                _points(cell.skill_fraction.estimate),
            ]
        )
    header = ["k", "n", "1st %", "2nd %", "full marks", "p", "Holm", "skill fraction"]
    title = f"{comparison.second} minus {comparison.first}"
    return [Table(header, rows, f"{title}: {name}") for name, rows in groups.items()]


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f}"


def _points(estimate: Estimate) -> str:
    if estimate.value is None:
        return "none"
    value = f"{100 * estimate.value:+.1f}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({100 * estimate.low:+.0f}, {100 * estimate.high:+.0f})"


def _p(p: float | None) -> str:
    if p is None:
        return "none"
    return f"{p:.3f}" if p >= 0.001 else "<.001"


def _notes(comparison: Comparison, level: float) -> list[str]:
    return [
        f"n: combinations; differences in points, each with its {100 * level:g} % interval "
        "(full marks: Tango's score interval; skill fraction: bootstrap over combinations).",
        "p: exact, full marks do not differ (McNemar's; with several rounds, all exchanges of the "
        f"two models); {comparison.family}.",
        *comparison.notes,
    ]


def _chart(comparisons: list[Comparison]) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    groups: dict[str, list[tuple[int, Estimate]]] = {}
    for comparison in comparisons:
        for cell in comparison.cells:
            name = f"{cell.split} {cell.decoding}"
            if len(comparisons) > 1:
                name = f"{comparison.second}: {name}"
            groups.setdefault(name, []).append((cell.k, cell.full_marks.estimate))
    ends = [(e.low, e.high) for cells in groups.values() for _, e in cells]
    return Chart(
        f"{comparisons[0].second} minus {comparisons[0].first}"
        if len(comparisons) == 1
        else "Second run minus first",
        "difference of full marks over the same combinations",
        "number of skills k",
        [
            Series(
                name,
                [k for k, _ in cells],
                [e.value for _, e in cells],
                low=[e.low for _, e in cells],
                high=[e.high for _, e in cells],
            )
            for name, cells in groups.items()
        ],
        f"Differences at {len(ends)} points, each with its interval.",
        y_percent=True,
    )
