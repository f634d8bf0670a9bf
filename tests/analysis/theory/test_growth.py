"""How k grows: where full marks cross the threshold, and what one model predicts of the others."""

from __future__ import annotations

import math

import pytest

from unparrot.analysis.theory.prediction import Rung, crossing, growth
from unparrot.stats.intervals import wilson


@pytest.mark.parametrize(
    ("shares", "k", "beyond"),
    [
        ([0.1], 0.75 / 0.9 + 0.05 / 0.9, False),  # from 1 at k = 0 down to 0.1: 0.8/0.9
        ([0.2, 0.2], 2.0, True),
        ([1.0, 0.0], 1.8, False),
        ([1.0, 0.1, 0.9], 1 + 0.8 / 0.9, False),  # the first fall counts
        ([0.0, 0.5], 0.8, False),
    ],
)
def test_crossing(shares: list[float], k: float, beyond: bool) -> None:
    found, out = crossing(shares, 0.2)
    assert found == pytest.approx(k)
    assert out is beyond


def rung(name: str, excess: float, theta: float, *earned: int) -> Rung:
    return Rung(name, excess, theta, tuple(wilson(m, 100) for m in earned))


def test_predictions_start_from_the_first_model() -> None:
    small = rung("s", 0.4, 0.5, 100, 0)
    large = rung("l", 0.1, 0.1, 100, 100, 100)
    found = growth([small, large], threshold=0.2)
    first, second = found.points
    assert first.measured.value == pytest.approx(1.8)
    assert (first.by_excess, first.by_theta) == (None, None)
    assert second.by_excess == pytest.approx(1.8 * 4)
    assert second.by_theta == pytest.approx(1.8 * math.log(0.5) / math.log(0.9))
    assert (second.measured.value, second.beyond) == (3.0, True)
    assert found.exponent is None, "one model within reach gives no slope"


def test_the_exponent_is_that_of_a_ladder_that_grows_as_predicted() -> None:
    # full marks fall from 100 % to 0 right after k: the crossing is at k + 0.8
    ladder = [
        rung(str(k), 1 / (k + 0.8), 0.1, *([100] * k), *([0] * (9 - k))) for k in (1, 2, 4, 8)
    ]
    found = growth(ladder, threshold=0.2)
    assert found.exponent is not None
    assert found.exponent.value == pytest.approx(-1)
    assert found.exponent.n == 4
    for point in found.points[1:]:
        assert point.by_excess == pytest.approx(point.measured.value)
    assert found.points[0].measured.n == 900


def test_the_interval_is_read_off_the_limits_at_each_k() -> None:
    (point,) = growth([rung("s", 0.4, 0.5, 100, 0)], threshold=0.2).points
    lower, upper = wilson(100, 100).low, wilson(0, 100).high
    assert lower is not None
    assert upper is not None
    assert point.measured.low == pytest.approx(1 + (lower - 0.2) / lower)
    assert point.measured.high == pytest.approx(1 + 0.8 / (1 - upper))


@pytest.mark.parametrize(
    "first",
    [
        rung("s", 0.4, 0.5, 0, 0),  # reaches the threshold nowhere
        rung("s", 0.4, 0.5, 100, 100),  # its own k is not known
        rung("s", -0.1, 0.0, 100, 0),  # no excess, and no failures
        rung("s", 0.0, 1.0, 100, 0),  # nothing but failures
    ],
)
def test_nothing_is_predicted_from_a_model_that_tells_too_little(first: Rung) -> None:
    found = growth([first, rung("l", 0.1, 0.1, 100, 50, 0)], threshold=0.2)
    assert (found.points[1].by_excess, found.points[1].by_theta) == (None, None)
