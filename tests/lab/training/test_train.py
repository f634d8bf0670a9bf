from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from unparrot.core.errors import BadInput
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import ModelShape
from unparrot.lab.training.train import (
    RESULT,
    Branch,
    Documents,
    TrainProgress,
    TrainSpec,
    evaluate,
    train,
)

SHAPE = ModelShape(16, 2, 1, 24, 19)

PROGRAM = """
import sys
from unparrot.lab.training.shape import ModelShape
from unparrot.lab.training.train import Branch, TrainSpec, train
corpus, *folders = sys.argv[1:]
for folder in folders:
    spec = TrainSpec("tiny", ModelShape(16, 2, 1, 24, 19), corpus,
                     (Branch("short", 30), Branch("long", 90)), documents_per_step=24,
                     decay=0.4, log_every=1, valid_every=13, checkpoint_every=4, device="cpu")
    train(spec, folder, lambda p: print(p.step, flush=True))
"""


def _spec(corpus: Path, steps: int = 120, **changes: object) -> TrainSpec:
    spec = TrainSpec(
        "tiny", SHAPE, str(corpus), (Branch("model", steps),), documents_per_step=24, device="cpu"
    )
    return replace(spec, **changes)  # type: ignore[arg-type]


def test_it_learns_and_leaves_a_checkpoint(tiny_corpus: Path, tmp_path: Path) -> None:
    seen: list[TrainProgress] = []
    spec, out = _spec(tiny_corpus, valid_every=50), tmp_path / "out"
    (result,) = train(spec, out, seen.append)
    # the two words of a prompt are uniform over 8: an untrained model loses about ln 19 a token
    assert result.log[0].loss > 1.5
    assert result.valid.loss < 0.6
    assert result.valid.excess == result.valid.loss  # the texts are certain
    at = (20, 40, 60, 80, 100, 120)
    assert [(p.step, p.steps, p.share) for p in seen] == [(i, 120, i / 120) for i in at]
    assert [r.step for r in result.log if r.split == "valid"] == [50, 100, 120]
    assert result.tokens == 120 * 8 * 22  # 8, 8 and 6 tokens (see conftest), 24 documents a step
    assert sorted(path.name for path in (out / "model").iterdir()) == [
        "config.json", "generation_config.json", "model.safetensors", RESULT
    ]  # fmt: skip
    again = evaluate(load_model(out / "model"), tiny_corpus / "valid")
    assert again.loss == pytest.approx(result.valid.loss, rel=1e-6)
    assert again.count == 16 * (3 + 3 + 2)
    assert train(spec, out) == [result]


def test_a_branch_is_the_training_of_its_length(tiny_corpus: Path, tmp_path: Path) -> None:
    branches = (Branch("30", 30), Branch("50", 50), Branch("90", 90))
    seen: list[TrainProgress] = []
    spec = _spec(tiny_corpus, branches=branches, decay=0.4, log_every=1, valid_every=7)
    results = train(spec, tmp_path / "together", seen.append)
    # the trunk is left at 18, 30 and 54 steps, for 12, 20 and 36 of decay
    assert [p.step for p in seen] == list(range(1, spec.total_steps + 1))
    assert spec.total_steps == 54 + 12 + 20 + 36
    assert [p.share for p in seen] == pytest.approx([p.step / spec.total_steps for p in seen])
    folder = tmp_path / "together"
    assert sorted(p.name for p in folder.iterdir()) == ["30", "50", "90", "tiny.trunk.safetensors"]
    for branch, result in zip(branches, results, strict=True):
        (alone,) = train(replace(spec, branches=(branch,)), tmp_path / "alone")
        files = [tmp_path / at / branch.name / "model.safetensors" for at in ("alone", "together")]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert alone.valid == result.valid
        assert alone.tokens == result.tokens == branch.steps * 8 * 22
        assert [replace(r, seconds=0) for r in alone.log] == [
            replace(r, seconds=0) for r in result.log
        ]


@pytest.mark.parametrize("longer", [(10, 40, 60), (10, 20, 40)], ids=["beyond", "between"])
def test_a_branch_that_is_added_later_is_the_same(
    tiny_corpus: Path, tmp_path: Path, longer: tuple[int, ...]
) -> None:
    def spec(*steps: int) -> TrainSpec:
        branches = tuple(Branch(str(n), n) for n in steps)
        return _spec(tiny_corpus, branches=branches, log_every=5, valid_every=7)

    first = train(spec(longer[0], 40), tmp_path / "grown")
    grown = train(spec(*longer), tmp_path / "grown")
    whole = train(spec(*longer), tmp_path / "whole")
    assert first[0] == grown[0], "nothing was trained again"
    for branch in longer:
        files = [tmp_path / at / str(branch) / "model.safetensors" for at in ("grown", "whole")]
        assert files[0].read_bytes() == files[1].read_bytes()
    strip = [
        [replace(row, seconds=0) for r in results for row in r.log] for results in (grown, whole)
    ]
    assert strip[0] == strip[1]


def test_a_caller_that_stops_comes_back_to_the_same_step(tiny_corpus: Path, tmp_path: Path) -> None:
    spec = _spec(tiny_corpus, steps=30, log_every=3, valid_every=6, checkpoint_every=1000)

    def stop(at: TrainProgress) -> None:
        if at.step == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(spec, tmp_path / "stopped", stop)
    seen: list[TrainProgress] = []
    (resumed,) = train(spec, tmp_path / "stopped", seen.append)
    (whole,) = train(spec, tmp_path / "whole")
    assert seen[0].step == 15
    files = [tmp_path / at / "model" / "model.safetensors" for at in ("stopped", "whole")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert [replace(r, seconds=0) for r in resumed.log] == [
        replace(r, seconds=0) for r in whole.log
    ]


def test_a_killed_run_continues_bit_for_bit(tiny_corpus: Path, tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-c", PROGRAM, str(tiny_corpus)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    rng = random.Random(20)
    # in the trunk; in the first decay (steps 19 to 30); in the trunk again, or in the second decay
    for first, end in ((6, 17), (20, 28), (32, 90)):
        with subprocess.Popen([*command, str(killed)], stdout=subprocess.PIPE, env=env) as process:
            assert process.stdout is not None
            moment = rng.randrange(first, end)
            while int(process.stdout.readline()) < moment:
                pass
            time.sleep(rng.random() * 0.02)  # anywhere within a step, or within writing the state
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert list(killed.rglob("*.safetensors"))
        assert not (killed / "long" / RESULT).exists()
    second = subprocess.run(
        [*command, str(killed), str(whole)], env=env, check=True, capture_output=True, text=True
    )
    steps = [int(line) for line in second.stdout.split()]
    assert steps[0] > 24  # it continued
    assert steps[-102:] == list(range(1, 103))  # the other began at the beginning
    for branch in ("short", "long"):
        at, other = killed / branch, whole / branch
        name = "model.safetensors"
        assert (at / name).read_bytes() == (other / name).read_bytes()
        logs = [json.loads((folder / RESULT).read_text())["log"] for folder in (at, other)]
        for log in logs:
            for row in log:
                del row["seconds"]
        assert logs[0] == logs[1]
    assert [p.name for p in whole.glob("*.safetensors")] == ["tiny.trunk.safetensors"]


def test_another_spec_recipe_or_corpus_does_not_continue(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(_spec(tiny_corpus, steps=5), tmp_path / "out")
    with monkeypatch.context() as later:
        later.setattr("unparrot.lab.training.train.RECIPE", (0.95,))
        with pytest.raises(BadInput, match="another version"):
            train(_spec(tiny_corpus, steps=5), tmp_path / "out")
    with pytest.raises(BadInput, match="another specification"):
        train(_spec(tiny_corpus, steps=6), tmp_path / "out")
    tokens = np.load(tiny_corpus / "tokens.npy")
    tokens[2] = 10 + (tokens[2] - 9) % 8
    np.save(tiny_corpus / "tokens.npy", tokens)
    with pytest.raises(BadInput, match="another specification"):
        train(_spec(tiny_corpus, steps=5), tmp_path / "out")


def test_a_state_that_cannot_be_read_is_named_and_kept(tiny_corpus: Path, tmp_path: Path) -> None:
    spec = _spec(tiny_corpus, steps=5)
    trunk = tmp_path / f"{spec.name}.trunk.safetensors"
    (result,) = train(spec, tmp_path)
    shutil.rmtree(tmp_path / result.name)
    for header in (
        None,
        {},
        {"digest": result.digest},
        {"digest": result.digest, "log": "[", "at": "1"},
    ):
        save_file({"embedding": torch.zeros(1)}, trunk, header)
        if header is None:
            trunk.write_bytes(trunk.read_bytes()[:-2])
        broken = trunk.read_bytes()
        with pytest.raises(BadInput, match=rf"^{trunk} is (no state|not what).*delete it"):
            train(spec, tmp_path)
        assert trunk.read_bytes() == broken


def test_the_seed_decides(tiny_corpus: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(_spec(tiny_corpus, steps=3, seed=seed), tmp_path / name)
    a, b, c = ((tmp_path / name / "model/model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_evaluate_against_plain_torch(tiny_corpus: Path) -> None:
    model = Llama(SHAPE, torch.Generator().manual_seed(0))
    folder = tiny_corpus / "valid"
    true = np.random.default_rng(3).exponential(2.0, 48)
    np.save(folder / "nats.npy", true)
    documents = Documents(folder)
    nats, counts = np.zeros(48), np.zeros(48)
    with torch.no_grad():
        for i, (a, b) in enumerate(pairwise(documents.starts.tolist())):
            tokens = torch.from_numpy(documents.tokens[a:b].astype(np.int64))
            log_p = model.logits(model(tokens, torch.tensor([0, b - a]))).log_softmax(-1)
            for at in range(int(documents.prompts[i]), b - a):
                nats[i] -= float(log_p[at - 1, tokens[at]])
                counts[i] += 1
    evaluation = evaluate(model, folder, at_once=5)
    assert evaluation.count == counts.sum()
    assert evaluation.loss == pytest.approx(nats.sum() / counts.sum(), rel=1e-5)
    assert evaluation.excess == pytest.approx((nats - true).sum() / counts.sum(), rel=1e-5)
    # the error by the jackknife, another estimate of the same
    rest = [np.delete(nats - true, i).sum() / np.delete(counts, i).sum() for i in range(48)]
    assert evaluation.excess_error == pytest.approx(np.std(rest) * 47**0.5, rel=0.05)
    part = evaluate(model, folder, 10)
    assert part.loss == pytest.approx(nats[:10].sum() / counts[:10].sum(), rel=1e-5)


def test_documents_start_again_at_the_end(tiny_corpus: Path) -> None:
    documents = Documents(tiny_corpus)
    batch = documents.batch(190, 4, torch.device("cpu"))
    tokens = documents.tokens.tolist()
    assert batch.tokens.tolist() == tokens[-14:] + tokens[:16]
    assert batch.starts.tolist() == [0, 8, 14, 22, 30]
    assert batch.where.tolist() == [4, 5, 6, 11, 12, 18, 19, 20, 26, 27, 28]
    assert batch.targets.tolist() == batch.tokens[batch.where + 1].tolist()


def test_broken_corpora_are_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    prompts = np.load(tiny_corpus / "prompts.npy")
    for bad, message in ((0, "has no prompt"), (8, "no text"), (None, "not of the same documents")):
        changed = prompts[1:] if bad is None else np.r_[np.uint16(bad), prompts[1:]]
        np.save(tiny_corpus / "prompts.npy", changed)
        with pytest.raises(BadInput, match=message):
            train(_spec(tiny_corpus), tmp_path / "out")
    (tiny_corpus / "prompts.npy").unlink()
    with pytest.raises(BadInput, match="does not exist"):
        Documents(tiny_corpus)


def test_a_token_that_the_model_lacks_is_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    path = tiny_corpus / "valid" / "tokens.npy"
    tokens = np.load(path)
    tokens[5] = SHAPE.vocab
    np.save(path, tokens)
    message = r"valid/tokens\.npy holds the token 19, and the model has those from 0 to 18"
    with pytest.raises(BadInput, match=message):
        train(_spec(tiny_corpus), tmp_path / "out")
    with pytest.raises(BadInput, match=message):
        evaluate(Llama(SHAPE, torch.Generator().manual_seed(1)), path.parent)


def test_a_loss_that_is_not_finite_stops_the_run(tiny_corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="lower the learning rate"):
        train(_spec(tiny_corpus, learning_rate=math.inf), tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"branches": ()}, r"at least 1, not \[\]"),
        ({"branches": (Branch("a", 0),)}, r"at least 1, not \[0\]"),
        ({"branches": (Branch("a", 5), Branch("b", 5))}, "must rise"),
        ({"branches": (Branch("a", 5), Branch("a", 6))}, "one name"),
        ({"decay": 0.0}, "decay is 0.0"),
        ({"log_every": 0}, "log_every is 0"),
    ],
)
def test_bad_specs_are_refused(tiny_corpus: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        _spec(tiny_corpus, **changes)
