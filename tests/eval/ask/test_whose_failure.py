"""Whose failure it is: a student that gives no text has missed, a call that fails is unscored.

A model whose first replies are all of no use is not asked on.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unparrot.analysis.schema import SkillMixSummary
from unparrot.analysis.summary import analyze
from unparrot.cli.main import run as unparrot
from unparrot.core.records import EarlierTexts, RunFolder
from unparrot.eval.ask.asking import FIRST
from unparrot.report.words.headline_words import cautions, finding

STUDENT, GRADER = "openai-api/local/student-good", "openai-api/local/grader-strict"
ONE_EACH = ["-k", "2..2", "--rounds", "1", "--grading-rounds", "1"]

Eval = Callable[..., int]


@pytest.fixture
def eval_run(chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Eval:
    """Run `unparrot eval run` into tmp_path/run; returns the exit code."""
    monkeypatch.setenv("LOCAL_API_KEY", "sk-planted")
    url = chat_server.base_url

    def start(*options: str) -> int:
        line = ["eval", "run", STUDENT, "--grader", GRADER, *ONE_EACH, *options]
        reached = ["--base-url", url, "--grader-base-url", url, "--retries", "0"]
        return unparrot([*line, *reached, "--out", str(tmp_path / "run")])

    return start


def summary(folder: Path) -> SkillMixSummary:
    made = analyze(folder / "run")
    assert isinstance(made, SkillMixSummary)
    return made


def test_a_student_that_never_answers_has_0_percent_and_the_page_says_why(
    eval_run: Eval, chat_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat_server.control(faults={"garbage": 1.0}, role="student")
    assert eval_run("-n", "30") == 0
    out = capsys.readouterr().out
    assert "earns full marks on 0 % (0 to" in out
    assert chat_server.stats()["requests"] == 60  # both turns, once: nobody draws anew
    graded = RunFolder(tmp_path / "run").read_graded()
    assert {text.no_text for text in graded} == {"no_answer"}
    assert {mark.status for text in graded for mark in text.marks.values()} == {"missed"}
    made = summary(tmp_path)
    (row,) = made.no_texts.reasons
    assert (row.code, row.missed, row.texts, row.by_model) == ("no_answer", True, 30, (30,))
    assert not made.unscored.reasons
    page = (tmp_path / "run/report.html").read_text()
    assert "Texts that did not come" in page
    assert "no answer part" in page


def test_a_student_that_refuses_some_does_not_read_100_percent(
    eval_run: Eval, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"refusal": 0.4}, role="student", seed=2)
    assert eval_run("-n", "40") == 0
    (cell,) = summary(tmp_path).models[0].cells
    outcomes = RunFolder(tmp_path / "run").read_graded()
    refused = sum(text.no_text == "filtered" for text in outcomes)
    earned = sum(text.full_marks is True for text in outcomes)
    assert 10 < refused < 40
    assert (cell.n, cell.failed, cell.unscored) == (40, refused, 0)
    assert cell.full_marks.value == pytest.approx(earned / 40)
    assert cell.among_given is not None
    assert cell.among_given.value == pytest.approx(earned / (40 - refused))
    assert cell.among_given.n == 40 - refused
    assert "among those that it gave" in " ".join(cautions(summary(tmp_path)))


def test_calls_that_fail_are_unscored_with_bounds_and_asked_again(
    eval_run: Eval, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"500": 0.4}, role="student", seed=2)
    assert eval_run("-n", "20") == 1
    (cell,) = summary(tmp_path).models[0].cells
    assert cell.failed == 0
    assert cell.unscored > 0
    assert cell.full_marks.bounds is not None
    assert cell.among_given is None
    assert {row.code for row in summary(tmp_path).no_texts.reasons} <= {"no_reply", "unfinished"}
    chat_server.control(faults={})
    assert eval_run("-n", "20") == 0
    assert not summary(tmp_path).no_texts.reasons


def test_a_model_whose_first_replies_are_all_cut_off_is_not_asked_on(
    eval_run: Eval, chat_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat_server.control(faults={"cut_off": 1.0}, role="student")
    assert eval_run("-n", "100", "--limit-connections", "4") != 0
    said = "".join(capsys.readouterr())
    assert f"first {FIRST} replies" in said
    assert "--max-tokens 512" in said
    # the first turn may be cut off; what is in flight is not called back
    assert chat_server.stats()["requests"] <= 2 * (FIRST + 4)
    part = summary(tmp_path).no_texts
    assert part.cut_off == {STUDENT: part.texts[0]}
    warning, *_ = cautions(summary(tmp_path))
    assert warning.startswith("Warning: ")
    # and the same command pays for no more
    paid = chat_server.stats()["requests"]
    assert eval_run("-n", "100", "--limit-connections", "4") != 0
    assert chat_server.stats()["requests"] <= paid + 2 * 4


def test_some_that_are_cut_off_are_warned_of(
    eval_run: Eval, chat_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat_server.control(faults={"cut_off": 0.3}, role="student")
    assert eval_run("-n", "30") == 0
    assert "Warning: " in capsys.readouterr().out
    assert "larger --max-tokens" in (tmp_path / "run/report.html").read_text()


def test_a_grader_whose_first_replies_hold_no_mark_is_not_asked_on(
    eval_run: Eval, chat_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat_server.control(faults={"empty": 1.0}, role="grader")
    assert eval_run("-n", "100", "--limit-connections", "4") != 0
    said = "".join(capsys.readouterr())
    assert f"first {FIRST} replies of the grader" in said
    assert "--form" in said
    assert chat_server.stats()["by_model"]["grader-strict"] <= FIRST + 2 * 4
    made = summary(tmp_path)
    assert not any(row.missed for row in made.no_texts.reasons)
    assert "an unknown share between 0 % and 100 %" in finding(made)


def test_where_nothing_was_measured_the_exit_code_is_1_and_says_what_to_do(
    eval_run: Eval, chat_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    chat_server.control(faults={"garbage": 1.0}, role="grader")
    assert eval_run("-n", "3") == 1
    assert "Nothing was measured" in capsys.readouterr().out


def test_a_grader_that_is_asked_again_is_told_the_fault(
    eval_run: Eval, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"empty": 1.0}, role="grader")
    assert eval_run("-n", "1") == 1
    calls = pl.read_parquet(tmp_path / "run/transcripts.parquet")
    first, second = calls.filter(pl.col("step") == "grading").sort("try")["prompt"]
    assert "Your last reply" not in first
    assert "Your last reply to this could not be used (S1: empty reply" in second


def test_a_run_of_an_earlier_version_is_read_anew_from_its_journal(
    eval_run: Eval, chat_server: Any, tmp_path: Path
) -> None:
    chat_server.control(faults={"garbage": 1.0}, role="student")
    assert eval_run("-n", "3") == 0
    folder = tmp_path / "run"
    texts, graded = (pl.read_parquet(folder / f"{name}.parquet") for name in ("texts", "graded"))
    texts.drop("no_text").write_parquet(folder / "texts.parquet")
    unscored = pl.lit("unscored", graded.schema["status"])
    graded.with_columns(status=unscored).write_parquet(folder / "graded.parquet")
    with pytest.raises(EarlierTexts, match=r"3 texts did not come: give `unparrot analyze"):
        analyze(folder)
    assert unparrot(["analyze", str(folder)]) == 0
    (cell,) = summary(tmp_path).models[0].cells
    assert (cell.full_marks.value, cell.failed) == (0.0, 3)
    # what came in full needs no codes
    (folder / "manifest.json").unlink()
    texts.drop("no_text").write_parquet(folder / "texts.parquet")
    assert RunFolder(folder).checked_table("texts")["no_text"].null_count() == 3


def test_a_full_context_has_a_cure_of_its_own(
    eval_run: Eval, chat_server: Any, tmp_path: Path
) -> None:
    words = "This model's maximum context length is 4096 tokens. You requested 5000 tokens"
    error = {"error": {"message": words, "code": "context_length_exceeded"}}
    chat_server.control(refused={"student-good": (400, error)})
    assert eval_run("-n", "2") == 0
    assert {row.code for row in summary(tmp_path).no_texts.reasons} == {"context_full"}
    warning, *_ = cautions(summary(tmp_path))
    assert "a larger context, or a smaller --max-tokens, and another --out" in warning
