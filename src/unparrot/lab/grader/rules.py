"""The rules of the grader: what each skill says, and which facts must hold of its words.

The rules stand in rules.toml, which explains their notation. Here their facts become checks. A word
is its code (`unparrot.lab.grader.words`). Of what a text holds, None is what nobody knows, and
matches any word.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from unparrot.core.errors import BadInput
from unparrot.lab.grader.words import COLUMNS, TYPES

# What a text holds: a word of each type, and the noun phrase that says what was last said
Held = list[str | None]
# Whether a fact holds, given the words of a pattern and what the text holds
Check = Callable[[Sequence[str], Held], bool]
Kind = Literal["proposition", "operator", "modifier"]

DAY: Final = TYPES.index("day")
# Operators, or modifiers, that wait for one proposition
MOST_WAITING: Final = 2
LAST: Final = len(TYPES)
# Where sums turn into differences
TWELVE: Final = 12
_QUALITIES: Final = COLUMNS["quality"]["adj"]
_NUMBERS: Final = COLUMNS["number"]["num"]
_DAYS: Final = COLUMNS["day"]["day"]
OPPOSITE: Final = {word: _QUALITIES[i ^ 1] for i, word in enumerate(_QUALITIES)}
AFTER: Final = dict(zip(_DAYS, _DAYS[1:] + _DAYS[:1], strict=True))
BRINGS: Final = dict(zip(COLUMNS["cause"]["cause"], COLUMNS["cause"]["state"], strict=True))
VALUE: Final = {word: i for i, word in enumerate(_NUMBERS)}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One skill: what it says, and what must hold of it; the fields are those of rules.toml."""

    name: str
    kind: Kind
    says: tuple[str, ...]
    over: tuple[str, ...] = ()
    facts: dict[str, str] = {}
    writes: dict[str, str] = {}


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    joints: tuple[str, ...]
    openers: tuple[str, ...]
    skill: tuple[Rule, ...]


_CONTENT: Final = msgspec.toml.decode(
    files("unparrot.lab.grader").joinpath("rules.toml").read_bytes(), type=_Content
)
RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in _CONTENT.skill}
_KINDS: Final = {rule.name: rule.kind for rule in _CONTENT.skill if rule.name != "carrier"}
# What may stand between two clauses of a sentence
JOINTS: Final = _CONTENT.joints
# What may open a sentence
OPENERS: Final = _CONTENT.openers
# The plain clause for operators and modifiers that have no proposition; no skill
CARRIER: Final = "carrier"
# The only operator that is always outermost
QUESTION: Final = "rhetorical question"
# The only modifier that stands before the thing
ALLITERATION: Final = "alliteration"


def table_of(fact: str) -> str:
    """Return the table that holds the words of a fact.

    Any number may be written for a row of `delta`, which is a table of numbers.
    """
    match fact.split():
        case ["held" | "other" | "row", table, *_]:
            return "number" if table == "delta" else table
        case ["opposite" | "brought", *_]:
            return "quality"
        case ["day", "after", _]:
            return "day"
        case ["sum", *_]:
            return "number"
        case _:
            raise ValueError(f"not a fact of a rule: {fact!r}")


def check_of(name: str, facts: Mapping[str, str], place: Mapping[str, int]) -> Check | None:
    """Return the check of a fact of a rule; None if it holds of every word of its table.

    `place` says which word is that of each fact.

    Raises
    ------
    ValueError
        If it is none of the known facts.
    """
    at = place[name]
    match facts[name].split():
        case ["held", table]:
            held_type = TYPES.index(table)
            return lambda words, held: (now := held[held_type]) is None or now == words[at]
        case ["other", table]:
            other_type = TYPES.index(table)
            return lambda words, held: held[other_type] != words[at]
        case ["other", _, "than", *others]:
            first, last = place[others[0]], place[others[-1]]
            return lambda words, _: (
                words[first] != words[at] != OPPOSITE.get(words[first])
                and words[last] != words[at] != OPPOSITE.get(words[last])
            )
        case ["row", table] if table_of(facts[name]) == table:
            return None
        case ["row", table]:
            rows = frozenset(next(iter(COLUMNS[table].values())))
            return lambda words, _: words[at] in rows
        case ["opposite", "of", one]:
            i = place[one]
            return lambda words, _: OPPOSITE[words[i]] == words[at]
        case ["day", "after", one]:
            i = place[one]
            return lambda words, _: AFTER[words[i]] == words[at]
        case ["brought", "by", one]:
            i = place[one]
            return lambda words, _: BRINGS[words[i]] == words[at]
        case ["sum", "of", one, two]:
            i, j = place[one], place[two]
            return lambda words, _: VALUE[words[at]] == _sum(VALUE[words[i]], VALUE[words[j]])
        case _:
            raise ValueError(f"not a fact of a rule: {facts[name]!r}")


def _sum(n: int, m: int) -> int:
    return n + m if n <= TWELVE else n - m


# The skills in a clause: operators from the outside in and the proposition, and the modifiers
Clause = tuple[tuple[str, ...], tuple[str, ...]]


@lru_cache(maxsize=1 << 16)
def plan(skills: tuple[str, ...]) -> tuple[Clause, ...]:
    """Return the clauses that a request asks for, in order.

    Operators and modifiers wait for the next proposition, two of each at most. More than that make
    a clause on the carrier, as do those left at the end for which the last clause has no room.

    Raises
    ------
    BadInput
        If there is no such skill.

    Examples
    --------
    >>> plan(("doubt", "modus ponens", "report"))
    ((('report', 'doubt', 'modus ponens'), ()),)
    """
    clauses: list[Clause] = []
    operators: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    for name in skills:
        kind = _KINDS.get(name)
        if kind is None:
            raise BadInput(f"unknown skill {name!r}; `unparrot world list` names the skills")
        if kind == "proposition":
            clauses.append(_clause(operators, name, modifiers))
            operators = modifiers = ()
            continue
        if len(operators if kind == "operator" else modifiers) == MOST_WAITING:
            clauses.append(_clause(operators, CARRIER, modifiers))
            operators = modifiers = ()
        if kind == "operator":
            operators = (*operators, name)
        else:
            modifiers = (*modifiers, name)
    if not operators and not modifiers:
        return tuple(clauses)
    proposition = CARRIER
    if clauses:
        (*own, last), figures = clauses[-1]
        if max(len(own) + len(operators), len(figures) + len(modifiers)) <= MOST_WAITING:
            operators = (*operators, *own)
            modifiers = figures + modifiers
            proposition = last
            clauses.pop()
    clauses.append(_clause(operators, proposition, modifiers))
    return tuple(clauses)


@cache
def _clause(operators: tuple[str, ...], proposition: str, modifiers: tuple[str, ...]) -> Clause:
    if operators[1:] == (QUESTION,):
        operators = operators[::-1]
    if modifiers[1:] == (ALLITERATION,):
        modifiers = modifiers[::-1]
    return (*operators, proposition), modifiers
