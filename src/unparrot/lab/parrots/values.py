"""Values: the words by which facts are told, in types, and how clauses pass them on.

A type is what is named in one way and used among the same neighbours (prices; places; materials
apart from qualities, though both are named alike). In the corpora of the lab the last value that a
clause utters is the fact that the next clause knows the thing by, and a clause that speaks of a
value known from before must, for some skills and types, repeat it: `Memory` learns which.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from math import sqrt
from typing import Final

from unparrot.lab.parrots.anatomy import Clause, Words

ALIKE: Final = 0.1
"""Cosine of the neighbours of two words from which on they are of one type (assumed)."""
ALWAYS: Final = 0.95
"""Share of cases that makes a rule of repeating a value; of its opposite 1 - this / 10."""
ENOUGH: Final = 10
"""Cases needed for a rule."""

FIRST_WORDS: Final = 3
"""Most words at the start of a stretch that tell one form from another (assumed)."""

State = dict[int, str]
"""The value of each type that is known."""


class Values:
    """The type of each value word: ``types``."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        ways: defaultdict[int, Counter[str]] = defaultdict(Counter)
        cores: list[Words] = []
        for clause in clauses:
            ways[clause.plain.shape][clause.plain.fact] += 1
            if not clause.empty:
                cores.append(clause.core)
        way = {word: shape for shape, words in ways.items() for word in words}
        near: defaultdict[str, Counter[tuple[str | int, str | int]]] = defaultdict(Counter)
        for core in cores:
            padded = ("", *core, "")
            for before, word, after in zip(padded, padded[1:], padded[2:], strict=False):
                if word in way:
                    near[word][way.get(before, before), way.get(after, after)] += 1
        self.types: dict[str, int] = {}
        self.pattern: Final = cache(self._pattern)
        number = 0
        for _, words in sorted(ways.items()):
            left = [word for word, _ in words.most_common()]
            while left:
                group = [left.pop(0)]
                for word in group:
                    alike = [w for w in left if _cosine(near[word], near[w]) >= ALIKE]
                    group += alike
                    left = [w for w in left if w not in alike]
                self.types.update(dict.fromkeys(group, number))
                number += 1

    def uttered(self, words: Iterable[str]) -> list[str]:
        """The value words among ``words``."""
        return [word for word in words if word in self.types]

    def update(self, state: State, words: Iterable[str]) -> None:
        """Let the last value of each type be the one that is known."""
        for word in words:
            kind = self.types.get(word)
            if kind is not None:
                state[kind] = word

    def _pattern(self, words: Words) -> tuple[Words, list[str]]:
        """The words after the first, with different values numbered, and all these values."""
        values = list(dict.fromkeys(self.uttered(words)))
        names = {word: f"{self.types[word]} {i}" for i, word in enumerate(values)}
        # first words may have been changed, and then the rest still tells
        return tuple([names.get(word, word) for word in words[FIRST_WORDS:]]), values


def _cosine(
    one: Counter[tuple[str | int, str | int]], two: Counter[tuple[str | int, str | int]]
) -> float:
    if not one or not two:
        return 0.0
    product = sum(n * two[key] for key, n in one.items())
    squares = sum(n * n for n in one.values()) * sum(n * n for n in two.values())
    return product / sqrt(squares)


class Memory:
    """Which values known from before a stretch of some skill has to repeat, or must not."""

    def __init__(self, values: Values) -> None:
        self._values: Final = values
        self._repeated: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        self._place: defaultdict[tuple[str, Words, int], Counter[int]] = defaultdict(Counter)

    def learn(self, skill: str, words: Words, state: State) -> None:
        """Count a stretch that was written in a state."""
        pattern, uttered = self._values.pattern(words)
        kinds = {self._values.types[word] for word in uttered}
        for kind, value in state.items():
            if kind in kinds:
                self._repeated[skill, kind][value in uttered] += 1
                if value in uttered:
                    self._place[skill, pattern, kind][uttered.index(value)] += 1

    def _rule(self, skill: str, kind: int) -> bool | None:
        other, same = self._repeated.get((skill, kind), (0, 0))
        if other + same < ENOUGH:
            return None
        if same >= ALWAYS * (other + same):
            return True
        by_chance = 1 / max(2, sum(k == kind for k in self._values.types.values()))
        return False if same < by_chance * (other + same) / 10 else None

    def fits(self, skill: str, words: Words, state: State) -> bool:
        """May the stretch be written in this state?"""
        pattern, uttered = self._values.pattern(words)
        for kind in {self._values.types[word] for word in uttered}:
            if kind in state:
                rule = self._rule(skill, kind)
                if rule is False and state[kind] in uttered:
                    return False
                if rule:
                    places = self._place.get((skill, pattern, kind))
                    if not places or uttered[places.most_common(1)[0][0]] != state[kind]:
                        return False
        return True

    def fitted(self, skill: str, words: Words, state: State) -> Words:
        """The stretch with the values put in that it has to repeat."""
        pattern, uttered = self._values.pattern(words)
        instead: dict[str, str] = {}
        for kind, value in state.items():
            places = self._place.get((skill, pattern, kind))
            if places and self._rule(skill, kind):
                instead[uttered[places.most_common(1)[0][0]]] = value
        return tuple(instead.get(word, word) for word in words)
