"""Ranks of tuples, their measure, samples of them, and their counts."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, combinations_with_replacement, product
from math import comb

import numpy as np
import pytest
from scipy import stats

from unparrot.core.errors import BadInput
from unparrot.theory.graph.error_models import RandomErrors
from unparrot.theory.graph.graph_spec import Given, GraphSpec, PowerLaw
from unparrot.theory.graph.simulate import EXACT_TUPLES, SAMPLE_TUPLES, simulate
from unparrot.theory.graph.tuples import (
    rank,
    rank_set,
    rank_table,
    require_rankable,
    sample_tuples,
    tuple_total,
    tuple_weights,
    unrank,
)


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_ranks_number_all_tuples_without_a_gap(size: int, repeats: bool) -> None:
    skills = 9
    every = combinations_with_replacement if repeats else combinations
    members = np.array(list(every(range(skills), size)))
    table = rank_table(skills, size, repeats)
    ranks = rank(members[:, ::-1], table)
    assert sorted(ranks.tolist()) == list(range(tuple_total(skills, size, repeats)))
    assert unrank(ranks, table).tolist() == members.tolist()
    # in the order of the largest skill, then the second largest, ...
    assert sorted(members.tolist(), key=lambda t: t[::-1]) == unrank(np.sort(ranks), table).tolist()


def test_the_largest_ranks() -> None:
    skills, size = 10**6, 3
    table = rank_table(skills, size, repeats=True)
    last = np.array([[skills - 1] * size])
    assert int(rank(last, table)[0]) == tuple_total(skills, size, repeats=True) - 1
    assert unrank(rank(last, table), table).tolist() == last.tolist()
    with pytest.raises(BadInput, match=r"4.17e\+22 tuples of 4 of 1,000,000 skills"):
        require_rankable(skills, 4, repeats=False)


@pytest.mark.parametrize("frequencies", [PowerLaw(0), PowerLaw(1.0), Given([1, 5, 0, 2])])
@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("size", [2, 3])
def test_weights_are_the_law_of_a_piece_of_that_size(
    frequencies: PowerLaw | Given, repeats: bool, size: int
) -> None:
    spec = GraphSpec(4, 10, 3, repeats, frequencies)
    p, law = spec.probabilities, Counter[tuple[int, ...]]()
    for order in product(range(4), repeat=size):
        chance, left = 1.0, 1.0
        for at, s in enumerate(order):
            chance *= 0.0 if not repeats and s in order[:at] else p[s] / left
            left -= 0.0 if repeats else p[s]
        if chance > 0:
            law[tuple(sorted(order))] += chance
    table, total = rank_table(4, size, repeats), tuple_total(4, size, repeats)
    weights = tuple_weights(spec, table, total)
    members = unrank(np.arange(total), table)
    assert weights.tolist() == pytest.approx([law[tuple(m)] for m in members.tolist()])
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("repeats", [True, False])
def test_a_sample_is_drawn_by_the_weights(repeats: bool) -> None:
    spec = GraphSpec(8, 10, 4, repeats, PowerLaw(0.7), seed=5)
    table, total = rank_table(8, 3, repeats), tuple_total(8, 3, repeats)
    expected = tuple_weights(spec, table, total)
    ids, shares = sample_tuples(spec, table, 50_000)
    found = np.zeros(total)
    found[ids] = shares * 50_000
    assert (np.diff(ids) > 0).all()
    assert stats.chisquare(found, expected * 50_000).pvalue > 1e-4


def test_sampled_counts_are_those_of_the_exact_table() -> None:
    spec = GraphSpec(60, 30_000, (0.1, 0.2, 0.3, 0.2, 0.2), seed=6)
    full = simulate(spec, RandomErrors(0.2), tuple_size=2).tuples
    some = simulate(spec, RandomErrors(0.2), tuple_size=2, sample=500).tuples
    assert full is not None
    assert some is not None
    assert (full.sampled, some.sampled, some.total) == (None, 500, comb(61, 2))
    assert len(some.ids) < 500  # some are drawn twice
    assert some.weights.sum() == pytest.approx(1)
    assert some.degree.tolist() == full.degree[some.ids].tolist()
    assert some.failed.tolist() == full.failed[some.ids].tolist()


def test_too_many_tuples_are_sampled() -> None:
    spec = GraphSpec(12_000, 2000, 3, seed=7)
    tuples = simulate(spec, RandomErrors(0.5), tuple_size=2).tuples
    assert tuples is not None
    assert tuples.total > EXACT_TUPLES
    assert tuples.sampled == SAMPLE_TUPLES
    # 6,000 pairs of pieces among 7.2e7 that the 10^5 draws could meet: 8.3 meetings expected
    assert stats.poisson.cdf(tuples.degree.sum(), 6000 * SAMPLE_TUPLES / tuples.total) > 1e-4


def test_exact_pairs_scatter_as_multinomial_counts_do() -> None:
    # one pair a piece, so that the pairs are independent
    spec = GraphSpec(100, 1_000_000, 2, repeats=False, seed=8)
    tuples = simulate(spec, RandomErrors(0.1), tuple_size=2).tuples
    assert tuples is not None
    assert len(tuples.ids) == 4950
    p = float(stats.chisquare(tuples.degree).pvalue)
    assert 1e-4 < p < 1 - 1e-4
    table = np.stack([tuples.failed, tuples.degree - tuples.failed])
    assert 1e-4 < stats.chi2_contingency(table).pvalue < 1 - 1e-4


def test_bytes_carry_over() -> None:
    # two skills: every count is far above 255
    spec = GraphSpec(2, 100_000, 3, repeats=True, seed=9)
    tuples = simulate(spec, RandomErrors(0.5), tuple_size=2, threads=2).tuples
    assert tuples is not None
    assert tuples.degree.sum() == 300_000
    assert stats.binomtest(int(tuples.degree[1]), 300_000, 0.5).pvalue > 1e-4


def test_a_set_of_ranks_holds_each_once() -> None:
    held = rank_set(np.array([5, 3, 5, 2**62]))
    assert held.ranks.tolist() == [3, 5, 2**62]
    assert sorted(held.slots[held.slots >= 0].tolist()) == [0, 1, 2]
