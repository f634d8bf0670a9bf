"""A small Llama, written for speed on one CPU core, that exports exactly to `LlamaForCausalLM`.

RMSNorm before each block, rotary positions, SwiGLU, tied embeddings, no biases. The weights of all
layers are stacked in one tensor a kind, so that the optimiser works on a few large tensors; query,
key and value share one matrix multiplication, and so do gate and up. Documents are not padded: the
tokens of a batch stand one after another, and each document attends to itself alone
(`unparrot.lab.training.kernels`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unparrot.core.errors import BadInput
from unparrot.lab.training.kernels import attention, cross_entropy, rms_norm, swiglu

MAX_POSITIONS = 2048
ROPE_THETA = 10000.0
NORM_EPS = 1e-5  # the value transformers writes for Llama 2 and 3

Layers = list[tuple[Tensor, Tensor, Tensor, Tensor]]
"""Weights of each layer: qkv, out, gate_up, down."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a model: residual `width`, `layers`, attention `heads`, SwiGLU `hidden`, `vocab`."""

    width: int
    layers: int
    heads: int
    hidden: int
    vocab: int

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "hidden", "vocab"):
            value = getattr(self, name)
            if value < 1:
                raise BadInput(f"{name} is {value}; it must be at least 1")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise BadInput(
                f"width {self.width} over {self.heads} heads gives no even head size; choose a "
                f"width that is an even multiple of the heads"
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def params(self) -> int:
        """Exact number of weights; the tied embedding counts once."""
        layer = 4 * self.width**2 + 3 * self.width * self.hidden + 2 * self.width
        return self.vocab * self.width + self.layers * layer + self.width


class Llama(nn.Module):
    """The model; `shape` holds its sizes. Weights are drawn from `generator` (CPU)."""

    rotation: Tensor

    def __init__(self, shape: ModelShape, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        d, n, h = shape.width, shape.layers, shape.hidden
        # Embedding and input matrices are Gaussian, output matrices of each block start at zero
        # (every block is the identity at first), as in nanochat. Assumed, not tuned.
        self.embedding = nn.Parameter(_normal((shape.vocab, d), 0.05, generator))
        self.qkv = nn.Parameter(_normal((n, 3 * d, d), d**-0.5, generator))
        self.attention_out = nn.Parameter(torch.zeros(n, d, d))
        self.gate_up = nn.Parameter(_normal((n, 2 * h, d), d**-0.5, generator))
        self.down = nn.Parameter(torch.zeros(n, d, h))
        self.gains = nn.Parameter(torch.ones(n, 2, d))  # before attention, before SwiGLU
        self.final_gain = nn.Parameter(torch.ones(d))
        self.register_buffer("rotation", rotation_table(shape.head_size), persistent=False)

    def folded(self) -> Layers:
        """Weights of each layer (qkv, out, gate_up, down), with the norm gains folded in."""
        qkv = self.qkv * self.gains[:, 0, None, :]
        gate_up = self.gate_up * self.gains[:, 1, None, :]
        kinds = (qkv, self.attention_out, gate_up, self.down)
        return list(zip(*(w.unbind(0) for w in kinds), strict=True))

    def forward(self, tokens: Tensor, starts: Tensor, where: Tensor | None = None) -> Tensor:
        """Residual stream before the final norm.

        Parameters
        ----------
        tokens
            int64 [tokens]: the documents, one after another.
        starts
            int64 [documents + 1]: where each begins, and the end. None is longer than
            `MAX_POSITIONS`.
        where
            int64 [n]: the tokens to return, ascending; None for all.

        Returns
        -------
        Tensor
            Float [n or tokens, width].
        """

        def attend(_: int, qkv: Tensor) -> Tensor:
            return attention(qkv, self.rotation, starts, self.shape.heads)

        return self.run(tokens, self.folded(), attend, where)

    def run(
        self,
        tokens: Tensor,
        layers: Layers,
        attend: Callable[[int, Tensor], Tensor],
        where: Tensor | None = None,
    ) -> Tensor:
        """Residual stream before the final norm, whatever is attended to.

        Parameters
        ----------
        tokens
            int64 [tokens].
        layers
            See `folded`.
        attend
            Called with the number of a layer and its queries, keys and values [tokens, 3 * width];
            returns the values that each token attends to, mixed, [tokens, width].
        where
            int64 [n]: the tokens to return, which alone go through the end of the last layer.

        Returns
        -------
        Tensor
            Float [n or tokens, width].
        """
        x = F.embedding(tokens, self.embedding)
        for i, (qkv, out, gate_up, down) in enumerate(layers):
            mixed = attend(i, F.linear(rms_norm(x, NORM_EPS), qkv))
            if where is not None and i == len(layers) - 1:
                x, mixed = x.index_select(0, where), mixed.index_select(0, where)
            x = torch.addmm(x, mixed, out.T)
            x = torch.addmm(x, swiglu(F.linear(rms_norm(x, NORM_EPS), gate_up)), down.T)
        return x

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token [n, vocab] from the residual stream [n, width]."""
        return F.linear(rms_norm(hidden, NORM_EPS), self.embedding * self.final_gain)

    def losses(self, batch: Batch) -> Tensor:
        """Cross-entropy at each loss position of the batch, in nats; differentiate its sum.

        Only the loss positions pass through the end of the last layer and the output matrix.
        """
        hidden = self(batch.tokens, batch.starts, batch.where)
        weight = self.embedding * self.final_gain
        return cross_entropy(rms_norm(hidden, NORM_EPS), weight, batch.targets)


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents ready for a model, all on one device.

    tokens: int64 [tokens], one document after another. starts: int64 [documents + 1], where they
    begin, and the end. where: int64 [n], the tokens whose successor is to be predicted; targets:
    int64 [n], those successors.
    """

    tokens: Tensor
    starts: Tensor
    where: Tensor
    targets: Tensor


def rotation_table(head_size: int) -> Tensor:
    """Cosines, then sines, of the rotary angles (Su et al. 2021, theta 10000): float32
    [MAX_POSITIONS, head_size]."""
    # in float32, as transformers computes them, so that exported logits agree
    powers = torch.arange(0, head_size, 2, dtype=torch.float32) / head_size
    angle = torch.arange(MAX_POSITIONS, dtype=torch.float32)[:, None] / ROPE_THETA**powers
    return torch.cat([angle.cos(), angle.sin()], -1)


def resolve_device(name: str) -> torch.device:
    """Return the device for 'auto' (CUDA if there is one), 'cpu' or 'cuda'.

    Raises
    ------
    BadInput
        For another name, or if there is no CUDA device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise BadInput(f"device {name!r} is unknown; choose 'auto', 'cpu' or 'cuda'")
    if name == "cuda" and not torch.cuda.is_available():
        raise BadInput("device 'cuda' was asked for, but torch finds no CUDA device; use 'auto'")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _normal(size: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    draw: Any = torch.randn(size, generator=generator)
    return draw * std
