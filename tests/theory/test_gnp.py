"""The simulation of G(n, p) against all small graphs, scipy's components, and the limits."""

import math
from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from unparrot.core.errors import BadInput
from unparrot.theory import gnp
from unparrot.theory.gnp import simulate_gnp, walked_edges
from unparrot.theory.threshold import (
    edge_probability,
    giant_share,
    isolated_expected,
    isolated_none,
    isolated_variance,
)


def shape(n: int, edges: list[tuple[int, int]]) -> tuple[int, int, int]:
    """Isolated vertices, components and largest component of a small graph."""
    group = list(range(n))
    for a, b in edges:
        old, new = group[a], group[b]
        group = [new if g == old else g for g in group]
    sizes = Counter(group)
    return sum(size == 1 for size in sizes.values()), len(sizes), max(sizes.values())


def mean_test(values: NDArray[np.int64], mean: float, variance: float) -> float:
    """The two-sided p-value of a mean that is normal about the law's."""
    z = (float(values.mean()) - mean) / math.sqrt(variance / len(values))
    return float(2 * stats.norm.sf(abs(z)))


@pytest.mark.parametrize(("n", "p"), [(2, 0.4), (4, 0.3), (5, 0.25), (6, 0.15)])
def test_law_over_all_small_graphs(n: int, p: float) -> None:
    pairs = list(combinations(range(n), 2))
    law: Counter[tuple[int, int, int]] = Counter()
    for chosen in product((0, 1), repeat=len(pairs)):
        used = [pair for pair, on in zip(pairs, chosen, strict=True) if on]
        law[shape(n, used)] += p ** len(used) * (1 - p) ** (len(pairs) - len(used))
    trials = 3000
    found = simulate_gnp(n, p, trials=trials, seed=3, components=True, threads=1)
    assert found.components is not None
    assert found.largest is not None
    rows = zip(
        found.isolated.tolist(), found.components.tolist(), found.largest.tolist(), strict=True
    )
    observed = Counter(rows)
    assert set(observed) <= set(law)
    common = [key for key in law if law[key] * trials >= 5]
    rare = 1 - sum(law[key] for key in common)
    expected = [law[key] * trials for key in common]
    counts = [observed[key] for key in common]
    if rare * trials > 1e-6:
        expected.append(rare * trials)
        counts.append(trials - sum(counts))
    assert stats.chisquare(counts, expected).pvalue > 1e-3
    # the kernel that only marks vertices is another program; its own seed, the same law
    marked = simulate_gnp(n, p, trials=trials, seed=4, threads=1).isolated
    weights = [sum(law[key] for key in law if key[0] == i) for i in range(n + 1)]
    kept = [i for i in range(n + 1) if weights[i] > 0]
    counts = np.bincount(marked, minlength=n + 1)
    assert counts.sum() == counts[kept].sum()
    result = stats.chisquare(counts[kept], np.array(weights)[kept] * trials)
    assert result.pvalue > 1e-3


def test_both_kernels_walk_the_same_edges() -> None:
    for n in (999, 1000):
        p = edge_probability(n, -1.0)
        with_components = simulate_gnp(n, p, trials=20, seed=5, components=True)
        marks = simulate_gnp(n, p, trials=20, seed=5)
        np.testing.assert_array_equal(with_components.isolated, marks.isolated)
        assert with_components.components is not None
        whole = with_components.components == 1
        np.testing.assert_array_equal(with_components.edges[~whole], marks.edges[~whole])


def test_edges_follow_the_binomial_law() -> None:
    n, p, trials = 300, 0.004, 3000  # some vertex is always isolated, so no walk ends early
    found = simulate_gnp(n, p, trials=trials, seed=6)
    assert found.isolated.min() > 0
    pairs = n * (n - 1) // 2
    law = stats.binom(pairs, p)
    cuts = [law.ppf(q) for q in np.arange(0.1, 1, 0.1)]
    counts = np.bincount(np.searchsorted(cuts, found.edges), minlength=10)
    chances = np.diff([0, *law.cdf(cuts), 1])
    assert stats.chisquare(counts, chances * trials).pvalue > 1e-3


def test_results_do_not_depend_on_threads() -> None:
    one, two = (
        simulate_gnp(2000, 0.001, trials=8, seed=7, components=True, threads=t) for t in (1, 2)
    )
    for name in ("isolated", "edges", "components", "largest"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    longer = simulate_gnp(2000, 0.001, trials=9, seed=7, components=True)
    np.testing.assert_array_equal(longer.isolated[:8], one.isolated)


def test_isolated_vertices_are_poisson_at_the_threshold() -> None:
    n = 20_000
    for c in (-1.0, 0.0):
        p = edge_probability(n, c)
        found = simulate_gnp(n, p, trials=400, seed=8)
        law = stats.poisson(isolated_expected(n, p))
        most = int(law.mean() + 1)
        counts = np.bincount(np.minimum(found.isolated, most), minlength=most + 1)
        chances = [*law.pmf(range(most)), law.sf(most - 1)]
        assert stats.chisquare(counts, 400 * np.array(chances)).pvalue > 1e-3
        share = found.none_isolated(level=0.999)
        assert share.low is not None
        assert share.high is not None
        assert share.low <= isolated_none(n, p) <= share.high


def test_isolated_vertices_below_the_threshold_have_the_exact_moments() -> None:
    n, p, trials = 3000, 2 / 3000, 2000
    found = simulate_gnp(n, p, trials=trials, seed=9)
    assert mean_test(found.isolated, isolated_expected(n, p), isolated_variance(n, p)) > 1e-3
    ratio = float(found.isolated.var(ddof=1)) / isolated_variance(n, p)
    # near normal: the variance ratio follows chi-square, 4 standard errors
    assert abs(ratio - 1) < 4 * math.sqrt(2 / trials)
    assert isolated_variance(n, p) > 1.1 * isolated_expected(n, p)  # not Poisson's


@pytest.mark.parametrize("degree", [1.5, 2.0, 4.0])
def test_giant_component_meets_its_limit(degree: float) -> None:
    n, trials = 20_000, 100
    found = simulate_gnp(n, degree / n, trials=trials, seed=10, components=True)
    assert found.largest is not None
    share = float(giant_share(degree))
    # the variance of the giant component (Stepanov 1970, Theory Probab. Appl. 15)
    spread = share * (1 - share) / (1 - degree * (1 - share)) ** 2
    assert mean_test(found.largest, n * share, n * spread) > 1e-3


def test_no_giant_below_mean_degree_one() -> None:
    found = simulate_gnp(50_000, 0.5 / 50_000, trials=5, seed=11, components=True)
    assert found.largest is not None
    assert found.largest.max() < 200


def test_dense_graphs_end_early() -> None:
    n = 200_000
    found = simulate_gnp(n, 0.3, components=True)
    assert found.components is not None
    assert found.components.tolist() == [1]
    assert found.edges[0] < 2 * walked_edges(n, 0.3) < n * n / 1000
    full = simulate_gnp(n, 1.0)
    assert (full.isolated[0], full.edges[0]) == (0, n - 1)  # the first round touches all
    empty = simulate_gnp(n, 0.0, components=True)
    assert (empty.isolated[0], empty.edges[0]) == (n, 0)


@pytest.mark.slow
def test_ten_million_vertices() -> None:
    n = 10**7
    p = edge_probability(n, -4.0)
    isolated = simulate_gnp(n, p, trials=2, seed=12)
    expected = isolated_expected(n, p)
    assert abs(isolated.isolated.sum() - 2 * expected) < 4 * math.sqrt(2 * expected)
    joined = simulate_gnp(n, 1.5 / n, seed=13, components=True)
    assert joined.largest is not None
    assert joined.largest[0] / n == pytest.approx(float(giant_share(1.5)), abs=0.002)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 2 * 10**9, "p": 1e-9}, "n = 2,000,000,000 is above 1,000,000,000 vertices; lower n"),
        ({"n": 1, "p": 0.5}, "vertices must be a whole number of at least 2, not 1"),
        ({"n": 10, "p": -0.1}, "must be in 0..1, not -0.1"),
        ({"n": 10, "p": 0.1, "trials": 0}, "trials must be .* not 0"),
        ({"n": 10, "p": 0.1, "seed": -1}, "seed must be .* not -1"),
        ({"n": 10**8, "p": 1e-7, "trials": 1000}, "walk some 5e.11 edges, above 1e.11; lower"),
        ({"n": 10, "p": 0.1, "threads": 0}, "threads"),
    ],
)
def test_bad_input(arguments: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        simulate_gnp(**arguments)


def test_memory_is_checked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse(need: int, what: str, remedy: str) -> None:
        asked.append(need)
        raise BadInput(f"{what}: {remedy}")

    monkeypatch.setattr(gnp, "require_bytes", refuse)
    with pytest.raises(BadInput, match="2 graphs of 1,000,000 vertices: lower n or the threads"):
        simulate_gnp(10**6, 1e-6, trials=5, components=True, threads=2)
    assert asked == [8_000_000]
