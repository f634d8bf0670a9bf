"""The training corpus: documents drawn from (seed, index), packed whole into rows, and counted.

Document i of seed s is the same on every machine and in every order of making. Training texts show
1 to 4 skills with power-law frequencies and never a held-out pair, triple or (topic, skill) cell,
so what a model has seen is known, not inferred.
"""

from __future__ import annotations

import hashlib
from bisect import bisect, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.lab.world.english import EOS, World

ROW: Final = 128
OPEN_ROWS: Final = 48
GAP_SHARE: Final = 0.04
"""Share of tokens before which a document's positions jump ahead by 1 to 16 (assumed; world.md)."""
GAP_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Mixture:
    """What training documents are drawn from.

    `k_weights`: weights of k = 1, 2, ...; `exponent`: skill frequency is proportional to
    rank ** -exponent, where the pack's first skill has rank 1; `crop`: share in [0, 1] of the
    training texts with several clauses that lose their beginning.
    """

    k_weights: tuple[float, ...] = (0.2, 0.3, 0.35, 0.15)
    exponent: float = 0.5
    crop: float = 0.5

    def __post_init__(self) -> None:
        if not self.k_weights or min(self.k_weights) < 0 or sum(self.k_weights) <= 0:
            raise BadInput(f"k_weights must be non-negative with a positive sum: {self.k_weights}")
        if self.exponent < 0:
            raise BadInput(f"exponent must be at least 0, not {self.exponent}")
        if not 0 <= self.crop <= 1:
            raise BadInput(f"crop must be a share from 0 to 1, not {self.crop}")


class Document(NamedTuple):
    """A training document; `nats` is -log of the probability of its text given the prompt.

    `cloze`: places in `words` of what follows from the text before it; `starts`: where its clauses
    begin.
    """

    combination: SkillCombination
    words: tuple[str, ...]
    nats: float
    cloze: tuple[int, ...]
    starts: tuple[int, ...]


class Source:
    """Documents of a world by index."""

    def __init__(self, world: World, held_out: HeldOut, mixture: Mixture, seed: int) -> None:
        self.world = world
        self.held_out = held_out
        self.mixture = mixture
        self.seed = seed
        names = world.pack.skill_names
        if len(mixture.k_weights) > held_out.max_k:
            raise BadInput(
                f"k_weights go up to k = {len(mixture.k_weights)}, held out beyond {held_out.max_k}"
            )
        self._names = names
        self._topics = world.pack.topic_names
        self._weights = list(
            accumulate((rank + 1) ** -mixture.exponent for rank in range(len(names)))
        )
        self._ks = list(accumulate(mixture.k_weights))
        index = {name: i for i, name in enumerate(names)}
        self._foes: list[set[int]] = [set() for _ in names]
        for a, b in held_out.pairs:
            self._foes[index[a]].add(index[b])
            self._foes[index[b]].add(index[a])
        self._triples = {tuple(sorted(index[s] for s in t)) for t in held_out.triples}
        topics = {name: i for i, name in enumerate(self._topics)}
        self._cells = {(topics[t], index[s]) for t, s in held_out.cells}

    def document(self, index: int) -> Document:
        """Document `index` (0 or more)."""
        if index < 0:
            raise BadInput(f"a document's index must be at least 0, not {index}")
        uniform = Random((self.seed << 44) + index).random
        combination = self._combination(uniform)
        text = self.world.sample(combination, uniform)
        return Document(combination, text.words, text.nats, text.cloze, text.starts)

    def documents(self, start: int = 0) -> Iterator[Document]:
        """Documents from `start` on, without end."""
        while True:
            yield self.document(start)
            start += 1

    def _combination(self, uniform: Callable[[], float]) -> SkillCombination:
        k = bisect(self._ks, uniform() * self._ks[-1]) + 1
        while True:
            topic = int(uniform() * len(self._topics))
            chosen = self._skills(k, topic, uniform)
            if chosen:
                names = tuple(self._names[i] for i in chosen)
                return SkillCombination(self._topics[topic], names)

    def _skills(self, k: int, topic: int, uniform: Callable[[], float]) -> list[int]:
        """k skills one after another, each compatible with those before; empty after a dead end."""
        chosen: list[int] = []
        total = self._weights[-1]
        for _ in range(40 * k):
            i = bisect(self._weights, uniform() * total)
            if i in chosen or (topic, i) in self._cells or not self._foes[i].isdisjoint(chosen):
                continue
            if len(chosen) > 1 and self._has_triple(i, chosen):
                continue
            chosen.append(i)
            if len(chosen) == k:
                return chosen
        return []

    def _has_triple(self, i: int, chosen: Sequence[int]) -> bool:
        triples = self._triples
        return any(
            tuple(sorted((i, a, b))) in triples for n, a in enumerate(chosen) for b in chosen[:n]
        )


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written: the documents in order, and the sums that losses are compared with."""

    documents: int
    tokens: int
    text_tokens: int
    nats: float
    entropy: float


class _Row:
    __slots__ = ("loss", "position", "segment", "segments", "tokens")

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.segment: list[int] = []
        self.position: list[int] = []
        self.loss: list[bool] = []
        self.segments = 0


def write_corpus(
    source: Source,
    folder: Path,
    tokens: int,
    start: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    crop: float = 0.0,
) -> Packed:
    """Pack documents from `start` on until `tokens` tokens (prompts included) are in `folder`.

    Writes tokens.npy, segment.npy, position.npy, loss.npy (see `unparrot.lab.training.train`) and
    documents.parquet (topic, skills, text). `crop`: share of the texts with several clauses that
    lose their beginning in the rows (see `_crop`); documents.parquet holds them whole. In `Packed`,
    `tokens` and `text_tokens` count what lies in the rows and what of it is learnt from (words and
    <eos>); `nats`, -log of the true probability of the texts, and `entropy`, its exact expectation
    given the prompts, are of whole texts, so compare them with losses only if `crop` is 0.
    """
    if tokens < ROW:
        raise BadInput(f"a corpus needs at least {ROW} tokens, not {tokens}")
    ids = {token: i for i, token in enumerate(source.world.vocabulary)}
    rows: list[_Row] = []
    open_rows: list[tuple[int, int, _Row]] = []  # (room, number, row), sorted by room
    made = text_tokens = count = 0
    nats = entropy = 0.0
    entropies: dict[tuple[str, ...], float] = {}
    kept: list[Document] = []
    for document in source.documents(start):
        if made >= tokens:
            break
        combination, words, cost = document[:3]
        kept.append(document)
        rng = Random((source.seed << 44) + start + count + (1 << 43))
        prompt = [ids[t] for t in source.world.prompt_tokens(combination)]
        cut, learnt = _crop(document, crop, rng)
        body = [ids[w] for w in words[cut:]]
        body.append(ids[EOS])
        silent = len(prompt) - 1 + learnt - cut
        size = len(prompt) + len(body)
        if size > ROW:
            raise BadInput(f"a document of {size} tokens does not fit a row of {ROW}: {words}")
        nats += cost
        skills = combination.skills  # entropy does not depend on the topic
        if skills not in entropies:
            entropies[skills] = source.world.entropy(combination)
        entropy += entropies[skills]
        made += size
        text_tokens += len(words) + 1 - learnt
        at = bisect(open_rows, (size, -1))
        if at == len(open_rows) and len(open_rows) >= OPEN_ROWS:
            open_rows.pop(0)
            at = len(open_rows)
        if at < len(open_rows):
            room, number, row = open_rows.pop(at)
        else:
            room, number, row = ROW, len(rows), _Row()
            rows.append(row)
        _place(row, prompt + body, silent, rng)
        if not _end_is_learnt(document, crop, cut, source.held_out.max_k):
            row.loss[-2] = False
            text_tokens -= 1
        if room - size > 16:
            insort(open_rows, (room - size, number, row))
        count += 1
        if on_progress and count % 2000 == 0:
            on_progress(made, tokens)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, rows)
    write_documents(folder / "documents.parquet", kept)
    return Packed(count, made, text_tokens, nats, entropy)


def _crop(document: Document, share: float, rng: Random) -> tuple[int, int]:
    """Words to leave out at the beginning of a text, and words not to learn from.

    A share of the texts that have several clauses loses the first one or more of them, and the
    first clause that is left is only read. So the number of clauses in sight says nothing about
    when a text ends: what does, with any number of skills, is which skills of the prompt are still
    to come.
    """
    clauses = len(document.starts)
    if clauses < 2 or rng.random() >= share:
        return 0, 0
    first = 1 + int(rng.random() * (clauses - 1))
    ends = (*document.starts, len(document.words))
    return ends[first], ends[first + 1]


def _end_is_learnt(document: Document, crop: float, cut: int, max_k: int) -> bool:
    """False for the whole texts of a cropped corpus that have the most clauses of all.

    That a text ends after so many clauses is true in training alone; the others teach when it does.
    """
    return crop == 0 or cut > 0 or len(document.starts) < max_k


def _place(row: _Row, tokens: list[int], silent: int, rng: Random) -> None:
    """Append a document to a row; its first `silent` tokens predict nothing that is learnt."""
    size = len(tokens)
    row.segments += 1
    row.tokens += tokens
    row.segment += [row.segments] * size
    row.loss += [False] * silent
    row.loss += [True] * (size - 1 - silent)
    row.loss.append(False)
    steps = [1] * size
    steps[0] = 0
    # Geometric jumps: one call of the generator a gap, not one a token.
    at = 1 + int(rng.expovariate(GAP_SHARE))
    while at < size:
        steps[at] += 1 + int(rng.random() * GAP_MAX)
        at += 1 + int(rng.expovariate(GAP_SHARE))
    row.position += accumulate(steps)


def _write(folder: Path, rows: Sequence[_Row]) -> None:
    """In order of opening, which is the order of the documents but for the filling of gaps."""
    fields: tuple[tuple[str, npt.DTypeLike], ...] = (
        ("tokens", np.uint16),
        ("segment", np.uint8),
        ("position", np.uint16),
        ("loss", np.bool_),
    )
    for name, dtype in fields:
        array = np.zeros((len(rows), ROW), dtype=dtype)
        for i, row in enumerate(rows):
            values: list[int] | list[bool] = getattr(row, name)
            array[i, : len(values)] = values

        def write(path: Path, array: npt.NDArray[np.generic] = array) -> None:
            with path.open("wb") as file:
                np.save(file, array, allow_pickle=False)

        atomic_write(folder / f"{name}.npy", write)


def write_documents(path: Path, documents: Sequence[Document]) -> None:
    """Parquet with the columns topic, skills (list) and text (words joined by spaces)."""
    frame = pl.DataFrame(
        {
            "topic": [d.combination.topic for d in documents],
            "skills": [list(d.combination.skills) for d in documents],
            "text": [" ".join(d.words) for d in documents],
        },
        schema={"topic": pl.String, "skills": pl.List(pl.String), "text": pl.String},
    )
    atomic_write(path, frame.write_parquet)


def read_documents(folder: Path) -> list[tuple[SkillCombination, str]]:
    """The documents of a corpus folder, in order: combination and text."""
    path = folder / "documents.parquet"
    if not path.is_file():
        raise BadInput(f"{path} does not exist; write the corpus there first")
    frame = pl.read_parquet(path)
    return [
        (SkillCombination(topic, tuple(skills)), text)
        for topic, skills, text in frame.select("topic", "skills", "text").iter_rows()
    ]


def digest(folder: Path) -> str:
    """SHA-256 of a corpus's rows."""
    sha = hashlib.sha256()
    for name in ("tokens", "segment", "position", "loss"):
        sha.update((folder / f"{name}.npy").read_bytes())
    return sha.hexdigest()
