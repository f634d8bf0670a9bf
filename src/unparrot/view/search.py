"""Texts of a run, searched: by words, model, k, split and marks, a page at a time.

Of a run that is searched its models, splits, marks and what was asked for are in memory; texts,
prompts and replies are read where they lie, and only those of the page that is shown are kept.
Who searches at the same time shares one reading of a table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

import polars as pl

from unparrot.analysis.examples import Example
from unparrot.core.records import RunFolder
from unparrot.view.folders import Recent

Q = TypeVar("Q")
A = TypeVar("A")

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


class Matches(NamedTuple):
    """How many texts fit, and those of a page."""

    number: int
    texts: list[Example]


class Choices(NamedTuple):
    """What the texts of a run can be filtered by."""

    models: list[str]
    ks: list[int]
    splits: list[str]


class Occurrences(NamedTuple):
    """The index of a run, and for each word in which of its rows it occurs."""

    rows: pl.DataFrame
    of: dict[str, pl.Series]


class Batches(Generic[Q, A]):
    """Questions of many threads, answered together: what arrives while a batch is worked on makes
    up the next one.

    Of each key one batch is worked on at a time. Its answer goes to all who asked, and so does an
    error.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turns: dict[object, threading.Lock] = {}
        self._waiting: dict[object, list[tuple[Q, Future[A]]]] = {}

    def ask(self, key: object, question: Q, work: Callable[[list[Q]], A]) -> A:
        """Return what ``work`` makes of a list of questions that holds this one."""
        own: Future[A] = Future()
        with self._guard:
            self._waiting.setdefault(key, []).append((question, own))
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            if not own.done():
                with self._guard:
                    batch = self._waiting.pop(key)
                try:
                    answer = work([each for each, _ in batch])
                except BaseException as error:  # noqa: BLE001 - otherwise the others would hang
                    for _, waiting in batch:
                        waiting.set_exception(error)
                else:
                    for _, waiting in batch:
                        waiting.set_result(answer)
        return own.result()


class Searched:
    """The texts of runs, as they are searched: what filters need of each run is kept in memory, its
    texts are not."""

    def __init__(self) -> None:
        self._indexes: Recent[pl.DataFrame] = Recent()
        self._words: Batches[Sequence[str], Occurrences] = Batches()
        self._texts: Batches[Sequence[str], dict[str, Example]] = Batches()

    def index(self, run: Path) -> pl.DataFrame:
        """Return a row a text, in their order: its id, model, k, split and marks (a key of
        `MARKS`), and what it was asked for, in lower case."""
        stamps = [_stamp(run, name) for name in ("texts", "graded")]
        return self._indexes.get(run, stamps, lambda: _index(RunFolder(run)))

    def choices(self, run: Path) -> Choices:
        """The models, numbers of skills and splits of a run's texts."""
        index = self.index(run)
        models, ks, splits = (
            index[name].unique(maintain_order=True).to_list() for name in ("model", "k", "split")
        )
        return Choices(models, sorted(ks), splits)

    def search(self, run: Path, wanted: Wanted, start: int, most: int = PAGE) -> Matches:
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
        kind = _heard if wanted.calls else _read

        def look(searches: list[Sequence[str]]) -> Occurrences:
            index = self.index(run)
            every = list(dict.fromkeys(word for words in searches for word in words))
            has = kind(RunFolder(run), every, index) if every else index.select()
            return Occurrences(index, dict(zip(every, has.iter_columns(), strict=True)))

        words = list(dict.fromkeys(wanted.words.lower().split()[:_MOST_WORDS]))
        occurrences = self._words.ask((run, wanted.calls), words, look) if words else look([])
        fits = [pl.lit(occurrences.of[word]) for word in words]
        for name in ("model", "k", "split", "marks"):
            if value := getattr(wanted, name):
                fits.append(pl.col(name) == value)
        index = occurrences.rows.filter(*fits)
        ids: list[str] = index["text_id"][start : start + most].to_list()
        texts = self._texts.ask(run, ids, lambda pages: _texts_by_id(run, pages))
        return Matches(index.height, [texts[text_id] for text_id in ids if text_id in texts])


def _stamp(run: Path, name: str) -> int | None:
    path = run / f"{name}.parquet"
    return path.stat().st_mtime_ns if path.is_file() else None


def _index(folder: RunFolder) -> pl.DataFrame:
    asked = pl.concat_str("topic", pl.col("skills").list.join("\n"), separator="\n")
    columns = ("text_id", pl.col("model", "split").cast(pl.Categorical), "k")
    with folder.scanned_table("texts") as texts:
        index = texts.select(*columns, asked=asked.str.to_lowercase()).collect()
    if not (folder.path / "graded.parquet").is_file():
        return index.with_columns(marks=pl.lit("open"))
    status = pl.col("status")
    kind = pl.when((status == "missed").any()).then(pl.lit("lost"))
    kind = kind.when((status == "earned").all()).then(pl.lit("full")).otherwise(pl.lit("open"))
    with folder.scanned_table("graded") as graded:
        marks = graded.group_by("text_id").agg(marks=kind).collect()
    joined = index.join(marks, on="text_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("marks").fill_null("open"))


def _read(folder: RunFolder, words: Sequence[str], index: pl.DataFrame) -> pl.DataFrame:
    """For each row of an index and each word, whether its text or what was asked for has it."""
    with folder.scanned_table("texts") as texts:
        lower = texts.select("text_id", pl.col("text").str.to_lowercase())
        has = lower.select("text_id", *_contained(pl.col("text"), words)).collect()
    requests = index.select(_contained(pl.col("asked"), words))
    return _aligned(index, has).select(pl.col(name) | requests[name] for name in requests.columns)


def _heard(folder: RunFolder, words: Sequence[str], index: pl.DataFrame) -> pl.DataFrame:
    """For each row of an index and each word, whether prompts and replies of its text have it."""
    both = pl.concat_str("prompt", "reply", separator="\n", ignore_nulls=True).str.to_lowercase()
    with folder.scanned_table("transcripts") as calls:
        lower = calls.select("text_id", both.alias("call"))
        has = lower.select("text_id", *_contained(pl.col("call"), words)).group_by("text_id")
        return _aligned(index, has.agg(pl.all().any()).collect(engine="streaming"))


def _aligned(index: pl.DataFrame, has: pl.DataFrame) -> pl.DataFrame:
    """The columns of words for each row of an index; what is not there has none."""
    joined = index.select("text_id").join(has, on="text_id", how="left", maintain_order="left")
    return joined.drop("text_id").fill_null(value=False)


def _contained(column: pl.Expr, words: Sequence[str]) -> list[pl.Expr]:
    return [column.str.contains(w, literal=True).alias(f"word {i}") for i, w in enumerate(words)]


def texts_of(run: Path, ids: Sequence[str]) -> list[Example]:
    """Some texts by their ids, in the order of the ids; those that are not there are left out."""
    texts = _texts_by_id(run, [ids])
    return [texts[text_id] for text_id in ids if text_id in texts]


def _texts_by_id(run: Path, ids: Sequence[Sequence[str]]) -> dict[str, Example]:
    """The texts of all that are asked for, by their ids."""
    folder = RunFolder(run)
    every = {text_id for some in ids for text_id in some}
    with folder.scanned_table("texts") as texts:
        rows = texts.filter(pl.col("text_id").is_in(list(every))).collect()
    return {text.text_id: text for text in _examples(folder, rows)}


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


def _full(marks: Collection[bool | None]) -> bool | None:
    """Whether these are full marks; None if marks that nobody could give leave it open."""
    if False in marks:
        return False
    return None if None in marks or not marks else True


def rows_of_text(run: Path, name: str, text_id: str) -> list[dict[str, Any]]:
    """The rows of a table that are about one text; none where there is no such table."""
    if not (run / f"{name}.parquet").is_file():
        return []
    with RunFolder(run).scanned_table(name) as rows:
        return list(rows.filter(pl.col("text_id") == text_id).collect().iter_rows(named=True))
