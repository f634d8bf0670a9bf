"""The facts of the micro-English world: who there is, what things are like, what follows from what.

Both the generator (`unparrot.lab.world`) and the grader (`unparrot.lab.grader`) read these tables,
as two people share a dictionary. Neither reads the other's grammar. The words stand in
lexicon.toml; try ``unparrot world list``.

Every table is a tuple of rows, every row a mapping from a form to a word (or a few words). A word
belongs to one class only; `tests/lab/test_lexicon.py` holds that.
"""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

Row = Mapping[str, str]
Table = tuple[Row, ...]

# Things that a topic has from the kind after its own
_BESIDE: Final = 12


class _Topic(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    own: tuple[str, ...]


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    forms: tuple[str, ...]
    rows: tuple[str, ...]


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    women: tuple[str, ...]
    men: tuple[str, ...]
    epithets: tuple[str, ...]
    kinds: dict[str, tuple[str, ...]]
    topics: dict[str, _Topic]
    tables: dict[str, _Table]


def _row(forms: tuple[str, ...], line: str) -> Row:
    words = [word.strip() for word in line.split("|")]
    if len(words) != len(forms):
        raise ValueError(f"row {line!r} has {len(words)} forms, expected {len(forms)}: {forms}")
    return MappingProxyType(dict(zip(forms, words, strict=True)))


def _things(topic: _Topic, kinds: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    order = list(kinds)
    beside = order[(order.index(topic.kind) + 1) % len(order)]
    return (*topic.own, *kinds[topic.kind], *kinds[beside][:_BESIDE])


_CONTENT = msgspec.toml.decode(
    files("unparrot.lab.world").joinpath("lexicon.toml").read_bytes(), type=_Content
)
# Even index: a woman; odd index: a man
NAMES: Final = tuple(
    name for pair in zip(_CONTENT.women, _CONTENT.men, strict=True) for name in pair
)
# The forty things of each topic, most of which other topics share
TOPICS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {name: _things(topic, _CONTENT.kinds) for name, topic in _CONTENT.topics.items()}
)
# Words that may stand before a name, by the letter that both begin with
EPITHETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {line[0]: tuple(line.split()) for line in _CONTENT.epithets}
)
# The tables of facts by name; see the notes in lexicon.toml
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        name: tuple(_row(table.forms, line) for line in table.rows)
        for name, table in _CONTENT.tables.items()
    }
)


def column(table: str, form: str) -> tuple[str, ...]:
    """Return one form of every row of a table; a form may have several words.

    Examples
    --------
    >>> column("direction", "way")[4:6]
    ('north of', 'south of')
    """
    return tuple(row[form] for row in TABLES[table])
