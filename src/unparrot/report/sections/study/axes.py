"""k50 against each axis of a study: of its runs, parameters, training tokens."""

from collections.abc import Callable, Sequence
from typing import Final

from unparrot.analysis.study.study_summary import (
    SettingSummary,
)
from unparrot.core.studies import Value
from unparrot.core.wording import short
from unparrot.report.draw.chart import Chart, Drawing, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    grid,
    numbers,
    section,
)
from unparrot.report.html.markup import Markup
from unparrot.report.sections.growth import FLOOR, ROOF
from unparrot.report.sections.study.shown import (
    TICKS,
    Shown,
    by_slice,
    height,
    shape_words,
)
from unparrot.report.words.growth_words import reach_words
from unparrot.report.words.study_words import (
    axis_name,
    seeds_words,
    value_words,
)

MOST_PANELS: Final = 12  # of an axis; the table has the others


def by_axes(shown: Shown, press: Press) -> list[Markup | None]:
    """k50 against each axis: those of runs, parameters, and training tokens."""
    own = [_axis_of_runs(shown, press, axis) for axis in shown.slicing]
    return [*own, _params(shown, press), _tokens(shown, press)]


def _axis_of_runs(shown: Shown, press: Press, axis: str) -> Markup:
    """k50 against an axis of runs: a line a shape, at the most tokens."""
    return _axis_section(
        shown,
        press,
        axis,
        by_slice(shown, shown.most_tokens(shown.summary.settings), axis),
        list(shown.summary.axes[axis]),
        lambda setting: setting.axes[axis],
        lambda setting: (shape_words(setting), shown.by_shape(setting)),
        "Each line is one shape, at the most training tokens.",
    )


def _params(shown: Shown, press: Press) -> Markup | None:
    """k50 against parameters: a line a number of tokens."""
    if len(shown.shapes) < 2:
        return None
    return _axis_section(
        shown,
        press,
        "params",
        by_slice(shown, shown.summary.settings),
        sorted({setting.params for setting in shown.summary.settings}),
        lambda setting: setting.params,
        lambda setting: _tokens_look(shown, setting),
        "Each line is one number of training tokens.",
    )


def _tokens(shown: Shown, press: Press) -> Markup | None:
    """k50 against training tokens: a line a shape."""
    if max(shown.steps.values()) == 0:
        return None
    return _axis_section(
        shown,
        press,
        "tokens",
        by_slice(shown, shown.summary.settings),
        sorted({setting.tokens for setting in shown.summary.settings}),
        lambda setting: setting.tokens,
        lambda setting: (shape_words(setting), shown.by_shape(setting)),
        "Each line is one shape.",
    )


def _tokens_look(shown: Shown, setting: SettingSummary) -> tuple[str, str]:
    step = max(shown.steps.values()) - shown.steps[setting.tokens]
    return f"{shown.token_words(setting.tokens)} tokens", f"m{step}"


def _axis_section(
    shown: Shown,
    press: Press,
    axis: str,
    panels: Sequence[tuple[str, Sequence[SettingSummary]]],
    values: Sequence[Value],
    value: Callable[[SettingSummary], Value],
    look: Callable[[SettingSummary], tuple[str, str]],
    words: str,
) -> Markup:
    """A section on one axis: a figure of k50 for each panel, its numbers below."""
    numeric = all(isinstance(v, int | float) for v in values)
    places = {v: float(v) if isinstance(v, int | float) else float(i) for i, v in enumerate(values)}
    spread = min(places.values(), default=0.0)
    log = numeric and spread > 0 and max(places.values()) >= 4 * spread
    roof = ROOF * shown.max_k
    figures: list[Markup] = []
    for i, (title, own) in enumerate(panels[:MOST_PANELS]):
        lines: dict[str, list[SettingSummary]] = {}
        roles: dict[str, str] = {}
        for setting in own:
            name, role = look(setting)
            lines.setdefault(name, []).append(setting)
            roles[name] = role
        series: list[Series] = []
        for name, along in lines.items():
            along = sorted(along, key=lambda setting: places[value(setting)])
            reaches = [(setting, setting.k50) for setting in along]
            bars = [r and setting.ends(r, FLOOR, roof) for setting, r in reaches]
            series.append(
                Series(
                    name,
                    [places[value(setting)] for setting in along],
                    [r and r.value for _, r in reaches],
                    low=[bar and bar[0] for bar in bars],
                    high=[bar and bar[1] for bar in bars],
                    role=roles[name],
                    marker="o",
                )
            )
            series += [
                Series("", [places[value(s)]], [height(s.k50, roof)], "dots", role=roles[name],
                       marker="v" if "<" in s.k50.bound else "^", named=False)
                for s in along if s.k50 is not None and s.k50.value is None
            ]  # fmt: skip
        chart = Chart(
            title if len(panels) > 1 else f"k50 against {axis_name(axis)}",
            "k50, skills at once in half of the texts",
            axis_name(axis),
            series,
            x_log=log,
            y_log=True,
            y_limits=(FLOOR, roof),
            y_ticks=[k for k in TICKS if k <= shown.max_k],
            x_limits=None if numeric else (-0.5, len(values) - 0.5),
            x_ticks=sorted(set(places.values())),
            x_words=_words_at(shown, axis, places, numeric),
        )
        rows = [
            [
                look(setting)[0],
                value_words(value(setting)),
                f"{setting.seeds} of {setting.of}",
                *(reach_words(r) for r in (setting.k50, setting.k20, setting.k50_heldout_pair)),
                str(setting.bounded),
            ]
            for setting in own
        ]
        head = ["line", axis_name(axis), "seeds", "k50", "k20", "k50, held-out pairs", "bounds"]
        below = numbers(head, rows, f"k50 against {axis_name(axis)}: {title}")
        figures.append(press.figure(Drawing(f"study-{axis}-{i}", [chart]), below))
    remarks = [words + " " + seeds_words(shown.summary.settings)]
    remarks[0] += " A triangle at the edge is a bound: it enters no line."
    if len(panels) > MOST_PANELS:
        remarks.append(f"{MOST_PANELS} of {len(panels)} combinations of the other axes are drawn.")
    return section(f"axis-{axis}", f"k50 against {axis_name(axis)}", remarks, grid(*figures))


def _words_at(
    shown: Shown, axis: str, places: dict[Value, float], numeric: bool
) -> Callable[[float], str] | None:
    """What stands at a tick of an axis; None for numbers as they are."""
    if axis == "tokens":
        return lambda tokens: shown.token_words(round(tokens))
    if axis == "params":
        return short
    if numeric:
        return None
    words = {place: value_words(value) for value, place in places.items()}
    return lambda place: words.get(place, "")
