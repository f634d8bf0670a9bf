"""`unparrot lab study`: plan, run, status and merge."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from unparrot.cli.cluster import ENGINE, chosen_cluster
from unparrot.cli.command import argument, command, option
from unparrot.cli.lab.demo import display
from unparrot.cli.output import Answer, table
from unparrot.cli.values import FOLDER, RUN, Count
from unparrot.core.errors import BadInput
from unparrot.core.wording import disk_size, duration, percent, plural

if TYPE_CHECKING:
    from unparrot.lab.study.studies import Study, StudyState

MOST_SHOWN = 40
"""Rows of a table that a terminal is given; --json has all."""


@command()
def plan(
    study: str = argument(),
    out: Path | None = option("The study's folder; runs/NAME by default.", FOLDER),
    no_measurement: bool = option("Leave out the time: do not measure this machine."),
) -> Answer:
    """List the cells of a study, with the time and the disk that each will take here.

    STUDY is a TOML file, or the name of a study that unparrot ships: tiny, scale, extrapolation,
    vocabulary, quick, standard, large. A cell is a shape with all its numbers of tokens and the
    test of these models, or the parrots that read a corpus.

    Example:
      unparrot lab study plan scale
    """
    from unparrot.lab.study.plan import measure_pace
    from unparrot.lab.study.plan import plan as plan_of

    cells = plan_of(_study(study, out), None if no_measurement else measure_pace())
    rows = [
        {
            "cell": cell.name,
            "parameters": cell.params or None,
            "models": cell.models,
            "CPU": "" if cell.cpu_seconds is None else duration(cell.cpu_seconds),
            "disk": disk_size(cell.disk_bytes),
            "": "done" if cell.done else "",
        }
        for cell in cells[:MOST_SHOWN]
    ]
    left = [cell for cell in cells if not cell.done]
    seconds = sum(cell.cpu_seconds or 0.0 for cell in left)
    runs = len({cell.run for cell in cells})
    notes = [
        *([f"and {plural(len(cells) - MOST_SHOWN, 'other cell')}: --json has all"]
          if len(cells) > MOST_SHOWN else []),
        f"{plural(len(cells), 'cell')} in {plural(runs, 'run')}, {len(left)} to do: "
        + ("" if no_measurement else f"about {duration(seconds)} of one core, ")
        + f"{disk_size(sum(cell.disk_bytes for cell in left))} of disk.",
    ]  # fmt: skip
    return Answer(cells, [table(rows)], notes)


@command()
def run(
    study: str = argument(),
    out: Path | None = option(
        "The study's folder; runs/NAME by default. A study that was stopped continues there.",
        FOLDER,
    ),
    workers: int | None = option("Processes at a time; one a core by default.", Count(0)),
    device: Literal["auto", "cpu", "cuda"] = option("Where to train.", default="auto"),
    only: tuple[str, ...] = option(
        "Only this cell, or those whose names begin so.", multiple=True, metavar="CELL"
    ),
    shard: str = option(
        "Only the i-th of n parts of about equal cost, as a batch system wants.",
        default="1/1",
        metavar="I/N",
    ),
    retries: int = option("How often a job that failed is run again.", Count(0), default=0),
    fail_fast: bool = option("Stop everything at the first failure."),
    engine: dict[str, Any] = ENGINE,
) -> Answer:
    """Train and test the cells of a study that are not done.

    The same command goes on after it was stopped. A grid that has grown in its file only adds. One
    cell that fails does not end the others: the failures are listed, and the exit code is 1. On
    SIGTERM every training keeps its state first.

    Examples:
      unparrot lab study run tiny --out runs/tiny
      unparrot lab study run scale --engine ray --address 10.0.0.1:6379
    """
    from unparrot.lab.study.on_ray import on_ray
    from unparrot.lab.study.studies import Study, local
    from unparrot.lab.training.model import resolve_device

    far = engine["engine"] == "ray"
    if far and workers is not None:
        raise BadInput("--workers are those of this machine; a cluster takes one for each core")
    # a task gets a GPU if one is asked for; and a node may have another working directory
    opened = _study(study, out, "cpu" if far and device == "auto" else device)
    opened = Study(opened.spec, opened.out.absolute(), opened.device) if far else opened
    cells = opened.chosen(only, _shard(shard))
    for change in opened.claim():
        click.echo(f"The study has changed: {change}.", err=True)
    line = shlex.join(["unparrot", *sys.argv[1:]])
    with chosen_cluster(engine) as cluster, display() as show:
        if cluster is None:
            kind = resolve_device(device).type
            at_once = workers if workers is not None else 0 if kind == "cuda" else None
            runs = local(at_once)
        else:
            at_once = cluster.cores
            runs = on_ray(cluster, opened.out, gpu=device == "cuda")
        state = opened.run(cells, runs, at_once, show, line, retries, fail_fast)
    return _answer(opened, state)


@command()
def status(folder: Path = argument(RUN)) -> Answer:
    """Say how far a study is, also while it goes on.

    Example:
      unparrot lab study status runs/tiny
    """
    from unparrot.lab.study.studies import open_study

    opened = open_study(folder)
    return _answer(opened, opened.state(), failed_code=0)


@command()
def merge(
    folder: Path = argument(FOLDER),
    others: tuple[Path, ...] = argument(RUN, nargs=-1, required=True),
) -> Answer:
    """Take over into FOLDER the cells that are done in OTHERS: parts of one study, run apart.

    FOLDER may be new. Its tables are written anew.

    Example:
      unparrot lab study merge runs/scale machine-1/scale machine-2/scale
    """
    from unparrot.lab.study.studies import Study, open_study

    if not (folder / "spec.json").is_file():
        Study(open_study(others[0]).spec, folder).claim()
    opened = open_study(folder)
    taken = opened.merge(others)
    with display() as show:
        opened.write_tables("unparrot lab study merge", show)
    answer = _answer(opened, opened.state(), failed_code=0)
    return Answer(
        answer.data, answer.tables, [f"{plural(taken, 'cell')} taken over.", *answer.notes]
    )


def _study(study: str, out: Path | None, device: str = "auto") -> Study:
    from unparrot.lab.study.spec import read_spec
    from unparrot.lab.study.studies import Study

    spec = read_spec(study)
    return Study(spec, out or Path("runs", spec.name), device)


def _shard(text: str) -> tuple[int, int]:
    index, _, of = text.partition("/")
    if not (index.isdecimal() and of.isdecimal()):
        raise BadInput(f"a shard is i/n, such as 2/8, not {text!r}")
    return int(index), int(of)


def _answer(study: Study, state: StudyState, failed_code: int = 1) -> Answer:
    tables = [
        table([{"failed": cell, "reason": reason} for cell, reason in state.failed.items()]),
        table(
            [
                {
                    "at work": each.process,
                    "of its cells": percent(each.share),
                    "left": "" if each.seconds_left is None else duration(each.seconds_left),
                    "last heard of": f"{duration(each.silent)} ago",
                    "": each.remark,
                }
                for each in state.working
            ]
        ),
    ]
    notes = [f"{study.spec.name}: {state.done} of {plural(state.cells, 'cell')} done."]
    if state.failed:
        notes.append(f"{len(state.failed)} failed; the same command tries them again.")
    if state.done:
        notes.append(f"Its page: unparrot lab study report {study.out}")
    return Answer(state, tables, notes, code=failed_code if state.failed else 0)
