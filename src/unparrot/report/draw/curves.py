"""Lines against k with bands for their intervals: what most figures of the page are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, percent
from unparrot.report.contents import Contents
from unparrot.report.draw.paint import (
    Colours,
    Drawing,
    axis_label,
    end_labels,
    heading,
    plot_axes,
)

WIDTH, HEIGHT = 450.0, 330.0
AXIS = "k, the number of skills asked for at once"
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """One line against k.

    Parameters
    ----------
    label, role
        Its name, written at its right end, and the role of its colour.
    points
        k and estimate, k rising; estimates without a value are left out.
    bounds
        For some k, what the value would be had all unscored marks been missed, or earned; drawn as
        a dotted bar.
    line, marker
        As matplotlib has them.
    quiet
        Draw it thinner, behind the others.
    """

    label: str
    role: str
    points: Sequence[tuple[int, Estimate]]
    bounds: Sequence[tuple[int, Bounds]] = ()
    line: object = "-"
    marker: str = "o"
    quiet: bool = False


def label_room(names: Sequence[str]) -> float:
    """Return the width in pixels that the longest label takes, between 40 and 150."""
    return min(150.0, max(40.0, 6.9 * max((len(name) for name in names), default=0) + 16))


def draw_curves(axes: Axes, colours: Colours, curves: Sequence[Curve], ks: Sequence[int]) -> None:
    """Draw curves in percent from 0 to 100 over these k, and name them."""
    labels: list[tuple[float, float, str, str]] = []
    for i, curve in enumerate(curves):
        colour = colours[curve.role]
        _draw_bounds(axes, curve, colour, (i - (len(curves) - 1) / 2) * 0.05)
        points = [(k, e.value) for k, e in curve.points if e.value is not None]
        if not points:
            tops = [(k, 100 * high) for k, (_, high) in curve.bounds]
            if tops:
                labels.append((*tops[-1], curve.label, colour))
            continue
        bands = [
            (k, e.low, e.high) for k, e in curve.points if e.low is not None and e.high is not None
        ]
        axes.fill_between(
            [k for k, _, _ in bands],
            [100 * low for _, low, _ in bands],
            [100 * high for _, _, high in bands],
            color=colour,
            alpha=0.14,
            linewidth=0,
        )
        if len(bands) == 1:  # a band needs two k to be seen
            ((k, low, high),) = bands
            axes.vlines([k], [100 * low], [100 * high], colors=colour, linewidth=6, alpha=0.22)
        axes.plot(
            [k for k, _ in points],
            [100 * value for _, value in points],
            color=colour,
            linestyle=curve.line,
            linewidth=1.5 if curve.quiet else 2.2,
            marker=curve.marker,
            markersize=3.5 if curve.quiet else 4.5,
            markeredgewidth=0,
            solid_capstyle="round",
            zorder=2 if curve.quiet else 3,
        )
        labels.append((points[-1][0], 100 * points[-1][1], curve.label, colour))
    axes.set_xticks(list(ks))
    axes.yaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    end_labels(axes, labels, (0, 100), 100 * 14 / (HEIGHT - 102))
    axis_label(axes, colours, AXIS)


def _draw_bounds(axes: Axes, curve: Curve, colour: str, shift: float) -> None:
    known = {k for k, estimate in curve.points if estimate.value is not None}
    for k, (low, high) in curve.bounds:
        at = k + shift
        axes.vlines(
            [at], [100 * low], [100 * high], colors=colour, linewidth=1.6,
            linestyles=(0, (1, 1.6)),
        )  # fmt: skip
        if k not in known:  # nothing else is drawn there
            axes.hlines([100 * low, 100 * high], at - 0.05, at + 0.05, colors=colour, linewidth=1.6)


def model_curves(
    contents: Contents, pick: Callable[[int, int], tuple[Estimate, Bounds | None]]
) -> list[Curve]:
    """Make a curve for every model of a page.

    Parameters
    ----------
    contents
        The page.
    pick
        From the number of a model and k, its estimate and its bounds.
    """
    curves: list[Curve] = []
    for i, model in enumerate(contents.models):
        found = [(k, *pick(i, k)) for k in contents.ks]
        curves.append(
            Curve(
                model.label,
                f"m{i}",
                [(k, estimate) for k, estimate, _ in found],
                [(k, bounds) for k, _, bounds in found if bounds is not None],
            )
        )
    return curves


def k_chart(name: str, title: str, subtitle: str, curves: Sequence[Curve]) -> Drawing:
    """Make a figure of curves that share an axis of k.

    Parameters
    ----------
    name
        File name without its ending.
    title, subtitle
        What the figure is of, and what its vertical axis means, in percent.
    curves
        At least one, over the same k.
    """
    ks = [k for k, _ in curves[0].points]

    def paint(figure: Figure, colours: Colours) -> None:
        room = label_room([curve.label for curve in curves])
        axes = plot_axes(figure, colours, (36, 42, WIDTH - 36 - room, HEIGHT - 42 - 60))
        axes.set_xlim(ks[0] - 0.35, ks[-1] + 0.35)
        axes.set_ylim(-3, 103)
        draw_curves(axes, colours, curves, ks)
        heading(axes, colours, title, subtitle)

    return Drawing(name, _alt(title, subtitle, curves), WIDTH, HEIGHT, paint)


def _alt(title: str, subtitle: str, curves: Sequence[Curve]) -> str:
    parts = [
        f"{curve.label}: "
        + (
            ", ".join(
                f"{percent(estimate.value)} at k={k}"
                for k, estimate in curve.points
                if estimate.value is not None
            )
            or ABSENT
        )
        for curve in curves
    ]
    return f"Line chart: {title}, {subtitle}, against k. {'; '.join(parts)}."
