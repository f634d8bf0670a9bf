"""Between luck and malice: planted failures of both kinds are told for what they are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from unparrot.analysis.theory.concentration import ALPHAS, SHOWN_AT, Concentration, concentration
from unparrot.core.errors import BadInput

SKILLS = np.array([f"s{i:02}" for i in range(20)])


def pieces(n: int, seed: int, sizes: tuple[int, ...] = (1, 2, 4)) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    return [rng.choice(SKILLS, rng.choice(sizes), replace=False).tolist() for _ in range(n)]


def measured(held: list[list[str]], failed: list[bool], size: int = 1) -> Concentration:
    frame = pl.DataFrame(
        {
            "model": "m",
            "piece": range(len(held)),
            "skills": held,
            "questions": [1] * len(held),
            "wrong": [int(f) for f in failed],
        }
    ).sample(fraction=1, shuffle=True, seed=len(held))
    return concentration(frame, "m", size, seed=1)


@pytest.mark.parametrize("size", [1, 2])
def test_luck_is_placed_at_luck(size: int) -> None:
    held = pieces(4000, 2)
    rng = np.random.default_rng(3)
    found = measured(held, (rng.random(len(held)) < 0.1).tolist(), size)
    assert found.p_value > 0.01
    assert found.placed is not None
    assert found.placed.value == pytest.approx(0, abs=0.03)
    assert found.placed.low is not None
    assert found.placed.high is not None
    assert found.placed.low < 0 < found.placed.high
    assert not found.above
    for lower, upper, sharp, classic in zip(
        found.cross_fitted, found.worst, found.sharp, found.classic, strict=True
    ):
        assert lower <= upper + 0.02
        assert upper <= sharp + 1e-9 <= classic + 1e-6
    assert found.alpha == ALPHAS
    assert found.worst[-1] == pytest.approx(found.luck)


def test_malice_comes_near_the_sharp_bound() -> None:
    """Failures go to the pieces with most skills of five of the twenty, as the worst Y does."""
    held = pieces(8000, 4, sizes=(4,))
    chosen = set(SKILLS[:5])
    hits = np.array([len(chosen & set(piece)) for piece in held]) + np.linspace(0, 0.1, len(held))
    failed = hits >= np.quantile(hits, 0.9)
    found = measured(held, failed.tolist())
    assert found.p_value == 0.001
    at = ALPHAS.index(SHOWN_AT)  # five of twenty
    # distinct skills in a piece leave a little less room than independent ones
    assert 0.9 * found.sharp[at] < found.cross_fitted[at] <= found.sharp[at]
    assert found.placed is not None
    assert found.placed.value is not None
    assert 0.8 < found.placed.value <= 1
    assert not found.above


def test_counts_by_hand() -> None:
    held = [["a"], ["a", "b"], ["b", "c"], ["c"]] * 2
    failed = [True, True, False, False] * 2
    found = measured(held, failed)
    assert (found.pieces, found.tuples) == (8, 3)
    assert found.theta == {1: 0.5, 2: 0.5}
    assert found.luck == pytest.approx(3 / 6)
    pairs = measured(held, failed, 2)
    assert (pairs.pieces, pairs.tuples, pairs.luck) == (4, 2, 0.5)
    assert set(pairs.theta) == {2}


def test_pieces_too_small_are_refused() -> None:
    with pytest.raises(BadInput, match="no cloze piece holds 3 skills"):
        measured([["a", "b"]], [True], 3)
    with pytest.raises(BadInput, match="no tuple has two pieces"):
        measured([["a", "b"]], [True], 2)
    frame = pl.DataFrame(
        {"model": ["m"], "piece": [0], "skills": [["a"]], "questions": [0], "wrong": [0]}
    )
    with pytest.raises(BadInput, match="no cloze question"):
        concentration(frame, "m", 1, seed=1)


def test_the_order_of_the_pieces_does_not_matter() -> None:
    held = pieces(60, 5)
    frame = pl.DataFrame(
        {
            "model": "m",
            "piece": range(60),
            "skills": held,
            "questions": [1] * 60,
            "wrong": [int(i % 3 == 0) for i in range(60)],
        }
    )
    mixed = frame.sample(fraction=1, shuffle=True, seed=6)
    assert concentration(mixed, "m", 1, seed=1) == concentration(frame, "m", 1, seed=1)


def test_the_interval_of_the_place_is_no_narrower_than_the_place_varies() -> None:
    rng = np.random.default_rng(8)
    found = [
        measured(held, (rng.random(800) < [0.35 if "s00" in p else 0.15 for p in held]).tolist())
        for held in (pieces(800, 100 + i) for i in range(15))
    ]
    values = [f.placed.value or 0.0 for f in found if f.placed]
    halves = [(f.placed.high or 0) - (f.placed.value or 0) for f in found if f.placed]
    # about 1.6 times as wide as it must be; a spread from 15 is known to a factor of 1.7
    assert 0.95 < np.mean(halves) / (1.96 * np.std(values, ddof=1)) < 2.8


@pytest.mark.parametrize("failures", [0, 1, 60])
def test_few_failures_or_nothing_else_are_not_above_the_bound(failures: int) -> None:
    held = pieces(60, 9, sizes=(1,))
    found = measured(held, [i < failures for i in range(60)])
    assert not found.above
    assert (found.placed is None) == (failures in (0, 60))
