"""A study on disk: it grows, is split and merged, fails in parts, and comes back after any end."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder, lock
from unparrot.core.studies import read_study
from unparrot.lab.study.plan import plan
from unparrot.lab.study.spec import StudySpec, read_spec
from unparrot.lab.study.studies import Study, StudyState, local, open_study
from unparrot.lab.study.work import Place, write_data
from unparrot.lab.training.sweep import JobFailed

SMALL = """
name = "small"
[axes]
shape = [
  { width = 8, layers = 1, heads = 1, hidden = 16 },
  { width = 12, layers = 1, heads = 1, hidden = 24 },
]
tokens = [10_000, 20_000]
seed = [1, 2]
[measure]
ks = [1, 2]
combinations = 3
pieces = 9
parrots = false
"""


def small(folder: Path, text: str = SMALL) -> StudySpec:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.toml").write_text(text)
    return read_spec(str(folder / "small.toml"))


def run(study: Study, **options: Any) -> StudyState:
    """In this process, which needs no start."""
    cells = study.chosen(options.pop("only", ()), options.pop("shard", (1, 1)))
    study.claim()
    return study.run(cells, local(0), **options)


def tables(folder: Path) -> dict[str, pl.DataFrame]:
    """All tables of all runs, without the time that things took."""
    found: dict[str, pl.DataFrame] = {}
    for entry in read_study(folder).runs:
        for path in sorted((folder / entry.folder).glob("*.parquet")):
            table = RunFolder(path.parent).read_table(path.stem)
            found[f"{entry.folder}/{path.stem}"] = table.drop("seconds", strict=False)
    return found


def same(one: Path, other: Path) -> None:
    first, second = tables(one), tables(other)
    assert list(first) == list(second)
    for name, table in first.items():
        assert table.equals(second[name]), name


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study that nothing disturbed."""
    out = tmp_path_factory.mktemp("study") / "whole"
    state = run(Study(small(out), out, "cpu"))
    assert (state.cells, state.done, state.failed) == (4, 4, {})
    return out


def test_every_run_has_its_models_and_its_place_on_the_axes(whole: Path) -> None:
    record = read_study(whole)
    assert record.axes["seed"] == (1, 2)
    assert record.axes["tokens"] == (10_000, 20_000)
    assert [entry.axes["seed"] for entry in record.runs] == [1, 2]
    for entry in record.runs:
        models = RunFolder(whole / entry.folder).checked_table("models")
        assert models["tokens"].to_list() == pytest.approx([1e4, 2e4] * 2, rel=0.1)
        assert models["params"].n_unique() == 2
    texts = [tables(whole)[f"{entry.folder}/texts"] for entry in record.runs]
    assert not texts[0].equals(texts[1]), "another seed, other texts"


def test_a_grown_grid_adds_and_trains_nothing_again(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "grown"
    few = SMALL.replace("[10_000, 20_000]", "10_000").replace("seed = [1, 2]", "seed = 1")
    state = run(Study(small(out, few), out, "cpu"))
    assert (state.cells, state.done) == (2, 2)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("training.json")}
    assert len(before) == 2
    grown = Study(small(out), out, "cpu")
    assert grown.claim() == ["tokens: 20000 added", "seed: 2 added"]
    assert [cell.done for cell in plan(grown, None)] == [False] * 4, "all is tested again"
    run(grown)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    same(whole, out)
    seeds = SMALL.replace("seed = [1, 2]", "seed = [1, 2, 3]")
    assert [cell.done for cell in plan(Study(small(out, seeds), out), 1e6)] == [True] * 4 + [
        False
    ] * 2


def test_another_study_in_the_folder_is_refused(whole: Path, tmp_path: Path) -> None:
    other = small(tmp_path, SMALL.replace('"small"', '"other"'))
    with pytest.raises(BadInput, match="holds the study 'small', not 'other'"):
        Study(other, whole).claim()
    with pytest.raises(BadInput, match="holds no study"):
        open_study(tmp_path / "nowhere")


def test_shards_that_are_merged_are_the_whole(whole: Path, tmp_path: Path) -> None:
    parts = [tmp_path / f"part{i}" for i in (1, 2, 3)]
    for i, part in enumerate(parts, 1):
        run(Study(small(part), part, "cpu"), shard=(i, 3))
    done = [open_study(part).state().done for part in parts]
    assert sum(done) == 4
    assert max(done) - min(done) <= 1
    merged = Study(small(tmp_path / "merged"), tmp_path / "merged", "cpu")
    merged.claim()
    assert merged.merge(parts) == 4
    assert merged.merge(parts) == 0
    merged.write_tables("merge", lambda _: None)
    same(whole, merged.out)
    with pytest.raises(BadInput, match="another specification: seed: 3 added"):
        Study(small(tmp_path, SMALL.replace("[1, 2]", "[1, 2, 3]")), merged.out).merge(parts)
    for shard in ((0, 3), (4, 3)):
        with pytest.raises(BadInput, match="a shard is i/n"):
            merged.chosen(shard=shard)


def test_a_part_that_has_nothing_to_give_changes_nothing(whole: Path, tmp_path: Path) -> None:
    part, out = tmp_path / "part", Path(shutil.copytree(whole, tmp_path / "whole"))
    run(Study(small(part, SMALL.replace("[10_000, 20_000]", "10_000")), part, "cpu"))
    Study(small(part), part).claim()  # grown, and stopped before its corpus was
    before = {path: path.read_bytes() for path in (out / "data").rglob("*") if path.is_file()}
    assert open_study(out).merge([part]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_one_cell_alone(tmp_path: Path) -> None:
    study = Study(small(tmp_path), tmp_path, "cpu")
    name = study.cells()[1].name
    state = run(study, only=(name,))
    assert [cell.name for cell in study.cells() if cell.done] == [name]
    assert (state.done, state.cells) == (1, 4)
    with pytest.raises(BadInput, match="no cell is called 'x/1k'"):
        study.chosen(("x/1k",))


def test_a_cell_that_fails_ends_no_other_and_is_tried_again(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    study = Study(small(out), out, "cpu")
    broken = study.cells()[0].name
    key, shape = broken.split("/")
    trunk = out / "runs" / key / "models" / f"{shape}.trunk.safetensors"
    trunk.parent.mkdir(parents=True)
    trunk.write_bytes(b"no state")
    state = run(study)
    assert list(state.failed) == [broken]
    assert str(trunk) in state.failed[broken]
    assert state.done == 3
    with pytest.raises((BadInput, JobFailed), match="no state that can be read"):
        run(study, fail_fast=True)
    assert trunk.read_bytes() == b"no state", "nothing was lost"
    trunk.unlink()
    state = run(study)
    assert (state.done, state.failed) == (4, {})
    same(whole, out)


def test_a_second_process_leaves_a_cell_to_the_first(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    study = Study(small(out), out, "cpu")
    key, shape = study.cells()[0].name.split("/")
    held = lock(out / "runs" / key / "models" / f"{shape}.lock")
    state = run(study)
    os.close(held)
    assert state.done == 3
    assert f"process {os.getpid()}" in state.failed[f"{key}/{shape}"]
    assert run(study).done == 4
    same(whole, out)


def test_a_folder_of_a_run_is_analysed_as_any_run(whole: Path, tmp_path: Path) -> None:
    from unparrot.analysis.summary import analyze

    folder = Path(shutil.copytree(whole, tmp_path / "study"))
    summary: Any = analyze(folder / read_study(folder).runs[0].folder)
    assert summary.budget == "small"
    assert len(summary.models) == 4


def start(out: Path, spec: Path) -> subprocess.Popen[bytes]:
    code = "from unparrot.cli.main import main; main()"
    command = [sys.executable, "-c", code, "lab", "study", "run", str(spec), "--out", str(out)]
    return subprocess.Popen([*command, "--device", "cpu", "--workers", "2"], stderr=subprocess.PIPE)


@pytest.mark.slow
def test_sigterm_keeps_the_states_and_the_same_command_goes_on(whole: Path, tmp_path: Path) -> None:
    small(tmp_path, SMALL.replace("20_000", "20_000, 400_000"))
    spec, out = tmp_path / "small.toml", tmp_path / "study"
    with start(out, spec) as process:
        while not list(out.rglob("*@10k/training.json")):
            time.sleep(0.05)
        time.sleep(1.0)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate()
        assert time.monotonic() - began < 30
    assert process.returncode == 1
    assert b"stopped by SIGTERM" in errors
    assert b"goes on" in errors
    states = list(out.rglob("*.safetensors"))
    assert states
    small(tmp_path)
    with start(out, spec) as process:
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    same(whole, out)


@pytest.mark.slow
def test_kills_at_random_moments_change_nothing(whole: Path, tmp_path: Path) -> None:
    rng, out = random.Random(8), tmp_path / "study"
    small(tmp_path)
    for _ in range(20):
        with start(out, tmp_path / "small.toml") as process:
            time.sleep(rng.uniform(0.2, 8.0))
            process.kill()
            process.communicate()
    with start(out, tmp_path / "small.toml") as process:
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    same(whole, out)


def test_what_differs_between_specifications_is_said(tmp_path: Path) -> None:
    from unparrot.lab.study.studies import differences

    spec = small(tmp_path)
    other = replace(spec, measure=replace(spec.measure, ks=(1,)))
    assert differences(spec, spec) == []
    assert differences(spec, other) == ["measure.ks: (1, 2) before, (1,) now; all is tested again"]
    fewer = small(tmp_path, SMALL.replace("[1, 2]\n[measure]", "[1]\n[measure]"))
    (line,) = differences(spec, fewer)
    assert line == "seed: 2 left out; what was made of it stays on disk"


def test_the_loss_is_measured_on_as_many_tokens_as_the_study_says(tmp_path: Path) -> None:
    place = Place(str(tmp_path), str(tmp_path), str(tmp_path))
    for tokens in (5_000, 20_000):
        text = SMALL.replace("parrots = false", f"parrots = false\nvalid_tokens = {tokens}")
        write_data(next(small(tmp_path, text).runs()), place, lambda _: None)
        written = len(np.load(place.corpus / "valid" / "tokens.npy"))
        assert tokens <= written < tokens + 300  # the last document may go beyond


def test_a_curriculum_that_a_model_does_not_outlast_is_refused(tmp_path: Path) -> None:
    one = SMALL.replace("seed = [1, 2]", "curriculum = [20, 500]")
    study = Study(small(tmp_path, one), tmp_path, "cpu")
    state = run(study)
    assert (state.done, len(state.failed)) == (2, 2)
    reason = r"10000 tokens are \d+ documents, and the curriculum has 500"
    assert all(re.search(reason, failed) for failed in state.failed.values())
