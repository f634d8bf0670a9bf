"""The measured curve of a graph beside the curves of the theory: `unparrot theory graph`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.curve.performance import classic, sharp
from unparrot.theory.graph.measured import (
    PerformanceCurve,
    chance_curve,
    performance_curve,
    split_half,
)

Floats = NDArray[np.float64]

_SPLIT_WORK = 1_000_000  # tuples times splits


@dataclass(frozen=True, slots=True, eq=False)
class CurveComparison:
    """All curves at some alphas, each float64 of their shape.

    Parameters
    ----------
    alpha
        Shares in (0, 1).
    worst, quantile
        The two readings of the measured curve (`measured.PerformanceCurve`).
    chance
        ``worst`` as it would be if all tuples failed alike.
    split
        ``worst`` without the winner's curse; None if no tuple has two pieces.
    luck, sharp
        The theory's curves at the measured theta; None if no piece failed, or all.
    classic
        None also where pieces have different degrees, for which it is not stated.
    measured
        The curve itself.
    """

    alpha: Floats
    worst: Floats
    quantile: Floats
    chance: Floats
    split: Floats | None
    luck: Floats | None
    sharp: Floats | None
    classic: Floats | None
    measured: PerformanceCurve


def compare(
    alpha: ArrayLike,
    degree: ArrayLike,
    failed: ArrayLike,
    weights: ArrayLike | None,
    *,
    theta: float,
    k: int | Sequence[float],
    tuple_size: int,
    rng: np.random.Generator,
) -> CurveComparison:
    """Measure a curve and work out the theory's beside it.

    Parameters
    ----------
    alpha
        Shares in (0, 1), shape (n,).
    degree, failed, weights
        As for `measured.performance_curve`.
    theta
        Share of the pieces that failed, in [0, 1].
    k
        Skills in a piece, or the probabilities of the degrees 0, 1, 2, ...
    tuple_size
        k'.
    rng
        Of the split halves.

    Raises
    ------
    BadInput
        If the counts are none, or a share is outside (0, 1).
    """
    shares = np.asarray(alpha, dtype=np.float64)
    if not ((shares > 0) & (shares < 1)).all():
        raise BadInput(f"alpha must be above 0 and under 1, not {shares.tolist()}")
    measured = performance_curve(degree, failed, weights)
    degrees = np.asarray(degree)
    split = None
    if (degrees > 1).any():
        splits = int(np.clip(_SPLIT_WORK // len(degrees), 1, 10))
        split = split_half(degree, failed, shares, rng, weights, splits)
    bounded = 0 < theta < 1
    return CurveComparison(
        alpha=shares,
        worst=measured.worst(shares),
        quantile=measured.quantile(shares),
        chance=chance_curve(degree, failed, weights).worst(shares),
        split=split,
        luck=np.full_like(shares, theta) if bounded else None,
        sharp=sharp(theta, shares, k, tuple_size) if bounded else None,
        classic=classic(theta, shares, k, tuple_size) if bounded and isinstance(k, int) else None,
        measured=measured,
    )
