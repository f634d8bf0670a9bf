"""Mistakes against excess loss, and pieces of several skills against those of one."""

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from unparrot.analysis.theory.laws import error_exponent, error_points, theory_summary
from unparrot.stats.intervals import wilson


def cloze(rates: dict[str, float], ks: tuple[int, ...] = (1,), pieces: int = 1000) -> pl.DataFrame:
    """Pieces of k skills, of which exactly 1 - exp(-rate k) fail."""
    rows = [
        (m, i, [f"s{j}" for j in range(k)], 20, 1, int(i < round(pieces * -math.expm1(-rate * k))))
        for m, rate in rates.items()
        for k in ks
        for i in range(pieces)
    ]
    names = ["model", "piece", "skills", "tokens", "questions", "wrong"]
    return pl.DataFrame(rows, schema=names, orient="row")


def models(**excess: float) -> pl.DataFrame:
    rows = [(m, 1000 * 2**i, 5000, 0.25 + e, 0.25) for i, (m, e) in enumerate(excess.items())]
    names = ["name", "params", "tokens", "loss", "entropy"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_by_hand() -> None:
    a, b = error_points(models(a=0.04, b=0.02), cloze({"a": 0.5, "b": 0.25}))
    assert a.excess == pytest.approx(0.04 * 20)
    assert a.rate is not None
    theta = wilson(393, 1000)  # 1 - exp(-0.5) = 0.393
    assert a.rate.value == pytest.approx(-math.log(1 - 0.393))
    assert a.rate.low == pytest.approx(-math.log(1 - theta.low))  # type: ignore[operator]
    assert b.joint is None, "pieces of one size"


def test_mistakes_in_proportion_have_the_exponent_1_though_theta_levels_off() -> None:
    excess = {"a": 0.8, "b": 0.4, "c": 0.1, "d": 0.02}
    points = error_points(models(**excess), cloze({m: 3 * e for m, e in excess.items()}))
    exponent = error_exponent(points)
    assert exponent is not None
    assert exponent.value == pytest.approx(1, abs=0.02)
    theta = [-math.expm1(-3 * e) for e in excess.values()]
    flat = stats.linregress(np.log(list(excess.values())), np.log(theta)).slope
    assert flat < 0.8


def test_the_exponent_agrees_with_scipy() -> None:
    excess, rate = {"a": 0.4, "b": 0.2, "c": 0.1}, {"a": 0.9, "b": 0.3, "c": 0.2}
    points = error_points(models(**excess), cloze(rate))
    x = [math.log(p.excess) for p in points]
    y = [math.log(p.rate.value) for p in points if p.rate and p.rate.value]
    fit = stats.linregress(x, y)
    exponent = error_exponent(points)
    assert exponent is not None
    half = stats.t.ppf(0.975, 1) * fit.stderr
    assert (exponent.value, exponent.high) == pytest.approx((fit.slope, fit.slope + half))


def test_all_or_nothing_and_a_loss_at_the_floor_stay_out_of_the_exponent() -> None:
    rates = {"none": 0.0, "some": 0.3, "more": 0.2, "all": 99.0, "below": 0.1}
    losses = models(none=0.3, some=0.2, more=0.1, all=0.4, below=-0.01)
    points = error_points(losses, cloze(rates))
    assert [p.rate is None for p in points] == [False, False, False, True, False]
    exponent = error_exponent(points)
    assert exponent is not None
    assert (exponent.n, exponent.low) == (2, None)
    assert error_exponent(points[:2]) is error_exponent(()) is None


def test_joined_pieces_have_the_steepness_1_and_costly_joins_more() -> None:
    (joined,) = error_points(models(a=0.1), cloze({"a": 0.2}, (1, 2, 3, 4)))
    assert joined.joint is not None
    assert joined.joint.value == pytest.approx(1, abs=0.01)
    frame = cloze({"a": 0.1}, (1, 4))
    costly = frame.with_columns(
        wrong=pl.when((pl.col("skills").list.len() == 4) & (pl.col("piece") < 600))
        .then(1)
        .otherwise("wrong")
    )
    (point,) = error_points(models(a=0.1), costly)
    assert point.joint is not None
    assert point.joint.low > 1  # type: ignore[operator]


def test_a_run_without_cloze_pieces_has_no_laws() -> None:
    assert theory_summary(models(a=0.1), cloze({}), 1) is None


def ladder(excess: dict[tuple[int, int], float]) -> pl.DataFrame:
    rows = [(f"{n}@{d}", n, d, 0.25 + e, 0.25) for (n, d), e in excess.items()]
    return pl.DataFrame(rows, schema=["name", "params", "tokens", "loss", "entropy"], orient="row")


def test_the_loss_is_fitted_jointly_over_parameters_and_tokens() -> None:
    grid = [(n, d) for n in (1000, 4000, 16_000) for d in (5000, 20_000, 80_000)]
    trained = ladder({(n, d): 3 * n**-0.4 + 40 * d**-0.6 for n, d in grid})
    rates = dict.fromkeys(trained["name"], 0.3)
    theory = theory_summary(trained, cloze(rates, (1, 2), 60), 1)
    assert theory is not None
    assert theory.loss is not None
    assert theory.loss.beta is not None
    exponents = (theory.loss.alpha.value, theory.loss.beta.value)
    assert exponents == pytest.approx((0.4, 0.6), abs=1e-4)
    assert theory.loss.E.value == 0.25
    assert {p.model for p in theory.errors} == set(rates)
    assert {c.model for c in theory.curves} == {f"{n}@80000" for n in (1000, 4000, 16_000)}


def test_models_that_do_not_fix_the_law_of_loss_have_none() -> None:
    trained = models(a=0.4, b=0.2, c=0.1)  # of one number of tokens
    theory = theory_summary(trained, cloze(dict.fromkeys("abc", 0.3), (1, 2), 60), 1)
    assert theory is not None
    assert theory.loss is None
