"""Charts as data: what a figure of the page or of the terminal shows, without how it is drawn.

A `Drawing` holds one `Chart`, or several side by side. A chart holds `Series` over two axes, `Rule`
lines across and `Shade` areas. `unparrot.report.draw.paint` draws all of them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, percent

WIDTH, HEIGHT = 450.0, 330.0
MOST_TOLD = 8  # points of a line up to which the description tells each

Style = Literal["line", "dashes", "dotted", "dash-dot", "dots", "mark"]
Words = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One named line or cloud of points.

    Parameters
    ----------
    label
        Its name, written at its right end if it is ``named``.
    x, y
        Same length. Points that are None or not finite are left out, as are those at or below 0
        on a logarithmic axis.
    style
        ``line``, ``dashes``, ``dotted``, ``dash-dot``, ``dots`` (points), or ``mark`` (a vertical
        line at each x; y is not used and may be empty).
    low, high
        Ends of an interval for each point: a band around a line, bars at points.
    bounds
        For each point None, or what its value would be had all unscored marks been missed, or
        earned: a dotted bar, there even without a value.
    quiet
        Draw thinner, and in grey unless ``role`` is given, as the control group of the page is.
    role
        Of its colour; by its place, from light to dark, if empty.
    marker, size
        Sign at each point as matplotlib has them; no sign on a line, a disc at points, if empty.
    words
        What stands beside each point of a series of ``dots``, where there is room.
    values
        Each y in words, where a number and its interval do not say it: the page tells it, and the
        ends of what is drawn are not data.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    style: Style = "line"
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None
    bounds: Sequence[tuple[float, float] | None] = ()
    quiet: bool = False
    role: str = ""
    marker: str = ""
    size: float = 4.5
    words: Sequence[str] = ()
    values: Sequence[str] = ()
    named: bool = True

    @classmethod
    def of(
        cls, label: str, x: Sequence[float], estimates: Sequence[Estimate | None], **look: Any
    ) -> Self:
        """Make a series of estimates, each with its interval; ``look`` are the other parameters."""
        y = [None if e is None else e.value for e in estimates]
        low = [None if e is None else e.low for e in estimates]
        high = [None if e is None else e.high for e in estimates]
        return cls(label, x, y, low=low, high=high, **look)


class Rule(NamedTuple):
    """A line across the chart at one height, its words under it."""

    y: float
    words: str = ""
    role: str = "soft"
    style: Style = "dotted"


class Shade(NamedTuple):
    """A shaded part of the chart from ``low`` to ``high`` of one axis, with words in it."""

    low: float
    high: float
    words: str
    axis: Literal["x", "y"] = "x"


@dataclass(frozen=True, slots=True)
class Chart:
    """Series over two axes.

    Parameters
    ----------
    title, subtitle
        What the chart is of; the subtitle says what the vertical axis means and its unit.
    x_label
        Meaning and unit of the horizontal axis.
    series
        At least one, drawn in this order; their colours run from light to dark.
    y_label
        Meaning of the vertical axis where the subtitle does not open with it.
    alt
        What the chart shows, for those who do not see it; made from the series if empty.
    x_log, y_log
        Logarithmic axes.
    y_percent
        Values are shares, shown as percentages.
    x_limits, y_limits
        First and last value of an axis, the first may be the greater; from the data if None.
    x_ticks, y_ticks, x_words, y_words
        Where an axis has ticks, and how it writes them; round numbers if None.
    """

    title: str
    subtitle: str
    x_label: str
    series: Sequence[Series]
    y_label: str = ""
    alt: str = ""
    x_log: bool = False
    y_log: bool = False
    y_percent: bool = False
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    x_ticks: Sequence[float] | None = None
    y_ticks: Sequence[float] | None = None
    x_words: Words | None = None
    y_words: Words | None = None
    rules: Sequence[Rule] = ()
    shades: Sequence[Shade] = ()

    def describe(self) -> str:
        """Return ``alt``, or what the chart shows in words: each series with its values."""
        if self.alt:
            return self.alt
        kind = "Dot" if all(s.style == "dots" for s in self.series if s.label) else "Line"
        parts = [f"{s.label}: {self._values(s)}" for s in self.series if s.label]
        parts += [rule.words for rule in self.rules if rule.words]
        what = ", ".join(words for words in (self.title, self.subtitle) if words)
        return f"{kind} chart: {what}, against {self.x_label}. {'; '.join(parts)}."

    @property
    def x_name(self) -> str:
        """What the horizontal axis means, in a word or a few."""
        return re.split("[,;(]", self.x_label)[0].strip()

    @property
    def y_name(self) -> str:
        """What the vertical axis means, in a word or a few."""
        return self.y_label or re.split("[,;·]", self.subtitle)[0].strip()

    def x_word(self, x: float) -> str:
        """Write a value of the horizontal axis."""
        return (self.x_words or _plain)(x)

    def y_word(self, y: float) -> str:
        """Write a value of the vertical axis."""
        return percent(y) if self.y_percent else (self.y_words or _plain)(y)

    def _values(self, series: Series) -> str:
        points = [(x, y) for x, y in zip(series.x, series.y, strict=True) if y is not None]
        if not points:
            return ABSENT
        words = [f"{self.y_word(y)} at {self.x_word(x)}" for x, y in points]
        return ", ".join(words) if len(words) <= MOST_TOLD else f"from {words[0]} to {words[-1]}"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure: charts side by side.

    Parameters
    ----------
    name
        File name without its ending; also the prefix of the SVG's ids.
    charts
        What to draw.
    width, height
        Size in SVG pixels.
    title
        Above all charts, where they have their own titles.
    """

    name: str
    charts: Sequence[Chart]
    width: float = WIDTH
    height: float = HEIGHT
    title: str = ""

    @property
    def alt(self) -> str:
        """What the figure shows, for those who do not see it."""
        words = " ".join(chart.describe() for chart in self.charts)
        return f"{self.title}. {words}" if self.title else words
