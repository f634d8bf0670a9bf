"""Damaged records and disks without room: one line that names the file, and never a traceback."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from unparrot.analysis.summary import analyze
from unparrot.cli.main import run as command_line
from unparrot.report.page import write_page

FIXED = Path(__file__).parents[1] / "fixed_runs"
ODD: tuple[Any, ...] = (None, True, 5, -1.5, 10**30, "x", "", [], {}, [1, "a", None], {"a": {}})
READERS = ("report", "analyze", "graders", "certify", "leaderboard", "compare")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("skillmix", tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("lab", tmp_path_factory.mktemp("whole"))


def copied(name: str, folder: Path) -> Path:
    for path in (FIXED / name).iterdir():
        if path.suffix in (".parquet", ".json"):
            shutil.copy(path, folder / path.name)
    analyze(folder)
    return folder


def mutate_json(path: Path, rng: random.Random) -> None:
    """Drop a value, or put one of another type in its place."""
    top: list[Any] = [json.loads(path.read_text())]
    holder: Any = top
    key: Any = 0
    while isinstance(holder[key], (dict, list)) and holder[key] and rng.random() < 0.8:
        holder = holder[key]
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    if holder is not top and rng.random() < 0.3:
        del holder[key]
    else:
        holder[key] = rng.choice(ODD)
    path.write_text(json.dumps(top[0]))


def mutate_table(path: Path, rng: random.Random) -> None:
    """Drop a column, empty it, give it another type or odd numbers; take all rows, or have them
    twice."""
    table = pl.read_parquet(path)
    column = rng.choice(table.columns)
    changed = [
        table.drop(column),
        table.with_columns(pl.lit(None).alias(column)),
        table.with_columns(pl.lit(None, dtype=table.schema[column]).alias(column)),
        table.with_columns(pl.lit(7).alias(column)),
        table.with_columns(pl.lit("x").alias(column)),
        table.with_columns(pl.lit(rng.choice((-3, 0, 2**40))).cast(kind).alias(column))
        if (kind := table.schema[column]).is_numeric()
        else table.clear(),
        pl.concat([table, table]),
    ]
    rng.choice(changed).write_parquet(path)


def mutate_bytes(path: Path, rng: random.Random) -> None:
    """Cut the file off, turn a byte, or put noise in its place."""
    content = path.read_bytes()
    at = rng.randrange(len(content))
    turned = content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
    path.write_bytes(rng.choice([content[:at], turned, rng.randbytes(500), b""]))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_record_is_named_in_one_line(
    whole: Path, lab: Path, tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(seed)
    run = tmp_path / "run"
    shutil.copytree(lab if seed % 4 == 3 else whole, run)
    path = rng.choice(sorted(run.iterdir()))
    mutate = mutate_json if path.suffix == ".json" else mutate_table
    (mutate if rng.random() < 0.7 else mutate_bytes)(path, rng)
    for reader in (READERS[0], rng.choice(READERS[1:])):
        code = command_line([reader, str(run), *[str(run)] * (reader == "compare")])
        error = capsys.readouterr().err
        assert code in (0, 1, 2), (path.name, reader)
        assert "Traceback" not in error
        assert code == 0 or len(error.strip()) > 0, (path.name, reader)


def test_a_folder_that_is_not_named_in_utf8_is_refused(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run\xff"))
    shutil.copytree(whole, run)
    for reader in READERS[:2]:
        assert command_line([reader, str(run)]) == 2
        assert "is not a name in UTF-8; rename it" in capsys.readouterr().err


def test_figures_that_do_not_fit_together_are_refused(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(lab, run)
    summary = json.loads((run / "summary.json").read_text())
    del summary["theory"]["curves"][0]["alpha"][1]
    (run / "summary.json").write_text(json.dumps(summary))
    assert command_line(["report", str(run)]) == 2
    error = capsys.readouterr().err
    assert "summary.json has figures that do not fit together" in error
    assert f"run `unparrot analyze {run}`" in error


@pytest.mark.parametrize("content", ["{}", "[]", "5", '{"spec": 1}', "", "{", '"\\ud800"'])
def test_a_manifest_that_is_none_is_refused_by_all_alike(
    whole: Path, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    run = str(tmp_path / "run")
    (tmp_path / "run/manifest.json").write_text(content)
    for words in (["report", run], ["analyze", run], ["compare", run, run], ["leaderboard", run]):
        if words[0] == "compare":
            words = ["compare", f"{run}:a", str(whole)]
        assert command_line(words) == 2, words
        assert "manifest.json is not what it should be" in capsys.readouterr().err, words


# --- disks ------------------------------------------------------------------------------------


# Inspect does not close the log that it could not write
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_is_told_alike_and_leaves_nothing_half_written(
    disk: Path,
    fill: Callable[..., Path],
    whole: Path,
    journal_runs: ModuleType,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, asked = disk / "run", disk / "asked"
    shutil.copytree(whole, run)
    journal_runs.fabricate(asked)
    analyze(asked)
    curve = ["theory", "curve", "--theta", "0.05", "--k", "8", "--tuple", "2", "--alpha", "0.1"]
    filling = fill()
    names = {path for path in disk.rglob("*") if path.is_file()}
    for words, at_fault in (
        (["analyze", f"{run}"], "summary.json"),
        (["analyze", f"{asked}"], "summary.json"),
        (["report", f"{run}"], "figures/"),
        (["report", f"{run}", "--out", f"{disk}/page.html"], ""),
        (["leaderboard", f"{run}", "--html", f"{disk}/board.html"], "board.html"),
        (["eval", "label", f"{asked}", "--export", f"{disk}/sheet.csv"], ""),
        (["eval", "export", f"{asked}", "--to", "inspect"], ".eval"),
        (["theory", "graph", "--pieces", "1e5", "--export", f"{disk}/g.npz"], "g.npz"),
        (["theory", "graph", "--pieces", "1e5", "--export", f"{disk}/g.jsonl"], "g.jsonl"),
        ([*curve, "--plot", f"{disk}/c.svg"], "c.svg"),
        (["demo", "--budget", "quick", "--out", f"{disk}/demo"], "run.lock"),
    ):
        assert command_line(words) == 1, words
        error = capsys.readouterr().err
        assert f"cannot write {disk}" in error, words
        assert at_fault in error.partition(": no space left on device; make room")[0], error
        assert "another folder" not in error
    own = ("journal.sqlite-shm", "journal.sqlite-wal", "run.lock")  # of SQLite, and a lock
    left = {path for path in disk.rglob("*") if path.is_file() and path.name not in own}
    assert left == names
    filling.unlink()
    for words in (
        ["analyze", f"{asked}"],
        ["report", f"{asked}"],
        ["eval", "label", f"{asked}", "--export", f"{disk}/sheet.csv"],
    ):
        assert command_line(words) == 0, words


def test_a_run_in_an_archive_can_be_read(
    disk: Path, journal_runs: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = disk / "run"
    prepared = journal_runs.fabricate(run)
    analyze(run)
    write_page(run)
    student = prepared.whole.models
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for words in (
        ["graders", f"{run}"],
        ["leaderboard", f"{run}"],
        ["compare", f"{run}:{student[0]}", f"{run}:{student[1]}"],
        ["report", f"{run}", "--out", f"{tmp_path}/elsewhere/page.html"],
        ["eval", "export", f"{run}", "--to", "inspect", "--out", f"{tmp_path}/logs"],
        ["eval", "status", f"{run}"],
    ):
        assert command_line(words) == 0, (words, capsys.readouterr().err)
    assert command_line(["analyze", f"{run}"]) == 1
    error = capsys.readouterr().err
    assert f"cannot write {run}/summary.json: read-only file system; choose a place" in error
    assert command_line(["analyze", f"{run}", "--out", f"{tmp_path}/own/summary.json"]) == 0
    assert (tmp_path / "own" / "summary.json").read_bytes() == (run / "summary.json").read_bytes()
    rates = _rates(run, tmp_path)
    assert command_line(["certify", f"{run}", *rates]) == 1
    assert f"cannot write {run}/certificate.json: read-only" in capsys.readouterr().err
    assert command_line(["certify", f"{run}", *rates, "--out", f"{tmp_path}/c.json"]) == 0
    assert json.loads((tmp_path / "c.json").read_text())["type"] == "parrot bound"


def _rates(run: Path, folder: Path) -> list[str]:
    """Options of `certify`: every skill and topic of the run in a thousandth of the windows."""
    texts = pl.read_parquet(run / "texts.parquet")
    names = {"skill": texts["skills"].explode(empty_as_null=True), "topic": texts["topic"]}
    for kind, own in names.items():
        rates = pl.DataFrame({kind: own.unique()}).with_columns(rate=pl.lit(0.001))
        rates.write_csv(folder / f"{kind}s.csv")
    files = (f"--{kind}s={folder / kind}s.csv" for kind in names)
    return [*files, "--windows=1000000"]
