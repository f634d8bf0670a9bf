"""The lab's sections on scale: full marks and skill fraction by size, loss over the exact floor."""

import polars as pl

from unparrot.analysis.schema import LabSummary, Model
from unparrot.core.wording import ABSENT, METRIC_NAMES, NOTHING, count, nats, seconds, short
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import columns, grid, numbers, section
from unparrot.report.html.markup import Markup
from unparrot.report.sections.against_k import SHARES, TITLES, k_table, picked, slug

Lab = Contents[LabSummary]


def smooth(contents: Lab, press: Press) -> Markup:
    """Full marks beside the smooth metric, one line for every k."""
    figures: list[Markup] = []
    models = [m for m in contents.ladder if m.params]
    sizes = [m.params or 0 for m in models]
    for metric, title in TITLES.items():
        pick = picked(contents, metric, "greedy", "seen")
        lines = [
            Series.of(
                f"k={k}",
                sizes,
                [pick(m, k) for m in models],
                role=f"k{i}",
                marker="o",
                style="dashes" if contents.untrained(k) else "line",
            )
            for i, k in enumerate(contents.ks)
        ]
        chart = Chart(
            title,
            f"{METRIC_NAMES[metric]}, %; seen, greedy; k never trained dashed",
            "parameters",
            lines,
            x_log=True,
            x_limits=(min(sizes) / 1.7, max(sizes) * 1.7) if sizes else None,
            x_ticks=sizes,
            x_words=short,
            **SHARES,
        )
        below = k_table(contents, pick, f"{METRIC_NAMES[metric]}, seen, greedy")
        figures.append(press.figure(Drawing(f"{slug(metric)}-by-size", [chart]), below))
    return section(
        "smooth",
        "Sudden or smooth? It depends on the mark",
        [
            "Full marks ask for everything at once, so they can seem to appear out of nowhere "
            "as models grow. The skill fraction gives part of the mark for part of the skills, "
            "on the same texts."
        ],
        grid(*figures),
    )


def loss(contents: Lab, press: Press) -> Markup:
    """Training curves over the exact floor, and what was trained."""
    return section(
        "loss",
        "How far from perfect prediction",
        [
            "The world's texts are drawn from known rules, so the entropy of the text is computed "
            "and not fitted: no model can get under the dashed line. What is left above it is the "
            "excess, and that is what scale buys."
        ],
        grid(press.figure(_training(contents), _models(contents))),
    )


def _models(contents: Lab) -> Markup:
    """One row a model: size, tokens, loss, excess, and seconds of training when last logged."""
    times: dict[str, float] = {}
    if contents.training is not None and "seconds" in contents.training.columns:
        logged = contents.training.drop_nulls("seconds")
        times = dict(logged.group_by("model").agg(pl.col("seconds").max()).iter_rows())
    made = columns(
        contents.models,
        {
            "model": lambda m: m.name,
            "kind": lambda m: m.kind,
            "parameters": lambda m: NOTHING if m.is_parrot and not m.params else count(m.params),
            "layers × width": _shape,
            "training tokens": lambda m: count(m.tokens),
            "loss": lambda m: nats(m.loss),
            "entropy": lambda m: nats(m.entropy),
            "excess": lambda m: nats(m.excess),
            "training time": lambda m: seconds(times[m.name]) if m.name in times else NOTHING,
        },
    )
    return numbers(*made, "models")


def _shape(model: Model) -> str:
    if model.layers is None or model.width is None:
        return NOTHING if model.is_parrot else ABSENT
    return f"{model.layers} × {model.width}"


def _curve(contents: Lab, model: str) -> tuple[list[float], list[float]]:
    """Tokens and loss in nats a token, from validation if that was logged."""
    if contents.training is not None:
        rows = contents.training.filter((pl.col("model") == model) & (pl.col("tokens") > 0))
        for split in ("valid", "train"):
            logged = rows.filter(pl.col("split") == split).drop_nulls("loss").sort("tokens")
            if logged.height > 1:
                return logged["tokens"].to_list(), logged["loss"].to_list()
    return [], []


def _training(contents: Lab) -> Drawing:
    lines = [
        Series(m.name, *_curve(contents, m.name), role=contents.roles[m.name], quiet=True)
        for m in contents.ladder
    ]
    tokens = [x for line in lines for x in line.x]
    floor = contents.summary.world.entropy
    losses = [floor, *(y for line in lines for y in line.y if y is not None)]
    chart = Chart(
        "Training",
        "loss in nats a token, both axes logarithmic",
        "training tokens",
        lines,
        x_log=True,
        y_log=True,
        x_limits=(min(tokens), 1.05 * max(tokens)) if tokens else None,
        y_limits=(0.8 * min(losses), 1.1 * max(losses)),
        x_words=short,
        rules=[Rule(floor, f"entropy of the world, exactly {nats(floor)}", "floor", "dashes")],
    )
    return Drawing("training", [chart])
