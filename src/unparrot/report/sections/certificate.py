"""The section that prints the certificate: what is shown, of whom, and on what it rests."""

from collections.abc import Callable

from unparrot.analysis.certificate.beyond_parrots import ParrotCertificate
from unparrot.report.contents import AnyContents
from unparrot.report.html.layout import bullets, folded, section, table, tall, wide
from unparrot.report.html.markup import Markup, el, join
from unparrot.report.sections.made import pairs_table
from unparrot.report.words import certificate_words as words

MOST_NAMED = 3  # models with all that is shown of them; of more, the table tells it


def certificate(contents: AnyContents) -> Markup | None:
    """What is certified of every model at every k, and on what terms; None without it."""
    part = contents.summary.certificate
    if part is None:
        return None
    parrots = None
    if isinstance(part, ParrotCertificate):
        parrots = el("div", el("p", "The parrots:"), bullets(words.rules(part)))
    return section(
        "certificate",
        words.title(part),
        [*words.statements(part, most=MOST_NAMED), words.meaning(part)],
        _table(words.verdict_table(part), tall),
        wide(
            folded(
                "What it rests on",
                parrots,
                el("ol", *(el("li", sentence) for sentence in words.assumptions(part))),
            ),
            folded("The evidence", _table(words.evidence_table(part), table)),
            folded("SHA-256 of the data", pairs_table(part.hashes, "SHA-256")),
        ),
    )


def _table(part: words.WordTable, made: Callable[..., Markup]) -> Markup:
    """A table of the certificate, its title above it."""
    return join(el("p", part.title, class_="text"), made(part.head, part.rows, part.title))
