"""The fields of a pack file with their lines, and every fault of its form.

`unparrot.packs.nodes` reads the YAML and refuses what packs have no need of.
"""

from dataclasses import dataclass, field

import yaml

from unparrot.packs import nodes

SKILL_FIELDS = ("name", "category", "definition", "example")
PACK_FIELDS = ("name", "version", "language", "skills", "topics")
# Characters in a name, a category or a topic, so that lists and tables of them stay readable.
LONGEST_NAME = 80


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
    language: Entry | None = None
    skills: list[SkillDraft] = field(default_factory=list[SkillDraft])
    topics: list[Entry] = field(default_factory=list[Entry])
    errors: nodes.Faults = field(default_factory=nodes.Faults)

    def entry(
        self, node: yaml.Node, what: str, *, named: bool = True, literal: bool = False
    ) -> Entry | None:
        """Return the text of a node; None, with a fault, if it has none."""
        most = LONGEST_NAME if named else None
        text = nodes.plain_text(node, what, self.errors, literal=literal, most=most)
        return None if text is None else Entry(text, nodes.line_of(node))


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
    root = nodes.root_fields(content, "a pack", PACK_FIELDS, draft.errors)
    if root is None:
        return draft
    fields = nodes.known_fields(root, "the pack", PACK_FIELDS, draft.errors, ("language",))
    if "name" in fields:
        draft.name = draft.entry(fields["name"], "the name of the pack")
    if "version" in fields:
        # 1 and 2026-01-31 are numbers and dates to YAML, but as versions they stand for themselves
        draft.version = draft.entry(fields["version"], "the version", literal=True)
    if "language" in fields:
        draft.language = draft.entry(fields["language"], "the language")
    for node in _items(fields, "skills", draft):
        if isinstance(node, yaml.MappingNode):
            draft.skills.append(_skill(node, draft))
        else:
            fault = f"a skill must be fields ({', '.join(SKILL_FIELDS)}), not {nodes.kind_of(node)}"
            draft.errors.add(node, fault)
    for node in _items(fields, "topics", draft):
        if (topic := draft.entry(node, "a topic")) is not None:
            draft.topics.append(topic)
    return draft


def _items(fields: dict[str, yaml.Node], what: str, draft: PackDraft) -> list[yaml.Node]:
    node = fields.get(what)
    if isinstance(node, yaml.SequenceNode) and node.value:
        return node.value
    if node is not None:
        fault = f"'{what}' must be a list: each item on a line of its own after -"
        if isinstance(node, yaml.SequenceNode):
            fault = f"'{what}' is empty; a pack needs at least one"
        draft.errors.add(node, fault)
    return []


def _skill(node: yaml.MappingNode, draft: PackDraft) -> SkillDraft:
    before = len(draft.errors)
    skill = SkillDraft(nodes.line_of(node), {})
    for name, value in nodes.known_fields(node, "", SKILL_FIELDS, draft.errors).items():
        named = name in ("name", "category")
        if (entry := draft.entry(value, f"the {name} of the skill", named=named)) is not None:
            skill.fields[name] = entry
    draft.errors[before:] = [
        nodes.Finding(fault.line, f"skill {skill.label}: {fault.message}")
        for fault in draft.errors[before:]
    ]
    return skill
