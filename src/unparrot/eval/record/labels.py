"""Labels: the marks that people gave, kept in labels.parquet, as they stand in grades.parquet.

They are those of the grader ``person:NAME`` in the family ``person``. The length is counted by
program and not asked. The marks of a text that a person has begun and not ended are kept apart, in
labels.begun.json, until it has all.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from unparrot.core.grades import Mark
from unparrot.core.records import RunFolder, lock, read_json, write_json
from unparrot.core.skills import LENGTH
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.record.grade_rows import grade_rows

TABLE: Final = "labels"
BEGUN: Final = "labels.begun.json"
LOCK: Final = "labels.lock"
FAMILY: Final = "person"

# By grader, id of the text in the run, and criterion.
ByGrader = dict[str, dict[str, dict[str, Mark]]]


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
    with _alone(folder):
        _put(folder, grader, marks, models)


def keep_mark(
    folder: Path,
    grader: str,
    text: tuple[str, str],
    criteria: Sequence[str],
    criterion: str,
    mark: Mark | None,
) -> dict[str, Mark]:
    """Keep one mark of a person, or take it back; the others of the text stay as they are.

    Parameters
    ----------
    folder
        Of the run.
    grader
        Who marked.
    text
        Its id in the run, and who wrote it.
    criteria
        All that is asked about the text: with a mark for each of them it is a label.
    criterion, mark
        What is marked; None takes the mark back.

    Returns
    -------
    dict
        The person's marks of the text, once they are on disk.
    """
    text_id, model = text
    with _alone(folder):
        begun, labels = read_begun(folder), read_labels(folder)
        ended = by_text(labels).get(text_id, {}).get(grader)
        marks = dict(ended or begun.get(grader, {}).get(text_id, {})) | {criterion: mark}
        kept = {name: each for name in criteria if (each := marks.get(name)) is not None}
        if len(kept) == len(criteria):
            _put(folder, grader, {text_id: kept}, {text_id: model})
        else:
            begun.setdefault(grader, {})[text_id] = kept
            _write_begun(folder, begun)
            if ended:
                RunFolder(folder).write_table(TABLE, labels.filter(~_of(grader, [text_id])))
    return kept


def read_begun(folder: Path) -> ByGrader:
    """Return the marks of texts that people have begun; those that have since become labels, too.

    Raises
    ------
    BadInput
        If the file is not what it should be.
    """
    path = folder / BEGUN
    return read_json(path, ByGrader) if path.is_file() else {}


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """One process at a time changes the labels; a run that goes on is not in the way."""
    held = lock(folder / LOCK, wait=True)
    try:
        yield
    finally:
        os.close(held)


def _of(grader: str, ids: Iterable[str]) -> pl.Expr:
    return (pl.col("grader") == grader) & pl.col("text_id").is_in(list(ids))


def _put(
    folder: Path, grader: str, marks: Mapping[str, Mapping[str, Mark]], models: Mapping[str, str]
) -> None:
    rows = [
        row
        for text_id, given in marks.items()
        for row in grade_rows(text_id, models[text_id], grader, 1, given, FAMILY)
    ]
    new = pl.DataFrame(rows, schema=GRADES_SCHEMA, orient="row")
    table = pl.concat([read_labels(folder).filter(~_of(grader, marks)), new])
    RunFolder(folder).write_table(TABLE, table)
    # labels count before what was begun, so a process may die here
    begun = read_begun(folder)
    if ended := begun.get(grader, {}).keys() & marks.keys():
        for text_id in ended:
            del begun[grader][text_id]
        _write_begun(folder, begun)


def _write_begun(folder: Path, begun: ByGrader) -> None:
    write_json(folder / BEGUN, msgspec.to_builtins(begun))


def as_grades(labels: pl.DataFrame, lengths: Mapping[str, str]) -> pl.DataFrame:
    """Return labels as they stand in grades.parquet: those of texts of the run, with the length.

    The length is part of full marks, and the count is the same for everyone: ``lengths`` has the
    status of its mark by id of the text, for every text that has words.
    """
    own = labels.filter(pl.col("text_id").is_in(list(lengths)))
    counted = own.unique(["text_id", "grader"], keep="first", maintain_order=True).with_columns(
        criterion=pl.lit(LENGTH),
        kind=pl.lit(LENGTH),
        status=pl.col("text_id").replace_strict(lengths, return_dtype=pl.String),
        reason=pl.lit("counted by program"),
    )
    return pl.concat([own, counted])
