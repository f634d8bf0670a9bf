"""A study on disk: its cells planned, run, watched and merged.

    spec.json       the specification
    study.json      its runs and their place on the axes (`unparrot.core.studies`)
    runs/KEY/       a run, as `unparrot demo` makes one: tables, pages, models/
    data/KEY/       a corpus, what is tested, what parrots wrote: of all runs of one corpus
    failed/         why cells failed, a file each
    progress/       how far each process is that works here, a file each

The key of a run is a digest of its `Setting`, so a grown grid only adds.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from unparrot.core.errors import BadInput
from unparrot.core.machine import available_cores
from unparrot.core.records import atomic_write, read_json, write_json
from unparrot.core.studies import STUDY, StudyRecord, StudyRun
from unparrot.core.wording import plural
from unparrot.lab.study.spec import AXES, RunSpec, StudySpec
from unparrot.lab.study.work import Place, StudyCell, cells_of, data_files, files_of
from unparrot.lab.training.forecast import Forecast, Progress, Stage
from unparrot.lab.training.sweep import Job, run_jobs

COST_OF_PAGE: Final = 1.5e9
"""Of records, analysis and page, in the units of jobs."""
SAYS_EVERY: Final = 2.0
"""Seconds between two notes of the progress on disk."""


class RunCells(Protocol):
    """What runs the jobs of cells: `local`, or a cluster."""

    def __call__(
        self,
        cells: Sequence[StudyCell],
        on_event: Callable[[str, object], None],
        failures: dict[str, str] | None,
        retries: int,
    ) -> Mapping[str, Any]:
        """Run the jobs of all cells, and those that these wait for, as `run_jobs` does; return what
        each job returned: the reason why another process has it, or nothing."""
        ...


def local(workers: int | None = None) -> RunCells:
    """Processes on this machine, one a core; 0 for none but this one, as a GPU wants."""

    def run(
        cells: Sequence[StudyCell],
        on_event: Callable[[str, object], None],
        failures: dict[str, str] | None,
        retries: int,
    ) -> Mapping[str, Any]:
        return run_jobs(jobs_of(cells), workers, on_event, failures, retries)

    return run


def jobs_of(cells: Sequence[StudyCell]) -> list[Job]:
    """The jobs of cells, each after what it waits for."""
    data = {cell.data.name: cell.data for cell in cells}
    return [*data.values(), *(job for cell in cells for job in cell.jobs)]


def work(
    cells: Sequence[StudyCell],
    engine: RunCells,
    on_stage: Callable[[Stage], object],
    at_once: int,
    failures: dict[str, str] | None = None,
    retries: int = 0,
) -> Mapping[str, Any]:
    """Do what is not done of some cells, and tell the progress; returns what the jobs returned."""
    left = [cell for cell in cells if not cell.done]
    if not left:
        return {}
    forecast = Forecast(jobs_of(left), at_once, COST_OF_PAGE)

    def on_event(name: str, event: object) -> None:
        if isinstance(event, Progress):
            forecast.note(name, event.share)
            seconds = forecast.seconds_left()
            on_stage(Stage("training and testing", forecast.done, 1.0, event.remark, seconds))

    return engine(left, on_event, failures, retries)


class StudyState(Struct, frozen=True):
    """How far a study is.

    Parameters
    ----------
    cells, done
        Their number.
    failed
        Reason by cell.
    working
        For each process that is at work here: what it does, the share that is done of its cells,
        its seconds left where it can tell, and the seconds since it was last heard of.
    """

    name: str
    cells: int
    done: int
    failed: dict[str, str]
    working: list[Working]


class Working(Struct, frozen=True):
    """A process that works on a study."""

    process: str
    share: float
    remark: str
    seconds_left: float | None
    silent: float = 0.0


class Study:
    """A study in its folder.

    Parameters
    ----------
    spec
        What is to be trained and tested.
    out
        Its folder, made when it is run.
    device
        'auto', 'cpu' or 'cuda'.

    Raises
    ------
    BadInput
        If the specification is out of its range somewhere.
    """

    def __init__(self, spec: StudySpec, out: Path, device: str = "auto") -> None:
        self.spec, self.out, self.device = spec, out, device
        self.runs = [(run, self._place(run)) for run in spec.runs()]

    def _place(self, run: RunSpec) -> Place:
        tables = self.out / "runs" / run.setting.key
        data = self.out / "data" / run.setting.data_key
        return Place(str(tables), str(tables / "models"), str(data))

    def cells(self) -> list[StudyCell]:
        """All cells; those of parrots once for each corpus."""
        every = (cell for run, place in self.runs for cell in cells_of(run, place, self.device))
        return list({cell.name: cell for cell in every}.values())

    def chosen(self, only: Sequence[str] = (), shard: tuple[int, int] = (1, 1)) -> list[StudyCell]:
        """Return some of the cells.

        Parameters
        ----------
        only
            Names of cells, or how they begin; all if empty.
        shard
            (i, n): the i-th of n parts of about equal cost, i from 1.

        Raises
        ------
        BadInput
            If no cell is so called, or there is no such shard.
        """
        cells = self.cells()
        for name in only:
            if not any(cell.name.startswith(name) for cell in cells):
                raise BadInput(f"no cell is called {name!r}; `unparrot lab study plan` lists them")
        index, of = shard
        if not 1 <= index <= of:
            raise BadInput(f"a shard is i/n with i from 1 to n, not {index}/{of}")
        # the costliest first, to and fro, so that shards cost about the same
        ordered = sorted(cells, key=lambda cell: (-cell.cost, cell.name))
        turns = [*range(of), *reversed(range(of))]
        mine = {cell.name for i, cell in enumerate(ordered) if turns[i % len(turns)] == index - 1}
        return [
            cell
            for cell in cells
            if cell.name in mine and (not only or cell.name.startswith(tuple(only)))
        ]

    def claim(self) -> list[str]:
        """Write down what is run in the folder, and return what differs from what was.

        Raises
        ------
        BadInput
            If the folder holds another study.
        """
        path, changes = self.out / "spec.json", list[str]()
        if path.exists():
            before = read_json(path, StudySpec)
            if before.name != self.spec.name:
                raise BadInput(
                    f"{self.out} holds the study {before.name!r}, not {self.spec.name!r}; choose "
                    "another --out"
                )
            changes = differences(before, self.spec)
        content = msgspec.json.encode(self.spec, order="deterministic")
        atomic_write(path, msgspec.json.format(content, indent=1))
        return changes

    def run(
        self,
        cells: Sequence[StudyCell],
        engine: RunCells,
        at_once: int | None = None,
        on_stage: Callable[[Stage], object] = lambda _: None,
        command: str = "unparrot lab study run",
        retries: int = 0,
        fail_fast: bool = False,
    ) -> StudyState:
        """Train and test cells that are not done, and write the tables of their runs.

        Parameters
        ----------
        cells
            Those to be done, of this study.
        engine, at_once
            What runs them, and how many jobs at a time.
        on_stage
            Called with the progress.
        command
            How the study was started, for the manifests.
        retries
            How often a job that failed is tried again.
        fail_fast
            Whether the first failure ends everything.

        Returns
        -------
        StudyState
            Of the whole study; `failed` is of these cells.

        Raises
        ------
        JobFailed
            At the first failure, if `fail_fast`.
        Preempted
            After SIGTERM; what was done is kept.
        """
        for cell in cells:
            self._failure(cell).unlink(missing_ok=True)
        failures: dict[str, str] = {}
        workers = at_once or available_cores()
        note = _Note(self.out / "progress" / f"{os.uname().nodename}-{os.getpid()}.json")
        try:
            results = work(
                cells, engine, note.of(on_stage), workers, None if fail_fast else failures, retries
            )
        finally:
            note.path.unlink(missing_ok=True)
        elsewhere = {name: str(reason) for name, reason in results.items() if reason}
        for cell in cells:
            reasons = [
                failures[job.name] for job in (cell.data, *cell.jobs) if job.name in failures
            ]
            if reasons:
                atomic_write(self._failure(cell), f"{cell.name}\n{reasons[0]}\n".encode())
        self.write_tables(command, on_stage)
        return self.state(elsewhere)

    def write_tables(self, command: str, on_stage: Callable[[Stage], object]) -> None:
        """Write study.json, and the tables of every run that has a cell that is done, unless they
        are there and of just these cells."""
        from unparrot.lab.study.tables import write_tables

        written: list[StudyRun] = []
        for i, (run, place) in enumerate(self.runs):
            on_stage(Stage("writing the records", i, len(self.runs)))
            if write_tables(run, place, command, self.device):
                axes = msgspec.structs.asdict(run.setting)
                written.append(StudyRun(f"runs/{run.setting.key}", axes))
        axes: dict[str, Any] = {
            "shape": tuple(self.runs[0][0].shape_names),
            **{axis: self.spec.axes.values(axis) for axis in ("tokens", *AXES)},
        }
        record = StudyRecord(1, self.spec.name, self.spec.about, axes, tuple(written))
        write_json(self.out / STUDY, record)

    def state(self, elsewhere: Mapping[str, str] | None = None) -> StudyState:
        """How far the study is."""
        cells = self.cells()
        failed = dict(elsewhere or {})
        for cell in cells:
            with suppress(FileNotFoundError):
                name, _, reason = self._failure(cell).read_text("utf-8").partition("\n")
                failed[name] = reason.strip()
        done = sum(cell.done for cell in cells)
        return StudyState(self.spec.name, len(cells), done, failed, list(self._working()))

    def _working(self) -> Iterator[Working]:
        for path in sorted((self.out / "progress").glob("*.json")):
            with suppress(OSError, msgspec.MsgspecError):
                note = msgspec.json.decode(path.read_bytes(), type=Working)
                silent = max(0.0, time.time() - path.stat().st_mtime)
                yield msgspec.structs.replace(note, silent=silent)

    def _failure(self, cell: StudyCell) -> Path:
        return self.out / "failed" / f"{cell.name.replace('/', '-')}.txt"

    def merge(self, others: Sequence[Path]) -> int:
        """Take over the cells that are done in other folders of the same study.

        Returns
        -------
        int
            How many were taken over.

        Raises
        ------
        BadInput
            If a folder holds another study, or one of another specification.
        """
        taken = 0
        for other in others:
            theirs = open_study(other)
            if changes := differences(theirs.spec, self.spec):
                raise BadInput(f"{other} was run with another specification: {changes[0]}")
            missing = {cell.name for cell in self.cells() if not cell.done}
            for run, there in theirs.runs:
                ready = [cell.name for cell in cells_of(run, there) if cell.done]
                taking = [name for name in ready if name in missing]
                if taking:  # then the data is that of the specification, too
                    self._take(other, data_files(there))
                for name in taking:
                    self._take(other, files_of(name, there))
                    missing.discard(name)
                taken += len(taking)
        return taken

    def _take(self, other: Path, paths: Sequence[Path]) -> None:
        """Copy files of another folder of the study, in their order, to where they belong here."""
        for path in paths:
            atomic_write(self.out / path.relative_to(other), partial(shutil.copyfile, path))


def open_study(folder: Path, device: str = "auto") -> Study:
    """Return the study of a folder, as it was last run there.

    Raises
    ------
    BadInput
        If there is none.
    """
    path = folder / "spec.json"
    if not path.is_file():
        raise BadInput(
            f"{folder} holds no study; `unparrot lab study run` starts one, in the folder that "
            "--out names"
        )
    return Study(read_json(path, StudySpec), folder, device)


def differences(before: StudySpec, after: StudySpec) -> list[str]:
    """Say what differs between two specifications of a study, a line each."""
    lines: list[str] = []
    for axis in ("shape", "tokens", *AXES):
        old, new = before.axes.values(axis), after.axes.values(axis)
        added = [value for value in new if value not in old]
        gone = [value for value in old if value not in new]
        if added:
            lines.append(f"{axis}: {_listed(added)} added")
        if gone:
            lines.append(f"{axis}: {_listed(gone)} left out; what was made of it stays on disk")
    for name in before.measure.__struct_fields__:
        old, new = getattr(before.measure, name), getattr(after.measure, name)
        if old != new:
            lines.append(f"measure.{name}: {old} before, {new} now; all is tested again")
    return lines


def _listed(values: Sequence[object]) -> str:
    shown = [str(msgspec.to_builtins(v)) if isinstance(v, Struct) else str(v) for v in values[:6]]
    rest = len(values) - len(shown)
    return ", ".join(shown) + (f" and {plural(rest, 'other')}" if rest else "")


class _Note:
    """The progress of this process, kept in a file for those who ask how far the study is."""

    def __init__(self, path: Path) -> None:
        self.path, self.due = path, 0.0

    def of(self, on_stage: Callable[[Stage], object]) -> Callable[[Stage], object]:
        """Return a callback that keeps the progress, and hands it on."""

        def note(stage: Stage) -> None:
            if time.monotonic() >= self.due:
                self.due = time.monotonic() + SAYS_EVERY
                share = stage.done / stage.of
                working = Working(self.path.stem, share, stage.remark, stage.seconds_left)
                atomic_write(self.path, msgspec.json.encode(working))
            on_stage(stage)

        return note
