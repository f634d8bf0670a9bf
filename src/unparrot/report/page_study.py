"""The page of a study: ``unparrot lab study report`` makes ``STUDY/report.html``.

It is laid out as the page of a run is, one HTML file that opens offline, and computes nothing:
every figure is one of study-summary.json.
"""

from pathlib import Path

from unparrot.analysis.study.study_summary import (
    StudySummary,
)
from unparrot.core.estimate import Estimate
from unparrot.core.records import atomic_write
from unparrot.core.wording import ABSENT, given, number
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    Block,
    acting,
    document,
    fact,
    facts,
    opening,
    parts,
)
from unparrot.report.html.markup import Markup, el
from unparrot.report.play.touch import touch
from unparrot.report.sections.made import footer
from unparrot.report.sections.study.axes import by_axes
from unparrot.report.sections.study.growth import growth, growth_figure
from unparrot.report.sections.study.shares import full_marks_by_k, longer, pairs
from unparrot.report.sections.study.shown import Shown
from unparrot.report.sections.study.tables import made_of, settings, slices
from unparrot.report.theme import Theme
from unparrot.report.words.growth_words import reach_words
from unparrot.report.words.study_words import (
    QUESTION,
    setting_words,
    study_sentence,
    there,
)


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
        _opening(shown, press),
        parts(
            result=[growth(shown), pairs(shown, press), longer(shown, press)],
            evidence=[*by_axes(shown, press), full_marks_by_k(shown, press)],
            theory=[touch and touch.element, slices(shown, press)],
            making=[settings(shown), made_of(shown)],
        ),
        footer(),
    )
    title = f"Study {shown.summary.name}"
    return document(title, press.theme, body, blocks=(acting(), touch))


def _opening(shown: Shown, press: Press) -> Markup:
    """The question, the answer, the growth of k over all models, and three facts."""
    summary, best = shown.summary, shown.best
    value, _, limits = reach_words(best.k50).partition(" (")
    seeds = f"{limits.removesuffix(')')}; {best.seeds} of {best.of} seeds".lstrip("; ")
    listed_facts = [
        _fact("skills at once, by half the excess loss", summary.growth.halved, "× "),
        fact(f"k50 at the least loss: {setting_words(best)}", value, seeds),
        _fact("k50 on held-out pairs over that on seen combinations", summary.growth.pairs),
    ]
    return opening(
        f"Study · {summary.name} · {there(summary)}",
        summary.about or QUESTION,
        study_sentence(summary),
        facts(*listed_facts),
        figure=growth_figure(shown, press),
    )


def _fact(name: str, estimate: Estimate | None, sign: str = "") -> Markup:
    """Make a fact of a number, written as the sentence writes it."""
    value, _, ends = number(estimate).partition(" (")
    if estimate is None or estimate.value is None:
        return fact(name, ABSENT)
    return fact(name, sign + value, f"{ends.removesuffix(')')} ({given(estimate.level)} interval)")
