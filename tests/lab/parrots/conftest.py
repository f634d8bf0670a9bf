"""A toy world with people, things, facts and seven skills, for parrots to learn from."""

from collections.abc import Callable, Iterator
from itertools import combinations
from random import Random
from typing import NamedTuple

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example

GIRLS = ("ada", "ann", "eve", "fay", "ida", "joy", "kim", "liz", "may", "sue", "una", "zoe")
BOYS = ("abe", "bob", "gus", "ian", "jim", "leo", "max", "ned", "ray", "roy", "sam", "tom")
THINGS = ("bag", "bell", "bow", "cap", "coat", "cup", "hat", "kite", "pen", "pot", "tie", "top")
COLOURS = ("red", "blue", "green", "black", "white", "brown")
PLACES = ("attic", "barn", "cellar", "park", "shed")
LIKE = ("as old as time", "as plain as day")
EPITHETS = {
    word[0]: word
    for group in (
        "able big eager fair grand idle jolly kind",
        "lively merry neat rich sly tiny",
        "urbane zany",
    )
    for word in group.split()
}
KINDS = {
    "dye": "core",
    "move": "core",
    "tell": "frame",
    "recall": "frame",
    "regret": "frame",
    "simile": "remark",
    "epithet": "remark",
}
UNSEEN = (frozenset({"recall", "move"}), frozenset({"simile", "dye"}))
"""Pairs of skills that no document holds together."""


@pytest.fixture(scope="session")
def kinds() -> dict[str, str]:
    """The kind of every skill of the toy world."""
    return KINDS


class Asked(NamedTuple):
    """A request: skills in order, two people, a thing and its fact."""

    skills: tuple[str, ...]
    other: str
    owner: str
    thing: str
    fact: str

    @property
    def about(self) -> str:
        known = f"{self.thing} from the" if self.fact in PLACES else ""
        known = f"{known} {self.fact}" if known else f"{self.fact} {self.thing}"
        return f"{self.other} and {self.owner} 's {known}"

    @property
    def combination(self) -> SkillCombination:
        return SkillCombination("toys", self.skills)


def texts(asked: Asked) -> Iterator[str]:
    """Every text that the toy world allows: all skills in order, a clause for each core."""
    runs: list[list[str]] = [[]]
    for i, skill in enumerate(asked.skills):
        runs[-1].append(skill)
        rest = [KINDS[later] for later in asked.skills[i + 1 :]]
        if KINDS[skill] == "core" and "core" in rest:
            runs.append([])
    yield from _row(asked, runs, (asked.fact,))


def _row(asked: Asked, runs: list[list[str]], facts: tuple[str, ...]) -> Iterator[str]:
    for clause, new in _clause(asked, runs[0], facts):
        if not runs[1:]:
            yield f"{clause} ."
        else:
            for rest in _row(asked, runs[1:], (*facts, new)):
                yield f"{clause} . {rest}"
                if len(runs) == len(asked.skills):
                    yield f"{clause} , and then {rest}"


def _clause(asked: Asked, run: list[str], facts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Clauses and the new fact after each.

    O: the other, B: the owner; subject, object, possessive, or always by name.
    """
    fact = facts[-1]
    frames = [skill for skill in run if KINDS[skill] == "frame"]
    core = next((skill for skill in run if KINDS[skill] == "core"), None)
    ing = frames[-1:] in (["recall"], ["regret"])
    who = "B-o" if ing else "B-s"
    named = f"{asked.thing} from the {fact}" if fact in PLACES else f"{fact} {asked.thing}"
    whose = f"{EPITHETS[asked.owner[0]]} B-n" if "epithet" in run else "B-p"
    named = f"{whose} {named}"
    fronts = {
        "tell": ("O-s told B-o that", "O-o telling B-o that"),
        "recall": ("O-s recalled", "O-o recalling"),
        "regret": ("O-s regretted", "O-o regretting"),
    }
    front, form = "", 0
    for frame in frames:
        front = f"{front} {fronts[frame][form]}"
        form = 0 if frame == "tell" else 1
    if core == "dye":
        turn = "turning" if ing else "turned"
        cores = [(named, f"{turn} {colour}", colour) for colour in COLOURS]
    elif core == "move":
        carry = f"{who} {'carrying' if ing else 'carried'} {named}"
        cores = [(carry, f"to the {place}", place) for place in PLACES]
    else:
        cores = [(f"{who} {'liking' if ing else 'liked'} {named}", "", fact)]
    for head, tail, new in cores:
        if core is not None and new in facts:
            continue
        for like in LIKE if "simile" in run else [""]:
            after = f", {like} {', ' if tail else ''}" if like else ""
            yield _realized(f"{front} {head} {after} {tail}", asked), new


def _realized(clause: str, asked: Asked) -> str:
    """Put names for O and B, and pronouns where they were named before (never for B-n)."""
    words: list[str] = []
    named: set[str] = set()
    for word in clause.split():
        if word[1:2] != "-":
            words.append(word)
            continue
        name = asked.other if word[0] == "O" else asked.owner
        case = "sopn".index(word[2])
        if name in named and case < 3:
            words.append((("she", "her", "her") if name in GIRLS else ("he", "him", "his"))[case])
        else:
            words += [name, "'s"] if case >= 2 else [name]
        named.add(name)
    return " ".join(words)


def draw(rng: Random, skills: tuple[str, ...]) -> Asked:
    people = rng.choice(GIRLS), rng.choice(BOYS)
    other, owner = people if rng.random() < 0.5 else people[::-1]
    return Asked(skills, other, owner, rng.choice(THINGS), rng.choice(COLOURS + PLACES))


def ask(rng: Random, most: int) -> Asked:
    """A request of up to ``most`` skills, no more than two of them frames."""
    while True:
        skills = tuple(rng.sample(sorted(KINDS), rng.randint(1, most)))
        if sum(KINDS[skill] == "frame" for skill in skills) <= 2:
            return draw(rng, skills)


def unseen(skills: tuple[str, ...]) -> bool:
    return any(frozenset(pair) in UNSEEN for pair in combinations(skills, 2))


class Toy(NamedTuple):
    """What tests ask of the toy world."""

    ask: Callable[[Random, int], Asked]
    texts: Callable[[Asked], Iterator[str]]
    unseen: Callable[[tuple[str, ...]], bool]


@pytest.fixture(scope="session")
def toy() -> Toy:
    return Toy(ask, texts, unseen)


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    rng = Random(4)
    made: list[Example] = []
    while len(made) < 3000:
        asked = ask(rng, 4)
        if not unseen(asked.skills):
            made.append(Example(asked.combination, asked.about, rng.choice(list(texts(asked)))))
    return made
