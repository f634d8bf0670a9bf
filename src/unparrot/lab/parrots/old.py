"""Two real parrots, the control group: an n-gram model, and a reader who retrieves and splices.

Both are trained on the documents of the corpus that the transformers learn from, are given the same
prompts, and are graded by the same grader. See `NgramParrot` and `SpliceParrot`.

>>> metaphor, irony = SkillCombination("tea", ("metaphor",)), SkillCombination("tea", ("irony",))
>>> documents = [Example(metaphor, "ann", "tea is gold ."), Example(irony, "ann", "how warm .")]
>>> NgramParrot(documents).write(irony, "ann", None)
'how warm .'
>>> both = SkillCombination("tea", ("irony", "metaphor"))
>>> SpliceParrot(documents).write(both, "ann", None)
'tea is gold , and then how warm .'
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from random import Random
from typing import ClassVar, Final, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.world.english import BOS, EOS

Documents = Sequence[Example]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ORDER: Final = 6
"""Lowest held-out loss of 3 to 10 on 4M tokens of the standard world (1.02 nats a token)."""
TEMPERATURE: Final = 0.7
MAX_TOKENS: Final = 160


def require_documents(documents: Documents) -> None:
    """Raise `BadInput` if there is no document to learn from."""
    if not documents:
        raise BadInput("a parrot needs at least one document; write a corpus first")


def _prompt(combination: SkillCombination, about: str) -> list[str]:
    skills = " , ".join(combination.skills)
    return [BOS, *f"topic: {combination.topic} about: {about} skills: {skills} text:".split()]


class _Level(NamedTuple):
    """The n-grams of one length. ``keys``: (number of the prefix in the level above) * V + token,
    sorted; ``counts``: how often each was seen. All [n-grams]."""

    keys: Ints
    counts: Floats


class _Continuations(NamedTuple):
    """Of each n-gram: ``starts`` [n-grams + 1] of its continuations in the level below, their
    ``totals`` [n-grams], and how many ``kinds`` [n-grams] there are."""

    starts: Ints
    totals: Floats
    kinds: Floats


class NgramParrot:
    """An interpolated Witten-Bell n-gram model of prompt and text (Witten and Bell 1991;
    Chen and Goodman 1998, section 2.5): all it remembers are the last ``order`` - 1 tokens.

    P(w | h) = (c(hw) + T(h) P(w | h')) / (c(h) + T(h)), with T(h) the number of different tokens
    seen after h, and h' = h without its first token; below it all, tokens are equally likely (never
    <bos>). It writes until <eos> or 160 tokens, and samples from P ** (1 / 0.7), normalised.

    Raises
    ------
    BadInput
        If there is no document or ``order`` is under 1.
    """

    rule: ClassVar[str] = f"writes the word that most often followed the last {ORDER - 1}"
    verbatim: ClassVar[bool] = True

    def __init__(self, documents: Documents, order: int = ORDER) -> None:
        if order < 1:
            raise BadInput(f"the order of an n-gram model must be at least 1, not {order!r}")
        require_documents(documents)
        self.order: Final = order
        self._ids: dict[str, int] = {BOS: 0, EOS: 1}
        tokens, room = self._encode(documents)
        self.tokens: Final = tuple(self._ids)
        """The vocabulary; <bos> first, <eos> second."""
        size = len(self.tokens)
        self._uniform = np.full(size, 1 / (size - 1))
        self._uniform[0] = 0.0
        self._levels: list[_Level] = []
        self._below: list[_Continuations] = []
        self._learn(tokens, room)
        # Texts run through the same contexts again and again.
        self._likeliest = lru_cache(maxsize=1 << 16)(self._likeliest_after)
        self._cumulative = lru_cache(maxsize=1 << 14)(self._cumulated_after)

    def write(self, combination: SkillCombination, about: str, rng: Random | None) -> str:
        """Continue the prompt of ``combination``; see `Parrot.write`."""
        state = [0]
        for token in _prompt(combination, about):
            state = self._after(state, self._ids.get(token))
        written: list[str] = []
        while len(written) < MAX_TOKENS:
            if rng is None:
                token = self._likeliest(tuple(state))
            else:
                cumulative = self._cumulative(tuple(state))
                point = rng.random() * float(cumulative[-1])
                token = min(int(cumulative.searchsorted(point, "right")), len(cumulative) - 1)
            if token == 1:
                break
            written.append(self.tokens[token])
            state = self._after(state, token)
        return " ".join(written)

    def _likeliest_after(self, state: tuple[int, ...]) -> int:
        return int(self._probabilities(list(state)).argmax())

    def _cumulated_after(self, state: tuple[int, ...]) -> Floats:
        return np.cumsum(self._probabilities(list(state)) ** (1 / TEMPERATURE))

    def probabilities(self, context: Iterable[str]) -> dict[str, float]:
        """Return P of every token of the vocabulary after those of ``context``; they sum to 1."""
        state = [0]
        for token in context:
            state = self._after(state, self._ids.get(token))
        p = cast(list[float], self._probabilities(state).tolist())
        return dict(zip(self.tokens, p, strict=True))

    def _encode(self, documents: Documents) -> tuple[Ints, Ints]:
        """Token ids, and tokens from each to its document's end; [tokens]."""
        ids = self._ids
        stream: list[int] = []
        lengths: list[int] = []
        for combination, about, text in documents:
            tokens = [*_prompt(combination, about), *text.split(), EOS]
            stream += [ids.setdefault(token, len(ids)) for token in tokens]
            lengths.append(len(tokens))
        ends = np.cumsum(np.array(lengths, dtype=np.int64))
        room = np.repeat(ends, lengths) - np.arange(len(stream))
        return np.array(stream, dtype=np.int64), room

    def _learn(self, tokens: Ints, room: Ints) -> None:
        size = len(self.tokens)
        at = np.arange(len(tokens))
        node = np.zeros(len(tokens), dtype=np.int64)
        above = 1
        for length in range(self.order):
            keep = room[at] > length
            at, node = at[keep], node[keep]
            token = tokens[at + length]
            if length == 0:
                inside = token != 0  # <bos> begins contexts but follows nothing
                counted = np.bincount(token[inside], minlength=size).astype(np.float64)
                level = _Level(np.arange(size), counted)
                kinds = np.array([np.count_nonzero(counted)], dtype=np.float64)
                node = token
            else:
                keys, node, times = np.unique(
                    node * size + token, return_inverse=True, return_counts=True
                )
                level = _Level(keys, times.astype(np.float64))
                kinds = np.zeros(0)
            starts = np.searchsorted(level.keys, np.arange(above + 1) * size)
            if length:
                kinds = np.diff(starts).astype(np.float64)
            sums = np.concatenate([[0.0], np.cumsum(level.counts)])
            self._levels.append(level)
            self._below.append(_Continuations(starts, sums[starts[1:]] - sums[starts[:-1]], kinds))
            above = len(level.keys)

    def _after(self, state: Sequence[int], token: int | None) -> list[int]:
        """``state[m]``: number of the last m tokens in level m - 1, as far as they were seen."""
        new = [0]
        if token is None:
            return new
        size = len(self.tokens)
        for level, node in zip(self._levels[: self.order - 1], state, strict=False):
            key = node * size + token
            index = int(level.keys.searchsorted(key))
            if index == len(level.keys) or level.keys[index] != key:
                break
            new.append(index)
        return new

    def _probabilities(self, state: Sequence[int]) -> Floats:
        size = len(self.tokens)
        p = self._uniform
        for level, below, node in zip(self._levels, self._below, state, strict=False):
            kinds = below.kinds[node]
            if not kinds:
                break
            first, last = below.starts[node], below.starts[node + 1]
            p = p * kinds
            p[level.keys[first:last] - node * size] += level.counts[first:last]
            p /= below.totals[node] + kinds
        return p


CONTEXT_SHARE: Final = 0.6
"""A word that at least this share of all skills uses says who or what a text is about (assumed)."""

JOINT: Final = ", and then"
"""How texts of training join two clauses into one sentence."""


class Parrot(Protocol):
    """What writes texts for a combination.

    ``rule`` says in a sentence what it may do; ``verbatim`` whether it changes no word of what it
    copies.
    """

    rule: ClassVar[str]
    verbatim: ClassVar[bool]

    def write(self, combination: SkillCombination, about: str, rng: Random | None) -> str:
        """Return words joined by single spaces, without prompt and <eos>.

        ``rng`` is the source of random choices; None takes the likeliest.
        """
        ...


class _Piece(NamedTuple):
    """What can be pasted: a sentence of a training text, and the skills it seems to show."""

    document: int
    sentence: str
    skills: tuple[str, ...]
    opening: bool


class SpliceParrot:
    """Retrieves training texts that share topic and skills, and pastes what they say, word by word.

    It has the prompts and texts of training and nothing else: no grammar, no derivations. A
    combination it has seen is answered with a training text. Otherwise it pastes, one after
    another, the piece that shows most of the skills still missing (then: fewest other skills; then:
    most in common, in rare words that all skills use, with the texts pasted before), until nothing
    is missing or to be had. Skills that no text of the topic shows are taken from another topic. To
    keep within max(1, k - 1) sentences, it turns full stops into `JOINT`.

    A text lists its skills but does not say where they are: a skill is taken to be in that sentence
    of a text whose words are most typical of the skill's texts. The first piece opens a training
    text, the others go on in one, where there are such.

    Raises
    ------
    BadInput
        If there is no document.
    """

    rule: ClassVar[str] = (
        "repeats a training text made for the same combination, or else pastes sentences of texts "
        "that show its skills"
    )
    verbatim: ClassVar[bool] = True

    def __init__(self, documents: Documents) -> None:
        require_documents(documents)
        self._texts = [document.text for document in documents]
        self._exact: defaultdict[str, list[int]] = defaultdict(list)
        for i, (combination, *_) in enumerate(documents):
            self._exact[combination.id].append(i)
        self._orders = [document.combination.skills for document in documents]
        self._typical, shared = _typical_words(documents)
        self._context = self._context_words(shared)
        self._pieces: list[_Piece] = []
        by_cell: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        by_skill: defaultdict[str, list[int]] = defaultdict(list)
        for i, (combination, _, text) in enumerate(documents):
            for piece in self._cut(i, combination.skills, text):
                for skill in piece.skills:
                    by_cell[combination.topic, skill].append(len(self._pieces))
                    by_skill[skill].append(len(self._pieces))
                self._pieces.append(piece)
        self._by_cell = {cell: np.array(numbers) for cell, numbers in by_cell.items()}
        self._by_skill = {skill: np.array(numbers) for skill, numbers in by_skill.items()}
        self._sizes = np.array([len(piece.skills) for piece in self._pieces])
        self._opening = np.array([piece.opening for piece in self._pieces])
        self._document = np.array([piece.document for piece in self._pieces])

    def write(self, combination: SkillCombination, about: str, rng: Random | None) -> str:
        """Return a training text, or sentences of some, pasted; empty if it knows no skill."""
        seen = self._exact.get(combination.id)
        if seen:
            same = [i for i in seen if self._orders[i] == combination.skills] or seen
            return self._texts[same[0] if rng is None else rng.choice(same)]
        missing = set(combination.skills)
        pasted: list[int] = []
        while missing:
            wanted = [skill for skill in combination.skills if skill in missing]
            cells = ((combination.topic, skill) for skill in wanted)
            showing = [self._by_cell[cell] for cell in cells if cell in self._by_cell]
            if not showing:
                showing = [self._by_skill[skill] for skill in wanted if skill in self._by_skill]
            if not showing:
                break
            pasted.append(self._choose(showing, pasted, rng))
            missing.difference_update(self._pieces[pasted[-1]].skills)
        return _join([self._pieces[i].sentence for i in pasted], max(1, combination.k - 1))

    def _choose(self, showing: Sequence[Ints], pasted: Sequence[int], rng: Random | None) -> int:
        """The piece to paste next; ``showing``: the pieces that show each missing skill."""
        pieces, gain = np.unique(np.concatenate(showing), return_counts=True)
        fits = self._opening[pieces] != bool(pasted)
        if fits.any():
            pieces, gain = pieces[fits], gain[fits]
        best = gain == gain.max()
        pieces, gain = pieces[best], gain[best]
        others = self._sizes[pieces] - gain
        pieces = pieces[others == others.min()]
        if pasted:
            weights = np.zeros(len(self._idf))
            for i in pasted:
                words = self._context[self._document[i]]
                weights[words] = self._idf[words]
            common = weights[self._context[self._document[pieces]]].sum(axis=1)
            pieces = pieces[common > common.max() - 1e-9]
        return int(pieces[0] if rng is None else rng.choice(pieces))

    def _context_words(self, shared: frozenset[str]) -> Ints:
        """Ids of the words of each text that say who and what it is about, padded with 0;
        [documents, most of a text]. Sets ``_idf``: log(texts / texts with the word); [words]."""
        ids: dict[str, int] = {"": 0}
        rows: list[list[int]] = []
        for text in self._texts:
            words = dict.fromkeys(text.split())
            rows.append([ids.setdefault(word, len(ids)) for word in words if word in shared])
        table = np.zeros((len(rows), max(1, *map(len, rows), 1)), dtype=np.int64)
        for i, row in enumerate(rows):
            table[i, : len(row)] = row
        texts_with = np.maximum(np.bincount(table.ravel(), minlength=len(ids)), 1)
        self._idf = np.log(len(rows) / np.minimum(texts_with, len(rows)))
        self._idf[0] = 0.0
        return table

    def _cut(self, document: int, skills: tuple[str, ...], text: str) -> list[_Piece]:
        sentences = _sentences(text)
        shown: list[list[str]] = [[] for _ in sentences]
        # in the order of the text: sums over a set round differently in every process
        words = [dict.fromkeys(sentence.split()) for sentence in sentences]
        for skill in skills:
            typical = self._typical[skill]
            scores = [sum(typical.get(word, 0.0) for word in sentence) for sentence in words]
            shown[scores.index(max(scores))].append(skill)
        return [
            _Piece(document, sentence, tuple(shown[i]), i == 0)
            for i, sentence in enumerate(sentences)
        ]


def _typical_words(documents: Documents) -> tuple[dict[str, dict[str, float]], frozenset[str]]:
    """For every skill, the words that its texts have more often than others, with log of the
    ratio; and the words that most skills use. From texts of one skill, where there are any."""
    texts: Counter[str] = Counter()
    alone = {c.skills[0] for c, *_ in documents if c.k == 1}
    with_word: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for combination, _, text in documents:
        for skill in combination.skills:
            if combination.k == 1 or skill not in alone:
                texts[skill] += 1
                with_word[skill].update(set(text.split()))
    everywhere: Counter[str] = Counter()
    users: Counter[str] = Counter()
    for counts in with_word.values():
        everywhere.update(counts)
        users.update(counts.keys())
    total = sum(texts.values())
    typical = {
        skill: {
            word: ratio
            for word, count in counts.items()
            if (ratio := math.log(count / texts[skill] * total / everywhere[word])) > 0
        }
        for skill, counts in with_word.items()
    }
    enough = CONTEXT_SHARE * len(texts)
    return typical, frozenset(word for word, number in users.items() if number >= enough)


def _sentences(text: str) -> list[str]:
    """Cut behind every word '.' or '?'."""
    return re.split(r"(?<=(?<!\S)[.?]) ", " ".join(text.split()))


def _join(sentences: Sequence[str], most: int) -> str:
    """At most ``most`` sentences: the first full stops (then question marks) become `JOINT`."""
    joined = list(sentences)
    while len(joined) > most:
        at = next((i for i, s in enumerate(joined[:-1]) if s.endswith(" .")), 0)
        head = joined[at].removesuffix(" .").removesuffix(" ?")
        joined[at : at + 2] = [f"{head} {JOINT} {joined[at + 1]}"]
    return " ".join(joined)
