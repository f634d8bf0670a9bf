"""Texts or tasks of a file, one item each: paragraphs, JSON lines, or rows of CSV."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from unparrot.core.errors import BadInput
from unparrot.core.inputs import opened, read_lines, read_rows, read_text, shown
from unparrot.core.wording import plural

LINES: Final = (".jsonl", ".ndjson")
# Characters of a text that a model is shown; what follows is left out.
LONGEST: Final = 4000


def read_texts(path: Path, column: str, n: int) -> tuple[str, ...]:
    """Return n of the different texts of a file, or all if it has fewer.

    Parameters
    ----------
    path
        ``.jsonl``, ``.ndjson`` or ``.csv``; any other is plain text, whose items are paragraphs
        between empty lines or, where there is no empty line, lines.
    column
        The field of JSON lines, and the column of CSV, that holds the text.
    n
        Of more texts, those are taken whose SHA-256 is least: more of them are the same and others.

    Raises
    ------
    BadInput
        If the file cannot be read, a line has no text, or there are not two texts.
    """
    suffix = path.suffix.lower()
    if suffix in LINES:
        with opened(path) as file:
            texts = [
                text for _, text in read_lines(file, str(path), (), lambda o: _text(o, column))
            ]
    elif suffix == ".csv":
        texts = [row[column] for _, row in read_rows(path, (column,))]
    else:
        content = read_text(path).strip()
        parts = re.split(r"\n[^\S\n]*\n", content)
        texts = parts if len(parts) > 1 else content.split("\n")
    different = dict.fromkeys(text.strip()[:LONGEST].strip() for text in texts)
    different.pop("", None)
    if len(different) < 2:
        raise BadInput(
            f"{path} has {plural(len(different), 'text')}, of which no skills can be told that "
            "several texts need; give a set of them: paragraphs, lines of JSON, or rows of CSV"
        )
    return tuple(sorted(different, key=lambda t: hashlib.sha256(t.encode()).digest())[:n])


def _text(fields: dict[str, object], column: str) -> str:
    text = fields.get(column)
    if not isinstance(text, str):
        names = ", ".join(map(shown, fields)) or "none"
        raise BadInput(f"no text in the field {column!r}; its fields are {names}: give --column")
    return text
