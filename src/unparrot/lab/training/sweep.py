"""A pool of processes, one a core, that runs jobs longest first and reports what they do.

    results = run_jobs([Job("64k", train, (spec, "runs/demo/64k"), spec.cost)], 2, print)

A job names a function at the top level of a module. The function is called with the arguments of
the job and, last, `emit`: whatever it passes to `emit` reaches the callback in the parent. The
processes are started afresh (spawn), so a script that calls this needs the usual
``if __name__ == "__main__"``.
"""

import os
import signal
import traceback
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Thread
from typing import Any

import torch

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


class JobFailed(UnparrotError):
    """A job raised, or its process died; the message holds the traceback or the exit code."""


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
        return self.function(*self.arguments, partial(report, self.name))


def run_jobs(
    jobs: Sequence[Job],
    workers: int | None = None,
    on_event: Callable[[str, object], None] | None = None,
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

    Raises
    ------
    BadInput
        If two jobs have one name, `workers` is negative, or a job is after none of those before it.
    JobFailed
        As soon as a job fails; the other processes are stopped. Also on Ctrl-C, where
        KeyboardInterrupt is passed on, no process is left behind.
    """
    names = [job.name for job in jobs]
    if len(set(names)) != len(names):
        raise BadInput(f"two jobs have one name: {sorted(names)}")
    if workers is None:
        workers = available_cores()
    if workers < 0:
        raise BadInput(f"workers is {workers}; it must be 0 or more")
    following = dict.fromkeys(names, 0.0)  # cost of the longest chain that waits for each
    for i, job in reversed(list(enumerate(jobs))):
        if job.after:
            if job.after not in names[:i]:
                raise BadInput(f"{job.name} is after {job.after!r}, which is none of {names[:i]}")
            chain = job.cost + following[job.name]
            following[job.after] = max(following[job.after], chain)
    # stable: equal costs keep their order
    waiting = sorted(jobs, key=lambda job: -job.cost - following[job.name])
    report = on_event or _ignore
    results: dict[str, Any] = {}
    if workers == 0:
        while job := _next(waiting, results):
            results[job.name] = job.run(report)
        return results
    # A pipe for each process, no shared queue: a process that is killed while it holds the lock of
    # a queue would stop all others.
    processes: dict[Connection, SpawnProcess] = {}
    running: dict[Connection, Job] = {}
    try:
        with _environment():
            for _ in range(min(workers, len(waiting))):
                pipe, process = _process()
                processes[pipe] = process
        idle = list(processes)
        while waiting or running:
            while idle and (job := _next(waiting, results)):
                pipe = idle.pop()
                pipe.send(job)
                running[pipe] = job
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                job = running[ready]
                kind, value = _receive(ready, processes[ready], job)
                if kind == "event":
                    report(job.name, value)
                elif kind == "error":
                    raise JobFailed(f"{job.name} failed in its process:\n{value}")
                else:
                    results[job.name] = value
                    del running[ready]
                    idle.append(ready)
    finally:
        for pipe, process in processes.items():
            process.kill()
            pipe.close()
        for process in processes.values():
            process.join()
    return results


def _next(waiting: list[Job], done: Container[str]) -> Job | None:
    """Take the first job out of the list that waits for none but those done."""
    for i, job in enumerate(waiting):
        if not job.after or job.after in done:
            return waiting.pop(i)
    return None


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


def _receive(pipe: Connection, process: SpawnProcess, job: Job) -> tuple[str, Any]:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError) as error:
        process.join(5)
        raise JobFailed(
            f"the process of {job.name} died with exit code {process.exitcode} "
            f"(-9: killed, perhaps for want of memory); run again to continue"
        ) from error


def _work(pipe: Connection) -> None:
    """The life of a process of the pool: until the parent stops it, or is gone."""
    Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    torch.set_num_threads(1)
    try:
        while True:
            job: Job = pipe.recv()
            try:
                pipe.send(("result", job.run(lambda _, event: pipe.send(("event", event)))))
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
