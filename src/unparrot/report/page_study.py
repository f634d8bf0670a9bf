"""The page of a study: ``unparrot lab study report`` makes ``STUDY/report.html``.

It is laid out as the page of a run is, one HTML file that opens offline, and computes nothing:
every figure is one of study-summary.json.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from unparrot.analysis.study.study_summary import (
    SettingSummary,
    SliceSummary,
    StudyModel,
    StudySummary,
)
from unparrot.analysis.theory.growth import Reach, token_steps
from unparrot.core.records import atomic_write
from unparrot.core.studies import Value
from unparrot.core.wording import ABSENT, count, interval, listed, nats, number, percent, short
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series, Shade
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    Block,
    acting,
    document,
    fact,
    facts,
    folded,
    grid,
    numbers,
    opening,
    parts,
    section,
    tall,
)
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.play.touch import touch
from unparrot.report.sections.against_k import AXIS, SHARES, whole
from unparrot.report.sections.growth import FLOOR, MARKERS, ROOF, SIZE
from unparrot.report.sections.made import footer
from unparrot.report.theme import Theme
from unparrot.report.words.growth_words import VERDICTS, reach_words
from unparrot.report.words.study_words import (
    QUESTION,
    axis_name,
    missing_words,
    place_words,
    seeds_words,
    setting_words,
    study_sentence,
    there,
    value_words,
)

MOST_PANELS: Final = 12  # of an axis; the table has the others
TICKS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
Place = tuple[Value, ...]


@dataclass(frozen=True)
class Shown:
    """A study as its page shows it: the colour and the sign of each setting.

    Colours run over the values of the first axis of runs besides the seed, or, where only seeds
    vary, over shapes; signs over the numbers of tokens.
    """

    summary: StudySummary

    @cached_property
    def slicing(self) -> Sequence[str]:
        """The axes of runs that vary, without the seed."""
        return [name for name in self.summary.varying if name != "seed"]

    @cached_property
    def places(self) -> Sequence[Place]:
        """The slices."""
        return list(dict.fromkeys(self.place(setting) for setting in self.summary.settings))

    @cached_property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Layers, width and order of the models, from small to large."""
        sizes = {self.shape(s): s.params for s in reversed(self.summary.settings)}
        return sorted(sizes, key=lambda shape: (sizes[shape], shape))

    @cached_property
    def steps(self) -> dict[int, int]:
        """The number of each number of tokens, 0 for the most."""
        tokens = [m.growth.tokens or 0 for m in self.summary.trained]
        return dict(zip(tokens, token_steps(tokens), strict=True))

    @cached_property
    def colours(self) -> Sequence[object]:
        """What the colours stand for, in their order."""
        if self.slicing:
            return self.summary.axes[self.slicing[0]]
        return self.shapes

    def place(self, item: SettingSummary | SliceSummary | StudyModel) -> Place:
        """Return the slice of something."""
        return tuple(item.axes[name] for name in self.slicing)

    def shape(self, item: SettingSummary | StudyModel) -> tuple[int, ...]:
        """Return layers, width and order."""
        return item.layers or 0, item.width or 0, item.order or 0

    def role(self, item: SettingSummary | StudyModel) -> str:
        """Return the role of its colour."""
        key = item.axes[self.slicing[0]] if self.slicing else self.shape(item)
        return f"m{self.colours.index(key)}"

    def by_shape(self, item: SettingSummary) -> str:
        """Return the role of the colour of its shape, in figures of a single slice."""
        return f"m{self.shapes.index(self.shape(item))}"

    def marker(self, tokens: int) -> str:
        """Return the sign of a number of tokens."""
        return MARKERS[min(self.steps[tokens], len(MARKERS) - 1)]

    def most_tokens(self, settings: Iterable[SettingSummary]) -> list[SettingSummary]:
        """Return the settings with the most tokens."""
        return [setting for setting in settings if not self.steps[setting.tokens]]

    @cached_property
    def max_k(self) -> int:
        """The largest k that any training had."""
        return max(setting.max_k for setting in self.summary.settings)

    @cached_property
    def best(self) -> SettingSummary:
        """The setting with the least loss."""
        lowest = [s for s in self.summary.settings if s.excess and s.excess.value is not None]
        return min(lowest, key=lambda s: s.excess.value, default=self.summary.settings[-1])  # type: ignore


def write_study_page(folder: Path, summary: StudySummary) -> Path:
    """Write the page of a study, and its figures into ``figures`` beside it.

    Parameters
    ----------
    folder
        Where report.html goes.
    summary
        study-summary.json.
    """
    shown = Shown(summary)
    steps = 1 + max(shown.steps.values())
    theme = Theme.of(max(len(shown.colours), len(shown.shapes), steps), 1)
    press = Press(theme, folder / "figures")
    page = folder / "report.html"
    atomic_write(page, compose_study(shown, press, touch()).encode())
    return page


def compose_study(shown: Shown, press: Press, touch: Block | None = None) -> str:
    """Make the whole document of a study and write the figure files.

    Parameters
    ----------
    shown, press
        What to show, and what draws it.
    touch
        The theory, to be played with: the first thing of its part.
    """
    body = el(
        "main",
        _opening(shown),
        parts(
            result=[_growth(shown, press), _pairs(shown, press), _longer(shown, press)],
            evidence=[
                *(_axis(shown, press, axis) for axis in shown.slicing),
                _params(shown, press),
                _tokens(shown, press),
                _against_k(shown, press),
            ],
            theory=[touch and touch.element, _slices(shown, press)],
            making=[_table(shown), _made(shown)],
        ),
        footer(),
    )
    title = f"Study {shown.summary.name}"
    return document(title, press.theme, body, blocks=(acting(), touch))


# The first screen


def _opening(shown: Shown) -> Markup:
    summary, best = shown.summary, shown.best
    value, bracket, limits = reach_words(best.k50).partition(" (")
    seeds = f"{bracket.strip()}{limits}; {best.seeds} of {best.of} seeds".lstrip("; ")
    pairs, _, around = number(summary.growth.pairs).partition(" ")
    runs = there(summary).partition(", ")
    return opening(
        f"Study · {summary.name}",
        summary.about or QUESTION,
        study_sentence(summary),
        facts(
            fact(f"k50 at the least loss: {setting_words(best)}", value, seeds),
            fact("k50 on held-out pairs over that on seen combinations", pairs, around),
            fact("models are there, and in every figure", runs[0].removesuffix(" models"), runs[2]),
        ),
    )


def _growth(shown: Shown, press: Press) -> Markup | None:
    """k50 against excess loss: a mark for every model, a bar for every setting."""
    summary = shown.summary
    models = [m for m in summary.trained if m.growth.excess and m.growth.excess.value > 0]
    if not models:
        return None
    x = [m.growth.excess.value for m in models if m.growth.excess]
    left, right, roof = max(x) * 1.4, min(x) / 1.4, ROOF * shown.max_k
    lines = [*_laws(shown, left, right)]
    for model in models:
        if model.growth.excess is None or model.growth.k50 is None:
            continue
        at, marker = _height(model.growth.k50, roof), shown.marker(model.growth.tokens or 0)
        lines.append(
            Series(
                "",
                [model.growth.excess.value],
                [at],
                "dots",
                role=shown.role(model),
                marker={1.08 * FLOOR: "v", roof / 1.04: "^"}.get(at, marker),
                size=5,
                named=False,
            )
        )
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
    )
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
        grid(press.figure(Drawing("study-growth", [chart], *SIZE), _key(shown)), kind=" wide"),
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


def _height(reach: Reach, roof: float) -> float:
    """Where a k50 is drawn; a bound at the edge of the figure."""
    if reach.value is not None:
        return reach.value
    return 1.08 * FLOOR if reach.bound.startswith("<") else roof / 1.04


def _labelled(shown: Shown) -> Sequence[SettingSummary]:
    """The settings with a large mark: all, or of many those with the most tokens."""
    settings = shown.summary.settings
    return settings if len(settings) <= 24 else shown.most_tokens(settings)


def _key(shown: Shown) -> Markup:
    """What colours and signs stand for."""
    if shown.slicing:
        names = [value_words(value) for value in shown.summary.axes[shown.slicing[0]]]
        title = axis_name(shown.slicing[0])
    else:
        by_shape = {shown.shape(s): _shape_words(s) for s in reversed(shown.summary.settings)}
        names = [by_shape[shape] for shape in shown.shapes]
        title = "parameters (layers × width)"
    colours = [
        join(" · " if i else " ", el("b", name, style=f"color:var(--m{i})"))
        for i, name in enumerate(names)
    ]
    signs = {MARKERS[0]: "disc", "s": "square", "D": "diamond", "^": "triangle", "P": "cross"}
    tokens = {shown.marker(n): short(n) for n in sorted(shown.steps, reverse=True)}
    steps = ", ".join(f"{signs[sign]} {n}" for sign, n in tokens.items())
    return el("figcaption", f"{title}:", *colours, f"; training tokens: {steps}")


# k50 against each axis


def _axis(shown: Shown, press: Press, axis: str) -> Markup | None:
    """k50 against an axis of runs: a line a shape, at the most tokens."""
    at = shown.slicing.index(axis)
    values = list(shown.summary.axes[axis])

    def others(setting: SettingSummary) -> Place:
        return tuple(v for i, v in enumerate(shown.place(setting)) if i != at)

    settings = shown.most_tokens(shown.summary.settings)
    names = [name for name in shown.slicing if name != axis]
    return _axis_section(
        shown,
        press,
        axis,
        _panels(settings, others, lambda place: place_words(dict(zip(names, place, strict=True)))),
        values,
        lambda setting: setting.axes[axis],
        lambda setting: (_shape_words(setting), shown.by_shape(setting)),
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
        _by_slice(shown),
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
        _by_slice(shown),
        sorted({setting.tokens for setting in shown.summary.settings}),
        lambda setting: setting.tokens,
        lambda setting: (_shape_words(setting), shown.by_shape(setting)),
        "Each line is one shape.",
    )


def _shape_words(setting: SettingSummary) -> str:
    return f"{short(setting.params)} ({setting.layers} × {setting.width})"


def _tokens_look(shown: Shown, setting: SettingSummary) -> tuple[str, str]:
    step = max(shown.steps.values()) - shown.steps[setting.tokens]
    return f"{short(setting.tokens)} tokens", f"m{step}"


def _by_slice(shown: Shown) -> list[tuple[str, list[SettingSummary]]]:
    names = shown.slicing
    return _panels(
        shown.summary.settings,
        shown.place,
        lambda place: place_words(dict(zip(names, place, strict=True))),
    )


def _panels(
    settings: Iterable[SettingSummary],
    key: Callable[[SettingSummary], Place],
    words: Callable[[Place], str],
) -> list[tuple[str, list[SettingSummary]]]:
    panels: dict[Place, list[SettingSummary]] = {}
    for setting in settings:
        panels.setdefault(key(setting), []).append(setting)
    return [(words(place), own) for place, own in panels.items()]


def _axis_section(
    shown: Shown,
    press: Press,
    axis: str,
    panels: Sequence[tuple[str, Sequence[SettingSummary]]],
    values: Sequence[Value],
    value: Callable[[SettingSummary], Value],
    look: Callable[[SettingSummary], tuple[str, str]],
    words: str,
) -> Markup | None:
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
                Series("", [places[value(s)]], [_height(s.k50, roof)], "dots", role=roles[name],
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
            x_words=short if axis in ("params", "tokens") else _value_at(places, numeric),
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
        head = ["", axis_name(axis), "seeds", "k50", "k20", "k50, held-out pairs", "bounds"]
        below = numbers(head, rows, f"k50 against {axis_name(axis)}: {title}")
        figures.append(press.figure(Drawing(f"study-{axis}-{i}", [chart]), below))
    remarks = [words + " " + seeds_words(shown.summary.settings)]
    remarks[0] += " A triangle at the edge is a bound: it enters no line."
    if len(panels) > MOST_PANELS:
        remarks.append(f"{MOST_PANELS} of {len(panels)} combinations of the other axes are drawn.")
    return section(f"axis-{axis}", f"k50 against {axis_name(axis)}", remarks, grid(*figures))


def _value_at(places: dict[Value, float], numeric: bool) -> Callable[[float], str] | None:
    if numeric:
        return None
    words = {place: value_words(value) for value, place in places.items()}
    return lambda place: words.get(place, "")


# Full marks against k


def _against_k(shown: Shown, press: Press) -> Markup:
    """Small multiples: full marks against k, a panel a slice; of one slice, a number of tokens."""
    panels = _by_slice(shown)
    if len(panels) == 1:
        panels = _panels(
            shown.summary.settings,
            lambda setting: (shown.steps[setting.tokens],),
            lambda place: f"{_tokens_of(shown, place[0])} training tokens",
        )
    else:
        panels = [(title, shown.most_tokens(own) or own) for title, own in panels]
    figures = [
        _multiple(shown, press, i, title, own)
        for i, (title, own) in enumerate(panels[:MOST_PANELS])
    ]
    words = (
        "A panel for each value of the axis, a line for each shape, over all seeds. Solid: "
        "combinations that are new in nothing but themselves; dashed: pairs of skills that no "
        "training text has. In the shaded part every text asks for more skills than any of "
        "training had. Bands are 95 %, over seeds from three on, else the chance of combinations "
        "alone."
    )
    more = [f"{MOST_PANELS} of {len(panels)} are drawn."] if len(panels) > MOST_PANELS else []
    return section("full-marks", "Full marks against k", [words, *more], grid(*figures))


def _tokens_of(shown: Shown, step: Value) -> str:
    return short(max(n for n, own in shown.steps.items() if own == step))


def _multiple(
    shown: Shown, press: Press, number_: int, title: str, own: Sequence[SettingSummary]
) -> Markup:
    lines: list[Series] = []
    rows: list[list[str]] = []
    for setting in own:
        role = shown.by_shape(setting)
        for split, style in ((("seen", "untrained_k"), "line"), (("heldout_pair",), "dashes")):
            shares = sorted((s for s in setting.shares if s.split in split), key=lambda s: s.k)
            if not shares:
                continue
            ks, estimates = [s.k for s in shares], [s.full_marks for s in shares]
            if style == "line":
                name = short(setting.params)
                lines.append(Series.of(name, ks, estimates, role=role, marker="o"))
            else:
                y = [e.value for e in estimates]
                lines.append(
                    Series("", ks, y, "dashes", role=role, quiet=True, named=False, marker="X")
                )
            rows += [
                [setting.name, "pairs" if style == "dashes" else "seen", str(s.k),
                 interval(s.full_marks), str(setting.seeds)]
                for s in shares
            ]  # fmt: skip
    last = max((s.k for setting in own for s in setting.shares), default=1)
    trained = max(setting.max_k for setting in own)
    shades = [Shade(trained + 0.5, last + 0.35, "never trained")] if last > trained else []
    chart = Chart(
        title,
        "full marks, %",
        AXIS,
        lines,
        x_limits=(0.65, last + 0.35),
        shades=shades,
        **SHARES,
    )
    head = ["setting", "combinations", "k", "full marks", "seeds"]
    below = numbers(head, rows, f"full marks: {title}")
    return press.figure(Drawing(f"study-full-marks-{number_}", [chart]), below)


def _pairs(shown: Shown, press: Press) -> Markup | None:
    """k50 on held-out pairs beside that on seen combinations."""
    both = [
        (setting, setting.k50, setting.k50_heldout_pair)
        for setting in shown.summary.settings
        if setting.k50 and setting.k50_heldout_pair
    ]
    drawn = [(s, a, b) for s, a, b in both if a.value is not None and b.value is not None]
    if not drawn:
        return None
    roof = ROOF * shown.max_k
    ends = [FLOOR, roof]
    lines = [Series("as many", ends, ends, role="ink", quiet=True, named=False)]
    lines += [
        Series(
            setting_words(setting), [seen.value or 0.0], [pairs.value], "dots", [low], [high],
            role=shown.role(setting), marker=shown.marker(setting.tokens), size=8, named=False,
        )
        for setting, seen, pairs in drawn
        for low, high in [setting.ends(pairs, FLOOR, roof)]
    ]  # fmt: skip
    ticks = [k for k in TICKS if k <= shown.max_k]
    chart = Chart(
        "Held-out pairs beside seen",
        "k50 on pairs of skills that no training text has; the line is 'as many'",
        "k50 on seen combinations",
        lines,
        x_log=True,
        y_log=True,
        x_limits=(FLOOR, roof),
        y_limits=(FLOOR, roof),
        x_ticks=ticks,
        y_ticks=ticks,
    )
    bounds = len(both) - len(drawn)
    words = (
        "k50 on held-out pairs is that on seen combinations times "
        f"{number(shown.summary.growth.pairs)}, over all models and at the same k; 1 says that a "
        "pair never seen together costs nothing more."
    )
    if bounds:
        words += f" {bounds} settings have a bound on one side, and no mark here."
    figure = press.figure(Drawing("study-pairs", [chart]), _key(shown))
    return section("pairs", "Pairs never seen together", [words], grid(figure))


def _longer(shown: Shown, press: Press) -> Markup | None:
    """Texts with more skills than any of training."""
    beyond = [
        (setting, share, share.law)
        for setting in shown.summary.settings
        for share in setting.shares
        if share.split == "untrained_k" and share.law is not None
    ]
    if not beyond:
        return None
    lines = [Series("as the law", [0, 1], [0, 1], role="ink", quiet=True, named=False)]
    lines += [
        Series.of(
            f"{setting_words(setting)}, k = {share.k}", [law], [share.full_marks], style="dots",
            role=shown.role(setting), marker=shown.marker(setting.tokens), named=False,
        )
        for setting, share, law in beyond
    ]  # fmt: skip
    chart = Chart(
        "Beyond the k of training",
        "full marks, %; on the line: as the law of trained k gives",
        "full marks by the law of trained k, %",
        lines,
        x_limits=(-0.03, 1.03),
        x_ticks=SHARES["y_ticks"],
        x_words=whole,
        **SHARES,
    )
    rows = [
        [setting_words(setting), str(share.k), str(setting.max_k), interval(share.full_marks),
         percent(law)]
        for setting, share, law in beyond
    ]  # fmt: skip
    head = ["setting", "k", "largest k of training", "full marks", "by the law of trained k"]
    words = (
        "A text with more skills than any of training is longer than any of training, too. That is "
        "another question, and enters no k50: here are full marks there, over seeds, beside what "
        "the law of the trained k gives."
    )
    own = [
        f"{interval(share.full_marks)} at k = {share.k} ({percent(law)} by the law)"
        for setting, share, law in beyond
        if setting == shown.best
    ]
    best = f"At the least loss ({setting_words(shown.best)}) full marks are {listed(own)}."
    return section(
        "longer",
        "Longer than anything trained",
        [words, *([best] if own else [])],
        grid(press.figure(Drawing("study-longer", [chart]), _key(shown))),
        tall(head, rows, "longer"),
    )


# Slices, tables


def _slices(shown: Shown, press: Press) -> Markup | None:
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


def _table(shown: Shown) -> Markup:
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


def _made(shown: Shown) -> Markup:
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
