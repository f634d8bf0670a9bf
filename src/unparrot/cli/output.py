"""The answer of a command: JSON for programs, tables and sentences for people, a figure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from unparrot.core.wording import ABSENT_NARROW, printable

WIDEST: Final = 100  # columns of running text

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart


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


def table(rows: Sequence[Mapping[str, object]], title: str = "") -> Table:
    """Return the table of rows that all have the same columns, each cell under its heading."""
    return Table(list(rows[0]) if rows else [], [list(row.values()) for row in rows], title)


def tables(rows: Iterable[tuple[str, Mapping[str, object]]]) -> list[Table]:
    """Return a table for each title, in order of appearance, of rows that come with theirs."""
    groups: dict[str, list[Mapping[str, object]]] = {}
    for title, row in rows:
        groups.setdefault(title, []).append(row)
    return [table(group, title) for title, group in groups.items()]


def rows_of(text: str, indent: int) -> list[str]:
    """Return the rows of a text on the terminal, where wide signs such as Hangul take two columns.

    ``indent`` is how many columns the caller puts before each row.
    """
    from rich.console import Console
    from rich.text import Text

    width = max(min(shutil.get_terminal_size().columns, WIDEST) - indent, 20)
    return [row.plain for row in Text(text).wrap(Console(width=width), width)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found out.

    Parameters
    ----------
    data
        The figures, for ``--json``: plain data and dataclasses, every number finite or None. Of a
        list each item is printed on a line of its own.
    tables
        The same figures for people; a table without rows is left out.
    notes
        Sentences below the tables.
    chart
        Makes the figure; called only for ``--plot``.
    code
        The exit code.
    """

    data: object
    tables: Sequence[Table] = ()
    notes: Iterable[str] = ()
    chart: Callable[[], Chart] | None = None
    code: int = 0

    def show(self, as_json: bool, plot: Path | None = None) -> None:
        """Draw the figure if a file was asked for, then print the answer."""
        if plot is not None and self.chart is not None:
            from unparrot.report.draw.paint import write_chart

            write_chart(self.chart(), plot)
        if as_json:
            self._print_json()
        else:
            self._print()
            if plot is not None:
                click.echo(f"The figure: {plot}")
        if self.code:
            click.get_current_context().exit(self.code)

    def _print_json(self) -> None:
        import msgspec

        data: Any = msgspec.to_builtins(self.data, enc_hook=str)
        lines, indent = (data, None) if isinstance(self.data, list) else ([data], 2)
        for line in lines:
            click.echo(json.dumps(line, indent=indent, allow_nan=False))

    def _print(self) -> None:
        from rich.console import Console
        from rich.table import Table as RichTable

        # what is printed may hold brackets and colons, which rich would take for markup
        console = Console(highlight=False, markup=False, emoji=False)
        for table in self.tables:
            if not table.rows:
                continue
            title = printable(table.title) or None
            drawn = RichTable(title=title, title_justify="left", title_style="bold")
            for i, name in enumerate(table.header):
                numeric = any(isinstance(row[i], (int, float)) for row in table.rows)
                drawn.add_column(
                    printable(name), justify="right" if numeric else "left", overflow="fold"
                )
            for row in table.rows:
                drawn.add_row(*(_cell(value) for value in row))
            console.print(drawn)
        for note in self.notes:
            click.echo(printable(note))


def _cell(value: object) -> str:
    if value is None:
        return ABSENT_NARROW
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"{float(value):.6g}"
    if isinstance(value, float):
        return f"{value:,.6g}" if 1e-4 <= abs(value) < 1e7 or not value else f"{value:.6g}"
    return printable(str(value))
