"""The losses of a Llama and their gradients, as one compiled function for one CPU core.

`unparrot.lab.training.model` is the same in plain torch, for any device and precision, and says
what is computed. At widths of 16 to 128 a step of torch spends more time on calling operations, on
passes over memory, and on what padding and the causal mask hide than on its matrix products; here
a few documents at a time go forward and back through all layers, and stay in the cache.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd import Function

from unparrot.core.jit import fused_kernel, inline_kernel

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
float32 = cast(Callable[[float], float], numba.float32)  # pyright: ignore

NORM_EPS = 1e-5  # the value transformers writes for Llama 2 and 3
TOGETHER = 256  # tokens of the documents that are worked on together, unless one alone has more


class Losses(Function):
    """Cross-entropy (nats) at the positions of a batch, float32 [n].

    The gradients of the *sum* by the weights are made together with the losses; the gradient that
    comes back must therefore be the same for all n.
    """

    @staticmethod
    def forward(
        ctx: Any, batch: Sequence[Tensor], rotation: Tensor, learn: bool, *weights: Tensor
    ) -> Tensor:
        """Losses of `batch` (tokens, starts, where, targets: see `model.Batch`) by the `weights`:
        embedding, then those of the layers (`model.Layers`), then the output matrix. Without
        `learn` there are no gradients."""
        losses = torch.empty(len(batch[2]))
        ctx.grads = [torch.zeros_like(w) for w in weights]
        read, by, back = (tuple(map(_array, kind)) for kind in (batch, weights, ctx.grads))
        _losses(read, _array(rotation), learn, by, back, losses.numpy())
        return losses

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the sum, times what comes back for the first loss."""
        return (None, None, None, *(grad * grads[0][0] for grad in ctx.grads))


def _array(x: Tensor) -> Any:
    return x.detach().contiguous().numpy()


@fused_kernel
def _losses(
    batch: Any, rotation: Floats, learn: bool, weights: Any, grads: Any, losses: Floats
) -> None:
    """Fill `losses`, and (if `learn`) add the gradients of their sum to `grads`."""
    tokens, starts, where, targets = batch
    n = 0
    while n < len(starts) - 1:
        end = n + 1
        while end < len(starts) - 1 and starts[end + 1] - starts[n] <= TOGETHER:
            end += 1
        at, to = starts[n], starts[end]
        a, b = np.searchsorted(where, at), np.searchsorted(where, to)  # pyright: ignore
        group = tokens[at:to], starts[n : end + 1] - at, where[a:b] - at, targets[a:b]
        _of_group(group, rotation, learn, weights, grads, losses[a:b])
        n = end


@inline_kernel
def _of_group(
    group: Any, rotation: Floats, learn: bool, weights: Any, grads: Any, losses: Floats
) -> None:
    """The same for some documents, which go forward and back together."""
    tokens, starts, where, targets = group
    embedding, to_qkv, to_out, to_gate_up, to_down, to_scores = weights
    x = embedding[tokens]
    change = np.zeros_like(x)
    saved: list[Any] = []
    for layer in range(len(to_qkv)):
        read, by = normalise(x, change)
        qkv = np.dot(read, to_qkv[layer].T)
        mixed, shares = _attend(qkv, rotation, starts)
        used = mixed
        if layer == len(to_qkv) - 1:  # only the positions of losses go on
            x, used = x[where], mixed[where]
        again, by_again = normalise(x, np.dot(used, to_out[layer].T))
        gate_up = np.dot(again, to_gate_up[layer].T)
        gated = gate(gate_up)
        change = np.dot(gated, to_down[layer].T)
        saved.append((read, by, qkv, mixed, shares, used, again, by_again, gate_up, gated))
    read, by = normalise(x, change)
    scores = np.dot(read, to_scores.T)
    _surprise(scores, targets, losses)
    if not learn:
        return
    d_embedding, d_to_qkv, d_to_out, d_to_gate_up, d_to_down, d_to_scores = grads
    # the scores are now the gradients by them
    d_x = np.zeros_like(read)
    _normalise_back(read, by, _back(scores, to_scores, read, d_to_scores), d_x)
    for layer in range(len(to_qkv) - 1, -1, -1):
        read, by, qkv, mixed, shares, used, again, by_again, gate_up, gated = saved[layer]
        d_gated = _back(d_x, to_down[layer], gated, d_to_down[layer])
        d_gate_up = _gate_back(gate_up, d_gated)
        d_again = _back(d_gate_up, to_gate_up[layer], again, d_to_gate_up[layer])
        _normalise_back(again, by_again, d_again, d_x)
        d_mixed = _back(d_x, to_out[layer], used, d_to_out[layer])
        if layer == len(to_qkv) - 1:
            d_used, d_last = d_mixed, d_x
            d_mixed, d_x = np.zeros_like(mixed), np.zeros_like(mixed)
            for i in range(len(where)):
                d_mixed[where[i]] = d_used[i]
                d_x[where[i]] = d_last[i]
        d_qkv = _attend_back(qkv, rotation, starts, mixed, shares, d_mixed)
        d_read = _back(d_qkv, to_qkv[layer], read, d_to_qkv[layer])
        _normalise_back(read, by, d_read, d_x)
    for i in range(len(tokens)):
        d_embedding[tokens[i]] += d_x[i]


@inline_kernel
def _back(d_y: Floats, weight: Floats, x: Floats, d_weight: Floats) -> Floats:
    """The gradient by x of y = x weight^T; that by the weight is added to `d_weight`."""
    d_weight += np.dot(d_y.T, x)
    return np.dot(d_y, weight)


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


@inline_kernel
def normalise(x: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Add the change to x [n, d]; x over its root mean square (Zhang and Sennrich 2019, without
    gain), and one over that."""
    y, inverse = np.empty_like(x), np.empty(len(x), np.float32)
    for i in range(len(x)):
        square = float32(0.0)
        for j in range(x.shape[1]):
            x[i, j] += change[i, j]
            square += x[i, j] * x[i, j]
        inverse[i] = float32(1.0) / math.sqrt(square / float32(x.shape[1]) + float32(NORM_EPS))
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] * inverse[i]
    return y, inverse


@inline_kernel
def _normalise_back(y: Floats, inverse: Floats, grad: Floats, d_x: Floats) -> None:
    """Add to `d_x` the gradient by x."""
    for i in range(len(y)):
        mean = float32(0.0)
        for j in range(y.shape[1]):
            mean += grad[i, j] * y[i, j]
        mean /= float32(y.shape[1])
        for j in range(y.shape[1]):
            d_x[i, j] += (grad[i, j] - y[i, j] * mean) * inverse[i]


@inline_kernel
def _sigmoid(x: float) -> float:
    small = _exp(-abs(x))
    share = float32(1.0) / (float32(1.0) + small)
    return share if x >= float32(0.0) else small * share


@inline_kernel
def gate(gate_up: Floats) -> Floats:
    """silu(gate) * up, [n, h], from the two side by side (Shazeer 2020)."""
    h = gate_up.shape[1] // 2
    y = np.empty((len(gate_up), h), np.float32)
    for i in range(len(y)):
        for j in range(h):
            gate = gate_up[i, j]
            y[i, j] = gate * _sigmoid(gate) * gate_up[i, h + j]
    return y


@inline_kernel
def _gate_back(gate_up: Floats, grad: Floats) -> Floats:
    d_gate_up, h = np.empty_like(gate_up), grad.shape[1]
    for i in range(len(grad)):
        for j in range(h):
            gate, up = gate_up[i, j], gate_up[i, h + j]
            share = _sigmoid(gate)
            silu = gate * share
            d_gate_up[i, j] = grad[i, j] * up * (share + silu - silu * share)
            d_gate_up[i, h + j] = grad[i, j] * silu
    return d_gate_up


@inline_kernel
def softmax(row: Floats) -> tuple[float, float]:
    """Turn scores into shares of one; the highest score, and the sum of e**(score - highest)."""
    top = row[0]
    for j in range(len(row)):
        top = max(top, row[j])
    total = float32(0.0)
    for j in range(len(row)):
        e = _exp(row[j] - top)
        total += e
        row[j] = e
    inverse = float32(1.0) / total
    for j in range(len(row)):
        row[j] *= inverse
    return top, total


@inline_kernel
def _surprise(scores: Floats, targets: Integers, losses: Floats) -> None:
    """Losses of rows of scores, which become the gradients of the losses' sum."""
    for i in range(len(scores)):
        of_target = scores[i, targets[i]]
        top, total = softmax(scores[i])
        losses[i] = math.log(total) - (of_target - top)
        scores[i, targets[i]] -= float32(1.0)


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


@inline_kernel
def _attend(qkv: Floats, rotation: Floats, starts: Integers) -> tuple[Floats, Floats]:
    """What each token attends to, mixed [tokens, width], and its shares for the way back."""
    size = rotation.shape[1]
    heads = qkv.shape[1] // 3 // size
    rows, columns = _buffers(starts, size)
    q, out, k, v = rows[0], rows[1], columns[0], columns[1]
    full = (np.diff(starts) + 7) // 8  # shares of a head: 8 * 8 for each pair of these, twice
    shares = np.empty(np.sum(full * (full + 1)) * 32 * heads, np.float32)
    mixed = np.empty((len(qkv), heads * size), np.float32)
    used = 0
    for n in range(len(starts) - 1):
        at = starts[n]
        length = starts[n + 1] - at
        for head in range(heads):
            _load(qkv, rotation[:length], at, head, q, k, v)
            for i in range(0, length, 4):
                m = (i + 11) // 8 * 8
                w = shares[used : used + 4 * m].reshape(4, m)
                used += 4 * m
                _meet(q, i, k, m, w)
                for r in range(4):
                    p = w[r]
                    for j in range(i + r + 1, m):
                        p[j] = float32(-1e30)
                    softmax(p)
                    for j in range(i + r + 1, m):
                        p[j] = float32(0.0)
                _mix(w, m, v, i, out)
            for i in range(length):
                for c in range(size):
                    mixed[at + i, head * size + c] = out[i, c]
    return mixed, shares


@inline_kernel
def _attend_back(
    qkv: Floats, rotation: Floats, starts: Integers, mixed: Floats, shares: Floats, grad: Floats
) -> Floats:
    """The gradient by queries, keys and values, [tokens, 3 * width], from that by `mixed`."""
    d_qkv = np.empty_like(qkv)
    size = rotation.shape[1]
    width, half, scale = qkv.shape[1] // 3, size // 2, float32(1.0 / math.sqrt(size))
    rows, columns = _buffers(starts, size)
    q, g, d_q, k, v = rows[0], rows[1], rows[2], columns[0], columns[1]
    d_k, d_v, d_s = columns[2], columns[3], columns[4]
    used = 0
    for n in range(len(starts) - 1):
        at = starts[n]
        length = starts[n + 1] - at
        for head in range(width // size):
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
                w = shares[used : used + 4 * m].reshape(4, m)
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
    return d_qkv
