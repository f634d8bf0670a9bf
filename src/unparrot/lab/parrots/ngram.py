"""An n-gram model of prompts and texts, and what it writes."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.parrot import BOS, EOS, MAX_TOKENS, prompt_words

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Lowest held-out loss of 3 to 10 on 4M tokens of an earlier world (1.02 nats a token)
ORDER: Final = 6


class _Level(NamedTuple):
    """The n-grams of one length. ``keys`` [n-grams]: (number of the prefix in the level above) * V
    + token, sorted; ``counts`` [n-grams]: how often each was seen. Of each prefix: where its
    n-grams ``starts`` [prefixes + 1], their ``totals`` and how many ``kinds`` there are."""

    keys: Ints
    counts: Floats
    starts: Ints
    totals: Floats
    kinds: Floats


class NgramParrot:
    """Continues the prompt as an n-gram model: all it remembers are the last ``order`` - 1 tokens.

    The model is interpolated (Witten and Bell 1991; Chen and Goodman 1998, section 2.5).

    P(w | h) = (c(hw) + T(h) P(w | h')) / (c(h) + T(h)), with T(h) the number of different tokens
    seen after h, and h' = h without its first token; below it all, tokens are equally likely (never
    <bos>). It writes the likeliest token until <eos> or 320 tokens.
    """

    rule: ClassVar[str] = f"writes the word that most often followed the last {ORDER - 1}"
    verbatim: ClassVar[bool] = True

    def __init__(self, examples: Sequence[Example], order: int = ORDER) -> None:
        self.order: Final = order
        self._ids: dict[str, int] = {BOS: 0, EOS: 1}
        tokens, room = self._encode(examples)
        # The vocabulary; <bos> first, <eos> second
        self.tokens: Final = tuple(self._ids)
        size = len(self.tokens)
        self._uniform = np.full(size, 1 / (size - 1))
        self._uniform[0] = 0.0
        self._levels: list[_Level] = []
        self._learn(tokens, room)
        # Texts run through the same contexts again and again.
        self._likeliest = lru_cache(maxsize=1 << 16)(self._likeliest_after)

    def write(self, combination: SkillCombination, about: str) -> str:
        """See `Parrot.write`."""
        state = [0]
        for token in prompt_words(combination, about):
            state = self._after(state, self._ids.get(token))
        written: list[str] = []
        while len(written) < MAX_TOKENS:
            token = self._likeliest(tuple(state))
            if token == 1:
                break
            written.append(self.tokens[token])
            state = self._after(state, token)
        return " ".join(written)

    def _likeliest_after(self, state: tuple[int, ...]) -> int:
        return int(self._probabilities(state).argmax())

    def probabilities(self, context: Iterable[str]) -> dict[str, float]:
        """Return P of every token of the vocabulary after those of ``context``; they sum to 1."""
        state = [0]
        for token in context:
            state = self._after(state, self._ids.get(token))
        p = cast(list[float], self._probabilities(state).tolist())
        return dict(zip(self.tokens, p, strict=True))

    def _encode(self, examples: Sequence[Example]) -> tuple[Ints, Ints]:
        """Token ids, and tokens from each to its document's end; [tokens]."""
        ids = self._ids
        stream: list[int] = []
        lengths: list[int] = []
        for combination, about, text in examples:
            tokens = [BOS, *prompt_words(combination, about), *text.split(), EOS]
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
            keys, node, times = np.unique(
                node * size + tokens[at + length], return_inverse=True, return_counts=True
            )
            counts = times.astype(np.float64)
            starts = np.searchsorted(keys, np.arange(above + 1) * size)
            kinds = np.diff(starts).astype(np.float64)
            if length == 0:  # <bos> begins contexts but follows nothing
                counts[0] = 0.0
                kinds -= 1
            sums = np.concatenate([[0.0], np.cumsum(counts)])
            totals = sums[starts[1:]] - sums[starts[:-1]]
            self._levels.append(_Level(keys, counts, starts, totals, kinds))
            above = len(keys)

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
        for level, node in zip(self._levels, state, strict=False):
            kinds = level.kinds[node]
            if not kinds:
                break
            first, last = level.starts[node], level.starts[node + 1]
            p = p * kinds
            p[level.keys[first:last] - node * size] += level.counts[first:last]
            p /= level.totals[node] + kinds
        return p
