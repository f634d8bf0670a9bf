"""Votes over rounds, copies of rounds, and planted graders."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec.structs import astuple
from scipy.stats import binomtest

from unparrot.analysis.read.grader_marks import (
    EXACT,
    PLANTED,
    checked,
    exact_grades,
    full_marks,
    identical_rounds,
    plant,
    read_grades,
    verdicts,
    without_copies,
)
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.core.tables import GRADES_SCHEMA

Mark = tuple[str, str, str, int, str]


def grades(*marks: Mark, reason: str = "") -> pl.DataFrame:
    """Marks as (text, criterion, grader, round, status); any criterion but three is a skill."""
    rows = [
        (t, c, c if c in ("topic", "sense", "length") else "skill", g, g, "student", r, s, reason)
        for t, c, g, r, s in marks
    ]
    return pl.DataFrame(rows, schema=GRADES_SCHEMA, orient="row")


def test_most_rounds_decide_and_ties_are_unscored() -> None:
    table = grades(
        ("t", "irony", "g", 1, "earned"), ("t", "irony", "g", 2, "earned"),
        ("t", "irony", "g", 3, "missed"), ("t", "topic", "g", 1, "earned"),
        ("t", "topic", "g", 2, "missed"), ("t", "topic", "g", 3, "unscored"),
        ("t", "sense", "g", 1, "unscored"), ("t", "sense", "g", 2, "missed"),
        ("t", "length", "g", 1, "unscored"),
    )  # fmt: skip
    votes = verdicts(table)
    assert dict(zip(votes["criterion"], votes["earned"], strict=True)) == {
        "irony": True, "topic": None, "sense": False, "length": None,
    }  # fmt: skip


def test_full_marks_are_open_where_a_mark_is_missing() -> None:
    four = ("irony", "topic", "sense", "length")
    table = grades(
        *(("all", c, "g", 1, "earned") for c in four),
        *(("lost", c, "g", 1, "missed" if c == "irony" else "unscored") for c in four),
        *(("open", c, "g", 1, "unscored" if c == "irony" else "earned") for c in four),
        *(("short", c, "g", 1, "earned") for c in four[:3]),
    )
    texts = pl.DataFrame({"text_id": ["all", "lost", "open", "short"], "k": [1, 1, 1, 1]})
    whole = full_marks(verdicts(table), texts)
    assert dict(zip(whole["text_id"], whole["earned"], strict=True)) == {
        "all": True, "lost": False, "open": None, "short": None,
    }  # fmt: skip
    with pytest.raises(BadInput, match="'open' is graded, but is not in"):
        full_marks(verdicts(table), texts.filter(pl.col("text_id") != "open"))


def rounds(*patterns: str, grader: str = "g", reason: str = "") -> pl.DataFrame:
    """Rounds written as strings of + and -."""
    return grades(
        *(
            (f"t{i}", "irony", grader, number, "earned" if mark == "+" else "missed")
            for number, pattern in enumerate(patterns, start=1)
            for i, mark in enumerate(pattern)
        ),
        reason=reason,
    )


def test_rounds_that_repeat_an_earlier_one_are_named_and_count_once() -> None:
    table = pl.concat(
        [
            rounds("+-" * 15, "++" * 15, "+-" * 15, "+-" * 15),
            rounds("+-" * 15, "-+" * 15, grader="h"),
        ]
    )
    found = identical_rounds(table)
    assert [astuple(copy) for copy in found] == [("g", 1, 3, 30), ("g", 1, 4, 30)]
    kept = without_copies(table, found)
    assert kept.filter(pl.col("grader") == "g")["round"].unique().to_list() == [1, 2]
    # of a tie nothing is made: with the copies, three rounds would have outvoted one
    votes = verdicts(kept).filter(pl.col("grader") == "g")
    assert votes["earned"].null_count() == 15


def test_few_marks_or_other_reasons_are_no_copies() -> None:
    assert identical_rounds(rounds("+" * 19, "+" * 19)) == []
    silent = rounds("+" * 30, "+" * 30).with_columns(pl.lit("unscored").alias("status"))
    assert identical_rounds(silent) == []
    table = rounds("+" * 30, "+" * 30).with_columns(
        pl.when(pl.col("round") == 1).then(pl.lit("a")).otherwise(pl.lit("b")).alias("reason")
    )
    assert identical_rounds(table) == []


@pytest.fixture
def run(
    tmp_path: Path,
    asked: Callable[[int, int], list[SkillCombination]],
    written: Callable[..., list[GradedText]],
    run_of: Callable[..., Path],
) -> Path:
    items = asked(2, 400)
    return run_of(tmp_path / "run", written("64k", items, [i % 3 > 0 for i in range(400)]))


def test_a_planted_grader_errs_at_its_rates(run: Path) -> None:
    exact = exact_grades(run)
    assert exact["grader"].unique().to_list() == [EXACT]
    planted = plant(exact, 0.1, 0.25, seed=3).filter(pl.col("grader") == PLANTED)
    both = exact.join(planted, on=["text_id", "criterion"], suffix="_p")
    for status, rate in (("missed", 0.1), ("earned", 0.25)):
        marks = both.filter(pl.col("status") == status)
        wrong = marks.filter(pl.col("status_p") != status).height
        # a binomial test at 0.1 %
        assert binomtest(wrong, marks.height, rate).pvalue > 0.001
    assert plant(exact, 0.1, 0.25, seed=3).equals(plant(exact, 0.1, 0.25, seed=3))
    kept = plant(exact, 0, 0, labels=50, rounds=2).filter(pl.col("grader") == EXACT)
    assert kept["text_id"].n_unique() == 50
    faultless = plant(exact, 0, 0).filter(pl.col("grader") == PLANTED)
    assert (faultless["status"] == exact["status"]).all()


def test_labels_are_drawn_evenly(run: Path) -> None:
    exact = exact_grades(run)
    texts = exact["text_id"].unique().sort()
    chosen = np.zeros(400)
    for seed in range(60):
        kept = plant(exact, 0, 0, seed=seed, labels=40).filter(pl.col("grader") == EXACT)
        chosen += texts.is_in(kept["text_id"].unique().to_list()).to_numpy()
    # each text in a tenth of the draws: chi-square with 399 degrees of freedom is within 4.5
    # standard deviations (28.3 each)
    square = float(((chosen - 6) ** 2 / (6 * 0.9)).sum())
    assert abs(square - 399) < 127


def test_bad_grades_are_named(run: Path) -> None:
    with pytest.raises(BadInput, match=r"has no grades\.parquet.*--plant"):
        read_grades(run)
    good = grades(("t", "irony", "g", 1, "earned"))
    RunFolder(run).write_table("grades", good)
    assert read_grades(run).equals(good)
    RunFolder(run).write_table("grades", good.drop("family"))
    with pytest.raises(BadInput, match=r"grades\.parquet .*needs a column 'family'"):
        read_grades(run)
    for table, message in (
        (good.clear(), "are empty"),
        (good.with_columns(pl.lit("won").alias("status")), "status 'won'"),
        (good.with_columns(pl.lit("irony").alias("kind")), "kind 'irony'"),
        (pl.concat([good, good]), "g marks 'irony' of the text 't' twice in round 1"),
    ):
        with pytest.raises(BadInput, match=message):
            checked(table, "here")
    exact = exact_grades(run)
    for arguments, options, message in (
        ((1.5, 0), {}, "false points"),
        ((0, -0.1), {}, "false misses"),
        ((0, 0), {"rounds": 0}, "one round"),
        ((0, 0), {"labels": 401}, "1 to 400"),
    ):
        with pytest.raises(BadInput, match=message):
            plant(exact, *arguments, **options)
    unscored = exact.with_columns(pl.lit("unscored").alias("status"))
    with pytest.raises(BadInput, match="unscored marks"):
        plant(unscored, 0, 0)
