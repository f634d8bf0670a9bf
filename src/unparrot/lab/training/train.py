"""Training of one model from a corpus folder; a killed run continues bit for bit.

    result = train(TrainSpec("64k", shape, corpus="runs/demo/corpus", steps=1500), "runs/demo/64k")

Everything follows from the spec: the seed draws the weights, the corpus gives the rows in order.

A corpus folder holds tokens.npy (uint16), segment.npy (uint8), position.npy (uint16) and loss.npy
(bool), all [rows, length]. ``loss`` is true where the next token of the row is to be predicted.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write
from unparrot.lab.training.checkpoint import save_model
from unparrot.lab.training.model import MAX_POSITIONS, Batch, Llama, ModelShape, resolve_device
from unparrot.lab.training.optimiser import MUON_FACTOR, Optimiser, learning_rate

STATE = "state.safetensors"
RESULT = "training.json"


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """What determines a trained model, and how often its state is kept.

    corpus: folder of packed rows (see `Rows`); valid: the same for validation, corpus/valid if
    None. Step i takes rows i * rows_per_step and following, from the start again at the end.
    learning_rate: AdamW's peak, by width if None; Muon's is muon_factor times that.
    log_every, valid_every, checkpoint_every: in steps. valid_rows: rows used for the loss on the
    way (the last one uses all).
    """

    name: str
    shape: ModelShape
    corpus: str
    steps: int
    valid: str | None = None
    rows_per_step: int = 16
    seed: int = 0
    device: str = "auto"
    learning_rate: float | None = None
    muon_factor: float = MUON_FACTOR
    log_every: int = 20
    valid_every: int = 200
    valid_rows: int = 128
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        for name in (
            "steps", "rows_per_step", "log_every", "valid_every", "valid_rows", "checkpoint_every"
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be at least 1")

    @property
    def cost(self) -> float:
        """Expected time of the training, in units of a multiplication.

        The weights met by each row, and a constant for the small operations (fitted by eye to the
        speeds that benchmarks/bench_training.py finds).
        """
        return float(self.steps) * self.rows_per_step * (self.shape.params + 40_000)


def training_digest(spec: TrainSpec, corpus: Rows, valid: Rows) -> str:
    """sha256 of what determines weights and losses: the spec, but for names of places, and the
    corpus itself. A state is continued only under an equal one."""
    fields: dict[str, Any] = asdict(spec)
    for name in ("name", "device", "corpus", "valid", "checkpoint_every"):
        del fields[name]
    fields["rows"] = [corpus.digest, valid.digest]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LossRow:
    """A line of training.parquet. loss: nats per predicted token, the mean since the last line
    for 'train'; tokens: read so far, padding not counted; seconds: spent so far."""

    model: str
    step: int
    tokens: int
    split: Literal["train", "valid"]
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """Where a training stands. tokens_per_second: over this process; loss: nats per token."""

    name: str
    step: int
    steps: int
    tokens: int
    tokens_per_second: float
    loss: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished training, also as training.json; the checkpoint lies in `folder`. valid_loss: over
    all validation rows, nats per predicted token; digest: see `training_digest`."""

    name: str
    params: int
    log: tuple[LossRow, ...]
    valid_loss: float
    tokens: int
    seconds: float
    folder: str
    digest: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """total: nats summed over count predicted tokens; loss: their quotient."""

    loss: float
    total: float
    count: int


@torch.no_grad()
def evaluate(
    model: Llama, folder: str | Path, rows: int | None = None, rows_per_step: int = 32
) -> Evaluation:
    """Measure the cross-entropy of the model on a folder of packed rows (the first `rows`, or all).

    Raises
    ------
    BadInput
        If nothing is to be predicted in these rows.
    """
    source = Rows(folder)
    end = len(source) if rows is None else min(rows, len(source))
    total, count = 0.0, 0
    for start in range(0, end, rows_per_step):
        batch, _ = source.batch(start, min(rows_per_step, end - start), model.embedding.device)
        if len(batch.where):
            total += float(model.loss(batch))
            count += len(batch.where)
    if not count:
        raise BadInput(f"{folder} has no token to predict in its first {end} rows")
    return Evaluation(total / count, total, count)


@dataclass(slots=True)
class _Progress:
    """What a state holds beside tensors."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    total: float = 0.0  # nats since the last line of the log
    count: int = 0  # predicted tokens since then


def train(
    spec: TrainSpec,
    out: str | Path,
    progress: Callable[[TrainProgress], None] | None = None,
) -> TrainResult:
    """Train, or continue, or return at once what is finished; the checkpoint is left in `out`.

    Denormal numbers are flushed to zero in this process from here on: softmax and its gradients
    are full of them, and they cost a CPU a hundred times a normal number.

    Parameters
    ----------
    spec
        What determines the model.
    out
        Folder of the checkpoint, of training.json and, meanwhile, of the state.
    progress
        Called every `spec.log_every` steps.

    Raises
    ------
    BadInput
        If `out` holds the state of another spec or corpus, or the loss is not finite.
    """
    out = Path(out)
    valid = spec.valid or str(Path(spec.corpus) / "valid")
    corpus = Rows(spec.corpus)
    digest = training_digest(spec, corpus, Rows(valid))
    if (out / RESULT).exists():
        return _finished(spec, digest, out)
    torch.set_flush_denormal(True)
    device = resolve_device(spec.device)
    model = Llama(spec.shape, torch.Generator().manual_seed(spec.seed)).to(device)
    rate = spec.learning_rate or learning_rate(spec.shape.width)
    optimiser = Optimiser(model, rate, spec.muon_factor)
    tensors = {**dict(model.named_parameters()), **optimiser.state()}
    at, log = _load_state(spec, digest, out, tensors)
    before, tokens_before, began = at.seconds, at.tokens, time.perf_counter()
    while at.step < spec.steps:
        batch, seen = corpus.batch(at.step * spec.rows_per_step, spec.rows_per_step, device)
        if not len(batch.where):
            raise BadInput(f"step {at.step} of {spec.corpus} has no token to predict")
        loss = model.loss(batch)
        (loss / len(batch.where)).backward()  # pyright: ignore[reportUnknownMemberType]
        optimiser.step(at.step, spec.steps)
        at.step += 1
        at.tokens += seen
        at.total += float(loss.detach())
        at.count += len(batch.where)
        last = at.step == spec.steps
        at.seconds = before + time.perf_counter() - began
        if at.step % spec.log_every == 0 or last:
            mean = at.total / at.count
            if not mean < float("inf"):
                raise BadInput(
                    f"the loss of {spec.name} is {mean} at step {at.step}; lower the learning "
                    f"rate ({rate:g}) or look for broken rows in {spec.corpus}"
                )
            log.append(LossRow(spec.name, at.step, at.tokens, "train", mean, at.seconds))
            at.total, at.count = 0.0, 0
            if progress is not None:
                speed = (at.tokens - tokens_before) / (at.seconds - before)
                progress(TrainProgress(spec.name, at.step, spec.steps, at.tokens, speed, mean))
        if at.step % spec.valid_every == 0 or last:
            evaluation = evaluate(model, valid, None if last else spec.valid_rows)
            at.seconds = before + time.perf_counter() - began
            log.append(LossRow(spec.name, at.step, at.tokens, "valid", evaluation.loss, at.seconds))
        if at.step % spec.checkpoint_every == 0 and not last:
            _save_state(digest, out, tensors, at, log)
    result = TrainResult(
        name=spec.name,
        params=spec.shape.params,
        log=tuple(log),
        valid_loss=log[-1].loss,
        tokens=at.tokens,
        seconds=at.seconds,
        folder=str(out),
        digest=digest,
    )
    save_model(model, out)
    atomic_write(out / RESULT, msgspec.json.format(msgspec.json.encode(result), indent=1))
    (out / STATE).unlink(missing_ok=True)
    return result


def _save_state(
    digest: str, out: Path, tensors: dict[str, Tensor], at: _Progress, log: list[LossRow]
) -> None:
    held = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    header = {
        "digest": digest,
        "at": msgspec.json.encode(at).decode(),
        "log": msgspec.json.encode(log).decode(),
    }
    atomic_write(out / STATE, lambda path: save_file(held, path, header))


def _load_state(
    spec: TrainSpec, digest: str, out: Path, tensors: dict[str, Tensor]
) -> tuple[_Progress, list[LossRow]]:
    if not (out / STATE).exists():
        return _Progress(), []
    opened: Any = safe_open(out / STATE, "pt")
    with opened as source:
        header: dict[str, str] = source.metadata()
        _same_spec(spec, header["digest"] == digest, out / STATE)
        with torch.no_grad():
            for name, tensor in tensors.items():
                tensor.copy_(source.get_tensor(name))
    log = msgspec.json.decode(header["log"], type=list[LossRow])
    at = msgspec.json.decode(header["at"], type=_Progress)
    return at, [replace(row, model=spec.name) for row in log]


def _finished(spec: TrainSpec, digest: str, out: Path) -> TrainResult:
    result = msgspec.json.decode((out / RESULT).read_bytes(), type=TrainResult)
    _same_spec(spec, result.digest == digest, out / RESULT)
    log = tuple(replace(row, model=spec.name) for row in result.log)
    return replace(result, name=spec.name, folder=str(out), log=log)


def _same_spec(spec: TrainSpec, same: bool, path: Path) -> None:
    if not same:
        raise BadInput(
            f"{path} belongs to a training with another specification or corpus than {spec}; "
            f"choose another folder, or remove this one"
        )


class Rows:
    """The rows of one folder. BadInput if a file is missing or the shapes differ."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.tokens = self._load("tokens")
        self.segment = self._load("segment")
        self.position = self._load("position")
        self.loss = self._load("loss")

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def digest(self) -> str:
        """sha256 of all four arrays, to tell one corpus from another."""
        total = hashlib.sha256()
        for array in (self.tokens, self.segment, self.position, self.loss):
            total.update(str(array.shape).encode())
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def _load(self, name: str) -> npt.NDArray[Any]:
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            raise BadInput(f"{path} does not exist; write the corpus there first")
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        wanted = self.tokens.shape if name != "tokens" else array.shape
        if array.ndim != 2 or array.shape != wanted or not len(array):
            raise BadInput(f"{path} has shape {array.shape}; wanted {wanted}, at least one row")
        return array

    def batch(self, start: int, count: int, device: torch.device) -> tuple[Batch, int]:
        """Rows start .. start + count - 1, wrapping round at the end, and their tokens (padding
        not counted)."""
        index = np.arange(start, start + count) % len(self)
        if index[0] <= index[-1]:  # a slice reads the mapped file without gathering
            return self._cut(slice(int(index[0]), int(index[-1]) + 1), device)
        return self._cut(index, device)

    def _cut(self, rows: Any, device: torch.device) -> tuple[Batch, int]:
        tokens = self.tokens[rows].astype(np.int64)
        segment = self.segment[rows].astype(np.int64)
        position = self.position[rows].astype(np.int64)
        loss = self.loss[rows]
        if loss[:, -1].any() or int(position.max()) >= MAX_POSITIONS:
            raise BadInput(
                f"{self.folder}: a row asks for a token after its end, or has a position of "
                f"{MAX_POSITIONS} or more; write the corpus again"
            )
        where = np.flatnonzero(loss)
        arrays = (tokens, position, segment, where, tokens.reshape(-1)[where + 1])
        tensors = (torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in arrays)
        return Batch(*tensors), int(np.count_nonzero(segment))
