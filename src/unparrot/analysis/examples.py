"""Example texts for the page, drawn by the seed of the run and not by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from unparrot.core.skills import CRITERIA

EACH: Final = 3
"""Texts with full marks of every model, and texts without."""


def examples(
    texts: pl.DataFrame,
    outcomes: pl.DataFrame,
    models: Sequence[str],
    seed: int,
    decoding: str | None = "greedy",
    identified: bool = False,
) -> list[dict[str, Any]]:
    """Draw texts for k > 1 of every model: some with full marks, some without.

    Parameters
    ----------
    texts
        Columns ``text_id`` and ``text``.
    outcomes
        Of the same texts. The order of neither matters.
    models
        Names, in the order in which their texts come.
    seed
        Of the draw.
    decoding
        Only texts that were decoded so; None for all.
    identified
        Also tell the id of each text.
    """
    rng = np.random.default_rng(seed)
    decoded = pl.lit(value=True) if decoding is None else pl.col("decoding") == decoding
    pool = (
        outcomes.filter(decoded & (pl.col("k") > 1) & pl.col("full_marks").is_not_null())
        .join(texts.select("text_id", "text"), on="text_id")
        .sort("text_id")
    )
    chosen: list[dict[str, Any]] = []
    for model in models:
        for wanted in (True, False):
            rows = pool.filter((pl.col("model") == model) & (pl.col("full_marks") == wanted))
            drawn: list[int] = rng.permutation(rows.height)[:EACH].tolist()
            chosen += [_example(rows.row(i, named=True), identified) for i in sorted(drawn)]
    return chosen


def _example(row: dict[str, Any], identified: bool) -> dict[str, Any]:
    marks = dict(zip(row["skills"], row["skill_marks"], strict=True))
    marks |= {criterion: row[f"{criterion}_mark"] for criterion in CRITERIA}
    asked = {name: row[name] for name in ("model", "decoding", "split", "k", "topic", "skills")}
    return {
        **({"text_id": row["text_id"]} if identified else {}),
        **asked,
        "text": row["text"],
        "marks": marks,
        "full_marks": row["full_marks"],
        "trained_count": row["trained_count"],
    }
