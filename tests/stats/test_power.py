"""Numbers of combinations against published tables, and the power they promise by simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, multinomial

from unparrot.core.errors import BadInput
from unparrot.stats.paired import sign_flip_p
from unparrot.stats.power import (
    Design,
    combinations_needed,
    detectable,
    largest_match,
    power_of,
)


def texts(rng: np.random.Generator, design: Design, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Texts with exactly the stated correlations.

    A text repeats the luck of its combination with probability sqrt(icc), else it has its own; the
    two models' lucks are the same draw so often that their texts correlate by `match`.
    """
    shares = (design.baseline, design.baseline + design.detect)
    together = design.match / design.icc / largest_match(design.baseline, design.detect)
    easy = rng.random(n)
    other = np.where(rng.random(n) < together, easy, rng.random(n))
    results = []
    for share, luck in zip(shares, (easy, other), strict=True):
        keep = rng.random((n, design.rounds)) < math.sqrt(design.icc)
        own = rng.random((n, design.rounds))
        results.append(np.where(keep, luck[:, None], own) < share)
    return results[0], results[1]


def found(first: np.ndarray, second: np.ndarray, design: Design) -> bool:
    """Whether the test of the design finds a difference."""
    n = len(first)
    if design.paired:
        return sign_flip_p(second.sum(1) - first.sum(1)) <= design.alpha
    means = first.mean(), second.mean()
    pooled = np.mean(means)
    effect = (1 + (design.rounds - 1) * design.icc) / design.rounds
    error = math.sqrt(2 * pooled * (1 - pooled) * effect / n)
    return abs(means[1] - means[0]) / error > 1.959964


@pytest.mark.parametrize(
    "design",
    [
        Design(0.3, 0.1, 1, 0.3, 0.15),
        Design(0.3, 0.1, 3, 0.3, 0.15),
        Design(0.05, 0.1, 1, 0.5, 0.2),
        Design(0.9, -0.15, 2, 0.4, 0.1),
        Design(0.3, 0.15, 2, 0.3, 0.0, paired=False),
    ],
)
def test_the_promised_power_is_achieved(design: Design) -> None:
    n = combinations_needed(design, 0.8)
    rng = np.random.default_rng([n, design.rounds])
    trials = 1500
    hits = sum(found(*texts(rng, design, n), design) for _ in range(trials))
    promised = power_of(design, n)
    # four standard deviations of 1500 trials: 4 points; the formulas' own error is within 2
    assert abs(hits / trials - promised) < 0.045
    assert promised >= 0.8
    assert power_of(design, n - 3) < promised


def test_mcnemars_power_is_the_sum_over_all_tables() -> None:
    # Brute force for 12 combinations: every way that pairs can fall, and its exact p.
    design, n = Design(0.2, 0.4, match=0.1), 12
    covariance = design.match * math.sqrt(0.2 * 0.8 * 0.6 * 0.4)
    lost = 0.2 * 0.4 - covariance
    gained = lost + 0.4
    power = 0.0
    for up in range(n + 1):
        for down in range(n + 1 - up):
            p = binomtest(up, up + down).pvalue if up + down else 1.0
            if p <= 0.05:
                cells = [up, down, n - up - down]
                power += multinomial.pmf(cells, n, [gained, lost, 1 - gained - lost])
    assert power_of(design, n) == pytest.approx(power, abs=1e-10)


def test_unpaired_agrees_with_the_textbook() -> None:
    # Fleiss, Levin and Paik (2003), table A.4 without continuity correction: 30 % against 40 % at
    # 5 % and 80 % takes 356 in each group
    assert combinations_needed(Design(0.3, 0.1, paired=False, match=0)) == 356
    # three rounds with icc 0.3: (1 + 2 * 0.3) / 3 of that
    assert combinations_needed(Design(0.3, 0.1, 3, 0.3, 0, paired=False)) == math.ceil(
        355.3 * 1.6 / 3
    )


def test_pairs_by_hand() -> None:
    # Connor (1987): discordant share 0.3 * 0.6 + 0.4 * 0.7 = 0.46 at match 0, so
    # n = (1.960 sqrt(0.46) + 0.842 sqrt(0.45))^2 / 0.01 = 358.9; the exact test needs a little more
    exact = combinations_needed(Design(0.3, 0.1, match=0))
    assert 359 <= exact <= 385
    # with more of the difficulty shared, fewer are needed
    sizes = [combinations_needed(Design(0.3, 0.1, match=m)) for m in (0, 0.15, 0.3, 0.6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.5 * sizes[0]


def test_a_large_run_goes_over_to_the_normal_formula_without_a_jump() -> None:
    design = Design(0.3, 0.01)
    assert power_of(design, 20_000) == pytest.approx(power_of(design, 20_001), abs=0.01)


@pytest.mark.parametrize("rounds", [1, 3])
def test_detectable_is_the_inverse(rounds: int) -> None:
    design = Design(0.3, 0.1, rounds)
    n = combinations_needed(design, 0.8)
    assert detectable(design, n) == pytest.approx(0.1, abs=0.0015)
    least = detectable(replace(design, detect=-0.1), 400)
    assert least is not None
    assert -0.3 < least < 0
    assert detectable(Design(0.95, 0.04), 5) is None


def test_bad_designs_are_named() -> None:
    for arguments, message in (
        ({"baseline": 0.0}, "both shares"),
        ({"detect": 0.8}, "both shares"),
        ({"detect": 0.0}, "must not be 0"),
        ({"rounds": 0}, "rounds"),
        ({"icc": 1.2}, "icc"),
        ({"match": 0.9}, "at most 0.802"),
        ({"rounds": 2, "icc": 0.1, "match": 0.2}, "at most 0.100"),
        ({"alpha": 1.0}, "alpha"),
    ):
        with pytest.raises(BadInput, match=message):
            Design(**({"baseline": 0.3, "detect": 0.1} | arguments))
    with pytest.raises(BadInput, match="10,000,000"):
        combinations_needed(Design(0.3, 1e-4))
    with pytest.raises(BadInput, match="at least 1"):
        power_of(Design(0.3, 0.1), 0)
