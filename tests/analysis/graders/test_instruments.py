"""The graders of a run in brief: who is compared with whom, and what another would have decided."""

from __future__ import annotations

import polars as pl
import pytest

from unparrot.analysis.graders.measure import (
    GraderReport,
    OtherGrader,
    if_another_decided,
    measure_graders,
)
from unparrot.analysis.resampling import Resampling
from unparrot.core.tables import GRADED_SCHEMA, GRADES_SCHEMA, TEXTS_SCHEMA

CRITERIA = (("irony", "skill"), ("topic", "topic"), ("sense", "sense"), ("length", "length"))
SAMPLING = Resampling(resamples=100)


def texts(n: int, failed: int = 0) -> pl.DataFrame:
    """n texts, of which the model failed to give the last ones."""
    came = [("x", None)] * (n - failed) + [("", "refused")] * failed
    return pl.DataFrame(
        [
            (f"t{i}", "m", "unknown", "t0.7", 1, f"topic {i}", ["irony"], 0, None, *text)
            for i, text in enumerate(came)
        ],
        schema=TEXTS_SCHEMA,
        orient="row",
    )


def graded(marks: list[str]) -> pl.DataFrame:
    """For each text, four letters: 1, 0 or ? for the skill, topic, sense and length."""
    status = {"1": "earned", "0": "missed", "?": "unscored"}
    return pl.DataFrame(
        [
            (f"t{i}", name, kind, status[letter], "why" if letter == "?" else "")
            for i, letters in enumerate(marks)
            for letter, (name, kind) in zip(letters, CRITERIA, strict=True)
        ],
        schema=GRADED_SCHEMA,
        orient="row",
    )


def grades(**graders: list[str]) -> pl.DataFrame:
    """By grader, as `graded`; a space is no mark. `program` marks the length alone."""
    status = {"1": "earned", "0": "missed", "?": "unscored"}
    return pl.DataFrame(
        [
            (f"t{i}", name, kind, grader, grader, "m", 1, status[letter], "")
            for grader, marks in graders.items()
            for i, letters in enumerate(marks)
            for letter, (name, kind) in zip(letters, CRITERIA, strict=True)
            if letter != " "
        ],
        schema=GRADES_SCHEMA,
        orient="row",
    )


def measured(marks: list[str], **graders: list[str]) -> GraderReport:
    n = len(marks)
    return measure_graders(grades(**graders), texts(n), skills=False, sampling=SAMPLING)


def instead(
    marks: list[str], deciding: str | None = "a", **graders: list[str]
) -> tuple[OtherGrader, ...]:
    n = len(marks)
    return if_another_decided(grades(**graders), texts(n), graded(marks), deciding, ["m"], SAMPLING)


def test_who_agrees_with_whom() -> None:
    found = measured(
        ["1111", "0111", "1011"],
        a=["1111", "0111", "1011"],
        b=["1111", "1111", "1011"],
        program=["   1", "   1", "   0"],
    )
    assert found.graders == ("a", "b")
    rows = {(r.raters, r.name): r.raw.value for r in found.agreement}
    assert rows[("a", "b"), "all marks"] == pytest.approx(11 / 12)
    assert rows[("a", "b"), "skills"] == pytest.approx(2 / 3)
    assert rows[("a", "b"), "full marks"] == pytest.approx(2 / 3)
    # the program is compared on what it marks, and is no grader otherwise
    assert rows[("a", "program"), "length"] == pytest.approx(2 / 3)
    assert not any("program" in raters and name != "length" for raters, name in rows)
    assert not any(name == "irony" for _, name in rows)


def test_what_another_grader_would_have_decided() -> None:
    (row,) = instead(
        ["1111", "1111", "0111", "1110", "1?11"],
        a=["1111", "1111", "1111", "1111", "1?11"],  # the third point was taken by a rule
        b=["1111", "0111", "1111", "1111", "1111"],
        program=["   1", "   1", "   1", "   0", "   1"],
    )
    cell = row.cell
    assert (row.grader, row.model, cell.k, cell.pairs) == ("b", "m", 1, 5)
    # texts scored in full for both: 1 (both), 2 (lost), 3 (rule), 4 (length by the program)
    assert cell.first == pytest.approx(2 / 4)
    assert cell.second == pytest.approx(1 / 4)
    # -1/4 over the four; over all five, text 5 adds 0 or 1 of a point: from -1/5 to 0, so -1/5
    assert cell.full_marks.value == pytest.approx(-1 / 5)
    assert cell.full_marks.unscored == 1


def test_a_grader_of_some_texts_is_compared_on_those() -> None:
    (row,) = instead(["1111", "0111"], a=["1111", "0111"], people=["    ", "1111"])
    assert (row.cell.pairs, row.cell.first, row.cell.second) == (1, 0.0, 1.0)


def test_a_text_that_a_model_failed_to_give_is_missed_whoever_decides() -> None:
    given = {"a": ["1111", "1111", "    "], "b": ["1111", "0111", "    "]}
    about = (texts(3, 1), graded(["1111", "1111", "0000"]), "a", ["m"], SAMPLING)
    (row,) = if_another_decided(grades(**given), *about)
    assert row.cell.pairs == 3
    assert row.cell.first == pytest.approx(2 / 3)
    assert row.cell.second == pytest.approx(1 / 3)


def test_labels_put_right_the_share_of_all_texts_and_not_of_those_that_came() -> None:
    # 40 of 100 refused; of the 60 that came the grader passes 48, people, on 20 of them, 15
    marks = ["1111"] * 48 + ["0111"] * 12 + ["    "] * 40
    people = ["1111"] * 15 + ["0111"] * 5 + ["    "] * 80
    given = grades(a=marks, people=people)
    part, whole = (
        measure_graders(given, asked, truth="people", skills=False, sampling=SAMPLING).corrected[0]
        for asked in (texts(100), texts(100, 40))
    )
    assert (part.graded, whole.graded) == pytest.approx((0.8, 0.48))
    assert part.corrected is not None
    assert whole.corrected is not None
    assert whole.corrected.value == pytest.approx(0.6 * (part.corrected.value or 0.0))
    low, high = whole.corrected.low, whole.corrected.high
    assert low is not None
    assert high is not None
    # wider than if the part that came were known
    assert high - low > 0.6 * ((part.corrected.high or 0.0) - (part.corrected.low or 0.0))


def test_without_a_deciding_grader_nobody_is_put_in_its_place() -> None:
    marks = ["1111", "0111"]
    assert instead(marks, deciding=None, a=marks, b=marks) == ()
    assert instead(marks, deciding="c", a=marks, b=marks) == ()


def test_one_grader_alone() -> None:
    found = measured(["1111", "0111"], a=["1111", "0111"])
    assert found.agreement == ()
    assert instead(["1111", "0111"], a=["1111", "0111"]) == ()
    assert found.voting[0].agreed == 8
