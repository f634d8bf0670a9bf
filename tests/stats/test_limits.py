"""One-sided limits: against exact tails, brute force over unequal chances, and each other."""

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from unparrot.core.errors import BadInput
from unparrot.stats.limits import least_mean, least_share


def successes_of(chances: np.ndarray) -> np.ndarray:
    """Exact distribution of the number of successes, by convolution."""
    found = np.ones(1)
    for p in chances:
        found = np.convolve(found, [1 - p, p])
    return found


@pytest.mark.parametrize(("successes", "n"), [(2, 10), (12, 100), (99, 100), (100, 100)])
def test_a_share_has_the_limit_of_clopper_and_pearson(successes: int, n: int) -> None:
    exact = binomtest(successes, n, alternative="greater").proportion_ci(0.99, "exact").low
    assert float(least_share(successes, n, 0.01)) == pytest.approx(exact, abs=1e-12)


def test_few_successes_by_hand() -> None:
    assert float(least_share(0, 50, 0.05)) == 0.0
    assert float(least_share(1, 50, 0.05)) == pytest.approx(0.05 / 50)
    # all passed: 0.05^(1/50)
    assert float(least_share(50, 50, 0.05)) == pytest.approx(0.05 ** (1 / 50))
    assert float(least_share(1, 1, 0.05)) == pytest.approx(0.05)


def test_no_unequal_chances_break_the_limit() -> None:
    # the limit may exceed the mean chance with probability at most `miss`, whatever the chances;
    # the probability is exact, so there is no sampling error
    rng = np.random.default_rng(1)
    for _ in range(120):
        n = int(rng.integers(2, 40))
        shape = float(rng.choice([0.05, 0.3, 1.0, 5.0]))
        chances = rng.beta(shape, shape * rng.choice([1.0, 5.0, 40.0]), n)
        chances[: int(rng.integers(0, n))] = rng.choice([0.0, 1.0])
        for miss in (0.05, 0.001):
            mass = successes_of(chances)
            share = least_share(np.arange(n + 1), n, miss)
            mean = least_mean(np.arange(n + 1), n, miss)
            assert mass[share > chances.mean()].sum() <= miss + 1e-12
            assert mass[mean > chances.mean()].sum() <= miss + 1e-12


def test_means_over_rounds_keep_their_limit() -> None:
    # rounds of a combination are alike: all succeed or each by itself; 20,000 draws of the sum
    rng = np.random.default_rng(2)
    miss, n, draws = 0.02, 60, 20_000
    for alike in (0.0, 0.5, 1.0):
        same = rng.random((draws, n)) < alike
        together = (rng.random((draws, n)) < 0.2).astype(float)
        total = np.where(same, together, rng.binomial(3, 0.2, (draws, n)) / 3).sum(axis=1)
        wrong = int((least_mean(total, n, miss) > 0.2).sum())
        # 'wrong' would be binomial with at most `miss` if the limit just held
        assert binom.sf(wrong - 1, draws, miss) > 1e-6


def test_the_hinge_lies_between_the_exact_tail_and_the_bounds_it_improves() -> None:
    for n, total in ((20, 9), (100, 12), (300, 150)):
        for miss in (0.05, 1e-4):
            exact, hinge = float(least_share(total, n, miss)), float(least_mean(total, n, miss))
            assert hinge < exact
            # at the limit the binomial's own tail is at most `miss`, and at least miss / e
            assert miss / math.e <= binom.sf(total - 1, n, hinge) <= miss
            # Hoeffding's exponential bound is weaker
            a = total / n
            kl = a * math.log(a / hinge) + (1 - a) * math.log((1 - a) / (1 - hinge))
            assert math.exp(-n * kl) >= miss * (1 - 1e-9)


def test_limits_between_whole_numbers_rise() -> None:
    limits = least_mean(np.linspace(0, 30, 91), 30, 0.05)
    assert (np.diff(limits) >= 0).all()
    assert limits[-1] == pytest.approx(0.05 ** (1 / 30), abs=1e-9)


def test_a_spread_takes_an_effective_sample() -> None:
    # twice the variance: as if 50 of 100 had been asked
    assert float(least_share(20, 100, 0.05, 2.0)) == pytest.approx(float(least_share(10, 50, 0.05)))
    assert float(least_mean(20, 100, 0.05, 2.0)) == pytest.approx(float(least_mean(10, 50, 0.05)))
    by_study = least_share([20, 20], 100, 0.05, [1.0, 3.0])
    assert by_study[0] == float(least_share(20, 100, 0.05)) > by_study[1]
    # few enough successes for one effective one: the sum of the chances again
    assert float(least_share(2, 100, 0.05, 4.0)) == pytest.approx(0.05 * 2 / 100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 0, 0.05), "at least one trial"),
        ((3, 2, 0.05), "lies between 0 and 2"),
        ((-1, 2, 0.05), "lies between 0 and 2"),
        ((1, 2, 0.0), "probability to miss"),
        ((1, 2, 0.5), "probability to miss"),
        ((0.5, 2, 0.05), "whole numbers"),
        ((1, 2, 0.05, 0.5), "at least 1"),
        ((1, 2, 0.05, math.inf), "at least 1"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        least_share(*arguments)  # type: ignore[arg-type]
