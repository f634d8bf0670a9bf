"""How well language models do: full marks against k, the best of several tries, mark by mark."""

from __future__ import annotations

from typing import Literal

from unparrot.analysis.model.competence import METRICS, Bounded, Cell, Metric, Rounds
from unparrot.analysis.model.saturation import Saturation
from unparrot.analysis.schema import Model, SkillMixSummary
from unparrot.core.wording import (
    ABSENT,
    METRIC_NAMES,
    bounded,
    interval,
    percent,
    split_name,
)
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Drawing, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import folded, grid, numbers, section, table, wide
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import TITLES, k_chart, k_table, model_series, slug
from unparrot.report.sections.made import MARK_HEADS

Run = Contents[SkillMixSummary]
MOST_PANELS = 4  # models whose marks are drawn in the open
KIND_NAMES = {
    "skills": "skills",
    "topic": "keeps to the topic",
    "sense": "makes sense",
    "length": "short enough",
}


def cell_at(model: Model, k: int, decoding: str) -> Cell | None:
    """Return the first cell of a model at this k and decoding."""
    return next((cell for cell in model.cells if (cell.k, cell.decoding) == (k, decoding)), None)


def _bounded(estimate: Bounded | None) -> str:
    return ABSENT if estimate is None else bounded(estimate, estimate.bounds)


def full_marks_by_k(contents: Run, press: Press) -> Markup:
    """Full marks and the skill fraction against k, and the largest k with enough full marks."""
    blocks: list[Markup | None] = []
    for decoding in contents.decodings:
        figures: list[Markup] = []
        for metric, title in TITLES.items():

            def pick(
                model: Model, k: int, decoding: str = decoding, metric: Metric = metric
            ) -> Bounded | None:
                cell = cell_at(model, k, decoding)
                return cell and cell.metric(metric)

            name, subtitle = METRIC_NAMES[metric], f"{METRIC_NAMES[metric]}, %"
            lines = model_series(contents, contents.ks, pick)
            chart = k_chart(title, subtitle, contents.ks, lines)
            below = k_table(
                contents,
                lambda model, k, pick=pick: _bounded(pick(model, k)),
                f"{name}, {decoding}; after a semicolon, the bounds",
            )
            drawing = Drawing(f"{slug(metric)}-{slug(decoding)}", [chart])
            figures.append(press.figure(drawing, below))
        block = grid(*figures)
        first = decoding == contents.decodings[0]
        title = f"The same for {decoding}"
        blocks.append(block if first else folded(title, block, kind="fold"))
    return section(
        "full-marks",
        "Full marks against the number of skills",
        [
            "Each text must show k skills at once on a given topic. It earns full marks if it "
            "shows every one of them, keeps to the topic, makes sense and is short enough. There "
            "are k\u00a0+\u00a03 marks, and one that is missed loses the text. The skill fraction "
            "beside it gives part of the mark for part of the skills, on the same texts. Bands are "
            "95 % intervals over combinations.",
            *_dotted(contents),
        ],
        *blocks,
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
    rows: list[list[str]] = []
    known = [(model.name, model.saturation) for model in contents.models if model.saturation]
    for name, point in known:
        low, high, worst, best = (
            reach_words(k, least) for k in (point.low, point.high, point.worst, point.best)
        )
        reach = f"{low} to {high}{' or more' if point.at_least else ''}"
        rows.append([name, saturation_words(point, least), reach, worst, best])
    threshold = percent(known[0][1].threshold) if known else ABSENT
    head = ["model", "saturation point", "95 % interval", "all unscored missed", "earned"]
    title = f"The saturation point: the largest k up to which at least {threshold} earn full marks"
    return el("h3", title), table(head, rows, title)


# --- one round, and the best of several -------------------------------------------------------


def one_and_best(contents: Run, press: Press) -> Markup | None:
    """One round beside the best of several; None where combinations have one text each."""
    decoding = contents.decodings[0] if contents.decodings else ""
    cells = [cell for model in contents.models for cell in model.cells]
    most = max((c.max_at_rounds.rounds for c in cells if c.max_at_rounds), default=1)
    if most < 2:
        return None

    def figure(name: str, title: str, of: Literal["pass_at_1", "max_at_rounds"]) -> Drawing:
        def pick(model: Model, k: int) -> Bounded | None:
            cell = cell_at(model, k, decoding)
            rounds: Rounds | None = cell and getattr(cell, of)
            return rounds and rounds.full_marks

        lines = model_series(contents, contents.ks, pick)
        return Drawing(name, [k_chart(title, "full marks, %", contents.ks, lines)])

    rows = [
        [model.name, str(k), *_rounds(cell)]
        for model in contents.models
        for k in contents.ks
        if (cell := cell_at(model, k, decoding))
    ]
    below = numbers(["model", "k", *ROUNDS], rows, "one round, and the best of several")
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
            press.figure(figure("pass-at-1", "One text: pass@1", "pass_at_1"), below),
            press.figure(
                figure("max-at-rounds", f"The best of {most}: max@{most}", "max_at_rounds")
            ),
        ),
    )


ROUNDS = ["pass@1", "best of", "max@rounds", "skill fraction, one", "best"]


def _rounds(cell: Cell) -> list[str]:
    once, best = cell.pass_at_1, cell.max_at_rounds
    return [
        _bounded(once and once.full_marks),
        ABSENT if best is None else str(best.rounds),
        _bounded(best and best.full_marks),
        _bounded(once and once.skill_fraction),
        _bounded(best and best.skill_fraction),
    ]


# --- mark by mark -----------------------------------------------------------------------------


def lost_marks(contents: Run, press: Press) -> Markup:
    """How often each kind of mark is earned, against k."""
    decoding = contents.decodings[0] if contents.decodings else ""
    ks = contents.ks
    figures: list[Markup] = []
    for i, model in enumerate(contents.models):
        cells = [cell_at(model, k, decoding) for k in ks]
        marks = {kind: [cell and cell.marks[kind] for cell in cells] for kind in MARK_HEADS}
        lines = [
            Series.of(kind, ks, estimates, role=f"k{place}", marker="o")
            for place, (kind, estimates) in enumerate(marks.items())
        ]
        rows = [[KIND_NAMES[kind], *map(interval, estimates)] for kind, estimates in marks.items()]
        chart = k_chart(contents.labels[model.name], "marks earned, %", ks, lines)
        head = ["mark", *(f"k = {k}" for k in ks)]
        below = numbers(head, rows, f"marks of {model.name}")
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
        folded(f"The other {len(rest)} models", grid(*rest)) if rest else None,
    )


def every_cell(contents: Run) -> Markup:
    """One row a model and k (and split and decoding): every metric with interval and bounds."""
    several = len(contents.splits) > 1 or len(contents.decodings) > 1
    rows = [
        [
            model.name,
            str(cell.k),
            *([split_name(cell.split), cell.decoding] if several else []),
            str(cell.combinations),
            str(cell.n),
            str(cell.unscored),
            *(_bounded(cell.metric(metric)) for metric in METRICS),
            *_rounds(cell),
            *(_bounded(cell.marks[kind]) for kind in MARK_HEADS),
        ]
        for model in contents.models
        for cell in model.cells
    ]
    head = ["model", "k", *(["split", "decoding"] if several else [])]
    head += ["combinations", "texts", "with unscored marks", *METRIC_NAMES.values()]
    head += [*ROUNDS, *MARK_HEADS.values()]
    title = f"All {len(rows)} cells"
    return section("cells", "Every number", [], wide(folded(title, table(head, rows, "all cells"))))
