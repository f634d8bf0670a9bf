"""The page: complete, escaped, honest about what is missing, the same bytes for the same run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from unparrot.core.errors import BadInput
from unparrot.report.html.layout import Block, document
from unparrot.report.html.markup import el
from unparrot.report.page import write_page
from unparrot.report.theme import Theme

FIGURES = (
    "full-marks-seen-greedy",
    "full-marks-heldout-pair-greedy",
    "full-marks-heldout-topic-greedy",
    "full-marks-heldout-triple-greedy",
    "full-marks-seen-t0-7",
    "full-marks-by-size",
    "skill-fraction-by-size",
    "training",
)


class Reader(HTMLParser):
    """Collects elements, and the text outside style."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "hr", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_every_figure_is_on_the_page_and_in_the_folder(fake_page):
    html = fake_page.read_text()
    reader = Reader(html)
    assert reader.open == []
    drawn = [a["data-figure"] for tag, a in reader.elements if tag == "svg" and "data-figure" in a]
    assert set(FIGURES) <= set(drawn)
    assert len(drawn) == len(set(drawn))
    for name in FIGURES:
        for ending in (".svg", ".png"):
            assert (fake_page.parent / "figures" / f"{name}{ending}").stat().st_size > 1000
    for _, attributes in reader.elements:
        if attributes.get("class") == "plot":
            assert len(attributes["aria-label"] or "") > 40
    figures = html.split("<figure>")[1:]
    assert all("<table>" in figure.split("</figure>")[0] for figure in figures)
    assert len(html) < 1_500_000


def test_sections_are_in_order(fake_page):
    html = fake_page.read_text()
    anchors = re.findall(r'<h[23] id="([a-z-]+)"', html)
    assert anchors == [
        *("result", "full-marks"),
        *("evidence", "smooth", "loss", "skills"),
        *("theory", "touch"),
        *("texts", "examples"),
        *("making", "cells", "made"),
    ]
    links = html[html.index("<nav") :].partition("</nav>")[0]
    assert re.findall(r'href="#([a-z]+)"', links) == [
        *("result", "evidence", "theory", "texts", "making")
    ]


def test_hostile_text_stays_text(tmp_path, fake_run, fake_summary, hostile):
    fake_summary["budget"] = hostile
    for model in fake_summary["models"]:
        model["name"] += hostile
        for rate in model["per_skill"]:
            rate["skill"] += hostile
    for example in fake_summary["examples"]:
        example["topic"] = hostile
        example["skills"] = [hostile]
        example["marks"][hostile] = True
    html = write_page(fake_run(tmp_path, fake_summary)).read_text()
    reader = Reader(html)
    assert not [tag for tag, _ in reader.elements if tag in ("img", "iframe", "object")]
    # what every page does, and the theory to touch
    assert len([1 for tag, a in reader.elements if tag == "script" and "type" not in a]) == 2
    assert hostile in "".join(reader.words)
    assert not [k for _, attributes in reader.elements for k in attributes if k.startswith("on")]


def without(manifest: Path, *parts: str) -> None:
    """Empty parts of a manifest."""
    content = json.loads(manifest.read_text()) | {part: {} for part in parts}
    manifest.write_text(json.dumps(content))


def test_nothing_points_out_of_the_file(tmp_path, fake_run, fake_summary):
    fake_summary["examples"] = []
    run = fake_run(tmp_path, fake_summary)
    without(run / "manifest.json", "spec", "timings")
    html = write_page(run).read_text()
    assert "http" not in html.replace("http-equiv", "")
    assert "//" not in html.replace("<!--", "")
    assert "@import" not in html
    assert set(re.findall(r"url\(([^)]{1,2})", html)) <= {"#p", "#m"}
    for tag, attributes in Reader(html).elements:
        for key in ("src", "href"):
            if key in attributes:
                assert (attributes[key] or "").startswith(("#", "data:,")), (tag, attributes)


def test_a_missing_value_is_never_a_number(tmp_path, fake_run, fake_summary):
    nothing = {"value": None, "low": None, "high": None, "level": 0.95, "method": "none", "n": 0}
    nothing |= {"unscored": 0, "worst": None, "best": None}
    fake_summary["headline"]["estimate"] = nothing
    for model in fake_summary["models"]:
        for cell in model["cells"]:
            for metric in ("full_marks", "all_skills", "skill_fraction"):
                cell[metric] = nothing
            cell["marks"] = {}
        for rate in model["per_skill"]:
            rate["earned"] = nothing
        model |= {"loss": None, "excess": None, "cloze": None}
    run = fake_run(tmp_path, fake_summary)
    (run / "training.parquet").unlink()
    html = write_page(run).read_text()
    panel = re.search(r'aria-label="full marks, seen, greedy">(.*?)</table>', html, re.DOTALL)
    assert panel is not None
    cells = re.findall(r"<td[^>]*>(.*?)</td>", panel[1])
    assert len(cells) == 6 * 6
    assert set(cells) == {"not measured"}
    assert "9k: not measured; 37k: not measured" in html
    assert "<dd>not measured</dd>" in html
    assert "nan" not in " ".join(re.findall(r"<td[^>]*>(.*?)</td>", html)).lower()


def test_a_run_of_parrots_alone_has_a_page(tmp_path, fake_run, fake_summary):
    fake_summary["models"] = [m for m in fake_summary["models"] if m["kind"] == "parrot"]
    assert "5-gram" in write_page(fake_run(tmp_path, fake_summary)).read_text()


def test_several_hundred_skills_fit(tmp_path, fake_run, fake_summary):
    rate = fake_summary["models"][0]["per_skill"][0]
    for model in fake_summary["models"]:
        model["per_skill"] = [rate | {"skill": f"skill {i}", "split": "seen"} for i in range(400)]
    page = write_page(fake_run(tmp_path, fake_summary))
    assert page.stat().st_size < 6_000_000


def test_the_same_run_gives_the_same_bytes(tmp_path, fake_run, fake_page):
    first, second = fake_page.parent, fake_run(tmp_path)
    assert fake_page.read_bytes() == write_page(second).read_bytes()
    names = sorted(path.name for path in (first / "figures").iterdir())
    assert names == sorted(path.name for path in (second / "figures").iterdir())
    for name in names:
        same = (first / "figures" / name).read_bytes() == (second / "figures" / name).read_bytes()
        assert same, name


def test_every_colour_follows_light_and_dark(fake_page):
    html = fake_page.read_text()
    colour = re.compile(r"#[0-9a-f]{6}\b")
    plots = re.findall(r'<svg class="plot".*?</svg>', html, re.DOTALL)
    assert plots
    assert {found for plot in plots for found in colour.findall(plot)} == set()
    assert "var(--m3)" in html
    theme = Theme.of(4, 6)
    assert len(set(theme.light.values())) == len(theme.light) == len(theme.dark)
    for path in (fake_page.parent / "figures").glob("*.svg"):
        assert set(colour.findall(path.read_text())) <= set(theme.light.values())


def test_times_come_from_the_training_log_and_the_manifest(tmp_path, fake_run, fake_page):
    html = fake_page.read_text()
    made = html[html.index('<h3 id="made"') :]
    assert "3 min 35 s" in made
    models = html[html.index('aria-label="models"') :].partition("</table>")[0]
    assert models.count("2 min 25 s") == 4
    run = fake_run(tmp_path)
    without(run / "manifest.json", "timings")
    (run / "training.parquet").unlink()
    html = write_page(run).read_text()
    models = html[html.index('aria-label="models"') :].partition("</table>")[0]
    assert "2 min" not in models
    assert "<h3>Time</h3>" not in html


def test_the_page_goes_where_it_is_told(tmp_path, fake_run):
    target = tmp_path / "elsewhere" / "page.html"
    assert write_page(fake_run(tmp_path / "run"), target) == target
    assert target.read_text().startswith("<!doctype html>")
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_folder_without_summary_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"has no summary\.json"):
        write_page(tmp_path)


def test_a_missing_field_is_named(tmp_path, fake_run, fake_summary):
    del fake_summary["models"][1]["cells"][0]["split"]
    with pytest.raises(BadInput, match=r"field `split` - at `\$\.models\[1\]\.cells\[0\]`"):
        write_page(fake_run(tmp_path, fake_summary))
    del fake_summary["models"]
    with pytest.raises(BadInput, match=r"field `models`.*run `unparrot analyze"):
        write_page(fake_run(tmp_path, fake_summary))


def test_numbers_of_the_summary_stand_in_the_tables(fake_page, fake_summary):
    html = fake_page.read_text()
    for model in fake_summary["models"]:
        cell = model["cells"][0]["full_marks"]
        spelt = f"{100 * cell['value']:.1f} % ({100 * cell['low']:.1f}–{100 * cell['high']:.1f})"
        assert spelt in html
    assert json.dumps(fake_summary["seed"]) in html
    assert "seen in training: 17 times" in html
    assert "seen in training: never" in html


def test_only_the_scripts_of_blocks_may_run():
    theme = Theme.of(1, 1)
    inert = document("t", theme, el("main"))
    assert "<script" not in inert
    assert "default-src &#x27;none&#x27;; style-src" in inert
    ask = Block(el("p", "ask"), "let a = 1 < 2;", ".ask { color: red }")
    html = document("t", theme, el("main", ask.element), blocks=(ask, None, ask))
    assert html.count("<script>let a = 1 < 2;</script>") == 1
    assert html.count(".ask { color: red }") == 1
    digest = base64.b64encode(hashlib.sha256(ask.script.encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;; style-src" in html
