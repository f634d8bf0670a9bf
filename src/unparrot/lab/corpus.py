"""The training corpus: documents drawn from (seed, index), written one after another, and counted.

Document i of seed s is the same on every machine and in every order of making. Training texts show
1 to 8 skills with power-law frequencies and never a held-out pair, triple or (topic, skill) cell,
so what a model has seen is known, not inferred.
"""

import hashlib
from array import array
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, count, permutations
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write
from unparrot.core.skills import HeldOut, SkillCombination, SkillPack
from unparrot.lab.world.english import EOS, Sampled, Situation, World

FILES: Final = ("tokens", "starts", "prompts", "nats")
"""The arrays of a corpus folder, each a .npy file; see `write_corpus`."""
CURRICULUM_K: Final = 2
"""The most skills that a document of a curriculum shows."""
_TRIES: Final = 20_000
"""Draws of a combination before a world is said to have none."""
_CHUNK: Final = 10_000
"""Documents that become a table at a time: a column takes a tenth of the memory of objects."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What training documents are drawn from.

    Parameters
    ----------
    k_weights
        Weights of k = 1, 2, ...
    exponent
        Skill frequency is proportional to rank ** -exponent; the pack's first skill has rank 1.
    curriculum
        So many documents come first that show one or two skills only (Bengio et al. 2009,
        Curriculum learning).

    Raises
    ------
    BadInput
        If a number is negative, no weight is positive, or none of those that a curriculum needs.
    """

    k_weights: tuple[float, ...] = (0.10, 0.12, 0.14, 0.14, 0.14, 0.13, 0.12, 0.11)
    exponent: float = 0.3
    curriculum: int = 0

    def __post_init__(self) -> None:
        if not self.k_weights or min(self.k_weights) < 0 or sum(self.k_weights) <= 0:
            raise BadInput(f"k_weights must be non-negative with a positive sum: {self.k_weights}")
        for name in ("exponent", "curriculum"):
            if getattr(self, name) < 0:
                raise BadInput(f"{name} must be at least 0, not {getattr(self, name)}")
        if self.curriculum and not sum(self.k_weights[:CURRICULUM_K]):
            raise BadInput(
                f"a curriculum of {self.curriculum} documents has texts of one or two skills, "
                f"whose k_weights are 0 here: {self.k_weights}"
            )


class Document(NamedTuple):
    """A training document: what was asked for, and the text as the world draws it."""

    combination: SkillCombination
    situation: Situation
    text: Sampled


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
    pairs, triples
        What is held out, as numbers of skills.
    closed
        For each topic the skills that are never shown on it.
    """

    def __init__(self, pack: SkillPack, held_out: HeldOut) -> None:
        skills = {name: i for i, name in enumerate(pack.skill_names)}
        topics = {name: i for i, name in enumerate(pack.topic_names)}
        self.everything = (1 << len(skills)) - 1
        self.pairs = sorted((skills[a], skills[b]) for a, b in held_out.pairs)
        self.triples = sorted(tuple(sorted(skills[s] for s in t)) for t in held_out.triples)
        self.closed = [0] * len(topics)
        for topic, skill in held_out.cells:
            self.closed[topics[topic]] |= 1 << skills[skill]
        self._friends = [self.everything & ~(1 << i) for i in range(len(skills))]
        for a, b in self.pairs:
            self._friends[a] &= ~(1 << b)
            self._friends[b] &= ~(1 << a)
        # For two skills, in both orders, those that make a triple with them.
        self._thirds = [[0] * len(skills) for _ in skills]
        for triple in self.triples:
            for a, b, c in permutations(triple):
                self._thirds[a][b] |= 1 << c

    def beside(self, i: int, chosen: Sequence[int]) -> int:
        """Return the skills that may stand beside skill `i` in a text that has the chosen ones."""
        mask = self._friends[i]
        thirds = self._thirds[i]
        for other in chosen:
            mask &= ~thirds[other]
        return mask


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
        self._curriculum = mixture.curriculum
        self._allowed = Allowed(world.pack, held_out)

    def document(self, index: int, cloze: bool = False) -> Document:
        """Return document `index` (0 or more), the same on every machine; see `World.sample`.

        Raises
        ------
        BadInput
            If the index is negative, or so much is held out that no combination is left.
        """
        if index < 0:
            raise BadInput(f"a document's index must be at least 0, not {index}")
        uniform = Random((self.seed << 44) + index).random
        ks = self._ks[:CURRICULUM_K] if index < self._curriculum else self._ks
        combination = self._combination(ks, uniform)
        situation = self.world.draw_situation(combination.topic, uniform)
        text = self.world.sample(combination, uniform, situation, cloze)
        return Document(combination, situation, text)

    def documents(self, start: int = 0) -> Iterator[Document]:
        """Yield the documents from `start` on, without end."""
        yield from map(self.document, count(start))

    def _combination(self, ks: list[float], uniform: Callable[[], float]) -> SkillCombination:
        k = bisect(ks, uniform() * ks[-1]) + 1
        for _ in range(_TRIES):
            topic = int(uniform() * len(self._topics))
            chosen = self._skills(k, topic, uniform)
            if chosen:
                names = tuple(self._names[i] for i in chosen)
                return SkillCombination(self._topics[topic], names)
        raise BadInput(
            f"{_TRIES} draws of {k} skills all had a pair, triple or cell that is held out; "
            "hold out smaller shares, or train on fewer skills at once"
        )

    def _skills(self, k: int, topic: int, uniform: Callable[[], float]) -> list[int]:
        """k skills one after another, each compatible with those before; empty after a dead end."""
        chosen: list[int] = []
        total = self._weights[-1]
        allowed = self._allowed.everything & ~self._allowed.closed[topic]
        while allowed:
            i = bisect(self._weights, uniform() * total)
            if allowed >> i & 1:
                allowed &= self._allowed.beside(i, chosen)
                chosen.append(i)
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
        Tokens in all, and those of them that are learnt from (words and <eos>).
    nats
        -log of the true probability of the texts, given the prompts.
    entropy
        The exact expectation of `nats`.
    """

    documents: int
    tokens: int
    text_tokens: int
    nats: float
    entropy: float


def write_corpus(
    source: Source,
    folder: Path,
    tokens: int,
    start: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Packed:
    """Write documents, one after another, until there are enough tokens.

    Writes tokens.npy (uint16 [tokens]), starts.npy (int64 [documents + 1]: where each document
    begins, and the end), prompts.npy (uint16 [documents]: tokens of the prompt, from which nothing
    is learnt), nats.npy (float64 [documents]: -log of the true probability of the text, given the
    prompt) and documents.parquet (topic, about, skills, text).

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

    Returns
    -------
    Packed
        What was written.

    Raises
    ------
    BadInput
        If `tokens` is less than 1.
    """
    if tokens < 1:
        raise BadInput(f"a corpus needs at least 1 token, not {tokens}")
    world = source.world
    ids = {token: i for i, token in enumerate(world.vocabulary)}
    written, starts, prompts, nats = array("H"), array("q", [0]), array("H"), array("d")
    entropy = 0.0
    text_tokens = 0
    kept: list[Document] = []
    frames: list[pl.DataFrame] = []
    for document in source.documents(start):
        if len(written) >= tokens:
            break
        combination, situation, text = document
        prompt = world.prompt_tokens(combination, situation)
        written.extend(ids[token] for token in (*prompt, *text.words, EOS))
        starts.append(len(written))
        prompts.append(len(prompt))
        nats.append(text.nats)
        entropy += world.entropy(combination, situation.kind)
        text_tokens += len(text.words) + 1
        kept.append(document)
        if len(kept) == _CHUNK:
            frames.append(_table(kept))
            kept.clear()
        if on_progress and len(prompts) % 2000 == 0:
            on_progress(len(written), tokens)
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in zip(FILES, (written, starts, prompts, nats), strict=True):
        atomic_write(folder / f"{name}.npy", partial(np.save, arr=np.asarray(values)))
    table = pl.concat([*frames, _table(kept)])
    atomic_write(folder / "documents.parquet", table.write_parquet)
    return Packed(len(prompts), len(written), text_tokens, sum(nats), entropy)


_DOCUMENTS: Final = pl.Schema(
    {"topic": pl.String, "about": pl.String, "skills": pl.List(pl.String), "text": pl.String}
)


def _table(documents: Sequence[Document]) -> pl.DataFrame:
    """Topic, about, skills (list) and text, the words joined by spaces."""
    return pl.DataFrame(
        {
            "topic": [d.combination.topic for d in documents],
            "about": [" ".join(d.situation.words) for d in documents],
            "skills": [list(d.combination.skills) for d in documents],
            "text": [" ".join(d.text.words) for d in documents],
        },
        schema=_DOCUMENTS,
    )


class Example(NamedTuple):
    """A document as a parrot reads it: what was asked for, what it is about, its words."""

    combination: SkillCombination
    about: str
    text: str


def read_documents(folder: Path) -> list[Example]:
    """Return the documents of a corpus folder, in order.

    Raises
    ------
    BadInput
        If the folder has no documents.parquet, or it holds no document or has other columns.
    """
    path = folder / "documents.parquet"
    if not path.is_file():
        raise BadInput(f"{path} does not exist; write the corpus there first")
    try:
        frame = pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"{path} cannot be read ({error}); write the corpus again") from error
    if frame.schema != _DOCUMENTS:
        raise BadInput(f"{path} was made by an older version; write the corpus again")
    if frame.is_empty():
        raise BadInput(f"{path} holds no document; write the corpus again")
    return [
        Example(SkillCombination(topic, tuple(skills)), about, text)
        for topic, about, skills, text in frame.iter_rows()
    ]


def digest(folder: Path) -> str:
    """Return the SHA-256 (64 hex digits) of the arrays of a corpus."""
    sha = hashlib.sha256()
    for name in FILES:
        sha.update((folder / f"{name}.npy").read_bytes())
    return sha.hexdigest()
