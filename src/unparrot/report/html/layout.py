"""The parts that pages are laid out with: document, sections, facts, tables, and strips.

Styles stand in page.css beside this file.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TypeVar

from unparrot.analysis.model.competence import Bounded
from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, given, interval, percent
from unparrot.report.html.markup import Markup, el
from unparrot.report.theme import Theme

T = TypeVar("T")
MOST_ROWS = 12  # of a table that stands open


@cache
def asset(name: str) -> str:
    """Return a file that goes into pages: page.css, browser.html or browser.js."""
    return files("unparrot.report.html").joinpath(name).read_text("utf-8")


def document(title: str, theme: Theme, body: Markup, *, script: str = "") -> str:
    """Return a whole HTML document that opens offline.

    Parameters
    ----------
    title
        Of the window.
    theme
        Colours of the page.
    body
        The ``main`` element.
    script
        The one script of the page, if it has any. The policy of the page lets this script run, by
        its hash, and nothing else: no other script, no request.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"script-src 'sha256-{digest}'; " if script else ""
    policy = el(
        "meta",
        http_equiv="Content-Security-Policy",
        content=f"default-src 'none'; {allowed}style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        policy,
        el("meta", name="viewport", content="width=device-width,initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        el("style", Markup(theme.css() + " ".join(asset("page.css").split()))),
    )
    last = el("script", Markup(script)) if script else None
    return f"<!doctype html>\n{el('html', head, el('body', body, last), lang='en')}\n"


def opening(kicker: str, title: str, finding: str, *content: Markup | None) -> Markup:
    """Make the head of a page: what it is of, its title, what was found, and what stands behind."""
    return el(
        "header",
        el("p", kicker, class_="kicker"),
        el("h1", title),
        el("p", finding, class_="finding"),
        *content,
    )


def section(
    anchor: str, title: str, words: Sequence[str | Markup], *content: Markup | None
) -> Markup:
    """Make a section: its heading, paragraphs, then figures and tables."""
    return el(
        "section",
        el("h2", title, id=anchor),
        *(el("p", paragraph, class_="text") for paragraph in words),
        *content,
        aria_labelledby=anchor,
    )


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
    """Make a fact of a share, its interval in small letters; of an open one, what it may be."""
    if estimate is None or estimate.value is None:
        low, high = map(percent, (estimate and estimate.bounds) or (None, None))
        return fact(name, ABSENT, f"{low} to {high} possible" if low != ABSENT else "")
    ends = interval(estimate).partition(" (")[2].removesuffix(")")
    return fact(
        name,
        percent(estimate.value),
        f"{ends} ({given(estimate.level)} interval, n = {estimate.n})",
    )


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
        role="region",
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
