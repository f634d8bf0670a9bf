"""Prompts: what students are asked, and how graders are instructed to mark.

The sets are the YAML files in the folder `prompts` beside this module. A name in braces is a
placeholder; each field has those that belong in it, and no other. Placeholders are filled in a
single pass, so that a skill, a topic or a student's text that holds braces stays as it is.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

import yaml

from unparrot.core.errors import BadInput, did_you_mean
from unparrot.core.skills import main_language
from unparrot.packs import nodes
from unparrot.packs.shipped import Shelf

# Where the text of a reply stands: between <answer> and </answer>, or it is all of the reply.
AnswerPart = Literal["tagged", "whole"]

# The prompts of SKILL-MIX in the language of the pack, whichever that is.
PROTOCOL: Final = "skillmix"

_SHELF: Final = Shelf("prompts", "the prompts", "a set of prompts", "a file", most=1 << 18)
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)

# For each template, the placeholders that it needs, and all that it may have.
_PLACES: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    field: (frozenset(needed.split()), frozenset(f"{needed} {others}".split()))
    for field, needed, others in (
        ("turns", "", "topic skills names limit"),
        ("skill", "name definition example", ""),
        ("limit_one", "", ""),
        ("limit_many", "n", ""),
        ("grading", "topic skills limit token text criteria", "names"),
        ("criterion_skill", "name", ""),
        ("criterion_topic", "topic", ""),
        ("criterion_sense", "", ""),
        ("criterion_length", "limit", ""),
        ("grading_schema", "token ids", ""),
        ("grading_text", "lines", "token ids"),
    )
}
_GRADING_FIELDS: Final = tuple(field for field in _PLACES if field != "turns")
_OWN_FIELDS: Final = ("name", "version", "answer", "separator", "turns")


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The prompts of one protocol: templates whose placeholders `fill` fills.

    Parameters
    ----------
    name, version
        What the set is called.
    answer
        Where the text stands in a student's reply.
    turns
        What the student is asked, turn by turn, in one conversation.
    separator
        Stands between the names of skills where they are listed in a line.
    skill
        An entry of the list of skills.
    limit_one, limit_many
        How at most one sentence, and at most n sentences, are worded.
    grading
        The instructions of the grader, up to how it is to reply.
    criterion_skill, criterion_topic, criterion_sense, criterion_length
        The criteria, in the words in which the grader reads them.
    grading_schema, grading_text
        How the grader is to reply: as a JSON object, or with a line for each mark.
    """

    name: str
    version: str
    answer: AnswerPart
    turns: tuple[str, ...]
    separator: str
    skill: str
    limit_one: str
    limit_many: str
    grading: str
    criterion_skill: str
    criterion_topic: str
    criterion_sense: str
    criterion_length: str
    grading_schema: str
    grading_text: str

    @property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the canonical JSON of the set; changes with any of it."""
        data = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(data.encode()).hexdigest()

    def limit(self, k: int) -> str:
        """Tell how many sentences a text of k skills may have, in words."""
        most = sentence_limit(k)
        return self.limit_one if most == 1 else fill(self.limit_many, {"n": str(most)})


def sentence_limit(k: int) -> int:
    """Return the most sentences that a text of k skills may have: k - 1, and one at least.

    References
    ----------
    Yu et al. (2023), "Skill-Mix", section 3.

    Examples
    --------
    >>> [sentence_limit(k) for k in (1, 2, 3, 6)]
    [1, 1, 2, 5]
    """
    return max(1, k - 1)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values in the place of a template's placeholders, all in one pass.

    Parameters
    ----------
    template
        Text with placeholders, such as ``{topic}``; braces around anything but a name stay.
    values
        What each placeholder stands for. A value is never searched for placeholders itself.

    Raises
    ------
    BadInput
        If the template has a placeholder without a value.

    Examples
    --------
    >>> fill("On {topic}: {text}", {"topic": "tea {text}", "text": "{topic}"})
    'On tea {text}: {topic}'
    """

    def value(placeholder: re.Match[str]) -> str:
        if placeholder[1] not in values:
            raise BadInput(f"nothing is known to put in the place of {placeholder[0]}")
        return values[placeholder[1]]

    return _PLACEHOLDER.sub(value, template)


def shipped_prompts() -> tuple[str, ...]:
    """Return the names of the sets of prompts that come with unparrot, sorted."""
    return _SHELF.names()


def prompts_for(name: str, language: str) -> str:
    """Return the name of a set of prompts, where `PROTOCOL` stands for the one in a language.

    Raises
    ------
    BadInput
        If we ship no prompts of the protocol in that language.

    Examples
    --------
    >>> prompts_for("skillmix", "ko-KR"), prompts_for("world", "en")
    ('skillmix.ko', 'world')
    """
    if name != PROTOCOL:
        return name
    own = f"{PROTOCOL}.{main_language(language)}"
    if own not in shipped_prompts():
        named = ", ".join(each for each in shipped_prompts() if each.startswith(PROTOCOL))
        raise BadInput(
            f"the pack is in the language {language!r}, and there are no prompts of the protocol "
            f"in it: translate {PROTOCOL}.en.yaml and give --prompts FILE, or name one of {named}"
        )
    return own


def load_prompts(name: str | Path) -> PromptSet:
    """Load a set of prompts.

    Parameters
    ----------
    name
        Name of a set that we ship (`shipped_prompts`), or the path of a file. A file of that very
        name in the current folder is reached as ``./NAME``.

    Raises
    ------
    BadInput
        If there is no such set, it cannot be read, or it has errors; the message lists the first of
        them with their lines.

    Examples
    --------
    >>> load_prompts("world").turns
    ('topic: {topic} skills: {names} text:',)
    """
    content = _SHELF.read(name)
    errors = nodes.Faults()
    prompts = _parsed(content, errors)
    if prompts is None:
        raise _SHELF.refused(name, errors)
    return prompts


def _parsed(content: bytes, errors: nodes.Faults) -> PromptSet | None:
    """The set that a file holds; None, with errors, if it holds none."""
    fields = (*_OWN_FIELDS, *_GRADING_FIELDS)
    root = nodes.root_fields(content, "a set of prompts", fields, errors)
    if root is None:
        return None
    borrows = any(key.value == "grading_from" for key, _ in root.value)
    own = (*_OWN_FIELDS, *(("grading_from",) if borrows else _GRADING_FIELDS))
    optional = () if borrows else ("grading_from",)
    by_field = nodes.known_fields(root, "", dict.fromkeys((*own, "grading_from")), errors, optional)
    texts: dict[str, str] = {}
    turns: list[str] = []
    for field, node in by_field.items():
        if field == "turns" and isinstance(node, yaml.SequenceNode) and node.value:
            read = [_text(turn, field, errors, f"turn {i}") for i, turn in enumerate(node.value, 1)]
            turns += [turn for turn in read if turn is not None and None not in read]
        elif field == "turns":
            errors.add(node, "'turns' must be a list of prompts: each after a - on a new line")
        elif (text := _text(node, field, errors, repr(field))) is not None:
            texts[field] = text
    answer = texts.get("answer")
    if answer is not None and answer not in get_args(AnswerPart):
        choice = " or ".join(get_args(AnswerPart))
        errors.add(by_field["answer"], f"'answer' is {choice}, not {nodes.shown(answer)}")
    elif turns and answer is not None:
        for message in _lacking(turns, answer):
            errors.add(by_field["turns"], message)
    lender = texts.pop("grading_from", None)
    if lender is not None and (lender not in shipped_prompts() or lender == texts.get("name")):
        names = ", ".join(shipped_prompts())
        message = f"'grading_from' names a set that we ship ({names}), not {nodes.shown(lender)}"
        errors.add(by_field["grading_from"], message)
    if errors:
        return None
    if lender is not None:
        lent = load_prompts(lender)
        texts |= {field: cast(str, getattr(lent, field)) for field in _GRADING_FIELDS}
    return PromptSet(turns=tuple(turns), **texts)  # pyright: ignore[reportArgumentType]


def _text(node: yaml.Node, field: str, faults: nodes.Faults, what: str) -> str | None:
    """The text of a field, whose placeholders are those that it needs and may have."""
    if field == "separator" and isinstance(node, yaml.ScalarNode) and node.value:
        return cast(str, node.value)
    text = nodes.plain_text(node, what, faults, literal=field == "version", lines=True)
    for message in () if text is None else _misplaced(field, text, what):
        faults.add(node, message)
    return text


def _misplaced(field: str, template: str, what: str) -> Iterator[str]:
    """Yield the faults of the placeholders of a template."""
    if field not in _PLACES:
        return
    needed, allowed = _PLACES[field]
    names = _PLACEHOLDER.findall(template)
    for name in dict.fromkeys(names):
        if name not in allowed:
            known = [f"{{{other}}}" for other in sorted(allowed)]
            hint = did_you_mean(f"{{{name}}}", known)
            hint = hint or f"; it may have {', '.join(known) or 'none'}"
            yield f"{what} has the unknown placeholder {{{name}}}{hint}"
    for name in sorted(needed - set(names)):
        yield f"{what} lacks the placeholder {{{name}}}"
    if field == "grading" and names.count("text") == 1:
        before, _, after = template.partition("{text}")
        if "{token}" not in before or "{token}" not in after:
            yield f"{what} must have {{token}} before and after {{text}}, to mark off the text"
    elif field == "grading" and "text" in names:
        yield f"{what} has the placeholder {{text}} {names.count('text')} times; once is enough"


def _lacking(turns: Sequence[str], answer: str) -> Iterator[str]:
    """What the turns fail to tell the student."""
    names = set(_PLACEHOLDER.findall(turns[0]))
    if "topic" not in names:
        yield "turn 1 lacks the placeholder {topic}"
    if not names & {"skills", "names"}:
        yield "turn 1 lacks the placeholder {skills} or {names}"
    if answer == "tagged":
        for tag in ("<answer>", "</answer>"):
            if tag not in turns[-1]:
                yield f"turn {len(turns)}, the last, must ask for the tag {tag}"
