"""`unparrot leaderboard` on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from unparrot.cli.comparison_commands import leaderboard
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.skills import SkillCombination


@pytest.fixture
def run(
    tmp_path: Path,
    asked: Callable[[int, int], list[SkillCombination]],
    written: Callable[..., list[GradedText]],
    run_of: Callable[..., Path],
) -> Path:
    texts = []
    for model, n in (("low", 10), ("high", 45)):
        texts += written(model, asked(2, 60), [i < n for i in range(60)])
        texts += written(model, asked(2, 60), [i < n for i in range(60)], decoding="t0.7")
    return run_of(tmp_path / "run", texts)


def output(*arguments: str) -> str:
    return CliRunner().invoke(leaderboard, arguments, catch_exceptions=False).stdout


def test_json_and_table(run: Path) -> None:
    boards = json.loads(output(str(run), "--json"))["boards"]
    assert [b["decoding"] for b in boards] == ["greedy", "t0.7"]
    first = boards[0]["standings"][0]
    assert (first["model"], first["places"][0]["best"], first["places"][0]["worst"]) == (
        "high", 1, 1,
    )  # fmt: skip
    text = output(str(run), "--decoding", "greedy")
    assert "75.0 (1)" in text
    assert "16.7 (2)" in text
    assert "all true ranks of a" in text


def test_files_are_written(run: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("b.html", "b.md", "b.csv")]
    arguments = [
        item
        for option, file in zip(("--html", "--markdown", "--csv"), files, strict=True)
        for item in (option, str(file))
    ]
    text = output(f"{run}:high", f"{run}:low", *arguments)
    assert all(file.read_text().strip() and f"Written: {file}" in text for file in files)


def test_help_has_examples_and_bad_runs_are_refused(run: Path) -> None:
    assert "unparrot leaderboard runs/demo" in output("--help")
    assert CliRunner().invoke(leaderboard, []).exit_code == 2
    assert CliRunner().invoke(leaderboard, [f"{run}-none"]).exit_code == 2
    with pytest.raises(BadInput, match="no model 'x'"):
        output(f"{run}:x")
