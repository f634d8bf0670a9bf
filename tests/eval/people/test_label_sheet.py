"""The sheet: safe when written, and read as spreadsheets give it back."""

import csv
import io
import random
import re
from collections.abc import Callable, Sequence

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED
from unparrot.core.skills import Skill, SkillCombination, SkillPack, Topic
from unparrot.eval.people.label_sample import CANNOT_TELL, LEFT_BLANK, Item
from unparrot.eval.people.label_sheet import read_sheet, sheet

NAMES = ("irony", "=1+1", "pun")
PACK = SkillPack(
    "small",
    "1",
    tuple(Skill(name, "c", f"Meaning of {name}, in short.", "") for name in NAMES),
    (Topic("tea"),),
)
TEXTS = ('He said "tea";\nyes.', '=HYPERLINK("x","y")', "@SUM(A1)\r\n'=next")
ASKED = (("tea", ("irony", "=1+1")), ("café", ("pun",)), ("-ice", ("pun", "irony")))
ITEMS = [
    Item("-".join([letters] * 3), f"t{i}", "m", SkillCombination(topic, skills), text)
    for i, (letters, (topic, skills), text) in enumerate(
        zip(("bcdf", "ghjk", "lmnp"), ASKED, TEXTS, strict=True), 1
    )
]
BY_ID = {item.id: item for item in ITEMS}
Rows = list[list[str]]
Change = Callable[[Rows], object]


def rows_of(content: bytes) -> Rows:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def written(rows: Sequence[Sequence[str]], separator: str = ",", end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return out.getvalue()


def filled(*cells: Sequence[str]) -> Rows:
    """The sheet with these marks, row by row: of the skills, then topic and sense."""
    rows = rows_of(sheet(ITEMS, PACK))
    columns = [i for i, name in enumerate(rows[0]) if name.startswith("mark")]
    for row, marks in zip(rows[1:], cells, strict=False):
        for column, mark in zip(columns, marks, strict=True):
            row[column] = mark
    return rows


MARKED = (("1", "0", "1", "1"), ("0", "", "1", "0"), ("", "", "", ""))
EXPECTED = {
    "t1": {"irony": EARNED, "=1+1": MISSED, "topic": EARNED, "sense": EARNED},
    "t2": {"pun": MISSED, "topic": EARNED, "sense": MISSED},
}


def test_a_sheet_shows_what_is_needed_and_no_more() -> None:
    content = sheet(ITEMS, PACK)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = rows_of(content)
    assert rows[0] == [
        "id", "topic", "text", "skill 1", "meaning 1", "mark 1", "skill 2", "meaning 2", "mark 2",
        "mark topic", "mark sense",
    ]  # fmt: skip
    assert rows[1][3:6] == ["irony", "Meaning of irony, in short.", ""]
    assert rows[2][6:] == ["", "", "", "", ""]
    assert b"t1" not in content


def test_no_cell_can_be_taken_for_a_formula() -> None:
    cells = [cell for row in rows_of(sheet(ITEMS, PACK)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert {'\'=HYPERLINK("x","y")', "'=1+1", "'-ice", "'@SUM(A1)\r\n'=next"} <= set(cells)


@pytest.mark.parametrize(
    "text",
    [
        "tea;=1+1",
        "tea;\t =1+1",
        "tea\r\n\n=1+1",
        "tea\n-1;+2",
        "  @A1",
        "\ufeff=1",
        'tea;"=1"',
        "\uff1d1",
    ],
)
def test_no_formula_where_commas_do_not_separate_cells(text: str) -> None:
    item = ITEMS[0]._replace(text=text, combination=SkillCombination(text.strip(), ("irony",)))
    content = sheet([item], PACK)
    for separator in (",", ";", "\t"):
        seen = re.split(rf"[\r\n{separator}]", content.decode("utf-8-sig"))
        assert not [
            cell for cell in seen if cell.strip('\ufeff" \t').startswith(tuple("=+-@\uff1d"))
        ]
    rows = rows_of(content)
    rows[1][5] = "1"
    marks = read_sheet(written(rows).encode(), "sheet.csv", {item.id: item}).marks
    assert marks["t1"]["irony"] == EARNED


def test_a_sheet_that_is_filled_in_is_read() -> None:
    found = read_sheet(written(filled(*MARKED)).encode(), "s.csv", BY_ID)
    assert found.marks == EXPECTED
    assert found.blank == 1


def reordered(rows: Rows) -> None:
    order = list(range(len(rows[0])))
    random.Random(1).shuffle(order)
    for row in rows:
        row[:] = [row[i] for i in order] + [""]
    rows[0][-1] = "my notes"
    rows[1:] = reversed(rows[1:])


def renamed(rows: Rows) -> None:
    rows[0][:] = [name.upper().replace(" ", "_") + " " for name in rows[0]]


def without_what_is_not_needed(rows: Rows) -> None:
    keep = [i for i, name in enumerate(rows[0]) if name == "id" or name.startswith("mark")]
    for row in rows:
        row[:] = [row[i] for i in keep]


def unguarded(rows: Rows) -> None:
    for row in rows:
        row[:] = [cell.removeprefix("'") for cell in row]


def with_empty_rows(rows: Rows) -> None:
    rows.insert(2, [""] * len(rows[0]))
    rows.append([])
    rows.append([" "])


@pytest.mark.parametrize(
    "change",
    [reordered, renamed, without_what_is_not_needed, unguarded, with_empty_rows, list.copy],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_spreadsheets_do_is_put_up_with(
    change: Change, separator: str, end: str, encoding: str
) -> None:
    rows = filled(*MARKED)
    change(rows)
    text = written(rows, separator, end)
    if encoding == "utf-8-sig" and separator == ";":
        text = f"sep=;\r\n{text}"
    assert read_sheet(text.encode(encoding), "s.csv", BY_ID).marks == EXPECTED


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (("1", "1.0", "1,0", " 1 ", "yes", "Y", "TRUE", "'1", "1.", "WAHR", "Vrai"), EARNED),
        (("0", "0.0", "0,00", "no", "N", "False", "'0", "FALSCH", "faux"), MISSED),
        (("?",), CANNOT_TELL),
        (("", " ", "'"), LEFT_BLANK),
    ],
)
def test_marks_are_read_as_people_and_programs_write_them(
    cells: Sequence[str], mark: object
) -> None:
    for cell in cells:
        rows = filled(("1", cell, "1", "1"))
        found = read_sheet(written(rows).encode(), "s.csv", BY_ID)
        assert found.marks["t1"]["=1+1"] == mark


def changed(row: int, column: str, cell: str) -> Change:
    def change(rows: Rows) -> None:
        rows[row][rows[0].index(column)] = cell

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed(1, "mark 1", "2"), r"row 2: 'mark 1' is '2'"),
        (changed(3, "mark sense", "1 (out of 1)"), r"row 4: 'mark sense'"),
        (changed(2, "mark 2", "1"), "asked for only 1 skill"),
        (changed(2, "id", "zzzz"), "no text 'zzzz' in this run"),
        (changed(2, "id", ""), "no text ''"),
        (changed(2, "id", "BCDF-BCDF-BCDF"), r"was in row 2 before"),
        (changed(1, "topic", "ice"), "'tea', here it is 'ice'"),
        (changed(1, "text", 'He said "tea"; no.'), "change marks alone"),
        (changed(1, "mark 1", "n/a"), r"row 2: 'mark 1' is 'n/a'"),
        (changed(1, "skill 2", "pun"), "sort whole rows"),
        (changed(0, "mark 2", "my marks"), "needs the column 'mark 2'"),
        (changed(0, "mark sense", "sense?"), "no column 'mark sense'"),
        (changed(0, "id", "number"), "no column 'id'"),
        (changed(0, "text", "id"), "'id' twice"),
        (list[list[str]].clear, "is empty"),
    ],
)
def test_what_could_put_a_mark_on_the_wrong_text_is_refused(change: Change, said: str) -> None:
    rows = filled(("1", "0", "1", "1"), ("0", "", "1", "0"), ("1", "1", "1", "1"))
    change(rows)
    with pytest.raises(BadInput, match=said):
        read_sheet(written(rows).encode(), "s.csv", BY_ID)


def test_a_file_that_was_cut_off_is_refused() -> None:
    content = sheet(ITEMS, PACK)
    with pytest.raises(BadInput, match="line 2: not CSV"):
        read_sheet(content[: content.index(b"\nyes")], "s.csv", BY_ID)


@pytest.mark.parametrize(
    "text",
    [
        "쟁기는 밭의 연필이었다.",
        "المحراث قلم الحقل.",
        "המחרשה היא העט של השדה (3.5).",
        "犁是田的笔。",
    ],
)
def test_texts_of_any_script_come_back_as_they_were(text: str) -> None:
    combination = SkillCombination(text[:6].strip(), ("irony",))
    item = Item("bcdf-bcdf-bcdf", "t1", "m", combination, text)
    rows = rows_of(sheet([item], PACK))
    assert rows[1][1:3] == [combination.topic, text]
    for i, name in enumerate(rows[0]):
        rows[1][i] = "1" if name.startswith("mark") else rows[1][i]
    (marks,) = read_sheet(written(rows).encode(), "sheet.csv", {item.id: item}).marks.values()
    assert set(marks.values()) == {EARNED}
