"""The section on what a run of language models cost: calls, tokens, dollars, seconds."""

from collections.abc import Callable, Mapping

from msgspec.structs import asdict

from unparrot.analysis.schema import SkillMixSummary
from unparrot.analysis.spending import SpentRow, Usage
from unparrot.core.wording import ABSENT, count, dollars, seconds, short_names
from unparrot.report.contents import Contents
from unparrot.report.html.layout import columns, fact, section, table
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
    "median latency": lambda row: seconds(row.median),
    "nine in ten under": lambda row: seconds(row.nine_tenths),
}


def cost(contents: Contents[SkillMixSummary]) -> Markup | None:
    """Usage by model and role, and of all; None where the run has no record of it."""
    usage = contents.summary.usage
    if usage is None:
        return None
    rows = sorted(usage.rows, key=lambda row: row.role != "student")
    spent_by_all = asdict(usage.total)
    rows.append(SpentRow(**spent_by_all, model="all", role="", median=None, nine_tenths=None))
    reasons = [
        [lost.reason, STEPS.get(lost.step, lost.step), count(lost.calls)] for lost in usage.unusable
    ]
    lost = table(["why", "step", "calls"], reasons, "replies of no use by reason")
    return section(
        "cost",
        "What it cost",
        ["What a provider did not report, or a price that is not known, is not measured, never 0."],
        table(*columns(rows, COLUMNS), "usage by model and role"),
        *([el("h4", "Replies that were of no use"), lost] if reasons else []),
        teaser="Calls, tokens, dollars and seconds, by model",
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
