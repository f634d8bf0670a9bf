"""`unparrot demo` and `unparrot lab` on the command line: help, figures of a run, bad options."""

import gzip
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from unparrot.analysis.schema import read_summary
from unparrot.cli import main as entry
from unparrot.cli.lab import lab_group
from unparrot.cli.lab.demo import is_watched
from unparrot.core.errors import BadInput
from unparrot.core.wording import interval

FIXED = Path(__file__).parents[1] / "fixed_runs" / "lab"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with its summary."""
    content = gzip.decompress((FIXED / "summary.json.gz").read_bytes())
    (tmp_path / "summary.json").write_bytes(content)
    return tmp_path


def figures(run: Path, *options: str) -> str:
    arguments = ["figures", str(run), *options]
    return CliRunner().invoke(lab_group, arguments, catch_exceptions=False).stdout


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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "stream", "watched"),
    [
        ({"DISPLAY": ":0"}, "", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "", True),
        ({}, "", False),
        ({"DISPLAY": ":0", "CI": "true"}, "", False),
        ({"DISPLAY": ":0"}, "stdout", False),
        ({"DISPLAY": ":0"}, "stderr", False),
    ],
)
def test_the_page_opens_only_where_somebody_watches(
    environment: dict[str, str], stream: str, watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", io.StringIO() if name == stream else Terminal())
    assert is_watched() is watched


def test_figures_as_json_lines(run: Path) -> None:
    cells = [(model.name, cell) for model in read_summary(run).models for cell in model.cells]
    expected = [
        {
            "model": name,
            "k": cell.k,
            "split": cell.split,
            "decoding": cell.decoding,
            "n": cell.n,
            "full_marks": msgspec.to_builtins(cell.full_marks),
        }
        for name, cell in cells
    ]
    assert {row["decoding"] for row in expected} == {"greedy", "t0.7"}
    assert [json.loads(line) for line in figures(run, "--json").splitlines()] == expected
    assert len(figures(run, "--json").splitlines()) > 10
    assert {json.loads(line)["k"] for line in figures(run, "--json", "--k", "2").splitlines()} == {
        2
    }
    assert figures(run, "--json", "--k", "17") == ""


def test_figures_as_a_table(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    cell = read_summary(run).models[0].cells[0]
    table = figures(run)
    assert "Full marks with 95 % intervals" in table
    assert interval(cell.full_marks) in table


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
        ["lab", "no-such-command"],
    ],
    ids=" ".join,
)
def test_bad_options_are_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(arguments) == 2
    assert capsys.readouterr().err.strip()
