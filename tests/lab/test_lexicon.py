"""The facts of the world agree with each other, and a word belongs to one class."""

from __future__ import annotations

from itertools import product

from unparrot.lab.grader.grammar import CLASSES, Lexer
from unparrot.lab.world import lexicon as lx


def test_every_word_is_of_one_class() -> None:
    """The grader's dictionary raises where two classes share a word; every class has words."""
    dictionary = Lexer().dictionary
    assert set(dictionary.values()) == {char for char, _ in CLASSES.values()}
    names = set(lx.NAMES)
    objects = [thing for things in lx.TOPICS.values() for thing in things]
    assert len(objects) == len(set(objects))
    assert not names & set(objects)
    assert not set(lx.TOPICS) & {*names, *objects}


def test_no_name_and_no_topic_is_a_content_word() -> None:
    cells = {word for table in lx.TABLES.values() for row in table for word in row.values()}
    assert not cells & {*lx.NAMES, *lx.TOPICS}
    assert len(lx.FEMALE) == len(lx.MALE) == len(set(lx.NAMES)) / 2


def test_there_are_twenty_topics_of_five_things() -> None:
    assert len(lx.TOPICS) == 20
    assert {len(things) for things in lx.TOPICS.values()} == {5}


def test_opposite_qualities_stand_side_by_side() -> None:
    for i, row in enumerate(lx.TABLES["quality"]):
        other = lx.TABLES["quality"][i ^ 1]
        assert row["anti"] == other["adj"]
        assert row["dimension"] == other["dimension"]
        assert row["more"].endswith("er")
    assert len({row["dimension"] for row in lx.TABLES["quality"]}) == len(lx.TABLES["quality"]) // 2


def test_causes_similes_and_requests_speak_of_known_qualities() -> None:
    adjectives = {row["adj"] for row in lx.TABLES["quality"]}
    for table, form in (
        (lx.TABLES["cause"], "state"),
        (lx.TABLES["simile"], "adj"),
        (lx.TABLES["request"], "need"),
    ):
        assert {row[form] for row in table} <= adjectives


def test_keys_of_the_tables_are_unique() -> None:
    """Else a premise would have two right conclusions."""
    for name, form in (
        ("quality", "adj"), ("cause", "cause"), ("event", "past"), ("animal", "animal"),
        ("animal", "trait"), ("material", "stuff"), ("simile", "adj"), ("direction", "way"),
        ("use", "does"), ("scale", "some"), ("request", "need"), ("opposites", "bad"),
        ("opposites", "good"),
    ):  # fmt: skip
        values = [row[form] for row in lx.TABLES[name]]
        assert len(values) == len(set(values)), (name, form)


def test_directions_turn_round() -> None:
    back = {row["way"]: row["back"] for row in lx.TABLES["direction"]}
    assert all(back[back[way]] == way != back[way] for way in back)


def test_numbers_and_days_are_in_order() -> None:
    assert lx.TABLES["number"][0]["num"] == "zero"
    assert lx.TABLES["number"][12]["num"] == "twelve"
    assert [row["day"][:2] for row in lx.TABLES["day"]] == [
        "mo",
        "tu",
        "we",
        "th",
        "fr",
        "sa",
        "su",
    ]


def test_epithets_begin_with_the_same_letter() -> None:
    assert all(row["one"][0] == row["two"][0] for row in lx.TABLES["epithet"])
    assert len({row["one"][0] for row in lx.TABLES["epithet"]}) == len(lx.TABLES["epithet"])


def test_articles_follow_the_first_sound() -> None:
    """The rule by letters is right unless a word begins like 'hour', 'user' or 'one'."""
    assert [lx.article(word) for word in ("owl", "lion", "ox", "answer")] == ["an", "a", "an", "an"]
    words = {w for table in lx.TABLES.values() for row in table for w in row.values()}
    silent = ("hour", "honest", "heir", "uni", "use", "one", "eu")
    nouns = {w for w in words if w.startswith(silent)} - {"use", "uses", "one"}
    assert not nouns
    vehicles = [row["vehicle"].split() for row in lx.TABLES["simile"]]
    assert all(v[0] == lx.article(v[1]) for v in vehicles if v[0] in {"a", "an"})


def test_tables_are_complete_rows() -> None:
    for table, row in product(lx.TABLES.values(), range(3)):
        assert set(table[row]) == set(table[0])
