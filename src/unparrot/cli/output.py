"""What commands that print figures share: their output options and the numbers they read."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart

DRAWABLE = (".svg", ".png", ".pdf")

MOST_POINTS = 10_000
"""Most points of a grid or numbers of a range, far above what a table or a chart can show."""

MOST_COUNTED = int(1e300)
"""Largest count: it fits a float with room for what is worked out from it."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to print.

    Parameters
    ----------
    header
        Name of each column.
    rows
        One text or number for each column; floats are printed to six significant digits, None as
        'none'.
    title
        A line above the table, or nothing.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""


class Count(click.ParamType[int]):
    """A whole number that may be written 1e7 or 10_000_000."""

    name = "count"

    def __init__(self, least: int = 0) -> None:
        self.least = least

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number; fail with the text that was given if it is none."""
        number = value if isinstance(value, int) else whole(str(value))
        if number is None:
            self.fail(f"{value!r} is not a whole number; write it like 5000 or 1e7", param, ctx)
        if number < self.least:
            self.fail(f"{value!r} must be at least {self.least}", param, ctx)
        if number > MOST_COUNTED:
            self.fail(
                f"{str(value)[:20]}... is too large for a float; give at most 1e300", param, ctx
            )
        return number


def whole(text: str) -> int | None:
    """Read a whole number that may be written 1e7; None if the text is none."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and number == int(number) else None


class Span(click.ParamType[tuple[int, ...]]):
    """A range of whole numbers, ``2..6``, or one number; becomes a tuple of them all."""

    name = "range"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers of the range, rising."""
        if isinstance(value, tuple):
            return value  # pyright: ignore[reportUnknownVariableType]
        low, dots, high = str(value).partition("..")
        first, last = whole(low), whole(high if dots else low)
        if first is None or last is None or not self.least <= first <= last:
            self.fail(
                f"{value!r} is not a range from {self.least} up; write it like 2..6 or 3",
                param,
                ctx,
            )
        if last - first >= MOST_POINTS:
            self.fail(
                f"{value!r} has {last - first + 1:,} numbers, at most {MOST_POINTS:,} are worked "
                "out; narrow it",
                param,
                ctx,
            )
        return tuple(range(first, last + 1))


def _drawable(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a file that cannot be drawn into before any work is done."""
    if path is not None and path.suffix.lower() not in DRAWABLE:
        raise click.BadParameter(f"{path}: name a file that ends in .svg, .png or .pdf", ctx, param)
    if path is not None:
        require_place(path)
    return path


def require_place(path: Path) -> None:
    """Raise `BadInput` before any work if no file can be written at this path."""
    try:
        path.exists()  # a name that the system cannot hold fails here
        folder = path.absolute().parent
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(
            f"cannot write {path}: {error.strerror}; name a file in a folder that you may write to"
        ) from error


def output_options(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Add ``--json`` (argument ``as_json``) and ``--plot FILE`` (argument ``plot``)."""
    plot = click.option(
        "--plot",
        type=click.Path(path_type=Path, dir_okay=False),
        callback=_drawable,
        help="Draw the figures into this file (.svg, .png or .pdf).",
    )
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        plot(command)
    )


def show(
    result: Mapping[str, Any],
    tables: Sequence[Table],
    as_json: bool,
    plot: Path | None,
    chart: Callable[[], Chart],
    notes: Sequence[str] = (),
) -> None:
    """Draw the chart if a file was asked for, then print the result.

    Parameters
    ----------
    result
        The figures, for ``--json``: plain data, every number finite or None.
    tables
        The same figures for people.
    as_json, plot
        The values of the two options.
    chart
        Makes the drawing; called only for ``--plot``.
    notes
        Sentences below the tables.
    """
    if plot is not None:
        from unparrot.report.draw.chart import write_chart

        write_chart(chart(), plot)
    if as_json:
        click.echo(json.dumps(result, indent=2, allow_nan=False))
        return
    from rich.console import Console
    from rich.table import Table as RichTable

    # what is printed may hold brackets, which rich would take for markup
    console = Console(highlight=False, markup=False)
    for table in tables:
        drawn = RichTable(title=table.title or None, title_justify="left", title_style="bold")
        for i, name in enumerate(table.header):
            numeric = any(isinstance(row[i], (int, float)) for row in table.rows)
            drawn.add_column(name, justify="right" if numeric else "left")
        for row in table.rows:
            drawn.add_row(*(_cell(value) for value in row))
        console.print(drawn)
    for note in notes:
        click.echo(note)
    if plot is not None:
        click.echo(f"The figure: {plot}")


def _cell(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"{float(value):.6g}"
    if isinstance(value, float):
        return f"{value:,.6g}" if 1e-4 <= abs(value) < 1e7 or not value else f"{value:.6g}"
    return str(value)
