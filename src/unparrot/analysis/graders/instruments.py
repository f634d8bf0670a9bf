"""The graders of a run as instruments, in brief: what a summary tells of them.

How far they agree, with each other and from round to round, criterion by criterion; how their
rounds came to verdicts; whether one favours its own family; and what full marks would be had
another grader decided. `unparrot graders RUN` tells more, skill by skill.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from unparrot.analysis.between.compare import compare_outcomes
from unparrot.analysis.graders.family_bias import family_bias
from unparrot.analysis.graders.grader_agreement import AgreementRow, between_graders, between_rounds
from unparrot.analysis.graders.unscored import voting
from unparrot.analysis.read.grader_marks import (
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

PROGRAM: Final = "program"
"""The family of a grader that is no model: the program that counts sentences."""
_LENGTH: Final = CRITERIA[-1]


def instruments(
    grades: pl.DataFrame,
    texts: pl.DataFrame,
    graded: pl.DataFrame,
    deciding: str | None,
    models: Sequence[str],
    sampling: Resampling,
) -> dict[str, Any]:
    """Return what is measured of the graders, as plain data.

    Parameters
    ----------
    grades
        Marks (`unparrot.core.tables.GRADES_SCHEMA`).
    texts, graded
        The texts, and the marks that count.
    deciding
        Whose majority the marks that count are; None if nobody knows.
    models
        Names, in the order in which they are told.
    sampling
        Level, resamples and seed.

    Returns
    -------
    dict
        ``graders``, ``deciding``, ``agreement`` (rows), ``voting`` (rows), ``identical_rounds``,
        ``family_bias`` and ``if_another_decided`` (rows, a grader and model each).
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
    return {
        "graders": names,
        "deciding": deciding,
        "agreement": [row.as_dict() for row in rows],
        "voting": voting(own.filter(pl.col("family") != PROGRAM)),
        "identical_rounds": [copy._asdict() for copy in copies],
        "family_bias": [row.as_dict() for row in family_bias(judges, sampling)],
        "if_another_decided": []
        if deciding not in names
        else _if_another_decided(votes, texts, graded, deciding, models, sampling),
    }


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
                found = between_graders(pair, None, sampling, skills=False)
                rows += [row for row in found if row.scope == "criterion"]
    return rows


def _if_another_decided(
    votes: pl.DataFrame,
    texts: pl.DataFrame,
    graded: pl.DataFrame,
    deciding: str | None,
    models: Sequence[str],
    sampling: Resampling,
) -> list[dict[str, Any]]:
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
    told: list[dict[str, Any]] = []
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
            told += _change(str(grader), model, before, after, sampling)
    return told


def _change(
    grader: str, model: str, before: pl.DataFrame, after: pl.DataFrame, sampling: Resampling
) -> list[dict[str, Any]]:
    one, two = (frame.filter(pl.col("model") == model) for frame in (before, after))
    if one.is_empty():
        return []
    try:
        found = compare_outcomes(
            one, two, level=sampling.level, resamples=sampling.resamples, seed=sampling.seed
        )
    except BadInput:  # no text that both settle
        return []
    return [
        {
            "grader": grader,
            "model": model,
            "split": cell.split,
            "decoding": cell.decoding,
            "k": cell.k,
            "texts": cell.pairs,
            "decided": cell.first,
            "instead": cell.second,
            "difference": cell.full_marks.as_dict(),
        }
        for cell in found.cells
    ]
