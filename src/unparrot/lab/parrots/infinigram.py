"""An infinite-gram model: the longest context that ever occurred says what comes next.

Liu et al. (2024), "Infini-gram: Scaling Unbounded n-gram Language Models to a Trillion Tokens",
section 2, over a suffix array (Manber and Myers 1993).
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.parrot import BOS, EOS, MAX_TOKENS, prompt_words

Ints = npt.NDArray[np.int64]


class SuffixArray:
    """All stretches of some word sequences, sorted: finds where any of them occurs.

    ``words``: [words of all sequences], each sequence closed by a word 0 that is in none.
    """

    def __init__(self, sequences: Iterable[Sequence[str]]) -> None:
        self.ids: Final[dict[str, int]] = {"": 0}
        ids = self.ids
        stream: list[int] = []
        for sequence in sequences:
            stream += [ids.setdefault(word, len(ids)) for word in sequence]
            stream.append(0)
        self.words: Final[Ints] = np.array(stream, dtype=np.int64)
        self._order: Final[Ints] = _sorted_suffixes(self.words)
        # one number of these comes out three times as fast as of an array
        self._word, self._suffix = self.words.data, self._order.data

    @property
    def everywhere(self) -> tuple[int, int]:
        """The range of the empty stretch."""
        return 0, len(self._order)

    def extend(self, span: tuple[int, int], length: int, word: str) -> tuple[int, int]:
        """The range of a stretch of ``length`` words, whose range is ``span``, and one more."""
        number = self.ids.get(word, -1)
        low = self._bound(span, length, number)
        return low, self._bound((low, span[1]), length, number + 1)

    def _bound(self, span: tuple[int, int], length: int, number: int) -> int:
        low, high = span
        while low < high:
            middle = (low + high) // 2
            at = self._suffix[middle] + length
            if at < len(self._word) and self._word[at] >= number:
                high = middle
            else:
                low = middle + 1
        return low

    def longest(self, words: Sequence[str]) -> tuple[tuple[int, int], int]:
        """The range and length of the longest beginning of ``words`` that occurs."""
        span = self.everywhere
        for length, word in enumerate(words):
            further = self.extend(span, length, word)
            if further[0] == further[1]:
                return span, length
            span = further
        return span, len(words)

    def following(self, span: tuple[int, int], length: int) -> Ints:
        """The words that follow a stretch, wherever it occurs; [occurrences]."""
        return self.words[self._order[span[0] : span[1]] + length]


def _sorted_suffixes(words: Ints) -> Ints:
    """Where the suffixes begin, in their order: by prefix doubling."""
    _, rank = np.unique(words, return_inverse=True)
    rank = rank.astype(np.int64)
    # every closing word gets a number of its own: no two suffixes are equal
    closing = np.flatnonzero(words == 0)
    rank += len(closing)
    rank[closing] = np.arange(len(closing))
    length = 1
    while True:
        size = int(rank.max()) + 2
        key = rank * size
        key[:-length] += rank[length:] + 1
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        rank = np.empty_like(rank)
        rank[order] = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
        if rank[order[-1]] == len(words) - 1:
            return order
        length *= 2


class InfinigramParrot:
    """Continues the prompt as the longest stretch of words just before was continued in training.

    What most often follows the longest suffix of prompt and text that ever occurred.
    """

    rule: ClassVar[str] = (
        "writes the word that most often followed the longest stretch of words just before that "
        "ever occurred"
    )
    verbatim: ClassVar[bool] = True

    def __init__(self, examples: Sequence[Example]) -> None:
        self._suffixes = SuffixArray(
            [BOS, *prompt_words(combination, about), *text.split(), EOS]
            for combination, about, text in examples
        )
        self._words = tuple(self._suffixes.ids)

    def write(self, combination: SkillCombination, about: str) -> str:
        """See `Parrot.write`."""
        prompt = [BOS, *prompt_words(combination, about)]
        span, length = self._suffixes.longest(prompt)
        while length < len(prompt):
            prompt = prompt[1:]
            span, length = self._suffixes.longest(prompt)
        written: list[str] = []
        # the longest suffix grows word by word: what was longest before is so with the next word
        while len(written) < MAX_TOKENS:
            following, times = np.unique(self._suffixes.following(span, length), return_counts=True)
            word = self._words[int(following[times.argmax()])]
            if word in (EOS, ""):
                break
            written.append(word)
            span, length = self._suffixes.extend(span, length, word), length + 1
        return " ".join(written)
