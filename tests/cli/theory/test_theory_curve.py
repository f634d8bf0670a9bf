"""`unparrot theory curve` on the command line: forwards, backwards, figure and bad options."""

import json
from pathlib import Path

import pytest

from unparrot.cli.main import run
from unparrot.theory.curve.finite import least_edges
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


def test_grid_and_finite_graph(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(
        capsys, "--theta", "0.05", "--k", "8", "--tuple", "2", "--points", "5",
        "--skills", "40", "--pieces", "1e5", "--delta", "0.05",
    )  # fmt: skip
    assert (found["tuples"], found["pieces"], found["delta"]) == (780, 100_000, 0.05)
    alphas = [point["alpha"] for point in found["points"]]
    assert alphas[0] == 1 / 780
    assert alphas[-1] == 0.9
    assert alphas == sorted(alphas)
    graph = {"pieces": 100_000, "tuples": 780, "delta": 0.05}
    for name, values in {
        "sharp": sharp(0.05, alphas, 8, 2),
        "classic": classic(0.05, alphas, 8, 2),
        "sharp_finite": sharp(0.05, alphas, 8, 2, **graph),
        "classic_finite": classic(0.05, alphas, 8, 2, **graph),
        "least_edges": least_edges(alphas, 8, 2, **graph),
    }.items():
        assert [point[name] for point in found["points"]] == values.tolist()


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
        ["--theta", "0.05", "--k", "8", "--pieces", "1e5", "--skills", "50"],
        ["--failure", "0.1", "--k", "8"],
        ["--failure", "0.3", "--theta", "0.05", "--k", "8"],
    ],
    ids=["grid", "point", "finite", "theta", "tuple"],
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
            ["--theta", "0.05", "--k", "8", "--alpha", "1e-4", "--skills", "500"],
            "alpha = 0.0001 of 500 tuples is less than one",
        ),
        ([*POINT, "--skills", "3", "--tuple", "4"], "--tuple 4 must be between 1 and"),
        ([*POINT, "--pieces", "100"], "--pieces needs --skills"),
        ([*POINT, "--pieces", "-100", "--skills", "50"], "at least 1"),
        ([*POINT, "--pieces", "100", "--skills", "50", "--delta", "2"], "delta must be"),
        ([*POINT, "--pieces", "9", "--skills", "50", "--bound", "entropic"], "no term for a fin"),
        (
            ["--theta", "0.05", "--k", "1:0.2,3:0.8", "--bound", "classic"],
            "use the sharp bound",
        ),
        (["--failure", "0.1", "--k", "1:0.2,3:0.8"], "takes one --k"),
        (["--failure", "0.1", "--k", "8", "--pieces", "9", "--skills", "9"], "leave out --pieces"),
        ([*POINT, "--failure", "0.1", "--tuple", "2"], "leave out --tuple"),
        (["--theta", "0.05", "--k", "8", "--skills", "1"], "raise --skills"),
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
        ([*POINT, "--skills", "1"], "raise --skills"),
        ([*POINT, "--delta", "0.05"], "add --pieces"),
        ([*POINT, "--points", "1000000000"], "2<=x<=10000"),
        (["--theta", "0.05", "--k", "1:0.5,1000000000:0.5"], "at most 65,536 skills"),
        (
            [
                "--theta",
                "0.05",
                "--k",
                "1e5",
                "--tuple",
                "50000",
                "--skills",
                "1e6",
                "--pieces",
                "9",
            ],
            "10^86,211 tuples",
        ),
    ],
)
def test_too_large_or_without_effect(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["theory", "curve", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_tuples_beyond_a_float_leave_any_alpha(capsys: pytest.CaptureFixture[str]) -> None:
    many = ["--theta", "0.05", "--k", "1e5", "--tuple", "50000", "--alpha", "0.1"]
    assert result(capsys, *many, "--skills", "1e6") == {**result(capsys, *many), "skills": 10**6}


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
