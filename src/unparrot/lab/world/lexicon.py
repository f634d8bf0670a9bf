"""The facts of the micro-English world: who there is, what things are like, what follows from what.

Both the generator (`unparrot.lab.world`) and the grader (`unparrot.lab.grader`) read these tables,
as two people share a dictionary. Neither reads the other's grammar. The words stand in
lexicon.toml; try ``unparrot world list``.

Every table is a tuple of rows, every row a mapping from a form to a word (or a few words). A word
belongs to one class only; `tests/lab/test_lexicon.py` holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

Row = Mapping[str, str]
Table = tuple[Row, ...]


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    forms: tuple[str, ...]
    rows: tuple[str, ...]


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    women: tuple[str, ...]
    men: tuple[str, ...]
    topics: dict[str, tuple[str, ...]]
    tables: dict[str, _Table]


def _row(forms: tuple[str, ...], line: str) -> Row:
    words = [word.strip() for word in line.split("|")]
    if len(words) != len(forms):
        raise ValueError(f"row {line!r} has {len(words)} forms, expected {len(forms)}: {forms}")
    return MappingProxyType(dict(zip(forms, words, strict=True)))


_CONTENT = msgspec.toml.decode(
    files("unparrot.lab.world").joinpath("lexicon.toml").read_bytes(), type=_Content
)
FEMALE: Final = _CONTENT.women
MALE: Final = _CONTENT.men
NAMES: Final = tuple(name for pair in zip(FEMALE, MALE, strict=True) for name in pair)
"""Even index: a woman; odd index: a man."""
TOPICS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(_CONTENT.topics)
"""The five things of each topic."""
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        name: tuple(_row(table.forms, line) for line in table.rows)
        for name, table in _CONTENT.tables.items()
    }
)
"""The tables of facts by name; see the notes in lexicon.toml."""


def article(word: str) -> str:
    """Return 'a' or 'an', by the first letter, which is right for every noun of this world."""
    return "an" if word[0] in "aeiou" else "a"


def words(table: str, *forms: str) -> tuple[str, ...]:
    """Return the words of the named forms of a table, row by row.

    Several words in one place are given one by one.

    Examples
    --------
    >>> words("direction", "way")[:5]
    ('above', 'below', 'behind', 'before', 'north')
    """
    return tuple(word for row in TABLES[table] for form in forms for word in row[form].split())
