"""The n-gram parrot: hand-worked probabilities, recall."""

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example
from unparrot.lab.parrots.ngram import NgramParrot
from unparrot.lab.parrots.parrot import EOS, MAX_TOKENS

SEEN = SkillCombination("tea", ("irony",))
# Prompt: <bos> topic: tea about: cup skills: irony text:. Vocabulary: these, a, b and <eos>: 11
# tokens, of which 10 can follow something.
TOY = [Example(SEEN, "cup", text) for text in ("a b", "a b", "a a", "b")]


def test_probabilities_by_hand_order_1() -> None:
    p = NgramParrot(TOY, order=1).probabilities([])
    # 4 prompts of 7 tokens that can follow, 7 words and 4 <eos> make 39; 10 kinds of token.
    assert p["a"] == pytest.approx((4 + 10 / 10) / (39 + 10))
    assert p["b"] == pytest.approx((3 + 10 / 10) / (39 + 10))
    assert p[EOS] == pytest.approx((4 + 10 / 10) / (39 + 10))
    assert p["<bos>"] == 0


def test_probabilities_by_hand_orders_2_and_3() -> None:
    one = {"a": 5 / 49, "b": 4 / 49, EOS: 5 / 49}
    # After a: b twice, a once, <eos> once: 4 times, 3 kinds.
    two = {"a": (1 + 3 * one["a"]) / 7, "b": (2 + 3 * one["b"]) / 7, EOS: (1 + 3 * one[EOS]) / 7}
    p = NgramParrot(TOY, order=2).probabilities(["text:", "a"])
    assert {token: p[token] for token in two} == pytest.approx(two)
    # After text: a: b twice, a once: 3 times, 2 kinds.
    three = {"a": (1 + 2 * two["a"]) / 5, "b": (2 + 2 * two["b"]) / 5, EOS: 2 * two[EOS] / 5}
    p = NgramParrot(TOY, order=3).probabilities(["text:", "a"])
    assert {token: p[token] for token in three} == pytest.approx(three)


@pytest.mark.parametrize("order", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("context", [[], ["a"], ["text:", "a"], ["b", "b", "b"], ["?", "a"], ["?"]])
def test_probabilities_sum_to_one(order: int, context: list[str]) -> None:
    p = NgramParrot(TOY, order=order).probabilities(context)
    assert len(p) == 11
    assert sum(p.values()) == pytest.approx(1)
    assert min(p.values()) >= 0


def test_remembers_only_the_last_tokens() -> None:
    parrot = NgramParrot(TOY, order=3)
    near = parrot.probabilities(["text:", "a"])
    assert parrot.probabilities(["b", "b", "text:", "a"]) == near
    assert parrot.probabilities(["never seen", "a"]) == parrot.probabilities(["a"])


def test_contexts_do_not_cross_documents() -> None:
    parrot = NgramParrot([Example(SEEN, "cup", "a"), Example(SEEN, "cup", "b")], order=4)
    assert parrot.probabilities([EOS]) == parrot.probabilities([])


def test_greedy_recalls_what_it_saw_and_stops() -> None:
    other = SkillCombination("jam", ("metaphor",))
    examples = [Example(SEEN, "cup", "how warm ."), Example(other, "pot", "jam is gold .")]
    parrot = NgramParrot(examples, order=6)
    assert parrot.write(SEEN, "cup") == "how warm ."
    assert parrot.write(other, "pot") == "jam is gold ."


def test_endless_text_is_cut() -> None:
    text = " ".join(["a"] * 100)
    written = NgramParrot([Example(SEEN, "cup", text)], order=2).write(SEEN, "cup")
    assert len(written.split()) == MAX_TOKENS
