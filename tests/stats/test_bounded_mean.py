"""Gaffke's test: against McNemar, Clopper and Pearson, drawn weights, and its level."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from unparrot.core.errors import BadInput
from unparrot.stats.bounded_mean import least_difference, mean_exceeds_p


@pytest.mark.parametrize(
    ("gained", "lost", "neither"), [(6, 0, 14), (12, 1, 100), (60, 20, 0), (3, 3, 3), (200, 50, 9)]
)
def test_of_three_values_it_is_the_test_of_mcnemar(gained: int, lost: int, neither: int) -> None:
    p = float(mean_exceeds_p([1.0] * gained + [-1.0] * lost + [0.0] * neither))
    assert p == pytest.approx(binom.sf(gained - 1, gained + lost, 0.5), rel=1e-9)


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (1, 5), (5, 5), (12, 100), (190, 200)])
@pytest.mark.parametrize("miss", [0.05, 1e-4])
def test_of_two_values_it_is_the_limit_of_clopper_and_pearson(
    hits: int, n: int, miss: float
) -> None:
    share = (float(least_difference([1.0] * hits + [-1.0] * (n - hits), miss)) + 1) / 2
    exact = beta.ppf(miss, hits, n - hits + 1) if hits else 0.0
    assert share == pytest.approx(exact, abs=3e-8)
    assert share <= exact


def test_p_is_the_share_of_drawn_weights() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-3, 4, size=12) / 3
    weights = rng.exponential(size=(400_000, 13))
    for m in (-0.5, -0.2, 0.0):
        share = (weights @ (np.append(x, -1.0) - m) <= 0).mean()
        assert float(mean_exceeds_p(x, m)) == pytest.approx(share, abs=0.003)


def test_the_limit_is_where_p_reaches_the_error_and_rows_are_apart() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(-2, 3, size=(2, 3, 40)) / 2
    low = least_difference(x, 0.01)
    assert low.shape == (2, 3)
    assert mean_exceeds_p(x, low) == pytest.approx(0.01, rel=1e-4)
    for i in range(2):
        for j in range(3):
            assert low[i, j] == pytest.approx(float(least_difference(x[i, j], 0.01)), abs=1e-12)
    assert (low < x.mean(axis=-1)).all()


@pytest.mark.parametrize("losing", [0.02, 0.1, 0.5])
def test_the_level_holds_for_lopsided_means_of_texts(losing: float) -> None:
    # a few pairs are lost throughout, the others won now and then: a mean of exactly 0
    rng, studies, miss = np.random.default_rng(3), 4000, 0.05
    sizes = 1 + rng.poisson(1.2, (studies, 60))
    lost = rng.random(sizes.shape) < losing
    x = np.where(lost, -1.0, rng.binomial(sizes, min(1.0, losing / (1 - losing))) / sizes)
    wrong = int((mean_exceeds_p(x) <= miss).sum())
    assert binom.sf(wrong - 1, studies, miss) > 1e-3


def test_differences_that_cannot_be_are_refused() -> None:
    for x in ([], 0.5, [1.5], [float("nan")]):
        with pytest.raises(BadInput):
            mean_exceeds_p(x)
    with pytest.raises(BadInput, match="the mean of differences"):
        mean_exceeds_p([0.5], -1.0)
    with pytest.raises(BadInput, match=r"under 0\.25, not 0\.3"):
        least_difference([0.5], 0.3)
