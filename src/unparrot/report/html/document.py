"""The HTML document around a page's content: its head, its style, and what it may load: nothing."""

from __future__ import annotations

import base64
import hashlib

from unparrot.report.draw.theme import Theme
from unparrot.report.html.markup import Markup, el
from unparrot.report.html.style import CSS


def document(title: str, theme: Theme, body: Markup, *, css: str = "", script: str = "") -> str:
    """Return a whole HTML document.

    Parameters
    ----------
    title
        Of the window.
    theme
        Colours of the page.
    body
        The ``main`` element.
    css, script
        More rules, and the one script of the page, if it has any. With a script comes a policy that
        lets this script run, by its hash, and nothing else: no other script, no request.
    """
    policy = None
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = el(
            "meta",
            http_equiv="Content-Security-Policy",
            content=f"default-src 'none'; script-src 'sha256-{digest}'; "
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
        el("style", Markup(theme.css() + (CSS + css).replace("\n", ""))),
    )
    last = el("script", Markup(script)) if script else None
    return f"<!doctype html>\n{el('html', head, el('body', body, last), lang='en')}\n"
