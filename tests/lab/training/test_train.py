from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.lab.training.checkpoint import load_model
from unparrot.lab.training.model import Llama, ModelShape
from unparrot.lab.training.train import (
    RESULT,
    STATE,
    Rows,
    TrainProgress,
    TrainSpec,
    evaluate,
    train,
)

SHAPE = ModelShape(16, 2, 1, 24, 19)

PROGRAM = """
import sys
from unparrot.lab.training.model import ModelShape
from unparrot.lab.training.train import TrainSpec, train
corpus, *folders = sys.argv[1:]
for folder in folders:
    spec = TrainSpec("tiny", ModelShape(16, 2, 1, 24, 19), corpus, steps=90, rows_per_step=8,
                     log_every=1, valid_every=13, checkpoint_every=4, device="cpu")
    train(spec, folder, lambda p: print(p.step, flush=True))
"""


def _spec(corpus: Path, **changes: object) -> TrainSpec:
    spec = TrainSpec("tiny", SHAPE, str(corpus), steps=120, rows_per_step=8, device="cpu")
    return replace(spec, **changes)  # type: ignore[arg-type]


def test_it_learns_and_leaves_a_checkpoint(tiny_corpus: Path, tmp_path: Path) -> None:
    seen: list[TrainProgress] = []
    result = train(_spec(tiny_corpus, valid_every=50), tmp_path / "out", seen.append)
    # the two words of a prompt are uniform over 8: an untrained model loses about ln 19 a token
    assert result.log[0].loss > 1.5
    assert result.valid_loss < 0.6
    assert [p.step for p in seen] == [20, 40, 60, 80, 100, 120]
    assert [r.step for r in result.log if r.split == "valid"] == [50, 100, 120]
    # documents of 8, 8 and 6 tokens a row (see conftest); the rest is padding
    assert result.tokens == 120 * 8 * 22
    assert not (tmp_path / "out" / STATE).exists()
    model = load_model(tmp_path / "out")
    again = evaluate(model, tiny_corpus / "valid")
    assert again.loss == pytest.approx(result.valid_loss, rel=1e-6)
    assert again.count == 16 * (3 + 3 + 2)
    assert train(_spec(tiny_corpus, valid_every=50), tmp_path / "out") == result


def test_a_killed_run_continues_bit_for_bit(tiny_corpus: Path, tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-c", PROGRAM, str(tiny_corpus)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    rng = random.Random(20)
    with subprocess.Popen([*command, str(killed)], stdout=subprocess.PIPE, env=env) as first:
        assert first.stdout is not None
        moment = rng.randrange(8, 60)
        while int(first.stdout.readline()) < moment:
            pass
        time.sleep(rng.random() * 0.02)  # anywhere within a step, or within writing the state
        first.send_signal(signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL
    assert (killed / STATE).exists()
    assert not (killed / RESULT).exists()
    second = subprocess.run(
        [*command, str(killed), str(whole)], env=env, check=True, capture_output=True, text=True
    )
    steps = [int(line) for line in second.stdout.split()]
    assert steps[0] > 4  # it continued
    assert steps[-90:] == list(range(1, 91))  # the other began at the beginning
    name = "model.safetensors"
    assert (killed / name).read_bytes() == (whole / name).read_bytes()
    logs = [json.loads((folder / RESULT).read_text())["log"] for folder in (killed, whole)]
    for log in logs:
        for row in log:
            del row["seconds"]
    assert logs[0] == logs[1]


def test_another_spec_or_corpus_does_not_continue(tiny_corpus: Path, tmp_path: Path) -> None:
    train(_spec(tiny_corpus, steps=5), tmp_path / "out")
    with pytest.raises(BadInput, match="another specification"):
        train(_spec(tiny_corpus, steps=6), tmp_path / "out")
    tokens = np.load(tiny_corpus / "tokens.npy")
    tokens[0, 2] = 10 + (tokens[0, 2] - 9) % 8
    np.save(tiny_corpus / "tokens.npy", tokens)
    with pytest.raises(BadInput, match="another specification"):
        train(_spec(tiny_corpus, steps=5), tmp_path / "out")


def test_the_seed_decides(tiny_corpus: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(_spec(tiny_corpus, steps=3, seed=seed), tmp_path / name)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_evaluate_against_plain_torch(tiny_corpus: Path) -> None:
    model = Llama(SHAPE, torch.Generator().manual_seed(0))
    rows = Rows(tiny_corpus / "valid")
    total = 0.0
    with torch.no_grad():
        for r in range(len(rows)):
            for number in (1, 2, 3):  # document by document, without packing
                here = rows.segment[r] == number
                tokens = torch.from_numpy(rows.tokens[r][here].astype(np.int64))[None]
                position = torch.from_numpy(rows.position[r][here].astype(np.int64))[None]
                log_p = model.logits(model(tokens, position, torch.ones_like(tokens)))
                log_p = log_p.log_softmax(-1)[0]
                for i in np.flatnonzero(rows.loss[r][here]):
                    total -= float(log_p[i, tokens[0, i + 1]])
    found = evaluate(model, tiny_corpus / "valid", rows_per_step=5)
    assert found.total == pytest.approx(total, rel=1e-5)
    assert found.loss == found.total / found.count


def test_rows_start_again_at_the_end(tiny_corpus: Path) -> None:
    rows = Rows(tiny_corpus)
    batch, _ = rows.batch(62, 4, torch.device("cpu"))
    expected = np.concatenate([rows.tokens[62:], rows.tokens[:2]]).astype(np.int64)
    assert np.array_equal(batch.tokens.numpy(), expected)


def test_broken_corpora_are_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    loss = np.load(tiny_corpus / "loss.npy")
    loss[0, -1] = True
    np.save(tiny_corpus / "loss.npy", loss)
    with pytest.raises(BadInput, match="after its end"):
        train(_spec(tiny_corpus), tmp_path / "out")
    np.save(tiny_corpus / "loss.npy", loss[:5])
    with pytest.raises(BadInput, match=r"loss\.npy has shape \(5, 24\)"):
        Rows(tiny_corpus)
    (tiny_corpus / "loss.npy").unlink()
    with pytest.raises(BadInput, match="does not exist"):
        Rows(tiny_corpus)


def test_a_loss_that_is_not_finite_stops_the_run(tiny_corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="lower the learning rate"):
        train(_spec(tiny_corpus, learning_rate=math.inf), tmp_path / "out")


def test_bad_steps_are_refused(tiny_corpus: Path) -> None:
    with pytest.raises(BadInput, match="steps is 0"):
        _spec(tiny_corpus, steps=0)
