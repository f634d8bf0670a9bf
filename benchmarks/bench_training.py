"""Training and generation speed on one core, beside transformers.Trainer in the same run.

    python benchmarks/bench_training.py [--json] [--rungs 0,3] [--steps 30] [--no-peer]

For each rung of the standard ladder: tokens a second of our training step, on documents of the
world; the floating-point rate of its matrices as a share of the matrix-multiplication peak measured
in this process; the same model, on as many documents a step, trained by transformers.Trainer
(AdamW, documents of like length together so that it pads little; needs accelerate); and generation
(256 prompts, greedy).

A step of ours follows each step of the Trainer, so that both meet the same machine, however busy.
Times are CPU time of this process with one thread, medians over the steps for each token. Padding
is not counted as tokens. `make bench` sets the variables that the processes of a ladder have
(lab.training.sweep.ENVIRONMENT), for both sides alike.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch

from unparrot.core.skills import HeldOut
from unparrot.lab.corpus import Mixture, Source, write_corpus
from unparrot.lab.demo import budget
from unparrot.lab.training.checkpoint import save_model, save_tokenizer
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Batch, Llama
from unparrot.lab.training.optimiser import Optimiser, learning_rate
from unparrot.lab.training.shape import DOCUMENTS_PER_STEP, ModelShape
from unparrot.lab.training.train import Documents
from unparrot.lab.world.english import World

TOKENS = 300_000


def peak() -> float:
    """Multiply-add peak in floating-point operations a second (float32, 1024 x 1024)."""
    a = torch.ones(1024, 1024)
    times: list[float] = []
    for _ in range(20):
        began = time.process_time()
        torch.mm(a, a)
        times.append(time.process_time() - began)
    return 2 * 1024**3 / median(times)


def stepper(model: Llama, documents: Documents, count: int) -> Callable[[], tuple[int, float]]:
    """A step of our training on the next `count` documents: its tokens and CPU seconds."""
    optimiser = Optimiser(model, learning_rate(model.shape.width))
    done = 0

    def step() -> tuple[int, float]:
        nonlocal done
        began = time.process_time()
        batch = documents.batch(done * count, count, torch.device("cpu"))
        (model.losses(batch).sum() / len(batch.where)).backward()  # pyright: ignore
        optimiser.step(done, 1.0)
        done += 1
        return len(batch.tokens), time.process_time() - began

    step()  # compiles
    return step


def beside_trainer(
    model: Llama, documents: Documents, count: int, steps: int, ours: Callable[[], Any]
) -> list[tuple[int, float]]:
    """Tokens and CPU seconds of each step of transformers.Trainer; `ours` runs after each."""
    from transformers import (
        AutoModelForCausalLM,
        DataCollatorForTokenClassification,
        PreTrainedTokenizerFast,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    rows: list[dict[str, list[int]]] = []
    for (a, b), prompt in zip(pairwise(documents.starts.tolist()), documents.prompts, strict=True):
        ids = documents.tokens[a:b].tolist()
        rows.append({"input_ids": ids, "labels": [-100] * int(prompt) + ids[prompt:]})
    made: list[tuple[int, float]] = []
    since = 0.0
    read = 0

    class Counting(DataCollatorForTokenClassification):
        def torch_call(self, features: list[dict[str, Any]]) -> Any:
            nonlocal read
            read = sum(len(row["input_ids"]) for row in features)
            return super().torch_call(features)  # pyright: ignore

    class Between(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            nonlocal since
            made.append((read, time.process_time() - since))
            ours()
            since = time.process_time()

    with tempfile.TemporaryDirectory() as folder:
        peer = AutoModelForCausalLM.from_pretrained(save_model(model, folder))
        world = World()
        save_tokenizer(folder, world.vocabulary, world.pack.skill_names)
        load: Any = PreTrainedTokenizerFast.from_pretrained  # pyright: ignore
        tokenizer: PreTrainedTokenizerFast = load(folder, padding_side="right")
        arguments = TrainingArguments(
            output_dir=str(Path(folder) / "out"), per_device_train_batch_size=count,
            max_steps=steps + 2, report_to=[], save_strategy="no", logging_strategy="no",
            disable_tqdm=True, use_cpu=True, train_sampling_strategy="group_by_length",
        )  # fmt: skip
        collator = Counting(tokenizer)
        Trainer(peer, arguments, collator, train_dataset=rows, callbacks=[Between()]).train()  # pyright: ignore
    return made[2:]


def step_operations(shape: ModelShape, batch: Batch) -> float:
    """Floating-point operations of forward and backward, by the matrices (attention left out)."""
    inside = shape.layers * (4 * shape.width**2 + 3 * shape.width * shape.hidden)
    return 6.0 * (inside * len(batch.tokens) + shape.vocab * shape.width * len(batch.where))


def rate(steps: list[tuple[int, float]]) -> float:
    """Tokens a second: the median over steps."""
    return median(tokens / seconds for tokens, seconds in steps)


def measure(
    shape: ModelShape, documents: Documents, steps: int, peer: bool
) -> dict[str, float | None]:
    """One line of the table."""
    generator = torch.Generator().manual_seed(0)
    model = Llama(shape, generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)
    count = DOCUMENTS_PER_STEP
    step = stepper(model, documents, count)
    ours: list[tuple[int, float]] = []
    theirs: list[tuple[int, float]] = []
    if peer and find_spec("accelerate") is not None:
        theirs = beside_trainer(model, documents, count, steps, lambda: ours.append(step()))
    else:
        ours += [step() for _ in range(steps)]
    batch = documents.batch(0, count, torch.device("cpu"))
    top = peak()
    prompts = [documents.tokens[a : a + 12].tolist() for a in documents.starts[:256]]
    began = time.process_time()
    generate(model, prompts, 40, eos=-1)
    spent = time.process_time() - began
    operations = step_operations(shape, batch) / len(batch.tokens)
    return {
        "width": shape.width,
        "layers": shape.layers,
        "params": shape.params,
        "tokens_per_second": rate(ours),
        "share_of_peak": operations * rate(ours) / top,
        "peak_gflops": top / 1e9,
        "trainer_tokens_per_second": rate(theirs) if theirs else None,
        "times": rate(ours) / rate(theirs) if theirs else None,
        "generated_tokens_per_second": 256 * 40 / spent,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Training and generation speed on one core.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rungs", help="numbers of the ladder's rungs, from 0; default: all")
    parser.add_argument("--steps", type=int, default=30, help="steps of each side")
    parser.add_argument("--no-peer", action="store_true", help="leave transformers.Trainer out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    run = budget("standard")
    rungs = [run.sizes(shape) for shape in run.shapes]
    chosen = range(len(rungs)) if options.rungs is None else map(int, options.rungs.split(","))
    with tempfile.TemporaryDirectory() as folder:
        nothing = HeldOut(frozenset(), frozenset(), frozenset(), len(Mixture().k_weights))
        write_corpus(Source(World(), nothing, Mixture(), seed=1), Path(folder), TOKENS)
        documents = Documents(folder)
        rows = [measure(rungs[i], documents, options.steps, not options.no_peer) for i in chosen]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("width layers   params  train tok/s  of peak  Trainer tok/s  times  generate tok/s")
    for row in rows:
        peer = row["trainer_tokens_per_second"]
        text = f"{peer:13,.0f}  {row['times']:5.1f}" if peer else f"{'-':>13}  {'-':>5}"
        print(
            f"{row['width']:5} {row['layers']:6} {row['params']:8,} "
            f"{row['tokens_per_second']:12,.0f} {row['share_of_peak']:8.0%}  {text} "
            f"{row['generated_tokens_per_second']:15,.0f}"
        )


if __name__ == "__main__":
    main()
