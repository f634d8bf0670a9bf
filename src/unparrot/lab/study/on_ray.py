"""The cells of a study on a Ray cluster: each a task, on one core or one GPU.

A node that sees the study's folder works in it: training goes on from its last state, wherever it
was kept. It knows the folder by a file that the driver has put there for it. Any other node works
in a temporary folder of its own, and sends the files of the cell back. A node that gets SIGTERM
keeps the state, and the cell goes on elsewhere.
"""

import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from unparrot.core.cluster.ray_cluster import Cluster, WorkerLost
from unparrot.core.records import atomic_write
from unparrot.lab.study.studies import RunCells
from unparrot.lab.study.work import Place, StudyCell, files_of
from unparrot.lab.training.forecast import Progress
from unparrot.lab.training.sweep import (
    ENVIRONMENT,
    Job,
    JobFailed,
    Preempted,
    Stop,
    heed_notice,
    preempted,
    run_jobs,
)

PACKAGES: Final = ("numpy", "numba", "torch", "tokenizers", "safetensors")
SAYS_EVERY: Final = 1.0
"""Seconds between two reports of a task."""
PATIENCE: Final = 120.0
"""Seconds to wait for the lock of a process that may be dead, on a node that was lost."""


class Outcome(Struct, frozen=True):
    """What came of a cell.

    Parameters
    ----------
    results
        What each job returned: the reason why another process has it, or nothing.
    failures
        The reason of each job that failed.
    files
        By path in the study's folder, what says that a model is whole last; None if they are there.
    """

    results: dict[str, Any]
    failures: dict[str, str]
    files: dict[str, bytes] | None


def on_ray(cluster: Cluster, out: Path, gpu: bool = False) -> RunCells:
    """Tasks on a cluster, one a cell.

    Parameters
    ----------
    cluster
        The cluster.
    out
        The study's folder, an absolute path.
    gpu
        Whether each cell takes a GPU.
    """

    def run(
        cells: Sequence[StudyCell],
        on_event: Callable[[str, object], None],
        failures: dict[str, str] | None,
        retries: int,
    ) -> Mapping[str, Any]:
        results: dict[str, Any] = {}
        data: dict[str, Job] = {}
        sign = out / f".{uuid.uuid4().hex}"
        atomic_write(sign, b"")
        work = partial(do_cell, out, sign.name, os.uname().nodename, retries)

        def note(event: tuple[str, float, str]) -> None:
            on_event(event[0], Progress(*event[1:]))

        try:
            with heed_notice() as stopping:
                for cell, outcome in cluster.results(
                    work,
                    sorted(cells, key=lambda cell: -cell.cost),
                    packages=PACKAGES,
                    environment=ENVIRONMENT,
                    gpus=int(gpu),
                    on_event=note,
                    stopping=stopping,
                ):
                    if isinstance(outcome, WorkerLost):
                        outcome = Outcome({}, {cell.jobs[0].name: f"{cell.name} was {outcome}"}, {})
                    results |= outcome.results
                    if outcome.failures and failures is None:
                        raise JobFailed(next(iter(outcome.failures.values())))
                    if failures is not None:
                        failures |= outcome.failures
                    if outcome.files:
                        data[cell.data.name] = cell.data
                        for path, content in outcome.files.items():
                            atomic_write(out / path, content)
                if stopping():
                    raise preempted()
        finally:
            sign.unlink(missing_ok=True)
        # corpora are not sent, but written here once more
        run_jobs([*data.values()], None, on_event, failures, retries)
        return results

    return run


def do_cell(
    out: Path,
    sign: str,
    driver: str,
    retries: int,
    cell: StudyCell,
    emit: Callable[[object], bool],
) -> Outcome:
    """Do a cell, on a node.

    Parameters
    ----------
    out, sign
        The study's folder, and the name of a file that is in it.
    driver
        Name of the machine whose folder it is.
    retries
        How often a job that failed is run again.
    cell
        The cell, whose paths begin with `out`.
    emit
        Given name, share and remark of a job; returns whether to stop.
    """
    import torch

    torch.set_num_threads(1)
    root, shared = out, (out / sign).exists()
    if not shared:
        of_study = hashlib.sha256(f"{driver}:{out}".encode()).hexdigest()[:10]
        root = Path(tempfile.gettempdir(), f"unparrot-{os.getuid()}", of_study)
    jobs = [_moved(job, out, root) for job in (cell.data, *cell.jobs)]
    reported, stopped = 0.0, False

    def report(name: str, event: object) -> None:
        nonlocal reported, stopped
        if isinstance(event, Progress):
            if event.share < 1 and time.monotonic() < reported + SAYS_EVERY:
                return
            reported = time.monotonic()
            stopped = emit((name, *event))
            if stopped:
                raise Stop

    end = time.monotonic() + PATIENCE
    while True:
        failures: dict[str, str] = {}
        try:
            results = run_jobs(jobs, 0, report, failures, retries)
        except Preempted:
            if stopped:
                return Outcome({}, {}, {})
            os._exit(1)  # the node is taken away: Ray runs the cell again, elsewhere
        if not any(results.values()) or time.monotonic() > end:
            break
        time.sleep(1)
    if shared:
        return Outcome(results, failures, None)
    place = next(part for part in jobs[-1].arguments if isinstance(part, Place))
    paths = files_of(cell.name, place)
    files = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    for path in paths if not failures else ():
        path.unlink()  # the corpus stays for other cells
    return Outcome(results, failures, files)


def _moved(job: Job, before: Path, after: Path) -> Job:
    """Return a job whose folders are elsewhere."""

    def moved(part: object) -> object:
        if not isinstance(part, Place):
            return part
        paths = msgspec.structs.asdict(part).items()
        return Place(**{name: str(after / Path(p).relative_to(before)) for name, p in paths})

    return Job(job.name, job.function, tuple(map(moved, job.arguments)), job.cost, job.after)
