"""Steps of a ladder in sharp and smooth metrics: hand-worked, planted leaps, and coverage."""

import numpy as np
import polars as pl
import pytest

from unparrot.analysis.theory.emergence import Emergence, emergence
from unparrot.core.errors import BadInput
from unparrot.report.words.theory_words import emergence_statement
from unparrot.stats.paired import paired_share

MODELS = ("small", "middle", "large")


def ladder(made_outcomes, marks: list[np.ndarray], k: int = 3) -> pl.DataFrame:
    """One frame of all models, from their marks (n, k + 3)."""
    skills = np.tile(np.arange(k), (len(marks[0]), 1))
    return pl.concat(
        made_outcomes(skills, each[:, :k], each[:, k:], model=model)
        for model, each in zip(MODELS, marks, strict=True)
    )


def independent(rng: np.random.Generator, rates: list[float], n: int = 200) -> list[np.ndarray]:
    """Marks that are earned independently, all at the rate of the model."""
    return [rng.random((n, 6)) < rate for rate in rates]


def found(frame: pl.DataFrame, **options: object) -> Emergence:
    arguments = {"k": 3, "split": "seen", "seed": 1, **options}
    return emergence(frame, MODELS, **arguments)  # type: ignore[arg-type]


def test_hand_worked_steps(made_outcomes) -> None:
    # four texts of six marks. small: none earns the first skill, all else is earned;
    # middle: two have full marks, two earn nothing; large: all have full marks
    small = np.ones((4, 6), dtype=bool)
    small[:, 0] = False
    middle = np.ones((4, 6), dtype=bool)
    middle[2:] = False
    large = np.ones((4, 6), dtype=bool)
    result = found(ladder(made_outcomes, [small, middle, large]))
    first, second = result.steps
    assert (first.before, first.after) == ("small", "middle")
    assert first.full_marks == paired_share([0, 0, 0, 0], [1, 1, 0, 0])
    assert first.skill_fraction.value == pytest.approx(1 / 2 - 2 / 3)
    assert first.mark_share.value == pytest.approx(3 / 6 - 5 / 6)
    # implied: (2/3)^3 for small, (1/2)^6 for middle
    assert first.implied.value == pytest.approx(1 / 64 - 8 / 27)
    assert first.together.value == pytest.approx(1 / 2 - (1 / 64 - 8 / 27))
    assert second.implied.value == pytest.approx(1 - 1 / 64)
    assert (result.n, result.combinations, result.left_out, result.largest) == (4, 4, 0, 0)


def test_a_leap_of_the_metric_alone_is_told_as_one(made_outcomes) -> None:
    # marks improve by 0.2 and 0.2, independently: full marks by 0.04 and 0.57
    rng = np.random.default_rng(1)
    result = found(ladder(made_outcomes, independent(rng, [0.57, 0.77, 0.97])))
    assert (result.largest, result.verdict) == (1, "metric")
    assert result.sharpness is not None
    assert result.smooth_sharpness is not None
    assert result.smooth_sharpness.high < result.sharpness.low  # type: ignore[operator]
    assert "part of it is the metric's" in emergence_statement(result)
    assert "from middle to large" in emergence_statement(result)


def test_a_leap_of_all_marks_is_not_the_metrics(made_outcomes) -> None:
    # half of the texts fail on everything until the middle model, which fails on none
    rng = np.random.default_rng(2)
    half = rng.random((200, 6)) < 0.97
    half[:100] = False
    result = found(ladder(made_outcomes, [half, *independent(rng, [0.97, 0.98])]))
    assert (result.largest, result.verdict) == (0, "both")
    assert "not the metric's" in emergence_statement(result)
    # the marks of the small model came together: its full marks are far above what is implied,
    # so the step is less than the rates alone imply
    assert result.steps[0].together.high < 0  # type: ignore[operator]


def test_no_rise_is_no_rise(made_outcomes) -> None:
    rng = np.random.default_rng(3)
    result = found(ladder(made_outcomes, independent(rng, [0.8, 0.8, 0.8])))
    assert result.verdict == "no rise"
    assert result.verdict == "no rise"


def test_what_marks_gain_together_covers_zero_when_they_are_independent(made_outcomes) -> None:
    rng = np.random.default_rng(4)
    covered = steps = 0
    for _ in range(80):
        frame = ladder(made_outcomes, independent(rng, [0.4, 0.75, 0.95], n=80))
        for step in found(frame, resamples=150).steps:
            steps += 1
            covered += step.together.low <= 0 <= step.together.high  # type: ignore[operator]
    # 3 sigma of 160 steps are 5.2 points
    assert covered / steps >= 0.95 - 0.052


def test_rounds_are_drawn_with_their_combination(made_outcomes) -> None:
    rng = np.random.default_rng(5)
    marks = independent(rng, [0.6, 0.8, 0.9], n=40)
    skills = np.tile(np.arange(3), (120, 1))
    tripled = pl.concat(
        made_outcomes(
            skills, np.repeat(each, 3, axis=0)[:, :3], np.repeat(each, 3, axis=0)[:, 3:],
            model=model, combination=np.repeat(np.arange(40), 3),
        )
        for model, each in zip(MODELS, marks, strict=True)
    )  # fmt: skip
    once, thrice = found(ladder(made_outcomes, marks)), found(tripled)
    assert (thrice.n, thrice.combinations) == (120, 40)
    assert thrice.steps[0].implied.low == pytest.approx(once.steps[0].implied.low)
    assert thrice.steps[0].mark_share.high == pytest.approx(once.steps[0].mark_share.high)


def test_texts_that_some_model_lacks_are_left_out_and_counted(made_outcomes) -> None:
    frame = ladder(made_outcomes, independent(np.random.default_rng(6), [0.5, 0.6, 0.7], n=30))
    here = pl.col("model") == "middle"
    lost = here & pl.col("combination").is_in(["3-0", "3-1"])
    result = found(frame.with_columns(unscored=pl.when(lost).then(1).otherwise(pl.col("unscored"))))
    assert (result.n, result.left_out) == (28, 2)


def test_seeded_and_independent_of_the_order_of_rows(made_outcomes) -> None:
    frame = ladder(made_outcomes, independent(np.random.default_rng(7), [0.5, 0.6, 0.7], n=30))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=8)
    assert found(frame) == found(shuffled)
    assert found(frame) != found(frame, seed=2)


def test_what_makes_no_ladder_is_refused(made_outcomes) -> None:
    frame = ladder(made_outcomes, independent(np.random.default_rng(9), [0.5, 0.6, 0.7], n=5))
    with pytest.raises(BadInput, match="at least two different models"):
        emergence(frame, ["small"], k=3, split="seen", seed=1)
    none = found(frame, k=7)
    assert (none.verdict, none.steps, none.largest, none.combinations) == (
        "not compared",
        (),
        None,
        0,
    )
    assert emergence_statement(none) == (
        "With 7 skills no steps are compared: all models were marked in full on 0 combinations, "
        "and steps need two."
    )


def test_what_is_not_settled_is_told_as_open(made_outcomes) -> None:
    # both metrics leap at the same step, but with so few texts nobody can say that they do as much
    rng = np.random.default_rng(10)
    half = rng.random((40, 6)) < 0.95
    half[:16] = False
    result = found(ladder(made_outcomes, [half, *independent(rng, [0.95, 0.98], n=40)]))
    assert (result.largest, result.verdict) == (0, "open")
    assert result.smooth_sharpness.low > 0.5  # type: ignore[union-attr, operator]
    few = [np.zeros((6, 6), dtype=bool), *[np.ones((6, 6), dtype=bool)] * 2]
    result = found(ladder(made_outcomes, few))
    assert (result.combinations, result.verdict) == (6, "open"), "whatever resampling says"


def test_no_rise_is_told_without_a_share_of_a_rise(made_outcomes) -> None:
    marks = [np.ones((30, 6), dtype=bool)] * 3
    result = found(ladder(made_outcomes, marks))
    assert result.verdict == "no rise"
    assert "in no step between neighbouring models" in emergence_statement(result)
    assert "whole rise" not in emergence_statement(result)
