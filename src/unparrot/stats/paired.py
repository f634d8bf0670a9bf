"""Two models on the same combinations: difference of shares and of means, and an exact test.

A difference is always *second minus first*. Texts that share a cluster (rounds of one combination)
are not independent, and every function here takes that into account.

References
----------
McNemar (1947), "Note on the sampling error of the difference between correlated proportions or
percentages", Psychometrika 12.
Tango (1998), "Equivalence test and confidence interval for the difference in proportions for the
paired-sample design", Statistics in Medicine 17.
Rao and Scott (1992), "A simple method for the analysis of clustered binary data", Biometrics 48.
Pitman (1937), "Significance tests which may be applied to samples from any populations", JRSS
Supplement 4: the test by all exchanges of sign.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import bisect  # pyright: ignore[reportUnknownVariableType]
from scipy.stats import binom

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.bootstrap import bootstrap_mean
from unparrot.stats.intervals import Labels, cluster_numbers, require_level, widened


def tango_limits(gained: float, lost: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return the ends of Tango's score interval for a difference of paired shares.

    The interval holds every difference that the score test does not reject, so it keeps its level
    with few or no discordant pairs, where the plain normal interval shrinks to a point.

    Parameters
    ----------
    gained, lost
        Numbers of pairs in which only the second, or only the first, succeeded; they need not be
        whole (an effective sample).
    n
        Number of pairs, ``0 < n`` and ``gained + lost <= n``.
    level
        Confidence level in (0, 1).

    Returns
    -------
    tuple of float
        Low and high end, in [-1, 1], around ``(gained - lost) / n``.

    Raises
    ------
    BadInput
        If the numbers are out of order or the level is outside (0, 1).

    Examples
    --------
    >>> low, high = tango_limits(6, 16, 161)
    >>> round(low, 4), round(high, 4)
    (-0.124, -0.0054)
    """
    require_level(level)
    if not (n > 0 and gained >= 0 and lost >= 0 and gained + lost <= n * (1 + 1e-12)):
        raise BadInput(
            "gained and lost must be at least 0 and together at most n; "
            f"not {gained!r}, {lost!r}, {n!r}"
        )
    z = NormalDist().inv_cdf((1 + level) / 2)
    value = (gained - lost) / n

    def score(delta: float) -> float:
        # Tango (1998), section 3: q is the share of lost pairs that fits best under this delta.
        linear = (2 * n - gained + lost) * delta - gained - lost
        inside = linear * linear + 8 * n * lost * delta * (1 - delta)
        q = (math.sqrt(max(0.0, inside)) - linear) / (4 * n)
        variance = n * (2 * q + delta * (1 - delta))
        excess = gained - lost - n * delta
        return excess / math.sqrt(max(variance, 1e-300))

    def where(wanted: float, low: float, high: float) -> float:
        return float(bisect(lambda delta: score(delta) - wanted, low, high, xtol=1e-15))  # type: ignore

    low = -1.0 if value <= -1 else where(z, -1.0, value)
    high = 1.0 if value >= 1 else where(-z, value, 1.0)
    return min(low, value), max(high, value)


def paired_share(
    first: ArrayLike, second: ArrayLike, level: float = 0.95, clusters: Labels | None = None
) -> Estimate:
    """Return the difference of two paired shares with a score interval.

    With one pair in every cluster this is Tango's interval. With several it is Tango's for an
    effective sample: gained, lost and n are all divided by the design effect (Rao and Scott 1992),
    the variance of the difference between clusters over that of as many independent pairs. The
    design effect is kept between 1 and the mean size of a cluster, which is also its value where
    no pair differs and it cannot be measured.

    Parameters
    ----------
    first, second
        Shape (n,), true or false: success of the first and of the second in each pair.
    level
        Confidence level in (0, 1).
    clusters
        Shape (n,), a label for each pair; None if every pair is its own cluster.

    Returns
    -------
    Estimate
        Second minus first, in [-1, 1]; ``n`` counts the pairs. The interval is None with fewer
        than two clusters.

    Raises
    ------
    BadInput
        If the shapes differ or the level is outside (0, 1).

    Examples
    --------
    >>> first = [True] * 16 + [False] * 6 + [True] * 139
    >>> second = [False] * 16 + [True] * 6 + [True] * 139
    >>> paired_share(first, second).method
    'tango'
    """
    require_level(level)
    a, b = np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)
    sums, counts = _cluster_sums(a, b, clusters)
    n, units = len(a), len(sums)
    method = "tango" if units == n else "tango, effective sample"
    if n == 0:
        return Estimate(None, None, None, level, method, 0)
    gained, lost = int((b & ~a).sum()), int((a & ~b).sum())
    value = (gained - lost) / n
    if units < 2:
        return Estimate(value, None, None, level, method, n)
    effect = 1.0 if units == n else _design_effect(sums, counts, (gained + lost) / n - value**2)
    low, high = tango_limits(gained / effect, lost / effect, n / effect, level)
    return widened(value, low, high, level, method, n)


def _design_effect(
    sums: NDArray[np.float64], counts: NDArray[np.float64], variance: float
) -> float:
    """Return the variance of a clustered mean over that of as many independent observations.

    Parameters
    ----------
    sums, counts
        Shape (clusters,): sum and number of the observations of each; at least two clusters.
    variance
        Variance of a single observation; 0 if they are all equal.

    Returns
    -------
    float
        Between 1 and the mean size of a cluster, which it is if the variance is 0.
    """
    n, units = counts.sum(), len(sums)
    most = float(n / units)
    if variance <= 0:
        return most
    # linearised variance of a ratio of sums over clusters (Cochran 1977, equation 2.46)
    residual = sums - counts * (sums.sum() / n)
    between = units / (units - 1) * float((residual**2).sum()) / n**2
    return float(np.clip(between / (variance / n), 1.0, most))


def paired_mean(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 1000,
    clusters: Labels | None = None,
) -> Estimate:
    """Return the difference of two paired means with a cluster bootstrap interval.

    Parameters
    ----------
    first, second
        Shape (n,), numbers in [0, 1], such as skill fractions.
    rng
        Source of the resampling.
    level, clusters
        As for `paired_share`.
    resamples
        Number of bootstrap samples, at least 100.

    Returns
    -------
    Estimate
        Second minus first; ``n`` counts the pairs. Where all differences are equal, which a
        bootstrap takes for certainty, the interval is Tango's for as many pairs as there are
        clusters, of which as few differ as give this mean.

    Raises
    ------
    BadInput
        If the shapes differ, a value is outside [0, 1], or a number is out of range.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    for values in (a, b):
        if not ((values >= 0) & (values <= 1)).all():
            raise BadInput("values must lie between 0 and 1; divide by the largest possible one")
    sums, counts = _cluster_sums(a, b, clusters)
    units = len(sums)
    if units < 2 or np.ptp(sums / counts) > 0:
        return bootstrap_mean(b - a, rng, level, resamples, clusters)
    mean = float(sums[0] / counts[0])
    low, high = tango_limits(units * max(mean, 0.0), units * max(-mean, 0.0), units, level)
    return widened(mean, low, high, level, "tango", len(a))


def _cluster_sums(
    first: NDArray[np.generic], second: NDArray[np.generic], clusters: Labels | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of the differences and the number of pairs of every cluster."""
    if first.ndim != 1 or first.shape != second.shape:
        raise BadInput(
            f"pairs need two lists of the same length, not the shapes {first.shape!r} and "
            f"{second.shape!r}"
        )
    difference = second.astype(np.float64) - first.astype(np.float64)
    member = cluster_numbers(clusters, len(difference))
    sums = np.bincount(member, difference).astype(np.float64)
    return sums, np.bincount(member).astype(np.float64)


def sign_flip_p(differences: ArrayLike) -> float:
    """Return the exact two-sided p that the two models are exchangeable in every cluster.

    Every cluster's difference is as likely with one sign as with the other; p is the share of all
    the 2^n choices of signs whose sum is at least as far from 0 as the one seen. The choices are
    counted by convolution, not sampled. With differences of -1, 0 and 1 it is McNemar's exact
    (binomial) test.

    Parameters
    ----------
    differences
        Shape (n,), whole numbers: successes of the second minus successes of the first, in each
        combination, over the same number of texts.

    Returns
    -------
    float
        In (0, 1]; 1 without any difference.

    Raises
    ------
    BadInput
        If a difference is not a whole number.

    Examples
    --------
    >>> round(sign_flip_p([1] * 6 + [-1] * 16 + [0] * 139), 6)
    0.052479
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not (np.isfinite(values).all() and (values == np.rint(values)).all()):
        raise BadInput("differences must be whole numbers, one for each combination")
    sizes, times = np.unique(np.abs(values[values != 0]).astype(np.int64), return_counts=True)
    # the distribution of the sum, on the integers from -total to total
    chance = np.ones(1)
    for size, count in zip(sizes.tolist(), times.tolist(), strict=True):
        one = np.zeros(2 * size * count + 1)
        one[:: 2 * size] = binom.pmf(np.arange(int(count) + 1), count, 0.5)
        chance = np.convolve(chance, one)
    total = (len(chance) - 1) // 2
    far = abs(round(float(values.sum())))
    return float(min(1.0, 2 * chance[total + far :].sum()))
