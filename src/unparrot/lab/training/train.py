"""Training of the models of one shape from a corpus folder; a killed run continues bit for bit.

    branches = (Branch("64k@1M", 500), Branch("64k@4M", 2000))
    short, long = train(TrainSpec("64k", shape, "runs/demo/corpus", branches), "runs/demo/models")

One trunk is trained at a constant rate; from it short decays branch off, each of which ends in a
model (warm-up, stable, decay). So models of several lengths cost little more than the longest one.
Everything follows from the spec: the seed draws the weights, the corpus gives the documents in
order. A corpus folder is what `unparrot.lab.corpus.write_corpus` writes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]

from unparrot.core.errors import BadInput
from unparrot.core.records import atomic_write, decoded, read_json
from unparrot.lab.training.checkpoint import save_model
from unparrot.lab.training.model import MAX_POSITIONS, Batch, Llama, resolve_device
from unparrot.lab.training.optimiser import RECIPE, Optimiser, learning_rate, schedule
from unparrot.lab.training.shape import DECAY, DOCUMENTS_PER_STEP, MUON_FACTOR, ModelShape

STATE = "state.safetensors"
RESULT = "training.json"
KEPT_SECONDS = 60.0
"""Of training, after which a state is kept, if steps did not say so before."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A model that a training ends in: its name, and its steps from the beginning."""

    name: str
    steps: int


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """What determines the models of a shape, and how often their state is kept.

    corpus: folder of documents, with those for validation in corpus/valid. Step i takes documents
    i * documents_per_step and following, from the start again at the end.
    branches: shortest first. decay: share of a branch's steps in which its rate decays.
    learning_rate: AdamW's peak, by width if None; Muon's is muon_factor times that.
    log_every, valid_every, checkpoint_every: in steps. valid_documents: documents used for the loss
    on the way (the last one uses all).
    """

    name: str
    shape: ModelShape
    corpus: str
    branches: tuple[Branch, ...]
    documents_per_step: int = DOCUMENTS_PER_STEP
    seed: int = 0
    device: str = "auto"
    learning_rate: float | None = None
    muon_factor: float = MUON_FACTOR
    decay: float = DECAY
    log_every: int = 20
    valid_every: int = 200
    valid_documents: int = 200
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        for name in (
            "documents_per_step", "log_every", "valid_every", "valid_documents", "checkpoint_every"
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be at least 1")
        steps = [0, *(branch.steps for branch in self.branches)]
        if len(steps) == 1 or any(a >= b for a, b in pairwise(steps)):
            raise BadInput(f"steps of branches must rise from at least 1, not {steps[1:]}")
        if len({branch.name for branch in self.branches}) < len(self.branches):
            raise BadInput(f"two branches have one name: {[b.name for b in self.branches]}")
        if not 0 < self.decay <= 1:
            raise BadInput(f"decay is {self.decay}; it must be a share above 0, up to 1")

    def fork(self, branch: Branch) -> int:
        """Return the step at which the branch leaves the trunk: the first at which it decays."""
        return branch.steps - max(1, round(self.decay * branch.steps))

    @property
    def total_steps(self) -> int:
        """Steps of the trunk and all branches."""
        decays = sum(branch.steps - self.fork(branch) for branch in self.branches)
        return self.fork(self.branches[-1]) + decays

    @property
    def cost(self) -> float:
        """Expected time of the training; see `ModelShape.cost_of_document`."""
        return self.total_steps * self.documents_per_step * self.shape.cost_of_document


def training_digest(
    spec: TrainSpec, branch: Branch | None, corpus: Documents, valid: Documents, step: int
) -> str:
    """sha256 of what determines weights and losses up to a step of a branch, or, with None, of the
    trunk: the spec, but for names and places, the optimiser's recipe, and the documents read so
    far. A state is continued only under an equal one; so later branches and a longer corpus change
    nothing that is there."""
    fields: dict[str, Any] = asdict(spec)
    for name in ("name", "device", "corpus", "checkpoint_every", "branches"):
        del fields[name]
    fields["steps"] = branch and branch.steps
    fields["recipe"] = RECIPE
    fields["documents"] = [corpus.digest(step * spec.documents_per_step), valid.digest()]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LossRow:
    """A line of training.parquet, but for the model. loss: nats per predicted token, the mean since
    the last line for 'train'; tokens: read so far; seconds: spent so far. The lines of a branch
    begin with those of its trunk."""

    step: int
    tokens: int
    split: Literal["train", "valid"]
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """Where a training stands. step, steps: of the trunk and all branches; loss: nats per token;
    share: of all tokens that they read, which takes time better than steps, as documents of a
    curriculum are short."""

    name: str
    step: int
    steps: int
    loss: float
    share: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A trained model, also as training.json beside its checkpoint. valid: over all validation
    documents; tokens, seconds: of this model, its part of the trunk included; digest: see
    `training_digest`."""

    name: str
    params: int
    log: tuple[LossRow, ...]
    valid: Evaluation
    tokens: int
    seconds: float
    digest: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """loss: nats per predicted token. excess: loss less that of the true distribution on the same
    texts; excess_error: its standard error over documents. count: predicted tokens."""

    loss: float
    excess: float
    excess_error: float
    count: int


@torch.no_grad()
def evaluate(
    model: Llama, folder: str | Path, documents: int | None = None, at_once: int = 64
) -> Evaluation:
    """Measure the cross-entropy of the model on a corpus folder (the first `documents`, or all).

    The excess is a ratio of sums over documents, and its error the usual one of a ratio (Cochran
    1977, Sampling Techniques, section 2.11).
    """
    source = Documents(folder, model.shape.vocab)
    end = len(source) if documents is None else min(documents, len(source))
    nats = np.empty(end)
    for start in range(0, end, at_once):
        stop = min(start + at_once, end)
        batch = source.batch(start, stop - start, model.embedding.device)
        losses = model.losses(batch).double().cpu().numpy()
        bounds = source.learnt[start:stop].cumsum()[:-1]
        nats[start:stop] = np.add.reduceat(losses, np.r_[0, bounds])
    counts, extra = source.learnt[:end], nats - source.nats[:end]
    count = int(counts.sum())
    excess = extra.sum() / count
    spread = ((extra - excess * counts) ** 2).sum() * end / max(1, end - 1)
    return Evaluation(float(nats.sum() / count), float(excess), float(spread**0.5 / count), count)


@dataclass(slots=True)
class _Place:
    """What a state holds beside tensors."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    total: float = 0.0  # nats since the last line of the log
    count: int = 0  # predicted tokens since then


def train(
    spec: TrainSpec, out: str | Path, progress: Callable[[TrainProgress], None] | None = None
) -> list[TrainResult]:
    """Train, or continue, or return at once what is finished.

    Denormal numbers are flushed to zero in this process from here on: softmax and its gradients
    are full of them, and they cost a CPU a hundred times a normal number.

    Parameters
    ----------
    spec
        What determines the models.
    out
        Folder in which each branch has a folder of its name: its checkpoint, training.json and,
        meanwhile, its state. The state of the trunk lies beside them and stays, so that a longer
        branch can be added.
    progress
        Called every `spec.log_every` steps. If it raises, the state is kept first.

    Returns
    -------
    list of TrainResult
        One for each branch.

    Raises
    ------
    BadInput
        If `out` holds the state of another spec or corpus, or the loss is not finite.
    """
    torch.set_flush_denormal(True)
    training = _Training(spec, Path(out), progress or (lambda _: None))
    return [training.branch(branch) for branch in spec.branches]


class _Training:
    def __init__(
        self, spec: TrainSpec, out: Path, progress: Callable[[TrainProgress], None]
    ) -> None:
        self.spec, self.out, self.progress = spec, out, progress
        self.trunk = out / f"{spec.name}.trunk.safetensors"
        self.corpus = Documents(spec.corpus, spec.shape.vocab)
        self.valid = Path(spec.corpus) / "valid"
        self.device = resolve_device(spec.device)
        self.rate = spec.learning_rate or learning_rate(spec.shape.width)
        self.documents = Documents(self.valid, spec.shape.vocab)
        self._begin()

    def _begin(self) -> None:
        generator = torch.Generator().manual_seed(self.spec.seed)
        self.model = Llama(self.spec.shape, generator).to(self.device)
        self.optimiser = Optimiser(self.model, self.rate, self.spec.muon_factor)
        self.tensors = {**dict(self.model.named_parameters()), **self.optimiser.state()}
        self.at = _Place()
        self.log: list[LossRow] = []

    def _digest(self, branch: Branch | None, step: int) -> str:
        return training_digest(self.spec, branch, self.corpus, self.documents, step)

    def branch(self, branch: Branch) -> TrainResult:
        """The model of a branch; on the way the trunk grows up to the fork."""
        folder = self.out / branch.name
        if (folder / RESULT).exists():
            return self._finished(folder, branch)
        if (folder / STATE).exists():
            self._load(folder / STATE, branch)
        else:
            self._grow_trunk(branch)
        self._advance(branch, branch.steps, folder / STATE, branch)
        evaluation = evaluate(self.model, self.valid)
        self._note("valid", evaluation.loss)
        result = TrainResult(
            name=branch.name,
            params=self.spec.shape.params,
            log=tuple(self.log),
            valid=evaluation,
            tokens=self.at.tokens,
            seconds=self.at.seconds,
            digest=self._digest(branch, branch.steps),
        )
        save_model(self.model, folder)
        atomic_write(folder / RESULT, msgspec.json.format(msgspec.json.encode(result), indent=1))
        (folder / STATE).unlink(missing_ok=True)
        return result

    def _grow_trunk(self, branch: Branch) -> None:
        """Take the trunk to the step at which the branch leaves it."""
        fork = self.spec.fork(branch)
        if self.trunk.exists():
            self._load(self.trunk, None)
        if self.at.step > fork:  # a shorter branch came later: it has its trunk to itself
            self._begin()
            self._advance(branch, fork, self.out / branch.name / STATE, branch)
            return
        self._advance(branch, fork, self.trunk, None)
        self._save(self.trunk, None)

    def _advance(self, branch: Branch, end: int, state: Path, owner: Branch | None) -> None:
        """Train up to step `end` on the way to `branch`, keeping states of `owner` in `state`."""
        spec, at = self.spec, self.at
        fork = spec.fork(branch)
        earlier = spec.branches[: spec.branches.index(branch)]
        decays = sum(other.steps - spec.fork(other) for other in earlier)
        read = sum(map(self._decayed, earlier))
        of = sum(map(self._decayed, spec.branches)) + self._read(spec.fork(spec.branches[-1]))
        count = spec.documents_per_step
        kept = time.monotonic()
        while at.step < end:
            began = time.perf_counter()
            batch = self.corpus.batch(at.step * count, count, self.device)
            loss = self.model.losses(batch).sum()
            (loss / len(batch.where)).backward()  # pyright: ignore[reportUnknownMemberType]
            self.optimiser.step(at.step, schedule(at.step, fork, branch.steps))
            at.step += 1
            at.tokens += len(batch.tokens)
            at.total += float(loss.detach())
            at.count += len(batch.where)
            at.seconds += time.perf_counter() - began
            last = at.step == branch.steps
            mean = self._mean() if at.step % spec.log_every == 0 or last else None
            if at.step % spec.valid_every == 0 and not last:
                self._note("valid", evaluate(self.model, self.valid, spec.valid_documents).loss)
            due = time.monotonic() - kept > KEPT_SECONDS
            if at.step < end and (due or at.step % spec.checkpoint_every == 0):
                self._save(state, owner)
                kept = time.monotonic()
            if mean is not None:
                share = (read + self._read(at.step)) / of
                step = decays + at.step
                at_all = TrainProgress(spec.name, step, spec.total_steps, mean, share)
                try:
                    self.progress(at_all)
                except BaseException:  # the caller stops here, and may come back
                    self._save(state, owner)
                    raise

    def _read(self, steps: int) -> int:
        """Tokens of the first so many steps."""
        rounds, rest = divmod(steps * self.spec.documents_per_step, len(self.corpus))
        return rounds * len(self.corpus.tokens) + int(self.corpus.starts[rest])

    def _decayed(self, branch: Branch) -> int:
        """Tokens that a branch reads after it has left the trunk."""
        return self._read(branch.steps) - self._read(self.spec.fork(branch))

    def _mean(self) -> float:
        """Note the mean loss since the last time, in nats a token."""
        spec, at = self.spec, self.at
        mean = at.total / at.count
        if not mean < float("inf"):
            raise BadInput(
                f"the loss of {spec.name} is {mean} at step {at.step}; lower the learning rate "
                f"({self.rate:g}) or look for broken documents in {spec.corpus}"
            )
        self._note("train", mean)
        at.total, at.count = 0.0, 0
        return mean

    def _note(self, split: Literal["train", "valid"], loss: float) -> None:
        at = self.at
        self.log.append(LossRow(at.step, at.tokens, split, loss, at.seconds))

    def _save(self, path: Path, owner: Branch | None) -> None:
        held = {name: t.detach().cpu().contiguous() for name, t in self.tensors.items()}
        header = {
            "digest": self._digest(owner, self.at.step),
            "at": msgspec.json.encode(self.at).decode(),
            "log": msgspec.json.encode(self.log).decode(),
        }
        atomic_write(path, lambda path: save_file(held, path, header))

    def _load(self, path: Path, owner: Branch | None) -> None:
        remedy = "delete it, and the training begins anew"
        try:
            opened: Any = safe_open(path, "pt")
            with opened as source:
                header: dict[str, str] = source.metadata()
                log, at = header["log"].encode(), header["at"].encode()
                place = decoded(at, _Place, path, remedy)
                self._same(header["digest"], self._digest(owner, place.step), path)
                with torch.no_grad():
                    for name, tensor in self.tensors.items():
                        tensor.copy_(source.get_tensor(name))
        except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
            raise BadInput(f"{path} is no state that can be read ({error}); {remedy}") from error
        self.log = decoded(log, list[LossRow], path, remedy)
        self.at = place

    def _finished(self, folder: Path, branch: Branch) -> TrainResult:
        remedy = f"delete {folder}, and it is trained anew"
        result: TrainResult = read_json(folder / RESULT, TrainResult, remedy)
        self._same(result.digest, self._digest(branch, branch.steps), folder / RESULT)
        return replace(result, name=branch.name)

    def _same(self, digest: str, expected: str, path: Path) -> None:
        if digest != expected:
            raise BadInput(
                f"{path} belongs to a training with another specification or corpus than "
                f"{self.spec}, or by another recipe (of another version of unparrot); choose "
                "another folder, or remove this one"
            )


class Documents:
    """The documents of a corpus folder. BadInput if a file is missing, they do not fit together, or
    a token is none of the `vocab` that a model knows.

    learnt: int64 [documents], tokens to be predicted; nats: what these cost the true distribution.
    """

    def __init__(self, folder: str | Path, vocab: int | None = None) -> None:
        self.folder = Path(folder)
        self.tokens = self._load("tokens", "<u2")
        self.starts = self._load("starts", "<i8")
        self.prompts = self._load("prompts", "<u2").astype(np.int64)
        self.nats = self._load("nats", "<f8")
        sizes = np.diff(self.starts)
        if not len(sizes) == len(self.prompts) == len(self.nats) > 0:
            raise BadInput(f"{self.folder}: the arrays are not of the same documents; {_AGAIN}")
        self.learnt = sizes - self.prompts
        if (
            self.starts[0] != 0
            or self.starts[-1] != len(self.tokens)
            or self.prompts.min() < 1
            or self.learnt.min() < 1
            or sizes.max() > MAX_POSITIONS
        ):
            raise BadInput(
                f"{self.folder}: a document has no prompt, no text, or more than {MAX_POSITIONS} "
                f"tokens; {_AGAIN}"
            )
        if vocab is not None and (largest := int(self.tokens.max())) >= vocab:
            raise BadInput(
                f"{self.folder / 'tokens.npy'} holds the token {largest}, and the model has those "
                f"from 0 to {vocab - 1}; {_AGAIN}"
            )

    def __len__(self) -> int:
        return len(self.prompts)

    def digest(self, documents: int | None = None) -> str:
        """sha256 of the arrays, up to a number of documents, to tell one corpus from another."""
        end = len(self) if documents is None else min(documents, len(self))
        total = hashlib.sha256()
        parts = (self.tokens[: self.starts[end]], self.starts[: end + 1])
        for array in (*parts, self.prompts[:end], self.nats[:end]):
            total.update(str(array.shape).encode())
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def _load(self, name: str, kind: str) -> npt.NDArray[Any]:
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            raise BadInput(f"{path} does not exist; write the corpus there first")
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise BadInput(f"{path} cannot be read ({error}); {_AGAIN}") from error
        if (array.dtype.str, array.ndim) != (kind, 1):
            raise BadInput(f"{path} holds {array.dtype} {list(array.shape)}; {_AGAIN}")
        return array

    def batch(self, start: int, count: int, device: torch.device) -> Batch:
        """Documents start .. start + count - 1, from the start again at the end."""
        taken = np.arange(start, start + count) % len(self)
        sizes = self.learnt[taken] + self.prompts[taken]
        starts = np.concatenate([[0], sizes.cumsum()])
        place = np.arange(int(starts[-1])) - np.repeat(starts[:-1], sizes)
        tokens = self.tokens[np.repeat(self.starts[taken], sizes) + place].astype(np.int64)
        learnt = place >= np.repeat(self.prompts[taken] - 1, sizes)
        learnt[starts[1:] - 1] = False
        where = np.flatnonzero(learnt)
        arrays = (tokens, starts, where, tokens[where + 1])
        return Batch(*(torch.from_numpy(array).to(device) for array in arrays))


_AGAIN = "write the corpus again"
