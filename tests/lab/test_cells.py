"""Cells: each combination is new in the stated way and in no other, and skills are even."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from unparrot.core.skills import HeldOut, Novelty, Skill, SkillCombination, SkillPack, Topic
from unparrot.lab.cells import Cell, draw_cells, questions, splits_of
from unparrot.lab.corpus import Mixture, Source
from unparrot.lab.world.english import World

NOTHING = HeldOut(frozenset(), frozenset(), frozenset(), 4)


def pack(skills: str, topics: int) -> SkillPack:
    return SkillPack(
        "small",
        "1",
        tuple(Skill(name, "any", "", "") for name in skills),
        tuple(Topic(f"t{i}") for i in range(topics)),
    )


def novelty(split: str, untrained: bool) -> Novelty:
    return Novelty(
        pairs=int(split == "heldout_pair"),
        triples=int(split == "heldout_triple"),
        cells=int(split == "heldout_topic"),
        untrained_k=untrained,
    )


def test_splits_that_exist() -> None:
    assert splits_of(1, 4) == ("seen", "heldout_topic")
    assert splits_of(2, 4) == ("seen", "heldout_topic", "heldout_pair")
    assert splits_of(4, 4) == ("seen", "heldout_topic", "heldout_pair", "heldout_triple")
    assert splits_of(5, 4) == ("untrained_k", "heldout_topic", "heldout_pair", "heldout_triple")


def test_every_combination_is_new_as_stated_and_no_more() -> None:
    world = World()
    held_out = HeldOut.draw(world.pack, np.random.default_rng(1), 0.3, 0.1, 0.2, 4)
    source = Source(world, held_out, Mixture((0.2, 0.3, 0.35, 0.15)), seed=1)
    seen = [source.document(i).combination for i in range(600)]
    cells = draw_cells(world.pack, held_out, seen, (1, 2, 3, 4, 5), 25, np.random.default_rng(2))
    assert [(c.k, c.split) for c in cells] == [
        (k, split) for k in (1, 2, 3, 4, 5) for split in splits_of(k, 4)
    ]
    known = {c.id for c in seen}
    for cell in cells:
        assert len(cell.combinations) == 25
        assert len({c.id for c in cell.combinations}) == 25
        assert 0 <= cell.imbalance < 0.5
        for c in cell.combinations:
            assert c.k == cell.k
            assert held_out.novelty(c) == novelty(cell.split, cell.k > 4)
            assert (c.id in known) == (cell.split == "seen")
            world.check(c)


def test_equal_generators_draw_equal_cells_and_others_do_not() -> None:
    world = World()
    held_out = HeldOut.draw(world.pack, np.random.default_rng(1), 0.3, 0.1, 0.1, 4)

    def drawn(seed: int) -> list[Cell]:
        return draw_cells(world.pack, held_out, [], (2,), 10, np.random.default_rng(seed))

    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)


def test_a_small_world_gives_all_it_has_and_no_padding() -> None:
    small = pack("abcde", 3)
    held_out = HeldOut(
        frozenset({("a", "b")}),
        frozenset({("a", "c", "d"), ("b", "c", "e")}),
        frozenset({("t0", "a"), ("t1", "c"), ("t1", "d")}),
        max_k=3,
    )
    everything = [
        SkillCombination(topic, skills)
        for topic in small.topic_names
        for k in (1, 2, 3, 4)
        for skills in combinations("abcde", k)
    ]
    seen = [c for c in everything if not held_out.novelty(c).is_new][::2]
    cells = draw_cells(small, held_out, [*seen, *seen], (1, 2, 3, 4), 99, np.random.default_rng(1))
    sizes = Counter[int]()
    for cell in cells:
        if cell.split == "seen":
            wanted = {c.id for c in seen if c.k == cell.k}
        else:
            new = novelty(cell.split, cell.k > 3)
            wanted = {c.id for c in everything if c.k == cell.k and held_out.novelty(c) == new}
        found = [c.id for c in cell.combinations]
        assert len(found) == len(set(found))
        assert set(found) == wanted, (cell.k, cell.split)
        sizes[cell.k] += len(found)
    assert min(sizes.values()) > 0


def test_nothing_held_out_gives_empty_cells() -> None:
    cells = draw_cells(pack("abc", 2), NOTHING, [], (3,), 5, np.random.default_rng(1))
    assert [(c.split, len(c.combinations), c.imbalance) for c in cells] == [
        ("seen", 0, 0.0),
        ("heldout_topic", 0, 0.0),
        ("heldout_pair", 0, 0.0),
        ("heldout_triple", 0, 0.0),
    ]


def test_imbalance_by_hand() -> None:
    seen = [SkillCombination(t, (s,)) for t, s in (("t0", "a"), ("t1", "a"), ("t0", "b"))]
    cell, _ = draw_cells(pack("abc", 2), NOTHING, seen, (1,), 9, np.random.default_rng(1))
    # shares 2/3, 1/3, 0 beside a third each: half of 1/3 + 0 + 1/3
    assert cell.imbalance == pytest.approx(1 / 3)
    even = [SkillCombination("t0", (s,)) for s in "abc"]
    cell, _ = draw_cells(pack("abc", 2), NOTHING, even, (1,), 9, np.random.default_rng(1))
    assert cell.imbalance == pytest.approx(0.0)


def test_a_rare_skill_is_drawn_more_often_than_it_lies_in_the_pool() -> None:
    small = pack("abcde", 60)
    topics = small.topic_names
    seen = [SkillCombination(t, pair) for t in topics for pair in combinations("abcd", 2)]
    seen += [SkillCombination(t, (s, "e")) for t in topics[:8] for s in "ab"]
    drawn = Counter[str]()
    for seed in range(5):
        cell = draw_cells(small, NOTHING, seen, (2,), 40, np.random.default_rng(seed))[0]
        drawn.update(s for c in cell.combinations for s in c.skills)
    pool = Counter(s for c in seen for s in c.skills)
    unweighted = pool["e"] / pool.total()  # 0.02; even would be 0.2
    assert drawn["e"] / drawn.total() > 4 * unweighted


def test_skills_are_asked_for_in_any_order() -> None:
    seen = [SkillCombination(f"t{i}", ("a", "b")) for i in range(30)]
    cell = draw_cells(pack("ab", 30), NOTHING, seen, (2,), 30, np.random.default_rng(1))[0]
    orders = Counter(c.skills for c in cell.combinations)
    assert set(orders) == {("a", "b"), ("b", "a")}
    assert min(orders.values()) > 5


def test_training_documents_are_counted_whatever_the_order_of_their_skills() -> None:
    def c(topic: str, *skills: str) -> SkillCombination:
        return SkillCombination(topic, skills)

    seen = [c("t0", "a", "b"), c("t0", "b", "a"), c("t1", "a", "b")]
    asked = questions(draw_cells(pack("abc", 2), NOTHING, seen, (2,), 9, np.random.default_rng(1)))
    counts = {(q.split, q.combination.topic): q.trained_count for q in asked}
    assert counts == {("seen", "t0"): 2, ("seen", "t1"): 1}
