"""`unparrot demo`, and `unparrot lab`: the same run one stage at a time."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from unparrot.lab.ladder import Stage

BUDGETS = ("quick", "standard", "large")


@click.command()
@click.option(
    "--budget",
    type=click.Choice(BUDGETS),
    default="standard",
    show_default=True,
    help="quick: about a minute; standard: some minutes on 2 cores; large: one GPU.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--device", type=click.Choice(("auto", "cpu", "cuda")), default="auto", show_default=True
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/demo"),
    show_default=True,
    help="The run's folder. A run that was stopped continues there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the headline figures as JSON.")
def demo(budget: str, seed: int, device: str, out: Path, as_json: bool) -> None:
    """Train a ladder of tiny models, test whether they combine skills they never saw together,
    and write the page.

    \b
    Example:
      unparrot demo --budget quick --out runs/quick
    """
    page, summary, seconds = _run(budget, seed, device, out)
    _report(summary, page, seconds, as_json)


@click.group()
def lab() -> None:
    """The lab: run it without the page, or read a run's figures.

    \b
    Example:
      unparrot lab figures runs/demo --k 2
    """


@lab.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--k", type=click.IntRange(min=1), help="Only this number of skills.")
@click.option(
    "--decoding", type=click.Choice(("greedy", "t0.7")), default="greedy", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
def figures(run: Path, k: int | None, decoding: str, as_json: bool) -> None:
    """Print full marks of every model, k and split of a run.

    \b
    Example:
      unparrot lab figures runs/demo --k 2 --json
    """
    from rich.console import Console
    from rich.table import Table

    from unparrot.core.records import RunFolder

    summary: dict[str, Any] = RunFolder(run).read_summary()
    rows: list[dict[str, Any]] = [
        {"model": model["name"], **{key: cell[key] for key in ("k", "split", "n", "full_marks")}}
        for model in summary["models"]
        for cell in model["cells"]
        if cell["decoding"] == decoding and k in (None, cell["k"])
    ]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    table = Table("model", "k", "split", "n", "full marks", "95 % interval")
    for row in rows:
        mark = row["full_marks"]
        value = "not measured" if mark["value"] is None else f"{100 * mark['value']:.1f} %"
        bounds = (
            "" if mark["low"] is None else f"{100 * mark['low']:.1f} to {100 * mark['high']:.1f}"
        )
        table.add_row(row["model"], str(row["k"]), row["split"], str(row["n"]), value, bounds)
    Console().print(table)


def _run(budget: str, seed: int, device: str, out: Path) -> tuple[Path, dict[str, Any], float]:
    from unparrot.analysis.summary import analyze
    from unparrot.lab.demo import DemoSpec, run_demo
    from unparrot.report.page import write_page

    began = time.perf_counter()
    command = f"unparrot demo --budget {budget} --seed {seed} --device {device}"
    with _Display() as display:
        run_demo(DemoSpec(budget, seed, device), out, display.show, command=command)
        display.note("working out the figures")
        summary = analyze(out)
        display.note("drawing the page")
        page = write_page(out)
    return page, summary, time.perf_counter() - began


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
                print(f"{stage.name}: {share} {stage.remark}".rstrip(), file=sys.stderr, flush=True)
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


def _report(summary: dict[str, Any], page: Path, seconds: float, as_json: bool) -> None:
    headline = summary["headline"]
    if as_json:
        click.echo(
            json.dumps({"headline": headline, "page": str(page), "seconds": round(seconds, 1)})
        )
        return
    click.echo(headline["sentence"])
    click.echo(f"\nThe page: {page}  ({seconds:.0f} seconds in all)")
