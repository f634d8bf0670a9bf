"""The sheet that a person fills in with any spreadsheet: CSV, written safely, read forgivingly.

    id, topic, text, skill 1, meaning 1, mark 1, ..., mark topic, mark sense

A mark is 1, 0 or nothing. What spreadsheets do to a file is put up with: other separators, byte
order marks, quotes, other line ends, moved and added columns, ``1.0`` and ``TRUE``. What could put
a mark on the wrong text is refused, with the row.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.grades import Mark, read_mark
from unparrot.core.inputs import csv_rows, text_of
from unparrot.core.skills import SkillPack
from unparrot.core.wording import plural
from unparrot.eval.people.label_sample import ASKED, CANNOT_TELL, LEFT_BLANK, Item

_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# What makes a spreadsheet take a cell for a formula when it stands at its beginning.
_FORMULA: Final = re.compile(rf"[{_SIGNS}\t\r\n]")
_GUARD: Final = "'"
_BLANK: Final = r"[\s\0\ufeff\u200b\"]"
# Where a formula may begin after all: past blanks or quotes, or where a spreadsheet that separates
# cells by semicolons or tabs has a new cell or row begin: it does not mind quotes around commas.
_INNER: Final = re.compile(rf"(^{_BLANK}+|[;\t\r\n]{_BLANK}*)(?=[{_SIGNS}])")
_INNER_GUARDED: Final = re.compile(rf"(^{_BLANK}+|[;\t\r\n]{_BLANK}*){_GUARD}(?=[{_SIGNS}])")


class Filled(NamedTuple):
    """A sheet that was read: marks by id of the text in the run and by criterion; and how many
    rows have no mark at all."""

    marks: dict[str, dict[str, Mark]]
    blank: int


def sheet(items: Sequence[Item], pack: SkillPack) -> bytes:
    """Return a sheet to be filled in: UTF-8 with a byte order mark, as spreadsheets want it."""
    most = max((item.combination.k for item in items), default=1)
    others = _other_criteria(items)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(_columns(most, others))
    for item in items:
        cells = [item.id, item.combination.topic, item.text]
        for name in item.combination.skills:
            cells += [name, pack.skill(name).definition, ""]
        cells += [""] * (3 * (most - item.combination.k) + len(others))
        writer.writerow(map(_guarded, cells))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _other_criteria(items: Iterable[Item]) -> list[str]:
    """What is asked about texts besides skills."""
    return [name for name in ASKED if any(name in item.criteria for item in items)]


def _columns(most: int, others: Sequence[str]) -> list[str]:
    skills = [f"{what} {i}" for i in range(1, most + 1) for what in ("skill", "meaning", "mark")]
    return ["id", "topic", "text", *skills, *(f"mark {name}" for name in others)]


def _guarded(cell: str) -> str:
    cell = _INNER.sub(rf"\1{_GUARD}", cell)
    return _GUARD + cell if _FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    """The cell as it was, without white space at its ends."""
    if cell.startswith(_GUARD) and _FORMULA.match(cell, 1):
        cell = cell[1:]
    return _INNER_GUARDED.sub(r"\1", cell).strip()


def read_sheet(content: bytes, name: str, items: Mapping[str, Item]) -> Filled:
    """Read a sheet that was filled in.

    Parameters
    ----------
    content
        Of the file.
    name
        Of the file, for messages.
    items
        All texts of the run, by the ids of the sheet.

    Raises
    ------
    BadInput
        If a column is missing, an id is unknown or comes twice, a mark is another, or a row's topic
        or skills are not those of its id; the message has the row, as a spreadsheet counts it.
    """
    text, exact = _decoded(content, name)
    header, *rows = [cells for _, cells in csv_rows(text, name)[1]] or [[]]
    columns = _header(header, name, _other_criteria(items.values()))
    given: dict[str, dict[str, Mark]] = {}
    blank = 0
    seen: dict[str, int] = {}
    for number, cells in enumerate(rows, 2):
        cells += [""] * len(header)
        row = {column: _unguarded(cells[i]) for column, i in columns.items()}
        if not any(row.values()):
            continue
        where = f"{name}, row {number}"
        item = items.get(row["id"].lower())
        if item is None:
            raise BadInput(
                f"{where}: there is no text {row['id']!r} in this run; leave the column id as it "
                "was written"
            )
        if (before := seen.setdefault(item.id, number)) != number:
            raise BadInput(f"{where}: the text {item.id} was in row {before} before; keep one")
        if exact:
            _check_belongs(row, item, where)
        marks = _marks(row, item, where)
        if all(mark == LEFT_BLANK for mark in marks.values()):
            blank += 1
        else:
            given[item.text_id] = marks
    return Filled(given, blank)


def _decoded(content: bytes, name: str) -> tuple[str, bool]:
    """The text of a file, and whether all of its signs can be relied on."""
    try:
        return text_of(content, name), True
    except BadInput:
        return content.decode("cp1252", "replace"), False  # ids and marks are ASCII


def _header(cells: Sequence[str], name: str, others: Sequence[str]) -> dict[str, int]:
    """Where the columns stand."""
    columns: dict[str, int] = {}
    for i, cell in enumerate(cells):
        column = re.sub(r"[\s_]+", " ", cell.strip()).lower()
        if not re.fullmatch(r"id|topic|text|(?:skill|mark) \d{1,2}|mark (?:topic|sense)", column):
            continue
        if column in columns:
            raise BadInput(f"{name} has the column {column!r} twice; keep one")
        columns[column] = i
    for column in ("id", "mark 1", *(f"mark {each}" for each in others)):
        if column not in columns:
            lack = f"has no column {column!r}" if any(cells) else "is empty"
            raise BadInput(f"{name} {lack}; give the sheet that --export wrote, filled in")
    return columns


def _check_belongs(row: Mapping[str, str], item: Item, where: str) -> None:
    """Refuse a row whose cells have come apart, by sorting some columns without the others."""
    for column, expected in (
        ("topic", item.combination.topic),
        ("text", item.text),
        *((f"skill {i}", name) for i, name in enumerate(item.combination.skills, 1)),
    ):
        given = row.get(column, "")
        if given and given.split() != _unguarded(expected).split():
            raise BadInput(
                f"{where}: the {column} of the text {item.id} is {expected[:80]!r}, here it is "
                f"{given[:80]!r}: it was changed, or moved without the others; change marks alone, "
                "and sort whole rows"
            )


def _marks(row: Mapping[str, str], item: Item, where: str) -> dict[str, Mark]:
    columns = {f"mark {i}": name for i, name in enumerate(item.combination.skills, 1)}
    columns |= {f"mark {name}": name for name in ASKED if name in item.criteria}
    for column, cell in row.items():
        if column.startswith("mark ") and column not in columns and cell:
            raise BadInput(
                f"{where}: {column!r} is {cell!r}, but this text was asked for only "
                f"{plural(item.combination.k, 'skill')}"
            )
    if lacking := columns.keys() - row.keys():
        raise BadInput(f"{where}: the text needs the column {min(lacking)!r}, and there is none")
    return {criterion: _mark(row[column], column, where) for column, criterion in columns.items()}


def _mark(cell: str, column: str, where: str) -> Mark:
    cell = cell.removeprefix(_GUARD).strip()
    if cell in ("", "?"):
        return CANNOT_TELL if cell else LEFT_BLANK
    with suppress(BadInput):
        if (mark := read_mark(cell, where)).status != "unscored":
            return mark
    raise BadInput(
        f"{where}: {column!r} is {cell[:40]!r}; a mark is 1, 0, or nothing (? if you cannot tell)"
    )
