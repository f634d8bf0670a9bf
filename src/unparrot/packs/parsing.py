"""The fields of a pack file with their lines, and every fault of its form.

`unparrot.packs.nodes` reads the YAML and refuses what packs have no need of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import yaml

from unparrot.packs.nodes import (
    Finding,
    Layout,
    first_odd_sign,
    kind_of,
    known_fields,
    line_of,
    plain_text,
    root_fields,
    shown,
)

SKILL_FIELDS = ("name", "category", "definition", "example")
PACK_FIELDS = ("name", "version", "skills", "topics")
LONGEST_NAME = 80
"""Characters in a name, a category or a topic, so that lists and tables of them stay readable."""

_LAYOUT: Final = Layout(
    "a pack",
    PACK_FIELDS,
    deepest=3,  # file > list of skills > skill
    shape="a list of skills and one of topics",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A text that is not empty, and the line on which it begins."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class SkillDraft:
    """The fields of one skill that could be read; a field at fault is absent."""

    line: int
    fields: dict[str, Entry]

    @property
    def label(self) -> str:
        """What messages call the skill."""
        return repr(self.fields["name"].text) if "name" in self.fields else "without a name"


@dataclass(slots=True)
class PackDraft:
    """What could be read of a pack, and the faults met on the way."""

    name: Entry | None = None
    version: Entry | None = None
    skills: list[SkillDraft] = field(default_factory=list[SkillDraft])
    topics: list[Entry] = field(default_factory=list[Entry])
    errors: list[Finding] = field(default_factory=list[Finding])

    def fault(self, line: int | None, message: str) -> None:
        """Note a fault."""
        self.errors.append(Finding(line, message))


def parse_pack(content: bytes) -> PackDraft:
    """Read the bytes of a pack file.

    Parameters
    ----------
    content
        The whole file: UTF-8, with or without a byte order mark.

    Returns
    -------
    PackDraft
        All that could be read; `errors` says what could not, in the order of the file.
    """
    draft = PackDraft()
    root = root_fields(content, _LAYOUT, draft.fault)
    if root is not None:
        _read_pack(root, draft)
    return draft


def _read_pack(root: yaml.MappingNode, draft: PackDraft) -> None:
    fields = known_fields(root, "the pack", PACK_FIELDS, draft.fault)
    if "name" in fields:
        draft.name = _entry(fields["name"], "the name of the pack", draft, named=True)
    if "version" in fields:
        # 1 and 2026-01-31 are numbers and dates to YAML, but as versions they stand for themselves
        draft.version = _entry(fields["version"], "the version", draft, named=True, literal=True)
    for node in _items(fields, "skills", draft):
        if isinstance(node, yaml.MappingNode):
            draft.skills.append(_skill(node, draft))
        else:
            fault = f"a skill must be fields ({', '.join(SKILL_FIELDS)}), not {kind_of(node)}"
            draft.fault(line_of(node), fault)
    topics = (
        _entry(node, "a topic", draft, named=True) for node in _items(fields, "topics", draft)
    )
    draft.topics += [topic for topic in topics if topic is not None]


def _items(fields: dict[str, yaml.Node], what: str, draft: PackDraft) -> list[yaml.Node]:
    node = fields.get(what)
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        draft.fault(
            line_of(node), f"'{what}' must be a list: each item on a line of its own after -"
        )
        return []
    items: list[yaml.Node] = node.value
    if not items:
        draft.fault(line_of(node), f"'{what}' is empty; a pack needs at least one")
    return items


def _skill(node: yaml.MappingNode, draft: PackDraft) -> SkillDraft:
    before = len(draft.errors)
    skill = SkillDraft(line_of(node), {})
    for name, value in known_fields(node, "", SKILL_FIELDS, draft.fault).items():
        named = name in ("name", "category")
        entry = _entry(value, f"the {name} of the skill", draft, named)
        if entry is not None:
            skill.fields[name] = entry
    draft.errors[before:] = [
        Finding(fault.line, f"skill {skill.label}: {fault.message}")
        for fault in draft.errors[before:]
    ]
    return skill


def _entry(
    node: yaml.Node, what: str, draft: PackDraft, named: bool, literal: bool = False
) -> Entry | None:
    """The text of a node; None, with a fault, if it has none that a prompt could carry."""
    line = line_of(node)
    text = plain_text(node, what, draft.fault, literal)
    if text is None:
        return None
    odd = first_odd_sign(text)
    for wrong, fault in (
        (
            "\n" in text or "\r" in text,
            "a line break; put the sign >- before it, which joins lines",
        ),
        (text != text.strip(), f"white space at an end: {shown(text)}; remove it"),
        (odd, f"the invisible character U+{ord(odd or ' '):04X}; remove it"),
        (
            named and len(text) > LONGEST_NAME,
            f"{len(text)} characters; {LONGEST_NAME} are allowed",
        ),
    ):
        if wrong:
            draft.fault(line, f"{what} has {fault}")
            return None
    return Entry(text, line)
