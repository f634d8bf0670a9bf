"""How often each skill, and topic, sense and length, are earned where one skill is asked for alone.

These are the rates that `analysis.composition` multiplies, each with its resamples: within each
skill, its combinations (that is, its topics) are drawn with replacement, one fewer than there are,
so that rates from few texts are as uncertain as they should be. A text brings its marks for topic,
sense and length along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unparrot.core.estimate import Estimate
from unparrot.core.skills import CRITERIA
from unparrot.stats.bootstrap import resampled_sums
from unparrot.stats.clustered import clustered_share

SINGLE_SPLIT: Final = "seen"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SingleRates:
    """Rates at k = 1: column 0 as measured, then one column for each resample.

    Parameters
    ----------
    index
        Number of each skill that was scored at all.
    skills
        Shape (skills, 1 + resamples): the rate of each.
    others
        Shape (1 + resamples,): the product of the rates of topic, sense and length.
    pooled
        The rate of the skills, taken together, and those of topic, sense and length.
    worst, best
        The rates of the skills, and the product of the others, were everything unscored missed, or
        earned; ``unscored`` says whether there is any.
    few
        Skills of one combination, which cannot be resampled.
    """

    index: Mapping[str, int]
    skills: Floats
    others: Floats
    pooled: tuple[Estimate, ...]
    worst: tuple[Floats, float]
    best: tuple[Floats, float]
    unscored: bool
    few: frozenset[str]


def single_rates(
    alone: pl.DataFrame, rng: np.random.Generator, level: float, resamples: int
) -> SingleRates | str:
    """Return the rates at k = 1, or why there are none.

    Parameters
    ----------
    alone
        Outcomes with k = 1 of one model and decoding. Those in the split `SINGLE_SPLIT` count, or
        all of them if there is no such split.
    rng
        Source of the resampling.
    level
        Confidence level in (0, 1), of the pooled rates.
    resamples
        At least 100.
    """
    base = alone.filter(pl.col("split") == SINGLE_SPLIT)
    texts = alone if base.is_empty() else base
    if texts.is_empty():
        return "no text asks for one skill alone"
    marks = ("skill", *CRITERIA)
    sums = (
        texts.with_columns(
            skill=pl.col("skills").list.first(), skill_mark=pl.col("skill_marks").list.first()
        )
        .group_by("skill", "combination")
        .agg(
            *(pl.col(f"{mark}_mark").sum().alias(f"{mark} earned") for mark in marks),
            *(pl.col(f"{mark}_mark").count().alias(f"{mark} scored") for mark in marks),
            pl.len().alias("n"),
        )
        .filter(pl.col("skill scored").sum().over("skill") > 0)
        .sort("skill", "combination")
    )
    columns = {name: sums[name].to_numpy() for name in sums.columns[2:]}
    never = [mark for mark in marks if columns[f"{mark} scored"].sum() == 0]
    if never:
        return f"where one skill is asked for alone, {', '.join(never)} was never scored"
    names: list[str] = sums["skill"].to_list()
    table = sums[:, 2:].to_numpy().astype(np.float64)
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    index = {names[start]: number for number, start in enumerate(starts)}
    drawn = np.empty((len(index), 1 + resamples, 2 * len(marks)))
    few: set[str] = set()
    for number, part in enumerate(np.split(table, starts[1:])):
        rows = part[:, :-1]
        drawn[number, 0] = rows.sum(axis=0)
        if len(rows) == 1:
            few.add(names[starts[number]])
            drawn[number, 1:] = rows
        else:
            drawn[number, 1:] = resampled_sums(rows, rng, resamples, fewer=1)
    earned, scored = drawn[..., : len(marks)], drawn[..., len(marks) :]
    asked = np.add.reduceat(table[:, -1], starts)[:, None]
    lost = asked - scored[:, 0]
    worst, best = (
        ((good / asked)[:, 0], float((good[:, 1:].sum(axis=0) / asked.sum()).prod()))
        for good in (earned[:, 0], earned[:, 0] + lost)
    )
    others = _rates(earned[..., 1:].sum(axis=0).T, scored[..., 1:].sum(axis=0).T)
    return SingleRates(
        index=index,
        skills=_rates(earned[..., 0], scored[..., 0]),
        others=others.prod(axis=0),
        pooled=tuple(
            clustered_share(columns[f"{mark} earned"], columns[f"{mark} scored"], level)
            for mark in marks
        ),
        worst=worst,
        best=best,
        unscored=bool(lost.any()),
        few=frozenset(few),
    )


def _rates(earned: Floats, scored: Floats) -> Floats:
    """Earned over scored; where a resample drew nothing scored, the measured rate (column 0)."""
    measured = earned[:, :1] / scored[:, :1]
    rates = np.repeat(measured, earned.shape[1], axis=1)
    return np.divide(earned, scored, out=rates, where=scored > 0)
