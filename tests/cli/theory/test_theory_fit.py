"""`unparrot theory fit` on the command line: table, JSON, figure and bad files."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from unparrot.cli.main import run
from unparrot.theory.law.loss_law import PRESETS

QUICK = ["--resamples", "100"]


@pytest.fixture
def runs_file(tmp_path: Path) -> Path:
    """30 runs of the Besiroglu law with a little noise, FLOP in place of tokens."""
    rng = np.random.default_rng(1)
    params, flops = np.exp(rng.uniform(18, 23, 30)), np.exp(rng.uniform(42, 50, 30))
    loss = PRESETS["besiroglu"].loss(params, flops / 6 / params)
    loss *= np.exp(1e-3 * rng.standard_normal(30))
    rows = [f"{n:.17g},{c:.17g},{x:.17g}" for n, c, x in zip(params, flops, loss, strict=True)]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(["params,flops,loss", *rows, ""]))
    return path


@pytest.fixture
def ladder_file(tmp_path: Path) -> Path:
    path = tmp_path / "ladder.csv"
    path.write_text("params,loss\n1e5,2.3\n1e6,1.9\n1e7,1.6\n1e8,1.44\n")
    return path


def test_json_feeds_the_law(
    capsys: pytest.CaptureFixture[str], runs_file: Path, tmp_path: Path
) -> None:
    assert run(["theory", "fit", str(runs_file), *QUICK, "--json"]) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    for name, truth in asdict(PRESETS["besiroglu"]).items():
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]
        assert found[name]["value"] == pytest.approx(truth, rel=0.2)
    assert found["n"] == 30
    assert 0 < found["huber"] < 1e-4
    assert found["resamples"] == 100
    law = tmp_path / "law.json"
    law.write_text(text)
    assert run(["theory", "law", "--law", str(law), "--flops", "1e24", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["law"]["E"] == found["E"]["value"]


def test_table_and_figure(
    capsys: pytest.CaptureFixture[str], runs_file: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    plot = tmp_path / "fit.svg"
    command = ["theory", "fit", str(runs_file), *QUICK, "--level", "0.9", "--plot", str(plot)]
    assert run(command) == 0
    out = capsys.readouterr().out
    assert "90 % low" in out
    assert "alpha" in out
    assert "30 runs; huber, percentile bootstrap of runs." in out
    assert "measured loss" in plot.read_text()


def test_ladder(capsys: pytest.CaptureFixture[str], ladder_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot = tmp_path / "ladder.svg"
    command = ["theory", "fit", str(ladder_file), "--floor", "1.25"]
    assert run([*command, "--plot", str(plot)]) == 0
    out = capsys.readouterr().out
    assert "4 runs; least squares of log excess, Student t." in out
    assert "measured loss" in plot.read_text()
    assert run([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["E"]["value"] == 1.25
    assert found["B"] is None
    assert 0 < found["alpha"]["low"] < found["alpha"]["value"] < found["alpha"]["high"]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("params,loss\n1,2\n", [], "no column tokens or flops"),
        ("params,tokens\n1,2\n", [], "no column 'loss'"),
        ("params,tokens,loss\n1,2,x\n", [], "line 2: loss is 'x'"),
        ("params,tokens,loss\n1,2,3\n", [], "1 different pair of params and tokens"),
        ("params,tokens,loss\n1,2,3\n", ["--level", "2"], "level"),
        ("params,tokens,loss\n1,2,3\n", ["--resamples", "7"], "at least 100 resamples"),
        (
            "params,loss\n1,2\n3,1\n",
            ["--floor", "1"],
            "line 3: loss is '1', which is no number above 1",
        ),
    ],
)
def test_bad_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, options: list[str], words: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert run(["theory", "fit", str(path), *options]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["theory", "fit", "nowhere.csv"]) == 2
    assert "nowhere.csv" in capsys.readouterr().err
