"""How well language models do: full marks against k, best of several, mark by mark, in pairs."""

from collections.abc import Callable
from typing import Any

from unparrot.analysis.between.compare import Comparison
from unparrot.analysis.model.competence import Bounded, Cell, Metric, Rounds
from unparrot.analysis.model.saturation import Saturation
from unparrot.analysis.schema import Model, SkillMixSummary
from unparrot.core.wording import (
    ABSENT,
    METRIC_NAMES,
    NOTHING,
    interval,
    p_value,
    percent,
    plural,
    points,
)
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import bullets, folded, grid, numbers, section, table, wide
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import (
    AXIS,
    TITLES,
    by_decoding,
    k_chart,
    k_figure,
    picked,
    slug,
)
from unparrot.report.sections.made import MARK_HEADS

Run = Contents[SkillMixSummary]
MOST_PANELS = 4  # models whose marks are drawn in the open
MOST_DRAWN = 6  # pairs of models whose difference is drawn


def full_marks_figure(contents: Run, press: Press) -> Markup:
    """The figure of the first screen: full marks against k, of the first decoding."""
    return _panel(contents, press, "full_marks", (*contents.decodings, "greedy")[0])


def _panel(contents: Run, press: Press, metric: Metric, decoding: str) -> Markup:
    name, pick = METRIC_NAMES[metric], picked(contents, metric, decoding)
    file, title = f"{slug(metric)}-{slug(decoding)}", TITLES[metric]
    label = f"{name}, {decoding}; after a semicolon, the bounds"
    return k_figure(contents, press, file, title, f"{name}, %", pick, label)


def full_marks_by_k(contents: Run, press: Press) -> Markup:
    """The skill fraction against k, other decodings, and the largest k with enough full marks."""

    def panels(decoding: str) -> Markup | None:
        opened = decoding == (*contents.decodings, decoding)[0]  # on the first screen
        metrics: list[Metric] = [m for m in TITLES if m != "full_marks" or not opened]
        return grid(*(_panel(contents, press, metric, decoding) for metric in metrics))

    return section(
        "full-marks",
        "Full marks against the number of skills",
        [
            "Each text must show k skills at once on a given topic. It earns full marks if it "
            "shows every one of them, keeps to the topic, makes sense and is short enough. There "
            "are k\u00a0+\u00a03 marks, and one that is missed loses the text. The skill fraction "
            "below gives part of the mark for part of the skills, on the same texts. Bands are "
            "95 % intervals over combinations.",
            *_dotted(contents),
        ],
        *by_decoding(contents, panels),
        wide(*_saturation(contents), kind=" open"),
    )


def _dotted(contents: Run) -> list[str]:
    if not any(cell.unscored for model in contents.models for cell in model.cells):
        return []
    return [
        "Where marks are unscored, the estimate is over the texts whose every mark was scored. The "
        "dotted bars span what it would be over all texts had every unscored mark been missed, or "
        "earned."
    ]


def reach_words(k: int, least: int) -> str:
    """Write a k up to which a model reaches the threshold: 0 is under the least that was asked."""
    return str(k) if k >= least else f"under {least}"


def saturation_words(saturation: Saturation | None, least: int) -> str:
    """Write the saturation point, as far as it is known."""
    if saturation is None or (saturation.open and not saturation.k):
        return ABSENT
    return f"at least {saturation.k}" if saturation.open else reach_words(saturation.k, least)


def _saturation(contents: Run) -> tuple[Markup, Markup]:
    least = contents.ks[0]
    known = [(model.name, model.saturation) for model in contents.models if model.saturation]
    rows: list[list[str]] = []
    for name, point in known:
        low, high, worst, best = (
            reach_words(k, least) for k in (point.low, point.high, point.worst, point.best)
        )
        reach = f"{low} to {high}{' or more' if point.at_least else ''}"
        rows.append([name, saturation_words(point, least), reach, worst, best])
    threshold = percent(known[0][1].threshold) if known else ABSENT
    head = ["model", "saturation point", "95 % interval", "all unscored missed", "earned"]
    title = f"The saturation point: the largest k up to which at least {threshold} earn full marks"
    return el("h4", title), table(head, rows, title)


# --- one round, and the best of several -------------------------------------------------------


def one_and_best(contents: Run, press: Press) -> Markup | None:
    """One round beside the best of several; None where combinations have one text each."""
    cells = [cell for model in contents.models for cell in model.cells]
    most = max((c.max_at_rounds.rounds for c in cells if c.max_at_rounds), default=1)
    if most < 2:
        return None

    def figure(name: str, title: str, rounds: Callable[[Cell], Rounds | None]) -> Markup:
        def pick(model: Model, k: int) -> Bounded | None:
            cell = contents.cell(model, k, contents.decodings[0])
            share = cell and rounds(cell)
            return share and share.full_marks

        return k_figure(contents, press, name, title, "full marks, %", pick, title)

    return section(
        "rounds",
        "One try, or the best of several",
        [
            f"Every combination was asked for up to {most} times. On the left, how often a single "
            "text earns full marks; on the right, how often the best of a combination's texts "
            "does. Published SKILL-MIX figures are of the second kind. A best of several grows "
            "with every try, so it says nothing about the chance of success: that is what stands "
            "on the left.",
        ],
        grid(
            figure("pass-at-1", "One text: pass@1", lambda cell: cell.pass_at_1),
            figure("max-at-rounds", f"The best of {most}: max@{most}", lambda c: c.max_at_rounds),
        ),
    )


# --- mark by mark -----------------------------------------------------------------------------


def lost_marks(contents: Run, press: Press) -> Markup:
    """How often each kind of mark is earned, against k."""
    decoding = contents.decodings[0] if contents.decodings else ""
    ks = contents.ks
    figures: list[Markup] = []
    for i, model in enumerate(contents.models):
        cells = [contents.cell(model, k, decoding) for k in ks]
        marks = {kind: [cell and cell.marks[kind] for cell in cells] for kind in MARK_HEADS}
        lines = [
            Series.of(kind, ks, estimates, role=f"k{place}", marker="o")
            for place, (kind, estimates) in enumerate(marks.items())
        ]
        chart = k_chart(contents, contents.labels[model.name], "marks earned, %", lines)
        rows = [[MARK_HEADS[kind], *map(interval, estimates)] for kind, estimates in marks.items()]
        below = numbers(["mark", *(f"k = {k}" for k in ks)], rows, f"marks of {model.name}")
        figures.append(press.figure(Drawing(f"marks-{i}", [chart]), below))
    rest = figures[MOST_PANELS:]
    return section(
        "marks",
        "Where the marks are lost",
        [
            "How often each kind of mark is earned by itself: each of the skills, the topic, the "
            "sense of the text, and its length.",
        ],
        grid(*figures[:MOST_PANELS]),
        folded(f"Others: {plural(len(rest), 'model')}", grid(*rest)) if rest else None,
    )


# --- in pairs ---------------------------------------------------------------------------------


def differences(contents: Run, press: Press) -> Markup | None:
    """Differences of full marks over the same combinations; None for a single model."""
    part = contents.summary.comparison
    if part is None or not (part.pairs or part.left_out):
        return None
    known = (
        " p is exact; the adjusted one holds for every test of this section at once "
        f"({plural(part.tests, 'test')}, Holm)."
        if part.tests
        else " No text was scored in full for both, so only bounds are known."
    )
    drawn = [
        press.figure(_difference(contents, pair, i))
        for i, pair in enumerate(part.pairs[:MOST_DRAWN])
        if any(cell.full_marks.value is not None for cell in pair.cells)
    ]
    notes = [
        f"{pair.second} and {pair.first}: {note}" for pair in part.pairs for note in pair.notes
    ]
    head = ["pair", "k", "combinations", "second", "first", "difference", "bounds", "p", "adjusted"]
    rows = [
        [
            f"{pair.second} less {pair.first}",
            *map(str, (cell.k, cell.combinations)),
            *map(percent, (cell.second, cell.first)),
            points(cell.full_marks),
            _bounds(cell.full_marks),
            *map(p_value, (cell.p, cell.p_adjusted)),
            points(cell.skill_fraction),
        ]
        for pair in part.pairs
        for cell in pair.cells
    ]
    return section(
        "comparison",
        "Which does better?",
        [
            "The models wrote for the same combinations, so they are compared text by text: the "
            f"difference of full marks, second less first, in points of a hundred.{known}",
            *part.left_out,
        ],
        grid(*drawn),
        wide(
            numbers([*head, "skill fraction"], rows, "comparison of the models") if rows else None,
            folded("What does not count here", bullets(notes)) if notes else None,
        ),
    )


def _bounds(difference: Bounded) -> str:
    """What the difference may be, whatever the unscored marks are."""
    if difference.bounds is None:
        return NOTHING
    low, high = (f"{100 * x:+.1f}" for x in difference.bounds)
    return f"{low} to {high}".replace("-", "−")


def _difference(contents: Run, pair: Comparison, number: int) -> Drawing:
    first, second = contents.labels[pair.first], contents.labels[pair.second]
    known = [cell for cell in pair.cells if cell.full_marks.value is not None]
    shares = [cell.full_marks for cell in known]
    ends = [abs(x) for e in shares for x in (e.low, e.high, e.value) if x is not None]
    reach = 1.1 * max(0.1, *ends)
    ks = sorted({cell.k for cell in pair.cells})
    look: Any = {"style": "dots", "role": "accent", "size": 6.5, "named": False}
    look["words"] = [_signed(e.value or 0.0) for e in shares]
    chart = Chart(
        f"{second} less {first}",
        "difference of full marks, points",
        AXIS,
        [Series.of("difference", [cell.k for cell in known], shares, **look)],
        x_limits=(ks[0] - 0.5, ks[-1] + 0.5),
        y_limits=(-reach, reach),
        x_ticks=ks,
        y_words=_signed,
        rules=[Rule(0, style="line")],
    )
    return Drawing(f"difference-{number}", [chart])


def _signed(share: float) -> str:
    """Write whole points of a hundred, with a sign."""
    return f"{100 * share:+.0f}".replace("-", "−") if round(100 * share) else "0"
