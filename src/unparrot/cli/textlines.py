"""The JSON lines that `unparrot world grade` reads, checked so that every error names its line."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from unparrot.core.errors import BadInput
from unparrot.core.strictjson import shown, unique_keys

if TYPE_CHECKING:
    from unparrot.core.skills import SkillCombination, SkillPack


@dataclass(frozen=True, slots=True)
class Request:
    """One line to be graded: the object as it was read, and what was understood of it."""

    content: dict[str, object]
    combination: SkillCombination
    text: str


def read_requests(
    lines: Iterable[bytes], name: str, pack: SkillPack, large: bool
) -> Iterator[Request]:
    """Read the lines one by one; a bad one raises `BadInput` with its number (from 1)."""
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if text.strip():
                yield _request(text, pack, large)
        except UnicodeDecodeError as error:
            raise BadInput(f"{name}, line {number}: not UTF-8 text ({error.reason})") from error
        except BadInput as error:
            raise BadInput(f"{name}, line {number}: {error}") from error


def check_names(pack: SkillPack, topics: Iterable[str], skills: Iterable[str], large: bool) -> None:
    """Raise `BadInput` for a topic or a skill that the pack lacks, with the nearest names."""
    for what, asked, known in (
        ("topic", topics, pack.topic_names),
        ("skill", skills, pack.skill_names),
    ):
        for name in asked:
            if name in known:
                continue
            near = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {', '.join(map(repr, near))}? " if near else ""
            command = f"`unparrot world list{' --large' if large else ''}`"
            raise BadInput(f"unknown {what} {name!r}; {hint}{command} names all {len(known)}")


def _request(line: str, pack: SkillPack, large: bool) -> Request:
    from unparrot.core.skills import SkillCombination

    try:
        value: object = json.loads(
            line,
            object_pairs_hook=unique_keys,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except BadInput:
        raise
    except RecursionError as error:
        raise BadInput("the JSON is nested too deeply") from error
    except ValueError as error:
        raise BadInput(f"broken JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadInput(f"a line must be a JSON object, not {shown(value)}")
    content = cast(dict[str, object], value)
    missing = [key for key in ("topic", "skills", "text") if key not in content]
    if missing:
        raise BadInput(f"missing {', '.join(map(repr, missing))}; a line needs topic, skills, text")
    topic, skills, text = content["topic"], content["skills"], content["text"]
    if not isinstance(topic, str):
        raise BadInput(f"'topic' must be a text, not {shown(topic)}")
    if not isinstance(text, str):
        raise BadInput(f"'text' must be a text, not {shown(text)}")
    listed = cast(list[object], skills) if isinstance(skills, list) else []
    if not listed:
        raise BadInput(
            f"'skills' must be a list of one name or more, not {shown(content['skills'])}"
        )
    names: list[str] = []
    for skill in listed:
        if not isinstance(skill, str):
            raise BadInput(f"'skills' must hold names, not {shown(skill)}")
        if skill in names:
            raise BadInput(f"'skills' names {skill!r} twice")
        names.append(skill)
    check_names(pack, (topic,), names, large)
    return Request(content, SkillCombination(topic, tuple(names)), text)


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise BadInput(f"{number} is not a number that JSON can hold")
    return value
