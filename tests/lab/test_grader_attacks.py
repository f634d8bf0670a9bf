"""Corruptions of generated texts: each loses what it breaks, and the rest keeps its marks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.exact import MAX_CHARACTERS, full_marks, grade, marks, read
from unparrot.lab.world.english import World, WorldSpec
from unparrot.lab.world.lexicon import FEMALE, MALE, TOPICS

OPERATORS = frozenset({"simile", "alliteration", "rhetorical question", "appeal to authority"})
_END = re.compile(r" (;(?= speaking)|[.?])(?: |$)")


@lru_cache(maxsize=2)
def the_world(fields: bool = False) -> World:
    return World(WorldSpec(fields=fields))


@dataclass(frozen=True)
class Case:
    combination: SkillCombination
    text: str

    @property
    def clauses(self) -> list[tuple[str, str]]:
        """Each clause and the mark or link that ends it."""
        parts = _END.split(self.text)
        return list(zip(parts[0::2], parts[1::2], strict=False))

    @property
    def skills_of_clause(self) -> list[tuple[str, ...]]:
        """The skills that each clause shows: an operator goes with the next clause skill."""
        groups: list[tuple[str, ...]] = []
        waiting: list[str] = []
        for skill in self.combination.skills:
            waiting.append(skill)
            if skill not in OPERATORS:
                groups.append(tuple(waiting))
                waiting = []
        if waiting:
            groups[-1:] = [(*(groups[-1] if groups else ()), *waiting)]
        return groups


def join(clauses: list[tuple[str, str]]) -> str:
    return " ".join(f"{words} {end}" for words, end in clauses)


def cases(n: int, seed: int, sizes: tuple[int, ...] = (1, 2, 3, 4, 5, 6)) -> list[Case]:
    """`n` texts of the standard world, sizes in turn."""
    world, rng = the_world(), Random(seed)
    drawn: list[Case] = []
    for i in range(n):
        skills = tuple(rng.sample(world.pack.skill_names, sizes[i % len(sizes)]))
        combination = SkillCombination(rng.choice(world.pack.topic_names), skills)
        drawn.append(Case(combination, " ".join(world.sample(combination, rng.random).words)))
    return drawn


TEXTS = cases(600, 1)
LONG = [case for case in TEXTS if len(case.clauses) > 1]


def lost(case: Case, text: str) -> set[str]:
    return {name for name, mark in marks(case.combination, text).items() if not mark}


def drop(case: Case, i: int) -> str:
    clauses = case.clauses
    if clauses[i][1].startswith(";"):
        clauses[i + 1] = (clauses[i + 1][0], ".")
    elif i and i + 1 == len(clauses):
        clauses[i - 1] = (clauses[i - 1][0], clauses[i - 1][1].replace(";", "."))
    return join(clauses[:i] + clauses[i + 1 :])


def test_all_of_many_generated_texts_earn_full_marks() -> None:
    for fields in (False, True):
        world, rng = the_world(fields), Random(3)
        for i in range(20_000 if not fields else 5_000):
            names = tuple(rng.sample(world.pack.skill_names, 1 + i % 6))
            if fields and len({name.split(" of ")[0] for name in names}) < len(names):
                continue
            combination = SkillCombination(rng.choice(world.pack.topic_names), names)
            sampled = world.sample(combination, rng.random)
            text = sampled.pretty if i % 2 else " ".join(sampled.words)
            assert full_marks(marks(combination, text)), (combination, text, read(text).faults)


def test_a_dropped_clause_loses_its_skills_alone() -> None:
    for case in LONG:
        for i, skills in enumerate(case.skills_of_clause):
            gone = lost(case, drop(case, i))
            assert gone - {"sense", "topic"} == set(skills)
            assert gone & {"topic"} == set() or i == 0
            if i == 0:  # nobody introduces the thing any more
                assert "sense" in gone


def test_a_doubled_clause_makes_no_sense_and_keeps_its_skills() -> None:
    for case in TEXTS:
        clauses = case.clauses
        for i, (words, end) in enumerate(clauses):
            again = (words, "." if end == ";" else end)
            doubled = [*clauses[:i], again, (words, end), *clauses[i + 1 :]]
            assert lost(case, join(doubled)) - {"length"} == {"sense"}, join(doubled)


def test_a_clause_said_again_with_a_pronoun_is_said_twice() -> None:
    text = (
        "Mary waited a thousand years for the needle. She waited a thousand years for that needle."
    )
    assert any("said twice" in fault for fault in read(text).faults)


def test_speaking_of_what_nobody_said_costs_sense_alone() -> None:
    tried = 0
    for case in LONG:
        for i, (words, end) in enumerate(case.clauses):
            split = words.split()
            if split[:2] != ["speaking", "of"]:
                continue
            before = case.clauses[i - 1][0].split()
            for word in ("holidays", "trillion", "sulks", "the", "so", "of", "grindstones"):
                if word in before and word not in {"the", "so", "of"}:
                    continue
                split[2] = word
                text = join([*case.clauses[:i], (" ".join(split), end), *case.clauses[i + 1 :]])
                gone = lost(case, text)
                assert "sense" in gone, text
                assert gone == {"sense"}
                tried += 1
    assert tried > 300


def test_a_doubled_word_costs_sense_and_the_skills_of_its_clause_at_most() -> None:
    rng = Random(4)
    for case in TEXTS:
        i = rng.randrange(len(case.clauses))
        words, end = case.clauses[i]
        split = words.split()
        at = rng.randrange(len(split))
        if split[at] == "that":  # 'says that that needle is old' is English
            continue
        split.insert(at, split[at])
        text = join([*case.clauses[:i], (" ".join(split), end), *case.clauses[i + 1 :]])
        gone = lost(case, text)
        assert "sense" in gone, text
        assert gone - {"sense", "topic"} <= set(case.skills_of_clause[i])


def test_shuffled_words_cost_sense_and_the_skills_of_their_clause() -> None:
    rng = Random(5)
    survived = 0
    for case in TEXTS:
        i = rng.randrange(len(case.clauses))
        words, end = case.clauses[i]
        opener = 4 if words.startswith("speaking of") else 0
        shuffled = words.split()[opener:]
        rng.shuffle(shuffled)
        shuffled = words.split()[:opener] + shuffled
        text = join([*case.clauses[:i], (" ".join(shuffled), end), *case.clauses[i + 1 :]])
        gone = lost(case, text)
        assert gone - {"sense"} <= set(case.skills_of_clause[i]), text
        survived += not gone
    assert survived <= 3  # a shuffle of few words can be sound


def test_a_shuffled_text_earns_no_skill() -> None:
    rng = Random(6)
    kept = 0
    for case in LONG:
        words = case.text.split()
        rng.shuffle(words)
        kept += not {*case.combination.skills, "sense"} <= lost(case, " ".join(words))
    assert kept <= 0.05 * len(LONG)  # two epithets may still stand side by side


def test_another_topic_costs_the_topic_alone() -> None:
    rng = Random(7)
    for case in TEXTS:
        other = rng.choice([topic for topic in TOPICS if topic != case.combination.topic])
        moved = SkillCombination(other, case.combination.skills)
        given = marks(moved, case.text)
        assert {name for name, mark in given.items() if not mark} == {"topic"}


def test_an_object_of_another_topic_costs_the_topic() -> None:
    rng = Random(8)
    for case in TEXTS:
        words = case.text.split()
        mine = TOPICS[case.combination.topic]
        at = rng.choice([i for i, word in enumerate(words) if word in mine])
        words[at] = rng.choice(TOPICS["sewing" if case.combination.topic != "sewing" else "chess"])
        assert "topic" in lost(case, " ".join(words))


def test_other_skills_are_all_lost_and_nothing_else() -> None:
    names = the_world().pack.skill_names
    rng = Random(9)
    for case in TEXTS:
        others = [name for name in names if name not in case.combination.skills]
        asked = SkillCombination(
            case.combination.topic, tuple(rng.sample(others, case.combination.k))
        )
        given = marks(asked, case.text)
        assert {name for name, mark in given.items() if not mark} == set(asked.skills)


def test_naming_the_skills_shows_none() -> None:
    for case in TEXTS:
        combination = case.combination
        for text in (
            ", ".join(combination.skills) + ".",
            f"This text about {combination.topic} shows {' and '.join(combination.skills)}.",
            " ".join(combination.skills) + f" the {TOPICS[combination.topic][0]}.",
        ):
            assert {*combination.skills, "sense"} <= lost(case, text)


def test_a_repeated_prompt_costs_sense_and_the_first_clause_at_most() -> None:
    for case in TEXTS:
        prompt = the_world().prompt(case.combination)
        gone = lost(case, f"{prompt} {case.text}")
        assert "sense" in gone
        assert gone - {"sense"} <= set(case.skills_of_clause[0])
        assert {*case.combination.skills, "sense", "topic"} <= lost(case, prompt)


def test_two_texts_spliced_at_a_random_word_hardly_ever_earn_full_marks() -> None:
    """The second text shares the topic and the skills: the hardest splice."""
    world, rng = the_world(), Random(10)
    sound = 0
    for case in LONG:
        other = " ".join(world.sample(case.combination, rng.random).words)
        left, right = case.text.split(), other.split()
        at = rng.randrange(3, min(len(left), len(right)))
        spliced = " ".join(left[:at] + right[at:])
        sound += spliced not in (case.text, other) and not lost(case, spliced)
    # The texts have favourite words, so that some cuts fall where both say the same thing.
    assert sound <= 0.1 * len(LONG)


def test_two_texts_of_different_skills_spliced_never_earn_full_marks() -> None:
    rng = Random(11)
    for case in LONG:
        other = rng.choice(TEXTS)
        if other.combination.skills[-1] in case.combination.skills:
            continue
        left, right = case.text.split(), other.text.split()
        at = rng.randrange(1, len(left) - 1)
        assert lost(case, " ".join(left[: at - 1] + right[-min(len(right), 8) :]))


def test_one_name_swapped_for_another_of_its_sex_or_the_other() -> None:
    """A lone name stands for anybody; one that a pronoun or a later name takes up does not."""
    rng = Random(12)
    for case in TEXTS:
        words = case.text.split()
        at = next((i for i, word in enumerate(words) if word in FEMALE + MALE), -1)
        if at < 0:
            continue
        opposite = MALE if words[at] in FEMALE else FEMALE
        rest = [word for word in words[at + 1 :] if word in {"he", "she", "him", "her", "his"}]
        mine = {"she", "her"} if words[at] in FEMALE else {"he", "him", "his"}
        named = words.count(words[at]) == 1
        others = [word for word in words if word in opposite]
        words[at] = rng.choice([name for name in opposite if name not in others])
        gone = lost(case, " ".join(words))
        if named and mine & set(rest) and not others:
            assert "sense" in gone


@pytest.mark.parametrize("swap", [{"he": "she"}, {"she": "he"}, {"his": "her", "him": "her"}])
def test_a_pronoun_of_the_wrong_gender_costs_sense_or_the_skill(swap: dict[str, str]) -> None:
    tried = 0
    for case in TEXTS:
        words = case.text.split()
        people = {name in FEMALE for name in words if name in FEMALE + MALE}
        at = next((i for i, word in enumerate(words) if word in swap), -1)
        if at < 0 or len(people) == 2:
            continue
        words[at] = swap[words[at]]
        tried += 1
        assert "sense" in lost(case, " ".join(words))
    assert tried > 20


def test_wrong_articles_cost_sense_and_their_clause() -> None:
    tried = 0
    for case in TEXTS:
        for i, (words, end) in enumerate(case.clauses):
            split = words.split()
            at = next((i for i, word in enumerate(split) if word in {"a", "an"}), -1)
            if at < 0:
                continue
            split[at] = "an" if split[at] == "a" else "a"
            text = join([*case.clauses[:i], (" ".join(split), end), *case.clauses[i + 1 :]])
            gone = lost(case, text)
            tried += 1
            assert "sense" in gone
            assert len(gone) == 2
            assert gone - {"sense"} <= set(case.skills_of_clause[i])
    assert tried > 100


def test_a_missing_full_stop_and_stray_question_marks_cost_sense_alone() -> None:
    for case in TEXTS:
        if case.text.endswith("."):
            assert lost(case, case.text[:-2]) == {"sense"}
            assert lost(case, case.text[:-1] + "?") == {"sense"}
        else:
            assert lost(case, case.text[:-1] + ".") == {"sense", "rhetorical question"}
        assert lost(case, case.text[:-1]) <= {"sense", "rhetorical question"}


def test_case_and_spacing_do_not_matter() -> None:
    for case in TEXTS:
        words = tuple(case.text.split())
        for text in (
            case.text.upper(),
            "  \n".join(words),
            "\t" + case.text.replace(" ,", ",").replace(" .", ".") + " \n",
        ):
            assert not lost(case, text)


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "?", "...", ", , ,", "; besides ,", "слово дня.", "縫い針は古い。", "\x00\ud800",
     "🪡" * 50, "the " * 500, "needle " * 1000, "if " * 300 + "."],
)  # fmt: skip
def test_what_is_no_text_makes_no_sense_and_shows_nothing(text: str) -> None:
    combination = SkillCombination("sewing", ("modus ponens", "simile"))
    given = marks(combination, text)
    assert not any(given[name] for name in ("modus ponens", "simile", "sense"))


def test_non_ascii_letters_break_only_their_clause() -> None:
    for case in LONG[:100]:
        words, end = case.clauses[-1]
        broken = join([*case.clauses[:-1], (f"{words} naïvely", end)])
        assert lost(case, broken) == {"sense", *case.skills_of_clause[-1]}


def test_a_huge_text_earns_nothing() -> None:
    case = TEXTS[0]
    text = (case.text + " ") * (1_000_000 // len(case.text.split()))
    assert len(text) > MAX_CHARACTERS
    assert not any(marks(case.combination, text).values())
    assert not any(marks(case.combination, "needle " * 1_000_000).values())


def test_the_longest_text_that_is_read_can_be_garbage() -> None:
    for word in ("as a as ", "the broad ", "if the needle is old ", "; ", ". ", "that "):
        text = (word * MAX_CHARACTERS)[:MAX_CHARACTERS]
        assert "sense" in lost(TEXTS[0], text)


def test_too_many_sentences_cost_the_length_alone() -> None:
    text = "Mary lost the needle and felt sad. That needle weighs a thousand tons, says she."
    two = SkillCombination("sewing", ("emotion attribution", "hyperbole"))
    given = marks(two, text)
    assert {name for name, mark in given.items() if not mark} == {"length"}
    assert full_marks(marks(two, text.replace(". That", "; besides, that")))


def test_unknown_names_are_named() -> None:
    with pytest.raises(BadInput, match="unknown topic 'knitting'"):
        marks(SkillCombination("knitting", ("simile",)), "")
    with pytest.raises(BadInput, match="unknown skill 'bragging'"):
        marks(SkillCombination("sewing", ("bragging",)), "")
    assert grade(SkillCombination("sewing", ("simile",)), "")["simile"].status == "missed"
