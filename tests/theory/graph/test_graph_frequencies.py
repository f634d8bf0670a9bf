"""Frequencies, alias tables, and the laws of what is drawn by them."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from unparrot.theory.graph.error_models import ConcentratedErrors, RandomErrors, SkillErrors
from unparrot.theory.graph.graph_spec import Given, GraphSpec, PowerLaw
from unparrot.theory.graph.rng import ALIAS_BITS, COIN_BITS, alias_table
from unparrot.theory.graph.simulate import simulate
from unparrot.theory.graph.stored import store_graph


def law_of(table: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The probabilities that a table draws with, column by column."""
    n = len(table)
    own = (table >> np.uint64(ALIAS_BITS)).astype(np.float64) / 2**COIN_BITS
    alias = (table & np.uint64(2**ALIAS_BITS - 1)).astype(np.int64)
    return (own + np.bincount(alias, weights=1 - own, minlength=n)) / n


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60).filter(any))
@settings(max_examples=100)
def test_a_table_has_the_law_it_was_made_for(weights: list[int]) -> None:
    law = np.array(weights) / sum(weights)
    found = law_of(alias_table(law))
    assert found == pytest.approx(law, abs=1e-13)
    assert (found[law == 0] == 0).all()


def test_a_table_of_a_million_values() -> None:
    law = PowerLaw(1.1).probabilities(10**6)
    assert np.abs(law_of(alias_table(law)) / law - 1).max() < 1e-6


def test_power_law() -> None:
    # 1 + 1/2 + 1/4 = 7/4 for the ranks 1, 2, 4 of exponent 1: shares by hand for three skills
    assert PowerLaw(1).probabilities(3) == pytest.approx([6 / 11, 3 / 11, 2 / 11])
    assert Given([2, 1, 1]).probabilities(3).tolist() == [0.5, 0.25, 0.25]


def test_degrees_follow_their_distribution() -> None:
    degree = (0.1, 0.0, 0.35, 0.3, 0.25)
    graph = store_graph(GraphSpec(50, 200_000, degree, seed=1), RandomErrors(0.5))
    counts = np.bincount(np.diff(graph.indptr), minlength=5)
    assert counts[1] == 0
    expected = 200_000 * np.array(degree)[[0, 2, 3, 4]]
    assert stats.chisquare(counts[[0, 2, 3, 4]], expected).pvalue > 1e-4


def set_counts(spec: GraphSpec) -> list[int]:
    """How many pieces are each set of skills, sets in the order of `combinations`."""
    members = np.sort(store_graph(spec, RandomErrors(0.5)).skills.reshape(spec.pieces, -1), axis=1)
    keys = (1 << members.astype(np.int64)).sum(axis=1)
    counts = np.bincount(keys, minlength=1 << spec.skills)
    sets = combinations(range(spec.skills), spec.max_degree)
    return [int(counts[sum(1 << s for s in members)]) for members in sets]


@pytest.mark.parametrize(("skills", "degree"), [(6, 3), (10, 8), (7, 1)])
def test_without_repeats_all_sets_are_equally_likely(skills: int, degree: int) -> None:
    found = set_counts(GraphSpec(skills, 100_000, degree, repeats=False, seed=2))
    assert sum(found) == 100_000
    assert stats.chisquare(found).pvalue > 1e-4


def test_successive_sampling() -> None:
    """Each set by the sum over the orders in which it can be drawn."""
    weights = [8.0, 4.0, 2.0, 1.0, 1.0]
    spec = GraphSpec(5, 100_000, 3, repeats=False, frequencies=Given(weights), seed=3)
    p = spec.probabilities
    expected = [
        sum(p[a] * p[b] / (1 - p[a]) * p[c] / (1 - p[a] - p[b]) for a, b, c in permutations(chosen))
        for chosen in combinations(range(5), 3)
    ]
    assert sum(expected) == pytest.approx(1)
    assert stats.chisquare(set_counts(spec), 1e5 * np.array(expected)).pvalue > 1e-4


def test_a_skill_of_frequency_0_is_never_drawn() -> None:
    for repeats in (True, False):
        spec = GraphSpec(4, 10_000, 3, repeats, Given([1, 0, 3, 2]))
        assert simulate(spec, RandomErrors(0.5)).degree[1] == 0


def test_rates_of_skills_make_pieces_fail() -> None:
    # two skills drawn with 3/4 and 1/4, rates 0.1 and 0.5: a position passes with 0.8, a piece of
    # three with 0.512
    spec = GraphSpec(2, 400_000, 3, frequencies=Given([3, 1]), seed=4)
    counts = simulate(spec, SkillErrors([0.1, 0.5]))
    assert stats.binomtest(counts.failed_pieces, spec.pieces, 1 - 0.512).pvalue > 1e-4
    # an edge to skill 1 passes with 0.5 * 0.8^2
    edges = int(counts.degree[1])
    excess = counts.failed[1] / edges - (1 - 0.32)
    assert abs(excess) < 5 * (3 / edges) ** 0.5  # pieces with it three times are no three cases


@pytest.mark.parametrize(
    "spec",
    [
        GraphSpec(30, 300_000, 4, seed=5),
        GraphSpec(30, 300_000, 4, repeats=False, seed=6),
        GraphSpec(30, 300_000, (0.2, 0.2, 0.2, 0.4), repeats=False, seed=7),
        GraphSpec(30, 300_000, 4, frequencies=PowerLaw(1), seed=8),
        GraphSpec(30, 300_000, 4, repeats=False, frequencies=PowerLaw(1), seed=9),
    ],
)
def test_concentrated_errors_keep_theta(spec: GraphSpec) -> None:
    named = [1, 20]
    errors = ConcentratedErrors(0.08, named)
    graph = store_graph(spec, errors)
    held = np.zeros(spec.pieces, np.bool_)
    piece = np.repeat(np.arange(spec.pieces), np.diff(graph.indptr))
    held[piece[np.isin(graph.skills, named)]] = True
    inside, outside = int(graph.failed[held].sum()), int(graph.failed[~held].sum())
    assert stats.binomtest(inside, spec.pieces, 0.08).pvalue > 1e-4
    assert outside == 0


def test_concentrated_errors_where_every_piece_holds_one() -> None:
    counts = simulate(GraphSpec(5, 50_000, 3), ConcentratedErrors(0.3, range(5)))
    assert stats.binomtest(counts.failed_pieces, 50_000, 0.3).pvalue > 1e-4
    assert counts.spec.frequencies == PowerLaw(0)
