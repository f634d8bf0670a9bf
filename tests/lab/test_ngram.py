"""The n-gram parrot: hand-worked probabilities, sampling, recall."""

from random import Random

import pytest
from scipy import stats

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.parrots.old import EOS, TEMPERATURE, NgramParrot

SEEN = SkillCombination("tea", ("irony",))
# Prompt: <bos> topic: tea skills: irony text:. Vocabulary: these, a, b and <eos>: 9 tokens,
# of which 8 can follow something.
TOY = [(SEEN, "a b"), (SEEN, "a b"), (SEEN, "a a"), (SEEN, "b")]


def test_probabilities_by_hand_order_1() -> None:
    p = NgramParrot(TOY, order=1).probabilities([])
    # 4 prompts of 5 tokens that can follow, 7 words and 4 <eos> make 31; 8 kinds of token.
    assert p["a"] == pytest.approx((4 + 8 / 8) / (31 + 8))
    assert p["b"] == pytest.approx((3 + 8 / 8) / (31 + 8))
    assert p[EOS] == pytest.approx((4 + 8 / 8) / (31 + 8))
    assert p["<bos>"] == 0


def test_probabilities_by_hand_orders_2_and_3() -> None:
    one = {"a": 5 / 39, "b": 4 / 39, EOS: 5 / 39}
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
    assert len(p) == 9
    assert sum(p.values()) == pytest.approx(1)
    assert min(p.values()) >= 0


def test_remembers_only_the_last_tokens() -> None:
    parrot = NgramParrot(TOY, order=3)
    near = parrot.probabilities(["text:", "a"])
    assert parrot.probabilities(["b", "b", "text:", "a"]) == near
    assert parrot.probabilities(["never seen", "a"]) == parrot.probabilities(["a"])


def test_contexts_do_not_cross_documents() -> None:
    parrot = NgramParrot([(SEEN, "a"), (SEEN, "b")], order=4)
    assert parrot.probabilities([EOS]) == parrot.probabilities([])


def test_greedy_recalls_what_it_saw_and_stops() -> None:
    other = SkillCombination("jam", ("metaphor",))
    parrot = NgramParrot([(SEEN, "how very warm ."), (other, "jam is the gold of june .")], order=6)
    assert parrot.write(SEEN, None) == "how very warm ."
    assert parrot.write(other, None) == "jam is the gold of june ."


def test_endless_text_is_cut() -> None:
    text = " ".join(["a"] * 100)
    assert len(NgramParrot([(SEEN, text)], order=2).write(SEEN, None).split()) == 160


def test_samples_follow_the_sharpened_distribution() -> None:
    parrot = NgramParrot(TOY, order=6)
    p = parrot.probabilities(["<bos>", "topic:", "tea", "skills:", "irony", "text:"])
    weights = {token: value ** (1 / TEMPERATURE) for token, value in p.items()}
    rng = Random(5)
    firsts = [(parrot.write(SEEN, rng).split() or [EOS])[0] for _ in range(4000)]
    share = {token: weights[token] / sum(weights.values()) for token in ("a", "b")}
    observed = [firsts.count("a"), firsts.count("b")]
    observed.append(4000 - sum(observed))
    expected = [4000 * share["a"], 4000 * share["b"]]
    expected.append(4000 - sum(expected))
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_the_same_seed_writes_the_same() -> None:
    def write(seed: int) -> list[str]:
        rng = Random(seed)
        return [NgramParrot(TOY, order=3).write(SEEN, rng) for _ in range(20)]

    assert write(1) == write(1)
    assert write(1) != write(2)


def test_bad_input_is_named() -> None:
    with pytest.raises(BadInput, match=r"order.*0"):
        NgramParrot(TOY, order=0)
    with pytest.raises(BadInput, match="at least one document"):
        NgramParrot([])
