"""Figures against k, a line for every model; and the lab's section on full marks by split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from unparrot.analysis.model.competence import Bounded, Metric
from unparrot.analysis.schema import LabSummary, Model
from unparrot.core.estimate import Estimate
from unparrot.core.wording import METRIC_NAMES, count, hundredths, interval, split_name
from unparrot.report.contents import AnyContents, Contents
from unparrot.report.draw.chart import Chart, Drawing, Series, Shade, Style
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import folded, grid, numbers, section
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.theme import DASHES

AXIS = "k, the number of skills asked for at once"
TITLES: Mapping[Metric, str] = {
    "full_marks": "All or nothing: full marks",
    "skill_fraction": "Smooth: skill fraction",
}
QUARTERS = (0, 0.25, 0.5, 0.75, 1)
PARROT_STYLES: Sequence[Style] = ("dashes", "dotted", "dash-dot")
PANELS = {
    "seen": "Seen combinations",
    "heldout_pair": "Held-out pairs of skills",
    "heldout_topic": "Held-out topic × skill",
    "heldout_triple": "Held-out triples of skills",
}
Pick = Callable[[Model, int], Estimate | None]


def slug(name: str) -> str:
    """Make a part of a file name, for example ``t0-7`` of ``t0.7``."""
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").lower()


def whole(share: float) -> str:
    """Write a tick of an axis whose meaning holds the percent sign."""
    return hundredths(share, 0)


SHARES: Any = {
    "y_percent": True,
    "y_limits": (-0.03, 1.03),
    "y_ticks": QUARTERS,
    "y_words": whole,
}
"""The vertical axis of a chart of shares, from 0 to 100 %."""


def panel_title(split: str) -> str:
    """Return the heading of a panel, for example 'Held-out pairs of skills'."""
    words = split_name(split)
    return PANELS.get(split, words[:1].upper() + words[1:])


def k_chart(title: str, subtitle: str, ks: Sequence[int], series: Sequence[Series]) -> Chart:
    """Make a chart of shares against k, from 0 to 100 %."""
    return Chart(
        title,
        subtitle,
        AXIS,
        series,
        x_limits=(ks[0] - 0.35, ks[-1] + 0.35),
        x_ticks=ks,
        **SHARES,
    )


def model_series(contents: AnyContents, ks: Sequence[int], pick: Pick) -> list[Series]:
    """Make a line for every model shown, parrots in grey; ``pick`` gives its estimate at k."""
    lines: list[Series] = []
    parrots = 0
    for model in contents.shown:
        estimates = [pick(model, k) for k in ks]
        line = Series.of(
            contents.labels[model.name],
            ks,
            estimates,
            bounds=[e.bounds if isinstance(e, Bounded) else None for e in estimates],
            role=contents.roles[model.name],
            marker="o",
        )
        if model.is_parrot:
            style, marker = PARROT_STYLES[parrots % 3], "sDv^"[parrots % 4]
            line = replace(line, quiet=True, style=style, marker=marker)
            parrots += 1
        lines.append(line)
    return lines


def k_table(contents: AnyContents, write: Callable[[Model, int], str], label: str) -> Markup:
    """Fold the numbers of a figure against k: models by k."""
    rows = [[model.name, *(write(model, k) for k in contents.ks)] for model in contents.models]
    return numbers(["model", *(f"k = {k}" for k in contents.ks)], rows, label)


def picked(contents: AnyContents, metric: Metric, split: str, decoding: str) -> Pick:
    """Return what gives a metric of a model at k, on the split that continues there."""

    def pick(model: Model, k: int) -> Bounded | None:
        cell = model.cell(k, contents.split_at(split, k), decoding)
        return cell and cell.metric(metric)

    return pick


def panel_table(contents: AnyContents, metric: Metric, split: str, decoding: str) -> Markup:
    """Fold the numbers of one panel."""
    pick = picked(contents, metric, split, decoding)
    label = f"{METRIC_NAMES[metric]}, {split_name(split)}, {decoding}"
    return k_table(contents, lambda model, k: interval(pick(model, k)), label)


def _panel(contents: AnyContents, split: str, decoding: str) -> Chart:
    ks, trained = contents.ks, contents.trained_k
    lines = model_series(contents, ks, picked(contents, "full_marks", split, decoding))
    chart = k_chart(panel_title(split), f"full marks, %  ·  {decoding}", ks, lines)
    if trained is None or not contents.untrained(ks[-1]):
        return chart
    return replace(chart, shades=[Shade(trained + 0.5, ks[-1] + 0.35, "never trained")])


def full_marks_by_split(contents: Contents[LabSummary], press: Press) -> Markup:
    """Full marks against k, seen beside held out; other decodings in a fold."""
    blocks: list[Markup] = []
    for decoding in contents.decodings or ("greedy",):
        major: list[Markup] = []
        minor: list[Markup] = []
        for split in PANELS:
            if split not in contents.splits and split != "seen":
                continue
            name = f"full-marks-{slug(split)}-{slug(decoding)}"
            figure = press.figure(
                Drawing(name, [_panel(contents, split, decoding)]),
                panel_table(contents, "full_marks", split, decoding),
            )
            (major if split in ("seen", "heldout_pair") else minor).append(figure)
        block = join(grid(*major), grid(*minor, kind=" minor"))
        title = f"The same at {decoding}"
        blocks.append(block if decoding == "greedy" else folded(title, block, kind="fold"))
    return section(
        "full-marks",
        "Full marks against the number of skills",
        [
            "A text earns full marks only if it shows every skill asked for, keeps to the topic, "
            "makes sense and is short enough. Each line is one model; the bands are 95 % "
            "intervals. Dashed grey lines are the parrots: programs with a rule each, which had "
            "the same training texts, prompts and grader.",
            "First, seen combinations; beside them, texts that ask for two skills which no "
            f"training text put together. Training texts had at most {contents.trained_k} skills, "
            "so in the shaded part every text asks for more than training ever showed.",
        ],
        _legend(contents),
        *blocks,
    )


def _legend(contents: AnyContents) -> Markup:
    """Which colour and dash is which model."""
    rows: list[Markup] = []
    for line, model in zip(
        model_series(contents, [], lambda model, k: None), contents.shown, strict=True
    ):
        dash = DASHES.get(line.style)
        stroke = el(
            "line",
            x1="0",
            x2="30",
            y1="5",
            y2="5",
            stroke=f"var(--{line.role})",
            stroke_width="2.5",
            stroke_dasharray=" ".join(f"{part:g}" for part in dash) if dash else None,
        )
        kind = "parrot" if model.is_parrot else f"transformer, {count(model.params)} parameters"
        picture = el("svg", stroke, viewBox="0 0 30 10", aria_hidden="true")
        rows.append(el("li", picture, model.name, title=kind))
    return el("ul", *rows, class_="legend", aria_label="Models")
