"""Labels: the marks that people gave, kept in labels.parquet, as they stand in grades.parquet.

They are those of the grader ``person:NAME`` in the family ``person``. The length is counted by
program and not asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from unparrot.core.grades import GradedText, Mark
from unparrot.core.records import RunFolder, lock
from unparrot.core.skills import LENGTH
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.record.grade_rows import grade_rows

TABLE: Final = "labels"
LOCK: Final = "labels.lock"
FAMILY: Final = "person"


def read_labels(folder: Path) -> pl.DataFrame:
    """Return the labels of a run, with the columns of grades.parquet; empty if there are none.

    Raises
    ------
    BadInput
        If the table is not what it should be.
    """
    run = RunFolder(folder)
    if not (run.path / f"{TABLE}.parquet").is_file():
        return pl.DataFrame(schema=GRADES_SCHEMA)
    return run.checked_table(TABLE)


def by_text(labels: pl.DataFrame) -> dict[str, dict[str, dict[str, Mark]]]:
    """Return marks by id of the text in the run, then by person, then by criterion."""
    texts: dict[str, dict[str, dict[str, Mark]]] = {}
    columns = ("text_id", "grader", "criterion", "status", "reason")
    for text_id, grader, criterion, status, reason in labels.select(columns).iter_rows():
        marks = texts.setdefault(text_id, {}).setdefault(grader, {})
        marks[criterion] = Mark(status, reason)
    return texts


def labelled(folder: Path, grader: str) -> set[str]:
    """Return the ids (in the run) of the texts that a person has marked."""
    table = read_labels(folder).filter(pl.col("grader") == grader)
    return set(table["text_id"].unique().to_list())


def keep_labels(
    folder: Path, grader: str, marks: Mapping[str, Mapping[str, Mark]], models: Mapping[str, str]
) -> None:
    """Keep a person's marks; a text that is marked again loses its earlier ones.

    Parameters
    ----------
    folder
        Of the run.
    grader
        Who marked, as from `unparrot.eval.people.label_sample.grader_name`.
    marks
        By id of the text in the run, then by criterion.
    models
        Who wrote the texts, by their ids.
    """
    rows = [
        row
        for text_id, given in marks.items()
        for row in grade_rows(text_id, models[text_id], grader, 1, given, FAMILY)
    ]
    new = pl.DataFrame(rows, schema=GRADES_SCHEMA, orient="row")
    # one process at a time changes the labels; a run that goes on is not in the way
    held = lock(folder / LOCK, wait=True)
    try:
        replaced = (pl.col("grader") == grader) & pl.col("text_id").is_in(list(marks))
        table = pl.concat([read_labels(folder).filter(~replaced), new])
        RunFolder(folder).write_table(TABLE, table)
    finally:
        os.close(held)


def as_grades(labels: pl.DataFrame, texts: Sequence[GradedText]) -> pl.DataFrame:
    """Return labels as they stand in grades.parquet: those of texts of the run, with the length.

    The length is part of full marks, and the count is the same for everyone.
    """
    lengths = {text.id: text.marks[LENGTH].status for text in texts if text.text}
    own = labels.filter(pl.col("text_id").is_in(list(lengths)))
    counted = own.unique(["text_id", "grader"], keep="first", maintain_order=True).with_columns(
        criterion=pl.lit(LENGTH),
        kind=pl.lit(LENGTH),
        status=pl.col("text_id").replace_strict(lengths, return_dtype=pl.String),
        reason=pl.lit("counted by program"),
    )
    return pl.concat([own, counted])
