"""`unparrot theory peel` on the command line: table, JSON, figure and bad options."""

import json
from pathlib import Path

import pytest

from unparrot.cli.main import run

SMALL = ["theory", "peel", "--skills", "2e3", "--points", "5"]


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run([*SMALL, "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_holds_both_curves_and_the_jump(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--data", "0..10")
    assert found["degrees"] == {"1": 0.1, "4": 0.9}
    assert found["starts"] is True
    (jump,) = found["jumps"]
    assert jump["mean_degree"] == pytest.approx(6.82348, abs=1e-5)
    assert jump["pieces"] == pytest.approx(6.82348 * 2000 / 3.7, abs=0.01)
    points = found["points"]
    assert [p["pieces"] for p in points] == [round(c * 2000 / 3.7) for c in (0, 2.5, 5, 7.5, 10)]
    assert points[0]["simulation"] == points[0]["density_evolution"] == 0
    for point in points:
        assert point["simulation"] == pytest.approx(point["density_evolution"], abs=0.15)
    assert points[-1]["simulation"] > 0.99


def test_table_tells_the_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SMALL) == 0
    out = capsys.readouterr().out
    assert "simulation" in out
    assert "a jump at mean degree 6.82348" in out
    assert "(N1^-1/2)" in out


def test_smooth_and_never(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*SMALL, "--degrees", "1:0.5,2:0.5", "--power", "1"]) == 0
    assert "no jump: learning is smooth" in capsys.readouterr().out
    assert run([*SMALL, "--degrees", "2"]) == 0
    out = capsys.readouterr().out
    assert "never starts" in out
    assert "--distinct forbids it" in out
    found = result(capsys, "--degrees", "2", "--distinct")
    assert found["starts"] is False
    assert {p["simulation"] for p in found["points"]} == {0}


def test_one_size(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--pieces", "2000", "--degrees", "1")
    (point,) = found["points"]
    assert point["mean_degree"] == 1
    assert point["density_evolution"] == pytest.approx(0.632121, abs=1e-6)


@pytest.mark.parametrize("sizes", [["--data", "0.5..9"], ["--pieces", "5000"]])
def test_figure(tmp_path: Path, sizes: list[str]) -> None:
    assert run([*SMALL, *sizes, "--plot", str(tmp_path / "peel.svg")]) == 0
    drawn = (tmp_path / "peel.svg").read_text()
    assert "Skills learned against data" in drawn
    assert "threshold" in drawn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--degrees", "1:0.5,2:0.4"], "add up to 0.9, not 1"),
        (["--degrees", "1:0.5,1:0.5"], "gives 1 twice"),
        (["--degrees", "1:x"], "'1:x' is no degree from 0 up with its share"),
        (
            ["--degrees", "1:1.5,2:-0.5"],
            "'1:1.5' is no degree from 0 up with its share from 0 to 1",
        ),
        (["--degrees", "0"], "no piece holds a skill"),
        (["--data", "5..1"], "'5..1' is not a range"),
        (["--data", "1..inf"], "not a range"),
        (["--data", "0..1e308"], "the number of pieces must be"),
        (["--data", "1..2", "--pieces", "7"], "exclude each other"),
        (["--data", "0..0.0001"], "the data end at 0 pieces"),
        (["--power", "-1"], "the exponent of the power law"),
        (["--skills", "1e9"], "1,048,576"),
        (["--pieces", "1e12"], "take fewer pieces"),
        (["--points", "1"], "at least 2"),
    ],
)
def test_bad_options_are_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*SMALL, *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("power", ["100", "1000"])
def test_skills_too_rare_for_density_evolution(
    power: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["theory", "peel", "--skills", "1000", "--power", power]) == 2
    assert "lower the power" in capsys.readouterr().err
