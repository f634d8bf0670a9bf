"""What each skill means to the grader: sentence patterns, and what their words must say.

The rules stand in rules.toml, which explains their notation; here their conditions are made into
functions over the words of a clause. ``words['a']`` is the word in slot a, pronouns replaced by the
person they stand for and 'it' by the thing the text is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import msgspec

from unparrot.lab.world.lexicon import TABLES

Bindings = Mapping[str, str]
Condition = Callable[[Bindings], bool]

_QUALITIES: Final = TABLES["quality"]
DIMENSION: Final = {row[form]: row["dimension"] for row in _QUALITIES for form in ("adj", "more")}
"""What a quality is a quality of: 'old' and 'older' of age."""
VEHICLE: Final = {row["adj"]: row["vehicle"] for row in TABLES["simile"]}
"""What a quality is likened to."""
_ANTI: Final = {row["adj"]: row["anti"] for row in _QUALITIES}
_NUMBER: Final = {row["num"]: i for i, row in enumerate(TABLES["number"])}
_DAY: Final = {row["day"]: i for i, row in enumerate(TABLES["day"])}
_FACTS: Final = {
    name: {tuple(row.values()) for row in table}
    for name, table in TABLES.items()
    if len(table[0]) == 2
}
_FACTS["opposites"] |= {(good, bad) for bad, good in _FACTS["opposites"]}


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to show the skills of a family; `key` holds the slots whose words tell the field."""

    family: str
    pattern: str
    condition: Condition
    key: str


def condition(where: str) -> Condition:
    """Return the condition that `where` states; see rules.toml.

    Raises
    ------
    ValueError
        If a part of it is none of the known forms.

    Examples
    --------
    >>> condition("n + m = s, x != y")({"n": "two", "m": "two", "s": "four", "x": "a", "y": "b"})
    True
    """
    tests = [_test(part) for part in where.split(",") if part]
    if len(tests) == 1:
        return tests[0]

    def all_hold(words: Bindings) -> bool:
        for test in tests:  # noqa: SIM110 - a generator takes twice the time
            if not test(words):
                return False
        return True

    return all_hold


def _test(part: str) -> Condition:
    match part.split():
        case [a, "=", b]:
            return lambda words: words[a] == words[b]
        case [a, "!=", b]:
            return lambda words: words[a] != words[b]
        case [a, "~", b]:
            return lambda words: words[a] != words[b] and _ANTI[words[a]] != words[b]
        case [a, b, "=", c, d]:
            return lambda words: {words[a], words[b]} == {words[c], words[d]}
        case [n, "+", m, "=", s]:
            return lambda words: _NUMBER[words[n]] + _NUMBER[words[m]] == _NUMBER[words[s]]
        case ["days", d, e, f]:
            return lambda words: (
                (_DAY[words[d]] + 2) % 7 == (_DAY[words[e]] + 1) % 7 == _DAY[words[f]]
            )
        case [name, a, b] if name in _FACTS:
            facts = _FACTS[name]
            return lambda words: (words[a], words[b]) in facts
        case _:
            raise ValueError(f"not a condition of a rule: {part!r}")


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    family: str
    pattern: str
    where: str = ""
    key: str = ""


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    classes: dict[str, tuple[str, str, str]]
    fragments: tuple[str, ...]
    frames: dict[str, tuple[str, ...]]
    rule: tuple[_Row, ...]


_CONTENT = msgspec.toml.decode(
    files("unparrot.lab.grader").joinpath("rules.toml").read_bytes(), type=_Content
)
RULES: Final = tuple(
    Rule(row.family, row.pattern, condition(row.where), row.key) for row in _CONTENT.rule
)
TABLE_CLASSES: Final[Mapping[str, tuple[str, str, str]]] = _CONTENT.classes
"""Class of words -> its character, and the table and the form of the lexicon that hold them."""
FRAMES: Final[Mapping[str, tuple[str, ...]]] = _CONTENT.frames
"""What may stand before a clause; a rhetorical question must also end with a question mark."""
FRAGMENTS: Final = _CONTENT.fragments
"""Sound English that shows no skill by itself: a premise, a conclusion."""
