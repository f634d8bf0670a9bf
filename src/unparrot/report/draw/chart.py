"""One chart of lines and points, written as SVG, PNG or PDF: `unparrot theory ... --plot FILE`."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    Locator,
    LogLocator,
    MaxNLocator,
    NullLocator,
)

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write
from unparrot.report.draw.paint import (
    SETTINGS,
    Colours,
    Drawing,
    axis_label,
    heading,
    plot_axes,
    spread,
)
from unparrot.report.draw.theme import Theme

WIDTH, HEIGHT = 660.0, 400.0
ENDINGS = (".svg", ".png", ".pdf")
LETTER = 6.6  # width in pixels of a letter of a label

Style = Literal["line", "dashes", "dots", "steps", "mark"]


@dataclass(frozen=True, slots=True)
class Series:
    """One named line or cloud of points.

    Parameters
    ----------
    label
        Its name, written at its right end.
    x, y
        Same length. Points that are None or not finite are left out, as are those at or below 0
        on a logarithmic axis.
    style
        ``line``, ``dashes``, ``dots`` (points), ``steps``, or ``mark`` (a vertical line at each x;
        y is not used and may be empty).
    low, high
        Ends of an interval for each point: a band around a line, bars at points.
    quiet
        Draw in grey, as the control group of the page is.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    style: Style = "line"
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw: series over two axes.

    Parameters
    ----------
    title, subtitle
        What the chart is of; the subtitle says what the vertical axis means and its unit.
    x_label
        Meaning and unit of the horizontal axis.
    series
        At least one, drawn in this order; their colours run from light to dark.
    alt
        What the chart shows, for those who do not see it.
    x_log, y_log
        Logarithmic axes.
    x_percent, y_percent
        Values are shares, shown as percentages.
    """

    title: str
    subtitle: str
    x_label: str
    series: Sequence[Series]
    alt: str
    x_log: bool = False
    y_log: bool = False
    x_percent: bool = False
    y_percent: bool = False


@dataclass(frozen=True, slots=True)
class _Clean:
    """A series without the points that cannot be drawn."""

    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]


def write_chart(chart: Chart, path: Path) -> Path:
    """Draw the chart into a file, atomically, and return its path.

    Parameters
    ----------
    path
        Its ending chooses the format: ``.svg``, ``.png`` or ``.pdf``.

    Raises
    ------
    BadInput
        If the ending is another one, or no series has a point that can be drawn.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadInput(f"cannot draw into {path}: name a file that ends in .svg, .png or .pdf")
    theme = Theme.of(transformers=max(len(chart.series), 1), ks=1)

    def paint(figure: Figure, colours: Colours) -> None:
        _paint(figure, colours, chart)

    drawing = Drawing("chart", chart.alt, WIDTH, HEIGHT, paint)
    if ending == ".pdf":
        with mpl.rc_context(SETTINGS):
            figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
            paint(figure, theme.light)
            FigureCanvasPdf(figure)
            buffer = io.BytesIO()
            figure.savefig(
                buffer, format="pdf", metadata={"CreationDate": None, "Title": chart.title}
            )
        data = buffer.getvalue()
    else:
        svg, png = drawing.draw(theme.light)
        ground = f'<rect width="100%" height="100%" fill="{theme.light["paper"]}"/>'
        head = svg.index(">") + 1
        data = png if ending == ".png" else (svg[:head] + ground + svg[head:]).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, data)
    return path


def _clean(chart: Chart, series: Series) -> _Clean:
    if series.style == "mark":
        return _Clean([x for x in series.x if _fits(x, chart.x_log)], [], [], [])
    low, high = series.low or series.y, series.high or series.y
    kept = [
        (x, y, y if lo is None else lo, y if hi is None else hi)
        for x, y, lo, hi in zip(series.x, series.y, low, high, strict=True)
        if y is not None and _fits(x, chart.x_log) and _fits(y, chart.y_log)
    ]
    return _Clean(*([row[i] for row in kept] for i in range(4)))


def _fits(value: float, log: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not log)


def _paint(figure: Figure, colours: Colours, chart: Chart) -> None:
    cleaned = [_clean(chart, series) for series in chart.series]
    if not any(part.y for part in cleaned):
        raise BadInput("there is nothing to draw: no point has a finite value on these axes")
    longest = max(len(series.label) for series in chart.series)
    room = min(190.0, LETTER * longest + 20)
    axes = plot_axes(figure, colours, (58, 46, WIDTH - 58 - room, HEIGHT - 46 - 62))
    if chart.x_log:
        axes.set_xscale("log")
    if chart.y_log:
        axes.set_yscale("log")
    ends: list[tuple[float, float, str, str]] = []
    for i, (series, part) in enumerate(zip(chart.series, cleaned, strict=True)):
        colour = colours["parrot" if series.quiet else f"m{i}"]
        if series.style == "mark":
            for x in part.x:
                axes.axvline(x, color=colour, linewidth=1.3, linestyle=(0, (4, 3)), zorder=1)
            continue
        if not part.x:
            continue
        _draw(axes, series, part, colour)
        last = max(range(len(part.x)), key=lambda j: part.x[j])
        ends.append((part.x[last], part.y[last], series.label, colour))
    _limits(axes, chart, cleaned)
    _ticks(axes, chart)
    _marks(axes, colours, chart, cleaned)
    _name_ends(axes, ends)
    axis_label(axes, colours, chart.x_label)
    heading(axes, colours, chart.title, chart.subtitle)


def _draw(axes: Axes, series: Series, part: _Clean, colour: str) -> None:
    banded = series.low is not None and series.high is not None
    if series.style == "dots":
        if banded:
            axes.vlines(part.x, part.low, part.high, colors=colour, linewidth=1.4, zorder=3)
        axes.plot(
            part.x, part.y, marker="o", markersize=5, linewidth=0, color=colour, zorder=4,
            markeredgewidth=0,
        )  # fmt: skip
        return
    if banded:
        axes.fill_between(part.x, part.low, part.high, color=colour, alpha=0.14, linewidth=0)
    axes.plot(
        part.x,
        part.y,
        color=colour,
        linewidth=1.6 if series.quiet else 2.2,
        linestyle=(0, (5, 2.5)) if series.style == "dashes" else "-",
        marker="o" if len(part.x) == 1 else None,
        markersize=5,
        markeredgewidth=0,
        drawstyle="steps-post" if series.style == "steps" else "default",
        solid_capstyle="round",
        zorder=2,
    )


def _marks(axes: Axes, colours: Colours, chart: Chart, cleaned: Sequence[_Clean]) -> None:
    """Name the vertical lines at their tops."""
    for i, (series, part) in enumerate(zip(chart.series, cleaned, strict=True)):
        if series.style != "mark":
            continue
        for x in part.x:
            axes.annotate(
                series.label,
                (x, 1),
                xycoords=("data", "axes fraction"),
                xytext=(4, -10),
                textcoords="offset points",
                color=colours["parrot" if series.quiet else f"m{i}"],
                fontsize=10.5,
            )


def _limits(axes: Axes, chart: Chart, cleaned: Sequence[_Clean]) -> None:
    """Keep room where all values are the same, and shares from 0 up."""
    axes.autoscale_view()
    values = [y for part in cleaned for y in part.y]
    flat = min(values) == max(values)
    if chart.y_log:
        if flat:
            axes.set_ylim(values[0] / 10, values[0] * 10)
    elif chart.y_percent and flat and 0 <= values[0] <= 1:
        axes.set_ylim(-0.05, 1.05)


def _log_locator(low: float, high: float) -> Locator:
    """Powers of ten; where there are few of those, also numbers between them."""
    decades = math.log10(high / low)
    if decades >= 2:
        return LogLocator(numticks=9)
    if decades >= 0.5:
        return LogLocator(subs=(1, 2, 5), numticks=9)
    return MaxNLocator(5)


def _ticks(axes: Axes, chart: Chart) -> None:
    for axis, log, percent in (
        (axes.xaxis, chart.x_log, chart.x_percent),
        (axes.yaxis, chart.y_log, chart.y_percent),
    ):
        whole = all(float(x).is_integer() for series in chart.series for x in series.x)
        steps: Locator = MaxNLocator(6, integer=whole and axis is axes.xaxis)
        places = {x for series in chart.series for x in series.x}
        if axis is axes.xaxis and len(places) == 1:
            steps = FixedLocator(list(places))
        axis.set_major_locator(_log_locator(*sorted(axis.get_view_interval())) if log else steps)
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(_percent_tick if percent else _tick))


def _tick(value: float, _: object) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:,.6g}"
    digits, _e, power = f"{value:.3e}".partition("e")
    factor = f"{float(digits):g}"
    raised = f"10$^{{{int(power)}}}$"
    return raised if factor == "1" else f"{factor}·{raised}"


def _percent_tick(value: float, _: object) -> str:
    return f"{100 * value:.4g} %"


def _name_ends(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write the labels beside the right ends of their lines, apart from each other."""
    height = axes.get_position().height * HEIGHT
    axes.autoscale_view()  # limits are settled lazily, and the transform below needs them
    to_axes = axes.transData + axes.transAxes.inverted()
    places = [float(to_axes.transform((x, y))[1]) * height for x, y, _, _ in ends]
    moved = spread(places, 14.0, 0.0, height)
    for (_, _, words, colour), place in zip(ends, moved, strict=True):
        axes.annotate(
            words,
            (1, place / height),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            fontsize=11,
            fontweight="bold",
            va="center",
            annotation_clip=False,
        )
