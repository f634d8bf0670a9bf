"""What a finite skill graph adds to the bounds: a union over the sets Z, and its price.

There are at most exp(M H(alpha)) sets of alpha M tuples. Each costs its share of the exponent
``rate`` = (M H(alpha) + log(1/delta))/N2, nats a piece, which Chernoff's bound turns into a share.
Proofs in docs/theory.md.
"""

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar  # pyright: ignore[reportUnknownVariableType]

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_count, require_shares
from unparrot.theory.curve.piece import Floats

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
    least = float(shares.min(initial=1.0))
    # one part in 1e12 forgives the rounding of 1/M
    if least < 1 / tuples * (1 - 1e-12):
        raise BadInput(
            f"alpha = {least:g} of {tuples:,.15g} tuples is less than one; take alpha of at least "
            f"{1 / tuples:.6g}, or more skills"
        )
    if tuples.bit_length() - pieces.bit_length() > 1000:
        raise BadInput(
            "there are over 10^300 times as many tuples as pieces, for which a finite graph says "
            "nothing; take fewer skills or a smaller k'"
        )
    entropy = -shares * np.log(shares) - (1 - shares) * np.log1p(-shares)
    return (tuples / pieces) * entropy - math.log(delta) / pieces


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

        def mass(log_l: float) -> float:
            return _tilted_mass(theta, values, log_p, below, nats, math.exp(log_l))

        return _minimum(mass, bounds=ends, method="bounded", options={"xatol": 1e-9}).fun

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
