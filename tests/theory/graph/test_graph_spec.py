"""Specs, error models and sets: what is refused, and that the message names value and remedy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unparrot.core import machine
from unparrot.core.errors import BadInput
from unparrot.theory.graph.error_models import (
    Clique,
    ConcentratedErrors,
    Errors,
    RandomErrors,
    SkillErrors,
    Star,
    WorstCase,
)
from unparrot.theory.graph.graph_spec import Given, GraphSpec, PowerLaw
from unparrot.theory.graph.simulate import simulate
from unparrot.theory.graph.stored import store_graph

SPEC = GraphSpec(20, 100, 4)
DISTINCT = GraphSpec(20, 100, 4, repeats=False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GraphSpec(0, 10, 2), "number of skills .* not 0"),
        (lambda: GraphSpec(2**20 + 1, 10, 2), "from 1 to 1,048,576, not 1048577"),
        (lambda: GraphSpec(10, 0, 2), "number of pieces .* not 0"),
        (lambda: GraphSpec(10, -5, 2), "number of pieces .* not -5"),
        (lambda: GraphSpec(10, 10.5, 2), "whole number from 1 to .*, not 10.5"),
        (lambda: GraphSpec(10, True, 2), "not True"),
        (lambda: GraphSpec(10, 10, 0), "degree .* not 0"),
        (lambda: GraphSpec(10, 10, 2, seed=-1), "seed .* not -1"),
        (lambda: GraphSpec(10, 10, 2, seed=2**64), "seed"),
        (lambda: GraphSpec(10, 10, ()), "largest degree|sum to 1"),
        (lambda: GraphSpec(10, 10, (1.0,)), "largest degree"),
        (lambda: GraphSpec(10, 10, (0.5, 0.4)), "must sum to 1, not 0.9"),
        (lambda: GraphSpec(10, 10, (1.5, -0.5)), "probabilities .* number 0 is 1.5"),
        (lambda: GraphSpec(10, 10, 11, repeats=False), "11 different skills .* allow repeats"),
        (lambda: GraphSpec(3, 10, 2, False, Given([1, 0, 0])), "from the 1 that have"),
        (lambda: GraphSpec(1000, 9, 50, False, PowerLaw(4)), "flatten the frequencies"),
        (lambda: GraphSpec(3, 10, 2, frequencies=Given([1, 2])), "2 frequencies for 3 skills"),
        (lambda: Given([0.0, 0.0]), "positive sum"),
        (lambda: Given([1.0, -1.0]), "number 1 is -1.0"),
        (lambda: Given([1.0, float("nan")]), "number 1 is nan"),
        (lambda: Given(["often"]), "must all be numbers"),
        (lambda: Given([[1.0], [2.0]]), "plain list"),
        (lambda: PowerLaw(-0.1), "at least 0, not -0.1"),
        (lambda: RandomErrors(0.0), "theta .* not 0.0"),
        (lambda: RandomErrors(1.0), "theta .* not 1.0"),
        (lambda: WorstCase(1.2, Clique([1], 1)), "theta .* not 1.2"),
        (lambda: ConcentratedErrors(-0.1, [1]), "theta .* not -0.1"),
        (lambda: ConcentratedErrors(0.1, []), "holds no skill"),
        (lambda: SkillErrors([0.1, 1.1]), "number 1 is 1.1"),
        (lambda: Clique([3, 3], 1), "skill 3 more than once"),
        (lambda: Clique([-1], 1), "not -1"),
        (lambda: Clique([1, 2], 0), "k' .* not 0"),
    ],
)
def test_refused_when_made(make: Callable[[], object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make()


@pytest.mark.parametrize("run", [simulate, store_graph])
@pytest.mark.parametrize(
    ("spec", "errors", "message"),
    [
        (SPEC, SkillErrors([0.1] * 19), "19 failure rates for 20 skills"),
        (SPEC, ConcentratedErrors(0.1, [20]), "skill 20 .* 0 to 19"),
        (SPEC, WorstCase(0.1, Clique([25], 1)), "skill 25"),
        (SPEC, WorstCase(0.1, Clique([1, 2], 5)), "k' = 5 .* k = 4"),
        # 1 - (19/20)^4 = 0.185 of the pieces hold skill 0
        (
            SPEC,
            ConcentratedErrors(0.2, [0]),
            "theta = 0.2 .* among the 0.1855",
        ),
    ],
)
def test_refused_for_the_graph(
    run: Callable[[GraphSpec, Errors], object], spec: GraphSpec, errors: Errors, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        run(spec, errors)


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (SPEC, {"tuple_size": 5}, "k' = 5 is more than the largest degree of a piece, k = 4"),
        (SPEC, {"tuple_size": 0}, "k' .* not 0"),
        (SPEC, {"sample": 10}, "all single skills"),
        (SPEC, {"tuple_size": 2, "sample": 0}, "sample of tuples .* not 0"),
        (SPEC, {"threads": 0}, "threads .* not 0"),
        (GraphSpec(100, 10, 60), {"tuple_size": 30}, "1.18e\\+17 tuples of 30"),
        (GraphSpec(10**6, 10, 8), {"tuple_size": 4}, "numbered"),
        (
            GraphSpec(20, 10, 10, False, PowerLaw(1)),
            {"tuple_size": 9},
            "up to k' = 8; count a sample",
        ),
    ],
)
def test_refused_options(spec: GraphSpec, options: dict[str, int], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        simulate(spec, RandomErrors(0.1), **options)


def test_more_memory_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_bytes", lambda: 50 << 20)
    spec = GraphSpec(5000, 10**10, 8)
    with pytest.raises(BadInput, match=r"12,502,500 tuples in 2 .* need .* 50 MiB .* sample"):
        simulate(spec, RandomErrors(0.1), tuple_size=2, threads=2)
    with pytest.raises(BadInput, match=r"10,000,000,000 pieces .* need 382 GiB .* simulate"):
        store_graph(spec, RandomErrors(0.1))
    with pytest.raises(BadInput, match=r"counts of 1,000,000 skills in 64 threads need 1,.* MiB"):
        simulate(GraphSpec(10**6, 10, 8), RandomErrors(0.1), threads=64)


def test_degrees_are_a_distribution() -> None:
    spec = GraphSpec(10, 10, np.array([0.25, 0.0, 0.75, 0.0]))  # type: ignore[arg-type]
    assert spec.degree == (0.25, 0.0, 0.75)
    assert (spec.max_degree, spec.mean_degree) == (2, 1.5)
    assert GraphSpec(10, 10, 3).degree_probabilities.tolist() == [0, 0, 0, 1]


def test_specs_and_errors_are_values() -> None:
    # equal specs are equal keys, whatever sequence the numbers came in
    assert GraphSpec(3, 9, 2, frequencies=Given([1, 2, 3])) == GraphSpec(
        3, 9, 2, frequencies=Given(np.array([1.0, 2.0, 3.0]))
    )
    assert len({Clique([2, 1], 1), Clique(range(1, 3), 1), Star([1, 2], 2), Clique([1, 2], 2)}) == 3
    assert PowerLaw(0).probabilities(4).tolist() == PowerLaw(0).probabilities(4).tolist()
