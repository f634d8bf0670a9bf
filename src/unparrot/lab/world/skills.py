"""The skills of the world: what each means, and the sentences that show it, from skills.toml.

A proposition makes a clause of its own. Operators stand around the clause of another skill,
modifiers in its noun phrase. The notation is explained in the file.
"""

from importlib.resources import files
from typing import Final, Literal

import msgspec

Kind = Literal["proposition", "operator", "modifier"]


class Variable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a variable gets its value: one of these, as skills.toml explains them."""

    get: str = ""
    new: str = ""
    unlike: tuple[str, ...] = ()
    row: str = ""
    opposite: str = ""
    after: str = ""
    sum: tuple[str, ...] = ()
    brought: str = ""

    @property
    def table(self) -> str:
        """The table that the variable is a row of."""
        if self.opposite or self.brought:
            return "quality"
        if self.after:
            return "day"
        return "number" if self.sum else self.get or self.new or self.row


class SkillSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A skill; `over_twelve` are its templates where variable n is over twelve."""

    definition: str
    kind: Kind
    templates: tuple[str, ...]
    name: str = ""
    category: str = ""
    over_twelve: tuple[str, ...] = ()
    question: bool = False
    variables: dict[str, Variable] = {}
    writes: dict[str, str] = {}


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    openers: tuple[str, ...]
    joints: tuple[str, ...]
    skill: tuple[SkillSpec, ...]
    carrier: SkillSpec


_CONTENT = msgspec.toml.decode(
    files("unparrot.lab.world").joinpath("skills.toml").read_bytes(), type=_Content
)
# In the order of their frequency (power law over the rank)
SKILLS: Final = _CONTENT.skill
# A plain clause for operators and modifiers where no proposition is asked for
CARRIER: Final = _CONTENT.carrier
# How a sentence may begin; the first of a text, and a question, begin with their clause
OPENERS: Final = _CONTENT.openers
# What may stand between two clauses of a sentence
JOINTS: Final = _CONTENT.joints
