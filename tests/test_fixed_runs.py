"""Two small runs kept as they were recorded: their figures and their pages' words stay the same.

``python tests/test_fixed_runs.py`` writes what is expected anew, for a change that means to change
it; what it prints belongs into the message of that commit.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from unparrot.analysis.summary import analyze
from unparrot.report.page import write_page

FIXED = Path(__file__).with_name("fixed_runs")
RUNS = ("lab", "skillmix")
UNREAD = {"script", "style", "svg", "title"}


class _Words(HTMLParser):
    """The words of a page, a line each, without its figures, styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.lines: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in UNREAD:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside and data.strip():
            self.lines.append(" ".join(data.split()))


def words(page: str) -> list[str]:
    parser = _Words()
    parser.feed(page)
    return parser.lines


def leaves(value: object, place: str = "") -> dict[str, object]:
    """Every number, word and None of nested data, by its place."""
    if isinstance(value, dict):
        return {
            k: v for key, own in value.items() for k, v in leaves(own, f"{place}/{key}").items()
        }
    if isinstance(value, list):
        return {k: v for i, own in enumerate(value) for k, v in leaves(own, f"{place}/{i}").items()}
    return {place: value}


def work_out(name: str, folder: Path) -> tuple[dict[str, object], list[str]]:
    """The figures of a copy of a fixed run, and the words of its page."""
    records = [path for path in (FIXED / name).iterdir() if path.suffix in (".parquet", ".json")]
    for path in records:
        shutil.copy(path, folder / path.name)
    analyze(folder)
    page = write_page(folder)
    return leaves(json.loads((folder / "summary.json").read_text())), words(page.read_text("utf-8"))


@pytest.mark.parametrize("name", RUNS)
def test_figures_and_words_are_what_they_were(name: str, tmp_path: Path) -> None:
    figures, lines = work_out(name, tmp_path)
    expected = leaves(json.loads(gzip.decompress((FIXED / name / "summary.json.gz").read_bytes())))
    assert list(figures) == list(expected)
    for place, value in expected.items():
        if isinstance(value, float):
            assert figures[place] == pytest.approx(value, rel=1e-9, abs=1e-12), place
        else:
            assert figures[place] == value, place
    assert lines == (FIXED / name / "page.txt").read_text("utf-8").splitlines()


def write_expected(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, lines = work_out(name, Path(folder))
        summary = (Path(folder) / "summary.json").read_bytes()
    (FIXED / name / "summary.json.gz").write_bytes(gzip.compress(summary, mtime=0))
    (FIXED / name / "page.txt").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    for run in sys.argv[1:] or RUNS:
        write_expected(run)
        print(f"wrote {FIXED / run}")
