"""Intervals against published values, an independent program, and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.bootstrap import bootstrap_mean
from unparrot.stats.intervals import wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe (1998), "Two-sided confidence intervals for the single proportion", Statistics
        # in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_published_values(
    successes: int, n: int, low: float, high: float
) -> None:
    estimate = wilson(successes, n)
    assert estimate.value == successes / n
    assert estimate.low == pytest.approx(low, abs=5e-5)
    assert estimate.high == pytest.approx(high, abs=5e-5)
    assert (estimate.method, estimate.n, estimate.level) == ("wilson", n, 0.95)


@given(
    st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.5, 0.9, 0.95, 0.999]),
)
def test_wilson_agrees_with_scipy(counts: tuple[int, int], level: float) -> None:
    successes, n = counts
    estimate = wilson(successes, n, level)
    expected = binomtest(successes, n).proportion_ci(level, method="wilson")
    assert estimate.low == pytest.approx(expected.low, abs=1e-12)
    assert estimate.high == pytest.approx(expected.high, abs=1e-12)


def test_wilson_ends_are_exact_at_nothing_and_all() -> None:
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0


def test_wilson_of_nothing_is_nothing() -> None:
    assert wilson(0, 0) == Estimate(None, None, None, 0.95, "wilson", 0)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_wilson_covers_at_about_its_level(share: float) -> None:
    # exact: the probability of every count, summed over those whose interval holds the share
    n = 200
    covered = 0.0
    for successes in range(n + 1):
        estimate = wilson(successes, n)
        if estimate.low <= share <= estimate.high:  # type: ignore[operator]
            covered += float(binom.pmf(successes, n, share))
    assert 0.93 < covered < 0.97


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, -1), (1.5, 3)])
def test_wilson_rejects_what_is_no_count(successes: float, n: int) -> None:
    with pytest.raises(BadInput, match="successes"):
        wilson(successes, n)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0.0, 1.0, 95, float("nan")])
def test_levels_lie_between_zero_and_one(level: float) -> None:
    with pytest.raises(BadInput, match="level"):
        wilson(1, 2, level)
    with pytest.raises(BadInput, match="level"):
        bootstrap_mean([1.0, 2.0], np.random.default_rng(0), level)


def test_bootstrap_of_a_large_sample_is_the_normal_interval() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(3, 2, size=2000)
    estimate = bootstrap_mean(values, rng, resamples=4000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert (estimate.method, estimate.n) == ("bootstrap", 2000)


def test_bootstrap_covers_at_about_its_level() -> None:
    rng = np.random.default_rng(2)
    trials, covered = 600, 0
    for _ in range(trials):
        # skill fractions look like this: few values between 0 and 1
        values = rng.choice([0.0, 0.5, 1.0], p=[0.5, 0.2, 0.3], size=80)
        estimate = bootstrap_mean(values, rng, level=0.9, resamples=400)
        covered += estimate.low <= 0.4 <= estimate.high  # type: ignore[operator]
    # 90 % +- four standard deviations of 600 trials (1.2 points each)
    assert 0.85 < covered / trials < 0.95


def test_clusters_widen_the_interval_by_what_they_share() -> None:
    rng = np.random.default_rng(3)
    values = np.repeat(rng.normal(size=100), 25)
    labels = np.repeat(np.arange(100), 25)
    alone = bootstrap_mean(values, rng, resamples=2000)
    together = bootstrap_mean(values, rng, resamples=2000, clusters=labels)
    # 25 equal values count for one: the interval is sqrt(25) = 5 times as wide
    ratio = (together.high - together.low) / (alone.high - alone.low)  # type: ignore[operator]
    assert ratio == pytest.approx(5, rel=0.12)
    assert together.method == "cluster bootstrap"


def test_cluster_bootstrap_covers_where_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(4)
    trials, covered = 300, 0
    labels = [f"combination {i}" for i in np.repeat(np.arange(40), 4)]
    for _ in range(trials):
        values = np.repeat(rng.random(40), 4)
        estimate = bootstrap_mean(values, rng, level=0.9, resamples=300, clusters=labels)
        covered += estimate.low <= 0.5 <= estimate.high  # type: ignore[operator]
    assert 0.83 < covered / trials < 0.96


def test_clusters_of_one_are_the_plain_bootstrap() -> None:
    values = np.random.default_rng(5).random(50)
    plain = bootstrap_mean(values, np.random.default_rng(6))
    single = bootstrap_mean(values, np.random.default_rng(6), clusters=list(range(50)))
    assert single.low == pytest.approx(plain.low)
    assert single.high == pytest.approx(plain.high)


def test_the_same_generator_gives_the_same_interval_in_any_number_of_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(7).random(60)
    whole = bootstrap_mean(values, np.random.default_rng(8))
    monkeypatch.setattr("unparrot.stats.bootstrap._CHUNK", 100)
    assert bootstrap_mean(values, np.random.default_rng(8)) == whole


def test_too_few_values_have_no_interval() -> None:
    rng = np.random.default_rng(0)
    assert bootstrap_mean([], rng).value is None
    lonely = bootstrap_mean([0.5], rng)
    assert (lonely.value, lonely.low, lonely.high, lonely.n) == (0.5, None, None, 1)
    one_cluster = bootstrap_mean([0.0, 1.0], rng, clusters=["a", "a"])
    assert (one_cluster.value, one_cluster.low, one_cluster.n) == (0.5, None, 2)


def test_bootstrap_rejects_what_it_cannot_use() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(BadInput, match="finite, but 1"):
        bootstrap_mean([0.0, float("nan")], rng)
    with pytest.raises(BadInput, match="shape"):
        bootstrap_mean([[0.0, 1.0]], rng)
    with pytest.raises(BadInput, match="3 cluster labels for 2"):
        bootstrap_mean([0.0, 1.0], rng, clusters=[1, 2, 3])
    with pytest.raises(BadInput, match="100 resamples"):
        bootstrap_mean([0.0, 1.0], rng, resamples=10)
