"""Corrected shares by hand, beside another program, and their coverage by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.errors import BadInput
from unparrot.stats.corrected import corrected_share
from unparrot.stats.intervals import wilson


def graded(
    rng: np.random.Generator, n: int, share: float, wrong: tuple[float, float], rounds: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and a grader with rates of false points and of missed points.

    Rounds of one combination share their truth half of the time.
    """
    luck = np.repeat(rng.random(n // rounds), rounds)
    truth = np.where(rng.random(len(luck)) < 0.5, luck, rng.random(len(luck))) < share
    error = rng.random(len(luck)) < np.where(truth, wrong[1], wrong[0])
    return truth.astype(float), (truth ^ error).astype(float)


def labelled(truth: np.ndarray, n: int) -> np.ndarray:
    labels = truth.copy()
    labels[n:] = np.nan
    return labels


def test_by_hand_with_a_grader_that_is_right() -> None:
    # 20 labels, 8 of them 1; the grader agrees with all, and passes 300 of 1000 others
    y = np.array([1.0] * 8 + [0.0] * 12)
    more = np.array([1.0] * 300 + [0.0] * 700)
    found = corrected_share(np.append(y, np.full(1000, np.nan)), np.append(y, more))
    # with one text wrongly passed and one wrongly failed: 8 of 22 earned for both, 9 for each
    both, own = 8 / 22 - (9 / 22) ** 2, 9 / 22 * 13 / 22
    assert found.weight == pytest.approx(both / (own + 22 * 0.21 / 1000))
    assert found.estimate.value == pytest.approx(0.4 + found.weight * (0.3 - 0.4))
    assert (found.labelled_only.n, found.estimate.n) == (20, 1020)
    # twenty labels do not make it faultless: the unlabelled marks alone would give 0.057
    assert found.estimate.high - found.estimate.low > 2 * 0.06  # type: ignore[operator]


def test_beside_the_published_program() -> None:
    # ppi-python 0.2.3 on the same marks: ppi_mean_pointestimate and ppi_mean_ci
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.3).astype(float)
    f = np.where(rng.random(2000) < 0.85, y, 1 - y)
    for n, value, low, high in (
        (60, 0.28973, 0.19979, 0.37967),
        (300, 0.26612, 0.22779, 0.30445),
    ):
        found = corrected_share(labelled(y, n), f).estimate
        # it takes one variance for labelled and unlabelled marks together, and no extra labels
        assert found.value == pytest.approx(value, abs=2e-3)
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize(
    ("share", "wrong", "n", "rounds"),
    [
        (0.3, (0.1, 0.1), 40, 1),
        (0.05, (0.05, 0.1), 40, 1),
        (0.05, (0.05, 0.1), 100, 1),
        (0.8, (0.3, 0.1), 100, 1),
        (0.3, (0.02, 0.02), 100, 1),
        (0.5, (0.4, 0.4), 100, 1),
        (0.3, (0.1, 0.1), 120, 3),
    ],
)
def test_corrected_shares_cover_at_their_level_and_are_never_wider(
    share: float, wrong: tuple[float, float], n: int, rounds: int
) -> None:
    rng = np.random.default_rng([n, rounds, round(100 * share)])
    trials, covered, alone = 800, 0, 0
    width, plain, score = 0.0, 0.0, 0.0
    clusters = np.repeat(np.arange(1200 // rounds), rounds)
    for _ in range(trials):
        truth, marks = graded(rng, 1200, share, wrong, rounds)
        found = corrected_share(labelled(truth, n), marks, clusters=clusters)
        e, only = found.estimate, found.labelled_only
        covered += e.low <= share <= e.high  # type: ignore[operator]
        alone += only.low <= share <= only.high  # type: ignore[operator]
        # cut off at 0, an interval that reaches lower can look narrower; compare where it is not
        if only.low and e.low:
            assert e.high - e.low <= only.high - only.low + 1e-12  # type: ignore[operator]
        width += e.high - e.low  # type: ignore[operator]
        plain += only.high - only.low  # type: ignore[operator]
        by_wilson = wilson(int(truth[:n].sum()), n)
        score += by_wilson.high - by_wilson.low  # type: ignore[operator]
    # at least 95 %, less three standard deviations of 800 trials (0.8 points each)
    assert covered / trials > 0.926
    assert alone / trials > 0.926
    assert width < plain
    if sum(wrong) < 0.5 and rounds == 1:
        # a fair grader makes up for the care taken over it
        assert width < score


@given(st.integers(0, 10_000), st.integers(10, 60))
def test_the_weight_is_a_weight_and_the_value_a_share(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    truth, marks = graded(rng, 120, rng.random(), (rng.random(), rng.random()))
    found = corrected_share(labelled(truth, n), marks)
    assert 0 <= found.weight <= 1
    e = found.estimate
    assert 0 <= e.low <= e.value <= e.high <= 1  # type: ignore[operator]


def test_with_every_text_labelled_the_grader_does_not_count() -> None:
    truth, marks = graded(np.random.default_rng(1), 200, 0.4, (0.2, 0.2))
    found = corrected_share(truth, marks)
    assert found.weight == 0
    assert found.estimate.value == found.labelled_only.value == truth.mean()


def test_bad_labels_are_named() -> None:
    ones = np.ones(20)
    for labels, marks, options, message in (
        (ones[:10], ones, {}, "same texts"),
        (2 * ones, ones, {}, "0 or 1"),
        (ones, ones / 2, {}, "0 or 1"),
        (labelled(ones, 9), ones, {}, "too few to correct a share: 9 labels"),
        (ones, ones, {"clusters": [1]}, "cluster labels"),
        (ones, ones, {"level": 0}, "level"),
    ):
        with pytest.raises(BadInput, match=message):
            corrected_share(labels, marks, **options)
