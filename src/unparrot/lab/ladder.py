"""The ladder: train every model, one a core; models and parrots write for the same combinations.

Small models are measured as soon as they are trained, while the largest still learns; its own texts
are then shared out among all cores. Whatever writes is graded by the same exact grader, in the
process that wrote it, and comes back as `GradedText`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import torch

from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.skills import HeldOut
from unparrot.lab.budget import Budget
from unparrot.lab.cells import Cell, Question, questions
from unparrot.lab.corpus import Document, Source, read_documents
from unparrot.lab.grader.exact import grade
from unparrot.lab.parrots.copiers import ClauseCopier, CopyAndEdit, Weaver
from unparrot.lab.parrots.infinigram import InfinigramParrot
from unparrot.lab.parrots.neighbour import NeighbourParrot
from unparrot.lab.parrots.ngram import NgramParrot
from unparrot.lab.parrots.parrot import Parrot
from unparrot.lab.parrots.splicer import SpliceParrot
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Llama, resolve_device
from unparrot.lab.training.sweep import Emit, Job, run_jobs
from unparrot.lab.training.train import TrainProgress, TrainResult, TrainSpec, train
from unparrot.lab.world.english import EOS, World, pretty

DECODING: Final = "greedy"
"""How all texts of the lab are written: the likeliest word, and the next."""
MAX_NEW: Final = 32
"""Tokens a text may have for each skill, and once more: no text of the world is that long."""
CLOZE_START: Final = 1 << 41
"""Index of the first document for the cloze questions; no corpus gets there."""
PARROTS: Final[tuple[tuple[str, type[Parrot]], ...]] = (
    ("n-gram", NgramParrot),
    ("infinite-gram", InfinigramParrot),
    ("nearest neighbour", NeighbourParrot),
    ("sentence splicer", SpliceParrot),
    ("clause copier", ClauseCopier),
    ("weaver", Weaver),
    ("copy-and-edit", CopyAndEdit),
)
"""From what repeats most to what changes most."""
COST_OF_A_PARROT: Final = 8e9
"""In the units of `TrainSpec.cost`: what the slowest take, those that search."""
_CHUNK: Final = 512


class Stage(NamedTuple):
    """Progress of a stage: what is going on, how much is done of how much, a remark, and the
    seconds left where they can be estimated."""

    name: str
    done: float
    of: float
    remark: str = ""
    seconds_left: float | None = None


class Progress(NamedTuple):
    """Progress of a measurement, in texts."""

    name: str
    done: int
    of: int


class Cloze(NamedTuple):
    """A held-out piece: its tokens (words, marks and its end), its cloze questions, and how many of
    them were answered wrongly."""

    skills: tuple[str, ...]
    tokens: int
    questions: int
    wrong: int


class Task(NamedTuple):
    """What a worker needs to train and measure the models of one shape; `folder` is that in which
    each of them has its checkpoint. `of` gives the task to measure one of them."""

    spec: TrainSpec
    folder: str
    cells: tuple[Cell, ...]
    held_out: HeldOut
    plan: Budget
    seed: int

    def of(self, result: TrainResult) -> Task:
        """Return the task for one trained model, under its name and with its own folder."""
        return self._replace(spec=replace(self.spec, name=result.name), folder=result.folder)


class Trained(NamedTuple):
    """A trained model, what it wrote, and its answers to the cloze questions."""

    result: TrainResult
    texts: list[GradedText]
    cloze: list[Cloze]


def run_ladder(
    tasks: Sequence[Task],
    corpus: str,
    workers: int | None,
    on_stage: Callable[[Stage], None],
) -> tuple[list[Trained], dict[str, list[GradedText]]]:
    """Train and measure all models, and let the parrots write.

    Parameters
    ----------
    tasks
        One for each shape, smallest first.
    corpus
        Folder that the parrots read.
    workers
        Processes, as in `unparrot.lab.training.sweep.run_jobs`.
    on_stage
        Called with the progress.

    Returns
    -------
    list of Trained
        The models, in the order of `tasks` and of their branches.
    dict of str to list of GradedText
        The parrots' texts by name.
    """
    costs = {task.spec.name: task.spec.cost for task in tasks}
    total = sum(costs.values())
    began = time.monotonic()
    first: dict[str, float] = {}  # shares that an earlier process had done
    reached: dict[str, float] = {}
    waits: dict[str, float] = {}  # seconds that each training still takes, by its own speed

    def on_event(name: str, event: object) -> None:
        remark = ""
        if isinstance(event, Progress):
            remark = f"{event.name} writes text {event.done} of {event.of}"
        elif isinstance(event, TrainProgress):
            first.setdefault(name, (event.step - 1) / event.steps)
            reached[name] = event.step / event.steps
            waits[name] = event.seconds_left
            remark = f"{name} learns: {event.loss:.2f} nats a token"
        done = sum(costs[n] * share for n, share in reached.items())
        here = done - sum(costs[n] * share for n, share in first.items())
        left = None
        if here > 0:
            left = max(*waits.values(), (time.monotonic() - began) * (total - done) / here)
        on_stage(Stage("training the ladder", done / total, 1.0, remark, left))

    *small, largest = tasks
    spec, cells = largest.spec, largest.cells
    jobs = [
        *(Job(t.spec.name, _train_and_measure, (t,), t.spec.cost) for t in small),
        Job(spec.name, train, (spec, largest.folder), spec.cost),
        *(
            Job(name, write_with_parrot, (name, kind, corpus, cells), COST_OF_A_PARROT)
            for name, kind in reversed(PARROTS)  # those that search first
        ),
    ]
    results = run_jobs(jobs, workers, on_event)
    models: list[TrainResult] = results[spec.name]
    parts = [Job(model.name, _measure, (model, largest.of(model))) for model in models]
    written: dict[str, int] = {}
    began_testing = time.monotonic()

    def on_text(name: str, event: object) -> None:
        if isinstance(event, Progress):
            written[name] = event.done
            done, of = sum(written.values()), event.of * len(parts)
            left = (time.monotonic() - began_testing) * (of - done) / done
            on_stage(Stage("testing the largest models", done, of, "texts", left))

    measured = run_jobs(parts, workers, on_text)
    trained: list[Trained] = [model for task in small for model in results[task.spec.name]]
    trained += [measured[model.name] for model in models]
    return trained, {name: results[name] for name, _ in PARROTS}


def _train_and_measure(task: Task, emit: Emit) -> list[Trained]:
    return [_measure(model, task.of(model), emit) for model in train(task.spec, task.folder, emit)]


def _measure(model: TrainResult, task: Task, emit: Emit) -> Trained:
    return Trained(model, write_with_model(task, emit), answer_cloze(task))


def write_with_model(task: Task, emit: Emit = lambda _: None) -> list[GradedText]:
    """Return the graded texts of a trained model for every combination of the task's cells.

    Raises
    ------
    BadInput
        If the model has another vocabulary than the world.
    """
    world = World()
    name, vocabulary = task.spec.name, world.vocabulary
    model = load_model(Path(task.folder), resolve_device(task.spec.device))
    if model.shape.vocab != len(vocabulary):
        raise BadInput(
            f"{task.folder} has {model.shape.vocab} tokens, this world {len(vocabulary)}; "
            "train it again"
        )
    ids = {token: i for i, token in enumerate(vocabulary)}
    # Long prompts last, so that a batch holds texts of like length.
    ordered = sorted(questions(task.cells), key=lambda question: question.combination.k)
    texts: list[GradedText] = []
    for start in range(0, len(ordered), _CHUNK):
        chunk = ordered[start : start + _CHUNK]
        written = generate(
            model,
            [[ids[t] for t in world.prompt_tokens(q.combination)] for q in chunk],
            MAX_NEW * (1 + max(q.combination.k for q in chunk)),
            ids[EOS],
        )
        for question, tokens in zip(chunk, written, strict=True):
            words = " ".join(vocabulary[t] for t in tokens)
            texts.append(_graded(question, words, name))
        emit(Progress(name, len(texts), len(ordered)))
    return texts


def write_with_parrot(
    name: str,
    kind: type[Parrot],
    corpus: str,
    cells: Sequence[Cell],
    emit: Emit = lambda _: None,
) -> list[GradedText]:
    """Return the graded texts of a parrot that has read the corpus."""
    parrot, world = kind(read_documents(Path(corpus))), World()
    every = questions(cells)
    texts: list[GradedText] = []
    for question in every:
        words = parrot.write(question.combination, world.about(question.combination), None)
        texts.append(_graded(question, words, name))
        if len(texts) % 200 == 0:
            emit(Progress(name, len(texts), len(every)))
    return texts


def _graded(question: Question, words: str, model: str) -> GradedText:
    """Grade words as they were written; the record has them as people write."""
    return GradedText(
        combination=question.combination,
        text=pretty(words.split()),
        marks=grade(question.combination, World().about(question.combination), words),
        model=model,
        split=question.split,
        decoding=DECODING,
        sample=0,
        trained_count=question.trained_count,
    )


def answer_cloze(task: Task) -> list[Cloze]:
    """Return teacher-forced argmax answers at the cloze positions of fresh documents.

    A cloze question is a word whose meaning the text before it fixes: a copy, a conclusion, a name
    taken up (Arora & Goyal 2023, section 3). The documents are the task's `Budget.pieces` from
    `CLOZE_START` on.
    """
    plan, world = task.plan, World()
    source = Source(world, task.held_out, plan.mixture, task.seed)
    model = load_model(Path(task.folder), resolve_device(task.spec.device))
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    answers: list[Cloze] = []
    end = CLOZE_START + plan.pieces
    for begin in range(CLOZE_START, end, _CHUNK // 4):
        documents = [source.document(i, True) for i in range(begin, min(begin + _CHUNK // 4, end))]
        answers += _answers(model, world, ids, documents)
    return answers


@torch.no_grad()
def _answers(
    model: Llama, world: World, ids: dict[str, int], documents: Sequence[Document]
) -> list[Cloze]:
    tokens: list[int] = []
    starts, texts = [0], list[int]()  # where documents begin, and their texts
    for document in documents:
        prompt = world.prompt_tokens(document.combination, document.situation)
        texts.append(len(tokens) + len(prompt))
        tokens += [ids[t] for t in (*prompt, *document.text.words)]
        starts.append(len(tokens))
    device = model.embedding.device
    read = torch.tensor(tokens)
    hidden = model(read.to(device), torch.tensor(starts, device=device))
    best = model.logits(hidden).argmax(-1).cpu()
    answers: list[Cloze] = []
    for i, document in enumerate(documents):
        text = document.text
        at = torch.tensor(text.cloze, dtype=torch.int64) + texts[i]
        wrong = int((best[at - 1] != read[at]).sum())
        answers.append(
            Cloze(document.combination.skills, len(text.words) + 1, len(text.cloze), wrong)
        )
    return answers
