"""The operations of a Llama's layers, each with a fused kernel for CPU cores.

`attention`, `rms_norm`, `swiglu` and `cross_entropy` are written twice: in plain torch, which runs
on any device and in any precision and is differentiated by torch, and as float32 kernels for one
core, each with its backward pass. At widths of 16 to 128 the general operations of torch spend
most of a step on passes over memory, and its attention spends more than half of it on blocks of
16 to 20 columns, padding, and what the causal mask hides.

Tokens of all documents of a batch stand one after another, [tokens, ...]; document i is
``starts[i]`` to ``starts[i + 1]`` and attends to itself alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from unparrot.core.jit import fused_kernel, inline_kernel

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
float32 = cast(Callable[[float], float], numba.float32)  # pyright: ignore

SCORE_ROWS = 256  # rows of scores made at a time: over 1,000 words they fill a megabyte of cache


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
    if _fused(qkv):
        return _Attention.apply(qkv, rotation, starts, heads)  # pyright: ignore
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


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """x [n, d] over its root mean square, without gain (Zhang and Sennrich 2019)."""
    if _fused(x):
        return _RmsNorm.apply(x, eps)  # pyright: ignore
    return F.rms_norm(x, x.shape[-1:], eps=eps)


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) * up, [n, h], from the two side by side, [n, 2h] (Shazeer 2020)."""
    if _fused(gate_up):
        return _SwiGlu.apply(gate_up)  # pyright: ignore
    gate, up = gate_up.chunk(2, -1)
    return F.silu(gate) * up


def cross_entropy(x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy (nats) of softmax(x weight^T) at the targets, float32 [n].

    x [n, d], weight [vocab, d], targets int64 [n]. The kernel makes the gradients of the *sum*
    together with the losses, a few rows of scores at a time; the gradient that comes back must
    therefore be the same for all n.
    """
    if _fused(x):
        return _CrossEntropy.apply(x, weight, targets)  # pyright: ignore
    return F.cross_entropy(F.linear(x, weight), targets, reduction="none")


def _fused(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32


def _array(x: Tensor) -> Any:
    return x.detach().contiguous().numpy()


class _Attention(Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, rotation: Tensor, starts: Tensor, heads: int) -> Tensor:
        full = (starts.diff() + 7) // 8  # weights of a head: 8 * 8 for each pair of these, twice
        weights = qkv.new_empty(int((full * (full + 1) * 32).sum()) * heads)
        mixed = qkv.new_empty(len(qkv), qkv.shape[1] // 3)
        read = _array(qkv), _array(rotation), _array(starts), heads
        ctx.arrays = *read, mixed.detach().numpy(), weights.numpy()
        _attend(*ctx.arrays)
        return mixed

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        arrays: tuple[Any, Any, Any, int, Any, Any] = ctx.arrays
        d_qkv = torch.empty(arrays[0].shape)
        _attend_back(*arrays, _array(grads[0]), d_qkv.numpy())
        return d_qkv, None, None, None


class _RmsNorm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        y = torch.empty_like(x)
        ctx.y, ctx.inverse = y.detach().numpy(), np.empty(len(x), np.float32)
        _normalise(_array(x), eps, ctx.y, ctx.inverse)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        d_x = torch.empty_like(grads[0])
        _normalise_back(ctx.y, ctx.inverse, _array(grads[0]), d_x.numpy())
        return d_x, None


class _SwiGlu(Function):
    @staticmethod
    def forward(ctx: Any, gate_up: Tensor) -> Tensor:
        y = gate_up.new_empty(len(gate_up), gate_up.shape[1] // 2)
        ctx.gate_up = _array(gate_up)
        _gate(ctx.gate_up, y.numpy())
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        d_gate_up = torch.empty(ctx.gate_up.shape)
        _gate_back(ctx.gate_up, _array(grads[0]), d_gate_up.numpy())
        return d_gate_up


class _CrossEntropy(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        losses = x.new_empty(len(x))
        learn = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        d_x, d_weight = torch.empty_like(x), torch.zeros_like(weight)
        room = x.new_empty(min(SCORE_ROWS, len(x)), len(weight))
        for start in range(0, len(x), SCORE_ROWS):
            part = slice(start, start + SCORE_ROWS)
            scores = torch.mm(x[part], weight.T, out=room[: len(x[part])])
            _surprise(scores.numpy(), _array(targets[part]), losses[part].numpy(), learn)
            if learn:  # the scores are now the gradients by them
                torch.mm(scores, weight, out=d_x[part])
                d_weight.addmm_(scores.T, x[part])
        ctx.grads = d_x, d_weight
        return losses

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        d_x, d_weight = ctx.grads
        return d_x * grads[0][0], d_weight * grads[0][0], None


@inline_kernel
def _exp(x: float) -> float:
    """e**x of a float32 for x <= 0, to 1.1e-7 of its value (Cephes' expf); vectorises."""
    x = max(x, float32(-87.0))
    n: Any = np.floor(x * float32(1.44269504) + float32(0.5))
    r = x - n * float32(0.693359375) + n * float32(2.12194440e-4)
    p = float32(1.9875691500e-4)
    p = p * r + float32(1.3981999507e-3)
    p = p * r + float32(8.3334519073e-3)
    p = p * r + float32(4.1665795894e-2)
    p = p * r + float32(1.6666665459e-1)
    p = p * r + float32(5.0000001201e-1)
    power: Any = np.int32((np.int32(n) + np.int32(127)) << np.int32(23))  # the bits of 2**n
    return (p * r * r + r + float32(1.0)) * power.view(np.float32)


@fused_kernel
def _normalise(x: Floats, eps: float, y: Floats, inverse: Floats) -> None:
    for i in range(len(x)):
        square = float32(0.0)
        for j in range(x.shape[1]):
            square += x[i, j] * x[i, j]
        inverse[i] = float32(1.0) / math.sqrt(square / float32(x.shape[1]) + float32(eps))
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] * inverse[i]


@fused_kernel
def _normalise_back(y: Floats, inverse: Floats, grad: Floats, d_x: Floats) -> None:
    for i in range(len(y)):
        mean = float32(0.0)
        for j in range(y.shape[1]):
            mean += grad[i, j] * y[i, j]
        mean /= float32(y.shape[1])
        for j in range(y.shape[1]):
            d_x[i, j] = (grad[i, j] - y[i, j] * mean) * inverse[i]


@inline_kernel
def _sigmoid(x: float) -> float:
    small = _exp(-abs(x))
    share = float32(1.0) / (float32(1.0) + small)
    return share if x >= float32(0.0) else small * share


@fused_kernel
def _gate(gate_up: Floats, y: Floats) -> None:
    h = y.shape[1]
    for i in range(len(y)):
        for j in range(h):
            gate = gate_up[i, j]
            y[i, j] = gate * _sigmoid(gate) * gate_up[i, h + j]


@fused_kernel
def _gate_back(gate_up: Floats, grad: Floats, d_gate_up: Floats) -> None:
    h = grad.shape[1]
    for i in range(len(grad)):
        for j in range(h):
            gate, up = gate_up[i, j], gate_up[i, h + j]
            share = _sigmoid(gate)
            silu = gate * share
            d_gate_up[i, j] = grad[i, j] * up * (share + silu - silu * share)
            d_gate_up[i, h + j] = grad[i, j] * silu


@fused_kernel
def _surprise(scores: Floats, targets: Integers, losses: Floats, learn: bool) -> None:
    """Losses of rows of scores, which become (if `learn`) the gradients of the losses' sum."""
    for i in range(len(scores)):
        row = scores[i]
        top = row[0]
        for j in range(len(row)):
            top = max(top, row[j])
        of_target = row[targets[i]] - top
        total = float32(0.0)
        for j in range(len(row)):
            p = _exp(row[j] - top)
            total += p
            row[j] = p
        losses[i] = math.log(total) - of_target
        if learn:
            inverse = float32(1.0) / total
            for j in range(len(row)):
                row[j] *= inverse
            row[targets[i]] -= float32(1.0)


# Attention. A head of a document is worked on in buffers that stay in the first cache: queries as
# rows [length, size], keys and values as columns [size, length]. Four queries at a time meet the
# tokens up to them, rounded up to 8, in the three loops that follow, which vectorise over tokens.


@inline_kernel
def _meet(a: Floats, i: int, k: Floats, m: int, s: Floats) -> None:
    """s[r, :m] = a[i + r] @ k[:, :m], for the rows r from 0 to 3."""
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    for c in range(0, len(k), 2):
        k0, k1 = k[c], k[c + 1]
        a0, a1, a2, a3 = a[i, c], a[i + 1, c], a[i + 2, c], a[i + 3, c]
        b0, b1, b2, b3 = a[i, c + 1], a[i + 1, c + 1], a[i + 2, c + 1], a[i + 3, c + 1]
        if c == 0:
            for j in range(m):
                s0[j] = a0 * k0[j] + b0 * k1[j]
                s1[j] = a1 * k0[j] + b1 * k1[j]
                s2[j] = a2 * k0[j] + b2 * k1[j]
                s3[j] = a3 * k0[j] + b3 * k1[j]
        else:
            for j in range(m):
                s0[j] += a0 * k0[j] + b0 * k1[j]
                s1[j] += a1 * k0[j] + b1 * k1[j]
                s2[j] += a2 * k0[j] + b2 * k1[j]
                s3[j] += a3 * k0[j] + b3 * k1[j]


@inline_kernel
def _mix(s: Floats, m: int, k: Floats, i: int, a: Floats) -> None:
    """a[i + r] = k[:, :m] @ s[r, :m], for the rows r from 0 to 3."""
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    for c in range(0, len(k), 2):
        k0, k1 = k[c], k[c + 1]
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = float32(0.0)
        for j in range(m):
            a0 += s0[j] * k0[j]
            a1 += s1[j] * k0[j]
            a2 += s2[j] * k0[j]
            a3 += s3[j] * k0[j]
            b0 += s0[j] * k1[j]
            b1 += s1[j] * k1[j]
            b2 += s2[j] * k1[j]
            b3 += s3[j] * k1[j]
        a[i, c], a[i + 1, c], a[i + 2, c], a[i + 3, c] = a0, a1, a2, a3
        a[i, c + 1], a[i + 1, c + 1], a[i + 2, c + 1], a[i + 3, c + 1] = b0, b1, b2, b3


@inline_kernel
def _give(s: Floats, m: int, a: Floats, i: int, k: Floats) -> None:
    """k[:, :m] += outer(a[i + r], s[r, :m]), over the rows r from 0 to 3."""
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    for c in range(0, len(k), 2):
        k0, k1 = k[c], k[c + 1]
        a0, a1, a2, a3 = a[i, c], a[i + 1, c], a[i + 2, c], a[i + 3, c]
        b0, b1, b2, b3 = a[i, c + 1], a[i + 1, c + 1], a[i + 2, c + 1], a[i + 3, c + 1]
        for j in range(m):
            k0[j] += a0 * s0[j] + a1 * s1[j] + a2 * s2[j] + a3 * s3[j]
            k1[j] += b0 * s0[j] + b1 * s1[j] + b2 * s2[j] + b3 * s3[j]


@inline_kernel
def _buffers(starts: Integers, size: int) -> tuple[Floats, Floats]:
    """Zeros for three kinds of rows [3, length, size] and five of columns [5, size, length]."""
    length = 0
    for n in range(len(starts) - 1):
        length = max(length, starts[n + 1] - starts[n])
    length = (length + 7) // 8 * 8
    size = max(4, size)
    return np.zeros((3, length, size), np.float32), np.zeros((5, size, length), np.float32)


@inline_kernel
def _load(qkv: Floats, turn: Floats, at: int, head: int, q: Floats, k: Floats, v: Floats) -> None:
    """Rotate the queries (scaled) and keys of a document's head into the buffers."""
    width, size = qkv.shape[1] // 3, turn.shape[1]
    half, scale = size // 2, float32(1.0 / math.sqrt(size))
    for i in range(len(turn)):
        row = qkv[at + i, head * size :]
        for c in range(half):
            cos, sin = turn[i, c], turn[i, half + c]
            x, y = row[c], row[half + c]
            q[i, c], q[i, half + c] = (x * cos - y * sin) * scale, (y * cos + x * sin) * scale
            x, y = row[width + c], row[width + half + c]
            k[c, i], k[half + c, i] = x * cos - y * sin, y * cos + x * sin
        for c in range(size):
            v[c, i] = row[2 * width + c]


@fused_kernel
def _attend(
    qkv: Floats, rotation: Floats, starts: Integers, heads: int, mixed: Floats, weights: Floats
) -> None:
    """Fill `mixed` [tokens, width], and `weights` with what the backward pass needs."""
    size = rotation.shape[1]
    rows, columns = _buffers(starts, size)
    q, out, k, v = rows[0], rows[1], columns[0], columns[1]
    used = 0
    for n in range(len(starts) - 1):
        at = starts[n]
        length = starts[n + 1] - at
        for head in range(heads):
            _load(qkv, rotation[:length], at, head, q, k, v)
            for i in range(0, length, 4):
                m = (i + 11) // 8 * 8
                w = weights[used : used + 4 * m].reshape(4, m)
                used += 4 * m
                _meet(q, i, k, m, w)
                for r in range(4):
                    p = w[r]
                    for j in range(i + r + 1, m):
                        p[j] = float32(-1e30)
                    top = p[0]
                    for j in range(m):
                        top = max(top, p[j])
                    total = float32(0.0)
                    for j in range(m):
                        e = _exp(p[j] - top)
                        total += e
                        p[j] = e
                    inverse = float32(1.0) / total
                    for j in range(m):
                        p[j] *= inverse
                    for j in range(i + r + 1, m):
                        p[j] = float32(0.0)
                _mix(w, m, v, i, out)
            for i in range(length):
                for c in range(size):
                    mixed[at + i, head * size + c] = out[i, c]


@fused_kernel
def _attend_back(
    qkv: Floats,
    rotation: Floats,
    starts: Integers,
    heads: int,
    mixed: Floats,
    weights: Floats,
    grad: Floats,
    d_qkv: Floats,
) -> None:
    """Fill `d_qkv` [tokens, 3 * width] from `grad`, the gradient by `mixed`."""
    size = rotation.shape[1]
    width, half, scale = heads * size, size // 2, float32(1.0 / math.sqrt(size))
    rows, columns = _buffers(starts, size)
    q, g, d_q, k, v = rows[0], rows[1], rows[2], columns[0], columns[1]
    d_k, d_v, d_s = columns[2], columns[3], columns[4]
    used = 0
    for n in range(len(starts) - 1):
        at = starts[n]
        length = starts[n + 1] - at
        for head in range(heads):
            _load(qkv, rotation[:length], at, head, q, k, v)
            for i in range(length):
                for c in range(size):
                    g[i, c] = grad[at + i, head * size + c]
            g[length : (length + 3) // 4 * 4] = 0.0  # queries that fill up the last four
            filled = (length + 7) // 8 * 8
            d_k[:, :filled] = 0.0
            d_v[:, :filled] = 0.0
            for i in range(0, length, 4):
                m = (i + 11) // 8 * 8
                w = weights[used : used + 4 * m].reshape(4, m)
                used += 4 * m
                _give(w, m, g, i, d_v)
                _meet(g, i, v, m, d_s)
                for r in range(4):
                    p, s = w[r], d_s[r]
                    mean = float32(0.0)
                    if i + r < length:
                        for c in range(size):
                            mean += g[i + r, c] * mixed[at + i + r, head * size + c]
                    for j in range(m):
                        s[j] = p[j] * (s[j] - mean)
                _mix(d_s, m, k, i, d_q)
                _give(d_s, m, q, i, d_k)
            for i in range(length):
                row = d_qkv[at + i, head * size :]
                for c in range(half):
                    cos, sin = rotation[i, c], rotation[i, half + c]
                    x, y = d_q[i, c] * scale, d_q[i, half + c] * scale
                    row[c], row[half + c] = x * cos + y * sin, y * cos - x * sin
                    x, y = d_k[c, i], d_k[half + c, i]
                    row[width + c], row[width + half + c] = x * cos + y * sin, y * cos - x * sin
                for c in range(size):
                    row[2 * width + c] = d_v[c, i]
