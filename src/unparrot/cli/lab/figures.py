"""`unparrot lab figures`: full marks of the models of a run."""

from __future__ import annotations

from pathlib import Path

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, table
from unparrot.cli.values import FOLDER, POSITIVE
from unparrot.core.wording import interval


@command()
def figures(
    run: Path = argument(FOLDER),
    k: int | None = option("Only this number of skills.", POSITIVE),
) -> Answer:
    """Print full marks of every model, k, split and decoding of a run.

    Example:
      unparrot lab figures runs/demo --k 2 --json
    """
    from unparrot.analysis.schema import read_summary

    models = read_summary(run).models
    cells = [cell for model in models for cell in model.cells if k in (None, cell.k)]
    shown = ("model", "k", "split", "decoding", "n", "full_marks")
    rows = [{name: getattr(cell, name) for name in shown} for cell in cells]
    lines = [row | {"full_marks": interval(row["full_marks"])} for row in rows]
    return Answer(rows, [table(lines, "Full marks with 95 % intervals")])
