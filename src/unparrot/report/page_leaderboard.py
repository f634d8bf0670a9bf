"""A leaderboard as a page of its own, as Markdown and as CSV: ``unparrot leaderboard --html``.

The page is one HTML file that opens offline, without a script. It computes nothing: every figure
is the board's.
"""

from collections.abc import Sequence

import msgspec
import polars as pl

from unparrot.analysis.between.leaderboard import Board, Place
from unparrot.core.wording import ABSENT, METRIC_NAMES, bounded, given, plural, split_name
from unparrot.report.html.layout import document, opening, scrolled, section, strip
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.theme import Theme


def leaderboard_csv(boards: Sequence[Board]) -> str:
    """Return one row for each model and column, values as shares; what is absent is empty."""
    rows = [
        {
            "split": board.split,
            "decoding": board.decoding,
            "metric": board.metric,
            "k": "overall" if column.k is None else str(column.k),
            "model": standing.model,
            "run": standing.run,
            **msgspec.structs.asdict(place.share.estimate),
            "combinations": column.combinations,
            **dict(zip(("least", "most"), _possible(place), strict=True)),
            "rank_best": place.best,
            "rank_worst": place.worst,
        }
        for board in boards
        for standing in board.standings
        for column, place in zip(board.columns, standing.places, strict=True)
    ]
    return pl.DataFrame(rows, infer_schema_length=None).rename({"n": "texts"}).write_csv()


def _possible(place: Place) -> tuple[float | None, float | None]:
    return place.share.bounds or (place.share.value, place.share.value)


def leaderboard_markdown(boards: Sequence[Board]) -> str:
    """Return a table for each board, with what ranks and intervals mean below."""
    blocks: list[str] = []
    for board in boards:
        head = ["model", *(f"{c.title} | rank" for c in board.columns)]
        lines = [
            f"## {_title(board)}",
            "",
            "| " + " | ".join(head) + " |",
            "|" + "---|" * (1 + 2 * len(board.columns)),
        ]
        for standing in board.standings:
            cells = [f"{bounded(p.share, p.share.bounds)} | {_rank(p)}" for p in standing.places]
            lines.append("| " + " | ".join([_plain(standing.model), *cells]) + " |")
        blocks.append("\n".join([*lines, "", *(f"- {_plain(note)}" for note in notes(board))]))
    return "\n\n".join(blocks) + "\n"


def leaderboard_html(boards: Sequence[Board]) -> str:
    """Return the whole page."""
    head = opening(
        "unparrot",
        "Leaderboard",
        "Models over the same combinations of skills. A rank is a range where the order is not "
        "settled, and models whose ranges overlap share their ranks.",
    )
    body = el("main", head, *(_section(board, n) for n, board in enumerate(boards)))
    return document("Leaderboard · unparrot", Theme.of(1, 1), body)


def notes(board: Board) -> list[str]:
    """Return what a reader must know: what ranks and intervals mean, and what is left out."""
    level = given(board.level)
    return [
        f"Intervals hold with {level} each. Ranks: with {level} confidence all true ranks of a "
        "column lie in their ranges (simultaneous limits for all pairs, over the same "
        "combinations).",
        "Overall: the plain mean over the k that every model has.",
        *board.notes,
    ]


def _title(board: Board) -> str:
    title = f"{METRIC_NAMES[board.metric]}, {split_name(board.split)}, {board.decoding}"
    return title[0].upper() + title[1:]


def _rank(place: Place) -> str:
    return ABSENT if place.best is None else place.rank.replace("-", "–")


def _plain(text: str) -> str:
    """Keep a name from being read as Markdown."""
    for letter in "\\|`*_<[":
        text = text.replace(letter, f"\\{letter}")
    return text


def _section(board: Board, number: int) -> Markup:
    head = ["model"]
    head += [
        join(column.title, el("br"), el("small", plural(column.combinations, "combination")))
        for column in board.columns
    ]
    rows = [
        el(
            "tr",
            el("th", standing.model, el("div", standing.run, class_="run"), scope="row"),
            *(el("td", *_cell(place)) for place in standing.places),
        )
        for standing in board.standings
    ]
    return section(
        f"board-{number}",
        _title(board),
        [],
        scrolled(head, rows, _title(board), "board"),
        *(el("p", note, class_="note") for note in notes(board)),
        level=2,
    )


def _cell(place: Place) -> tuple[str | Markup, ...]:
    if place.share.value is None:
        return (ABSENT,)
    return (
        el("span", _rank(place), class_="rank"),
        el("br"),
        el("small", bounded(place.share, place.share.bounds)),
        strip(place.share),
    )
