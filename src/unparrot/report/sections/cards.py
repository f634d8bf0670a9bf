"""Example texts as cards with their marks as chips; every word of a model is escaped."""

from collections.abc import Sequence

from unparrot.analysis.examples import Example
from unparrot.core.skills import CRITERIA
from unparrot.core.wording import ABSENT, count, split_name
from unparrot.report.html.layout import folded, section
from unparrot.report.html.markup import Markup, el

MOST_OPEN = 4  # cards that are not folded
SIGNS = {True: ("earned", "✓"), False: ("missed", "✗"), None: ("unscored", "?")}
VERDICTS = {
    True: ("full", "full marks"),
    False: ("part", "not full marks"),
    None: ("open", "full marks not measured"),
}


def examples(
    shown: Sequence[Example], linked: frozenset[str] = frozenset(), leading: str = ""
) -> Markup:
    """Make the section of example texts, all but a few of them folded.

    The first success and the first failure of each model stand before the others, those of one
    model before all.

    Parameters
    ----------
    shown
        In the order of the models.
    linked
        Ids of texts to link to.
    leading
        Name of the model that comes first.
    """
    if not shown:
        return section("examples", "What they wrote", [f"Example texts: {ABSENT}."])
    first: dict[tuple[str, bool | None], Example] = {}
    for example in sorted(shown, key=lambda example: example.model != leading):
        first.setdefault((example.model, example.full_marks), example)
    order = [*first.values(), *(example for example in shown if example not in first.values())]
    cards = [
        card(example, f"#t={example.text_id}" if example.text_id in linked else None)
        for example in order
    ]
    rest = cards[MOST_OPEN:]
    return section(
        "examples",
        "What they wrote",
        ["Drawn by the seed of the run, not by hand: successes and failures."],
        el("div", *cards[:MOST_OPEN], class_="cards"),
        folded(f"{len(rest)} more", el("div", *rest, class_="cards"), kind="fold")
        if rest
        else None,
    )


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
