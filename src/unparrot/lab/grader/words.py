"""The words of the grader: every word one character, so that a text is a short string.

On such strings clauses are matched by regular expressions, at C speed. The grader shares the
*dictionary* of the world (which words are qualities, what is the opposite of 'old'), never its
sentence patterns. In a text the two people and the thing of the request are `P`, `Q` and `O`.
"""

import re
from collections.abc import Iterable
from operator import itemgetter
from typing import Final

from unparrot.lab.world.lexicon import EPITHETS, NAMES, TABLES, TOPICS

# What a text holds, one word each; what was last said of the thing is none of its days
TYPES: Final = ("quality", "material", "place", "number", "feeling", "day")
UNKNOWN: Final = "\0"
# The first character of a word. The words of the first tables are below 256, where a substring of
# one character costs nothing.
_FIRST: Final = 0x80
_MOST_KNOWN: Final = 1 << 16
_CODES: Final[dict[str, str]] = {}
_WORDS: Final[dict[str, str]] = {}
# What stands between two spaces ('Mary's', 'needle,') -> its characters
_KNOWN: Final[dict[str, str]] = {}


def code(words: str) -> str:
    """Return the characters of known words; a new word becomes known."""
    for word in words.split():
        if word not in _CODES:
            _CODES[word] = chr(_FIRST + len(_CODES))
            _WORDS[_CODES[word]] = word
    return "".join(_CODES[word] for word in words.split())


def tokenise(text: str) -> list[str]:
    """Split a text into words, `'s` and marks, whichever way it is written.

    Examples
    --------
    >>> tokenise("Mary's needle, as old as dew.")[:4]
    ['mary', "'s", 'needle', ',']
    """
    return _TOKEN.findall(text.lower())


_TOKEN: Final = re.compile(r"[,.?]|'s(?![^\s,.?])|(?:(?!'s(?![^\s,.?]))[^\s,.?])+")


def encode(text: str) -> str:
    """Return one character for each token of a text.

    Examples
    --------
    >>> len(encode("Mary's needle, as old as dew."))
    9
    """
    try:  # nearly all texts are of known words, with one space between them
        return "".join(itemgetter(*text.split(" "))(_KNOWN))
    except KeyError:
        return "".join([_KNOWN.get(piece) or _learn(piece) for piece in text.split()])


def _learn(piece: str) -> str:
    codes = "".join([_CODES.get(token, UNKNOWN) for token in tokenise(piece)])
    if UNKNOWN not in codes and len(_KNOWN) < _MOST_KNOWN:
        _KNOWN[piece] = codes
    return codes


def decode(codes: str) -> str:
    """Return the words of characters."""
    return " ".join(_WORDS.get(char, "...") for char in codes)


def any_of(words: Iterable[str]) -> str:
    """Return a regular expression for any of some words or phrases, given as codes.

    Phrases that differ in their last word alone share the others.
    """
    last: dict[str, set[str]] = {}
    for word in words:
        last.setdefault(word[:-1], set()).add(word[-1])
    choices = [f"{before}[{''.join(sorted(chars))}]" for before, chars in last.items()]
    return choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"


for _name in TYPES:
    for _row in TABLES[_name]:
        code(next(iter(_row.values())))
# Table -> form -> the codes of that form, row by row
COLUMNS: Final = {
    table: {form: tuple(code(row[form]) for row in TABLES[table]) for form in TABLES[table][0]}
    for table in TABLES
}
NAME_CODES: Final = tuple(code(name) for name in NAMES)
WOMEN: Final = frozenset(NAME_CODES[::2])
THING_CODES: Final = {
    topic: frozenset(code(thing) for thing in things) for topic, things in TOPICS.items()
}
THINGS: Final = frozenset[str]().union(*THING_CODES.values())
# Name -> the epithets that begin like it
EPITHETS_OF: Final = {
    code(name): frozenset(code(word) for word in EPITHETS.get(name[0], ())) for name in NAMES
}
NAME: Final = any_of(NAME_CODES)
THING: Final = any_of({*THINGS, "O"})
EPITHET: Final = any_of(frozenset[str]().union(*EPITHETS_OF.values()))
# Finds people and things that are none of the request
OTHERS: Final = re.compile(any_of({*NAME_CODES, *THINGS})).search
ANY_THING: Final = re.compile(THING)
