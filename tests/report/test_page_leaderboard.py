"""The leaderboard's page, Markdown and CSV hold the board's figures and nothing that acts."""

import csv
import io
from html.parser import HTMLParser

import pytest
from msgspec.structs import astuple

from unparrot.analysis.between.leaderboard import Board, Column, Place, Standing
from unparrot.analysis.model.competence import Bounded
from unparrot.report.page_leaderboard import (
    leaderboard_csv,
    leaderboard_html,
    leaderboard_markdown,
)
from unparrot.stats.intervals import wilson

NAME = "<script>|x*"


@pytest.fixture
def board() -> Board:
    """Two models, of which one has no text at k = 2."""
    nowhere, first, second = (
        Place(Bounded(*astuple(wilson(n, of)), 0, None, None), *ranks, ())
        for n, of, ranks in ((0, 0, (None, None)), (30, 40, (1, 2)), (20, 40, (1, 2)))
    )
    return Board(
        "heldout_pair",
        "greedy",
        "full_marks",
        0.95,
        (Column(None, 40, 0), Column(1, 40, 2), Column(2, 10, 0)),
        (
            Standing(NAME, "runs/a", (first, first, nowhere)),
            Standing("y", "runs/b", (second,) * 3),
        ),
        ("k = 1: 2 combinations are left out.",),
    )


class Reader(HTMLParser):
    """Collects tags, addresses and the text of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("href", "src", "onload", "onclick")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_is_whole_and_inert(board: Board) -> None:
    reader = Reader()
    reader.feed(leaderboard_html([board, board]))
    assert not reader.tags & {"script", "iframe", "img"}
    assert reader.addresses == ["data:,"]
    words = " ".join(reader.words)
    assert NAME in words
    assert "75.0 % (59.8–85.8)" in words
    assert "1–2" in words
    assert "not measured" in words
    assert "2 combinations are left out" in words


def test_csv_reads_back(board: Board) -> None:
    rows = list(csv.DictReader(io.StringIO(leaderboard_csv([board]))))
    assert list(rows[0]) == [
        "split", "decoding", "metric", "k", "model", "run", "value", "low", "high", "level",
        "method", "texts", "combinations", "least", "most", "rank_best", "rank_worst",
    ]  # fmt: skip
    assert [(r["model"], r["k"]) for r in rows] == [
        (NAME, "overall"), (NAME, "1"), (NAME, "2"), ("y", "overall"), ("y", "1"), ("y", "2"),
    ]  # fmt: skip
    assert float(rows[0]["low"]) == wilson(30, 40).low
    assert (rows[0]["rank_best"], rows[0]["rank_worst"]) == ("1", "2")
    assert (rows[2]["value"], rows[2]["rank_best"], rows[2]["texts"]) == ("", "", "0")


def test_markdown_is_one_table_a_board(board: Board) -> None:
    text = leaderboard_markdown([board])
    head, rule, first, second = text.splitlines()[2:6]
    # every row has as many unescaped bars as the head
    bars = {line.replace("\\|", "").count("|") for line in (head, rule, first, second)}
    assert len(bars) == 1
    assert r"\<script>\|x\*" in first
    assert "75.0 % (59.8–85.8) | 1–2" in first
    assert text.startswith("## Full marks, held-out pair, greedy")
