"""YAML read to plain nodes that know their lines; features that could surprise are refused.

No object is built from the YAML: anchors, aliases, tags, keys given twice and deep nesting, of
which packs and prompts have no need, are refused where they stand.
"""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, cast

import yaml

from unparrot.core.errors import did_you_mean

_ODD: Final = ("Cc", "Cf", "Cn", "Co", "Zl", "Zp")  # controls, format signs, no letters, breaks
_DEEPEST: Final = 3  # file > list of skills > skill
_JOINERS: Final = "\u200c\u200d"  # invisible too, but letters of some scripts need them


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault, or a thing worth a second look; its line counts from 1, None is the whole file."""

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


class Faults(list[Finding]):
    """The faults of a file, as they are met."""

    def add(self, where: yaml.Node | int | None, message: str) -> None:
        """Note a fault at a node or a line; None is the whole file."""
        line = line_of(where) if isinstance(where, yaml.Node) else where
        self.append(Finding(line, message))


def root_fields(
    content: bytes, called: str, fields: Collection[str], faults: Faults
) -> yaml.MappingNode | None:
    """Read the bytes of a file that must be fields.

    Parameters
    ----------
    content
        The whole file: UTF-8, with or without a byte order mark.
    called, fields
        What messages call the file, and its fields.
    faults
        Gets what cannot be read.

    Returns
    -------
    yaml.MappingNode or None
        None, with one fault, if the file is not fields.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.add(line, f"not UTF-8 text ({error.reason}); save the file as UTF-8")
        return None
    try:
        root = _StrictLoader(text, called).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        faults.add(None if mark is None else mark.line + 1, _explained(error))
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        faults.add(
            line, f"the character {text[error.position]!r} is not allowed in YAML; remove it"
        )
        return None
    if isinstance(root, yaml.MappingNode):
        return root
    names = ", ".join(fields)
    if root is None:
        faults.add(None, f"the file is empty; {called} has {names}")
    else:
        faults.add(root, f"{called} must be fields ({names}), not {kind_of(root)}")
    return None


class _Refused(yaml.MarkedYAMLError):
    """Well-formed YAML that our files have no use for."""


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, up to nodes: no anchors, no aliases (so no bombs), no tags, no depth."""

    def __init__(self, text: str, called: str) -> None:
        super().__init__(text)
        self.called, self.depth = called, 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = cast(yaml.Event, self.peek_event())
        sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
        for part, kind in (("anchor", f"an anchor of YAML ({sign}"), ("tag", "a tag of YAML (")):
            if (value := getattr(event, part, None)) is not None:
                raise _refusal(event, f"{kind}{value}) has no place in {self.called}")
        if self.depth > _DEEPEST:
            raise _refusal(event, f"nested too deeply for {self.called}")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refusal(event: yaml.Event, why: str) -> _Refused:
    remedy = "; a text with signs of YAML in it must stand in quotes or below the sign >-"
    return _Refused(problem=why + remedy, problem_mark=event.start_mark)


def _explained(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "unreadable"
    if isinstance(error, _Refused):
        return problem
    problem = f"broken YAML: {f'{error.context}: ' if error.context else ''}{problem}"
    if "mapping values" in problem or "expected <block end>" in problem:
        problem += "; a text with a colon in it must stand in quotes or below the sign >-"
    return problem


def line_of(node: yaml.Node) -> int:
    """Return the line on which a node begins, counted from 1."""
    return node.start_mark.line + 1


def kind_of(node: yaml.Node) -> str:
    """Return what messages call this kind of node."""
    if isinstance(node, yaml.ScalarNode):
        return "a text"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a group of fields"


def known_fields(
    node: yaml.MappingNode,
    where: str,
    known: Collection[str],
    faults: Faults,
    optional: Collection[str] = (),
) -> dict[str, yaml.Node]:
    """Return the known fields of a mapping; those missing, unknown and given twice are faults.

    Parameters
    ----------
    node
        The mapping.
    where
        What messages begin with; may be empty.
    known
        Names of all fields.
    faults
        Gets each fault.
    optional
        Those of ``known`` that may be missing.
    """
    prefix = f"{where}: " if where else ""
    fields: dict[str, yaml.Node] = {}
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    for key, value in pairs:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else kind_of(key)
        if name not in known or not isinstance(key, yaml.ScalarNode):
            hint = did_you_mean(name, known) or f"; known: {', '.join(known)}"
            faults.add(key, f"{prefix}unknown field {shown(name)}{hint}")
        elif name in fields:
            faults.add(key, f"{prefix}the field {name!r} is given twice")
        else:
            fields[name] = value
    for name in known:
        if name not in fields and name not in optional:
            faults.add(node, f"{prefix}the field {name!r} is missing")
    return fields


def plain_text(
    node: yaml.Node,
    what: str,
    faults: Faults,
    *,
    literal: bool = False,
    lines: bool = False,
    most: int | None = None,
) -> str | None:
    """Return the text of a node; None, with a fault, if it has none that a prompt could carry.

    Parameters
    ----------
    node
        Any node.
    what
        What messages call the text.
    faults
        Gets the fault.
    literal
        Whether a number or a date stands for itself, as versions do.
    lines
        Whether it may have several lines, of which empty last ones are left out.
    most
        Characters that it may have; any number if None.
    """
    if not isinstance(node, yaml.ScalarNode):
        faults.add(node, f"{what} must be a text, not {kind_of(node)}")
        return None
    text = cast(str, node.value).rstrip("\n" if lines else "")
    kind = node.tag.rpartition(":")[2]
    is_text = kind == "str" or (literal and kind in ("int", "float", "timestamp"))
    why = fault_of_text(text, lines=lines, most=most)
    if kind == "null":
        why = "is empty"
    elif not is_text and text.strip():
        why = f"must be a text, but YAML reads {shown(text)} as {kind}; put it in quotes"
    if not why:
        return text
    faults.add(node, f"{what} {why}")
    return None


def fault_of_text(text: str, *, lines: bool = False, most: int | None = None) -> str:
    """Return why no prompt could carry a text, as `plain_text` has it; empty if one could."""
    fine = _JOINERS + ("\n" if lines else "")
    odd = next((s for s in text if unicodedata.category(s) in _ODD and s not in fine), None)
    if not text.strip():
        return "is empty"
    if not lines and ("\n" in text or "\r" in text):
        return "has a line break; put the sign >- before it, which joins lines"
    if not lines and text != text.strip():
        return f"has white space at an end: {shown(text)}; remove it"
    if odd is not None:
        return f"has the invisible character U+{ord(odd):04X}; remove it"
    if most is not None and len(text) > most:
        return f"has {len(text)} characters; {most} are allowed"
    return ""


def shown(text: str) -> str:
    """Quote a text in a message, shortened to 40 characters."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
