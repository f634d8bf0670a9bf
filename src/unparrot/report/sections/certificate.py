"""The section that prints the certificate: verdicts, evidence, assumptions, hashes."""

from __future__ import annotations

from unparrot.analysis.schema import Table
from unparrot.report.contents import AnyContents
from unparrot.report.html.layout import bullets, folded, section, table, wide
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.sections.made import pairs_table


def certificate(contents: AnyContents) -> Markup | None:
    """What is certified of every model at every k, and on what terms; None without it."""
    part = contents.summary.certificate
    if part is None:
        return None
    return section(
        "certificate",
        "Is it beyond a parrot?",
        [el("strong", part.verdict), part.meaning],
        wide(_table(part.grid)),
        el(
            "div",
            el("p", "This rests on what follows."),
            el("ol", *(el("li", sentence) for sentence in part.assumptions)),
            class_="text",
        ),
        wide(
            folded("Model by model", bullets(part.sentences)),
            folded("The evidence", _table(part.table)),
            folded("SHA-256 of the data", pairs_table(part.hashes, "SHA-256")),
        ),
    )


def _table(part: Table) -> Markup:
    """A table of the certificate, its title above it."""
    return join(el("p", part.title, class_="text"), table(part.head, part.rows, part.title))
