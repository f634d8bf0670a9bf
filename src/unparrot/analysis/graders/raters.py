"""Graders as measured instruments: ``unparrot graders RUN``.

How far graders agree with each other, with themselves from round to round, and with people, by
criterion and by skill; whether a grader favours texts of its own family; and what the share of full
marks is once a few labels, or the exact grader of the lab, put it right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from unparrot.analysis.graders.family_bias import FamilyBias, family_bias
from unparrot.analysis.graders.grader_agreement import AgreementRow, between_graders, between_rounds
from unparrot.analysis.graders.grader_errors import (
    CorrectedRow,
    ErrorRow,
    corrected_full_marks,
    grader_errors,
)
from unparrot.analysis.read.grader_marks import (
    Copies,
    full_marks,
    identical_rounds,
    verdicts,
    without_copies,
)
from unparrot.analysis.resampling import Resampling
from unparrot.core.errors import BadInput
from unparrot.stats.corrected import LEAST_LABELS

_DEFAULT: Final = Resampling()


@dataclass(frozen=True, slots=True)
class GraderReport:
    """All that is measured of the graders of a run.

    Parameters
    ----------
    graders
        Their names.
    truth
        The grader who is right, or None.
    agreement
        Between graders, and between the rounds of each.
    copies
        Rounds that repeat an earlier one; they count as one vote.
    bias
        Of each family for its own texts.
    errors, corrected
        Of each other grader beside the truth; empty without one.
    notes
        What a reader must know besides the figures.
    """

    graders: tuple[str, ...]
    truth: str | None
    agreement: tuple[AgreementRow, ...]
    copies: tuple[Copies, ...]
    bias: tuple[FamilyBias, ...]
    errors: tuple[ErrorRow, ...]
    corrected: tuple[CorrectedRow, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data that JSON can hold."""
        return {
            "graders": list(self.graders),
            "truth": self.truth,
            "agreement": [row.as_dict() for row in self.agreement],
            "identical_rounds": [copy._asdict() for copy in self.copies],
            "family_bias": [row.as_dict() for row in self.bias],
            "errors": [row.as_dict() for row in self.errors],
            "corrected": [row.as_dict() for row in self.corrected],
            "notes": list(self.notes),
        }


def measure_graders(
    grades: pl.DataFrame,
    texts: pl.DataFrame,
    *,
    truth: str | None = None,
    sampling: Resampling = _DEFAULT,
) -> GraderReport:
    """Measure the graders.

    Parameters
    ----------
    grades
        Marks (`unparrot.core.tables.GRADES_SCHEMA`).
    texts
        texts.parquet: ``text_id``, ``model``, ``k``, ``topic``, ``skills``.
    truth
        Name of the grader who is right, people or the lab's exact grader; None if nobody is.
    sampling
        Level, resamples and seed.

    Raises
    ------
    BadInput
        If the truth is not among the graders, or a graded text is not among the texts.
    """
    names: list[str] = grades["grader"].unique(maintain_order=True).to_list()
    if truth is not None and truth not in names:
        raise BadInput(f"there is no grader {truth!r}; there are {', '.join(names)}")
    copies = identical_rounds(grades)
    own = without_copies(grades, copies)
    votes = verdicts(own)
    whole = full_marks(votes, texts)
    # a program that marks length alone says nothing of full marks
    of_skills = votes.filter(pl.col("kind") == "skill")["grader"].unique().to_list()
    full = whole.filter(pl.col("grader").is_in(of_skills))
    errors = [] if truth is None else grader_errors(votes, full, truth, sampling.level)
    corrected = [] if truth is None else corrected_full_marks(full, texts, truth, sampling.level)
    return GraderReport(
        graders=tuple(names),
        truth=truth,
        agreement=(*between_graders(votes, whole, sampling), *between_rounds(own, sampling)),
        copies=tuple(copies),
        bias=tuple(family_bias(votes, sampling)),
        errors=tuple(errors),
        corrected=tuple(corrected),
        notes=tuple(_notes(names, votes, copies, corrected)),
    )


def _notes(
    names: Sequence[str],
    votes: pl.DataFrame,
    copies: Sequence[Copies],
    corrected: Sequence[CorrectedRow],
) -> list[str]:
    notes = [
        f"Rounds {c.first} and {c.second} of {c.grader} are identical in all {c.marks:,} marks: "
        "they count as one."
        for c in copies
    ]
    for name in names:
        left = votes.filter((pl.col("grader") == name) & pl.col("earned").is_null()).height
        if left:
            notes.append(
                f"{name} leaves {left:,} marks unscored (no round scored them, or rounds tie); "
                "they are in no figure."
            )
    few = [row for row in corrected if row.k is None and row.ppi is None]
    if few:
        told = ", ".join(f"{row.model} ({row.labels})" for row in few)
        notes.append(f"Fewer than {LEAST_LABELS} labels, so nothing is corrected: {told}.")
    if len(names) < 2:
        notes.append("There is one grader: nobody to agree with.")
    return notes
