"""`unparrot eval import`: published records of SKILL-MIX as a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, Table
from unparrot.cli.values import PLACE
from unparrot.core.wording import bounded

if TYPE_CHECKING:
    from unparrot.analysis.model.competence import Bounded, Cell, Rounds
    from unparrot.eval.published.findings_in_records import Found
    from unparrot.eval.published.published_figures import PublishedFigures


@command("import")
def import_command(
    directory: Path = argument(PLACE, metavar="DIR"),
    out: Path = option(
        "Folder of the run; an earlier import there is replaced.",
        PLACE,
        required=True,
    ),
    grader: str | None = option("Whose marks decide, where several graders graded."),
    compat: bool = option(
        "Also the figures of the published aggregator, with its zeros for missing marks."
    ),
) -> Answer:
    """Read published SKILL-MIX records in DIR and write them as a run.

    DIR holds folders such as k3_s10_vdefault_r1. Rounds that are missing, grading rounds that are
    copies, and marks that are cut off or cannot be read are counted and told; such marks are
    unscored, never zero. The other commands read the run as any other.

    Examples:
      unparrot eval import skill-mix/test --out runs/ref --compat
      unparrot graders runs/ref
    """
    from unparrot.analysis.model.competence import competence
    from unparrot.analysis.read.outcomes import read_outcomes
    from unparrot.eval.published.import_run import import_run
    from unparrot.eval.published.published_figures import published_figures

    records, imported = import_run(directory, out, grader)
    cells = competence(read_outcomes(out))
    published = published_figures(records) if compat else []
    found = imported.found
    result: dict[str, Any] = {
        "run": str(out),
        "grader": imported.grader,
        "found": found.as_dict(),
        "cells": cells,
    }
    if compat:
        result["published"] = [row.as_dict() for row in published]
    tables = [
        _written(found),
        _reasons(found),
        _metrics(cells, f"Metrics, by the marks of {imported.grader}"),
        *_several_rounds(cells),
        *([_published(published)] if compat else []),
    ]
    notes = [
        *found.sentences(),
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


def _written(found: Found) -> Table:
    header = ["student", "k", "seed", "rounds", "missing", "texts", "graded"]
    rows = [
        [
            row.model,
            row.k,
            row.seed,
            ", ".join(map(str, row.rounds)),
            ", ".join(map(str, row.missing)) or "none",
            row.texts,
            row.graded,
        ]
        for row in found.written
    ]
    replies = ", ".join(f"{count:,} replies of {name}" for name, count in found.graders.items())
    return Table(header, rows, f"Found: {replies}")


def _reasons(found: Found) -> Table:
    rows: list[list[object]] = [
        [reason, found.open_marks[reason] or None, found.open_verdicts[reason] or None]
        for reason in dict.fromkeys(
            [
                *(reason for reason, _ in found.open_marks.most_common()),
                *(reason for reason, _ in found.open_verdicts.most_common()),
            ]
        )
    ]
    return Table(["why", "marks of replies", "verdicts on texts"], rows, "Unscored")


_METRICS = ("full_marks", "all_skills", "skill_fraction")


def _metrics(cells: Sequence[Cell], title: str) -> Table:
    header = ["model", "k", "texts", "scored", *_names()]
    rows = [
        [
            _name(cell),
            cell.k,
            cell.n,
            cell.n - cell.unscored,
            *_shares(cell),
        ]
        for cell in cells
    ]
    return Table(header, rows, f"{title}: % (interval); bounds")


def _names() -> list[str]:
    return [metric.replace("_", " ") for metric in _METRICS]


def _name(cell: Cell) -> str:
    return cell.model if "," not in cell.decoding else f"{cell.model} ({cell.decoding})"


def _several_rounds(cells: Sequence[Cell]) -> list[Table]:
    """pass@1 and the best of several rounds, side by side."""
    header = ["model", "k", "of rounds", *_names()]
    rows: list[list[object]] = []
    for cell in cells:
        best = cell.max_at_rounds
        if cell.pass_at_1 is not None:
            rows.append([_name(cell), cell.k, "pass@1", *_shares(cell.pass_at_1)])
        if best is not None:
            rows.append([_name(cell), cell.k, f"max@{best.rounds}", *_shares(best)])
    title = "One round, and the best of several: % (interval); bounds"
    return [Table(header, rows, title)]


def _shares(metrics: Cell | Rounds) -> list[str]:
    return [_share(getattr(metrics, metric)) for metric in _METRICS]


def _share(share: Bounded) -> str:
    return bounded(share, share.bounds, narrow=True)


def _published(figures: Sequence[PublishedFigures]) -> Table:
    header = ["student", "k", "grader", "rounds", "gradings", "combinations", *_names()]
    rows = [
        [
            row.student,
            row.k,
            row.grader,
            row.rounds,
            row.gradings,
            row.per_round,
            *(
                "none" if mean is None else str(mean)
                for mean in (row.full_marks, row.all_skills, row.skill_fraction)
            ),
        ]
        for row in figures
    ]
    return Table(header, rows, "As the published aggregator has it: mean ± standard error")
