"""How a clause is put together: from its word classes alone, so that every form is worked out once.

A clause reaches this module as a string of class characters (see `lexer`). There are few different
forms, so `Parser.form` remembers what it finds; what the words of a clause mean is left to the
reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from unparrot.lab.grader.conditions import Rule
from unparrot.lab.grader.grammar import Compiled, Grammar
from unparrot.lab.grader.rules import FRAGMENTS, FRAMES, RULES

QUESTION: Final = "rhetorical question"
_LONGEST: Final = 160
"""Longer clauses (words) are no English of this world; they are not remembered."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Parse:
    """A rule that fits: where the word of each slot stands (offsets into the clause).

    `thing` is the offset of the object (or 'it') that the clause is about, `again` those that must
    name it again, `articles` where 'a' or 'an' stands before a slot.
    """

    rule: Rule
    words: tuple[tuple[str, int], ...]
    phrases: tuple[tuple[str, int, int], ...]
    thing: int
    again: tuple[int, ...]
    articles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a clause.

    Offsets count from its first word, frames included; `start` is behind the frames. `fragments`:
    the plain clauses it chains if no rule fits (empty if it can't be read). `objects`: offset of
    each object, and whether 'that' points at it. `people`: offset of each name or pronoun, its sex
    (0: a woman) and whether it is a name.
    """

    frames: tuple[str, ...]
    start: int
    parses: tuple[Parse, ...]
    fragments: tuple[Span, ...]
    objects: tuple[tuple[int, bool], ...]
    its: tuple[int, ...]
    people: tuple[tuple[int, int, bool], ...]
    articles: tuple[int, ...]
    epithets: tuple[Span, ...]
    similes: tuple[tuple[int, int, int], ...]


class Parser(Grammar):
    """The rules, compiled once."""

    def __init__(self) -> None:
        super().__init__()
        self._rules: dict[str, list[tuple[Rule, Compiled]]] = {}
        for rule in RULES:
            compiled = self.compile(rule.pattern)
            for char in compiled.first:
                self._rules.setdefault(char, []).append((rule, compiled))
        self._frames: list[tuple[str, re.Pattern[str]]] = []
        for name, patterns in FRAMES.items():
            self._frames += [(name, re.compile(self.source(pattern)[0])) for pattern in patterns]
        atoms = "|".join(self.source(pattern, named=False)[0] for pattern in FRAGMENTS)
        links = "".join(
            self.lexer.literal(w)
            for w in ["and", "but", "so", "hence", "therefore", "for", "as", "yet"]
        )
        marks = self.lexer.literal(",") + self.lexer.literal(";")
        self._atom = re.compile(atoms)
        self._link = re.compile(f"[{marks}][{links}]?|[{links}]")
        self._remembered = lru_cache(maxsize=1 << 16)(self._form)

    def form(self, chars: str) -> Form:
        """The form of a clause, given the classes of its words."""
        return self._remembered(chars) if len(chars) <= _LONGEST else self._form(chars)

    def _form(self, chars: str) -> Form:
        frames, start = self._split_frames(chars)
        parses = tuple(
            _parse(rule, compiled, match)
            for rule, compiled in self._rules.get(chars[start : start + 1], ())
            if (match := compiled.regex.fullmatch(chars, start))
        )
        objects: list[tuple[int, bool]] = []
        people: list[tuple[int, int, bool]] = []
        for at, char in enumerate(chars):
            if char == "o":
                head = chars[:at].rstrip("E")
                objects.append((at, head.endswith(self.that)))
            elif char in "WM":
                people.append((at, "WM".index(char), True))
            elif char in self.pronouns:
                people.append((at, self.pronouns[char], False))
        return Form(
            frames,
            start,
            parses,
            () if parses else self._chain(chars, start),
            tuple(objects),
            tuple(at for at in range(start, len(chars)) if chars[at] == self.it),
            tuple(people),
            tuple(at for at, char in enumerate(chars[:-1]) if char in self.one),
            tuple(match.span() for match in self.epithets.finditer(chars)),
            tuple((m.start(1), *m.span(2)) for m in self.simile.finditer(chars)),
        )

    def _split_frames(self, chars: str) -> tuple[tuple[str, ...], int]:
        found: list[str] = []
        at = 0
        while True:
            for name, regex in self._frames:
                match = regex.match(chars, at)
                if match and name not in found:
                    found.append(name)
                    at = match.end()
                    break
            else:
                return tuple(found), at

    def _chain(self, chars: str, start: int) -> tuple[Span, ...]:
        """The plain clauses that fill `chars` from `start` to the end; none if they don't."""
        spans: list[Span] = []
        at = start
        while match := self._atom.match(chars, at):
            spans.append(match.span())
            if match.end() == len(chars):
                return tuple(spans)
            link = self._link.match(chars, match.end())
            if link is None:
                return ()
            at = link.end()
        return ()


def _parse(rule: Rule, compiled: Compiled, match: re.Match[str]) -> Parse:
    words: list[tuple[str, int]] = []
    phrases: list[tuple[str, int, int]] = []
    things: dict[str, int] = {}
    for slot in compiled.regex.groupindex:
        start, end = match.span(slot)
        offset = match.string.find("o", start, end)
        if offset >= 0:
            things[slot] = offset
        elif end - start > 1:
            phrases.append((slot, start, end))
            continue
        else:
            offset = start
        words.append((slot, offset))
    return Parse(
        rule,
        tuple(words),
        tuple(phrases),
        dict(words)["x"],
        tuple(things[name] for name in compiled.again if name in things),
        tuple(match.start(name) for name in compiled.articles),
    )


@lru_cache(maxsize=1)
def parser() -> Parser:
    """The parser, built on first use."""
    return Parser()
