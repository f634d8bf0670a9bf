"""The pages of the app: what they show, and that names and texts stay words."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from unparrot.core.records import RunFolder

HOSTILE = "<script>alert(1)</script>&\"'<img src=x onerror=alert(1)>"
ELSEWHERE = re.compile(r"(?i)\s*(javascript|https?|//)")


class Tags(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def acting(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Elements that could act: scripts that are not the app's, handlers, images, other hosts."""
    return [
        (tag, attributes)
        for tag, attributes in Tags(page).seen
        if (tag == "script" and attributes != {"src": "/view.js", "defer": "defer"})
        or tag in ("img", "object", "embed", "base", "style")
        or any(name.startswith("on") or name == "style" for name in attributes)
        or any(ELSEWHERE.match(value or "") for value in attributes.values())
    ]  # fmt: skip


def test_the_list_has_every_run(client: TestClient, run_ids: dict[str, str]) -> None:
    page = client.get("/").text
    for name, run_id in run_ids.items():
        assert f'href="/run/{run_id}"><bdi>{name}</bdi>' in page
    assert acting(page) == []


def test_a_run_is_shown_with_its_page(client: TestClient, run_ids: dict[str, str]) -> None:
    run = f"/run/{run_ids['tables']}"
    page = client.get(run)
    assert page.status_code == 200
    assert f'<iframe src="{run}/report.html"' in page.text
    assert acting(page.text) == []
    report = client.get(f"{run}/report.html")
    assert report.status_code == 200
    assert "How many skills can these models combine at once?" in report.text


def test_a_page_that_is_missing_is_made(
    shelf: Path, tmp_path: Path, let_in: Callable[[Path], TestClient]
) -> None:
    shutil.copytree(shelf / "tables", tmp_path / "run", ignore=shutil.ignore_patterns("*.html"))
    client = let_in(tmp_path)
    (row,) = client.get("/runs.json").json()
    assert client.get(f"/run/{row['id']}/report.html").status_code == 200
    made = (tmp_path / "run" / "report.html").read_bytes()
    assert client.get(f"/run/{row['id']}/report.html").content == made


def test_texts_are_searched_and_each_has_its_page(
    client: TestClient, run_ids: dict[str, str]
) -> None:
    run = f"/run/{run_ids['tables']}"
    page = client.get(f"{run}/texts", params={"words": "needle", "k": "3"}).text
    assert acting(page) == []
    links = re.findall(r'href="([^"]*/text/[^"]*)"', page)
    assert len(links) == 20
    assert "Later" in page
    first = client.get(links[0].replace("&amp;", "&"))
    assert first.status_code == 200
    assert 'rel="next"' in first.text
    assert 'rel="previous"' not in first.text
    assert "openai/gpt-4o, 1" in first.text  # a grader and its round
    assert acting(first.text) == []
    following = re.findall(r'href="([^"]*)" class="button" rel="next"', first.text)[0]
    assert following == links[1]


@pytest.mark.parametrize("words", [HOSTILE, "x" * 5000, "%00\x00", "(?", "\\", "‮"])
def test_what_is_typed_stays_words(client: TestClient, run_ids: dict[str, str], words: str) -> None:
    run = f"/run/{run_ids['tables']}"
    fields = dict.fromkeys(("words", "model", "k", "split", "marks", "start"), words)
    page = client.get(f"{run}/texts", params={**fields, "calls": "1"})
    assert page.status_code == 200
    assert acting(page.text) == []


def test_names_of_runs_and_models_stay_words(
    tmp_path: Path, written: Callable, asked: Callable, run_of: Callable,
    let_in: Callable[[Path], TestClient],
) -> None:  # fmt: skip
    name = HOSTILE.replace("/", "⁄")
    run_of(tmp_path / name, written(HOSTILE, asked(2, 4), [True, False, None, True]))
    client = let_in(tmp_path)
    (row,) = client.get("/runs.json").json()
    assert row["name"] == name
    for path in ("/", f"/run/{row['id']}", f"/run/{row['id']}/texts"):
        page = client.get(path)
        assert page.status_code == 200
        assert "&lt;script&gt;" in page.text
        assert acting(page.text) == []


def test_a_folder_whose_name_is_no_utf_8_hides_no_other(
    tmp_path: Path, written: Callable, asked: Callable, run_of: Callable,
    let_in: Callable[[Path], TestClient],
) -> None:  # fmt: skip
    for name in ("good", "other"):
        run_of(tmp_path / name, written("m", asked(2, 4), [True, False, None, True]))
    (tmp_path / "other").rename(tmp_path / os.fsdecode(b"nonutf\xff"))
    client = let_in(tmp_path)
    good, other = client.get("/runs.json").json()
    assert (good["name"], other["name"]) == ("good", "nonutf?")
    assert "rename it" in other["finding"]
    for path in ("", "/texts"):
        assert client.get(f"/run/{good['id']}{path}").status_code == 200
        refused = client.get(f"/run/{other['id']}{path}")
        assert refused.status_code == 400
        assert "rename it" in refused.text


@pytest.mark.parametrize(
    "path",
    ["/run/..%2f..%2fetc/report.html", "/run/../../etc/passwd", "/run/%2e%2e/texts", "/run//texts",
     "/run/{run}/text/..%2f..%2fmanifest.json", "/run/{run}/../../manifest.json",
     "/run/{run}/manifest.json", "/run/{run}/text/%00", "/view.css/../view.py", "/run/{run}x",
     "/static/..%2fguard.py"],
)  # fmt: skip
def test_no_path_leads_out_of_the_runs(
    client: TestClient, run_ids: dict[str, str], path: str
) -> None:
    answer = client.get(path.format(run=run_ids["tables"]))
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_a_page_that_is_a_link_elsewhere_is_not_served(
    shelf: Path, tmp_path: Path, let_in: Callable[[Path], TestClient]
) -> None:
    (tmp_path / "secret").write_text("secret of another folder")
    shutil.copytree(shelf / "tables", tmp_path / "run", ignore=shutil.ignore_patterns("*.html"))
    (tmp_path / "run" / "report.html").symlink_to(tmp_path / "secret")
    client = let_in(tmp_path)
    (row,) = client.get("/runs.json").json()
    answer = client.get(f"/run/{row['id']}/report.html")
    assert "secret of another" not in answer.text
    assert (tmp_path / "secret").read_text() == "secret of another folder"


def test_damage_is_a_sentence(
    shelf: Path, tmp_path: Path, let_in: Callable[[Path], TestClient]
) -> None:
    run = shutil.copytree(shelf / "tables", tmp_path / "run")
    client = let_in(tmp_path)
    (row,) = client.get("/runs.json").json()
    (run / "graded.parquet").write_bytes(b"nothing")
    answer = client.get(f"/run/{row['id']}/texts")
    assert answer.status_code == 400
    assert "graded.parquet" in answer.text
    assert 'role="alert"' in answer.text
    RunFolder(run).write_table("transcripts", RunFolder(run).read_table("usage"))
    (run / "graded.parquet").unlink()
    assert client.get(f"/run/{row['id']}/texts").status_code == 200
