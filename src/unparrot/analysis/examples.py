"""Example texts for the page, drawn by the seed of the run and not by hand."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import polars as pl
from msgspec import Struct

from unparrot.core.skills import CRITERIA

# Texts with full marks of every model, and texts without.
EACH: Final = 3


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """One generated text with its marks: true for earned, false for missed, None for unscored.

    ``about`` is the situation that the request named, in a run of the lab.
    """

    model: str
    decoding: str
    split: str
    k: int
    topic: str
    skills: tuple[str, ...]
    text: str
    marks: dict[str, bool | None]
    full_marks: bool | None
    trained_count: int | None
    text_id: str
    about: str | None = None


def examples(
    texts: pl.DataFrame,
    outcomes: pl.DataFrame,
    models: Sequence[str],
    seed: int,
    decoding: str | None = "greedy",
    about: Mapping[tuple[str, tuple[str, ...]], str] = MappingProxyType({}),
) -> tuple[Example, ...]:
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
    about
        The situation that the request for a topic and its skills named.
    """
    rng = np.random.default_rng(seed)
    decoded = pl.lit(value=True) if decoding is None else pl.col("decoding") == decoding
    pool = (
        outcomes.filter(decoded & (pl.col("k") > 1) & pl.col("full_marks").is_not_null())
        .join(texts.select("text_id", "text"), on="text_id")
        .sort("text_id")
    )
    chosen: list[Example] = []
    for model in models:
        for wanted in (True, False):
            rows = pool.filter((pl.col("model") == model) & (pl.col("full_marks") == wanted))
            drawn: list[int] = rng.permutation(rows.height)[:EACH].tolist()
            chosen += [_example(rows.row(i, named=True), about) for i in sorted(drawn)]
    return tuple(chosen)


def _example(row: dict[str, Any], about: Mapping[tuple[str, tuple[str, ...]], str]) -> Example:
    skills: tuple[str, ...] = tuple(row["skills"])
    marks = dict(zip(skills, row["skill_marks"], strict=True))
    marks |= {criterion: row[f"{criterion}_mark"] for criterion in CRITERIA}
    about_it = about.get((row["topic"], skills))
    columns = ("model", "decoding", "split", "k", "topic", "text", "full_marks", "trained_count")
    given: dict[str, Any] = {name: row[name] for name in (*columns, "text_id")}
    return Example(**given, skills=skills, marks=marks, about=about_it)
