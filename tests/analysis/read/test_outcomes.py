"""The outcomes of a run against the properties of every graded text, and runs that do not fit."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.analysis.read.outcomes import OUTCOMES_SCHEMA, outcomes_of, read_outcomes
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA, SkillCombination

LOST = Mark.unscored("the grader did not answer")


def graded_text(marks: tuple[Mark, ...], sample: int = 0, topic: str = "tea") -> GradedText:
    """A text with one skill for every mark but the last three."""
    skills = tuple(f"skill {i}" for i in range(len(marks) - 3))
    given_marks = dict(zip((*skills, *CRITERIA), marks, strict=True))
    combination = SkillCombination(topic, skills)
    return GradedText(combination, "words", given_marks, "m", "seen", "greedy", sample, None)


@given(st.lists(st.sampled_from([EARNED, MISSED, LOST]), min_size=4, max_size=9))
def test_the_metrics_are_those_of_the_graded_text(marks: list[Mark]) -> None:
    text = graded_text(tuple(marks))
    row = outcomes_of([text]).row(0, named=True)
    assert row["full_marks"] is text.full_marks
    assert row["all_skills"] is text.all_skills
    assert row["skill_fraction"] == text.skill_fraction
    assert row["unscored"] == marks.count(LOST)
    # the bounds are what the text would get if every unscored mark were missed, or earned
    worst = graded_text(tuple(MISSED if m is LOST else m for m in marks)).skill_fraction
    best = graded_text(tuple(EARNED if m is LOST else m for m in marks)).skill_fraction
    assert (row["skill_fraction_low"], row["skill_fraction_high"]) == (worst, best)


def test_hand_worked_marks() -> None:
    # k = 2: two skills, then topic, sense, length
    frame = outcomes_of(
        [
            graded_text((EARNED, EARNED, EARNED, EARNED, EARNED), 0),
            graded_text((EARNED, MISSED, EARNED, EARNED, EARNED), 1),
            graded_text((EARNED, EARNED, EARNED, EARNED, LOST), 2),
            graded_text((EARNED, LOST, EARNED, MISSED, EARNED), 3),
        ]
    )
    assert frame.schema == OUTCOMES_SCHEMA
    assert frame["full_marks"].to_list() == [True, False, None, False]
    assert frame["all_skills"].to_list() == [True, False, True, None]
    assert frame["skill_fraction"].to_list() == [1.0, 0.5, None, 0.0]
    assert frame["skill_fraction_high"].to_list() == [1.0, 0.5, 1.0, 0.0]
    assert frame["unscored"].to_list() == [0, 0, 1, 1]
    assert frame["skill_marks"].to_list() == [
        [True, True], [True, False], [True, True], [True, None],
    ]  # fmt: skip
    assert frame["length_mark"].to_list() == [True, True, None, True]


def random_texts(n: int, seed: int) -> list[GradedText]:
    rng = np.random.default_rng(seed)
    texts: list[GradedText] = []
    for i in range(n):
        k = int(rng.integers(1, 5))
        skills = tuple(f"s{j}" for j in rng.permutation(8)[:k])
        marks = {name: (EARNED, MISSED, LOST)[rng.integers(3)] for name in (*skills, *CRITERIA)}
        combination = SkillCombination(f"t{rng.integers(3)}", skills)
        texts.append(GradedText(combination, "w", marks, "m", "seen", "greedy", i, int(i % 3)))
    return texts


def test_a_run_read_back_gives_the_outcomes_of_its_texts(tmp_path: Path) -> None:
    texts = random_texts(200, seed=1)
    run = RunFolder(tmp_path)
    run.write_graded(texts)
    frame = read_outcomes(run)
    assert frame.equals(outcomes_of(texts))
    assert frame.equals(read_outcomes(tmp_path))
    assert frame["combination"].to_list() == [text.combination.id for text in texts]


def test_the_order_of_marks_does_not_matter(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_graded(random_texts(100, seed=2))
    before = read_outcomes(run)
    shuffled = run.read_table("graded").sample(fraction=1.0, shuffle=True, seed=3)
    shuffled.write_parquet(tmp_path / "graded.parquet")
    assert read_outcomes(run).equals(before)


def test_no_texts_have_no_outcomes() -> None:
    frame = outcomes_of([])
    assert frame.schema == OUTCOMES_SCHEMA
    assert frame.is_empty()


def test_a_text_without_its_k_is_refused(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_graded([graded_text((EARNED,) * 4)])
    path = tmp_path / "texts.parquet"
    for wrong in (0, -5, 9):
        pl.read_parquet(path).with_columns(k=pl.lit(wrong, pl.Int64)).write_parquet(path)
        with pytest.raises(BadInput, match=f"has k = {wrong} and other skills"):
            read_outcomes(run)
    blank = pl.read_parquet(path).with_columns(pl.lit(None, dtype=pl.Int64).alias("k"))
    blank.write_parquet(path)
    with pytest.raises(BadInput, match="lacks the k of 1 row"):
        read_outcomes(run)


def test_an_empty_run_is_refused(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_graded([])
    with pytest.raises(BadInput, match="has no texts"):
        read_outcomes(run)


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("graded", lambda f: f[1:], "no mark for"),
        ("graded", lambda f: pl.concat([f, f[:1]]), "twice"),
        ("graded", lambda f: pl.concat([f, f[:1].with_columns(criterion=pl.lit("other"))]),
         "without its being asked for"),
        ("graded", lambda f: pl.concat([f, f[:1].with_columns(text_id=pl.lit("0" * 16))]),
         "not in texts"),
        ("graded", lambda f: f.drop("reason"), "has the columns"),
        ("texts", lambda f: pl.concat([f, f[:1]]), "stands in texts.parquet twice"),
        ("texts", lambda f: f.with_columns(k=pl.col("k") + 1), "other skills"),
        ("texts", lambda f: f.drop("split"), "has the columns"),
    ],
)  # fmt: skip
def test_tables_that_do_not_belong_together_are_refused(
    tmp_path: Path, table: str, change: object, message: str
) -> None:
    run = RunFolder(tmp_path)
    run.write_graded(random_texts(3, seed=4))
    changed = change(run.read_table(table))  # type: ignore[operator]
    changed.write_parquet(tmp_path / f"{table}.parquet")
    with pytest.raises(BadInput, match=message):
        read_outcomes(run)
