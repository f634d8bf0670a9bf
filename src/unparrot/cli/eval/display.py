"""The progress of a run: calls, rate, failures by kind, tokens, cost and the time left."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import click

from unparrot.core.wording import dollars, duration, plural, short
from unparrot.eval.wire.pace import GRACE

if TYPE_CHECKING:
    from unparrot.eval.ask.asking import Tally
    from unparrot.eval.wire.pace import Pace

# Seconds between two lines where there is no terminal.
LINE_EVERY: Final = 30.0
# Seconds after which a run that the user has stopped is ended by the system, whatever it waits for:
# those of the calls under way, and a few to write the tables.
LAST: Final = int(GRACE) + 3


def money(tally: Tally) -> str:
    """Return what the calls have cost, and say where that is not known."""
    if not tally.unpriced:
        return dollars(tally.cost)
    some = f"{dollars(tally.cost)} and " if tally.cost else ""
    return f"{some}{plural(tally.unpriced, 'call')} of unknown price"


def tokens(tally: Tally) -> str:
    """Return how many tokens the calls have read and written."""
    return f"{short(tally.input_tokens)} tokens read, {short(tally.output_tokens)} written"


def counted(counts: Counter[str], most: int | None = None) -> str:
    """Return counts with what they count, the most common first.

    Examples
    --------
    >>> counted(Counter(refused=2, empty=1))
    '2 refused, 1 empty'
    """
    return ", ".join(f"{n:,} {what}" for what, n in counts.most_common(most))


def troubles(tally: Tally) -> list[str]:
    """Return what went wrong so far, each in a few words."""
    failures, lost, failed = counted(tally.failures, 4), tally.lost, tally.failed
    late = f" (of late: {tally.words})" if tally.words else ""
    counts = {
        f"failed attempts: {failures}": failures,
        f"sent again after no reply, or half of one, and perhaps billed: {lost:,}": lost,
        f"no reply to {plural(failed, 'call')}{late}; the same command asks again": failed,
        f"unusable: {counted(tally.unusable)}": tally.unusable,
    }
    lacking = [
        f"{plural(texts, 'text')} without a whole grade by {grader}: the same command asks again "
        "where no reply came; where replies lack marks, give another --form or --grader"
        for grader, texts in tally.lacking.items()
    ]
    return [*(words for words, number in counts.items() if number), *lacking]


def _speed(pace: Pace) -> str:
    """How fast a model writes, as far as it was measured."""
    name, calls = pace.name.rpartition("/")[2], int(pace.limit)
    if pace.speed is None:
        return f"{name}: {calls} at a time"
    return f"{name} writes about {pace.speed:,.0f} tokens a second, {calls} at a time"


class Display:
    """Shows a run's counts while it runs: live on a terminal; in a pipe or a log a line at the
    start and another every 30 s.

    Use it as a context manager and give `watch` the counts, and again when the user stops the run.
    """

    def __init__(self) -> None:
        self.tally: Tally | None = None
        self._began = time.monotonic()
        self._shown = ExitStack()
        self._live = False

    def watch(self, tally: Tally) -> None:
        """Show these counts from now on; if the run is being stopped, say so and see to its end."""
        self.tally = tally
        if not tally.stopping:
            self._began = time.monotonic()
        elif hasattr(signal, "alarm"):
            signal.alarm(LAST)  # to the end of the process, which may wait for threads
        if not self._live:
            click.echo(" · ".join(self.facts()), err=True)

    def __enter__(self) -> Display:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        # colours may be forced into a pipe, which is no terminal for that
        self._live = sys.stderr.isatty() and console.is_interactive
        if self._live:
            live = Live(get_renderable=self._block, console=console, refresh_per_second=4)
            self._shown.enter_context(live)
        else:
            click.echo(self.facts()[0], err=True)
            ended = threading.Event()
            lines = threading.Thread(target=self._print_lines, args=(ended,), daemon=True)
            lines.start()
            self._shown.callback(lines.join)
            self._shown.callback(ended.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def _print_lines(self, ended: threading.Event) -> None:
        while not ended.wait(LINE_EVERY):
            click.echo(" · ".join(self.facts()), err=True)

    def facts(self) -> list[str]:
        """What there is to say now, each a few words."""
        tally = self.tally
        if tally is None:
            return ["opening the models"]
        done = tally.kept + tally.made
        if tally.stopping:
            facts = [
                plural(done, "call"),
                f"stopping: nothing more is sent, calls under way have {GRACE:.0f} s (again: at "
                "once)",
            ]
        else:
            facts = [f"{done:,} of {plural(tally.planned, 'call')}"]
        if tally.kept:
            facts.append(f"{tally.kept:,} from the journal")
        if tally.made:
            rate = tally.made / max(1e-3, time.monotonic() - self._began)
            facts.append(f"{rate:.1f} calls/s")
            if tally.planned > done and not tally.stopping:
                facts.append(f"{duration((tally.planned - done) / rate)} left")
        speeds = [_speed(pace) for pace in tally.paces if pace.answered]
        return [*facts, tokens(tally), money(tally), *speeds, *troubles(tally)]

    def _block(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        tally, words = self.tally, Text(" · ".join(self.facts()))
        if tally is None:
            return words
        return Group(ProgressBar(max(1, tally.planned), tally.kept + tally.made, 30), words)
