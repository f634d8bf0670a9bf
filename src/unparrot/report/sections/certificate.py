"""The section that prints the certificate: verdicts, evidence, assumptions, hashes."""

from __future__ import annotations

from unparrot.report.contents import AnyContents
from unparrot.report.html.layout import bullets, folded, section, table, wide
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.sections.made import pairs_table
from unparrot.report.words import certificate_words as words


def certificate(contents: AnyContents) -> Markup | None:
    """What is certified of every model at every k, and on what terms; None without it."""
    part = contents.summary.certificate
    if part is None:
        return None
    return section(
        "certificate",
        "Is it beyond a parrot?",
        [el("strong", words.verdict_sentence(part)), words.MEANING],
        wide(_table(words.verdict_grid(part))),
        el(
            "div",
            el("p", "This rests on what follows."),
            el("ol", *(el("li", sentence) for sentence in words.assumptions(part))),
            class_="text",
        ),
        wide(
            folded("Model by model", bullets(words.model_sentences(part))),
            folded("The evidence", _table(words.evidence_table(part))),
            folded("SHA-256 of the data", pairs_table(part.hashes, "SHA-256")),
        ),
    )


def _table(part: words.WordTable) -> Markup:
    """A table of the certificate, its title above it."""
    return join(el("p", part.title, class_="text"), table(part.head, part.rows, part.title))
