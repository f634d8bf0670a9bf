"""The test of what was trained, and of parrots: they write for the same combinations.

Whatever writes is graded by the same exact grader, in the process that wrote it. Its `Answers` are
kept beside it, so that a run that was killed goes on without writing them again.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import torch
from msgspec import Struct

from unparrot import __version__
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.records import atomic_write
from unparrot.lab.cells import Cell, Question, questions
from unparrot.lab.corpus import Document, Source, digest, read_documents
from unparrot.lab.grader.exact import grade
from unparrot.lab.parrots.copiers import ClauseCopier, CopyAndEdit, Weaver, learnt
from unparrot.lab.parrots.infinigram import InfinigramParrot
from unparrot.lab.parrots.neighbour import NeighbourParrot
from unparrot.lab.parrots.ngram import NgramParrot
from unparrot.lab.parrots.parrot import Parrot, parrot_file
from unparrot.lab.parrots.splicer import SpliceParrot
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.forecast import Progress
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Llama, resolve_device
from unparrot.lab.training.sweep import Emit
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
_CHUNK: Final = 512


def _ignore(_event: object) -> None:
    """Where nobody wants to know the progress."""


class Cloze(NamedTuple):
    """A held-out piece: its tokens (words, marks and its end), its cloze questions, and how many of
    them were answered wrongly."""

    skills: tuple[str, ...]
    tokens: int
    questions: int
    wrong: int


class Answers(Struct, frozen=True):
    """What one that was tested wrote, and a model's answers to the cloze questions. They are kept
    on disk: a run that goes on reads them under an equal `key`, which names what was tested."""

    key: str
    texts: list[GradedText]
    cloze: list[Cloze] = []


def measure(
    checkpoint: Path,
    cells: Sequence[Cell],
    source: Source,
    pieces: int,
    device: str = "cpu",
    emit: Emit = _ignore,
) -> Answers:
    """Return what a trained model writes and answers; of an earlier measurement, what it kept.

    Parameters
    ----------
    checkpoint
        Folder of the model, whose name it has.
    cells
        What is asked.
    source, pieces
        Of the documents for the cloze questions, and their number.
    device, emit
        Where the model runs, and what is called with the progress.
    """
    with (checkpoint / "model.safetensors").open("rb") as weights:
        key = _key(file_digest(weights, "sha256").hexdigest(), cells, pieces)

    def answers() -> Answers:
        texts = write_with_model(checkpoint, cells, device, emit)
        return Answers(key, texts, answer_cloze(checkpoint, source, pieces, device))

    return _kept(answers_of(checkpoint), key, answers, emit)


def answers_of(checkpoint: Path) -> Path:
    """The file that keeps the answers of a model."""
    return checkpoint / "answers.msgpack.gz"


def answers_of_parrot(data: Path, name: str) -> Path:
    """The file that keeps the answers of a parrot that has read the corpus in a folder of data."""
    return parrot_file(data, name, ".msgpack.gz")


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
        answers_of_parrot(read.parent, name),
        key,
        lambda: Answers(key, write_with_parrot(name, kind, corpus, cells, emit)),
        emit,
    )


def _key(writer: str, cells: Sequence[Cell], pieces: int) -> str:
    return sha256(repr((__version__, writer, tuple(cells), pieces)).encode()).hexdigest()


def _kept(path: Path, key: str, make: Callable[[], Answers], emit: Emit) -> Answers:
    """The answers of the file if it has this key, else those made now, which it then keeps."""
    answers = read_answers(path) if path.exists() else None
    if answers is None or answers.key != key:
        emit(Progress(0.0))
        answers = make()
        atomic_write(path, gzip.compress(msgspec.msgpack.encode(answers), 1, mtime=0))
    emit(Progress(1.0))
    return answers


def read_answers(path: Path) -> Answers:
    """Read answers that were kept.

    Raises
    ------
    BadInput
        If they cannot be read.
    """
    try:
        return msgspec.msgpack.decode(gzip.decompress(path.read_bytes()), type=Answers)
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise BadInput(
            f"{path} cannot be read ({error}); delete it, and its texts are written anew"
        ) from error


def write_with_model(
    checkpoint: Path, cells: Sequence[Cell], device: str = "cpu", emit: Emit = _ignore
) -> list[GradedText]:
    """Return the graded texts of a trained model for every combination of the cells.

    Raises
    ------
    BadInput
        If the model has another vocabulary than the world.
    """
    world = World()
    name, vocabulary = checkpoint.name, world.vocabulary
    model = load_model(checkpoint, resolve_device(device))
    if model.shape.vocab != len(vocabulary):
        raise BadInput(
            f"{checkpoint} has {model.shape.vocab} tokens, this world {len(vocabulary)}; "
            "train it again"
        )
    ids = {token: i for i, token in enumerate(vocabulary)}
    # Long prompts last, so that a batch holds texts of like length.
    ordered = sorted(questions(cells), key=lambda question: question.combination.k)
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


def answer_cloze(checkpoint: Path, source: Source, pieces: int, device: str = "cpu") -> list[Cloze]:
    """Return teacher-forced argmax answers at the cloze positions of fresh documents.

    A cloze question is a word whose meaning the text before it fixes: a copy, a conclusion, a name
    taken up (Arora & Goyal 2023, section 3). The documents are those from `CLOZE_START` on.
    """
    world = World()
    model = load_model(checkpoint, resolve_device(device))
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    answers: list[Cloze] = []
    end = CLOZE_START + pieces
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
