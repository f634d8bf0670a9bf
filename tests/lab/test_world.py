"""The generator: its texts, their vocabulary, and the entropy that they carry."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from scipy import stats

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.world.english import (
    GIVEN,
    PREFERENCE,
    Sampled,
    Situation,
    World,
    complete_prompt,
    draw_entropy,
    plan,
    pretty,
    world_pack,
)
from unparrot.lab.world.lexicon import NAMES, TABLES, TOPICS
from unparrot.lab.world.skills import SKILLS

WORLD = World()
LOGIC = SkillCombination("sewing", ("doubt", "simile", "modus ponens"))
NEEDLE = Situation(0, 3, "needle", "quality", 6)


def texts(n: int, seed: int) -> list[tuple[SkillCombination, Situation, Sampled]]:
    rng = Random(seed)
    drawn: list[tuple[SkillCombination, Situation, Sampled]] = []
    for i in range(n):
        combination = WORLD.draw(rng, 1 + i % 10)
        situation = WORLD.draw_situation(combination.topic, rng.random)
        drawn.append((combination, situation, WORLD.sample(combination, rng.random, situation)))
    return drawn


def test_the_world_is_as_large_as_promised() -> None:
    pack = WORLD.pack
    assert len(pack.skills) == 36
    assert len({skill.category for skill in pack.skills}) == 7
    assert len(pack.topics) == 20
    assert all(skill.definition and skill.example for skill in pack.skills)
    assert pack.digest == World().pack.digest
    assert world_pack("world") == pack
    assert world_pack("micro-english") is None


def test_prompts() -> None:
    prompt = (
        "topic: sewing about: paul and mary 's wet needle "
        "skills: doubt , simile , modus ponens text:"
    )
    assert WORLD.prompt(LOGIC, NEEDLE) == prompt
    tokens = WORLD.prompt_tokens(LOGIC, NEEDLE)
    assert tokens[:2] == ["<bos>", "topic:"]
    assert tokens[-2:] == ["modus ponens", "text:"]
    for kind, row, words in (
        ("material", 2, "mary 's cork needle"),
        ("number", 9, "mary 's nine coin needle"),
        ("place", 0, "mary 's needle from the attic"),
    ):
        assert " ".join(NEEDLE._replace(kind=kind, row=row).words) == f"paul and {words}"


def test_a_test_is_about_what_its_combination_draws() -> None:
    again = SkillCombination("sewing", ("modus ponens", "doubt", "simile"))
    assert WORLD.situation(LOGIC) == WORLD.situation(again)
    assert WORLD.prompt(LOGIC) == WORLD.prompt(LOGIC, WORLD.situation(LOGIC))
    drawn = [WORLD.situation(WORLD.draw(Random(i), 4)) for i in range(2000)]
    assert len(set(drawn)) > 1990
    kinds = Counter(situation.kind for situation in drawn)
    assert stats.chisquare([kinds[kind] for kind in GIVEN]).pvalue > 1e-4


def test_a_prompt_that_does_not_say_what_it_is_about_is_completed() -> None:
    assert complete_prompt("topic: sewing skills: doubt ,  simile , modus ponens text:") == (
        WORLD.prompt(LOGIC)
    )
    for prompt in (WORLD.prompt(LOGIC, NEEDLE), "topic: sewing skills: irony text:", "hello", ""):
        assert complete_prompt(prompt) == prompt


def test_the_two_people_are_of_different_sex() -> None:
    for _, situation, _ in texts(500, 12):
        assert (situation.owner ^ situation.other) & 1


def test_the_plan_nests_what_comes_before_a_proposition() -> None:
    (unit,) = plan(("doubt", "simile", "modus ponens"))
    assert unit == (("doubt",), ("simile",), "modus ponens")
    (unit,) = plan(("litotes", "rhetorical question", "antithesis"))
    assert unit.operators == ("rhetorical question", "litotes"), "a question is the outermost"
    (unit,) = plan(("antithesis", "simile", "alliteration", "report"))
    assert unit == (("report",), ("alliteration", "simile"), "antithesis"), "left-overs"
    (unit,) = plan(("doubt",))
    assert unit == (("doubt",), (), ""), "the carrier"
    first, second = plan(("doubt", "report", "litotes", "hyperbole"))
    assert first == (("doubt", "report"), (), ""), "at most two operators a clause"
    assert second == (("litotes",), (), "hyperbole")


def test_the_vocabulary_covers_every_text_and_prompt() -> None:
    vocabulary = WORLD.vocabulary
    assert len(vocabulary) == len(set(vocabulary)) < 1100
    known = set(vocabulary)
    used: set[str] = set()
    for combination, situation, text in texts(12_000, 1):
        used.update(text.words, WORLD.prompt_tokens(combination, situation))
    assert used <= known
    idle = known - used - {"<pad>", "<eos>"}
    assert len(idle) <= 0.02 * len(known), idle


def test_texts_have_at_most_k_minus_one_sentences() -> None:
    for combination, _, text in texts(3000, 2):
        ends = sum(word in {".", "?"} for word in text.words)
        assert 1 <= ends <= max(1, combination.k - 1)
        assert text.words[-1] in {".", "?"}


def test_every_clause_is_about_the_thing_and_its_owner() -> None:
    for combination, situation, text in texts(1000, 13):
        clauses = len(plan(combination.skills))
        assert text.words.count(situation.thing) >= clauses
        assert NAMES[situation.owner] in text.words


def test_pretty_text_has_capitals_and_no_space_before_marks() -> None:
    words = ("is", "mary", "'s", "pot", "here", ",", "on", "monday", "?", "then", "no", ".")
    assert pretty(words) == "Is Mary's pot here, on Monday? Then no."
    for _, _, text in texts(500, 4):
        assert text.pretty[0].isupper()
        assert not any(f" {mark}" in text.pretty for mark in ".,?")


def test_the_same_stream_gives_the_same_text() -> None:
    one, two = (WORLD.sample(LOGIC, Random(5).random) for _ in range(2))
    assert one == two
    assert {WORLD.sample(LOGIC, Random(seed).random).words for seed in range(20)} != {one.words}


def test_unknown_skills_and_topics_are_named() -> None:
    with pytest.raises(BadInput, match="unknown skill 'bragging'"):
        WORLD.sample(SkillCombination("sewing", ("bragging",)), Random(0).random)
    with pytest.raises(BadInput, match="unknown topic 'knitting'"):
        WORLD.entropy(SkillCombination("knitting", ("metaphor",)), "place")
    with pytest.raises(BadInput, match="k is 37, but the world has only 36 skills"):
        WORLD.draw(Random(0), 37)


@pytest.mark.parametrize("kind", GIVEN)
@pytest.mark.parametrize(
    "skills",
    [
        ("arithmetic",),
        ("simile",),
        ("disjunctive syllogism", "antithesis"),
        ("alliteration", "false belief", "rhetorical question"),
        ("red herring", "spatial reasoning", "hypothetical syllogism", "metaphor"),
        ("emotional appraisal", "emotion attribution", "concession"),
        ("report", "modus tollens", "transitive comparison", "simile", "folk physics", "induction"),
    ],
)
def test_entropy_is_the_mean_of_minus_log_probability(skills: tuple[str, ...], kind: str) -> None:
    combination = SkillCombination("chess", skills)
    rng, n = Random(6), 1500
    situation = NEEDLE._replace(thing="pawn", kind=kind, row=5)
    nats = [WORLD.sample(combination, rng.random, situation).nats for _ in range(n)]
    mean = sum(nats) / n
    error = math.sqrt(sum((x - mean) ** 2 for x in nats) / (n - 1) / n)
    assert abs(mean - WORLD.entropy(combination, kind)) <= 4 * error


def test_different_derivations_give_different_texts() -> None:
    """So that the probability of a derivation is that of its text: no text has two of them."""
    rng = Random(8)
    for name in WORLD.pack.skill_names:
        combination = SkillCombination("sewing", (name,))
        nats: dict[tuple[str, ...], float] = {}
        for _ in range(400):
            sampled = WORLD.sample(combination, rng.random)
            assert nats.setdefault(sampled.words, sampled.nats) == pytest.approx(sampled.nats)


def test_the_probabilities_of_all_texts_of_a_skill_sum_to_one() -> None:
    """Every text of a small skill, found by sampling: two derivations of one would be missed."""
    combination = SkillCombination("sewing", ("transitive comparison",))
    rng = Random(9)
    chance: dict[tuple[str, ...], float] = {}
    for _ in range(30_000):
        sampled = WORLD.sample(combination, rng.random, NEEDLE)
        chance[sampled.words] = math.exp(-sampled.nats)
    assert len(chance) == 2 * len(TABLES["rival"]) * len(TABLES["landmark"])
    assert sum(chance.values()) == pytest.approx(1)


def test_the_preferred_option_is_drawn_as_often_as_it_should_be() -> None:
    """The red herring of sewing: its favourite row, and all others alike."""
    combination, n = SkillCombination("sewing", ("red herring",)), 8000
    rng = Random(10)
    drawn = Counter(
        next(w for w in WORLD.sample(combination, rng.random).words if w in asides)
        for asides in [{row["aside"] for row in TABLES["aside"]}]
        for _ in range(n)
    )
    options = len(TABLES["aside"])
    even = (1 - PREFERENCE) / options
    expected = [n * (even + PREFERENCE * (rank == 0)) for rank in range(options)]
    assert stats.chisquare(sorted(drawn.values(), reverse=True), expected).pvalue > 1e-4


def test_entropy_of_a_draw() -> None:
    assert draw_entropy(1) == 0
    high, low = PREFERENCE + (1 - PREFERENCE) / 2, (1 - PREFERENCE) / 2
    assert draw_entropy(2) == pytest.approx(-high * math.log(high) - low * math.log(low))


def test_cloze_places_by_hand() -> None:
    """What a text repeats or concludes is asked for, what it introduces is not."""
    rng = Random(3)
    combination = SkillCombination("sewing", ("disjunctive syllogism",))
    situation = NEEDLE._replace(kind="place", row=0)
    for _ in range(30):
        text = WORLD.sample(combination, rng.random, situation, cloze=True)
        asked = [text.words[place] for place in text.cloze]
        (other,) = {w for w in asked if w not in {"needle", "attic"}}
        assert asked.count("attic") == 3, text.pretty
        assert text.words.count(other) == asked.count(other) + 1, "its first place is free"
    plain = WORLD.sample(combination, Random(3).random, situation)
    marked = WORLD.sample(combination, Random(3).random, situation, cloze=True)
    assert (plain.words, plain.nats, plain.cloze) == (marked.words, marked.nats, ())


def test_every_form_of_a_clause_has_two_operators_that_ask_for_it() -> None:
    """Otherwise a held-out pair would keep a form out of training, and not only a combination."""
    asked: dict[str, set[str]] = {}
    for spec in SKILLS:
        for template in spec.templates:
            asked.setdefault(template.partition("@")[2].partition(" ")[0], set()).add(spec.name)
    assert {form for form in asked if form} == {"fin", "would", "inf", "ing"}
    assert all(len(names) >= 2 for form, names in asked.items())


def test_every_animal_and_every_thing_is_drawn() -> None:
    rng = Random(11)
    seen: set[str] = set()
    for topic in TOPICS:
        combination = SkillCombination(topic, ("metaphor",))
        for _ in range(400):
            situation = WORLD.draw_situation(topic, rng.random)
            seen.update(WORLD.sample(combination, rng.random, situation).words)
    assert {row["animal"] for row in TABLES["animal"]} <= seen
    assert {thing for things in TOPICS.values() for thing in things} <= seen
