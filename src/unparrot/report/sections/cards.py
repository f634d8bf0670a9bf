"""Example texts as cards with their marks as chips; every word of a model is escaped."""

from collections.abc import Sequence

from unparrot.analysis.examples import Example
from unparrot.core.skills import CRITERIA
from unparrot.core.wording import ABSENT, count, split_name
from unparrot.report.html.layout import section
from unparrot.report.html.markup import Markup, el

MOST_CARDS = 12  # of language models
SIGNS = {True: ("earned", "✓"), False: ("missed", "✗"), None: ("unscored", "?")}
VERDICTS = {
    True: ("full", "full marks"),
    False: ("part", "not full marks"),
    None: ("open", "full marks not measured"),
}


def examples(shown: Sequence[Example], linked: frozenset[str] | None = None) -> Markup:
    """Make the section of example texts; ``linked`` are ids of texts to link to.

    Of many, the first success and the first failure of each model.
    """
    if linked is not None and len(shown) > MOST_CARDS:
        first: dict[tuple[str, bool | None], Example] = {}
        for example in shown:
            first.setdefault((example.model, example.full_marks), example)
        shown = list(first.values())
    cards = [
        card(example, f"#t={example.text_id}" if example.text_id in (linked or ()) else None)
        for example in shown
    ]
    words = "Drawn by the seed of the run, not by hand: successes and failures."
    if not shown:
        return section("examples", "What they wrote", [f"Example texts: {ABSENT}."])
    return section("examples", "What they wrote", [words], el("div", *cards, class_="cards"))


def seen_in_training(times: int | None) -> str:
    """Say how often training had this very combination.

    Examples
    --------
    >>> seen_in_training(1), seen_in_training(None)
    ('seen in training: once', 'seen in training: not measured')
    """
    words = {None: ABSENT, 0: "never", 1: "once"}.get(times) or f"{count(times)} times"
    return f"seen in training: {words}"


def card(example: Example, link: str | None = None) -> Markup:
    """Make the card of a text: who wrote it, what was asked, what it says, what it earned.

    ``link`` leads to all of it.
    """
    state, verdict = VERDICTS[example.full_marks]
    held = "" if example.split == "seen" else " held"
    known = example.split != "unknown"  # how new the combination was to the model
    order = [*example.skills, *CRITERIA]
    order += [criterion for criterion in example.marks if criterion not in order]
    return el(
        "article",
        el(
            "p",
            el("b", example.model),
            el("span", f"k = {example.k}"),
            el("span", example.decoding),
            el("span", split_name(example.split), class_=f"badge{held}") if known else None,
            el("span", seen_in_training(example.trained_count), class_="badge") if known else None,
            el("a", "read all of it", href=link) if link else None,
            class_="who",
        ),
        el(
            "p",
            "Asked for a text about ",
            el("b", el("bdi", example.topic)),
            " with ",
            el("bdi", " · ".join(example.skills)),
            el("br") if example.about else None,
            f"about: {example.about}" if example.about else None,
            class_="asked",
        ),
        el("blockquote", example.text or "(an empty text)", dir=None if known else "auto"),
        el(
            "ul",
            *(_chip(name, example.marks[name]) for name in order if name in example.marks),
            class_="chips",
            aria_label=f"Marks: {verdict}",
        ),
        class_=f"card {state}",
        aria_label=f"{example.model}, k = {example.k}: {verdict}",
    )


def _chip(criterion: str, mark: bool | None) -> Markup:
    """One criterion and whether it was earned; the sign says it without the colour."""
    state, sign = SIGNS[mark]
    words = "not scored" if mark is None else state
    return el("li", f"{sign} {criterion}", class_=f"chip {state}", title=f"{criterion}: {words}")
