"""The section of the page that prints the certificate: verdicts, evidence, assumptions, hashes."""

from __future__ import annotations

from typing import Any, cast

from unparrot.report.contents import Contents
from unparrot.report.html.layout import section
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.html.tables import folded, pairs_table, table


def certificate(contents: Contents) -> Markup | None:
    """What is certified of every model at every k, and on what terms; None without it."""
    part = contents.part("certificate")
    if not part:
        return None
    hashes = cast(dict[str, object], part.get("hashes") or {})
    return section(
        "certificate",
        "Is it beyond a parrot?",
        [el("strong", str(part["verdict"])), str(part["meaning"])],
        el("div", _table(part["grid"]), class_="text-wide"),
        el(
            "div",
            el("p", "This rests on what follows."),
            el("ol", *(el("li", str(said)) for said in cast(list[object], part["assumptions"]))),
            class_="text",
        ),
        el(
            "div",
            folded(
                "Model by model",
                el("ul", *(el("li", str(said)) for said in cast(list[object], part["sentences"]))),
            ),
            folded("The evidence", _table(part["table"])),
            folded("SHA-256 of the data", join(pairs_table(hashes, "SHA-256"))),
            class_="text-wide",
        ),
    )


def _table(plain: Any) -> Markup:
    """A table of the certificate, its title above it."""
    return join(
        el("p", str(plain["title"]), class_="text"),
        table(plain["head"], plain["rows"], str(plain["title"])),
    )
