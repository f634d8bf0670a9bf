"""Two copiers: they put texts together from stretches of training texts, with search."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import ClassVar, Final

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.anatomy import Anatomy
from unparrot.lab.parrots.composer import Composer
from unparrot.lab.parrots.infinigram import SuffixArray
from unparrot.lab.parrots.parrot import require_examples

OVERLAP: Final = 2
"""Words that two stretches share where they are joined without a seam."""
CLAUSES_TRIED: Final = 20
"""Most clauses that are tried for one text."""
WAYS_ON: Final = 20
"""Most ways on from one clause: clauses with the same outcome count once."""


class ClauseCopier:
    """Pastes stretches of training texts, changing no word, cut where the corpus shows seams.

    Seams are punctuation, links between clauses, and the edges of frames (``ann told ben that``).
    What stands between two seams stands in a training text just so.

    Parameters
    ----------
    examples
        What it has read.
    tried
        Most clauses that are tried for one text.

    Raises
    ------
    BadInput
        If there is no document.
    """

    rule: ClassVar[str] = (
        "pastes stretches of training texts, unchanged, cut at punctuation, links and frames"
    )
    verbatim: ClassVar[bool] = True
    overlap: ClassVar[int | None] = None

    def __init__(self, examples: Sequence[Example], tried: int = CLAUSES_TRIED) -> None:
        require_examples(examples)
        overlap = self.overlap
        texts = [example.text.split() for example in examples]
        self._whole = SuffixArray(texts) if overlap is None else None
        self._window = 0 if overlap is None else overlap + 1
        self._ids = {
            word: i for i, word in enumerate(dict.fromkeys(w for t in texts for w in t), 1)
        }
        self._windows = {
            self._code(words[i : i + n])
            for words in texts
            for n in range(1, self._window + 1)
            for i in range(len(words) - n + 1)
        }
        self._composer = Composer(
            Anatomy(examples), self.copied, edits=False, tried=tried, ways=WAYS_ON
        )

    def write(self, combination: SkillCombination, about: str, rng: Random | None) -> str:
        """See `Parrot.write`; what it cannot find stretches for it leaves away."""
        return self._composer.write(combination.skills, about, rng)

    def copied(self, words: Sequence[str]) -> bool:
        """Are these words, which stand between two seams, made of stretches of training texts?"""
        if self._whole is not None:
            return self._whole.longest(words)[1] == len(words)
        n = min(self._window, len(words))
        return all(self._code(words[i : i + n]) in self._windows for i in range(len(words) - n + 1))

    def _code(self, words: Sequence[str]) -> int:
        """A number that no other words have; -1 if one is unknown."""
        code = 0
        for word in words:
            number = self._ids.get(word)
            if number is None:
                return -1
            code = code * (len(self._ids) + 1) + number
        return code


class Weaver(ClauseCopier):
    """Weaves texts of stretches as short as three words: one goes over into another where both have
    the same `OVERLAP` words.

    Every three words in a row, between two seams, stand in a training text just so; no clause has
    to.
    """

    rule: ClassVar[str] = (
        "pastes stretches of training texts as short as three words, each sharing two with the next"
    )
    verbatim: ClassVar[bool] = False
    overlap: ClassVar[int | None] = OVERLAP


class CopyAndEdit:
    """Copies stretches of training texts, changing names, pronouns, things, values and forms.

    It puts clauses behind one another, frames around them and remarks into them, with people and
    thing of the prompt in place of those of the training text. In place of the values of a stretch
    it puts those that hold; and where a stretch is needed in a form that it never had (``ben would
    lose``), it changes its first words as they change in others.

    Raises
    ------
    BadInput
        If there is no document.
    """

    rule: ClassVar[str] = (
        "pastes and nests stretches of training texts, exchanging names, pronouns, things, facts, "
        "values and first words by what it learnt of them"
    )
    verbatim: ClassVar[bool] = False

    def __init__(self, examples: Sequence[Example], tried: int = CLAUSES_TRIED) -> None:
        require_examples(examples)
        self._composer = Composer(
            Anatomy(examples), lambda words: True, edits=True, tried=tried, ways=WAYS_ON
        )

    def write(self, combination: SkillCombination, about: str, rng: Random | None) -> str:
        """See `Parrot.write`; a skill that it does not know it leaves away."""
        return self._composer.write(combination.skills, about, rng)
