"""The redaction of keys: whatever a provider echoes is masked before anything is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "[key]"
_NAMES: Final = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$", re.IGNORECASE)
_SHAPES: Final = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|r8)[-_][\w-]{16,}|\bAIza[\w-]{20,}|(?<=Bearer )[\w.~+/=-]{8,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
# A key in the query of an address: its name, and the key.
_QUERY: Final = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|pass(?:word)?|auth|sig(?:nature)?|code|credentials?)=)"
    r"([^&#\s'\"]+)",
    re.IGNORECASE,
)
# Shorter values are no keys, and striking them out would hit ordinary words.
_SHORTEST: Final = 8
# So many letters and nothing else may be a word, which a model writes without knowing a key.
_LONGEST_WORD: Final = 20


class Redactor:
    """Strikes out the values of variables such as OPENAI_API_KEY, and what looks like a key.

    Parameters
    ----------
    secrets
        More to strike out, for example a key given on the command line.

    Examples
    --------
    >>> Redactor(["hunter2hunter2"])("Bearer hunter2hunter2 was refused")
    'Bearer [key] was refused'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        given = set(secrets)
        held = {value for name, value in os.environ.items() if holds_key(name)}
        # the longest first, so that one which contains another goes as a whole
        known = {secret for secret in given | held if len(secret) >= _SHORTEST}
        self._known = sorted(known, key=len, reverse=True)
        words = {s for s in held - given if s.isalpha() and len(s) < _LONGEST_WORD}
        self._sure = [secret for secret in self._known if secret not in words]

    def __call__(self, text: str) -> str:
        """Return the text of an error or a setting without keys."""
        return _SHAPES.sub(MASK, _QUERY.sub(rf"\1{MASK}", _struck(text, self._known)))

    def known(self, text: str) -> str:
        """Return a model's own words without the keys that are known, and otherwise unchanged."""
        return _struck(text, self._sure)


def holds_key(name: str) -> bool:
    """Whether a variable or a setting of this name holds a key.

    Examples
    --------
    >>> holds_key("OPENAI_API_KEY"), holds_key("api_key"), holds_key("device")
    (True, True, False)
    """
    return _NAMES.search(name) is not None


def keys_of_address(url: str) -> set[str]:
    """Return what of an address is secret: a password, and keys in its query.

    Examples
    --------
    >>> sorted(keys_of_address("https://ann:hunter2@host/v1?api-version=3&key=hunter3"))
    ['hunter2', 'hunter3']
    """
    return {*re.findall(r"://[^/\s:@]*:([^/\s@]+)@", url), *(key for _, key in _QUERY.findall(url))}


def _struck(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text
