"""`unparrot eval status`: how far a run is, also while it goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from unparrot.cli.command import argument, command
from unparrot.cli.eval.display import counted
from unparrot.cli.eval.options import lab_pack
from unparrot.cli.output import Answer, table
from unparrot.cli.values import PLACE
from unparrot.core.wording import dollars, duration


@command()
def status(folder: Path = argument(PLACE, metavar="RUN")) -> Answer:
    """Say how far RUN is: asked, answered, graded, failed by kind, spent and left, by model.

    It only reads: the run may go on meanwhile, and its folder may be read-only.

    Example:
      unparrot eval status runs/mini
    """
    from unparrot.eval.ask.status import status_of
    from unparrot.eval.record.prepare import prepare, stored_spec

    current = status_of(prepare(stored_spec(folder), folder, lab_pack))
    rows: list[dict[str, Any]]
    rows = [{**msgspec.to_builtins(part), "left": part.left} for part in current.parts]
    lines = [
        {name: value for name, value in row.items() if name != "calls"}
        | {name: sum(row[name].values()) for name in ("unusable", "failed")}
        | {"spent": dollars(row["spent"], narrow=True)}
        for row in rows
    ]
    unknown = dict.fromkeys(part.model for part in current.parts if part.spent is None)
    spent = sum(part.spent or 0.0 for part in current.parts)
    notes = [f"Spent: {dollars(spent)}{', without ' * bool(unknown)}{', '.join(unknown)}."]
    if unknown:
        notes[0] += " Where a cost is not known, no price or no count of tokens was."
    if current.lost:
        notes.append(f"Attempts without a reply may have cost {dollars(current.lost)} more.")
    for part in current.parts:
        what = "texts" if part.role == "student" else "gradings"
        if part.unusable:
            notes.append(f"{part.model}: {what} that cannot be used: {counted(part.unusable)}.")
        if part.failed:
            notes.append(f"{part.model}: {what} without a reply: {counted(part.failed)}.")
    if not any(part.role == "grader" for part in current.parts):
        notes.append("Nothing is graded yet: `unparrot eval grade RUN --grader MODEL`.")
    if current.latest is not None:
        notes.append(f"The last call ended {duration(max(0.0, time.time() - current.latest))} ago.")
    figures = {"spent": None if unknown else spent, "lost": current.lost, "latest": current.latest}
    return Answer({"run": str(folder), **figures, "models": rows}, [table(lines)], notes)
