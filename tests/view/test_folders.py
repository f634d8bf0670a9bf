"""Runs below folders: which are found, how far they are, and what is left alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from unparrot.core.records import is_locked, lock
from unparrot.lab.study.spec import Measure, RunSpec, Setting, Shape, read_spec
from unparrot.lab.study.studies import Working
from unparrot.view.folders import Folders, Recent, Run, standing_of

HOLD = (
    "import sys, pathlib; from unparrot.core.records import lock;"
    "lock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def test_runs_of_every_kind_are_found_with_their_finding(shelf: Path) -> None:
    folders = Folders([shelf])
    runs = {run.name: run for run in folders.runs()}
    assert {name: run.kind for name, run in runs.items()} == {
        "tables": "SKILL-MIX",
        "some/journal": "SKILL-MIX",
        "ladder": "lab",
    }
    assert len({run.id for run in runs.values()}) == 3
    standing = folders.standing(runs["tables"])
    assert standing.state == "finished"
    assert "earns full marks on" in standing.finding
    assert standing.cost.endswith("and more")  # the price of one grader is not known
    journal = folders.standing(runs["some/journal"])
    # a call failed, which the same command asks for again
    assert journal.state == "stopped"
    assert journal.done.startswith("39 of 40 texts")


def test_a_run_that_is_worked_on_goes_on_and_one_that_died_does_not(shelf: Path) -> None:
    run = next(run for run in Folders([shelf]).runs() if run.name == "some/journal")
    place = run.path / "journal.lock"
    assert standing_of(run).state == "stopped"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert standing_of(run).state == "going on"
        holder.kill()
    assert standing_of(run).state == "stopped"


def test_a_run_of_the_lab_says_how_many_models_are_done(tmp_path: Path) -> None:
    shapes = (Shape(8, 1, 1, 16), Shape(10, 1, 1, 16))
    spec = RunSpec("tiny", Setting(3), shapes, (15_000, 30_000), Measure((1, 2), 3, 20))
    (tmp_path / "run").mkdir()
    held = lock(tmp_path / "run" / "run.lock")
    (tmp_path / "run" / "spec.json").write_bytes(msgspec.json.encode(spec))
    for name in ("a", "b", "c"):
        (tmp_path / "run" / "models" / name).mkdir(parents=True)
    (tmp_path / "run" / "models" / "a" / "answers.msgpack.gz").touch()
    (run,) = Folders([tmp_path]).runs()
    assert run.kind == "lab"
    standing = standing_of(run)
    assert (standing.state, standing.done) == ("going on", "1 of 4 models trained and tested")
    assert standing.finding == "Not analyzed yet."
    os.close(held)
    assert standing_of(run).state == "stopped"


def test_a_study_says_how_far_it_is(tmp_path: Path) -> None:
    study = tmp_path / "study"
    spec = read_spec("quick")
    study.mkdir()
    (study / "spec.json").write_bytes(msgspec.json.encode(spec))
    folders = Folders([tmp_path])
    (run,) = folders.runs()
    assert (run.kind, folders.within(run)) == ("study", [])
    standing = standing_of(run)
    assert standing.state == "stopped"
    assert re.fullmatch(r"0 of \d+ cells", standing.done)
    (study / "progress").mkdir()
    note = Working("host-1", 0.25, "training", 90.0)
    (study / "progress" / "host-1.json").write_bytes(msgspec.json.encode(note))
    standing = standing_of(run)
    assert standing.state == "going on"
    assert (
        "25 %, about 90 s left" in standing.done or "25 %, about 1 min 30 s left" in standing.done
    )
    old = time.time() - 3600
    os.utime(study / "progress" / "host-1.json", (old, old))
    assert standing_of(run).state == "stopped"


def test_a_lock_is_looked_at_and_not_taken(tmp_path: Path) -> None:
    place = tmp_path / "run.lock"
    assert not is_locked(place)
    place.write_text("not a number")
    assert not is_locked(place)
    place.write_text(str(os.getpid()))  # of a process that does not hold it
    assert not is_locked(place)
    held = lock(place)
    try:
        assert is_locked(place)
    finally:
        os.close(held)
    assert not is_locked(place)


def test_links_hidden_folders_and_strange_files_are_passed_over(
    shelf: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(shelf / "tables")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "journal.sqlite").touch()
    for name, content in (("a", "{"), ("b", "[]"), ("c", '{"axes": 1}'), ("d", "\xff")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(content, "latin-1")
        (tmp_path / name / "texts.parquet").write_text("no table")
        (tmp_path / name / "spec.json").write_text(content, "latin-1")
    deep = tmp_path / "/".join("deep" * 1 for _ in range(9))
    deep.mkdir(parents=True)
    (deep / "journal.sqlite").touch()
    runs = Folders([tmp_path]).runs()
    assert [run.name for run in runs] == []


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "journal.sqlite").write_bytes(b"no database at all" * 100)
    (run,) = Folders([tmp_path]).runs()
    standing = standing_of(run)
    assert standing.state == "stopped"
    assert "cannot be read as the journal of a run" in standing.finding


def test_a_file_that_is_a_link_elsewhere_is_not_the_runs(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    run = Run(tmp_path / "run", "run", "lab")
    run.path.mkdir()
    (run.path / "report.html").symlink_to(secret)
    assert not run.has("report.html")
    (run.path / "report.html").unlink()
    (run.path / "report.html").touch()
    assert run.has("report.html")


def test_what_is_recent_is_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("unparrot.view.folders.time.monotonic", lambda: now[0])
    made: list[int] = []
    recent: Recent[int] = Recent()

    def make() -> int:
        made.append(len(made))
        now[0] += 1.0
        return made[-1]

    assert recent.get("a", 1, make) == 0
    assert recent.get("a", 2, make) == 0  # for ten times as long as it took
    now[0] += 10.1
    assert recent.get("a", 1, make) == 0  # nothing has changed
    assert recent.get("a", 2, make) == 1
    assert recent.get("b", 2, make) == 2
