"""`unparrot theory novelty` on the command line: tables, JSON, figure and bad options."""

import json
from pathlib import Path

import pytest

from unparrot.cli.main import run

NOVELTY = ["theory", "novelty"]
MEANS = ["--skill-rate", "0.0144", "--topic-rate", "0.0022", "--windows", "5e10"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Options for the rates of four skills and two topics, and 100 windows."""
    (tmp_path / "s.csv").write_text("skill,rate\na,0.5\nb,0.25\nc,0.1\nd,0.1\n")
    (tmp_path / "t.csv").write_text("topic,rate\nsewing,0.1\nknots,0.02\n")
    skills, topics = str(tmp_path / "s.csv"), str(tmp_path / "t.csv")
    return ["--skills", skills, "--topics", topics, "--windows", "100"]


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run([*NOVELTY, "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_published_rates(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, *MEANS, "--k", "4..6", "--measured", "5:0.12,6:0.08")
    four, five, six = found["points"]
    assert four["bound"]["value"] == 1
    assert four["capped"] is True
    assert four["beyond_bound"] is four["measured"] is four["flip_rho"] is None
    assert five["bound"]["value"] == pytest.approx(0.0681, abs=5e-5)
    assert five["beyond_bound"] == "shown"
    assert five["new_share"] == pytest.approx(0.432, abs=5e-4)
    assert five["flip_rho"] == pytest.approx(1.762, abs=5e-4)
    assert six["bound"]["value"] == pytest.approx(0.00098, abs=5e-6)


def test_a_pack_by_hand(capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    found = result(capsys, *files, "--k", "2", "--measured", "0.9")
    (point,) = found["points"]
    # products of pairs: .125 .05 .05 .025 .025 .01, each times 100 * .1 and 100 * .02:
    # 1.25 .5 .5 .25 .25 .1 and .25 .1 .1 .05 .05 .02; one is above 1
    assert point["combinations"] == 12
    assert point["uncapped"] == pytest.approx(3.42 / 12)
    assert point["bound"]["value"] == pytest.approx(3.17 / 12)
    assert point["capped"] is True
    assert point["new_share"] == pytest.approx(1 - 3.17 / 12 / 0.9)
    assert found["listed"] is None


def test_a_list(capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path) -> None:
    rows = [("sewing", ["a", "b"]), ("knots", ["c", "d"]), ("sewing", ["a"])]
    lines = (json.dumps({"topic": topic, "skills": skills}) for topic, skills in rows)
    (tmp_path / "c.jsonl").write_text("\n".join(lines))
    options = [*files, "--combinations", str(tmp_path / "c.jsonl")]
    found = result(capsys, *options)
    assert [point["k"] for point in found["points"]] == [1, 2]
    assert found["points"][1]["bound"]["value"] == pytest.approx((1 + 0.02) / 2)
    assert [d["seen_at_most"] for d in found["listed"]] == pytest.approx([1, 1, 0.02])
    assert run([*NOVELTY, *options, "--k", "2"]) == 0
    out = capsys.readouterr().out
    assert "The 2 likeliest of 2 combinations" in out
    assert "a; b" in out
    assert run([*NOVELTY, *options, "--k", "3"]) == 2
    assert "none of --k" in capsys.readouterr().err


def test_tables_say_shown_or_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*NOVELTY, *MEANS, "--measured", "0.05"]) == 0
    out = capsys.readouterr().out
    assert out.count("not shown") == 4  # k = 2 .. 5
    assert "upper bound" in out
    assert "Not shown says nothing about the model" in out


def test_a_sampled_bound_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rates = "".join(f"s{i},{0.3 / (i + 1):.6g}\n" for i in range(60))
    (tmp_path / "s.csv").write_text("skill,rate\n" + rates)
    (tmp_path / "t.csv").write_text("topic,rate\nsewing,0.01\n")
    options = [*NOVELTY, "--skills", str(tmp_path / "s.csv"), "--topics", str(tmp_path / "t.csv")]
    options += ["--windows", "1e9", "--k", "5", "--samples", "2000"]
    assert run([*options, "--json"]) == 0
    bound = json.loads(capsys.readouterr().out)["points"][0]["bound"]
    assert bound["method"] == "sampled, empirical Bernstein"
    assert bound["low"] < bound["value"] < bound["high"]
    assert run(options) == 0
    assert "it was sampled: 95 %" in capsys.readouterr().out


def test_figure(tmp_path: Path) -> None:
    for k in ("5", "2..6"):
        path = tmp_path / "novelty.svg"
        assert run([*NOVELTY, *MEANS, "--k", k, "--measured", "0.12", "--plot", str(path)]) == 0
        assert "What a parrot can reach" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing option '--windows'"),
        (["--windows", "5"], "the rates are missing"),
        (["--windows", "0.5", "--skill-rate", "1"], "'0.5' is not a whole number"),
        (["--windows", "0"], "at least 1"),
        ([*MEANS, "--skills", "x.csv"], "or files, not both"),
        ([*MEANS, "--skill-rate", "0"], "must be above 0 and at most 1, not 0.0"),
        ([*MEANS, "--rho", "0.5"], "at least 1 (1 is independence), not 0.5"),
        ([*MEANS, "--rho", "inf"], "not a finite number"),
        ([*MEANS[:4], "--windows", "1" + "0" * 400], "must be at most 1e+300"),
        ([*MEANS, "--measured", "1.2"], "'1.2' is no ratio from 0 to 1"),
        ([*MEANS, "--measured", "x"], "'x' is no ratio"),
        ([*MEANS, "--measured", "0.1,5:0.2"], "mixes a ratio for every k"),
        ([*MEANS, "--measured", "9:0.2"], "k = 9, which is not among [2, 3, 4, 5, 6]"),
        ([*MEANS, "--k", "6..2"], "'6..2' is not a range"),
        (["--skills", "no.csv", "--topics", "no.csv", "--windows", "9"], "there is no file no.csv"),
    ],
)
def test_bad_options_are_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*NOVELTY, *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_k_above_the_number_of_skills_is_2(
    capsys: pytest.CaptureFixture[str], files: list[str]
) -> None:
    assert run([*NOVELTY, *files]) == 2
    assert "k = 5 skills cannot be chosen from 4" in capsys.readouterr().err


def test_no_float_holds_the_attraction(capsys: pytest.CaptureFixture[str]) -> None:
    rates = ["--skill-rate", "1e-300", "--topic-rate", "1e-300", "--windows", "1e9", "--k", "2"]
    (point,) = result(capsys, *rates, "--measured", "0.1")["points"]
    assert (point["beyond_bound"], point["flip_rho"]) == ("shown", None)
    assert run([*NOVELTY, *rates, "--measured", "0.1"]) == 0
    assert "above 1e299" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--measured", "5:0.1,5:0.2"], "gives 5 twice"),
        (["--k", "1..1000000000"], "at most 10,000"),
    ],
)
def test_doubled_or_endless(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*NOVELTY, *MEANS, *options]) == 2
    assert message in capsys.readouterr().err
