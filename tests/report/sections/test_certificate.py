"""The certificate's section prints what the certificate says, and computes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unparrot.report.reading import read_contents
from unparrot.report.sections.certificate import certificate

CERTIFICATE: dict[str, Any] = {
    "meaning": "What it means.",
    "verdict": "Shown for <m>.",
    "sentences": ["m: shown at k = 2."],
    "assumptions": ["One thing.", "Another."],
    "grid": {"title": "New", "head": ["model", "k = 2"], "rows": [["m", "≥ 98 %"]]},
    "table": {"title": "Evidence", "head": ["model", "k"], "rows": [["m", "2"]]},
    "rows": [],
    "terms": {},
    "hashes": {"pack": "ab" * 32, "corpus": None},
}


def test_the_section(
    tmp_path: Path, fake_run: Callable[..., Path], fake_summary: dict[str, Any]
) -> None:
    fake_summary["certificate"] = CERTIFICATE
    html = certificate(read_contents(fake_run(tmp_path, fake_summary)))
    assert html is not None
    assert "Shown for &lt;m&gt;." in html
    assert "<li>Another.</li>" in html
    assert "≥ 98 %" in html
    assert "ab" * 32 in html
    assert html.count("<table>") == 3


def test_a_run_without_a_certificate_has_no_section(
    tmp_path: Path, fake_run: Callable[..., Path]
) -> None:
    assert certificate(read_contents(fake_run(tmp_path))) is None
