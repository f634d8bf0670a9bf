"""A pool of processes, one a core, that runs jobs longest first and reports what they do.

    results = run_jobs([Job("64k", train, (spec, "runs/demo/64k"), spec.cost)], 2, print)

A job names a function at the top level of a module. The function is called with the arguments of
the job and, last, `emit`: whatever it passes to `emit` reaches the callback in the parent. The
processes are started afresh (spawn), so a script that calls this needs the usual
``if __name__ == "__main__"``.

SIGTERM, as batch systems send it before they take a machine away, reaches a job where it next calls
`emit`, which then raises `Stop`: a job keeps its state on the way out. `GRACE` seconds later the
processes are killed.
"""

import os
import signal
import time
import traceback
from bisect import insort
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Thread
from typing import Any, Final

from unparrot.core.errors import BadInput, UnparrotError
from unparrot.core.machine import available_cores

Emit = Callable[[object], None]

# One thread a process, which gives its core back while it waits; and memory that was freed is kept:
# returning each step's tensors to the system costs small models up to a third of their speed.
ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}


GRACE: Final = 20.0


class JobFailed(UnparrotError):
    """A job raised, or its process died; the message holds the traceback or the exit code."""


class Preempted(UnparrotError):
    """SIGTERM came; the jobs had time to keep their states."""


class Stop(BaseException):
    """Raised by `emit` after SIGTERM. It is no Exception: no job takes it for its own failure."""


class _Notice:
    """Whether SIGTERM came, which is passed on to the processes of the pool."""

    came = False


def _take_notice(*_: object) -> None:
    _Notice.came = True


@dataclass(frozen=True, slots=True)
class Job:
    """function(*arguments, emit), to be run in a process of the pool. cost: expected time, in any
    unit; the costliest jobs start first, with what waits for them. after: name of the job that has
    to be done before."""

    name: str
    function: Callable[..., object]
    arguments: tuple[object, ...] = ()
    cost: float = 1.0
    after: str = ""

    def run(self, report: Callable[[str, object], None]) -> object:
        """Run the job here; `report` is given its name and what it emits."""

        def emit(event: object) -> None:
            report(self.name, event)
            if _Notice.came:
                raise Stop

        return self.function(*self.arguments, emit)


def run_jobs(
    jobs: Sequence[Job],
    workers: int | None = None,
    on_event: Callable[[str, object], None] | None = None,
    failures: dict[str, str] | None = None,
    retries: int = 0,
) -> dict[str, Any]:
    """Run all jobs and return their results by name.

    Parameters
    ----------
    jobs
        Each of another name.
    workers
        Processes; None takes one a core. 0 runs the jobs one after the other in this process, which
        is what a single GPU wants.
    on_event
        Called here with the name of the job and what the job emitted.
    failures
        Filled with the reason of every job that fails, and of those after it, by name; the others
        go on. None if the first failure is to end them all.
    retries
        How often a job that failed is run again.

    Raises
    ------
    BadInput
        If two jobs have one name, `workers` is negative, or a job is after none of those before it.
    JobFailed
        As soon as a job fails, without `failures`; the other processes are stopped. Also on Ctrl-C,
        where KeyboardInterrupt is passed on, no process is left behind.
    Preempted
        After SIGTERM.
    """
    names = [job.name for job in jobs]
    if len(set(names)) != len(names):
        raise BadInput(f"two jobs have one name: {sorted(names)}")
    if workers is None:
        workers = available_cores()
    if workers < 0:
        raise BadInput(f"workers is {workers}; it must be 0 or more")
    pool = _Pool(jobs, on_event or _ignore, failures, retries)
    with heed_notice():
        if workers == 0:
            pool.run_here()
        else:
            pool.run(min(workers, len(jobs)))
    return pool.results


class _Pool:
    """The jobs that wait, those that run and in which process, and what came of the others."""

    def __init__(
        self,
        jobs: Sequence[Job],
        report: Callable[[str, object], None],
        failures: dict[str, str] | None,
        retries: int,
    ) -> None:
        self.report, self.failures, self.retries = report, failures, retries
        following = dict.fromkeys((job.name for job in jobs), 0.0)  # longest chain that waits
        before = set(following)
        for job in reversed(jobs):
            before.discard(job.name)
            if job.after:
                if job.after not in before:
                    raise BadInput(f"{job.name} is after {job.after!r}, which is no job before it")
                chain = job.cost + following[job.name]
                following[job.after] = max(following[job.after], chain)
        # stable: equal costs keep their order
        ordered = sorted(jobs, key=lambda job: -job.cost - following[job.name])
        self.ready = [job for job in ordered if not job.after]
        self.priority = {job.name: i for i, job in enumerate(ordered)}
        self.after: dict[str, list[Job]] = {}
        for job in ordered:
            if job.after:
                self.after.setdefault(job.after, []).append(job)
        self.results: dict[str, Any] = {}
        self.tries: dict[str, int] = {}
        # A pipe for each process, no shared queue: a process that is killed while it holds the lock
        # of a queue would stop all others.
        self.processes: dict[Connection, SpawnProcess] = {}
        self.running: dict[Connection, Job] = {}
        self.idle: list[Connection] = []

    def run_here(self) -> None:
        """One job after the other, in this process."""
        while self.ready:
            job = self.ready.pop(0)
            try:
                self._done(job, job.run(self.report))
            except Stop:
                raise preempted() from None
            except Exception as error:
                if self.failures is None:
                    raise
                known = isinstance(error, UnparrotError)
                self._failed(job, str(error) if known else traceback.format_exc())

    def run(self, count: int) -> None:
        """In `count` processes."""
        try:
            for _ in range(count):
                self._start()
            while self.ready or self.running:
                while self.idle and self.ready:
                    pipe, job = self.idle.pop(), self.ready.pop(0)
                    pipe.send(job)
                    self.running[pipe] = job
                for pipe in wait(list(self.running), timeout=1.0):
                    assert isinstance(pipe, Connection)
                    self._hear(pipe)
                if _Notice.came:
                    self._wind_up()
                    raise preempted()
        finally:
            for pipe, process in self.processes.items():
                process.kill()
                pipe.close()
            for process in self.processes.values():
                process.join()

    def _start(self) -> None:
        with _environment():
            pipe, process = _process()
        self.processes[pipe] = process
        self.idle.append(pipe)

    def _hear(self, pipe: Connection) -> None:
        job = self.running[pipe]
        try:
            kind, value = pipe.recv()
        except (EOFError, ConnectionResetError):
            process = self.processes.pop(pipe)
            process.join(5)
            pipe.close()
            del self.running[pipe]
            if _Notice.came:  # it came before the process could take notice
                return
            self._failed(
                job,
                f"the process of {job.name} died with exit code {process.exitcode} "
                "(-9: killed, perhaps for want of memory); run again to continue",
            )
            self._start()
            return
        if kind == "event":
            self.report(job.name, value)
            return
        del self.running[pipe]
        self.idle.append(pipe)
        if kind == "error":
            self._failed(job, f"{job.name} failed in its process:\n{value}")
        elif kind == "result":
            self._done(job, value)

    def _wind_up(self) -> None:
        """Pass the notice on, and wait for the jobs to keep their states."""
        for pipe in self.running:
            self.processes[pipe].terminate()
        end = time.monotonic() + GRACE
        self.ready, self.after = [], {}
        while self.running and (left := end - time.monotonic()) > 0:
            for pipe in wait(list(self.running), timeout=left):
                assert isinstance(pipe, Connection)
                self._hear(pipe)

    def _done(self, job: Job, result: object) -> None:
        self.results[job.name] = result
        for other in self.after.pop(job.name, []):
            insort(self.ready, other, key=lambda job: self.priority[job.name])

    def _failed(self, job: Job, reason: str) -> None:
        self.tries[job.name] = self.tries.get(job.name, 0) + 1
        if self.tries[job.name] <= self.retries:
            self.ready.append(job)
            return
        if self.failures is None:
            raise JobFailed(reason)
        self.failures[job.name] = reason
        for other in self.after.pop(job.name, []):
            self._failed_after(other, job)

    def _failed_after(self, job: Job, before: Job) -> None:
        assert self.failures is not None
        self.failures[job.name] = f"{before.name} failed, which it needs"
        for other in self.after.pop(job.name, []):
            self._failed_after(other, job)


def preempted() -> Preempted:
    """Return what is raised in the end after SIGTERM."""
    return Preempted("stopped by SIGTERM; what was done is kept, and the same command goes on")


@contextmanager
def heed_notice() -> Generator[Callable[[], bool]]:
    """Take notice of SIGTERM, where signals can be handled: in the main thread. Yields a function
    that says whether it came."""
    _Notice.came = False

    def came() -> bool:
        return _Notice.came

    try:
        before = signal.signal(signal.SIGTERM, _take_notice)
    except ValueError:
        yield came
        return
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, before)


def _ignore(_name: str, _event: object) -> None:
    """The callback of those who want none."""


@contextmanager
def _environment() -> Generator[None]:
    before = os.environ.copy()
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name in ENVIRONMENT:
            del os.environ[name]
        os.environ.update(before)


def _process() -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there,), daemon=True)
    process.start()
    there.close()
    return here, process


def _work(pipe: Connection) -> None:
    """The life of a process of the pool: until the parent stops it, or is gone."""
    Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, _take_notice)
    import torch  # here: who plans or asks how far a study is needs none of it

    torch.set_num_threads(1)
    try:
        while True:
            job: Job = pipe.recv()
            try:
                pipe.send(("result", job.run(lambda _, event: pipe.send(("event", event)))))
            except Stop:
                pipe.send(("stopped", None))
            except UnparrotError as error:
                pipe.send(("error", str(error)))
            except Exception:  # noqa: BLE001 - handed to the parent, which raises
                pipe.send(("error", traceback.format_exc()))
    except (EOFError, OSError):  # the parent is gone
        return


def _end_with_parent() -> None:
    """A parent that was killed stops no process; left alone, one could write where the next run of
    the same folder does.
    """
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
