"""`unparrot eval run` and `grade` as a user types them."""

import json
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unparrot.analysis.schema import read_summary
from unparrot.cli.eval.display import Display
from unparrot.cli.main import run as unparrot
from unparrot.eval.ask.asking import Tally
from unparrot.report.words.headline_words import finding

GOOD, STRICT = "openai-api/local/student-good", "openai-api/local/grader-strict"
KEY = "sk-planted-0123456789abcdef"
SMALL = ["-k", "2..3", "-n", "3", "--rounds", "1", "--grading-rounds", "1"]


def test_a_model_is_tested_from_its_name_to_the_page(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    # the command `run` may be left out
    assert unparrot(["eval", GOOD, "--grader", STRICT, *SMALL, *at]) == 0
    out = capsys.readouterr().out
    assert "18 calls made, 0 from the journal" in out
    assert "18 calls of unknown price" in out
    folder = Path("runs/openai-api-local-student-good")
    assert f"The page: {folder / 'report.html'}" in out
    page = (folder / "report.html").read_text()
    assert "student-good" in page
    assert finding(read_summary(folder)) in out
    assert server.stats()["requests"] == 18


def test_a_korean_pack_is_asked_for_marked_and_shown_in_korean(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["eval", GOOD, "--grader", STRICT, "--pack", "language.ko", *SMALL, *at, "--out", "r"]
    assert unparrot([*line, "--deduct-names"]) == 0
    assert "18 calls made" in capsys.readouterr().out
    manifest = json.loads(Path("r/manifest.json").read_text())
    assert manifest["spec"]["prompts"]["name"] == "skillmix.ko"
    assert manifest["spec"]["pack"]["language"] == "ko"
    texts = pl.read_parquet("r/texts.parquet")
    assert texts["no_text"].null_count() == 6
    assert all(re.search(r"[0-9]{4}년, [가-힣]", text) for text in texts["text"])
    # one sentence where one was asked for, two for k = 3
    lengths = pl.read_parquet("r/graded.parquet").filter(pl.col("criterion") == "length")
    assert lengths["status"].to_list() == ["earned"] * 6
    asked = pl.read_parquet("r/transcripts.parquet")["prompt"]
    assert all("스킬" in prompt and "the skill" not in prompt for prompt in asked.drop_nulls())
    page = Path("r/report.html").read_text()
    assert any(topic in page for topic in texts["topic"])
    # the same run goes on, and no other language joins it
    assert unparrot([*line[:-2], "--out", "r", "--deduct-names"]) == 0
    capsys.readouterr()
    assert unparrot([*line, "--prompts", "skillmix.en"]) == 2
    assert "holds a run with other prompts" in capsys.readouterr().err


def test_a_pack_in_a_language_without_prompts_is_refused(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = (files("unparrot.packs") / "language.en.yaml").read_text()
    Path("fr.yaml").write_text(shipped.replace('version: "1"', 'version: "1"\nlanguage: fr'))
    line = ["eval", GOOD, "--grader", STRICT, "--pack", "fr.yaml", *SMALL, *at]
    assert unparrot(line) == 2
    assert "no prompts of the protocol in it: translate" in capsys.readouterr().err
    assert server.stats()["requests"] == 0
    assert unparrot([*line, "--prompts", "skillmix.en"]) == 0


def test_a_dry_run_calls_nobody_and_writes_nothing(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["eval", "run", "openai/gpt-4o-mini", "--grader", "openai/gpt-4o", "--dry-run"]
    assert unparrot([*line, "-k", "2..5", "-n", "100", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    # 4 k x 100 combinations x 3 rounds: 1,200 texts of 2 turns, each graded 3 times
    assert {row["role"]: row["calls"] for row in told["models"]} == {
        "student": 2400,
        "grader": 3600,
    }
    student, grader = told["models"]
    assert student["price"] == [0.15, 0.6]
    by_hand = (student["input_tokens"] * 0.15 + student["output_tokens"] * 0.6) / 1e6
    assert student["cost"] == pytest.approx(by_hand, abs=1e-4)
    assert told["cost"] == pytest.approx(student["cost"] + grader["cost"])
    assert told["most"] > told["cost"]
    assert list(Path().iterdir()) == []
    assert server.stats()["requests"] == 0


def test_a_dry_run_knows_what_the_journal_has(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *at]
    assert unparrot([*line, *SMALL]) == 0
    capsys.readouterr()
    larger = ["-k", "2..3", "-n", "5", "--rounds", "1", "--grading-rounds", "1"]
    assert unparrot([*line, *larger, "--dry-run", "--json"]) == 0
    student, grader = json.loads(capsys.readouterr().out)["models"]
    assert (student["calls"], student["kept"]) == (20, 12)
    assert (grader["calls"], grader["kept"]) == (10, 6)
    assert (student["assumed"], grader["assumed"]) == (False, False)
    assert student["cost"] is None


def test_a_dry_run_refuses_and_names_what_the_run_would(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *SMALL, *at]
    assert unparrot(line) == 0
    server.reset()
    moved = ["--base-url", f"{server.base_url}/"]  # the same address
    elsewhere = ["--base-url", server.base_url.replace("127.0.0.1", "localhost")]
    assert unparrot([*line, *moved, "--dry-run"]) == 0
    for change, words in (
        (elsewhere, "with the address http://127.0.0.1"),
        (["--model-arg", "strict_tools=false"], "with the arguments {}, now it is"),
    ):
        capsys.readouterr()
        assert unparrot([*line, *change, "--dry-run"]) == 2
        assert words in capsys.readouterr().err
    assert unparrot([*line, *elsewhere, "--moved", "--dry-run"]) == 0
    # a grader that is set otherwise is another one, and has marked nothing yet
    capsys.readouterr()
    other = ["--grader-base-url", elsewhere[1]]
    grade = ["eval", "grade", "r", "--grader", STRICT, *other, "--dry-run", "--json"]
    assert unparrot(grade) == 0
    (grader,) = json.loads(capsys.readouterr().out)["models"]
    host = elsewhere[1].removeprefix("http://").replace("/", ":")
    assert grader["model"] == f"{STRICT} [address={host}]"
    assert (grader["calls"], grader["kept"]) == (6, 0)
    assert server.stats()["requests"] == 0


def test_another_grader_is_one_more_grader(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unparrot(["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *SMALL, *at]) == 0
    lenient = "openai-api/local/grader-lenient"
    server.reset()
    grade = ["eval", "grade", "r", "--grader", lenient, *at]
    assert unparrot([*grade, "--dry-run"]) == 0
    assert "Nothing was called." in capsys.readouterr().out
    assert server.stats()["requests"] == 0
    assert unparrot(grade) == 0
    assert server.stats()["by_model"] == {"grader-lenient": 6}
    capsys.readouterr()
    assert unparrot(["graders", "r", "--json"]) == 0
    assert lenient in capsys.readouterr().out


def test_settings_come_from_a_file_and_the_command_line_comes_before_it(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("spec.toml").write_text(
        f'models = ["{GOOD}"]\ngraders = ["{STRICT}"]\nk = [2]\nn = 2\nrounds = 1\n'
        "grading_rounds = 1\ntemperature = 0\n"
    )
    assert unparrot(["eval", "run", "--spec", "spec.toml", "-n", "3", "--out", "r", *at]) == 0
    spec = json.loads(Path("r/manifest.json").read_text())["spec"]
    assert (spec["n"], spec["rounds"], spec["temperature"], spec["k"]) == (3, 1, 0.0, [2])


def test_calls_without_a_reply_end_with_exit_code_1_and_a_page(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.control(faults={"400": 1.0}, role="grader")
    line = ["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *SMALL, *at]
    assert unparrot(line) == 1
    out = capsys.readouterr().out
    assert "No reply to 6 calls (of late: " in out
    assert "); the same command asks again" in out
    assert Path("r/report.html").is_file()
    server.control(faults={})
    assert unparrot(line) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([GOOD], "name a grader, for example --grader openai/gpt-4o"),
        (["--grader", STRICT], "name at least one model"),
        (["gpt-4o", "--grader", STRICT], "there is no model 'gpt-4o'"),
        ([GOOD, "--grader", STRICT, "--pack", "langauge.en"], "did you mean 'language.en'"),
        ([GOOD, "--grader", STRICT, "-k", "5..2"], "'5..2' is not a range"),
        ([GOOD, "--grader", STRICT, "-k", "40"], "k is one or more numbers from 1 to 30"),
        ([GOOD, "--grader", STRICT, "--price", "x"], "'x' is not a price"),
        (
            [GOOD, "--grader", STRICT, "--price", f"{GOOD[:-1]}=1,1"],
            f"'{GOOD[:-1]}', which is no model of this run; did you mean '{GOOD}', '{STRICT}'?",
        ),
        ([GOOD, "--grader", ""], "a name among the graders is empty"),
        ([GOOD, "--grader", STRICT, "--grader", " "], "a name among the graders is empty"),
        ([" ", "--grader", STRICT], "a name among the models is empty"),
        (["a/b\nc", "--grader", STRICT], r"a name among the models is 'a/b\nc'"),
        (["a/b\udc80", "--grader", STRICT], r"a name among the models is 'a/b\udc80'"),
        ([GOOD, "--grader", STRICT, "--max-cost", "1"], "is not known, so --max-cost cannot"),
        ([GOOD, "--grader", STRICT, "--spec", "none.toml"], "there is no file none.toml"),
        ([GOOD, "--grader", STRICT, "--model-arg", "x"], "'x' is not NAME=VALUE"),
        ([GOOD, GOOD, "--grader", STRICT], "is named twice among the models"),
    ],
)
def test_bad_input_is_quoted_and_calls_nobody(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert unparrot(["eval", "run", *arguments, *at]) == 2
    assert said in capsys.readouterr().err
    assert server.stats()["requests"] == 0
    assert not Path("runs").exists()


def test_a_missing_key_is_named(
    at: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LOCAL_API_KEY")
    assert unparrot(["eval", "run", GOOD, "--grader", STRICT, *at]) == 2
    assert f"{GOOD} needs a key: set LOCAL_API_KEY" in capsys.readouterr().err


def test_a_wrong_key_is_refused_and_not_repeated(
    at: list[str], server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.control(faults={"401": 1.0})
    assert unparrot(["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *SMALL, *at]) == 1
    err = capsys.readouterr().err
    assert "was refused (HTTP 401)" in err
    assert KEY not in err
    # the first call goes alone: nobody else is sent a wrong key
    assert server.stats()["by_outcome"]["401"] <= 2


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "schlüssel-9", "sk-“quoted”", "sk-x "])
def test_a_key_with_a_stray_character_is_named_and_not_sent(
    at: list[str],
    server: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", key)
    assert unparrot(["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *SMALL, *at]) == 2
    assert "which no key does: set LOCAL_API_KEY again" in capsys.readouterr().err
    assert server.stats()["requests"] == 0


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8080/v1",
        "ftp://host/v1",
        "http://",
        "http:// ",
        "http://a:99999/",
        "http://a b/",
        "v1",
        "",
        " ",
    ],
)
def test_an_address_that_is_none_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    more: list[str],
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", KEY)
    command = ["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *SMALL, *more]
    for name in ("--base-url", "--grader-base-url"):
        assert unparrot([*command, name, address]) == 2
        assert f"the address {address!r} is none" in capsys.readouterr().err
    assert not Path("r").exists()


def test_a_run_that_was_killed_before_its_tables_is_analyzed_from_its_journal(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert unparrot(["eval", "run", GOOD, "--grader", STRICT, "--out", "r", *SMALL, *at]) == 0
    told = capsys.readouterr().out.splitlines()[0]
    for path in Path("r").iterdir():
        if path.is_file() and "journal" not in path.name:
            path.unlink()
    assert unparrot(["analyze", "r"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == told
    assert unparrot(["report", "r"]) == 0


def test_grading_needs_a_run(
    at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unparrot(["eval", "grade", str(tmp_path), "--grader", STRICT, *at]) == 2
    assert "has no journal.sqlite" in capsys.readouterr().err


def test_without_inspect_the_extra_is_named(
    at: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai.model", None)
    assert unparrot(["eval", "run", GOOD, "--grader", STRICT, *at]) == 3
    assert "pip install 'unparrot[eval]'" in capsys.readouterr().err


def test_the_display_tells_what_goes_on() -> None:
    display = Display()
    assert display.facts() == ["opening the models"]
    tally = Tally(planned=100, kept=10, made=20, failed=1, input_tokens=45_300, cost=0.5)
    tally.failures["rate limit"] = 3
    tally.unusable["refused"] = 2
    display.watch(tally)
    said = " · ".join(display.facts())
    for part in (
        "30 of 100 calls", "10 from the journal", "45k tokens read, 0 written", "$0.50",
        "failed attempts: 3 rate limit", "no reply to 1 call;", "unusable: 2 refused",
    ):  # fmt: skip
        assert part in said
    tally.unpriced = 4
    assert "$0.50 and 4 calls of unknown price" in " · ".join(display.facts())
