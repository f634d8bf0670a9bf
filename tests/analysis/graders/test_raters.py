"""Graders with planted faults are found out: errors, bias, copies; and full marks are put right."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec.structs import astuple

from unparrot.analysis.graders.measure import measure_graders
from unparrot.analysis.graders.rater_agreement import family_bias
from unparrot.analysis.read.grader_marks import EXACT, PLANTED, exact_grades, plant, verdicts
from unparrot.analysis.resampling import Resampling
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.core.tables import GRADES_SCHEMA

FAST = Resampling(resamples=200)


@pytest.fixture
def run(
    tmp_path: Path,
    asked: Callable[[int, int], list[SkillCombination]],
    written: Callable[..., list[GradedText]],
    run_of: Callable[..., Path],
) -> Path:
    """Two models over 600 combinations: full marks in three fifths and in one fifth."""
    texts = []
    for model, right in (("good", 3), ("poor", 1)):
        for k in (1, 2):
            texts += written(model, asked(k, 300), [i % 5 < right for i in range(300)])
    return run_of(tmp_path / "run", texts)


def test_a_planted_grader_is_recovered(run: Path) -> None:
    texts = RunFolder(run).read_table("texts")
    false_point, false_miss = 0.15, 0.05
    exact = exact_grades(run)
    grades = plant(exact, false_point, false_miss, labels=400, seed=5)
    report = measure_graders(grades, texts, truth=EXACT, sampling=FAST)
    assert report.graders == (EXACT, PLANTED)
    # its rates, mark by mark
    (every,) = [row for row in report.errors if row.scope == "all"]
    assert every.sensitivity.low <= 1 - false_miss <= every.sensitivity.high  # type: ignore[operator]
    assert every.specificity.low <= 1 - false_point <= every.specificity.high  # type: ignore[operator]
    names = [row.name for row in report.errors]
    assert names[:6] == ["all marks", "full marks", "skills", "topic", "sense", "length"]
    assert "irony" in names
    # and what full marks are, of each model and at each k
    for row in report.corrected:
        truth = {"good": 0.6, "poor": 0.2}[row.model]
        assert row.texts == (600 if row.k is None else 300)
        if row.k is None:
            assert abs(row.graded - truth) > 0.02
            for e in (row.corrected, row.labelled_only):
                assert e is not None
                assert e.low <= truth <= e.high  # type: ignore[operator]
            e, only = row.corrected, row.labelled_only
            assert e.high - e.low <= only.high - only.low  # type: ignore[operator]
            assert 0 < row.weight <= 1
    assert len(report.corrected) == 6
    again = measure_graders(grades, texts, truth=EXACT, sampling=FAST)
    assert again == report


def test_agreement_by_criterion_skill_and_round(run: Path) -> None:
    texts = RunFolder(run).read_table("texts")
    grades = plant(exact_grades(run), 0.1, 0.1, rounds=2)
    report = measure_graders(grades, texts, sampling=FAST)
    pair = {r.name: r for r in report.agreement if r.between == "graders"}
    assert list(pair)[:6] == ["all marks", "full marks", "skills", "topic", "sense", "length"]
    assert {"irony", "metaphor"} <= set(pair)
    # two rounds agree where both are right or both wrong, 0.82; a vote of two has a mark only then
    rounds = {r.name: r for r in report.agreement if r.between == "rounds"}
    every = rounds["all marks"]
    assert every.raw.low <= 0.82 <= every.raw.high  # type: ignore[operator]
    assert len(every.earned) == 2
    assert pair["topic"].units < rounds["topic"].units == 1200
    # every topic is earned, so kappa and alpha say next to nothing of graders who agree
    assert pair["topic"].raw.value == pytest.approx(0.81 / 0.82, abs=0.01)
    assert pair["topic"].kappa is not None
    assert pair["topic"].kappa.value == pytest.approx(0, abs=0.01)
    assert pair["topic"].ac1 is not None
    assert pair["topic"].ac1.value > 0.97  # type: ignore[operator]
    assert (report.errors, report.corrected, report.truth) == ((), (), None)
    assert any("no round of planted gave" in note for note in report.notes)
    row = next(r for r in report.agreement if r.name == "topic")
    assert row.earned == {EXACT: 1.0, PLANTED: pytest.approx(0.99, abs=0.02)}


def test_copied_rounds_are_named(run: Path) -> None:
    texts = RunFolder(run).read_table("texts")
    grades = plant(exact_grades(run), 0.1, 0.1)
    again = grades.filter(pl.col("grader") == PLANTED).with_columns(pl.lit(2).alias("round"))
    report = measure_graders(pl.concat([grades, again.cast(GRADES_SCHEMA)]), texts, sampling=FAST)
    assert [astuple(copy)[:3] for copy in report.identical_rounds] == [(PLANTED, 1, 2)]
    assert "identical in all" in report.notes[0]
    assert not [row for row in report.agreement if row.between == "rounds"]


def panel(
    rng: np.random.Generator, texts: int, favour: float, strict: float, quality: float
) -> pl.DataFrame:
    """Graders of families a and b over texts of both; a's favours its own by `favour`."""
    rows = []
    for student, good in (("a", 0.5 + quality), ("b", 0.5)):
        for t in range(texts):
            easy = rng.random()
            for c in range(4):
                luck = easy if rng.random() < 0.5 else rng.random()
                for grader in ("a", "b"):
                    level = good
                    if grader == "a":
                        level += favour * (student == "a") - strict
                    earned = luck < level if rng.random() < 0.7 else rng.random() < level
                    status = "earned" if earned else "missed"
                    text = f"{student}{t}"
                    rows.append(
                        (text, f"s{c}", "skill", f"grader {grader}", grader, student, 1, status, "")
                    )
    return pl.DataFrame(rows, schema=GRADES_SCHEMA, orient="row")


def test_the_bias_is_neither_strictness_nor_quality() -> None:
    rng = np.random.default_rng(1)
    trials, covered, found = 40, 0, []
    for _ in range(trials):
        votes = verdicts(panel(rng, 40, favour=0.15, strict=0.1, quality=0.2))
        first, second = family_bias(votes, FAST)
        assert (first.family, second.family) == ("a", "b")
        # with two families the one's favour is the other's disfavour
        assert first.bias.value == pytest.approx(second.bias.value)
        covered += first.bias.low <= 0.15 <= first.bias.high  # type: ignore[operator]
        found.append(first)
    mean = np.mean([row.bias.value for row in found])
    assert mean == pytest.approx(0.15, abs=0.03)
    assert np.mean([row.other.value for row in found]) == pytest.approx(-0.1, abs=0.03)
    # 95 % of 40, less what a binomial falls short in 1 of 1000
    assert covered >= 33
    assert (found[0].bias.n, found[0].own.n) == (80, 160)


def test_graders_of_one_family_count_together() -> None:
    votes = verdicts(panel(np.random.default_rng(3), 30, 0.2, 0, 0))
    twin = votes.filter(pl.col("family") == "a").with_columns(
        pl.lit("another of a").alias("grader"), ~pl.col("earned")
    )
    # two graders of a that never agree: half a point each time, whoever wrote the text
    row = family_bias(pl.concat([votes, twin]), FAST)[0]
    rate = (
        votes.filter(pl.col("family") == "b")
        .group_by("student_family")
        .agg(pl.col("earned").mean())
    )
    theirs = dict(rate.iter_rows())
    assert row.own.value == pytest.approx(0.5 - theirs["a"])
    assert row.other.value == pytest.approx(0.5 - theirs["b"])
    assert row.own.method == "cluster bootstrap"


def test_families_that_do_not_meet_have_no_bias() -> None:
    votes = verdicts(panel(np.random.default_rng(2), 5, 0, 0, 0))
    assert family_bias(votes.filter(pl.col("student_family") == "a"), FAST) == []
    assert family_bias(votes.filter(pl.col("family") == "a"), FAST) == []


def test_too_few_labels_correct_nothing_and_strangers_are_refused(run: Path) -> None:
    texts = RunFolder(run).read_table("texts")
    grades = plant(exact_grades(run), 0.1, 0.1, labels=8)
    report = measure_graders(grades, texts, truth=EXACT, sampling=FAST)
    assert all(row.corrected is None for row in report.corrected)
    assert "Fewer than 10 labels" in report.notes[-1]
    assert report.corrected[0].corrected is None
    with pytest.raises(BadInput, match="no grader 'people'; there are exact, planted"):
        measure_graders(grades, texts, truth="people", sampling=FAST)
    alone = measure_graders(exact_grades(run), texts, sampling=FAST)
    assert alone.notes == ("There is one grader: nobody to agree with.",)
    assert alone.agreement == ()
