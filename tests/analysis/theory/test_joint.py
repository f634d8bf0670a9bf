"""The slingshot's test: hand-worked predictions, and pieces that are joined as it says."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from unparrot.analysis.theory.prediction import joint_points
from unparrot.stats.intervals import wilson

SKILLS = [f"s{i}" for i in range(8)]


def frame(rows: list[tuple[str, int, bool]], questions: int = 1) -> pl.DataFrame:
    """(model, number of skills, failed)"""
    return pl.DataFrame(
        {
            "model": [m for m, _, _ in rows],
            "skills": [SKILLS[:k] for _, k, _ in rows],
            "questions": [questions] * len(rows),
            "wrong": [int(failed) for _, _, failed in rows],
        }
    )


def test_by_hand() -> None:
    rows = [("m", 1, i < 2) for i in range(10)] + [("m", 2, i < 5) for i in range(10)]
    one, two = joint_points(frame(rows))
    assert (one.k, one.predicted, one.residual.value) == (1, pytest.approx(0.2), 0.0)
    assert one.exponent == pytest.approx(-math.log(0.8))
    assert two.predicted == pytest.approx(1 - 0.8**2)
    assert two.measured == wilson(5, 10)
    assert two.residual.value == pytest.approx(0.5 - 0.36)
    assert two.residual.low is not None
    assert two.residual.high is not None
    assert two.residual.low < 0.14 < two.residual.high


def test_pieces_joined_from_independent_ones_leave_no_residual() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        rows = [("m", k, bool((rng.random(k) < 0.1).any())) for k in (1, 2, 4) for _ in range(400)]
        for point in joint_points(frame(rows))[1:]:
            assert point.residual.low is not None
            assert point.residual.high is not None
            covered += point.residual.low <= 0 <= point.residual.high
    # 120 intervals of 95 %: fewer than 106 has a chance under 1 in 1,000
    assert covered >= 106


def test_what_cannot_be_predicted_is_left_out() -> None:
    rows = [("a", 2, True), ("b", 1, True), ("b", 2, True)]
    points = joint_points(frame(rows))
    assert [(p.model, p.k) for p in points] == [("b", 1), ("b", 2)]
    assert [p.exponent for p in points] == [None, None], "every single piece failed"
    assert points[1].predicted == 1.0
    assert joint_points(frame(rows, questions=0)) == []


def test_no_failure_in_few_pieces_is_not_taken_for_none_at_all() -> None:
    rows = [("m", 1, False)] * 20 + [("m", 2, i < 3) for i in range(100)]
    one, two = joint_points(frame(rows))
    assert (one.exponent, two.predicted, two.residual.value) == (0.0, 0.0, 0.03)
    # up to 16 % of pieces of one skill may fail, so 3 % of those of two are no surprise
    assert two.residual.low is not None
    assert two.residual.low < 0
