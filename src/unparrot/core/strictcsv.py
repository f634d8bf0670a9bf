"""Strict CSV: rows by the names of their columns, each with its line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from unparrot.core.errors import BadInput


def read_rows(
    path: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of a CSV file in UTF-8 whose first line names its columns.

    Parameters
    ----------
    path
        The file; with or without a byte order mark. Empty lines are skipped.
    columns
        Names that must be there; others may stand beside them.
    optional
        Names that are read where the file has them.

    Yields
    ------
    tuple of int and dict
        The number of the line, from 1, and the cells of these columns, without white space at
        their ends.

    Raises
    ------
    BadInput
        If there is no such file, it is not UTF-8 or not CSV, a column is missing or named twice, or
        a row has another number of cells than the header; the message names the line.
    """
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows = (cells for row in reader if any(cells := [cell.strip() for cell in row]))
    try:
        header = next(rows, list[str]())
        _require_columns(path, header, columns, optional)
        for cells in rows:
            if len(cells) != len(header):
                raise BadInput(
                    f"{path}, line {reader.line_num}: {len(cells)} cells where the header has "
                    f"{len(header)}; write one comma between two cells, and none inside a number"
                )
            named = dict(zip(header, cells, strict=True))
            kept = {name: named[name] for name in (*columns, *optional) if name in named}
            yield reader.line_num, kept
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: not CSV ({error})") from error


def number(text: str) -> float:
    """Return the number in a cell; NaN, which no range holds, where there is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _require_columns(
    path: Path, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]
) -> None:
    more = f" (and may name {', '.join(optional)})" if optional else ""
    for name in columns:
        if name not in header:
            raise BadInput(
                f"{path} has no column {name!r} but {', '.join(header) or 'nothing'}; its first "
                f"line must name the columns {','.join(columns)}{more}"
            )
    for name in (*columns, *optional):
        if header.count(name) > 1:
            raise BadInput(
                f"{path}: the header names {name} {header.count(name)} times; keep one such column"
            )
