"""`unparrot lab study` on the command line: what it prints, its exit codes, what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from unparrot.cli import main as entry

SMALL = """
name = "small"
[axes]
shape = [
  { width = 8, layers = 1, heads = 1, hidden = 16 },
  { width = 12, layers = 1, heads = 1, hidden = 24 },
]
tokens = 10_000
[measure]
ks = [1, 2]
combinations = 2
pieces = 5
parrots = false
"""


@pytest.fixture(autouse=True)
def denormals_as_before() -> Iterator[None]:
    """Training flushes denormal numbers to zero in its process, which other tests share here."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize("name", ["plan", "run", "status", "merge", "report"])
def test_every_command_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["lab", "study", name, "--help"]) == 0
    assert f"unparrot lab study {name} " in capsys.readouterr().out


def test_a_study_from_plan_to_merge(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = entry.run(["lab", "study", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    out = str(tmp_path / "out")
    where = ("--device", "cpu", "--workers", "0")
    code, text, _ = run("plan", str(study), "--out", out, "--no-measurement", "--json")
    cells = [json.loads(line) for line in text.splitlines()]
    assert code == 0
    assert [(c["models"], c["cpu_seconds"], c["done"]) for c in cells] == [(1, None, False)] * 2
    assert cells[0]["params"] < cells[1]["params"]
    assert cells[0]["disk_bytes"] > 10_000 * 3.5, "the corpus counts with the first"

    code, text, err = run("run", str(study), "--out", out, *where, "--only", cells[0]["name"])
    assert (code, "small: 1 of 2 cells done." in text) == (0, True), err
    code, text, _ = run("status", out, "--json")
    state = json.loads(text)
    assert (code, state["done"], state["cells"], state["failed"]) == (0, 1, 2, {})

    trunk = Path(out, "runs", cells[1]["name"].replace("/", "/models/") + ".trunk.safetensors")
    trunk.write_bytes(b"broken")
    code, text, err = run("run", str(study), "--out", out, *where)
    assert code == 1
    assert "1 of 2 cells done" in text
    assert cells[1]["name"] in text
    code, text, _ = run("status", out)
    assert (code, "1 failed; the same command tries them again" in text) == (0, True)
    trunk.unlink()

    study.write_text(SMALL.replace("tokens = 10_000", "tokens = 10_000\nseed = [1, 2]"))
    code, text, err = run("run", str(study), "--out", out, *where)
    assert (code, "4 of 4 cells done" in text) == (0, True)
    assert "The study has changed: seed: 2 added." in err

    code, text, _ = run("merge", str(tmp_path / "merged"), out)
    assert (code, "4 cells taken over" in text) == (0, True)
    assert "4 of 4 cells done" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "scalee"], "no study 'scalee'"),
        (["plan", "no/such/file.toml"], "no/such/file.toml"),
        (["run", "SMALL", "--shard", "3"], "a shard is i/n, such as 2/8, not '3'"),
        (["run", "SMALL", "--shard", "0/2"], "i from 1 to n, not 0/2"),
        (["run", "SMALL", "--only", "nothing"], "no cell is called 'nothing'"),
        (["run", "SMALL", "--retries", "-1"], "--retries"),
    ],
)
def test_bad_requests_are_named(
    arguments: list[str],
    message: str,
    study: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [str(study) if a == "SMALL" else a for a in arguments]
    extra = ["--out", str(tmp_path / "out")]
    assert entry.run(["lab", "study", *arguments, *extra]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_study_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run(["lab", "study", "status", str(tmp_path)]) == 2
    assert "holds no study" in capsys.readouterr().err
