"""`unparrot lab study report` and `compare`: files, figures, the same words everywhere."""

import json
from pathlib import Path
from types import ModuleType

import pytest

from unparrot.cli import main as entry


@pytest.fixture(scope="module")
def study(ladder_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ladder_runs.write_ladder_study(
        tmp_path_factory.mktemp("study"),
        combinations=20,
        models=("15k", "54k", "139k"),
        unfinished=1,
    )


def test_report_writes_everything_and_prints_the_finding(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["lab", "study", "report", str(study), "--out", str(tmp_path)]
    assert entry.run([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    names = ["report.html", "study-cells.csv", "study-cells.parquet", "study-summary.json"]
    names += ["study.csv", "study.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == names
    assert not (study / "report.html").exists()
    assert (answer["models"], answer["of"], len(answer["missing"])) == (9, 12, 3)
    assert answer["finding"] in (tmp_path / "report.html").read_text()
    summary = json.loads((tmp_path / "study-summary.json").read_text())
    assert answer["growth"] == summary["growth"]
    assert entry.run(command) == 0
    printed = capsys.readouterr().out
    assert answer["finding"] in printed
    assert "9 of 12 models, 3 of 4 runs" in printed


def test_compare_says_what_is_alike(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["lab", "study", "compare", str(study), str(study)]
    assert entry.run([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["models"], answer["seeds"], answer["differences"]) == (9, 3, [])
    assert answer["ratio"]["value"] == pytest.approx(1)
    assert answer["exponent_difference"]["value"] == 0
    assert entry.run(command) == 0
    assert "times 1.00 (1.00 to 1.00)" in capsys.readouterr().out


def test_a_folder_that_is_no_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run(["lab", "study", "report", str(tmp_path)]) == 2
    assert "study.json" in capsys.readouterr().err
