"""Families of skills: what each means, and the sentences that show it, from families.toml.

Clause skills make a clause of their own. Operators shape the clause of another skill: a noun phrase
(simile, alliteration) or the whole clause (appeal to authority, rhetorical question). The notation
of the templates is explained in the file.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final, Literal

import msgspec

Kind = Literal["clause", "noun", "frame"]


class Variable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice from a table.

    `unlike` names variables whose rows (and their opposites) are ruled out; `rows` are those to
    choose from, None for all.
    """

    table: str
    unlike: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A skill, or in a large world a family of skills: one for each field of its `key` variable.

    `key` is the variable and the form of its table that names the field, for example 'a.dimension';
    empty if there are no fields.
    """

    name: str
    category: str
    definition: str
    templates: tuple[str, ...]
    kind: Kind = "clause"
    key: str = ""
    variables: dict[str, Variable] = {}


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    family: tuple[Family, ...]
    carrier: Family


_CONTENT = msgspec.toml.decode(
    files("unparrot.lab.world").joinpath("families.toml").read_bytes(), type=_Content
)
FAMILIES: Final = _CONTENT.family
"""In the order of their frequency (power law over the rank)."""
CARRIER: Final = _CONTENT.carrier
"""A plain clause for operators to shape when no clause skill is asked for."""
