"""Two real parrots, the control group: an n-gram model, and a reader who retrieves and splices.

Both are trained on the documents of the corpus that the transformers learn from, are given the same
prompts, and are graded by the same grader. See `NgramParrot` and `SpliceParrot`.

>>> metaphor, irony = SkillCombination("tea", ("metaphor",)), SkillCombination("tea", ("irony",))
>>> parrot = SpliceParrot([(metaphor, "tea is gold ."), (irony, "how warm .")])
>>> parrot.write(SkillCombination("tea", ("irony", "metaphor")), None)
'tea is gold ; how warm .'
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random
from typing import Final, Literal, NamedTuple, Protocol

import numpy as np

from unparrot.core.skills import SkillCombination
from unparrot.lab.ngram import Documents, Ints, NgramParrot, require_documents

__all__ = ["NgramParrot", "Parrot", "SpliceParrot"]

CONTEXT_SHARE: Final = 0.6
"""A word that at least this share of all skills uses says who or what a text is about (assumed)."""

JOINT: Final = ";"
"""How texts of training join two clauses into one sentence."""


class Parrot(Protocol):
    """What writes texts for a combination."""

    @property
    def name(self) -> str:
        """Name in tables and figures."""
        ...

    def write(self, combination: SkillCombination, rng: Random | None) -> str:
        """Words joined by single spaces, without prompt and <eos>; ``rng`` None: the likeliest."""
        ...


class _Piece(NamedTuple):
    """What can be pasted: sentences of a training text, and the skills they seem to show."""

    document: int
    sentences: tuple[str, ...]
    skills: tuple[str, ...]
    opening: bool


class SpliceParrot:
    """Retrieves training texts that share topic and skills, and pastes what they say, word by word.

    It has the prompts and texts of training and nothing else: no grammar, no derivations. A
    combination it has seen is answered with a training text. Otherwise it pastes, one after
    another, the piece that shows most of the skills still missing (then: fewest other skills; then:
    most in common, in rare words that all skills use, with the texts pasted before), until nothing
    is missing or to be had. Skills that no text of the topic shows are taken from another topic. To
    keep within max(1, k - 1) sentences, it turns full stops into ``joint``.

    ``pieces`` is "texts" (whole training texts) or "sentences". A text lists its skills but does
    not say where they are: "sentences" takes a skill to be in that sentence of a text whose words
    are most typical of the skill's texts, opens with first sentences and goes on with later ones.

    Raises
    ------
    BadInput
        If there is no document.
    """

    def __init__(
        self,
        documents: Documents,
        pieces: Literal["texts", "sentences"] = "sentences",
        name: str = "splice",
        joint: str = JOINT,
    ) -> None:
        require_documents(documents)
        self.name: Final = name
        self._joint = joint
        self._texts = [text for _, text in documents]
        self._exact: defaultdict[str, list[int]] = defaultdict(list)
        for i, (combination, _) in enumerate(documents):
            self._exact[combination.id].append(i)
        self._orders = [combination.skills for combination, _ in documents]
        self._typical, shared = _typical_words(documents)
        self._context = self._context_words(shared)
        self._pieces: list[_Piece] = []
        by_cell: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        by_skill: defaultdict[str, list[int]] = defaultdict(list)
        for i, (combination, text) in enumerate(documents):
            for piece in self._cut(i, combination.skills, text, pieces):
                for skill in piece.skills:
                    by_cell[combination.topic, skill].append(len(self._pieces))
                    by_skill[skill].append(len(self._pieces))
                self._pieces.append(piece)
        self._by_cell = {cell: np.array(found) for cell, found in by_cell.items()}
        self._by_skill = {skill: np.array(found) for skill, found in by_skill.items()}
        self._sizes = np.array([len(piece.skills) for piece in self._pieces])
        self._opening = np.array([piece.opening for piece in self._pieces])
        self._document = np.array([piece.document for piece in self._pieces])
        self._cut_sentences = pieces == "sentences"

    def write(self, combination: SkillCombination, rng: Random | None) -> str:
        """A training text, or pieces of some; see `Parrot.write`. Empty if it knows no skill."""
        seen = self._exact.get(combination.id)
        if seen:
            same = [i for i in seen if self._orders[i] == combination.skills] or seen
            return self._texts[same[0] if rng is None else rng.choice(same)]
        missing = set(combination.skills)
        pasted: list[int] = []
        while missing:
            wanted = [skill for skill in combination.skills if skill in missing]
            cells = ((combination.topic, skill) for skill in wanted)
            found = [self._by_cell[cell] for cell in cells if cell in self._by_cell]
            if not found:
                found = [self._by_skill[skill] for skill in wanted if skill in self._by_skill]
            if not found:
                break
            pasted.append(self._choose(found, pasted, rng))
            missing.difference_update(self._pieces[pasted[-1]].skills)
        sentences = [s for i in pasted for s in self._pieces[i].sentences]
        return _join(sentences, max(1, combination.k - 1), self._joint)

    def _choose(self, found: Sequence[Ints], pasted: Sequence[int], rng: Random | None) -> int:
        """The piece to paste next; ``found``: for every missing skill, the pieces that show it."""
        pieces, gain = np.unique(np.concatenate(found), return_counts=True)
        if self._cut_sentences:
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

    def _cut(self, document: int, skills: tuple[str, ...], text: str, pieces: str) -> list[_Piece]:
        sentences = _sentences(text)
        if pieces == "texts" or len(sentences) < 2:
            return [_Piece(document, tuple(sentences), skills, True)]
        shown: list[list[str]] = [[] for _ in sentences]
        # in the order of the text: sums over a set round differently in every process
        words = [dict.fromkeys(sentence.split()) for sentence in sentences]
        for skill in skills:
            typical = self._typical[skill]
            scores = [sum(typical.get(word, 0.0) for word in sentence) for sentence in words]
            shown[scores.index(max(scores))].append(skill)
        return [
            _Piece(document, (sentence,), tuple(shown[i]), i == 0)
            for i, sentence in enumerate(sentences)
        ]


def _typical_words(documents: Documents) -> tuple[dict[str, dict[str, float]], frozenset[str]]:
    """For every skill, the words that its texts have more often than others, with log of the
    ratio; and the words that most skills use. From texts of one skill, where there are any."""
    texts: Counter[str] = Counter()
    alone = {c.skills[0] for c, _ in documents if c.k == 1}
    with_word: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for combination, text in documents:
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
    """Cut after every '.' and '?'."""
    sentences: list[str] = []
    words: list[str] = []
    for word in text.split():
        words.append(word)
        if word in (".", "?"):
            sentences.append(" ".join(words))
            words = []
    if words:
        sentences.append(" ".join(words))
    return sentences


def _join(sentences: Sequence[str], most: int, joint: str) -> str:
    """At most ``most`` sentences: the first full stops (then question marks) become ``joint``."""
    joined = list(sentences)
    while len(joined) > most:
        at = next((i for i, s in enumerate(joined[:-1]) if s.endswith(" .")), 0)
        head = joined[at].removesuffix(" .").removesuffix(" ?")
        joined[at : at + 2] = [f"{head} {joint} {joined[at + 1]}"]
    return " ".join(joined)
