"""`unparrot certify` on the command line."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from unparrot.analysis.certificate.certify import standing_certificate
from unparrot.cli.run_commands import certify
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.core.tables import HELDOUT_SCHEMA, MODELS_SCHEMA, PARROTS_SCHEMA
from unparrot.report.words.certificate_words import assumptions, meaning, statements, verdict_table

Asked = Callable[[int, int], list[SkillCombination]]
Written = Callable[..., list[GradedText]]
RunOf = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path, asked: Asked, written: Written, run_of: RunOf) -> Path:
    """A model and a parrot on 60 and 40 combinations that training never showed."""
    texts: list[GradedText] = []
    for k, n, right in ((1, 60, 50), (2, 40, 1)):
        items = asked(k, n)
        for name, full in (
            ("a-rather-long-name", [True] * right + [False] * (n - right)),
            ("m", [False] * n),
            ("p", [False] * n),
        ):
            texts += written(name, items, full, split="heldout_pair" if k == 2 else "untrained_k")
    folder = run_of(tmp_path / "run", texts)
    run, names = RunFolder(folder), ["a-rather-long-name", "m", "p"]
    kinds = ["transformer", "transformer", "parrot"]
    models = [(*pair, *[None] * 7) for pair in zip(names, kinds, strict=True)]
    run.write_table("models", pl.DataFrame(models, schema=MODELS_SCHEMA, orient="row"))
    rules = [("p", "repeats", True)]
    run.write_table("parrots", pl.DataFrame(rules, schema=PARROTS_SCHEMA, orient="row"))
    run.write_table("heldout", pl.DataFrame(schema=HELDOUT_SCHEMA))
    return folder


def output(*arguments: object) -> str:
    words: Sequence[str] = [str(argument) for argument in arguments]
    return CliRunner().invoke(certify, words, catch_exceptions=False).stdout


def forget(run: Path) -> None:
    """Take away what the run says of training."""
    texts = pl.read_parquet(run / "texts.parquet")
    unknown = texts.with_columns(trained_count=pl.lit(None, dtype=pl.Int64))
    unknown.write_parquet(run / "texts.parquet")


def test_it_prints_what_is_shown_and_writes_the_file(run: Path) -> None:
    text = output(run)
    written = standing_certificate(run)
    assert written is not None
    for words in (*statements(written), *assumptions(written), meaning(written), "p: repeats"):
        assert words in text
    table = text.split("Shown, with", 1)[0]
    assert max(map(len, table.splitlines())) <= 90
    assert len(verdict_table(written).rows) == 4
    assert table.count("not shown") == 3
    assert "certificate.json" in text


def test_json_is_the_file(run: Path) -> None:
    assert json.loads(output(run, "--json")) == json.loads((run / "certificate.json").read_text())


def test_asking_for_one_model_does_not_change_what_is_said_of_it(run: Path) -> None:
    whole = json.loads(output(run, "--json"))
    one = json.loads(output(run, "--json", "--model", "m"))
    assert one["claims"] == [claim for claim in whole["claims"] if claim["model"] == "m"]
    assert json.loads((run / "certificate.json").read_text()) == whole
    assert "a-rather-long-name │" not in output(run, "--model", "m")
    with pytest.raises(BadInput, match=r"no model 'p'; it does a-rather-long-name, m"):
        output(run, "--model", "p")


def test_options_reach_the_certificate(run: Path) -> None:
    found = json.loads(output(run, "--json", "--level", "0.9", "--decoding", "greedy"))
    assert (found["level"], found["decoding"]) == (0.9, "greedy")
    assert found["error_of_a_limit"] == pytest.approx(0.1 / 2 / 4)


def test_from_rates(run: Path, tmp_path: Path) -> None:
    forget(run)
    skills, topics = tmp_path / "skills.csv", tmp_path / "topics.csv"
    names = ("irony", "metaphor", "modus ponens", "red herring", "spatial reasoning")
    skills.write_text("skill,rate\n" + "".join(f"{name},0.01\n" for name in names))
    topics.write_text("topic,rate\n" + "".join(f"topic {i},0.01\n" for i in range(12)))
    arguments = (run, "--skills", skills, "--topics", topics, "--windows", "1e3", "--rho", 2)
    found = json.loads(output(*arguments, "--json"))
    assert found["claims"][0]["parrot_bound"] == pytest.approx(2 * 1e3 * 1e-4)
    assert set(found["hashes"]) >= {"skills.csv", "topics.csv", "pack", "texts.parquet"}
    text = output(*arguments)
    assert "If the corpus holds 1000 windows" in text
    output(*arguments, "--plot", tmp_path / "bound.svg")
    assert "a parrot, at most" in (tmp_path / "bound.svg").read_text()


def test_a_run_that_does_not_say_what_training_showed(run: Path) -> None:
    forget(run)
    with pytest.raises(
        BadInput, match=r"--topics FILE, and the number of its windows with --windo"
    ):
        output(run)
    assert not (run / "certificate.json").exists()


def test_the_figure(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "certificate.svg"
    output(run, "--plot", path)
    assert "a-rather-long-name" in path.read_text()
