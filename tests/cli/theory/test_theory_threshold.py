"""`unparrot theory threshold` on the command line: graphs, skills, figures and bad options."""

import json
import math
from pathlib import Path

import pytest

from unparrot.cli.main import run
from unparrot.theory.gnp import simulate_gnp
from unparrot.theory.threshold import isolated_expected, isolated_none


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["theory", "threshold", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_coin_flip(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "gnp", "--n", "5e3", "--c", "0", "--trials", "200", "--seed", "3")
    n, p = 5000, math.log(5000) / 5000
    assert (found["n"], found["p"], found["trials"], found["seed"]) == (n, p, 200, 3)
    assert found["c"] == pytest.approx(0, abs=1e-12)
    isolated = found["isolated"]
    assert isolated["expected"] == isolated_expected(n, p)
    assert isolated["none"] == isolated_none(n, p)
    assert isolated["none_limit"] == pytest.approx(math.exp(-1), rel=1e-9)
    drawn = simulate_gnp(n, p, trials=200, seed=3)
    simulated = isolated["simulated"]
    assert simulated["mean"] == float(drawn.isolated.mean())
    assert simulated["none"]["low"] < isolated["none"] < simulated["none"]["high"]
    assert "giant" not in found


def test_giant(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "gnp", "--n", "20000", "--mean-degree", "2", "--trials", "20")
    assert found["p"] == 1e-4
    giant = found["giant"]
    assert giant["share"] == pytest.approx(0.796812, abs=1e-6)
    assert giant["simulated"]["share"] == pytest.approx(giant["share"], abs=0.01)
    # 2707 isolated vertices are expected: the exact P(none) is not summed
    assert found["isolated"]["none"] is None


def test_formulas_without_simulation(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "gnp", "--n", "1e9", "--p", "1e-9", "--giant", "--trials", "0")
    assert found["isolated"]["simulated"] is None
    assert found["giant"] == {"share": 0.0, "simulated": None}
    assert found["mean_degree"] == 1.0


def test_skills(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(
        capsys, "skills", "--skills", "1000", "--pieces", "1e6", "--k", "8", "--tuple", "4",
        "--topics", "100",
    )  # fmt: skip
    assert found["combinations"] == 4_141_712_475_000
    assert found["log10_ordered"] == pytest.approx(14)
    assert found["tuples_seen"] == pytest.approx(1 - math.exp(-7e7 / 41_417_124_750), rel=1e-10)
    assert found["pieces_for_half_of_the_tuples"] == pytest.approx(
        math.log(2) * 41_417_124_750 / 70, rel=1e-12
    )
    assert found["skills_without_text"] == 0.0


def test_numbers_too_long_to_print(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["skills", "--skills", "1e6", "--pieces", "1e9", "--k", "2000", "--tuple", "1500"]
    found = result(capsys, *arguments)
    assert found["combinations"] is None
    assert found["log10_combinations"] == pytest.approx(
        math.log10(math.comb(10**6, 1500)), rel=1e-12
    )
    assert found["pieces_for_half_of_the_tuples"] is None
    assert found["tuples_seen"] == 0.0
    assert run(["theory", "threshold", *arguments]) == 0
    assert "10^4" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["gnp", "--n", "300", "--trials", "20"],
        ["gnp", "--n", "300", "--trials", "20", "--mean-degree", "2"],
        ["gnp", "--n", "300", "--trials", "0"],
        ["skills", "--skills", "1000", "--pieces", "10", "--k", "8", "--tuple", "4"],
        ["skills", "--skills", "100", "--pieces", "10", "--k", "1", "--tuple", "1"],
    ],
)
def test_figures(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "threshold.svg"
    assert run(["theory", "threshold", *arguments, "--plot", str(path)]) == 0
    assert path.read_text("utf-8").startswith("<svg")
    assert "The figure" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gnp", "--n", "1"], "at least 2"),
        (["gnp", "--n", "10", "--c", "-9"], "take c between"),
        (["gnp", "--n", "10", "--p", "2"], "must be in 0..1, not 2"),
        (["gnp", "--n", "10", "--p", "0.1", "--c", "0"], "exclude each other"),
        (["gnp", "--n", "2e9", "--trials", "1"], "above 1,000,000,000 vertices; lower n"),
        (["gnp", "--n", "1e8", "--trials", "1000"], "lower the number of trials, n or p"),
        (["gnp", "--n", "10", "--trials", "-1"], "at least 0"),
        (["skills", "--skills", "-5", "--pieces", "1", "--k", "2"], "at least 1"),
        (["skills", "--skills", "5", "--pieces", "1", "--k", "2", "--tuple", "3"], "is above k"),
        (["skills", "--skills", "5", "--pieces", "1", "--k", "0"], "k must be a whole number"),
    ],
)
def test_bad_options(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "threshold", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["gnp"], ["skills"]])
def test_help_has_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "threshold", *command, "--help"]) == 0
    assert "unparrot theory threshold " in capsys.readouterr().out


@pytest.mark.parametrize("p", ["0", "1e-300", "1"])
def test_graphs_in_which_nothing_varies(p: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["theory", "threshold", "gnp", "--n", "50", "--p", p, "--giant", "--trials", "3"]
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["isolated"]["simulated"]["mean"] == (0 if p == "1" else 50)
    assert found["giant"]["simulated"]["share"] == (1 if p == "1" else 0.02)


@pytest.mark.parametrize("options", [["--c", "0"], ["--mean-degree", "1"]])
def test_a_figure_of_the_smallest_graph(options: list[str], tmp_path: Path) -> None:
    arguments = ["theory", "threshold", "gnp", "--n", "2", "--trials", "2", *options]
    assert run([*arguments, "--plot", str(tmp_path / "gnp.svg")]) == 0


def test_numbers_beyond_a_machine_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["theory", "threshold", "skills", "--pieces", "1e6"]
    large = ["--skills", "1e18", "--k", "8", "--tuple", "8"]
    assert run([*words, *large, "--plot", str(tmp_path / "seen.svg")]) == 0
    capsys.readouterr()
    huge = ["--skills", "1e12", "--k", str(10**11), "--tuple", str(5 * 10**10), "--json"]
    assert run([*words, *huge]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["combinations"] is None
    # entropy: C(n, n/20) is about exp(n H(1/20))
    share = 0.05
    nats = -share * math.log(share) - (1 - share) * math.log1p(-share)
    assert found["log10_combinations"] == pytest.approx(1e12 * nats / math.log(10), rel=1e-9)
