"""Runs on a disk that fills up: what was answered is kept, and the same command goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unparrot.cli.main import run as unparrot
from unparrot.eval.record.journal import FILE, read_journal

GOOD, STRICT = "openai-api/local/student-good", "openai-api/local/grader-strict"
LENIENT = "openai-api/local/grader-lenient"
ROUNDS = ["--rounds", "1", "--grading-rounds", "1"]
FULL = ": no space left on device; make room, then give the same command again"
Fill = Callable[..., Path]


def rows(folder: Path) -> set[str]:
    with read_journal(folder) as journal:
        return {call.id.key for call in journal.calls() if call.state == "answered"}


@pytest.mark.parametrize("left", [0, 4096, 40_960, 204_800, 400_000])
def test_a_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    at: list[str],
    server: Any,
    disk: Path,
    fill: Fill,
    capsys: pytest.CaptureFixture[str],
    left: int,
) -> None:
    run = disk / "run"
    line = ["eval", "run", GOOD, "--grader", STRICT, "-k", "2", "-n", "50", *ROUNDS, *at]
    filling = fill(left)
    assert unparrot([*line, "--out", str(run)]) == 1
    error = capsys.readouterr().err
    assert f"unparrot: cannot write {run}" in error
    assert FULL in error
    assert "another folder" not in error
    assert "--out" not in error
    filling.unlink()
    kept = rows(run) if (run / FILE).exists() and left > 40_960 else set[str]()
    assert bool(kept) == (left > 40_960)
    paid = server.stats()["by_outcome"].get("ok", 0)
    # what was under way when the disk was full is all that is lost
    assert paid - len(kept) <= 2 * 16
    server.reset()
    assert unparrot([*line, "--out", str(run)]) == 0
    assert server.stats()["requests"] == 150 - len(kept)
    assert kept <= rows(run)
    assert len(rows(run)) == 150
    assert f"{len(kept)} from the journal" in capsys.readouterr().out


def test_a_full_disk_stops_grading_and_loses_no_text(
    at: list[str], server: Any, disk: Path, fill: Fill, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(disk / "run")
    line = ["eval", "run", GOOD, "--grader", STRICT, "-k", "2", "-n", "20", *ROUNDS, *at]
    assert unparrot([*line, "--out", run]) == 0
    grade = ["eval", "grade", run, "--grader", LENIENT, *at]
    for left in (0, 8192, 100_000):
        capsys.readouterr()
        filling = fill(left)
        assert unparrot(grade) == 1
        assert FULL in capsys.readouterr().err
        assert unparrot(["eval", "status", run]) == 0
        filling.unlink()
    server.reset()
    assert unparrot(grade) == 0
    assert set(server.stats()["by_model"]) == {"grader-lenient"}
    grades = pl.read_parquet(disk / "run/grades.parquet")
    assert {STRICT, LENIENT} < set(grades["grader"])


def test_an_import_on_a_full_disk_leaves_nothing_half_written(
    disk: Path, fill: Fill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["item,rater,criterion,mark,text,author"] + [
        f"topic {i},ann,{criterion},1,He sewed.,m"
        for i in range(200)
        for criterion in ("irony", "topic", "sense", "length")
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(lines) + "\n")
    command = ["eval", "import", str(tmp_path / "ratings.csv"), "--out", str(disk / "run")]
    for left in (0, 8192):
        filling = fill(left)
        assert unparrot(command) == 1
        error = capsys.readouterr().err
        assert f"cannot write {disk}/run" in error
        assert FULL in error
        filling.unlink()
    assert unparrot(command) == 0
    whole = {path.name: path.read_bytes() for path in (disk / "run").glob("*.parquet")}
    fill()
    assert unparrot(command) == 1
    assert {path.name: path.read_bytes() for path in (disk / "run").glob("*.parquet")} == whole
