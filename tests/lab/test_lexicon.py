"""The facts of the world agree with each other, and a word belongs to one class."""

from __future__ import annotations

from collections import defaultdict

from unparrot.lab.world import lexicon as lx
from unparrot.lab.world.template import template_words

SHARED = {"above", "below", "behind", "before", "north", "south", "east", "west", "rain", "wind"}
"""A direction and its reverse; what may cause something and stand in an analogy."""


def test_every_word_is_of_one_class() -> None:
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for word in lx.NAMES:
        classes[word].add("name")
    for things in lx.TOPICS.values():
        for word in things:
            classes[word].add("thing")
    for words in lx.EPITHETS.values():
        for word in words:
            classes[word].add("epithet")
    for topic in lx.TOPICS:
        classes[topic].add("topic")
    for name, rows in lx.TABLES.items():
        for row in rows:
            for form, words in row.items():
                if len(words.split()) == 1 and form != "state" and name != "delta":
                    classes[words].add(f"{name} {form}")
    doubled = {word: names for word, names in classes.items() if len(names) > 1}
    assert set(doubled) == {w for w in SHARED if w in doubled}, doubled
    templates = set(template_words()) - {"found", "find", "finding", "before"}
    assert not {word for word in templates if word in classes}


def test_there_are_as_many_men_as_women() -> None:
    assert len(lx.NAMES) == len(set(lx.NAMES)) == 64


def test_there_are_twenty_topics_of_forty_things() -> None:
    assert len(lx.TOPICS) == 20
    assert {len(set(things)) for things in lx.TOPICS.values()} == {40}


def test_causes_bring_about_known_qualities() -> None:
    assert set(lx.column("cause", "state")) <= set(lx.column("quality", "adj"))


def test_keys_of_the_tables_are_unique() -> None:
    """Otherwise a premise would have two right conclusions."""
    for name, form in (
        ("quality", "adj"), ("quality", "more"), ("quality", "vehicle"), ("cause", "cause"),
        ("cause", "state"), ("feeling", "past"), ("feeling", "feeling"), ("animal", "animal"),
        ("animal", "trait"), ("material", "stuff"), ("direction", "way"), ("scale", "some"),
        ("opposites", "bad"), ("opposites", "good"), ("analogy", "what"), ("analogy", "whom"),
    ):  # fmt: skip
        values = lx.column(name, form)
        assert len(values) == len(set(values)), (name, form)


def test_directions_turn_round() -> None:
    back = {row["way"]: row["back"] for row in lx.TABLES["direction"]}
    assert all(back[back[way]] == way != back[way] for way in back)


def test_numbers_and_days_are_in_order() -> None:
    numbers = lx.column("number", "num")
    assert (numbers[0], numbers[12], numbers[24]) == ("zero", "twelve", "twenty-four")
    assert lx.column("delta", "num") == numbers[2:4]
    assert [day[:2] for day in lx.column("day", "day")] == [
        "mo",
        "tu",
        "we",
        "th",
        "fr",
        "sa",
        "su",
    ]


def test_every_name_has_two_epithets_of_its_letter() -> None:
    assert {name[0] for name in lx.NAMES} == set(lx.EPITHETS)
    for letter, words in lx.EPITHETS.items():
        assert len(words) == 2
        assert {word[0] for word in words} == {letter}


def test_opposite_qualities_stand_side_by_side() -> None:
    adjectives = lx.column("quality", "adj")
    assert len(adjectives) % 2 == 0
    for one, two in (("old", "new"), ("wet", "dry"), ("quick", "slow"), ("cheap", "costly")):
        assert adjectives.index(one) ^ 1 == adjectives.index(two)
