"""Attacks on sound texts: each loses what it breaks, and the rest keeps its marks."""

# ruff: noqa: E501

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.exact import MAX_CHARACTERS, grade, marks, read
from unparrot.lab.grader.rules import CARRIER, JOINTS, OPENERS, RULES, plan
from unparrot.lab.world.english import World
from unparrot.lab.world.lexicon import NAMES, TABLES, TOPICS

WORLD = World()
OF_KIND = {
    kind: [name for name, rule in RULES.items() if rule.kind == kind and name != CARRIER]
    for kind in ("proposition", "operator", "modifier")
}
SKILLS = [name for name in RULES if name != CARRIER]
FRAMES = OF_KIND["operator"] + OF_KIND["modifier"]
END = re.compile(r" ([.?]|" + "|".join(JOINTS) + r")(?: |$)")


@dataclass(frozen=True)
class Case:
    """A request, and a text for it or for another one."""

    combination: SkillCombination
    about: str
    text: str

    @property
    def lost(self) -> set[str]:
        given = marks(self.combination, self.about, self.text)
        return {name for name, mark in given.items() if not mark}

    @property
    def faults(self) -> list[str]:
        return read(self.combination, self.about, self.text)[1]

    def say(self, text: str) -> Case:
        return replace(self, text=text)

    def swap(self, old: str, new: str) -> Case:
        assert old in self.text, (old, self.text)
        return self.say(self.text.replace(old, new, 1))

    def asked(self, skills: Sequence[str]) -> Case:
        """The same text, as if other skills had been asked for."""
        return replace(self, combination=SkillCombination(self.combination.topic, tuple(skills)))


def write(skills: Sequence[str], seed: int) -> Case:
    rng = Random(seed)
    combination = SkillCombination(rng.choice(list(TOPICS)), tuple(skills))
    situation = WORLD.draw_situation(combination.topic, rng.random)
    text = WORLD.sample(combination, rng.random, situation)
    return Case(combination, " ".join(situation.words), " ".join(text.words))


def drawn(k: int, seed: int) -> Case:
    rng = Random(seed)
    return write(WORLD.draw(rng, k).skills, seed)


def people(about: str) -> tuple[str, str]:
    """The other person and the owner."""
    words = about.split()
    return words[0], words[2]


def expected(asked: Sequence[str], has: Sequence[str], sentences: int) -> set[str]:
    """What a sound text for the skills `has` loses if `asked` were asked for."""
    want, got = plan(tuple(asked)), plan(tuple(has))
    homes = [{name: c[0][-1] for c in clauses for name in c[0] + c[1]} for clauses in (want, got)]
    rank = {c[0][-1]: at for at, c in enumerate(want)}
    order = [c[0][-1] for c in got if c[0][-1] in rank]
    moved = _swapped([rank[name] for name in order], order)
    lost = (set(asked) - set(has)) | (moved & set(asked))
    for name in set(asked) & set(has) - set(OF_KIND["proposition"]):
        home = homes[0][name]
        if homes[1][name] != home or (home == CARRIER and CARRIER in moved):
            lost.add(name)
    for (skills, figures), (also, too) in [
        (a, b) for a in want for b in got if a[0][-1] == b[0][-1]
    ]:
        for planned, stands in ((skills, also), (figures, too)):
            common = [name for name in stands if name in planned]
            lost |= _swapped([planned.index(name) for name in common], common)
    if set(has) - set(asked) or (CARRIER in homes[1] and CARRIER not in homes[0]):
        lost.add("sense")
    if sentences > max(1, len(asked) - 1):
        lost.add("length")
    return lost


def _swapped(ranks: Sequence[int], names: Sequence[str]) -> set[str]:
    pairs = combinations(range(len(ranks)), 2)
    return {names[i] for a, b in pairs if ranks[a] > ranks[b] for i in (a, b)}


def carriers(skills: Sequence[str]) -> int:
    return sum(skills[-1] == CARRIER for skills, _ in plan(tuple(skills)))


def check(asked: Sequence[str], has: Sequence[str], seed: int) -> None:
    case = write(has, seed).asked(asked)
    sentences = len(re.findall(r" [.?]", case.text))
    assert case.lost == expected(asked, has, sentences), (asked, has, case.text, case.faults)


@pytest.mark.parametrize("skill", SKILLS)
def test_what_is_left_out_loses_its_mark_and_what_is_added_costs_sense(skill: str) -> None:
    rng = Random(SKILLS.index(skill))
    for seed in range(12):
        others = rng.sample([name for name in SKILLS if name != skill], rng.randint(1, 5))
        at = rng.randint(0, len(others))
        whole = [*others[:at], skill, *others[at:]]
        if max(carriers(whole), carriers(others)) < 2:
            check(whole, others, seed)
            check(others, whole, seed)


@pytest.mark.parametrize("skill", SKILLS)
def test_what_acts_elsewhere_loses_its_mark(skill: str) -> None:
    rng = Random(SKILLS.index(skill))
    for seed in range(12):
        others = rng.sample([name for name in SKILLS if name != skill], rng.randint(2, 5))
        one, two = (rng.randint(0, len(others)) for _ in "ab")
        asked = [*others[:one], skill, *others[one:]]
        has = [*others[:two], skill, *others[two:]]
        if max(carriers(asked), carriers(has)) < 2:
            check(asked, has, seed)


@pytest.mark.parametrize("frame", FRAMES)
def test_rehung_on_another_clause_a_frame_alone_loses(frame: str) -> None:
    rng = Random(FRAMES.index(frame))
    one, two = rng.sample(OF_KIND["proposition"], 2)
    assert write([one, frame, two], 1).asked([frame, one, two]).lost == {frame}
    assert write([frame, one, two], 2).asked([one, frame, two]).lost == {frame}
    assert write([one, two], 3).asked([frame, one, two]).lost == {frame}
    assert write([frame, one, two], 4).asked([one, two]).lost - {"length"} == {"sense"}


@pytest.mark.parametrize("one", OF_KIND["operator"])
def test_two_operators_that_are_swapped_both_lose(one: str) -> None:
    for seed, two in enumerate(OF_KIND["operator"]):
        if two != one:
            lost = write([two, one, "red herring"], seed).asked([one, two, "red herring"]).lost
            assert lost == (set() if "rhetorical question" in (one, two) else {one, two})


@pytest.mark.parametrize("one", OF_KIND["modifier"])
def test_two_modifiers_that_are_swapped_both_lose(one: str) -> None:
    for seed, two in enumerate(OF_KIND["modifier"]):
        if two != one:
            lost = write([two, one, "red herring"], seed).asked([one, two, "red herring"]).lost
            assert lost == (set() if "alliteration" in (one, two) else {one, two})


@pytest.mark.parametrize("one", OF_KIND["proposition"])
def test_two_propositions_that_are_swapped_both_lose(one: str) -> None:
    rng = Random(one)
    for seed in range(6):
        two, three = rng.sample([name for name in OF_KIND["proposition"] if name != one], 2)
        assert write([two, one, three], seed).asked([one, two, three]).lost == {one, two}


def test_any_other_request_misses_what_it_should() -> None:
    rng = Random(3)
    for seed in range(400):
        asked = list(WORLD.draw(rng, rng.randint(2, 8)).skills)
        has = rng.sample(asked, rng.randint(1, len(asked)))
        if rng.random() < 0.5:
            has.insert(rng.randint(0, len(has)), rng.choice(SKILLS))
        has = list(dict.fromkeys(has))
        if max(carriers(asked), carriers(has)) < 2:
            check(asked, has, seed)


def test_carriers_are_told_apart_by_what_they_carry() -> None:
    frames = ["doubt", "report", "recollection", "litotes"]
    case = write(frames, 1)
    assert case.lost == set()
    first, second = re.split(r" \. |" + "|".join(f" {joint} " for joint in JOINTS), case.text[:-2])
    second = second.removeprefix(next((f"{o} " for o in OPENERS if second.startswith(o)), ""))
    assert case.say(f"{first} .").lost == {"recollection", "litotes"}
    assert case.say(f"{second} .").lost == {"doubt", "report"}
    assert case.say(f"{second} . {first} .").lost == set(frames)


@pytest.mark.parametrize("k", range(1, 9))
def test_what_one_writes_about_others_is_off_the_topic(k: int) -> None:
    for seed in range(5):
        case = drawn(k, 100 * k + seed)
        other, owner = people(case.about)
        stranger = next(n for n in NAMES if n not in case.text.split() and n != other)
        thing = next(word for word in TOPICS["chess"] if f" {word}" not in case.about)
        mine = case.about.removesuffix(" .").split()
        topical = set(TOPICS[case.combination.topic])
        its = next(word for word in reversed(mine) if word in topical)
        alliterates = {"alliteration"} & set(case.combination.skills)
        assert (
            case.say(re.sub(rf"\b{owner}\b", stranger, case.text)).lost <= {"topic"} | alliterates
        )
        assert "topic" in case.say(re.sub(rf"\b{owner}\b", stranger, case.text)).lost
        assert case.say(re.sub(rf"\b{its}\b", thing, case.text)).lost == {"topic"}
        assert case.swap(its, thing).lost == {"topic"}
        if other in case.text.split():
            assert case.swap(other, next(n for n in NAMES if n not in case.text)).lost == {"topic"}


def test_the_owner_is_the_owner() -> None:
    case = Case(
        SkillCombination("sewing", ("red herring",)),
        "paul and mary 's wet needle",
        "mary asked about her wet needle , but paul only talked of the moon .",
    )
    assert case.lost == set()
    assert case.swap("her wet", "paul 's wet").lost == {"topic"}
    assert case.swap("her wet", "his wet").lost == {"topic"}
    assert case.swap("her wet", "mary 's wet").lost == {"sense"}
    assert case.swap("her wet", "the wet").lost == {"sense"}
    assert case.swap("her wet", "she wet").lost >= {"sense"}
    assert case.swap("mary asked", "she asked").lost == {"sense"}
    assert case.swap("but paul", "but he").lost == {"sense"}
    assert case.swap("but paul", "but mary").lost == {"sense"}
    assert case.swap("mary asked", "paul asked").lost == {"sense"}
    assert case.swap("wet needle", "needle").lost == {"sense"}
    assert case.swap("her wet needle", "the needle").lost == {"sense"}


@pytest.mark.parametrize("skill", SKILLS)
def test_a_wrong_fact_in_the_noun_phrase_costs_sense(skill: str) -> None:
    for seed in range(4):
        case = write([skill], seed)
        owner, thing = people(case.about)[1], case.about.split(" 's ")[1]
        noun = thing if thing in case.text else None
        assert noun, (case.about, case.text)
        word = noun.split()[-1] if " from the " in noun else noun.split()[0]
        table = next(
            rows for name, rows in TABLES.items()
            if name in ("quality", "material", "place", "number") and word in [next(iter(r.values())) for r in rows]
        )  # fmt: skip
        wrong = next(w for row in table if (w := next(iter(row.values()))) not in case.text.split())
        assert case.swap(noun, noun.replace(word, wrong)).lost == {"sense"}, case.text
        assert case.swap(noun, case.about.split()[-1 if " from " not in noun else 4]).lost == {
            "sense"
        }
        assert case.swap(noun, f"grey {noun}").lost == {"sense", skill}
        assert owner in case.text


@pytest.mark.parametrize("operator", [n for n in OF_KIND["operator"] if n != "rhetorical question"])
def test_a_wrong_actor_or_form_leaves_the_clause_unread(operator: str) -> None:
    case = write([operator], 5)
    other, owner = people(case.about)
    one, two = case.text.split()[0], {other: owner, owner: other}
    if one in two:
        assert case.swap(one, two[one]).lost == {operator, "sense"}
    verbs = {
        "admired": ["would admire", "to admire", "admiring"],
        "studied": ["would study", "studying"],
    }
    verbs |= {"would admire": ["admired"], "to admire": ["admiring"], "admiring": ["to admire"]}
    verbs |= {"would study": ["studied"], "to study": ["studying"], "studying": ["to study"]}
    verb = next(v for v in sorted(verbs, key=len, reverse=True) if f" {v} " in case.text)
    for wrong in verbs[verb]:
        assert case.swap(verb, wrong).lost == {operator, "sense"}


@pytest.mark.parametrize("skill", SKILLS)
def test_what_is_said_twice_or_beside_garbage_costs_sense(skill: str) -> None:
    case = write([skill], 8)
    owner = people(case.about)[1]
    garbage = "wet the of , and xyzzy so all ."
    plain = f"{owner} admired {case.about.split(' and ')[1]} ."
    for text in (
        f"{case.text} {case.text}",
        f"{garbage} {case.text}",
        f"{case.text} {garbage}",
        f"{case.text} {plain}",
        f"{case.text} .",
    ):
        assert case.say(text).lost == {"sense", "length"}, (text, case.say(text).faults)


@pytest.mark.parametrize("k", range(2, 9))
def test_garbage_costs_sense_and_the_skills_of_its_clause(k: int) -> None:
    for seed in range(6):
        case = drawn(k, 1000 * k + seed)
        planned = plan(case.combination.skills)
        ends = [match.start() for match in END.finditer(case.text)]
        starts = [0, *(match.end() for match in END.finditer(case.text))][: len(ends)]
        clauses = [case.text[a:b] for a, b in zip(starts, ends, strict=True)]
        if len(clauses) != len(planned):
            continue  # a joint stands in a clause, too
        for at, (clause, (skills, figures)) in enumerate(zip(clauses, planned, strict=True)):
            opener = next((f"{o} " for o in OPENERS if clause.startswith(f"{o} ")), "")
            broken = f"{opener}so to speak {clause.removeprefix(opener)}"
            text = case.text[: starts[at]] + broken + case.text[ends[at] :]
            lost = {*skills, *figures, "sense"} - {CARRIER}
            assert case.say(text).lost == lost, (text, case.say(text).faults)


def test_marks_openers_and_joints() -> None:
    case = Case(
        SkillCombination("sewing", ("hyperbole", "red herring", "doubt", "antithesis", "metaphor")),
        "paul and mary 's wet needle",
        "mary waited a thousand years for her wet needle , but mary asked about her wet needle , but"
        " paul only talked of the moon . still , paul doubted that mary 's wet needle , a very fox for"
        " cunning , would be a foe to him but a friend to her .",
    )
    assert case.lost == set(), case.faults
    assert case.say(case.text[:-2]).lost == {"sense"}
    assert case.say(case.text[:-1] + "?").lost == {"sense"}
    assert case.say(f"then {case.text}").lost == {"sense"}
    assert case.swap("moon . still ,", "moon . still").lost == {
        "sense",
        "doubt",
        "antithesis",
        "metaphor",
    }
    assert case.swap("moon . still ,", "moon , while").lost == {"sense"}  # three clauses
    assert case.swap(" , but mary", " and mary").lost == {"sense", "hyperbole", "red herring"}
    assert case.swap(" , but mary", " . mary").lost == set()
    assert case.swap("moon . still", "moon . . still").lost == {"sense"}
    for opener in OPENERS:
        assert case.swap("still ,", opener).lost == set()
    for joint in JOINTS:
        assert case.swap(", but mary", f"{joint} mary").lost == set()


def test_a_question_is_a_sentence_of_its_own() -> None:
    case = Case(
        SkillCombination("sewing", ("rhetorical question", "hyperbole", "antithesis")),
        "paul and mary 's wet needle",
        "who could deny that mary would wait a thousand years for her wet needle ?"
        " mary 's wet needle was a foe to paul but a friend to her .",
    )
    assert case.lost == set(), case.faults
    assert case.swap("?", ".").lost == {"sense"}
    assert case.swap("?", ", but").lost == {"sense"}
    assert case.say(case.text[:-1] + "?").lost == {"sense"}
    first, second = case.text.split(" ? ")
    assert case.say(f"{second} then {first} ?").lost == {"sense", "hyperbole", "antithesis"}
    assert case.swap("would wait", "waited").lost == {"sense", "rhetorical question", "hyperbole"}
    assert case.swap(first, f"paul doubted that {first}").lost >= {"sense", "hyperbole"}


@pytest.mark.parametrize("k", range(1, 9))
def test_too_many_sentences_cost_length_alone(k: int) -> None:
    case = write(["hyperbole", *[n for n in OF_KIND["proposition"] if n != "hyperbole"]][:k], k)
    clauses = len(plan(case.combination.skills))
    text = re.sub(
        "|".join(f" {joint} (?=(?:{'|'.join(people(case.about))}) )" for joint in JOINTS),
        " . ",
        case.text,
    )
    sentences = len(re.findall(r" \.", text))
    lost = case.say(text).lost
    assert lost == ({"length"} if sentences > max(1, k - 1) else set())
    assert clauses == k


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "?", ", , ,", "\x00", "\ud800", "’", "İ" * 50, "𝕄ary", "P", "Q O .", "the", "'s " * 9,
     "\ue000\ue001 \x80", "\u0130. \u2028 ? \xa0", "mary's", "MARY", "then", "then ,", ", but"],
)  # fmt: skip
def test_odd_texts_earn_nothing(text: str) -> None:
    case = Case(SkillCombination("sewing", ("doubt",)), "paul and mary 's wet needle", text)
    assert case.lost >= {"doubt", "topic", "sense"}
    assert case.faults


OPENINGS = [
    "paul told mary that ", "paul doubted that ", "the mayor swore that ", "who could deny that ",
    "paul remembered mary remembering ", "mary reckoned that without ", "mary heard of ", ", but ", ". ",
    "paul wanted mary to want ", "mary 's wet needle , as wet as dew , ", "mary 's wet needle ", "then ",
    ", as wet as dew ", "mary waited a thousand years for her wet needle , but ", "wet ", "' s", "?",
    "mary reckoned that without mary admiring her wet needle , ", "mary , ", "neat neat ", "sad ",
]  # fmt: skip


@pytest.mark.parametrize("opening", OPENINGS)
def test_long_texts_cost_no_more_time_than_their_length(opening: str) -> None:
    """Ten times the text costs about ten times the work, counted in calls, not by the clock."""
    case = Case(
        SkillCombination("sewing", ("doubt", "red herring")), "paul and mary 's wet needle", ""
    )
    long = (opening * MAX_CHARACTERS)[:MAX_CHARACTERS]
    began = time.process_time()
    assert "sense" in case.say(long).lost
    print(opening, time.process_time() - began)
    assert case.say(long + "x").lost == {"doubt", "red herring", "topic", "sense", "length"}


def test_a_request_that_the_world_lacks_is_refused() -> None:
    skills = SkillCombination("sewing", ("doubt",))
    about = "paul and mary 's wet needle"
    with pytest.raises(BadInput, match="unknown topic 'tea'; `unparrot world list`"):
        marks(SkillCombination("tea", ("doubt",)), about, "")
    for name in ("irony", CARRIER):
        with pytest.raises(BadInput, match=f"unknown skill '{name}'; `unparrot world list`"):
            marks(SkillCombination("sewing", ("doubt", name)), about, "")
    for wrong, reason in [
        ("", "must read like"),
        ("mary 's wet needle", "must read like"),
        ("paul and mary 's needle", "one fact"),
        ("paul and mary 's wet needle from the attic", "one fact"),
        ("paul and mark 's wet needle", "one of the two must be a woman"),
        ("paul and mary 's wet pawn", "'pawn' is no thing of sewing"),
        ("paul and mary 's old xyzzy", "must read like"),
    ]:
        with pytest.raises(BadInput, match=f"about {re.escape(repr(wrong))}: .*{reason}"):
            marks(skills, wrong, "")


def test_a_grade_has_a_mark_for_every_criterion() -> None:
    case = drawn(4, 1)
    graded = grade(case.combination, case.about, case.text)
    assert list(graded) == list(case.combination.criteria)
    assert {mark.status for mark in graded.values()} == {"earned"}
