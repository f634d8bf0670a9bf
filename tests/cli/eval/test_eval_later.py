"""`--grader later`, what page and terminal say of gradings, and `eval status`."""

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unparrot.cli.main import run as unparrot

GOOD, STRICT = "openai-api/local/student-good", "openai-api/local/grader-strict"
WEAK = "openai-api/local/student-weak"
SMALL = ["-k", "2..3", "-n", "3", "--rounds", "1", "--grading-rounds", "2"]
RUN = ["eval", "run", GOOD, "--out", "r", *SMALL]


def test_texts_are_collected_today_and_graded_another_day(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unparrot([*RUN, "--grader", "later", *at]) == 0
    out = capsys.readouterr().out
    assert "Asked for: 6 texts. None is graded yet, so no share is known" in out
    assert "12 calls made" in out
    assert server.stats()["by_model"] == {"student-good": 12}
    page = Path("r/report.html").read_text()
    assert "None is graded yet" in page
    assert "of the marks are not given yet" in page
    summary = json.loads(Path("r/summary.json").read_text())
    for cell in summary["models"][0]["cells"]:
        assert cell["full_marks"]["value"] is None
        assert cell["unscored"] == cell["n"] == 3
    assert unparrot(["eval", "export", "r", "--to", "inspect"]) == 0
    server.reset()
    capsys.readouterr()
    assert unparrot(["eval", "grade", "r", "--grader", STRICT, *at]) == 0
    assert server.stats()["by_model"] == {"grader-strict": 12}
    assert "earns full marks on" in capsys.readouterr().out
    spec = json.loads(Path("r/manifest.json").read_text())["spec"]
    assert (spec["grader"], spec["graders"]) == (STRICT, [STRICT])
    # more texts, to be graded another day again
    assert unparrot([*RUN, "-n", "4", "--grader", "later", *at]) == 0
    assert server.stats()["by_model"]["grader-strict"] == 12


def test_grade_ends_with_1_and_says_so_while_texts_lack_a_grade(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fair = "openai-api/local/grader-fair"
    assert unparrot([*RUN, "--grader", "later", *at]) == 0
    grade = ["eval", "grade", "r", "--grader", STRICT, "--retries", "0", *at]
    # nothing is graded, then a part, then all
    server.control(faults={"400": 1.0}, role="grader")
    assert unparrot(grade) == 1
    out = capsys.readouterr().out
    assert f"6 texts without a whole grade by {STRICT}: the same command asks again" in out
    assert "Nothing new was measured: no call was answered" in out
    server.control(faults={"garbage": 0.8}, role="grader")
    assert unparrot(grade) == 1
    out = capsys.readouterr().out
    (lacking,) = [line for line in out.splitlines() if "without a whole grade" in line]
    assert 0 < int(lacking.split()[0]) < 6
    assert "give another --form or --grader" in out
    # another grader beside the first, which goes on to decide
    server.control(faults={})
    server.reset()
    assert unparrot(["eval", "grade", "r", "--grader", fair, *at]) == 0
    assert "without a whole grade" not in capsys.readouterr().out
    assert server.stats()["by_model"] == {"grader-fair": 12}
    spec = json.loads(Path("r/manifest.json").read_text())["spec"]
    assert (spec["grader"], spec["graders"]) == (STRICT, [STRICT, fair])
    assert set(pl.read_parquet("r/grades.parquet")["grader"]) == {STRICT, fair, "sentence count"}


def test_a_text_that_never_came_makes_no_share_before_grading(at: list[str], server: Any) -> None:
    for share in (0.2, 0.5):  # some of a combination's texts, or all
        server.control(faults={"refusal": share}, seed=3)
        out = f"r{share}"
        assert unparrot([*RUN, "--grader", "later", "--rounds", "3", "--out", out, *at]) == 0
        cells = json.loads(Path(out, "summary.json").read_text())["models"][0]["cells"]
        assert all(cell["full_marks"]["value"] is None for cell in cells)
        assert 0 < sum(cell["failed"] for cell in cells) < sum(cell["n"] for cell in cells)


def test_a_grader_that_marks_in_lines_is_told_of_on_page_and_terminal(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.control(no_schema="This response_format type is unavailable now")
    assert unparrot([*RUN, "--grader", STRICT, "--form", "schema", *at]) == 0
    words = f"{STRICT} takes no JSON schema, and marks in lines (This response_format type is"
    assert words in capsys.readouterr().out
    assert words in Path("r/report.html").read_text()


def test_a_model_that_changes_behind_its_name_is_told_of(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.control(snapshot="good-2026-01")
    assert unparrot([*RUN, "--grader", "later", *at]) == 0
    assert "changed within the run" not in capsys.readouterr().out
    server.control(snapshot="good-2026-06")
    assert unparrot([*RUN, "-n", "4", "--grader", "later", *at]) == 0
    words = f"{GOOD} answered as good-2026-01 and good-2026-06: the model behind the name changed"
    assert words in capsys.readouterr().out
    assert words in Path("r/report.html").read_text()


def test_settings_of_a_grading_are_given_to_grade(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unparrot([*RUN, "--grader", STRICT, *at]) == 0
    server.reset()
    line = ["eval", "grade", "r", "--grader", STRICT, "--grader-max-tokens", "4096", *at]
    line += ["--grader-arg", "responses_api=false", "--grader-reasoning-effort", "low"]
    capsys.readouterr()
    assert unparrot([*line, "--dry-run", "--json"]) == 0
    (grader,) = json.loads(capsys.readouterr().out)["models"]
    assert (grader["calls"], grader["kept"]) == (12, 0)
    assert unparrot([*line, "--decide"]) == 0
    assert server.stats()["by_model"] == {"grader-strict": 12}
    spec = json.loads(Path("r/manifest.json").read_text())["spec"]
    other = spec["gradings"][spec["grader"]]
    assert (other["max_tokens"], other["reasoning_effort"]) == (4096, "low")
    assert other["arguments"] == {"responses_api": "False"}


def status(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], dict[str, Any]]:
    capsys.readouterr()
    assert unparrot(["eval", "status", "r", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    return {(row["model"], row["role"]): row for row in models}


def test_status_says_what_is_asked_done_failed_spent_and_left(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    priced = ["--price", f"{GOOD}=1,1", "--price", f"{STRICT}=1,1", "--grader-tries", "1"]
    server.control(faults={"400": 1.0}, role="grader")
    assert unparrot([*RUN, "--grader", STRICT, *at, *priced]) == 1
    rows = status(capsys)
    student, grader = rows[GOOD, "student"], rows[STRICT, "grader"]
    assert (student["asked"], student["done"], student["left"], student["calls"]) == (6, 6, 0, 12)
    assert (grader["asked"], grader["done"], grader["left"]) == (12, 0, 12)
    assert grader["failed"] == {"HTTP 400": 12}
    assert student["spent"] > 0
    server.control(faults={"garbage": 1.0}, role="grader")
    unparrot([*RUN, "--grader", STRICT, *at, *priced])
    grader = status(capsys)[STRICT, "grader"]
    assert (grader["done"], grader["left"], grader["failed"]) == (0, 0, {})
    assert sum(grader["unusable"].values()) == 12
    server.control(faults={})
    assert unparrot([*RUN, "-n", "4", "--grader", STRICT, *at, *priced]) == 1
    rows = status(capsys)
    assert rows[GOOD, "student"]["done"] == 8
    assert (rows[STRICT, "grader"]["asked"], rows[STRICT, "grader"]["done"]) == (16, 4)
    assert unparrot(["eval", "status", "r"]) == 0
    out = capsys.readouterr().out
    assert "gradings that cannot be used: " in out
    assert "The last call ended" in out
    spent = json.loads(Path("r/summary.json").read_text())["usage"]["total"]["cost"]
    assert sum(row["spent"] for row in rows.values()) == pytest.approx(spent)
    assert "Spent: $" in out


def test_status_of_texts_that_did_not_come(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.control(faults={"refusal": 1.0})
    unparrot([*RUN, "--grader", "later", *at])
    student = status(capsys)[GOOD, "student"]
    assert (student["done"], student["left"]) == (0, 0)
    assert sum(student["unusable"].values()) == 6
    assert unparrot(["eval", "status", "r"]) == 0
    assert "Nothing is graded yet" in capsys.readouterr().out


def test_status_while_a_run_goes_on_and_in_a_folder_that_is_closed(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.control(latency=0.3)
    line = [
        sys.executable,
        "-c",
        "from unparrot.cli.main import main; main()",
        *RUN,
        "-n",
        "20",
        "--grader",
        STRICT,
        *at,
    ]
    going = subprocess.Popen([*line, "--limit-connections", "2"], stderr=subprocess.DEVNULL)
    try:
        while not Path("r/journal.sqlite").exists() or not server.stats()["by_outcome"].get("ok"):
            assert going.poll() is None
            time.sleep(0.1)
        first = status(capsys)[GOOD, "student"]
        assert first["asked"] == 40
        assert first["left"] > 0
        assert going.poll() is None
    finally:
        going.terminate()
        going.wait()
    Path("r/journal.lock").unlink()
    Path("r").chmod(0o500)
    assert status(capsys)[GOOD, "student"]["asked"] == 40
    Path("r").chmod(0o700)


def test_status_of_what_is_no_run_is_a_sentence(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("r").mkdir()
    assert unparrot(["eval", "status", "r"]) != 0
    assert "r has no journal.sqlite: give the folder" in capsys.readouterr().err
    Path("r/journal.lock").touch()
    assert unparrot(["eval", "status", "r"]) != 0
    assert "its run was stopped, or begins, before the first call" in capsys.readouterr().err
    Path("r/journal.lock").unlink()
    Path("r").rmdir()
    assert unparrot([*RUN, "--grader", "later", *at]) == 0
    with sqlite3.connect("r/journal.sqlite") as journal:
        journal.execute("UPDATE meta SET value = '99' WHERE name = 'version'")
    journal.close()
    assert unparrot(["eval", "status", "r"]) != 0
    assert "was written in version 99 of the format" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["temperature", "max_tokens", "top_p"])
def test_a_setting_of_a_grading_may_be_left_to_the_provider(
    at: list[str], server: Any, name: str
) -> None:
    assert unparrot([*RUN, "--grader", "later", *at]) == 0
    setting = [f"--grader-{name}".replace("_", "-"), "NONE"]
    assert unparrot(["eval", "grade", "r", "--grader", STRICT, *setting, *at]) == 0
    spec = json.loads(Path("r/manifest.json").read_text())["spec"]
    assert spec["gradings"][STRICT][name] is None
