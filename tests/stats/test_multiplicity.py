"""Holm's values by hand; joint coverage of the differences and of the ranks by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.errors import BadInput
from unparrot.stats.multiplicity import (
    holm,
    rank_ranges,
    settled_order,
    simultaneous_differences,
)


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([], []),
        ([0.2], [0.2]),
        # sorted .01 .02 .03 .04: times 4 3 2 1 is .04 .06 .06 .04, and never falling
        ([0.02, 0.01, 0.04, 0.03], [0.06, 0.04, 0.06, 0.06]),
        ([0.5, 0.6, 0.9], [1.0, 1.0, 1.0]),
        ([0.0, 0.001], [0.0, 0.001]),
    ],
)
def test_holm_by_hand(p: list[float], adjusted: list[float]) -> None:
    assert holm(p) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.5))
def test_holm_rejects_what_stepping_down_rejects(p: list[float], alpha: float) -> None:
    rejected: set[int] = set()
    for step, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[i] * (len(p) - step) > alpha:
            break
        rejected.add(i)
    assert {i for i, value in enumerate(holm(p)) if value <= alpha} == rejected


def test_holm_rejects_what_is_no_p() -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        holm([0.1, 1.2])
    with pytest.raises(BadInput, match="between 0 and 1"):
        holm([float("nan")])


def scores(rng: np.random.Generator, n: int, shares: np.ndarray) -> np.ndarray:
    """Full marks of models that share the difficulty of the combinations in part."""
    easy = rng.random((n, 1))
    luck = rng.random((n, len(shares)))
    return (np.where(rng.random(luck.shape) < 0.4, easy, luck) < shares).astype(np.float64)


@pytest.mark.parametrize(
    ("n", "shares"),
    [
        (100, (0.3, 0.3, 0.3, 0.3, 0.3)),
        (100, (0.0, 0.01, 0.02, 0.1, 0.6)),
        (40, (0.2, 0.4, 0.4, 0.9)),
    ],
)
def test_all_differences_and_ranks_hold_together(n: int, shares: tuple[float, ...]) -> None:
    truth = np.array(shares)
    gap = truth[:, None] - truth[None, :]
    rng = np.random.default_rng([n, len(shares)])
    trials, held, ranked = 400, 0, 0
    for _ in range(trials):
        values = [scores(rng, n, truth) for _ in range(2)]
        joint = simultaneous_differences(values, values, rng, resamples=400)
        held += bool(((joint <= gap) & (gap <= -joint.T)).all())
        ranges = rank_ranges(settled_order(joint))
        # equal models may stand in any order among themselves
        best = 1 + (truth[None, :] > truth[:, None]).sum(1)
        last = (truth[None, :] >= truth[:, None]).sum(1)
        ranked += all(
            low <= a and b <= high for (low, high), a, b in zip(ranges, best, last, strict=True)
        )
    # at least 95 %, less four standard deviations of 400 trials (1.1 points each)
    assert held / trials > 0.906
    assert ranked / trials > 0.906


def test_what_is_far_apart_is_settled_and_what_is_equal_is_not() -> None:
    rng = np.random.default_rng(5)
    values = scores(rng, 200, np.array([0.9, 0.5, 0.1]))
    values = np.column_stack([values, values[:, 2]])
    above = settled_order(simultaneous_differences([values], [values], rng))
    assert rank_ranges(above) == [(1, 1), (2, 2), (3, 4), (3, 4)]


def test_open_marks_can_unsettle_but_never_settle() -> None:
    rng = np.random.default_rng(6)
    values = scores(rng, 200, np.array([0.6, 0.3]))
    worst, best = values.copy(), values.copy()
    worst[:80, 0], best[:80, 0] = 0.0, 1.0
    closed = simultaneous_differences([values], [values], np.random.default_rng(1))
    opened = simultaneous_differences([worst], [best], np.random.default_rng(1))
    assert settled_order(closed).any()
    assert not settled_order(opened).any()
    assert opened[0, 1] != closed[0, 1]
    assert opened[1, 0] != closed[1, 0]


@given(st.integers(2, 6), st.integers(2, 12), st.integers(0, 10_000))
def test_models_whose_order_is_open_overlap(models: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = (rng.random((n, models)) < rng.random(models)).astype(np.float64)
    high = np.maximum(low, rng.random((n, models)) < 0.05)
    joint = simultaneous_differences([low], [high], rng, level=0.5, resamples=100)
    above = settled_order(joint)
    assert not (above & above.T).any()
    ranges = rank_ranges(above)
    for i in range(models):
        for j in range(i):
            if not above[i, j] and not above[j, i]:
                assert max(ranges[i][0], ranges[j][0]) <= min(ranges[i][1], ranges[j][1])


def test_two_models_have_the_interval_of_one_difference() -> None:
    rng = np.random.default_rng(7)
    values = scores(rng, 150, np.array([0.5, 0.4]))
    joint = simultaneous_differences([values], [values], rng, resamples=20_000)
    difference = values[:, 0] - values[:, 1]
    # Bonett and Price: one more win and one more loss
    n, wins, losses = 152, (difference == 1).sum() + 1, (difference == -1).sum() + 1
    centre = (wins - losses) / n
    half = 1.96 * np.sqrt((wins + losses) / n - centre**2) / np.sqrt(n)
    assert joint[0, 1] == pytest.approx(centre - half, abs=0.03 * half)
    assert -joint[1, 0] == pytest.approx(centre + half, abs=0.03 * half)


def test_bad_strata_are_named() -> None:
    rng = np.random.default_rng(0)
    good = np.zeros((3, 2))
    for worst, best, message in (
        ([], [], "one of each"),
        ([good], [good[:2]], "shape"),
        ([good[:1]], [good[:1]], "two combinations"),
        ([good + 1], [good], "worst be at most"),
        ([good], [good + 2], "between 0 and 1"),
    ):
        with pytest.raises(BadInput, match=message):
            simultaneous_differences(worst, best, rng)
    with pytest.raises(BadInput, match="100 draws"):
        simultaneous_differences([good], [good], rng, resamples=9)
    with pytest.raises(BadInput, match="level"):
        simultaneous_differences([good], [good], rng, level=1)
