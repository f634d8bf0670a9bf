"""The parts that pages are laid out with: document, parts, sections, facts, tables, and strips.

Styles stand in page.css beside this file, and what every page does in address.js and page.js.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple, TypeVar

from unparrot.analysis.model.competence import Bounded
from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, given, interval, percent, rough
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.theme import Theme

T = TypeVar("T")
MOST_ROWS = 12  # of a table that stands open


class Block(NamedTuple):
    """A piece of a page that acts: what it shows, and what goes into the page once to make it act.

    A page places ``element`` where it belongs, and hands the block to `document`, which adds the
    style and the script and lets the script run, by its hash.

    Parameters
    ----------
    element
        What stands on the page; without scripts it says what it cannot do.
    script, style
        JavaScript and CSS, empty if there is none. A script wraps itself in a function, asks for
        nothing from elsewhere, and keeps its place in the address with ``page.address``.
    """

    element: Markup | None
    script: str = ""
    style: str = ""


@cache
def asset(name: str) -> str:
    """Return a file of this folder that goes into pages, such as page.css."""
    return files("unparrot.report.html").joinpath(name).read_text("utf-8")


def acting() -> Block:
    """Return what every page of a run does: it keeps its folds, tells values and saves figures."""
    return Block(None, f"{asset('address.js')}\n{asset('page.js')}")


def document(title: str, theme: Theme, body: Markup, *, blocks: Iterable[Block | None] = ()) -> str:
    """Return a whole HTML document that opens offline.

    Parameters
    ----------
    title
        Of the window.
    theme
        Colours of the page.
    body
        The ``main`` element.
    blocks
        Their styles and scripts go into the page, in this order, each once. The policy of the page
        lets these scripts run, by their hashes, and nothing else: no other script, no request.
    """
    parts = [block for block in blocks if block is not None]
    scripts = list(dict.fromkeys(block.script for block in parts if block.script))
    styles = dict.fromkeys([asset("page.css"), *(block.style for block in parts)])
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    policy = el(
        "meta",
        http_equiv="Content-Security-Policy",
        content=f"default-src 'none'; {f'script-src {allowed}; ' if allowed else ''}"
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        policy,
        el("meta", name="viewport", content="width=device-width,initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        el("style", Markup(theme.css() + " ".join(" ".join(styles).split()))),
    )
    acts = (el("script", Markup(script)) for script in scripts)
    return f"<!doctype html>\n{el('html', head, el('body', body, *acts), lang='en')}\n"


# --- the first screen, and the parts below it -------------------------------------------------

PARTS: Final = {
    "result": "Result",
    "evidence": "Evidence",
    "theory": "Theory",
    "texts": "Texts",
    "making": "How it was made",
}


def opening(
    kicker: str,
    title: str,
    finding: str,
    *content: Markup | None,
    figure: Markup | None = None,
    notes: Sequence[str] = (),
) -> Markup:
    """Make the first screen: what the page is of, its question, the answer, facts and a figure.

    ``notes`` are what must be told beside the answer, and stand under all of it.
    """
    words = el(
        "div",
        el("p", kicker, class_="kicker"),
        el("h1", title),
        el("p", finding, class_="finding"),
        *content,
    )
    below = el("div", *(el("p", note, class_="note") for note in notes), class_="notes")
    kind = None if figure is None else "screen"
    return el("header", words, figure, below if notes else None, class_=kind)


def parts(**sections: Sequence[Markup | None]) -> Markup:
    """Set sections under the names of `PARTS`, with a bar of contents that stays; no part is empty.

    Parameters
    ----------
    **sections
        Name of a part to its sections, in the order of the page.
    """
    full = {name: own for name, own in sections.items() if any(s is not None for s in own)}
    links = (el("a", PARTS[name], href=f"#{name}") for name in full)
    made = (
        el("div", el("h2", PARTS[name], id=name), *own, class_="part") for name, own in full.items()
    )
    return join(el("nav", *links, class_="contents", aria_label="Contents"), *made)


def section(
    anchor: str,
    title: str,
    words: Sequence[str | Markup],
    *content: Markup | None,
    teaser: str = "",
    level: int = 3,
) -> Markup:
    """Make a section: its heading, paragraphs, then figures and tables.

    With a ``teaser``, which says what is in it, all of it is folded behind heading and teaser.
    """
    heading = el(f"h{level}", title, id=anchor)
    inside = (*(el("p", paragraph, class_="text") for paragraph in words), *content)
    if teaser:
        summary = join(heading, el("span", teaser, class_="teaser"))
        return el("section", folded(summary, *inside, kind="whole"), aria_labelledby=anchor)
    return el("section", heading, *inside, aria_labelledby=anchor)


def grid(*figures: Markup, kind: str = "") -> Markup | None:
    """Set figures side by side where there is room; None without any."""
    if not figures:
        return None
    single = " single" if len(figures) == 1 else ""
    return el("div", *figures, class_=f"grid{kind}{single}")


def wide(*content: Markup | None, kind: str = "") -> Markup:
    """Set content as wide as the text, and as wide as the page where a fold in it is open."""
    return el("div", *content, class_=f"text-wide{kind}")


def folded(summary: str | Markup, *content: Markup | None, kind: str | None = None) -> Markup:
    """Put content behind a line that opens it."""
    return el("details", el("summary", summary), *content, class_=kind)


def bullets(items: Iterable[str]) -> Markup:
    """Make a list of sentences."""
    return el("ul", *(el("li", item) for item in items))


def facts(*listed: Markup) -> Markup:
    """Make a list of facts."""
    return el("dl", *listed, class_="facts")


def fact(name: str, value: str, small: str = "") -> Markup:
    """Make one fact of a list: its name, its value, and what to know about it in small letters."""
    return el("div", el("dt", name), el("dd", value, el("small", small) if small else None))


def share(name: str, estimate: Bounded | None) -> Markup:
    """Make a fact of a share as sentences write it; of an open one, what it may be."""
    if estimate is None or estimate.value is None:
        low, high = map(percent, (estimate and estimate.bounds) or (None, None))
        return fact(name, ABSENT, f"{low} to {high} possible" if low != ABSENT else "")
    value, _, ends = rough(estimate).partition(" (")
    terms = f"{given(estimate.level)} interval, n\u00a0=\u00a0{estimate.n}"
    return fact(name, value, f"{ends.removesuffix(')')} ({terms})")


def columns(
    items: Iterable[T], write: Mapping[str, Callable[[T], str]]
) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a table: what each column writes of each item."""
    return list(write), [[cell(item) for cell in write.values()] for item in items]


def table(head: Sequence[str], rows: Iterable[Sequence[str]], label: str) -> Markup:
    """Make a table that scrolls within itself; the first column heads its row.

    A cell that reads 'not measured' is set apart, so that it is not taken for a number.
    """
    body = [
        el(
            "tr",
            el("th", row[0], scope="row"),
            *(el("td", cell, class_="absent" if cell == ABSENT else None) for cell in row[1:]),
        )
        for row in rows
    ]
    return scrolled(head, body, label)


def scrolled(
    head: Sequence[str], body: Iterable[Markup], label: str, kind: str | None = None
) -> Markup:
    """Put rows that are made already into a table that scrolls within itself."""
    return el(
        "div",
        el(
            "table",
            el("thead", el("tr", *(el("th", name, scope="col") for name in head))),
            el("tbody", *body),
            class_=kind,
        ),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=label,
    )


def grouped(
    head: Sequence[str], groups: Mapping[str, Sequence[Markup]], label: str, kind: str | None = None
) -> Markup:
    """Make a table of rows that are made already, each group of them under its name."""
    body: list[Markup] = []
    for name, rows in groups.items():
        title = el("th", name, scope="rowgroup", colspan=str(len(head)), class_="group")
        body += [el("tr", title), *rows]
    return scrolled(head, body, label, kind)


def numbers(head: Sequence[str], rows: Iterable[Sequence[str]], label: str) -> Markup:
    """Fold the numbers behind a figure."""
    return folded("Numbers", table(head, rows, label))


def tall(head: Sequence[str], rows: Sequence[Sequence[str]], label: str) -> Markup:
    """Make a table that is folded if it has many rows."""
    made = table(head, rows, label)
    return made if len(rows) <= MOST_ROWS else wide(folded(f"All {len(rows)} rows", made))


def strip(share: Estimate | None) -> Markup:
    """Draw a share from 0 to 1 as a dot on a short line, its interval as a bar; alone if absent."""

    def x(value: float) -> str:
        return f"{2 + 96 * min(1.0, max(0.0, value)):.1f}"

    drawn = [el("line", class_="axis", x1=x(0), x2=x(1), y1="5", y2="5")]
    if share is not None and share.value is not None:
        if share.low is not None and share.high is not None:
            ends = {"x1": x(share.low), "x2": x(share.high)}
            drawn.append(el("line", class_="range", **ends, y1="5", y2="5"))
        drawn.append(el("circle", class_="value", cx=x(share.value), cy="5", r="3"))
    return el(
        "svg", *drawn, class_="strip", viewBox="0 0 100 10", role="img", aria_label=interval(share)
    )
