"""How many skills a model can combine: the largest k with enough full marks, with an interval.

Full marks are a sharp metric: one missed mark loses the text. So they never stand alone: at every k
the skill fraction, which rises with every skill, stands beside them, and so does what the rates of
the single marks multiply up to.

References
----------
Yu et al. (2023), "Skill-Mix", section 5, for the saturation point.
Schaeffer, Miranda and Koyejo (2023), "Are Emergent Abilities of Large Language Models a Mirage?".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from msgspec import Struct

from unparrot.analysis.model.competence import Bounded, competence
from unparrot.analysis.resampling import generator
from unparrot.core.errors import BadInput
from unparrot.core.skills import CRITERIA
from unparrot.stats.bootstrap import resampled_sums

BASE_SPLITS: Final = ("seen", "untrained_k")
"""Combinations that are new in nothing but, beyond the trained k, their size."""


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """The metrics at one k, sharp and smooth together.

    ``implied`` is the share of full marks that the marks would give if they were earned
    independently of each other: the rate of the skill marks to the power k, times the rates of
    topic, sense and length. None if a mark was never scored.
    """

    k: int
    full_marks: Bounded
    all_skills: Bounded
    skill_fraction: Bounded
    implied: float | None


class Saturation(Struct, frozen=True, forbid_unknown_fields=True):
    """The largest k up to which every measured k has at least a threshold of full marks.

    Parameters
    ----------
    threshold
        Share of full marks in (0, 1].
    k
        The largest such k; 0 if already the smallest measured one falls short. Its interval is
        ``low`` to ``high``.
    at_least
        True if the interval reaches the largest measured k: the true one may lie beyond it.
    worst, best
        k if every unscored mark had been missed, or earned.
    shares
        How often each value of k came out when the combinations were drawn anew.
    points
        The metrics at every measured k.
    notes
        What a reader must know, for example a k that was not measured.
    """

    threshold: float
    decoding: str
    k: int
    low: int
    high: int
    level: float
    at_least: bool
    worst: int
    best: int
    shares: dict[int, float]
    points: tuple[Point, ...]
    notes: tuple[str, ...]


def saturation(
    outcomes: pl.DataFrame,
    *,
    seed: int,
    threshold: float = 0.2,
    decoding: str = "greedy",
    splits: Sequence[str] = BASE_SPLITS,
    level: float = 0.95,
    resamples: int = 1000,
) -> Saturation:
    """Find the largest k up to which every measured k reaches the threshold of full marks.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`, of one model.
    seed
        Of the resampling.
    threshold
        Share of full marks in (0, 1].
    decoding, splits
        Which texts count. At each k only one of the splits may have texts.
    level
        Confidence level in (0, 1).
    resamples
        How often the combinations are drawn anew, at least 100.

    Raises
    ------
    BadInput
        If the texts are of several models, none is left, two splits share a k, or a number is out
        of range.

    Notes
    -----
    The interval is the set of k that the intervals at each k allow: every k up to ``low`` reaches
    the threshold with its lower limit, and ``high`` is the last before an upper limit falls short
    of it. The true k is under ``low`` only if a lower limit at one k, the first that truly falls
    short, is wrong: that has probability (1 - level) / 2 however many k there are. It is above
    ``high`` if any upper limit up to it is wrong, which the k near the threshold decide. Drawing
    the combinations anew (within each k, all k at a time) gives ``shares``; their central 95 % is
    no interval of level 95 %, for it is a single value wherever the sample is all or nothing.
    """
    if not 0 < threshold <= 1:
        raise BadInput(f"the threshold is a share above 0 and up to 1, not {threshold!r}")
    models = outcomes["model"].unique().to_list()
    if len(models) > 1:
        raise BadInput(f"saturation is that of one model; these texts are of {sorted(models)}")
    texts = outcomes.filter((pl.col("decoding") == decoding) & pl.col("split").is_in(list(splits)))
    if texts.is_empty():
        raise BadInput(
            f"no text of {', '.join(models)} was decoded {decoding!r} in the splits "
            f"{list(splits)}; there are "
            f"{sorted(outcomes['decoding'].unique())} and {sorted(outcomes['split'].unique())}"
        )
    cells = competence(texts, level)
    ks = [cell.k for cell in cells]
    if len(set(ks)) < len(ks):
        twice = min(k for k in ks if ks.count(k) > 1)
        raise BadInput(f"several of the splits {list(splits)} have k = {twice}; name one of them")
    full = [cell.full_marks for cell in cells]
    missing = sorted(set(range(ks[0], ks[-1])) - set(ks))
    notes = [f"k = {k} was not measured" for k in missing]
    notes += [f"k = {cell.k}: {note}" for cell in cells for note in cell.notes]
    low = _reached(ks, [b.low for b in full], threshold)
    high = _reached(ks, [_or_one(b.high) for b in full], threshold)
    return Saturation(
        decoding=decoding,
        threshold=threshold,
        k=_reached(ks, [b.value for b in full], threshold),
        low=low,
        high=high,
        level=level,
        at_least=high == ks[-1],
        worst=_reached(ks, [(b.worst or b).value for b in full], threshold),
        best=_reached(ks, [(b.best or b).value for b in full], threshold),
        shares=_shares(texts, ks, threshold, seed, resamples),
        points=tuple(
            Point(
                cell.k,
                cell.full_marks,
                cell.all_skills,
                cell.skill_fraction,
                implied_full_marks(cell.k, cell.marks),
            )
            for cell in cells
        ),
        notes=tuple(notes),
    )


def implied_full_marks(k: int, marks: Mapping[str, Bounded]) -> float | None:
    """Return the share of full marks if marks were earned independently at these rates."""
    rates = [marks["skills"].value, *(marks[criterion].value for criterion in CRITERIA)]
    if any(rate is None for rate in rates):
        return None
    skills, *others = (rate for rate in rates if rate is not None)
    return skills**k * float(np.prod(others))


def _reached(ks: Sequence[int], shares: Sequence[float | None], threshold: float) -> int:
    reached = 0
    for k, share in zip(ks, shares, strict=True):
        if share is None or share < threshold:
            break
        reached = k
    return reached


def _or_one(limit: float | None) -> float:
    """Where nothing is known, nothing is excluded."""
    return 1.0 if limit is None else limit


def _shares(
    texts: pl.DataFrame, ks: Sequence[int], threshold: float, seed: int, resamples: int
) -> dict[int, float]:
    scored = (
        texts.filter(pl.col("unscored") == 0)
        .group_by("k", "combination")
        .agg(pl.col("full_marks").sum().cast(pl.Int64), pl.len().cast(pl.Int64).alias("n"))
    )
    alive = np.ones(resamples, dtype=np.bool_)
    reached = np.zeros(resamples, dtype=np.int64)
    first = texts.row(0, named=True)
    for k in ks:
        rows = scored.filter(pl.col("k") == k).select("full_marks", "n").to_numpy()
        if not len(rows):
            break
        rng = generator(seed, "saturation", first["model"], first["decoding"], str(k))
        sums = resampled_sums(rows, rng, resamples)
        alive &= sums[:, 0] / sums[:, 1] >= threshold
        reached[alive] = k
    values, counts = np.unique(reached, return_counts=True)
    return {int(k): float(n / resamples) for k, n in zip(values, counts, strict=True)}
