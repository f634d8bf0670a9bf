"""What a finite skill graph adds to the bounds: a union over the sets Z, and its price.

There are at most exp(M H(alpha)) sets of alpha M tuples. Each costs its share of the exponent
``rate`` = (M H(alpha) + log(1/delta))/N2, nats a piece, which Chernoff's bound turns into a share.
Proofs in docs/theory.md. Used by `unparrot theory curve --pieces N2 --skills N1`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar  # pyright: ignore[reportUnknownVariableType]

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_count, require_shares
from unparrot.theory.curve.piece import Floats, blocks, log_combinations
from unparrot.theory.roots import last_held

# Decimal digits of the largest number of tuples that is worked with
_MOST_DECIMALS = 290

_minimum = cast(Callable[..., Any], minimize_scalar)


def union_rate(
    alpha: ArrayLike, pieces: int | None, tuples: int | None, delta: float = 1.0
) -> Floats:
    """Return (M H(alpha) + log(1/delta))/N2, what a union over all sets Z costs, in nats a piece.

    Parameters
    ----------
    alpha
        Share of the tuples in Z; any shape.
    pieces, tuples
        N2 and M, both at least 1.
    delta
        Chance left that some set breaks the bound, in (0, 1].

    Raises
    ------
    BadInput
        If one of the counts is missing or under 1, a share is out of range, or Z is empty.
    """
    if pieces is None or tuples is None:
        raise BadInput(
            "a bound for a finite graph needs both the number of pieces and the number of tuples; "
            "give both or neither"
        )
    pieces, tuples = require_count("pieces", pieces, 1), require_count("tuples", tuples, 1)
    if not 0 < delta <= 1:
        raise BadInput(f"delta must be above 0 and at most 1, not {delta!r}")
    shares = require_shares("alpha", alpha)
    require_members(shares, tuples)
    if tuples.bit_length() - pieces.bit_length() > 1000:
        raise BadInput(
            "there are over 10^300 times as many tuples as pieces, for which a finite graph says "
            "nothing; take fewer skills or a smaller k'"
        )
    entropy = -shares * np.log(shares) - (1 - shares) * np.log1p(-shares)
    return (tuples / pieces) * entropy - math.log(delta) / pieces


def require_members(alpha: Floats, tuples: int) -> None:
    """Raise `BadInput` if an alpha share of the tuples is less than one of them."""
    least = float(alpha.min(initial=1.0))
    # one part in 1e12 forgives the rounding of 1/M
    if least < 1 / tuples * (1 - 1e-12):
        raise BadInput(
            f"alpha = {least:g} of {tuples:,.15g} tuples is less than one; take alpha of at least "
            f"{1 / tuples:.6g}, or more skills"
        )


def tuple_count(skills: int, tuple_size: int, pieces: int | None = None) -> int | None:
    """Return C(N1, k'), or None where it is beyond a float and any alpha has tuples enough.

    Raises
    ------
    BadInput
        If k' is not from 1 to N1, or the number is beyond a float and ``pieces``, those of a
        finite graph, are given.
    """
    if not 1 <= tuple_size <= skills:
        raise BadInput(f"--tuple {tuple_size} must be between 1 and the number of skills, {skills}")
    decimals = log_combinations(skills, tuple_size) / math.log(10)
    if decimals > _MOST_DECIMALS:
        if pieces is None:
            return None
        raise BadInput(
            f"{skills:,.15g} skills have some 10^{decimals:,.0f} tuples of {tuple_size}, for which "
            "no finite graph has pieces enough; leave out --pieces, or lower --tuple"
        )
    tuples = math.comb(skills, tuple_size)
    if tuples == 1:
        raise BadInput(
            f"--skills {skills} and --tuple {tuple_size} leave one tuple, and no share of it to "
            "give up; raise --skills"
        )
    return tuples


def alpha_grid(points: int, tuples: int | None = None) -> tuple[float, ...]:
    """Return rising shares alpha, from 1e-3 or that of one tuple to 0.9, evenly on a log scale."""
    low = max(1e-3, 0.0 if tuples is None else 1 / tuples)
    ratio = 0.9 / low
    grid = (low * ratio ** (i / (points - 1)) for i in range(points))
    return tuple(max(low, float(f"{alpha:.4g}")) for alpha in grid)


def worst_mass(theta: float, values: Floats, log_chance: Floats, rate: Floats) -> Floats:
    """Return the least over c and l > 0 of theta c + (log E exp(l (W - c)+) + rate)/l.

    An upper bound, for all sets Z at once, on the mass of W in any theta share of the pieces. With
    rate 0 it is theta CVaR_theta(W). It is never above the published bound of the same rate.

    Parameters
    ----------
    theta
        Share of the pieces, in (0, 1).
    values
        Shape (atoms,), rising: the values of W.
    log_chance
        Shape (n, atoms): log P(W = value).
    rate
        Shape (n,): nats a piece, at least 0.

    Returns
    -------
    float64 of shape (n,).
    """
    # Jointly convex in c and 1/l, so that after the exact minimum over c one valley is left.
    span = math.log(float(values[-1]))
    ends = -25.0 - span, math.log(1e4 * len(values)) + 10 - span

    def least(log_p: Floats, nats: float) -> float:
        below = np.logaddexp.accumulate(log_p)
        return _minimum(
            lambda log_l: _tilted_mass(theta, values, log_p, below, nats, math.exp(log_l)),
            bounds=ends,
            method="bounded",
            options={"xatol": 1e-9},
        ).fun

    return np.array([least(*row) for row in zip(log_chance, rate.tolist(), strict=True)])


def _tilted_mass(
    theta: float, values: Floats, log_p: Floats, below: Floats, nats: float, tilt: float
) -> float:
    """The least over c of theta c + (log E exp(l (W - c)+) + nats)/l, for one l."""
    above = np.full_like(log_p, -np.inf)  # log E[exp(l W); W > value]
    above[:-1] = np.logaddexp.accumulate((log_p + tilt * values)[:0:-1])[::-1]
    # The slope in c, theta - E[...; W > c]/E exp(l (W - c)+), turns to 0 or above at an atom or
    # inside the gap before it, where log E[exp(l (W - c)); W > c] - log P(W <= c) = odds.
    odds = math.log(theta) - math.log1p(-theta)
    at = int(np.argmax(above - tilt * values - below <= odds))
    c = float(values[at])
    if at > 0:
        gap = float(above[at - 1] - below[at - 1] - odds) / tilt
        c = min(max(gap, float(values[at - 1])), c)
    rise = tilt * np.maximum(values - c, 0)
    with np.errstate(divide="ignore"):  # log of 0, where W is not above c
        terms = log_p + rise + np.log(-np.expm1(-rise))
    # log E exp(rise) = log(1 + E[exp(rise) - 1]): keeps its digits where the rise is tiny
    return theta * c + (float(np.logaddexp(0, np.logaddexp.reduce(terms))) + nats) / tilt


def least_edges(
    alpha: ArrayLike,
    k: int,
    tuple_size: int = 1,
    *,
    pieces: int,
    tuples: int,
    delta: float = 1.0,
) -> Floats:
    """Return the share of its expected edges that every set Z of alpha * tuples tuples has.

    Dividing the finite `sharp` by it gives a bound on the failure rate over the edges that are
    really there; with delta/2 in each, it holds but for a chance of delta.

    Parameters
    ----------
    alpha, k, tuple_size, pieces, tuples, delta
        As for `unparrot.theory.curve.performance.sharp`.

    Returns
    -------
    float64 of the shape of alpha, in [0, 1]: c/alpha for the c < alpha with
    m D(c || alpha) = rate; 0 where the graph is too small to promise an edge.

    Examples
    --------
    >>> round(float(least_edges(0.1, 8, pieces=400_000, tuples=500)), 4)
    0.9699
    """
    m = blocks(k, tuple_size)
    shares = require_shares("alpha", alpha)
    nats = union_rate(shares, pieces, tuples, delta) / m

    def far(kept: Floats) -> NDArray[np.bool_]:
        c = shares * kept
        # D(c || alpha)
        return c * np.log(kept) + (1 - c) * np.log1p((shares - c) / (1 - shares)) > nats

    kept = last_held(far, np.zeros_like(shares), np.ones_like(shares))
    return np.where(nats >= -np.log1p(-shares), 0.0, kept)
