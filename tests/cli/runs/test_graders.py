"""`unparrot graders` on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from unparrot.analysis.read.grader_marks import exact_grades, plant
from unparrot.cli.run_commands import graders
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination


@pytest.fixture
def run(
    tmp_path: Path,
    asked: Callable[[int, int], list[SkillCombination]],
    written: Callable[..., list[GradedText]],
    run_of: Callable[..., Path],
) -> Path:
    texts = []
    for k in (1, 2):
        texts += written("64k", asked(k, 100), [i % 2 > 0 for i in range(100)])
    return run_of(tmp_path / "run", texts)


def output(*arguments: str) -> str:
    return CliRunner().invoke(graders, arguments, catch_exceptions=False).stdout


FAST = ("--resamples", "100")


def test_a_planted_grader_is_measured(run: Path) -> None:
    plan = ("--plant", "0.05", "0.2", "--labels", "120", *FAST)
    result = json.loads(output(str(run), *plan, "--json"))
    assert (result["truth"], result["graders"]) == ("exact", ["exact", "planted"])
    (every,) = [row for row in result["errors"] if row["scope"] == "all"]
    assert every["sensitivity"]["low"] < 0.8 < every["sensitivity"]["high"]
    whole = next(row for row in result["corrected"] if row["k"] is None)
    assert whole["graded"] < 0.4
    assert whole["corrected"]["low"] < 0.5 < whole["corrected"]["high"]
    text = output(str(run), *plan)
    assert "Full marks as planted says, and put right by exact" in text
    assert "AC1" in text
    assert "metaphor" not in text
    assert "metaphor" in output(str(run), *plan, "--skills")


def test_the_table_of_a_run_is_read(run: Path) -> None:
    grades = plant(exact_grades(run), 0.1, 0.1, rounds=2).with_columns(
        pl.when(pl.col("grader") == "exact")
        .then(pl.lit("people"))
        .otherwise(pl.lit("gpt"))
        .alias("grader")
    )
    RunFolder(run).write_table("grades", grades)
    text = output(str(run), *FAST)
    assert "Agreement of people, gpt" in text
    assert "Agreement of gpt round 1, gpt round 2" in text
    assert "put right" not in text
    assert "put right by people" in output(str(run), "--truth", "people", *FAST)


def test_bad_requests_are_refused(run: Path, tmp_path: Path) -> None:
    assert "unparrot graders runs/gpt" in output("--help")
    for arguments in (
        [str(run), "--labels", "5"],
        [str(run), "--plant", "0.1", "0.1", "--truth", "people"],
        [str(run), "--plant", "0.1", "2"],
        [str(tmp_path / "none")],
    ):
        assert CliRunner().invoke(graders, arguments).exit_code == 2
    with pytest.raises(BadInput, match="--plant"):
        output(str(run))
    RunFolder(run).write_table("grades", plant(exact_grades(run), 0.1, 0.1))
    with pytest.raises(BadInput, match="no grader 'me'"):
        output(str(run), "--truth", "me")


def test_the_raters_of_a_table_are_measured(tmp_path: Path) -> None:
    lines = [
        f"{i},{rater},{i % 2 if rater == 'good-1' else 1},{'word ' * (i + 1)},"
        f"{'good-0' if i < 20 else 'x'},{i % 2 if i < 30 else ''}"
        for i in range(40)
        for rater in ("good-1", "lax")
    ]
    path = tmp_path / "table"
    path.write_text("\n".join(["item,rater,mark,text,author,human", *lines]) + "\n")
    report = json.loads(output(str(path), *FAST, "--json"))
    assert report["truth"] == "human"
    text = output(str(path), *FAST)
    for title in (
        "Agreement of good-1, lax",
        "Points in 100 that a family's graders give",
        "Points in 100 that a grader gives long texts",
        "Beside human",
        "Full marks as lax says, and put right by human",
    ):
        assert title in text
    refused = CliRunner().invoke(graders, [str(path), "--plant", "0.1", "0.1"])
    assert (refused.exit_code, "are for runs of the lab" in refused.output) == (2, True)


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    marks = [f"t{i},{rater},\x1b[2J,1" for i in range(3) for rater in ("ann", "\x1b[31mEVIL\u202e")]
    path.write_text("item,rater,criterion,mark\n" + "\n".join(marks) + "\n")
    result = CliRunner().invoke(graders, [str(path)])
    assert result.exit_code == 0
    assert not {"\x1b", "\u202e"} & set(result.output)
    assert r"\x1b[31mEVIL\u202e" in result.output


def test_a_pass_mark_is_for_tables(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("item,rater,mark\n1,a,7\n1,b,3\n")
    with pytest.raises(BadInput, match=r"scores\.csv, line 2: the mark is '7'.*--pass-mark"):
        output(str(path))
    assert "Agreement of a, b" in output(str(path), "--pass-mark", "5", *FAST)
    refused = CliRunner().invoke(graders, [str(run), "--pass-mark", "5"])
    assert (refused.exit_code, "--pass-mark is for a FILE" in refused.output) == (2, True)
