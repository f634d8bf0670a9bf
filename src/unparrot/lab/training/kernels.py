"""The four fused operations of the model, each with a hand-written backward pass.

On a CPU at widths 16 to 128 the time goes to small elementwise operations, so these keep the
number of passes over memory low. They use plain torch operations and run on CUDA as they stand.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


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
