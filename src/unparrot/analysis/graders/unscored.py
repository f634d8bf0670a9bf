"""Which texts did not come and which marks nobody could give, and why; and how the rounds of a
grader came to their verdicts.

An unscored mark is neither a point nor a miss, so it must not vanish either: it is counted here by
its reason, by model and by kind. Where a grader marks a text several times, its rounds may agree,
be split, tie, or all abstain: only the first two give a mark.
"""

from collections.abc import Sequence

import polars as pl
from msgspec import Struct

from unparrot.core.grades import CUT_OFF, NO_TEXT, STUDENT_FAILED
from unparrot.core.skills import CRITERIA

KINDS = ("skill", *CRITERIA)
# Share of a model's texts beyond which texts that were cut off tell of the limit of tokens.
CUT_OFF_BEYOND = 0.05


class NoTextReason(Struct, frozen=True, forbid_unknown_fields=True):
    """How many texts did not come for one reason; ``by_model`` in the order of models.

    Parameters
    ----------
    code
        One of `unparrot.core.grades.NO_TEXT`.
    missed
        Whether the model has missed them; if not, they are unscored.
    """

    code: str
    missed: bool
    texts: int
    by_model: tuple[int, ...]


class NoTexts(Struct, frozen=True, forbid_unknown_fields=True):
    """Texts that did not come, the most frequent reason first.

    Parameters
    ----------
    texts
        Texts that were asked of each model, in the order of models.
    reasons
        Why some did not come.
    cut_off
        Number of texts that were cut off, by model, where they are more than `CUT_OFF_BEYOND`.
    """

    texts: tuple[int, ...]
    reasons: tuple[NoTextReason, ...]
    cut_off: dict[str, int]


def texts_that_did_not_come(texts: pl.DataFrame, models: Sequence[str]) -> NoTexts:
    """Count texts that did not come, by reason and model.

    Parameters
    ----------
    texts
        texts.parquet.
    models
        Names, in the order in which they are shown.
    """
    own = {model: texts.filter(pl.col("model") == model)["no_text"] for model in models}
    cut = {model: int(codes.is_in(list(CUT_OFF)).sum()) for model, codes in own.items()}
    by_code = {
        code: tuple(int((codes == code).sum()) for codes in own.values()) for code in NO_TEXT
    }
    reasons = [
        NoTextReason(code, code in STUDENT_FAILED, sum(by_model), by_model)
        for code, by_model in by_code.items()
        if any(by_model)
    ]
    return NoTexts(
        tuple(map(len, own.values())),
        tuple(sorted(reasons, key=lambda row: -row.texts)),
        {model: n for model, n in cut.items() if n > CUT_OFF_BEYOND * len(own[model])},
    )


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


class Unscored(Struct, frozen=True, forbid_unknown_fields=True):
    """Which marks nobody could give, and why; the most frequent reason first."""

    models: tuple[UnscoredModel, ...]
    reasons: tuple[UnscoredReason, ...]


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
