"""`unparrot demo` and `unparrot lab` on the command line: help, figures of a run, bad options."""

import json
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from unparrot.analysis.lab_summary import model_summary
from unparrot.analysis.read.outcomes import outcomes_of
from unparrot.cli import main as entry
from unparrot.cli.lab_commands import lab
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText
from unparrot.core.records import RunFolder
from unparrot.core.skills import Skill, SkillCombination, SkillPack, Topic
from unparrot.core.tables import CLOZE_SCHEMA
from unparrot.lab.tables import skills_table
from unparrot.stats.intervals import wilson

PACK = SkillPack(
    "small", "1", (Skill("a", "one", "", ""), Skill("b", "one", "", "")), (Topic("tea"),)
)


def text(skills: str, earned: bool, decoding: str, topic: str) -> GradedText:
    names = (*skills, "topic", "sense", "length")
    marks = dict.fromkeys(names, EARNED if earned else MISSED)
    combination = SkillCombination(topic, tuple(skills))
    return GradedText(combination, "", marks, "64k", "seen", decoding, 0, 1)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with the summary of two models."""
    models = []
    for name, earned in (("64k", True), ("splice", False)):
        texts = [
            text(s, earned, d, topic)
            for s in ("a", "ab")
            for d in ("greedy", "t0.7")
            for topic in ("tea", "rain", "bread", "salt")
        ]
        row = {"name": "64k", "kind": "transformer"} | dict.fromkeys(
            ("params", "tokens", "loss", "entropy", "layers", "width")
        )
        cloze = pl.DataFrame(schema=CLOZE_SCHEMA)
        entry_of = model_summary(row, outcomes_of(texts), skills_table(PACK), cloze, 1)
        models.append({**entry_of, "name": name})
    RunFolder(tmp_path).write_summary({"models": models})
    return tmp_path


def figures(run: Path, *options: str) -> str:
    arguments = ["figures", str(run), *options]
    return CliRunner().invoke(lab, arguments, catch_exceptions=False).stdout


@pytest.mark.parametrize("command", [["demo"], ["lab"], ["lab", "figures"]], ids=str)
def test_help_has_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run([*command, "--help"]) == 0
    assert re.search(r"Example:\n +unparrot (demo|lab) ", capsys.readouterr().out)


def test_help_of_the_demo_imports_nothing_heavy() -> None:
    code = (
        "import sys; from unparrot.cli.main import run; run(['demo', '--help']);"
        "print(sorted({'numpy', 'rich', 'torch', 'unparrot.lab'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == "[]"


def test_figures_as_json_lines(run: Path) -> None:
    lines = [json.loads(line) for line in figures(run, "--json").splitlines()]
    assert [(line["model"], line["k"], line["split"], line["n"]) for line in lines] == [
        ("64k", 1, "seen", 4),
        ("64k", 2, "seen", 4),
        ("splice", 1, "seen", 4),
        ("splice", 2, "seen", 4),
    ]
    plain = {"unscored": 0, "worst": None, "best": None}
    assert lines[0]["full_marks"] == wilson(4, 4).as_dict() | plain
    assert lines[2]["full_marks"] == wilson(0, 4).as_dict() | plain
    assert figures(run, "--json", "--decoding", "t0.7") == figures(run, "--json")
    (one, other) = figures(run, "--json", "--k", "2").splitlines()
    assert {json.loads(one)["k"], json.loads(other)["k"]} == {2}
    assert figures(run, "--json", "--k", "7") == ""


def test_figures_as_a_table(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    table = figures(run)
    assert "full marks" in table
    assert "100.0 %" in table
    assert "51.0 to 100.0" in table


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"summary\.json"):
        figures(tmp_path / "none")
    assert entry.run(["lab", "figures", str(tmp_path / "none")]) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo", "--budget", "huge"],
        ["demo", "--seed", "-1"],
        ["demo", "--seed", "one"],
        ["demo", "--device", "tpu"],
        ["demo", "--no-such-option"],
        ["lab", "figures"],
        ["lab", "figures", "runs/none", "--k", "0"],
        ["lab", "figures", "runs/none", "--decoding", "beam"],
        ["lab", "no-such-command"],
    ],
    ids=" ".join,
)
def test_bad_options_are_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(arguments) == 2
    assert capsys.readouterr().err.strip()
