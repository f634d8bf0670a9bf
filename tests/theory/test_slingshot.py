"""The slingshot: hand arithmetic, the argument itself by simulation, and the doubling table."""

import math

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.theory.curve.inverse import theta_for
from unparrot.theory.curve.performance import BOUNDS, sharp
from unparrot.theory.law.loss_law import PRESETS, LossLaw
from unparrot.theory.slingshot import (
    Reach,
    doubling_table,
    reach,
    slingshot,
)


def joint_theta(theta: float, size: int) -> float:
    """Share of joint pieces failed."""
    return 1 - (1 - theta) ** size


@pytest.mark.parametrize("bound", list(BOUNDS))
def test_joined_tuple_is_the_largest(bound: str) -> None:
    rng = np.random.default_rng(4)
    seen = set()
    for _ in range(40):
        theta, alpha, failure = np.exp(-rng.uniform([2, 0.5, 0.5], [7, 4, 3]))
        k = int(rng.integers(4, 64))
        reached = reach(theta, theta / 2, alpha, failure, k, bound)
        whole, real = reached.joined_now, reached.real_now
        assert real is not None
        assert reached.theta_allowed == float(theta_for(failure, alpha, k, bound=bound))
        assert whole == math.floor(real)
        for size in (whole, whole + 1):
            if size:
                kept = float(BOUNDS[bound](joint_theta(theta, size), alpha, k, 1)) <= failure
                assert kept == (size == whole)
        seen.add(whole)
    assert len(seen) > 4


def test_no_tuple_where_the_bound_promises_nothing() -> None:
    assert reach(0.01, 0.005, 0.5, 0.01, 1, "classic") == Reach(
        "classic", None, 0, 0, 0, 0, None, None
    )


def test_values_of_the_design() -> None:
    for name, ratio in (("hoffmann", 2.0010), ("besiroglu", 2.2726)):
        found = slingshot(PRESETS[name], 7e9, 1.4e11, 10, 0.05, 32, 0.1, 0.1)
        assert found.ratio == pytest.approx(ratio, abs=5e-5)
        assert found.theta_later == 0.05 / found.ratio
        assert found.excess_later == found.excess_now / found.ratio
        for each in found.reach:
            assert each.real_now is not None
            assert each.real_later is not None
            # -log(1 - theta) is convex: k' grows by a little more than theta falls
            growth = each.real_later / each.real_now
            assert found.ratio < growth < found.ratio * 1.02
            assert each.joined_now <= each.real_now < each.joined_now + 1


def test_twice_the_skills_for_half_the_errors() -> None:
    # a law of one term: the factor 4 halves the excess exactly
    law = LossLaw(E=1.0, A=100.0, B=100.0, alpha=0.5, beta=0.5)
    found = slingshot(law, 1e9, 1e9, 4, 1e-4, 32, 0.1, 0.1)
    assert found.ratio == pytest.approx(2, rel=1e-12)
    (ours, published) = found.reach
    for each in (ours, published):
        assert each.joined_later / each.joined_now == pytest.approx(2, abs=0.01)
    assert ours.joined_now > published.joined_now
    assert ours.direct_now >= published.direct_now


def test_joined_pieces_never_beat_the_curve_of_single_skills() -> None:
    """All pairs of one skill from each of two pieces: worst failures, simulated, for three sets."""
    rng = np.random.default_rng(9)
    k, skills, pieces, theta = 4, 30, 200_000, 0.03
    first = rng.integers(skills, size=(pieces, k))
    second = rng.integers(skills, size=(pieces, k))
    joint = joint_theta(theta, 2)
    failed = round(joint * pieces)
    a, b = np.meshgrid(np.arange(skills), np.arange(skills), indexing="ij")
    sets = {
        "clique": (a < 9) & (b < 9),
        "star": (a < 3) | (b < 3),
        "random": rng.random((skills, skills)) < 0.1,
    }
    for chosen in sets.values():
        held = chosen[first[:, :, None], second[:, None, :]].mean(axis=(1, 2))
        alpha = float(chosen.mean())
        worst = float(np.sort(held)[-failed:].sum()) / pieces / alpha
        # one part in a hundred is some four standard errors here
        assert joint < worst < float(sharp(joint, alpha, k)) * 1.01


def test_doubling_table() -> None:
    table = doubling_table()
    assert [row.law for row in table] == ["hoffmann"] * 6 + ["besiroglu"] * 6
    for row in table:
        law = PRESETS[row.law]
        power = law.alpha * law.beta / (law.alpha + law.beta)
        if row.path == "optimal":
            assert row.ratio == pytest.approx(100**power, rel=1e-12)
            assert row.factor_to_double ** (2 * power) == pytest.approx(2, rel=1e-12)
        else:
            assert row.ratio == float(law.excess_ratio(row.params, row.tokens, 10))
            doubled = float(law.excess_ratio(row.params, row.tokens, row.factor_to_double))
            assert doubled == pytest.approx(2, rel=1e-12)
        assert row.growth > row.ratio


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"theta": 1.0}, "theta must be above 0 and under 1, not 1.0"),
        ({"params": -7e9}, "params must be"),
        ({"factor": 0.0}, "factor must be"),
        ({"factor": 1e-9, "theta": 0.5}, "not under 1 after scaling by 1e-09"),
        ({"k": 0}, "k must be a whole number"),
        ({"alpha": 2.0}, "alpha must be above 0 and under 1, not 2"),
        ({"failure": 1.0}, "failure must be above 0 and under 1, not 1.0"),
        ({"bounds": ("best",)}, "no bound 'best'"),
    ],
)
def test_bad_input(change: dict, words: str) -> None:
    given = {
        "params": 7e9, "tokens": 1.4e11, "factor": 10, "theta": 0.05, "k": 32, "alpha": 0.1,
        "failure": 0.1,
    }  # fmt: skip
    with pytest.raises(BadInput, match=words):
        slingshot(PRESETS["hoffmann"], **{**given, **change})


def test_bad_table() -> None:
    with pytest.raises(BadInput, match="factor must be above 1, not 1"):
        doubling_table(factor=1.0)
