"""`unparrot compare`, `leaderboard` and `plan`: models side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, Table, table, tables
from unparrot.cli.values import (
    NUMBER,
    OPEN_SHARE,
    RESAMPLES,
    RUN_MODEL,
    SEED,
    SHARE,
    Count,
    RunModel,
    Span,
)
from unparrot.core.wording import METRIC_NAMES, given, hundredths, plural

if TYPE_CHECKING:
    from unparrot.analysis.between.compare import Comparison
    from unparrot.analysis.between.leaderboard import Board, Place
    from unparrot.analysis.between.plan import PlanRow, PlanSpec
    from unparrot.core.estimate import Estimate
    from unparrot.report.draw.chart import Chart

SOURCE: Final = {
    True: "Connor (1987) with the design effect of the rounds; with one text each, n is raised "
    "until McNemar's exact test has the power",
    False: "Fleiss, Levin and Paik (2003, section 4.2) with the design effect of the rounds",
}


_PAIR: Final = {"nargs": 2, "metavar": "IN OUT"}


_ANYWAY: Final = option(
    "Compare also runs that differ in what was asked or how it was marked.", is_flag=True
)
_COMPARISON: Final = {
    "split": option("Only texts of this split."),
    "decoding": option("Only texts of this decoding."),
    "family": option(
        "What Holm's adjustment runs over: the k of one split and decoding, or all rows.",
        click.Choice(("k", "all")),
        default="k",
    ),
    "anyway": _ANYWAY,
}
_BOOTSTRAP: Final = {
    "level": option("Confidence level of each interval.", OPEN_SHARE, default=0.95),
    "resamples": option("Bootstrap samples.", RESAMPLES, default=1000),
    "seed": option("Of the bootstrap.", SEED, default=1),
}


@command(plots=True)
def compare(
    first: RunModel = argument(RUN_MODEL),
    second: RunModel = argument(RUN_MODEL),
    settings: Mapping[str, Any] = _COMPARISON,
    sampling: Mapping[str, Any] = _BOOTSTRAP,
) -> Answer:
    """Compare two models over the same combinations: FIRST and SECOND are runs, or RUN:MODEL.

    Differences are second minus first, with intervals over combinations, and exact p values that
    are adjusted for the number of k. Without models, those that both runs have are compared. Every
    difference between the runs is named; --anyway compares also where one forbids it.

    Examples:
      unparrot compare runs/old runs/new
      unparrot compare runs/demo:139k runs/demo:463k --decoding greedy
    """
    from unparrot.analysis.between.compare import compare_runs
    from unparrot.analysis.read.protocol import Side
    from unparrot.analysis.resampling import Resampling
    from unparrot.report.words import comparison_words as words

    drawn = Resampling(**sampling)
    comparisons = compare_runs(Side(*first), Side(*second), **settings, sampling=drawn)
    return Answer(
        {"level": drawn.level, "comparisons": comparisons},
        tables(
            (words.difference_title(c, cell), words.difference_row(cell, narrow=True))
            for c in comparisons
            for cell in c.cells
        ),
        dict.fromkeys(note for c in comparisons for note in words.difference_notes(c, drawn.level)),
        lambda: _difference_chart(comparisons),
    )


def _difference_chart(comparisons: list[Comparison]) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    first, one = comparisons[0], len(comparisons) == 1
    groups: dict[str, dict[int, Estimate]] = {}
    for comparison in comparisons:
        for cell in comparison.cells:
            name = f"{'' if one else comparison.second + ': '}{cell.split} {cell.decoding}"
            groups.setdefault(name, {})[cell.k] = cell.full_marks.estimate
    return Chart(
        f"{first.second} minus {first.first}" if one else "Second run minus first",
        "difference of full marks over the same combinations",
        "number of skills k",
        [Series.of(name, list(cells), list(cells.values())) for name, cells in groups.items()],
        y_percent=True,
    )


_BOARD: Final = {
    "split": option("Only the board of this split."),
    "decoding": option("Only the boards of this decoding."),
    "metric": option("What is ranked.", click.Choice(list(METRIC_NAMES)), default="full_marks"),
    "anyway": _ANYWAY,
}
_DRAWS: Final = {
    "level": option(
        "Confidence of each interval, and jointly of a column's ranks.", OPEN_SHARE, default=0.95
    ),
    "resamples": option("Draws for the ranks.", RESAMPLES, default=2000),
    "seed": option("Of these draws.", SEED, default=1),
}


@command()
def leaderboard(
    runs: tuple[RunModel, ...] = argument(RUN_MODEL, nargs=-1, required=True),
    settings: Mapping[str, Any] = _BOARD,
    sampling: Mapping[str, Any] = _DRAWS,
    html: Path | None = option("Write the boards as a page into this file."),
    markdown: Path | None = option("Write them as Markdown."),
    csv: Path | None = option("Write every figure as CSV."),
) -> Answer:
    """Rank the models of RUNS (folders, or RUN:MODEL), per k and overall.

    There is a board for each split and decoding. A rank is a range where the order is not settled:
    models whose ranges overlap share their ranks.

    Examples:
      unparrot leaderboard runs/demo --split heldout_pair --decoding greedy
      unparrot leaderboard runs/one runs/two:small --html board.html --csv board.csv
    """
    from unparrot.analysis.between.leaderboard import leaderboard as make_boards
    from unparrot.analysis.read.protocol import Side
    from unparrot.analysis.resampling import Resampling
    from unparrot.core.records import atomic_write, closed_to_others
    from unparrot.report import page_leaderboard as page

    drawn = Resampling(**sampling)
    boards = make_boards([Side(*run) for run in runs], **settings, sampling=drawn)
    notes = [note for board in boards for note in page.notes(board)]
    private = any(closed_to_others(run) for run, _ in runs) or None
    writers = (page.leaderboard_html, page.leaderboard_markdown, page.leaderboard_csv)
    for path, write in zip((html, markdown, csv), writers, strict=True):
        if path is not None:
            atomic_write(path, write(boards).encode(), private=private)
            notes.append(f"Written: {path}")
    return Answer({"boards": boards}, [_board(board) for board in boards], dict.fromkeys(notes))


def _board(board: Board) -> Table:
    rows: list[list[object]] = []
    for standing in board.standings:
        overall, *places = standing.places
        cells = [f"{_possible(place)} ({place.rank})" for place in places]
        rows.append([overall.rank, standing.model, _possible(overall), *cells])
    head = ["rank", "model", *(column.title for column in board.columns)]
    return Table(head, rows, f"{board.metric}, {board.split}, {board.decoding}: % (rank)")


def _possible(place: Place) -> str:
    """A share and, where marks are unscored, what it may be."""
    share, ends = hundredths(place.share.value), place.share.bounds
    return share if ends is None else f"{share} [{' to '.join(map(hundredths, ends))}]"


_SPEC: Final = {
    "baseline": option("Full marks of the first model.", OPEN_SHARE, required=True),
    "detect": option(
        "Difference to find: how much more (or, below 0, less) the second model earns.",
        NUMBER,
        required=True,
    ),
    "k": option("Skills in a combination.", Count(1), required=True),
    "power": option("Probability of finding it.", SHARE, default=0.8),
    "level": option("Confidence level.", OPEN_SHARE, default=0.95),
    "tests": option("How many k are compared; the level of each is adjusted.", Count(1), default=1),
    "icc": option("Correlation of two rounds of one combination.", SHARE, default=0.3),
    "match": option(
        "Correlation of the two models' texts for one combination.  [default: half of --icc]", SHARE
    ),
    "combinations": option("Print the power of so many, instead of how many it takes.", Count(1)),
    "grading_rounds": option("Gradings of each text.", Count(0), default=3),
    "models": option("How many of the two are still to be run.", Count(1, 2), default=2),
}


@command(plots=True)
def plan(
    settings: Mapping[str, Any] = _SPEC,
    rounds: tuple[int, ...] = option(
        "Texts of a model for a combination.", Span(1), default="1..5"
    ),
    unpaired: bool = option("The models get different combinations."),
    answer_tokens: int = option(
        "Tokens a student writes in a turn, reasoning included.", Count(1), default=260
    ),
    price: tuple[float, float] = option(
        "Price of 1M tokens read, and of 1M written, any currency.",
        NUMBER,
        **_PAIR,
        default=(0.0, 0.0),
    ),
    grader_price: tuple[float, float] | None = option(
        "The grader's, if it differs.", NUMBER, **_PAIR
    ),
) -> Answer:
    """Work out how many combinations and rounds it takes to find a difference between two models,
    and how many calls, tokens and money that costs, before any is spent.

    Rounds of one combination resemble each other (--icc), so they are worth less than as many
    combinations; both models write for the same combinations unless --unpaired.

    Examples:
      unparrot plan --baseline 0.3 --detect 0.1 --k 3
      unparrot plan --baseline 0.3 --detect 0.1 --k 3 --rounds 3 --price 2.5 10
      unparrot plan --baseline 0.3 --detect 0.1 --k 3 --combinations 100
    """
    from unparrot.analysis.between.plan import PlanSpec, Prices, cheapest
    from unparrot.analysis.between.plan import plan as make_plan

    prices = Prices(*price, *(grader_price or price))
    spec = PlanSpec(**settings, paired=not unpaired, answer_tokens=answer_tokens, prices=prices)
    rows = make_plan(spec, rounds)
    best = cheapest(rows)
    source = SOURCE[spec.paired]
    notes = [*_plan_notes(spec), f"Source: {source}."]
    if spec.combinations is None and len(rows) > 1:
        calls = f"{plural(best['rounds'], 'round')}, {plural(best['calls'], 'call')}"
        notes.insert(0, f"Cheapest: {plural(best['combinations'], 'combination')}, {calls}.")
    return Answer(
        {"spec": spec, "rows": rows, "cheapest": best["rounds"], "source": source},
        [_sizes(spec, rows)],
        notes,
        lambda: _power_chart(spec, rows),
    )


def _shares(spec: PlanSpec) -> str:
    return f"{given(spec.baseline)} against {given(spec.baseline + spec.detect)}"


def _sizes(spec: PlanSpec, rows: list[PlanRow]) -> Table:
    lines: list[dict[str, object]] = []
    for row in rows:
        line: dict[str, object] = {key: row[key] for key in ("rounds", "combinations", "texts")}
        line["calls"] = row["calls"]
        line["M tokens"] = f"{row['tokens_in'] / 1e6:.2f} + {row['tokens_out'] / 1e6:.2f}"
        if any(row["cost"] for row in rows):
            line["cost"] = f"{row['cost']:,.2f}"
        if spec.combinations is not None:
            line["power"] = f"{row['power']:.2f}"
            line["detects"] = row["detectable"] and f"{100 * row['detectable']:+.1f}"
        line["+-"] = hundredths(row["half_width"])
        lines.append(line)
    return table(lines, f"Full marks {_shares(spec)}, k = {spec.k}")


def _plan_notes(spec: PlanSpec) -> list[str]:
    kind = "the same combinations for both models" if spec.paired else "unpaired"
    related = f"icc {spec.icc:g}" + (f", match {spec.design(1).match:g}" if spec.paired else "")
    if spec.tests > 1:
        related += f", {spec.tests} tests: each at {100 * spec.design(1).alpha:.2g} %"
    detects = ", detects: difference found with the wanted power" if spec.combinations else ""
    return [
        f"Assumed: {kind}; {related}.",
        f"Calls: 2 turns and {spec.grading_rounds} gradings a text, {spec.models} of the two "
        "models to run; tokens (read + written) are estimates.",
        f"+-: half the interval of the difference{detects}, in points.",
    ]


def _power_chart(spec: PlanSpec, rows: list[PlanRow]) -> Chart:
    from unparrot.analysis.between.plan import power_curve
    from unparrot.report.draw.chart import Chart, Series

    most = 2 * max(row["combinations"] for row in rows)
    return Chart(
        "How often so many combinations find the difference",
        f"power, {_shares(spec)} full marks",
        "combinations that each model is given",
        [
            Series(plural(row["rounds"], "round"), *power_curve(spec, row["rounds"], most))
            for row in rows
        ],
        y_percent=True,
    )
