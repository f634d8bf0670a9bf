"""Keeps keys out of everything that is written: whatever a provider echoes is struck out first."""

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
_SHORTEST: Final = 8
"""Shorter values are no keys, and striking them out would hit ordinary words."""


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
        known = {value for name, value in os.environ.items() if _NAMES.search(name)}
        known.update(secrets)
        # the longest first, so that one which contains another goes as a whole
        self._known = sorted((s for s in known if len(s) >= _SHORTEST), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text of an error or a setting without keys."""
        return _SHAPES.sub(MASK, self.known(text))

    def known(self, text: str) -> str:
        """Return a model's own words without the keys that are known, and otherwise unchanged."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, MASK)
        return text
