"""The mean of min(1, lambda) over the combinations of a pack, where lambda is a product of rates.

A combination is a k-subset S of skills and a topic t; lambda = q_S p_t with q_S = factor * prod of
the rates of S. The mean over topics is always taken exactly, g(q) = mean_t min(1, q p_t). The mean
over subsets is sampled from a tilted law: S is drawn in proportion to q_S^beta, 0 <= beta <= 1, and
with Z = (mean of q_S^beta) (mean of p_t^beta)

    mean of g(q_S) = Z E[y],    y = g(q_S) q_S^-beta / (mean of p_t^beta)  in [0, 1],

because min(1, q p) <= (q p)^beta. beta = 0 is plain sampling, which is poor where nearly all the
mean comes from a few subsets; beta = 1 draws those. Z itself bounds the mean, so the beta with the
least Z wastes the least of [0, 1], and then Maurer and Pontil's interval for bounded variables,
which holds for every sample size, is narrow.

References
----------
Maurer and Pontil (2009), "Empirical Bernstein bounds and sample-variance penalization", COLT,
theorem 4. The tilted estimator is ours.
Chen, Dempster and Liu (1994), "Weighted finite population sampling to maximize entropy",
Biometrika 81, for drawing subsets by a table of elementary symmetric polynomials: e_k(w), the sum
over all k-subsets of the product of their weights. e_j(w_1 .. w_n) = e_j(w_2 .. w_n) +
w_1 e_(j-1)(w_2 .. w_n) yields it in n k steps of positive numbers, so nothing cancels; logarithms
keep it within range.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.theory.roots import crossing

Vector = NDArray[np.float64]

LEVEL = 0.95  # of the interval

_MOST_LOG = 700.0  # what exp can take

_TILTS = np.linspace(0, 1, 21)


class Sampling(NamedTuple):
    """How a mean is sampled where there are too many combinations to visit.

    ``samples`` subsets of skills are drawn, at least 100; equal seeds, from 0, give equal results.
    """

    samples: int
    seed: int


class TopicMean:
    """g(q) = mean over topics of min(1, q p_t).

    Parameters
    ----------
    rates
        Shape (T,), each in (0, 1].
    """

    def __init__(self, rates: Vector) -> None:
        falling = np.sort(rates)[::-1]
        self._thresholds = -np.log(falling)  # the log q from which each topic is capped
        self._rest = np.append(np.cumsum(falling[::-1])[::-1], 0.0)
        self._mean = math.log(float(rates.mean()))

    def __call__(self, log_q: Vector) -> Vector:
        """Return g, of the shape of log q."""
        return np.exp(self.log(log_q))

    def log(self, log_q: Vector) -> Vector:
        """Return log g, of the shape of log q, also where g itself would underflow."""
        capped = np.searchsorted(self._thresholds, log_q, side="right")
        topics = len(self._thresholds)
        # where all are capped the rest is 0, and log q of any size must not make it 0 * inf
        q = np.exp(np.clip(log_q, -_MOST_LOG, _MOST_LOG))
        with np.errstate(divide="ignore"):
            some = np.log((capped + q * self._rest[capped]) / topics)
        return np.where(capped == 0, log_q + self._mean, some)


class TiltedMean:
    """Samples the mean of min(1, factor * lambda) for any factor.

    Parameters
    ----------
    log_skills
        Shape (n,): logarithms of the rates of the skills.
    topics
        Shape (T,): rates of the topics.
    k
        Skills in a combination.
    log_factor
        Logarithm of what multiplies every product, for example the number of windows.
    sampling
        Samples and seed.
    """

    def __init__(
        self, log_skills: Vector, topics: Vector, k: int, log_factor: float, sampling: Sampling
    ) -> None:
        self._log_skills, self._k, self._log_factor = log_skills, k, log_factor
        self._sampling = sampling
        self._topics = TopicMean(topics)
        self._log_powers = np.array([math.log(float((topics**b).mean())) for b in _TILTS.tolist()])
        self._log_norms = self._log_powers + [
            log_mean_product(b * log_skills, k) + b * log_factor for b in _TILTS.tolist()
        ]
        least = float(np.sort(log_skills)[:k].sum()) + math.log(float(topics.min()))
        self._log_saturation = -(least + log_factor)

    def at(self, log_rho: float) -> tuple[float, float, float]:
        """Return the mean, and the ends of its interval, with every lambda multiplied by rho."""
        tilt = self._best(log_rho)
        return self._bracket(tilt, self._draw(tilt), log_rho)

    def log_reach(self, limit: float) -> float:
        """Return the logarithm of the rho at which the interval's upper end reaches a limit.

        Parameters
        ----------
        limit
            In (0, 1].
        """
        # the mean is at most Z for every tilt, and 1 where every combination is capped
        starts = (math.log(limit) - self._log_norms[1:]) / _TILTS[1:]
        tilt = 1 + int(starts.argmax())
        low, high = float(starts.max()), self._log_saturation

        def with_tilt(tilt: int) -> float:
            drawn = self._draw(tilt)
            return crossing(lambda x: self._bracket(tilt, drawn, x)[2], limit, low, high)

        # the best tilt for the answer is only known from an answer
        return with_tilt(self._best(with_tilt(tilt)))

    def _best(self, log_rho: float) -> int:
        return int(np.argmin(self._log_norms + _TILTS * log_rho))

    def _draw(self, tilt: int) -> Vector:
        """Log q, at rho = 1, of subsets drawn with a tilt."""
        weights = _TILTS[tilt] * self._log_skills
        rng = np.random.default_rng(self._sampling.seed)
        table = subset_table(weights, self._k)
        drawn = draw_subsets(table, self._sampling.samples, rng)
        return self._log_skills[drawn].sum(axis=1) + self._log_factor

    def _bracket(self, tilt: int, drawn: Vector, log_rho: float) -> tuple[float, float, float]:
        beta = float(_TILTS[tilt])
        norm = math.exp(min(self._log_norms[tilt] + beta * log_rho, _MOST_LOG))
        log_q = drawn + log_rho
        y = np.exp(self._topics.log(log_q) - beta * log_q - self._log_powers[tilt])
        mean, half = bernstein(y, LEVEL)
        uncapped = math.exp(min(self._log_norms[-1] + log_rho, 0.0))
        high = min(1.0, norm, uncapped, norm * (mean + half))
        low = min(high, norm * max(0.0, mean - half))
        return min(max(norm * mean, low), high), low, high


def bernstein(values: Vector, level: float) -> tuple[float, float]:
    """Return the mean of values in [0, 1] and the half width of its interval.

    The interval keeps its level for any law of the values and any number of them.

    Parameters
    ----------
    values
        Shape (n,), n >= 2.
    level
        Confidence level in (0, 1), two-sided.

    Examples
    --------
    >>> mean, half = bernstein(np.array([0.0, 1.0] * 5000), 0.95)
    >>> round(mean, 6), round(half, 4)
    (0.5, 0.0158)
    """
    n = len(values)
    log_term = math.log(4 / (1 - level))
    spread = math.sqrt(2 * float(values.var(ddof=1)) * log_term / n)
    return float(values.mean()), spread + 7 * log_term / (3 * (n - 1))


def log_mean_product(log_weights: Vector, k: int) -> float:
    """Return the logarithm of the mean, over all k-subsets, of the product of their weights.

    Parameters
    ----------
    log_weights
        Shape (n,), finite.
    k
        From 0 to n.

    Examples
    --------
    >>> weights = np.array([1.0, 2.0, 3.0])  # (1 * 2 + 1 * 3 + 2 * 3) / 3
    >>> round(float(np.exp(log_mean_product(np.log(weights), 2))), 12)
    3.666666666667
    """
    # Scaled by the largest weight, so that the logarithms, and what they are rounded to, are small.
    scale = float(log_weights.max())
    total = float(subset_table(log_weights - scale, k)[0, k])
    return total + k * scale - math.log(math.comb(len(log_weights), k))


def subset_table(log_weights: Vector, k: int) -> Vector:
    """Return log e_j of the weights from the m-th on, float64 [n + 1, k + 1], at [m, j]."""
    n = len(log_weights)
    table = np.full((n + 1, k + 1), -np.inf)
    table[:, 0] = 0.0
    for m in range(n - 1, -1, -1):
        table[m, 1:] = np.logaddexp(table[m + 1, 1:], table[m + 1, :-1] + log_weights[m])
    return table


def draw_subsets(table: Vector, samples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw k-subsets, each with a chance in proportion to the product of its weights.

    Parameters
    ----------
    table
        `subset_table` of the weights.
    samples
        How many.
    rng
        Source of the draws.

    Returns
    -------
    NDArray
        Int64 [samples, k], each row rising.

    Examples
    --------
    >>> weights = np.log([1.0, 1.0, 1e9])
    >>> draw_subsets(subset_table(weights, 1), 3, np.random.default_rng(0)).tolist()
    [[2], [2], [2]]
    """
    n, k = table.shape[0] - 1, table.shape[1] - 1
    drawn = np.empty((samples, k), np.int64)
    start = np.zeros(samples, np.int64)
    for place in range(k):
        left = k - place
        column = table[:, left]
        # The next member stands at m or later with the chance e_left(m ..) / e_left(start ..),
        # which falls with m: invert it at a uniform number.
        aim = np.log1p(-rng.random(samples)) + column[start]
        member = np.searchsorted(-column, -aim, side="right") - 1
        drawn[:, place] = np.clip(member, start, n - left)
        start = drawn[:, place] + 1
    return drawn
