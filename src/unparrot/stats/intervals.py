"""Wilson's interval of a share, and what every interval checks: its level, labels of clusters.

References
----------
Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
Brown, Cai and DasGupta (2001), "Interval estimation for a binomial proportion", Stat. Sci. 16.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate

Labels = Sequence[object] | NDArray[np.generic]


def require_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise BadInput(f"the level must be above 0 and under 1, not {level!r}")


def cluster_numbers(clusters: Labels | None, n: int) -> NDArray[np.int64]:
    """Return the number of each observation's cluster, from 0 on; None gives each its own.

    Raises
    ------
    BadInput
        If there are not n labels.
    """
    if clusters is None:
        return np.arange(n)
    if len(clusters) != n:
        raise BadInput(f"{len(clusters)} cluster labels for {n} observations; give one each")
    # rising with the labels, so that sums over clusters do not depend on the order of the data
    return np.unique(np.asarray(clusters), return_inverse=True)[1]


def widened(value: float, low: float, high: float, level: float, method: str, n: int) -> Estimate:
    """Return an estimate whose interval reaches to its value, should that lie outside."""
    return Estimate(value, min(low, value), max(high, value), level, method, n)


def wilson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """Return a share with its Wilson score interval, without continuity correction.

    The interval keeps its level near 0 and 1, where full marks mostly lie; with no success its low
    end is exactly 0, with no failure its high end exactly 1.

    Parameters
    ----------
    successes, n
        Numbers of successes and of trials, ``0 <= successes <= n``; with n = 0 value and interval
        are None.
    level
        Confidence level in (0, 1).

    Raises
    ------
    BadInput
        If the numbers are not whole, or out of order, or the level is outside (0, 1).

    Examples
    --------
    >>> e = wilson(8, 10)
    >>> round(e.low, 3), round(e.high, 3)
    (0.49, 0.943)
    """
    require_level(level)
    if successes != int(successes) or n != int(n) or not 0 <= successes <= n:
        raise BadInput(f"0 <= successes <= n must hold for whole numbers; not {successes}, {n}")
    successes, n = int(successes), int(n)
    if n == 0:
        return Estimate(None, None, None, level, "wilson", 0)
    share = successes / n
    low, high = wilson_limits(share, n, level)
    return Estimate(share, low, high, level, "wilson", n)


def wilson_limits(share: float, size: float, level: float) -> tuple[float, float]:
    """Return the ends of the Wilson interval around a share of a sample of the given size.

    The size is above 0 and need not be whole: it may be an effective one, as in
    `stats.clustered.clustered_share`.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    scale = 1 + z * z / size
    centre = (share + z * z / (2 * size)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    low = 0.0 if share == 0 else min(share, max(0.0, centre - half))
    high = 1.0 if share == 1 else max(share, min(1.0, centre + half))
    return low, high
