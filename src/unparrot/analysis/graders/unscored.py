"""Which marks nobody could give, and why; and how the rounds of a grader came to their verdicts.

An unscored mark is neither a point nor a miss, so it must not vanish either: it is counted here by
its reason, by model and by kind. Where a grader marks a text several times, its rounds may agree,
be split, tie, or all abstain: only the first two give a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from unparrot.core.skills import CRITERIA

KINDS = ("skill", *CRITERIA)


def unscored_marks(
    graded: pl.DataFrame, texts: pl.DataFrame, models: Sequence[str]
) -> dict[str, Any]:
    """Count unscored marks.

    Parameters
    ----------
    graded, texts
        graded.parquet and texts.parquet.
    models
        Names, in the order in which they are told.

    Returns
    -------
    dict
        ``models``: for each, texts, texts with an unscored mark, marks, unscored marks, and those
        by kind. ``reasons``: for each, most frequent first, how many marks and texts it leaves
        unscored, and how many marks of each model (in the order of ``models``).
    """
    marks = graded.with_columns(pl.col("kind").cast(pl.String)).join(
        texts.select("text_id", "model"), on="text_id"
    )
    lost = marks.filter(pl.col("status") == "unscored")
    by_model: list[dict[str, Any]] = []
    for model in models:
        own, gone = (frame.filter(pl.col("model") == model) for frame in (marks, lost))
        kinds = gone["kind"].to_list()
        by_model.append(
            {
                "model": model,
                "texts": own["text_id"].n_unique(),
                "texts_unscored": gone["text_id"].n_unique(),
                "marks": own.height,
                "unscored": gone.height,
                "kinds": {kind: kinds.count(kind) for kind in KINDS},
            }
        )
    reasons = (
        lost.group_by("reason")
        .agg(
            pl.len().alias("marks"),
            pl.col("text_id").n_unique().alias("texts"),
            *((pl.col("model") == model).sum().alias(f"of {i}") for i, model in enumerate(models)),
        )
        .sort("marks", "reason", descending=[True, False])
    )
    return {
        "models": by_model,
        "reasons": [
            {
                "reason": row["reason"],
                "marks": row["marks"],
                "texts": row["texts"],
                "by_model": [row[f"of {i}"] for i in range(len(models))],
            }
            for row in reasons.iter_rows(named=True)
        ],
    }


def voting(grades: pl.DataFrame) -> list[dict[str, Any]]:
    """Tell how the rounds of each grader came to their verdicts.

    Parameters
    ----------
    grades
        Marks (`unparrot.core.tables.GRADES_SCHEMA`), without rounds that copy others.

    Returns
    -------
    list of dict
        One a grader: ``rounds``, ``verdicts`` (texts times criteria), of which ``agreed`` (every
        mark that exists is the same), ``split`` (most of them are), ``ties`` and ``silent`` (no
        round scored it), and ``marks``, of which ``abstained`` are unscored.
    """
    earned = (pl.col("status") == "earned").sum()
    missed = (pl.col("status") == "missed").sum()
    votes = grades.group_by("grader", "text_id", "criterion", "kind", maintain_order=True).agg(
        earned.alias("for"), missed.alias("against"), pl.len().alias("marks")
    )
    yes, no = pl.col("for"), pl.col("against")
    found = votes.group_by("grader", maintain_order=True).agg(
        pl.len().alias("verdicts"),
        ((yes == 0) ^ (no == 0)).sum().alias("agreed"),
        ((yes > 0) & (no > 0) & (yes != no)).sum().alias("split"),
        ((yes > 0) & (yes == no)).sum().alias("ties"),
        ((yes == 0) & (no == 0)).sum().alias("silent"),
        pl.col("marks").sum(),
        (pl.col("marks") - yes - no).sum().alias("abstained"),
    )
    rounds = grades.group_by("grader").agg(pl.col("round").n_unique().alias("rounds"))
    told = found.join(rounds, on="grader", maintain_order="left")
    return [
        {"grader": row.pop("grader"), "rounds": row.pop("rounds"), **row}
        for row in told.iter_rows(named=True)
    ]
