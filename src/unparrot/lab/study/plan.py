"""The plan of a study: what every cell will cost on this machine, before anything starts.

Costs are counted in multiplications, as jobs have them; a short training on this machine says how
many of them a second of a core brings. The estimate is rough (a third either way): the kernels are
faster for some widths than for others.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from msgspec import Struct

from unparrot.lab.cells import splits_of
from unparrot.lab.corpus import write_corpus
from unparrot.lab.study.spec import Measure, RunSpec, Setting, Shape
from unparrot.lab.study.studies import Study
from unparrot.lab.study.work import PARROTS, VALID_START, cells_of, source_of
from unparrot.lab.training.sweep import Emit, Job, run_jobs

BYTES_OF_TOKEN: Final = 3.5
"""Of a corpus, with its texts."""
BYTES_OF_ANSWER: Final = 1000
"""Of a text that was written, in the answers and in the tables."""
BYTES_OF_WEIGHT: Final = 4
_STATES: Final = 3
"""Times that a trunk's state is as large as its weights: those, and the optimiser's moments."""
_STEPS: Final = 20
"""Of the training that measures this machine."""


class PlannedCell(Struct, frozen=True):
    """What a cell will cost.

    Parameters
    ----------
    name
        As `--only` takes it.
    run
        The run's folder, in that of the study.
    shape, params
        Of its models; 'parrots' and 0 for the control group.
    models
        Their number.
    cpu_seconds
        Of a core, the corpus included where this cell is the first to need it; None if the machine
        was not measured.
    disk_bytes
        That it will take, the corpus likewise.
    done
        Whether it is there already.
    """

    name: str
    run: str
    shape: str
    params: int
    models: int
    cpu_seconds: float | None
    disk_bytes: int
    done: bool


def plan(study: Study, pace: float | None) -> list[PlannedCell]:
    """Return the cells of a study and what they will cost.

    Parameters
    ----------
    study
        The study.
    pace
        Multiplications a second, as `measure_pace` returns them; None if they are not known.
    """
    cells: list[PlannedCell] = []
    known: set[str] = set()
    for run, place in study.runs:
        texts = _texts(run)
        for cell in cells_of(run, place):
            if cell.name in known:
                continue
            known.add(cell.name)
            first = cell.data.name not in known
            known.add(cell.data.name)
            shape = cell.name.partition("/")[2]
            parrots = shape == "parrots"
            params = 0 if parrots else _params(run, shape)
            models = sum(map(len, PARROTS)) if parrots else len(run.tokens)
            weights = params * BYTES_OF_WEIGHT * (len(run.tokens) + _STATES)
            disk = weights + models * texts * BYTES_OF_ANSWER
            disk += round(first * BYTES_OF_TOKEN * max(run.tokens))
            cost = cell.cost + first * cell.data.cost
            seconds = None if pace is None else round(cost / pace, 1)
            key = f"runs/{run.setting.key}"
            cells.append(
                PlannedCell(cell.name, key, shape, params, models, seconds, disk, cell.done)
            )
    return cells


def _params(run: RunSpec, shape: str) -> int:
    return run.sizes(run.shapes[run.shape_names.index(shape)]).params


def _texts(run: RunSpec) -> int:
    splits = (len(splits_of(k, run.setting.max_k)) for k in run.measure.ks)
    return run.measure.combinations * sum(splits)


def measure_pace() -> float:
    """Return how many multiplications a core of this machine does in a second of training.

    It is measured as trainings run: in a process of its own, with one thread.
    """
    return run_jobs([Job("pace", _pace)], 1)["pace"]


def _pace(_emit: Emit) -> float:
    import torch

    from unparrot.lab.training.model import Llama
    from unparrot.lab.training.optimiser import Optimiser
    from unparrot.lab.training.train import Documents

    run = RunSpec("pace", Setting(), (Shape(width=56, heads=2),), (10_000,), Measure())
    shape, count = run.sizes(run.shapes[0]), run.setting.documents_per_step
    torch.set_flush_denormal(True)
    model = Llama(shape, torch.Generator().manual_seed(1))
    optimiser = Optimiser(model, 1e-3)
    with TemporaryDirectory() as folder:
        write_corpus(source_of(run), Path(folder), 20_000, VALID_START)
        documents = Documents(folder)
        steps: list[float] = []
        while len(steps) < _STEPS:
            began = time.process_time()
            batch = documents.batch(len(steps) * count, count, torch.device("cpu"))
            (model.losses(batch).sum() / len(batch.where)).backward()  # pyright: ignore
            optimiser.step(len(steps), 1.0)
            steps.append(time.process_time() - began)
    # the median, since one that compiles takes a hundred times as long
    return count * shape.cost_of_document / median(steps)
