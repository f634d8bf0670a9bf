"""Which marks nobody could give, and why; and how the rounds of a grader came to their verdicts.

An unscored mark is neither a point nor a miss, so it must not vanish either: it is counted here by
its reason, by model and by kind. Where a grader marks a text several times, its rounds may agree,
be split, tie, or all abstain: only the first two give a mark.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from msgspec import Struct

from unparrot.core.skills import CRITERIA

KINDS = ("skill", *CRITERIA)


class Unscored(Struct, frozen=True, forbid_unknown_fields=True):
    """Which marks nobody could give, and why; the most frequent reason first."""

    models: tuple[UnscoredModel, ...]
    reasons: tuple[UnscoredReason, ...]


class UnscoredReason(Struct, frozen=True, forbid_unknown_fields=True):
    """How many marks and texts a reason leaves unscored; ``by_model`` in the order of models."""

    reason: str
    marks: int
    texts: int
    by_model: tuple[int, ...]


class UnscoredModel(Struct, frozen=True, forbid_unknown_fields=True):
    """Unscored marks of one model: texts, marks, and the unscored ones among both, by kind."""

    model: str
    texts: int
    texts_unscored: int
    marks: int
    unscored: int
    kinds: dict[str, int]


class Voting(Struct, frozen=True, forbid_unknown_fields=True):
    """How the rounds of a grader came to their verdicts.

    Parameters
    ----------
    verdicts
        Texts times criteria, of which ``agreed`` (every mark that exists is the same), ``split``
        (most of them are), ``ties`` and ``silent`` (no round scored it).
    marks, abstained
        All marks, and those of them that are unscored.
    """

    grader: str
    rounds: int
    verdicts: int
    agreed: int
    split: int
    ties: int
    silent: int
    marks: int
    abstained: int


def unscored_marks(graded: pl.DataFrame, texts: pl.DataFrame, models: Sequence[str]) -> Unscored:
    """Count unscored marks.

    Parameters
    ----------
    graded, texts
        graded.parquet and texts.parquet.
    models
        Names, in the order in which they are shown.
    """
    marks = graded.join(texts.select("text_id", "model"), on="text_id")
    text, lost = pl.col("text_id"), pl.col("status") == "unscored"
    kinds = [(lost & (pl.col("kind") == kind)).sum().alias(kind) for kind in KINDS]
    place = pl.col("model").replace_strict({model: i for i, model in enumerate(models)})
    by_model = marks.group_by("model").agg(
        text.n_unique().alias("texts"),
        text.filter(lost).n_unique().alias("texts_unscored"),
        pl.len().alias("marks"),
        lost.sum().alias("unscored"),
        pl.struct(kinds).alias("kinds"),
    )
    of_models = [(pl.col("model") == model).sum() for model in models]
    by_reason = (
        marks.filter(lost)
        .group_by("reason")
        .agg(
            pl.len().alias("marks"),
            text.n_unique().alias("texts"),
            pl.concat_list(of_models).alias("by_model"),
        )
        .sort("marks", "reason", descending=[True, False])
    )
    return Unscored(
        tuple(UnscoredModel(**row) for row in by_model.sort(place).iter_rows(named=True)),
        tuple(UnscoredReason(*row, by_model=tuple(own)) for *row, own in by_reason.iter_rows()),
    )


def voting(grades: pl.DataFrame) -> tuple[Voting, ...]:
    """Tell how the rounds of each grader came to their verdicts.

    Parameters
    ----------
    grades
        Marks (`unparrot.core.tables.GRADES_SCHEMA`), without rounds that copy others.

    Returns
    -------
    tuple of Voting
        One a grader.
    """
    earned = (pl.col("status") == "earned").sum()
    missed = (pl.col("status") == "missed").sum()
    votes = grades.group_by("grader", "text_id", "criterion", "kind", maintain_order=True).agg(
        earned.alias("for"), missed.alias("against"), pl.len().alias("marks"), "round"
    )
    yes, no = pl.col("for"), pl.col("against")
    counts = votes.group_by("grader", maintain_order=True).agg(
        pl.col("round").explode().n_unique().alias("rounds"),
        pl.len().alias("verdicts"),
        ((yes == 0) ^ (no == 0)).sum().alias("agreed"),
        ((yes > 0) & (no > 0) & (yes != no)).sum().alias("split"),
        ((yes > 0) & (yes == no)).sum().alias("ties"),
        ((yes == 0) & (no == 0)).sum().alias("silent"),
        pl.col("marks").sum(),
        (pl.col("marks") - yes - no).sum().alias("abstained"),
    )
    return tuple(Voting(**row) for row in counts.iter_rows(named=True))
