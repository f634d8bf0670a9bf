"""The grammar of the grader: words become classes, patterns regular expressions, clauses forms.

A text turns into a short string, one character for the class of each word, on which the grammar is
matched by regular expressions, at C speed. The grader shares the *dictionary* of the world (which
words are qualities, what is the opposite of 'old'), never its sentence patterns.

    if [x:thing] is [a:adj] then [it] is [b:adj] ; (and|but)? [it] is [c:adj] , SO [it] is [d:adj]

``[name:class]`` is a slot; ``[it]`` the thing again ('it', or the thing named again); ``(a|b)`` a
choice, ``?`` makes it optional. Classes are those of `CLASSES` and the phrases of `Grammar`. A
pattern says how a sentence is put together; whether it *means* what the skill asks is decided in
`rules`. There are few different forms of a clause, so `Parser.form` remembers what it works out;
what the words of a clause mean is left to the reader (`unparrot.lab.grader.exact`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from unparrot.lab.grader.rules import FRAGMENTS, FRAMES, RULES, TABLE_CLASSES, Rule
from unparrot.lab.world import lexicon as lx

UNKNOWN: Final = "?"
_MARKS: Final = (".", ",", ";", ":", "?", "!")

_FATES: Final = [row["fate"].split() for row in lx.TABLES["material"]]
_VEHICLES: Final = [row["vehicle"].split() for row in lx.TABLES["simile"]]
_WAYS: Final = [row["way"].split() for row in lx.TABLES["direction"]]
CLASSES: Final[Mapping[str, tuple[str, Iterable[str]]]] = {
    "woman": ("W", lx.FEMALE),
    "man": ("M", lx.MALE),
    "object": ("o", {word for objects in lx.TOPICS.values() for word in objects}),
    "fateverb": ("b", {fate[0] for fate in _FATES}),
    "fateplace": ("g", {fate[-1] for fate in _FATES}),
    "vehicle": ("v", {vehicle[-1] for vehicle in _VEHICLES}),
    "vehicle_kind": ("V", {w for v in _VEHICLES for w in v[:-1]} - {"a", "an", "the"}),
    "side": ("w", {way[0] for way in _WAYS if len(way) == 1}),
    "compass": ("x", {way[0] for way in _WAYS if len(way) > 1}),
    "epithet": ("E", lx.words("epithet", "one", "two")),
    **{name: (char, lx.words(table, form)) for name, (char, table, form) in TABLE_CLASSES.items()},
}
"""Class name -> its character, and its words. Function words get characters of their own from the
private-use area.
"""
_LETTERS: Final = frozenset(char for char, _ in CLASSES.values())


class _Dictionary(dict[str, str]):
    """Word -> character; a word it lacks is unknown."""

    def __missing__(self, word: str) -> str:
        return UNKNOWN


class Lexer:
    """Maps words to class characters; function words are added as the grammar names them."""

    def __init__(self) -> None:
        self.dictionary = _Dictionary()
        for name, (char, words) in CLASSES.items():
            for word in set(words):
                if word in self.dictionary:
                    raise ValueError(
                        f"{word!r} is in two classes: {name} and {self.dictionary[word]!r}"
                    )
                self.dictionary[word] = char
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


def tokenise(text: str) -> list[str]:
    """Lower-case words and punctuation marks; spacing does not matter."""
    text = text.lower()
    for mark in _MARKS:
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    return text.split()


SO: Final = "(so|hence|therefore|thus)"
_TOKEN = re.compile(r"\[(?:(\w+):)?(\w+)\]|\(([^()]*)\)(\?)?|([A-Za-z]+|[.,;:?])(\?)?")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pattern over class characters.

    `first`: the characters it can start with; `again`: its [it] groups; `articles`: its groups for
    'a' or 'an'.
    """

    regex: re.Pattern[str]
    first: frozenset[str]
    again: tuple[str, ...]
    articles: tuple[str, ...]


class Grammar:
    """Compiles the notation; holds the lexer that grows with it."""

    def __init__(self) -> None:
        self.lexer = Lexer()
        lit = self.lexer.literal
        the, that, it, as_, comma = (lit(w) for w in ("the", "that", "it", "as", ","))
        self.one = lit("a") + lit("an")
        article = f"[{self.one}{the}]?"
        simile = f"(?:{comma}{as_}a{as_}{article}V?v{comma}?)?"
        men_women = "WM"
        she, he, her, him, his = (lit(w) for w in ("she", "he", "her", "him", "his"))
        self.it, self.the, self.that = it, the, that
        self.speaking = lit("speaking") + lit("of")
        self.pronouns = {she: 0, her: 0, he: 1, him: 1, his: 1}
        self.stop = lit(".") + lit("?")
        self.question = lit("?")
        noun = f"[{the}{that}]E*o{simile}"
        self.phrases: dict[str, tuple[str, str]] = {
            "thing": (f"(?:{it}|{noun})", it + the + that),
            "who": (f"[{men_women}{she}{he}]", men_women + she + he),
            "whom": (f"[{men_women}{her}{him}]", men_women + her + him),
            "whose": (f"[{her}{his}]", her + his),
            "one": (f"[{self.one}]", self.one),
            "worth": ("[BG]", "BG"),
            "way": (f"(?:w|x{lit('of')})", "wx"),
            "fate": (f"b[{lit('in')}{lit('on')}]g", "b"),
        }
        for name, (char, _) in CLASSES.items():
            self.phrases[name] = (char, char)
        words = ("besides", "moreover", "meanwhile", "furthermore", "also")
        semicolon = lit(";")
        also = "".join(lit(w) for w in words)
        self.ending = re.compile(
            f"[{self.stop}]|{semicolon}(?:[{also}]{comma}?|(?={lit('speaking')}))"
        )
        self.simile = re.compile(f"{comma}{as_}(a){as_}({article}V?v)")
        self.epithets = re.compile("EE+")

    def source(self, pattern: str, named: bool = True) -> tuple[str, frozenset[str], list[str]]:
        """Regular expression, possible first characters, and [it] groups of a pattern."""
        pattern = pattern.replace("SO", SO)
        out: list[str] = []
        first: set[str] = set()
        again: list[str] = []
        open_start = True
        end = 0
        for match in _TOKEN.finditer(pattern):
            if pattern[end : match.start()].strip():
                raise ValueError(f"cannot read {pattern[end : match.start()]!r} in {pattern!r}")
            end = match.end()
            name, phrase, choice, optional, word, optional_word = match.groups()
            if phrase:
                if phrase == "it":
                    body, starts = self.phrases["thing"]
                    name = f"again{len(again)}"
                    again.append(name)
                else:
                    body, starts = self.phrases[phrase]
                out.append(f"(?P<{name}>{body})" if name and named else f"(?:{body})")
                skip = False
            elif choice is not None:
                bodies: list[str] = []
                starts = ""
                for option in choice.split("|"):
                    chars = [self.lexer.literal(w) for w in option.split()]
                    bodies.append("".join(re.escape(c) for c in chars))
                    starts += chars[0]
                out.append(f"(?:{'|'.join(bodies)}){optional or ''}")
                skip = bool(optional)
            else:
                starts = self.lexer.literal(word)
                out.append(re.escape(starts) + (optional_word or ""))
                skip = bool(optional_word)
            if open_start:
                first.update(starts)
                open_start = skip
        if pattern[end:].strip():
            raise ValueError(f"cannot read {pattern[end:]!r} in {pattern!r}")
        return "".join(out), frozenset(first), again

    def compile(self, pattern: str) -> Compiled:
        """A whole clause; its regular expression must match from end to end."""
        body, first, again = self.source(pattern)
        regex = re.compile(body)
        articles = tuple(name for name in regex.groupindex if name.startswith("one"))
        return Compiled(regex, first, tuple(again), articles)


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
        names: list[str] = []
        at = 0
        while True:
            for name, regex in self._frames:
                match = regex.match(chars, at)
                if match and name not in names:
                    names.append(name)
                    at = match.end()
                    break
            else:
                return tuple(names), at

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
