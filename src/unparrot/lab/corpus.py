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
from itertools import accumulate, count
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write
from unparrot.core.skills import HeldOut, SkillCombination, SkillPack
from unparrot.lab.world.english import EOS, World

ROW: Final = 128
OPEN_ROWS: Final = 48
GAP_SHARE: Final = 0.04
"""Share of tokens before which a document's positions jump ahead by 1 to 16 (assumed; world.md)."""
GAP_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Mixture:
    """What training documents are drawn from.

    Parameters
    ----------
    k_weights
        Weights of k = 1, 2, ...
    exponent
        Skill frequency is proportional to rank ** -exponent; the pack's first skill has rank 1.
    crop
        Share in [0, 1] of the training texts with several clauses that lose their beginning.

    Raises
    ------
    BadInput
        If a weight or the exponent is negative, no weight is positive, or `crop` is no share.
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


class Allowed:
    """What may still be added to a combination, as numbers: sets of skills are bit masks.

    Parameters
    ----------
    pack
        Its order numbers the skills and the topics.
    held_out
        What may not stand together.

    Attributes
    ----------
    everything
        All skills.
    friends
        For each skill those that may stand beside it, as far as pairs go.
    closed
        For each topic the skills that are never shown on it.
    """

    def __init__(self, pack: SkillPack, held_out: HeldOut) -> None:
        skills = {name: i for i, name in enumerate(pack.skill_names)}
        topics = {name: i for i, name in enumerate(pack.topic_names)}
        self.everything = (1 << len(skills)) - 1
        self.friends = [self.everything & ~(1 << i) for i in range(len(skills))]
        self.pairs = sorted((skills[a], skills[b]) for a, b in held_out.pairs)
        for a, b in self.pairs:
            self.friends[a] &= ~(1 << b)
            self.friends[b] &= ~(1 << a)
        self.triples = sorted(tuple(sorted(skills[s] for s in t)) for t in held_out.triples)
        self._triples = frozenset(self.triples)
        self.closed = [0] * len(topics)
        for topic, skill in held_out.cells:
            self.closed[topics[topic]] |= 1 << skills[skill]

    def makes_triple(self, i: int, chosen: Sequence[int]) -> bool:
        """Return whether skill `i` makes a held-out triple with two of the chosen ones."""
        return any(
            tuple(sorted((i, a, b))) in self._triples
            for n, a in enumerate(chosen)
            for b in chosen[:n]
        )


class Source:
    """Documents of a world by index.

    Raises
    ------
    BadInput
        If the mixture asks for more skills than `held_out` lets a training text have.
    """

    def __init__(self, world: World, held_out: HeldOut, mixture: Mixture, seed: int) -> None:
        self.world = world
        self.held_out = held_out
        self.seed = seed
        if len(mixture.k_weights) > held_out.max_k:
            raise BadInput(
                f"k_weights go up to k = {len(mixture.k_weights)}, held out beyond {held_out.max_k}"
            )
        self._names = world.pack.skill_names
        self._topics = world.pack.topic_names
        ranks = range(1, len(self._names) + 1)
        self._weights = list(accumulate(rank**-mixture.exponent for rank in ranks))
        self._ks = list(accumulate(mixture.k_weights))
        self._allowed = Allowed(world.pack, held_out)

    def document(self, index: int) -> Document:
        """Return document `index` (0 or more), the same on every machine."""
        if index < 0:
            raise BadInput(f"a document's index must be at least 0, not {index}")
        uniform = Random((self.seed << 44) + index).random
        combination = self._combination(uniform)
        text = self.world.sample(combination, uniform)
        return Document(combination, text.words, text.nats, text.cloze, text.starts)

    def documents(self, start: int = 0) -> Iterator[Document]:
        """Yield the documents from `start` on, without end."""
        yield from map(self.document, count(start))

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
        allowed = self._allowed.everything & ~self._allowed.closed[topic]
        for _ in range(40 * k):
            i = bisect(self._weights, uniform() * total)
            if allowed >> i & 1 and not self._allowed.makes_triple(i, chosen):
                chosen.append(i)
                allowed &= self._allowed.friends[i]
                if len(chosen) == k:
                    return chosen
        return []


@dataclass(frozen=True, slots=True)
class Packed:
    """How much was written, and the sums that losses are compared with.

    Parameters
    ----------
    documents
        Number of documents.
    tokens, text_tokens
        Tokens in the rows, and those of them that are learnt from (words and <eos>).
    nats
        -log of the true probability of the texts, given the prompts.
    entropy
        The exact expectation of `nats`. Both are of whole texts: compare them with losses only
        where nothing was cropped.
    """

    documents: int
    tokens: int
    text_tokens: int
    nats: float
    entropy: float


_ROW: Final = np.dtype([("tokens", "u2"), ("segment", "u1"), ("position", "u2"), ("loss", "?")])
"""A place of a row; every field becomes a file."""


def write_corpus(
    source: Source,
    folder: Path,
    tokens: int,
    start: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    crop: float = 0.0,
) -> Packed:
    """Pack documents into rows and write them.

    Writes tokens.npy, segment.npy, position.npy, loss.npy (each [rows, 128]; see
    `unparrot.lab.training.train`) and documents.parquet (topic, skills, text).

    Parameters
    ----------
    source
        Where the documents come from.
    folder
        Where the files go.
    tokens
        Number of tokens, prompts included, after which no further document is taken.
    start
        Index of the first document.
    on_progress
        Called every 2,000 documents with the tokens written, and of how many.
    crop
        Share of the texts with several clauses that lose their beginning in the rows;
        documents.parquet holds them whole.

    Returns
    -------
    Packed
        What was written.

    Raises
    ------
    BadInput
        If `tokens` is less than a row, or a document is longer than a row.
    """
    if tokens < ROW:
        raise BadInput(f"a corpus needs at least {ROW} tokens, not {tokens}")
    ids = {token: i for i, token in enumerate(source.world.vocabulary)}
    rows: list[npt.NDArray[np.void]] = []
    open_rows: list[tuple[int, int]] = []  # (room, number), sorted
    made = text_tokens = 0
    nats = entropy = 0.0
    entropies: dict[tuple[str, ...], float] = {}
    kept: list[Document] = []
    for document in source.documents(start):
        if made >= tokens:
            break
        combination, words = document.combination, document.words
        rng = Random((source.seed << 44) + start + len(kept) + (1 << 43))
        kept.append(document)
        cut, learnt = _crop(document, crop, rng)
        prompt = source.world.prompt_tokens(combination)
        body = [ids[token] for token in (*prompt, *words[cut:], EOS)]
        size = len(body)
        if size > ROW:
            raise BadInput(f"a document of {size} tokens does not fit a row of {ROW}: {words}")
        nats += document.nats
        skills = combination.skills  # entropy does not depend on the topic
        if skills not in entropies:
            entropies[skills] = source.world.entropy(combination)
        entropy += entropies[skills]
        made += size
        end_is_learnt = _end_is_learnt(document, crop, cut, source.held_out.max_k)
        text_tokens += len(words) + end_is_learnt - learnt
        at = bisect(open_rows, (size, -1))
        if at == len(open_rows) and len(open_rows) >= OPEN_ROWS:
            open_rows.pop(0)
            at = len(open_rows)
        if at < len(open_rows):
            room, number = open_rows.pop(at)
        else:
            room, number = ROW, len(rows)
            rows.append(np.zeros(ROW, _ROW))
        silent = len(prompt) - 1 + learnt - cut
        _place(rows[number], ROW - room, body, silent, end_is_learnt, rng)
        if room - size > 16:
            insort(open_rows, (room - size, number))
        if on_progress and len(kept) % 2000 == 0:
            on_progress(made, tokens)
    folder.mkdir(parents=True, exist_ok=True)
    packed = np.stack(rows)  # in order of opening: of the documents, but for the filling of gaps
    for name in _ROW.names or ():

        def write(path: Path, array: npt.NDArray[np.generic] = packed[name]) -> None:
            with path.open("wb") as file:
                np.save(file, array, allow_pickle=False)

        atomic_write(folder / f"{name}.npy", write)
    write_documents(folder / "documents.parquet", kept)
    return Packed(len(kept), made, text_tokens, nats, entropy)


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


def _place(
    row: npt.NDArray[np.void], at: int, tokens: list[int], silent: int, end: bool, rng: Random
) -> None:
    """Put a document at place `at` of a row.

    Its first `silent` tokens predict nothing that is learnt; the last but one does if `end`.
    """
    size = len(tokens)
    place = row[at : at + size]
    place["tokens"] = tokens
    place["segment"] = row["segment"].max() + 1
    place["loss"][silent : size - 2 + end] = True
    position = np.arange(size)
    # Geometric jumps: one call of the generator a gap, not one a token.
    gap = 1 + int(rng.expovariate(GAP_SHARE))
    while gap < size:
        position[gap:] += 1 + int(rng.random() * GAP_MAX)
        gap += 1 + int(rng.expovariate(GAP_SHARE))
    place["position"] = position


def write_documents(path: Path, documents: Sequence[Document]) -> None:
    """Write Parquet with the columns topic, skills (list) and text (words joined by spaces)."""
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
    """Return combination and text of the documents of a corpus folder, in order.

    Raises
    ------
    BadInput
        If the folder has no documents.parquet.
    """
    path = folder / "documents.parquet"
    if not path.is_file():
        raise BadInput(f"{path} does not exist; write the corpus there first")
    frame = pl.read_parquet(path)
    return [
        (SkillCombination(topic, tuple(skills)), text)
        for topic, skills, text in frame.select("topic", "skills", "text").iter_rows()
    ]


def digest(folder: Path) -> str:
    """Return the SHA-256 (64 hex digits) of the four files of rows of a corpus."""
    sha = hashlib.sha256()
    for name in ("tokens", "segment", "position", "loss"):
        sha.update((folder / f"{name}.npy").read_bytes())
    return sha.hexdigest()
