"""The section that prints the certificate: what is shown, of whom, and on what it rests."""

from unparrot.analysis.certificate.beyond_parrots import ParrotCertificate
from unparrot.report.contents import AnyContents
from unparrot.report.html.layout import MOST_ROWS, bullets, folded, section, table, wide
from unparrot.report.html.markup import Markup, el
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
    verdicts = words.verdict_table(part)
    folds = len(verdicts.rows) > MOST_ROWS
    return section(
        "certificate",
        words.title(part),
        [*words.statements(part, most=MOST_NAMED), words.meaning(part)],
        *([] if folds else [el("p", verdicts.title, class_="text"), _table(verdicts)]),
        wide(
            folded(f"{verdicts.title}: {len(verdicts.rows)} rows", _table(verdicts))
            if folds
            else None,
            folded(
                "What it rests on",
                parrots,
                el("ol", *(el("li", sentence) for sentence in words.assumptions(part))),
            ),
            folded("The evidence", _table(words.evidence_table(part))),
            folded("SHA-256 of the data", pairs_table(part.hashes, "SHA-256")),
        ),
    )


def _table(part: words.WordTable) -> Markup:
    return table(part.head, part.rows, part.title)
