"""The grammar of the grader: sentence patterns in a small notation, made into regular expressions.

    if [x:thing] is [a:adj] then [it] is [b:adj] ; (and|but)? [it] is [c:adj] , SO [it] is [d:adj]

``[name:class]`` is a slot; ``[it]`` the thing again ('it', or the thing named again); ``(a|b)`` a
choice, ``?`` makes it optional. Classes are those of `lexer.CLASSES` and the phrases below. A
pattern says how a sentence is put together; whether it *means* what the skill asks is decided in
`rules`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from unparrot.lab.grader.lexer import CLASSES, Lexer

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
        for name, char in CLASSES.items():
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
