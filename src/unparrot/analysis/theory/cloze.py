"""Cloze pieces: theta, and competence on skills, from a run's table `cloze`.

The accounting is conservative: a piece counts as failed when any of its questions was answered
wrongly, and a failed piece counts against each of its skills (Arora and Goyal 2023, section 3).
Pieces without a question tell nothing and do not count.
"""

import polars as pl
from msgspec import Struct

from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import wilson


class Cloze(Struct, frozen=True, forbid_unknown_fields=True):
    """Cloze pieces of one model.

    Parameters
    ----------
    theta
        Share of the pieces that are failed: at least one question answered wrongly.
    pieces, questions, wrong
        Numbers of pieces with a question, of their questions, and of wrong answers.
    per_skill
        By skill, the share of the pieces with it that were answered without a mistake.
    """

    theta: Estimate
    pieces: int
    questions: int
    wrong: int
    per_skill: dict[str, Estimate]


def cloze_summary(cloze: pl.DataFrame, model: str) -> Cloze | None:
    """Return theta and competences of one model.

    Parameters
    ----------
    cloze
        Columns of `CLOZE_SCHEMA`.
    model
        Whose answers; None is returned for a model without any.
    """
    rows = cloze.filter((pl.col("model") == model) & (pl.col("questions") > 0)).with_columns(
        right=pl.col("wrong") == 0
    )
    if rows.is_empty():
        return None
    by_skill = (
        rows.explode("skills")
        .group_by("skills")
        .agg(pl.col("right").sum().cast(pl.Int64), pl.len().cast(pl.Int64).alias("n"))
        .sort("skills")
    )
    return Cloze(
        theta=wilson(rows.height - int(rows["right"].sum()), rows.height),
        pieces=rows.height,
        questions=int(rows["questions"].sum()),
        wrong=int(rows["wrong"].sum()),
        per_skill={skill: wilson(right, n) for skill, right, n in by_skill.iter_rows()},
    )
