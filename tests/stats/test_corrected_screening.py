"""Sensitivity, specificity and Rogan and Gladen's correction: by hand and by simulation."""

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.stats.corrected import rogan_gladen, screening
from unparrot.stats.intervals import wilson


def test_by_hand() -> None:
    truth = np.array([1.0] * 50 + [0.0] * 50)
    marks = np.array([1.0] * 45 + [0.0] * 5 + [1.0] * 10 + [0.0] * 40)
    found = screening(truth, marks)
    assert found.sensitivity == wilson(45, 50)
    assert found.specificity == wilson(40, 50)
    # (0.55 + 0.8 - 1) / (0.9 + 0.8 - 1)
    assert found.corrected is not None
    assert found.corrected.value == pytest.approx(0.5)
    some = screening(np.append(truth, [np.nan] * 100), np.append(marks, [1.0] * 34 + [0.0] * 66))
    # the share of those whose truth is not known: (0.34 - 0.2) / 0.7
    assert some.corrected.value == pytest.approx(0.2)  # type: ignore[union-attr]
    assert some.corrected.n == 200  # type: ignore[union-attr]


def test_the_interval_is_that_of_lang_and_reiczigel() -> None:
    # Worked from their equations 6, 7, 16 and 17 with z = 1.959964 for 23 of 150 positive,
    # sensitivity 96 of 100 and specificity 178 of 200.
    z2 = 1.959964**2
    ap, se, sp = (23 + z2 / 2) / (150 + z2), 97 / 102, 179 / 202
    p = (ap + sp - 1) / (se + sp - 1)
    shift = 2 * z2 * (p * se * (1 - se) / 102 - (1 - p) * sp * (1 - sp) / 202)
    variance = (
        ap * (1 - ap) / (150 + z2) + p**2 * se * (1 - se) / 102 + (1 - p) ** 2 * sp * (1 - sp) / 202
    )
    half = (z2 * variance) ** 0.5 / (se + sp - 1)
    found = rogan_gladen((23 / 150, 150), (0.96, 100), (0.89, 200))
    assert found is not None
    assert found.value == pytest.approx((23 / 150 - 0.11) / 0.85)
    assert (found.low, found.high) == pytest.approx((max(0, p + shift - half), p + shift + half))


@pytest.mark.parametrize(("share", "se", "sp"), [(0.3, 0.9, 0.85), (0.05, 0.8, 0.97)])
def test_it_covers_at_about_its_level(share: float, se: float, sp: float) -> None:
    rng = np.random.default_rng(round(100 * se))
    trials, covered = 600, 0
    for _ in range(trials):
        truth = rng.random(1200) < share
        marks = np.where(truth, rng.random(1200) < se, rng.random(1200) > sp)
        labels = np.where(np.arange(1200) < 200, truth, np.nan)
        found = screening(labels, marks.astype(float)).corrected
        assert found is not None
        covered += found.low <= share <= found.high  # type: ignore[operator]
    # 95 %; sensitivity rests on some ten texts in the second case. Three standard deviations of
    # 600 trials are 2.7 points
    assert covered / trials > 0.92


def test_rounds_that_agree_count_once() -> None:
    rng = np.random.default_rng(2)
    truth = rng.random(60) < 0.5
    marks = np.where(rng.random(60) < 0.2, ~truth, truth)
    once = screening(truth.astype(float), marks.astype(float))
    labels = np.repeat(np.arange(60), 3)
    thrice = screening(
        np.repeat(truth, 3).astype(float), np.repeat(marks, 3).astype(float), clusters=labels
    )
    assert thrice.sensitivity.low == pytest.approx(once.sensitivity.low, abs=0.02)
    a, b = once.corrected, thrice.corrected
    assert a is not None
    assert b is not None
    assert (b.low, b.high) == pytest.approx((a.low, a.high), abs=0.03)


def test_a_grader_no_better_than_chance_corrects_nothing() -> None:
    assert rogan_gladen((0.5, 100), (0.4, 50), (0.6, 50)) is None
    only = screening(np.ones(20), np.ones(20))
    assert (only.specificity.value, only.corrected) == (None, None)


def test_bad_input_is_named() -> None:
    with pytest.raises(BadInput, match="same texts"):
        screening([1.0], [1.0, 0.0])
    with pytest.raises(BadInput, match="0 or 1"):
        screening([1.0, 0.0], [0.5, 0.0])
    with pytest.raises(BadInput, match="no text is known"):
        screening([np.nan], [1.0])
