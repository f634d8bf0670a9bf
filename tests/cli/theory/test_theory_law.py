"""`unparrot theory law` on the command line: table, JSON, figure and bad options."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from unparrot.cli.main import run
from unparrot.theory.law.loss_law import PRESETS

POINT = ["--params", "7e9", "--tokens", "1.4e11"]


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["theory", "law", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("name", "ratio"), [("hoffmann", 2.0010), ("besiroglu", 2.2726)])
def test_scaling_a_model(capsys: pytest.CaptureFixture[str], name: str, ratio: float) -> None:
    found = result(capsys, "--preset", name, *POINT, "--factor", "10")
    law = PRESETS[name]
    assert found["law"]["name"] == name
    assert "arXiv" in found["law"]["source"]
    assert found["model"]["loss"] == pytest.approx(float(law.loss(7e9, 1.4e11)))
    assert found["model"]["flops"] == pytest.approx(6 * 7e9 * 1.4e11)
    assert found["model"]["gradient"]["params"] < 0
    assert found["scaled"]["params"] == 7e10
    assert found["scaled"]["excess_ratio"] == pytest.approx(ratio, abs=5e-5)
    assert found["allocation"] is None


def test_allocation(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--flops", "5.76e23")
    assert found["law"]["name"] == "besiroglu"
    assert found["allocation"] == asdict(PRESETS["besiroglu"].allocate(5.76e23))
    assert found["model"] is found["scaled"] is None


def test_law_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(asdict(PRESETS["hoffmann"])))
    found = result(capsys, "--law", str(path), *POINT)
    assert found["law"] == {
        "name": "mine",
        "source": str(path),
        **asdict(PRESETS["hoffmann"]),
    }


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "law", "--preset", "hoffmann"]) == 0
    out = capsys.readouterr().out
    assert "406.4" in out
    assert "Hoffmann et al. (2022)" in out
    command = ["theory", "law", "--preset", "hoffmann", *POINT, "--factor", "10", "--flops", "1e24"]
    assert run(command) == 0
    out = capsys.readouterr().out
    assert "N and D x 10 divide the excess by 2.0010." in out
    assert "best split" in out
    assert "dL/dN" in out


@pytest.mark.parametrize(
    "options", [[], POINT, [*POINT, "--factor", "0.1", "--flops", "1e20"]], ids=len
)
def test_figure(tmp_path: Path, options: list[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "law.svg"
    assert run(["theory", "law", *options, "--plot", str(path)]) == 0
    assert "best split" in path.read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--params", "7e9"], "add --tokens to --params"),
        (["--tokens", "7e9"], "add --params to --tokens"),
        (["--factor", "10"], "add its --params and --tokens"),
        ([*POINT, "--factor", "0"], "factor must be above 0"),
        (["--params", "-1", "--tokens", "1"], "params must be above 0 and finite, not -1.0"),
        (["--flops", "-1"], "flops must be above 0 and finite, not -1.0"),
        (["--preset", "kaplan"], "kaplan"),
        (["--law", "nowhere.json"], "nowhere.json"),
    ],
)
def test_bad_options(capsys: pytest.CaptureFixture[str], options: list[str], words: str) -> None:
    assert run(["theory", "law", *options]) == 2
    assert words in capsys.readouterr().err


def test_one_law_at_a_time(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "law.json"
    path.write_text("{}")
    assert run(["theory", "law", "--law", str(path), "--preset", "hoffmann"]) == 2
    assert "exclude each other" in capsys.readouterr().err
    assert run(["theory", "law", "--law", str(path)]) == 2
    assert "number for E, not None" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--params", "1e300", "--tokens", "1e300"),
        ("--params", "1e-320", "--tokens", "1"),
        ("--params", "1e9", "--tokens", "1e9", "--factor", "1e-300"),
        ("--params", "1e9", "--tokens", "1e9", "--factor", "1e300"),
    ],
)
def test_sizes_beyond_a_float(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["theory", "law", "--json", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "float can hold; take" in captured.err


def test_a_figure_at_the_largest_budgets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["theory", "law", "--flops", "1e306", "--plot", str(tmp_path / "law.png")]) == 0
    assert capsys.readouterr().err == ""


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "law.png", tmp_path / f"{'x' * 300}.png"):
        assert run(["theory", "law", "--plot", str(place)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "cannot write" in captured.err
