"""Example texts with their marks as chips; every word of a model is escaped."""

from __future__ import annotations

from collections.abc import Sequence

from unparrot.core.wording import ABSENT, count, split_name
from unparrot.report.contents import Example
from unparrot.report.html.markup import Markup, el

SIGNS = {True: ("earned", "✓"), False: ("missed", "✗"), None: ("unscored", "?")}
GENERAL = ("topic", "sense", "length")


def chip(criterion: str, mark: bool | None) -> Markup:
    """One criterion and whether it was earned; the sign says it without the colour."""
    state, sign = SIGNS[mark]
    words = "not scored" if mark is None else state
    return el("li", f"{sign} {criterion}", class_=f"chip {state}", title=f"{criterion}: {words}")


def seen_in_training(times: int | None) -> str:
    """Say how often training had this very combination.

    Examples
    --------
    >>> seen_in_training(1), seen_in_training(None)
    ('seen in training: once', 'seen in training: not measured')
    """
    words = {None: ABSENT, 0: "never", 1: "once"}.get(times) or f"{count(times)} times"
    return f"seen in training: {words}"


def card(example: Example, *, linked: bool = False) -> Markup:
    """One text: who wrote it, what was asked, what it says, what it earned.

    ``linked`` sets a link to the text's place in the transcript browser.
    """
    state = {True: "full", False: "part", None: "open"}[example.full_marks]
    verdict = {True: "full marks", False: "not full marks", None: "full marks not measured"}
    held = "" if example.split == "seen" else " held"
    known = example.split != "unknown"  # how new the combination was to the model
    order = [*example.skills, *GENERAL]
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
            el("a", "read all of it", href=f"#t={example.text_id}") if linked else None,
            class_="who",
        ),
        el(
            "p",
            "Asked for a text about ",
            el("b", example.topic),
            f" with {' · '.join(example.skills)}",
            class_="asked",
        ),
        el("blockquote", example.text or "(an empty text)", dir=None if known else "auto"),
        el(
            "ul",
            *(chip(name, example.marks[name]) for name in order if name in example.marks),
            class_="chips",
            aria_label=f"Marks: {verdict[example.full_marks]}",
        ),
        class_=f"card {state}",
        aria_label=f"{example.model}, k = {example.k}: {verdict[example.full_marks]}",
    )


def cards(examples: Sequence[Example], linked: frozenset[str] = frozenset()) -> Markup:
    """Examples in their order; ``linked`` are ids of texts to link to."""
    return el(
        "div",
        *(card(example, linked=example.text_id in linked) for example in examples),
        class_="cards",
    )
