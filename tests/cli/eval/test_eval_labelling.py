"""`unparrot eval label`: sheets out and in, the terminal form, and what becomes of the marks."""

import csv
import io
import re
import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from click.testing import CliRunner, Result

from unparrot.cli.eval import eval_group
from unparrot.cli.run_commands import graders
from unparrot.core.errors import BadInput, CannotWrite
from unparrot.core.records import RunFolder
from unparrot.core.wording import printable
from unparrot.eval.people.label_sample import open_labelling
from unparrot.eval.record.journal import open_journal
from unparrot.eval.record.labels import read_labels
from unparrot.eval.record.prepare import Prepared

Label = Callable[..., Result]


@pytest.fixture
def run(journal_runs: ModuleType, tmp_path: Path) -> Prepared:
    return journal_runs.fabricate(tmp_path / "run")


@pytest.fixture
def label(run: Prepared) -> Label:
    """`unparrot eval label RUN ...`; errors of ours are raised."""

    def go(*arguments: object, typed: str = "") -> Result:
        result = CliRunner().invoke(
            eval_group, ["label", str(run.folder), *map(str, arguments)], input=typed
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return go


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def fill(path: Path, mark: str = "1") -> None:
    """Give every mark of a sheet."""
    rows = rows_of(path)
    head = rows[0]
    for row in rows[1:]:
        for i, name in enumerate(head):
            number = name.removeprefix("mark ")
            asked = not number.isdigit() or row[head.index(f"skill {number}")]
            if name.startswith("mark ") and asked:
                row[i] = mark
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)


def test_a_sheet_goes_out_blind_and_comes_back(run: Prepared, label: Label, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    said = label("--export", path, "-n", "9").output
    assert f"9 texts in {path}" in said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600  # the folder of the run is private
    content = path.read_text("utf-8-sig")
    texts = RunFolder(run.folder).read_table("texts")
    for hidden in (*run.whole.models, *run.whole.graders, *texts["text_id"], "earned", "missed"):
        assert hidden not in content
    fill(path)
    said = label("--read", path, "--by", "ada").output
    assert "9 texts read" in said
    assert "unparrot graders" in said
    grades = pl.read_parquet(run.folder / "grades.parquet").filter(pl.col("family") == "person")
    assert set(grades["grader"]) == {"person:ada"}
    assert grades["text_id"].n_unique() == 9
    said = CliRunner().invoke(
        graders, [str(run.folder), "--truth", "person:ada", "--resamples", "100"]
    )
    assert said.exit_code == 0, said.output
    assert "Beside person:ada" in said.output


def test_a_sheet_is_not_written_over(label: Label, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text("marks of a whole day")
    with pytest.raises(BadInput, match="exists and may hold marks"):
        label("--export", path)
    assert path.read_text() == "marks of a whole day"


def test_an_error_in_a_sheet_changes_nothing(run: Prepared, label: Label, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    label("--export", good, "-n", "3")
    label("--export", bad, "-n", "6")
    fill(good)
    label("--read", good, "--by", "ada")
    kept = read_labels(run.folder)
    fill(bad, "7")
    with pytest.raises(BadInput, match=r"row 2: 'mark 1' is '7'"):
        label("--read", bad, "--by", "ada")
    assert read_labels(run.folder).equals(kept)
    with pytest.raises(BadInput, match="there is no file"):
        label("--read", tmp_path / "none.csv", "--by", "ada")


def test_a_sheet_may_be_read_while_it_is_filled_in(
    run: Prepared, label: Label, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.csv"
    label("--export", path, "-n", "5")
    with pytest.raises(BadInput, match="no marks yet"):
        label("--read", path, "--by", "ada")
    rows = rows_of(path)
    rows[1][rows[0].index("mark 1")] = "1"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    said = label("--read", path, "--by", "ada").output
    assert "1 text read" in said
    assert "Rows without a mark yet: 4" in said
    fill(path, "0")
    label("--read", path, "--by", "ada")
    table = read_labels(run.folder)
    assert table["text_id"].n_unique() == 5
    assert set(table["status"]) == {"missed"}  # the first row's marks were replaced


def test_a_second_sheet_leaves_out_what_the_person_has_done(label: Label, tmp_path: Path) -> None:
    label("--export", tmp_path / "one.csv", "-n", "4")
    (tmp_path / "filled.csv").write_bytes((tmp_path / "one.csv").read_bytes())
    fill(tmp_path / "filled.csv")
    label("--read", tmp_path / "filled.csv", "--by", "ada")
    label("--export", tmp_path / "two.csv", "-n", "10", "--by", "ada")
    label("--export", tmp_path / "bo.csv", "-n", "10", "--by", "bo")
    one, two, bo = (
        {row[0] for row in rows_of(tmp_path / f"{name}.csv")[1:]} for name in ("one", "two", "bo")
    )
    assert (len(one), len(two), len(bo)) == (4, 6, 10)
    assert one | two == bo
    with pytest.raises(BadInput, match="has marked all the texts"):
        label("--export", tmp_path / "three.csv", "-n", "4", "--by", "ada")


def test_the_form_asks_one_by_one_and_keeps_each_text(run: Prepared, label: Label) -> None:
    first, second, *_ = open_labelling(run.folder).sample(3, 1)
    answers = ["y", "?", "n"] + ["y"] * len(first.criteria)
    typed = "\n".join([*answers[: len(first.criteria)], "what", "y", "q"]) + "\n"
    said = label("--by", "ada", "-n", "3", typed=typed).output
    assert "1 text marked, 2 of the sample left" in said
    assert first.text in " ".join(said.split())
    assert f"Topic: {first.combination.topic}" in said
    for name in first.combination.skills:
        assert run.pack.skill(name).definition[:40] in said
    assert not [name for name in (*run.whole.models, *run.whole.graders) if name in said]
    table = read_labels(run.folder)
    assert dict(table.select("criterion", "status").iter_rows()) == dict(
        zip(
            first.criteria,
            ["earned", "unscored", "missed", *["earned"] * (len(first.criteria) - 3)],
            strict=True,
        )
    )
    said = label("--by", "ada", "-n", "3", typed="q\n").output  # goes on with the second
    assert second.text in " ".join(said.split())
    assert "0 texts marked, 2 of the sample left" in said


def test_the_form_goes_back_and_skips(run: Prepared, label: Label) -> None:
    first, second, third = open_labelling(run.folder).sample(3, 1)
    typed = ["b"]  # nothing is before the first text
    typed += ["y"] * len(first.criteria)
    typed += ["y", "b", "b", "b", "n", "n"]  # back within the second, and into the first
    typed += ["s"]  # the second is left out
    typed += ["n"] * len(third.criteria)
    said = label("--by", "ada", "-n", "3", typed="\n".join(typed) + "\n").output
    assert "2 texts marked, 1 of the sample left" in said
    table = read_labels(run.folder)
    marks = {
        key: dict(rows.select("criterion", "status").iter_rows())
        for (key,), rows in table.partition_by("text_id", as_dict=True).items()
    }
    assert set(marks) == {first.text_id, third.text_id}
    *kept, before_last, last = first.criteria
    assert {marks[first.text_id][name] for name in kept} == {"earned"}
    assert (marks[first.text_id][before_last], marks[first.text_id][last]) == ("missed", "missed")
    assert second.text_id not in marks


@pytest.mark.parametrize("end", ["", "y\n"])
def test_the_end_of_what_is_typed_loses_no_text(run: Prepared, label: Label, end: str) -> None:
    first, *_ = open_labelling(run.folder).sample(2, 1)
    said = label("--by", "ada", "-n", "2", typed="y\n" * len(first.criteria) + end)
    assert said.exit_code == 0
    assert set(read_labels(run.folder)["text_id"]) == {first.text_id}
    people = pl.read_parquet(run.folder / "grades.parquet").filter(pl.col("family") == "person")
    assert set(people["text_id"]) == {first.text_id}


def test_when_all_is_marked_the_form_says_so(run: Prepared, label: Label) -> None:
    (item,) = open_labelling(run.folder).sample(1, 1)
    label("--by", "ada", "-n", "1", typed="y\n" * len(item.criteria))
    assert "has marked all the texts" in label("--by", "ada", "-n", "1").output


def test_a_run_that_goes_on_gets_the_labels_later(run: Prepared, label: Label) -> None:
    (item,) = open_labelling(run.folder).sample(1, 1)
    journal = open_journal(run.folder)
    try:
        said = label("--by", "ada", "-n", "1", typed="y\n" * len(item.criteria)).output
    finally:
        journal.close()
    assert "not yet in grades.parquet" in said
    assert len(read_labels(run.folder)) == len(item.criteria)
    said = label("--by", "ada", "-n", "1").output  # nothing is left to mark, but to put there
    assert "--truth person:ada" in said
    grades = pl.read_parquet(run.folder / "grades.parquet")
    assert grades.filter(pl.col("family") == "person").height == len(item.criteria) + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say who marks"),
        (("--read", "x.csv"), "say who marks"),
        (("--read", "x.csv", "--export", "y.csv", "--by", "a"), "two steps"),
        (("--by", "a", "-n", "0"), "at least 1"),
    ],
)
def test_bad_usage_is_explained(label: Label, arguments: tuple[str, ...], said: str) -> None:
    result = label(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_run_in_which_nothing_can_be_kept_is_to_be_copied(
    run: Prepared, label: Label, tmp_path: Path
) -> None:
    lock, path = run.folder / "journal.lock", tmp_path / "sheet.csv"
    lock.unlink(missing_ok=True)
    lock.mkdir()  # no user can write there, not even root
    with pytest.raises(CannotWrite, match="label a copy of it"):
        label("--export", path)
    lock.rmdir()
    label("--export", path)
    lock.unlink()
    lock.mkdir()
    (run.folder / "labels.lock").mkdir()
    label("--export", tmp_path / "second.csv")
    fill(path)
    for arguments in (("--by", "ada"), ("--read", path, "--by", "ada")):
        with pytest.raises(CannotWrite, match="label a copy of it") as error:
            label(*arguments, typed="y\n" * 99)
        assert "labels.lock" in str(error.value)


def test_a_private_pack_is_shown_to_who_labels_and_warned_of(
    journal_runs: ModuleType, tmp_path: Path
) -> None:
    pack = tmp_path / "secret.yaml"
    pack.write_text(journal_runs.PRIVATE_PACK)
    run = journal_runs.fabricate(tmp_path / "run", pack=str(pack), n=3)
    run.folder.chmod(0o755)
    path = tmp_path / "sheet.csv"
    result = CliRunner().invoke(eval_group, ["label", str(run.folder), "--export", str(path)])
    assert "do not pass it on" in result.output
    assert "hidden art" in path.read_text("utf-8-sig")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_text_cannot_steer_the_terminal() -> None:
    shown = printable("a\x1b]0;title\x07b\x9b31m\u202ec\r\nd\te \u200d")
    assert "\x1b" not in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert shown.splitlines()[1] == "d    e \u200d"
