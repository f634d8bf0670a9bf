"""The certificate's section prints what the certificate says, and computes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unparrot.report.page import write_page

CERTIFICATE: dict[str, Any] = {
    "version": 2,
    "rows": [
        {
            "model": "<m>",
            "kind": "transformer",
            "k": 2,
            "verdict": "shown",
            "reason": None,
            "combinations": 40,
            "shown_in_training": 10,
            "evidence": {
                "combinations": 30,
                "texts": 30,
                "unsettled": 0,
                "full_marks": 0.9,
                "a_lo": 0.8,
                "B": 0.0,
                "slip": 0.016,
                "slip_measured": None,
                "slip_of": None,
                "bound": 0.016,
                "spread": 1.0,
                "new_at_least": 0.98,
            },
            "robustness": {"B": 0.79, "slip": 0.8, "rho": None},
        }
    ],
    "terms": {
        "level": 0.95,
        "decoding": "greedy",
        "source": "counted",
        "windows": None,
        "rho": None,
        "slip": 0.016,
        "controls": [],
        "multiplicity": "Bonferroni",
        "claims": 1,
        "control_limits": 0,
        "error_of_a_claim": 0.05,
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
    assert "for &lt;m&gt; at k = 2." in html
    assert "<li>What training showed was counted in the corpus itself" in html
    assert "≥ 98 %" in html
    assert "ab" * 32 in html
    assert html.count("<table>") == 3


def test_a_run_without_a_certificate_has_no_section(
    tmp_path: Path, fake_run: Callable[..., Path]
) -> None:
    assert 'id="certificate"' not in write_page(fake_run(tmp_path)).read_text()
