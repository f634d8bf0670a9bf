"""The heat map: how often every model earned every skill's mark, grouped by category."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, split_name
from unparrot.report.contents import Contents
from unparrot.report.draw.paint import Colours, Drawing
from unparrot.report.sections.against_k import slug

NAMED_ROWS = 60  # with more skills than this the rows are thin and only categories are named


def skill_rows(contents: Contents) -> list[tuple[str, str]]:
    """Return (category, skill) in order of category, each skill once."""
    found = {(rate.category, rate.skill) for model in contents.models for rate in model.per_skill}
    return sorted(found)


def rates(contents: Contents, split: str) -> dict[tuple[str, str], Estimate]:
    """Return (model, skill) -> estimate of one split."""
    return {
        (model.name, rate.skill): rate.earned
        for model in contents.models
        for rate in model.per_skill
        if rate.split == split
    }


def heat_splits(contents: Contents) -> list[str]:
    """Return the splits the heat maps show: all (or seen), and held-out pair."""
    found = {rate.split for model in contents.models for rate in model.per_skill}
    first = next((split for split in ("seen", "all") if split in found), None)
    return [s for s in (first, "heldout_pair") if s is not None and s in found]


def heat_map(contents: Contents, split: str) -> Drawing:
    """Draw skills by models, the share earned as depth of colour and as a number."""
    rows = skill_rows(contents)
    named = len(rows) <= NAMED_ROWS
    row_high = 19.0 if named else max(2.0, 1100 / len(rows))
    longest = max((len(skill) for _, skill in rows), default=0)
    left = min(230.0, 6.4 * longest + 16) if named else 120.0
    column = max(34.0, min(62.0, (460 - left) / max(1, len(contents.models))))
    categories = sorted({category for category, _ in rows})
    space = 20.0 if named else 14.0
    width = left + column * len(contents.models) + 8
    body = row_high * len(rows) + space * len(categories)
    longest_model = max((len(m.name) for m in contents.models), default=0)
    top = 58.0 + max(16.0, 4.4 * longest_model)
    parts = [f"{m.name}: {len(m.per_skill)} figures" for m in contents.models]
    return Drawing(
        f"skills-{slug(split)}",
        f"Heat map: share of texts in which each of {len(rows)} skills earned its mark, "
        f"{split_name(split)}, greedy, by model ({'; '.join(parts)}). The numbers are in the "
        "table below.",
        width,
        top + body + 22,
        partial(_paint, contents, split, (left, top, column, row_high, space), named),
    )


def _paint(
    contents: Contents,
    split: str,
    sizes: tuple[float, float, float, float, float],
    named: bool,
    figure: Figure,
    colours: Colours,
) -> None:
    left, top, column, row_high, space = sizes
    width, height = figure.get_size_inches() * 72
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    words = split_name(split)
    axes.text(
        2,
        18,
        f"Skill by skill: {words}",
        color=colours["ink"],
        fontsize=14,
        fontweight="bold",
        va="center",
    )
    axes.text(2, 38, "mark earned, %  ·  greedy", color=colours["soft"], fontsize=11, va="center")
    transformers = list(contents.transformers)
    for j, model in enumerate(contents.models):
        role = "parrot" if model.is_parrot else f"m{transformers.index(model)}"
        axes.text(
            left + (j + 0.5) * column,
            top - 6,
            model.name,
            color=colours[role],
            fontsize=10.5,
            rotation=40 if len(model.name) > 5 else 0,
            rotation_mode="anchor",
            ha="left" if len(model.name) > 5 else "center",
            va="baseline",
        )
    found = rates(contents, split)
    y, last = top, None
    for category, skill in skill_rows(contents):
        if category != last:
            axes.text(
                2,
                y + space / 2 + 2,
                category.upper() or "OTHER",
                color=colours["accent"],
                fontsize=9,
                fontweight="bold",
                va="center",
            )
            y += space
            last = category
        if named:
            axes.text(
                left - 8,
                y + row_high / 2,
                skill,
                color=colours["ink"],
                fontsize=10.5,
                ha="right",
                va="center_baseline",
            )
        for j, model in enumerate(contents.models):
            value = found[(model.name, skill)].value if (model.name, skill) in found else None
            x = left + j * column
            axes.add_patch(
                Rectangle(
                    (x + 0.75, y + (0.75 if named else 0)),
                    column - 1.5,
                    row_high - (1.5 if named else 0),
                    facecolor="none" if value is None else colours["heat"],
                    edgecolor=colours["rule"] if value is None else "none",
                    linewidth=0.7,
                    linestyle=":",
                    alpha=None if value is None else 0.06 + 0.94 * value,
                )
            )
            if named:
                axes.text(
                    x + column / 2,
                    y + row_high / 2,
                    "–" if value is None else f"{100 * value:.0f}",
                    color=colours["soft" if value is None else "onheat" if value > 0.78 else "ink"],
                    fontsize=9.5,
                    ha="center",
                    va="center_baseline",
                )
        y += row_high
    axes.text(
        2,
        height - 8,
        f"– {ABSENT}",
        color=colours["soft"],
        fontsize=10,
        va="center_baseline",
    )
