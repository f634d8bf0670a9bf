"""Comparisons and leaderboards in the app: the figures of the commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from unparrot.analysis.between.compare import compare_runs
from unparrot.analysis.between.leaderboard import leaderboard
from unparrot.analysis.read.protocol import Side
from unparrot.report.page_leaderboard import leaderboard_html
from unparrot.report.words.comparison_words import difference_row

MODELS = ("openai/gpt-4o-mini", "openai-api/local/tiny-llama-1.1b-chat")


def test_two_models_are_compared_as_by_the_command(
    client: TestClient, run_ids: dict[str, str], shelf: Path
) -> None:
    first, second = (f"{run_ids['tables']}/{model}" for model in MODELS)
    page = client.get("/compare", params={"first": first, "second": second}).text
    sides = [Side(shelf / "tables", model) for model in MODELS]
    (comparison,) = compare_runs(*sides)
    cells = [unescape(cell) for cell in re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", page)]
    rows = [str(value) for cell in comparison.cells for value in difference_row(cell).values()]
    assert rows
    assert [cell for cell in cells if cell in rows] == rows
    # what was chosen stays chosen
    assert re.findall(r'value="([^"]*)" selected', page) == [first, second]


def test_what_cannot_be_compared_is_said(client: TestClient, run_ids: dict[str, str]) -> None:
    asked = {"first": run_ids["tables"], "second": run_ids["some/journal"]}
    page = client.get("/compare", params=asked)
    assert page.status_code == 200
    assert "cannot be compared" in page.text
    for other in ("0" * 16, "../..", f"{run_ids['tables']}/<b>"):
        page = client.get("/compare", params={**asked, "second": other}).text
        assert 'role="alert"' in page
        assert "<b>" not in page


@pytest.mark.parametrize("metric", ["full_marks", "skill_fraction"])
def test_a_leaderboard_is_that_of_the_command(
    client: TestClient, run_ids: dict[str, str], shelf: Path, metric: str
) -> None:
    asked = urlencode({"run": run_ids["tables"], "metric": metric})
    page = client.get(f"/leaderboard?{asked}").text
    assert f'<iframe src="/board?{asked.replace("&", "&amp;")}"' in page
    boards = leaderboard([Side(shelf / "tables")], metric=metric)
    board = client.get(f"/board?{asked}")
    assert board.text == leaderboard_html(boards)
    assert board.headers["content-security-policy"].startswith("sandbox")


def test_runs_without_texts_are_not_offered(
    let_in: Callable[[Path], TestClient], tmp_path: Path
) -> None:
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "journal.sqlite").touch()
    client = let_in(tmp_path)
    assert "begun" in client.get("/").text
    assert "begun" not in client.get("/compare").text
    assert "begun" not in client.get("/leaderboard").text
