"""`unparrot demo`, and the figures of a run of the lab: `unparrot lab figures`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, table
from unparrot.cli.values import FOLDER, POSITIVE, SEED
from unparrot.core.wording import interval

if TYPE_CHECKING:
    from unparrot.lab.ladder import Stage


@command()
def demo(
    budget: Literal["quick", "standard", "large"] = option(
        "quick: two or three minutes; standard: some minutes on 2 cores; large: one GPU.",
        default="standard",
    ),
    seed: int = option("Of the data, the training and the sampling.", SEED, default=1),
    device: Literal["auto", "cpu", "cuda"] = option("Where to train.", default="auto"),
    out: Path = option(
        "The run's folder. A run that was stopped continues there.", FOLDER, default="runs/demo"
    ),
) -> Answer:
    """Train a ladder of tiny models, test whether they combine skills they never saw together,
    and write the page.

    Example:
      unparrot demo --budget quick --out runs/quick
    """
    from unparrot.analysis.summary import analyze
    from unparrot.lab.demo import DemoSpec, run_demo
    from unparrot.report.page import write_page
    from unparrot.report.words.headline_words import finding

    began = time.perf_counter()
    line = f"unparrot demo --budget {budget} --seed {seed} --device {device}"
    with _Display() as display:
        run_demo(DemoSpec(budget, seed, device), out, display.show, command=line)
        display.note("working out the figures")
        summary = analyze(out)
        display.note("drawing the page")
        page = str(write_page(out))
    seconds = round(time.perf_counter() - began, 1)
    return Answer(
        {
            "headline": summary.headline,
            "finding": finding(summary),
            "page": page,
            "seconds": seconds,
        },
        notes=[finding(summary), f"\nThe page: {page}  ({seconds:.0f} seconds in all)"],
    )


@click.group(
    epilog="""\b
Example:
  unparrot lab figures runs/demo --k 2
"""
)
def lab() -> None:
    """Read the figures of a run of the lab; `unparrot demo` makes one."""


@command(group=lab)
def figures(
    run: Path = argument(FOLDER),
    k: int | None = option("Only this number of skills.", POSITIVE),
    decoding: Literal["greedy", "t0.7"] = option("How texts were written.", default="greedy"),
) -> Answer:
    """Print full marks of every model, k and split of a run.

    Example:
      unparrot lab figures runs/demo --k 2 --json
    """
    from unparrot.analysis.schema import read_summary

    cells = [
        cell
        for model in read_summary(run).models
        for cell in model.cells
        if cell.decoding == decoding and k in (None, cell.k)
    ]
    rows = [
        {"model": c.model, "k": c.k, "split": c.split, "n": c.n, "full_marks": c.full_marks}
        for c in cells
    ]
    lines = [
        {
            "model": c.model,
            "k": c.k,
            "split": c.split,
            "n": c.n,
            "full marks, 95 % interval": interval(c.full_marks),
        }
        for c in cells
    ]
    return Answer(rows, [table(lines)])


class _Display:
    """Progress bars on a terminal, one a stage with the time left; plain lines elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.console = Console(stderr=True)
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[remark]}"),
            console=self.console,
        )
        self.tasks: dict[str, object] = {}
        self.last = 0.0

    def __enter__(self) -> _Display:
        if self.console.is_terminal:
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            for task in self.progress.tasks:
                self.progress.update(task.id, completed=task.total)
            self.progress.stop()

    def note(self, name: str) -> None:
        """A stage without a measure of its progress."""
        from unparrot.lab.ladder import Stage

        self.show(Stage(name, 0, 1))

    def show(self, stage: Stage) -> None:
        if not self.console.is_terminal:
            now = time.perf_counter()
            if stage.name not in self.tasks or now - self.last > 15:
                self.last = now
                share = f"{100 * stage.done / stage.of:.0f} %"
                left = "" if stage.seconds_left is None else f", {stage.seconds_left:.0f} s left"
                line = f"{stage.name}: {share}{left} {stage.remark}".rstrip()
                print(line, file=sys.stderr, flush=True)
            self.tasks[stage.name] = None
            return
        if stage.name not in self.tasks:
            for task in self.progress.tasks:
                self.progress.update(task.id, completed=task.total, remark="")
            self.tasks[stage.name] = self.progress.add_task(
                stage.name, total=stage.of, remark=stage.remark
            )
        task_id = self.tasks[stage.name]
        self.progress.update(task_id, completed=stage.done, remark=stage.remark)  # pyright: ignore
