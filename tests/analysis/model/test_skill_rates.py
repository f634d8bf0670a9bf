"""Rates of single skills, by split and by k, worked by hand."""

import pytest

from unparrot.analysis.model.skill_rates import skill_rates
from unparrot.analysis.read.outcomes import outcomes_of
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.stats.intervals import wilson

LOST = Mark.unscored("the grader did not answer")
CATEGORIES = {"pun": "figures", "irony": "rhetoric", "simile": "figures"}


def text(
    number: int, split: str = "seen", sample: int = 0, decoding: str = "greedy", **skills: Mark
) -> GradedText:
    marks = {**skills, **dict.fromkeys(CRITERIA, EARNED)}
    combination = SkillCombination(f"topic {number}", tuple(skills))
    return GradedText(combination, "w", marks, "m", split, decoding, sample, None)


TEXTS = [
    text(0, irony=EARNED),
    text(1, irony=MISSED, pun=EARNED),
    text(2, irony=EARNED, pun=MISSED),
    text(3, "heldout_pair", irony=EARNED, pun=LOST),
    text(4, decoding="t0.7", irony=MISSED),
]


def test_hand_worked_rates() -> None:
    rates = skill_rates(outcomes_of(TEXTS), CATEGORIES)
    # in the order of the categories, every split together first; greedy texts only
    told = [(r.skill, r.category, r.split, r.earned.estimate) for r in rates]
    # of three marks one is unscored: from one of three at worst to two of three at best
    pun = Estimate(1 / 2, wilson(1, 3).low, wilson(2, 3).high, 0.95, "wilson", 2)
    assert told == [
        ("pun", "figures", "all", pun),
        ("pun", "figures", "seen", wilson(1, 2)),
        ("pun", "figures", "heldout_pair", wilson(0, 0)),
        ("irony", "rhetoric", "all", wilson(3, 4)),
        ("irony", "rhetoric", "seen", wilson(2, 3)),
        ("irony", "rhetoric", "heldout_pair", wilson(1, 1)),
    ]
    assert rates[0].earned.unscored == 1
    assert (rates[0].earned.worst, rates[0].earned.best) == (wilson(1, 3), wilson(2, 3))


def test_the_decoding_may_be_named() -> None:
    (rate, _) = skill_rates(outcomes_of(TEXTS), CATEGORIES, decoding="t0.7")
    assert rate.earned.estimate == wilson(0, 1)
    with pytest.raises(BadInput, match=r"no text was decoded 't1\.0'.*greedy"):
        skill_rates(outcomes_of(TEXTS), CATEGORIES, decoding="t1.0")


def test_rounds_of_a_combination_count_as_its_cluster() -> None:
    texts = [text(n, sample=s, pun=EARNED if n else MISSED) for n in range(4) for s in range(3)]
    (rate, _) = skill_rates(outcomes_of(texts), CATEGORIES)
    # rounds that agree throughout: 12 marks tell what 4 would
    assert rate.earned.estimate.n == 12
    assert rate.earned.estimate.low == pytest.approx(wilson(3, 4).low)


def test_a_skill_outside_the_pack_is_refused() -> None:
    with pytest.raises(BadInput, match=r"\['irony'\]"):
        skill_rates(outcomes_of(TEXTS), {"pun": "figures"})
