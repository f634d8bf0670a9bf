"""The mean of shares, by hand and by simulation."""

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import wilson
from unparrot.stats.mover import mean_share


def test_distances_are_squared_and_added() -> None:
    shares = [Estimate(0.5, 0.4, 0.7, 0.95, "given", 10), Estimate(0.3, 0.0, 0.4, 0.95, "given", 5)]
    mean = mean_share(shares)
    # down: sqrt(0.1^2 + 0.3^2) / 2; up: sqrt(0.2^2 + 0.1^2) / 2
    assert (mean.value, mean.n) == (0.4, 15)
    assert mean.low == pytest.approx(0.4 - 0.1**0.5 / 2)
    assert mean.high == pytest.approx(0.4 + 0.05**0.5 / 2)
    assert mean_share(shares[:1]) is shares[0]


def test_it_covers_at_about_its_level_also_near_the_ends() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([0.98, 0.6, 0.05, 0.0])
    trials, covered = 1000, 0
    for _ in range(trials):
        mean = mean_share([wilson(int(x), 100) for x in rng.binomial(100, truth)])
        covered += mean.low <= truth.mean() <= mean.high  # type: ignore[operator]
    # 95 % +- four standard deviations of 1000 trials (0.7 points each)
    assert 0.92 < covered / trials < 0.98


def test_what_has_no_value_or_interval_has_none_here() -> None:
    known, none = wilson(3, 10), wilson(0, 0)
    assert mean_share([known, none]).value is None
    point = Estimate(0.5, None, None, 0.95, "given", 4)
    assert (mean_share([known, point]).value, mean_share([known, point]).low) == (0.4, None)
    for shares in ([], [wilson(1, 2), wilson(1, 2, 0.9)]):
        with pytest.raises(BadInput, match="same level"):
            mean_share(shares)
