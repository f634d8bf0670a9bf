"""`unparrot theory curve` on the command line: forwards, backwards, figure and bad options."""

import json
from pathlib import Path

import pytest

from unparrot.cli.main import run
from unparrot.theory.curve.performance import classic, sharp

POINT = ["--theta", "0.05", "--k", "8", "--alpha", "0.1"]


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["theory", "curve", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_point(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, *POINT, "--tuple", "2")
    assert (found["k"], found["tuple"], found["blocks"]) == (8, 2, 4)
    (point,) = found["points"]
    assert list(point) == ["alpha", "luck", "sharp", "classic"]
    assert point["luck"] == 0.05
    assert point["sharp"] == pytest.approx(0.2595, abs=1e-6)
    assert point["classic"] == pytest.approx(0.343366, abs=1e-6)


@pytest.mark.parametrize("bound", ["sharp", "entropic", "classic"])
def test_one_bound(bound: str, capsys: pytest.CaptureFixture[str]) -> None:
    (point,) = result(capsys, *POINT, "--bound", bound)["points"]
    assert list(point) == ["alpha", "luck", bound]


def test_grid(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--theta", "0.05", "--k", "8", "--tuple", "2", "--points", "5")
    alphas = [point["alpha"] for point in found["points"]]
    assert (len(alphas), alphas[0], alphas[-1]) == (5, 0.001, 0.9)
    assert alphas == sorted(alphas)
    for name, bound in {"sharp": sharp, "classic": classic}.items():
        assert [point[name] for point in found["points"]] == bound(0.05, alphas, 8, 2).tolist()


def test_degrees(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--theta", "0.05", "--k", "1:0.2,3:0.8", "--alpha", "0.1")
    (point,) = found["points"]
    assert found["k"] == [0.0, 0.2, 0.0, 0.8]
    assert list(point) == ["alpha", "luck", "sharp"]
    assert point["sharp"] == float(sharp(0.05, 0.1, (0.0, 0.2, 0.0, 0.8)))


def test_largest_theta(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--failure", "0.179464925", "--k", "8", "--alpha", "0.1")
    (row,) = found["largest_theta"]
    assert row["sharp"] == pytest.approx(0.05, rel=1e-12)
    assert float(classic(row["classic"], 0.1, 8)) == pytest.approx(0.179464925, rel=1e-9)
    found = result(capsys, "--failure", "0.01", "--k", "1", "--alpha", "0.5")
    assert found["largest_theta"][0]["classic"] is None


def test_largest_tuple(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, *POINT, "--failure", "0.26")
    assert found["largest_tuple"] == [{"alpha": 0.1, "sharp": 2, "classic": 1}]


def test_table_says_where_a_bound_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--theta", "0.02", "--k", "12", "--tuple", "5", "--alpha", "0.25"]
    assert run(["theory", "curve", *arguments]) == 0
    out = capsys.readouterr().out
    assert "0.08" in out
    assert "its equation has no solution" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--theta", "0.05", "--k", "8", "--points", "9"],
        [*POINT, "--bound", "sharp"],
        ["--failure", "0.1", "--k", "8"],
        ["--failure", "0.3", "--theta", "0.05", "--k", "8"],
    ],
    ids=["grid", "point", "theta", "tuple"],
)
def test_figures(arguments: list[str], tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    assert run(["theory", "curve", *arguments, "--plot", str(path)]) == 0
    assert path.read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--k", "8"], "give --theta, or --failure"),
        (["--theta", "1.5", "--k", "8"], "theta must be above 0 and under 1, not 1.5"),
        ([*POINT, "--tuple", "9"], "k' = 9 is above k = 8"),
        (["--theta", "0.05", "--k", "8", "--alpha", "1"], "alpha must be above 0 and under 1"),
        (
            ["--theta", "0.05", "--k", "1:0.2,3:0.8", "--bound", "classic"],
            "use the sharp bound",
        ),
        (["--failure", "0.1", "--k", "1:0.2,3:0.8"], "takes one --k"),
        ([*POINT, "--failure", "0.1", "--tuple", "2"], "leave out --tuple"),
    ],
)
def test_bad_options(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "curve", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "curve", "--help"]) == 0
    assert "unparrot theory curve --theta 0.05" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*POINT, "--points", "1000000000"], "at most 10000"),
        (["--theta", "0.05", "--k", "1:0.5,1000000000:0.5"], "at most 65,536 skills"),
    ],
)
def test_too_large_or_without_effect(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["theory", "curve", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_alphas_are_ranked(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "--theta",
        "0.05",
        "--k",
        "8",
        "--alpha",
        "0.5",
        "--alpha",
        "0.1",
        "--alpha",
        "0.5",
    )
    assert [point["alpha"] for point in result(capsys, *arguments)["points"]] == [0.1, 0.5]
