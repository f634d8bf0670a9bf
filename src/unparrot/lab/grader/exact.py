"""The exact grader: reads a text, finds out what it says, and marks k + 3 criteria.

Run ``unparrot world grade FILE``. Criteria (SKILL-MIX, Yu et al. 2023, section 3.2): every skill is
shown; the text is about the topic; it makes sense; it has at most max(1, k - 1) sentences. *Sense*
means that every clause is English of this world, pronouns have somebody to stand for, every clause
after the first takes up the thing the text is about ('it' or 'that needle'), one that opens with
'speaking of' takes up a word of the clause before it, and nothing is said twice. Whether an
argument holds or a figure of speech is apt is the business of its skill, so a false conclusion
costs that skill alone. What can't be read costs sense and the skills of its own clause; the reader
goes on behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.grammar import QUESTION, Form, Parse, parser, tokenise
from unparrot.lab.grader.rules import DIMENSION, FRAMES, RULES, VEHICLE
from unparrot.lab.world.lexicon import TOPICS, article

MAX_CHARACTERS: Final = 16_384
"""A longer text is no short text: it earns nothing (and costs no time)."""
_TOPIC_OF: Final[Mapping[str, str]] = {o: t for t, objects in TOPICS.items() for o in objects}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: the skills it shows (family, field), its objects, and its faults."""

    tokens: list[str]
    shown: set[tuple[str, str]]
    objects: set[str]
    faults: list[str]
    sentences: int


class _Reader:
    """One pass over one text; `meant`: its words, pronouns replaced by what they stand for."""

    def __init__(self, text: str) -> None:
        self.tokens = tokenise(text)
        self.meant = self.tokens.copy()
        self.shown: set[tuple[str, str]] = set()
        self.objects: set[str] = set()
        self.faults: list[str] = []
        self.known: list[str] = ["", ""]
        self.main = ""
        self.meanings: set[str] = set()
        self.before: list[str] = []

    def read(self) -> Reading:
        grammar = parser()
        chars = grammar.lexer.classes(self.tokens)
        n = len(chars)
        at = sentences = 0
        question = False
        for ending in grammar.ending.finditer(chars):
            end = ending.start()
            at = self._opener(chars, at, end)
            question = self._clause(at, end, grammar.form(chars[at:end])) or question
            at = ending.end()
            if chars[end] in grammar.stop:
                sentences += 1
                if question != (chars[end] == grammar.question):
                    self.faults.append("a question ends without '?', or '?' ends what is none")
                elif question:
                    self.shown.add((QUESTION, ""))
                question = False
        if at < n or not n or chars[-1] not in grammar.stop:
            self.faults.append("the last sentence does not end" if n else "there is no text")
            if at < n:
                at = self._opener(chars, at, n)
                self._clause(at, n, grammar.form(chars[at:]))
            sentences += bool(n)
        return Reading(self.tokens, self.shown, self.objects, self.faults, sentences)

    def _opener(self, chars: str, at: int, end: int) -> int:
        """Where the clause begins behind 'speaking of W ,'.

        W must be a content word of the clause before (its class character is a letter)."""
        tokens = self.tokens
        if chars.startswith(parser().speaking, at) and at + 4 <= end and tokens[at + 3] == ",":
            word = tokens[at + 2]
            if word not in self.before or not chars[at + 2].isalpha():
                self.faults.append(f"nobody was speaking of {word!r}")
            at += 4
        self.before = tokens[at:end]
        return at

    def _clause(self, at: int, end: int, form: Form) -> bool:
        """Take in one clause; whether it is readable and asked as a question."""
        if form.people:
            self._people(at, form)
        for offset in form.articles:
            if self.tokens[at + offset] != article(self.tokens[at + offset + 1]):
                words = " ".join(self.tokens[at + offset : at + offset + 2])
                self.faults.append(f"wrong article: {words!r}")
        main = self.main
        if main:
            self._settle(at, form, main)
        readable = self._parse(at, form) if form.parses else self._fragments(at, form)
        self._objects(at, form, main)
        meaning = " ".join(self.meant[at + form.start : end]).replace("that ", "the ")
        if meaning in self.meanings:
            self.faults.append(f"said twice: {' '.join(self.tokens[at:end])!r}")
        self.meanings.add(meaning)
        if not readable:
            self.faults.append(f"cannot read {' '.join(self.tokens[at : min(end, at + 8)])!r}")
            return False
        if form.epithets or form.similes:
            self._figures(at, form)
        for frame in form.frames:
            if frame != QUESTION:
                self.shown.add((frame, ""))
        return QUESTION in form.frames

    def _people(self, at: int, form: Form) -> None:
        for offset, sex, named in form.people:
            word = self.tokens[at + offset]
            person = self.known[sex]
            if not named:
                self.meant[at + offset] = person or ("she", "he")[sex]
                if not person:
                    self.faults.append(f"nobody for {word!r} to stand for")
            elif person != word:
                if person:
                    self.faults.append(f"{person} and {word}: 'he' or 'she' could be either")
                self.known[sex] = word

    def _parse(self, at: int, form: Form) -> bool:
        """Note what the clause shows, by the first rule whose condition holds."""
        meant, main = self.meant, self.main
        for parse in form.parses:
            if not main and parse.thing not in form.its:
                self._settle(at, form, meant[at + parse.thing])
            words = {slot: meant[at + offset] for slot, offset in parse.words}
            for slot, start, end in parse.phrases:
                words[slot] = " ".join(meant[at + start : at + end])
            if self._holds(at, form, parse, words):
                family = parse.rule.family
                self.shown.add((family, ""))
                for slot in parse.rule.key:
                    self.shown.add((family, words[slot]))
                    self.shown.add((family, DIMENSION.get(words[slot], "")))
                return True
        return True

    def _settle(self, at: int, form: Form, thing: str) -> None:
        """The text is about `thing`: let 'it' mean that."""
        self.main = thing
        for offset in form.its:
            self.meant[at + offset] = thing

    def _holds(self, at: int, form: Form, parse: Parse, words: Mapping[str, str]) -> bool:
        if parse.thing in form.its and not self.main:
            return False
        for offset in parse.again:
            if self.meant[at + offset] != words["x"]:
                return False
        for offset in parse.articles:
            if self.tokens[at + offset] != article(self.tokens[at + offset + 1]):
                return False
        return parse.rule.condition(words)

    def _fragments(self, at: int, form: Form) -> bool:
        """Whether the clause chains plain clauses, none of them said twice."""
        clauses = {" ".join(self.meant[at + start : at + end]) for start, end in form.fragments}
        return 0 < len(clauses) == len(form.fragments)

    def _objects(self, at: int, form: Form, main: str) -> None:
        """Note a fault unless the clause introduces a thing (no `main` yet) or takes up the one
        there is.
        """
        objects = form.objects
        if main and len(objects) == 1 and objects[0][1] and self.tokens[at + objects[0][0]] == main:
            return  # by far the commonest: 'that needle'
        if form.parses:  # 'it' may be another thing that the clause is about
            linked = any(self.meant[at + parse.thing] == main for parse in form.parses)
        else:
            linked = bool(form.its)
        mentioned = {main}
        for offset, pointed in objects:
            thing = self.tokens[at + offset]
            if not self.main:
                self._settle(at, form, thing)
            linked = linked or not main or (pointed and thing == main)
            if pointed and (thing != self.main or thing not in mentioned):
                self.faults.append(f"'that {thing}' has not been mentioned before")
            elif thing == main and not pointed:
                self.faults.append(f"the {thing} is introduced again")
            mentioned.add(thing)
        self.objects.update(mentioned - {""})
        if not linked:
            self.faults.append(f"the clause from word {at + 1} does not take up the thing")
        elif not main and form.its and (not form.objects or form.its[0] < form.objects[0][0]):
            self.faults.append("nothing for 'it' to stand for")

    def _figures(self, at: int, form: Form) -> None:
        for start, end in form.epithets:
            words = self.tokens[at + start : at + end]
            if len(set(words)) < len(words):
                self.faults.append(f"said twice: {' '.join(words)!r}")
            elif len({word[0] for word in words}) == 1:
                self.shown.update(("alliteration", word) for word in ("", *words))
        for offset, start, end in form.similes:
            adjective = self.tokens[at + offset]
            if VEHICLE.get(adjective) == " ".join(self.tokens[at + start : at + end]):
                self.shown.update((("simile", ""), ("simile", adjective)))


def read(text: str) -> Reading:
    """Return what `text` says; `faults` is empty if it makes sense."""
    if len(text) > MAX_CHARACTERS:
        fault = f"{len(text)} characters, over {MAX_CHARACTERS}"
        return Reading([], set(), set(), [fault], 0)
    return _Reader(text).read()


def marks(combination: SkillCombination, text: str) -> dict[str, bool]:
    """Mark a text on every skill of the combination, then on topic, sense and length.

    Parameters
    ----------
    combination
        Its skills are named as the world names them: by family ('modus ponens') or, in worlds with
        fields, by family and field ('modus ponens of age').
    text
        English of the world; capitals and spacing do not matter.

    Returns
    -------
    dict of str to bool
        In the order of `combination.criteria`; True if earned.

    Raises
    ------
    BadInput
        If the world lacks the topic or a skill.
    """
    if combination.topic not in TOPICS:
        raise BadInput(
            f"unknown topic {combination.topic!r}; `unparrot world list` names the topics"
        )
    reading = read(text)
    result = {name: _skill(name) in reading.shown for name in combination.skills}
    result["topic"] = {_TOPIC_OF[thing] for thing in reading.objects} == {combination.topic}
    result["sense"] = not reading.faults
    result["length"] = 1 <= reading.sentences <= max(1, combination.k - 1)
    return result


def grade(combination: SkillCombination, text: str) -> dict[str, Mark]:
    """Return `marks` as earned or missed; the exact grader leaves nothing unscored."""
    return {name: EARNED if mark else MISSED for name, mark in marks(combination, text).items()}


def full_marks(given: Mapping[str, bool] | Sequence[bool]) -> bool:
    """Return whether all k + 3 marks are earned."""
    return all(given.values()) if isinstance(given, Mapping) else all(given)


_FAMILIES: Final = frozenset(
    {rule.family for rule in RULES} | set(FRAMES) | {"simile", "alliteration"}
)


@lru_cache(maxsize=4096)
def _skill(name: str) -> tuple[str, str]:
    if name in _FAMILIES and name:
        return name, ""
    family, _, field = name.partition(" of ")
    if family not in _FAMILIES or not field:
        raise BadInput(f"unknown skill {name!r}; `unparrot world list` names the skills")
    return family, field
