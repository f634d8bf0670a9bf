"""A small Llama, written for speed on one CPU core, that exports exactly to `LlamaForCausalLM`.

RMSNorm before each block, rotary positions, SwiGLU, tied embeddings, no biases. The weights of all
layers are stacked in one tensor a kind, so that the optimiser works on a few large tensors; query,
key and value share one matrix multiplication, and so do gate and up. Rotary pairs lie side by side
(one complex multiplication); `unparrot.lab.training.checkpoint` permutes them to the order of
transformers.

On a CPU at widths 16 to 128 the time goes to small elementwise operations. The four fused ones have
hand-written backward passes that keep the number of passes over memory low. They use plain torch
operations and run on CUDA as they stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function

from unparrot.core.errors import BadInput

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

    def forward(self, tokens: Tensor, position: Tensor, segment: Tensor) -> Tensor:
        """Residual stream before the final norm.

        Parameters
        ----------
        tokens, position, segment
            Integers [rows, length]; a token sees the earlier tokens of its own segment. Positions
            are below `MAX_POSITIONS`.

        Returns
        -------
        Tensor
            Float [rows, length, width].
        """
        mask = attention_mask(segment)

        def attend(_: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

        return self.run(tokens, position, self.folded(), attend).view(*tokens.shape, -1)

    def run(
        self, tokens: Tensor, position: Tensor, layers: Layers, attend: Callable[..., Tensor]
    ) -> Tensor:
        """Residual stream before the final norm, whatever is attended to.

        Parameters
        ----------
        tokens, position
            Integers [rows, length]; positions are below `MAX_POSITIONS`.
        layers
            See `folded`.
        attend
            Called with the number of a layer and its q, k and v, each [rows, heads, length, size];
            returns the values that each token attends to, mixed, in the same shape.

        Returns
        -------
        Tensor
            Float [rows * length, width].
        """
        rows, length = tokens.shape
        heads, size = self.shape.heads, self.shape.head_size
        turn = self.rotation[position][:, :, None]  # complex [rows, length, 1, size / 2]
        x = F.embedding(tokens, self.embedding).view(rows * length, -1)
        for i, (qkv_weight, out_weight, gate_up_weight, down_weight) in enumerate(layers):
            qkv = F.linear(rms_norm(x, NORM_EPS), qkv_weight).view(rows, length, 3 * heads, size)
            mixed = attend(i, *(part.transpose(1, 2) for part in rotate(qkv, turn, heads)))
            x = x + F.linear(mixed.transpose(1, 2).reshape(rows * length, -1), out_weight)
            x = x + F.linear(swiglu(F.linear(rms_norm(x, NORM_EPS), gate_up_weight)), down_weight)
        return x

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token [..., vocab] from the residual stream [..., width]."""
        return F.linear(rms_norm(hidden, NORM_EPS), self.embedding * self.final_gain)

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy summed over the loss positions of the batch, in nats (a scalar).

        Only the loss positions pass through the output matrix.
        """
        hidden = self(batch.tokens, batch.position, batch.segment).view(-1, self.shape.width)
        chosen = rms_norm(hidden.index_select(0, batch.where), NORM_EPS)
        return linear_cross_entropy(chosen, self.embedding * self.final_gain, batch.targets)


@dataclass(frozen=True, slots=True)
class Batch:
    """Packed rows ready for a model, all on one device.

    tokens, position, segment: int64 [rows, length]. where: int64 [n], flat indices of the positions
    whose next token is to be predicted; targets: int64 [n], those next tokens.
    """

    tokens: Tensor
    position: Tensor
    segment: Tensor
    where: Tensor
    targets: Tensor


def rotation_table(head_size: int) -> Tensor:
    """Rotary factors, complex64 [MAX_POSITIONS, head_size / 2] (Su et al. 2021, theta 10000)."""
    # in float32, as transformers computes them, so that exported logits agree
    powers = torch.arange(0, head_size, 2, dtype=torch.float32) / head_size
    angle = torch.arange(MAX_POSITIONS, dtype=torch.float32)[:, None] / ROPE_THETA**powers
    return torch.complex(angle.cos(), angle.sin())


def attention_mask(segment: Tensor) -> Tensor:
    """Additive mask [rows, 1, length, length]: 0 within a segment and causal, else -inf.

    Padding (segment 0) sees the earlier padding of its row, so that no row of the mask is empty.
    """
    length = segment.shape[1]
    seen = (segment[:, :, None] == segment[:, None, :]).tril()
    mask = torch.full((segment.shape[0], length, length), -math.inf, device=segment.device)
    return mask.masked_fill_(seen, 0.0)[:, None]


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


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """x [n, d] over its root mean square, without gain (Zhang and Sennrich 2019)."""
    return _RmsNorm.apply(x, eps)  # pyright: ignore


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) * up, [n, h], from the two side by side, [n, 2h] (Shazeer 2020)."""
    return _SwiGlu.apply(gate_up)  # pyright: ignore


def rotate(qkv: Tensor, turn: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Split [rows, length, 3 * heads, size] into q, k, v and turn the neighbouring pairs of q, k.

    turn: complex [rows, length, 1, size / 2], the rotary factor of each position.
    """
    return _Rotate.apply(qkv, turn, heads)  # pyright: ignore


def linear_cross_entropy(x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Sum of the cross-entropy (nats) of softmax(x weight^T) at targets; a scalar.

    x [n, d], weight [vocab, d], targets int64 [n]. The gradients are made with the loss, so that
    the scores [n, vocab] are read and written once and not kept.
    """
    return _LinearCrossEntropy.apply(x, weight, targets)  # pyright: ignore


class _RmsNorm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        inverse = _inverse_rms(x, eps)
        y = x * inverse
        ctx.save_for_backward(y, inverse)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        y, inverse = ctx.saved_tensors
        mean = (grad * y).mean(-1, keepdim=True)
        return torch.addcmul(grad, y, mean, value=-1).mul_(inverse), None


def _inverse_rms(x: Tensor, eps: float) -> Tensor:
    norm = x.new_empty(*x.shape[:-1], 1)
    torch.linalg.vector_norm(x, dim=-1, keepdim=True, out=norm)
    return norm.square_().mul_(1 / x.shape[-1]).add_(eps).rsqrt_()


class _SwiGlu(Function):
    @staticmethod
    def forward(ctx: Any, gate_up: Tensor) -> Tensor:
        gate, up = gate_up.chunk(2, -1)
        gate = gate.contiguous()  # twice as fast through the sigmoid as a strided half
        sigmoid = torch.sigmoid(gate)
        silu = gate.mul_(sigmoid)
        ctx.save_for_backward(up, sigmoid, silu)
        return silu * up

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (grad,) = grads
        up, sigmoid, silu = ctx.saved_tensors
        out = grad.new_empty(grad.shape[0], 2 * grad.shape[1])
        d_gate, d_up = out.chunk(2, -1)
        torch.mul(silu, grad, out=d_up)
        slope = torch.addcmul(silu, silu, sigmoid, value=-1).add_(sigmoid)
        torch.mul(slope.mul_(up), grad, out=d_gate)
        return out


class _Rotate(Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, turn: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
        ctx.save_for_backward(turn)
        qk = torch.view_as_complex(_pairs(qkv[:, :, : 2 * heads]))
        turned = torch.view_as_real(qk * turn).flatten(-2)
        return turned[:, :, :heads], turned[:, :, heads:], qkv[:, :, 2 * heads :]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (turn,) = ctx.saved_tensors
        out = torch.cat(grads, 2)
        qk = _pairs(out[:, :, : 2 * out.shape[2] // 3])
        torch.view_as_complex(qk).mul_(turn.conj())
        return out, None, None


def _pairs(x: Tensor) -> Tensor:
    return x.view(*x.shape[:-1], -1, 2)


class _LinearCrossEntropy(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        scores = F.linear(x, weight)
        rows = torch.arange(len(targets), device=targets.device)
        if not ctx.needs_input_grad[0]:
            return (scores.logsumexp(-1) - scores[rows, targets]).sum()
        log_p = torch.log_softmax(scores, -1)
        loss = -log_p[rows, targets].sum()
        d_scores = log_p.exp_()
        d_scores[rows, targets] -= 1.0
        ctx.save_for_backward(d_scores @ weight, d_scores.t() @ x)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        (grad,) = grads
        d_x, d_weight = ctx.saved_tensors
        return d_x * grad, d_weight * grad, None
