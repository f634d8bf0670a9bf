"""Input files that a user names, as text, rows of CSV or lines of strict JSON (no key twice, bad
values quoted in few letters): what can be read is read, of the rest it is said what is wrong.
"""

import codecs
import csv
import io
import json
import math
import re
import stat
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar, cast

from unparrot.core.errors import BadInput, refusal
from unparrot.core.wording import plural

_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_MARKED: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PACKED: Final = (
    (b"PK\x03\x04", "a ZIP archive, as sheets of Excel are"),
    (b"\x1f\x8b", "compressed by gzip"),
)
T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SEPARATORS: Final = (",", ";", "\t")
csv.field_size_limit(1 << 30)  # a reply may have megabytes, where Python allows 128 kB


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """Open an input file to read its bytes.

    Raises
    ------
    BadInput
        If there is no such file, it may not be read, or it is something else: reading from a pipe
        or a device could block without end.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind != stat.S_IFREG:
            raise BadInput(f"{path} is {_KINDS.get(kind, 'no file')}: give a file that can be read")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise BadInput(f"there is no file {path}") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {refusal(error)}") from error


def read_text(path: Path) -> str:
    """Return the text of an input file: UTF-8, or what its byte order mark says.

    Raises
    ------
    BadInput
        As `opened`; or if it is other text or none; the message names the line and the byte.
    """
    with opened(path) as file:
        return text_of(file.read(), str(path))


def text_of(content: bytes, name: str) -> str:
    """Return the text of the bytes of a file, as `read_text`; ``name`` is for messages."""
    if packed := next((kind for sign, kind in _PACKED if content.startswith(sign)), ""):
        raise BadInput(f"{name} is {packed}; give what is in it, a sheet saved as CSV")
    encoding = next((code for mark, code in _MARKED if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start : error.start + 1]
        raise BadInput(
            f"{name}, line {line}: not {encoding.upper()} text (the byte {byte.hex()} is "
            f"{byte.decode('cp1252', 'replace')!r} in old Western files); save it as UTF-8"
        ) from error
    if "\0" in text:
        raise BadInput(f"{name} holds zero bytes and is no text; save it as text in UTF-8")
    return text


def csv_rows(text: str, name: str) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Return what separates the cells of a CSV text, and its rows with the line each begins on.

    Cells are separated by commas, semicolons or tabs, as a first line ``sep=;`` says or as occurs
    most in the header.

    Raises
    ------
    BadInput
        While rows are read, at the first that is not CSV.
    """
    declared = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    body = text[declared.end() :] if declared else text
    header = re.split(r"[\r\n]", body.lstrip("\r\n"), maxsplit=1)[0]
    separator = declared[1] if declared else max(_SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)

    def rows() -> Iterator[tuple[int, list[str]]]:
        line = first = 1 + bool(declared)
        try:
            for row in reader:
                yield line, row
                line = reader.line_num + first
        except csv.Error as error:
            raise BadInput(
                f"{name}, line {line}: not CSV ({error}); save the sheet as CSV again"
            ) from error

    return separator, rows()


def read_rows(
    path: Path, columns: Sequence[str], optional: Sequence[str] = (), numbers: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of a CSV file whose first line names its columns.

    Parameters
    ----------
    path
        The file, as `read_text` and `csv_rows` read it. Empty lines are
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
    for name in (*columns, *optional):
        times = header.count(name)
        if times > 1:
            raise BadInput(f"{path}: the header names {name} {times} times; keep one such column")
        if not times and name in columns:
            more = f" (and may name {', '.join(optional)})" if optional else ""
            raise BadInput(
                f"{path} has no column {name!r} but {', '.join(header) or 'nothing'}; its first "
                f"line must name the columns {','.join(columns)}{more}"
            )
    signs = ""
    for line, cells in rows:
        if len(cells) != len(header):
            raise BadInput(
                f"{path}, line {line}: {plural(len(cells), 'cell')} where the header has "
                f"{len(header)}; write one {separator!r} between two cells, and none inside a "
                "number"
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
