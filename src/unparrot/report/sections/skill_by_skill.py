"""The section on single skills of language models: a strip for each, by category."""

from __future__ import annotations

from typing import Any, cast

from unparrot.core.estimate import Estimate
from unparrot.core.wording import interval
from unparrot.report.contents import NOT_MEASURED, Contents
from unparrot.report.draw.strip import strip
from unparrot.report.html.layout import section
from unparrot.report.html.markup import Markup, el
from unparrot.report.reading import estimate_of

MOST_OPEN = 24
"""Skills up to which every category is open."""
SKILLS_CSS = (
    ".skills{margin:18px 0 0 -20px;padding-left:20px;overflow-x:auto}"
    ".skills details,.skills .kind{border-top:1px solid var(--rule);margin:0;padding:2px 0}"
    ".skills summary{list-style-position:outside;color:var(--ink)}"
    ".row{display:grid;grid-template-columns:minmax(120px,1.2fr) repeat(var(--n),"
    "minmax(104px,1fr));"
    "gap:4px 16px;align-items:center;padding:4px 0;font-size:14px;line-height:1.3}"
    ".row small{color:var(--soft);font-size:12.5px;font-variant-numeric:tabular-nums}"
    ".skills summary .row{display:inline-grid;width:100%;vertical-align:middle;"
    "font-weight:650}.skills details .row,.skills .kind .row{padding-left:4px}"
    ".skills .row.head{color:var(--soft);font-size:13px;overflow-wrap:anywhere;padding-left:4px}"
    "@media (max-width:760px){.row{grid-template-columns:repeat(var(--n),minmax(100px,1fr))}"
    ".row>:first-child{grid-column:1/-1}.row.head>:first-child{display:none}}"
)


def skill_rates(contents: Contents) -> Markup | None:
    """How often each skill's mark was earned; None where skills may not be named."""
    asked = dict.fromkeys(rate.skill for model in contents.models for rate in model.per_skill)
    if not asked:
        return None
    kinds = {rate.skill: rate.category for m in contents.models for rate in m.per_skill}
    found = {
        (model.name, rate.skill): rate.earned
        for model in contents.models
        for rate in model.per_skill
    }
    whole = {
        (str(row["name"]), str(rate["category"])): estimate_of(rate["earned"], str(row["name"]))
        for row in cast(list[dict[str, Any]], contents.summary["models"])
        for rate in cast(list[dict[str, Any]], row.get("per_category") or [])
    }
    names = [model.name for model in contents.models]
    groups: dict[str, list[str]] = {}
    for skill in asked:
        groups.setdefault(kinds[skill], []).append(skill)
    blocks: list[Markup] = []
    for kind, skills in groups.items():
        rows = [_row(skill, [found.get((name, skill)) for name in names]) for skill in skills]
        if not kind:
            blocks.append(el("div", *rows, class_="kind"))
            continue
        title = _row(f"{kind} ({len(skills)})", [whole.get((name, kind)) for name in names])
        blocks.append(
            el(
                "details",
                el("summary", title),
                *rows,
                open="open" if len(asked) <= MOST_OPEN else None,
            )
        )
    head = el("div", el("span", ""), *(el("span", name) for name in names), class_="row head")
    words = "How often each skill's mark was earned, whatever else was asked for, with 95 % "
    words += "intervals. A skill is in few texts, so most intervals are wide."
    if len(groups) > 1:
        words += " A category opens to show its skills."
    elif "" in groups:
        words += " The run does not say which category a skill is of."
    return section(
        "skills",
        "Skill by skill",
        [words],
        el(
            "div",
            head,
            *blocks,
            class_="skills",
            style=f"--n:{len(names)}",
            tabindex="0",
            role="region",
            aria_label="Skills of every model",
        ),
    )


def _row(name: str, rates: list[Estimate | None]) -> Markup:
    cells: list[Markup] = []
    for rate in rates:
        estimate = rate or NOT_MEASURED
        n = f" · n\u00a0=\u00a0{estimate.n}" if estimate.n else ""
        cells.append(el("span", el("small", f"{interval(estimate)}{n}"), strip(estimate)))
    return el("span", el("span", name), *cells, class_="row")
