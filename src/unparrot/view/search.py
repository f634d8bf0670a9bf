"""Texts of a run, searched: by words, model, k, split and marks, a page at a time.

Tables are read column by column and row group by row group; of the texts themselves only those of
the page that is shown are in memory.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from unparrot.analysis.examples import Example
from unparrot.core.records import RunFolder

PAGE: Final = 20
"""Texts of a page."""
MARKS: Final = {"full": "full marks", "lost": "not full marks", "open": "left open"}
"""Filters by the marks of a text."""
EARNED: Final = {"earned": True, "missed": False}
_MOST_WORDS: Final = 12
_SHOWN: Final = (
    "model", "decoding", "split", "k", "topic", "text", "trained_count", "text_id",
)  # fmt: skip


class Wanted(NamedTuple):
    """Which texts are looked for; what is empty or None leaves all.

    ``words`` must all occur in the text, its topic or its skills, whatever their case, and with
    ``calls`` in the text's prompts and replies instead.
    """

    words: str = ""
    model: str = ""
    k: int | None = None
    split: str = ""
    marks: str = ""
    calls: bool = False


class Found(NamedTuple):
    """How many texts fit, and those of a page."""

    number: int
    texts: list[Example]


def search(run: Path, wanted: Wanted, start: int, most: int = PAGE) -> Found:
    """Look for texts.

    Parameters
    ----------
    run
        Folder of the run.
    wanted
        Which.
    start, most
        Place of the first text that is returned among those that fit, from 0, and how many.

    Raises
    ------
    BadInput
        If a table is absent or not what it should be.
    """
    folder = RunFolder(run)
    with folder.scanned_table("texts") as texts:
        fitting = texts.with_row_index("place").filter(*_conditions(wanted))
        if wanted.marks:
            with folder.scanned_table("graded") as graded:
                fitting = fitting.join(_by_marks(graded, wanted.marks), on="text_id", how="semi")
        if wanted.calls and wanted.words.strip():
            with folder.scanned_table("transcripts") as calls:
                both = pl.concat_str("prompt", "reply", separator="\n", ignore_nulls=True)
                heard = calls.group_by("text_id").agg(both.str.join("\n").alias("heard"))
                heard = heard.filter(_contain(pl.col("heard"), wanted.words))
                fitting = fitting.join(heard, on="text_id", how="semi")
        places = fitting.select("place").collect(engine="streaming")["place"].sort()
        chosen = places[start : start + most]
        rows = texts.with_row_index("place").filter(pl.col("place").is_in(chosen.implode()))
        shown = rows.sort("place").collect()
    return Found(places.len(), _examples(folder, shown))


def _examples(folder: RunFolder, texts: pl.DataFrame) -> list[Example]:
    """Some texts as they are shown, with the marks that count."""
    marks: dict[str, dict[str, bool | None]] = {}
    if (folder.path / "graded.parquet").is_file():
        with folder.scanned_table("graded") as graded:
            rows = graded.filter(pl.col("text_id").is_in(texts["text_id"].implode())).collect()
        for text_id, criterion, _, status, _ in rows.iter_rows():
            marks.setdefault(text_id, {})[criterion] = EARNED.get(status)
    about: dict[tuple[str, tuple[str, ...]], str] = {}
    if (folder.path / "requests.parquet").is_file():
        with folder.scanned_table("requests") as requests:
            asked = requests.join(texts.lazy(), on=["topic", "skills"], how="semi").collect()
        about = {(topic, tuple(skills)): words for topic, skills, words in asked.iter_rows()}
    return [
        Example(
            **{name: row[name] for name in _SHOWN},
            skills=(skills := tuple(row["skills"])),
            marks=(own := marks.get(row["text_id"], {})),
            full_marks=_full(own.values()),
            about=about.get((row["topic"], skills)),
        )
        for row in texts.iter_rows(named=True)
    ]


def _conditions(wanted: Wanted) -> list[pl.Expr]:
    conditions: list[pl.Expr] = []
    for name in ("model", "k", "split"):
        if value := getattr(wanted, name):
            conditions.append(pl.col(name) == value)
    if wanted.words.strip() and not wanted.calls:
        skills = pl.col("skills").list.join(", ")
        conditions.append(_contain(pl.concat_str("topic", skills, "text", separator="\n"),
                                   wanted.words))  # fmt: skip
    return conditions or [pl.lit(value=True)]


def _contain(column: pl.Expr, words: str) -> pl.Expr:
    lowered = column.str.to_lowercase()
    asked = words.lower().split()[:_MOST_WORDS]
    return pl.all_horizontal(lowered.str.contains(word, literal=True) for word in asked)


def _by_marks(graded: pl.LazyFrame, marks: str) -> pl.LazyFrame:
    """The ids of texts with full marks, with marks lost, or with marks that nobody could give."""
    status = pl.col("status")
    condition = {
        "full": (status == "earned").all(),
        "lost": (status == "missed").any(),
        "open": (status == "unscored").any() & ~(status == "missed").any(),
    }[marks]
    return graded.group_by("text_id").agg(condition.alias("fits")).filter("fits")


def _full(marks: Collection[bool | None]) -> bool | None:
    """Whether these are full marks; None if marks that nobody could give leave it open."""
    if False in marks:
        return False
    return None if None in marks or not marks else True


def text_of(run: Path, text_id: str) -> Example | None:
    """One text; None if the run has none of this id."""
    folder = RunFolder(run)
    with folder.scanned_table("texts") as texts:
        rows = texts.filter(pl.col("text_id") == text_id).collect()
    return next(iter(_examples(folder, rows)), None)


def rows_of_text(run: Path, name: str, text_id: str) -> list[dict[str, Any]]:
    """The rows of a table that are about one text; none where there is no such table."""
    if not (run / f"{name}.parquet").is_file():
        return []
    with RunFolder(run).scanned_table(name) as rows:
        return list(rows.filter(pl.col("text_id") == text_id).collect().iter_rows(named=True))


class Choices(NamedTuple):
    """What the texts of a run can be filtered by."""

    models: list[str]
    ks: list[int]
    splits: list[str]


def choices(run: Path) -> Choices:
    """The models, numbers of skills and splits of a run's texts."""
    with RunFolder(run).scanned_table("texts") as texts:
        seen = texts.select("model", "k", "split").unique(maintain_order=True).collect()
    models, ks, splits = (seen[name].unique(maintain_order=True).to_list() for name in seen.columns)
    return Choices(models, sorted(ks), splits)
