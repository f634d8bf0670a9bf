"""A share and its interval drawn on a short line from 0 to 1, for a cell of a table."""

from __future__ import annotations

from unparrot.core.estimate import Estimate
from unparrot.core.wording import interval
from unparrot.report.html.markup import Markup, el, join

STRIP_CSS = (
    "svg.strip{display:block;width:96px;height:10px;margin-top:3px;overflow:visible}"
    "svg.strip .axis{stroke:var(--rule)}svg.strip .range{stroke:var(--accent);stroke-width:3;"
    "stroke-opacity:.45}svg.strip .value{fill:var(--accent)}"
)


def strip(share: Estimate) -> Markup:
    """Draw the share as a dot and its interval as a bar; an empty line where there is no value."""

    def x(value: float) -> str:
        return f"{2 + 96 * min(1.0, max(0.0, value)):.1f}"

    value = share.value
    drawn: list[Markup] = [el("line", class_="axis", x1=x(0), x2=x(1), y1="5", y2="5")]
    if value is not None:
        if share.low is not None and share.high is not None:
            drawn.append(
                el("line", class_="range", x1=x(share.low), x2=x(share.high), y1="5", y2="5")
            )
        drawn.append(el("circle", class_="value", cx=x(value), cy="5", r="3"))
    return el(
        "svg",
        join(*drawn),
        class_="strip",
        viewBox="0 0 100 10",
        role="img",
        aria_label=interval(share),
    )
