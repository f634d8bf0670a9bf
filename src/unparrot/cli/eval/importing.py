"""`unparrot eval import`: records that others made as a run."""

from pathlib import Path

import click

from unparrot.analysis.model.competence import Cell, Rounds, competence
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, table
from unparrot.cli.values import NUMBER, PLACE
from unparrot.core.wording import METRIC_NAMES, bounded, plural
from unparrot.eval.published.findings_in_records import Written
from unparrot.eval.published.import_run import import_run
from unparrot.eval.published.published_figures import PublishedFigures, published_figures


@command("import")
def import_command(
    source: Path = argument(PLACE, metavar="PATH"),
    out: Path = option(
        "Folder of the run; an earlier import there is replaced.", PLACE, required=True
    ),
    grader: str | None = option("Whose marks decide, where several graders graded."),
    pass_mark: float | None = option(
        "Of marks on a scale, in files of other programs: the least that passes.", NUMBER
    ),
    compat: bool = option(
        "Also the figures of the published aggregator, with its zeros for missing marks."
    ),
) -> Answer:
    """Read graded texts that others made, and write them as a run. PATH is one of

    \b
    - a folder of published SKILL-MIX records, with folders such as k3_s10_vdefault_r1
    - a log of Inspect (.eval, or JSON), or a folder of them
    - samples_*.jsonl of lm-evaluation-harness, or a folder of them
    - a CSV or Parquet table of ratings, as unparrot graders takes it

    What is in a file decides, not its name. Texts need a topic, skills, and marks for each and for
    sense. What is missing, copied, cut off or cannot be read is counted and listed; such marks are
    unscored, never zero. The other commands read the run as any other.

    Examples:
      unparrot eval import skill-mix/test --out runs/ref --compat
      unparrot eval import logs/gpt-4o.eval --out runs/log
      unparrot graders runs/ref
    """
    records, imported = import_run(source, out, grader, pass_mark)
    if compat and not records:
        raise click.UsageError("--compat is for published records of SKILL-MIX")
    cells, findings = competence(read_outcomes(out)), imported.findings
    published = published_figures(records) if compat else []
    result = {
        "run": str(out),
        "grader": imported.grader,
        "found": findings,
        "cells": cells,
        **({"published": published} if compat else {}),
    }
    replies = ", ".join(
        f"{plural(count, 'reply')} of {name}" for name, count in findings.replies.items()
    )
    written = [
        {
            "student": row.model,
            **_columns(row, "k", "seed"),
            "rounds": ", ".join(map(str, row.rounds)),
            "missing": ", ".join(map(str, row.missing)) or None,
            **_columns(row, "texts", "graded"),
        }
        for row in findings.students
    ]
    marks, verdicts = findings.unscored_marks, findings.unscored_verdicts
    unscored = [
        {
            "why": why,
            "marks of replies": marks[why] or None,
            "verdicts on texts": verdicts[why] or None,
        }
        for why, _ in (marks + verdicts).most_common()
    ]
    metrics = [
        {**_name(cell), "texts": cell.n, "scored": cell.n - cell.unscored, **_shares(cell)}
        for cell in cells
    ]
    best = [
        {**_name(cell), "of rounds": f"{name}@{several.rounds}", **_shares(several)}
        for cell in cells
        for name, several in (("pass", cell.pass_at_1), ("max", cell.max_at_rounds))
        if several is not None
    ]
    as_published = [
        {
            **_columns(row, "student", "k", "grader", "rounds", "gradings"),
            "combinations": row.per_round,
            **{words: getattr(row, metric) for metric, words in METRIC_NAMES.items()},
        }
        for row in published
    ]
    tables = [
        table(written, f"Found: {replies}"),
        table(unscored, "Unscored"),
        table(metrics, f"Metrics, by the marks of {imported.grader}: % (interval); bounds"),
        table(best, "One round, and the best of several: % (interval); bounds"),
        table(as_published, "As the published aggregator has it: mean ± standard error"),
    ]
    notes = [
        *findings.sentences(),
        "Estimates are over texts whose every mark is scored; bounds are over all texts, as if "
        "every unscored mark were missed, or earned. Intervals hold with 95 %.",
        *(f"{row.student}, k = {row.k}: {row.problem}." for row in published if row.problem),
        *([_COMPAT_NOTE] if compat else []),
        f"The run: {out}",
    ]
    return Answer(result, tables, notes)


_COMPAT_NOTE = (
    "The published aggregator takes every mark that is missing for a zero and counts copies of a "
    "vote as a majority: its figures are for comparison only."
)


def _columns(row: Written | PublishedFigures, *names: str) -> dict[str, object]:
    """These fields of a row, for a table."""
    return {name: getattr(row, name) for name in names}


def _name(cell: Cell) -> dict[str, object]:
    name = cell.model if "," not in cell.decoding else f"{cell.model} ({cell.decoding})"
    return {"model": name, "k": cell.k}


def _shares(metrics: Cell | Rounds) -> dict[str, str]:
    shares = ((words, getattr(metrics, metric)) for metric, words in METRIC_NAMES.items())
    return {words: bounded(share, share.bounds, narrow=True) for words, share in shares}
