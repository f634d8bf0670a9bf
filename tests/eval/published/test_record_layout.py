"""Files of the published layout: what is read, and what is refused with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unparrot.core.errors import BadInput
from unparrot.eval.published.record_layout import read_records

ROWS = [("tea", ("irony", "red herring, of sorts"), "Lovely."), ("hats", ("irony", "zeugma"), "")]


def refused(root: Path) -> str:
    with pytest.raises(BadInput) as error:
        read_records(root)
    return str(error.value)


def test_names_with_commas(published: Any) -> None:
    published.answers("stu", ROWS)
    published.grades("stu", [(*ROWS[0], "no", "")])
    (student,) = read_records(published.root)
    (grades,) = student.grades
    assert [a.combination.skills for a in student.answers] == [ROWS[0][1], ROWS[1][1]]
    assert student.setting == (2, 10, "p", 1)
    assert (grades.grader, grades.column, grades.round, grades.prompt) == (
        "gpt-4",
        "text_1",
        1,
        "gpt",
    )
    assert grades.gradings[0].key == student.answers[0].key
    assert grades.gradings[0].k == 3  # the published code splits the name


def test_names_joined_without_a_line_break(published: Any) -> None:
    path = published.answers("stu", ROWS[:1])
    path.write_text(path.read_text().replace(", \n", ", "))
    assert "line 2: 'irony, red herring, of sorts' cannot be parted into 2 skills" in refused(
        published.root
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.rsplit(",", 1)[0], "line 6: 11 fields under 12 columns, so the file"),
        (lambda text: text[:-2] + ',"', "line 6: not CSV (unexpected end of data)"),
        (lambda text: text.replace("text_0", "verdict", 1), "here: verdict, missing: text_0;"),
        (lambda text: text.replace("topic", "k", 1), "here: k, missing: topic;"),
        (lambda text: text.replace("text_1", "text_5", 1), "here: text_5, missing: text_1;"),
        (lambda text: text.replace("\n2,", "\n3,", 1), "line 2: k is '3', in a folder of k = 2"),
        (lambda text: text.replace("zeugma", "irony"), "line 6: a combination lists each skill"),
        (lambda text: "", "line 1: the published code writes"),
    ],
)
def test_files_refused(published: Any, change: Callable[[str], str], told: str) -> None:
    path = published.answers("stu", ROWS)
    path.write_text(change(path.read_text().replace("\r\n", "\n")))
    message = refused(published.root)
    assert message.startswith("k2_s10_vp_r1/stu/records.csv, ")
    assert told in message


def test_grades_refused(published: Any) -> None:
    published.answers("stu", ROWS)
    path = published.grades("stu", [(*ROWS[0], "no", "")])
    text = path.read_text()
    for change, told in (
        (text.replace("points_0", "points", 1), "here: points, missing: points_0;"),
        (text.replace(",False", "", 1), "line 2: 12 fields under 13 columns"),
        (text.replace(",1.0,False", ",often,False"), "line 2: true_sentence_lim_pt_0 is 'often'"),
        (text.replace(",,1,1.0", ",one,1,1.0"), "line 2: points_0 is 'one', not numbers"),
    ):
        path.write_text(change)
        assert told in refused(published.root)
    path.write_bytes(text.encode() + b"\xff")
    assert "not UTF-8" in refused(published.root)
    path.write_text(text)
    path.parent.rename(path.parent.with_name("gpt-4"))
    assert "should be named by_GRADER_on_COLUMN_ROUND_PROMPT" in refused(published.root)


def test_folders_refused(published: Any) -> None:
    assert "there is no file" in refused(published.root)
    (published.root / "notes").mkdir(parents=True)
    assert "holds no published records" in refused(published.root)
    published.answers("stu", ROWS)
    published.grades("stu", [(*ROWS[0], "no", "")])
    (published.folder("stu") / "records.csv").unlink()
    assert "records.csv is missing, and there are grades of it" in refused(published.root)


def test_a_file_without_rows(published: Any) -> None:
    path = published.answers("stu", ROWS)
    path.write_text(path.read_text().splitlines()[0] + "\n")
    (student,) = read_records(published.root)
    assert student.answers == ()
