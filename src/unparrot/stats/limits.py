"""One-sided limits for a mean of independent chances that need not be equal.

The combinations of a test are not equally hard, so their successes are not quite binomial. The
limits here hold all the same: for shares (one true-or-false outcome each) and for means of values
between 0 and 1 (several rounds of each combination), whatever the single chances are.

References
----------
Clopper and Pearson (1934), "The use of confidence or fiducial limits", Biometrika 26.
Hoeffding (1956), "On the distribution of the number of successes in independent trials", Annals of
Mathematical Statistics 27: theorem 3 for convex functions, theorem 5 for tails.
Rao and Scott (1992), "A simple method for the analysis of clustered binary data", Biometrics 48.
Bentkus (2004), "On Hoeffding's inequalities", Annals of Probability 32.
"""

from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta, binom

from unparrot.core.errors import BadInput

# Halvings of [0, 1]: limits to 1e-12, from below.
_HALVINGS = 40
# Binomial tails held at once: 32 MB of them.
_CHUNK = 4_000_000


def least_share(
    successes: ArrayLike, n: int, miss: float, spread: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Return the lower limit of the mean chance behind a number of successes.

    It is Clopper and Pearson's, which unequal chances leave valid from two successes on (Hoeffding
    1956, theorem 5: there the number of successes exceeds its mean under the limit by at least 1).
    With one success it is ``miss / n``, by the sum of the chances.

    Parameters
    ----------
    successes
        Whole numbers from 0 to n, any shape.
    n
        Number of trials, at least 1.
    miss
        Greatest probability in (0, 0.25) that the limit exceeds the mean of the n chances.
    spread
        At least 1, of a shape that fits: the variance of the number of successes over that of
        independent trials. Above 1 the limit is that of an effective sample, with successes and
        failures divided by it (Rao and Scott 1992), and holds as an approximation.

    Returns
    -------
    array
        The limits, of the shape of ``successes``; 0 without success.

    Raises
    ------
    BadInput
        If a number is out of range or not whole.

    Examples
    --------
    >>> round(float(least_share(12, 100, 0.05)), 4)
    0.0707
    """
    total = _checked(successes, n, miss)
    if (total != np.rint(total)).any():
        raise BadInput(f"successes must be whole numbers, not {successes!r}; or use least_mean")
    over = _checked_spread(spread)
    hits, failures = total / over, (n - total) / over
    limit = beta.ppf(miss, np.maximum(hits, 1.0), failures + 1)
    return np.where(hits > 1, limit, miss * total / n)


def least_mean(
    total: ArrayLike, n: int, miss: float, spread: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Return the lower limit of the mean of n independent values in [0, 1], from their sum.

    The limit is the smallest mean p under which so large a sum keeps a probability above ``miss``
    by Bentkus' inequality with the best hinge::

        P(sum >= x) <= min over t < x of E max(0, Binomial(n, p) - t) / (x - t)

    A binomial is the most spread of all such sums (Hoeffding 1956, theorem 3), so this needs
    neither equal means nor a variance. It is never weaker than Hoeffding's exponential bound and
    never more than a factor e above the binomial's own tail.

    Parameters
    ----------
    total
        Sums from 0 to n, any shape.
    n
        Number of values, at least 1.
    miss
        Greatest probability in (0, 0.25) that the limit exceeds the mean of the n expectations.
    spread
        As for `least_share`; an effective number of values is rounded down.

    Returns
    -------
    array
        The limits, of the shape of ``total``.

    Raises
    ------
    BadInput
        If a number is out of range.

    Examples
    --------
    >>> bool(least_mean(12, 100, 0.05) < least_share(12, 100, 0.05))
    True
    """
    sums, over = np.broadcast_arrays(_checked(total, n, miss), _checked_spread(spread))
    effective = np.maximum(1, np.floor(n / over)).astype(np.int64)
    limits = np.zeros(sums.shape)
    for size in np.unique(effective).tolist():
        chosen = effective == size
        limits[chosen] = _least_mean(sums[chosen] * (size / n), size, miss)
    return limits


def _least_mean(sums: NDArray[np.float64], n: int, miss: float) -> NDArray[np.float64]:
    """Return the limit of each of ``sums``, shape (len(sums),), by halving."""
    distinct, place = np.unique(np.minimum(sums, n), return_inverse=True)
    low, high = np.zeros_like(distinct), distinct / n
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        small = _hinge_tail(distinct, n, middle) <= miss
        low, high = np.where(small, middle, low), np.where(small, high, middle)
    return low[place]


def _checked(total: ArrayLike, n: int, miss: float) -> NDArray[np.float64]:
    if n < 1:
        raise BadInput(f"a limit needs at least one trial, not {n!r}")
    if not 0 < miss < 0.25:
        raise BadInput(f"the probability to miss must be above 0 and under 0.25, not {miss!r}")
    sums = np.asarray(total, dtype=np.float64)
    if not ((sums >= 0) & (sums <= n)).all():
        raise BadInput(f"a sum of {n} values in [0, 1] lies between 0 and {n}; not {total!r}")
    return sums


def _checked_spread(spread: ArrayLike) -> NDArray[np.float64]:
    over = np.asarray(spread, dtype=np.float64)
    if not ((over >= 1) & np.isfinite(over)).all():
        raise BadInput(f"a spread is at least 1, that of independent trials; not {spread!r}")
    return over


def _hinge_tail(sums: NDArray[np.float64], n: int, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bound on P(sum >= x) for each x of ``sums`` and its p, shape (len(sums),)."""
    corner = np.arange(n)
    bound = np.ones_like(sums)
    step = max(1, _CHUNK // n)
    for start in range(0, len(sums), step):
        part = slice(start, start + step)
        above = cast(NDArray[np.float64], binom.sf(corner, n, p[part, None]))
        # E max(0, B - t) is the sum of P(B > j) over j >= t; between whole t the ratio is monotone
        excess = np.cumsum(above[:, ::-1], axis=1)[:, ::-1]
        gap = sums[part, None] - corner
        ratio = np.where(gap > 0, excess / np.where(gap > 0, gap, 1.0), 1.0)
        bound[part] = np.minimum(1.0, ratio.min(axis=1))
    return bound
