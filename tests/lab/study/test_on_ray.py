"""A study on a Ray cluster of two nodes: the tables of one machine, whatever dies meanwhile."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unparrot.cli.main import run
from unparrot.core.cluster.ray_cluster import joined
from unparrot.core.progress import LOG
from unparrot.core.records import RunFolder
from unparrot.core.studies import read_study
from unparrot.lab.study.on_ray import on_ray
from unparrot.lab.study.spec import StudySpec, read_spec
from unparrot.lab.study.studies import Study, local, open_study
from unparrot.lab.study.work import StudyCell
from unparrot.lab.training.forecast import Progress
from unparrot.lab.training.sweep import JobFailed

SMALL = """
name = "small"
[axes]
shape = [{ width = 8, layers = 1, heads = 1, hidden = 16 }]
tokens = 10_000
seed = [1, 2]
[measure]
ks = [1, 2]
combinations = 3
pieces = 9
parrots = false
"""
WITH_PARROTS = SMALL.replace("[1, 2]", "1", 1).replace("parrots = false", "")
LONG = (
    SMALL.replace("10_000", "400_000")
    .replace("[1, 2]", "1", 1)
    .replace("[measure]", "documents_per_step = 2\n[measure]")
)


def spec_of(folder: Path, text: str) -> StudySpec:
    (folder / "small.toml").write_text(text)
    return read_spec(str(folder / "small.toml"))


def same(one: Path, other: Path) -> None:
    """Compare all tables of all runs, but for the time that things took."""

    def tables(folder: Path) -> dict[str, pl.DataFrame]:
        return {
            f"{entry.folder}/{path.stem}": RunFolder(path.parent)
            .read_table(path.stem)
            .drop("seconds", strict=False)
            for entry in read_study(folder).runs
            for path in sorted((folder / entry.folder).glob("*.parquet"))
        }

    first, second = tables(one), tables(other)
    assert list(first) == list(second)
    assert first
    for name, table in first.items():
        assert table.equals(second[name]), name


class HereWithoutFolder:
    """In place of a cluster: runs tasks in this process, which does not see the study's folder."""

    cores = 1

    def results(
        self, work: Any, items: Sequence[StudyCell], **options: Any
    ) -> Iterator[tuple[StudyCell, Any]]:
        out, sign = work.args[:2]
        (out / sign).unlink()
        for cell in items:

            def emit(event: tuple[str, float, str]) -> bool:
                options["on_event"](event)
                return bool(options["stopping"]())

            yield cell, work(cell, emit)


def test_without_a_shared_folder_the_files_of_cells_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "node"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    spec = spec_of(tmp_path, WITH_PARROTS)
    here, far = Study(spec, tmp_path / "here", "cpu"), Study(spec, tmp_path / "far", "cpu")
    engine: Any = HereWithoutFolder()
    for study, runs in ((here, local(0)), (far, on_ray(engine, far.out))):
        study.claim()
        state = study.run(study.cells(), runs)
        assert (state.done, state.failed) == (2, {})
    same(here.out, far.out)
    made = {path.suffix for path in scratch.rglob("*") if path.is_file()}
    assert ".safetensors" not in made, "what was sent back stays on the node"
    assert not [path for path in far.out.iterdir() if path.name.startswith(".")]


def test_a_failure_on_a_node_is_that_of_the_cell(tmp_path: Path) -> None:
    study = Study(spec_of(tmp_path, SMALL), tmp_path / "study", "cpu")
    study.claim()
    broken = study.cells()[0]
    key, shape = broken.name.split("/")
    trunk = study.out / "runs" / key / "models" / f"{shape}.trunk.safetensors"
    trunk.parent.mkdir(parents=True)
    trunk.write_bytes(b"no state")

    class HereWithFolder(HereWithoutFolder):
        def results(self, work: Any, items: Any, **options: Any) -> Any:
            for cell in items:
                yield cell, work(cell, lambda event: options["on_event"](event) is not None)

    engine: Any = HereWithFolder()
    state = study.run(study.cells(), on_ray(engine, study.out))
    assert list(state.failed) == [broken.name]
    assert "no state that can be read" in state.failed[broken.name]
    assert state.done == 1
    with pytest.raises(JobFailed, match="no state that can be read"):
        study.run(study.cells(), on_ray(engine, study.out), fail_fast=True)


@pytest.mark.slow
def test_tiny_on_two_nodes_is_tiny_on_one_machine(
    loopback_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = loopback_cluster.address
    with command("tiny", tmp_path / "ray", "--engine", "ray", "--address", address) as process:
        kill_a_worker(loopback_cluster, 0, lambda: True)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert run(["lab", "study", "run", "tiny", "--out", str(tmp_path / "local")]) == 0
    same(tmp_path / "local", tmp_path / "ray")

    # a worker that dies costs the time since the last state
    spec = spec_of(tmp_path, LONG)
    study = Study(spec, tmp_path / "long", "cpu")
    study.claim()
    shares: list[float] = []
    kept: list[float] = []

    def killer() -> None:
        state = kill_a_worker(
            loopback_cluster, None, lambda: list(study.out.rglob("*.trunk.safetensors"))
        )
        kept.append(steps_of(state[0]))

    class Losses(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "lost with its worker" in record.getMessage():
                shares.append(-1.0)  # what it still reported came before

    losses = Losses()
    monkeypatch.setattr(LOG, "level", logging.INFO)
    LOG.addHandler(losses)
    with joined(address) as cluster:
        engine = on_ray(cluster, study.out)

        def listening(
            cells: Sequence[StudyCell],
            on_event: Callable[[str, object], None],
            failures: dict[str, str] | None,
            retries: int,
        ) -> Mapping[str, Any]:
            def listen(name: str, event: object) -> None:
                if name == cells[0].name and isinstance(event, Progress):
                    shares.append(event.share)
                on_event(name, event)

            return engine(cells, listen, failures, retries)

        thread = threading.Thread(target=killer)
        thread.start()
        state = study.run(study.cells(), listening)
        thread.join()
    LOG.removeHandler(losses)
    assert (state.done, state.failed) == (1, {})
    assert shares.count(-1.0) == 1
    again = shares[shares.index(-1.0) + 1 :]
    assert min(again) > 0
    (steps,) = kept
    total = read_steps(study.out)
    assert steps >= 500
    assert min(again) >= steps / total
    undisturbed = Study(spec, tmp_path / "undisturbed", "cpu")
    undisturbed.claim()
    undisturbed.run(undisturbed.cells(), local(1))
    same(undisturbed.out, study.out)


@pytest.mark.slow
def test_a_head_that_is_gone_ends_the_command_and_the_same_one_goes_on(
    loopback_cluster: Any, tmp_path: Path
) -> None:
    spec_of(tmp_path, SMALL.replace("[1, 2]", "[1, 2, 3]", 1))
    spec, out, address = str(tmp_path / "small.toml"), tmp_path / "study", loopback_cluster.address
    with command(spec, out, "--engine", "ray", "--address", address) as process:
        while not list(out.rglob("tested.json")):
            time.sleep(0.02)
        loopback_cluster.kill_head()
        output, errors = process.communicate()
    message = f"unparrot: the head of the Ray cluster at {address} is gone: no answer for 20 s; "
    assert message in errors.decode().splitlines()[-1]
    assert (process.returncode, output) == (1, b"")
    study = open_study(out)
    assert any(cell.done for cell in study.cells())
    study.run(study.cells(), local(0))
    whole = Study(study.spec, tmp_path / "whole", "cpu")
    whole.claim()
    whole.run(whole.cells(), local(0))
    same(whole.out, out)


def steps_of(state: Path) -> int:
    """The step that a state was kept at."""
    import msgspec
    from safetensors import safe_open

    opened: Any = safe_open(state, "np")
    with opened as source:
        return msgspec.json.decode(source.metadata()["at"])["step"]


def read_steps(out: Path) -> int:
    """All steps of the training."""
    (entry,) = read_study(out).runs
    return int(RunFolder(out / entry.folder).read_table("training")["step"].max())  # type: ignore[arg-type]


def kill_a_worker(cluster: Any, node: int | None, when: Callable[[], Any]) -> Any:
    """Kill a process that runs a task, as soon as a condition holds; return what made it hold."""
    nodes = range(2) if node is None else [node]
    while not (reason := when()) or not (busy := [p for n in nodes for p in cluster.workers(n)]):
        time.sleep(0.02)
    os.kill(busy[0], signal.SIGKILL)
    return reason


def command(study: str, out: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    code = "from unparrot.cli.main import main; main()"
    line = [sys.executable, "-c", code, "lab", "study", "run", study, "--out", str(out)]
    return subprocess.Popen([*line, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
