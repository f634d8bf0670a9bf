"""The values of a figure: each point with its place in the drawing, for hover, keys and CSV."""

import json
from collections.abc import Sequence
from itertools import repeat

from unparrot.report.draw.chart import Chart, Drawing, Series
from unparrot.report.html.markup import Markup, el

Place = tuple[float, float] | None
# by chart, series and point: pixels from the left and the top; None outside of the axes
Places = Sequence[Sequence[Sequence[Place]]]


def values_of(drawing: Drawing, places: Places) -> Markup:
    """Make the element that page.js reads the values of a figure from.

    Parameters
    ----------
    drawing
        The figure.
    places
        Where its points are.

    Returns
    -------
    Markup
        JSON, by chart: its panel, what x and y are, and its named lines, whose points are pixels
        across and down, x, y, the ends of the interval, and x and y in words.
    """
    charts = [
        {
            "panel": chart.title or chart.subtitle,
            "x": chart.x_name,
            "y": chart.y_name,
            "lines": [
                {"name": series.label, "points": _points(chart, series, own)}
                for series, own in zip(chart.series, by_series, strict=True)
                if series.label and series.style != "mark"
            ],
        }
        for chart, by_series in zip(drawing.charts, places, strict=True)
    ]
    written = json.dumps(charts, ensure_ascii=False, separators=(",", ":"))
    return el("script", Markup(written.replace("<", "\\u003c")), type="application/json")


def _points(chart: Chart, series: Series, places: Sequence[Place]) -> list[list[object]]:
    points: list[list[object]] = []
    ends = [(not series.values and own) or repeat(None) for own in (series.low, series.high)]
    rows = zip(places, series.x, series.y, *ends, series.values or repeat(""), strict=False)
    for place, x, y, low, high, value in rows:
        if y is None:
            continue
        words = value or chart.y_word(y)
        if low is not None and high is not None:
            words += f" ({chart.y_word(low)} to {chart.y_word(high)})"
        numbers = (None if value is None else float(f"{value:.6g}") for value in (x, y, low, high))
        points.append([*(place or (None, None)), *numbers, chart.x_word(x), words])
    return points
