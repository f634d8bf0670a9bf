"""What became of every text: one row a text, with its metrics and what unscored marks leave open.

All of the analysis starts here. The metrics are those of `core.grades.GradedText`, worked out for
a whole run at once; an unscored mark is a null, never a miss and never a point.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import STUDENT_FAILED, GradedText
from unparrot.core.records import RunFolder, marks_table, texts_table
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.core.tables import GRADED_SCHEMA, TEXTS_SCHEMA

_KEYS: Final = ("text_id", "kind", "criterion")
_ASKED: Final = tuple(name for name in TEXTS_SCHEMA.names() if name != "text")
# Columns of the outcomes.
#
# ``text_id`` to ``trained_count``, and ``no_text``, are those of texts.parquet. ``combination`` is
# the id of the topic and the set of skills, whatever their order. ``skill_marks`` goes with
# ``skills``; it and ``topic_mark``, ``sense_mark``, ``length_mark`` are true for earned, false for
# missed, null for unscored. ``full_marks``, ``all_skills`` and ``skill_fraction`` are null if
# unscored marks leave them open; ``skill_fraction_low`` and ``skill_fraction_high`` hold if every
# unscored mark was missed, or earned. ``unscored`` counts unscored marks.
OUTCOMES_SCHEMA: Final = pl.Schema(
    {
        **{name: TEXTS_SCHEMA[name] for name in _ASKED},
        "skill_marks": pl.List(pl.Boolean),
        **{f"{criterion}_mark": pl.Boolean for criterion in CRITERIA},
        "combination": pl.String,
        "skills_earned": pl.Int64,
        "skills_unscored": pl.Int64,
        "unscored": pl.Int64,
        "full_marks": pl.Boolean,
        "all_skills": pl.Boolean,
        "skill_fraction": pl.Float64,
        "skill_fraction_low": pl.Float64,
        "skill_fraction_high": pl.Float64,
    }
)


def read_outcomes(
    run: RunFolder | Path,
    texts: pl.DataFrame | None = None,
    graded: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the outcomes of the texts of a run, in the order of texts.parquet.

    Parameters
    ----------
    run
        The run, or its folder.
    texts, graded
        texts.parquet and graded.parquet, if the caller has read them.

    Returns
    -------
    DataFrame
        One row a text, with the columns `OUTCOMES_SCHEMA`.

    Raises
    ------
    BadInput
        If a table is absent or has other columns, the run has no texts, or texts and marks do not
        belong together: a text without one of its marks, a mark without its text or given twice.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    if texts is None:
        texts = folder.checked_table("texts", without=("text",))
    if graded is None:
        graded = folder.checked_table("graded")
    if texts.is_empty():
        raise BadInput(f"the run {folder.path} has no texts; generate and grade some first")
    try:
        return outcomes_of_tables(texts, graded)
    except BadInput as error:
        raise BadInput(f"the tables of {folder.path} do not belong together: {error}") from error


def outcomes_of_tables(texts: pl.DataFrame, graded: pl.DataFrame) -> pl.DataFrame:
    """Return the outcomes of texts by some marks of theirs: the frame of `read_outcomes`.

    Parameters
    ----------
    texts
        The columns of texts.parquet; ``text`` may be absent.
    graded
        The columns of graded.parquet: k + 3 marks for each of the texts.

    Raises
    ------
    BadInput
        If texts and marks do not belong together.
    """
    wide = _joined(texts.select(_ASKED), graded)
    requests = [
        (topic, tuple(sorted(skills))) for topic, skills in wide.select("topic", "skills").rows()
    ]
    ids = {request: SkillCombination(*request).id for request in dict.fromkeys(requests)}
    k, marks = pl.col("k"), pl.col("skill_marks").list
    criteria = [pl.col(f"{criterion}_mark") for criterion in CRITERIA]
    counts = {
        "skills_earned": marks.sum(),
        "skills_unscored": marks.len() - marks.drop_nulls().list.len(),
        "others_earned": pl.sum_horizontal(criteria),
        "others_unscored": pl.sum_horizontal(mark.is_null() for mark in criteria),
    }
    counted = wide.with_columns(
        pl.Series("combination", [ids[request] for request in requests], dtype=pl.String),
        *(count.cast(pl.Int64).alias(name) for name, count in counts.items()),
    )
    # of skills and of the other criteria: earned for certain, and at most
    earned, others = pl.col("skills_earned"), pl.col("others_earned")
    possible, most = earned + pl.col("skills_unscored"), others + pl.col("others_unscored")
    every, all_but_one = len(CRITERIA), len(CRITERIA) - 1
    low = pl.when(others == every).then(earned / k).otherwise(0.0)
    high = pl.when(most == every).then(possible / k).otherwise(0.0)
    return counted.with_columns(
        unscored=pl.col("skills_unscored") + pl.col("others_unscored"),
        full_marks=_settled((earned == k) & (others == every), (possible == k) & (most == every)),
        all_skills=_settled(
            (earned == k) & (others >= all_but_one), (possible == k) & (most >= all_but_one)
        ),
        skill_fraction=_settled(low, high),
        skill_fraction_low=low,
        skill_fraction_high=high,
    ).select(OUTCOMES_SCHEMA.names())


def came(texts: pl.DataFrame) -> pl.Expr:
    """Whether the model did not fail to give a text; true where the table has no codes for it."""
    if "no_text" not in texts.columns:
        return pl.repeat(value=True, n=pl.len())
    return ~pl.col("no_text").fill_null("").is_in(list(STUDENT_FAILED))


def _settled(worst: pl.Expr, best: pl.Expr) -> pl.Expr:
    """The outcome if the worst and the best case agree, else null."""
    return pl.when(worst == best).then(worst)


def outcomes_of(texts: Sequence[GradedText]) -> pl.DataFrame:
    """Return the outcomes of graded texts, in their order: the frame of `read_outcomes`.

    Examples
    --------
    >>> from unparrot.core.grades import EARNED, MISSED, Mark
    >>> marks = {"irony": EARNED, "topic": EARNED, "sense": EARNED, "length": Mark.unscored("lost")}
    >>> tea = SkillCombination("tea", ("irony",))
    >>> frame = outcomes_of([GradedText(tea, "Lovely.", marks, "64k", "seen", "greedy", 0, 3)])
    >>> frame["full_marks"].to_list(), frame["all_skills"].to_list(), frame["unscored"].to_list()
    ([None], [True], [1])
    """
    by_id = {text.id: text for text in texts}
    return outcomes_of_tables(texts_table(by_id), marks_table(by_id))


def _joined(texts: pl.DataFrame, graded: pl.DataFrame) -> pl.DataFrame:
    """Put the marks of each text beside it, in the order of its skills."""
    requests = texts.with_row_index("row")
    _refuse(
        (
            requests.filter(pl.col("text_id").is_duplicated()),
            "the text {text_id!r} stands in texts.parquet twice",
        ),
        (
            requests.filter((pl.col("k") != pl.col("skills").list.len()) | (pl.col("k") < 1)),
            "the text {text_id!r} has k = {k} and other skills",
        ),
    )
    earned = pl.when(pl.col("status") != "unscored").then(pl.col("status") == "earned")
    marks = graded.select(*_KEYS, mark=earned)
    names = pl.concat_list("skills", *map(pl.lit, CRITERIA))
    wanted = requests.select("row", "text_id", "k", criterion=names).explode("criterion")
    place = pl.int_range(pl.len()).over("row")
    kind = pl.when(place < pl.col("k")).then(pl.lit("skill")).otherwise("criterion")
    wanted = wanted.with_columns(kind=kind.cast(GRADED_SCHEMA["kind"]), place=place)
    if marks.select(_KEYS).equals(wanted.select(_KEYS)):  # as runs are written
        both = wanted.with_columns(marks["mark"])
    else:
        both = _matched(requests, wanted, marks)
    # sorted, and every text has each: the columns go beside the requests as they are
    each = {name: both.filter(pl.col("kind") == name) for name in ("skill", *CRITERIA)}
    skills = each["skill"].group_by("row", maintain_order=True).agg("mark")
    return requests.with_columns(
        skills["mark"].alias("skill_marks"),
        *(each[name]["mark"].alias(f"{name}_mark") for name in CRITERIA),
    ).drop("row")


def _matched(requests: pl.DataFrame, wanted: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """The marks in the order of the requests, each once, or a refusal."""
    given = marks.with_columns(given=pl.lit(True))
    both = wanted.join(given, on=_KEYS, how="full", coalesce=True).sort("row", "place")
    _refuse(
        (
            marks.join(requests, on="text_id", how="anti"),
            "graded.parquet marks the text {text_id!r}, which is not in texts.parquet",
        ),
        (
            both.filter(pl.col("given").is_null()),
            "the text {text_id!r} has no mark for {criterion!r}",
        ),
        (
            both.filter(pl.col("row").is_null()),
            "graded.parquet marks {criterion!r} of the text {text_id!r} "
            "without its being asked for",
        ),
        (
            marks.filter(pl.struct(_KEYS).is_duplicated()),
            "graded.parquet marks {criterion!r} of the text {text_id!r} twice",
        ),
    )
    return both


def _refuse(*faults: tuple[pl.DataFrame, str]) -> None:
    for at_fault, message in faults:
        if not at_fault.is_empty():
            raise BadInput(message.format(**at_fault.row(0, named=True)))
