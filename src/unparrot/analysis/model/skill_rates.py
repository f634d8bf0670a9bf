"""How often each skill earns its mark, by split.

The mark of a skill is one per text; rounds of one combination are its cluster. Marks that were not
scored are left out, counted, and bounded (`unparrot.analysis.model.competence.Bounded`).
"""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl
from msgspec import Struct

from unparrot.analysis.model.competence import Bounded, bounded_share, split_rank
from unparrot.core.errors import BadInput

# Stands for every split together.
ALL: Final = "all"


class SkillRate(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a skill earned its mark in the texts of one model and split that asked for it.

    ``split`` may be ``'all'``; texts of every k are taken together.
    """

    model: str
    skill: str
    category: str
    split: str
    earned: Bounded


def skill_rates(
    outcomes: pl.DataFrame,
    categories: Mapping[str, str],
    *,
    decoding: str | None = None,
    level: float = 0.95,
) -> tuple[SkillRate, ...]:
    """Estimate how often each skill earns its mark.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`: one model, or several, which are never mixed.
    categories
        The category of every skill; the order is that of the result.
    decoding
        Which texts count; None takes greedy ones, or the first decoding by name if there are none.
    level
        Confidence level in (0, 1).

    Returns
    -------
    tuple of SkillRate
        By model, skill and split (`ALL` first). Skills that no text asked for are absent.

    Raises
    ------
    BadInput
        If no text was decoded so, or a text asks for a skill without a category.
    """
    chosen = sorted(outcomes["decoding"].unique().to_list(), key=lambda d: (d != "greedy", d))
    decoding = decoding if decoding is not None or not chosen else chosen[0]
    texts = outcomes.filter(pl.col("decoding") == decoding)
    if texts.is_empty():
        raise BadInput(f"no text was decoded {decoding!r}; there are {chosen}")
    marks = texts.select("model", "split", "combination", skill="skills", mark="skill_marks")
    marks = marks.explode("skill", "mark")
    unknown = set(marks["skill"].unique().to_list()) - set(categories)
    if unknown:
        raise BadInput(f"the skills {sorted(unknown)} have no category; give the pack of this run")
    cell = ["model", "skill", "split"]
    sums = (
        pl.concat([marks, marks.with_columns(split=pl.lit(ALL))])
        .group_by(*cell, "combination")
        .agg(
            n=pl.len().cast(pl.Int64),
            scored=pl.col("mark").count().cast(pl.Int64),
            earned=pl.col("mark").sum().cast(pl.Int64),
        )
    )
    order = {skill: place for place, skill in enumerate(categories)}

    def rank(key: tuple[Any, ...]) -> tuple[Any, ...]:
        return key[0], order[key[1]], key[2] != ALL, split_rank(key[2])

    parts = sums.partition_by(cell, as_dict=True)
    return tuple(
        SkillRate(
            key[0],
            key[1],
            categories[key[1]],
            key[2],
            bounded_share(parts[key], ("earned", "scored", "n"), level),
        )
        for key in sorted(parts, key=rank)
    )
