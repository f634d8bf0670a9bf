"""Full marks of a study: against k, on held-out pairs, and beyond the k of training."""

from collections.abc import Sequence
from typing import Final

from unparrot.analysis.study.study_summary import (
    SettingSummary,
)
from unparrot.core.wording import interval, listed, number, percent, short
from unparrot.report.draw.chart import Chart, Drawing, Series, Shade
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    folded,
    grid,
    numbers,
    section,
    tall,
)
from unparrot.report.html.markup import Markup
from unparrot.report.sections.against_k import AXIS, SHARES, whole
from unparrot.report.sections.growth import FLOOR, ROOF
from unparrot.report.sections.study.axes import MOST_PANELS
from unparrot.report.sections.study.shown import TICKS, Shown, by_slice, key, panels_by
from unparrot.report.words.study_words import (
    setting_words,
)

MOST_OPEN: Final = 2  # panels that are not folded


def full_marks_by_k(shown: Shown, press: Press) -> Markup:
    """Small multiples: full marks against k, a panel a slice; of one slice, a number of tokens."""
    panels = by_slice(shown, shown.summary.settings)
    if len(panels) == 1:
        panels = panels_by(
            shown.summary.settings,
            lambda setting: (shown.token_words(setting.tokens),),
            lambda place: f"{place[0]} training tokens",
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
    rest = figures[MOST_OPEN:]
    return section(
        "full-marks",
        "Full marks against k",
        [words, *more],
        grid(*figures[:MOST_OPEN]),
        folded(f"{len(rest)} more", grid(*rest), kind="fold") if rest else None,
    )


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


def pairs(shown: Shown, press: Press) -> Markup | None:
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
    figure = press.figure(Drawing("study-pairs", [chart]), key(shown))
    return section("pairs", "Pairs never seen together", [words], grid(figure))


def longer(shown: Shown, press: Press) -> Markup | None:
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
        grid(press.figure(Drawing("study-longer", [chart]), key(shown))),
        tall(head, rows, "longer"),
        teaser="Texts with more skills than any of training",
    )
