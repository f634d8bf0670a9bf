"""The interval of a share whose trials come in clusters: rounds of one combination, for example.

The Wilson score interval at the effective size of the sample. Trials of one cluster agree more
than chance, so n of them tell as much as n / d independent ones; d, the design effect, is estimated
from how the clusters differ. With one trial a cluster it is the Wilson interval itself.

Why not the percentile bootstrap over clusters: it draws from the sample alone, so that with few
clusters, or a share near 0 or 1, it is far too narrow (and a point where every trial agrees). The
tests of this module show the coverage of both.

References
----------
Kish (1965), "Survey Sampling", section 8.2, for the design effect.
Korn and Graubard (1998), "Confidence intervals for proportions with small expected number of
positive counts estimated from survey data", Survey Methodology 24, for an exact interval at the
effective size; Franco, Little, Louis and Slud (2019), "Comparative study of confidence intervals
for proportions in complex sample surveys", J. Surv. Stat. Methodol. 7, for the Wilson one.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import binom

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import require_level, wilson, wilson_limits


def clustered_share(
    successes: ArrayLike, trials: ArrayLike, level: float = 0.95, *, equal_weight: bool = False
) -> Estimate:
    """Return the share of successes with its Wilson interval at the effective size.

    Parameters
    ----------
    successes, trials
        Shape (m,): of each cluster, ``0 <= successes <= trials``. Clusters without trials do not
        count. Successes need not be whole (the mean of a value in [0, 1], times the trials).
    level
        Confidence level in (0, 1).
    equal_weight
        False: the share of all trials. True: the mean over clusters of the share of each, which
        differs if some clusters have more trials than others.

    Returns
    -------
    Estimate
        ``n`` counts the trials. Value and interval are None without trials; the interval alone is
        None if all of several trials are of one cluster, which says nothing of other clusters.

    Raises
    ------
    BadInput
        If the shapes differ, a number is out of range or not finite, or the level is outside
        (0, 1).

    Notes
    -----
    With shares x, weights w (the trials, or 1) and W = sum w, the share is p = sum w x / W and its
    variance is estimated by sum w^2 (x - p)^2 / W^2. The effective size is p (1 - p) / variance,
    kept between what independent trials give, 1 / sum (w/W)^2/trials, and what clusters that agree
    throughout give, 1 / sum (w/W)^2. Where few clusters succeeded, or few failed, that variance is
    hardly known, and is often far too small; so for the design effect (only) two clusters of mean
    weight are added, one that succeeded throughout and one that failed throughout. They err on the
    side of a wide interval and matter less the more clusters there are. The result does not depend
    on the order of the clusters.

    Examples
    --------
    >>> alone = clustered_share([1, 0, 1, 1, 0, 1, 0, 0, 1, 1], [1] * 10)
    >>> alone == wilson(6, 10)
    True
    >>> e = clustered_share([3, 0, 3, 3, 0, 3, 0, 0, 3, 3], [3] * 10)  # rounds that all agree
    >>> round(e.low, 6) == round(alone.low, 6), e.n
    (True, 30)
    """
    require_level(level)
    s, t = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if s.ndim != 1 or s.shape != t.shape:
        raise BadInput(f"successes and trials must both be (m,), not {s.shape!r} and {t.shape!r}")
    good = (s >= 0) & (s <= t * (1 + 1e-12)) & np.isfinite(t)
    if not good.all():
        bad = int(np.argmin(good))
        raise BadInput(
            f"0 <= successes <= trials must hold in every cluster; not {s[bad]}, {t[bad]}"
        )
    s, t = np.minimum(s, t)[t > 0], t[t > 0]
    m, n = len(t), round(float(t.sum()))
    if (t == 1).all() and (s % 1 == 0).all():
        return wilson(int(s.sum()), m, level)
    method = "wilson, clustered"
    # sums of whole numbers are exact in doubles; sorted, others are the same in any order too
    order = np.argsort(s / t) if equal_weight else np.lexsort((s, t))
    s, t = s[order], t[order]
    w, wx = (np.ones(m), s / t) if equal_weight else (t, s)
    weight, square = float(w.sum()), float((w * w).sum())
    share = min(1.0, float(wx.sum()) / weight)
    if m < 2:
        return Estimate(share, None, None, level, method, n)
    mean = weight / m
    p = (float(wx.sum()) + mean) / (weight + 2 * mean)
    spread = float((wx * wx).sum() - 2 * p * (w * wx).sum() + p * p * square)
    spread += mean**2 * ((1 - p) ** 2 + p**2)
    inverse_size = spread / (p * (1 - p)) / (weight + 2 * mean) ** 2 * (m + 2) / m
    alone = float(np.sort(w * w / t).sum())
    inverse_size = min(max(inverse_size, alone / weight**2), square / weight**2)
    low, high = wilson_limits(share, 1 / inverse_size, level)
    return Estimate(share, low, high, level, method, n)


def mean_best(
    values: NDArray[np.float64], cluster: NDArray[np.int64], r: int
) -> NDArray[np.float64]:
    """Return, by cluster, the mean of the largest over all choices of r of its values.

    Parameters
    ----------
    values, cluster
        Shape (n,): a value, and the number of its cluster. Every cluster has at least r values.
    r
        How many are chosen, at least 1.

    Returns
    -------
    array
        One mean for every cluster that occurs, by its number.

    Examples
    --------
    >>> mean_best(np.array([0.0, 1.0, 0.0]), np.array([4, 4, 4]), 2)  # 2 of the 3 pairs hold the 1
    array([0.66666667])
    """
    order = np.lexsort((values, cluster))
    ordered = values[order]
    _, starts, sizes = np.unique(cluster[order], return_index=True, return_counts=True)
    place = np.arange(len(values)) - np.repeat(starts, sizes)
    # the (j+1)-th smallest of n is the largest of C(j, r-1) of the C(n, r) choices
    weights = binom(place, r - 1) / binom(np.repeat(sizes, sizes), r)
    return np.minimum(
        np.add.reduceat(ordered * weights, starts), np.maximum.reduceat(ordered, starts)
    )
