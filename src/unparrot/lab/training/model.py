"""A small Llama in plain torch, which exports exactly to `LlamaForCausalLM`.

RMSNorm before each block, rotary positions, SwiGLU, tied embeddings, no biases. The weights of all
layers are stacked in one tensor a kind, so that the optimiser works on a few large tensors; query,
key and value share one matrix multiplication, and so do gate and up. Documents are not padded: the
tokens of a batch stand one after another, and each document attends to itself alone. On a CPU, in
float32, the losses come from `unparrot.lab.training.kernels` instead, with their gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unparrot.core.errors import BadInput
from unparrot.lab.training.kernels import NORM_EPS, Losses
from unparrot.lab.training.shape import ModelShape

MAX_POSITIONS = 2048
ROPE_THETA = 10000.0

# weights of the layers, stacked: qkv, out, gate_up, down
Layers = tuple[Tensor, Tensor, Tensor, Tensor]


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
        """Weights of the layers (qkv, out, gate_up, down), with the norm gains folded in."""
        qkv = self.qkv * self.gains[:, 0, None, :]
        gate_up = self.gate_up * self.gains[:, 1, None, :]
        return qkv, self.attention_out, gate_up, self.down

    def forward(self, tokens: Tensor, starts: Tensor) -> Tensor:
        """Residual stream before the final norm.

        Parameters
        ----------
        tokens
            int64 [tokens]: the documents, one after another.
        starts
            int64 [documents + 1]: where each begins, and the end. None is longer than
            `MAX_POSITIONS`.

        Returns
        -------
        Tensor
            Float [tokens, width].
        """

        def attend(_: int, qkv: Tensor) -> Tensor:
            return attention(qkv, self.rotation, starts, self.shape.heads)

        return self.run(tokens, self.folded(), attend)

    def run(
        self, tokens: Tensor, layers: Layers, attend: Callable[[int, Tensor], Tensor]
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

        Returns
        -------
        Tensor
            Float [tokens, width].
        """
        x = F.embedding(tokens, self.embedding)
        for i, (qkv, out, gate_up, down) in enumerate(zip(*layers, strict=True)):
            mixed = attend(i, F.linear(rms_norm(x), qkv))
            x = torch.addmm(x, mixed, out.T)
            gate, up = F.linear(rms_norm(x), gate_up).chunk(2, -1)
            x = torch.addmm(x, F.silu(gate) * up, down.T)
        return x

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token [n, vocab] from the residual stream [n, width]."""
        return F.linear(rms_norm(hidden), self.embedding * self.final_gain)

    def losses(self, batch: Batch) -> Tensor:
        """Cross-entropy at each loss position of the batch, in nats; differentiate its sum."""
        if self.embedding.device.type == "cpu" and self.embedding.dtype == torch.float32:
            weights = self.embedding, *self.folded(), self.embedding * self.final_gain
            arrays = batch.tokens, batch.starts, batch.where, batch.targets
            return Losses.apply(arrays, self.rotation, torch.is_grad_enabled(), *weights)  # pyright: ignore
        hidden = self(batch.tokens, batch.starts)[batch.where]
        return F.cross_entropy(self.logits(hidden), batch.targets, reduction="none")


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


def attention(qkv: Tensor, rotation: Tensor, starts: Tensor, heads: int) -> Tensor:
    """Causal attention within documents, with rotary positions from 0 in each.

    Parameters
    ----------
    qkv
        [tokens, 3 * width]: queries, keys and values, each head by head.
    rotation
        [positions, head size]: cosines, then sines; see `rotate`.
    starts
        int64 [documents + 1]: where documents begin, and the end; on the device of `qkv`.
    heads
        Number of heads.

    Returns
    -------
    Tensor
        [tokens, width].
    """
    sizes = starts.diff()
    place = torch.arange(int(sizes.max()), device=qkv.device)
    inside = place < sizes[:, None]
    at = torch.where(inside, starts[:-1, None] + place, 0)
    q, k, v = (x.view(*at.shape, heads, -1).transpose(1, 2) for x in qkv[at].chunk(3, -1))
    turn = rotation[: len(place)]
    mixed = F.scaled_dot_product_attention(rotate(q, turn), rotate(k, turn), v, is_causal=True)
    return mixed.transpose(1, 2).flatten(-2)[inside]


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn the pairs (i, i + size / 2) of x [..., size] by the angles whose cosines and sines
    ``turn`` holds, side by side (Su et al. 2021, in the order of transformers)."""
    (a, b), (cos, sin) = x.chunk(2, -1), turn.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def rms_norm(x: Tensor) -> Tensor:
    """x [n, d] over its root mean square, without gain (Zhang and Sennrich 2019)."""
    return F.rms_norm(x, x.shape[-1:], eps=NORM_EPS)


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
