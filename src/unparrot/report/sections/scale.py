"""The lab's sections on scale: smooth metric, loss over the exact floor, cloze test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from unparrot.analysis.schema import LabSummary, Model
from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, count, interval, nats, percent, seconds, short
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import grid, numbers, section
from unparrot.report.html.markup import Markup
from unparrot.report.sections.against_k import (
    SHARES,
    TITLES,
    panel_table,
    picked,
    slug,
    whole,
)

Lab = Contents[LabSummary]


def _by_params(
    contents: Lab, name: str, title: str, subtitle: str, series: Sequence[Series], **look: Any
) -> Drawing:
    """Draw series over a logarithmic axis of parameters, a tick for each model."""
    sizes = [m.params for m in contents.transformers if m.params]
    limits = (min(sizes) / 1.7, max(sizes) * 1.7) if sizes else None
    look |= {"x_log": True, "x_limits": limits, "x_ticks": sizes, "x_words": short}
    return Drawing(name, [Chart(title, subtitle, "parameters", series, **look)])


def _dot(contents: Lab, model: Model, y: float | Estimate, words: str, **look: Any) -> Series:
    """A point at the size of a model, with words."""
    look = {"style": "dots", "size": 7, "named": False, "words": [words]} | look
    look["role"] = contents.roles[model.name]
    x = [model.params or 1]
    if isinstance(y, Estimate):
        return Series.of(model.name, x, [y], **look)
    return Series(model.name, x, [y], **look)


def _path(models: Sequence[Model], y: Sequence[float | None]) -> Series:
    """A quiet line from model to model."""
    return Series("", [m.params or 1 for m in models], y, role="rule", named=False)


# --- smooth or sudden -------------------------------------------------------------------------


def smooth(contents: Lab, press: Press) -> Markup:
    """Full marks beside the smooth metric, one line for every k."""
    figures: list[Markup] = []
    models = [m for m in contents.ladder if m.params]
    for metric, title in TITLES.items():
        pick = picked(contents, metric, "seen", "greedy")
        lines = [
            Series.of(
                f"k={k}",
                [m.params for m in models if m.params],
                [pick(m, k) for m in models],
                role=f"k{i}",
                marker="o",
                style="dashes" if contents.untrained(k) else "line",
            )
            for i, k in enumerate(contents.ks)
        ]
        name, subtitle = f"{slug(metric)}-by-size", "%, seen, greedy; k never trained dashed"
        drawing = _by_params(contents, name, title, subtitle, lines, **SHARES)
        figures.append(press.figure(drawing, panel_table(contents, metric, "seen", "greedy")))
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


# --- loss -------------------------------------------------------------------------------------


def loss(contents: Lab, press: Press) -> Markup:
    """Loss over the exact floor, and training curves."""
    return section(
        "loss",
        "How far from perfect prediction",
        [
            "The world's texts are drawn from known rules, so the entropy of the text is computed "
            "and not fitted: no model can get under the dashed line. What is left above it is the "
            "excess, and that is what scale buys."
        ],
        grid(
            press.figure(_loss_by_size(contents), _model_table(contents)),
            press.figure(_training(contents), _training_table(contents)),
        ),
    )


def _floor(contents: Lab) -> Rule:
    words = f"entropy of the world, exactly {nats(contents.summary.world.entropy)}"
    return Rule(contents.summary.world.entropy, words, "floor", "dashes")


def _loss_by_size(contents: Lab) -> Drawing:
    floor = contents.summary.world.entropy
    models = [(m, m.loss) for m in contents.transformers if m.params and m.loss is not None]
    low, high = (f([floor, *(y for _, y in models)]) for f in (min, max))
    reach = (high - low) or 0.1
    ladder = [m.loss for m in contents.ladder if m.params and m.loss is not None]
    dots = [
        _dot(
            contents,
            m,
            y,
            nats(m.excess) if m.excess is None or m.excess < 0 else f"+{m.excess:.3f}",
            bounds=[(floor, y)],
            words_at="above",
        )
        for m, y in models
    ]
    return _by_params(
        contents,
        "loss-by-size",
        "Loss over the exact floor",
        "nats a token; the labels are the excess",
        [_path([m for m, _ in models if m in contents.ladder], ladder), *dots],
        y_limits=(low - 0.2 * reach, high + 0.22 * reach),
        y_words="{:.2f}".format,
        rules=[_floor(contents)],
    )


def _model_table(contents: Lab) -> Markup:
    """One row a model: size, tokens, loss, excess, time."""
    times = _train_seconds(contents.training)
    rows = [
        [
            m.name,
            m.kind,
            "–" if m.is_parrot and m.params is None else count(m.params),
            "–" if m.is_parrot and m.layers is None else _shape(m),
            count(m.tokens),
            nats(m.loss),
            nats(m.entropy),
            nats(m.excess),
            seconds(times[m.name]) if m.name in times else "–",
        ]
        for m in contents.models
    ]
    head = ("model", "kind", "parameters", "layers × width", "training tokens", "loss", "entropy")
    return numbers([*head, "excess", "training time"], rows, "models")


def _shape(model: Model) -> str:
    if model.layers is None or model.width is None:
        return ABSENT
    return f"{model.layers} × {model.width}"


def _train_seconds(training: pl.DataFrame | None) -> dict[str, float]:
    """Seconds of training by model: what the clock said when the last row was logged."""
    if training is None or "seconds" not in training.columns:
        return {}
    last = training.drop_nulls("seconds").group_by("model").agg(pl.col("seconds").max())
    return {str(name): float(value) for name, value in last.iter_rows()}


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
    losses = [y for line in lines for y in line.y if y is not None]
    floor = contents.summary.world.entropy
    limits = (0.8 * min([floor, *losses]), 1.1 * max([floor, *losses]))
    chart = Chart(
        "Training",
        "loss in nats a token, both axes logarithmic",
        "training tokens",
        lines,
        x_log=True,
        y_log=True,
        x_limits=(min(tokens), 1.05 * max(tokens)) if tokens else None,
        y_limits=limits,
        x_words=short,
        rules=[_floor(contents)],
    )
    return Drawing("training", [chart])


def _training_table(contents: Lab) -> Markup:
    """Points of the training curves, at most eight a model, the first and the last among them."""
    rows: list[list[str]] = []
    for m in contents.transformers:
        tokens, losses = _curve(contents, m.name)
        last = len(tokens) - 1
        chosen = sorted({round(i * last / 7) for i in range(8)}) if tokens else []
        rows += [[m.name, count(int(tokens[i])), nats(losses[i])] for i in chosen]
        if not tokens:
            rows.append([m.name, ABSENT, ABSENT])
    return numbers(["model", "training tokens", "loss"], rows, "training curves")


# --- cloze ------------------------------------------------------------------------------------


def cloze(contents: Lab, press: Press) -> Markup:
    """Cloze errors, if a model has them."""
    title = "Reading instead of writing"
    if all(m.cloze is None for m in contents.transformers):
        return section("cloze", title, [f"Cloze errors: {ABSENT}."])
    return section(
        "cloze",
        title,
        [
            "The same models are shown held-out text pieces and must fill the telling words. "
            "A piece is failed if any of them is wrong; theta is the share of failed pieces."
        ],
        grid(press.figure(_theta(contents), _cloze_table(contents))),
    )


def _theta(contents: Lab) -> Drawing:
    dots = [
        _dot(contents, m, theta, "" if theta.value is None else percent(theta.value))
        for m in contents.transformers
        if m.params and (theta := m.cloze and m.cloze.theta)
    ]
    highest = max((y for dot in dots for y in dot.y if y is not None), default=0.0)
    return _by_params(
        contents,
        "cloze-theta",
        "Failed cloze pieces",
        "theta, % of held-out pieces",
        dots,
        y_percent=True,
        y_limits=(0, min(1.03, 1.25 * highest or 0.01)),
        y_words=whole,
    )


def _cloze_table(contents: Lab) -> Markup:
    """Competence in single skills from the cloze test, models side by side."""
    tests = [(m.name, m.cloze) for m in contents.transformers if m.cloze]
    competences = [{rate.skill: rate.competence for rate in test.per_skill} for _, test in tests]
    skills = sorted({skill for rates in competences for skill in rates})
    rows = [["theta (pieces failed)", *(interval(test.theta) for _, test in tests)]]
    rows += [["pieces", *(count(test.pieces) for _, test in tests)]]
    rows += [[skill, *(interval(rates.get(skill)) for rates in competences)] for skill in skills]
    return numbers(["competence in", *(name for name, _ in tests)], rows, "cloze test")
