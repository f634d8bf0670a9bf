"""The nearest neighbour and the splicer: they repeat and paste, and never change a word."""

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.neighbour import NeighbourParrot
from unparrot.lab.parrots.splicer import JOINT, SpliceParrot


def c(topic: str, *skills: str) -> SkillCombination:
    return SkillCombination(topic, skills)


TOY = [
    Example(c("tea", "irony"), "cup", "how warm the cup is ."),
    Example(c("tea", "metaphor"), "pot", "the pot is gold ."),
    Example(c("tea", "metaphor"), "cup", "the cup is gold ."),
    Example(c("tea", "irony", "pun"), "cup", "how cold the cup is . it suits you to a tea ."),
    Example(c("jam", "simile"), "rose", "as red as a rose ."),
    Example(c("jam", "pun"), "jam", "it jams ."),
]


@pytest.mark.parametrize("make", [NeighbourParrot, SpliceParrot])
def test_requests_of_training_are_recalled(
    make: type[NeighbourParrot | SpliceParrot], examples: list[Example]
) -> None:
    texts: dict[tuple[tuple[str, ...], str], set[str]] = {}
    for combination, about, text in examples:
        texts.setdefault((combination.skills, about), set()).add(text)
    parrot = make(examples)
    for combination, about, _ in examples[:200]:
        assert parrot.write(combination, about) in texts[combination.skills, about]


def test_neighbour_prefers_skills_in_their_order_then_what_it_is_about() -> None:
    parrot = NeighbourParrot(TOY)
    assert parrot.write(c("tea", "metaphor"), "pot") == TOY[1].text
    assert parrot.write(c("tea", "metaphor"), "cup") == TOY[2].text
    assert parrot.write(c("jam", "irony", "pun"), "jam") == TOY[3].text


def test_splicer_pastes_sentences_about_what_is_asked() -> None:
    parrot = SpliceParrot(TOY)
    two = parrot.write(c("tea", "metaphor", "irony"), "cup")
    assert two == f"the cup is gold{JOINT}how warm the cup is ."
    assert parrot.write(c("tea", "unknown"), "cup") == ""


def test_splicer_pastes_whole_sentences_only(examples: list[Example]) -> None:
    sentences = {
        sentence.strip()
        for example in examples
        for sentence in example.text.split(" .")
        if sentence
    }
    parrot = SpliceParrot(examples)
    for skills in (("tell", "dye", "move"), ("recall", "move", "simile"), ("dye", "move")):
        for about in ("ann and bob 's red cup", "tom and zoe 's kite from the barn"):
            text = parrot.write(c("toys", *skills), about)
            for sentence in text.split(" ."):
                for part in sentence.split(JOINT):
                    joined = part.strip() in sentences or sentence.strip() in sentences
                    assert not part.strip() or joined, text
