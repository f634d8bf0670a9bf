"""The ladder: train every model, one a core; models and parrots write for the same combinations.

Whatever writes is graded by the same exact grader, in the process that wrote it, and comes back as
`GradedText`. What it wrote is kept in the run's folder, so that a run that was killed goes on
without writing it again.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import torch
from msgspec import Struct

from unparrot import __version__
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.machine import available_cores
from unparrot.core.records import atomic_write
from unparrot.core.skills import HeldOut
from unparrot.lab.budget import Budget
from unparrot.lab.cells import Cell, Question, questions
from unparrot.lab.corpus import Document, Source, digest, read_documents
from unparrot.lab.grader.exact import grade
from unparrot.lab.parrots.copiers import ClauseCopier, CopyAndEdit, Weaver, learnt
from unparrot.lab.parrots.infinigram import InfinigramParrot
from unparrot.lab.parrots.neighbour import NeighbourParrot
from unparrot.lab.parrots.ngram import NgramParrot
from unparrot.lab.parrots.parrot import Parrot
from unparrot.lab.parrots.splicer import SpliceParrot
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.forecast import Forecast
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
COST_OF_COPYING: Final = 40_000
"""Of a parrot's text, for each skill and once more, in the units of `TrainSpec.cost`."""
COST_OF_PAGE: Final = 1.5e9
"""Of analysis and page, in the same units."""
_CHUNK: Final = 512


def _ignore(_event: object) -> None:
    """Where nobody wants to know the progress."""


class Stage(NamedTuple):
    """Progress of a stage: what is going on, how much is done of how much, a remark, and the
    seconds to the end of the whole run where they can be estimated."""

    name: str
    done: float
    of: float
    remark: str = ""
    seconds_left: float | None = None


class Progress(NamedTuple):
    """Progress of a job: the share that is done, in [0, 1], and what is going on."""

    share: float
    remark: str = ""


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

    def of(self, model: str) -> Task:
        """Return the task for one trained model, under its name and with its own folder."""
        spec = replace(self.spec, name=model)
        return self._replace(spec=spec, folder=str(Path(self.folder) / model))


class Answers(Struct, frozen=True):
    """What one that was tested wrote, and a model's answers to the cloze questions. They are kept
    on disk: a run that goes on reads them under an equal `key`, which names what was tested."""

    key: str
    texts: list[GradedText]
    cloze: list[Cloze] = []


def run_ladder(
    tasks: Sequence[Task], corpus: str, workers: int | None, on_stage: Callable[[Stage], None]
) -> tuple[list[TrainResult], dict[str, Answers]]:
    """Train and measure all models, and let the parrots write.

    A model is measured as soon as it is trained; what was measured in an earlier run of the same
    folders is read back.

    Parameters
    ----------
    tasks
        One for each shape, smallest first.
    corpus
        Folder that the parrots read; their answers are kept in the folder ``parrots`` beside it.
    workers
        Processes, as in `unparrot.lab.training.sweep.run_jobs`.
    on_stage
        Called with the progress.

    Returns
    -------
    list of TrainResult
        The models, in the order of `tasks` and of their branches.
    dict of str to Answers
        Of every model and parrot, by name.
    """
    cells = tasks[0].cells
    size = sum(1 + question.combination.k for question in questions(cells))
    jobs: list[Job] = []
    for task in tasks:
        spec = task.spec
        jobs.append(Job(spec.name, _train, (spec, task.folder), spec.cost))
        cost = size * (spec.shape.params / 6 + 26_000)
        jobs += [
            Job(branch.name, measure, (task.of(branch.name),), cost, after=spec.name)
            for branch in spec.branches
        ]
    copiers = [parrot for parrot in PARROTS if issubclass(parrot[1], CopyAndEdit)]
    alone = [[parrot] for parrot in PARROTS if parrot not in copiers]
    jobs += [
        Job(some[0][0], measure_parrots, (some, corpus, cells), size * COST_OF_COPYING * len(some))
        for some in [*alone, copiers]
    ]
    at_once = available_cores() if workers is None else max(1, workers)
    forecast = Forecast(jobs, at_once, COST_OF_PAGE)

    def on_event(name: str, event: object) -> None:
        if isinstance(event, Progress):
            forecast.note(name, event.share)
            left = forecast.seconds_left()
            on_stage(Stage("training and testing", forecast.done, 1.0, event.remark, left))

    results = run_jobs(jobs, workers, on_event)
    models: list[TrainResult] = [model for task in tasks for model in results[task.spec.name]]
    answers: dict[str, Answers] = {model.name: results[model.name] for model in models}
    for some in [*alone, copiers]:
        answers |= results[some[0][0]]
    return models, answers


def _train(spec: TrainSpec, folder: str, emit: Emit) -> list[TrainResult]:
    def report(at: TrainProgress) -> None:
        emit(Progress(at.step / at.steps, f"{at.name} learns: {at.loss:.2f} nats a token"))

    models = train(spec, folder, report)
    emit(Progress(1.0, f"{spec.name} is trained"))
    return models


def measure(task: Task, emit: Emit = _ignore) -> Answers:
    """Return what a trained model writes and answers; of an earlier measurement, what it kept."""
    folder = Path(task.folder)
    with (folder / "model.safetensors").open("rb") as weights:
        key = _key(file_digest(weights, "sha256").hexdigest(), task.cells, task.plan.pieces)
    return _kept(
        folder / "answers.msgpack.gz",
        key,
        lambda: Answers(key, write_with_model(task, emit), answer_cloze(task)),
        emit,
    )


def measure_parrots(
    parrots: Sequence[tuple[str, type[Parrot]]],
    corpus: str,
    cells: Sequence[Cell],
    emit: Emit = _ignore,
) -> dict[str, Answers]:
    """Measure parrots one after another, so that copiers learn the grammar of the corpus once."""
    answers: dict[str, Answers] = {}

    def report(event: object) -> None:
        if isinstance(event, Progress):
            emit(event._replace(share=(len(answers) + event.share) / len(parrots)))

    for name, kind in parrots:
        answers[name] = measure_parrot(name, kind, corpus, cells, report)
    learnt.cache_clear()
    return answers


def measure_parrot(
    name: str, kind: type[Parrot], corpus: str, cells: Sequence[Cell], emit: Emit = _ignore
) -> Answers:
    """Return what a parrot writes that has read the corpus; of an earlier test, what it kept."""
    read = Path(corpus)
    key = _key(digest(read), cells, 0)
    return _kept(
        read.parent / "parrots" / f"{name.replace(' ', '-')}.msgpack.gz",
        key,
        lambda: Answers(key, write_with_parrot(name, kind, corpus, cells, emit)),
        emit,
    )


def _key(writer: str, cells: Sequence[Cell], pieces: int) -> str:
    return sha256(repr((__version__, writer, tuple(cells), pieces)).encode()).hexdigest()


def _kept(path: Path, key: str, make: Callable[[], Answers], emit: Emit) -> Answers:
    """The answers of the file if it has this key, else those made now, which it then keeps."""
    answers = None
    if path.exists():
        try:
            answers = msgspec.msgpack.decode(gzip.decompress(path.read_bytes()), type=Answers)
        except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
            raise BadInput(
                f"{path} cannot be read ({error}); delete it, and its texts are written anew"
            ) from error
    if answers is None or answers.key != key:
        emit(Progress(0.0))
        answers = make()
        atomic_write(path, gzip.compress(msgspec.msgpack.encode(answers), 1, mtime=0))
    emit(Progress(1.0))
    return answers


def write_with_model(task: Task, emit: Emit = _ignore) -> list[GradedText]:
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
        emit(_written(name, ordered, len(texts)))
    return texts


def write_with_parrot(
    name: str, kind: type[Parrot], corpus: str, cells: Sequence[Cell], emit: Emit = _ignore
) -> list[GradedText]:
    """Return the graded texts of a parrot that has read the corpus."""
    parrot, world = kind(read_documents(Path(corpus))), World()
    every = questions(cells)
    texts: list[GradedText] = []
    for question in every:
        words = parrot.write(question.combination, world.about(question.combination))
        texts.append(_graded(question, words, name))
        if len(texts) % 50 == 0:
            emit(_written(name, every, len(texts)))
    return texts


def _written(name: str, ordered: Sequence[Question], done: int) -> Progress:
    """Progress after so many texts, which take time as they have skills to show."""
    sizes = [1 + question.combination.k for question in ordered]
    share = sum(sizes[:done]) / sum(sizes)
    return Progress(share, f"{name} writes text {done} of {len(ordered)}")


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
