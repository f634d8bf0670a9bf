"""What became of every text: one row a text, with its metrics and what unscored marks leave open.

All of the analysis starts here. The metrics are those of `core.grades.GradedText`, worked out for
a whole run at once; an unscored mark is a null, never a miss and never a point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText, Status
from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.core.tables import GRADED_SCHEMA, TEXTS_SCHEMA

_ASKED: Final = tuple(name for name in TEXTS_SCHEMA.names() if name != "text")
_EARNED: Final[Mapping[Status, bool | None]] = {"earned": True, "missed": False, "unscored": None}

_WIDE_SCHEMA: Final = pl.Schema(
    {
        **{name: TEXTS_SCHEMA[name] for name in _ASKED},
        "skill_marks": pl.List(pl.Boolean),
        **{f"{criterion}_mark": pl.Boolean for criterion in CRITERIA},
    }
)

OUTCOMES_SCHEMA: Final = pl.Schema(
    {
        **_WIDE_SCHEMA,
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
"""Columns of the outcomes.

``text_id`` to ``trained_count`` are those of texts.parquet. ``combination`` is the id of the topic
and the set of skills, whatever their order. ``skill_marks`` goes with ``skills``; it and
``topic_mark``, ``sense_mark``, ``length_mark`` are true for earned, false for missed, null for
unscored. ``full_marks``, ``all_skills`` and ``skill_fraction`` are null if unscored marks leave
them open; ``skill_fraction_low`` and ``skill_fraction_high`` hold if every unscored mark was
missed, or earned. ``unscored`` counts unscored marks.
"""


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
    return _outcomes(_joined(texts.select(_ASKED), graded))


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
    combinations = [text.combination for text in texts]
    columns: dict[str, list[object]] = {
        "text_id": [text.id for text in texts],
        "model": [text.model for text in texts],
        "split": [text.split for text in texts],
        "decoding": [text.decoding for text in texts],
        "k": [c.k for c in combinations],
        "topic": [c.topic for c in combinations],
        "skills": [list(c.skills) for c in combinations],
        "sample": [text.sample for text in texts],
        "trained_count": [text.trained_count for text in texts],
        "skill_marks": [
            [_EARNED[text.marks[skill].status] for skill in text.combination.skills]
            for text in texts
        ],
    }
    for criterion in CRITERIA:
        columns[f"{criterion}_mark"] = [_EARNED[t.marks[criterion].status] for t in texts]
    return _outcomes(pl.DataFrame(columns, schema=_WIDE_SCHEMA))


def _joined(texts: pl.DataFrame, graded: pl.DataFrame) -> pl.DataFrame:
    """Put the marks of each text beside it, in the order of its skills."""
    requests = texts.with_row_index("row")
    if requests["text_id"].n_unique() < requests.height:
        twice = requests.filter(pl.col("text_id").is_duplicated())["text_id"][0]
        raise BadInput(f"the text {twice!r} stands in texts.parquet twice")
    blank = [name for name in _ASKED if name != "trained_count" and requests[name].null_count()]
    if blank:
        raise BadInput(f"texts.parquet leaves {', '.join(blank)} empty for some texts")
    odd = requests.filter((pl.col("k") != pl.col("skills").list.len()) | (pl.col("k") < 1))
    if not odd.is_empty():
        raise BadInput(f"the text {odd['text_id'][0]!r} has k = {odd['k'][0]} and other skills")
    marks = graded.select(
        "text_id",
        "criterion",
        "kind",
        mark=pl.when(pl.col("status") != "unscored").then(pl.col("status") == "earned"),
    )
    stray = marks.join(requests, on="text_id", how="anti")
    if not stray.is_empty():
        raise BadInput(
            f"graded.parquet marks the text {stray['text_id'][0]!r}, which is not in texts.parquet"
        )
    wanted = requests.select("row", "text_id", criterion="skills").explode("criterion")
    wanted = wanted.with_columns(
        pl.lit("skill").cast(GRADED_SCHEMA["kind"]).alias("kind"),
        pl.int_range(pl.len()).over("row").alias("place"),
    )
    others = [
        requests.select(
            "row",
            "text_id",
            pl.lit(criterion).alias("criterion"),
            pl.lit(criterion).cast(GRADED_SCHEMA["kind"]).alias("kind"),
            pl.lit(0, dtype=pl.Int64).alias("place"),
        )
        for criterion in CRITERIA
    ]
    keys = ["text_id", "kind", "criterion"]
    found = pl.concat([wanted, *others]).join(
        marks.with_columns(given=pl.lit(True)), on=keys, how="left"
    )
    lacking = found.filter(pl.col("given").is_null())
    if not lacking.is_empty():
        raise BadInput(
            f"the text {lacking['text_id'][0]!r} has no mark for {lacking['criterion'][0]!r}"
        )
    if found.height < marks.height or found.height > requests["k"].sum() + len(CRITERIA) * len(
        requests
    ):
        double = marks.filter(pl.struct(keys).is_duplicated())
        extra = marks.join(found, on=keys, how="anti") if double.is_empty() else double
        raise BadInput(
            f"graded.parquet marks {extra['criterion'][0]!r} of the text {extra['text_id'][0]!r} "
            f"{'without its being asked for' if double.is_empty() else 'twice'}"
        )
    found = found.sort("row", "place")
    skills = found.filter(pl.col("kind") == "skill").group_by("row", maintain_order=True)
    wide = requests.with_columns(skills.agg("mark")["mark"].alias("skill_marks"))
    return wide.with_columns(
        found.filter(pl.col("kind") == criterion)["mark"].alias(f"{criterion}_mark")
        for criterion in CRITERIA
    ).drop("row")


def _outcomes(wide: pl.DataFrame) -> pl.DataFrame:
    """Add the combination and the metrics."""
    keys = [
        (cast(str, topic), tuple(sorted(cast(list[str], skills))))
        for topic, skills in wide.select("topic", "skills").iter_rows()
    ]
    known = {key: SkillCombination(*key).id for key in dict.fromkeys(keys)}
    others = [pl.col(f"{criterion}_mark") for criterion in CRITERIA]
    others_earned = pl.sum_horizontal(mark.fill_null(value=False) for mark in others)
    others_possible = pl.sum_horizontal(mark.fill_null(value=True) for mark in others)
    earned, possible, k = pl.col("skills_earned"), pl.col("skills_possible"), pl.col("k")
    counted = wide.with_columns(
        pl.Series("combination", [known[key] for key in keys], dtype=pl.String),
        pl.col("skill_marks").list.sum().cast(pl.Int64).alias("skills_earned"),
        pl.col("skill_marks").list.drop_nulls().list.len().cast(pl.Int64).alias("scored"),
        others_earned.cast(pl.Int64).alias("others_earned"),
        others_possible.cast(pl.Int64).alias("others_possible"),
    ).with_columns(skills_unscored=k - pl.col("scored"))
    counted = counted.with_columns(
        (earned + pl.col("skills_unscored")).alias("skills_possible"),
        (pl.col("skills_unscored") + pl.col("others_possible") - pl.col("others_earned")).alias(
            "unscored"
        ),
    )
    all_others, most_others = len(CRITERIA), len(CRITERIA) - 1
    best, worst = pl.col("others_possible"), pl.col("others_earned")
    low = pl.when(worst == all_others).then(earned / k).otherwise(0.0)
    high = pl.when(best == all_others).then(possible / k).otherwise(0.0)
    return counted.with_columns(
        _settled((earned == k) & (worst == all_others), (possible == k) & (best == all_others))
        .alias("full_marks"),
        _settled((earned == k) & (worst >= most_others), (possible == k) & (best >= most_others))
        .alias("all_skills"),
        pl.when(low == high).then(low).alias("skill_fraction"),
        low.alias("skill_fraction_low"),
        high.alias("skill_fraction_high"),
    ).select(OUTCOMES_SCHEMA.names())  # fmt: skip


def _settled(worst: pl.Expr, best: pl.Expr) -> pl.Expr:
    """The outcome if the worst and the best case agree, else null."""
    return pl.when(worst == best).then(worst)
