"""How well language models do: full marks against k, the best of several tries, mark by mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, METRIC_NAMES, interval, percent, split_name
from unparrot.report.contents import NOT_MEASURED, Cell, Contents, Model, Tries
from unparrot.report.draw.curves import Bounds, Curve, k_chart, model_curves
from unparrot.report.html.layout import Press, grid, section
from unparrot.report.html.markup import Markup, el
from unparrot.report.html.tables import MARK_KINDS, folded, table
from unparrot.report.reading import bounds_of, estimate_of
from unparrot.report.sections.against_k import slug

MOST_PANELS = 4  # models whose marks are drawn in the open
KIND_NAMES = {
    "skills": "skills",
    "topic": "keeps to the topic",
    "sense": "makes sense",
    "length": "short enough",
}


def cell_of(model: Model, k: int, decoding: str) -> Cell | None:
    """Return the first cell of a model at this k and decoding."""
    for cell in model.cells:
        if (cell.k, cell.decoding) == (k, decoding):
            return cell
    return None


def bounded(estimate: Estimate, bounds: Bounds | None) -> str:
    """Write an estimate, and what it may be where marks are unscored."""
    said = interval(estimate)
    if bounds is None:
        return said
    return f"{said}; {100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}"


def full_marks(contents: Contents, press: Press) -> Markup:
    """Full marks and the skill fraction against k, and the largest k with enough full marks."""
    blocks: list[Markup] = []
    for decoding in contents.decodings:
        figures = [
            press.figure(
                k_chart(
                    f"{slug(metric)}-{slug(decoding)}",
                    title,
                    f"{METRIC_NAMES[metric]}, %",
                    _curves(contents, metric, decoding),
                ),
                _panel_table(contents, metric, decoding),
            )
            for metric, title in (
                ("full_marks", "All or nothing: full marks"),
                ("skill_fraction", "Smooth: skill fraction"),
            )
        ]
        block = grid(*figures)
        first = decoding == contents.decodings[0]
        title = el("summary", f"The same for {decoding}")
        blocks.append(block if first else el("details", title, block, class_="fold"))
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
        el("div", _saturation(contents), class_="text-wide open"),
    )


def _dotted(contents: Contents) -> list[str]:
    if not any(cell.unscored for model in contents.models for cell in model.cells):
        return []
    return [
        "Where marks are unscored, the estimate is over the texts whose every mark was scored. The "
        "dotted bars span what it would be over all texts had every unscored mark been missed, or "
        "earned."
    ]


def _curves(contents: Contents, metric: str, decoding: str) -> list[Curve]:
    def pick(i: int, k: int) -> tuple[Estimate, Bounds | None]:
        cell = cell_of(contents.models[i], k, decoding)
        if cell is None:
            return NOT_MEASURED, None
        return cell.metrics[metric], cell.bounds[metric]

    return model_curves(contents, pick)


def _panel_table(contents: Contents, metric: str, decoding: str) -> Markup:
    rows: list[list[str]] = []
    for model in contents.models:
        cells = [cell_of(model, k, decoding) for k in contents.ks]
        told = [
            ABSENT if c is None else bounded(c.metrics[metric], c.bounds[metric]) for c in cells
        ]
        rows.append([model.name, *told])
    label = f"{METRIC_NAMES[metric]}, {decoding}; after a semicolon, the bounds"
    return folded("Numbers", table(["model", *(f"k = {k}" for k in contents.ks)], rows, label))


def _saturation(contents: Contents) -> Markup:
    found = [
        (str(row["name"]), cast(dict[str, Any], row["saturation"]))
        for row in contents.summary["models"]
    ]
    least = contents.ks[0]

    def said(k: int) -> str:
        return str(k) if k >= least else f"under {least}"

    rows = [
        [
            name,
            saturation_point(row, said),
            f"{said(row['low'])} to {said(row['high'])}{' or more' if row['at_least'] else ''}",
            said(row["worst"]),
            said(row["best"]),
        ]
        for name, row in found
    ]
    threshold = percent(found[0][1]["threshold"]) if found else ABSENT
    head = ["model", "saturation point", "95 % interval", "all unscored missed", "earned"]
    title = f"The saturation point: the largest k up to which at least {threshold} earn full marks"
    return Markup(el("h3", title) + table(head, rows, title))


def saturation_point(row: dict[str, Any], said: Callable[[int], str] = str) -> str:
    """The saturation point, as far as it is known; ``said`` words a k."""
    reached = 0
    for point in cast(list[dict[str, Any]], row["points"]):
        value = point["full_marks"]["value"]
        if value is None:
            return f"at least {reached}" if reached else ABSENT
        if value < row["threshold"]:
            break
        reached = int(point["k"])
    return said(row["k"])


def rounds(contents: Contents, press: Press) -> Markup | None:
    """One round beside the best of several; None where combinations have one text each."""
    decoding = contents.decodings[0] if contents.decodings else ""
    cells = [cell for model in contents.models for cell in model.cells]
    most = max((cell.best.rounds for cell in cells if cell.best is not None), default=1)
    if most < 2:
        return None

    def curves(best: bool) -> list[Curve]:
        def pick(i: int, k: int) -> tuple[Estimate, Bounds | None]:
            found = _tried(cell_of(contents.models[i], k, decoding), best=best)
            if found is None:
                return NOT_MEASURED, None
            return found.metrics["full_marks"], found.bounds["full_marks"]

        return model_curves(contents, pick)

    rows: list[list[str]] = []
    for model in contents.models:
        for k in contents.ks:
            cell = cell_of(model, k, decoding)
            if cell is not None:
                rows.append([model.name, str(k), *_both(cell)])
    head = ["model", "k", "pass@1", "best of", "max@rounds", "skill fraction, one", "best"]
    numbers = folded("Numbers", table(head, rows, "one round, and the best of several"))
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
            press.figure(
                k_chart("pass-at-1", "One text: pass@1", "full marks, %", curves(best=False)),
                numbers,
            ),
            press.figure(
                k_chart(
                    "max-at-rounds",
                    f"The best of {most}: max@{most}",
                    "full marks, %",
                    curves(best=True),
                )
            ),
        ),
    )


def _tried(cell: Cell | None, *, best: bool) -> Tries | None:
    if cell is None:
        return None
    return cell.best if best else cell.once


def _both(cell: Cell) -> list[str]:
    def said(tries: Tries | None, metric: str) -> str:
        return ABSENT if tries is None else bounded(tries.metrics[metric], tries.bounds[metric])

    return [
        said(cell.once, "full_marks"),
        ABSENT if cell.best is None else str(cell.best.rounds),
        said(cell.best, "full_marks"),
        said(cell.once, "skill_fraction"),
        said(cell.best, "skill_fraction"),
    ]


def lost_marks(contents: Contents, press: Press) -> Markup:
    """How often each kind of mark is earned, against k."""
    decoding = contents.decodings[0] if contents.decodings else ""
    figures: list[Markup] = []
    for i, model in enumerate(contents.models):
        curves = [
            Curve(
                kind,
                f"k{place}",
                [(k, _mark(cell_of(model, k, decoding), kind)) for k in contents.ks],
            )
            for place, kind in enumerate(MARK_KINDS)
        ]
        rows = [
            [KIND_NAMES[curve.label], *(interval(estimate) for _, estimate in curve.points)]
            for curve in curves
        ]
        head = ["mark", *(f"k = {k}" for k in contents.ks)]
        figures.append(
            press.figure(
                k_chart(f"marks-{i}", model.label, "marks earned, %", curves),
                folded("Numbers", table(head, rows, f"marks of {model.name}")),
            )
        )
    return section(
        "marks",
        "Where the marks are lost",
        [
            "How often each kind of mark is earned by itself: each of the skills, the topic, the "
            "sense of the text, and its length.",
        ],
        grid(*figures[:MOST_PANELS]),
        folded(f"The other {len(rest)} models", grid(*rest))
        if (rest := figures[MOST_PANELS:])
        else Markup(),
    )


def _mark(cell: Cell | None, kind: str) -> Estimate:
    return NOT_MEASURED if cell is None else cell.marks[kind]


def every_cell(contents: Contents) -> Markup:
    """One row a model and k (and split and decoding): every metric with interval and bounds."""
    several = len(contents.splits) > 1 or len(contents.decodings) > 1
    rows: list[list[str]] = []
    plain = cast(list[dict[str, Any]], contents.summary["models"])
    for model, row in zip(contents.models, plain, strict=True):
        for cell, told in zip(model.cells, cast(list[dict[str, Any]], row["cells"]), strict=True):
            marks = cast(dict[str, Any], told["marks"])
            rows.append(
                [
                    model.name,
                    str(cell.k),
                    *([split_name(cell.split), cell.decoding] if several else []),
                    str(cell.combinations),
                    str(cell.n),
                    str(cell.unscored),
                    *(bounded(cell.metrics[m], cell.bounds[m]) for m in METRIC_NAMES),
                    *_both(cell),
                    *(
                        bounded(estimate_of(marks[kind], model.name), bounds_of(marks[kind]))
                        for kind in MARK_KINDS
                    ),
                ]
            )
    head = ["model", "k", *(["split", "decoding"] if several else [])]
    head += ["combinations", "texts", "with unscored marks", *METRIC_NAMES.values()]
    head += ["pass@1", "best of", "max@rounds", "skill fraction, one", "best"]
    head += ["skill marks", "topic mark", "sense mark", "length mark"]
    return folded(f"All {len(rows)} cells", table(head, rows, "all cells"))
