"""`unparrot theory slingshot` on the command line: presets, a law of one's own, bad options."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from unparrot.cli.main import run
from unparrot.theory.law.loss_law import PRESETS
from unparrot.theory.slingshot import doubling_table, slingshot


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["theory", "slingshot", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(
        capsys, "--preset", "besiroglu", "--params", "7e9", "--tokens", "1.4e11", "--factor", "10",
        "--theta", "0.02", "--k", "32", "--alpha", "0.1", "--failure", "0.1", "--table",
    )  # fmt: skip
    law = PRESETS["besiroglu"]
    expected = asdict(slingshot(law, 7e9, 1.4e11, 10, 0.02, 32, 0.1, 0.1))
    table = [asdict(row) for row in doubling_table(theta=0.02)]
    reach = list(expected["reach"])
    assert found == {"law": "besiroglu", **expected, "reach": reach, "doubling": table}
    assert found["ratio"] == pytest.approx(2.2726, abs=5e-5)
    assert [entry["bound"] for entry in found["reach"]] == ["sharp", "classic"]


def test_a_law_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "law.json"
    path.write_text(json.dumps({"E": 1, "A": 100, "B": 100, "alpha": 0.5, "beta": 0.5}))
    found = result(capsys, "--law", str(path), "--factor", "4", "--bound", "entropic", "--table")
    assert found["law"] == str(path)
    assert found["ratio"] == pytest.approx(2, rel=1e-12)
    assert [entry["bound"] for entry in found["reach"]] == ["entropic"]
    assert {row["law"] for row in found["doubling"]} == {*PRESETS, str(path)}


def test_table_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "slingshot.svg"
    assert run(["theory", "slingshot", "--theta", "0.02", "--table", "--plot", str(path)]) == 0
    out = capsys.readouterr().out
    assert "divides the errors by 2.001" in out
    assert "twice the skills?" in out
    assert "Assumes that theta falls as the excess loss does." in out
    assert path.read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--theta", "0"], "theta must be above 0 and under 1, not 0"),
        (["--factor", "-1"], "factor must be"),
        (["--params", "0"], "params must be"),
        (["--k", "0"], "k must be a whole number"),
        (["--alpha", "1"], "alpha must be above 0 and under 1"),
        (["--failure", "2"], "failure must be above 0 and under 1, not 2"),
        (["--table", "--factor", "1"], "factor must be above 1, not 1"),
        (["--preset", "besiroglu", "--law", __file__], "exclude each other"),
        (["--law", __file__], "is not JSON"),
    ],
)
def test_bad_options(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "slingshot", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "slingshot", "--help"]) == 0
    assert "unparrot theory slingshot --preset hoffmann" in capsys.readouterr().out
