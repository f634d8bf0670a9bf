"""`unparrot rates` as a user types it: sample, label, show, and the certificate that follows."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from unparrot.cli.main import run as unparrot

GRADER = "openai-api/local/grader-fair"
STUDENT = "openai-api/local/student-good"


@pytest.fixture
def sample(at: list[str], tmp_path: Path) -> list[str]:
    """The command line of a sample; its corpus is there."""
    lines = [f"On day {i} the sewing of {i * 3} boats began, slow as a snail." for i in range(500)]
    (tmp_path / "corpus.txt").write_text("\n".join(lines))
    return [
        "rates", "sample", "corpus.txt", "--tagger", GRADER, "--out", "rates", "-n", "12",
        "--counted", "300", "--words", "40", *at[:2],
    ]  # fmt: skip


def test_sample_label_show(
    server: Any, sample: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert unparrot([*sample, "--dry-run"]) == 0
    assert "Nothing was called" in capsys.readouterr().out
    assert server.stats()["requests"] == 0
    assert not (tmp_path / "rates").exists()
    assert unparrot(sample) == 0
    out = capsys.readouterr().out
    assert "No label says how the tagger errs" in out
    assert "Skills in 12 windows of 40 words" in out
    assert unparrot(["rates", "label", "rates", "--export", "sheet.csv", "-n", "30"]) == 0
    written = (tmp_path / "sheet.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(written)))
    head = rows[0]
    assert "mark topic" not in head
    places = [i for i, name in enumerate(head) if name.startswith("mark")]
    for number, row in enumerate(rows[1:]):
        for i in places:
            row[i] = str(int(number % 3 == 0)) if row[i - 2] else ""
    with (tmp_path / "sheet.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    assert unparrot(["rates", "label", "rates", "--read", "sheet.csv", "--by", "ada"]) == 0
    out = capsys.readouterr().out
    assert "30 texts read" in out
    assert "of what person:ada saw" in out
    assert unparrot(["rates", "show", "rates", "--json"]) == 0
    rates = json.loads(capsys.readouterr().out)
    assert rates == json.loads((tmp_path / "rates/rates.json").read_text())
    assert rates["by"] == "person:ada"
    assert unparrot(["rates", "show", "rates", "--by", "bo"]) == 2
    assert "person:bo has labelled no window" in capsys.readouterr().err


def test_a_run_is_certified_by_the_rates_of_a_sample(
    sample: list[str], at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert unparrot(sample) == 0
    command = ["eval", "run", STUDENT, "--grader", GRADER, "-k", "2", "-n", "6", "--rounds", "1",
               "--grading-rounds", "1", "--out", "run", *at]  # fmt: skip
    # every skill of this tagger is common
    assert unparrot([*command, "--without-common", "rates"]) == 2
    assert "skills of the pack 'language.en' are left out" in capsys.readouterr().err
    assert unparrot(command) == 0
    capsys.readouterr()
    assert unparrot(["certify", "run", "--rates", "rates", "--windows", "5e10"]) == 0
    out = capsys.readouterr().out
    assert "is such as the 12 windows sampled from it" in out
    assert "no labels of people say how it errs" in " ".join(out.split())


@pytest.mark.slow
def test_a_sample_read_on_a_cluster_gives_the_same_rates(
    sample: list[str], loopback_cluster: Any, tmp_path: Path
) -> None:
    assert unparrot([*sample, "--dry-run"]) == 0
    assert unparrot(sample) == 0
    (tmp_path / "rates").rename(tmp_path / "here")
    assert unparrot([*sample, "--engine", "ray", "--address", loopback_cluster.address]) == 0
    for name in ("rates.json", "sample.json"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "rates" / name).read_bytes()


def test_a_cluster_that_does_not_answer_is_told_before_any_call(
    server: Any, sample: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert unparrot([*sample, "--engine", "ray", "--address", "127.0.0.1:1"]) == 2
    assert "no Ray cluster answers at 127.0.0.1:1" in capsys.readouterr().err
    assert unparrot([*sample, "--address", "127.0.0.1:1"]) == 2
    assert server.stats()["requests"] == 0
