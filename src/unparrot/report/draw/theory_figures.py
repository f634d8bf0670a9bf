"""The theory over the measurement: performance curves, errors against excess, slingshot, growth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from unparrot.core.wording import percent
from unparrot.report.contents import Contents, Json
from unparrot.report.draw.paint import (
    Colours,
    Drawing,
    axis_label,
    end_labels,
    heading,
    plot_axes,
)
from unparrot.report.sections.against_k import HEIGHT, WIDTH

WIDE, TALL = 940.0, 300.0
TUPLES = {1: "skills", 2: "pairs of skills"}


def _percent_tick(value: float, _place: int | None = None) -> str:
    return f"{100 * value:.4g}"


def _plain_tick(value: float, _place: int | None = None) -> str:
    return f"{value:g}"


def _colour(contents: Contents, model: str) -> str:
    names = [m.name for m in contents.transformers]
    return f"m{names.index(model)}" if model in names else "ink"


def _rows(part: Json, key: str) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], part.get(key) or [])


def curve_rows(contents: Contents, size: int) -> list[dict[str, Any]]:
    """The measured performance curves of one tuple size, one a model."""
    rows = _rows(contents.part("theory"), "curves")
    return [row for row in rows if row["tuple_size"] == size]


def performance_curves(contents: Contents, size: int) -> Drawing:
    """One panel a model: measured between its two readings, luck, sharp and classic."""
    rows = curve_rows(contents, size)

    def paint(figure: Figure, colours: Colours) -> None:
        wide = (WIDE - 60 - 26 * (len(rows) - 1)) / max(len(rows), 1)
        for i, row in enumerate(rows):
            left = 40 + i * (wide + 26)
            axes = plot_axes(figure, colours, (left, 46, wide, TALL - 46 - 62))
            _curve_panel(axes, colours, contents, row, first=i == 0)
            axes.text(
                0.0,
                1.05,
                row["model"],
                transform=axes.transAxes,
                color=colours[_colour(contents, row["model"])],
                fontsize=12,
                fontweight="bold",
            )
            if i == 0:
                heading(
                    axes,
                    colours,
                    f"Between luck and malice: {TUPLES.get(size, f'{size}-tuples')}",
                    "",
                )
            axis_label(axes, colours, f"worst share of the {TUPLES.get(size, 'tuples')}, %")

    parts = [
        f"{row['model']}: at the worst quarter {percent(_at(row, 'cross_fitted'))} to "
        f"{percent(_at(row, 'worst'))} measured, luck {percent(row['luck'])}, "
        f"sharp {percent(_at(row, 'sharp'))}"
        for row in rows
    ]
    return Drawing(
        f"performance-{size}",
        f"Line charts, one a model: failure rate of the worst share of the "
        f"{TUPLES.get(size, 'tuples')} beside luck and the bounds. {'; '.join(parts)}.",
        WIDE,
        TALL,
        paint,
    )


def _at(row: dict[str, Any], name: str, share: float = 0.25) -> float | None:
    alpha = cast(list[float], row["alpha"])
    return row[name][alpha.index(share)] if share in alpha else None


def _curve_panel(
    axes: Axes, colours: Colours, contents: Contents, row: dict[str, Any], first: bool
) -> None:
    alpha = cast(list[float], row["alpha"])
    colour = colours[_colour(contents, row["model"])]
    axes.set_xscale("log")
    axes.set_xlim(alpha[0], 1)
    axes.set_ylim(-0.02, 1.03)
    axes.fill_between(
        alpha, row["cross_fitted"], row["worst"], color=colour, alpha=0.3, linewidth=0
    )
    axes.plot(alpha, row["cross_fitted"], color=colour, linewidth=1.8)
    axes.plot(alpha, row["worst"], color=colour, linewidth=1.8)
    axes.plot(alpha, row["sharp"], color=colours["ink"], linewidth=1.6)
    axes.plot(alpha, row["classic"], color=colours["soft"], linewidth=1.3, linestyle=(0, (5, 2.5)))
    axes.axhline(row["luck"], color=colours["parrot"], linewidth=1.3, linestyle=(0, (1.5, 2)))
    axes.xaxis.set_major_locator(FixedLocator([0.05, 0.1, 0.25, 0.5, 1]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_percent_tick))
    axes.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(_percent_tick if first else _no_tick))


def _no_tick(_value: float, _place: int | None = None) -> str:
    return ""


def error_law(contents: Contents) -> Drawing:
    """Theta against the excess loss of a piece, both logarithmic, under the limit."""
    points = _rows(contents.part("theory", "errors"), "points")

    def paint(figure: Figure, colours: Colours) -> None:
        axes = plot_axes(figure, colours, (46, 46, WIDTH - 46 - 40, HEIGHT - 46 - 62))
        axes.set_xscale("log")
        axes.set_yscale("log")
        excess = [p["excess"] for p in points if p["excess"] > 0]
        if not excess:
            return
        span = [min(excess) / 1.6, max(excess) * 1.6]
        axes.set_xlim(*span)
        axes.set_ylim(min(p["theta"]["low"] or 1e-3 for p in points) / 1.5, 1.3)
        bent = sorted({*span, 0.6931})
        axes.plot(bent, [min(1.0, x / 0.6931) for x in bent], color=colours["ink"], linewidth=1.4)
        last = max(points, key=lambda p: p["excess"])
        ratio = [x / last["excess"] * last["theta"]["value"] for x in span]
        axes.plot(span, ratio, color=colours["parrot"], linewidth=1.2, linestyle=(0, (1.5, 2)))
        for p in points:
            _dot(axes, colours[_colour(contents, p["model"])], p["excess"], p["theta"], p["model"])
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
            axis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(_plain_tick))
        axes.yaxis.set_major_formatter(FuncFormatter(_percent_tick))
        axis_label(axes, colours, "excess loss of a piece, nats")
        heading(
            axes,
            colours,
            "Errors against excess loss",
            "theta, %; line: the limit; dotted: in proportion",
        )

    parts = [
        f"{p['model']}: {p['excess']:.2f} nats, theta {percent(p['theta']['value'])}"
        for p in points
    ]
    return Drawing(
        "errors-by-excess",
        f"Dot chart: share of failed pieces against excess loss of a piece. {'; '.join(parts)}.",
        WIDTH,
        HEIGHT,
        paint,
    )


def _dot(axes: Axes, colour: str, x: float, estimate: dict[str, Any], name: str = "") -> None:
    if estimate["low"] is not None:
        axes.vlines([x], [estimate["low"]], [estimate["high"]], colors=colour, linewidth=1.4)
    axes.plot([x], [estimate["value"]], marker="o", markersize=6, color=colour, linewidth=0,
              markeredgewidth=0)  # fmt: skip
    if name:
        axes.annotate(
            name,
            (x, estimate["value"]),
            xytext=(8, -9),
            textcoords="offset points",
            color=colour,
            fontsize=11,
            fontweight="bold",
        )


def joint(contents: Contents) -> Drawing:
    """Failed pieces against the exponent that the slingshot says they depend on alone."""
    points = [p for p in _rows(contents.part("theory"), "joint") if p["exponent"] is not None]

    def paint(figure: Figure, colours: Colours) -> None:
        axes = plot_axes(figure, colours, (46, 46, WIDTH - 46 - 64, HEIGHT - 46 - 62))
        axes.set_xscale("log")
        xs = [p["exponent"] for p in points if p["exponent"] > 0]
        if not xs:
            return
        low, high = min(xs) / 1.5, max(xs) * 1.3
        grid = [low * (high / low) ** (i / 60) for i in range(61)]
        axes.set_xlim(low, high)
        axes.set_ylim(-0.02, 1.03)
        axes.plot(
            grid, [1 - 2.718281828 ** (-x) for x in grid], color=colours["ink"], linewidth=1.4
        )
        ends: list[tuple[float, float, str, str]] = []
        for model in dict.fromkeys(p["model"] for p in points):
            colour = colours[_colour(contents, model)]
            own = [p for p in points if p["model"] == model and p["exponent"] > 0]
            axes.plot(
                [p["exponent"] for p in own],
                [p["measured"]["value"] for p in own],
                color=colour,
                linewidth=1.0,
                alpha=0.6,
            )
            for p in own:
                _dot(axes, colour, p["exponent"], p["measured"])
            if own:
                ends.append((own[-1]["exponent"], own[-1]["measured"]["value"], model, colour))
        end_labels(axes, ends, (0, 1), 14 / (HEIGHT - 108))
        axes.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
        axes.yaxis.set_major_formatter(FuncFormatter(_percent_tick))
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(_plain_tick))
        axis_label(axes, colours, "k × failures on one skill, −k ln(1 − θ₁)")
        heading(axes, colours, "The slingshot, tested", "failed pieces of k = 1, 2, 3, 4 skills, %")

    parts = [
        f"{p['model']} k={p['k']} {percent(p['measured']['value'])} for {percent(p['predicted'])}"
        for p in points
    ]
    return Drawing(
        "slingshot",
        "Line chart: failed pieces against what independent joining predicts, measured for "
        f"predicted. {'; '.join(parts)}.",
        WIDTH,
        HEIGHT,
        paint,
    )


def growth(contents: Contents) -> Drawing:
    """The k at the threshold against excess loss: measured and predicted."""
    part = contents.part("theory", "growth")
    points = _rows(part, "points")
    excess = {m.name: m.excess for m in contents.transformers}

    def paint(figure: Figure, colours: Colours) -> None:
        axes = plot_axes(figure, colours, (46, 46, WIDTH - 46 - 40, HEIGHT - 46 - 62))
        axes.set_xscale("log")
        axes.set_yscale("log")
        placed = [(p, excess.get(p["model"]) or 0.0) for p in points]
        placed = [(p, x) for p, x in placed if x > 0]
        if not placed:
            return
        axes.set_xlim(max(x for _, x in placed) * 1.5, min(x for _, x in placed) / 1.5)
        for key, dash in (("by_excess", (0, (5, 2.5))), ("by_theta", (0, (1.5, 2)))):
            # the predictions start from the measured k of one model
            line = [
                (x, p["measured"]["value"] if p["model"] == part.get("start") else p[key])
                for p, x in placed
                if p[key] or p["model"] == part.get("start")
            ]
            axes.plot(
                [x for x, _ in line],
                [y for _, y in line],
                color=colours["parrot"],
                linewidth=1.5,
                linestyle=dash,
            )
        for p, x in placed:
            colour = colours[_colour(contents, p["model"])]
            _dot(axes, colour, x, p["measured"], f"{'≥ ' * p['beyond']}{p['model']}")
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.8), max(high, 10.0))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(_plain_tick))
        axis_label(axes, colours, "excess loss, nats a token (falls with scale)")
        share = percent(part.get("threshold"))
        heading(
            axes,
            colours,
            "How k grows",
            f"k at {share} full marks, ≥ if untested; grey: by excess (dashed), theta (dotted)",
        )

    parts: Sequence[str] = [
        f"{p['model']}: {'at least ' * p['beyond']}{p['measured']['value']:.1f} measured"
        + (f", {p['by_excess']:.1f} predicted" if p["by_excess"] else "")
        for p in points
    ]
    return Drawing(
        "growth",
        f"Dot chart: k against excess loss, measured and predicted. {'; '.join(parts)}.",
        WIDTH,
        HEIGHT,
        paint,
    )
