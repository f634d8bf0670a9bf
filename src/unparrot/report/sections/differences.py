"""The section that sets the models of a run against each other, over the same combinations."""

from __future__ import annotations

from typing import Any, cast

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, p_value, percent, points
from unparrot.report.contents import Contents
from unparrot.report.draw.curves import AXIS, HEIGHT, WIDTH
from unparrot.report.draw.paint import Colours, Drawing, axis_label, heading, plot_axes
from unparrot.report.html.layout import Press, grid, section
from unparrot.report.html.markup import Markup, el
from unparrot.report.html.tables import folded, table
from unparrot.report.reading import estimate_of

Row = dict[str, Any]
MOST_DRAWN = 6


def comparison(contents: Contents, press: Press) -> Markup | None:
    """Differences of full marks, pair by pair; None for a single model."""
    part = contents.part("comparison")
    pairs = cast(list[Row], part.get("pairs") or [])
    left_out = cast(list[str], part.get("left_out") or [])
    if not pairs and not left_out:
        return None
    tests = int(part.get("tests") or 0)
    words: list[str | Markup] = [
        "The models wrote for the same combinations, so they are compared text by text: the "
        "difference of full marks, second less first, in points of a hundred."
        + (
            f" p is exact; the adjusted one holds for all {tests} tests of this section at once "
            "(Holm)."
            if tests
            else " No text was scored in full for both, so only bounds are known."
        ),
        *left_out,
    ]
    drawn = [
        press.figure(_differences(contents, pair, i))
        for i, pair in enumerate(pairs[:MOST_DRAWN])
        if any(_difference(cell).value is not None for cell in pair["cells"])
    ]
    notes = [
        el("li", f"{pair['second']} and {pair['first']}: {note}")
        for pair in pairs
        for note in cast(list[str], pair["notes"])
    ]
    return section(
        "comparison",
        "Which does better?",
        words,
        grid(*drawn) if drawn else Markup(),
        el(
            "div",
            _numbers(pairs) if pairs else None,
            folded("What does not count here", el("ul", *notes)) if notes else None,
            class_="text-wide",
        ),
    )


def _difference(cell: Row) -> Estimate:
    return estimate_of(cell["full_marks"], "a comparison")


def _differences(contents: Contents, pair: Row, number: int) -> Drawing:
    labels = {model.name: model.label for model in contents.models}
    first, second = labels[pair["first"]], labels[pair["second"]]
    found = [(int(cell["k"]), _difference(cell)) for cell in pair["cells"]]
    known = [(k, e, e.value) for k, e in found if e.value is not None]

    def paint(figure: Figure, colours: Colours) -> None:
        axes = plot_axes(figure, colours, (44, 42, WIDTH - 44 - 24, HEIGHT - 42 - 60))
        ks = sorted({k for k, _ in found})
        axes.set_xlim(ks[0] - 0.5, ks[-1] + 0.5)
        ends = [100 * x for _, e, value in known for x in (e.low, e.high, value) if x is not None]
        reach = max(10.0, *(abs(x) for x in ends)) * 1.1
        axes.set_ylim(-reach, reach)
        axes.axhline(0, color=colours["soft"], linewidth=1)
        for k, estimate, value in known:
            colour = colours["accent"]
            if estimate.low is not None and estimate.high is not None:
                axes.vlines(
                    [k], [100 * estimate.low], [100 * estimate.high], colors=colour, linewidth=6,
                    alpha=0.3,
                )  # fmt: skip
            axes.plot([k], [100 * value], marker="o", markersize=6.5, color=colour, linewidth=0)
            axes.annotate(
                _signed(100 * value),
                (k, 100 * value),
                xytext=(10, 0),
                textcoords="offset points",
                color=colour,
                fontsize=11,
                fontweight="bold",
                va="center",
            )
        axes.set_xticks(ks)
        axes.yaxis.set_major_locator(MaxNLocator(5, symmetric=True))
        axes.yaxis.set_major_formatter(_signed)
        axis_label(axes, colours, AXIS)
        heading(axes, colours, f"{second} less {first}", "difference of full marks, points")

    parts = ", ".join(f"{points(e)} at k={k}" for k, e in found)
    return Drawing(
        f"difference-{number}",
        f"Dot chart: full marks of {second} less those of {first}, in points, against k: {parts}.",
        WIDTH,
        HEIGHT,
        paint,
    )


def _signed(value: float, _place: float | None = None) -> str:
    return f"{value:+.0f}".replace("-", "−") if round(value) else "0"


def _numbers(pairs: list[Row]) -> Markup:
    rows: list[list[str]] = []
    for pair in pairs:
        for cell in cast(list[Row], pair["cells"]):
            smooth = estimate_of(cell["skill_fraction"], "a comparison")
            rows.append(
                [
                    f"{pair['second']} less {pair['first']}",
                    str(cell["k"]),
                    str(cell["combinations"]),
                    ABSENT if cell["second"] is None else percent(cell["second"]),
                    ABSENT if cell["first"] is None else percent(cell["first"]),
                    points(_difference(cell)),
                    _reach(cell["full_marks"]),
                    p_value(cell["p"]),
                    p_value(cell["p_adjusted"]),
                    points(smooth),
                ]
            )
    head = ["pair", "k", "combinations", "second", "first", "difference", "bounds", "p", "adjusted"]
    return folded("Numbers", table([*head, "skill fraction"], rows, "comparison of the models"))


def _reach(row: Row) -> str:
    """What the difference may be, whatever the unscored marks are."""
    if row["worst"] is None or row["worst"]["value"] is None:
        return "–"
    low, high = (f"{100 * row[name]['value']:+.1f}" for name in ("worst", "best"))
    return f"{low} to {high}".replace("-", "−")
