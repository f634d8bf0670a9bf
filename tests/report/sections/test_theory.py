"""The sections on growth and theory, from figures that the analysis really makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from unparrot.analysis.schema import LabSummary
from unparrot.analysis.theory.growth import Growth, Reach
from unparrot.core.estimate import Estimate
from unparrot.core.records import RunFolder
from unparrot.core.wording import interval
from unparrot.report.page import write_page
from unparrot.report.words.growth_words import (
    growth_findings,
    growth_sentences,
    reach_words,
    theory_findings,
)
from unparrot.report.words.headline_words import lab_sentence

FIGURES = (
    "growth",
    "one-curve",
    "performance-1",
    "performance-2",
    "errors-by-excess",
)


@pytest.fixture
def run(ladder_run: tuple[RunFolder, LabSummary]) -> RunFolder:
    return ladder_run[0]


@pytest.fixture
def summary(ladder_run: tuple[RunFolder, LabSummary]) -> LabSummary:
    return ladder_run[1]


@pytest.fixture(scope="module")
def html(ladder_run: tuple[RunFolder, LabSummary]) -> str:
    return write_page(ladder_run[0].path).read_text()


def test_every_figure_is_drawn_and_says_what_it_shows(run: RunFolder, html: str) -> None:
    for name in FIGURES:
        assert f'data-figure="{name}"' in html
        assert (run.path / "figures" / f"{name}.png").stat().st_size > 5000
    alts = re.findall(r'aria-label="([^"]*(?:Line|Dot) chart: [^"]+)"', html)
    assert sum("139k" in words for words in alts) >= len(FIGURES)


def test_the_page_opens_with_the_growth(html: str, summary: LabSummary) -> None:
    opening = html[html.index("<header") : html.index("</header>")]
    assert lab_sentence(summary.headline, summary.models).replace("'", "&#x27;") in opening
    assert 'data-figure="growth"' in opening
    growth = html[html.index('id="growth"') : html.index('id="full-marks"')]
    for sentence in growth_sentences(summary.growth):
        assert sentence.replace("'", "&#x27;") in growth


def test_the_findings_are_told_as_the_analysis_found_them(html: str, summary: LabSummary) -> None:
    assert summary.theory is not None
    laws = theory_findings(summary.theory)
    assert any(s.startswith("No measured curve lies above the sharp bound") for s in laws)
    assert any("the theory assumes 1" in s for s in laws)
    for sentence in (*laws, *growth_findings(summary.growth)):
        assert sentence.replace("'", "&#x27;") in html


def test_the_cloze_test_stands_skill_by_skill(html: str, summary: LabSummary) -> None:
    tests = [m.cloze for m in summary.models if m.cloze]
    table = html[html.index('aria-label="cloze test"') :].partition("</table>")[0]
    for cloze in tests:
        assert interval(cloze.theta) in table
        assert all(interval(rate) in table for rate in cloze.per_skill.values())


def test_a_composition_gap_that_was_not_measured_is_not_drawn(
    html: str, summary: LabSummary
) -> None:
    assert not any(gap.predicted for m in summary.models for gap in m.composition)
    assert 'id="composition"' not in html


def test_a_bound_is_written_as_one(html: str, summary: LabSummary) -> None:
    parrots = re.findall(r"n-gram and splice on held-out pairs: (.{4,6}) 2", html)
    assert parrots
    by_name = {m.name: m for m in summary.growth.models}
    assert by_name["splice"].k50 is not None
    assert reach_words(by_name["splice"].k50) == "≥ 12"
    assert reach_words(Reach(None, None, 1.3, "< 1")) == "< 1 (up to 1.3)"
    assert reach_words(None) == "not measured"


def exponent(low: float | None, high: float | None) -> Estimate:
    return Estimate(-0.9, low, high, 0.95, "made", 9)


def test_each_verdict_has_its_words(summary: LabSummary) -> None:
    def sentence(growth: Growth) -> str:
        return growth_sentences(growth)[0]

    told = {
        verdict: sentence(replace(summary.growth, verdict=verdict))
        for verdict in ("equivalent", "different", "open", "not measured")
    }
    assert len(set(told.values())) == 4
    assert "theory says 2, which the interval excludes" in told["different"]


def test_a_growth_that_was_not_measured_says_nothing(summary: LabSummary) -> None:
    nothing = replace(summary.growth, reference=None)
    assert growth_sentences(nothing) == []
    few = replace(summary.growth, exponent=None, halved=None)
    assert growth_findings(few) == []
    (alone,) = growth_sentences(few)
    assert alone.startswith("k50, the number of skills at once")
    one = next(m for m in summary.growth.models if m.name == "54k")
    (sentence,) = growth_sentences(replace(few, models=(one,)))
    assert re.search(r"is \d\.\d \(54k\)\.$", sentence)


def test_a_run_without_them_has_no_such_section(fake_page: Path) -> None:
    html = fake_page.read_text()
    for anchor in ("growth", "laws", "composition", "certificate"):
        assert f'id="{anchor}"' not in html
