"""The page of a run of language models: its sections, its safety, its privacy."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from msgspec.structs import replace

from unparrot.analysis.summary import analyze
from unparrot.core.records import RunFolder
from unparrot.core.skills import Skill, SkillPack, Topic
from unparrot.packs.reading import load_pack
from unparrot.report.page import write_page
from unparrot.report.transcripts import pack_transcripts

PACK = load_pack("language.en")
SECRET = SkillPack(
    "qxpack",
    "qxversion",
    tuple(
        Skill(f"qxskill{i}", f"qxkind{i % 3}", f"qxdefinition{i}", f"qxexample{i}")
        for i in range(8)
    ),
    tuple(Topic(f"qxtopic{i}") for i in range(5)),
)
NAMES = re.compile(
    rb"qx(skill|kind|definition|example|topic|pack|version|note|path)|seamstress", re.IGNORECASE
)
LAB_ONLY = ("loss", "scale", "smooth", "cloze", "laws")


class Reader(HTMLParser):
    """Collects elements with their attributes, and the text by the element it stands in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "hr", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))


def page_of(run: Path) -> Path:
    analyze(run)
    return write_page(run)


@pytest.fixture(scope="module")
def page(skillmix_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_of(skillmix_runs.fabricate(tmp_path_factory.mktemp("runs") / "run", PACK))


def anchors(html: str) -> list[str]:
    return re.findall(r'<h3 id="([a-z-]+)"', html)


def test_the_sections_that_apply_are_there_in_order(page: Path) -> None:
    html = page.read_text()
    reader = Reader(html)
    assert reader.open == []
    assert anchors(html) == [
        "full-marks",
        "comparison",
        "no-text",
        "rounds",
        "marks",
        "skills",
        "graders",
        "unscored",
        "examples",
        "transcripts",
        "cost",
        "cells",
        "made",
    ]
    drawn = [a["data-figure"] for tag, a in reader.elements if tag == "svg" and "data-figure" in a]
    assert len(drawn) == len(set(drawn)) == 7
    for name in drawn:
        for ending in (".svg", ".png"):
            assert (page.parent / "figures" / f"{name}{ending}").stat().st_size > 1000
    assert "budget" not in html


def test_an_import_leaves_out_what_it_cannot_know(
    skillmix_runs: ModuleType, tmp_path: Path
) -> None:
    lacking = ("skills", "grades", "transcripts", "usage")
    run = skillmix_runs.fabricate(tmp_path, PACK, leave_out=lacking, students={"m": 0.9})
    html = page_of(run).read_text()
    assert not {"comparison", "graders", "cost", "composition", *LAB_ONLY} & set(anchors(html))
    assert "The run has no record of the calls." in html
    assert "The run does not say which category a skill is of." in html


def test_one_combination_is_told_in_the_singular(skillmix_runs: ModuleType, tmp_path: Path) -> None:
    shape = skillmix_runs.Shape((2,), 1, 1, 1)
    html = page_of(skillmix_runs.fabricate(tmp_path, PACK, shape, students={"m": 0.9})).read_text()
    assert "1 combination of 2 skills" in html


def test_with_single_skills_the_composition_gap_is_shown(
    skillmix_runs: ModuleType, tmp_path: Path
) -> None:
    small = SkillPack("small", "1", PACK.skills[:3], PACK.topics)
    shape = skillmix_runs.Shape((1, 2), 24, 1, 1)
    html = page_of(skillmix_runs.fabricate(tmp_path, small, shape)).read_text()
    assert "composition" in anchors(html)
    assert 'data-figure="composition-' in html


def test_only_our_scripts_run_and_no_text_is_html(page: Path, skillmix_runs: ModuleType) -> None:
    html = page.read_text()
    reader = Reader(html)
    scripts = [a for tag, a in reader.elements if tag == "script"]
    assert [a.get("type") for a in scripts][-3:] == ["application/gzip", None, None]
    ours = [words for tag, words in reader.words if tag == "script"][-2:]
    policy = next(
        a["content"]
        for tag, a in reader.elements
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    digests = [base64.b64encode(hashlib.sha256(own.encode()).digest()).decode() for own in ours]
    assert policy is not None
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert f"script-src {allowed}; style-src" in policy
    assert "default-src 'none'" in policy
    assert not [a for _, a in reader.elements for key in a if key.startswith("on")]
    assert not [tag for tag, _ in reader.elements if tag in ("img", "iframe", "object", "base")]
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert not any(way in own for own in ours)
    assert skillmix_runs.HOSTILE not in html
    for tag, attributes in reader.elements:
        for key in ("src", "href"):
            if key in attributes:
                assert (attributes[key] or "").startswith(("#", "data:,")), (tag, attributes)


def test_hostile_names_stay_text(skillmix_runs: ModuleType, tmp_path: Path) -> None:
    bad = r"<img src=x onerror=alert(1)></script><script>alert(1)</script>$\frac{$"
    students = {f"a/{bad}": 0.9, f"b/{bad}": 0.8}
    skills = tuple(Skill(f"{bad}{i}", bad, "d", "e") for i in range(4))
    pack = SkillPack(bad, "1", skills, (Topic(f"{bad} tea"),))
    html = page_of(skillmix_runs.fabricate(tmp_path, pack, students=students)).read_text()
    reader = Reader(html)
    assert reader.open == []
    assert len([1 for tag, a in reader.elements if tag == "script" and "type" not in a]) == 2
    assert "img" not in {tag for tag, _ in reader.elements}


def test_the_same_run_gives_the_same_bytes(
    page: Path, skillmix_runs: ModuleType, tmp_path: Path
) -> None:
    again = page_of(skillmix_runs.fabricate(tmp_path / "run", PACK))
    assert page.read_bytes() == again.read_bytes()


def test_a_sample_is_told_of(
    skillmix_runs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = skillmix_runs.fabricate(tmp_path, PACK)
    small = partial(pack_transcripts, most_packed=25_000)
    monkeypatch.setattr("unparrot.report.page.pack_transcripts", small)
    html = page_of(run).read_text()
    assert re.search(r"\d+ of 64 transcripts, drawn by the seed of the run; all are in", html)
    assert len(html) < 25_000 + 400_000


@pytest.fixture
def private_page(skillmix_runs: ModuleType, tmp_path: Path) -> Path:
    shape = skillmix_runs.Shape((1, 2, 3), 12, 2, 2)
    run = skillmix_runs.fabricate(tmp_path / "run", SECRET, shape, private=True)
    folder = RunFolder(run)
    manifest = folder.read_manifest()
    spec = {**manifest.spec, "notes": "qxnote"}
    command = "unparrot eval run m --pack qxpath.yaml"
    folder.write_manifest(replace(manifest, spec=spec, command=command))
    return page_of(run)


def test_a_private_pack_is_told_by_hash_and_sizes_only(private_page: Path) -> None:
    run = private_page.parent
    files = [run / "summary.json", run / "report.html", *(run / "figures").iterdir()]
    assert len(files) > 10
    for file in files:
        assert not NAMES.search(file.read_bytes()), file
    html = private_page.read_text()
    assert SECRET.digest in html
    assert "8 skills in 3 categories, 5 topics" in html
    assert html.count("<script>") == 1
    assert not {"skills", "examples", "transcripts"} & set(anchors(html))
    assert {"full-marks", "rounds", "graders", "unscored", "cost"} <= set(anchors(html))
    reasons = {
        gap["reason"]
        for m in json.loads((run / "summary.json").read_bytes())["models"]
        for gap in m["composition"]
    }
    assert any(re.search(r"\bskill \d", reason) for reason in reasons)


@pytest.fixture
def loose_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("loose_umask")
@pytest.mark.parametrize("closed", [True, False])
def test_the_folder_decides_who_may_read_the_page(
    skillmix_runs: ModuleType, tmp_path: Path, closed: bool
) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "open"
    run.mkdir(mode=0o700 if closed else 0o755)
    elsewhere.mkdir(mode=0o755)
    skillmix_runs.fabricate(run, PACK)
    page_of(run)
    write_page(run, elsewhere / "page.html")
    files = [path for path in run.rglob("*") if path.is_file()]
    modes = {path.stat().st_mode & 0o777 for path in (*files, elsewhere / "page.html")}
    assert modes == ({0o600} if closed else {0o644})
    assert (run / "figures").stat().st_mode & 0o777 == (0o700 if closed else 0o755)
    assert elsewhere.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("models", [1, 2])
def test_what_is_unknown_is_never_a_number(
    skillmix_runs: ModuleType, tmp_path: Path, models: int
) -> None:
    students = {f"house/m{i}": 0.5 for i in range(models)}
    run = skillmix_runs.fabricate(tmp_path, PACK, students=students)
    folder = RunFolder(run)
    usage = folder.read_table("usage")
    gone = [pl.lit(None, dtype=kind).alias(name) for name, kind in usage.schema.items()][6:10]
    folder.write_table("usage", usage.with_columns(gone))
    unscored = pl.lit("unscored").cast(pl.Enum(["earned", "missed", "unscored"]))
    graded = folder.read_table("graded").with_columns(
        unscored.alias("status"), pl.lit("lost").alias("reason")
    )
    graded.write_parquet(run / "graded.parquet")
    html = page_of(run).read_text()
    cost = html[html.index('<h3 id="cost"') :].partition("</section>")[0]
    assert "$" not in cost
    total = cost[cost.index('<th scope="row">all</th>') :].partition("</tr>")[0]
    assert '<td class="absent">not measured</td>' in total
    told = html[html.index("saturation point</th>") :].partition("</table>")[0]
    assert told.count("not measured") == models
    facts = "".join(part.partition("</dl>")[0] for part in html.split('class="facts"')[1:])
    assert "under " not in facts
    assert "<dd>not measured<small>no price is known" in facts
    assert "an unknown share between 0 % and 100 %" in html
    assert "nan" not in " ".join(re.findall(r"<td[^>]*>(.*?)</td>", html)).lower()
