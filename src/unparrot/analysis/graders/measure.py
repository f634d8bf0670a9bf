"""Graders as measured instruments: ``unparrot graders RUN`` at length, and a summary in brief.

How far graders agree with each other, with themselves from round to round, and with people, by
criterion and by skill; how rounds came to verdicts; whether a grader favours texts of its own
family; and what the share of full marks is once a few labels, or the exact grader of the lab, put
it right. A summary also says what full marks would be had another grader decided.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

import polars as pl
from msgspec import Struct

from unparrot.analysis.between.compare import ComparedCell, compare_outcomes
from unparrot.analysis.graders.grader_errors import (
    CorrectedRow,
    ErrorRow,
    corrected_full_marks,
    grader_errors,
)
from unparrot.analysis.graders.rater_agreement import (
    AgreementRow,
    FamilyBias,
    LengthBias,
    between_graders,
    between_rounds,
    family_bias,
    length_bias,
)
from unparrot.analysis.graders.unscored import Voting, voting
from unparrot.analysis.read.grader_marks import (
    Copies,
    full_marks,
    identical_rounds,
    verdicts,
    without_copies,
)
from unparrot.analysis.read.outcomes import came, outcomes_of_tables
from unparrot.analysis.resampling import DEFAULT, Resampling
from unparrot.core.errors import BadInput
from unparrot.core.skills import CRITERIA
from unparrot.core.tables import GRADED_SCHEMA
from unparrot.core.wording import plural
from unparrot.stats.corrected import LEAST_LABELS

PROGRAM: Final = "program"  # the family of a grader that is no model: it counts sentences
_LENGTH: Final = CRITERIA[-1]


class GraderReport(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that is measured of the graders of a run.

    Parameters
    ----------
    graders
        Their names, without programs that count sentences.
    truth
        The grader who is right, or None.
    agreement
        Between graders, between each and a program (on length), and between the rounds of each.
    voting
        How the rounds of each came to verdicts.
    identical_rounds
        Rounds that repeat an earlier one; they count as one vote.
    family_bias
        Of each family for its own texts.
    length_bias
        Of each grader for long texts, where it is told at length.
    errors, corrected
        Of each other grader beside the truth; empty without one.
    notes
        What a reader must know besides the figures.
    """

    graders: tuple[str, ...]
    truth: str | None
    agreement: tuple[AgreementRow, ...]
    voting: tuple[Voting, ...]
    identical_rounds: tuple[Copies, ...]
    family_bias: tuple[FamilyBias, ...]
    errors: tuple[ErrorRow, ...]
    corrected: tuple[CorrectedRow, ...]
    notes: tuple[str, ...]
    length_bias: tuple[LengthBias, ...] = ()


def measure_graders(
    grades: pl.DataFrame,
    texts: pl.DataFrame,
    *,
    truth: str | None = None,
    skills: bool = True,
    sampling: Resampling = DEFAULT,
) -> GraderReport:
    """Measure the graders.

    Parameters
    ----------
    grades
        Marks (`unparrot.core.tables.GRADES_SCHEMA`).
    texts
        texts.parquet: ``text_id``, ``model``, ``k``, ``topic``, ``skills``, ``text``.
    truth
        Name of the grader who is right, people or the lab's exact grader; None if nobody is.
    skills
        Also tell the agreement on every skill by itself, and the bias for long texts.
    sampling
        Level, resamples and seed.

    Raises
    ------
    BadInput
        If the truth is not among the graders, or a graded text is not among the texts.
    """
    everyone: list[str] = grades["grader"].unique(maintain_order=True).to_list()
    if truth is not None and truth not in everyone:
        raise BadInput(f"there is no grader {truth!r}; there are {', '.join(everyone)}")
    copies = identical_rounds(grades)
    marks = without_copies(grades, copies)
    votes, own = verdicts(marks), marks.filter(pl.col("family") != PROGRAM)
    judges = votes.filter(pl.col("family") != PROGRAM)
    whole = full_marks(judges, texts)
    errors = [] if truth is None else grader_errors(votes, whole, truth, sampling.level)
    corrected = [] if truth is None else corrected_full_marks(whole, texts, truth, sampling.level)
    names: list[str] = judges["grader"].unique(maintain_order=True).to_list()
    length = votes.filter(pl.col("kind") == _LENGTH)
    counted = [
        row
        for program, name in product([name for name in everyone if name not in names], names)
        for row in between_graders(length.filter(pl.col("grader").is_in([name, program])), sampling)
        if row.scope == "criterion"
    ]
    return GraderReport(
        graders=tuple(names),
        truth=truth,
        agreement=(
            *between_graders(judges, sampling, whole, skills=skills),
            *counted,
            *between_rounds(own, sampling, skills=skills),
        ),
        voting=voting(own),
        identical_rounds=tuple(copies),
        family_bias=tuple(family_bias(judges, sampling)),
        errors=tuple(errors),
        corrected=tuple(corrected),
        notes=tuple(_notes(everyone, votes, copies, corrected)),
        length_bias=tuple(length_bias(judges, texts, sampling)) if skills else (),
    )


def _notes(
    names: Sequence[str],
    votes: pl.DataFrame,
    copies: Sequence[Copies],
    corrected: Sequence[CorrectedRow],
) -> list[str]:
    notes = [
        f"Rounds {c.first} and {c.second} of {c.grader} are identical in all marks ({c.marks:,}): "
        "they count as one."
        for c in copies
    ]
    for name in names:
        left = votes.filter((pl.col("grader") == name) & pl.col("earned").is_null()).height
        if left:
            notes.append(
                f"In no figure, as no round of {name} gave a mark or its rounds tie: "
                f"{plural(left, 'mark')}."
            )
    few = [row for row in corrected if row.k is None and row.corrected is None]
    if few:
        models = ", ".join(f"{row.model} ({row.labels})" for row in few)
        notes.append(f"Fewer than {LEAST_LABELS} labels, so nothing is corrected: {models}.")
    if len(names) < 2:
        notes.append("There is one grader: nobody to agree with.")
    return notes


# Had another grader decided


class OtherGrader(Struct, frozen=True, forbid_unknown_fields=True):
    """Texts of one model by the marks that count (the first), and had another grader decided."""

    grader: str
    model: str
    cell: ComparedCell


def if_another_decided(
    grades: pl.DataFrame,
    texts: pl.DataFrame,
    graded: pl.DataFrame,
    deciding: str | None,
    models: Sequence[str],
    sampling: Resampling,
) -> tuple[OtherGrader, ...]:
    """Return full marks by the marks that count, and by each other grader's, on its texts.

    Of the marks that count, the program's (length) stay, and so does a miss that a rule made of a
    point of the deciding grader (a skill that is named in the text).

    Parameters
    ----------
    grades
        Marks (`unparrot.core.tables.GRADES_SCHEMA`).
    texts, graded
        The texts, and the marks that count.
    deciding
        Whose majority the marks that count are. Without that grader's marks nothing is known.
    models
        Names, in the order in which they are shown.
    sampling
        Level, resamples and seed.
    """
    keys, grader = ["text_id", "criterion"], pl.col("grader")
    votes = verdicts(without_copies(grades, identical_rounds(grades)))
    judges = votes.filter(pl.col("family") != PROGRAM)
    own = judges.filter(grader == pl.lit(deciding)).select(*keys, decided="earned")
    if own.is_empty():
        return ()
    official = graded.join(own, on=keys, how="left", maintain_order="left")
    stays = (pl.col("kind") == _LENGTH) | ((pl.col("status") == "missed") & pl.col("decided"))
    status = pl.when("earned").then(pl.lit("earned")).when(~pl.col("earned")).then(pl.lit("missed"))
    status = status.otherwise(pl.lit("unscored")).cast(GRADED_SCHEMA["status"])
    # texts that a model failed to give are missed whoever decides
    failed = texts.filter(~came(texts)).select("text_id")
    stays |= pl.col("text_id").is_in(failed["text_id"].to_list())
    rows: list[OtherGrader] = []
    others = judges.filter(grader != pl.lit(deciding))
    for (other,), group in others.group_by("grader", maintain_order=True):
        marked = group.select("text_id").unique()
        if marked.height == own["text_id"].n_unique():  # of a sample nobody knows how many belong
            marked = pl.concat([marked, failed])
        chosen, count = (frame.join(marked, on="text_id", how="semi") for frame in (texts, graded))
        theirs = (
            official.join(marked, on="text_id", how="semi")
            .join(group.select(*keys, "earned"), on=keys, how="left", maintain_order="left")
            .with_columns(pl.when(stays).then("status").otherwise(status).alias("status"))
        )
        before, after = (outcomes_of_tables(chosen, marks) for marks in (count, theirs))
        rows += [
            OtherGrader(str(other), model, cell)
            for model in models
            if not (one := before.filter(pl.col("model") == model)).is_empty()
            for cell in compare_outcomes(
                one, after.filter(pl.col("model") == model), sampling=sampling
            ).cells
        ]
    return tuple(rows)
