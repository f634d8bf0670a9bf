"""Figures over seeds: values without chance, the jackknife by hand, bounds, coverage."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import stdtrit

from unparrot.analysis.study.over_seeds import (
    Pooling,
    exponential,
    jackknife,
    leave_out,
    reach_over_seeds,
    share_over_seeds,
    steepness_over_seeds,
    unit_of,
)
from unparrot.analysis.theory.growth import skill_law
from unparrot.stats.intervals import wilson

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from coverage_study import CASES, case

LAW = Pooling((), lambda _: ())
BY_SKILLS = Pooling(((18,), (36,)), lambda model: (model.axes["skills"],))


def test_the_jackknife_is_that_of_the_mean_by_hand() -> None:
    # of a mean it is Student's t interval
    values = [1.0, 2.0, 4.0, 7.0]
    found = leave_out(lambda own: float(np.mean(own)), values, lambda v: v, 3, "seeds")
    assert found is not None
    error = np.std(values, ddof=1) / 2
    assert (found.value, found.n) == (3.5, 4)
    assert found.high == pytest.approx(3.5 + stdtrit(3, 0.975) * error)
    # two samples: Welch's interval of a difference of means
    rows = [(side, v) for side, own in ((0, values), (1, [2.0, 2.5, 2.7])) for v in own]

    def difference(own: list[tuple[int, float]]) -> float:
        return float(np.mean([v for s, v in own if s]) - np.mean([v for s, v in own if not s]))

    welch = leave_out(difference, rows, lambda r: r[1], 3, "seeds", lambda r: r[0])
    assert welch is not None
    parts = np.var(values, ddof=1) / 4, np.var([2.0, 2.5, 2.7], ddof=1) / 3
    free = sum(parts) ** 2 / (parts[0] ** 2 / 3 + parts[1] ** 2 / 2)
    assert welch.high - welch.value == pytest.approx(math.sqrt(sum(parts)) * stdtrit(free, 0.975))


def test_too_few_groups_or_one_that_all_hangs_on_give_no_interval() -> None:
    mean = leave_out(lambda own: float(np.mean(own)), [1.0, 2.0], lambda v: v, 3, "seeds")
    assert mean is not None
    assert (mean.value, mean.low, mean.n) == (1.5, None, 2)

    def without_one(own: list[float]) -> float | None:
        return 1.0 if 3.0 in own else None

    assert leave_out(without_one, [1.0, 2.0], lambda v: v, 1, "seeds") is None
    hangs = leave_out(without_one, [1.0, 2.0, 3.0], lambda v: v, 3, "seeds")
    assert hangs is not None
    assert (hangs.value, hangs.low) == (1.0, None)
    assert exponential(None) is None


def test_growth_of_exact_counts(make) -> None:
    models = [make(seed, w, e) for seed in (1, 2, 3) for w, e in ((16, 0.4), (24, 0.1), (32, 0.05))]
    assert unit_of(models) == "seeds"
    assert unit_of(models[:6]) == "trainings"
    for unit, n in (("seeds", 3), ("trainings", 9)):
        exponent = jackknife(LAW.exponent, models, unit)
        assert exponent is not None
        assert (exponent.value, exponent.n) == (pytest.approx(-0.8, abs=1e-4), n)
        assert exponent.low == pytest.approx(-0.8, abs=1e-4)
    assert LAW.scale(models, ()) == pytest.approx(0.5, rel=1e-3)
    assert LAW.c(models) == pytest.approx(1.3, abs=1e-3)
    assert LAW.exponent([models[0]]) is None


def test_each_slice_has_its_own_scale_and_shares_the_exponent(make) -> None:
    models = [
        make(1, width, excess, scale, axes={"skills": skills})
        for skills, scale in ((18, 0.5), (36, 0.3))
        for width, excess in ((16, 0.4), (24, 0.1), (32, 0.05))
    ]
    assert BY_SKILLS.exponent(models) == pytest.approx(-0.8, abs=1e-4)
    assert BY_SKILLS.scale(models, (18,)) == pytest.approx(0.5, rel=1e-3)
    assert BY_SKILLS.scale(models, (36,)) == pytest.approx(0.3, rel=1e-3)
    # a slice that is left out leaves the other to fix the exponent
    assert BY_SKILLS.exponent(models[3:]) == pytest.approx(-0.8, abs=1e-4)


def test_pairs_are_compared_at_the_same_k(make) -> None:
    models = [make(1, w, e, pairs=0.8) for w, e in ((16, 0.4), (24, 0.1), (32, 0.05))]
    assert math.exp(LAW.pairs(models)) == pytest.approx(0.8, abs=1e-3)


def test_k50_of_a_setting_is_of_its_seeds_together(make) -> None:
    one = make(1)
    alone = reach_over_seeds([one], lambda m: m.seen, 0.5)
    law = skill_law(one.seen)
    assert law is not None
    assert alone == law.reach(0.5)
    two = reach_over_seeds([one, make(2)], lambda m: m.seen, 0.5)
    assert two is not None
    assert (two.value, two.low) == (pytest.approx(alone.value), None)
    # three seeds that differ: ln k50 lies between theirs, its ends around it
    seeds = [make(seed, scale=scale) for seed, scale in ((1, 0.45), (2, 0.5), (3, 0.56))]
    reach = reach_over_seeds(seeds, lambda m: m.seen, 0.5)
    assert reach is not None
    assert reach.value == pytest.approx(0.5 * 0.1**-0.8, rel=0.01)
    assert reach.low < 0.45 * 0.1**-0.8
    assert reach.high > 0.56 * 0.1**-0.8
    c = steepness_over_seeds(seeds)
    assert c.method == "jackknife over seeds"


def test_a_seed_with_a_bound_counts_and_no_end_lies_beyond_what_was_asked(make) -> None:
    # k50 of the first seed is 0.9: a bound by itself
    seeds = [make(i, scale=0.158 * x) for i, x in enumerate((0.9, 1.1, 1.3))]
    reach = reach_over_seeds(seeds, lambda m: m.seen, 0.5)
    assert reach is not None
    assert (reach.value, reach.low) == (pytest.approx(1.09, rel=0.02), None)
    for scale, bound in ((0.05, "< 1"), (1.9, ">= 8")):
        own = [make(i, scale=scale * (1 + 0.02 * i)) for i in range(3)]
        outside = reach_over_seeds(own, lambda m: m.seen, 0.5)
        assert outside is not None
        assert (outside.value, outside.low, outside.high) == (None, None, None)
        assert outside.bound == bound


def test_full_marks_over_seeds() -> None:
    # seeds that agree as chance has it: the Wilson interval, but for Student's t
    agreed = share_over_seeds([50, 50, 50], [100] * 3)
    apart = share_over_seeds([20, 50, 80], [100] * 3)
    alone = wilson(150, 300)
    assert agreed.value == apart.value == alone.value
    assert apart.low < agreed.low < alone.low
    # one seed: its combinations alone; none right is no certainty
    single = share_over_seeds([30], [60])
    assert (single.low, single.high) == (wilson(30, 60).low, wilson(30, 60).high)
    assert share_over_seeds([0, 0, 0], [100] * 3).high > wilson(0, 300).high


# benchmarks/coverage_study.py prints the table of docs/statistics.md


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    bias, over_seeds, over_trainings, narrow, wide, k50, pairs = case(CASES["a third each"], 5, 40)
    # 40 studies: an interval that held in 95 % would fall under 85 % once in 300
    assert min(over_seeds, over_trainings, pairs) >= 0.85
    assert k50 >= 0.9  # of 360
    assert abs(bias) < 0.02
    assert 0.05 < narrow < 0.2
    assert 0.05 < wide < 0.2
