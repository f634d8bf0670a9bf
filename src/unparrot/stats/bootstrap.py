"""Resampling whole clusters: combinations drawn with replacement, each with all that hangs on it.

For figures that no formula gives an interval for: a product of rates, the largest k, a difference
of differences. Every cluster is one row of numbers that add up (successes, trials, squares); a
resample is the sum of as many rows as there are clusters, drawn with replacement. Clusters with
equal rows are exchangeable: where many are, only how often each kind comes up is drawn (multinomial
numbers), which is the same distribution at the cost of the kinds and not of the clusters. Rows are
sorted first, so their order does not matter.

References
----------
Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapters 6 and 13.
McCarthy and Snowden (1985), "The bootstrap and finite population sampling", Vital and Health
Statistics 2(95), for drawing one fewer than there are.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import Labels, cluster_numbers, require_level, widened

LEAST_RESAMPLES = 100
# Numbers drawn at once: what stays in the cache of a core.
_CHUNK = 100_000
# A binomial number takes as long as about so many indices (measured).
_DRAWS_PER_BINOMIAL = 6


def resampled_sums(
    rows: ArrayLike, rng: np.random.Generator, resamples: int = 1000, *, fewer: int = 0
) -> NDArray[np.float64]:
    """Return, for every resample, the sum of as many rows as there are, drawn with replacement.

    Parameters
    ----------
    rows
        Shape (m, c), finite: one row a cluster, m at least 1.
    rng
        Source of the resampling.
    resamples
        Number of resamples, at least 100.
    fewer
        Draw m - fewer rows, and scale their sums up by m / (m - fewer). With fewer = 1 the variance
        of a mean over few clusters comes out right, and not (m - 1) / m of it; needs m > fewer.

    Returns
    -------
    array
        Shape (resamples, c). The order of the rows does not change it; whole numbers are added
        without any rounding (if fewer is 0).

    Raises
    ------
    BadInput
        If the shape is wrong, there are too few rows or resamples, or a number is not finite.
    """
    if resamples < LEAST_RESAMPLES:
        raise BadInput(
            f"a bootstrap interval needs at least {LEAST_RESAMPLES} resamples, not {resamples!r}"
        )
    data = np.asarray(rows, dtype=np.float64)
    if data.ndim != 2 or len(data) <= fewer or fewer < 0:
        raise BadInput(f"{data.shape!r} cannot be resampled: give rows (m, c) with m > {fewer}")
    if not np.isfinite(data).all():
        raise BadInput("the numbers to resample must be finite")
    m = len(data)
    # several times as fast as np.unique(axis=0)
    ordered = data[np.lexsort(data.T[::-1])]
    starts = np.flatnonzero(np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1)))
    distinct, counts = ordered[starts], np.diff(starts, append=m)
    drawn = m - fewer
    sums = np.empty((resamples, data.shape[1]))
    # few different rows: draw how often each comes up; many: draw the rows, which is then quicker
    kinds = len(distinct)
    few, row = kinds * _DRAWS_PER_BINOMIAL < m, np.repeat(np.arange(kinds), counts)
    step = max(1, _CHUNK // (kinds if few else m))
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        lines = stop - start
        if few:
            times = rng.multinomial(drawn, counts / m, size=lines)
        else:
            places = row[rng.integers(m, size=(lines, drawn))] + np.arange(lines)[:, None] * kinds
            times = np.bincount(places.ravel(), minlength=lines * kinds).reshape(lines, kinds)
        # einsum, not a matrix product: its order of adding does not depend on the machine's cores
        np.einsum("rd,dc->rc", times.astype(np.float64), distinct, out=sums[start:stop])
    return sums if fewer == 0 else sums * (m / drawn)


def percentile_estimate(
    value: float, draws: ArrayLike, level: float, method: str, n: int
) -> Estimate:
    """Return a value with the central share `level` of its resampled values around it.

    The interval is widened to hold the value, should it lie outside.
    """
    require_level(level)
    tail = (1 - level) / 2
    low, high = np.quantile(np.asarray(draws, dtype=np.float64), [tail, 1 - tail])
    return widened(value, float(low), float(high), level, method, n)


def bootstrap_mean(
    values: ArrayLike,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 1000,
    clusters: Labels | None = None,
) -> Estimate:
    """Return a mean with its percentile bootstrap interval.

    Parameters
    ----------
    values
        Shape (n,), finite numbers.
    rng
        Source of the resampling.
    level
        Confidence level in (0, 1).
    resamples
        Number of bootstrap samples, at least 100.
    clusters
        Shape (n,), a label for each value. Values that share a label (texts for one combination,
        say) are drawn together, so that they do not pass for independent ones.

    Returns
    -------
    Estimate
        ``n`` counts the values. Value and interval are None without values; the interval alone is
        None with fewer than two values, or clusters, to draw from.

    Raises
    ------
    BadInput
        If a shape is wrong, a value is not finite, or a number is out of range.

    Notes
    -----
    If all values are equal the interval is that one point: the bootstrap cannot see beyond its
    sample. Use `wilson` for shares.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1:
        raise BadInput(f"values must have the shape (n,), not {data.shape!r}")
    if not np.isfinite(data).all():
        raise BadInput(f"values must be finite, but {int((~np.isfinite(data)).sum())} are not")
    require_level(level)
    method = "bootstrap" if clusters is None else "cluster bootstrap"
    member = cluster_numbers(clusters, len(data))
    if len(data) == 0:
        return Estimate(None, None, None, level, method, 0)
    mean = float(data.mean())
    sums = np.column_stack([np.bincount(member, data), np.bincount(member)])
    if len(sums) < 2:
        return Estimate(mean, None, None, level, method, len(data))
    drawn = resampled_sums(sums, rng, resamples)
    return percentile_estimate(mean, drawn[:, 0] / drawn[:, 1], level, method, len(data))
