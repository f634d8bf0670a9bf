"""k50 against excess loss over all models of a study: the figure of its first screen."""

from collections.abc import Sequence
from typing import Any

from unparrot.analysis.study.study_summary import (
    SettingSummary,
)
from unparrot.core.wording import number
from unparrot.report.draw.chart import Chart, Drawing, Series, Shade
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    section,
)
from unparrot.report.html.markup import Markup
from unparrot.report.sections.growth import FLOOR, NARROW, ROOF, SIZE
from unparrot.report.sections.study.shown import TICKS, Shown, height, key
from unparrot.report.words.growth_words import reach_words
from unparrot.report.words.study_words import (
    axis_name,
    setting_words,
    study_sentence,
)


def growth_figure(shown: Shown, press: Press) -> Markup | None:
    """Draw k50 against excess loss: a mark for every model, a bar for every setting."""
    summary = shown.summary
    models = [m for m in summary.trained if m.growth.excess and m.growth.excess.value > 0]
    if not models:
        return None
    x = [m.growth.excess.value for m in models if m.growth.excess]
    left, right, roof = max(x) * 1.4, min(x) / 1.4, ROOF * shown.max_k
    lines = [*_laws(shown, left, right)]
    for model in models:
        own, k50 = model.growth, model.growth.k50
        if own.excess is None or k50 is None:
            continue
        at, marker = height(k50, roof), shown.marker(own.tokens or 0)
        look: Any = {"marker": {1.08 * FLOOR: "v", roof / 1.04: "^"}.get(at, marker), "size": 5}
        look |= {"role": shown.role(model), "values": [reach_words(k50)], "named": False}
        lines.append(Series(f"{own.name}, {model.run}", [own.excess.value], [at], "dots", **look))
    for setting in _labelled(shown):
        if setting.excess and setting.excess.value and setting.k50 and setting.k50.value:
            k50, (low, high) = setting.k50, setting.ends(setting.k50, FLOOR, roof)
            lines.append(
                Series(
                    setting_words(setting),
                    [setting.excess.value],
                    [k50.value],
                    "dots",
                    [low],
                    [high],
                    role=shown.role(setting),
                    marker=shown.marker(setting.tokens),
                    size=10,
                    words=["" if shown.slicing else setting.name],
                    values=[reach_words(k50)],
                    named=False,
                )
            )
    chart = Chart(
        "How many skills at once",
        "k50; small marks: one model each; large: over all seeds, bars 95 %",
        "excess loss, nats a token (falls to the right)",
        lines,
        x_log=True,
        y_log=True,
        x_limits=(left, right),
        y_limits=(FLOOR, roof),
        y_ticks=[k for k in TICKS if k <= shown.max_k],
        shades=[Shade(shown.max_k, roof, "k never trained", "y")],
        alt=f"Dot chart: k50 against excess loss. {study_sentence(summary)}",
    )
    narrow = Drawing("study-growth-narrow", [chart], *NARROW)
    return press.figure(Drawing("study-growth", [chart], *SIZE), key(shown), narrow=narrow)


def growth(shown: Shown) -> Markup:
    """Say what the first screen's figure shows, and the steepness of the law of all models."""
    by = axis_name(shown.slicing[0]) if shown.slicing else "shape"
    return section(
        "growth",
        "Less loss, more skills at once",
        [
            f"Each small mark is one model, coloured by {by}, its shape the number of training "
            "tokens. A large mark is the law of all seeds of a setting, with its interval over "
            "them; a triangle at the edge is a k50 outside of the k asked for, which is no number. "
            "The solid line is the theory's, through one setting and fitted to none; the dashed "
            "one is the fit.",
            *_scales(shown),
        ],
    )


def _scales(shown: Shown) -> list[str]:
    growth = shown.summary.growth
    if growth.c is None:
        return []
    words = f"All models together have the steepness c = {number(growth.c)}; 1 is independence."
    if growth.own_scales:
        words += " The exponent is one for all slices, and k50 at a given loss is each slice's own."
    return [words]


def _laws(shown: Shown, left: float, right: float) -> list[Series]:
    """The theory's line through the setting with the highest loss, and the fit of each slice."""
    growth, lines = shown.summary.growth, list[Series]()
    known = [
        (s.excess.value, s.k50.value)
        for s in shown.summary.settings
        if s.excess and s.excess.value and s.excess.value > 0 and s.k50 and s.k50.value
    ]
    ends = [left, right]
    look: Any = {"quiet": True, "named": False}
    if known:
        at, k = max(known)
        theory = [k * (x / at) ** growth.predicted for x in ends]
        lines.append(Series("theory", ends, theory, role="ink", **look))
    if growth.exponent and growth.exponent.value is not None:
        exponent = growth.exponent.value
        scales = {s.scale for s in shown.summary.slices if s.scale is not None}
        for scale in sorted(scales):
            fit = [scale * x**exponent for x in ends]
            lines.append(Series("fit", ends, fit, "dashes", role="accent", **look))
    return lines


def _labelled(shown: Shown) -> Sequence[SettingSummary]:
    """The settings with a large mark: all, or of many those with the most tokens."""
    settings = shown.summary.settings
    return settings if len(settings) <= 24 else shown.most_tokens(settings)
