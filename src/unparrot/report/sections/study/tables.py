"""The tables of a study: the exponent of each slice, every setting, and what it is made of."""

from itertools import groupby

from unparrot.analysis.study.study_summary import (
    SettingSummary,
)
from unparrot.core.wording import ABSENT, count, nats, number
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    folded,
    grid,
    section,
    tall,
)
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.study.shown import Shown
from unparrot.report.words.growth_words import VERDICTS, reach_words
from unparrot.report.words.study_words import (
    axis_name,
    missing_words,
    place_words,
    seeds_words,
    setting_words,
    there,
    value_words,
)


def slices(shown: Shown, press: Press) -> Markup | None:
    """The exponent of each slice."""
    slices = shown.summary.slices
    if len(slices) < 2:
        return None
    growth = shown.summary.growth
    rows = [
        [
            place_words(own.axes),
            str(own.models),
            str(own.seeds),
            number(own.exponent),
            ABSENT if own.exponent is None else own.exponent.method,
            VERDICTS[own.verdict],
        ]
        for own in slices
    ]
    places = list(range(len(slices)))
    measured = [own.exponent for own in slices]
    figures: list[Markup] = []
    if any(e is not None and e.value is not None for e in measured):
        short_words = [", ".join(value_words(v) for v in own.axes.values()) for own in slices]
        chart = Chart(
            "The exponent of each slice",
            "exponent of k50 against excess loss, 95 %; theory: −1",
            ", ".join(map(axis_name, shown.slicing)),
            [Series.of("", places, measured, style="dots", role="accent", size=8, named=False)],
            x_limits=(-0.5, len(slices) - 0.5),
            x_ticks=places,
            x_words=lambda x: short_words[round(x)],
            rules=[Rule(growth.predicted, "theory", "ink")],
        )
        figures.append(press.figure(Drawing("study-exponents", [chart])))
    head = ["slice", "models", "seeds", "exponent", "interval", "theory's −1"]
    return section(
        "slices",
        "Growth, slice by slice",
        ["A slice is one combination of the axes other than the seed, fitted by itself."],
        grid(*figures),
        tall(head, rows, "slices"),
    )


def settings(shown: Shown) -> Markup:
    rows = [
        [
            setting_words(setting),
            count(setting.params),
            count(setting.tokens),
            f"{setting.seeds} of {setting.of}",
            _excess(setting),
            *(reach_words(r) for r in (setting.k50, setting.k20, setting.k50_heldout_pair)),
            str(setting.bounded),
            number(setting.c),
        ]
        for setting in shown.summary.settings
    ]
    head = ["setting", "parameters", "tokens", "seeds", "excess, nats", "k50", "k20"]
    head += ["k50, held-out pairs", "seeds with a bound", "c"]
    words = (
        f"{seeds_words(shown.summary.settings)} The k50 of a setting is that of the law of all its "
        "seeds, so a seed whose own k50 is a bound counts with what it did; how many there are is "
        "in the column before the last. A row a model: study.csv and study.parquet; a row a "
        "model, k and split: study-cells.csv and study-cells.parquet."
    )
    return section("settings", "Every setting", [words], tall(head, rows, "settings"))


def _excess(setting: SettingSummary) -> str:
    e = setting.excess
    if e is None or e.value is None:
        return ABSENT
    return nats(e.value) if e.low is None else f"{nats(e.value)} ({nats(e.low)} to {nats(e.high)})"


def made_of(shown: Shown) -> Markup:
    summary = shown.summary
    axes = "; ".join(
        f"{axis_name(name)} {', '.join(value_words(v) for v in values)}"
        for name, values in summary.axes.items()
    )
    words = [f"There are {there(summary)}.", f"Axes of the runs: {axes}."]
    missing = missing_words(summary, most=len(summary.missing))
    runs = [
        [run, "; ".join(f"{axis_name(n)} {value_words(v)}" for n, v in own[0].axes.items()),
         str(len(own))]
        for run, own in ((run, list(own)) for run, own in groupby(summary.models, lambda m: m.run))
    ]  # fmt: skip
    head = ["run", "axes", "models and parrots"]
    lost = (
        folded(f"{len(summary.missing)} models are not there", el("p", missing))
        if missing
        else None
    )
    return section("made", "What it is made of", words, lost, tall(head, runs, "runs"))
