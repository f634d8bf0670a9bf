"""Strict JSON: lines of objects read one by one, no key twice, bad values quoted in few letters."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from unparrot.core.errors import BadInput

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def read_lines(
    lines: Iterable[bytes], name: str, keys: Sequence[str], read: Callable[[dict[str, Any]], T]
) -> Iterator[tuple[int, T]]:
    """Read lines of JSON objects one by one, so that the lines may be endless.

    Parameters
    ----------
    lines
        In UTF-8, the first with or without a byte order mark; empty ones are skipped.
    name
        What errors call the file.
    keys
        Keys that every object must have; others may stand beside them.
    read
        Makes of an object what it stands for, or raises `BadInput`.

    Yields
    ------
    tuple of int and T
        The number of the line, from 1, and what was made of it.

    Raises
    ------
    BadInput
        At the first bad line; the message begins with the file and the line.
    """
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if text.strip():
                yield number, read(_object(text, keys))
        except UnicodeDecodeError as error:
            raise BadInput(f"{name}, line {number}: not UTF-8 text ({error.reason})") from error
        except BadInput as error:
            raise BadInput(f"{name}, line {number}: {error}") from error


def names_in(skills: Any) -> tuple[str, ...]:
    """Return the names in the list that the key 'skills' of a line holds.

    Raises
    ------
    BadInput
        If it is no list, is empty, or holds anything but names.
    """
    names = cast(list[object], skills)
    if not isinstance(skills, list) or not skills:
        raise BadInput(f"'skills' must be a list of one name or more, not {shown(names)}")
    for name in names:
        if not isinstance(name, str) or not name or _CONTROL.search(name):
            raise BadInput(f"'skills' must hold names, not {shown(name)}")
    return tuple(cast(list[str], skills))


def _object(text: str, keys: Sequence[str]) -> dict[str, Any]:
    try:
        value: object = json.loads(
            text, object_pairs_hook=unique_keys, parse_float=_finite, parse_constant=_finite
        )
    except BadInput:
        raise
    except RecursionError as error:
        raise BadInput("the JSON is nested too deeply") from error
    except ValueError as error:
        raise BadInput(f"broken JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadInput(f"a line must be a JSON object, not {shown(value)}")
    try:
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadInput("a text holds half of a surrogate pair, which no file can hold") from error
    missing = ", ".join(repr(key) for key in keys if key not in value)
    if missing:
        raise BadInput(f"missing {missing}; a line needs {', '.join(keys)}")
    return cast(dict[str, Any], value)


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise BadInput(f"{number} is not a number that JSON can hold")
    return value


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs, for ``json.loads(..., object_pairs_hook=unique_keys)``.

    Raises
    ------
    BadInput
        If a key occurs twice, where JSON would quietly keep the last.
    """
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise BadInput(f"the key {doubled!r} occurs twice in one object")
    return content


def shown(value: object) -> str:
    """Quote a value in an error, in at most 60 characters.

    Examples
    --------
    >>> shown([1, None])
    '[1, null]'
    """
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
