"""Whole simulations: threads, blocks, passes, and what is the same however it is run."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.core.machine import thread_count
from unparrot.theory.graph import simulate as simulate_module
from unparrot.theory.graph.draws import over_blocks
from unparrot.theory.graph.error_models import (
    Clique,
    ConcentratedErrors,
    Errors,
    RandomErrors,
    SkillErrors,
    Star,
    WorstCase,
)
from unparrot.theory.graph.graph_spec import GraphSpec, PowerLaw
from unparrot.theory.graph.simulate import MOST_SAMPLED, GraphCounts, simulate
from unparrot.theory.graph.stored import SkillGraph, store_graph

MODELS: list[Errors] = [
    RandomErrors(0.1),
    SkillErrors([0.02] * 40),
    ConcentratedErrors(0.1, [2, 3]),
    WorstCase(0.1, Clique(range(4), 1)),
    WorstCase(0.1, Star([3], 2)),
]


def same(one: GraphCounts, two: GraphCounts) -> bool:
    assert one.tuples is not None
    assert two.tuples is not None
    arrays = [
        (one.degree, two.degree),
        (one.failed, two.failed),
        (one.tuples.degree, two.tuples.degree),
        (one.tuples.failed, two.tuples.failed),
    ]
    return (
        all(np.array_equal(a, b) for a, b in arrays)
        and one.failed_pieces == two.failed_pieces
        and one.chosen == two.chosen
    )


@pytest.mark.parametrize("errors", MODELS, ids=lambda e: type(e).__name__)
def test_threads_do_not_change_a_digit(errors: Errors, monkeypatch: pytest.MonkeyPatch) -> None:
    # small blocks, so that three threads take turns over hundreds of them
    monkeypatch.setattr(simulate_module, "_BLOCK_WORK", 5000)
    spec = GraphSpec(40, 30_000, (0.1, 0.1, 0.3, 0.5), repeats=False, frequencies=PowerLaw(1))
    one = simulate(spec, errors, tuple_size=2, threads=1)
    assert same(one, simulate(spec, errors, tuple_size=2, threads=3))
    assert same(one, simulate(spec, errors, tuple_size=2, threads=2))


def test_bytes_that_carry_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, errors = GraphSpec(40, 20_000, 4), RandomErrors(0.3)
    whole = simulate(spec, errors, tuple_size=2, threads=1)
    monkeypatch.setattr(simulate_module, "_BLOCK_WORK", 5000)
    assert same(whole, simulate(spec, errors, tuple_size=2, threads=2))
    monkeypatch.setattr(simulate_module, "FEW_VALUES", 0)
    assert same(whole, simulate(spec, errors, tuple_size=2, threads=2))


def test_the_seed_changes_everything() -> None:
    spec = GraphSpec(100, 10_000, 4, seed=1)
    one, two = simulate(spec, RandomErrors(0.2)), simulate(replace(spec, seed=2), RandomErrors(0.2))
    assert (one.degree != two.degree).mean() > 0.8


def test_random_errors_leave_the_graph_as_it_is() -> None:
    spec = GraphSpec(100, 10_000, 4)
    one, two = simulate(spec, RandomErrors(0.2)), simulate(spec, RandomErrors(0.3))
    assert one.degree.tolist() == two.degree.tolist()
    assert (one.failed <= two.failed).all()  # the same coins, under a higher threshold


@pytest.mark.parametrize("pieces", [1, 2, 7, 1023, 1025, 40_001])
@pytest.mark.parametrize("theta", [0.001, 0.137, 0.5, 0.999])
def test_the_worst_case_fails_just_as_many_pieces_as_asked(pieces: int, theta: float) -> None:
    spec = GraphSpec(50, pieces, 5, seed=pieces)
    chosen = Clique([0, 10, 20], 1)
    counts = simulate(spec, WorstCase(theta, chosen), threads=2)
    wanted = int(theta * pieces + 0.5)
    assert counts.failed_pieces == wanted
    graph = store_graph(spec, WorstCase(theta, chosen))
    held = np.isin(graph.skills, chosen.skills).reshape(pieces, 5).sum(axis=1)
    assert counts.chosen is not None
    assert counts.chosen.failed == np.sort(held)[::-1][:wanted].sum() == held[graph.failed].sum()
    if 0 < wanted < pieces:
        assert held[graph.failed].min() >= held[~graph.failed].max()
        ties = np.flatnonzero(held == held[graph.failed].min())
        # of those with equal scores the first ones fail
        assert graph.failed[ties].tolist() == sorted(graph.failed[ties].tolist(), reverse=True)


def test_sets_of_single_skills_agree() -> None:
    spec = GraphSpec(50, 20_000, 5)
    named = [1, 4, 9]
    found = [
        simulate(spec, WorstCase(0.1, chosen))
        for chosen in (
            Clique(named, 1),
            Star(named, 1),
        )
    ]
    assert all(one.chosen == found[0].chosen for one in found)
    assert all(one.failed.tolist() == found[0].failed.tolist() for one in found)


def test_shares_of_the_set() -> None:
    # Clique of 10 among 50: alpha = 0.2^2; with theta far above the pieces that hold one of its
    # pairs all of them fail
    counts = simulate(GraphSpec(50, 100_000, 3), WorstCase(0.5, Clique(range(10), 2)))
    assert counts.chosen is not None
    assert counts.chosen.edges == 300_000
    assert counts.chosen.alpha == pytest.approx(0.04, abs=0.002)
    assert counts.chosen.failure == 1


def test_pieces_of_every_size() -> None:
    spec = GraphSpec(2000, 3, 65_536, seed=1)
    counts = simulate(spec, RandomErrors(0.5))
    assert counts.edges == 3 * 65_536
    mixed = GraphSpec(10, 5000, (0.5, *[0.0] * 998, 0.5))
    assert simulate(mixed, RandomErrors(0.5)).edges % 999 == 0


def test_an_error_in_one_thread_ends_them_all() -> None:
    done: list[int] = []

    def work(_: list[int], number: int, first: int, last: int) -> None:
        done.append(number)
        if number == 5:
            raise BadInput(f"pieces {first} to {last}")

    with pytest.raises(BadInput, match="pieces 50 to 60"):
        over_blocks("blocks", 10**9, 10, 2, list, work)
    assert len(done) < 10**6


def test_blocks_cover_all_pieces_once() -> None:
    rooms = over_blocks("blocks", 103, 10, 3, list, lambda room, _, a, b: room.extend(range(a, b)))
    assert sorted(chain(*rooms)) == list(range(103))
    assert thread_count(None) >= 1
    assert MOST_SAMPLED >= 10**6


@pytest.mark.parametrize(
    ("indptr", "skills", "failed", "message"),
    [
        ([0, 1], [0], [True, False], "2 pieces must have row bounds"),
        ([0, 2], [0], [True], r"from 0 to the number of edges, 1; not array\(\[0, 2\]\)"),
        ([0, 2, 1, 3], [0, 1, 2], [True] * 3, "that rise from 0 to the number of edges, 3"),
        ([0, 1], [3], [True], "from 0 to 2, not from 3 to 3"),
    ],
)
def test_rows_that_do_not_fit(
    indptr: list[int], skills: list[int], failed: list[bool], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        SkillGraph(np.array(indptr), np.array(skills, np.int32), np.array(failed), 3)
