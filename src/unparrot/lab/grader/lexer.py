"""Words and word classes: every word of micro-English becomes one character of its class.

A text turns into a short string on which the grammar is matched by regular expressions, at C speed.
The grader shares the *dictionary* of the world (which words are qualities, what is the opposite of
'old'), never its sentence patterns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from unparrot.lab.world import lexicon as lx

UNKNOWN: Final = "?"
_MARKS: Final = (".", ",", ";", ":", "?", "!")

CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "woman": "W",
        "man": "M",
        "object": "o",
        "adj": "a",
        "more": "m",
        "place": "p",
        "room": "r",
        "num": "n",
        "day": "d",
        "cause": "c",
        "past": "e",
        "emotion": "f",
        "animal": "l",
        "trait": "t",
        "stuff": "s",
        "fateverb": "b",
        "fateplace": "g",
        "vehicle": "v",
        "vehicle_kind": "V",
        "side": "w",
        "compass": "x",
        "does": "u",
        "do": "U",
        "credit": "i",
        "blame": "j",
        "bad": "B",
        "good": "G",
        "act": "h",
        "manner": "k",
        "huge": "H",
        "aside": "z",
        "some": "q",
        "every": "Q",
        "deed": "D",
        "look": "L",
        "epithet": "E",
    }
)
"""Class name -> its character. Function words get characters of their own from the private-use
area.
"""


def _dictionary() -> dict[str, str]:
    groups: dict[str, set[str]] = {
        "woman": set(lx.FEMALE),
        "man": set(lx.MALE),
        "object": {word for objects in lx.TOPICS.values() for word in objects},
        "adj": set(lx.words(lx.QUALITY, "adj")),
        "more": set(lx.words(lx.QUALITY, "more")),
        "place": set(lx.words(lx.CONTAINER, "place")),
        "room": set(lx.words(lx.ROOM, "room")),
        "num": set(lx.words(lx.NUMBER, "num")),
        "day": set(lx.words(lx.DAY, "day")),
        "cause": set(lx.words(lx.CAUSE, "cause")),
        "past": set(lx.words(lx.EVENT, "past")),
        "emotion": set(lx.words(lx.EVENT, "emotion")),
        "animal": set(lx.words(lx.ANIMAL, "animal")),
        "trait": set(lx.words(lx.ANIMAL, "trait")),
        "stuff": set(lx.words(lx.MATERIAL, "stuff")),
        "fateverb": {row["fate"].split()[0] for row in lx.MATERIAL},
        "fateplace": {row["fate"].split()[-1] for row in lx.MATERIAL},
        "vehicle": {row["vehicle"].split()[-1] for row in lx.SIMILE},
        "vehicle_kind": {word for row in lx.SIMILE for word in row["vehicle"].split()[:-1]}
        - {"a", "an", "the"},
        "side": {row["way"] for row in lx.DIRECTION if " " not in row["way"]},
        "compass": {row["way"].split()[0] for row in lx.DIRECTION if " " in row["way"]},
        "does": set(lx.words(lx.USE, "does")),
        "do": set(lx.words(lx.USE, "do")),
        "credit": set(lx.words(lx.CREDIT, "credit")),
        "blame": set(lx.words(lx.BLAME, "blame")),
        "bad": set(lx.words(lx.OPPOSITES, "bad")),
        "good": set(lx.words(lx.OPPOSITES, "good")),
        "act": set(lx.words(lx.HUMAN, "act")),
        "manner": set(lx.words(lx.MANNER, "manner")),
        "huge": set(lx.words(lx.HUGE, "huge")),
        "aside": set(lx.words(lx.ASIDE, "aside")),
        "some": set(lx.words(lx.SCALE, "some")),
        "every": set(lx.words(lx.SCALE, "every")),
        "deed": set(lx.words(lx.REQUEST, "deed")),
        "look": set(lx.words(lx.LOOK, "look")),
        "epithet": set(lx.words(lx.EPITHET, "one", "two")),
    }
    dictionary: dict[str, str] = {}
    for name, members in groups.items():
        for word in members:
            if word in dictionary:
                raise ValueError(f"{word!r} is in two classes: {name} and {dictionary[word]!r}")
            dictionary[word] = CLASSES[name]
    return dictionary


class _Dictionary(dict[str, str]):
    """Word -> character; a word it lacks is unknown."""

    def __missing__(self, word: str) -> str:
        return UNKNOWN


class Lexer:
    """Maps words to class characters; function words are added as the grammar names them."""

    def __init__(self) -> None:
        self.dictionary = _Dictionary(_dictionary())
        self._next = 0xE000

    def literal(self, word: str) -> str:
        """The character of a function word; a content word has none of its own (KeyError)."""
        if word not in self.dictionary:
            if not re.fullmatch(r"[a-z]+|[.,;:?]", word):
                raise KeyError(word)
            self.dictionary[word] = chr(self._next)
            self._next += 1
        elif self.dictionary[word] in _LETTERS:
            raise KeyError(f"{word!r} is a content word of class {self.dictionary[word]!r}")
        return self.dictionary[word]

    def classes(self, words: list[str]) -> str:
        """The class characters of `words`, one for each."""
        return "".join(map(self.dictionary.__getitem__, words))


_LETTERS: Final = frozenset(CLASSES.values())


def tokenise(text: str) -> list[str]:
    """Lower-case words and punctuation marks; spacing does not matter."""
    text = text.lower()
    for mark in _MARKS:
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    return text.split()
