"""The splicing parrot: it recalls, covers, prefers what fits, and never edits a word."""

from collections import Counter
from random import Random

import pytest
from numpy.random import default_rng

from unparrot.core.errors import BadInput
from unparrot.core.skills import HeldOut, SkillCombination
from unparrot.lab.corpus import Mixture, Source
from unparrot.lab.parrots.old import NgramParrot, Parrot, SpliceParrot
from unparrot.lab.world.english import World


def c(topic: str, *skills: str) -> SkillCombination:
    return SkillCombination(topic, skills)


TOY = [
    (c("tea", "irony"), "how warm the cup is ."),
    (c("tea", "metaphor"), "the pot is gold ."),
    (c("tea", "metaphor"), "the cup is gold ."),
    (c("tea", "irony", "pun"), "how cold the cup is . it suits you to a tea ."),
    (c("jam", "simile"), "as red as a rose ."),
    (c("jam", "pun"), "it jams ."),
]


def world_documents(count: int) -> tuple[World, list[tuple[SkillCombination, str]]]:
    world = World()
    held_out = HeldOut.draw(world.pack, default_rng(3))
    source = Source(world, held_out, Mixture(), seed=2)
    documents = [source.document(i) for i in range(count)]
    return world, [(d.combination, " ".join(d.words)) for d in documents]


def test_seen_combinations_are_recalled_word_by_word() -> None:
    _, documents = world_documents(500)
    parrot = SpliceParrot(documents)
    texts: dict[str, set[str]] = {}
    for combination, text in documents:
        texts.setdefault(combination.id, set()).add(text)
    rng = Random(1)
    for combination, _ in documents:
        assert parrot.write(combination, None) in texts[combination.id]
        assert parrot.write(combination, rng) in texts[combination.id]


def test_a_seen_combination_in_another_order_is_recalled() -> None:
    parrot = SpliceParrot(TOY)
    assert parrot.write(c("tea", "pun", "irony"), None) == TOY[3][1]


def test_pastes_texts_that_share_words() -> None:
    # 'cup' and 'pot' are words of all the skills here, so they say what a text is about.
    documents = [
        (c("tea", "irony"), "how warm the cup is ."),
        (c("tea", "metaphor"), "the pot is gold ."),
        (c("tea", "metaphor"), "the cup is gold ."),
        (c("jam", "irony"), "how warm the pot is ."),
    ]
    parrot = SpliceParrot(documents)
    wanted = {
        "the pot is gold ; how warm the cup is .",  # the tie of the first paste
        "the cup is gold ; how warm the cup is .",
        "how warm the cup is ; the cup is gold .",
    }
    rng = Random(2)
    assert {parrot.write(c("tea", "irony", "metaphor"), rng) for _ in range(60)} == wanted


def test_sentences_that_show_nothing_asked_are_dropped() -> None:
    text = SpliceParrot(TOY).write(c("tea", "metaphor", "pun"), None)
    assert text in (
        "the pot is gold ; it suits you to a tea .",
        "the cup is gold ; it suits you to a tea .",
    )


def test_another_topic_if_the_topic_has_none() -> None:
    assert SpliceParrot(TOY).write(c("tea", "simile"), None) == "as red as a rose ."


def test_unknown_skills_are_left_out() -> None:
    parrot = SpliceParrot(TOY)
    assert parrot.write(c("tea", "litotes"), None) == ""
    assert parrot.write(c("jam", "litotes", "simile"), None) == "as red as a rose ."


def test_ties_are_broken_by_the_generator() -> None:
    parrot = SpliceParrot(TOY)
    rng = Random(1)
    drawn = Counter(parrot.write(c("tea", "metaphor"), rng) for _ in range(400))
    assert set(drawn) == {"the pot is gold .", "the cup is gold ."}
    assert min(drawn.values()) > 140  # 200 +- 10


def test_no_word_is_new_or_edited_and_no_text_too_long() -> None:
    world, documents = world_documents(1500)
    parrot = SpliceParrot(documents)
    corpus = {
        sentence.strip()
        for _, text in documents
        for sentence in text.replace(" ?", " .").split(" .")
    }
    rng, chooser = Random(4), Random(5)
    for _ in range(200):
        k = chooser.randint(1, 6)
        topic = chooser.choice(world.pack.topic_names)
        combination = c(topic, *chooser.sample(world.pack.skill_names, k))
        for generator in (None, rng):
            text = parrot.write(combination, generator)
            assert text == " ".join(text.split())
            assert text.count(" .") + text.count(" ?") <= max(1, k - 1)
            for sentence in text.replace(" ?", " .").split(" ."):
                parts = sentence.strip().split(" ; ")
                assert _made_of(parts, corpus), sentence


def _made_of(parts: list[str], corpus: set[str]) -> bool:
    """Whether the parts, joined as they are or cut, are sentences of the corpus."""
    if not parts:
        return True
    return any(
        " ; ".join(parts[:n]) in corpus and _made_of(parts[n:], corpus)
        for n in range(1, len(parts) + 1)
    )


@pytest.mark.parametrize("make", [NgramParrot, SpliceParrot])
def test_writing_is_deterministic_and_uses_words_of_the_corpus(
    make: type[NgramParrot] | type[SpliceParrot],
) -> None:
    world, documents = world_documents(800)
    known = {word for _, text in documents for word in text.split()}
    known |= {token for c, _ in documents for token in world.prompt_tokens(c)}
    chooser = Random(8)
    asked = [
        c(chooser.choice(world.pack.topic_names), *chooser.sample(world.pack.skill_names, k))
        for k in (1, 2, 3, 4, 5, 6) * 5
    ]

    def all_texts(seed: int) -> list[str]:
        parrot: Parrot = make(documents)
        rng = Random(seed)
        return [parrot.write(a, r) for a in asked for r in (None, rng)]

    texts = all_texts(1)
    assert texts == all_texts(1)
    assert texts != all_texts(2)
    assert {word for text in texts for word in text.split()} <= known


def test_no_documents_is_an_error() -> None:
    with pytest.raises(BadInput, match="at least one document"):
        SpliceParrot([])
