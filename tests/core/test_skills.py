"""Packs, combinations and held-out splits."""

import hashlib
import json
from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.errors import BadInput
from unparrot.core.skills import HeldOut, Novelty, Skill, SkillCombination, SkillPack, Topic

NAMES = ("irony", "metaphor", "modus ponens", "simile", "red herring", "syllogism")

SHARES = (0.3, 0.1, 0.1)

names = st.sampled_from(NAMES)
skill_sets = st.lists(names, min_size=1, max_size=len(NAMES), unique=True)


def make_pack(skills: int, topics: int) -> SkillPack:
    return SkillPack(
        "test",
        "1",
        tuple(Skill(f"skill {i}", "rhetorical", "", "") for i in range(skills)),
        tuple(Topic(f"topic {i}") for i in range(topics)),
    )


@pytest.mark.parametrize("name", ["topic", "Sense", "LENGTH"])
def test_no_skill_is_named_like_a_criterion(name: str) -> None:
    with pytest.raises(BadInput, match=name):
        Skill(name, "rhetorical", "", "")


@pytest.mark.parametrize("name", ["", " ", " irony", "irony\n"])
def test_names_are_trimmed_and_not_empty(name: str) -> None:
    with pytest.raises(BadInput):
        Skill(name, "rhetorical", "", "")
    with pytest.raises(BadInput):
        Topic(name)


def test_pack_finds_its_skills_and_offers_near_names() -> None:
    pack = SkillPack("p", "1", (Skill("irony", "rhetorical", "d", "e"),), (Topic("tea"),))
    assert pack.skill("irony").definition == "d"
    assert pack.skill_names == ("irony",)
    assert pack.topic_names == ("tea",)
    with pytest.raises(BadInput, match=r"no skill 'irnoy'; did you mean 'irony'\?"):
        pack.skill("irnoy")


def test_pack_rejects_names_equal_but_for_case() -> None:
    skills = (Skill("irony", "rhetorical", "", ""), Skill("Irony", "literary", "", ""))
    with pytest.raises(BadInput, match="irony"):
        SkillPack("p", "1", skills, (Topic("tea"),))
    with pytest.raises(BadInput, match="tea"):
        SkillPack("p", "1", skills[:1], (Topic("tea"), Topic("TEA")))
    with pytest.raises(BadInput, match="at least one skill and one topic"):
        SkillPack("p", "1", skills[:1], ())


def test_digest_is_the_hash_of_the_canonical_json_and_moves_with_any_part() -> None:
    pack = SkillPack("p", "1", (Skill("irony", "rhetorical", "d", "e"),), (Topic("tea"),))
    text = '{"name":"p","skills":[["irony","rhetorical","d","e"]],"topics":["tea"],"version":"1"}'
    assert json.loads(text)["version"] == "1"
    assert pack.digest == hashlib.sha256(text.encode()).hexdigest()
    assert replace(pack, version="2").digest != pack.digest
    assert replace(pack, topics=(Topic("coffee"),)).digest != pack.digest


def test_combination_rejects_what_is_not_one() -> None:
    with pytest.raises(BadInput, match="at least one skill"):
        SkillCombination("tea", ())
    with pytest.raises(BadInput, match="once"):
        SkillCombination("tea", ("irony", "irony"))
    with pytest.raises(BadInput, match="irony"):
        SkillCombination("tea", "irony")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="topic"):
        SkillCombination("", ("irony",))


@given(skill_sets, st.randoms())
def test_id_ignores_order_and_the_prompt_keeps_it(skills: list[str], random: object) -> None:
    shuffled = list(skills)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    a, b = SkillCombination("tea", tuple(skills)), SkillCombination("tea", tuple(shuffled))
    assert a.id == b.id
    assert b.skills == tuple(shuffled)
    assert len(a.id) == 16
    assert int(a.id, 16) >= 0


@given(skill_sets, skill_sets)
def test_id_tells_different_sets_apart(first: list[str], second: list[str]) -> None:
    a, b = SkillCombination("tea", tuple(first)), SkillCombination("tea", tuple(second))
    assert (a.id == b.id) == (set(first) == set(second))


def test_id_is_stable_and_does_not_run_names_together() -> None:
    expected = hashlib.sha256(b'["tea","irony","metaphor"]').hexdigest()[:16]
    assert SkillCombination("tea", ("metaphor", "irony")).id == expected
    assert SkillCombination("tea", ("a,b",)).id != SkillCombination("tea", ("a", "b")).id


@given(skill_sets)
def test_pairs_and_triples_are_all_of_them_sorted(skills: list[str]) -> None:
    c = SkillCombination("tea", tuple(skills))
    assert len(set(c.pairs())) == comb(c.k, 2)
    assert len(set(c.triples())) == comb(c.k, 3)
    for group in (*c.pairs(), *c.triples()):
        assert list(group) == sorted(group)
        assert set(group) <= set(skills)


def test_novelty_by_hand() -> None:
    held = HeldOut(
        pairs=frozenset({("a", "b")}),
        triples=frozenset({("a", "c", "d")}),
        cells=frozenset({("tea", "c"), ("tea", "d")}),
        max_k=3,
    )
    # a+b is held out; a+c+d is; tea never met c or d; four skills were never asked for
    novelty = held.novelty(SkillCombination("tea", ("d", "c", "b", "a")))
    assert novelty == Novelty(pairs=1, triples=1, cells=2, untrained_k=True)
    assert novelty.is_new
    assert held.novelty(SkillCombination("sea", ("c", "d"))) == Novelty(0, 0, 0, False)
    assert not held.novelty(SkillCombination("sea", ("d", "c"))).is_new
    assert held.novelty(SkillCombination("tea", ("d",))).is_new
    assert held.novelty(SkillCombination("sea", ("b", "a"))).is_new


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": frozenset({("b", "a")})}, "sorted"),
        ({"pairs": frozenset({("a", "a")})}, "different"),
        ({"triples": frozenset({("a", "c", "b")})}, "sorted"),
        ({"triples": frozenset({("a", "b", "c")}), "pairs": frozenset({("b", "c")})}, "contains"),
        ({"cells": frozenset({("tea",)})}, "topic, skill"),
        ({"max_k": 0}, "max_k"),
    ],
)
def test_held_out_rejects_what_would_count_wrongly(change: dict[str, object], message: str) -> None:
    empty: frozenset[tuple[str, ...]] = frozenset()
    fields = {"pairs": empty, "triples": empty, "cells": empty, "max_k": 4, **change}
    with pytest.raises(BadInput, match=message):
        HeldOut(**fields)  # type: ignore[arg-type]


@given(
    skills=st.integers(1, 9),
    topics=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
    shares=st.tuples(*[st.floats(0, 0.95)] * 3),
)
def test_draw_holds_out_the_share_asked_for(
    skills: int, topics: int, seed: int, shares: tuple[float, float, float]
) -> None:
    pack = make_pack(skills, topics)
    held = HeldOut.draw(pack, np.random.default_rng(seed), *shares, max_k=3)
    assert len(held.pairs) == round(shares[0] * comb(skills, 2))
    free = [
        triple
        for triple in combinations(sorted(pack.skill_names), 3)
        if not held.pairs.intersection(combinations(triple, 2))
    ]
    assert held.triples <= set(free)
    assert len(held.triples) == round(shares[1] * len(free))
    assert len(held.cells) == round(shares[2] * (skills * topics))
    assert {topic for topic, _ in held.cells} <= set(pack.topic_names)
    assert {skill for _, skill in held.cells} <= set(pack.skill_names)
    assert held.max_k == 3


@given(st.integers(0, 2**32 - 1), st.data())
def test_trainable_means_that_nothing_held_out_is_contained(seed: int, data: st.DataObject) -> None:
    pack = make_pack(8, 4)
    held = HeldOut.draw(pack, np.random.default_rng(seed), *SHARES, max_k=4)
    chosen = data.draw(st.lists(st.sampled_from(pack.skill_names), min_size=1, unique=True))
    c = SkillCombination(data.draw(st.sampled_from(pack.topic_names)), tuple(chosen))
    inside = set(chosen)
    new = (
        c.k > 4
        or any(inside >= set(pair) for pair in held.pairs)
        or any(inside >= set(triple) for triple in held.triples)
        or any(topic == c.topic and skill in inside for topic, skill in held.cells)
    )
    assert held.novelty(c).is_new is new


def test_draw_is_the_same_for_the_same_seed_and_any_order_of_the_pack() -> None:
    pack = make_pack(12, 6)
    turned = replace(pack, skills=pack.skills[::-1], topics=pack.topics[::-1])
    first = HeldOut.draw(pack, np.random.default_rng(5), *SHARES, max_k=4)
    assert HeldOut.draw(turned, np.random.default_rng(5), *SHARES, max_k=4) == first
    assert HeldOut.draw(pack, np.random.default_rng(6), *SHARES, max_k=4) != first


def test_draw_is_uniform_over_pairs() -> None:
    pack = make_pack(5, 2)
    rng = np.random.default_rng(20)
    draws = 3000
    counts: dict[tuple[str, str], int] = dict.fromkeys(combinations(pack.skill_names, 2), 0)
    for _ in range(draws):
        for pair in HeldOut.draw(pack, rng, *SHARES, max_k=4).pairs:
            counts[pair] += 1
    # 3 of 10 pairs each time: 900 expected, standard deviation sqrt(3000 * .3 * .7) = 25
    assert all(abs(count - 900) < 4.5 * 25 for count in counts.values()), counts


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_draw_rejects_shares_out_of_range(share: float) -> None:
    with pytest.raises(BadInput, match="pair_share"):
        HeldOut.draw(make_pack(4, 2), np.random.default_rng(0), share, 0.1, 0.1, max_k=4)


def test_a_pack_without_some_skills() -> None:
    pack = SkillPack("p", "1", tuple(Skill(n, "c", "", "") for n in "abc"), (Topic("tea"),))
    assert pack.without(["b"]).skill_names == ("a", "c")
    assert pack.without(()) == pack
    with pytest.raises(BadInput, match="no skill 'd'"):
        pack.without(["d"])
    with pytest.raises(BadInput, match="all 3 skills"):
        pack.without(["a", "b", "c"])
