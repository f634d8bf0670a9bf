"""Figures against k, a line for every model; the lab's full marks by split, the composition gap."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from unparrot.analysis.model.competence import Bounded, Metric
from unparrot.analysis.schema import LabSummary, Model
from unparrot.core.estimate import Estimate
from unparrot.core.wording import (
    ABSENT,
    METRIC_NAMES,
    bounded,
    hundredths,
    interval,
    percent,
    split_name,
)
from unparrot.report.contents import AnyContents, Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series, Shade, Style
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import columns, folded, grid, numbers, section
from unparrot.report.html.markup import Markup, join

AXIS = "k, the number of skills asked for at once"
TITLES: Mapping[Metric, str] = {
    "full_marks": "All or nothing: full marks",
    "skill_fraction": "Smooth: skill fraction",
}
PARROT_STYLES: Sequence[Style] = ("dashes", "dotted", "dash-dot")
PANELS = {
    "seen": "Seen combinations",
    "heldout_pair": "Held-out pairs of skills",
    "heldout_topic": "Held-out topic × skill",
    "heldout_triple": "Held-out triples of skills",
}
HIGHEST_GAP = 1.25  # composition gaps above are cut off in the figure, not in the table
Pick = Callable[[Model, int], Estimate | None]


def slug(name: str) -> str:
    """Make a part of a file name, for example ``t0-7`` of ``t0.7``."""
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").lower()


# writes a tick of an axis whose meaning holds the percent sign
whole = partial(hundredths, digits=0)
# the vertical axis of a chart of shares, from 0 to 100 %
SHARES: Any = {
    "y_percent": True,
    "y_limits": (-0.03, 1.03),
    "y_ticks": (0, 0.25, 0.5, 0.75, 1),
    "y_words": whole,
}


def panel_title(split: str) -> str:
    """Return the heading of a panel, for example 'Held-out pairs of skills'."""
    words = split_name(split)
    return PANELS.get(split, words[:1].upper() + words[1:])


def written(estimate: Estimate | None) -> str:
    """Write an estimate and, where marks are unscored, its bounds."""
    if estimate is None:
        return ABSENT
    return bounded(estimate, estimate.bounds if isinstance(estimate, Bounded) else None)


# --- figures of any run -----------------------------------------------------------------------


def k_chart(
    contents: AnyContents, title: str, subtitle: str, series: Sequence[Series], **look: Any
) -> Chart:
    """Make a chart of shares against k, from 0 to 100 %; k that training never had are shaded."""
    ks, trained = series[0].x if series else contents.ks, contents.trained_k
    shades: list[Shade] = []
    if trained is not None and ks[-1] > trained:
        shades = [Shade(trained + 0.5, ks[-1] + 0.35, "never trained")]
    look = {"x_limits": (ks[0] - 0.35, ks[-1] + 0.35), "x_ticks": ks, "shades": shades} | look
    return Chart(title, subtitle, AXIS, series, **SHARES | look)


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


def k_table(contents: AnyContents, pick: Pick, label: str) -> Markup:
    """Fold the numbers of a figure against k: models by k."""
    head = ["model", *(f"k = {k}" for k in contents.ks)]
    rows = [[m.name, *(written(pick(m, k)) for k in contents.ks)] for m in contents.models]
    return numbers(head, rows, label)


def k_figure(
    contents: AnyContents,
    press: Press,
    name: str,
    title: str,
    subtitle: str,
    pick: Pick,
    label: str,
) -> Markup:
    """Draw what ``pick`` gives against k, and fold its numbers below."""
    chart = k_chart(contents, title, subtitle, model_series(contents, contents.ks, pick))
    return press.figure(Drawing(name, [chart]), k_table(contents, pick, label))


def picked(contents: AnyContents, metric: Metric, decoding: str, split: str = "") -> Pick:
    """Return what gives a metric of a model at k."""

    def pick(model: Model, k: int) -> Bounded | None:
        cell = contents.cell(model, k, decoding, split)
        return cell and cell.metric(metric)

    return pick


def by_decoding(
    contents: AnyContents, block: Callable[[str], Markup | None]
) -> list[Markup | None]:
    """Set a block for each decoding, all but the first in a fold."""
    first, *others = contents.decodings or ("greedy",)
    folds = [folded(f"The same at {name}", block(name), kind="fold") for name in others]
    return [block(first), *folds]


# --- full marks of a run of the lab -----------------------------------------------------------


def full_marks_by_split(contents: Contents[LabSummary], press: Press) -> Markup:
    """Full marks against k, seen beside held out; other decodings in a fold."""

    def panel(split: str, decoding: str) -> Markup:
        return k_figure(
            contents,
            press,
            f"full-marks-{slug(split)}-{slug(decoding)}",
            panel_title(split),
            f"full marks, %  ·  {decoding}",
            picked(contents, "full_marks", decoding, split),
            f"{METRIC_NAMES['full_marks']}, {split_name(split)}, {decoding}",
        )

    splits = [split for split in PANELS if split in contents.splits or split == "seen"]

    def panels(decoding: str) -> Markup:
        shown = [panel(split, decoding) for split in splits]
        rest = " and ".join(panel_title(split) for split in splits[2:])
        return join(grid(*shown[:2]), folded(rest, grid(*shown[2:]), kind="fold") if rest else None)

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
        *by_decoding(contents, panels),
    )


# --- the composition gap ----------------------------------------------------------------------


def composition_gap(
    contents: AnyContents, press: Press, splits: Sequence[str], decoding: str
) -> Markup | None:
    """Full marks over what single skills would give by chance, by split; None without any gap.

    Parameters
    ----------
    contents, press
        The page.
    splits
        One figure for each.
    decoding
        Which texts.
    """
    gaps = [gap for m in contents.models for gap in m.composition if gap.decoding == decoding]
    if not any(gap.predicted for gap in gaps):
        return None
    return section(
        "composition",
        "Is it combination, or only skill?",
        [
            "If skills came one by one, as if drawn from an urn, full marks would be the product "
            "of the rates of the single marks. The composition gap is full marks over that "
            "product: 100 % says that putting skills together costs nothing beyond having them. "
            "What is only recall is high on the left and low on the right.",
        ],
        grid(*(_gap(contents, press, split, decoding) for split in splits)),
    )


def _gap(contents: AnyContents, press: Press, split: str, decoding: str) -> Markup:
    gaps = {
        (model.name, gap.k): gap
        for model in contents.models
        for gap in model.composition
        if (gap.split, gap.decoding) == (contents.split_at(split, gap.k), decoding)
    }

    def pick(model: Model, k: int) -> Estimate | None:
        gap = gaps.get((model.name, k))
        return gap and gap.gap

    lines = model_series(contents, [k for k in contents.ks if k > 1], pick)
    subtitle, limits = "full marks / product of single rates, %", (-0.03, HIGHEST_GAP)
    chart = k_chart(contents, panel_title(split), subtitle, lines, y_limits=limits, rules=[Rule(1)])
    table = columns(
        gaps.values(),
        {
            "model": lambda gap: gap.model,
            "k": lambda gap: str(gap.k),
            "full marks": lambda gap: percent(gap.measured.value),
            "product of single rates": lambda gap: percent(gap.predicted and gap.predicted.value),
            "gap": lambda gap: interval(gap.gap) + (f" ({gap.reason})" if gap.reason else ""),
        },
    )
    below = numbers(*table, f"composition gap, {split}")
    return press.figure(Drawing(f"composition-{slug(split)}", [chart]), below)
