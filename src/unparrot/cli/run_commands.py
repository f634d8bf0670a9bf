"""`unparrot graders RUN`: how far the graders of a run can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unparrot.cli.output import Count, Table, output_options, show

if TYPE_CHECKING:
    import polars as pl

    from unparrot.analysis.graders.grader_agreement import AgreementRow
    from unparrot.analysis.graders.raters import GraderReport
    from unparrot.core.estimate import Estimate
    from unparrot.core.records import RunFolder
    from unparrot.report.draw.chart import Chart

_SHARE = click.FloatRange(0, 1)


@click.command(
    epilog="""\b
Examples:
  unparrot graders runs/gpt --truth people
  unparrot graders runs/demo --plant 0.05 0.1 --labels 300
"""
)
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--truth", help="The grader who is right: people, who labelled a random sample.")
@click.option(
    "--plant",
    nargs=2,
    type=_SHARE,
    metavar="FALSE_POINTS FALSE_MISSES",
    help="Lab runs: plant a grader with these rates of error beside the exact one.",
)
@click.option("--labels", type=Count(1), help="With --plant: texts whose truth is used.")
@click.option("--rounds", type=Count(1), default=1, help="With --plant: gradings of each text.")
@click.option("--skills", is_flag=True, help="Show every skill in the tables, too.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence level of each interval.",
)
@click.option("--resamples", type=Count(100), default=1000, show_default=True)
@click.option("--seed", type=Count(0), default=1, show_default=True)
@output_options
def graders(
    run: Path,
    truth: str | None,
    plant: tuple[float, float] | None,
    labels: int | None,
    rounds: int,
    skills: bool,
    level: float,
    resamples: int,
    seed: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Measure the graders of the run in the folder RUN (its table grades.parquet).

    Agreement between graders and between the rounds of each, by criterion and skill; whether a
    grader favours its own family; and, where the truth is known of some texts, the graders' errors
    and the share of full marks put right.
    """
    from unparrot.analysis.graders.raters import measure_graders
    from unparrot.analysis.resampling import Resampling
    from unparrot.core.records import RunFolder

    folder = RunFolder(run)
    grades, truth = _grades(folder, truth, plant, labels, rounds, seed)
    report = measure_graders(
        grades,
        folder.read_table("texts"),
        truth=truth,
        sampling=Resampling(level, resamples, seed),
    )
    tables = [
        *_agreement(report, skills),
        _bias(report),
        _errors(report, skills),
        *_corrected(report),
    ]
    notes = [
        f"Intervals hold with {100 * level:g} % each, over texts. kappa and alpha are low where "
        "nearly all marks are alike, however well graders agree: read them beside raw agreement, "
        "AC1 and the shares of earned marks.",
        *report.notes,
    ]
    show(
        report.as_dict(),
        [table for table in tables if table.rows],
        as_json,
        plot,
        lambda: _chart(report),
        notes,
    )


def _grades(
    folder: RunFolder,
    truth: str | None,
    plant: tuple[float, float] | None,
    labels: int | None,
    rounds: int,
    seed: int,
) -> tuple[pl.DataFrame, str | None]:
    from unparrot.analysis.read.grader_marks import EXACT, exact_grades, read_grades
    from unparrot.analysis.read.grader_marks import plant as plant_grader
    from unparrot.analysis.read.skillmix_tables import is_skillmix
    from unparrot.core.errors import BadInput

    if plant is None:
        if labels is not None:
            raise click.UsageError("--labels goes with --plant")
        return read_grades(folder), truth
    if is_skillmix(folder):
        raise BadInput(
            f"{folder.path} is a run of language models, where no grader is exact; --plant is for "
            "runs of the lab. Name people who labelled texts with --truth"
        )
    if truth not in (None, EXACT):
        raise click.UsageError("with --plant the truth is the exact grader; leave --truth out")
    exact = exact_grades(folder)
    return plant_grader(exact, *plant, seed=seed, rounds=rounds, labels=labels), EXACT


def _number(estimate: Estimate | None) -> str:
    """A coefficient with its interval."""
    if estimate is None or estimate.value is None:
        return "none"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} ({estimate.low:.2f}, {estimate.high:.2f})"


def _percent(estimate: Estimate | None) -> str:
    """A share with its interval, in percent."""
    if estimate is None or estimate.value is None:
        return "none"
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.1f}"
    return f"{100 * estimate.value:.1f} ({100 * estimate.low:.0f}, {100 * estimate.high:.0f})"


def _agreement(report: GraderReport, skills: bool) -> list[Table]:
    """One table for each group of raters."""
    groups: dict[tuple[str, ...], list[list[object]]] = {}
    for row in report.agreement:
        if row.scope == "skill" and not skills:
            continue
        kappa = row.found.kappa
        groups.setdefault(row.raters, []).append(
            [
                row.name,
                row.found.units,
                _earned(row),
                _percent(row.found.raw),
                "none" if kappa is None else f"{kappa.value:.2f}",
                _number(row.found.alpha),
                _number(row.found.ac1),
            ]
        )
    header = ["marks", "n", "earned %", "agree %", "kappa", "alpha", "AC1"]
    return [
        Table(header, rows, f"Agreement of {', '.join(raters)}") for raters, rows in groups.items()
    ]


def _earned(row: AgreementRow) -> str:
    rates: list[float] = row.found.base_rates[:, 1].tolist()
    return " / ".join(f"{100 * rate:.0f}" for rate in rates)


def _bias(report: GraderReport) -> Table:
    rows = [
        [row.family, *(_percent(e) for e in (row.own, row.other, row.bias)), row.bias.n]
        for row in report.bias
    ]
    header = ["family", "on its own texts", "on others", "bias", "texts"]
    return Table(header, rows, "Points in 100 that a family's graders give beyond other graders")


def _errors(report: GraderReport, skills: bool) -> Table:
    rows = [
        [
            row.grader,
            row.name,
            row.marks,
            _percent(row.found.sensitivity),
            _percent(row.found.specificity),
        ]
        for row in report.errors
        if skills or row.scope != "skill"
    ]
    header = ["grader", "marks", "n", "sensitivity %", "specificity %"]
    return Table(header, rows, f"Beside {report.truth}: earned marks given, missed marks withheld")


def _corrected(report: GraderReport) -> list[Table]:
    """One table for each grader."""
    groups: dict[str, list[list[object]]] = {}
    for row in report.corrected:
        if row.k is None:
            groups.setdefault(row.grader, []).append(
                [
                    row.model,
                    row.texts,
                    row.labels,
                    f"{100 * row.graded:.1f}",
                    _percent(row.ppi and row.ppi.estimate),
                    _percent(row.ppi and row.ppi.labelled_only),
                    _percent(row.screened and row.screened.corrected),
                ]
            )
    header = ["model", "texts", "labels", "graded %", "PPI++", "labels only", "R.-Gladen"]
    return [
        Table(header, rows, f"Full marks as {grader} says, and put right by {report.truth}")
        for grader, rows in groups.items()
    ]


def _chart(report: GraderReport) -> Chart:
    from unparrot.core.errors import BadInput
    from unparrot.report.draw.chart import Chart, Series

    rows = [row for row in report.corrected if row.k is not None]
    if not rows:
        raise BadInput("the figure shows full marks put right; name the grader who is, --truth")
    series: list[Series] = []
    for model in dict.fromkeys(row.model for row in rows):
        own = [row for row in rows if row.model == model and row.grader == rows[0].grader]
        ks = [row.k for row in own if row.k is not None]
        right = [row.ppi.estimate if row.ppi else None for row in own]
        series.append(
            Series(
                model,
                ks,
                [e and e.value for e in right],
                low=[e and e.low for e in right],
                high=[e and e.high for e in right],
            )
        )
        series.append(Series(f"{model}, as graded", ks, [row.graded for row in own], "dashes"))
    return Chart(
        f"Full marks as {rows[0].grader} says, and put right",
        f"share of texts; put right by {report.truth}",
        "number of skills k",
        series,
        "For each model the share as graded, and the corrected share with its interval.",
        y_percent=True,
    )
