"""Summaries are read strictly: what is not one is refused by its file and field."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from unparrot.analysis.schema import LabSummary, SkillMixSummary, read_summary
from unparrot.analysis.summary import analyze
from unparrot.core.errors import BadInput

FIXED = Path(__file__).parents[1] / "fixed_runs"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    for path in (FIXED / "skillmix").glob("*"):
        shutil.copy(path, folder / path.name)
    analyze(folder)
    return folder


def changed(run: Path, folder: Path, **fields: Any) -> Path:
    summary = json.loads((run / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps({**summary, **fields}))
    return folder


def test_a_summary_is_read_as_it_was_written(run: Path, tmp_path: Path) -> None:
    summary = read_summary(run)
    assert isinstance(summary, SkillMixSummary)
    written = json.loads((run / "summary.json").read_text())
    cell, plain = summary.models[0].cells[0], written["models"][0]["cells"][0]
    assert (cell.k, cell.full_marks.value) == (plain["k"], plain["full_marks"]["value"])
    for path in (FIXED / "lab").glob("*"):
        shutil.copy(path, tmp_path / path.name)
    analyze(tmp_path)
    assert isinstance(read_summary(tmp_path), LabSummary)


@pytest.mark.parametrize("version", [1, None])
def test_a_summary_of_an_older_version_is_refused(
    run: Path, tmp_path: Path, version: int | None
) -> None:
    changed(run, tmp_path, version=version)
    if version is None:
        summary = json.loads((tmp_path / "summary.json").read_text())
        del summary["version"]
        (tmp_path / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(BadInput, match=r"made by an older version: run `unparrot analyze .*`"):
        read_summary(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("seed", "one", r"summary.json .*seed"),
        ("models", [{"name": "m"}], r"summary.json .*models\[0\]"),
        ("nonsense", 1, r"summary.json .*nonsense"),
        ("type", "poem", r"summary.json .*poem"),
    ],
)
def test_a_wrong_field_is_named(
    run: Path, tmp_path: Path, field: str, value: object, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        read_summary(changed(run, tmp_path, **{field: value}))


def test_an_absent_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no summary.json"):
        read_summary(tmp_path)
    (tmp_path / "summary.json").write_text('{"version": 2')
    with pytest.raises(BadInput, match=r"summary.json is not what it should be"):
        read_summary(tmp_path)


def test_an_estimate_that_cannot_be_is_refused(run: Path, tmp_path: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    summary["models"][0]["cells"][0]["full_marks"]["low"] = 2.0
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(BadInput, match=r"low <= value <= high .*models\[0\]"):
        read_summary(tmp_path)
