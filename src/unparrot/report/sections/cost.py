"""The section on what a run of language models cost: calls, tokens, dollars, seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unparrot.analysis.schema import SkillMixSummary
from unparrot.analysis.spending import SpentRow, Usage
from unparrot.core.wording import ABSENT, count, dollars, seconds, short_names
from unparrot.report.contents import Contents
from unparrot.report.html.layout import fact, facts, section, table, wide
from unparrot.report.html.markup import Markup, el

STEPS = {"turn": "writing", "grading": "grading"}
COLUMNS: Mapping[str, Callable[[SpentRow], str]] = {
    "model": lambda row: row.model,
    "role": lambda row: row.role,
    "calls": lambda row: count(row.calls),
    "attempts": lambda row: count(row.attempts),
    "failed": lambda row: count(row.failed),
    "of no use": lambda row: count(row.unusable),
    "tokens read": lambda row: count(row.input_tokens),
    "written": lambda row: count(row.output_tokens),
    "of these reasoning": lambda row: count(row.reasoning_tokens),
    "cost": lambda row: dollars(row.cost),
    "median latency": lambda row: seconds(row.latency and row.latency.median),
    "nine in ten under": lambda row: seconds(row.latency and row.latency.nine_tenths),
}


def cost(contents: Contents[SkillMixSummary]) -> Markup | None:
    """Usage by model and role; None where the run has no record of it."""
    usage = contents.summary.usage
    if usage is None:
        return None
    total = usage.total
    rows = [
        [write(row) for write in COLUMNS.values()]
        for row in sorted(usage.rows, key=lambda row: row.role != "student")
    ]
    reasons = [
        [row.reason, STEPS.get(row.step, row.step), count(row.calls)] for row in usage.unusable
    ]
    lost = table(["why", "step", "calls"], reasons, "replies of no use by reason")
    return section(
        "cost",
        "What it cost",
        ["What a provider did not report, or a price that is not known, is not measured, never 0."],
        wide(
            facts(
                spent(usage),
                fact("calls", count(total.calls), f"{count(total.attempts)} attempts"),
                fact(
                    "tokens read",
                    count(total.input_tokens),
                    f"written: {count(total.output_tokens)}",
                ),
            )
        ),
        el("h3", "By model and role"),
        table(list(COLUMNS), rows, "usage by model and role"),
        *([el("h3", "Replies that were of no use"), lost] if reasons else []),
    )


def spent(usage: Usage) -> Markup:
    """What was spent, or at least was, as one fact."""
    total, known = usage.total.cost, usage.known_cost
    if total is not None:
        each = f"{dollars(total / usage.texts)} a text" if usage.texts else ""
        return fact("spent", dollars(total), each)
    if known is None:
        return fact("spent", ABSENT, "no price is known")
    unknown = short_names([row.model for row in usage.rows if row.cost is None])
    return fact("spent", f"≥ {dollars(known)}", f"cost of {', '.join(unknown)} {ABSENT}")
