"""Rates behind the marks of a judge that errs: by hand, and how often their intervals cover."""

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.stats.misclassified import JudgeErrors, most_rate, true_rate

RATES = np.array([0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5])
SENSITIVITY, SPECIFICITY = 0.85, 0.95
CORPORA, WINDOWS, LABELS = 500, 2000, 200


def test_a_rate_by_hand() -> None:
    # 0.85 p + 0.05 (1 - p) = 0.13 at p = 0.1
    errors = JudgeErrors(85, 100, 950, 1000)
    rate = true_rate(260, 2000, errors)
    assert rate.value == pytest.approx(0.1)
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 0.1 < rate.high < most_rate(260, 2000, errors, 0.025, 0.025)
    # without labels the marks are taken as they are
    assert true_rate(260, 2000, None).value == 0.13


def test_nothing_marked_has_an_upper_limit() -> None:
    for errors in (None, JudgeErrors(85, 100, 950, 1000)):
        rate = true_rate(0, 2000, errors)
        assert rate.value == 0
        assert rate.high is not None
        assert 0 < rate.high < 0.05
        # of n windows, without any: 1 - miss^(1/n)
        assert most_rate(0, 2000, errors, 0.05, 0.05) >= 1 - 0.05 ** (1 / 2000) - 1e-12


def test_a_judge_no_better_than_chance_leaves_every_rate_possible() -> None:
    rate = true_rate(1000, 2000, JudgeErrors(50, 100, 50, 100))
    assert (rate.low, rate.high) == (0.0, 1.0)
    assert most_rate(1000, 2000, JudgeErrors(50, 100, 50, 100), 0.05, 0.05) == 1.0


def test_too_few_labels_and_impossible_ones_are_refused() -> None:
    with pytest.raises(BadInput, match="too few labels to correct by: 4 of what is there and 90"):
        true_rate(1, 10, JudgeErrors(3, 4, 90, 90))
    with pytest.raises(BadInput, match="more than there is"):
        most_rate(1, 10, JudgeErrors(9, 8, 90, 90), 0.1, 0.1)


@pytest.mark.slow
def test_intervals_of_planted_corpora_cover_their_rates() -> None:
    rng = np.random.default_rng(15)
    covered = np.zeros((CORPORA, len(RATES)), dtype=bool)
    within = np.zeros(CORPORA, dtype=bool)
    for corpus in range(CORPORA):
        shown = rng.random((WINDOWS, len(RATES))) < RATES
        chance = np.where(shown, SENSITIVITY, 1 - SPECIFICITY)
        tagged = rng.random(shown.shape) < chance
        some = (rng.integers(0, WINDOWS, LABELS), rng.integers(0, len(RATES), LABELS))
        true, tag = shown[some], tagged[some]
        counts = ((true & tag).sum(), true.sum(), (~true & ~tag).sum(), (~true).sum())
        errors = JudgeErrors(*map(int, counts))
        marked = tagged.sum(axis=0).tolist()
        for i, rate in enumerate(RATES.tolist()):
            estimate = true_rate(marked[i], WINDOWS, errors)
            assert estimate.low is not None
            assert estimate.high is not None
            covered[corpus, i] = estimate.low <= rate <= estimate.high
        each = 0.025 / len(RATES)
        limits = [most_rate(m, WINDOWS, errors, each, 0.025) for m in marked]
        within[corpus] = bool((limits >= RATES).all())
    assert 0.93 <= covered.mean() <= 0.97
    # nothing is corrected where the labels do not say how
    uncorrected = abs(tagged.mean(axis=0) - RATES)
    assert uncorrected.max() > 0.04
    # the limits of a certificate hold all at once, however rare the skill
    assert within.mean() >= 0.95
