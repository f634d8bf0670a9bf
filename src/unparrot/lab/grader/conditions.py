"""What the rules of the grader are made of: facts, and conditions over the words of a clause.

A condition looks at bound words: ``b['a']`` is the word in slot a, pronouns replaced by the person
they stand for and 'it' by the thing the text is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from unparrot.lab.world import lexicon as lx

Bindings = Mapping[str, str]
Condition = Callable[[Bindings], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to show the skills of a family; `key` holds the slots whose words tell the field."""

    family: str
    pattern: str
    condition: Condition
    key: str = ""


ANTI: Final = {row["adj"]: row["anti"] for row in lx.QUALITY}
DIMENSION: Final = {row[form]: row["dimension"] for row in lx.QUALITY for form in ("adj", "more")}
CAUSE: Final = {(row["cause"], row["state"]) for row in lx.CAUSE}
EMOTION: Final = {(row["past"], row["emotion"]) for row in lx.EVENT}
GROUND: Final = {(row["animal"], row["trait"]) for row in lx.ANIMAL}
FATE: Final = {(row["stuff"], row["fate"]) for row in lx.MATERIAL}
BACK: Final = {(row["way"], row["back"]) for row in lx.DIRECTION}
SCALE: Final = {(row["some"], row["every"]) for row in lx.SCALE}
REQUEST: Final = {(row["need"], row["deed"]) for row in lx.REQUEST}
OPPOSITE: Final = {frozenset((row["bad"], row["good"])) for row in lx.OPPOSITES}
USE: Final = {(row["does"], row["do"]) for row in lx.USE}
_NUMBER = {row["num"]: i for i, row in enumerate(lx.NUMBER)}
_DAY = {row["day"]: i for i, row in enumerate(lx.DAY)}
VEHICLE: Final = {row["adj"]: row["vehicle"] for row in lx.SIMILE}


def anything(_: Bindings) -> bool:
    """The pattern alone shows the skill."""
    return True


def same(b: Bindings, *pairs: str) -> bool:
    """Each 'ab' of `pairs` names two slots that hold the same word."""
    for one, two in pairs:  # noqa: SIM110 - a generator takes twice the time
        if b[one] != b[two]:
            return False
    return True


def apart(b: Bindings, first: str, second: str) -> bool:
    """Two qualities that are neither the same nor opposite: one can follow from the other."""
    one, two = b[first], b[second]
    return one != two and ANTI[one] != two


def chain(b: Bindings, *things: str) -> bool:
    """Chained things are three different objects."""
    return len({b[slot] for slot in things}) == len(things)


def adds_up(b: Bindings, first: str, second: str, total: str) -> bool:
    """The third number is the sum of the first two."""
    return _NUMBER[b[first]] + _NUMBER[b[second]] == _NUMBER[b[total]]


def days_in_a_row(b: Bindings) -> bool:
    """Slots d, e, f hold three days, each the next of the one before."""
    d, e, f = (_DAY[b[s]] for s in "def")
    return (d + 1) % 7 == e and (e + 1) % 7 == f


def fact(facts: set[tuple[str, str]], first: str, second: str) -> Condition:
    """The words of the two slots stand together in a table of facts."""
    return lambda b: (b[first], b[second]) in facts


def both(first: Condition, second: Condition) -> Condition:
    """Both conditions hold."""
    return lambda b: first(b) and second(b)


def persons(same: str = "", other: str = "") -> Condition:
    """'pq' as `same`: slots p and q hold one person; as `other`: two different ones."""

    def one_person(b: Bindings) -> bool:
        return b[same[0]] == b[same[1]]

    def two_people(b: Bindings) -> bool:
        return b[other[0]] != b[other[1]]

    if same and other:
        return lambda b: one_person(b) and two_people(b)
    return one_person if same else two_people


def own_merit(b: Bindings) -> bool:
    """The praised merit is one's own."""
    return b["p"] == b["h"]


def one_left(b: Bindings, first: str, second: str, denied: str, left: str) -> bool:
    """One of two possibilities is denied and the other concluded."""
    options = {b[first], b[second]}
    return {b[denied], b[left]} == options and len(options) == 2
