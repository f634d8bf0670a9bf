"""The progress of a run: calls, rate, failures by kind, tokens, cost and the time left."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from unparrot.eval.ask.asking import Tally

LINE_EVERY: Final = 15.0
"""Seconds between two lines where there is no terminal."""
RATE_OVER: Final = 20.0
"""Seconds of the past that the rate is taken over."""


def duration(seconds: float) -> str:
    """Return a length of time as people say it.

    Examples
    --------
    >>> duration(42.4), duration(3700), duration(200000)
    ('42 s', '1 h 1 min', '2 d 7 h')
    """
    whole = round(seconds)
    for size, name, part, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // part} {smaller}"
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def tokens(count: int) -> str:
    """Return a number of tokens, short.

    Examples
    --------
    >>> tokens(950), tokens(45_300), tokens(2_345_678)
    ('950', '45.3k', '2.35M')
    """
    if count >= 1_000_000:
        return f"{count / 1e6:.2f}M"
    return f"{count / 1e3:.1f}k" if count >= 1000 else str(count)


def dollars(value: float | None) -> str:
    """Return an amount of US dollars, of less than one with four decimals.

    Examples
    --------
    >>> dollars(0.01234), dollars(1234.567), dollars(None)
    ('$0.0123', '$1,234.57', 'unknown')
    """
    if value is None:
        return "unknown"
    return f"${value:,.4f}" if 0 < value < 1 else f"${value:,.2f}"


def money(tally: Tally) -> str:
    """Return what the calls have cost, and say where that is not known."""
    if not tally.unpriced:
        return dollars(tally.cost)
    some = f"${tally.cost:.4f} and " if tally.cost else ""
    return f"{some}{tally.unpriced:,} calls of unknown price"


class Display:
    """Shows a run's counts while it runs: live on a terminal, a line now and then elsewhere.

    Use it as a context manager and give `watch` the counts.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True)
        self._tally: Tally | None = None
        self._began = time.monotonic()
        self._past: list[tuple[float, int]] = []
        self._live: Any = None
        self._ended = threading.Event()
        self._lines: threading.Thread | None = None

    def watch(self, tally: Tally) -> None:
        """Show these counts from now on."""
        self._tally = tally
        self._began = time.monotonic()

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            from rich.live import Live

            self._live = Live(
                get_renderable=self._block, console=self.console, refresh_per_second=4
            )
            self._live.start()
        else:
            self._lines = threading.Thread(target=self._print_lines, daemon=True)
            self._lines.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._live is not None:
            self._live.stop()
        if self._lines is not None:
            self._lines.join()

    def _print_lines(self) -> None:
        while not self._ended.wait(LINE_EVERY):
            if self._tally is not None:
                click.echo(" · ".join(self.facts()), err=True)

    def facts(self) -> list[str]:
        """What there is to say now, each a few words."""
        tally = self._tally
        if tally is None:
            return ["opening the models"]
        done = tally.kept + tally.made
        facts = [f"{done:,} of {tally.planned:,} calls"]
        if tally.kept:
            facts.append(f"{tally.kept:,} from the journal")
        rate = self._rate(tally.made)
        if rate is not None:
            facts.append(f"{rate:.1f} calls/s")
            if rate > 0 and tally.planned > done:
                facts.append(f"{duration((tally.planned - done) / rate)} left")
        facts.append(
            f"{tokens(tally.input_tokens)} tokens read, {tokens(tally.output_tokens)} written"
        )
        facts.append(money(tally))
        if tally.failures:
            kinds = ", ".join(f"{n:,} {kind}" for kind, n in tally.failures.most_common(4))
            facts.append(f"failed attempts: {kinds}")
        if tally.failed:
            facts.append(f"{tally.failed:,} calls without a reply")
        if tally.unusable:
            kinds = ", ".join(f"{n:,} {why}" for why, n in tally.unusable.most_common(3))
            facts.append(f"unusable: {kinds}")
        return facts

    def _rate(self, made: int) -> float | None:
        now = time.monotonic()
        self._past.append((now, made))
        while self._past[0][0] < now - RATE_OVER and len(self._past) > 2:
            self._past.pop(0)
        then, before = self._past[0]
        if now - then < 0.5:
            spent = now - self._began
            return made / spent if made and spent > 0 else None
        return (made - before) / (now - then)

    def _block(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        tally = self._tally
        first, *rest = self.facts()
        if tally is None:
            return Text(first)
        head = Table.grid(padding=(0, 1))
        total = max(1, tally.planned)
        bar = ProgressBar(total=total, completed=tally.kept + tally.made, width=30)
        head.add_row(bar, Text(first, style="bold"))
        return Group(head, Text(" · ".join(rest), style="dim"))
