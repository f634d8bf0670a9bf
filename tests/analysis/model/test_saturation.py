"""The largest k with enough full marks: hand-worked, bounded, and its coverage by simulation."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from unparrot.analysis.model.saturation import Saturation
from unparrot.analysis.model.saturation import saturation as saturation_of
from unparrot.core.errors import BadInput
from unparrot.stats.intervals import wilson


def texts_at(made_outcomes, k: int, full: list[bool], **where: object) -> pl.DataFrame:
    """Texts of k skills, with full marks or with the last skill missed."""
    n = len(full)
    skills = np.tile(np.arange(k), (n, 1))
    marks = np.ones((n, k), dtype=bool)
    marks[:, -1] = full
    return made_outcomes(skills, marks, np.ones((n, 3), dtype=bool), **where)


def ladder(made_outcomes, counts: dict[int, int], n: int = 20) -> pl.DataFrame:
    return pl.concat(
        texts_at(made_outcomes, k, [i < count for i in range(n)]) for k, count in counts.items()
    )


def saturation(outcomes: pl.DataFrame, **how: Any) -> Saturation:
    return saturation_of(outcomes, **{"splits": ("seen", "untrained_k"), **how})


def test_hand_worked_saturation(made_outcomes) -> None:
    found = saturation(ladder(made_outcomes, {1: 20, 2: 12, 3: 5, 4: 1}))
    assert found.k == 3
    # the limits of 12 of 20 (0.39) and 1 of 20 (0.01 to 0.24), and of 5 of 20 (0.11 to 0.47)
    assert (wilson(12, 20).low, wilson(5, 20).low) == pytest.approx((0.387, 0.112), abs=1e-3)
    assert wilson(1, 20).high == pytest.approx(0.236, abs=1e-3)
    assert (found.low, found.high, found.at_least) == (2, 4, True)
    assert (found.worst, found.best, found.notes) == (3, 3, ())
    assert (found.threshold, found.k) == (0.2, 3)


def test_a_k_that_falls_short_ends_the_count(made_outcomes) -> None:
    found = saturation(ladder(made_outcomes, {1: 20, 2: 2, 3: 15}))
    assert (found.k, found.at_least) == (1, True)  # 2 of 20 may truly be above 0.2, k = 3 is
    assert saturation(ladder(made_outcomes, {1: 2, 2: 20})).k == 0


def test_the_threshold_itself_reaches(made_outcomes) -> None:
    found = saturation(ladder(made_outcomes, {1: 100, 2: 7}, 100), threshold=0.07)
    assert found.k == 2


def test_a_k_without_data_is_named(made_outcomes) -> None:
    found = saturation(ladder(made_outcomes, {2: 20, 4: 20}))
    assert found.k == 4
    assert found.notes == ("k = 3 was not measured",)


def test_unscored_marks_widen_it(made_outcomes) -> None:
    frame = ladder(made_outcomes, {1: 20, 2: 10})
    # of the ten texts with k = 2 that missed full marks, eight become open
    open_ones = (pl.col("k") == 2) & (pl.int_range(pl.len()) >= 32)
    frame = frame.with_columns(
        full_marks=pl.when(~open_ones).then("full_marks"),
        unscored=pl.when(open_ones).then(1).otherwise(0),
    )
    found = saturation(frame, threshold=0.8)
    assert (found.worst, found.k, found.best) == (1, 2, 2)


def test_all_unscored_reaches_nothing_and_excludes_nothing(made_outcomes) -> None:
    frame = ladder(made_outcomes, {1: 20, 2: 10}).with_columns(
        full_marks=pl.lit(None, dtype=pl.Boolean), unscored=pl.lit(1, dtype=pl.Int64)
    )
    found = saturation(frame)
    assert (found.k, found.low, found.high, found.best) == (0, 0, 2, 2)
    assert found.open
    assert "an unscored mark in all of 20 texts" in found.notes[0]


def test_independent_of_the_order_of_rows(made_outcomes) -> None:
    frame = ladder(made_outcomes, {1: 20, 2: 12, 3: 5})
    shuffled = frame.sample(fraction=1.0, shuffle=True)
    assert saturation(frame) == saturation(shuffled)


def test_the_interval_covers(made_outcomes) -> None:
    # true shares of full marks with 25 combinations each: 2 skills are the most above 0.2
    shares = {1: 0.9, 2: 0.35, 3: 0.08, 4: 0.01}
    rng = np.random.default_rng(5)
    covered = 0
    simulations = 60
    for _ in range(simulations):
        counts = {k: int(rng.binomial(25, share)) for k, share in shares.items()}
        found = saturation(ladder(made_outcomes, counts, 25))
        covered += found.low <= 2 <= found.high
    assert covered >= 0.95 * simulations


def test_what_makes_no_sense_is_refused(made_outcomes) -> None:
    frame = ladder(made_outcomes, {1: 5, 2: 5})
    with pytest.raises(BadInput, match="threshold"):
        saturation(frame, threshold=0.0)
    with pytest.raises(BadInput, match="one model"):
        saturation(pl.concat([frame, frame.with_columns(model=pl.lit("n"))]))
    with pytest.raises(BadInput, match=r"there are \['greedy'\]"):
        saturation(frame, decoding="t0.7")
    both = pl.concat([frame, frame.with_columns(split=pl.lit("untrained_k"))])
    with pytest.raises(BadInput, match="k = 1"):
        saturation(both)
