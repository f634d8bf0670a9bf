"""The parrot bound: how many of the tested combinations a corpus can have shown.

A parrot can only reproduce a combination c = (topic t, skills S) that its corpus holds. Among M
windows of text, each about as long as an answer, the expected number that hold all of c is

    lambda_c = rho M p_t prod_{s in S} p_s,

where the p are the shares of windows that show a topic or a skill, and rho >= 1 says how much more
often than independent ones they come together. The chance that c is in the corpus at all is at most
min(1, lambda_c) (Markov's inequality, so windows may depend on each other), and the mean of that
over the tested combinations, B, bounds the full-marks ratio that a parrot can expect.

`unparrot theory novelty` prints B for every k, and whether a measured ratio lies above it.

References
----------
Yu et al. (2023), "Skill-Mix" (arXiv 2310.17567), section 6, where all rates are replaced by their
means. The mean over all combinations, and the rho at which the verdict flips, are ours.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.skills import SkillCombination
from unparrot.theory.checks import require_count
from unparrot.theory.novelty.capped import LEVEL, Sampling, TiltedMean, TopicMean, log_mean_product
from unparrot.theory.roots import crossing

# Subsets of skills up to which every one is visited
ENUMERATED = 1_000_000

# Of subsets, where they are more
USUAL = Sampling(200_000, 1)

_MOST_LOG = 690.0  # the largest logarithm of rho times windows

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class CombinationSet:
    """The combinations that are tested: made by `all_combinations`, `listed` or `average_rates`.

    Every lambda at rho = 1 is q p, with q from ``log_q`` and p from ``topics``.

    Parameters
    ----------
    k
        Skills in a combination.
    count
        Number of combinations; None if only average rates are known.
    topics
        Shape (T,): rates of the topics.
    log_q
        Shape (m,): logarithms of M times the rates of the skills, for every subset; None if there
        are too many.
    log_uncapped, log_largest
        Logarithms of the mean and of the largest lambda at rho = 1.
    log_skills
        Shape (n,): logarithms of the rates of the skills, for a sample of subsets.
    log_windows
        Logarithm of M.
    """

    k: int
    count: int | None
    topics: Vector
    log_q: Vector | None
    log_uncapped: float
    log_largest: float
    log_skills: Vector
    log_windows: float


@dataclass(frozen=True, slots=True)
class ParrotBound:
    """The bound B for combinations of k skills.

    Parameters
    ----------
    count
        Number of combinations; None if only average rates were known.
    log_uncapped
        Logarithm of the mean lambda: what B would be without the cap at 1.
    bound
        B. Where it is exact (or, from averages, an upper bound) the interval is that one point.
    capped
        Whether the cap bites: whether some lambda exceeds 1.
    """

    count: int | None
    log_uncapped: float
    bound: Estimate
    capped: bool

    @property
    def limit(self) -> float:
        """The upper end of B's interval, which verdicts use."""
        assert self.bound.high is not None
        return self.bound.high

    @property
    def uncapped(self) -> float | None:
        """The mean lambda; None if it is too large for a float."""
        return math.exp(self.log_uncapped) if self.log_uncapped < _MOST_LOG else None

    def is_beyond(self, measured: float) -> bool:
        """Say whether a ratio whose lower confidence limit is `measured` exceeds the bound."""
        if not 0 <= measured <= 1:
            raise BadInput(f"the measured ratio must be from 0 to 1, not {measured!r}")
        return measured > self.limit

    def new_share(self, measured: float) -> float | None:
        """Return the least share of the successes that the corpus never showed; None if not shown.

        A share B at most of the tested combinations was shown, so of the `measured` that succeed
        at least ``measured - B`` were not: ``1 - B / measured`` of them.
        """
        return 1 - self.limit / measured if self.is_beyond(measured) else None


def average_rates(skill_rate: float, topic_rate: float, windows: float, k: int) -> CombinationSet:
    """Return what is known if only the mean rates of skills and topics are.

    Parameters
    ----------
    skill_rate, topic_rate
        Mean shares of windows that show a skill, or a topic, in (0, 1].
    windows
        M, at least 1.
    k
        Skills in a combination, at least 1.

    Notes
    -----
    The product of means is at least the mean of products over all k-subsets of different skills
    (Maclaurin's inequality), and min(1, .) is concave, so what comes out bounds B from above.

    Examples
    --------
    With the rates that Yu et al. (2023, section 6) estimate for the corpus of GPT-4:

    >>> [round(parrot_bound(average_rates(0.0144, 0.0022, 5e10, k)).limit, 4) for k in (5, 6)]
    [0.0681, 0.001]
    """
    require_count("k", k, 1)
    log_skill = k * math.log(_rate("the mean rate of a skill", skill_rate))
    log_lambda = log_skill + math.log(_rate("the mean rate of a topic", topic_rate))
    return _of_lambdas(k, None, [log_lambda], _log_windows(windows))


def all_combinations(
    skills: Sequence[float], topics: Sequence[float], windows: float, k: int
) -> CombinationSet:
    """Return all T C(n, k) combinations of a pack of n skills and T topics.

    Parameters
    ----------
    skills, topics
        Rates, each in (0, 1]; at least one of either.
    windows
        M, at least 1.
    k
        Skills in a combination, from 1 to n.
    """
    log_skills, rates = np.log(_rates("skill", skills)), _rates("topic", topics)
    if require_count("k", k, 1) > len(skills):
        raise BadInput(f"k = {k} skills cannot be chosen from {len(skills)}; lower k or add skills")
    log_windows = _log_windows(windows)
    log_q = None
    if math.comb(len(skills), k) <= ENUMERATED:
        sums = map(math.fsum, itertools.combinations(log_skills.tolist(), k))
        log_q = np.fromiter(sums, np.float64) + log_windows
    likeliest = float(np.sort(log_skills)[-k:].sum()) + math.log(float(rates.max()))
    return CombinationSet(
        k=k,
        count=len(rates) * math.comb(len(skills), k),
        topics=rates,
        log_q=log_q,
        log_uncapped=log_windows + log_mean_product(log_skills, k) + math.log(float(rates.mean())),
        log_largest=log_windows + likeliest,
        log_skills=log_skills,
        log_windows=log_windows,
    )


def listed(
    combinations: Sequence[SkillCombination],
    skills: Mapping[str, float],
    topics: Mapping[str, float],
    windows: float,
) -> CombinationSet:
    """Return the combinations of a list, all of one k; one that stands there twice counts twice.

    Parameters
    ----------
    combinations
        At least one.
    skills, topics
        The rate of every name, in (0, 1].
    windows
        M, at least 1.
    """
    if not combinations:
        raise BadInput("the list of combinations is empty; give at least one")
    ks = sorted({combination.k for combination in combinations})
    if len(ks) > 1:
        raise BadInput(f"the combinations have {ks} skills; bound each k by itself")
    of_skill, of_topic = (
        {name: math.log(_rate(f"the rate of {name!r}", p)) for name, p in rates.items()}
        for rates in (skills, topics)
    )
    logs = [
        of_topic[c.topic] + math.fsum(of_skill[name] for name in c.skills) for c in combinations
    ]
    return _of_lambdas(ks[0], len(logs), logs, _log_windows(windows))


def _of_lambdas(k: int, count: int | None, logs: list[float], log_windows: float) -> CombinationSet:
    """Combinations whose lambda is known one by one: their ``log_q`` is its logarithm."""
    log_lambda = np.array(logs) + log_windows
    return CombinationSet(
        k=k,
        count=count,
        topics=np.ones(1),
        log_q=log_lambda,
        log_uncapped=float(np.logaddexp.reduce(log_lambda)) - math.log(len(logs)),
        log_largest=float(log_lambda.max()),
        log_skills=np.zeros(0),
        log_windows=log_windows,
    )


def parrot_bound(
    tested: CombinationSet, rho: float = 1.0, sampling: Sampling = USUAL
) -> ParrotBound:
    """Return B, the mean of min(1, rho lambda) over the tested combinations.

    It is exact if no lambda exceeds 1 (then it is the mean of lambda, from elementary symmetric
    polynomials), and if there are at most `ENUMERATED` subsets of skills. Else it is sampled, and
    its interval holds with 95 %.

    Parameters
    ----------
    tested
        The combinations.
    rho
        Attraction, at least 1.
    sampling
        Used only where there are too many subsets.
    """
    log_rho = _log_rho(rho, tested.log_windows)
    capped = tested.log_largest + log_rho > 0
    n, log_uncapped = tested.count or 1, tested.log_uncapped + log_rho
    if not capped:
        method, value = "exact, nothing capped", math.exp(log_uncapped)
        low = high = value
    elif tested.log_q is not None:
        method = "exact, all visited"
        value = low = high = float(TopicMean(tested.topics)(tested.log_q + log_rho).mean())
    else:
        method, n = "sampled, empirical Bernstein", sampling.samples
        value, low, high = _tilted(tested, sampling).at(log_rho)
    if tested.count is None:
        method = "upper bound from averages"
    estimate = Estimate(value, low, high, LEVEL, method, n)
    return ParrotBound(tested.count, log_uncapped, estimate, capped)


def flip_rho(tested: CombinationSet, measured: float, sampling: Sampling = USUAL) -> float | None:
    """Return rho*, the least attraction at which a measured ratio no longer exceeds the bound.

    Parameters
    ----------
    tested
        The combinations.
    measured
        Lower confidence limit of the measured ratio, from 0 to 1.
    sampling
        As for `parrot_bound`; the draws are shared by all rho, so that B rises with rho.

    Returns
    -------
    float or None
        None if it is not shown to be beyond at rho = 1 already; infinity if no float can hold it.

    Examples
    --------
    >>> tested = average_rates(0.0144, 0.0022, 5e10, 5)
    >>> round(flip_rho(tested, 0.12), 3)
    1.762
    """
    if not parrot_bound(tested, sampling=sampling).is_beyond(measured):
        return None
    log_rho = math.log(measured) - tested.log_uncapped
    if tested.log_largest + log_rho > 0:  # the cap bites before: B is less than the mean lambda
        if tested.log_q is None:
            log_rho = _tilted(tested, sampling).log_reach(measured)
        else:
            log_q, mean = tested.log_q, TopicMean(tested.topics)
            saturated = -float(log_q.min()) - math.log(float(tested.topics.min()))
            log_rho = crossing(
                lambda x: float(mean(log_q + x).mean()), measured, log_rho, saturated
            )
    return math.exp(max(0.0, log_rho)) if log_rho < _MOST_LOG else math.inf


def _tilted(tested: CombinationSet, sampling: Sampling) -> TiltedMean:
    return TiltedMean(tested.log_skills, tested.topics, tested.k, tested.log_windows, sampling)


def _rate(name: str, value: float) -> float:
    if not 0 < value <= 1:
        raise BadInput(
            f"{name} must be above 0 and at most 1, not {value!r}; it is a share of the windows"
        )
    return value


def _rates(kind: str, values: Sequence[float]) -> Vector:
    if len(values) == 0:
        raise BadInput(f"there is no {kind} rate; give at least one")
    return np.array([_rate(f"the rate of {kind} {i}", x) for i, x in enumerate(values)])


def _log_windows(windows: float) -> float:
    if not 1 <= windows < math.inf:
        raise BadInput(
            f"the corpus must have at least 1 window, and finitely many; not {windows!r}"
        )
    return math.log(windows)


def _log_rho(rho: float, log_windows: float) -> float:
    if not 1 <= rho < math.inf:
        raise BadInput(f"rho must be finite and at least 1 (1 is independence), not {rho!r}")
    if math.log(rho) + log_windows > _MOST_LOG:
        raise BadInput(
            f"rho = {rho:g} times the windows is too large for a float; lower rho or the "
            "number of windows"
        )
    return math.log(rho)
