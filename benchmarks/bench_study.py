"""What a study costs beyond its cells, and how long a large grid takes to plan.

    python benchmarks/bench_study.py

*Overhead*: the CPU seconds of a study of two shapes, records included, without those that its jobs
took by their own clock, over the latter. What a process loads and compiles in its first job counts
as overhead: that of a small job in a new process, less that of the same in a process that has done
one. *Plan*: 10,000 cells, in a process of their own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from unparrot.lab.study.spec import read_spec
from unparrot.lab.study.studies import RunCells, Study, jobs_of, local
from unparrot.lab.study.work import StudyCell
from unparrot.lab.training.sweep import Job

WORKERS = 2

SPEC = """
name = "bench"
[axes]
shape = [{{ width = 40, heads = 2, hidden = 104 }}, {{ width = 56, heads = 2, hidden = 144 }}]
tokens = [{tokens}]
seed = {seeds}
[measure]
combinations = 30
parrots = false
pieces = 300
"""
GRID = """
name = "grid"
[axes]
shape = [{ width = 32, heads = 2 }, { width = 40, heads = 2 }, { width = 48 }, { width = 56 }]
tokens = [1_300_000, 2_600_000]
seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]
skills = [16, 20, 24, 30, 36]
exponent = [0.0, 0.1, 0.2, 0.3, 0.4]
pair_share = [0.05, 0.1, 0.15, 0.2]
[measure]
parrots = false
"""


def study(folder: Path, text: str) -> Study:
    """A study in a new folder."""
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(text)
    return Study(read_spec(str(folder / "study.toml")), folder, "cpu")


def spent() -> float:
    """CPU seconds of this process and of those that it waited for."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def clocked(folder: str, job: Job, emit: Callable[[object], None]) -> object:
    """Run a job, and note its CPU seconds in a file of its own."""
    began = time.process_time()
    result = job.function(*job.arguments, emit)
    Path(folder, uuid4().hex).write_text(str(time.process_time() - began))
    return result


def with_clocks(engine: RunCells, folder: Path) -> RunCells:
    """An engine whose jobs note what they take."""

    def clock(job: Job) -> Job:
        return replace(job, function=clocked, arguments=(str(folder), job))

    def run(cells: Sequence[StudyCell], *rest: Any) -> Mapping[str, Any]:
        timed = [
            cell._replace(jobs=tuple(map(clock, cell.jobs)), data=clock(cell.data))
            for cell in cells
        ]
        return engine(timed, *rest)

    return run


def first_job() -> float:
    """CPU seconds that a process spends once, whatever its jobs."""
    seconds = []
    for seed in (1, 2):
        with TemporaryDirectory() as folder:
            warm = study(Path(folder, "warm"), SPEC.format(tokens=20_000, seeds=[seed]))
            began = time.process_time()
            for job in jobs_of(warm.cells()):
                job.run(lambda *_: None)
            seconds.append(time.process_time() - began)
    return max(0.0, seconds[0] - seconds[1])


def overhead(tokens: int, seeds: int) -> dict[str, float]:
    """CPU seconds of a study, and of its jobs."""
    text = SPEC.format(tokens=tokens, seeds=list(range(1, seeds + 1)))
    once = first_job()
    with TemporaryDirectory() as folder:
        whole, notes = study(Path(folder, "whole"), text), Path(folder, "notes")
        notes.mkdir()
        began = spent()
        whole.claim()
        whole.run(whole.cells(), with_clocks(local(WORKERS), notes))
        cost = spent() - began
        jobs = sum(float(note.read_text()) for note in notes.iterdir()) - WORKERS * once
    return {
        "jobs_cpu_seconds": jobs,
        "study_cpu_seconds": cost,
        "loading_cpu_seconds": WORKERS * once,
        "overhead": cost / jobs - 1,
    }


def planned() -> dict[str, float]:
    """Seconds and megabytes of a plan of 10,000 cells."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "grid.toml")
        path.write_text(GRID)
        code = "from unparrot.cli.main import main; main()"
        command = [sys.executable, "-c", code, "lab", "study", "plan", str(path), "--json"]
        began = time.perf_counter()
        lines = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
        seconds = time.perf_counter() - began
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"cells": len(lines), "seconds": seconds, "megabytes": largest}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2_600_000, help="of each training")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(
        json.dumps({"plan": planned(), "study": overhead(options.tokens, options.seeds)}, indent=1)
    )


if __name__ == "__main__":
    main()
