"""What must hold for any text, and for any small change of a sound one."""

# ruff: noqa: E501, SIM905

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from unparrot.core.skills import SkillCombination
from unparrot.lab.grader import exact
from unparrot.lab.grader.exact import marks, read
from unparrot.lab.grader.reader import parse_about
from unparrot.lab.grader.rules import CARRIER, JOINTS, OPENERS, RULES, plan
from unparrot.lab.grader.words import OTHERS, encode, tokenise
from unparrot.lab.world.english import World
from unparrot.lab.world.lexicon import NAMES, TABLES, TOPICS

WORLD = World()
SKILLS = [name for name in RULES if name != CARRIER]
WORDS = sorted(
    {word for table in TABLES.values() for row in table for form in row.values() for word in form.split()}
    | {word for rule in RULES.values() for text in rule.says for word in text.split() if word.isalpha()}
    | {word for words in (JOINTS, OPENERS, NAMES[:6], TOPICS["sewing"][:6]) for w in words for word in w.split()}
    | set("she he him his her ' 's , . ?".split())
)  # fmt: skip
ABOUT = "paul and mary 's wet needle"

requests = st.lists(st.sampled_from(SKILLS), min_size=1, max_size=8, unique=True).map(tuple)
seeds = st.integers(0, 2**32)


def draw(skills: tuple[str, ...], seed: int) -> tuple[SkillCombination, str, list[str], str]:
    """A request, what it is about, and a text for it, in words and as people write it."""
    rng = Random(seed)
    combination = SkillCombination(rng.choice(list(TOPICS)), skills)
    situation = WORLD.draw_situation(combination.topic, rng.random)
    text = WORLD.sample(combination, rng.random, situation)
    return combination, " ".join(situation.words), list(text.words), text.pretty


def change(words: list[str], rng: Random) -> list[str]:
    """The words with one left out, changed, doubled, put in or put elsewhere."""
    words = words.copy()
    at, to = rng.randrange(len(words)), rng.randrange(len(words))
    match rng.randrange(5):
        case 0:
            words.pop(at)
        case 1:
            words[at] = rng.choice(WORDS)
        case 2:
            words[at], words[to] = words[to], words[at]
        case 3:
            words.insert(at, rng.choice(WORDS))
        case _:
            words.insert(to, words.pop(at))
    return words


@given(requests, st.text())
def test_any_string_is_graded_the_same_twice(skills: tuple[str, ...], text: str) -> None:
    combination = SkillCombination("sewing", skills)
    assert len(tokenise(text)) == len(encode(text))
    given_marks = marks(combination, ABOUT, text)
    assert list(given_marks) == list(combination.criteria)
    assert given_marks == marks(combination, ABOUT, text)
    assert not all(given_marks.values())


@given(requests, st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_words_of_the_world_are_graded(skills: tuple[str, ...], words: list[str]) -> None:
    combination = SkillCombination("sewing", skills)
    slowly, faults = read(combination, ABOUT, " ".join(words))
    assert slowly["sense"] == (not faults)
    assert slowly == marks(combination, ABOUT, " ".join(words))


@settings(max_examples=300)
@given(requests, seeds)
def test_generated_texts_earn_full_marks_by_either_way(skills: tuple[str, ...], seed: int) -> None:
    combination, about, words, pretty = draw(skills, seed)
    for text in (" ".join(words), pretty, pretty.upper()):
        assert all(marks(combination, about, text).values())
        assert all(read(combination, about, text)[0].values())
    codes = parse_about(combination.topic, about).encode(pretty)
    assert not OTHERS(codes)
    assert exact.sentences_if_perfect(
        parse_about(combination.topic, about), codes, plan(combination.skills)
    )


@settings(max_examples=150)
@given(requests, seeds)
def test_the_short_cut_takes_what_the_reader_takes(skills: tuple[str, ...], seed: int) -> None:
    combination, about, words, _ = draw(skills, seed)
    rng = Random(seed)
    for _ in range(10):
        changed = change(words, rng)
        text = " ".join(changed if rng.random() < 0.7 else change(changed, rng))
        assert marks(combination, about, text) == read(combination, about, text)[0], text


SPARE = {"then", "as"}
"""`then` may open a sentence or not, `as wet as dew` leave out its first word."""


@settings(max_examples=400)
@given(requests, seeds)
def test_no_word_can_be_spared_but_an_opener(skills: tuple[str, ...], seed: int) -> None:
    combination, about, words, _ = draw(skills, seed)
    at = Random(seed).randrange(len(words))
    spared = words[:at] + words[at + 1 :]
    if all(marks(combination, about, " ".join(spared)).values()):
        assert words[at] in SPARE, " ".join(words)


@settings(max_examples=400)
@given(requests, seeds)
def test_no_word_can_be_put_in_but_an_opener(skills: tuple[str, ...], seed: int) -> None:
    combination, about, words, _ = draw(skills, seed)
    rng = Random(seed)
    at, word = rng.randrange(len(words) + 1), rng.choice(WORDS)
    more = " ".join([*words[:at], word, *words[at:]])
    assert word in SPARE or not all(marks(combination, about, more).values()), more
