"""Errors against excess loss: the limit, the exponent, and the slope's t interval."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from unparrot.analysis.theory.prediction import error_law, slope
from unparrot.stats.intervals import wilson


def cloze(wrong: dict[str, int], pieces: int = 100, tokens: int = 20) -> pl.DataFrame:
    rows = [(m, tokens, 1, int(i < w)) for m, w in wrong.items() for i in range(pieces)]
    return pl.DataFrame(
        rows,
        schema={"model": pl.String, "tokens": pl.Int64, "questions": pl.Int64, "wrong": pl.Int64},
        orient="row",
    )


def models(**loss: float | None) -> pl.DataFrame:
    return pl.DataFrame(
        [(name, value, 0.25 if value else None) for name, value in loss.items()],
        schema={"name": pl.String, "loss": pl.Float64, "entropy": pl.Float64},
        orient="row",
    )


def test_by_hand() -> None:
    found = error_law(models(a=0.29, b=0.27, splice=None), cloze({"a": 40, "b": 20, "splice": 5}))
    a, b = found.points
    assert (a.model, b.model) == ("a", "b")
    assert a.excess == pytest.approx(0.04 * 20)
    assert a.theta == wilson(40, 100)
    assert a.limit == pytest.approx(1.0)  # 0.8 nats are more than ln 2
    assert b.limit == pytest.approx(0.4 / math.log(2))
    assert found.exponent is not None
    assert found.exponent.value == pytest.approx(1.0)
    assert found.exponent.low is None, "two models give no interval"


def test_the_limit_holds_for_a_model_that_just_prefers_the_wrong_word() -> None:
    # truth certain, the right word at 1/2: wrong at a cost of ln 2, and a tie cannot cost less
    wrong, pieces = 30, 100
    excess = wrong / pieces * math.log(2)
    found = error_law(models(m=0.25 + excess / 20), cloze({"m": wrong}))
    assert found.points[0].limit == pytest.approx(found.points[0].theta.value)


def test_slope_agrees_with_scipy() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=7).tolist(), rng.normal(size=7).tolist()
    fit = stats.linregress(x, y)
    half = stats.t.ppf(0.975, 5) * fit.stderr
    found = slope(x, y, 0.95)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx(
        (fit.slope, fit.slope - half, fit.slope + half)
    )
    assert slope([1.0, 1.0], [0.0, 2.0], 0.95) is None
    assert slope([], [], 0.95) is None


def test_a_loss_at_the_floor_sets_no_limit_and_all_or_nothing_no_exponent() -> None:
    losses = models(none=0.29, some=0.28, more=0.27, all=0.26, below=0.24)
    found = error_law(losses, cloze({"none": 0, "some": 30, "more": 20, "all": 100, "below": 10}))
    assert [p.limit is None for p in found.points] == [False] * 4 + [True]
    assert found.exponent is not None
    assert found.exponent.n == 2
    assert found.exponent.value == pytest.approx(math.log(30 / 20) / math.log(3 / 2))
