"""Search in the texts of a run: what it finds is what the tables say, a page at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.view.search import Batches, Searched, Wanted, texts_of

ARABIC = "العسل"
SEARCHED = Searched()
search = SEARCHED.search


@pytest.fixture(scope="module")
def run(shelf: Path) -> Path:
    return shelf / "tables"


@pytest.fixture(scope="module")
def texts(run: Path) -> pl.DataFrame:
    folder = RunFolder(run)
    marks = folder.read_table("graded").group_by("text_id").agg("status")
    return folder.read_table("texts").join(marks, on="text_id", maintain_order="left")


def ids(run: Path, wanted: Wanted) -> set[str]:
    return {text.text_id for text in search(run, wanted, 0, 10_000).texts}


def test_pages_go_through_all_texts_in_their_order(run: Path, texts: pl.DataFrame) -> None:
    seen: list[str] = []
    while page := search(run, Wanted(), len(seen), 7).texts:
        seen += [text.text_id for text in page]
    assert seen == texts["text_id"].to_list()
    assert search(run, Wanted(), 0, 7).number == texts.height
    assert search(run, Wanted(), 10**8).texts == []


def test_filters_find_what_is_there(run: Path, texts: pl.DataFrame) -> None:
    assert ids(run, Wanted(k=3)) == set(texts.filter(pl.col("k") == 3)["text_id"])
    model = "openai/gpt-4o-mini"
    assert ids(run, Wanted(model=model)) == set(texts.filter(pl.col("model") == model)["text_id"])
    assert ids(run, Wanted(split="unknown")) == set(texts["text_id"])
    assert ids(run, Wanted(split="seen")) == set()
    kinds = {
        "full": pl.col("status").list.eval(pl.element() == "earned").list.all(),
        "lost": pl.col("status").list.eval(pl.element() == "missed").list.any(),
    }
    by_marks = {name: ids(run, Wanted(marks=name)) for name in ("full", "lost", "open")}
    for name, kind in kinds.items():
        assert by_marks[name] == set(texts.filter(kind)["text_id"])
        assert by_marks[name]
    everything = by_marks["full"] | by_marks["lost"] | by_marks["open"]
    assert everything == set(texts["text_id"])
    assert sum(map(len, by_marks.values())) == texts.height
    for name, verdict in (("full", True), ("lost", False), ("open", None)):
        found = search(run, Wanted(marks=name), 0, 10_000).texts
        assert {text.full_marks for text in found} == ({verdict} if found else set())


def test_words_are_found_in_texts_topics_and_skills(run: Path, texts: pl.DataFrame) -> None:
    def has(*words: str) -> set[str]:
        rows = texts.iter_rows(named=True)
        joined = {r["text_id"]: "\n".join([r["topic"], *r["skills"], r["text"]]) for r in rows}
        return {i for i, text in joined.items() if all(w.lower() in text.lower() for w in words)}

    for words in (("NEEDLE",), (ARABIC, "🐝"), ("<b>bold</b>",), (texts["topic"][0],),
                  (texts["skills"][0][0].upper(),), (".*",), ("no such word",)):  # fmt: skip
        assert ids(run, Wanted(" ".join(words))) == has(*" ".join(words).split())
    assert has(ARABIC, "🐝")


def test_words_are_found_in_prompts_and_replies(run: Path) -> None:
    calls = RunFolder(run).read_table("transcripts")
    said = pl.col("reply").str.contains("I would rather not", literal=True)
    expected = set(calls.filter(said)["text_id"])
    assert ids(run, Wanted("rather not. WOULD", calls=True)) == expected
    assert expected


def test_a_text_is_found_by_its_id(run: Path, texts: pl.DataFrame) -> None:
    (text,) = texts_of(run, [texts["text_id"][5]])
    assert (text.text, text.k, text.topic) == texts.select("text", "k", "topic").row(5)
    assert texts_of(run, ["../../etc/passwd"]) == []


def test_choices_are_those_of_the_texts(run: Path, texts: pl.DataFrame) -> None:
    known = SEARCHED.choices(run)
    assert known.models == texts["model"].unique(maintain_order=True).to_list()
    assert (known.ks, known.splits) == ([2, 3], ["unknown"])


def test_many_searches_at_once_give_what_each_gives_alone(run: Path, texts: pl.DataFrame) -> None:
    words = ("needle", "the", ARABIC, "no such word", texts["topic"][0], "<b>bold</b> the", "")
    wanted = [
        Wanted(each, k=k, marks=marks, calls=calls)
        for each in words
        for k in (None, 3)
        for marks in ("", "full")
        for calls in (False, True)
    ]
    expected = [search(run, one, 0, 7) for one in wanted]
    assert len({one.number for one in expected}) > 5
    together = Searched()
    with ThreadPoolExecutor(16) as threads:
        given = list(threads.map(lambda one: together.search(run, one, 0, 7), wanted * 3))
    assert given == expected * 3


def test_searches_at_once_share_a_reading(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[Sequence[str]] = []
    arrived, waiting = threading.Event(), threading.Event()

    def read(folder: RunFolder, words: Sequence[str], index: pl.DataFrame) -> pl.DataFrame:
        readings.append(words)
        arrived.set()
        assert waiting.wait(60)
        return index.select(pl.lit(value=True).alias(word) for word in words)

    monkeypatch.setattr("unparrot.view.search._read", read)
    searched = Searched()
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(searched.search, run, Wanted("first"), 0)
        assert arrived.wait(60)
        others = [threads.submit(searched.search, run, Wanted(f"word{i}"), 0) for i in range(8)]
        while sum(map(len, searched._words._waiting.values())) < 8:
            time.sleep(0.001)
        waiting.set()
        assert {one.result().number for one in (first, *others)} == {searched.index(run).height}
    assert [len(words) for words in readings] == [1, 8]


def test_an_error_reaches_all_who_asked_together() -> None:
    batches: Batches[int, int] = Batches()
    begun, go_on = threading.Event(), threading.Event()

    def work(questions: list[int]) -> int:
        begun.set()
        assert go_on.wait(60)
        if len(questions) > 1:
            raise BadInput("gone")
        return sum(questions)

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(batches.ask, "run", 5, work)
        assert begun.wait(60)
        others = [threads.submit(batches.ask, "run", i, work) for i in range(3)]
        while len(batches._waiting.get("run", [])) < 3:
            time.sleep(0.001)
        go_on.set()
        assert first.result() == 5
        for other in others:
            with pytest.raises(BadInput, match="gone"):
                other.result()
    assert batches.ask("run", 7, work) == 7
