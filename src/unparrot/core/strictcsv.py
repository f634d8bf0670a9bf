"""Strict CSV: rows by the names of their columns, each with its line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from unparrot.core.errors import BadInput
from unparrot.core.inputs import csv_rows, read_text


def read_rows(
    path: Path, columns: Sequence[str], optional: Sequence[str] = (), numbers: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of a CSV file whose first line names its columns.

    Parameters
    ----------
    path
        The file, as `unparrot.core.inputs.read_text` and `csv_rows` read it. Empty lines are
        skipped.
    columns
        Names that must be there; others may stand beside them.
    optional
        Names that are read where the file has them.
    numbers
        Columns of numbers: where commas do not separate the cells, they may be decimal commas.

    Yields
    ------
    tuple of int and dict
        The number of the line, from 1, and the cells of these columns, without white space at
        their ends; numbers with a decimal point.

    Raises
    ------
    BadInput
        If the file cannot be read or is not CSV, a column is missing or named twice, a row has
        another number of cells than the header, or the file has decimal commas and points; the
        message names the line.
    """
    separator, lines = csv_rows(read_text(path), str(path))
    rows = ((line, cells) for line, row in lines if any(cells := [cell.strip() for cell in row]))
    _, header = next(rows, (0, list[str]()))
    _require_columns(path, header, columns, optional)
    signs = ""
    for line, cells in rows:
        if len(cells) != len(header):
            raise BadInput(
                f"{path}, line {line}: {len(cells)} cells where the header has {len(header)}; "
                f"write one {separator!r} between two cells, and none inside a number"
            )
        named = dict(zip(header, cells, strict=True))
        kept = {name: named[name] for name in (*columns, *optional) if name in named}
        for name in kept.keys() & {*numbers} if separator != "," else ():
            signs += "".join(sign for sign in ",." if sign in kept[name] and sign not in signs)
            if len(signs) > 1:
                raise BadInput(
                    f"{path}, line {line}: {name} is {kept[name]!r}, and numbers above have a "
                    f"decimal {'comma' if signs[0] == ',' else 'point'}; write all alike, and no "
                    "signs between thousands"
                )
            kept[name] = re.sub(r"^([^,]*),([^,]*)$", r"\1.\2", kept[name])
        yield line, kept


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
