"""Intervals of a mean, a difference, a ratio and a product, made from those of their parts.

MOVER, the method of variance estimates recovery: what an interval says of the variance near each
of its own ends is carried over to the figure made of both. So a part keeps an interval that suits
it (Wilson's for a share, which is right at 0 of n), where a bootstrap of the whole would shrink.

References
----------
Zou and Donner (2008), "Construction of confidence limits about effect measures", Statistics in
Medicine 27, equations 7 and 8, for differences.
Donner and Zou (2012), "Closed-form confidence intervals for functions of the normal mean and
standard deviation", Stat. Methods Med. Res. 21, for ratios; both with a correlation.
"""

import math
from collections.abc import Sequence

import numpy as np

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import widened


def mover_difference(
    first: Estimate, second: Estimate, correlation: float = 0.0
) -> tuple[float, float]:
    """Return the ends of the interval of first minus second.

    Parameters
    ----------
    first, second
        Estimates with intervals of the same level.
    correlation
        Of the two estimates (not of the data), in [-1, 1].

    Raises
    ------
    BadInput
        If an estimate has no interval, the levels differ, or the correlation is out of range.

    Examples
    --------
    >>> half = Estimate(0.5, 0.4, 0.6, 0.95, "given", 100)
    >>> low, high = mover_difference(half, half)  # 0.1 and 0.1 at a right angle
    >>> round(low, 3), round(high, 3)
    (-0.141, 0.141)
    """
    a, a_low, a_high, b, b_low, b_high = _parts(first, second, correlation)
    below = _hypotenuse(a - a_low, b_high - b, correlation)
    above = _hypotenuse(a_high - a, b - b_low, correlation)
    return a - b - below, a - b + above


def mover_ratio(
    first: Estimate, second: Estimate, correlation: float = 0.0
) -> tuple[float, float] | None:
    """Return the ends of the interval of first / second, for figures that cannot be negative.

    Parameters
    ----------
    first, second
        Estimates with intervals of the same level and no end below 0.
    correlation
        Of the two estimates, in [-1, 1].

    Returns
    -------
    tuple of float, or None
        None if the second cannot be told apart from 0: the ratio then has no upper end.

    Raises
    ------
    BadInput
        If an estimate has no interval or a negative end, the levels differ, or the correlation is
        out of range.

    Notes
    -----
    The ends are the R at which the interval of first - R second (see `mover_difference`) has one
    of its ends at 0: roots of two quadratics.

    Examples
    --------
    >>> none = Estimate(0.0, 0.0, 0.1, 0.95, "given", 36)
    >>> sure = Estimate(0.5, 0.5, 0.5, 0.95, "given", 36)
    >>> mover_ratio(none, sure)
    (0.0, 0.2)
    """
    a, a_low, a_high, b, b_low, b_high = _parts(first, second, correlation)
    if min(a_low, b_low) < 0:
        raise BadInput(f"a ratio needs limits of at least 0, not {a_low!r} and {b_low!r}")
    if b_low == 0:
        return None
    # of q R^2 - 2 p R + c = 0 the low end is the root under a / b, the high end the one above it
    p = a * b - correlation * (a - a_low) * (b_high - b)
    q, c = b_high * (2 * b - b_high), a_low * (2 * a - a_low)
    root = p + math.sqrt(max(0.0, p * p - q * c))
    low = c / root if root > 0 else 0.0
    p = a * b - correlation * (a_high - a) * (b - b_low)
    q, c = b_low * (2 * b - b_low), a_high * (2 * a - a_high)
    high = (p + math.sqrt(max(0.0, p * p - q * c))) / q
    return min(low, a / b), max(high, a / b)


def mover_product(parts: Sequence[tuple[Estimate, int]]) -> tuple[float, float]:
    """Return the ends of the interval of a product of powers of independent parts.

    Parameters
    ----------
    parts
        Each part, above 0 and with an interval not below 0, and its power, at least 1.

    Raises
    ------
    BadInput
        If a part has no interval, or is not above 0.

    Notes
    -----
    The interval of a sum (see `mover_difference`), for the logarithms of the parts.

    Examples
    --------
    >>> sure = Estimate(0.5, 0.25, 1.0, 0.95, "given", 36)
    >>> mover_product([(sure, 2)])
    (0.0625, 1.0)
    """
    value, below, above = 1.0, 0.0, 0.0
    for part, power in parts:
        share, low, high = part.value, part.low, part.high
        if share is None or low is None or high is None or share <= 0 or low < 0:
            raise BadInput(f"a product is of parts above 0 with intervals, not {part!r}")
        value *= share**power
        below = math.hypot(below, power * math.log(share / low)) if low > 0 else math.inf
        above = math.hypot(above, power * math.log(high / share))
    return value * math.exp(-below), value * math.exp(above)


def mean_share(shares: Sequence[Estimate]) -> Estimate:
    """Return the plain mean of independent shares, with the interval made from theirs.

    Distances to the ends are squared and added (Zou and Donner 2008), which keeps what a score
    interval is good for: a share of 0 or 1 is not taken for certain.

    Parameters
    ----------
    shares
        At least one; all of one level.

    Returns
    -------
    Estimate
        ``n`` is the sum of theirs; value or interval are None if one of them has none.

    Raises
    ------
    BadInput
        If there is no share, or their levels differ.
    """
    if len({s.level for s in shares}) != 1:
        raise BadInput("a mean needs at least one share, and all of them at the same level")
    if len(shares) == 1:
        return shares[0]
    level, method, n = shares[0].level, "wilson, square and add", sum(s.n for s in shares)
    values, lows, highs = np.array([(s.value, s.low, s.high) for s in shares], dtype=np.float64).T
    mean = float(values.mean())  # nan if a share has no value, and so on
    if math.isnan(mean):
        return Estimate(None, None, None, level, method, 0)
    down, up = (float(np.linalg.norm(ends - values)) / len(shares) for ends in (lows, highs))
    if math.isnan(down + up):
        return Estimate(mean, None, None, level, method, n)
    return widened(mean, max(0.0, mean - down), min(1.0, mean + up), level, method, n)


def _hypotenuse(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(0.0, a * a + b * b - 2 * correlation * a * b))


def _parts(first: Estimate, second: Estimate, correlation: float) -> list[float]:
    if not -1 <= correlation <= 1:
        raise BadInput(f"a correlation lies in [-1, 1], not {correlation!r}")
    if first.level != second.level:
        raise BadInput(f"the intervals have different levels: {first.level}, {second.level}")
    ends = np.array([(e.value, e.low, e.high) for e in (first, second)], dtype=np.float64)
    if np.isnan(ends).any():
        raise BadInput(f"both parts need an interval; not {first!r} and {second!r}")
    return ends.ravel().tolist()
