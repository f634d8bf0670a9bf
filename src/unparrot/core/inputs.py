"""Input files that a user names: what can be read is read, of the rest it is said what is wrong."""

from __future__ import annotations

import codecs
import csv
import io
import re
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from unparrot.core.errors import BadInput, refusal

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
_SEPARATORS: Final = (",", ";", "\t")


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
    """Return what separates the cells of a CSV text, and its rows with the line each ends on.

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
        try:
            for row in reader:
                yield reader.line_num + bool(declared), row
        except csv.Error as error:
            line = reader.line_num + bool(declared)
            raise BadInput(
                f"{name}, line {line}: not CSV ({error}); save the sheet as CSV again"
            ) from error

    return separator, rows()
