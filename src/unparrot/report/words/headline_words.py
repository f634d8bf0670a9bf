"""Titles and headlines: the question that a run puts, and its finding in a sentence.

Which figures a headline tells is fixed beforehand, not chosen by their values
(`unparrot.analysis.summary`).
"""

from collections.abc import Sequence
from typing import Final

from unparrot.analysis.model.competence import COMPLETED_BY, Bounded
from unparrot.analysis.schema import (
    HeadlineShare,
    LabHeadline,
    LabSummary,
    Model,
    SkillMixHeadline,
    Summary,
)
from unparrot.analysis.summary import WORTH_TELLING
from unparrot.core.wording import at_least, at_most, listed, part_of, plural, rough
from unparrot.report.words.growth_words import growth_sentences

MOST: Final = 4  # models that a sentence tells


def question(summary: Summary) -> str:
    """Return the question that a run puts."""
    if isinstance(summary, LabSummary):
        return "Do tiny language models combine skills that they never saw together?"
    these = "this model" if len(summary.models) == 1 else "these models"
    return f"How many skills can {these} combine at once?"


def finding(summary: Summary) -> str:
    """Return the headline of a run in a few sentences."""
    if isinstance(summary, LabSummary):
        beside = lab_sentence(summary.headline, summary.models)
        return " ".join([*growth_sentences(summary.growth), beside])
    if summary.run.ungraded:
        return (
            f"Asked for: {plural(summary.run.texts, 'text')}. None is graded yet, so no share is "
            "known: `unparrot eval grade RUN --grader MODEL` has them graded."
        )
    return skillmix_sentence(summary.headline)


def lab_sentence(headline: LabHeadline, models: Sequence[Model]) -> str:
    """Return how the largest model of a run of the lab does beside the best parrot.

    Parameters
    ----------
    headline
        Its figures.
    models
        Of the run.
    """
    best = next((model for model in models if model.name == headline.model), None)
    if best is None:
        return "The run has no trained model, so it shows nothing."
    share = headline.estimate
    if share is None or share.value is None:
        return "The run measured no held-out pairs for its largest model: no headline."
    size = "" if best.params is None else f" of {_size(best.params)} parameters"
    sentence = (
        f"A transformer{size} earns full marks on {rough(share)} of the pairs of skills that it "
        "never saw together"
    )
    if headline.parrot is None:
        return f"{sentence}; no parrot was measured on the same pairs."
    sentence += (
        "; on the same pairs the best parrot that copies whole stretches "
        f"({headline.parrot.name}) earns {rough(headline.parrot.estimate)}"
    )
    if headline.editor is not None:
        sentence += (
            f", and the best that weaves or edits them ({headline.editor.name}) "
            f"{rough(headline.editor.estimate)}"
        )
    return f"{sentence}."


def _size(params: int) -> str:
    return f"{params / 1e6:.1f} million" if params >= 1_000_000 else f"{round(params, -3):,}"


def skillmix_sentence(headline: SkillMixHeadline) -> str:
    """Return the finding of a run of language models, of up to `MOST` of them."""
    shown, last = headline.told[:MOST], headline.last
    shares = [f"{model.model} on {_share(model.first)}" for model in shown[1:]]
    first = f"{shown[0].model} earns full marks on {_share(shown[0].first)} of its texts"
    skills = "1 skill" if headline.first == 1 else f"{headline.first} skills at once"
    sentence = f"With {skills}, {first}" + (f", {listed(shares)}" if shares else "")
    if last is not None:
        sentence += f"; with {last}, on {listed([_share(model.last) for model in shown])}"
    sentence += "."
    if any(_is_open(model) for model in shown):
        sentence += " Where no share is known, every text has an unscored mark."
    more = len(headline.told) - len(shown)
    if more:
        sentence += f" {more} more model{' is' if more == 1 else 's are'} listed below."
    return sentence


def cautions(summary: Summary) -> list[str]:
    """Return what a reader of the headline of a run of language models must be told beside it."""
    if isinstance(summary, LabSummary):
        return []
    part, words = summary.no_texts, list[str]()
    texts = dict(zip(summary.run.models, part.texts, strict=True))
    full = {row.code: row.by_model for row in part.reasons}.get("context_full", ())
    crowded = {model for model, n in zip(summary.run.models, full, strict=False) if n}
    for model, n in part.cut_off.items():
        limit, cure = "the limit of tokens", "a larger --max-tokens"
        if model in crowded:
            limit, cure = "the context", "the model a larger context, or a smaller --max-tokens,"
        words.append(
            f"Warning: {part_of(n, texts[model])} of the texts of {model} were cut off, and count "
            f"as missed. That measures {limit}, not the model: give {cure} and another --out."
        )
    headline = summary.headline
    left_open = [
        f"of {row.model} {_between(*share.bounds)} with {k}"
        for row in headline.told[:MOST]
        for k, share in ((headline.first, row.first), (headline.last, row.last))
        if share is not None and share.value is not None and share.bounds
        if share.bounds[1] - share.bounds[0] > WORTH_TELLING
    ]
    if left_open:
        words.append(
            "Not every mark is known. Whatever the others are, full marks are "
            f"{listed(left_open)}; the intervals allow for that, and {COMPLETED_BY}."
        )
    for row in headline.told[:MOST]:
        by_k = ((headline.first, row.first_given), (headline.last, row.last_given))
        shares = [f"{rough(share)} with {k}" for k, share in by_k if share is not None]
        if shares:
            words.append(
                f"Texts that {row.model} did not give count as missed; among those that it gave, "
                f"it earns full marks on {listed(shares)}."
            )
    tries = summary.run.spec.get("tries") or 1
    if tries > 1:
        words.append(
            f"A reply that held no text was asked for again, up to {tries} times in all, which "
            "favours models that often fail."
        )
    for grader, grading in summary.run.spec.get("gradings", {}).items():
        if refusal := grading.get("no schema"):
            words.append(f"{grader} takes no JSON schema, and marks in lines ({refusal}).")
    for model, seen in summary.run.spec.get("snapshots", {}).items():
        if len(seen) > 1:
            words.append(
                f"{model} answered as {listed(seen)}: the model behind the name changed within "
                "the run."
            )
    return words


def _is_open(model: HeadlineShare) -> bool:
    return any(share is not None and share.value is None for share in (model.first, model.last))


def _share(share: Bounded | None) -> str:
    """A share with its interval; where nothing is settled, what it may be."""
    if share is None:
        return "an unknown share (none was asked for)"
    if share.value is not None:
        return rough(share)
    if share.bounds is None:
        return "an unknown share"
    return f"an unknown share {_between(*share.bounds)}"


def _between(worst: float, best: float) -> str:
    return f"between {at_least(worst)} and {at_most(best)}"
