"""`unparrot theory graph` on the command line: tables, JSON, figures, files and bad options."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from unparrot.cli.main import run
from unparrot.theory.curve.performance import classic, sharp
from unparrot.theory.graph.error_models import RandomErrors, WorstCase, chosen_of_measure
from unparrot.theory.graph.exchange import from_biadjacency, read_corpus
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.simulate import simulate
from unparrot.theory.graph.stored import store_graph

SMALL = ["theory", "graph", "--skills", "100", "--pieces", "2e4", "--threads", "1"]


def result(capsys: pytest.CaptureFixture[str], *arguments: str, base: list[str] = SMALL) -> dict:
    assert run([*base, "--json", *arguments]) == 0
    captured = capsys.readouterr()
    assert "unparrot:" not in captured.err
    return json.loads(captured.out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, base: list[str] = SMALL) -> str:
    assert run([*base, *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def write_texts(path: Path, texts: list[tuple[tuple[str, ...], bool]]) -> Path:
    """A corpus of texts, each its skills and whether it failed."""
    lines = [
        json.dumps({"id": i, "skills": skills, "failed": failed})
        for i, (skills, failed) in enumerate(texts)
    ]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """40 texts of two skills: 'irony' always fails, 'simile' never, but with 'irony'."""
    texts = [(("irony", "simile"), True)] * 10 + [(("simile", "metaphor"), False)] * 30
    return write_texts(tmp_path / "texts.jsonl", texts)


def test_help_has_an_example_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from unparrot.cli.main import run; run(['theory', 'graph', '--help']);"
        "print(sorted({'numpy', 'numba', 'rich', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.search(r"Examples?:\n +unparrot theory graph ", out.stdout)
    assert out.stdout.splitlines()[-1] == "[]"


def test_json_is_that_of_the_simulation(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--k", "4", "--theta", "0.1", "--seed", "3")
    counts = simulate(GraphSpec(100, 20_000, 4, seed=3), RandomErrors(0.1), threads=1)
    assert found["source"] == "simulation"
    assert (found["skills"], found["pieces"], found["edges"]) == (100, 20_000, 80_000)
    assert found["theta"] == counts.failed_pieces / 20_000
    assert found["failed_share"] == pytest.approx(counts.failed.sum() / 80_000)
    assert found["degree"]["0"] == counts.degree.min()
    assert found["degree"]["0.5"] == np.median(counts.degree)
    assert [point["alpha"] for point in found["curve"]] == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    for point in found["curve"]:
        assert point["luck"] == found["theta"]
        assert point["sharp"] == float(sharp(found["theta"], point["alpha"], 4))
        assert point["classic"] == pytest.approx(float(classic(found["theta"], point["alpha"], 4)))
        assert point["quantile"] <= point["worst"] < point["sharp"] <= point["classic"]
        assert point["worst"] == pytest.approx(point["chance"], rel=0.1)
        assert point["split"] == pytest.approx(0.1, abs=0.02)
    assert found["adversary"] is found["tuples"] is None


def test_figures_depend_on_the_seed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def figures(*arguments: str) -> dict:
        return result(capsys, "--errors", "concentrated", *arguments)

    one = figures()
    assert one == figures() == figures("--threads", "2")
    assert one != figures("--seed", "2")


@pytest.mark.parametrize(
    ("arguments", "size", "shape"),
    [
        ((), 1, "clique"),
        (("--tuple", "2"), 2, "clique"),
        (("--tuple", "2", "--shape", "star"), 2, "star"),
    ],
)
def test_the_adversary_stays_under_sharp(
    arguments: tuple[str, ...], size: int, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = result(capsys, "--errors", "worst", "--alpha", "0.15", "--theta", "0.04", *arguments)
    spec = GraphSpec(100, 20_000, 8, seed=1)
    chosen = chosen_of_measure(spec, 0.15, size, shape, 1)  # type: ignore[arg-type]
    counts = simulate(spec, WorstCase(0.04, chosen), threads=1)
    assert counts.chosen is not None
    adversary = found["adversary"]
    assert (adversary["alpha"], adversary["failure"]) == (
        counts.chosen.alpha,
        counts.chosen.failure,
    )
    assert adversary["sharp"] == float(sharp(found["theta"], adversary["alpha"], 8, size))
    assert adversary["failure"] < 1.01 * adversary["sharp"]
    assert found["theta"] == 0.04
    assert 0.15 in [point["alpha"] for point in found["curve"]]
    if size == 2:
        assert found["tuples"] == {"possible": 5050, "counted": 5050, "sampled": None}


def test_tables_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*SMALL, "--errors", "worst", "--tuple", "2", "--no-repeats"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "The adversary's set Z holds" in out
    assert "chance alone lifts the worst 0.1" in out
    assert "without repeats the worst case can exceed them" in out
    assert "possible 2-tuples │ 4,950" in out
    assert "…" not in out


def test_degrees_frequencies_and_a_sample(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    degrees, frequencies = tmp_path / "degrees", tmp_path / "frequencies"
    degrees.write_text("0:0.25\n2:0.25\n3:0.5\n")
    frequencies.write_text("5\n1\n\n1\n0\n")
    by_file = result(capsys, "--degrees", str(degrees), "--skills", "50", "--power-law", "1")
    by_hand = result(
        capsys, "--degrees", "0:0.25,2:0.25,3:0.5", "--skills", "50", "--power-law", "1"
    )
    assert by_file["curve"] == by_hand["curve"]
    assert by_file["k"] == [0.25, 0.0, 0.25, 0.5]
    assert by_file["curve"][0]["classic"] is None
    assert by_file["edges"] == pytest.approx(2 * 20_000, rel=0.02)

    base = ["theory", "graph", "--pieces", "2000", "--threads", "1"]
    found = result(capsys, "--frequencies", str(frequencies), "--alpha", "0.5", base=base)
    assert found["skills"] == 4
    assert found["unmeasured"] == {"count": 1, "share": 0.0}
    assert found["degree"]["1"] == pytest.approx(2000 * 8 * 5 / 7, rel=0.05)

    found = result(capsys, "--tuple", "3", "--sample", "500", "--alpha", "0.2")
    assert found["tuples"]["sampled"] == 500
    assert found["tuples"]["counted"] <= 500


def test_rates_and_spread_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rates = tmp_path / "rates"
    rates.write_text("0.5\n" + "0\n" * 99)
    found = result(capsys, "--errors", "skills", "--rates", str(rates), "--k", "1")
    # skill 0 is in 1 % of the pieces and fails half of them
    assert found["theta"] == pytest.approx(0.005, abs=0.002)
    assert found["curve"][0]["quantile"] == 0
    assert found["curve"][0]["worst"] == pytest.approx(0.5, abs=0.15)
    found = result(capsys, "--errors", "skills", "--theta", "0.2")
    assert found["theta"] == pytest.approx(0.2, abs=0.015)
    assert found["curve"][0]["split"] > 1.3 * found["theta"]


def test_no_failed_piece_has_no_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "--theta", "1e-12", "--errors", "worst")
    assert found["theta"] == 0
    assert found["curve"][0]["sharp"] is found["curve"][0]["luck"] is None
    assert found["curve"][0]["worst"] == 0
    assert run([*SMALL, "--theta", "1e-12"]) == 0
    assert "No piece failed, or all did" in capsys.readouterr().out


@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf"])
def test_plot(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"graph{ending}"
    assert run([*SMALL, "--plot", str(path)]) == 0
    assert f"The figure: {path}" in capsys.readouterr().out.replace("\n", "")
    assert path.stat().st_size > 3000
    if ending == ".svg":
        drawn = path.read_text("utf-8")
        for name in ("measured", "luck", "sharp", "classic", "by chance"):
            assert name in drawn


def test_export_keeps_the_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = store_graph(GraphSpec(20, 300, 3, seed=5), RandomErrors(0.2), threads=1)
    rows = [sorted(graph.skills[3 * t : 3 * t + 3].tolist()) for t in range(300)]
    base = ["theory", "graph", "--skills", "20", "--pieces", "300", "--k", "3", "--theta", "0.2"]
    for ending in ("npz", "jsonl"):
        path = tmp_path / f"graph.{ending}"
        found = result(capsys, "--seed", "5", "--export", str(path), base=base)
        if ending == "npz":
            with np.load(path) as arrays:
                again = from_biadjacency(sparse.load_npz(path), arrays["failed"])
            names = range(20)
        else:
            corpus = read_corpus(path)
            again, names = corpus.graph, [int(name) for name in corpus.names]
        skills = [names[s] for s in again.skills]
        assert [sorted(skills[3 * t : 3 * t + 3]) for t in range(300)] == rows
        np.testing.assert_array_equal(again.failed, graph.failed)
        assert again.failed.mean() == found["theta"]
    message = refused(capsys, "--export", str(tmp_path / "graph.txt"), base=base)
    assert "ends in .npz or .jsonl" in message


def test_a_tagged_corpus(tagged: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    base = ["theory", "graph", "--tagged", str(tagged)]
    found = result(capsys, "--alpha", "0.5", base=base)
    assert (found["skills"], found["pieces"], found["k"], found["edges"]) == (3, 40, 2, 80)
    assert found["theta"] == 0.25
    low, high = found["theta_interval"]
    assert low < 0.25 < high
    # edges: irony 10 (all failed), simile 40 (10 failed), metaphor 30; alpha counts edges
    (point,) = found["curve"]
    assert point["alpha"] == 0.5
    assert point["worst"] == pytest.approx((10 + 7.5) / 40)
    assert point["quantile"] == 0.25
    assert point["sharp"] == float(sharp(0.25, 0.5, 2))
    worst = found["worst_tuples"]
    assert [(w["skills"], w["pieces"], w["failed"]) for w in worst] == [
        (["irony"], 10, 10),
        (["simile"], 40, 10),
    ]
    # Clopper and Pearson for three skills at once: (0.05 / 6)^(1 / 10)
    assert worst[0]["low"] == pytest.approx((0.025 / 3) ** 0.1)
    assert worst[0]["high"] == 1

    pairs = result(capsys, "--alpha", "0.5", "--tuple", "2", base=base)
    assert pairs["tuples"] == {"possible": 3, "counted": 2}
    assert [w["skills"] for w in pairs["worst_tuples"]] == [["irony", "simile"]]
    assert run([*base, "--alpha", "0.5", "--export", str(tmp_path / "g.jsonl")]) == 0
    assert read_corpus(tmp_path / "g.jsonl").names == ("irony", "simile", "metaphor")
    out = " ".join(capsys.readouterr().out.split())
    assert "irony" in out
    assert "skills drawn independently" in out


def test_a_corpus_of_uneven_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [(("a", "b", "c")[: 1 + i % 3], i % 5 == 0) for i in range(60)]
    path = write_texts(tmp_path / "texts.jsonl", texts)
    found = result(capsys, "--alpha", "0.5", base=["theory", "graph", "--tagged", str(path)])
    assert found["k"] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    assert found["curve"][0]["classic"] is None
    assert found["curve"][0]["sharp"] is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--theta", "0"], "theta must be above 0 and under 1"),
        (["--theta", "1.5", "--errors", "worst"], "theta must be above 0 and under 1"),
        (["--tuple", "9"], "--tuple 9 is more than a piece has skills, 8"),
        (["--alpha", "0"], "--alpha must be above 0 and under 1, not 0.0"),
        (["--alpha", "1e-3", "--errors", "worst"], "--alpha 0.001 of 100 skills is less than one"),
        (["--alpha", "1e-3"], "--alpha 0.001 of 100 skills is less than one"),
        (["--skills", "-5"], "must be at least 1"),
        (["--pieces", "1e3.5"], "is not a whole number; write it like 5000 or 1e7"),
        (["--pieces", "0"], "must be at least 1"),
        (["--k", "3", "--degrees", "1:1"], "--k and --degrees exclude each other"),
        (["--degrees", "1:0.5"], "add up to 0.5, not 1"),
        (["--power-law", "1", "--frequencies", "x"], "exclude each other"),
        (["--frequencies", "absent"], "there is no file absent"),
        (["--rates", "absent"], "add --errors skills"),
        (["--power-law", "-1"], "the exponent of the power law"),
        (["--sample", "5"], "a sample needs k' of at least 2"),
        (["--tagged", "absent.jsonl", "--k", "3"], "--tagged reads a corpus and --k would draw"),
        (["--plot", "graph.gif"], "graph.gif"),
    ],
    ids=" ".join,
)
def test_bad_options(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["theory", "graph"] if "--tagged" in arguments else SMALL
    assert message in " ".join(refused(capsys, *arguments, base=base).split())


def test_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = tmp_path / "numbers"
    for text, message in (("1\ntwo\n", "line 2: 'two' is no number"), ("\n", "holds no number"),
                          ("1\nnan\n", "line 2: 'nan' is no number"),
                          ("1\n2\n", "2 frequencies for 100 skills")):  # fmt: skip
        numbers.write_text(text)
        assert message in refused(capsys, "--frequencies", str(numbers))
    broken = tmp_path / "texts.jsonl"
    broken.write_text('{"id": "1", "skills": ["a"], "failed": true}\n{"id": "2"}\n')
    base = ["theory", "graph", "--tagged", str(broken)]
    assert "line 2: missing 'skills', 'failed'" in refused(capsys, base=base)
    missing = ["theory", "graph", "--tagged", str(tmp_path / "absent")]
    assert "there is no file" in refused(capsys, base=missing)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--alpha", "0.001"], "give at least 0.01"),
        (["--skills", "1"], "give more skills"),
        (["--export", "missing.npz"], "GiB of memory"),
        (["--degrees", "1:0.5,1000000000:0.5"], "at most 65,536 skills"),
    ],
)
def test_what_the_result_refuses_is_refused_before_the_simulation(
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*SMALL, "--pieces", "1e12", *options]) == 2
    assert message in capsys.readouterr().err


def test_few_skills_need_no_alpha(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = write_texts(tmp_path / "texts.jsonl", [(("a", "b"), True), (("c", "a"), False)])
    found = result(capsys, "--tagged", str(corpus), base=["theory", "graph"])
    assert [point["alpha"] for point in found["curve"]] == [pytest.approx(1 / 3), 0.5]


def test_an_interrupt_ends_a_simulation_on_threads() -> None:
    program = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
import polars
from unparrot.cli.main import run
from unparrot.theory.graph import draws, simulate

def over_blocks(*given):
    threading.Timer(0.5, print, ["waiting"], {"flush": True}).start()
    return draws.over_blocks(*given)

simulate.over_blocks = over_blocks
sys.exit(run(["theory", "graph", "--pieces", "1e12", "--threads", "2"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == b"waiting\n"
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 130
        finally:
            running.kill()
