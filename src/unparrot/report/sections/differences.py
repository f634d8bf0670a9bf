"""The section that sets the models of a run against each other, over the same combinations."""

from __future__ import annotations

from unparrot.analysis.between.compare import Comparison
from unparrot.analysis.model.competence import Bounded
from unparrot.analysis.schema import SkillMixSummary
from unparrot.core.wording import p_value, percent, points
from unparrot.report.contents import Contents
from unparrot.report.draw.chart import Chart, Drawing, Rule, Series
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import bullets, folded, grid, numbers, section, wide
from unparrot.report.html.markup import Markup
from unparrot.report.sections.against_k import AXIS

MOST_DRAWN = 6


def differences(contents: Contents[SkillMixSummary], press: Press) -> Markup | None:
    """Differences of full marks, pair by pair; None for a single model."""
    part = contents.summary.comparison
    if part is None or not (part.pairs or part.left_out):
        return None
    known = (
        f" p is exact; the adjusted one holds for all {part.tests} tests of this section at once "
        "(Holm)."
        if part.tests
        else " No text was scored in full for both, so only bounds are known."
    )
    drawn = [
        press.figure(_drawing(contents, pair, i))
        for i, pair in enumerate(part.pairs[:MOST_DRAWN])
        if any(cell.full_marks.value is not None for cell in pair.cells)
    ]
    notes = [
        f"{pair.second} and {pair.first}: {note}" for pair in part.pairs for note in pair.notes
    ]
    rows = [
        [
            f"{pair.second} less {pair.first}",
            str(cell.k),
            str(cell.combinations),
            percent(cell.second),
            percent(cell.first),
            points(cell.full_marks),
            _bounds(cell.full_marks),
            p_value(cell.p),
            p_value(cell.p_adjusted),
            points(cell.skill_fraction),
        ]
        for pair in part.pairs
        for cell in pair.cells
    ]
    head = ["pair", "k", "combinations", "second", "first", "difference", "bounds", "p", "adjusted"]
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
        return "–"
    low, high = (f"{100 * x:+.1f}" for x in difference.bounds)
    return f"{low} to {high}".replace("-", "−")


def _drawing(contents: Contents[SkillMixSummary], pair: Comparison, number: int) -> Drawing:
    first, second = contents.labels[pair.first], contents.labels[pair.second]
    known = [cell for cell in pair.cells if cell.full_marks.value is not None]
    shares = [cell.full_marks for cell in known]
    ends = [abs(x) for e in shares for x in (e.low, e.high, e.value) if x is not None]
    reach = 1.1 * max(0.1, *ends)
    ks = sorted({cell.k for cell in pair.cells})
    dots = Series.of(
        "difference",
        [cell.k for cell in known],
        shares,
        style="dots",
        role="accent",
        size=6.5,
        words=[_signed(e.value or 0.0) for e in shares],
        named=False,
    )
    chart = Chart(
        f"{second} less {first}",
        "difference of full marks, points",
        AXIS,
        [dots],
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
