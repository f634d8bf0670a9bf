"""The section on the composition gap: full marks beside what single skills would give by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unparrot.analysis.model.composition import CompositionGap
from unparrot.analysis.schema import LabSummary, Model
from unparrot.core.wording import interval, percent
from unparrot.report.contents import AnyContents
from unparrot.report.draw.chart import Chart, Drawing, Rule
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import grid, numbers, section
from unparrot.report.html.markup import Markup
from unparrot.report.sections.against_k import k_chart, model_series, panel_title

TOP = 1.25  # gaps above are cut off in the figure, not in the table


def composition_gap(
    contents: AnyContents, press: Press, splits: Sequence[str], decoding: str
) -> Markup | None:
    """Gap against k, by split; None without any gap.

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
    lab = isinstance(contents.summary, LabSummary)
    if not any(lab or gap.predicted for gap in gaps):
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
        grid(*(_figure(contents, press, split, decoding) for split in splits)),
    )


def _figure(contents: AnyContents, press: Press, split: str, decoding: str) -> Markup:
    ks = [k for k in contents.ks if k > 1]

    def pick(model: Model, k: int) -> CompositionGap | None:
        where = (k, contents.split_at(split, k), decoding)
        return next((g for g in model.composition if (g.k, g.split, g.decoding) == where), None)

    lines = model_series(contents, ks, lambda model, k: (g := pick(model, k)) and g.gap)
    title, subtitle = panel_title(split), "full marks / product of single rates, %"
    chart: Chart = replace(
        k_chart(title, subtitle, ks, lines), y_limits=(-0.03, TOP), rules=[Rule(1)]
    )
    rows = [
        [
            model.name,
            str(k),
            percent(gap.measured.value),
            percent(gap.predicted and gap.predicted.value),
            interval(gap.gap) + (f" ({gap.reason})" if gap.reason else ""),
        ]
        for model in contents.models
        for k in ks
        if (gap := pick(model, k)) is not None
    ]
    head = ["model", "k", "full marks", "product of single rates", "gap"]
    return press.figure(
        Drawing(f"composition-{split.replace('_', '-')}", [chart]),
        numbers(head, rows, f"composition gap, {split}"),
    )
