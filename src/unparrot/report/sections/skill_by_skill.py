"""Single skills: heat maps of a run of the lab, and a strip for each skill of language models."""

from collections.abc import Sequence

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, hundredths, interval, split_name
from unparrot.report.contents import AnyContents
from unparrot.report.html.layout import grid, grouped, numbers, section, strip
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import panel_title

TEASER = "How often each model earned the mark of each skill"
MOST_OPEN = 24  # skills up to which every category is open
Rates = dict[str, Sequence[Estimate | None]]


def _categories(contents: AnyContents, split: str = "") -> dict[str, Rates]:
    """Category to skill to the rate of each model, over this split or any."""
    every = [(model.name, rate) for model in contents.models for rate in model.per_skill]
    earned = {(name, r.skill): r.earned for name, r in every if split in ("", r.split)}
    groups: dict[str, Rates] = {}
    for _, rate in every:
        rates = [earned.get((model.name, rate.skill)) for model in contents.shown]
        groups.setdefault(rate.category, {})[rate.skill] = rates
    return groups


def heat_maps(contents: AnyContents) -> Markup:
    """How often every model earned every skill's mark: over all texts (or seen), and held-out."""
    measured = {rate.split for model in contents.models for rate in model.per_skill}
    first = [split for split in ("seen", "all") if split in measured][:1]
    splits = [*first, *({"heldout_pair"} & measured)]
    title = "Skill by skill"
    if not splits:
        return section("skills", title, [f"Marks by skill: {ABSENT}."])
    words = (
        "How often each skill's mark was earned, in percent, whatever else was asked for; greedy."
    )
    maps = [_heat_map(contents, split) for split in splits]
    return section("skills", title, [words], grid(*maps), teaser=TEASER)


def _heat_map(contents: AnyContents, split: str) -> Markup:
    """Shares as depth of colour and as a number, skills in groups; and the numbers behind them."""
    label = f"marks by skill, {split_name(split)}"
    names = [model.name for model in contents.shown]
    body: dict[str, list[Markup]] = {}
    rows: list[list[str]] = []
    for category, rates in sorted(_categories(contents, split).items()):
        for skill, row in sorted(rates.items()):
            shares = el("tr", el("th", skill, scope="row"), *map(_depth, row))
            body.setdefault(category or "other", []).append(shares)
            rows.append([skill, category, *map(interval, row)])
    head = [
        el("span", m.name, style=f"color:var(--{contents.roles[m.name]})") for m in contents.shown
    ]
    return el(
        "figure",
        el("h4", panel_title(split)),
        grouped(["skill", *head], body, label, "heat"),
        numbers(["skill", "category", *names], rows, label),
    )


def _depth(rate: Estimate | None) -> Markup:
    if rate is None or rate.value is None:
        return el("td", "–", title=ABSENT)
    look = {"style": f"--share:{rate.value:.2f}", "title": interval(rate)}
    return el("td", hundredths(rate.value, 0), **look)


def strips(contents: AnyContents) -> Markup | None:
    """How often each skill's mark was earned, by category; None where skills may not be named."""
    groups = _categories(contents)
    if not groups:
        return None
    whole = {
        (model.name, category): earned
        for model in contents.models
        for category, earned in model.per_category.items()
    }
    names = [model.name for model in contents.models]
    few = sum(map(len, groups.values())) <= MOST_OPEN
    blocks: list[Markup] = []
    for category, rates in groups.items():
        rows = [_row(skill, row) for skill, row in rates.items()]
        if category:
            pooled = [whole.get((name, category)) for name in names]
            title = el("summary", _row(f"{category} ({len(rows)})", pooled))
            blocks.append(el("details", title, *rows, open="open" if few else None))
        else:
            blocks.append(el("div", *rows, class_="kind"))
    head = el("div", el("span", ""), *(el("span", name) for name in names), class_="row head")
    words = "How often each skill's mark was earned, whatever else was asked for, with 95 % "
    words += "intervals. A skill is in few texts, so most intervals are wide."
    if len(groups) > 1:
        words += " A category opens to show its skills."
    elif "" in groups:
        words += " The run does not say which category a skill is of."
    look = {"class_": "skills", "style": f"--n:{len(names)}", "tabindex": "0", "role": "group"}
    made = el("div", head, *blocks, **look, aria_label="Skills of every model")
    return section("skills", "Skill by skill", [words], made, teaser=TEASER)


def _row(name: str, rates: Sequence[Estimate | None]) -> Markup:
    cells: list[Markup] = []
    for rate in rates:
        n = f" · n\u00a0=\u00a0{rate.n}" if rate and rate.n else ""
        cells.append(el("span", el("small", interval(rate) + n), strip(rate)))
    return el("span", el("span", name), *cells, class_="row")
