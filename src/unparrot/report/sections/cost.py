"""The section on what a run of language models cost: calls, tokens, dollars, seconds."""

from __future__ import annotations

from typing import Any, cast

from unparrot.core.wording import ABSENT, count, dollars, seconds, short_names
from unparrot.report.contents import Contents
from unparrot.report.html.layout import fact, section
from unparrot.report.html.markup import Markup, el
from unparrot.report.html.tables import table

Row = dict[str, Any]


def spending(contents: Contents) -> Markup | None:
    """Usage by model and role; None where the run has no record of it."""
    part = contents.part("usage")
    if not part:
        return None
    total = cast(Row, part["total"])
    rows = sorted(cast(list[Row], part["rows"]), key=lambda row: row["role"] != "student")
    facts = el(
        "dl",
        spent(contents),
        fact("calls", count(total["calls"]), f"{count(total['attempts'])} attempts"),
        fact("tokens read", count(total["input_tokens"]), _written(total["output_tokens"])),
        class_="facts",
    )
    lost = cast(list[Row], part["unusable"])
    steps = {"turn": "writing", "grading": "grading"}
    reasons = [
        [str(row["reason"]), steps.get(row["step"], str(row["step"])), count(row["calls"])]
        for row in lost
    ]
    return section(
        "cost",
        "What it cost",
        ["What a provider did not report, or a price that is not known, is not measured, never 0."],
        el("div", facts, class_="text-wide"),
        el("h3", "By model and role"),
        table(_HEAD, [_row(row) for row in rows], "usage by model and role"),
        *(
            [
                el("h3", "Replies that were of no use"),
                table(["why", "step", "calls"], reasons, "replies of no use by reason"),
            ]
            if reasons
            else []
        ),
    )


def spent(contents: Contents) -> Markup:
    """What was spent, or at least was, as one fact."""
    part = contents.part("usage")
    cost, known = part["total"]["cost"], part["known_cost"]
    if cost is not None:
        each = f"{dollars(cost / part['texts'])} a text" if part["texts"] else ""
        return fact("spent", dollars(cost), each)
    if known is None:
        return fact("spent", ABSENT, "no price is known")
    rows = cast(list[Row], part["rows"])
    unknown = short_names([str(row["model"]) for row in rows if row["cost"] is None])
    return fact("spent", f"≥ {dollars(known)}", f"cost of {', '.join(unknown)} {ABSENT}")


def _written(tokens: int | None) -> str:
    return f"written: {count(tokens)}"


_HEAD = [
    "model",
    "role",
    "calls",
    "attempts",
    "failed",
    "of no use",
    "tokens read",
    "written",
    "of these reasoning",
    "cost",
    "median latency",
    "nine in ten under",
]


def _row(row: Row) -> list[str]:
    latency = cast(Row, row["latency"] or {})
    return [
        str(row["model"]),
        str(row["role"]),
        *(count(row[name]) for name in ("calls", "attempts", "failed", "unusable")),
        *(count(row[name]) for name in ("input_tokens", "output_tokens", "reasoning_tokens")),
        dollars(row["cost"]),
        seconds(latency.get("median")),
        seconds(latency.get("nine_tenths")),
    ]
