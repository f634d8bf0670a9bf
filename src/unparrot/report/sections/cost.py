"""The section on what a run of language models cost: calls, tokens, dollars, seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unparrot.analysis.schema import SkillMixSummary
from unparrot.analysis.spending import Spent, Usage
from unparrot.core.wording import ABSENT, count, dollars, seconds, short_names
from unparrot.report.contents import Contents
from unparrot.report.html.layout import fact, section, table
from unparrot.report.html.markup import Markup, el

STEPS = {"turn": "writing", "grading": "grading"}
COLUMNS: Mapping[str, Callable[[Spent], str]] = {
    "calls": lambda spent: count(spent.calls),
    "attempts": lambda spent: count(spent.attempts),
    "failed": lambda spent: count(spent.failed),
    "of no use": lambda spent: count(spent.unusable),
    "tokens read": lambda spent: count(spent.input_tokens),
    "written": lambda spent: count(spent.output_tokens),
    "of these reasoning": lambda spent: count(spent.reasoning_tokens),
    "cost": lambda spent: dollars(spent.cost),
}


def cost(contents: Contents[SkillMixSummary]) -> Markup | None:
    """Usage by model and role; None where the run has no record of it."""
    usage = contents.summary.usage
    if usage is None:
        return None

    def row(model: str, role: str, spent: Spent, *latencies: str) -> list[str]:
        return [model, role, *(write(spent) for write in COLUMNS.values()), *latencies]

    rows = [
        row(
            own.model,
            own.role,
            own,
            seconds(own.latency and own.latency.median),
            seconds(own.latency and own.latency.nine_tenths),
        )
        for own in sorted(usage.rows, key=lambda own: own.role != "student")
    ]
    rows.append(row("all", "", usage.total, "", ""))
    reasons = [
        [lost.reason, STEPS.get(lost.step, lost.step), count(lost.calls)] for lost in usage.unusable
    ]
    lost = table(["why", "step", "calls"], reasons, "replies of no use by reason")
    return section(
        "cost",
        "What it cost",
        ["What a provider did not report, or a price that is not known, is not measured, never 0."],
        table(
            ["model", "role", *COLUMNS, "median latency", "nine in ten under"],
            rows,
            "usage by model and role",
        ),
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
