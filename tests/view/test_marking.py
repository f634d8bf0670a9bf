"""People mark in the browser: blind, each mark on disk at once, in the files of `eval label`."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from unparrot.analysis.graders.measure import measure_graders
from unparrot.analysis.read.grader_marks import read_grades
from unparrot.cli.eval.labelling import label
from unparrot.core.records import RunFolder, lock
from unparrot.eval.people.label_sample import open_labelling
from unparrot.eval.record.labels import BEGUN, labelled, read_begun, read_labels

ADA = "person:ada"


@pytest.fixture
def root(shelf: Path, tmp_path: Path) -> Path:
    shutil.copytree(shelf / "some" / "journal", tmp_path / "run")
    return tmp_path


@pytest.fixture
def client(root: Path, let_in: Callable[[Path], TestClient]) -> TestClient:
    return let_in(root)


def address(client: Any) -> str:
    (row,) = client.get("/runs.json").json()
    return f"/run/{row['id']}/mark.json"


def sheet(client: Any, by: str = "ada", n: int = 4) -> list[dict[str, Any]]:
    answer = client.get(address(client), params={"by": by, "n": n})
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(client: Any, text: str, point: str, mark: str | None, by: str = "ada") -> Any:
    sent = {"sample": {"by": by, "n": 4, "seed": 1}, "text": text, "point": point, "mark": mark}
    return client.post(address(client), json=sent)


def names(text: dict[str, Any]) -> list[str]:
    return [point["name"] for point in text["points"]]


def mark_all(client: Any, text: dict[str, Any], mark: str = "1", by: str = "ada") -> None:
    for name in names(text):
        assert put(client, text["id"], name, mark, by).status_code == 200


def test_a_sheet_is_that_of_the_command_and_tells_nobodys_name(
    client: TestClient, root: Path
) -> None:
    texts = sheet(client)
    items = open_labelling(root / "run").sample(4, 1)
    assert [text["id"] for text in texts] == [item.id for item in items]
    assert [names(text) for text in texts] == [list(item.criteria) for item in items]
    page = client.get(address(client).removesuffix(".json"), params={"by": "ada", "n": 4}).text
    for item in items:
        for secret in (item.model, item.model.partition("/")[2], item.text_id):
            assert secret not in json.dumps(texts)
            assert secret not in page


def test_each_mark_is_on_disk_and_a_whole_text_is_a_label(client: TestClient, root: Path) -> None:
    run, text = root / "run", sheet(client)[0]
    for i, name in enumerate(names(text)):
        assert read_labels(run).is_empty()
        answer = put(client, text["id"], name, "10?"[i % 3])
        assert answer.json() == {each: "10?"[j % 3] for j, each in enumerate(names(text)[: i + 1])}
    labels = read_labels(run)
    assert labels["criterion"].to_list() == names(text)
    assert labels["status"].to_list()[:3] == ["earned", "missed", "unscored"]
    assert labels["grader"].unique().to_list() == [ADA]
    assert read_begun(run) == {ADA: {}}
    # the command leaves this text out, and draws the others
    left = {item.id for item in open_labelling(run).sample(4, 1, ADA)}
    assert left == {each["id"] for each in sheet(client)[1:]}


def test_marks_survive_a_kill_between_two_keys(root: Path, start_app: Callable[..., Any]) -> None:
    given: dict[str, str] = {}
    for turn in range(3):
        app = start_app(root)
        client = app.client()
        text = sheet(client)[0]
        assert {p["name"]: p["mark"] for p in text["points"] if p["mark"]} == given
        name = names(text)[turn]
        assert put(client, text["id"], name, "0").status_code == 200
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
        given[name] = "0"
    assert list(root.glob("run/.*.tmp*")) == []


def test_the_terminal_goes_on_where_the_browser_stopped_and_back(
    client: TestClient, root: Path
) -> None:
    run, texts = root / "run", sheet(client, n=2)
    first, second = names(texts[0]), names(texts[1])
    assert put(client, texts[0]["id"], first[0], "0").status_code == 200
    # the terminal asks for the rest of this text, then for one mark of the next
    typed = "".join("y\n" for _ in first[1:]) + "n\nq\n"
    result = CliRunner().invoke(label, [str(run), "--by", "ada", "-n", "2"], input=typed)
    assert result.exit_code == 0, result.output
    labels = read_labels(run)
    assert labels["criterion"].to_list() == first
    assert labels["status"].to_list() == ["missed", *["earned"] * (len(first) - 1)]
    assert read_begun(run) == {ADA: {}}
    # and the browser with the next
    later = sheet(client, n=2)
    assert [point["mark"] for point in later[0]["points"]] == ["0", *["1"] * (len(first) - 1)]
    mark_all(client, later[1])
    assert len(labelled(run, ADA)) == 2
    assert len(second) == sum(read_labels(run)["status"] == "earned") - len(first) + 1
    result = CliRunner().invoke(label, [str(run), "--by", "ada", "-n", "2"])
    assert "has marked all the texts of this sample" in result.output


def test_undo_takes_a_mark_back_also_of_a_whole_text(client: TestClient, root: Path) -> None:
    run, text = root / "run", sheet(client)[0]
    mark_all(client, text)
    last = names(text)[-1]
    assert last not in put(client, text["id"], last, None).json()
    assert read_labels(run).is_empty()
    assert [p["mark"] for p in sheet(client)[0]["points"]] == ["1"] * (len(names(text)) - 1) + [""]
    assert put(client, text["id"], last, "0").status_code == 200
    assert read_labels(run)["status"].to_list()[-1] == "missed"


def test_several_people_mark_at_once_and_no_mark_is_lost(client: TestClient, root: Path) -> None:
    persons = ["ada", "grace", "Ada L. <b>", "李"]
    texts = sheet(client, n=3)

    def work(person: str) -> None:
        for text in texts:
            mark_all(client, text, by=person)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, persons))
    labels = read_labels(root / "run")
    assert labels.height == 4 * sum(len(names(text)) for text in texts)
    assert set(labels["grader"]) == {f"person:{person}" for person in persons}
    page = client.get(address(client).removesuffix(".json")).text
    assert "Ada L. &lt;b&gt;" in page
    assert page.count("3 texts") == 4


def test_agreement_is_that_of_the_analysis(client: TestClient, root: Path) -> None:
    for i, text in enumerate(sheet(client, n=12)):
        mark_all(client, text, "10"[i % 2])
        mark_all(client, text, "10"[i % 3 == 0], by="grace")
    run = root / "run"
    page = address(client).replace("mark.json", "agreement")
    before = client.get(page).text
    assert client.post(page, json={}).json() == {}  # the tables are written
    assert client.get(page).text == before
    grades = read_grades(run)
    assert set(grades.filter(pl.col("family") == "person")["grader"]) == {ADA, "person:grace"}
    texts = RunFolder(run).checked_table("texts")
    report = measure_graders(grades, texts, skills=False)
    rows = [row for row in report.agreement if row.between == "graders" and len(row.raters) == 2]
    rows = [row for row in rows if ADA in row.raters]
    assert len({row.raters for row in rows}) == 4  # two graders, a person, and the program
    for row in rows:
        if row.kappa is not None and row.kappa.value is not None:
            written = f"{row.kappa.value:.2f}".replace("-", "−")
            assert f"<td>{written} (" in before, (row.raters, row.name)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "bbbb-bbbb-bbbb"},
        {"text": "../../etc"},
        {"point": "length"},
        {"point": "no such point"},
        {"mark": "2"},
        {"mark": 1},
        {"sample": {"by": "", "n": 4, "seed": 1}},
        {"sample": {"by": "a\nb", "n": 4, "seed": 1}},
        {"sample": {"by": "ada", "n": 0, "seed": 1}},
        {"sample": {"by": "ada", "n": 10**9, "seed": 1}},
        {"more": 1},
    ],
)
def test_what_is_no_mark_is_refused(
    client: TestClient, root: Path, change: dict[str, object]
) -> None:
    text = sheet(client)[0]
    sent = {"sample": {"by": "ada", "n": 4, "seed": 1}, "text": text["id"]}
    sent |= {"point": names(text)[0], "mark": "1"} | change
    answer = client.post(address(client), json=sent)
    assert answer.status_code == 400
    assert answer.json()["problem"]
    assert not (root / "run" / BEGUN).exists()


@pytest.mark.parametrize(("n", "seed"), [("x", "1"), ("4", "-1"), ("1e3", "1"), ("0", "1")])
def test_a_sample_that_is_none_is_not_taken_for_another(
    client: TestClient, n: str, seed: str
) -> None:
    answer = client.get(address(client), params={"by": "ada", "n": n, "seed": seed})
    assert answer.status_code == 400
    assert "not" in answer.json()["problem"]
    assert "Sample(" not in answer.json()["problem"]


@pytest.mark.parametrize("sent", [b"", b"[]", b"{", b"\xff", b"[" * 30_000])
def test_what_is_no_json_is_refused(client: TestClient, sent: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post(address(client), content=sent, headers=headers).status_code == 400


def test_marks_are_kept_while_the_run_goes_on(client: TestClient, root: Path) -> None:
    text = sheet(client)[0]
    held = lock(root / "run" / "journal.lock")
    mark_all(client, text)
    answer = client.post(address(client).replace("mark.json", "agreement"), json={})
    assert answer.status_code == 400
    assert "another unparrot" in answer.json()["problem"]
    assert len(labelled(root / "run", ADA)) == 1
    os.close(held)


def test_a_run_that_nobody_can_mark_says_why(
    shelf: Path, tmp_path: Path, let_in: Callable[[Path], TestClient]
) -> None:
    shutil.copytree(shelf / "tables", tmp_path / "run")
    client = let_in(tmp_path)
    answer = client.get(address(client), params={"by": "ada"})
    assert answer.status_code == 400
    assert "journal.sqlite" in answer.text
