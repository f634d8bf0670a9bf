"""Training and generation speed on one core, beside transformers in the same run.

    python benchmarks/bench_training.py [--json] [--widths 16,128] [--no-peer]

For each width: tokens a second of our training step (2048 tokens: 16 packed rows of 128), the
floating-point rate as a share of the matrix-multiplication peak measured in this process, the same
model trained by transformers.Trainer (AdamW, one document a row, batches of equal tokens; needs
accelerate), and generation (256 prompts at once, greedy). Times are CPU time of this process with
one thread, the quickest of many steps on either side, as other work on the machine can only slow a
step down. Padding is not counted as tokens. `make bench` sets the variables that the processes of
a ladder have (lab.sweep.ENVIRONMENT), for both sides alike.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unparrot.lab.training.checkpoint import save_model
from unparrot.lab.training.generate import generate
from unparrot.lab.training.model import Batch, Llama, ModelShape
from unparrot.lab.training.optimiser import Optimiser, learning_rate

VOCAB, ROWS, LENGTH, DOCUMENT, PROMPT = 700, 16, 128, 42, 12
SHAPES = {
    16: ModelShape(16, 3, 1, 48, VOCAB),
    32: ModelShape(32, 3, 2, 88, VOCAB),
    48: ModelShape(48, 4, 3, 128, VOCAB),
    64: ModelShape(64, 4, 4, 176, VOCAB),
    96: ModelShape(96, 4, 4, 256, VOCAB),
    128: ModelShape(128, 4, 4, 344, VOCAB),
}


def seconds(action: Callable[[], object], least: float = 1.5) -> float:
    """CPU time of the quickest of the calls made in `least` seconds (after one to warm up)."""
    action()
    times: list[float] = []
    while sum(times) < least:
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return min(times)


def peak() -> float:
    """Multiply-add peak in floating-point operations a second (float32, 1024 x 1024)."""
    a = torch.ones(1024, 1024)
    return 2 * 1024**3 / seconds(lambda: a @ a)


def batch() -> Batch:
    """16 rows of three documents of 42 tokens, 29 of which are to be learnt; 2 padding."""
    tokens = torch.randint(3, VOCAB, (ROWS, LENGTH), generator=torch.Generator().manual_seed(0))
    segment = (torch.arange(LENGTH) // DOCUMENT + 1).expand(ROWS, -1).clone()
    segment[segment > LENGTH // DOCUMENT] = 0
    position = (torch.arange(LENGTH) % DOCUMENT).expand(ROWS, -1).clone()
    learnt = (position >= PROMPT) & (position < DOCUMENT - 1) & (segment > 0)
    where = learnt.flatten().nonzero()[:, 0]
    return Batch(tokens, position, segment, where, tokens.flatten()[where + 1])


def ours(model: Llama, data: Batch) -> float:
    """Seconds of one step of training, optimiser included."""
    optimiser = Optimiser(model, learning_rate(model.shape.width))

    def step() -> None:
        (model.loss(data) / len(data.where)).backward()
        optimiser.step(100, 1000)

    return seconds(step)


def trainer(model: Llama, data: Batch, steps: int = 20) -> float | None:
    """Seconds of one step of transformers.Trainer on the same documents; None without accelerate.

    Its model has no packing, so a step has the same documents, one a row.
    """
    if find_spec("accelerate") is None:
        return None
    from transformers import AutoModelForCausalLM, Trainer, TrainerCallback, TrainingArguments

    used = LENGTH // DOCUMENT * DOCUMENT
    documents = data.tokens[:, :used].reshape(-1, DOCUMENT)
    labels = documents.clone()
    labels[:, : PROMPT + 1] = -100
    rows = [{"input_ids": d, "labels": t} for d, t in zip(documents, labels, strict=True)]
    times: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            times.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        peer = AutoModelForCausalLM.from_pretrained(save_model(model, folder))
        arguments = TrainingArguments(
            output_dir=str(Path(folder) / "out"), per_device_train_batch_size=len(rows),
            max_steps=steps + 2, report_to=[], save_strategy="no", logging_strategy="no",
            disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        Trainer(peer, arguments, train_dataset=rows, callbacks=[Clock()]).train()
    return float(np.diff(times)[2:].min())


def step_operations(shape: ModelShape, data: Batch) -> float:
    """Floating-point operations of forward and backward, by the matrices (attention left out)."""
    inside = shape.layers * (4 * shape.width**2 + 3 * shape.width * shape.hidden)
    return 6.0 * (inside * data.tokens.numel() + shape.vocab * shape.width * len(data.where))


def measure(width: int, peer: bool) -> dict[str, float | int | None]:
    """One line of the table."""
    data, shape = batch(), SHAPES[width]
    generator = torch.Generator().manual_seed(0)
    model = Llama(shape, generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)
    tokens = int((data.segment > 0).sum())
    spent, top = ours(model, data), peak()
    other = trainer(model, data) if peer else None
    prompts = data.tokens.flatten()[: 256 * 7].view(256, 7).tolist()
    made = 256 * 40
    generation = seconds(lambda: generate(model, prompts, 40, eos=-1))
    return {
        "width": width,
        "layers": shape.layers,
        "params": shape.params,
        "tokens_per_second": tokens / spent,
        "share_of_peak": step_operations(shape, data) / spent / top,
        "peak_gflops": top / 1e9,
        "trainer_tokens_per_second": None if other is None else tokens / other,
        "generated_tokens_per_second": made / generation,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Training and generation speed on one core.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--widths", default=",".join(map(str, SHAPES)), help="default: all")
    parser.add_argument("--no-peer", action="store_true", help="leave transformers.Trainer out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rows = [measure(int(w), not options.no_peer) for w in options.widths.split(",")]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("width layers   params  train tok/s  of peak  Trainer tok/s  times  generate tok/s")
    for row in rows:
        peer = row["trainer_tokens_per_second"]
        text = f"{peer:13,.0f}" if peer else "            -"
        times = f"{row['tokens_per_second'] / peer:5.1f}" if peer else "    -"
        print(
            f"{row['width']:5} {row['layers']:6} {row['params']:8,} "
            f"{row['tokens_per_second']:12,.0f} {row['share_of_peak']:8.0%}  {text}  {times} "
            f"{row['generated_tokens_per_second']:15,.0f}"
        )


if __name__ == "__main__":
    main()
