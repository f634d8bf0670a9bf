"""The page of a run of the lab: its opening, and its sections in order."""

from unparrot.analysis.schema import LabSummary
from unparrot.core.wording import count, number, split_name
from unparrot.report.contents import Contents
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    Block,
    acting,
    document,
    fact,
    facts,
    opening,
    parts,
    share,
)
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import composition_gap, full_marks_by_split
from unparrot.report.sections.cards import examples
from unparrot.report.sections.certificate import certificate
from unparrot.report.sections.growth import growth, growth_figure
from unparrot.report.sections.made import every_cell, footer, making
from unparrot.report.sections.scale import loss, smooth
from unparrot.report.sections.skill_by_skill import heat_maps
from unparrot.report.sections.theory import theory
from unparrot.report.words.growth_words import reach_words
from unparrot.report.words.headline_words import lab_sentence, question

MOST_FACTS = 3
QUESTION = "Does a language model combine skills in ways it never saw?"


def compose_lab(
    contents: Contents[LabSummary],
    press: Press,
    ask: Block | None = None,
    touch: Block | None = None,
) -> str:
    """Make the whole document of a run of the lab and write the figure files.

    Parameters
    ----------
    contents, press
        What to show, and what draws it.
    ask
        The models themselves, to be asked on the page: directly below the first screen.
    touch
        The theory, to be played with: the first thing of its part.
    """
    summary = contents.summary
    body = el(
        "main",
        _opening(contents, press),
        parts(
            result=[
                ask and ask.element,
                growth(contents, press),
                full_marks_by_split(contents, press),
                certificate(contents),
            ],
            evidence=[
                composition_gap(contents, press, ("seen", "heldout_pair"), "greedy"),
                smooth(contents, press),
                loss(contents, press),
                heat_maps(contents),
            ],
            theory=[touch and touch.element, theory(contents, press)],
            texts=[examples(summary.examples, leading=summary.headline.model or "")],
            making=[every_cell(contents), making(contents)],
        ),
        footer(),
    )
    title = f"{question(summary)} · {QUESTION}"
    return document(title, press.theme, body, blocks=(acting(), ask, touch))


def _opening(contents: Contents[LabSummary], press: Press) -> Markup:
    """The question, the answer with its interval, the growth of k, and three facts."""
    summary = contents.summary
    headline, world = summary.headline, summary.world
    shown = _growth_facts(summary)
    where = f"k = {headline.k}, {split_name(headline.split)}"
    shown.append(share(f"{headline.model or 'best model'}: full marks, {where}", headline.estimate))
    if headline.parrot is not None:
        name = f"{headline.parrot.name}, a parrot: the same texts asked"
        shown.append(share(name, headline.parrot.estimate))
    kicker = (
        f"{summary.budget} budget" if summary.budget else "",
        f"{count(world.skills)} skills × {count(world.topics)} topics",
        f"{count(world.heldout_pairs)} of {count(world.heldout_pairs_of)} pairs held out",
    )
    return opening(
        " · ".join(part for part in kicker if part),
        QUESTION,
        lab_sentence(headline, summary.models),
        facts(*shown[:MOST_FACTS]),
        figure=growth_figure(contents, press),
    )


def _growth_facts(summary: LabSummary) -> list[Markup]:
    """What half the loss is worth, and the k50 of the headline's model, as far as known."""
    growth, known = summary.growth, list[Markup]()
    if growth.halved is not None:
        value, _, ends = number(growth.halved).partition(" ")
        words = f"{ends.strip('()')} · theory: × 2"
        known.append(fact("skills at once, by half the excess loss", f"× {value}", words))
    own = next((m.k50 for m in growth.models if m.name == summary.headline.model), None)
    if own is not None:
        value, _, ends = reach_words(own).partition(" (")
        name = f"k50 of {summary.headline.model}: skills at once in half of its texts"
        known.append(fact(name, value, ends.removesuffix(")")))
    return known
