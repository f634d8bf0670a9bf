"""`unparrot leaderboard RUN...`: models in order, with the ranks that they may have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from unparrot.cli.output import Count, Table, output_options, show
from unparrot.cli.runs.runmodel import RunModel, RunModelType

if TYPE_CHECKING:
    from unparrot.analysis.between.leaderboard import Board, Place
    from unparrot.report.draw.chart import Chart

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog="""\b
Examples:
  unparrot leaderboard runs/demo --split heldout_pair --decoding greedy
  unparrot leaderboard runs/one runs/two:small --html board.html --csv board.csv
"""
)
@click.argument("runs", nargs=-1, required=True, type=RunModelType())
@click.option("--split", help="Only the board of this split.")
@click.option("--decoding", help="Only the boards of this decoding.")
@click.option(
    "--metric",
    type=click.Choice(["full_marks", "all_skills", "skill_fraction"]),
    default="full_marks",
    show_default=True,
    help="What is ranked.",
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence of each interval, and jointly of a column's ranks.",
)
@click.option("--html", type=_FILE, help="Write the boards as a page into this file.")
@click.option("--markdown", type=_FILE, help="Write them as Markdown.")
@click.option("--csv", "csv_file", type=_FILE, help="Write every figure as CSV.")
@click.option("--resamples", type=Count(100), default=2000, show_default=True)
@click.option("--seed", type=Count(0), default=1, show_default=True)
@output_options
def leaderboard(
    runs: tuple[RunModel, ...],
    split: str | None,
    decoding: str | None,
    metric: Literal["full_marks", "all_skills", "skill_fraction"],
    level: float,
    html: Path | None,
    markdown: Path | None,
    csv_file: Path | None,
    resamples: int,
    seed: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Rank the models of RUNS (folders, or RUN:MODEL), per k and overall.

    There is a board for each split and decoding. A rank is a range where the order is not settled:
    models whose ranges overlap share their ranks.
    """
    from unparrot.analysis.between.leaderboard import leaderboard as make_boards
    from unparrot.analysis.read.protocol import Side
    from unparrot.core.records import atomic_write, closed_to_others
    from unparrot.report.page_leaderboard import (
        leaderboard_csv,
        leaderboard_html,
        leaderboard_markdown,
        notes,
    )

    boards = make_boards(
        [Side(*run) for run in runs],
        split=split,
        decoding=decoding,
        metric=metric,
        level=level,
        resamples=resamples,
        seed=seed,
    )
    written: list[str] = []
    private = any(closed_to_others(run) for run, _ in runs) or None
    for path, write in (
        (html, leaderboard_html),
        (markdown, leaderboard_markdown),
        (csv_file, leaderboard_csv),
    ):
        if path is not None:
            atomic_write(path, write(boards).encode(), private=private)
            written.append(f"Written: {path}")
    told = list(dict.fromkeys(note for board in boards for note in notes(board)))
    show(
        {"boards": [board.as_dict() for board in boards]},
        [_table(board) for board in boards],
        as_json,
        plot,
        lambda: _chart(boards),
        [*told, *written],
    )


def _table(board: Board) -> Table:
    header = ["rank", "model", *(column.title for column in board.columns)]
    rows = [
        [
            s.places[0].rank,
            s.model,
            _percent(s.places[0]),
            *(f"{_percent(place)} ({place.rank})" for place in s.places[1:]),
        ]
        for s in board.standings
    ]
    return Table(header, rows, f"{board.metric}, {board.split}, {board.decoding}: % (rank)")


def _percent(place: Place) -> str:
    value = place.share.value
    return "none" if value is None else f"{100 * value:.1f}"


def _chart(boards: list[Board]) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    board = boards[0]
    ks = [column.k for column in board.columns if column.k is not None]
    series: list[Series] = []
    for standing in board.standings:
        shares = [place.share for place in standing.places[1:]]
        series.append(
            Series(
                standing.model,
                ks,
                [s.value for s in shares],
                low=[s.low for s in shares],
                high=[s.high for s in shares],
            )
        )
    more = "" if len(boards) == 1 else f"; the first of {len(boards)} boards"
    return Chart(
        f"{board.metric.replace('_', ' ')} by number of skills",
        f"share of texts, {board.split}, {board.decoding}{more}",
        "number of skills k",
        series,
        f"{len(series)} models over k = {min(ks)} to {max(ks)}.",
        y_percent=True,
    )
