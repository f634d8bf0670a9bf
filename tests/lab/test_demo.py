"""The whole run, tiny: what it writes, that it repeats to the byte, and that it continues."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from msgspec.structs import replace

from unparrot.analysis.schema import read_summary
from unparrot.analysis.summary import analyze
from unparrot.core.errors import BadInput, UnparrotError
from unparrot.core.records import Pocket, RunFolder, lock, read_json
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.lab.answers import MAX_NEW, PARROTS
from unparrot.lab.corpus import read_documents
from unparrot.lab.demo import BUDGETS, budget, run_demo
from unparrot.lab.study.pocket import MOST_READ, write_pocket
from unparrot.lab.study.spec import Measure, RunSpec, Setting, Shape
from unparrot.lab.study.work import Place, read_tests
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.forecast import Stage
from unparrot.lab.world.english import World, pretty

SHAPES = (Shape(8, 1, 1, 16), Shape(10, 1, 1, 16, documents_per_step=8))
TINY = RunSpec("tiny", Setting(3), SHAPES, (15_000, 30_000), Measure((1, 2, 3), 3, 20))
SPLITS = {
    1: {"seen", "heldout_topic"},
    2: {"seen", "heldout_topic", "heldout_pair"},
    3: {"seen", "heldout_topic", "heldout_pair", "heldout_triple"},
}


def test_two_processes_in_one_folder_are_refused(tmp_path: Path) -> None:
    held = lock(tmp_path / "run.lock")
    with pytest.raises(BadInput, match="another unparrot"):
        run_demo(TINY, tmp_path, device="cpu")
    os.close(held)
    assert [path.name for path in tmp_path.iterdir()] == ["run.lock"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run with two shapes and three models."""
    out = tmp_path_factory.mktemp("demo") / "run"
    stages: list[Stage] = []
    run_demo(TINY, out, stages.append, "cpu")
    assert analyze(out) == read_summary(out)
    assert {s.name for s in stages} == {"training and testing", "writing the records"}
    assert all(0 <= s.done <= s.of for s in stages)
    return out


def test_the_pocket_edition_has_the_models_and_words_of_the_run(run: Path) -> None:
    pocket = read_json(run / "pocket.json", Pocket)
    folder = RunFolder(run)
    models = folder.read_table("models").drop_nulls("params").sort("params")["name"].to_list()
    assert [model.name for model in pocket.models] == [m for m in models if m.endswith("@30k")]
    for model in pocket.models:
        own = load_model(run / "models" / model.name)
        weights = np.frombuffer(model.weights, "<f2").astype(np.float32)
        norms = 2 * model.layers * model.width  # folded into other weights
        assert len(weights) == own.shape.params - norms == model.params - norms
        qkv, out, gate_up, down = (w.detach().numpy() for w in own.folded())
        embedding = own.embedding.detach().numpy()
        layers = [w[i].ravel() for i in range(model.layers) for w in (qkv, out, gate_up, down)]
        exact = np.concatenate([embedding.ravel(), *layers, own.final_gain.detach().numpy()])
        np.testing.assert_allclose(weights, exact, rtol=2**-11, atol=2**-25)
    held = folder.read_table("heldout").filter(kind="pair")["skills"].to_list()
    assert {tuple(pair) for pair in held} == pocket.held_out.pairs
    requests = folder.read_table("requests")
    for topic, abouts in pocket.situations.items():
        assert set(abouts) <= set(requests.filter(topic=topic)["about"])
    documents = pl.read_parquet(run / "corpus" / "documents.parquet")
    assert pocket.documents == documents.height
    assert [row[3] for row in pocket.read] == documents["text"].to_list()
    assert documents.height <= MOST_READ


def test_the_pocket_edition_reads_texts_of_the_whole_corpus(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unparrot.lab.study.pocket.MOST_READ", 50)
    place = Place(str(tmp_path), str(run / "models"), str(run))
    write_pocket(TINY, place, read_tests(place), 0)
    pocket = read_json(tmp_path / "pocket.json", Pocket)
    texts = pl.read_parquet(run / "corpus" / "documents.parquet")["text"].to_list()
    at = [texts.index(row[3]) for row in pocket.read]
    assert 25 <= len(at) <= 50
    assert at[0] == 0
    assert at[-1] > 0.9 * len(texts)


@pytest.fixture(scope="module")
def summary(run: Path) -> Any:
    return json.loads((run / "summary.json").read_bytes())


def is_estimate(value: dict[str, Any]) -> bool:
    if not {"value", "low", "high", "level", "method", "n"} <= set(value):
        return False
    if value["n"] == 0:
        return value["value"] is None
    return value["low"] is None or value["low"] <= value["value"] <= value["high"]


def keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(keys(v) for v in value.values()))
    if isinstance(value, list):
        return set().union(*(keys(v) for v in value))
    return set()


@pytest.mark.slow
def test_the_summary_has_what_the_page_shows(summary: Any) -> None:
    assert {"budget", "seed", "world", "models", "examples", "headline"} <= set(summary)
    assert (summary["budget"], summary["seed"]) == ("tiny", 3)
    world, pack = summary["world"], World().pack
    assert (world["skills"], world["topics"]) == (len(pack.skills), len(pack.topics))
    assert world["heldout_pairs_of"] == len(pack.skills) * (len(pack.skills) - 1) // 2
    assert world["max_k"] == 8
    assert 0 < world["entropy"] < 1

    kinds = [m["kind"] for m in summary["models"]]
    assert kinds == ["transformer"] * 4 + ["parrot"] * len(PARROTS)
    shortest, small, half, large, *parrots = summary["models"]
    assert shortest["params"] == small["params"] < half["params"] == large["params"]
    assert half["tokens"] == pytest.approx(large["tokens"] / 2, rel=0.1)
    for model in (shortest, small, half, large):
        assert model["name"].startswith(f"{round(model['params'] / 1000)}k@")
        assert model["entropy"] == world["entropy"]
        assert model["excess"] == pytest.approx(model["loss"] - model["entropy"])
        assert model["excess"] > 0
        assert 0 < model["tokens"] < 40_000
        assert is_estimate(model["cloze"]["theta"])
        assert 0 < model["cloze"]["pieces"] <= 20
    for parrot in parrots:
        assert parrot["loss"] is parrot["params"] is parrot["cloze"] is None
    for model in summary["models"]:
        cells = Counter((c["k"], c["split"], c["decoding"]) for c in model["cells"])
        assert cells == Counter((k, s, "greedy") for k, splits in SPLITS.items() for s in splits)
        for cell in model["cells"]:
            assert cell["n"] == 3
            assert all(map(is_estimate, (cell["full_marks"], cell["all_skills"])))
            assert is_estimate(cell["skill_fraction"])
            assert set(cell["marks"]) == {"skills", *CRITERIA}
            assert all(map(is_estimate, cell["marks"].values()))
        assert {row["split"] for row in model["per_skill"]} <= {"all"}.union(*SPLITS.values())
        assert model["saturation"] is None
    for example in summary["examples"]:
        assert set(example["marks"]) == {*example["skills"], *CRITERIA}
        assert example["full_marks"] == all(example["marks"].values())
        request = SkillCombination(example["topic"], tuple(example["skills"]))
        assert example["about"] == World().about(request)
    assert summary["headline"]["model"] == large["name"]
    assert is_estimate(summary["headline"]["estimate"])


@pytest.mark.slow
def test_the_run_names_its_parrots_rules_and_what_it_held_out(run: Path, summary: Any) -> None:
    folder = RunFolder(run)
    parrots = folder.checked_table("parrots")
    named = [model["name"] for model in summary["models"] if model["kind"] == "parrot"]
    assert parrots["name"].to_list() == named
    assert all(parrots["rule"].to_list())
    kinds = dict(folder.checked_table("heldout")["kind"].value_counts().rows())
    world = folder.checked_table("world").row(0, named=True)
    assert kinds == {name: world[f"heldout_{name}s"] for name in ("pair", "triple", "cell")}
    assert kinds["pair"] == summary["world"]["heldout_pairs"]


@pytest.mark.slow
def test_the_excess_has_a_standard_error(run: Path) -> None:
    models = RunFolder(run).read_table("models")
    trained = models.filter(kind="transformer")
    assert (trained["excess_error"] > 0).all()
    assert (trained["excess_error"] < 0.1 * trained["loss"]).all()
    assert models.filter(kind="parrot")["excess_error"].is_null().all()


@pytest.mark.slow
def test_the_summary_knows_no_clock(summary: Any, run: Path) -> None:
    assert "timings" not in summary
    for model in summary["models"]:
        assert model.get("train_seconds") is None
    assert not [key for key in keys(summary) - {"train_seconds"} if "second" in key]
    manifest: Any = RunFolder(run).read_manifest()
    assert manifest.timings["training and testing"] > 0
    assert manifest.spec["plan"]["tokens"] == [15_000, 30_000]
    assert set(manifest.digests) == {"pack", "corpus", "heldout"}


@pytest.mark.slow
def test_equal_seeds_write_equal_bytes(run: Path, tmp_path: Path) -> None:
    run_demo(TINY, tmp_path / "twin", device="cpu")
    analyze(tmp_path / "twin")
    for name in (
        "summary.json", "texts.parquet", "graded.parquet", "cloze.parquet", "models.parquet",
        "world.parquet", "parrots.parquet", "heldout.parquet", "spec.json",
    ):  # fmt: skip
        assert (run / name).read_bytes() == (tmp_path / "twin" / name).read_bytes(), name


@pytest.mark.slow
def test_a_second_call_reuses_what_is_there_and_another_run_is_refused(run: Path) -> None:
    kept = [path for kind in ("npy", "safetensors", "gz") for path in run.rglob(f"*.{kind}")]
    assert len(kept) == 4 + 4 + (4 + 2) + 4 + 1 + len(PARROTS)
    before = {path: path.stat().st_mtime_ns for path in kept}
    text = (run / "summary.json").read_bytes()
    run_demo(TINY, run, device="cpu")
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert (run / "summary.json").read_bytes() == text
    for other in (replace(TINY, setting=Setting(4)), budget("quick", 3)):
        with pytest.raises(BadInput, match="holds a run of another specification"):
            run_demo(other, run, device="cpu")
    assert (run / "summary.json").read_bytes() == text


# Of what the lab needs alone: neither Inspect nor any package of the tests. The workers import this
# as their main module, so it holds for them too.
KILLED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("inspect_ai", "openai", "sentencex", "transformers",
                                      "accelerate", "hypothesis", "pytest", "selenium"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
from pathlib import Path
from unparrot.analysis.summary import analyze
from unparrot.lab.demo import run_demo
from unparrot.lab.study.spec import Measure, RunSpec, Setting, Shape
from unparrot.report.page import write_page

if __name__ == "__main__":
    out = Path(sys.argv[1])
    shapes = (Shape(8, 1, 1, 16), Shape(10, 1, 1, 16, documents_per_step=8))
    run = RunSpec("tiny", Setting(3), shapes, (15_000, 30_000), Measure((1, 2, 3), 3, 20))
    run_demo(run, out, lambda s: print(s.name, s.remark, flush=True), "cpu")
    analyze(out)
    write_page(out)
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("spec.json", b"\xff"),
        ("corpus/packed.json", b"\xff"),
        ("corpus/packed.json", b"{}"),
        ("corpus/packed.json", b'{"train": 1, "valid": []}'),
        ("corpus/packed.json", None),
        ("corpus/documents.parquet", None),
        ("corpus/starts.npy", None),
        ("corpus/starts.npy", b""),
        ("models/*/training.json", b"{}"),
    ],
)
def test_what_cannot_be_read_is_named_and_kept(
    run: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    out = Path(shutil.copytree(run, tmp_path / "run"))
    path = next(iter(sorted(out.glob(name))))
    for done in (*out.glob("models/*/tested.json"), out / "tests.msgpack.gz"):
        done.unlink()  # as if it had been killed, and everything were still needed
    if content is None:
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    with pytest.raises(UnparrotError, match=f"^[^\n]*\n?{out}[^\n]*$") as caught:
        run_demo(TINY, out, device="cpu")
    assert name == "spec.json" or str(path) in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_in_the_same_tables(
    run: Path, tmp_path: Path
) -> None:
    program, out = tmp_path / "killed.py", tmp_path / "run"
    program.write_text(KILLED)
    finished: dict[Path, int] = {}
    for moment in (b" learns", b"is trained", b"writes text", b"writes text", None):
        with subprocess.Popen(
            [sys.executable, str(program), str(out)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if moment and moment in line:
                    process.kill()
                    break
            process.stdout.read()  # until the last worker is gone
        assert process.returncode == (-signal.SIGKILL if moment else 0)
        ended = [*out.glob("models/*/training.json"), *out.glob("*/**/*.msgpack.gz")]
        for path in ended:
            assert finished.setdefault(path, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    assert len(finished) == 4 + 4 + len(PARROTS)
    for name in (
        "summary.json", "texts.parquet", "graded.parquet", "cloze.parquet", "models.parquet",
        "world.parquet", "parrots.parquet", "heldout.parquet", "cells.parquet", "spec.json",
    ):  # fmt: skip
        assert (run / name).read_bytes() == (out / name).read_bytes(), name
    one, other = (RunFolder(folder).read_table("training").drop("seconds") for folder in (run, out))
    assert one.equals(other)


@pytest.mark.slow
def test_every_text_is_kept_with_how_often_training_held_it(run: Path, summary: Any) -> None:
    texts = RunFolder(run).read_graded()
    assert len(texts) == (4 + len(PARROTS)) * 3 * 9
    counts = Counter(d.combination.id for d in read_documents(run / "corpus"))
    for text in texts:
        assert text.trained_count == counts[text.combination.id]
        assert (text.trained_count > 0) == (text.split == "seen")
    for model in summary["models"]:
        for cell in model["cells"]:
            key = (model["name"], cell["k"], cell["split"], cell["decoding"])
            full = [
                t.full_marks
                for t in texts
                if (t.model, t.combination.k, t.split, t.decoding) == key
            ]
            assert cell["full_marks"]["value"] == pytest.approx(sum(map(bool, full)) / len(full))
    training = RunFolder(run).read_table("training")
    assert training.columns == ["model", "step", "tokens", "split", "loss", "seconds"]
    assert set(training["model"]) == {m["name"] for m in summary["models"][:4]}
    assert set(training["split"]) == {"train", "valid"}


@pytest.mark.slow
def test_transformers_reads_the_checkpoints_and_writes_the_same(
    run: Path, summary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    name = summary["models"][1]["name"]
    model = AutoModelForCausalLM.from_pretrained(run / "models" / name)
    tokenizer = AutoTokenizer.from_pretrained(run / "models" / name)
    assert sum(p.numel() for p in model.parameters()) == summary["models"][1]["params"]
    ours = [
        t
        for t in RunFolder(run).read_graded()
        if t.model == name and t.decoding == "greedy" and t.combination.k == 2
    ]
    words = World().vocabulary
    for text in ours[::3]:
        prompt = tokenizer(World().prompt(text.combination), return_tensors="pt")
        with torch.no_grad():
            found = model.generate(
                input_ids=prompt["input_ids"],
                attention_mask=prompt["attention_mask"],
                max_new_tokens=MAX_NEW,
                do_sample=False,
            )
        new = found[0, prompt["input_ids"].shape[1] :].tolist()
        theirs = pretty([words[i] for i in new if i != 2])
        # theirs stops at fewer tokens than ours, which is only shorter if it never ended
        assert text.text == theirs if 2 in new else text.text.startswith(theirs)


@pytest.mark.slow
def test_the_form_of_the_large_budget_works_in_one_process(
    tmp_path: Path,
) -> None:
    large = budget("large")
    shapes = tuple(
        replace(shape, width=8 * i, layers=2, heads=2, hidden=16)
        for i, shape in enumerate(large.shapes[1:3], start=1)
    )
    assert [shape.documents_per_step for shape in shapes] == [96, 192]
    measure = Measure((1, 2), 2, 9)
    run = replace(large, shapes=shapes, tokens=(90_000,), measure=measure)
    run_demo(run, tmp_path / "run", device="cpu", workers=0)  # as on a GPU
    models = RunFolder(tmp_path / "run").read_table("models").filter(kind="transformer")
    steps = RunFolder(tmp_path / "run").read_table("training").group_by("model").agg(pl.max("step"))
    documents = len(read_documents(tmp_path / "run" / "corpus"))
    assert dict(steps.iter_rows()) == {
        name: documents // (shape.documents_per_step or 0)
        for name, shape in zip(models["name"], shapes, strict=True)
    }
    assert models["loss"].is_finite().all()


def test_a_budget_is_a_study_with_one_run_and_its_ladder_grows() -> None:
    with pytest.raises(BadInput, match="unknown budget 'huge'; choose one of quick"):
        budget("huge")
    with pytest.raises(BadInput, match="from 0 on, not -1"):
        budget("quick", -1)
    for name in BUDGETS:
        run = budget(name, 7)
        assert (run.name, run.setting.seed) == (name, 7)
        params = [run.sizes(shape).params for shape in run.shapes]
        assert params == sorted(set(params))
        assert len(run.shapes) * len(run.tokens) >= 4  # for an interval of the exponent of growth
