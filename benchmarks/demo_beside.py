"""CPU seconds of `unparrot demo` beside those of an earlier revision, at the same time.

    python benchmarks/demo_beside.py d84965e [--budget standard]

Both run with the packages of this environment and seed 1, each on one core of its own, where the
system lets a process choose; processes that they start count. Takes as long as the slower of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import unparrot

ROOT = Path(__file__).parents[1]
RUN = "from unparrot.cli.main import main; main()"


def begin(source: Path, out: Path, budget: str, core: int) -> int:
    """Start the demo of a source tree on a core; its process id."""
    out.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(source)}
    environment.pop("OMP_NUM_THREADS", None)
    with (out / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, "demo", "--budget", budget, "--out", str(out / "run")],
            env=environment,
            stdout=log,
            stderr=log,
        )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {core})
    return process.pid


def end(pid: int, out: Path) -> float:
    """Wait for a demo; the CPU seconds that it took."""
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"a demo failed:\n{(out / 'log').read_text()}")
    return usage.ru_utime + usage.ru_stime


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument("--budget", default="standard")
    given = parser.parse_args(arguments)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0, 1]
    with TemporaryDirectory() as folder:
        archive = ["git", "-C", str(ROOT), "archive", given.revision, "src"]
        packed = subprocess.run(archive, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=BytesIO(packed)) as tree:
            tree.extractall(folder, filter="data")
        sources = {
            "this one": Path(unparrot.__file__).parents[1],
            given.revision: Path(folder, "src"),
        }
        began = time.monotonic()
        runs: dict[str, tuple[int, Path]] = {}
        for core, (name, source) in zip((cores[0], cores[-1]), sources.items(), strict=True):
            out = Path(folder, f"run of {name}")
            runs[name] = begin(source, out, given.budget, core), out
        seconds = {name: end(*run) for name, run in runs.items()}
        for name, spent in seconds.items():
            print(f"{name}: {spent:.0f} CPU seconds")
        print(f"ratio {seconds['this one'] / seconds[given.revision]:.2f}")
        print(f"{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
