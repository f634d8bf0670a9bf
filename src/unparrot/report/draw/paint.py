"""One drawing and its files: SVG for the page; SVG, light and dark, and PNG for the folder."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from unparrot.core.records import atomic_write
from unparrot.report.draw.theme import Theme
from unparrot.report.html.markup import Markup, text

Colours = Mapping[str, str]
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


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that can be drawn in any colours.

    Parameters
    ----------
    name
        File name without its ending; also the prefix of the SVG's ids.
    alt
        What the figure shows, for those who do not see it.
    width, height
        Size in SVG pixels.
    paint
        Draws on an empty matplotlib figure, with a colour for every role.
    """

    name: str
    alt: str
    width: float
    height: float
    paint: Callable[[Figure, Colours], None]

    def _figure(self, colours: Colours) -> Figure:
        figure = Figure(figsize=(self.width / 72, self.height / 72), dpi=72)
        self.paint(figure, colours)
        return figure

    def draw(self, colours: Colours) -> tuple[str, bytes]:
        """Draw as the text of an SVG without ground, and as a PNG on the colour of the paper."""
        with mpl.rc_context(SETTINGS | {"svg.hashsalt": self.name}):
            figure = self._figure(colours)
            return self._svg(figure), self._png(figure, colours["paper"])

    def _svg(self, figure: Figure) -> str:
        FigureCanvasSVG(figure)
        buffer = io.StringIO()
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
        svg = buffer.getvalue()
        svg = svg[svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r'<g id="[a-z]+[0-9A-Za-z.]*_[0-9]+">', "<g>", svg)
        svg = re.sub(r">\s*\n\s*<", "><", svg)
        return svg.replace(f"'{FONT}'", SYSTEM_FONTS)

    def _png(self, figure: Figure, paper: str) -> bytes:
        FigureCanvasAgg(figure)
        buffer = io.BytesIO()
        figure.savefig(
            buffer,
            format="png",
            dpi=72 * PNG_SCALE,
            facecolor=paper,
            metadata={"Software": None},
            pil_kwargs={"compress_level": 3},
        )
        return buffer.getvalue()

    def inline(self, svg: str, theme: Theme) -> Markup:
        """Turn the SVG into an element of the page, coloured by its CSS variables."""
        svg = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
        svg = svg.replace("xlink:href", "href")
        head = (
            f'<svg class="plot" role="img" aria-label="{text(self.alt)}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}" data-figure="{text(self.name)}">'
        )
        return Markup(theme.as_variables(re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1)))

    def write_files(self, folder: Path, theme: Theme, *, private: bool | None = None) -> str:
        """Draw; write ``NAME.svg``, ``NAME-dark.svg`` and ``NAME.png``, each atomically and, if
        ``private``, for the user alone; return the SVG in the light colours."""
        svg, png = self.draw(theme.light)
        atomic_write(folder / f"{self.name}.svg", svg.encode(), private=private)
        atomic_write(folder / f"{self.name}-dark.svg", theme.as_dark(svg).encode(), private=private)
        atomic_write(folder / f"{self.name}.png", png, private=private)
        return svg


def plot_axes(figure: Figure, colours: Colours, box: tuple[float, float, float, float]) -> Axes:
    """Add axes with a bottom rule, horizontal grid lines and quiet ticks.

    Parameters
    ----------
    box
        left, bottom, width, height in SVG pixels of the figure.
    """
    width, height = figure.get_size_inches() * 72
    left, bottom, wide, high = box
    axes = figure.add_axes((left / width, bottom / height, wide / width, high / height))
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
    return axes


def heading(axes: Axes, colours: Colours, title: str, subtitle: str) -> None:
    """Write title and subtitle above the axes, at the left edge of the figure."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    box = axes.get_position()
    width, height = figure.get_size_inches() * 72
    left = (box.x0 * width - 34) / width
    top = box.y1 * height
    figure.text(
        left,
        (top + 32) / height,
        literal(title),
        color=colours["ink"],
        fontsize=14,
        fontweight="bold",
    )
    figure.text(left, (top + 14) / height, literal(subtitle), color=colours["soft"], fontsize=11)


def literal(words: str) -> str:
    """Keep matplotlib from reading dollar signs in a name as the marks of a formula.

    Examples
    --------
    >>> literal("gpt$4$")
    'gpt\\\\$4\\\\$'
    """
    return words.replace("$", r"\$")


def axis_label(axes: Axes, colours: Colours, words: str) -> None:
    """Write the meaning of the horizontal axis under it."""
    axes.set_xlabel(words, color=colours["soft"], fontsize=11, labelpad=5)


def spread(places: list[float], gap: float, low: float, high: float) -> list[float]:
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


def end_labels(
    axes: Axes,
    labels: list[tuple[float, float, str, str]],
    limits: tuple[float, float],
    gap: float,
) -> None:
    """Name lines at their right ends, apart from each other, with a leader where one was moved.

    Parameters
    ----------
    labels
        x and y of the end of the line in data units, the words, the colour.
    limits, gap
        Range for the labels and the least distance between two, in data units of y.
    """
    if not labels:
        return
    right = axes.get_xlim()[1]
    there = offset_copy(axes.transData, fig=axes.get_figure(root=True), x=6, units="points")
    moved = spread([y for _, y, _, _ in labels], gap, *limits)
    for (x, y, words, colour), place in zip(labels, moved, strict=True):
        axes.annotate(
            literal(words),
            xy=(x, y),
            xytext=(right, place),
            textcoords=there,
            va="center",
            ha="left",
            color=colour,
            fontsize=11,
            annotation_clip=False,
            arrowprops=None
            if abs(place - y) < gap / 5
            else {
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.6,
                "alpha": 0.6,
                "shrinkA": 2,
                "shrinkB": 4,
                "relpos": (0, 0.5),
            },
        )
