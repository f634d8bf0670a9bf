"""Questions that turn texts into a pack: which skills a text needs, which names mean the same,
which are of one kind, and what a skill is.

Each is one prompt and one JSON object in reply, with a token that is drawn for the call. Texts of
users, and names that a model gave them, stand between lines with that token, as data: a reply that
such a text holds lacks it and is none. That a model does what a text orders cannot be ruled out;
so names and definitions are checked for their form, and only skills that several texts need are
kept.

References
----------
Didolkar et al. (2024), "Metacognitive Capabilities of LLMs": a model names the skill that each task
needs, then sorts the names into coarser ones. Kaur et al. (2024), "Instruct-SkillMix". The prompts
are ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Generic, NamedTuple, TypeVar

import yaml

from unparrot.core.skills import CRITERIA
from unparrot.eval.protocol.grading import closed_object, read_object
from unparrot.packs.checking import LENGTHS, NameIndex, bare_name, folded
from unparrot.packs.nodes import fault_of_text
from unparrot.packs.parsing import LONGEST_NAME
from unparrot.packs.prompts import fill

Answer = TypeVar("Answer")
# Of the prompts, which stand in questions.yaml; what was answered to others is asked again.
VERSION: Final = 1
# Signs that read as the end of a name in a list.
_LIST_SIGNS: Final = re.compile(r"[,;:|、，；：/]")
_NAMED: Final = re.compile(r"[^\W_]")
_NUMBER: Final = re.compile(r"N[0-9]+")
# Characters of each text that is shown beside a skill.
_SHOWN: Final = 600


@dataclass(frozen=True, slots=True)
class Question(Generic[Answer]):
    """A question to the model.

    Parameters
    ----------
    step
        What it is about, in a word.
    prompt, values
        The template, and what stands in it but for the token.
    fields
        Of the object to reply with, beside the token.
    read
        Makes of the fields what they say, as far as they say it, and why they do not say all; None
        if nothing of it can be used.
    """

    step: str
    prompt: str
    values: Mapping[str, str]
    fields: tuple[str, ...]
    read: Callable[[Mapping[str, str]], tuple[Answer | None, str]]

    def message(self, token: str) -> str:
        """Return the prompt, with the token of the call."""
        return fill(self.prompt, {**self.values, "token": token, "fields": ", ".join(self.fields)})

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a reply."""
        return closed_object({name: {"type": "string"} for name in ("token", *self.fields)})

    def answer(self, reply: str, stop_reason: str, token: str) -> tuple[Answer | None, str]:
        """Return what a reply says, and what it lacks, in words that quote nothing of it."""
        replied = read_object(reply, stop_reason, token)
        if isinstance(replied, str):
            return None, replied
        texts = {name: " ".join(v.split()) for name, v in replied.items() if isinstance(v, str)}
        if texts.keys() != {"token", *self.fields}:
            return None, "the JSON does not have the fields that were asked for, each a text"
        if any(token in text for name, text in texts.items() if name != "token"):
            return None, "a field holds the code and not what was asked for"
        return self.read(texts)


@cache
def _prompt(step: str) -> str:
    """The prompt of a step, with the parts that prompts share put in."""
    texts = yaml.safe_load(files("unparrot.eval.draft").joinpath("questions.yaml").read_bytes())
    prompt = texts[step]
    lengths = {part.upper(): f"{least} to {most}" for part, (least, most) in LENGTHS.items()}
    for name in ("DATA", "NAMES", "REPLY", *lengths):
        prompt = prompt.replace(f"{{{name}}}", {**texts, **lengths}[name])
    return prompt


class Label(NamedTuple):
    """What a text needs, and what it is about; the topic is empty if its name cannot be used."""

    skills: tuple[str, ...]
    topic: str


class Meaning(NamedTuple):
    """The definition of a skill, and an example of it."""

    definition: str
    example: str


def label(text: str, most: int, language: str) -> Question[Label]:
    """Ask which skills a text needs, ``most`` at most, and what it is about."""
    slots = tuple(f"skill_{i}" for i in range(1, most + 1))

    def read(fields: Mapping[str, str]) -> tuple[Label | None, str]:
        faults = {name: fault_of_name(fields[name]) for name in slots if fields[name]}
        good = dict.fromkeys(fields[name] for name, fault in faults.items() if not fault)
        topic = fault_of_name(fields["topic"])
        lacks = [f"{name}: {fault}" for name, fault in {**faults, "topic": topic}.items() if fault]
        if not faults:
            lacks.append("no skill is named")
        return Label(tuple(good), "" if topic else fields["topic"]), "; ".join(lacks)

    values = {"what": "text", "data": text, "most": str(most), "language": language}
    return Question("label", _prompt("label"), values, (*slots, "topic"), read)


def merge(names: Sequence[str], most: int, language: str) -> Question[dict[str, str]]:
    """Ask which names mean the same skill: of each the one name that will do."""
    return _sorting("merge", names, most, language)


def categories(names: Sequence[str], most: int, language: str) -> Question[dict[str, str]]:
    """Ask for the category of each skill."""
    return _sorting("sort", names, most, language)


def _sorting(step: str, names: Sequence[str], most: int, language: str) -> Question[dict[str, str]]:
    numbered = {f"N{i}": name for i, name in enumerate(names, start=1)}

    def read(fields: Mapping[str, str]) -> tuple[dict[str, str] | None, str]:
        faults = {number: fault_of_name(fields[number]) for number in numbered}
        faults |= {n: "is a number of the list" for n in numbered if _NUMBER.fullmatch(fields[n])}
        given = {name: fields[n] for n, name in numbered.items() if not faults[n]}
        return given, "; ".join(f"{number}: {fault}" for number, fault in faults.items() if fault)

    data = "\n".join(f"{number}: {name}" for number, name in numbered.items())
    values = {"what": "names", "data": data, "most": str(most), "language": language}
    return Question(step, _prompt(step), values, tuple(numbered), read)


def define(name: str, texts: Sequence[str], index: NameIndex, language: str) -> Question[Meaning]:
    """Ask what a skill means; ``texts`` need it, and ``index`` finds the names of all skills."""
    prompt = _prompt("define")

    def read(fields: Mapping[str, str]) -> tuple[Meaning | None, str]:
        lacks = [f"{part}: {fault}" for part in LENGTHS if (fault := _fault(part, fields[part]))]
        for part in () if lacks else LENGTHS:
            words = folded(fields[part]).rstrip(" .,;:")
            if any(words in folded(text) for text in (prompt, *texts)):
                lacks.append(f"{part}: it is copied out of this message")
        example = fields["example"]
        if folded(example) == folded(fields["definition"]):
            lacks.append("example: it is the definition once more")
        if index.named_in(example):
            lacks.append("example: it names a skill, its own or another")
        meaning = Meaning(fields["definition"], example)
        return None if lacks else meaning, "; ".join(lacks)

    quoted = [text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..." for text in texts]
    data = "\n\n".join((f"Skill: {name}", *quoted))
    values = {"what": "skill", "data": data, "language": language}
    return Question("define", prompt, values, Meaning._fields, read)


def _fault(part: str, text: str) -> str:
    least, most = LENGTHS[part]
    fault = fault_of_text(text)
    if not fault and not least <= len(text) <= most:
        fault = f"has {len(text)} letters and not {least} to {most}"
    return fault


def fault_of_name(name: str) -> str:
    """Return why a name cannot be that of a skill, a category or a topic; empty if it can.

    Examples
    --------
    >>> fault_of_name("unit conversion"), fault_of_name("rates, ratios")
    ('', 'is a list of names')
    """
    fault = fault_of_text(name, most=LONGEST_NAME)
    if not fault and _LIST_SIGNS.search(name):
        fault = "is a list of names"
    elif not fault and not _NAMED.search(name):
        fault = "has no letter"
    elif not fault and folded(bare_name(name)) in CRITERIA:
        fault = f"is none of {', '.join(CRITERIA)}, on which every text is marked"
    return fault
