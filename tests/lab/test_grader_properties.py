"""What must hold for any text, and for any small change of a sound one."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.exact import full_marks, marks, read
from unparrot.lab.world.english import World
from unparrot.lab.world.lexicon import TABLES, TOPICS

WORLD = World()
WORDS = WORLD.vocabulary[7 + len(WORLD.pack.skills) :]
CLAUSE_SKILLS = tuple(
    name
    for name in WORLD.pack.skill_names
    if name not in {"simile", "alliteration", "rhetorical question", "appeal to authority"}
)
OPTIONAL = {",", "and", "but", "that", "then", "now", "on", "coins"}
"""Words that English can spare: 'if it is old (then) it is wet', 'says (that)', 'would not be wet
(now)'.
"""

combinations = st.builds(
    SkillCombination,
    st.sampled_from(WORLD.pack.topic_names),
    st.lists(st.sampled_from(WORLD.pack.skill_names), min_size=1, max_size=6, unique=True).map(
        tuple
    ),
)
alone = st.builds(
    SkillCombination,
    st.sampled_from(WORLD.pack.topic_names),
    st.sampled_from(CLAUSE_SKILLS).map(lambda name: (name,)),
)
seeds = st.integers(0, 2**32)


def draw(combination: SkillCombination, seed: int) -> list[str]:
    return list(WORLD.sample(combination, Random(seed).random).words)


@settings(deadline=None)
@given(combinations, st.text())
def test_any_string_is_graded_the_same_twice(combination: SkillCombination, text: str) -> None:
    given_marks = marks(combination, text)
    assert list(given_marks) == [*combination.skills, "topic", "sense", "length"]
    assert given_marks == marks(combination, text)
    assert not full_marks(given_marks)


@settings(deadline=None)
@given(combinations, st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_words_of_the_world_are_graded(combination: SkillCombination, words: list[str]) -> None:
    text = " ".join(words)
    reading = read(text)
    assert marks(combination, text)["sense"] == (not reading.faults)
    assert reading.tokens == words
    assert reading.sentences <= len(words)


@settings(deadline=None)
@given(combinations, seeds)
def test_generated_texts_earn_full_marks(combination: SkillCombination, seed: int) -> None:
    text = WORLD.sample(combination, Random(seed).random)
    assert full_marks(marks(combination, " ".join(text.words)))
    assert full_marks(marks(combination, text.pretty))


@settings(max_examples=300, deadline=None)
@given(combinations, seeds, st.data())
def test_no_word_can_be_spared_but_the_optional_ones(
    combination: SkillCombination, seed: int, data: st.DataObject
) -> None:
    words = draw(combination, seed)
    at = data.draw(st.integers(0, len(words) - 1))
    gone = words.pop(at)
    assert gone in OPTIONAL or not full_marks(marks(combination, " ".join(words)))


def _sound(skill: str, one: str, two: str) -> bool:
    """Whether a clause of `skill` still holds when two of its words change places."""
    numbers = {row["num"] for row in TABLES["number"]}
    things = {thing for objects in TOPICS.values() for thing in objects}
    return (
        skill == "disjunctive syllogism"  # either of two possibilities may be the one left
        or (skill == "arithmetic" and {one, two} <= numbers | things)  # a + b = b + a
        or (skill == "spatial reasoning")  # above and below, turned round on both sides
        or (skill == "antithesis")  # the opposites, or the people, change sides
        or (skill in {"red herring", "indirect request", "scalar implicature"})  # other roles
    )


@settings(max_examples=500, deadline=None)
@given(alone, seeds, st.data())
def test_two_words_change_places_only_where_that_is_sound(
    combination: SkillCombination, seed: int, data: st.DataObject
) -> None:
    words = draw(combination, seed)
    places = st.integers(0, len(words) - 1)
    one, two = data.draw(places), data.draw(places)
    assume(words[one] != words[two])
    words[one], words[two] = words[two], words[one]
    if full_marks(marks(combination, " ".join(words))):
        assert _sound(combination.skills[0], words[one], words[two]), " ".join(words)
