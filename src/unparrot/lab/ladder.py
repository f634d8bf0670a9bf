"""The ladder: train every model, one a core; models and parrots write for the same combinations.

Small models are measured as soon as they are trained, while the largest still learns; its own texts
are then shared out among all cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

from unparrot.core.skills import HeldOut
from unparrot.lab.budget import Budget
from unparrot.lab.cells import Cell
from unparrot.lab.measure import (
    DECODINGS,
    Cloze,
    Decoding,
    Emit,
    Progress,
    Written,
    answer_cloze,
    write_with_model,
    write_with_parrot,
)
from unparrot.lab.training.sweep import Job, run_jobs, train_cost
from unparrot.lab.training.train import TrainProgress, TrainResult, TrainSpec, train

CLOZE_START: Final = 1 << 41
"""Index of the first document for the cloze questions; no corpus gets there."""
PARROTS: Final[tuple[tuple[str, Literal["ngram", "splice"]], ...]] = (
    ("n-gram", "ngram"),
    ("splice", "splice"),
)


class Stage(NamedTuple):
    """Progress of a stage: what is going on, how much is done of how much, and a remark."""

    name: str
    done: float
    of: float
    remark: str = ""


class Task(NamedTuple):
    """What a worker needs to train and measure one model."""

    spec: TrainSpec
    folder: str
    cells: tuple[Cell, ...]
    held_out: HeldOut
    plan: Budget
    seed: int


class Trained(NamedTuple):
    """A trained model, what it wrote, and its answers to the cloze questions."""

    result: TrainResult
    written: list[Written]
    cloze: list[Cloze]


def run_ladder(
    tasks: Sequence[Task],
    corpus: str,
    workers: int | None,
    on_stage: Callable[[Stage], None],
) -> tuple[list[Trained], dict[str, list[Written]]]:
    """Train and measure all `tasks` (smallest model first); parrots read the corpus folder.

    Returns the models in order, and the parrots' texts by name. `workers` as in `sweep.run_jobs`.
    """
    costs = {task.spec.name: train_cost(task.spec) for task in tasks}
    total = sum(costs.values())
    reached = dict.fromkeys(costs, 0.0)

    def on_event(name: str, event: object) -> None:
        remark = ""
        if isinstance(event, Progress):
            remark = f"{name} writes text {event.done} of {event.of}"
        elif isinstance(event, TrainProgress):
            reached[name] = event.step / event.steps
            remark = f"{name} learns: {event.loss:.2f} nats a token"
        done = sum(costs[n] * reached[n] for n in costs) / total
        on_stage(Stage("training the ladder", done, 1.0, remark))

    *small, largest = tasks
    jobs = [Job(t.spec.name, _train_and_measure, (t,), costs[t.spec.name]) for t in small]
    jobs.append(
        Job(largest.spec.name, train, (largest.spec, largest.folder), costs[largest.spec.name])
    )
    cells, seed = largest.cells, largest.seed
    jobs += [
        Job(name, write_with_parrot, (name, kind, corpus, cells, DECODINGS, seed), 0.0)
        for name, kind in PARROTS
    ]
    results = run_jobs(jobs, workers, on_event)
    halves = [Job(decoding, _measure, (largest, decoding)) for decoding in DECODINGS]
    done: dict[str, int] = {}

    def on_text(name: str, event: object) -> None:
        if isinstance(event, Progress):
            done[name] = event.done
            of = event.of * len(halves)
            on_stage(Stage("testing the largest model", sum(done.values()), of, "texts"))

    parts = run_jobs(halves, workers, on_text)
    trained: list[Trained] = [results[task.spec.name] for task in small]
    written = [w for job in halves for w in parts[job.name][0]]
    cloze = [c for job in halves for c in parts[job.name][1]]
    trained.append(Trained(results[largest.spec.name], written, cloze))
    return trained, {name: results[name] for name, _ in PARROTS}


def _train_and_measure(task: Task, emit: Emit) -> Trained:
    result = train(task.spec, task.folder, emit)
    written: list[Written] = []
    cloze: list[Cloze] = []
    for decoding in DECODINGS:
        texts, answers = _measure(task, decoding, emit)
        written += texts
        cloze += answers
    return Trained(result, written, cloze)


def _measure(task: Task, decoding: Decoding, emit: Emit) -> tuple[list[Written], list[Cloze]]:
    """Texts in one decoding; the cloze questions, which have none, go with the greedy ones."""
    spec, plan = task.spec, task.plan
    written = write_with_model(
        spec.name, task.folder, task.cells, (decoding,), task.seed, plan.fields, spec.device, emit
    )
    if decoding != DECODINGS[0]:
        return written, []
    cloze = answer_cloze(
        task.folder,
        task.held_out,
        plan.mixture,
        task.seed,
        CLOZE_START,
        plan.pieces,
        plan.fields,
        spec.device,
    )
    return written, cloze
