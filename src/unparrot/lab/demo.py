"""The whole run of the lab: corpus, ladder, measurement, records.

``unparrot demo`` is this, the analysis of its records, and the page. It is a study with one run,
whose folder is that of the run itself.

A run that was killed continues where it stopped: a finished corpus is kept, training goes on from
its last state, finished models are neither trained nor tested again, and no parrot writes twice.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from unparrot.core.errors import BadInput
from unparrot.core.machine import available_cores
from unparrot.core.records import atomic_write, lock
from unparrot.lab.study.spec import RunSpec, read_spec
from unparrot.lab.study.studies import local, work
from unparrot.lab.study.tables import write_tables
from unparrot.lab.study.work import Place, cells_of
from unparrot.lab.training.forecast import Stage
from unparrot.lab.training.model import resolve_device

BUDGETS = ("quick", "standard", "large")
"""How large a ladder is trained, on how much text, and how closely it is tested: names of studies
with one run."""


def budget(name: str, seed: int = 1) -> RunSpec:
    """Return the run of a budget.

    Raises
    ------
    BadInput
        If there is no such budget, or the seed is negative.
    """
    if name not in BUDGETS:
        raise BadInput(f"unknown budget {name!r}; choose one of {', '.join(BUDGETS)}")
    (run,) = read_spec(name).runs()
    return msgspec.structs.replace(run, setting=msgspec.structs.replace(run.setting, seed=seed))


def run_demo(
    run: RunSpec,
    out: Path,
    on_stage: Callable[[Stage], object] = lambda _: None,
    device: str = "auto",
    command: str = "unparrot demo",
    workers: int | None = None,
) -> None:
    """Run everything: graded texts, tables of facts, checkpoints, manifest.

    `unparrot analyze` makes the figures of them.

    Parameters
    ----------
    run
        What determines the run.
    out
        Folder of the run. One that holds a part of this run is continued.
    on_stage
        Called with the progress of each stage.
    device
        'auto', 'cpu' or 'cuda'.
    command
        How the run was started, for the manifest.
    workers
        As in `unparrot.lab.training.sweep.run_jobs`; by default one a core, and none on a GPU.

    Raises
    ------
    BadInput
        If `out` holds another run, or another process works on it.
    """
    kind = resolve_device(device).type
    if workers is None:
        workers = 0 if kind == "cuda" else available_cores()
    held = lock(out / "run.lock")
    try:
        _claim(run, out / "spec.json")
        place = Place(str(out), str(out / "models"), str(out))
        began = time.perf_counter()
        cells = cells_of(run, place, device)
        results = work(cells, local(workers), on_stage, max(1, workers))
        if reasons := [reason for reason in results.values() if reason]:
            raise BadInput(reasons[0])
        timings = {"training and testing": time.perf_counter() - began}
        on_stage(Stage("writing the records", 0, 1))
        write_tables(run, place, command, kind, timings)
    finally:
        os.close(held)


def _claim(run: RunSpec, path: Path) -> None:
    """Refuse a folder that holds another run; otherwise note what runs here."""
    mine = msgspec.json.format(msgspec.json.encode(run, order="deterministic"), indent=1)
    if path.exists() and path.read_bytes() != mine:
        raise BadInput(
            f"{path.parent} holds a run of another specification; choose another --out or delete it"
        )
    atomic_write(path, mine)
