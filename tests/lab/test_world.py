"""The generator: its texts, their vocabulary, and the entropy that they carry."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from scipy import stats

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.exact import marks
from unparrot.lab.world.english import WORLD_PACKS, World, WorldSpec, pretty, world_pack
from unparrot.lab.world.lexicon import TABLES, TOPICS, article
from unparrot.lab.world.template import PREFERENCE, Text, draw_entropy

WORLD, LARGE = World(), World(WorldSpec(fields=True))
LOGIC = SkillCombination("sewing", ("modus ponens", "metaphor"))


def texts(world: World, n: int, seed: int) -> list[tuple[SkillCombination, list[str]]]:
    rng = Random(seed)
    drawn: list[tuple[SkillCombination, list[str]]] = []
    for i in range(n):
        skills = tuple(rng.sample(world.pack.skill_names, 1 + i % 6))
        combination = SkillCombination(rng.choice(world.pack.topic_names), skills)
        drawn.append((combination, list(world.sample(combination, rng.random).words)))
    return drawn


def test_the_world_is_as_large_as_promised() -> None:
    pack = WORLD.pack
    assert len(pack.skills) >= 24
    assert len({skill.category for skill in pack.skills}) >= 5
    assert len(pack.topics) == 20
    assert len(LARGE.pack.skills) >= 200
    assert all(skill.definition and skill.example for skill in LARGE.pack.skills)
    assert pack.digest == World().pack.digest != LARGE.pack.digest


def test_prompts() -> None:
    assert WORLD.prompt(LOGIC) == "topic: sewing skills: modus ponens , metaphor text:"
    tokens = WORLD.prompt_tokens(LOGIC)
    assert tokens == [
        "<bos>", "topic:", "sewing", "skills:", "modus ponens", ",", "metaphor", "text:",
    ]  # fmt: skip


@pytest.mark.parametrize("world", [WORLD, LARGE], ids=["standard", "large"])
def test_the_vocabulary_covers_every_text_and_prompt(world: World) -> None:
    vocabulary = world.vocabulary
    assert len(vocabulary) == len(set(vocabulary)) < 1 << 16
    assert vocabulary[:7] == ("<pad>", "<bos>", "<eos>", "topic:", "skills:", "text:", ",")
    known = set(vocabulary)
    used: set[str] = set()
    for combination, words in texts(world, 8000, 1):
        used.update(words, world.prompt_tokens(combination))
    assert used <= known
    idle = known - used - {"<pad>", "<eos>"}
    assert len(idle) <= 0.02 * len(known), idle


def test_texts_have_at_most_k_minus_one_sentences() -> None:
    for combination, words in texts(WORLD, 3000, 2):
        ends = sum(word in {".", "?"} for word in words)
        assert 1 <= ends <= max(1, combination.k - 1)
        assert words[-1] in {".", "?"}


def test_articles_are_right() -> None:
    for _, words in texts(WORLD, 3000, 3):
        for one, two in pairwise(words):
            assert one not in {"a", "an"} or one == article(two)


def test_pretty_text_has_capitals_and_no_space_before_marks() -> None:
    assert pretty(("is", "mary", "here", ",", "on", "monday", "?")) == "Is Mary here, on Monday?"
    for _, words in texts(WORLD, 500, 4):
        text = pretty(words)
        assert text[0].isupper()
        assert not any(f" {mark}" in text for mark in ".,;:?")


def test_the_same_stream_gives_the_same_text() -> None:
    one, two = (WORLD.sample(LOGIC, Random(5).random) for _ in range(2))
    assert one == two
    assert {WORLD.sample(LOGIC, Random(seed).random).words for seed in range(20)} != {one.words}


def test_unknown_skills_and_topics_are_named() -> None:
    with pytest.raises(BadInput, match="unknown skill 'bragging'"):
        WORLD.sample(SkillCombination("sewing", ("bragging",)), Random(0).random)
    with pytest.raises(BadInput, match="unknown topic 'knitting'"):
        WORLD.entropy(SkillCombination("knitting", ("metaphor",)))


@pytest.mark.parametrize(
    "skills",
    [
        ("arithmetic",),
        ("simile",),
        ("disjunctive syllogism", "antithesis"),
        ("alliteration", "false belief", "rhetorical question"),
        ("red herring", "spatial reasoning", "hypothetical syllogism", "metaphor"),
        ("transitive comparison", "appeal to authority", "simile", "folk physics", "induction"),
    ],
)
def test_entropy_is_the_mean_of_minus_log_probability(skills: tuple[str, ...]) -> None:
    combination = SkillCombination("chess", skills)
    rng, n = Random(6), 4000
    nats = [WORLD.sample(combination, rng.random).nats for _ in range(n)]
    mean = sum(nats) / n
    error = math.sqrt(sum((x - mean) ** 2 for x in nats) / (n - 1) / n)
    assert abs(mean - WORLD.entropy(combination)) <= 4 * error


def test_entropy_of_the_large_world_too() -> None:
    rng = Random(7)
    names = ("metaphor of lion", "modus ponens of age", "hyperbole of million")
    assert set(names) <= set(LARGE.pack.skill_names)
    combination = SkillCombination("chess", names)
    nats = [LARGE.sample(combination, rng.random).nats for _ in range(4000)]
    mean = sum(nats) / len(nats)
    error = math.sqrt(sum((x - mean) ** 2 for x in nats)) / len(nats)
    assert abs(mean - LARGE.entropy(combination)) <= 4 * error


def test_different_derivations_give_different_texts() -> None:
    """So that the probability of a derivation is that of its text: no text has two of them."""
    rng = Random(8)
    for name in WORLD.pack.skill_names:
        combination = SkillCombination("sewing", (name,))
        nats: dict[tuple[str, ...], float] = {}
        for _ in range(600):
            sampled = WORLD.sample(combination, rng.random)
            assert nats.setdefault(sampled.words, sampled.nats) == pytest.approx(sampled.nats)


def test_the_probabilities_of_all_texts_of_a_skill_sum_to_one() -> None:
    """Every text of a small skill, found by sampling: two derivations of one would be missed."""
    combination = SkillCombination("sewing", ("cause and effect",))
    rng = Random(9)
    chance: dict[tuple[str, ...], float] = {}
    for _ in range(30_000):
        sampled = WORLD.sample(combination, rng.random)
        chance[sampled.words] = math.exp(-sampled.nats)
    assert len(chance) > 500
    assert 0.95 < sum(chance.values()) < 1 + 1e-9


def test_the_preferred_successor_is_drawn_as_often_as_it_should_be() -> None:
    options, n = (0, 2, 3, 7, 8), 20_000
    text = Text("sewing", Random(10).random)
    drawn: Counter[int] = Counter()
    for _ in range(n):
        text.last = 4  # its successor is 5; the first option from there on is 7
        drawn[text.choose(options, 10)] += 1
    even = (1 - PREFERENCE) / len(options)
    expected = [n * (even + PREFERENCE * (option == 7)) for option in options]
    assert stats.chisquare([drawn[option] for option in options], expected).pvalue > 1e-4
    text.last = 9  # after the last row comes the first
    assert Counter(_after(text, 9, options, 2000)).most_common(1)[0][0] == 0


def _after(text: Text, last: int, options: tuple[int, ...], n: int) -> list[int]:
    drawn: list[int] = []
    for _ in range(n):
        text.last = last
        drawn.append(text.choose(options, 10))
    return drawn


def test_entropy_of_a_draw() -> None:
    assert draw_entropy(1) == 0
    high, low = PREFERENCE + (1 - PREFERENCE) / 2, (1 - PREFERENCE) / 2
    assert draw_entropy(2) == pytest.approx(-high * math.log(high) - low * math.log(low))


def test_every_animal_and_every_thing_is_drawn() -> None:
    rng = Random(11)
    seen: set[str] = set()
    for topic in TOPICS:
        combination = SkillCombination(topic, ("metaphor",))
        for _ in range(200):
            seen.update(WORLD.sample(combination, rng.random).words)
    assert {row["animal"] for row in TABLES["animal"]} <= seen
    assert {thing for things in TOPICS.values() for thing in things} <= seen


def test_operators_of_one_family_shape_different_clauses() -> None:
    world = World(WorldSpec(fields=True))
    operators = [n for n in world.pack.skill_names if n.startswith(("simile", "alliteration"))]
    rng = Random(4)
    for i in range(300):
        combination = SkillCombination("chess", tuple(rng.sample(operators, 1 + i % 6)))
        text = world.sample(combination, rng.random).pretty
        assert all(marks(combination, text).values()), (combination, text)


def test_the_worlds_are_packs_by_name() -> None:
    small, large = world_pack("world"), world_pack("world.large")
    assert small == World().pack
    assert large == World(WorldSpec(fields=True)).pack
    assert small is world_pack("world")
    assert world_pack("micro-english") is None
    assert set(WORLD_PACKS) == {"world", "world.large"}
