"""Graders as measured instruments: ``unparrot graders RUN`` at length, and a summary in brief.

How far graders agree with each other, with themselves from round to round, and with people, by
criterion and by skill; whether a grader favours texts of its own family; and what the share of full
marks is once a few labels, or the exact grader of the lab, put it right. A summary also says how
the rounds came to verdicts, and what full marks would be had another grader decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from msgspec import Struct

from unparrot.analysis.between.compare import compare_outcomes
from unparrot.analysis.graders.grader_errors import (
    CorrectedRow,
    ErrorRow,
    corrected_full_marks,
    grader_errors,
)
from unparrot.analysis.graders.rater_agreement import (
    AgreementRow,
    FamilyBias,
    between_graders,
    between_rounds,
    family_bias,
)
from unparrot.analysis.graders.unscored import Voting, voting
from unparrot.analysis.model.competence import Bounded
from unparrot.analysis.read.grader_marks import (
    Copies,
    full_marks,
    identical_rounds,
    verdicts,
    without_copies,
)
from unparrot.analysis.read.outcomes import outcomes_of_tables
from unparrot.analysis.resampling import Resampling
from unparrot.core.errors import BadInput
from unparrot.core.skills import CRITERIA
from unparrot.core.tables import GRADED_SCHEMA
from unparrot.stats.corrected import LEAST_LABELS

PROGRAM: Final = "program"
"""The family of a grader that is no model: the program that counts sentences."""
_LENGTH: Final = CRITERIA[-1]
_DEFAULT: Final = Resampling()


class GraderReport(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is measured of the graders of a run.

    Parameters
    ----------
    graders
        Their names.
    truth
        The grader who is right, or None.
    agreement
        Between graders, and between the rounds of each.
    identical_rounds
        Rounds that repeat an earlier one; they count as one vote.
    family_bias
        Of each family for its own texts.
    errors, corrected
        Of each other grader beside the truth; empty without one.
    notes
        What a reader must know besides the figures.
    """

    graders: tuple[str, ...]
    truth: str | None
    agreement: tuple[AgreementRow, ...]
    identical_rounds: tuple[Copies, ...]
    family_bias: tuple[FamilyBias, ...]
    errors: tuple[ErrorRow, ...]
    corrected: tuple[CorrectedRow, ...]
    notes: tuple[str, ...]


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
        identical_rounds=tuple(copies),
        family_bias=tuple(family_bias(votes, sampling)),
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
    few = [row for row in corrected if row.k is None and row.corrected is None]
    if few:
        models = ", ".join(f"{row.model} ({row.labels})" for row in few)
        notes.append(f"Fewer than {LEAST_LABELS} labels, so nothing is corrected: {models}.")
    if len(names) < 2:
        notes.append("There is one grader: nobody to agree with.")
    return notes


# In brief, for a summary


class OtherGrader(Struct, frozen=True, forbid_unknown_fields=True):
    """Full marks of one model by the marks that count, and had another grader decided.

    ``difference`` is ``instead`` less ``decided``, over the texts that the other grader graded.
    """

    grader: str
    model: str
    split: str
    decoding: str
    k: int
    texts: int
    decided: float | None
    instead: float | None
    difference: Bounded


class Instruments(Struct, frozen=True, forbid_unknown_fields=True):
    """The graders of a run as instruments, in brief.

    ``deciding`` is the grader whose majority the marks that count are; None if nobody knows.
    """

    graders: tuple[str, ...]
    deciding: str | None
    agreement: tuple[AgreementRow, ...]
    voting: tuple[Voting, ...]
    identical_rounds: tuple[Copies, ...]
    family_bias: tuple[FamilyBias, ...]
    if_another_decided: tuple[OtherGrader, ...]


def instruments(
    grades: pl.DataFrame,
    texts: pl.DataFrame,
    graded: pl.DataFrame,
    deciding: str | None,
    models: Sequence[str],
    sampling: Resampling,
) -> Instruments:
    """Return what a summary says of the graders.

    Parameters
    ----------
    grades
        Marks (`unparrot.core.tables.GRADES_SCHEMA`).
    texts, graded
        The texts, and the marks that count.
    deciding
        Whose majority the marks that count are; None if nobody knows.
    models
        Names, in the order in which they are shown.
    sampling
        Level, resamples and seed.
    """
    copies = identical_rounds(grades)
    own = without_copies(grades, copies)
    votes = verdicts(own)
    judges = votes.filter(pl.col("family") != PROGRAM)
    names: list[str] = judges["grader"].unique(maintain_order=True).to_list()
    whole = full_marks(judges, texts)
    rows: list[AgreementRow] = []
    if len(names) > 1:
        rows += between_graders(judges, whole, sampling, skills=False)
    rows += _counted(votes, names, sampling)
    rows += between_rounds(own.filter(pl.col("family") != PROGRAM), sampling, skills=False)
    others: list[OtherGrader] = []
    if deciding in names:
        others = _if_another_decided(votes, texts, graded, deciding, models, sampling)
    return Instruments(
        graders=tuple(names),
        deciding=deciding,
        agreement=tuple(rows),
        voting=voting(own.filter(pl.col("family") != PROGRAM)),
        identical_rounds=tuple(copies),
        family_bias=tuple(family_bias(judges, sampling)),
        if_another_decided=tuple(others),
    )


def _counted(votes: pl.DataFrame, names: Sequence[str], sampling: Resampling) -> list[AgreementRow]:
    """Each grader's count of sentences beside the program's."""
    length = votes.filter(pl.col("kind") == _LENGTH)
    programs: list[str] = (
        length.filter(pl.col("family") == PROGRAM)["grader"].unique(maintain_order=True).to_list()
    )
    rows: list[AgreementRow] = []
    for program in programs:
        for name in names:
            pair = length.filter(pl.col("grader").is_in([name, program]))
            if pair["grader"].n_unique() == 2:
                compared = between_graders(pair, None, sampling, skills=False)
                rows += [row for row in compared if row.scope == "criterion"]
    return rows


def _if_another_decided(
    votes: pl.DataFrame,
    texts: pl.DataFrame,
    graded: pl.DataFrame,
    deciding: str | None,
    models: Sequence[str],
    sampling: Resampling,
) -> list[OtherGrader]:
    """Full marks by the marks that count, and by each other grader's, on the texts it graded.

    Of the marks that count, the program's (length) stay, and so does a miss that a rule made of a
    point of the deciding grader (a skill that is named in the text).
    """
    keys = ["text_id", "criterion"]
    official = graded.with_columns(pl.col("kind").cast(pl.String))
    own = votes.filter(pl.col("grader") == deciding).select(*keys, decided="earned")
    official = official.join(own, on=keys, how="left", maintain_order="left")
    stays = (pl.col("kind") == _LENGTH) | (
        (pl.col("status") == "missed") & pl.col("decided").fill_null(value=False)
    )
    rows: list[OtherGrader] = []
    others = votes.filter((pl.col("family") != PROGRAM) & (pl.col("grader") != deciding))
    for (grader,), group in others.group_by("grader", maintain_order=True):
        theirs = (
            official.join(group.select("text_id").unique(), on="text_id", how="semi")
            .join(group.select(*keys, "earned"), on=keys, how="left", maintain_order="left")
            .with_columns(
                pl.when(stays)
                .then("status")
                .otherwise(
                    pl.when("earned")
                    .then(pl.lit("earned"))
                    .when(~pl.col("earned"))
                    .then(pl.lit("missed"))
                    .otherwise(pl.lit("unscored"))
                    .cast(GRADED_SCHEMA["status"])
                )
                .alias("status")
            )
            .select(pl.col(name).cast(kind) for name, kind in GRADED_SCHEMA.items())
        )
        chosen = texts.join(theirs.select("text_id").unique(), on="text_id", how="semi")
        count = graded.join(chosen.select("text_id"), on="text_id", how="semi")
        before, after = (outcomes_of_tables(chosen, marks) for marks in (count, theirs))
        for model in models:
            rows += _change(str(grader), model, before, after, sampling)
    return rows


def _change(
    grader: str, model: str, before: pl.DataFrame, after: pl.DataFrame, sampling: Resampling
) -> list[OtherGrader]:
    one, two = (frame.filter(pl.col("model") == model) for frame in (before, after))
    if one.is_empty():
        return []
    try:
        comparison = compare_outcomes(
            one, two, level=sampling.level, resamples=sampling.resamples, seed=sampling.seed
        )
    except BadInput:  # no text that both settle
        return []
    return [
        OtherGrader(
            grader=grader,
            model=model,
            split=cell.split,
            decoding=cell.decoding,
            k=cell.k,
            texts=cell.pairs,
            decided=cell.first,
            instead=cell.second,
            difference=cell.full_marks,
        )
        for cell in comparison.cells
    ]
