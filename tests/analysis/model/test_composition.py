"""The composition gap: hand-worked, without an answer where there is none, and its coverage."""

import numpy as np
import polars as pl
import pytest

from unparrot.analysis.model.composition import CompositionGap, composition_gaps
from unparrot.core.errors import BadInput


def singles(made_outcomes, earned: dict[int, list[bool]], others: object = None) -> pl.DataFrame:
    """Texts with k = 1: the marks of each skill."""
    skills = np.array([[s] for s, marks in earned.items() for _ in marks])
    marks = np.array([[mark] for each in earned.values() for mark in each])
    rest = np.ones((len(skills), 3), dtype=bool) if others is None else np.asarray(others)
    return made_outcomes(skills, marks, rest)


def only(frame: pl.DataFrame, **options: int) -> CompositionGap:
    (gap,) = composition_gaps(frame, seed=1, **options)
    return gap


def test_hand_worked_gap(made_outcomes) -> None:
    # skill 0: 3 of 4, skill 1: 2 of 4, skill 2: 4 of 4; topic 12, sense 9, length 12 of 12
    rest = np.ones((12, 3), dtype=bool)
    rest[:3, 1] = False
    alone = singles(
        made_outcomes,
        {0: [True, True, True, False], 1: [True, False, True, False], 2: [True] * 4},
        rest,
    )
    # two combinations each of (0, 1), (0, 2), (1, 2), (1, 2): the first two pairs have full marks;
    # sense is missed in the last
    pairs = np.array([[0, 1], [0, 2], [1, 2], [1, 2]])
    marks = np.array([[True, True], [True, True], [True, False], [True, True]])
    others = np.ones((4, 3), dtype=bool)
    others[3, 1] = False
    twice = [np.tile(each, (2, 1)) for each in (pairs, marks, others)]
    gap = only(pl.concat([alone, made_outcomes(*twice)]))
    assert gap.measured.estimate.value == 4 / 8
    skills = (3 / 4 * 2 / 4 + 3 / 4 + 2 / 4 + 2 / 4) / 4
    assert gap.predicted is not None
    assert gap.gap is not None
    assert gap.predicted.value == pytest.approx(skills * 9 / 12)
    assert gap.gap.value == pytest.approx(0.5 / (skills * 9 / 12))
    assert gap.predicted.low < gap.predicted.value < gap.predicted.high  # type: ignore[operator]
    assert gap.gap.low < gap.gap.value < gap.gap.high  # type: ignore[operator]
    assert gap.reason == ""


def pairs_of(made_outcomes, n: int, skills: int = 3, full: bool = True) -> pl.DataFrame:
    members = np.array([[i % skills, (i + 1) % skills] for i in range(n)])
    return made_outcomes(members, np.full((n, 2), full), np.ones((n, 3), dtype=bool))


def test_no_text_with_full_marks_still_has_an_upper_limit(made_outcomes) -> None:
    alone = singles(made_outcomes, {s: [True] * 8 + [False] * 2 for s in range(3)})
    gap = only(pl.concat([alone, pairs_of(made_outcomes, 30, full=False)])).gap
    assert gap is not None
    assert (gap.value, gap.low) == (0, 0)
    assert 0.1 < gap.high < 0.4  # type: ignore[operator]


def test_perfect_single_skills_are_not_taken_for_certain(made_outcomes) -> None:
    # 30 of 30 is at least 0.886 (Wilson): squared 0.785, and the other marks are no surer
    alone = singles(made_outcomes, {s: [True] * 10 for s in range(3)})
    predicted = only(pl.concat([alone, pairs_of(made_outcomes, 30)])).predicted
    assert predicted is not None
    assert (predicted.value, predicted.high) == (1, 1)
    assert predicted.low == pytest.approx(0.886 ** np.sqrt(2**2 + 3), abs=0.005)


@pytest.mark.parametrize(
    ("alone", "reason"),
    [
        (None, "no text asks for one skill alone"),
        ({0: [True] * 3, 1: [True] * 3}, "no scored text asks for s02 alone"),
        ({0: [False] * 3, 1: [False] * 3, 2: [True] * 3}, "the product of the rates is 0"),
    ],
)
def test_no_gap_without_single_skill_rates(made_outcomes, alone, reason: str) -> None:
    frames = [pairs_of(made_outcomes, 9)]
    if alone is not None:
        frames.append(singles(made_outcomes, alone))
    gap = only(pl.concat(frames))
    assert (gap.gap, gap.reason) == (None, reason)
    assert gap.measured.estimate.value == 1


def test_single_skill_texts_without_scored_marks_are_none(made_outcomes) -> None:
    alone = singles(made_outcomes, {s: [True] * 3 for s in range(3)})
    lost = alone.with_columns(
        skill_marks=pl.when(pl.col("skills").list.first() != "s01").then("skill_marks")
        .otherwise(pl.lit([None], dtype=pl.List(pl.Boolean))),
    )  # fmt: skip
    gap = only(pl.concat([lost, pairs_of(made_outcomes, 9)]))
    assert gap.reason == "no scored text asks for s01 alone"


@pytest.mark.parametrize(("n", "few"), [(1, False), (9, True)])
def test_no_interval_from_one_combination(made_outcomes, n: int, few: bool) -> None:
    alone = {0: [True] * 3, 1: [True] if few else [True] * 3, 2: [True] * 3}
    gap = only(pl.concat([singles(made_outcomes, alone), pairs_of(made_outcomes, n)]))
    assert gap.gap is not None
    assert (gap.gap.value, gap.gap.low) == (1, None)
    assert gap.reason == (
        "one combination at k = 1 for s01: no interval" if few else "one combination: no interval"
    )


def test_unscored_marks_give_bounds(made_outcomes) -> None:
    alone = singles(made_outcomes, {s: [True] * 4 for s in range(3)})
    several = pairs_of(made_outcomes, 8).with_columns(
        full_marks=pl.when(pl.int_range(pl.len()) >= 2).then("full_marks"),
        unscored=pl.when(pl.int_range(pl.len()) < 2).then(1).otherwise(0).cast(pl.Int64),
    )
    gap = only(pl.concat([alone, several]))
    assert gap.gap is not None
    assert gap.gap.value == 1


def simulated(made_outcomes, rng: np.random.Generator, gap: float) -> pl.DataFrame:
    """16 skills of different rates, 8 texts each, and 120 triples whose marks meet by ``gap``."""
    rates = rng.beta(8, 2, 16)
    a = np.repeat(np.arange(16), 8)[:, None]
    b = np.array([rng.choice(16, 3, replace=False) for _ in range(120)])
    marks = rng.random(b.shape) < rates[b]
    marks[:, 0] &= rng.random(120) < gap
    return pl.concat(
        [
            made_outcomes(a, rng.random(a.shape) < rates[a], rng.random((128, 3)) < 0.97),
            made_outcomes(b, marks, rng.random((120, 3)) < 0.97),
        ]
    )


@pytest.mark.parametrize(
    ("truth", "simulations"),
    [
        (1.0, 80),
        (0.03, 80),
        pytest.param(1.0, 500, marks=pytest.mark.slow),
        pytest.param(0.4, 500, marks=pytest.mark.slow),
        pytest.param(0.03, 500, marks=pytest.mark.slow),
    ],
)
def test_the_interval_covers_at_about_its_level(
    made_outcomes, truth: float, simulations: int
) -> None:
    rng = np.random.default_rng(round(100 * truth))
    covered = 0
    for _ in range(simulations):
        frame = simulated(made_outcomes, rng, truth)
        gap = composition_gaps(frame, seed=1, resamples=250)[0].gap
        assert gap is not None
        covered += gap.low <= truth <= gap.high  # type: ignore[operator]
    error = 3 * np.sqrt(0.95 * 0.05 / simulations)
    assert 0.94 - error <= covered / simulations <= min(1.0, 0.97 + error)


def test_seeded_and_independent_of_the_order_of_rows(made_outcomes) -> None:
    frame = simulated(made_outcomes, np.random.default_rng(2), 0.5)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    both = pl.concat([frame, shuffled.with_columns(model=pl.lit("n"))])
    assert composition_gaps(frame, seed=4) == composition_gaps(shuffled, seed=4)
    # the gap of one model does not depend on whether another one is there
    assert composition_gaps(both, seed=4)[:1] == composition_gaps(frame, seed=4)
    assert composition_gaps(frame, seed=4) != composition_gaps(frame, seed=5)


def test_singles_alone_have_no_gap(made_outcomes) -> None:
    frame = singles(made_outcomes, {0: [True]})
    assert composition_gaps(frame, seed=1) == ()
    with pytest.raises(BadInput, match="no texts"):
        composition_gaps(frame.clear(), seed=1)
