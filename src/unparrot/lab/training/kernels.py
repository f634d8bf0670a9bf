"""The losses of a Llama and their gradients, as one compiled function for one CPU core.

`unparrot.lab.training.model` is the same in plain torch, for any device and precision, and says
what is computed. At widths of 16 to 128 a step of torch spends more time on calling operations, on
passes over memory, and on padding than on its matrix products; here a few documents at a time go
forward and back through all layers.
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
MULTIPLE = 8  # to which the tokens of a document are rounded up where they meet: loops vectorise
TOGETHER = 512  # tokens of the documents that are worked on together, unless one alone has more


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
        made, ctx.grads = ctx.grads, ()  # a second time would find them changed, and fails
        return (None, None, None, *(grad.mul_(grads[0][0]) for grad in made))


def _array(x: Tensor) -> Any:
    return x.detach().contiguous().numpy()


@fused_kernel
def _losses(
    batch: Any, rotation: Floats, learn: bool, weights: Any, grads: Any, losses: Floats
) -> None:
    """Fill `losses`, and (if `learn`) add the gradients of their sum to `grads`."""
    tokens, starts, where, targets = batch
    turn = rotation[: np.max(np.diff(starts))].T.copy()
    n = 0
    while n < len(starts) - 1:
        end = n + 1
        while end < len(starts) - 1 and starts[end + 1] - starts[n] <= TOGETHER:
            end += 1
        at, to = starts[n], starts[end]
        a, b = np.searchsorted(where, at), np.searchsorted(where, to)  # pyright: ignore
        group = tokens[at:to], starts[n : end + 1] - at, where[a:b] - at, targets[a:b]
        _of_group(group, turn, learn, weights, grads, losses[a:b])
        n = end


@inline_kernel
def _of_group(
    group: Any, turn: Floats, learn: bool, weights: Any, grads: Any, losses: Floats
) -> None:
    """The same for some documents, which go forward and back together."""
    tokens, starts, where, targets = group
    embedding, to_qkv, to_out, to_gate_up, to_down, to_scores = weights
    x = embedding[tokens]
    change = np.zeros_like(x)
    saved: list[Any] = []
    for layer in range(len(to_qkv)):
        read, by = normalise(x, change)
        qkv = np.dot(to_qkv[layer], read.T)
        mixed, shares = _attend(qkv, turn, starts)
        used = mixed
        if layer == len(to_qkv) - 1:  # only the positions of losses go on
            x, used = x[where], mixed[:, where]
        again, by_again = normalise(x, np.dot(used.T, to_out[layer].T))
        gate_up = np.dot(again, to_gate_up[layer].T)
        change = np.dot(gate(gate_up), to_down[layer].T)
        saved.append((read, by, qkv, mixed, shares, used, again, by_again, gate_up))
    read, by = normalise(x, change)
    scores = np.dot(read, to_scores.T)
    _surprise(scores, targets, losses)
    if not learn:
        return
    d_embedding, d_to_qkv, d_to_out, d_to_gate_up, d_to_down, d_to_scores = grads
    # the scores are now the gradients by them
    d_x = np.zeros_like(read)
    _normalise_back(read, by, np.dot(scores, to_scores), d_x)
    _add_product(scores.T, read, d_to_scores)
    for layer in range(len(to_qkv) - 1, -1, -1):
        read, by, qkv, mixed, shares, used, again, by_again, gate_up = saved[layer]
        gated = np.dot(d_x, to_down[layer])
        _gate_back(gate_up, gated)
        _add_product(d_x.T, gated, d_to_down[layer])
        _add_product(gate_up.T, again, d_to_gate_up[layer])
        _normalise_back(again, by_again, np.dot(gate_up, to_gate_up[layer]), d_x)
        _add_product(d_x.T, used.T, d_to_out[layer])
        if layer == len(to_qkv) - 1:
            d_last, d_x = d_x, np.zeros_like(read)
            for i in range(len(where)):
                d_x[where[i]] = d_last[i]
        d_mixed = np.dot(to_out[layer].T, d_x.T)
        _attend_back(qkv, turn, starts, mixed, shares, d_mixed)
        _add_product(qkv, read, d_to_qkv[layer])
        _normalise_back(read, by, np.dot(qkv.T, to_qkv[layer]), d_x)
    for i in range(len(tokens)):
        row = d_embedding[tokens[i]]
        for j in range(len(row)):
            row[j] += d_x[i, j]


@inline_kernel
def _add_product(a: Floats, b: Floats, total: Floats) -> None:
    """Add a b to `total`; in loops, as numba's own addition does not vectorise."""
    product = np.dot(a, b)
    for i in range(len(total)):
        for j in range(total.shape[1]):
            total[i, j] += product[i, j]


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
def _gate_back(gate_up: Floats, grad: Floats) -> None:
    """Turn `gate_up` into the gradient by it, and the gradient by what `gate` made into that."""
    h = grad.shape[1]
    for i in range(len(grad)):
        own = gate_up[i]
        gates, ups, given = own[:h], own[h:], grad[i]
        for j in range(h):
            share = _sigmoid(gates[j])
            silu = gates[j] * share
            by_gate = given[j] * ups[j] * (share + silu - silu * share)
            by_up, made = given[j] * silu, silu * ups[j]
            gates[j], ups[j], given[j] = by_gate, by_up, made


@inline_kernel
def _highest(row: Floats) -> float:
    """The highest of floats, by their bits in an order of integers: a loop that vectorises."""
    bits: Any = row.view(np.int32)
    low = np.int32(0x7FFFFFFF)
    top = -low
    for j in range(len(bits)):
        bit = bits[j]
        top = max(top, np.int32(bit ^ ((bit >> np.int32(31)) & low)))
    back: Any = np.int32(top ^ ((top >> np.int32(31)) & low))
    return back.view(np.float32)


@inline_kernel
def softmax(row: Floats) -> tuple[float, float]:
    """Turn scores into shares of one; the highest score, and the sum of e**(score - highest)."""
    top = _highest(row)
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


# Attention. It works on columns: a row for each channel, a column for each token, so that its loops
# vectorise over tokens. All tokens of a document meet in a matrix product, those that the causal
# mask hides too: up to some 200 tokens that is faster than what can be written here for the others.


@inline_kernel
def _padded(length: int) -> int:
    return (length + MULTIPLE - 1) // MULTIPLE * MULTIPLE


@inline_kernel
def _copy(x: Floats, row: int, at: int, length: int, y: Floats) -> None:
    """Copy the columns of a head of a document to a buffer [size, at least length]."""
    for c in range(len(y)):
        of = x[row + c, at:]
        for i in range(length):
            y[c, i] = of[i]


@inline_kernel
def _copy_back(x: Floats, row: int, at: int, length: int, y: Floats) -> None:
    """Copy a buffer `y` to its place in `x`."""
    for c in range(len(y)):
        into = x[row + c, at:]
        for i in range(length):
            into[i] = y[c, i]


@inline_kernel
def _turn(x: Floats, row: int, at: int, length: int, turn: Floats, scale: float, y: Floats) -> None:
    """Copy as `_copy` does, rotated (see `model.rotate`) and scaled."""
    half = len(y) // 2
    for c in range(half):
        a, b = x[row + c, at:], x[row + half + c, at:]
        for i in range(length):
            y[c, i] = (a[i] * turn[c, i] - b[i] * turn[half + c, i]) * scale
        for i in range(length):
            y[half + c, i] = (b[i] * turn[c, i] + a[i] * turn[half + c, i]) * scale


@inline_kernel
def _turn_back(
    x: Floats, row: int, at: int, length: int, turn: Floats, scale: float, y: Floats
) -> None:
    """Write a buffer `y`, scaled and rotated back, to its place in `x`."""
    half = len(y) // 2
    for c in range(half):
        a, b = x[row + c, at:], x[row + half + c, at:]
        for i in range(length):
            a[i] = (y[c, i] * turn[c, i] + y[half + c, i] * turn[half + c, i]) * scale
        for i in range(length):
            b[i] = (y[half + c, i] * turn[c, i] - y[c, i] * turn[half + c, i]) * scale


@inline_kernel
def _attend(qkv: Floats, turn: Floats, starts: Integers) -> tuple[Floats, Floats]:
    """What each token attends to, mixed [width, tokens], and its shares for the way back, from
    queries, keys and values [3 * width, tokens]."""
    size = len(turn)
    width, one, scale = len(qkv) // 3, float32(1.0), float32(1.0 / math.sqrt(size))
    room = 0
    for n in range(len(starts) - 1):
        room += _padded(starts[n + 1] - starts[n]) ** 2 * (width // size)
    shares = np.empty(room, np.float32)
    mixed = np.empty((width, qkv.shape[1]), np.float32)
    used = 0
    for n in range(len(starts) - 1):
        at = starts[n]
        length = starts[n + 1] - at
        m = _padded(length)
        columns = np.zeros((3, size, m), np.float32)
        q, k, v = columns[0], columns[1], columns[2]
        for row in range(0, width, size):
            _turn(qkv, row, at, length, turn, scale, q)
            _turn(qkv, width + row, at, length, turn, one, k)
            _copy(qkv, 2 * width + row, at, length, v)
            w = shares[used : used + m * m].reshape(m, m)
            used += m * m
            np.dot(q.T, k, w)
            for i in range(length):
                end = _padded(i + 1)
                for j in range(i + 1, end):
                    w[i, j] = float32(-1e30)
                softmax(w[i, :end])
                for j in range(i + 1, m):
                    w[i, j] = float32(0.0)
            _copy_back(mixed, row, at, length, np.dot(v, w.T))
    return mixed, shares


@inline_kernel
def _attend_back(
    qkv: Floats, turn: Floats, starts: Integers, mixed: Floats, shares: Floats, grad: Floats
) -> None:
    """Turn `qkv` into the gradient by it, from that by `mixed`."""
    size = len(turn)
    width, one, scale = len(qkv) // 3, float32(1.0), float32(1.0 / math.sqrt(size))
    used = 0
    for n in range(len(starts) - 1):
        at = starts[n]
        length = starts[n + 1] - at
        m = _padded(length)
        columns = np.zeros((5, size, m), np.float32)
        q, k, v, g, out = columns[0], columns[1], columns[2], columns[3], columns[4]
        means = np.empty(length, np.float32)
        for row in range(0, width, size):
            _turn(qkv, row, at, length, turn, scale, q)
            _turn(qkv, width + row, at, length, turn, one, k)
            _copy(qkv, 2 * width + row, at, length, v)
            _copy(grad, row, at, length, g)
            _copy(mixed, row, at, length, out)
            means[:] = 0.0
            for c in range(size):
                for i in range(length):
                    means[i] += g[c, i] * out[c, i]
            w = shares[used : used + m * m].reshape(m, m)
            used += m * m
            d_s = np.dot(g.T, v)
            for i in range(length):
                end, mean = _padded(i + 1), means[i]
                for j in range(end):
                    d_s[i, j] = w[i, j] * (d_s[i, j] - mean)
                for j in range(end, m):
                    d_s[i, j] = float32(0.0)
            _turn_back(qkv, row, at, length, turn, scale, np.dot(k, d_s.T))
            _turn_back(qkv, width + row, at, length, turn, one, np.dot(q, d_s))
            _copy_back(qkv, 2 * width + row, at, length, np.dot(g, w))
