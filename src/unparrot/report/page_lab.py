"""The page of a run of the lab: its opening, and its sections in order."""

from unparrot.analysis.schema import LabSummary
from unparrot.core.wording import count, number, split_name
from unparrot.report.contents import Contents
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import document, fact, facts, opening, share
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.against_k import composition_gap, full_marks_by_split
from unparrot.report.sections.cards import examples
from unparrot.report.sections.certificate import certificate
from unparrot.report.sections.growth import growth
from unparrot.report.sections.made import every_cell, footer, making
from unparrot.report.sections.scale import loss, smooth
from unparrot.report.sections.skill_by_skill import heat_maps
from unparrot.report.sections.theory import theory
from unparrot.report.words.growth_words import reach_words
from unparrot.report.words.headline_words import finding, question

QUESTION = "Does a language model combine skills in ways it never saw?"


def compose_lab(contents: Contents[LabSummary], press: Press) -> str:
    """Make the whole document of a run of the lab and write the figure files."""
    body = el(
        "main",
        _opening(contents),
        growth(contents, press),
        full_marks_by_split(contents, press),
        certificate(contents),
        composition_gap(contents, press, ("seen", "heldout_pair"), "greedy"),
        smooth(contents, press),
        loss(contents, press),
        heat_maps(contents),
        theory(contents, press),
        examples(contents.summary.examples),
        every_cell(contents),
        making(contents),
        footer(),
    )
    return document(f"{question(contents.summary)} · {QUESTION}", press.theme, body)


def _opening(contents: Contents[LabSummary]) -> Markup:
    """The question, the finding with its interval, and what stands behind it."""
    summary = contents.summary
    headline, parrot, world = summary.headline, summary.headline.parrot, summary.world
    where = f"k = {headline.k}, {split_name(headline.split)}"
    kicker = question(summary)
    pairs = f"{count(world.heldout_pairs)} of {count(world.heldout_pairs_of)}"
    return opening(
        f"{kicker} · {summary.budget} budget" if summary.budget else kicker,
        QUESTION,
        finding(summary),
        facts(
            *_growth_facts(summary),
            share(f"{headline.model or 'best model'}, full marks, {where}", headline.estimate),
            share(
                f"{parrot.name if parrot else 'best parrot'}, the same texts asked",
                parrot and parrot.estimate,
            ),
            fact("skills × topics", f"{count(world.skills)} × {count(world.topics)}"),
            fact("skill pairs held out of training", pairs),
        ),
    )


def _growth_facts(summary: LabSummary) -> list[Markup]:
    """What half the loss is worth, and the k50 of the headline's model, as far as known."""
    growth, known = summary.growth, list[Markup]()
    if growth.halved is not None:
        value, _, ends = number(growth.halved).partition(" ")
        words = f"{ends} · theory: × 2"
        known.append(fact("skills at once, by half the excess loss", f"× {value}", words))
    own = next((m.k50 for m in growth.models if m.name == summary.headline.model), None)
    if own is not None:
        value, bracket, ends = reach_words(own).partition(" (")
        name = f"k50 of {summary.headline.model}: skills at once in half of its texts"
        known.append(fact(name, value, bracket.strip() + ends))
    return known
