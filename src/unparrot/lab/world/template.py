"""Templates as small programs: draw what is open, copy what is bound, know how probable it all is.

A template is compiled once into a list of steps. Running it appends words to a text and returns the
number of nats that its draws carried; `entropy` gives the expectation of that number exactly,
because the number of options at every draw depends only on who and what has been introduced before.

Every draw has a *preferred successor*: the row after the one drawn last in the clause has
probability `PREFERENCE` plus its even share of the rest. It makes texts predictable enough for a
small model to have favourites, while every option stays possible.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from unparrot.lab.world.families import Family, Variable
from unparrot.lab.world.lexicon import NAMES, TABLES, TOPICS, article

PREFERENCE: Final = 0.6
"""Share of a draw that goes to the preferred successor (assumed; a prototype's value)."""
PUNCTUATION: Final = frozenset({",", ";", ".", "?", ":"})

_SLOT = re.compile(r"\{(\w+)(?:([+-])(\w+))?\.(\w+)\}")
Uniform = Callable[[], float]


@lru_cache(maxsize=64)
def draw_entropy(n: int) -> float:
    """Entropy in nats of a draw among `n` options, one of them preferred."""
    if n == 1:
        return 0.0
    low = (1 - PREFERENCE) / n
    high = PREFERENCE + low
    return -(high * math.log(high) + (n - 1) * low * math.log(low))


@lru_cache(maxsize=64)
def _costs(n: int) -> tuple[float, float]:
    """Nats of the preferred option, and of any other."""
    low = (1 - PREFERENCE) / n
    return -math.log(PREFERENCE + low), -math.log(low)


@dataclass(slots=True)
class Text:
    """A text in the making: its words, who and what is in it, and the nats its draws have carried.

    `echo`: the last word that was filled into a slot, which the next clause takes up. `cloze`:
    where words stand that the text before them determines by its meaning: copies, conclusions,
    names that are taken up. They are the cloze questions of Arora & Goyal (2023), with one right
    answer each.
    """

    topic: str
    uniform: Uniform
    words: list[str] = field(default_factory=list[str])
    person: int = -1
    other: int = -1
    thing: int = -1
    nats: float = 0.0
    last: int = 0
    echo: str = ""
    cloze: list[int] = field(default_factory=list[int])
    starts: list[int] = field(default_factory=list[int])

    def choose(self, options: Sequence[int], size: int) -> int:
        """One of `options`; the first at or after the successor of the last draw is preferred."""
        n = len(options)
        if n == 1:
            return options[0]
        wanted = (self.last + 1) % size
        preferred = 0
        for i, option in enumerate(options):
            if option >= wanted:
                preferred = i
                break
        u = self.uniform()
        pick = preferred if u < PREFERENCE else int((u - PREFERENCE) / (1 - PREFERENCE) * n)
        self.nats += _costs(n)[pick != preferred]
        self.last = options[pick]
        return options[pick]

    def say(self, word: str) -> None:
        """Append a word; a punctuation mark takes the place of a comma before it."""
        words = self.words
        if word in PUNCTUATION and words and words[-1] == ",":
            words[-1] = word
        else:
            words.append(word)


@dataclass(frozen=True, slots=True)
class Known:
    """What has been introduced before a clause: all that its entropy depends on."""

    person: bool = False
    other: bool = False
    thing: bool = False


@lru_cache(maxsize=4096)
def _allowed(table: str, rows: tuple[int, ...] | None, taken: tuple[int, ...]) -> tuple[int, ...]:
    pool = rows if rows is not None else range(len(TABLES[table]))
    if table == "quality":  # opposites go together
        groups = {row >> 1 for row in taken}
        return tuple(row for row in pool if row >> 1 not in groups)
    return tuple(row for row in pool if row not in taken)


_EVEN: Final = tuple(range(0, len(NAMES), 2))
_ODD: Final = tuple(range(1, len(NAMES), 2))
_ALL: Final = tuple(range(len(NAMES)))
_PRONOUN: Final = ("she", "he")
_ACCUSATIVE: Final = ("her", "him")
_POSSESSIVE: Final = ("her", "his")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. `steps` are its words and slots in order."""

    steps: tuple[tuple[str, str], ...]
    variables: dict[str, Variable]

    def run(self, text: Text, nouns: Sequence[Template] = ()) -> None:
        """Append the words to `text`; `nouns`: operators on the first mention of the thing."""
        bound: dict[str, int] = {}
        objects: dict[str, int] = {}
        fresh = text.thing < 0
        text.last = max(text.thing, 0)
        pending_article = False
        for kind, value in self.steps:
            if kind == "word":
                if value == "a":
                    pending_article = True
                    continue
                text.say(value)
                continue
            if kind == "slot":
                open_draws = len(bound)
                spoken = self._fill(value, text, bound)
                if len(bound) == open_draws:
                    at = len(text.words) + pending_article
                    text.cloze.extend(range(at, at + 1 + spoken.count(" ")))
                spoken_words = spoken.split()
                text.echo = spoken_words[0 if spoken_words[-1] == "of" else -1]
                if pending_article:
                    text.words.append(article(spoken))
                    pending_article = False
                text.words.extend(spoken_words)
            elif kind == "thing":
                names = TOPICS[text.topic]
                if value == "O":
                    if text.thing < 0:
                        text.thing = self._object(text, objects)
                    self._thing(text, names[text.thing], "the" if fresh else "that", nouns)
                    text.last = text.thing
                else:
                    if value not in objects:
                        objects[value] = self._object(text, objects)
                    text.words.append("the")
                    text.words.append(names[objects[value]])
            else:
                known = text.other if value[0] == "Q" else text.person
                if known >= 0:
                    text.cloze.append(len(text.words))
                text.words.append(_person(text, value))

    def _fill(self, slot: str, text: Text, bound: dict[str, int]) -> str:
        match = _parsed(slot)
        first, sign, second, form = match
        row = self._row(first, text, bound)
        table = TABLES[self.variables[first].table]
        if sign:
            shift = int(second) if second.isdigit() else self._row(second, text, bound)
            row = (row + shift if sign == "+" else row - shift) % len(table)
        return table[row][form]

    def _row(self, name: str, text: Text, bound: dict[str, int]) -> int:
        if name not in bound:
            variable = self.variables[name]
            taken = tuple(bound[u] for u in variable.unlike if u in bound)
            options = _allowed(variable.table, variable.rows, taken)
            bound[name] = text.choose(options, len(TABLES[variable.table]))
        return bound[name]

    @staticmethod
    def _object(text: Text, objects: dict[str, int]) -> int:
        taken = {*objects.values(), text.thing}
        options = tuple(i for i in range(len(TOPICS[text.topic])) if i not in taken)
        return text.choose(options, len(TOPICS[text.topic]))

    @staticmethod
    def _thing(text: Text, noun: str, determiner: str, nouns: Sequence[Template]) -> None:
        text.words.append(determiner)
        taken_up = determiner == "that"
        before = [t for t in nouns if t.steps[0][1] != ","]
        after = [t for t in nouns if t.steps[0][1] == ","]
        for template in before:
            template.run(text)
        if taken_up:
            text.cloze.append(len(text.words))
        text.words.append(noun)
        for template in after:
            template.run(text)

    def entropy(self, known: Known) -> tuple[float, Known]:
        """Entropy in nats of the draws of one run, and what is known after it."""
        nats = 0.0
        person, other, thing = known.person, known.other, known.thing
        seen: set[str] = set()
        objects = int(thing)
        for kind, value in self.steps:
            if kind == "slot":
                first, _, second, _ = _parsed(value)
                for name in (first, second):
                    if name and name in self.variables and name not in seen:
                        variable = self.variables[name]
                        taken = [u for u in variable.unlike if u in seen]
                        per = 2 if variable.table == "quality" else 1
                        pool = len(variable.rows or TABLES[variable.table])
                        nats += draw_entropy(pool - per * len(taken))
                        seen.add(name)
            elif kind == "thing" and value not in seen and not (value == "O" and thing):
                nats += draw_entropy(5 - objects)
                objects += 1
                thing = thing or value == "O"
                seen.add(value)
            elif kind == "person":
                if value[0] == "P" and not person:
                    nats += draw_entropy(8 if other else 16)
                    person = True
                elif value[0] == "Q" and not other:
                    nats += draw_entropy(8 if person else 16)
                    other = True
        return nats, Known(person, other, thing)


def _person(text: Text, slot: str) -> str:
    if slot[0] == "Q":
        if text.other < 0:
            options = _ALL if text.person < 0 else (_EVEN if text.person % 2 else _ODD)
            text.other = text.choose(options, len(NAMES))
        return NAMES[text.other] if slot == "Q" else _PRONOUN[text.other % 2]
    if text.person < 0:
        options = _ALL if text.other < 0 else (_EVEN if text.other % 2 else _ODD)
        text.person = text.choose(options, len(NAMES))
        return NAMES[text.person]
    sex = text.person % 2
    if slot == "P^":
        return _ACCUSATIVE[sex]
    return _POSSESSIVE[sex] if slot == "P's" else _PRONOUN[sex]


@lru_cache(maxsize=1024)
def _parsed(slot: str) -> tuple[str, str, str, str]:
    match = _SLOT.fullmatch(slot)
    if match is None:
        raise ValueError(f"not a slot: {slot!r}")
    first, sign, second, form = match.groups()
    return first, sign or "", second or "", form


def compile_template(source: str, family: Family, rows: tuple[int, ...] | None = None) -> Template:
    """Compile `source`; `rows` narrows the family's key variable to a field (in large worlds)."""
    steps: list[tuple[str, str]] = []
    for token in source.split():
        if _SLOT.fullmatch(token):
            steps.append(("slot", token))
        elif token in {"O", "O2", "O3"}:
            steps.append(("thing", token))
        elif token in {"P", "P~", "P^", "P's", "Q", "Q~"}:
            steps.append(("person", token))
        else:
            steps.append(("word", token))
    variables = dict(family.variables)
    if rows is not None:
        name = family.key.partition(".")[0]
        variables[name] = replace(variables[name], rows=rows)
    return Template(tuple(steps), variables)
