"""`unparrot eval status`: how far a run is, also while it goes on."""

import time
from pathlib import Path
from typing import Any

import msgspec

from unparrot.cli.command import argument, command
from unparrot.cli.eval.display import counted
from unparrot.cli.eval.options import prepared_run
from unparrot.cli.output import Answer, table
from unparrot.cli.values import PLACE
from unparrot.core.wording import dollars, duration
from unparrot.eval.ask.status import status_of


@command()
def status(folder: Path = argument(PLACE, metavar="RUN")) -> Answer:
    """Say how far RUN is: asked, answered, graded, failed by kind, spent and left, by model.

    It only reads: the run may go on meanwhile, and its folder may be read-only.

    Example:
      unparrot eval status runs/mini
    """
    parts, lost, latest = status_of(prepared_run(folder))
    rows: list[dict[str, Any]] = msgspec.to_builtins(parts)
    lines = [
        row
        | {name: sum(row[name].values()) for name in ("unusable", "failed")}
        | {"spent": dollars(row["spent"], narrow=True)}
        for row in rows
    ]
    unknown = dict.fromkeys(part.model for part in parts if part.spent is None)
    spent = sum(part.spent or 0.0 for part in parts)
    notes = [f"Spent: {dollars(spent)}{', without ' * bool(unknown)}{', '.join(unknown)}."]
    if unknown:
        notes[0] += (
            " Where a cost is not known, no price or no count of tokens was; --max-cost holds back "
            "the most that such calls can have cost."
        )
    if lost:
        notes.append(f"Attempts without a reply may have cost {dollars(lost)} more.")
    for part in parts:
        what = f"{part.model}: {'texts' if part.role == 'student' else 'gradings'}"
        if part.unusable:
            notes.append(f"{what} that cannot be used: {counted(part.unusable)}.")
        if part.failed:
            notes.append(f"{what} without a reply: {counted(part.failed)}.")
    if not any(part.role == "grader" for part in parts):
        notes.append("Nothing is graded yet: `unparrot eval grade RUN --grader MODEL`.")
    if latest is not None:
        notes.append(f"The last call ended {duration(max(0.0, time.time() - latest))} ago.")
    figures = {"spent": None if unknown else spent, "lost": lost, "latest": latest, "models": rows}
    return Answer({"run": str(folder), **figures}, [table(lines)], notes)
