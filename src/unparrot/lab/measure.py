"""Measuring: every model and parrot writes for the same combinations, under the same grader.

The functions here run in worker processes (`unparrot.lab.training.sweep`), so they take plain values and
folders and return plain values. Texts become `GradedText` records in `unparrot.lab.demo`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

import torch

from unparrot.core.errors import BadInput
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.lab.cells import Cell
from unparrot.lab.corpus import Document, Mixture, Source, read_documents
from unparrot.lab.grader import marks
from unparrot.lab.parrots import NgramParrot, Parrot, SpliceParrot
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Llama, resolve_device
from unparrot.lab.world import EOS, World, WorldSpec

Decoding = Literal["greedy", "t0.7"]
DECODINGS: Final[tuple[Decoding, ...]] = ("greedy", "t0.7")
TEMPERATURE: Final = 0.7
MAX_NEW: Final = 32
"""Tokens a text may have for each skill, and once more: no text of the world is that long."""
_CHUNK: Final = 512


class Written(NamedTuple):
    """A graded answer: which cell and combination, what was written, and the marks.

    `marks`: the skills in the order of the prompt, then topic, sense and length.
    """

    cell: int
    item: int
    decoding: Decoding
    text: str
    marks: tuple[bool, ...]


class Progress(NamedTuple):
    """Where a measurement stands, in texts."""

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


Emit = Callable[[object], None]


def write_with_model(
    name: str,
    checkpoint: str,
    cells: Sequence[Cell],
    decodings: Sequence[Decoding],
    seed: int,
    fields: bool,
    device: str,
    emit: Emit,
) -> list[Written]:
    """Texts of a trained model for all combinations of `cells`.

    Greedy texts do not depend on `seed`. Raises `BadInput` if the model has another vocabulary.
    """
    world = World(WorldSpec(fields))
    model = load_model(Path(checkpoint), resolve_device(device))
    vocabulary = world.vocabulary
    if model.shape.vocab != len(vocabulary):
        raise BadInput(
            f"{checkpoint} has {model.shape.vocab} tokens, this world {len(vocabulary)}; "
            "train it again"
        )
    ids = {token: i for i, token in enumerate(vocabulary)}
    asked = _asked(cells)
    written: list[Written] = []
    for decoding in decodings:
        generator = torch.Generator().manual_seed(seed)
        # Long prompts last, so that a batch holds texts of like length.
        order = sorted(range(len(asked)), key=lambda i: asked[i][2].k)
        for start in range(0, len(order), _CHUNK):
            chunk = [asked[i] for i in order[start : start + _CHUNK]]
            prompts = [[ids[t] for t in world.prompt_tokens(c)] for _, _, c in chunk]
            warm = decoding != "greedy"
            found = generate(
                model,
                prompts,
                MAX_NEW * (1 + max(c.k for _, _, c in chunk)),
                ids[EOS],
                TEMPERATURE if warm else 0.0,
                generator if warm else None,
            )
            for (cell, item, combination), tokens in zip(chunk, found, strict=True):
                text = " ".join(vocabulary[t] for t in tokens)
                written.append(_graded(cell, item, decoding, combination, text))
            emit(Progress(name, len(written), len(asked) * len(decodings)))
    return written


def write_with_parrot(
    name: str,
    kind: Literal["ngram", "splice"],
    corpus: str,
    cells: Sequence[Cell],
    decodings: Sequence[Decoding],
    seed: int,
    emit: Emit,
) -> list[Written]:
    """Texts of a parrot that has read the corpus."""
    documents = read_documents(Path(corpus))
    parrot: Parrot = NgramParrot(documents) if kind == "ngram" else SpliceParrot(documents)
    asked = _asked(cells)
    written: list[Written] = []
    for decoding in decodings:
        for cell, item, combination in asked:
            rng = None if decoding == "greedy" else Random(f"{seed} {cell} {item}")
            text = parrot.write(combination, rng)
            written.append(_graded(cell, item, decoding, combination, text))
            if len(written) % 400 == 0:
                emit(Progress(name, len(written), len(asked) * len(decodings)))
    return written


def answer_cloze(
    checkpoint: str,
    held_out: HeldOut,
    mixture: Mixture,
    seed: int,
    start: int,
    pieces: int,
    fields: bool,
    device: str,
) -> list[Cloze]:
    """Teacher-forced argmax at the cloze positions of fresh documents.

    A cloze question is a word whose meaning the text before it fixes: a copy, a conclusion, a name
    taken up (Arora & Goyal 2023, section 3).
    """
    world = World(WorldSpec(fields))
    source = Source(world, held_out, mixture, seed)
    model = load_model(Path(checkpoint), resolve_device(device))
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    found: list[Cloze] = []
    for begin in range(start, start + pieces, _CHUNK // 4):
        last = min(begin + _CHUNK // 4, start + pieces)
        documents = [source.document(i) for i in range(begin, last)]
        found += _answers(model, world, ids, documents)
    return found


@torch.no_grad()
def _answers(
    model: Llama, world: World, ids: dict[str, int], documents: Sequence[Document]
) -> list[Cloze]:
    rows: list[list[int]] = []
    starts: list[int] = []
    for document in documents:
        prompt = world.prompt_tokens(document.combination)
        rows.append([ids[t] for t in (*prompt, *document.words)])
        starts.append(len(prompt))
    length = max(map(len, rows))
    device = model.embedding.device
    tokens = torch.zeros((len(rows), length), dtype=torch.int64)
    segment = torch.zeros_like(tokens)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row)
        segment[i, : len(row)] = 1
    position = torch.arange(length).expand(len(rows), -1)
    hidden = model(tokens.to(device), position.to(device), segment.to(device))
    best = model.logits(hidden).argmax(-1).cpu()
    found: list[Cloze] = []
    for i, document in enumerate(documents):
        at = torch.tensor(document.cloze, dtype=torch.int64) + starts[i]
        wrong = int((best[i, at - 1] != tokens[i, at]).sum())
        found.append(
            Cloze(document.combination.skills, len(document.words) + 1, len(document.cloze), wrong)
        )
    return found


def _asked(cells: Sequence[Cell]) -> list[tuple[int, int, SkillCombination]]:
    return [
        (c, i, item) for c, cell in enumerate(cells) for i, item in enumerate(cell.combinations)
    ]


def _graded(
    cell: int, item: int, decoding: Decoding, combination: SkillCombination, text: str
) -> Written:
    return Written(cell, item, decoding, text, tuple(marks(combination, text).values()))
