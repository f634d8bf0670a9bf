"""The page of a run of language models: its opening, its sections, and its transcripts."""

from unparrot.analysis.schema import SkillMixSummary
from unparrot.core.wording import ABSENT, count, percent, short_names
from unparrot.report.contents import Contents
from unparrot.report.draw.paint import Press
from unparrot.report.html.layout import (
    Block,
    acting,
    asset,
    document,
    fact,
    facts,
    opening,
    parts,
    share,
)
from unparrot.report.html.markup import Markup, el
from unparrot.report.sections.ability import (
    differences,
    full_marks_by_k,
    full_marks_figure,
    lost_marks,
    one_and_best,
    saturation_words,
)
from unparrot.report.sections.against_k import composition_gap
from unparrot.report.sections.cards import examples
from unparrot.report.sections.certificate import certificate
from unparrot.report.sections.cost import cost, spent
from unparrot.report.sections.grader_tables import graders, no_texts, unscored
from unparrot.report.sections.made import every_cell, footer, making
from unparrot.report.sections.skill_by_skill import strips
from unparrot.report.transcripts import Packed, transcript_browser
from unparrot.report.words.headline_words import cautions, finding, question

Run = Contents[SkillMixSummary]
MOST_FACTS = 3
_LOST = "of the marks nobody could give"


def compose_skillmix(contents: Run, press: Press, packed: Packed | None) -> str:
    """Make the whole document of a run of language models and write the figure files.

    Parameters
    ----------
    contents, press
        What to show, and what draws it.
    packed
        The transcripts; None leaves them out.
    """
    decoding = contents.decodings[0] if contents.decodings else ""
    shown, linked = contents.summary.examples, packed.ids if packed else frozenset[str]()
    body = el(
        "main",
        _opening(contents, press),
        parts(
            result=[
                full_marks_by_k(contents, press),
                differences(contents, press),
                no_texts(contents),
            ],
            evidence=[
                one_and_best(contents, press),
                composition_gap(contents, press, sorted(contents.splits), decoding),
                lost_marks(contents, press),
                strips(contents),
                graders(contents),
                unscored(contents),
            ],
            theory=[certificate(contents)],
            texts=[
                examples(shown, linked) if shown else None,
                transcript_browser(packed) if packed else None,
            ],
            making=[
                facts(*_amounts(contents)),
                cost(contents),
                every_cell(contents),
                making(contents),
            ],
        ),
        footer(),
    )
    names = ", ".join(list(contents.labels.values())[:3])
    title = question(contents.summary)
    reading = Block(None, asset("browser.js")) if packed else None
    return document(
        f"{names} · {title}" if names else title, press.theme, body, blocks=(acting(), reading)
    )


def _opening(contents: Run, press: Press) -> Markup:
    """The question, the finding, what stands behind it, and what a private pack may tell."""
    summary, run = contents.summary, contents.summary.run
    pack = f"{run.pack['name']} {run.pack.get('version', '')}" if run.pack.get("name") else ""
    parts = [
        "SKILL-MIX",
        pack.strip() or ("a private pack" if summary.private else ""),
        "published records" if run.spec.get("origin") == "published records" else "",
        f"marked by {short_names([run.grader])[0]}" if run.grader else "",
    ]
    return opening(
        " · ".join(part for part in parts if part),
        question(summary),
        finding(summary),
        facts(*_facts(contents)[:MOST_FACTS]),
        figure=full_marks_figure(contents, press),
        notes=[*_asides(contents), *cautions(summary)],
    )


def _facts(contents: Run) -> list[Markup]:
    headline = contents.summary.headline
    rows = headline.told
    labels, name = contents.labels, "{}, full marks, k = {}".format
    shown = [share(name(labels[row.model], headline.first), row.first) for row in rows[:3]]
    point = contents.models[0].saturation
    if len(rows) == 1 and headline.last is not None and point is not None:
        shown.append(share(name(labels[rows[0].model], headline.last), rows[0].last))
        known = saturation_words(point, contents.ks[0])
        reaches = point.at_least and known == str(point.k) == str(point.high)
        reached = f"skills at once with full marks on {percent(point.threshold)} of texts"
        shown.append(fact(reached, f"{known} or more" if reaches else known))
    return [*shown, *_amounts(contents)]


def _amounts(contents: Run) -> list[Markup]:
    """How many texts there are, which of their marks are open, and what they cost."""
    summary = contents.summary
    number, ks = sum(summary.run.combinations.values()), list(summary.run.combinations)
    reach = f"{ks[0]} to {ks[-1]}" if len(ks) > 1 else "".join(map(str, ks))
    many = "" if number == 1 else "s"
    small = f"{count(number)} combination{many} of {reach} skill{'' if ks == [1] else 's'}"
    amounts = [fact("texts", count(summary.run.texts), small)]
    marks = sum(row.marks for row in summary.unscored.models)
    lost = sum(row.unscored for row in summary.unscored.models)
    lost_share = percent(lost / marks) if marks else ABSENT
    lost_of = f"{count(lost)} of {count(marks)}"
    name = "of the marks are not given yet" if summary.run.ungraded else _LOST
    amounts.append(fact(name, lost_share, lost_of))
    return [*amounts, spent(summary.usage)] if summary.usage else amounts


def _asides(contents: Run) -> list[str]:
    run, words = contents.summary.run, list[str]()
    if contents.summary.private:
        skills, categories, topics = (
            count(run.pack.get(name)) for name in ("skills", "categories", "topics")
        )
        words.append(
            "The pack is private. This page names none of its skills and topics and shows no text: "
            f"{skills} skills in {categories} categories, {topics} topics, "
            f"SHA-256 {run.pack.get('digest') or ABSENT}."
        )
    if run.silent:
        words.append(f"No text yet of {', '.join(run.silent)}.")
    return words
