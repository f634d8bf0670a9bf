"""How many skills a model combines, and how that grows: laws, bounds, coverage, a whole run."""

import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from scipy.special import stdtrit

from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.schema import LabSummary
from unparrot.analysis.theory.growth import (
    Counts,
    Growth,
    growth,
    monotone_k50,
    pool,
    skill_law,
    verdict,
)
from unparrot.core.estimate import Estimate
from unparrot.core.records import RunFolder
from unparrot.stats.limits import least_share

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from coverage_growth import CASES, all_models, one_model


def exact(k50: float, c: float, last: int = 8, n: float = 1e7) -> Counts:
    """Counts without any chance."""
    k = np.arange(1.0, last + 1)
    return np.column_stack([k, np.full(last, n), n * (1 - 0.5 ** ((k / k50) ** c))])


def of(*full_marks: int, n: int = 50) -> Counts:
    k = np.arange(1.0, len(full_marks) + 1)
    return np.column_stack([k, np.full(len(k), n), n - np.array(full_marks)]).astype(float)


def test_the_law_is_recovered_from_counts_without_chance() -> None:
    law = skill_law(exact(3.2, 1.4))
    assert law is not None
    k50, k20, c = law.reach(0.5), law.reach(0.2), law.steepness()
    assert k50.value == pytest.approx(3.2, rel=1e-5)
    # -ln S = ln 2 (k / k50)^c, so S = 1/5 where (k / k50)^c = ln 5 / ln 2
    assert k20.value == pytest.approx(3.2 * (math.log(5) / math.log(2)) ** (1 / 1.4), rel=1e-5)
    assert (c.value, c.n) == (pytest.approx(1.4, rel=1e-4), 8e7)
    assert law.share(3.2) == pytest.approx(0.5, abs=1e-5)
    # c = 1 is the rate of one skill to the power k
    independent = skill_law(exact(3.2, 1.0))
    assert independent is not None
    assert independent.share(4) == pytest.approx(independent.share(1) ** 4, rel=1e-4)


def test_what_lies_outside_of_the_k_asked_for_is_a_bound_and_no_number() -> None:
    for table, bound in (
        (of(12, 2, 0, 0), "< 1"),
        (of(0, 0, 0, 0), "< 1"),
        (of(50, 49, 48, 46), ">= 4"),
        (of(50, 50, 50, 50), ">= 4"),
        (of(40, 41, 40, 42), ">= 4"),
        (of(2, 3, 2, 4), "< 1"),
    ):
        law = skill_law(table)
        assert law is not None
        reach = law.reach(0.5)
        assert (reach.value, reach.bound) == (None, bound), table
        end = reach.low if bound == "< 1" else reach.high
        assert end is None
    # from two skills on
    pairs = skill_law(of(2, 1, 0) + np.array([1.0, 0, 0]))
    assert pairs is not None
    assert pairs.reach(0.5).bound == "< 2"
    # the value is known, but its upper end is not
    law = skill_law(of(50, 47, 40, 22))
    assert law is not None
    reach = law.reach(0.5)
    assert reach.value is not None
    assert reach.low is not None
    assert (reach.high, reach.bound) == (None, "")


def test_full_marks_that_end_at_once_still_have_a_k50() -> None:
    law = skill_law(of(45, 0, 0, 0))
    assert law is not None
    reach = law.reach(0.5)
    assert reach.value is not None
    assert reach.high is not None
    assert 1 < reach.value < reach.high < 2
    assert skill_law(of(45)) is None


def test_the_monotone_check_by_hand() -> None:
    assert monotone_k50(of(50, 30, 10)) == pytest.approx(2.25)
    # 18 and 30 of 50 are pooled to 48 %
    assert monotone_k50(of(45, 18, 30, 5)) == pytest.approx(1 + (0.9 - 0.5) / (0.9 - 0.48))
    assert monotone_k50(of(50, 40)) is None
    assert monotone_k50(of(10, 5)) is None


def tables(gamma: float, excess: list[float], scale: float = 0.5) -> list[Counts]:
    return [exact(scale * e**gamma, 1.3, 12) for e in excess]


EXCESS = [0.4, 0.2, 0.1, 0.07, 0.03]


def test_the_exponent_of_exact_counts() -> None:
    for gamma, expected in ((-1.0, "equivalent"), (-0.7, "different")):
        pooled = pool(tables(gamma, EXCESS), [[e] for e in EXCESS])
        exponent = pooled.exponent(0)
        assert exponent is not None
        assert (exponent.value, exponent.n) == (pytest.approx(gamma, abs=1e-4), 5)
        assert pooled.scale == pytest.approx(0.5, rel=1e-3)
        assert pooled.c is not None
        assert pooled.c.value == pytest.approx(1.3, abs=1e-3)
        assert verdict(exponent) == expected


def test_verdicts_are_of_intervals() -> None:
    def of_ends(low: float, high: float) -> str:
        return verdict(Estimate((low + high) / 2, low, high, 0.95, "made", 9))

    assert of_ends(-1.14, -0.86) == of_ends(-0.99, -0.9) == "equivalent"
    assert of_ends(-1.2, -0.9) == "open"
    assert of_ends(-0.99, -0.7) == "different"
    assert verdict(None) == verdict(Estimate(-1.0, None, None, 0.95, "made", 3)) == "not measured"


def test_the_interval_is_a_jackknife_over_models() -> None:
    rng = np.random.default_rng(3)
    some = [exact(0.5 / e * math.exp(0.1 * rng.standard_normal()), 1.3, 12, 200) for e in EXCESS]
    rows = [[e] for e in EXCESS]
    exponent = pool(some, rows).exponent(0)
    assert exponent is not None
    left_out = [
        float(found.value)
        for i in range(5)
        if (found := pool(some[:i] + some[i + 1 :], rows[:i] + rows[i + 1 :]).exponent(0))
        and found.value is not None
    ]
    error = math.sqrt(4 / 5 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert exponent.high == pytest.approx(exponent.value + stdtrit(3, 0.975) * error)


def test_few_models_have_no_interval_or_no_exponent() -> None:
    three = pool(tables(-1, EXCESS[:3]), [[e] for e in EXCESS[:3]]).exponent(0)
    assert three is not None
    assert (three.value, three.low) == (pytest.approx(-1, abs=1e-3), None)
    for excess in (EXCESS[:2], [], [0.1, 0.1, 0.1, 0.2]):
        pooled = pool(tables(-1, excess), [[e] for e in excess])
        assert pooled.exponent(0) is pooled.c is pooled.scale is None


def test_models_that_never_or_always_succeed_are_no_obstacle() -> None:
    excess = [2.0, *EXCESS, 0.001]
    pooled = pool(tables(-1, excess), [[e] for e in excess])
    exponent = pooled.exponent(0)
    assert exponent is not None
    assert exponent.value == pytest.approx(-1, abs=1e-3)


# Coverage by simulation; benchmarks/coverage_growth.py prints the tables of docs/statistics.md


@pytest.mark.parametrize("lapse", [0.0, 0.04])
def test_intervals_of_k50_and_c_hold_the_truth(lapse: float) -> None:
    simulations = 80
    bias, of_c, held, c_held, _ = one_model(2.5, 1.3, 60, lapse, simulations)
    assert abs(bias) < 0.03
    assert least_share(round(held * simulations), simulations, 0.01) <= 0.95 <= held + 0.07
    if not lapse:  # the law knows of no lapse, so it has no true c
        assert abs(of_c) < 0.05
        assert c_held >= 0.89


def test_the_interval_over_models_holds_where_that_over_combinations_does_not() -> None:
    bias, held, alone, width = all_models(CASES["seeds .12"], 60)
    assert abs(bias) < 0.03
    assert held >= 0.87
    assert alone < 0.75
    assert 0.1 < width < 0.4


# A whole run


@pytest.fixture
def run(ladder_run: tuple[RunFolder, LabSummary]) -> RunFolder:
    return ladder_run[0]


@pytest.fixture
def found(ladder_run: tuple[RunFolder, LabSummary]) -> Growth:
    return ladder_run[1].growth


def test_a_run_with_two_axes(found: Growth, ladder_runs: ModuleType) -> None:
    assert found.exponent is not None
    assert found.exponent.low <= ladder_runs.GAMMA <= found.exponent.high  # type: ignore[operator]
    assert found.exponent.n == 9
    assert found.halved is not None
    assert found.halved.value == pytest.approx(2**-found.exponent.value)  # type: ignore[operator]
    assert found.halved.low < found.halved.value < found.halved.high  # type: ignore[operator]
    assert found.by_params is not None
    assert found.by_params.n == 4
    assert found.by_tokens is not None
    assert found.by_tokens.n == 8  # 25k, 54k and 139k with every number of tokens
    given = found.tokens_at_equal_excess
    assert given is not None
    assert given.low <= 0 <= given.high  # type: ignore[operator]
    assert found.c is not None
    assert found.c.low <= ladder_runs.C <= found.c.high  # type: ignore[operator]
    first = [m for m in found.models if m.k50 and m.k50.value is not None and m.excess]
    assert found.reference == max(first, key=lambda m: m.excess.value).name  # type: ignore[union-attr]


def test_every_model_of_the_run(found: Growth, ladder_runs: ModuleType) -> None:
    held = []
    for model in found.models:
        if model.excess is None:
            assert model.name in ("n-gram", "splice")
            assert model.k50_heldout_pair is not None
            assert model.k50_heldout_pair.bound == "< 2"
            continue
        _, _, excess = ladder_runs.MODELS[model.name]
        assert model.excess.value == pytest.approx(excess)
        assert model.excess.high - excess == pytest.approx(1.96 * 0.02 * excess, rel=1e-3)  # type: ignore[operator]
        assert model.k50 is not None
        truth = ladder_runs.k50_of(excess)
        held.append((model.k50.low or 0) <= truth <= (model.k50.high or 99))
        assert [at.k for at in model.longer] == [13, 14]
    assert sum(held) >= len(held) - 2
    best = next(m for m in found.models if m.name == "139k")
    assert best.longer[0].full_marks.value < best.longer[0].law  # type: ignore[operator]
    splice = next(m for m in found.models if m.name == "splice")
    assert splice.k50 is not None
    assert splice.k50.bound == ">= 12"  # recall


def test_the_same_whatever_the_order_of_rows(run: RunFolder, found: Growth) -> None:
    outcomes = read_outcomes(run).sample(fraction=1.0, shuffle=True, seed=2)
    assert growth(run.read_table("models"), outcomes, 12) == found


def test_models_without_excess_or_below_the_floor_stay_out_of_the_pool(run: RunFolder) -> None:
    models = run.read_table("models").with_columns(
        loss=pl.when(pl.col("name") == "15k")
        .then(pl.col("entropy") - 0.001)
        .when(pl.col("name") == "25k")
        .then(None)
        .otherwise("loss"),
        excess_error=pl.when(pl.col("name") == "54k").then(None).otherwise("excess_error"),
    )
    measured = growth(models, read_outcomes(run), 12)
    assert measured.exponent is not None
    assert measured.exponent.n == 7
    entries = {m.name: m for m in measured.models}
    assert entries["25k"].excess is None
    assert entries["54k"].excess is not None
    assert (entries["54k"].excess.low, entries["54k"].excess.high) == (None, None)


def test_a_run_of_one_k_has_no_law(run: RunFolder) -> None:
    outcomes = read_outcomes(run).filter(pl.col("k") == 1)
    measured = growth(run.read_table("models"), outcomes, 12)
    assert measured.exponent is measured.reference is None
    assert all(m.k50 is m.c is None for m in measured.models)
