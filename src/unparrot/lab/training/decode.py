"""Greedy decoding of a Llama, as one compiled function for one CPU core.

`unparrot.lab.training.generate` is the same in plain torch, for any device, precision and
temperature. A batch that fills a GPU leaves the caches of a CPU: there most of the time went into
reading keys and values from memory. Here a few texts at a time are written, a token a step, and one
that has ended makes room for the next prompt. The matrix products have the same shape at every
step, so that a text does not depend on what is written beside it.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch

from unparrot.core.jit import fused_kernel, inline_kernel
from unparrot.lab.training.kernels import (
    Floats,
    Integers,
    float32,
    gate,
    normalise,
    softmax,
)
from unparrot.lab.training.model import Llama

ROWS: Final = 16
"""Texts that are written together."""
LANES: Final = 16
"""Floats that a processor works on at once, or a multiple: tokens are rounded up to it."""


@torch.no_grad()
def decode(
    model: Llama, prompts: Sequence[Sequence[int]], max_new: int, eos: int
) -> list[list[int]]:
    """Continue each prompt with the likeliest tokens until `eos` or for `max_new` tokens.

    Parameters
    ----------
    model
        In float32 on a CPU.
    prompts
        Token ids, each of any length from 1, all known to the model.
    max_new
        Most new tokens of a text.
    eos
        Id of the token that ends a text.

    Returns
    -------
    list of list of int
        The new tokens of each prompt, without `eos`.
    """
    starts = np.cumsum([0, *map(len, prompts)])
    read = np.fromiter((token for prompt in prompts for token in prompt), np.int64, starts[-1])
    weights = (model.embedding, *model.folded(), model.embedding * model.final_gain)
    texts = np.zeros((len(prompts), max_new), np.int64)
    lengths = np.zeros(len(prompts), np.int64)
    arrays = tuple(weight.detach().contiguous().numpy() for weight in weights)
    _decode(read, starts, model.rotation.numpy(), arrays, eos, texts, lengths)
    return [text[:length].tolist() for text, length in zip(texts, lengths, strict=True)]


@fused_kernel
def _decode(
    prompts: Integers,
    starts: Integers,
    rotation: Floats,
    weights: Any,
    eos: int,
    texts: Integers,
    lengths: Integers,
) -> None:
    """Fill `texts` [n, most] and `lengths` [n]; prompt i is prompts[starts[i]:starts[i + 1]]."""
    embedding, to_qkv, to_out, to_gate_up, to_down, to_scores = weights
    count, most = texts.shape
    longest = 0
    for i in range(count):
        longest = max(longest, starts[i + 1] - starts[i])
    room = (longest + most + LANES - 1) // LANES * LANES
    cache = np.zeros((len(to_qkv), ROWS, 2, embedding.shape[1], room), np.float32)
    text = np.full(ROWS, count)  # which one a row writes; `count` where there is none left
    place, token = np.zeros(ROWS, np.int64), np.zeros(ROWS, np.int64)
    begun = min(ROWS, count)
    for r in range(begun):
        text[r], token[r] = r, prompts[starts[r]]
    left = count
    while left:
        x = embedding[token]
        change = np.zeros_like(x)
        for layer in range(len(to_qkv)):
            read, _ = normalise(x, change)
            qkv = np.dot(read, to_qkv[layer].T)
            mixed = _attend(qkv, rotation, place, cache[layer])
            again, _ = normalise(x, np.dot(mixed, to_out[layer].T))
            change = np.dot(gate(np.dot(again, to_gate_up[layer].T)), to_down[layer].T)
        read, _ = normalise(x, change)
        scores = np.dot(read, to_scores.T)
        for r in range(ROWS):
            i = text[r]
            if i == count:
                continue
            place[r] += 1
            if place[r] < starts[i + 1] - starts[i]:
                token[r] = prompts[starts[i] + place[r]]
                continue
            token[r] = np.argmax(scores[r])
            if token[r] != eos:
                texts[i, lengths[i]] = token[r]
                lengths[i] += 1
            if token[r] == eos or lengths[i] == most:
                left -= 1
                text[r], place[r], token[r] = count, 0, 0
                if begun < count:
                    text[r], token[r] = begun, prompts[starts[begun]]
                    begun += 1


@inline_kernel
def _attend(qkv: Floats, rotation: Floats, place: Integers, cache: Floats) -> Floats:
    """What the token of each row attends to, mixed [rows, width]; its key and value are kept in the
    cache [rows, 2, width, room]."""
    size = rotation.shape[1]
    width, half, scale = qkv.shape[1] // 3, size // 2, float32(1.0 / math.sqrt(size))
    mixed = np.empty((len(qkv), width), np.float32)
    shares, q = np.empty(cache.shape[3], np.float32), np.empty(size, np.float32)
    for r in range(len(qkv)):
        at, row = place[r], qkv[r]
        turn = rotation[at]
        tokens = (at + LANES) // LANES * LANES
        for head in range(width // size):
            k, v = cache[r, 0, head * size :], cache[r, 1, head * size :]
            own = row[head * size :]
            for c in range(half):
                cos, sin = turn[c], turn[half + c]
                a, b = own[c], own[half + c]
                q[c], q[half + c] = (a * cos - b * sin) * scale, (b * cos + a * sin) * scale
                a, b = own[width + c], own[width + half + c]
                k[c, at], k[half + c, at] = a * cos - b * sin, b * cos + a * sin
            for c in range(size):
                v[c, at] = own[2 * width + c]
            p = shares[:tokens]
            for c in range(0, size, 2):
                q0, q1, k0, k1 = q[c], q[c + 1], k[c], k[c + 1]
                if c == 0:
                    for j in range(tokens):
                        p[j] = q0 * k0[j] + q1 * k1[j]
                else:
                    for j in range(tokens):
                        p[j] += q0 * k0[j] + q1 * k1[j]
            p[at + 1 :] = float32(-1e30)
            softmax(p)
            p[at + 1 :] = float32(0.0)
            for c in range(0, size, 2):
                v0, v1 = v[c], v[c + 1]
                a = b = float32(0.0)
                for j in range(tokens):
                    a += p[j] * v0[j]
                    b += p[j] * v1[j]
                mixed[r, head * size + c], mixed[r, head * size + c + 1] = a, b
    return mixed
