"""Reading JSON strictly: no key twice, and bad values quoted in a few letters."""

from __future__ import annotations

import json
from typing import Any

from unparrot.core.errors import BadInput


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
