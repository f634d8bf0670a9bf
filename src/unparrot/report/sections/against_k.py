"""Figures against k: one line for every model, one panel for every split."""

from __future__ import annotations

from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unparrot.core.wording import ABSENT, METRIC_NAMES, percent, split_name
from unparrot.report.contents import Contents, Model
from unparrot.report.draw.curves import HEIGHT, WIDTH, Curve, draw_curves, label_room
from unparrot.report.draw.paint import Colours, Drawing, heading, plot_axes

DASHES = ((0, (5, 2.5)), (0, (1.5, 2)), (0, (7, 2, 1.5, 2)))
PANELS = {
    "seen": "Seen combinations",
    "heldout_pair": "Held-out pairs of skills",
    "heldout_topic": "Held-out topic × skill",
    "heldout_triple": "Held-out triples of skills",
}


def split_at(split: str, k: int, trained_k: int | None) -> str:
    """Return the split that continues a panel at k: 'seen' goes on as 'untrained_k'."""
    beyond = trained_k is not None and k > trained_k
    return "untrained_k" if split == "seen" and beyond else split


def slug(name: str) -> str:
    """Make a part of a file name, for example ``t0-7`` of ``t0.7``."""
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").lower()


def styles(contents: Contents) -> list[tuple[Model, str, object, str]]:
    """Return model, colour role, line style and marker of every model."""
    rows: list[tuple[Model, str, object, str]] = []
    for i, model in enumerate(contents.transformers):
        rows.append((model, f"m{i}", "-", "o"))
    for i, model in enumerate(contents.parrots):
        rows.append((model, "parrot", DASHES[i % len(DASHES)], "sDv^"[i % 4]))
    return rows


def _panel(
    axes: Axes, colours: Colours, contents: Contents, metric: str, split: str, decoding: str
) -> None:
    ks, trained = contents.ks, contents.trained_k
    axes.set_xlim(ks[0] - 0.35, ks[-1] + 0.35)
    axes.set_ylim(-3, 103)
    if trained is not None and ks[-1] > trained:
        axes.axvspan(trained + 0.5, ks[-1] + 0.35, color=colours["band"], linewidth=0, zorder=0)
        axes.text(
            (trained + 0.5 + ks[-1] + 0.35) / 2,
            97,
            "never trained",
            color=colours["soft"],
            fontsize=10,
            style="italic",
            ha="center",
            va="center",
        )
    curves = [
        Curve(
            model.label,
            role,
            [(k, model.estimate(metric, k, split_at(split, k, trained), decoding)) for k in ks],
            line=line,
            marker=marker,
            quiet=model.is_parrot,
        )
        for model, role, line, marker in styles(contents)
    ]
    draw_curves(axes, colours, curves, ks)


def _paint_panel(
    contents: Contents, metric: str, split: str, decoding: str, figure: Figure, colours: Colours
) -> None:
    room = label_room([m.label for m in contents.models])
    axes = plot_axes(figure, colours, (36, 42, WIDTH - 36 - room, HEIGHT - 42 - 60))
    _panel(axes, colours, contents, metric, split, decoding)
    heading(axes, colours, panel_title(split), f"{METRIC_NAMES[metric]}, %  ·  {decoding}")


def panel_title(split: str) -> str:
    """Return the heading of a panel, for example 'Held-out pairs of skills'."""
    words = split_name(split)
    return PANELS.get(split, words[:1].upper() + words[1:])


def describe_panel(contents: Contents, metric: str, split: str, decoding: str) -> str:
    """Say in words what a panel shows, with each model's first and last value."""
    parts: list[str] = []
    for model in contents.models:
        values = [
            (k, model.estimate(metric, k, split_at(split, k, contents.trained_k), decoding).value)
            for k in contents.ks
        ]
        ends = [(k, value) for k, value in values if value is not None]
        if ends:
            (a, first), (b, last) = ends[0], ends[-1]
            parts.append(f"{model.name}: {percent(first)} at k={a}, {percent(last)} at k={b}")
        else:
            parts.append(f"{model.name}: {ABSENT}")
    return (
        f"Line chart: {METRIC_NAMES[metric]} against k on {split_name(split)} combinations, "
        f"decoding {decoding}. " + "; ".join(parts) + "."
    )


def panels(contents: Contents, metric: str, decoding: str) -> list[tuple[str, Drawing]]:
    """Return (split, drawing) of every split that was measured, 'seen' first."""
    made: list[tuple[str, Drawing]] = []
    for split in PANELS:
        if split in contents.splits or split == "seen":
            drawing = Drawing(
                f"{metric.replace('_', '-')}-{slug(split)}-{slug(decoding)}",
                describe_panel(contents, metric, split, decoding),
                WIDTH,
                HEIGHT,
                partial(_paint_panel, contents, metric, split, decoding),
            )
            made.append((split, drawing))
    return made


def overview(contents: Contents) -> Drawing:
    """Seen and held-out pair side by side: the picture for a README or a slide."""

    def paint(figure: Figure, colours: Colours) -> None:
        room = label_room([m.label for m in contents.models])
        for i, split in enumerate(("seen", "heldout_pair")):
            box = (36 + i * WIDTH, 42, WIDTH - 36 - room, HEIGHT - 42 - 60)
            axes = plot_axes(figure, colours, box)
            _panel(axes, colours, contents, "full_marks", split, "greedy")
            heading(axes, colours, panel_title(split), "full marks, %  ·  greedy")

    shown = ("seen", "heldout_pair")
    alt = " ".join(describe_panel(contents, "full_marks", split, "greedy") for split in shown)
    return Drawing("overview", alt, 2 * WIDTH, HEIGHT, paint)
