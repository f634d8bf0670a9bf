"""The transcript browser: its controls, what it unpacks, and where the script finds both.

Every text of the run can be picked out by model, k, verdict and skill, searched for, and linked to
(``report.html#t=TEXT_ID``). The script, browser.js, is the only one of a page.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from unparrot.core.wording import count
from unparrot.report.html.layout import section
from unparrot.report.html.markup import Markup, el
from unparrot.report.transcripts import Packed

HEADING = "transcripts"


@cache
def browser_script() -> str:
    """Return the script, as it goes into the page."""
    return files("unparrot.report.html").joinpath("browser.js").read_text("utf-8")


@cache
def browser_css() -> str:
    """Return the rules of the browser, to go after those of the page."""
    return files("unparrot.report.html").joinpath("page.css").read_text("utf-8")


def browser(packed: Packed) -> Markup:
    """Make the section with the controls and the packed transcripts."""
    what = "transcripts" if packed.with_calls else "texts with their marks"
    where = "transcripts.parquet" if packed.with_calls else "texts.parquet and grades.parquet"
    words = [
        "Every text as it was asked for, written and graded: the prompts, the replies, each mark "
        "of each round and the reason for it."
        if packed.with_calls
        else "Every text and its marks, round by round. The run has no record of the calls.",
        "A link to a text can be passed on. Left and right arrow keys go from text to text.",
    ]
    if packed.texts < packed.of:
        words.append(
            f"{count(packed.texts)} of {count(packed.of)} {what}, drawn by the seed of the run; "
            f"all are in {where}."
        )
    return section(
        HEADING,
        "Read all of it" if packed.texts == packed.of else "Read it",
        list(words),
        el(
            "noscript",
            el("p", f"To show the {what}, let the page run its script; all are in {where}."),
        ),
        _frame(),
        # letters of base64 only; the script takes them out of the page and unpacks them
        el("script", Markup(packed.data), type="application/gzip", id="packed-transcripts"),
    )


def _frame() -> Markup:
    chosen = [_choice(name, label) for name, label in CHOICES]
    search = el("input", type="search", data_part="search", autocomplete="off", spellcheck="false")
    return el(
        "div",
        el(
            "form",
            *chosen,
            el("label", "Words in the text or a reply", search, class_="wide"),
            el("button", "Clear", type="reset"),
            class_="tools",
            role="search",
            data_part="tools",
            aria_label="Texts",
        ),
        el("p", "Unpacking …", class_="found", role="status", data_part="found"),
        el(
            "div",
            el(
                "nav",
                el("ol", data_part="list"),
                el("button", type="button", data_part="more", hidden="hidden"),
                class_="list",
                aria_label="Texts found",
            ),
            el("article", class_="shown", data_part="text", aria_label="The text"),
            class_="reader",
        ),
        id="browser",
        class_="browser waiting",
        hidden="hidden",
    )


CHOICES = (
    ("model", "Model"),
    ("k", "Skills at once"),
    ("verdict", "Verdict"),
    ("skill", "Skill"),
)


def _choice(name: str, label: str) -> Markup:
    anything = el("option", "all", value="")
    return el("label", label, el("select", anything, data_part=name))
