"""`unparrot demo`: the ladder, its test, and the page."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unparrot.cli.command import command, option
from unparrot.cli.output import Answer
from unparrot.cli.values import FOLDER, SEED
from unparrot.core.wording import duration, percent

if TYPE_CHECKING:
    from rich.progress import TaskID

    from unparrot.lab.training.forecast import Stage


@command()
def demo(
    budget: Literal["quick", "standard", "large"] = option(
        "quick: 4 models, minutes; standard: 12, about 10 minutes on 2 cores; large: one GPU.",
        default="standard",
    ),
    seed: int = option("Of the data, the training and the sampling.", SEED, default=1),
    device: Literal["auto", "cpu", "cuda"] = option("Where to train.", default="auto"),
    out: Path = option(
        "The run's folder. A run that was stopped continues there.", FOLDER, default="runs/demo"
    ),
    no_open: bool = option("Do not open the page in a browser at the end."),
) -> Answer:
    """Train a ladder of tiny models, test whether they combine skills they never saw together,
    and write the page.

    On a terminal with a display the page opens in the browser at the end.

    Example:
      unparrot demo --budget quick --out runs/quick
    """
    from unparrot.analysis.summary import analyze
    from unparrot.lab.demo import budget as budget_of
    from unparrot.lab.demo import run_demo
    from unparrot.lab.training.forecast import Stage
    from unparrot.report.page import write_page
    from unparrot.report.words.headline_words import finding

    began = time.perf_counter()
    line = f"unparrot demo --budget {budget} --seed {seed} --device {device}"
    with display() as show:
        run_demo(budget_of(budget, seed), out, show, device, line)
        # stages without a measure of their progress
        show(Stage("working out the figures", 0, 1))
        summary = analyze(out)
        show(Stage("drawing the page", 0, 1))
        page = write_page(out)
    seconds = round(time.perf_counter() - began, 1)
    if not no_open and is_watched():
        webbrowser.open(page.resolve().as_uri())
    data = {"headline": summary.headline, "finding": finding(summary)}
    return Answer(
        data | {"page": str(page), "seconds": seconds},
        notes=[finding(summary), f"\n{seconds:.0f} seconds in all. The page:", str(page)],
    )


def is_watched() -> bool:
    """Whether somebody sits at a terminal with a display."""
    shown = sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    return bool(shown) and "CI" not in os.environ and sys.stdout.isatty() and sys.stderr.isatty()


@contextmanager
def display() -> Generator[Callable[[Stage], None]]:
    """Progress bars on a terminal, one a stage, with the time left; plain lines elsewhere."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    columns = Progress.get_default_columns()[:-1]  # without rich's own guess at the time left
    fields = (TextColumn("{task.fields[left]}"), TextColumn("[dim]{task.fields[remark]}"))
    console = Console(stderr=True)
    # colours may be forced into a pipe, which is no terminal for that
    live = sys.stderr.isatty() and console.is_interactive
    bars, due = Progress(*columns, *fields, console=console), 0.0
    tasks: dict[str, TaskID] = {}

    def complete() -> None:
        for task in bars.tasks:
            bars.update(task.id, completed=task.total, remark="", left="")

    def show(stage: Stage) -> None:
        nonlocal due
        seconds, now = stage.seconds_left, time.perf_counter()
        left = "" if seconds is None else f"about {duration(seconds)} left"
        if stage.name not in tasks:
            complete()
            tasks[stage.name] = bars.add_task(stage.name, total=stage.of, remark="", left="")
            due = now
        bars.update(tasks[stage.name], completed=stage.done, remark=stage.remark, left=left)
        if not live and now >= due:
            due = now + 15
            line = ", ".join(filter(None, (percent(stage.done / stage.of), left, stage.remark)))
            print(f"{stage.name}: {line}", file=sys.stderr, flush=True)

    with bars if live else nullcontext():
        yield show
        complete()
