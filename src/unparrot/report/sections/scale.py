"""Figures against scale: metrics, largest k, loss over the exact floor, training curves, cloze."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from unparrot.core.wording import ABSENT, METRIC_NAMES, nats, percent, short, split_name
from unparrot.report.contents import Contents, Model
from unparrot.report.draw.curves import HEIGHT, WIDTH, label_room
from unparrot.report.draw.paint import (
    Colours,
    Drawing,
    axis_label,
    end_labels,
    heading,
    plot_axes,
)
from unparrot.report.sections.against_k import DASHES, split_at


def _tick_short(value: float, _place: int | None = None) -> str:
    return short(value)


def _tick_two(value: float, _place: int | None = None) -> str:
    return f"{value:.2f}"


def _tick_plain(value: float, _place: int | None = None) -> str:
    return f"{value:g}"


def _params_axis(axes: Axes, colours: Colours, models: Sequence[Model]) -> None:
    sizes = [m.params for m in models if m.params]
    axes.set_xscale("log")
    if sizes:
        axes.set_xlim(min(sizes) / 1.7, max(sizes) * 1.7)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick_short))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axis_label(axes, colours, "parameters")


def _by_size(contents: Contents, metric: str, split: str, figure: Figure, colours: Colours) -> None:
    axes = plot_axes(figure, colours, (36, 42, WIDTH - 36 - 46, HEIGHT - 42 - 60))
    axes.set_ylim(-3, 103)
    _params_axis(axes, colours, contents.transformers)
    labels: list[tuple[float, float, str, str]] = []
    for i, k in enumerate(contents.ks):
        at = split_at(split, k, contents.trained_k)
        found = [(m.params, m.estimate(metric, k, at, "greedy")) for m in contents.transformers]
        points = [(p, e) for p, e in found if p and e.value is not None]
        if not points:
            continue
        x = [p for p, _ in points]
        y = [100 * e.value for _, e in points if e.value is not None]
        bands = [(p, e.low, e.high) for p, e in points if e.low is not None and e.high is not None]
        axes.vlines(
            [p for p, _, _ in bands],
            [100 * low for _, low, _ in bands],
            [100 * high for _, _, high in bands],
            colors=colours[f"k{i}"],
            linewidth=1.2,
            alpha=0.6,
        )
        never = contents.untrained(k)
        axes.plot(
            x,
            y,
            color=colours[f"k{i}"],
            linewidth=2,
            linestyle=(0, (4, 2)) if never else "-",
            marker="o",
            markersize=4.5,
            markeredgewidth=0,
        )
        labels.append((x[-1], y[-1], f"k={k}", colours[f"k{i}"]))
    axes.yaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    end_labels(axes, labels, (0, 100), 100 * 14 / (HEIGHT - 102))
    title = "All or nothing: full marks" if metric == "full_marks" else "Smooth: skill fraction"
    heading(axes, colours, title, f"%, {split_name(split)}, greedy; k never trained dashed")


def metric_comparison(contents: Contents) -> list[Drawing]:
    """Full marks and skill fraction against parameters, one line for every k."""
    made: list[Drawing] = []
    for metric in ("full_marks", "skill_fraction"):
        parts = [
            f"{m.name}: "
            + ", ".join(
                f"k={k} "
                + percent(
                    m.estimate(metric, k, split_at("seen", k, contents.trained_k), "greedy").value
                )
                for k in contents.ks
            )
            for m in contents.transformers
        ]
        made.append(
            Drawing(
                f"{metric.replace('_', '-')}-by-size",
                f"Line chart: {METRIC_NAMES[metric]} against parameters, one line for every k, "
                f"seen combinations, greedy. {'; '.join(parts)}.",
                WIDTH,
                HEIGHT,
                partial(_by_size, contents, metric, "seen"),
            )
        )
    return made


def largest_k(contents: Contents) -> Drawing:
    """Largest k with the threshold's share of full marks, against parameters."""
    ks, trained = contents.ks, contents.trained_k

    def paint(figure: Figure, colours: Colours) -> None:
        room = label_room([m.name for m in contents.models])
        axes = plot_axes(figure, colours, (36, 42, WIDTH - 36 - room, HEIGHT - 42 - 60))
        axes.set_ylim(-0.3, ks[-1] + 0.5)
        _params_axis(axes, colours, contents.transformers)
        if trained is not None and ks[-1] > trained:
            axes.axhspan(trained + 0.5, ks[-1] + 0.5, color=colours["band"], linewidth=0, zorder=0)
            axes.text(
                0.02,
                ks[-1] + 0.2,
                "k never trained",
                transform=axes.get_yaxis_transform(),
                color=colours["soft"],
                fontsize=10,
                style="italic",
                va="center",
            )
        found = [(m, i) for i, m in enumerate(contents.transformers) if m.largest_k is not None]
        axes.plot(
            [m.params or 1 for m, _ in found],
            [m.largest_k or 0 for m, _ in found],
            color=colours["rule"],
            linewidth=2,
            zorder=1,
        )
        for m, i in found:
            axes.plot(
                [m.params or 1],
                [m.largest_k or 0],
                marker="o",
                markersize=19,
                color=colours[f"m{i}"],
                markeredgewidth=0,
            )
            axes.annotate(
                str(m.largest_k),
                (m.params or 1, m.largest_k or 0),
                color=colours["paper"],
                fontsize=12,
                fontweight="bold",
                ha="center",
                va="center_baseline",
            )
        labels: list[tuple[float, float, str, str]] = []
        right = axes.get_xlim()[1]
        for i, parrot in enumerate(p for p in contents.parrots if p.largest_k is not None):
            height = float(parrot.largest_k or 0)
            axes.axhline(
                height, color=colours["parrot"], linestyle=DASHES[i % 3], linewidth=1.5, zorder=1
            )
            labels.append((right, height, parrot.name, colours["parrot"]))
        axes.yaxis.set_major_locator(FixedLocator(list(range(ks[-1] + 1))))
        end_labels(axes, labels, (0, ks[-1]), ks[-1] * 15 / (HEIGHT - 102))
        heading(axes, colours, "How many skills at once", f"largest k with {share} full marks")

    share = percent(next((m.threshold for m in contents.models if m.threshold), 0.2))
    parts = [f"{m.name}: {ABSENT if m.largest_k is None else m.largest_k}" for m in contents.models]
    return Drawing(
        "largest-k",
        f"Dot chart: largest k with at least {share} full marks, against parameters. "
        + "; ".join(parts)
        + ".",
        WIDTH,
        HEIGHT,
        paint,
    )


def loss_by_size(contents: Contents) -> Drawing:
    """Final loss against parameters over the exact entropy floor."""

    def paint(figure: Figure, colours: Colours) -> None:
        axes = plot_axes(figure, colours, (44, 42, WIDTH - 44 - 24, HEIGHT - 42 - 60))
        _params_axis(axes, colours, contents.transformers)
        rows = [
            (i, m, m.params, m.loss)
            for i, m in enumerate(contents.transformers)
            if m.params is not None and m.loss is not None
        ]
        floor = contents.entropy
        values = [loss for _, _, _, loss in rows] + ([floor] if floor is not None else [])
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        reach = (high - low) or 0.1
        axes.set_ylim(low - 0.2 * reach, high + 0.22 * reach)
        axes.plot(
            [p for _, _, p, _ in rows],
            [loss for _, _, _, loss in rows],
            color=colours["rule"],
            linewidth=2,
            zorder=1,
        )
        for i, m, p, loss in rows:
            colour = colours[f"m{i}"]
            if floor is not None:
                axes.vlines([p], [floor], [loss], colors=colour, linewidth=1.2, linestyle=":")
            axes.plot([p], [loss], marker="o", markersize=7, color=colour, markeredgewidth=0)
            words = f"+{m.excess:.3f}" if m.excess is not None and m.excess >= 0 else nats(m.excess)
            axes.annotate(
                words,
                (p, loss),
                xytext=(0, 10),
                textcoords="offset points",
                ha="center",
                color=colour,
                fontsize=11,
                fontweight="bold",
            )
        _floor(axes, colours, floor, low - 0.03 * reach)
        axes.yaxis.set_major_formatter(FuncFormatter(_tick_two))
        heading(
            axes, colours, "Loss over the exact floor", "nats a token; the labels are the excess"
        )

    parts = [
        f"{m.name}: loss {nats(m.loss)}, excess {nats(m.excess)}" for m in contents.transformers
    ]
    return Drawing(
        "loss-by-size",
        f"Dot chart: validation loss against parameters. Exact entropy {nats(contents.entropy)} "
        f"nats a token. {'; '.join(parts)}.",
        WIDTH,
        HEIGHT,
        paint,
    )


def _floor(axes: Axes, colours: Colours, floor: float | None, below: float) -> None:
    if floor is None:
        return
    axes.axhline(floor, color=colours["floor"], linewidth=1.4, linestyle=(0, (6, 3)), zorder=1)
    axes.text(
        0.01,
        below,
        f"entropy of the world, exactly {nats(floor)}",
        transform=axes.get_yaxis_transform(),
        color=colours["floor"],
        fontsize=10.5,
        va="top",
    )


def training_curves(contents: Contents) -> Drawing:
    """Loss against tokens seen: the validation curve where there is one."""

    def paint(figure: Figure, colours: Colours) -> None:
        room = label_room([m.name for m in contents.transformers])
        axes = plot_axes(figure, colours, (44, 42, WIDTH - 44 - room, HEIGHT - 42 - 60))
        axes.set_xscale("log")
        axes.set_yscale("log")
        labels: list[tuple[float, float, str, str]] = []
        everything: list[float] = [] if contents.entropy is None else [contents.entropy]
        tokens: list[float] = []
        for i, m in enumerate(contents.transformers):
            points = curve(contents.training, m.name)
            if not points:
                continue
            x, y = [point[0] for point in points], [point[1] for point in points]
            axes.plot(x, y, color=colours[f"m{i}"], linewidth=1.8)
            labels.append((x[-1], y[-1], m.name, colours[f"m{i}"]))
            everything += y
            tokens += x
        if not tokens or min(everything) <= 0:
            axes.text(
                0.5, 0.5, ABSENT, transform=axes.transAxes, color=colours["soft"], ha="center"
            )
        else:
            low, high = min(everything), max(everything)
            axes.set_ylim(low * 0.8, high * 1.1)
            axes.set_xlim(min(tokens), max(tokens) * 1.05)
            ticks = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 8, 12)
            axes.yaxis.set_major_locator(FixedLocator([t for t in ticks if 0.8 * low < t < high]))
            axes.xaxis.set_major_locator(
                FixedLocator([d * 10**e for e in range(3, 13) for d in (1, 3)])
            )
            _floor(axes, colours, contents.entropy, low * 0.965)
            _log_end_labels(axes, labels)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(_tick_plain))
        axes.xaxis.set_major_formatter(FuncFormatter(_tick_short))
        axis_label(axes, colours, "training tokens")
        heading(axes, colours, "Training", "loss in nats a token, both axes logarithmic")

    parts = [f"{m.name} ends at {nats(m.loss)}" for m in contents.transformers]
    return Drawing(
        "training",
        f"Line chart: loss against training tokens. {'; '.join(parts)}.",
        WIDTH,
        HEIGHT,
        paint,
    )


def curve(training: pl.DataFrame, model: str) -> list[tuple[float, float]]:
    """Return (tokens, loss in nats a token) of a model, from validation if that was logged."""
    rows = training.filter((pl.col("model") == model) & (pl.col("tokens") > 0)).sort("tokens")
    for split in ("valid", "train"):
        part = rows.filter(pl.col("split") == split).select("tokens", "loss").drop_nulls()
        if part.height > 1:
            return [(float(t), float(loss)) for t, loss in part.iter_rows()]
    return []


def _log_end_labels(axes: Axes, labels: list[tuple[float, float, str, str]]) -> None:
    """Spread labels evenly on a logarithmic axis: steps of 14 pixels of its height."""
    low, high = axes.get_ylim()
    step = (high / low) ** (14 / (HEIGHT - 102))
    place = low
    right = axes.get_xlim()[1]
    for x, y, words, colour in sorted(labels, key=lambda label: label[1]):
        place = max(y, place)
        end_labels(axes, [(min(x, right), y, words, colour)], (place, place), 0.0)
        place *= step


def cloze_theta(contents: Contents) -> Drawing:
    """Share of failed cloze pieces (theta) against parameters, with intervals."""

    def paint(figure: Figure, colours: Colours) -> None:
        axes = plot_axes(figure, colours, (44, 42, WIDTH - 44 - 24, HEIGHT - 42 - 60))
        _params_axis(axes, colours, contents.transformers)
        highest = 0.0
        for i, m in enumerate(contents.transformers):
            if m.theta.value is None or not m.params:
                continue
            value = 100 * m.theta.value
            colour = colours[f"m{i}"]
            highest = max(highest, value)
            if m.theta.low is not None and m.theta.high is not None:
                axes.vlines([m.params], [100 * m.theta.low], [100 * m.theta.high], colors=colour)
            axes.plot([m.params], [value], marker="o", markersize=7, color=colour, linewidth=0)
            axes.annotate(
                f"{value:.3g}",
                (m.params, value),
                xytext=(8, 4),
                textcoords="offset points",
                color=colour,
                fontsize=11,
                fontweight="bold",
            )
        axes.set_ylim(0, min(103.0, highest * 1.25 or 1.0))
        heading(axes, colours, "Failed cloze pieces", "theta, % of held-out pieces")

    parts = [f"{m.name}: {percent(m.theta.value)}" for m in contents.transformers]
    return Drawing(
        "cloze-theta",
        f"Dot chart: theta, the share of cloze pieces failed, against parameters. "
        f"{'; '.join(parts)}.",
        WIDTH,
        HEIGHT,
        paint,
    )
