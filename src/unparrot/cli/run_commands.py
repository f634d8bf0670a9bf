"""`unparrot analyze`, `report`, `graders` and `certify`: what one run shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, Table, table, with_intervals
from unparrot.cli.values import OPEN_SHARE, RUN, SHARE, Count
from unparrot.core.errors import BadInput
from unparrot.core.wording import (
    NOTHING,
    at_least,
    at_most,
    given,
    hundredths,
    interval,
    number,
    percent,
)

if TYPE_CHECKING:
    import polars as pl

    from unparrot.analysis.graders.raters import GraderReport
    from unparrot.core.records import RunFolder
    from unparrot.report.draw.chart import Chart


@command()
def analyze(run: Path = argument(RUN)) -> Answer:
    """Work out every figure of the run in the folder RUN from its records, each with its interval,
    and write them to RUN/summary.json.

    The same records give the same summary to the last digit.

    Example:
      unparrot analyze runs/demo && unparrot report runs/demo
    """
    from unparrot.analysis.summary import analyze as write_summary

    summary = write_summary(run)
    return Answer(summary, notes=[summary["headline"]["sentence"], str(run / "summary.json")])


@command()
def report(
    run: Path = argument(RUN),
    out: Path | None = option("Where the page goes.  [default: RUN/report.html]"),
) -> Answer:
    """Write the page of the run in the folder RUN: one HTML file that opens offline.

    The page shows what RUN/summary.json says and computes nothing, so the same run gives the same
    page.

    Example:
      unparrot report runs/demo --out page.html
    """
    from unparrot.report.page import write_page

    page = str(write_page(run, out))
    return Answer({"page": page}, notes=[page])


@command(plots=True)
def graders(
    run: Path = argument(RUN),
    truth: str | None = option("The grader who is right: people, who labelled a random sample."),
    plant: tuple[float, float] | None = option(
        "Lab runs: plant a grader with these rates of error beside the exact one.",
        SHARE,
        nargs=2,
        metavar="FALSE_POINTS FALSE_MISSES",
    ),
    labels: int | None = option("With --plant: texts whose truth is used.", Count(1)),
    rounds: int = option("With --plant: gradings of each text.", Count(1), default=1),
    skills: bool = option("Show every skill in the tables, too."),
    level: float = option("Confidence level of each interval.", OPEN_SHARE, default=0.95),
    resamples: int = option("Bootstrap samples.", Count(100), default=1000),
    seed: int = option("Of the bootstrap, and of --plant.", Count(0), default=1),
) -> Answer:
    """Measure the graders of the run in the folder RUN (its table grades.parquet).

    Agreement between graders and between the rounds of each, by criterion and skill; whether a
    grader favours its own family; and, where the truth is known of some texts, the graders' errors
    and the share of full marks put right.

    Examples:
      unparrot graders runs/gpt --truth people
      unparrot graders runs/demo --plant 0.05 0.1 --labels 300
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
    return Answer(
        report.as_dict(),
        [*_agreement(report, skills), *_bias_and_errors(report, skills), *_corrected(report)],
        [
            f"Intervals hold with {given(level)} each, over texts. kappa and alpha are low where "
            "nearly all marks are alike, however well graders agree: read them beside raw "
            "agreement, AC1 and the shares of earned marks.",
            *report.notes,
        ],
        lambda: _corrected_chart(report),
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


def _agreement(report: GraderReport, skills: bool) -> list[Table]:
    """One table for each group of raters."""
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for row in report.agreement:
        if skills or row.scope != "skill":
            rates: list[float] = row.found.base_rates[:, 1].tolist()
            kappa = row.found.kappa
            groups.setdefault(row.raters, []).append(
                {
                    "marks": row.name,
                    "n": row.found.units,
                    "earned %": " / ".join(hundredths(rate, 0) for rate in rates),
                    "agree %": interval(row.found.raw, narrow=True),
                    "kappa": None if kappa is None else f"{kappa.value:.2f}",
                    "alpha": number(row.found.alpha, narrow=True),
                    "AC1": number(row.found.ac1, narrow=True),
                }
            )
    return [table(rows, f"Agreement of {', '.join(raters)}") for raters, rows in groups.items()]


def _bias_and_errors(report: GraderReport, skills: bool) -> list[Table]:
    bias: list[dict[str, object]] = [
        {
            "family": row.family,
            "on its own texts": interval(row.own, narrow=True),
            "on others": interval(row.other, narrow=True),
            "bias": interval(row.bias, narrow=True),
            "texts": row.bias.n,
        }
        for row in report.bias
    ]
    errors: list[dict[str, object]] = [
        {
            "grader": row.grader,
            "marks": row.name,
            "n": row.marks,
            "sensitivity %": interval(row.found.sensitivity, narrow=True),
            "specificity %": interval(row.found.specificity, narrow=True),
        }
        for row in report.errors
        if skills or row.scope != "skill"
    ]
    return [
        table(bias, "Points in 100 that a family's graders give beyond other graders"),
        table(errors, f"Beside {report.truth}: earned marks given, missed marks withheld"),
    ]


def _corrected(report: GraderReport) -> list[Table]:
    """One table for each grader."""
    groups: dict[str, list[dict[str, object]]] = {}
    for row in report.corrected:
        if row.k is None:
            groups.setdefault(row.grader, []).append(
                {
                    "model": row.model,
                    "texts": row.texts,
                    "labels": row.labels,
                    "graded %": hundredths(row.graded),
                    "PPI++": interval(row.ppi and row.ppi.estimate, narrow=True),
                    "labels only": interval(row.ppi and row.ppi.labelled_only, narrow=True),
                    "R.-Gladen": interval(row.screened and row.screened.corrected, narrow=True),
                }
            )
    return [
        table(rows, f"Full marks as {grader} says, and put right by {report.truth}")
        for grader, rows in groups.items()
    ]


def _corrected_chart(report: GraderReport) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    rows = [row for row in report.corrected if row.k is not None]
    if not rows:
        raise BadInput("the figure shows full marks put right; name the grader who is, --truth")
    grader = rows[0].grader
    series: list[Series] = []
    for model in dict.fromkeys(row.model for row in rows):
        own = {row.k: row for row in rows if (row.model, row.grader) == (model, grader)}
        ks = [k for k in own if k is not None]
        right = [row.ppi and row.ppi.estimate for row in own.values()]
        graded = [row.graded for row in own.values()]
        series += [
            with_intervals(model, ks, right),
            Series(f"{model}, as graded", ks, graded, "dashes"),
        ]
    return Chart(
        f"Full marks as {grader} says, and put right",
        f"share of texts; put right by {report.truth}",
        "number of skills k",
        series,
        "For each model the share as graded, and the corrected share with its interval.",
        y_percent=True,
    )


@command(plots=True)
def certify(
    run: Path = argument(RUN),
    rates: tuple[Path, ...] = option(
        "CSV of the rates of skills and topics in windows of the corpus: kind,name,rate; or two "
        "files, skill,rate and topic,rate.  [default: RUN says what training showed]"
    ),
    windows: int | None = option("Windows of the corpus, each as long as an answer.", Count(1)),
    rho: float = option(
        "How much more often than independent ones skills may meet in a window.",
        click.FloatRange(1),
        default=1.0,
    ),
    slip: float | None = option(
        "Share of unseen combinations that luck or a grader's mistake may pass; where parrots "
        "measure it, the larger counts.  [default: 0.05, or 0 with --rates]",
        click.FloatRange(0, 1, max_open=True),
    ),
    decoding: str | None = option("Which texts count.  [default: greedy, or the only one]"),
    level: float = option(
        "Confidence in all claims at once.",
        click.FloatRange(0.75, 1, min_open=True, max_open=True),
        default=0.95,
    ),
    model: str | None = option(
        "Print only the claims on this model. They are made for all, so that asking for one does "
        "not change what is said of it."
    ),
) -> Answer:
    """Say of every model and k of RUN whether it is shown to be beyond parrot: whether it earns
    full marks more often than recalling what training showed, and luck, allow together.

    Writes RUN/certificate.json, with the evidence, the assumptions and the hashes of the data.

    Examples:
      unparrot certify runs/demo
      unparrot certify runs/eval --rates skills.csv --rates topics.csv --windows 5e10 --rho 4
      unparrot certify runs/demo --model 463k --plot certificate.svg
    """
    from unparrot.analysis.certificate.certify import certify as certified
    from unparrot.analysis.certificate.certify import write_certificate

    certificate = certified(
        run,
        rates=rates,
        windows=None if windows is None else float(windows),
        rho=rho,
        slip=slip,
        decoding=decoding,
        level=level,
    )
    rows: list[dict[str, Any]] = certificate["rows"]
    names = list(dict.fromkeys(row["model"] for row in rows))
    if model is not None and model not in names:
        raise BadInput(f"{run} has no model {model!r}; it has {', '.join(names)}")
    rows = [row for row in rows if model in (None, row["model"])]
    path = write_certificate(run, certificate)
    return Answer(
        {**certificate, "rows": rows},
        [_claims(rows, certificate["terms"]["source"] == "counted")],
        [*_certificate_notes(certificate, rows, model), f"The certificate: {path}"],
        lambda: _certificate_chart(rows),
    )


def _claims(rows: list[dict[str, Any]], counted: bool) -> Table:
    # where training was counted B is 0, so that the bound is the slip
    bounds = ("bound",) if counted else ("B", "bound")
    lines: list[dict[str, object]] = []
    for row in rows:
        evidence: dict[str, Any] = row["evidence"] or {}
        lines.append(
            {
                "model": row["model"],
                "k": row["k"],
                "n": evidence.get("combinations", NOTHING),
                "earned %": _bare(percent, evidence.get("full_marks")),
                "a_lo %": _bare(at_least, evidence.get("a_lo")),
                **{f"{name} %": _bare(at_most, evidence.get(name)) for name in bounds},
                "verdict": row["verdict"],
                "new %": _bare(at_least, evidence.get("new_at_least")),
            }
        )
    return table(lines)


def _bare(write: Callable[[float], str], share: float | None) -> str:
    return NOTHING if share is None else write(share).removesuffix(" %")


def _certificate_notes(
    certificate: dict[str, Any], rows: list[dict[str, Any]], model: str | None
) -> list[str]:
    which = "never shown in training" if certificate["terms"]["source"] == "counted" else "tested"
    notes = [
        f"n: combinations {which}; earned: full marks; a_lo: its lower limit; bound: what recall "
        "and luck allow a parrot, B + (1 - B) slip; new: share of the successes, at least, that "
        "are neither.",
        "",
    ]
    reasons = {f"{r['model']} at k = {r['k']}: {r['reason']}." for r in rows if r["reason"]}
    if reasons:
        notes += ["Without evidence:", *sorted(reasons), ""]
    if model is None:
        notes += [certificate["verdict"], ""]
    assumptions = [f"{i}. {words}" for i, words in enumerate(certificate["assumptions"], start=1)]
    return [*notes, "It rests on this:", *assumptions, "", certificate["meaning"]]


def _certificate_chart(rows: list[dict[str, Any]]) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    with_evidence = [row for row in rows if row["evidence"] is not None]
    series: list[Series] = []
    for name in dict.fromkeys(row["model"] for row in with_evidence):
        mine = [row for row in with_evidence if row["model"] == name]
        control = mine[0]["kind"] == "parrot"
        lower = [row["evidence"]["a_lo"] for row in mine]
        style = "dashes" if control else "line"
        series.append(Series(name, [row["k"] for row in mine], lower, style, quiet=control))
    bound = {row["k"]: row["evidence"]["bound"] for row in reversed(with_evidence)}
    ks = sorted(bound)
    series.append(Series("bound", ks, [bound[k] for k in ks], "dots", quiet=True))
    return Chart(
        "Beyond parrot?",
        "lower limit of full marks, and what recall and luck allow a parrot",
        "number of skills k",
        series,
        f"Lower limits of {len(series) - 1} models against the bound.",
        y_percent=True,
    )
