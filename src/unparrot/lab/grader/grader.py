"""The exact grader: reads a text, finds out what it says, and marks k + 3 criteria.

Run ``unparrot world grade FILE``. Criteria (SKILL-MIX, Yu et al. 2023, section 3.2): every skill is shown; the
text is about the topic; it makes sense; it has at most max(1, k - 1) sentences. *Sense* means that every clause
is English of this world, pronouns have somebody to stand for, every clause after the first takes up the thing
the text is about ('it' or 'that needle'), and nothing is said twice. Whether an argument holds or a
figure of speech is apt is the business of its skill, so a false conclusion costs that skill alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.grammar import Compiled, Grammar
from unparrot.lab.grader.lexer import CLASSES, UNKNOWN, tokenise
from unparrot.lab.grader.rules import DIMENSION, FRAGMENTS, FRAMES, RULES, VEHICLE, Rule
from unparrot.lab.world.lexicon import FEMALE, TOPICS, article

MAX_TOKENS: Final = 2000
"""A longer text is no short text: it earns nothing (and costs no time)."""
_WOMAN, _MAN = CLASSES["woman"], CLASSES["man"]
_CRITERIA = ("topic", "sense", "length")
_FEMALE = frozenset(FEMALE)
_TOPIC_OF: Final[Mapping[str, str]] = {o: t for t, objects in TOPICS.items() for o in objects}


@dataclass(slots=True)
class Reading:
    """What a text says: the skills it shows (family, field), its objects, and what is wrong with it."""

    tokens: list[str]
    shown: set[tuple[str, str]]
    faults: list[str]
    sentences: int


class _Bound:
    """Access to the words of a matched clause."""

    __slots__ = ("match", "reading", "who_at")

    def __init__(self, match: re.Match[str], reading: _Reader) -> None:
        self.match = match
        self.reading = reading

    def word(self, slot: str) -> str:
        start, end = self.match.span(slot)
        tokens = self.reading.tokens
        return tokens[start] if end - start == 1 else " ".join(tokens[start:end])

    def who(self, slot: str) -> str:
        at = self.match.start(slot)
        return self.reading.persons.get(at, self.reading.tokens[at])

    def thing(self, slot: str) -> str:
        start, end = self.match.span(slot)
        at = self.reading.chars.find("o", start, end)
        return self.reading.main if at < 0 else self.reading.tokens[at]


class _Grammar(Grammar):
    """The rules, compiled once."""

    def __init__(self) -> None:
        super().__init__()
        self.rules: dict[str, list[tuple[Rule, Compiled]]] = {}
        for rule in RULES:
            compiled = self.compile(rule.pattern)
            for char in compiled.first:
                self.rules.setdefault(char, []).append((rule, compiled))
        self.frames: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        for name, patterns in FRAMES.items():
            for pattern in patterns:
                body, first, _ = self.source(pattern)
                for char in first:
                    self.frames.setdefault(char, []).append((name, re.compile(body)))
        atoms = "|".join(self.source(pattern, named=False)[0] for pattern in FRAGMENTS)
        link = "".join(self.lexer.literal(w) for w in "and but so hence therefore for as yet".split())
        marks = self.lexer.literal(",") + self.lexer.literal(";")
        self.atom = re.compile(atoms)
        self.link = re.compile(f"[{marks}]?[{link}]?")


@lru_cache(maxsize=1)
def _grammar() -> _Grammar:
    return _Grammar()


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.grammar = grammar = _grammar()
        self.tokens = tokenise(text)
        get = grammar.lexer.dictionary.get
        self.chars = "".join([get(token) or UNKNOWN for token in self.tokens])
        self.shown: set[tuple[str, str]] = set()
        self.faults: list[str] = []
        self.persons: dict[int, str] = {}
        self.main = ""
        self.sentences = 0

    def read(self) -> Reading:
        if len(self.tokens) > MAX_TOKENS:
            self.faults.append(f"{len(self.tokens)} words and marks, over {MAX_TOKENS}")
            return Reading(self.tokens, set(), self.faults, len(self.tokens))
        if not self.tokens:
            self.faults.append("there is no text")
        self._resolve_people()
        self._read_clauses()
        return Reading(self.tokens, self.shown, self.faults, self.sentences)

    def _resolve_people(self) -> None:
        known: list[str | None] = [None, None]
        pronouns = self.grammar.pronouns
        for match in self.grammar.people.finditer(self.chars):
            at = match.start()
            char = self.chars[at]
            if char in (_WOMAN, _MAN):
                sex = 0 if char == _WOMAN else 1
                name = self.tokens[at]
                if known[sex] not in (None, name):
                    self.faults.append(f"{known[sex]} and {name}: 'he' or 'she' could be either")
                known[sex] = name
                self.persons[at] = name
            else:
                person = known[pronouns[char]]
                if person is None:
                    self.faults.append(f"nobody for {self.tokens[at]!r} to stand for")
                else:
                    self.persons[at] = person

    def _read_clauses(self) -> None:
        grammar, chars = self.grammar, self.chars
        at, n = 0, len(chars)
        clauses: set[str] = set()
        asked = False
        while at < n:
            start = at
            frames: list[str] = []
            at = self._frames(at, frames)
            asked = asked or "rhetorical question" in frames
            end = self._clause(at)
            if end < 0:
                end = self._boundary(at)
                if not self._fragments(at, end):
                    words = " ".join(self.tokens[at : min(end, at + 8)])
                    self.faults.append(f"cannot read {words!r}")
            else:
                self.shown.update((f, "") for f in frames if f != "rhetorical question")
                self._operators(at, end)
            self._take_up(at, end, first=start == 0)
            said = " ".join(self.tokens[at:end]).replace("that ", "the ")
            if said in clauses:
                self.faults.append(f"said twice: {said!r}")
            clauses.add(said)
            if end >= n:
                self.faults.append("the last sentence does not end")
                self.sentences += 1
                return
            at = end
            if chars[at] in grammar.stop:
                question = chars[at] == grammar.question
                if question and asked:
                    self.shown.add(("rhetorical question", ""))
                elif question or asked:
                    self.faults.append(
                        "a question ends without '?', or '?' ends what is no question"
                    )
                asked = False
                self.sentences += 1
                at += 1
            else:
                joined = grammar.connective.match(chars, at)
                at = joined.end() if joined else at + 1

    def _frames(self, at: int, found: list[str]) -> int:
        chars, frames = self.chars, self.grammar.frames
        while at < len(chars):
            for name, regex in frames.get(chars[at], ()):
                match = regex.match(chars, at)
                if match and name not in found:
                    found.append(name)
                    at = match.end()
                    break
            else:
                return at
        return at

    def _clause(self, at: int) -> int:
        """End of the clause that starts at `at`, its skill noted; -1 if no rule reads it."""
        end, main = -1, self.main
        if at >= len(self.chars):
            return end
        introduced = ""
        for rule, compiled in self.grammar.rules.get(self.chars[at], ()):
            match = compiled.regex.match(self.chars, at)
            if match is None:
                continue
            end = match.end()
            bound = _Bound(match, self)
            named = bound.thing("x")
            self.main = main or named
            introduced = introduced or named
            if self._means(rule, compiled, match, bound, named):
                self.shown.add((rule.family, ""))
                if rule.key:
                    word = bound.word(rule.key)
                    self.shown.add((rule.family, word))
                    self.shown.add((rule.family, DIMENSION.get(word, "")))
                return end
        self.main = main or introduced
        return end

    def _means(
        self, rule: Rule, compiled: Compiled, match: re.Match[str], bound: _Bound, named: str
    ) -> bool:
        if not named or not rule.condition(bound):
            return False
        for name in compiled.again:
            start, end = match.span(name)
            if end - start > 1 and bound.thing(name) != named:
                return False
        for slot in compiled.articles:
            if self.tokens[match.start(slot)] != article(self.tokens[match.end(slot)]):
                return False
        return True

    def _operators(self, start: int, end: int) -> None:
        chars, tokens = self.chars, self.tokens
        if "E" in chars[start:end]:
            for match in self.grammar.epithets.finditer(chars, start, end):
                words = tokens[match.start() : match.end()]
                if len({w[0] for w in words}) == 1 and len(set(words)) == len(words):
                    self.shown.add(("alliteration", ""))
                    self.shown.add(("alliteration", words[0]))
                    self.shown.add(("alliteration", words[1]))
        if "v" in chars[start:end]:
            for match in self.grammar.simile.finditer(chars, start, end):
                adj = tokens[match.start(1)]
                if VEHICLE.get(adj) == " ".join(tokens[match.start(2) : match.end(2)]):
                    self.shown.add(("simile", ""))
                    self.shown.add(("simile", adj))

    def _boundary(self, at: int) -> int:
        for i in range(at, len(self.chars)):
            char = self.chars[i]
            if char in self.grammar.stop or self.grammar.connective.match(self.chars, i):
                return i
        return len(self.chars)

    def _fragments(self, at: int, end: int) -> bool:
        """Whether the span is a chain of sound clauses, none of them said twice."""
        said: set[str] = set()
        while at < end:
            match = self.grammar.atom.match(self.chars, at, end)
            if match is None or match.end() == at:
                return False
            words = " ".join(self.tokens[at : match.end()])
            if words in said:
                return False
            said.add(words)
            at = match.end()
            if at < end:
                link = self.grammar.link.match(self.chars, at, end)
                if link is None or link.end() in (at, end):
                    return False
                at = link.end()
        return bool(said)

    def _take_up(self, start: int, end: int, *, first: bool) -> None:
        """Note a fault unless the clause introduces the thing (first) or takes it up (later)."""
        grammar, chars, tokens = self.grammar, self.chars, self.tokens
        linked = grammar.it in chars[start:end]
        for match in grammar.objects.finditer(chars, start, end):
            at = match.start()
            back = at - 1
            while back > start and chars[back] == "E":
                back -= 1
            if not self.main:
                self.main = tokens[at]
            definite = chars[back] == grammar.that
            if first and definite and tokens[at] == self.main:
                self.faults.append(f"'that {tokens[at]}' has not been mentioned before")
            elif not first and tokens[at] == self.main:
                linked = linked or definite
                if not definite:
                    self.faults.append(f"the {tokens[at]} is introduced again")
        if not first and not linked:
            self.faults.append(f"the clause from word {start + 1} does not take up the thing")


def read(text: str) -> Reading:
    """What `text` says; `faults` is empty if it makes sense."""
    return _Reader(text).read()


def marks(combination: SkillCombination, text: str) -> dict[str, bool]:
    """A mark for every skill of the combination, then topic, sense and length.

    A skill is named as the world names it: its family ('modus ponens') or, in worlds with fields, family and
    field ('modus ponens of age').
    """
    if combination.topic not in TOPICS:
        raise BadInput(f"unknown topic {combination.topic!r}; `unparrot world list` names the topics")
    reading = read(text)
    result = {name: _skill(name) in reading.shown for name in combination.skills}
    objects = {_TOPIC_OF[t] for t in reading.tokens if t in _TOPIC_OF}
    result["topic"] = objects == {combination.topic}
    result["sense"] = not reading.faults
    result["length"] = 1 <= reading.sentences <= max(1, combination.k - 1)
    return result


def grade(combination: SkillCombination, text: str) -> dict[str, Mark]:
    """`marks` as earned or missed; the exact grader leaves nothing unscored."""
    return {name: EARNED if mark else MISSED for name, mark in marks(combination, text).items()}


def full_marks(given: Mapping[str, bool] | Sequence[bool]) -> bool:
    """All k + 3 points."""
    return all(given.values()) if isinstance(given, Mapping) else all(given)


_FAMILIES: Final = frozenset({rule.family for rule in RULES} | set(FRAMES) | {"simile", "alliteration"})


@lru_cache(maxsize=4096)
def _skill(name: str) -> tuple[str, str]:
    if name in _FAMILIES and name:
        return name, ""
    family, _, field = name.partition(" of ")
    if family not in _FAMILIES or not field:
        raise BadInput(f"unknown skill {name!r}; `unparrot world list` names the skills")
    return family, field
