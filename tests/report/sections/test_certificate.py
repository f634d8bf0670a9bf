"""The certificate's section prints what the certificate says, and computes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from unparrot.analysis.certificate.beyond_bound import BoundCertificate
from unparrot.report.page import write_page
from unparrot.report.words import certificate_words as words

HASHES = {"pack": "ab" * 32, "corpus": None}
MARGIN: dict[str, Any] = {
    "rival": "splice",
    "rival_full_marks": 0.1,
    "difference": {
        "value": 0.8,
        "low": 0.69991,
        "high": 0.87,
        "level": 0.95,
        "method": "Gaffke, all at once",
        "n": 30,
    },
    "verdict": "shown",
}
NAMED_PARROTS: dict[str, Any] = {
    "type": "named parrots",
    "version": 3,
    "level": 0.95,
    "decoding": "greedy",
    "parrots": [
        {"name": "splice", "rule": "pastes <b>sentences</b>", "verbatim": True},
        {"name": "editor", "rule": "pastes and edits", "verbatim": False},
    ],
    "claims": [
        {
            "model": "<m>",
            "k": 2,
            "split": "heldout_pair",
            "units": 30,
            "combinations": 40,
            "texts": 40,
            "unsettled": 0,
            "full_marks": 0.9,
            "verbatim": MARGIN,
            "editing": MARGIN | {"rival": "editor", "verdict": "not shown"},
        }
    ],
    "error_of_a_limit": 0.0125,
    "hashes": HASHES,
}
PARROT_BOUND: dict[str, Any] = {
    "type": "parrot bound",
    "version": 4,
    "level": 0.95,
    "decoding": "t0.7",
    "windows": 5e10,
    "rho": 4.0,
    "slip": 0.01,
    "claims": [
        {
            "model": "gpt",
            "k": 5,
            "combinations": 40,
            "texts": 120,
            "unsettled": 2,
            "full_marks": 0.9,
            "full_marks_at_least": 0.8,
            "rho": 4.0,
            "spread": 1.2,
            "parrot_bound": 0.1,
            "allowed": 0.109,
            "verdict": "shown",
            "flip_rho": 31.0,
            "flip_windows": 3.9e11,
            "flip_slip": 0.77,
        }
    ],
    "error_of_a_limit": 0.05,
    "hashes": HASHES,
}


def test_the_section_of_the_lab(
    tmp_path: Path, fake_run: Callable[..., Path], fake_summary: dict[str, Any]
) -> None:
    fake_summary["certificate"] = NAMED_PARROTS
    page = write_page(fake_run(tmp_path, fake_summary)).read_text()
    html = page[page.index('id="certificate"') :].partition("</section>")[0]
    assert (
        "the named parrot copying whole stretches (splice): &lt;m&gt; (held-out pair at k" in html
    )
    assert "to be beyond the named parrot weaving or editing them (editor)." in html
    assert "<li>splice: pastes &lt;b&gt;sentences&lt;/b&gt;</li>" in html
    assert "of the recipe takes several, trained from several seeds" in html
    assert "+69.9" in html
    assert "+80.0 (+70.0 to +87.0)" in html
    assert "ab" * 32 in html
    assert html.count("<table>") == 3


def test_the_words_of_the_parrot_bound() -> None:
    certificate = msgspec.convert(PARROT_BOUND, BoundCertificate)
    assert words.title(certificate) == "Is it beyond the parrot bound?"
    assert "was given, not measured" in words.meaning(certificate)
    assert words.verdict_table(certificate).rows == [["gpt", "5", "80 %", "10.9 %", "shown"]]
    assert words.evidence_table(certificate).rows[0][-3:] == ["31", "3.9e+11", "77 %"]
    terms = words.assumptions(certificate)
    assert any("taken as one mean" in line for line in terms)
    assert any("leave 2 texts open" in line for line in terms)


def test_a_run_without_a_certificate_has_no_section(
    tmp_path: Path, fake_run: Callable[..., Path]
) -> None:
    assert 'id="certificate"' not in write_page(fake_run(tmp_path)).read_text()
