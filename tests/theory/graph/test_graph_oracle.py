"""The kernels beside a slow program in plain Python, written from the documentation of `rng`.

It shares no code with them but the alias tables (which test_graph_frequencies.py checks), draws
piece by piece, lists every tuple, and sorts all pieces to find the worst case. All must be equal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from math import ceil, comb

import pytest

from unparrot.theory.graph.error_models import (
    Chosen,
    Clique,
    ConcentratedErrors,
    Errors,
    RandomErrors,
    SkillErrors,
    Star,
    WorstCase,
)
from unparrot.theory.graph.graph_spec import Given, GraphSpec, PowerLaw
from unparrot.theory.graph.rng import alias_table
from unparrot.theory.graph.simulate import simulate
from unparrot.theory.graph.stored import store_graph

M, G = 2**64, 0x9E3779B97F4A7C15
SKILLS, DEGREES, FAILURES, REDRAWS = 0, 1, 2, 3


def mix(z: int) -> int:
    z %= M
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % M
    z = (z ^ z >> 27) * 0x94D049BB133111EB % M
    return z ^ z >> 31


@cache
def key(seed: int, stream: int, index: int) -> int:
    return mix(mix(mix(seed + G) + G * (stream + 1)) + G * (index + 1))


def word(seed: int, stream: int, index: int, piece: int) -> int:
    return mix(key(seed, stream, index) + G * piece)


def bits_of(n: int) -> int:
    return max(1, (n - 1).bit_length())


def draws_a_word(n: int) -> int:
    f = 64 - bits_of(n)
    return max([1] + [j for j in range(1, 33) if n**j <= 2 ** (f - 24)])


def alias_value(w: int, table: list[int]) -> int:
    n, b = len(table), bits_of(len(table))
    f = 64 - b
    x = (w >> b) * n
    column, coin = x >> f, (x % 2**f) >> (f - 44)
    entry = table[column]
    return column if coin < entry >> 20 else entry & (2**20 - 1)


def draw_piece(spec: GraphSpec, piece: int, tables: dict[str, list[int]]) -> list[int]:
    """The skills of a piece in the order drawn."""
    n, b = spec.skills, bits_of(spec.skills)
    f, per_word = 64 - b, draws_a_word(spec.skills)
    d = spec.degree
    if isinstance(d, tuple):
        d = alias_value(word(spec.seed, DEGREES, 0, piece), tables["degrees"])
    skills: list[int] = []
    fraction = 0
    for p in range(d):
        if spec.frequencies == PowerLaw(0):
            if p % per_word == 0:
                fraction = word(spec.seed, SKILLS, p // per_word, piece) >> b
            reach = n if spec.repeats else n - d + p + 1
            skill, fraction = divmod(fraction * reach, 2**f)
            if not spec.repeats and skill in skills:
                skill = reach - 1
        else:
            skill = alias_value(word(spec.seed, SKILLS, p, piece), tables["skills"])
            r = 0
            while not spec.repeats and skill in skills:
                r += 1
                skill = alias_value(
                    word(spec.seed, REDRAWS, p * 2**32 + r, piece), tables["skills"]
                )
        skills.append(skill)
    return skills


def rank(members: tuple[int, ...], repeats: bool) -> int:
    places = enumerate(sorted(members))
    return sum(comb(s + place if repeats else s, place + 1) for place, s in places)


def in_set(chosen: Chosen, members: tuple[int, ...], repeats: bool) -> bool:
    match chosen:
        case Clique():
            return all(s in chosen.skills for s in members)
        case Star():
            return any(s in chosen.skills for s in members)


def score(spec: GraphSpec, chosen: Chosen, skills: list[int]) -> int:
    tuples = combinations(skills, chosen.tuple_size)
    return sum(in_set(chosen, members, spec.repeats) for members in tuples)


def holding(spec: GraphSpec, skills: tuple[int, ...], pieces: list[list[int]]) -> float:
    """The chance that a piece holds one of the skills; successive sampling has no formula."""
    if not spec.repeats and spec.frequencies != PowerLaw(0):
        return sum(bool({*skills} & {*piece}) for piece in pieces) / len(pieces)
    chance, mass = 0.0, float(sum(spec.probabilities[list(skills)]))
    for d, p in enumerate(spec.degree_probabilities.tolist()):
        missed = (1 - mass) ** d
        if not spec.repeats:
            missed = comb(spec.skills - len(skills), d) / comb(spec.skills, d)
        chance += p * (1 - missed)
    return chance


def failures(spec: GraphSpec, errors: Errors, pieces: list[list[int]]) -> list[bool]:
    coins = [word(spec.seed, FAILURES, 0, t) >> 11 for t in range(len(pieces))]
    match errors:
        case RandomErrors():
            return [coin < ceil(errors.theta * 2**53) for coin in coins]
        case SkillErrors():
            failed: list[bool] = []
            for coin, skills in zip(coins, pieces, strict=True):
                survival = 1.0
                for s in skills:
                    survival *= 1.0 - errors.rates[s]
                failed.append(coin / 2**53 >= survival)
            return failed
        case ConcentratedErrors():
            held = holding(spec, errors.skills, pieces)
            inside = ceil(errors.theta / held * 2**53)
            return [
                bool({*errors.skills} & {*skills}) and coin < inside
                for coin, skills in zip(coins, pieces, strict=True)
            ]
        case WorstCase():
            scores = [score(spec, errors.chosen, skills) for skills in pieces]
            worst = sorted(range(len(pieces)), key=lambda t: (-scores[t], t))
            taken = {*worst[: int(errors.theta * len(pieces) + 0.5)]}
            return [t in taken for t in range(len(pieces))]


@dataclass
class Reference:
    pieces: list[list[int]]
    failed: list[bool]

    def counts(self, size: int, repeats: bool) -> tuple[Counter[int], Counter[int]]:
        degree: Counter[int] = Counter()
        failed: Counter[int] = Counter()
        for skills, fails in zip(self.pieces, self.failed, strict=True):
            ranks = [rank(members, repeats) for members in combinations(skills, size)]
            degree.update(ranks)
            failed.update(ranks if fails else [])
        return degree, failed


def reference(spec: GraphSpec, errors: Errors) -> Reference:
    tables = {
        "skills": alias_table(spec.probabilities).tolist(),
        "degrees": alias_table(spec.degree_probabilities).tolist(),
    }
    pieces = [draw_piece(spec, t, tables) for t in range(spec.pieces)]
    return Reference(pieces, failures(spec, errors, pieces))


N = 12
GRAPHS = {
    f"{frequencies.__class__.__name__}-{'repeats' if repeats else 'distinct'}-{name}": GraphSpec(
        N, 600, degree, repeats, frequencies, seed=2**64 - 1 - place
    )
    for repeats in (True, False)
    for place, frequencies in enumerate(
        (PowerLaw(0), PowerLaw(1.2), Given([0, 3, *range(1, N - 1)]))
    )
    for name, degree in (("fixed", 5), ("drawn", (0.1, 0.2, 0.0, 0.4, 0.1, 0.1, 0.1)))
}
MODELS: dict[str, Errors] = {
    "random": RandomErrors(0.2),
    "rates": SkillErrors([s / 40 for s in range(N)]),
    "concentrated": ConcentratedErrors(0.1, [3, 1, 4]),
    "set": WorstCase(0.13, Clique([0, 5, 6], 1)),
    "clique": WorstCase(0.2, Clique([1, 2, 5, 8, 9], 3)),
    "star": WorstCase(0.3, Star([4, 7], 2)),
}


@pytest.mark.parametrize("spec", GRAPHS.values(), ids=list(GRAPHS))
@pytest.mark.parametrize("errors", MODELS.values(), ids=list(MODELS))
def test_all_counts_equal_those_of_the_reference(spec: GraphSpec, errors: Errors) -> None:
    expected = reference(spec, errors)
    counts = simulate(spec, errors, tuple_size=2, threads=2)
    assert counts.failed_pieces == sum(expected.failed)
    degree, failed = expected.counts(1, repeats=True)
    assert counts.degree.tolist() == [degree[s] for s in range(N)]
    assert counts.failed.tolist() == [failed[s] for s in range(N)]
    degree, failed = expected.counts(2, spec.repeats)
    assert counts.tuples is not None
    assert counts.tuples.degree.tolist() == [degree[r] for r in counts.tuples.ids.tolist()]
    assert counts.tuples.failed.tolist() == [failed[r] for r in counts.tuples.ids.tolist()]
    if isinstance(errors, WorstCase):
        chosen = counts.chosen
        assert chosen is not None
        scores = [score(spec, errors.chosen, skills) for skills in expected.pieces]
        size = errors.chosen.tuple_size
        assert chosen.edges == sum(comb(len(skills), size) for skills in expected.pieces)
        assert chosen.chosen == sum(scores)
        assert chosen.failed == sum(
            x for x, fails in zip(scores, expected.failed, strict=True) if fails
        )


@pytest.mark.parametrize("spec", GRAPHS.values(), ids=list(GRAPHS))
@pytest.mark.parametrize("model", ["random", "rates", "star", "clique"])
def test_a_stored_graph_is_that_of_the_reference(spec: GraphSpec, model: str) -> None:
    expected = reference(spec, MODELS[model])
    graph = store_graph(spec, MODELS[model], threads=2)
    rows = [
        graph.skills[first:last].tolist()
        for first, last in zip(graph.indptr[:-1], graph.indptr[1:], strict=True)
    ]
    assert rows == expected.pieces
    assert graph.failed.tolist() == expected.failed


@pytest.mark.parametrize("size", [3, 4])
@pytest.mark.parametrize("spec", GRAPHS.values(), ids=list(GRAPHS))
def test_larger_tuples_equal_those_of_the_reference(spec: GraphSpec, size: int) -> None:
    errors = RandomErrors(0.3)
    degree, failed = reference(spec, errors).counts(size, spec.repeats)
    found = simulate(spec, errors, tuple_size=size, threads=1).tuples
    sampled = simulate(spec, errors, tuple_size=size, sample=50, threads=1).tuples
    assert found is not None
    assert sampled is not None
    for counts in (found, sampled):
        assert counts.degree.tolist() == [degree[r] for r in counts.ids.tolist()]
        assert counts.failed.tolist() == [failed[r] for r in counts.ids.tolist()]
    assert found.degree.sum() == sum(degree.values())


@pytest.mark.parametrize("skills", [1, 2, 3, 1000, 1024, 70_000])
@pytest.mark.parametrize("repeats", [True, False])
def test_any_number_of_skills(skills: int, repeats: bool) -> None:
    # 1000: three draws a word; 70,000: counts in bytes instead of packed words
    spec = GraphSpec(skills, 300, 7 if repeats else min(skills, 7), repeats, seed=skills)
    expected = reference(spec, RandomErrors(0.5))
    counts = simulate(spec, RandomErrors(0.5), threads=1)
    degree, failed = expected.counts(1, repeats=True)
    assert {s: x for s, x in enumerate(counts.degree.tolist()) if x} == dict(degree)
    assert {s: x for s, x in enumerate(counts.failed.tolist()) if x} == dict(failed)


def test_a_piece_may_hold_every_skill() -> None:
    for frequencies in (PowerLaw(0), PowerLaw(0.5)):
        spec = GraphSpec(6, 50, 6, repeats=False, frequencies=frequencies)
        assert simulate(spec, RandomErrors(0.5)).degree.tolist() == [50] * 6


def test_pieces_far_from_the_first_are_drawn_alike() -> None:
    # what is left out at the front does not matter: piece t depends on t alone
    long = GraphSpec(50, 5000, (0.0, 0.5, 0.5), seed=3)
    short = replace(long, pieces=4000)
    one, two = (store_graph(spec, RandomErrors(0.5)) for spec in (long, short))
    assert one.failed[:4000].tolist() == two.failed.tolist()
    assert one.skills[: two.edges].tolist() == two.skills.tolist()
