"""Ask them yourself: the models of a run and a parrot, which write in the reader's browser.

What they need stands in pocket.json, which goes into the page as it is, compressed (gzip) and in
letters (base64). The script computes with the same weights, rounded to 16 bits, as the tests do.
"""

import base64
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from unparrot.analysis.schema import LabSummary
from unparrot.core.records import Pocket, read_json
from unparrot.core.wording import count
from unparrot.report.contents import Contents
from unparrot.report.html.layout import Block, section
from unparrot.report.html.markup import Markup, el
from unparrot.report.play.scripts import play_script, play_style


def ask(run: Path, contents: Contents[LabSummary]) -> Block | None:
    """Make the block of a run that has models small enough for a page; None if it has none.

    Raises
    ------
    BadInput
        If pocket.json is not what it should be.
    """
    path = run / "pocket.json"
    if not path.is_file():
        return None
    pocket: Pocket = read_json(path, Pocket, "delete it, and `unparrot demo` writes it anew")
    if not pocket.models:
        return None
    element = section(
        "ask",
        "Ask them yourself",
        ask_words(pocket, [model.name for model in contents.ladder]),
        *ask_elements(pocket, contents.roles),
    )
    return Block(element, ask_script(), play_style())


def ask_script() -> str:
    """Return the script of the models; it takes address.js to have run."""
    return play_script("model.js", "parrot.js", "grader.js", "ask.js")


def ask_words(pocket: Pocket, ladder: Sequence[str], run: str = "this run") -> list[str]:
    """Say what writes here, and what does not.

    Parameters
    ----------
    pocket
        What writes.
    ladder
        Names of all models of the same tokens, also of those that are too large.
    run
        What to call the run that they are of.
    """
    number = len(pocket.models)
    loaded = {model.name for model in pocket.models}
    left_out = [name for name in ladder if name not in loaded]
    who = "The model" if number == 1 else f"{number} models"
    return [
        f"{who} of {run} and a parrot write here, in this browser; nothing is sent. Pick a "
        "topic and skills: a diamond marks a skill that no training text held together with one "
        "you picked. The rules that mark the texts are those of the run.",
        "The parrot repeats the training text made for the most similar request. It has read "
        f"{count(len(pocket.read))} of {count(pocket.documents)} training texts. The models read "
        "all; so did the parrots in the figures of the run, some of which edit what they copy. "
        "Weights are rounded to 16 bits, so that now and then a text differs from the run's."
        + (f" Too large for this page: {', '.join(left_out)}." if left_out else ""),
    ]


def ask_elements(
    pocket: Pocket, roles: Mapping[str, str], level: int = 4
) -> tuple[Markup, Markup, Markup]:
    """Make the request, the cards and the data, to be put wherever `ask_script` runs.

    Parameters
    ----------
    pocket
        What writes.
    roles
        Name of a model to the role of its colour.
    level
        Of the headings of the cards.
    """
    packed = gzip.compress(msgspec.json.encode(pocket, order="deterministic"), 9, mtime=0)
    letters = base64.b64encode(packed).decode()
    return (
        el("noscript", el("p", "To let the models write, let the page run its script.")),
        el(
            "div",
            _request(),
            el("div", *_writers(pocket, roles, level), class_="writers"),
            # the words of all, for those who listen, when they have come
            el("p", class_="unseen", role="status", aria_live="polite", data_part="status"),
            id="asked",
            class_="play waiting",
        ),
        el("script", Markup(letters), type="application/gzip", id="pocket"),
    )


def _request() -> Markup:
    """The request: topic, situation, skills, and what is new about them."""

    def choice(name: str, label: str) -> Markup:
        return el("label", el("span", label), el("select", data_part=name))

    # no form: a page that is shown in a sandbox may not submit any
    return el(
        "div",
        el("div", choice("topic", "Topic"), choice("about", "About"), class_="choices"),
        el("div", role="group", aria_label="Skills", class_="palette", data_part="skills"),
        el("p", class_="meaning", data_part="meaning"),
        el("p", class_="prompt", data_part="prompt"),
        el("p", class_="novelty", data_part="novelty", aria_live="polite"),
        el(
            "div",
            el("button", "Write", type="button", class_="main"),
            el(
                "span",
                el("button", "A pair never seen", type="button", data_part="draw"),
                choice("among", "among skills:"),
                class_="drawing",
                data_part="drawing",
            ),
            el("button", "Start over", type="button", data_part="clear"),
            class_="buttons",
        ),
        class_="request",
    )


def _writers(pocket: Pocket, roles: Mapping[str, str], level: int) -> list[Markup]:
    """A card for each that writes."""
    cards = [
        (model.name, f"{count(model.params)} weights", roles.get(model.name, "ink"))
        for model in pocket.models
    ]
    cards.append(("parrot", "copies", "parrot"))
    return [
        el(
            "article",
            el(f"h{level}", name, " ", el("small", small), el("span", "full marks", class_="all")),
            el("p", class_="says", data_part="says"),
            el("ul", class_="marks", data_part="marks"),
            el("p", class_="source", data_part="source"),
            style=f"--own:var(--{role})",
            aria_label=name,
            data_name=name,
        )
        for name, small, role in cards
    ]
