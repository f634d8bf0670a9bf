"""The copiers: what they write is right, new, and made as they say."""

import re
from collections.abc import Iterator
from random import Random
from typing import Any, Protocol

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.copiers import OVERLAP, ClauseCopier, CopyAndEdit, Weaver


class Toy(Protocol):
    """See conftest."""

    def ask(self, rng: Random, most: int) -> Any: ...
    def texts(self, asked: Any) -> Iterator[str]: ...
    def unseen(self, skills: tuple[str, ...]) -> bool: ...


SEAM = (
    r", and then |[.,] ?|(?<=that ) ?|(?<=recalled )|(?<=recalling )|(?<=regretted )"
    r"|(?<=regretting )"
)


@pytest.fixture(scope="module")
def editing(examples: list[Example]) -> CopyAndEdit:
    return CopyAndEdit(examples)


@pytest.fixture(scope="module")
def copying(examples: list[Example]) -> ClauseCopier:
    return Weaver(examples)


def test_copy_and_edit_writes_what_the_world_allows(editing: CopyAndEdit, toy: Toy) -> None:
    chooser = Random(9)
    new = 0
    for _ in range(300):
        asked = toy.ask(chooser, 4)
        text = editing.write(asked.combination, asked.about)
        assert text in set(toy.texts(asked)), (asked, text)
        new += toy.unseen(asked.skills)
    assert new > 40


def test_clause_copier_changes_no_word(
    copying: ClauseCopier, examples: list[Example], toy: Toy
) -> None:
    windows = {
        tuple(words[i : i + OVERLAP + 1])
        for words in (example.text.split() for example in examples)
        for i in range(len(words))
    }
    chooser = Random(10)
    whole = 0
    for _ in range(200):
        asked = toy.ask(chooser, 3)
        text = copying.write(asked.combination, asked.about)
        whole += text in set(toy.texts(asked))
        for piece in re.split(SEAM, text):
            words = piece.split()
            for i in range(len(words) - OVERLAP):
                assert tuple(words[i : i + OVERLAP + 1]) in windows, (text, piece)
    assert whole > 20


def test_whole_stretches_are_copied(examples: list[Example], toy: Toy) -> None:
    copier = ClauseCopier(examples)
    corpus = [f" {example.text} " for example in examples]
    chooser = Random(11)
    for _ in range(30):
        asked = toy.ask(chooser, 2)
        text = copier.write(asked.combination, asked.about)
        for piece in re.split(SEAM, text):
            if piece:
                assert any(f" {piece.strip()} " in other for other in corpus), (text, piece)


def test_copied_asks_for_stretches(copying: ClauseCopier) -> None:
    assert not copying.copied(("ann", "flies"))
    assert copying.copied(("to", "the", "barn"))
    assert not copying.copied(("barn", "the", "to"))


@pytest.mark.parametrize("make", [ClauseCopier, CopyAndEdit])
def test_what_was_never_seen_is_left_away(
    make: type[ClauseCopier | CopyAndEdit], examples: list[Example]
) -> None:
    parrot = make(examples[:300])
    assert parrot.write(SkillCombination("toys", ("irony",)), "ann and bob 's red cup") == ""
    assert parrot.write(SkillCombination("toys", ("dye",)), "something else") == ""
    odd = make([Example(SkillCombination("tea", ("pun",)), "tea", "how warm .")])
    assert odd.write(SkillCombination("tea", ("pun",)), "tea") == ""
