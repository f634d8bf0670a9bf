"""Cloze pieces: theta, and competence on skills and pairs of skills, from a run's table `cloze`.

The accounting is conservative: a piece counts as failed when any of its questions was answered
wrongly, and a failed piece counts against each of its skills (Arora and Goyal 2023, section 3).
Pieces without a question tell nothing and do not count.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import polars as pl
from msgspec import Struct

from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import wilson

MIN_PAIR_PIECES: Final = 30
"""Pieces that a pair of skills needs before its competence is told."""


class Cloze(Struct, frozen=True, forbid_unknown_fields=True):
    """Cloze pieces of one model.

    Parameters
    ----------
    theta
        Share of the pieces that are failed: at least one question answered wrongly.
    pieces, questions, wrong
        Numbers of pieces with a question, of their questions, and of wrong answers.
    per_skill, per_pair
        Competences by skill, and by pair of skills that enough pieces hold.
    """

    theta: Estimate
    pieces: int
    questions: int
    wrong: int
    per_skill: tuple[SkillCompetence, ...]
    per_pair: tuple[PairCompetence, ...]


class PairCompetence(Struct, frozen=True, forbid_unknown_fields=True):
    """The same of the pieces with both of two skills."""

    skills: tuple[str, str]
    competence: Estimate


class SkillCompetence(Struct, frozen=True, forbid_unknown_fields=True):
    """Share of the cloze pieces with one skill that a model answered without a mistake."""

    skill: str
    competence: Estimate


def cloze_summary(cloze: pl.DataFrame, model: str) -> Cloze | None:
    """Return theta and competences of one model.

    Parameters
    ----------
    cloze
        Columns of `CLOZE_SCHEMA`.
    model
        Whose answers; None is returned for a model without any.
    """
    rows = cloze.filter((pl.col("model") == model) & (pl.col("questions") > 0))
    if rows.is_empty():
        return None
    right: dict[tuple[str, ...], list[int]] = {}
    for skills, wrong in rows.select("skills", "wrong").iter_rows():
        names = sorted(skills)
        for subset in (*((name,) for name in names), *combinations(names, 2)):
            tally = right.setdefault(subset, [0, 0])
            tally[0] += wrong == 0
            tally[1] += 1
    failed = int((rows["wrong"] > 0).sum())
    rates = {subset: wilson(*tally) for subset, tally in sorted(right.items())}
    return Cloze(
        theta=wilson(failed, rows.height),
        pieces=rows.height,
        questions=int(rows["questions"].sum()),
        wrong=int(rows["wrong"].sum()),
        per_skill=tuple(
            SkillCompetence(names[0], rate) for names, rate in rates.items() if len(names) == 1
        ),
        per_pair=tuple(
            PairCompetence((names[0], names[1]), rate)
            for names, rate in rates.items()
            if len(names) == 2 and rate.n >= MIN_PAIR_PIECES
        ),
    )
