"""Rows of grades.parquet: a grader's marks of a text, whoever or whatever the grader is."""

from collections.abc import Iterator, Mapping
from typing import Final

from unparrot.core.grades import Mark, family
from unparrot.core.skills import CRITERIA

# The grader that counts sentences.
PROGRAM: Final = "sentence count"


def grade_rows(
    text_id: str,
    student: str,
    grader: str,
    number: int,
    marks: Mapping[str, Mark],
    grader_family: str | None = None,
) -> Iterator[tuple[str | int, ...]]:
    """Yield the rows, in the columns of `unparrot.core.tables.GRADES_SCHEMA`.

    Parameters
    ----------
    text_id, student
        The text, and the model that wrote it.
    grader, number
        Who marked it, in which round of grading.
    marks
        By criterion.
    grader_family
        If it is no model, whose family its name tells.
    """
    families = (grader_family or family(grader), family(student))
    for criterion, mark in marks.items():
        kind = criterion if criterion in CRITERIA else "skill"
        yield (text_id, criterion, kind, grader, *families, number, mark.status, mark.reason)
