"""Between luck and malice: how a model's failed pieces lie on skills, and on pairs of skills.

Every model's measured performance curve stands beside three others at its own failure rates: luck
(failures that do not look at the skills), the sharp bound (the worst that failures can do) and the
classic one. Nothing may lie above sharp; where a model lies below it is the finding.

References
----------
Arora and Goyal (2023), "A Theory for Emergence of Complex Skills in Language Models", section 4.
Shao and Wu (1989), "A general theory for jackknife variance estimation", Ann. Statist. 17.
"""

import math
from collections.abc import Callable
from itertools import combinations
from statistics import NormalDist
from typing import Final

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import wilson_limits
from unparrot.theory.curve.performance import classic, sharp
from unparrot.theory.graph.measured import performance_curve, split_half

ALPHAS: Final = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1.0)
SHUFFLES: Final = 999
SPLITS: Final = 200
HALVES: Final = 40
LEVEL: Final = 0.95
# The share of worst tuples at which the concentration of the failures is shown.
SHOWN_AT: Final = 0.25


class Concentration(Struct, frozen=True, forbid_unknown_fields=True):
    """One model's failures on tuples of one size.

    Parameters
    ----------
    tuple_size
        1 for skills, 2 for pairs.
    pieces, tuples
        Pieces that hold at least one tuple, and tuples that some piece holds.
    theta
        Share of those pieces that are failed, by number of skills of the piece.
    luck
        Share of the edges that are failed: the curve if failures did not look at the skills.
    alpha
        Shares of the tuples, rising.
    worst
        Failure rate of the edges of the worst share alpha as it was measured; too high, as the
        ranking picks the unlucky too.
    cross_fitted
        The same with ranking and measuring on different pieces; too low where pieces are few.
    sharp, classic
        The bounds, mixed over the sizes of pieces at the measured failure rate of each size.
    p_value
        Share of random placements of the failures (within pieces of one size) that are at least as
        uneven over the tuples, by the chi-square distance from one rate; small: the failures prefer
        some skills.
    placed
        (cross-fitted - luck) / (sharp - luck) at the worst quarter of the tuples: 0 is luck, 1 is
        malice; None where sharp leaves no room. Its interval is normal, with the spread over random
        halves of the pieces (the delete-half jackknife; wide rather than narrow), and covers chance
        alone: being made of the cross-fitted curve, the value is itself too low where pieces are
        few.
    above
        Whether the cross-fitted curve lies above sharp beyond chance: at some alpha under 1 even
        its lower Wilson limit does (size of the sample: alpha times the pieces; level divided
        among the alphas).
    """

    model: str
    tuple_size: int
    pieces: int
    tuples: int
    theta: dict[int, float]
    luck: float
    alpha: tuple[float, ...]
    worst: tuple[float, ...]
    cross_fitted: tuple[float, ...]
    sharp: tuple[float, ...]
    classic: tuple[float, ...]
    p_value: float
    placed: Estimate | None
    above: bool


def concentration(cloze: pl.DataFrame, model: str, tuple_size: int, seed: int) -> Concentration:
    """Lay the measured performance curve of one model beside luck and the bounds.

    Parameters
    ----------
    cloze
        Columns ``model``, ``piece``, ``skills``, ``questions`` and ``wrong``; pieces without a
        question are left out. The order of the rows does not matter.
    model
        Whose pieces.
    tuple_size
        Number of skills of a tuple, from 1.
    seed
        Of the splits and of the random placements.

    Raises
    ------
    BadInput
        If no piece has a question, none holds a tuple of that size, or no tuple lies in two.
    """
    pieces = cloze.filter((pl.col("model") == model) & (pl.col("questions") > 0)).sort("piece")
    if pieces.is_empty():
        raise BadInput("no cloze question was asked; measure some")
    rows = pieces.filter(pl.col("skills").list.len() >= tuple_size)
    if rows.is_empty():
        raise BadInput(f"no cloze piece holds {tuple_size} skills; measure larger pieces")
    number: dict[tuple[str, ...], int] = {}
    piece: list[int] = []
    member: list[int] = []
    for at, skills in enumerate(rows["skills"]):
        for subset in combinations(sorted(skills), tuple_size):
            piece.append(at)
            member.append(number.setdefault(subset, len(number)))
    of, held = np.array(piece), np.array(member)

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Edges of every tuple to the chosen pieces."""
        return np.bincount(held[chosen[of]], minlength=len(number))

    failed = (rows["wrong"] > 0).to_numpy()
    size = rows["skills"].list.len().to_numpy().astype(np.int64)
    rng = np.random.default_rng([seed, tuple_size])
    degree, fails = count(np.ones_like(failed)), count(failed)
    curve = performance_curve(degree, fails, degree)
    alpha = np.array(ALPHAS)
    fitted = split_half(degree, fails, alpha, rng, degree, splits=SPLITS)
    bounds = {
        name: _mixed(bound, failed, size, alpha, tuple_size)
        for name, bound in (("sharp", sharp), ("classic", classic))
    }
    place = ALPHAS.index(SHOWN_AT)
    value = _place(float(fitted[place]), curve.overall, float(bounds["sharp"][place]))
    placed = None if value is None else _placed(value, count, failed, size, tuple_size, rng)
    uneven = _uneven(degree, fails)
    beaten = sum(
        _uneven(degree, count(_shuffled(failed, size, rng))) >= uneven for _ in range(SHUFFLES)
    )
    return Concentration(
        model=model,
        tuple_size=tuple_size,
        pieces=rows.height,
        tuples=len(number),
        theta={int(k): float(failed[size == k].mean()) for k in np.unique(size)},
        luck=curve.overall,
        alpha=ALPHAS,
        worst=tuple(map(float, curve.worst(alpha))),
        cross_fitted=tuple(map(float, fitted)),
        sharp=tuple(map(float, bounds["sharp"])),
        # the true curve falls with alpha, so what bounds it at one alpha bounds it beyond
        classic=tuple(map(float, np.minimum.accumulate(bounds["classic"]))),
        p_value=(beaten + 1) / (SHUFFLES + 1),
        placed=placed,
        above=_above(fitted, bounds["sharp"], alpha, rows.height),
    )


def _place(measured: float, luck: float, bound: float) -> float | None:
    return (measured - luck) / (bound - luck) if bound - luck > 1e-9 else None


def _placed(
    value: float,
    count: Callable[[NDArray[np.bool_]], NDArray[np.int64]],
    failed: NDArray[np.bool_],
    size: NDArray[np.int64],
    tuple_size: int,
    rng: np.random.Generator,
) -> Estimate:
    """The place with its interval from random halves of the pieces (Shao and Wu 1989)."""
    places: list[float] = []
    alpha = np.array([SHOWN_AT])
    for _ in range(HALVES):
        kept = np.zeros(len(failed), dtype=np.bool_)
        kept[rng.permutation(len(failed))[: len(failed) // 2]] = True
        degree, fails = count(kept), count(failed & kept)
        if degree.max(initial=0) < 2:
            continue
        bound = _mixed(sharp, failed[kept], size[kept], alpha, tuple_size)
        fitted = split_half(degree, fails, alpha, rng, degree, splits=SPLITS // HALVES)
        place = _place(float(fitted[0]), float(fails.sum() / degree.sum()), float(bound[0]))
        if place is not None:
            places.append(place)
    if len(places) < HALVES // 2:
        return Estimate(value, None, None, LEVEL, "delete-half jackknife", len(failed))
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * float(np.std(places, ddof=1))
    return Estimate(value, value - half, value + half, LEVEL, "delete-half jackknife", len(failed))


def _above(
    fitted: NDArray[np.float64],
    bound: NDArray[np.float64],
    alpha: NDArray[np.float64],
    pieces: int,
) -> bool:
    level = 1 - (1 - LEVEL) / len(alpha)
    return any(
        wilson_limits(min(1.0, float(f)), float(a) * pieces, level)[0] > b + 1e-9
        for f, b, a in zip(fitted, bound, alpha, strict=True)
        if a < 1
    )


def _uneven(degree: NDArray[np.int64], failed: NDArray[np.int64]) -> float:
    """Chi-square distance of the tuples' failures from one rate for all."""
    expected = degree * (failed.sum() / degree.sum())
    return float(((failed - expected) ** 2 / np.maximum(expected, 1e-300)).sum())


def _shuffled(
    failed: NDArray[np.bool_], size: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Place the failures anew among the pieces of each size."""
    placed = failed.copy()
    for k in np.unique(size):
        at = np.flatnonzero(size == k)
        placed[at] = rng.permutation(failed[at])
    return placed


def _mixed(
    bound: Callable[..., NDArray[np.float64]],
    failed: NDArray[np.bool_],
    size: NDArray[np.int64],
    alpha: NDArray[np.float64],
    tuple_size: int,
) -> NDArray[np.float64]:
    """The bound for every size of piece at its own failure rate, weighted by the edges it has."""
    total, edges, inside = np.zeros(len(alpha)), 0, alpha < 1
    for k in map(int, np.unique(size)):
        own = failed[size == k]
        part = np.full(len(alpha), own.mean())
        if 0 < own.mean() < 1:
            part[inside] = bound(float(own.mean()), alpha[inside], k, tuple_size)
        weight = len(own) * math.comb(k, tuple_size)
        total, edges = total + weight * part, edges + weight
    return total / edges
