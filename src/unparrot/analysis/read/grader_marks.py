"""The marks of several graders on the same texts: a run's table ``grades``, read and put to votes.

One row a mark: which text and criterion, which grader (and its family, and that of the model that
wrote the text), in which round, and what it said. People are graders too, of a family of their own.
In the lab the exact grader is the truth, and a grader with known rates of error can be planted
beside it, to see whether it is recovered.
"""

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from msgspec import Struct

from unparrot.core.errors import BadInput
from unparrot.core.grades import STATUSES
from unparrot.core.records import RunFolder
from unparrot.core.skills import CRITERIA
from unparrot.core.tables import GRADES_SCHEMA

EXACT: Final = "exact"
PLANTED: Final = "planted"
# Marks that two rounds must share before being alike counts as being copies.
LEAST_IDENTICAL: Final = 20


def read_grades(run: RunFolder | Path) -> pl.DataFrame:
    """Return the marks of all graders of a run, with the columns `GRADES_SCHEMA`.

    Raises
    ------
    BadInput
        If the run has no table ``grades``, the table lacks a column or has an unknown status or
        kind, or a grader marks a criterion of a text twice in one round.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    if not (folder.path / "grades.parquet").is_file():
        raise BadInput(
            f"{folder.path} has no grades.parquet, the marks grader by grader; grade the run, or "
            "plant a grader beside the exact one of a lab run (--plant)"
        )
    return checked(folder.checked_table("grades"), str(folder.path))


def checked(grades: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return grades with the columns `GRADES_SCHEMA`, or refuse them; ``where`` names them."""
    table = grades.select(GRADES_SCHEMA.names()).cast(GRADES_SCHEMA)  # type: ignore[arg-type]
    if table.is_empty():
        raise BadInput(f"the grades of {where} are empty; grade some texts first")
    for name, known in (("status", STATUSES), ("kind", ("skill", *CRITERIA))):
        strange = table.filter(~pl.col(name).is_in(list(known)) | pl.col(name).is_null())
        if not strange.is_empty():
            raise BadInput(
                f"the grades of {where} have the {name} {strange[name][0]!r}; "
                f"it is one of {', '.join(known)}"
            )
    twice = table.filter(pl.struct("text_id", "criterion", "grader", "round").is_duplicated())
    if not twice.is_empty():
        row = twice.row(0, named=True)
        raise BadInput(
            f"{row['grader']} marks {row['criterion']!r} of the text {row['text_id']!r} twice in "
            f"round {row['round']}"
        )
    return table


class Copies(Struct, frozen=True, forbid_unknown_fields=True):
    """Two rounds of a grader that say the same throughout, and over how many marks."""

    grader: str
    first: int
    second: int
    marks: int


def identical_rounds(grades: pl.DataFrame) -> list[Copies]:
    """Return the rounds that repeat an earlier one of the same grader, mark by mark.

    Marks and reasons must be the same wherever both rounds marked, and at `LEAST_IDENTICAL` places
    or more be a point or a miss: silence repeats nothing. Such rounds are one vote, not two.
    """
    first, second, reason = pl.col("round"), pl.col("round_right"), pl.col("reason").fill_null("")
    same = (pl.col("status") == pl.col("status_right")) & (reason == pl.col("reason_right"))
    pairs = (
        grades.join(grades.with_columns(reason), on=["grader", "text_id", "criterion"])
        .filter(first < second)
        .group_by("grader", "round", "round_right")
        .agg(same=same.all(), given=(pl.col("status") != "unscored").sum(), marks=pl.len())
        .filter("same", pl.col("given") >= LEAST_IDENTICAL)
        .sort("grader", "round", "round_right")
    )
    later = pairs.select("grader", round="round_right")
    originals = pairs.join(later, on=["grader", "round"], how="anti", maintain_order="left")
    distinct = originals.unique(["grader", "round_right"], keep="first", maintain_order=True)
    return [Copies(*row) for row in distinct.drop("same", "given").iter_rows()]


def without_copies(grades: pl.DataFrame, copies: list[Copies]) -> pl.DataFrame:
    """Leave out the rounds that repeat an earlier one."""
    for copy in copies:
        is_copy = (pl.col("grader") == copy.grader) & (pl.col("round") == copy.second)
        grades = grades.filter(~is_copy)
    return grades


def verdicts(grades: pl.DataFrame) -> pl.DataFrame:
    """Return one row a text, criterion and grader: what most of its rounds say.

    Returns
    -------
    DataFrame
        The columns of grades but ``round``, ``status`` and ``reason``, and ``earned``: true, false,
        or null where rounds tie or all abstain.
    """
    earned = (pl.col("status") == "earned").sum()
    missed = (pl.col("status") == "missed").sum()
    keys = ["text_id", "criterion", "kind", "grader", "family", "student_family"]
    return grades.group_by(keys, maintain_order=True).agg(
        pl.when(earned != missed).then(earned > missed).alias("earned")
    )


def full_marks(votes: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Return one row a text and grader with ``earned``: whether every mark is; null if open.

    A text of which a grader left out one of the criteria is open, unless a mark is missed.

    Parameters
    ----------
    votes
        As from `verdicts`.
    texts
        ``text_id`` of the texts, and their number of ``criteria``; without it they are k + 3.

    Raises
    ------
    BadInput
        If a vote is for a text that is not among them.
    """
    given = "criteria" in texts.columns
    needed = pl.col("criteria") if given else pl.col("k") + len(CRITERIA)
    needed = texts.select("text_id", needed=needed)
    votes = votes.join(needed, on="text_id", how="left", maintain_order="left")
    strange = votes.filter(pl.col("needed").is_null())
    if not strange.is_empty():
        raise BadInput(f"the text {strange['text_id'][0]!r} is graded, but is not in texts.parquet")
    earned = pl.col("earned")
    complete = earned.count() == pl.col("needed").first()
    # one that is missed settles the text; earned ones do if none is lacking
    whole = pl.when((~earned).any() | complete).then(~(~earned).any())
    keys = ["text_id", "grader", "family", "student_family"]
    return votes.group_by(keys, maintain_order=True).agg(earned=whole)


def exact_grades(run: RunFolder | Path) -> pl.DataFrame:
    """Return the marks of graded.parquet as those of a grader `EXACT`, one round."""
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    texts = folder.checked_table("texts").select("text_id", pl.col("model").alias("student_family"))
    marks = folder.checked_table("graded").join(texts, on="text_id", how="left")
    return checked(
        marks.with_columns(grader=pl.lit(EXACT), family=pl.lit(EXACT), round=pl.lit(1)),
        str(folder.path),
    )


def plant(
    exact: pl.DataFrame,
    false_point: float,
    false_miss: float,
    *,
    seed: int = 1,
    rounds: int = 1,
    labels: int | None = None,
) -> pl.DataFrame:
    """Return grades of a grader with known errors beside the exact ones.

    Parameters
    ----------
    exact
        Marks that are the truth, of one grader and one round.
    false_point, false_miss
        Probability that a mark that was missed is given, and that one that was earned is not;
        independent between marks and rounds.
    seed
        Of the errors and of the draw of labels.
    rounds
        Gradings of each text.
    labels
        Keep the truth of so many texts only, drawn at random; None for all.

    Raises
    ------
    BadInput
        If a probability is outside [0, 1], or a number is out of range.
    """
    for what, share in (("false points", false_point), ("false misses", false_miss)):
        if not 0 <= share <= 1:
            raise BadInput(f"the probability of {what} must lie between 0 and 1, not {share!r}")
    if rounds < 1:
        raise BadInput(f"a planted grader needs at least one round, not {rounds!r}")
    if (exact["status"] == "unscored").any():
        raise BadInput("the exact grades have unscored marks; plant a grader where all are scored")
    rng = np.random.default_rng(seed)
    texts = exact["text_id"].unique().sort()
    truth = exact
    if labels is not None:
        if not 1 <= labels <= len(texts):
            raise BadInput(f"labels must be 1 to {len(texts)}, the number of texts; not {labels!r}")
        chosen = texts.gather(rng.permutation(len(texts))[:labels])
        truth = exact.filter(pl.col("text_id").is_in(chosen.to_list()))
    parts = [truth]
    earned = (exact["status"] == "earned").to_numpy()
    planted = exact.with_columns(grader=pl.lit(PLANTED), family=pl.lit(PLANTED), reason=pl.lit(""))
    for number in range(1, rounds + 1):
        wrong = rng.random(len(earned)) < np.where(earned, false_miss, false_point)
        status = pl.Series("status", np.where(earned ^ wrong, "earned", "missed"), pl.String)
        parts.append(planted.with_columns(status, round=pl.lit(number, pl.Int64)))
    return pl.concat(parts)
