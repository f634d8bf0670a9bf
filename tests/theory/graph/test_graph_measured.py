"""The measured curve against hand arithmetic, brute force over all sets, and scipy's binomials."""

import itertools

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.stats import binom, norm

from unparrot.core.errors import BadInput
from unparrot.theory.graph import measured as curves
from unparrot.theory.graph.measured import PerformanceCurve


def columns(
    degree: ArrayLike, failed: ArrayLike, weights: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arrays of counts; all of one measure if no weights are given."""
    measure = np.ones(np.shape(degree)) if weights is None else np.asarray(weights)
    return np.asarray(degree), np.asarray(failed), measure


def performance_curve(*given: ArrayLike | None) -> PerformanceCurve:
    return curves.performance_curve(*columns(*given))


def chance_curve(*given: ArrayLike | None) -> PerformanceCurve:
    return curves.chance_curve(*columns(*given))


def split_half(
    degree: ArrayLike,
    failed: ArrayLike,
    alpha: ArrayLike,
    rng: np.random.Generator,
    splits: int = 10,
) -> np.ndarray:
    degree, failed, weights = columns(degree, failed)
    return curves.split_half(degree, failed, np.asarray(alpha), rng, weights, splits)


def test_by_hand() -> None:
    # rates .5 (w 1), .25 (w 3), .2 (w 4), and a tuple of weight 2 without pieces
    curve = performance_curve([10, 0, 20, 40], [2, 0, 10, 10], [4, 2, 1, 3])
    np.testing.assert_allclose(curve.alpha, [1 / 8, 4 / 8, 1])
    np.testing.assert_allclose(curve.failure, [0.5, 0.25, 0.2])
    assert curve.overall == 22 / 70
    # up to 1/8 the worst tuple alone; at 1/4 also a third of the second: 10 + 10/3 of 20 + 40/3
    expected = [0.5, 0.5, (10 + 10 / 3) / (20 + 40 / 3), 20 / 60, 22 / 70]
    np.testing.assert_allclose(curve.worst([0.01, 1 / 8, 1 / 4, 1 / 2, 1]), expected)
    # with 1/8 set aside, the rest fails on at most .25; with less, on up to .5
    np.testing.assert_array_equal(
        curve.quantile([0.12, 1 / 8, 0.4, 0.5, 0.9, 1]), [0.5, 0.25, 0.25, 0.2, 0.2, 0.2]
    )


def test_shares_that_rounding_moves() -> None:
    degree = np.full(10, 10)
    failed = np.arange(10)
    for weights in (None, np.full(10, 0.1)):
        curve = performance_curve(degree, failed, weights)
        # 3 of 10 set aside leave the rates 0 .. .6, whatever 0.1 + 0.1 + 0.1 is
        assert curve.quantile(0.1 + 0.1 + 0.1) == 0.6
        assert curve.quantile(0.3) == 0.6


def test_shape_of_alpha_is_kept() -> None:
    curve = performance_curve([2, 2], [1, 0])
    for shares in (0.5, [0.5], [[0.25, 0.5], [0.75, 1.0]]):
        for reading in (curve.quantile(shares), curve.worst(shares)):
            assert isinstance(reading, np.ndarray)
            assert reading.dtype == np.float64
            assert reading.shape == np.shape(shares)


@pytest.mark.parametrize("seed", range(5))
def test_worst_share_is_the_maximum_over_all_sets(seed: int) -> None:
    """Edges in proportion to measure: the ranking finds the worst of all 2^n sets of tuples."""
    rng = np.random.default_rng(seed)
    degree = rng.integers(1, 30, 9)
    failed = rng.binomial(degree, rng.random(9))
    curve = performance_curve(degree, failed, degree)
    sets = np.array(list(itertools.product([0, 1], repeat=9)), dtype=np.int64)[1:]
    share = sets @ degree / degree.sum()
    rates = (sets @ failed) / (sets @ degree)
    assert (rates <= curve.worst(share) + 1e-12).all()
    # and every point of the curve is one of those sets
    for alpha, rate in zip(curve.alpha, curve.worst(curve.alpha), strict=True):
        assert rates[np.isclose(share, alpha)].max() == pytest.approx(rate)


@pytest.mark.parametrize("seed", range(5))
def test_quantile_is_the_least_rate_that_leaves_alpha_above_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    degree = rng.integers(0, 6, 200)
    failed = rng.binomial(degree, 0.4)
    weights = rng.random(200)
    curve = performance_curve(degree, failed, weights)
    has = degree > 0
    rate, weight = failed[has] / degree[has], weights[has] / weights[has].sum()
    for alpha in rng.random(50):
        fits = [f for f in np.unique(rate) if weight[rate > f].sum() <= alpha]
        assert curve.quantile(alpha) == min(fits)


def test_readings_fall_and_the_worst_share_is_above_the_quantile() -> None:
    rng = np.random.default_rng(1)
    degree = rng.integers(0, 20, 500)
    curve = performance_curve(degree, rng.binomial(degree, 0.3), rng.random(500))
    alpha = np.linspace(0.001, 1, 700)
    worst, quantile = curve.worst(alpha), curve.quantile(alpha)
    assert (np.diff(worst) <= 1e-12).all()
    assert (np.diff(quantile) <= 0).all()
    assert (worst >= quantile - 1e-12).all()
    assert worst[-1] == pytest.approx(curve.overall)


def test_chance_alone_of_one_degree_is_the_binomial_tail() -> None:
    """500 tuples of 12 pieces at 1/4: the worst tenth is the mean of the upper binomial tail."""
    degree, failed = np.full(500, 12), np.full(500, 3)
    curve = chance_curve(degree, failed)
    tail, mean = 0.0, 0.0
    for count in range(12, -1, -1):  # the right part of the atom at the boundary
        part = min(float(binom.pmf(count, 12, 0.25)), 0.1 - tail)
        tail, mean = tail + part, mean + part * count / 12
    assert curve.worst(0.1) == pytest.approx(mean / 0.1, rel=1e-9)
    assert curve.quantile(0.1) == binom.isf(0.1, 12, 0.25) / 12
    assert curve.overall == pytest.approx(0.25, rel=1e-9)


def test_chance_with_many_pieces_is_the_normal_formula_of_the_module() -> None:
    pieces, rate, alpha = 100_000, 0.05, 0.1
    curve = chance_curve(np.full(50, pieces), np.full(50, int(pieces * rate)))
    z = norm.isf(alpha)
    bias = np.sqrt(rate * (1 - rate) / pieces) * norm.pdf(z) / alpha
    assert curve.worst(alpha) - rate == pytest.approx(bias, rel=0.01)
    assert curve.quantile(alpha) - rate == pytest.approx(
        np.sqrt(rate * (1 - rate) / pieces) * z, rel=0.05
    )


@pytest.mark.parametrize("mean_degree", [3, 40, 5000])
@pytest.mark.parametrize("weighted", [False, True])
def test_random_errors_lie_on_the_chance_curve(mean_degree: int, weighted: bool) -> None:
    """Random degrees (more than are kept apart) and random errors: five standard errors."""
    rng = np.random.default_rng(mean_degree)
    degree = rng.poisson(mean_degree * rng.gamma(4, 0.25, 40_000))
    failed = rng.binomial(degree, 0.2)
    weights = degree.astype(float) if weighted else None
    measured, chance = (f(degree, failed, weights) for f in (performance_curve, chance_curve))
    for alpha in (0.01, 0.1, 0.5):
        first = np.argsort(-measured.failure)[: int(alpha * 40_000)]
        error = measured.failure[first].std() / np.sqrt(alpha * 40_000) + 1e-4
        assert abs(measured.worst(alpha) - chance.worst(alpha)) < 5 * error
    assert chance.overall == pytest.approx(measured.overall, rel=1e-4)


@pytest.mark.parametrize("failed", [0, 4])
def test_chance_curve_without_chance(failed: int) -> None:
    curve = chance_curve([4, 4], [failed, failed])
    np.testing.assert_array_equal(curve.worst([0.1, 1]), [failed / 4] * 2)


def test_split_halves_undo_the_winners_curse() -> None:
    """Errors at random: the plain curve doubles the rate, the split halves find it.

    The mean of 20 samples is compared with five of its standard errors.
    """
    rng = np.random.default_rng(5)
    plain, crossed = [], []
    for _ in range(20):
        degree = rng.poisson(20, 1000)
        failed = rng.binomial(degree, 0.1)
        plain.append(float(performance_curve(degree, failed).worst(0.1)))
        crossed.append(float(split_half(degree, failed, 0.1, rng, splits=4)))
    assert np.mean(plain) > 0.2
    assert abs(np.mean(crossed) - 0.1) < 5 * np.std(crossed) / np.sqrt(20)
    assert np.std(crossed) < 0.02


def test_split_halves_and_the_plain_curve_enclose_the_truth() -> None:
    rng = np.random.default_rng(6)
    rates = np.repeat([0.4, 0.1], [100, 900])
    degree = rng.poisson(30, 1000)
    failed = rng.binomial(degree, rates)
    crossed = split_half(degree, failed, [0.1, 1.0], rng)
    assert 0.3 < crossed[0] < 0.4 < performance_curve(degree, failed).worst(0.1)
    assert crossed[1] == pytest.approx(failed.sum() / degree.sum(), rel=0.01)
    # with many pieces both find it
    degree = rng.poisson(30_000, 1000)
    failed = rng.binomial(degree, rates)
    assert split_half(degree, failed, 0.1, rng) == pytest.approx(0.4, rel=0.003)


def test_split_halves_of_more_pieces_than_numpy_can_draw_from() -> None:
    crossed = split_half([4 * 10**9, 5 * 10**9], [10**9, 0], [0.5, 1.0], np.random.default_rng(0))
    np.testing.assert_allclose(crossed, [0.25, 1 / 9], rtol=1e-3)


def test_split_halves_depend_on_the_generator_alone() -> None:
    degree, failed = [10, 20, 30], [3, 6, 2]
    first, again, other = (
        split_half(degree, failed, 0.4, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_counts_without_a_curve() -> None:
    for measure in (performance_curve, chance_curve):
        with pytest.raises(BadInput, match="no tuple has a piece"):
            measure([0, 0], [0, 0])
    with pytest.raises(BadInput, match="no tuple has two pieces"):
        split_half([1, 0], [1, 0], 0.5, np.random.default_rng(0))
