"""The page of a study: complete, well formed, the summary's figures and no others."""

import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

from unparrot.analysis.study.study_summary import StudySummary, read_study_summary, write_summary
from unparrot.core.wording import number, short
from unparrot.report.page_study import write_study_page
from unparrot.report.sections.study.shown import Shown
from unparrot.report.words.growth_words import reach_words
from unparrot.report.words.study_words import study_sentence


class Reader(HTMLParser):
    """The words of a page outside of its style, and whether its elements are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture(scope="module")
def made(ladder_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study along an axis of words, a name of which is hostile to a page."""
    folder = tmp_path_factory.mktemp("study")
    ladder_runs.write_ladder_study(
        folder,
        name="<script>",
        seeds=(1, 2, 3),
        axis="held_out_by",
        values=("pair", "category"),
        combinations=20,
        max_k=6,
        last_k=7,
        models=("15k", "54k", "139k", "139k at 1.3M"),
        absent=[(3, "139k")],
    )
    write_study_page(folder, write_summary(folder, folder))
    return folder


@pytest.fixture(scope="module")
def summary(made: Path) -> StudySummary:
    return read_study_summary(made)


def test_it_is_whole_and_opens_offline(made: Path) -> None:
    html = (made / "report.html").read_text()
    assert Reader(html).open == []
    assert html.count("<script>") == 2
    assert "&lt;script&gt;" in html
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", html)
    figures = {path.stem for path in (made / "figures").glob("*.svg")}
    assert figures == {
        "study-growth", "study-growth-narrow", "study-held_out_by-0", "study-pairs",
        "study-longer", "study-exponents",
        *(f"study-{axis}-{i}" for axis in ("params", "tokens", "full-marks") for i in (0, 1)),
    }  # fmt: skip
    for name in figures:
        assert f'data-figure="{name}"' in html


def test_tokens_are_named_as_the_models_are(summary: StudySummary) -> None:
    first, *others = summary.settings
    assert Shown(summary).token_words(first.tokens) == short(first.tokens)
    settings = [replace(s, name="15k@850k") for s in (first, *others) if s.tokens == first.tokens]
    read = [replace(s, tokens=849_412) for s in settings]
    trained = [replace(m, growth=replace(m.growth, tokens=849_412)) for m in summary.trained]
    named = Shown(replace(summary, settings=read, models=trained))
    assert named.token_words(849_412) == "850k"


def test_it_says_what_the_summary_says(made: Path, summary: StudySummary) -> None:
    words = " ".join(" ".join(Reader((made / "report.html").read_text()).words).split())
    assert study_sentence(summary) in words
    assert number(summary.growth.exponent).partition(" ")[0] in study_sentence(summary)
    assert number(summary.growth.pairs) in words
    assert "22 of 24" in words
    assert "held_out_by-pair-seed-3: 139k" in words
    for setting in summary.settings:
        assert reach_words(setting.k50) in words
        assert f"{setting.name}, held out by {setting.axes['held_out_by']}" in words
    for own in summary.slices:
        assert number(own.exponent) in words


def test_the_same_summary_gives_the_same_bytes(
    made: Path, summary: StudySummary, tmp_path: Path
) -> None:
    again = write_study_page(tmp_path, summary)
    assert again.read_bytes() == (made / "report.html").read_bytes()


def test_a_study_of_one_model_has_a_page(ladder_runs: ModuleType, tmp_path: Path) -> None:
    ladder_runs.write_ladder_study(tmp_path, seeds=(1,), models=("54k",), combinations=10)
    page = write_study_page(tmp_path, write_summary(tmp_path, tmp_path))
    words = " ".join(Reader(page.read_text()).words)
    assert "do not say how k50 grows" in words
    assert "chance of combinations alone" in words
