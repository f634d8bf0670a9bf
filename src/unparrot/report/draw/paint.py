"""Painting of drawings with matplotlib: into the page, and into SVG, PNG and PDF files.

A figure is painted in the light colours of a `Theme`; the page's is the same drawing with CSS
variables in their place. The same drawing gives the same bytes.
"""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput, MissingExtra

try:
    import matplotlib as mpl
except ImportError as error:
    raise MissingExtra("report", "matplotlib") from error
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from unparrot.core.records import atomic_write
from unparrot.core.wording import printable
from unparrot.report.draw.chart import Chart, Drawing, Series, Words
from unparrot.report.draw.values import Place, Places, values_of
from unparrot.report.html.markup import Markup, el, text
from unparrot.report.theme import DASHES, Theme

Colours = Mapping[str, str]
ENDINGS = (".svg", ".png", ".pdf")
TERMINAL = (660.0, 400.0)  # size of a terminal's chart
BOTTOM, TOP = 44.0, 60.0  # pixels under and above the axes
LETTER = 6.9  # pixels of a letter of a label
FONT = "DejaVu Sans"  # comes with matplotlib, so the layout is the same on every machine
SYSTEM_FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
PNG_SCALE = 2  # pixels of the PNG for one of the SVG
SETTINGS: Any = {
    "svg.fonttype": "none",
    "font.family": FONT,
    "font.size": 12,
    "text.usetex": False,
    "axes.unicode_minus": False,
    "path.simplify": True,
}


# --- files ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Press:
    """Draws figures: into the page and, as files, into a folder.

    Parameters
    ----------
    theme
        Colours.
    folder
        Where the SVG and PNG files go; it exists.
    private
        Whether they are to be the user's alone, as `unparrot.core.records.atomic_write` has it.
    """

    theme: Theme
    folder: Path
    private: bool | None = None

    def figure(
        self, drawing: Drawing, *below: Markup | None, narrow: Drawing | None = None
    ) -> Markup:
        """Write ``NAME.svg`` and ``NAME.png``; return the page's figure, in its CSS variables.

        Parameters
        ----------
        drawing
            What to draw.
        below
            What stands under it, as its numbers do.
        narrow
            The same for a narrow window, where the drawing would be too small to be read.
        """
        if narrow is None:
            return el("figure", self._drawn(drawing), *below)
        both = (self._drawn(drawing, " large"), self._drawn(narrow, " small"))
        return el("figure", *both, *below)

    def _drawn(self, drawing: Drawing, kind: str = "") -> Markup:
        """Write the files of a drawing; return its SVG and its values."""
        (data, png), places = render(drawing, self.theme.light, "svg", "png")
        for ending, content in ((".svg", data), (".png", png)):
            atomic_write(self.folder / f"{drawing.name}{ending}", content, private=self.private)
        svg = data.decode().replace("xlink:href", "href")
        svg = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
        size = re.search(r'viewBox="[^"]*"', svg)
        head = (
            f'<svg class="plot" role="img" aria-label="{text(drawing.alt)}" '
            f'{size[0] if size else ""} data-figure="{text(drawing.name)}">'
        )
        svg = re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1)
        svg = Markup(self.theme.as_variables(svg))
        return el("div", svg, values_of(drawing, places), class_=f"drawn{kind}")


def write_chart(chart: Chart, path: Path) -> Path:
    """Draw a terminal's chart into a file, atomically, and return its path.

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
    if not any(_drawable(chart, series)[0].size for series in chart.series):
        raise BadInput("there is nothing to draw: no point has a finite value on these axes")
    theme = Theme.of(transformers=max(len(chart.series), 1), ks=1)
    (data,), _ = render(Drawing("chart", [chart], *TERMINAL), theme.light, ending[1:])
    if ending == ".svg":
        ground = f'<rect width="100%" height="100%" fill="{theme.light["paper"]}"/>'.encode()
        head = data.index(b">") + 1
        data = data[:head] + ground + data[head:]
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, data)
    return path


def render(drawing: Drawing, colours: Colours, *formats: str) -> tuple[list[bytes], Places]:
    """Paint a drawing in each format: ``svg`` (without ground), ``png``, ``pdf``.

    Returns
    -------
    list of bytes, Places
        The drawing in each format, and where its points are.
    """
    with mpl.rc_context(SETTINGS | {"svg.hashsalt": drawing.name}):
        figure = _charts(drawing, colours)
        files = [_saved(figure, name, colours) for name in formats]
        pairs = zip(figure.axes, drawing.charts, strict=True)
        places = [
            [
                [_place(axes, x, y, drawing.height) for x, y in zip(s.x, s.y, strict=False)]
                for s in c.series
            ]
            for axes, c in pairs
        ]
        return files, places


def _place(axes: Axes, x: float, y: float | None, height: float) -> Place:
    """Where a point is, in pixels from the left and the top; None outside of the axes."""
    if (
        y is None
        or (x <= 0 and axes.get_xscale() == "log")
        or (y <= 0 and axes.get_yscale() == "log")
    ):
        return None
    across, up = axes.transData.transform((x, y))
    if not (math.isfinite(up) and axes.bbox.padded(1).contains(across, up)):
        return None
    return round(float(across), 1), round(height - float(up), 1)


def _saved(figure: Figure, name: str, colours: Colours) -> bytes:
    options: Mapping[str, Any] = {
        "svg": {
            "transparent": True,
            "metadata": {"Date": None, "Creator": None, "Format": None, "Type": None},
        },
        "png": {
            "dpi": 72 * PNG_SCALE,
            "facecolor": colours["paper"],
            "metadata": {"Software": None},
            "pil_kwargs": {"compress_level": 3},
        },
        "pdf": {"metadata": {"CreationDate": None}},
    }
    buffer = io.BytesIO()
    figure.savefig(buffer, format=name, **options[name])
    if name != "svg":
        return buffer.getvalue()
    svg = buffer.getvalue().decode()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'<g id="[a-z]+[0-9A-Za-z.]*_[0-9]+">', "<g>", svg)
    svg = re.sub(r">\s*\n\s*<", "><", svg)
    return svg.replace(f"'{FONT}'", SYSTEM_FONTS).encode()


# --- charts -----------------------------------------------------------------------------------

ON_X: Any = {"xycoords": ("data", "axes fraction"), "fontsize": 10.5}  # notes beside a value of x
ON_Y: Any = {"xycoords": ("axes fraction", "data"), "fontsize": 10.5}
# where words may stand beside a point, the best place first: offset, and how they are aligned there
PLACES: Any = (
    ((9, 0), "left", "center"),
    ((-9, 0), "right", "center"),
    ((0, 9), "center", "baseline"),
    ((0, -9), "center", "top"),
)
BOLD = 7.2  # points a letter of these words takes, about


class End(NamedTuple):
    """A label for the right end of a line: where the line ends, and the words."""

    x: float
    y: float
    words: str
    colour: str


def _charts(drawing: Drawing, colours: Colours) -> Figure:
    figure = Figure(figsize=(drawing.width / 72, drawing.height / 72), dpi=72)
    wide = drawing.width / max(len(drawing.charts), 1)
    high = drawing.height - (14 if drawing.title else 0)
    for i, chart in enumerate(drawing.charts):
        _chart(figure, chart, colours, (i * wide, wide, high))
    if drawing.title:
        _title(figure, drawing.title, 2, drawing.height - 28, colours["ink"])
    return figure


def _title(figure: Figure, words: str, x: float, y: float, colour: str, **look: Any) -> None:
    width, height = figure.get_size_inches() * 72
    look = {"fontsize": 14, "fontweight": "bold"} | look
    figure.text(x / width, y / height, literal(words), color=colour, **look)


def literal(words: str) -> str:
    """Keep matplotlib from reading dollar signs in a name as the marks of a formula, and from
    drawing boxes for control characters.

    Examples
    --------
    >>> literal("gpt$4$"), literal("a\\x1b")
    ('gpt\\\\$4\\\\$', 'a\\\\x1b')
    """
    return printable(words).replace("$", r"\$")


def _chart(
    figure: Figure, chart: Chart, colours: Colours, place: tuple[float, float, float]
) -> None:
    """Draw a chart into a part of a figure: left end, width and height of the part in pixels."""
    start, wide, high = place
    axes = figure.add_axes((0, 0, 1, 1))
    _look(axes, colours)
    axes.set_xscale("log" if chart.x_log else "linear")
    axes.set_yscale("log" if chart.y_log else "linear")
    ends: list[End] = []
    for i, series in enumerate(chart.series):
        colour = colours[series.role or ("parrot" if series.quiet else f"m{i}")]
        shift = (i - (len(chart.series) - 1) / 2) * 0.05
        ends += _series(axes, chart, series, colour, shift)
    _limits(axes, chart)
    _shades(axes, chart, colours)
    for rule in chart.rules:
        colour = colours[rule.role]
        axes.axhline(rule.y, color=colour, linewidth=1.4, linestyle=_dash(rule.style), zorder=1)
        if rule.words:
            _note(axes, rule.words, (0, rule.y), (5, -12), colour, **ON_Y)
    ticks = _ticks(axes, chart)
    left = 12 + LETTER * max((len(re.sub(r"[${}^]", "", words)) for words in ticks), default=0)
    names = [len(end.words) for end in ends]
    room = min(180.0, max(20.0, LETTER * max(names, default=0) + 16))
    width, height = figure.get_size_inches() * 72
    top = high - TOP
    box = np.array((start + left, BOTTOM, wide - left - room, top - BOTTOM))
    axes.set_position(tuple(box / (width, height, width, height)))
    _end_labels(axes, ends, top - BOTTOM)
    _words(axes, chart, colours)
    axes.set_xlabel(chart.x_label, color=colours["soft"], fontsize=11, labelpad=5)
    _title(figure, chart.title, start + 2, top + 32, colours["ink"])
    look = {"fontsize": 11, "fontweight": "normal"}
    _title(figure, chart.subtitle, start + 2, top + 14, colours["soft"], **look)


def _look(axes: Axes, colours: Colours) -> None:
    """Give axes a bottom rule, horizontal grid lines and quiet ticks."""
    axes.set_facecolor("none")
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours["soft"])
    axes.spines["bottom"].set_linewidth(0.8)
    axes.tick_params(
        axis="both", which="both", length=0, pad=5, colors=colours["soft"], labelsize=11
    )
    axes.grid(axis="y", color=colours["grid"], linewidth=1)
    axes.set_axisbelow(True)


def _dash(style: str) -> Any:
    return (0, DASHES[style]) if style in DASHES else "-"


def _drawable(chart: Chart, series: Series) -> tuple[NDArray[np.float64], Sequence[str]]:
    """The points that can be drawn, shape (n, 4): x, y, ends of the interval; and their words."""
    if series.style == "mark":
        return np.empty((0, 4)), []
    nothing = [None] * len(series.x)
    rows = (series.x, series.y, series.low or nothing, series.high or nothing)
    points = np.array(rows, dtype=float)  # nan for None
    fits = np.isfinite(points[0]) & np.isfinite(points[1])
    for values, log in zip(points, (chart.x_log, chart.y_log), strict=False):
        fits &= (values > 0) | (not log)
    words = zip(series.words or [""] * len(series.x), fits, strict=True)
    return points[:, fits].T, [word for word, drawn in words if drawn]


def _series(axes: Axes, chart: Chart, series: Series, colour: str, shift: float) -> list[End]:
    """Draw a series; return the label for its end."""
    if series.style == "mark":
        for x in series.x:
            if math.isfinite(x) and (x > 0 or not chart.x_log):
                axes.axvline(x, color=colour, linewidth=1.3, linestyle=(0, (4, 3)), zorder=1)
                _note(axes, series.label, (x, 1), (4, -10), colour, **ON_X)
        return []
    x, y, low, high = _drawable(chart, series)[0].T
    ends = _bounds(axes, series, set(x), colour, shift)
    if x.size:
        known = np.isfinite(low) & np.isfinite(high)
        interval = (x[known], low[known], high[known])
        dots = series.style == "dots"
        if dots or known.sum() == 1:  # a band needs two points to be seen
            axes.vlines(*interval, colors=colour, linewidth=5, alpha=0.3)
        if not dots:
            axes.fill_between(*interval, color=colour, alpha=0.14, linewidth=0)
        axes.plot(x, y, color=colour, markeredgewidth=0, **_look_of(series, x.size))
        last = x.argmax()
        ends = [End(x[last], y[last], series.label, colour)]
    return ends[-1:] if series.named else []


def _look_of(series: Series, points: int) -> dict[str, Any]:
    if series.style == "dots":
        size = max(series.size, 6.0)
        return {"marker": series.marker or "o", "markersize": size, "linewidth": 0, "zorder": 4}
    return {
        "linewidth": 1.5 if series.quiet else 2.2,
        "linestyle": _dash(series.style),
        "marker": series.marker or ("o" if points == 1 else None),
        "markersize": series.size - 1 if series.quiet else series.size,
        "solid_capstyle": "round",
        "zorder": 2 if series.quiet else 3,
    }


def _bounds(axes: Axes, series: Series, known: set[float], colour: str, shift: float) -> list[End]:
    """Draw what values may be; return where labels would stand if nothing else is drawn."""
    ends: list[End] = []
    for x, bounds in zip(series.x, series.bounds, strict=False):
        if bounds is None:
            continue
        low, high = bounds
        at = x + shift if len(series.x) > 1 else x
        dots: Any = (0, (1, 1.6))
        axes.vlines([at], [low], [high], colors=colour, linewidth=1.6, linestyles=dots)
        if x not in known:  # nothing else is drawn there
            axes.hlines([low, high], at - 0.05, at + 0.05, colors=colour, linewidth=1.6)
        ends.append(End(x, high, series.label, colour))
    return ends


def _note(
    axes: Axes, words: str, place: tuple[float, float], offset: Any, colour: str, **look: Any
) -> None:
    """Write words at an offset in points from a place, of the data unless ``xycoords`` is given."""
    look = {"textcoords": "offset points", "color": colour, "fontsize": 11} | look
    axes.annotate(literal(words), place, xytext=offset, **look)


def _limits(axes: Axes, chart: Chart) -> None:
    """Set the limits; keep room where all values are the same, and shares from 0 up."""
    axes.autoscale_view()
    values = [y for series in chart.series for y in _drawable(chart, series)[0][:, 1]]
    flat = bool(values) and min(values) == max(values)
    if chart.y_limits is not None:
        axes.set_ylim(*chart.y_limits)
    elif flat and chart.y_log:
        axes.set_ylim(values[0] / 10, values[0] * 10)
    elif flat and chart.y_percent and 0 <= values[0] <= 1:
        axes.set_ylim(-0.05, 1.05)
    if chart.x_limits is not None:
        axes.set_xlim(*chart.x_limits)


def _shades(axes: Axes, chart: Chart, colours: Colours) -> None:
    look: Any = {"fontsize": 10, "style": "italic", "va": "center"}
    for shade in chart.shades:
        area: Any = {"color": colours["band"], "linewidth": 0, "zorder": 0}
        if shade.axis == "x":
            axes.axvspan(shade.low, shade.high, **area)
            place, offset = ((shade.low + shade.high) / 2, 1), (0, -11)
            across = ON_X | {"ha": "center"}
        else:
            axes.axhspan(shade.low, shade.high, **area)
            place, offset, across = (0, shade.high), (8, -11), ON_Y
        _note(axes, shade.words, place, offset, colours["soft"], **across | look)


def _ticks(axes: Axes, chart: Chart) -> list[str]:
    """Set the ticks of both axes; return what the vertical one shows."""
    places = {x for series in chart.series for x in series.x}
    write_y = chart.y_words or (_percent if chart.y_percent else _tick)
    for axis, log, ticks, write in (
        (axes.xaxis, chart.x_log, chart.x_ticks, chart.x_words or _tick),
        (axes.yaxis, chart.y_log, chart.y_ticks, write_y),
    ):
        across = axis is axes.xaxis
        whole = across and all(float(x).is_integer() for x in places)
        steps: ticker.Locator = ticker.MaxNLocator(6, integer=whole)
        if ticks is not None or (across and len(places) == 1):
            steps = ticker.FixedLocator(list(places if ticks is None else ticks))
        elif log:
            steps = _log_locator(*sorted(axis.get_view_interval()))
        axis.set_major_locator(steps)
        axis.set_minor_locator(ticker.NullLocator())
        axis.set_major_formatter(ticker.FuncFormatter(_formatter(write)))
    low, high = sorted(axes.get_ylim())
    shown = [place for place in axes.yaxis.get_majorticklocs() if low <= place <= high]
    return axes.yaxis.get_major_formatter().format_ticks(shown)


def _formatter(write: Words) -> Callable[[float, Any], str]:
    return lambda value, _: write(value)


def _log_locator(low: float, high: float) -> ticker.Locator:
    """Powers of ten; where there are few of those, also numbers between them."""
    decades = math.log10(high / low)
    if decades >= 2:
        return ticker.LogLocator(numticks=9)
    if decades >= 0.5:
        return ticker.LogLocator(subs=(1, 2, 5), numticks=9)
    return ticker.MaxNLocator(5)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _tick(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:,.6g}"
    digits, _e, power = f"{value:.3e}".partition("e")
    factor = f"{float(digits):g}"
    raised = f"10$^{{{int(power)}}}$"
    return raised if factor == "1" else f"{factor}·{raised}"


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move label places apart to at least ``gap``, in order and within [low, high] if they fit.

    Examples
    --------
    >>> spread([0.0, 0.0, 5.0], gap=2.0, low=0.0, high=10.0)
    [0.0, 2.0, 5.0]
    """
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    moved = list(places)
    floor = low
    for i in order:
        moved[i] = max(moved[i], floor)
        floor = moved[i] + gap
    ceiling = high
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved


def _words(axes: Axes, chart: Chart, colours: Colours) -> None:
    """Write words beside points, each where it covers the fewest words and points of others."""
    frame = axes.get_window_extent()
    points = [
        (axes.transData.transform(place[:2]), place[:2], word, series.role)
        for series in chart.series
        if series.style == "dots"
        for place, word in zip(*_drawable(chart, series), strict=True)
    ]
    taken = [(*(at - 6), *(at + 6)) for at, *_ in points]
    for at, place, word, role in points:
        if not word:
            continue
        wide, high = BOLD * len(word), 12.0
        best, fewest = PLACES[0], math.inf
        covered = (0.0, 0.0, 0.0, 0.0)
        for offset, across, up in PLACES:
            left = at[0] + offset[0] - {"left": 0, "right": wide, "center": wide / 2}[across]
            low = at[1] + offset[1] - {"center": high / 2, "baseline": 0, "top": high}[up]
            box = (left, low, left + wide, low + high)
            inside = frame.x0 <= left and box[2] <= frame.x1 and frame.y0 <= low
            cost = sum(_overlap(box, other) for other in taken) + (0 if inside else 1e4)
            if cost < fewest:
                best, fewest, covered = (offset, across, up), cost, box
        taken.append(covered)
        offset, across, up = best
        look = {"fontweight": "bold", "ha": across, "va": up, "zorder": 5}
        _note(axes, word, place, offset, colours[role or "ink"], **look)


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """The area that two boxes (left, low, right, high) share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def _end_labels(axes: Axes, ends: Sequence[End], height: float) -> None:
    """Name lines at their right ends, apart from each other, with a leader where one was moved."""
    axes.autoscale_view()  # limits are settled lazily, and the transform below needs them
    to_axes = axes.transData + axes.transAxes.inverted()
    places = [float(to_axes.transform((end.x, end.y))[1]) * height for end in ends]
    beside: Any = offset_copy(axes.transAxes, axes.get_figure(root=True), x=6, units="points")
    for end, place, moved in zip(ends, places, spread(places, 14.0, 0.0, height), strict=True):
        leader = {"arrowstyle": "-", "color": end.colour, "linewidth": 0.6, "alpha": 0.6}
        leader |= {"shrinkA": 2, "shrinkB": 4, "relpos": (0, 0.5)}
        moved_far = abs(moved - place) > 3 and 0 <= place <= height
        look: Any = {"textcoords": beside, "va": "center", "annotation_clip": False}
        look["arrowprops"] = leader if moved_far else None
        _note(axes, end.words, (end.x, end.y), (1, moved / height), end.colour, **look)
