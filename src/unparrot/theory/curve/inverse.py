"""The performance curves read backwards: the errors that a goal allows, and the k' they allow.

unparrot theory curve --failure 0.1 --k 8 --alpha 0.1            the largest theta
unparrot theory curve --failure 0.1 --k 8 --alpha 0.1 --theta 0.01    the largest k'
"""

from bisect import bisect_right

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_share, require_shares
from unparrot.theory.curve.performance import BOUNDS, classic_nats, entropic_nats, tilted_nats
from unparrot.theory.curve.piece import Floats, blocks, upper_tail
from unparrot.theory.roots import last_held


def theta_for(
    failure: float, alpha: ArrayLike, k: int, tuple_size: int = 1, *, bound: str = "sharp"
) -> Floats:
    """Return the largest theta at which all but an alpha share of tuples fail on at most this.

    Parameters
    ----------
    failure
        The failure rate to keep, in (0, 1).
    alpha
        Shares of the tuples given up as the worst, each in (0, 1); any shape.
    k, tuple_size
        Skills in a piece, and in a tuple.
    bound
        ``'sharp'``, ``'entropic'`` or ``'classic'``.

    Returns
    -------
    float64 of the shape of alpha. NaN where the classic bound promises this failure rate at no
    theta: its equation has no solution at the theta that would be small enough.

    Raises
    ------
    BadInput
        If a number is out of range, k' > k, or there is no such bound.

    Examples
    --------
    >>> round(float(theta_for(0.179464925, 0.1, k=8)), 6)
    0.05
    """
    failure = require_share("failure", failure)
    shares = require_shares("alpha", alpha)
    m = blocks(k, tuple_size)
    require_bound(bound)
    if bound == "sharp":
        return _sharp_theta(failure, shares, m)
    nats = classic_nats if bound == "classic" else entropic_nats

    # With c capped at 1 both bounds are concave in theta, 0 at 0 and 1 at 1, so that they cross
    # the failure rate once, and lie between theta and theta/alpha.
    def kept(log_theta: Floats) -> NDArray[np.bool_]:
        rise = np.expm1(np.log(failure) - log_theta)
        return nats(np.exp(log_theta), m) <= tilted_nats(shares, rise)

    ends = np.log(failure * shares), np.full_like(shares, np.log(failure))
    theta = np.exp(last_held(kept, *ends))
    if bound == "classic":
        return np.where(classic_nats(theta, m) > -np.log(shares), np.nan, theta)
    return theta


def largest_tuple(
    theta: float, alpha: float, failure: float, k: int, *, bound: str = "sharp"
) -> int:
    """Return the largest k' <= k at which 1 - alpha of the k'-tuples fail on at most this.

    0 if even single skills, k' = 1, may fail on more.

    Parameters
    ----------
    theta, alpha, failure
        Share of pieces failed, share of tuples given up, and failure rate to keep; in (0, 1).
    k
        Skills in a piece.
    bound
        ``'sharp'``, ``'entropic'`` or ``'classic'``.

    Raises
    ------
    BadInput
        If a number is out of range, or there is no such bound.

    Examples
    --------
    >>> largest_tuple(0.05, 0.1, 0.26, 8), largest_tuple(0.05, 0.1, 0.26, 8, bound="classic")
    (2, 1)
    """
    failure = require_share("failure", failure)
    curve = BOUNDS[require_bound(bound)]
    blocks(k, 1)
    # The bounds rise with k': fewer independent draws m are larger in convex order.
    return bisect_right(
        range(1, k + 1), failure, key=lambda size: float(curve(theta, alpha, k, size))
    )


def require_bound(bound: str) -> str:
    """Return the name of a bound.

    Raises
    ------
    BadInput
        If there is none of this name.
    """
    if bound not in BOUNDS:
        raise BadInput(f"there is no bound {bound!r}; choose one of {', '.join(BOUNDS)}")
    return bound


def _sharp_theta(failure: float, alpha: Floats, m: int) -> Floats:
    """The sharp bound is linear in theta between the tails P(J >= j) of J ~ Binomial(m, alpha),

    and at theta = P(J > j) it is P(J' >= j), J' ~ Binomial(m - 1, alpha).
    """
    ends = np.full(alpha.shape, 0), np.full(alpha.shape, m)
    # smallest j >= 1 with P(J' >= j) <= failure
    j = last_held(lambda j: upper_tail(j, m - 1, alpha) > failure, *ends) + 1
    spare = failure - upper_tail(j, m - 1, alpha)
    return upper_tail(j + 1, m, alpha) + spare * (m * alpha / j)
