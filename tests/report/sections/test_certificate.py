"""The certificate's section prints what the certificate says, and computes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unparrot.report.page import write_page

CERTIFICATE: dict[str, Any] = {
    "meaning": "What it means.",
    "verdict": "Shown for <m>.",
    "sentences": ["m: shown at k = 2."],
    "assumptions": ["One thing.", "Another."],
    "grid": {"title": "New", "head": ["model", "k = 2"], "rows": [["m", "≥ 98 %"]]},
    "table": {"title": "Evidence", "head": ["model", "k"], "rows": [["m", "2"]]},
    "rows": [],
    "terms": {
        "level": 0.95,
        "decoding": "greedy",
        "source": "counted",
        "windows": None,
        "rho": None,
        "slip": 0.0,
        "controls": [],
        "multiplicity": "Bonferroni",
        "claims": 0,
        "control_limits": 0,
        "error_of_a_claim": None,
        "error_of_a_control": None,
    },
    "hashes": {"pack": "ab" * 32, "corpus": None},
}


def test_the_section(
    tmp_path: Path, fake_run: Callable[..., Path], fake_summary: dict[str, Any]
) -> None:
    fake_summary["certificate"] = CERTIFICATE
    page = write_page(fake_run(tmp_path, fake_summary)).read_text()
    html = page[page.index('id="certificate"') :].partition("</section>")[0]
    assert "Shown for &lt;m&gt;." in html
    assert "<li>Another.</li>" in html
    assert "≥ 98 %" in html
    assert "ab" * 32 in html
    assert html.count("<table>") == 3


def test_a_run_without_a_certificate_has_no_section(
    tmp_path: Path, fake_run: Callable[..., Path]
) -> None:
    assert 'id="certificate"' not in write_page(fake_run(tmp_path)).read_text()
