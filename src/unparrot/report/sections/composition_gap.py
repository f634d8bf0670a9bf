"""The section on the composition gap: full marks beside what single skills would give by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, interval, percent
from unparrot.report.contents import Contents
from unparrot.report.draw.curves import HEIGHT, WIDTH, label_room
from unparrot.report.draw.paint import (
    Colours,
    Drawing,
    axis_label,
    end_labels,
    heading,
    plot_axes,
)
from unparrot.report.html.layout import Press, grid, section
from unparrot.report.html.markup import Markup, el
from unparrot.report.html.tables import folded, table
from unparrot.report.sections.against_k import panel_title, split_at, styles

Row = dict[str, Any]
SHOWN = ("seen", "heldout_pair")
TOP = 1.25  # gaps above are cut off in the figure, not in the table


def composition(
    contents: Contents, press: Press, splits: Sequence[str] = SHOWN, decoding: str = "greedy"
) -> Markup | None:
    """Gap against k, by split, and where the smooth metric leaps too; None without any gap.

    Parameters
    ----------
    contents, press
        The page.
    splits
        One figure for each.
    decoding
        Which texts.
    """
    rows = _rows(contents, decoding)
    if not rows or (contents.protocol and not any(row["predicted"] for row in rows.values())):
        return None
    figures = [
        press.figure(gap_by_k(contents, split, decoding), _table(contents, split, decoding))
        for split in splits
    ]
    steps = [
        el("li", str(row["statement"]))
        for row in cast(list[Row], contents.summary.get("emergence") or [])
    ]
    return section(
        "composition",
        "Is it combination, or only skill?",
        [
            "If skills came one by one, as if drawn from an urn, full marks would be the product "
            "of the rates of the single marks. The composition gap is full marks over that "
            "product: 100 % says that putting skills together costs nothing beyond having them. "
            "What is only recall is high on the left and low on the right.",
        ],
        grid(*figures),
        el(
            "div",
            folded(
                "Where the ladder leaps: sharp and smooth metrics, step by step", el("ul", *steps)
            ),
            class_="text-wide",
        )
        if steps
        else Markup(),
    )


def _rows(contents: Contents, decoding: str) -> dict[tuple[str, int, str], Row]:
    """The gaps of one decoding, by model, k and split."""
    return {
        (str(model["name"]), int(row["k"]), str(row["split"])): row
        for model in cast(list[Row], contents.summary["models"])
        for row in cast(list[Row], model.get("composition") or [])
        if row["decoding"] == decoding
    }


def _gap(row: Row | None) -> Estimate | None:
    return None if row is None or row["gap"] is None else Estimate(**row["gap"])


def gap_by_k(contents: Contents, split: str, decoding: str = "greedy") -> Drawing:
    """One line a model: the gap against k, with bands."""
    rows = _rows(contents, decoding)
    ks = [k for k in contents.ks if k > 1]

    def paint(figure: Figure, colours: Colours) -> None:
        room = label_room([m.label for m in contents.models])
        axes = plot_axes(figure, colours, (40, 42, WIDTH - 40 - room, HEIGHT - 42 - 60))
        axes.set_xlim(ks[0] - 0.35, ks[-1] + 0.35)
        axes.set_ylim(-0.03, TOP)
        axes.axhline(1, color=colours["soft"], linewidth=1, linestyle=(0, (1.5, 2)))
        labels: list[tuple[float, float, str, str]] = []
        for model, role, line, marker in styles(contents):
            found = [
                (k, _gap(rows.get((model.name, k, split_at(split, k, contents.trained_k)))))
                for k in ks
            ]
            points = [(k, e, e.value) for k, e in found if e is not None and e.value is not None]
            if not points:
                continue
            colour = colours[role]
            bands = [(k, e.low, e.high) for k, e, _ in points if e.low is not None]
            axes.fill_between(
                [k for k, _, _ in bands],
                [low or 0.0 for _, low, _ in bands],
                [min(high or 0.0, TOP) for _, _, high in bands],
                color=colour,
                alpha=0.12,
                linewidth=0,
            )
            axes.plot(
                [k for k, _, _ in points],
                [value for _, _, value in points],
                color=colour,
                linestyle=line,
                linewidth=1.5 if model.is_parrot else 2.2,
                marker=marker,
                markersize=4,
                markeredgewidth=0,
            )
            labels.append((points[-1][0], min(points[-1][2], TOP), model.label, colour))
        axes.set_xticks(ks)
        axes.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
        end_labels(axes, labels, (0, TOP), TOP * 14 / (HEIGHT - 102))
        axis_label(axes, colours, "k, the number of skills asked for at once")
        heading(axes, colours, panel_title(split), "full marks / product of single rates, %")

    parts = [
        f"{m.name}: "
        + ", ".join(
            f"k={k} {percent(e.value)}"
            for k in ks
            if (e := _gap(rows.get((m.name, k, split_at(split, k, contents.trained_k)))))
            is not None
        )
        for m in contents.models
    ]
    return Drawing(
        f"composition-{split.replace('_', '-')}",
        f"Line chart: composition gap against k, {panel_title(split).lower()}. {'; '.join(parts)}.",
        WIDTH,
        HEIGHT,
        paint,
    )


def _table(contents: Contents, split: str, decoding: str) -> Markup:
    rows = _rows(contents, decoding)
    body: list[list[str]] = []
    for model in contents.models:
        for k in (k for k in contents.ks if k > 1):
            row = rows.get((model.name, k, split_at(split, k, contents.trained_k)))
            if row is None:
                continue
            gap = _gap(row)
            body.append(
                [
                    model.name,
                    str(k),
                    percent(row["measured"]["value"]),
                    ABSENT if row["predicted"] is None else percent(row["predicted"]["value"]),
                    (ABSENT if gap is None else interval(gap))
                    + (f" ({row['reason']})" if row["reason"] else ""),
                ]
            )
    head = ["model", "k", "full marks", "product of single rates", "gap"]
    return folded("The numbers", table(head, body, f"composition gap, {split}"))
