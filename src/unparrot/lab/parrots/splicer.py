"""A splicer: it repeats what it recalls, or pastes sentences of training texts."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example

Ints = npt.NDArray[np.int64]

# A word that at least this share of all skills uses says who or what a text is about (assumed)
CONTEXT_SHARE: Final = 0.6

# How two sentences become one
JOINT: Final = " , and then "


class _Piece(NamedTuple):
    """What can be pasted: a sentence of a training text, and the skills it seems to show."""

    document: int
    sentence: str
    skills: tuple[str, ...]
    opening: bool


class SpliceParrot:
    """Repeats a training text of the same request, or pastes sentences of texts with its skills.

    It pastes, one after another, the sentence that shows the first of the skills still missing and
    most others of them (then: fewest other skills; then: most in common, in rare words that all
    skills or prompts use, with what is asked about and with the texts pasted before), until nothing
    is missing or to be had. To keep within max(1, k - 1) sentences, it puts `JOINT` for full stops.

    A text lists its skills but does not say where they are: a skill is taken to be in that sentence
    of a text whose words are most typical of the skill's texts. The first piece opens a training
    text, the others go on in one, where there are such.
    """

    rule: ClassVar[str] = (
        "repeats a training text made for the same request, or else pastes sentences of texts "
        "that show its skills"
    )
    verbatim: ClassVar[bool] = True

    def __init__(self, examples: Sequence[Example]) -> None:
        self._texts = [example.text for example in examples]
        self._same: defaultdict[tuple[tuple[str, ...], str], list[int]] = defaultdict(list)
        for i, (combination, about, _) in enumerate(examples):
            self._same[combination.skills, about].append(i)
        self._typical, shared = _typical_words(examples)
        self._ids: dict[str, int] = {"": 0}
        abouts = {word for example in examples for word in example.about.split()}
        self._context = self._context_words(shared | abouts)
        self._pieces: list[_Piece] = []
        by_skill: defaultdict[str, list[int]] = defaultdict(list)
        for i, (combination, _, text) in enumerate(examples):
            for piece in self._cut(i, combination.skills, text):
                for skill in piece.skills:
                    by_skill[skill].append(len(self._pieces))
                self._pieces.append(piece)
        self._by_skill = {skill: np.array(numbers) for skill, numbers in by_skill.items()}
        self._shows = {
            skill: np.bincount(numbers, minlength=len(self._pieces)) > 0
            for skill, numbers in self._by_skill.items()
        }
        self._sizes = np.array([len(piece.skills) for piece in self._pieces])
        self._opening = np.array([piece.opening for piece in self._pieces])
        self._document = np.array([piece.document for piece in self._pieces])

    def write(self, combination: SkillCombination, about: str) -> str:
        """See `Parrot.write`; empty if it knows no skill."""
        same = self._same.get((combination.skills, about))
        if same:
            return self._texts[same[0]]
        missing = set(combination.skills)
        known = self._by_skill.keys()
        weights = np.zeros(len(self._idf))
        ids = [self._ids[word] for word in about.split() if word in self._ids]
        weights[ids] = self._idf[ids]
        pasted: list[int] = []
        while missing:
            wanted = [skill for skill in combination.skills if skill in missing & known]
            if not wanted:
                break
            pasted.append(self._choose(wanted, bool(pasted), weights))
            words = self._context[self._document[pasted[-1]]]
            weights[words] = self._idf[words]
            missing.difference_update(self._pieces[pasted[-1]].skills)
        return _join([self._pieces[i].sentence for i in pasted], max(1, combination.k - 1))

    def _choose(self, wanted: Sequence[str], later: bool, weights: npt.NDArray[np.float64]) -> int:
        """The piece to paste next, which shows the first of the skills that are wanted."""
        pieces = self._by_skill[wanted[0]]
        gain = np.sum([self._shows[skill][pieces] for skill in wanted], axis=0)
        fits = self._opening[pieces] != later
        if fits.any():
            pieces, gain = pieces[fits], gain[fits]
        best = gain == gain.max()
        pieces, gain = pieces[best], gain[best]
        others = self._sizes[pieces] - gain
        pieces = pieces[others == others.min()]
        common = weights[self._context[self._document[pieces]]].sum(axis=1)
        return int(pieces[common > common.max() - 1e-9][0])

    def _context_words(self, shared: frozenset[str]) -> Ints:
        """Ids of the words of each text that say who and what it is about, padded with 0;
        [documents, most of a text]. Sets ``_idf``: log(texts / texts with the word); [words]."""
        ids = self._ids
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


def _typical_words(
    examples: Sequence[Example],
) -> tuple[dict[str, dict[str, float]], frozenset[str]]:
    """For every skill, the words that its texts have more often than others, with log of the
    ratio; and the words that most skills use. From texts of one skill, where there are any."""
    texts: Counter[str] = Counter()
    alone = {c.skills[0] for c, _, _ in examples if c.k == 1}
    with_word: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for combination, _, text in examples:
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
        joined[at : at + 2] = [f"{head}{JOINT}{joined[at + 1]}"]
    return " ".join(joined)
