"""Many comparisons at once: adjusted p values, simultaneous differences, and ranks.

References
----------
Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6.
Chernozhukov, Chetverikov and Kato (2013), "Gaussian approximations and multiplier bootstrap for
maxima of sums of high-dimensional random vectors", Annals of Statistics 41.
Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks with applications to mobility
across neighbourhoods and academic achievement across countries", Review of Economic Studies 91.
Bonett and Price (2012), "Adjusted Wald confidence interval for a difference of binomial
proportions based on paired data", J. Educ. Behav. Stat. 37.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.stats.intervals import require_level


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values, in the order of those given.

    Rejecting where the adjusted value is at most alpha makes a false rejection, of any number of
    true hypotheses, with probability at most alpha, however the tests depend on each other.

    Raises
    ------
    BadInput
        If a p value is outside [0, 1].

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise BadInput(f"p values lie between 0 and 1; not {list(p)!r}")
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(x) for x in adjusted]


def simultaneous_differences(
    worst: Sequence[NDArray[np.float64]],
    best: Sequence[NDArray[np.float64]],
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
) -> NDArray[np.float64]:
    """Return simultaneous lower limits of the differences between all pairs of models.

    Estimate and standard error of a pair are Bonett and Price's: every stratum is given two more
    combinations, of which each model wins one, so that a pair that never differed is not taken for
    certain. The critical value is the quantile of the largest of all the standardised differences
    under Gaussian multipliers of the combinations (Chernozhukov et al. 2013), so that what the
    models share is allowed for.

    Parameters
    ----------
    worst, best
        One array for each stratum (each k, say), shape (combinations, models), values in [0, 1]:
        the mean of each model over its texts for the combination if every open mark went against
        it, and for it. Every stratum weighs the same.
    rng
        Source of the multipliers.
    level
        Joint confidence level in (0, 1).
    resamples
        Number of draws, at least 100.

    Returns
    -------
    array
        Shape (models, models): the lower limit of the mean of the row's model minus that of the
        column's. The upper one is the lower limit of the reverse, with its sign changed; all hold
        at once with the level.

    Raises
    ------
    BadInput
        If there is no stratum, shapes differ, a stratum has fewer than two combinations, a value
        is outside [0, 1], or a number is out of range.
    """
    require_level(level)
    if resamples < 100:
        raise BadInput(f"a critical value needs at least 100 draws, not {resamples!r}")
    if not worst or len(worst) != len(best):
        raise BadInput(f"{len(worst)} worst and {len(best)} best cases; give one of each a stratum")
    models, weight = worst[0].shape[1], 1 / len(worst)
    gap, error2 = np.zeros((models, models)), np.zeros((models, models))
    drawn = np.zeros((resamples, models))
    spread2 = np.zeros((models, models))
    for low, high in zip(worst, best, strict=True):
        n = len(low)
        if low.ndim != 2 or low.shape != high.shape or low.shape[1] != models:
            raise BadInput(
                "strata must have the shape (combinations, models) and the same models, not "
                f"{low.shape!r} and {high.shape!r}"
            )
        if n < 2:
            raise BadInput(f"ranks need at least two combinations of every k, not {n}")
        if not ((low >= 0) & (low <= high) & (high <= 1)).all():
            raise BadInput("values must lie between 0 and 1, and the worst be at most the best")
        # the row's worst case against the column's best
        total = low.sum(0)[:, None] - high.sum(0)[None, :]
        square = (low**2).sum(0)[:, None] + (high**2).sum(0)[None, :] - 2 * low.T @ high
        gap += weight * total / (n + 2)
        error2 += weight**2 * (square + 2 - total**2 / (n + 2)) / (n + 2) ** 2
        middle = (low + high) / 2
        centred = middle - middle.mean(0)
        cross = centred.T @ centred
        own = np.diag(cross)
        spread2 += (weight / n) ** 2 * (own[:, None] + own[None, :] - 2 * cross)
        drawn += weight / n * rng.standard_normal((resamples, n)) @ centred
    np.fill_diagonal(gap, 0.0)
    np.fill_diagonal(error2, 0.0)
    return gap - _critical(drawn, spread2, level) * np.sqrt(error2)


def _critical(drawn: NDArray[np.float64], spread2: NDArray[np.float64], level: float) -> float:
    largest = np.zeros(len(drawn))
    for own, spread in zip(drawn.T, spread2, strict=True):
        # models that never differed add nothing to the largest difference
        differ = spread > 1e-18
        sizes = np.abs(own[:, None] - drawn[:, differ]) / np.sqrt(spread[differ])
        largest = np.maximum(largest, sizes.max(axis=1, initial=0))
    # never below that of a single difference, which it is for two models
    return max(float(np.quantile(largest, level)), NormalDist().inv_cdf((1 + level) / 2))


def settled_order(least: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which model is settled to be above which, shape (models, models).

    True where the row's model is above the column's: the ``least`` that their difference may be, by
    `simultaneous_differences`, is above 0, or it is above a model that is above.
    """
    above = least > 0
    np.fill_diagonal(above, val=False)
    for middle in range(len(above)):
        above |= above[:, [middle]] & above[[middle], :]
    return above


def rank_ranges(above: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the best and the worst rank that each model may have, 1 being the best.

    One more than the models settled above it, to all models less those settled below it (Mogstad et
    al. 2024): with the joint level of the differences every true rank lies in its range. The ranges
    of two models whose order is not settled always overlap.

    Examples
    --------
    >>> rank_ranges(np.array([[False, False, True], [False, False, True], [False] * 3]))
    [(1, 2), (1, 2), (3, 3)]
    """
    best, worst = (1 + above.sum(0)).tolist(), (len(above) - above.sum(1)).tolist()
    return list(zip(best, worst, strict=True))
