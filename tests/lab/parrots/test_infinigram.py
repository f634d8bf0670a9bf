"""The infinite-gram: its suffix array against a plain search, and what it writes."""

from collections import Counter
from random import Random
from typing import cast

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.infinigram import InfinigramParrot, SuffixArray

PUN = SkillCombination("tea", ("pun",))
IRONY = SkillCombination("tea", ("irony",))


@pytest.mark.parametrize("letters", ["ab", "abcdef"])
def test_suffix_array_finds_what_a_plain_search_finds(letters: str) -> None:
    rng = Random(1)
    texts = [rng.choices(letters, k=rng.randint(1, 30)) for _ in range(40)]
    suffixes = SuffixArray(texts)
    for _ in range(200):
        sought = rng.choices(letters + "?", k=rng.randint(1, 8))
        best = max(
            n
            for n in range(len(sought) + 1)
            if any(t[i : i + n] == sought[:n] for t in texts for i in range(len(t) - n + 1))
        )
        found, length = suffixes.longest(sought)
        assert length == best
        if length:
            ends = Counter(
                [*t, ""][i + best]
                for t in texts
                for i in range(len(t) - best + 1)
                if t[i : i + best] == sought[:best]
            )
            words = list(suffixes.ids)
            numbers = cast(list[int], suffixes.following(found, length).tolist())
            assert Counter(words[n] for n in numbers) == ends


def test_goes_on_as_the_longest_suffix_did() -> None:
    parrot = InfinigramParrot(
        [Example(PUN, "a cup", "how warm ."), Example(PUN, "a pot", "how cold .")]
    )
    assert parrot.write(PUN, "a pot") == "how cold ."
    # of this prompt only its end was seen: 'pot skills: pun text:'
    assert parrot.write(PUN, "the pot") == "how cold ."


def test_unknown_words_leave_it_the_end_of_the_prompt() -> None:
    parrot = InfinigramParrot([Example(PUN, "it", "a b"), Example(IRONY, "it", "c d")])
    assert parrot.write(SkillCombination("jam", ("irony",)), "them") == "c d"
