"""Generation from many prompts at once, greedy or by sampling, with a key-value cache.

Greedy texts of a model in float32 on a CPU come from `unparrot.lab.training.decode`. For all others
prompts are sorted by length and laid right-aligned in batches; rows that have ended are taken out
of the batch. A text depends on its own prompt (and, when sampling, on its own generator) and not on
what else is in the batch: greedy picks the first maximum, and the random numbers of each text are
drawn before anything is generated. One caveat:
matrix products of different batch sizes may round differently (about 1e-6), so where two tokens
score equal to that precision, or a random number falls on the edge between two, another batch may
pick the other.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from unparrot.core.errors import BadInput
from unparrot.core.wording import plural
from unparrot.lab.training.decode import decode
from unparrot.lab.training.model import MAX_POSITIONS, Llama, rms_norm, rotate

BATCH = 256  # where `decode` does not serve; measured on a CPU core
DROP = 0.125  # share of rows that must have ended before the cache is compacted
GROW = 64  # tokens by which the cache grows: most texts are far shorter than they may be


@torch.inference_mode()
def generate(
    model: Llama,
    prompts: Sequence[Sequence[int]],
    max_new: int,
    eos: int,
    temperature: float = 0.0,
    generators: Sequence[torch.Generator] | None = None,
    batch: int = BATCH,
) -> list[list[int]]:
    """Continue each prompt until `eos` or for `max_new` tokens.

    Parameters
    ----------
    prompts
        Token ids, each of any length from 1.
    max_new
        Most new tokens of a text.
    eos
        Id of the token that ends a text.
    temperature
        0 takes the likeliest token, else scores are divided by it and sampled.
    generators
        CPU generators, one for each prompt, wanted when temperature > 0. Each is advanced by a draw
        of [max_new] numbers whatever is generated.
    batch
        Prompts that are worked on together; `decode` takes no notice of it.

    Returns
    -------
    list of list of int
        The new tokens of each prompt, in the order of the prompts, without `eos`. One that has
        `max_new` tokens did not come to an end.

    Raises
    ------
    BadInput
        For an empty prompt, an unknown token, too long a text, or sampling without generators.
    """
    _check(model, prompts, max_new, temperature, generators)
    weights = model.embedding
    if temperature == 0 and weights.device.type == "cpu" and weights.dtype == torch.float32:
        return decode(model, prompts, max_new, eos)
    draws = None
    if temperature > 0 and generators is not None:
        # numbers in [0, 1): the row of a prompt decides its text
        draws = torch.empty(len(prompts), max_new, dtype=torch.float64)
        for row, own in zip(draws, generators, strict=True):
            row.uniform_(generator=own)
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    texts: list[list[int]] = [[] for _ in prompts]
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        picked = None if draws is None else draws[chosen]
        written = _batch(model, [prompts[i] for i in chosen], max_new, eos, temperature, picked)
        for i, row in zip(chosen, written, strict=True):
            texts[i] = row[: row.index(eos)] if eos in row else row
    return texts


def _check(
    model: Llama,
    prompts: Sequence[Sequence[int]],
    max_new: int,
    temperature: float,
    generators: Sequence[torch.Generator] | None,
) -> None:
    for i, prompt in enumerate(prompts):
        if not prompt:
            raise BadInput(f"prompt {i} is empty; begin it with <bos>")
        if not 0 <= min(prompt) <= max(prompt) < model.shape.vocab:
            raise BadInput(f"prompt {i} has a token outside 0..{model.shape.vocab - 1}: {prompt}")
        if len(prompt) + max_new > MAX_POSITIONS:
            raise BadInput(
                f"prompt {i} has {plural(len(prompt), 'token')}; with {max_new} new ones that is "
                f"more than {MAX_POSITIONS}"
            )
    if max_new < 1 or temperature < 0 or not math.isfinite(temperature):
        raise BadInput(f"max_new is {max_new} (at least 1), temperature {temperature} (0 or more)")
    if temperature > 0 and (given := len(generators or ())) != len(prompts):
        raise BadInput(
            f"{given} generators for {len(prompts)} prompts; give each a torch.Generator, or "
            "temperature 0"
        )


def _batch(
    model: Llama,
    prompts: Sequence[Sequence[int]],
    max_new: int,
    eos: int,
    temperature: float,
    draws: Tensor | None,
) -> list[list[int]]:
    """New tokens of each prompt; after an `eos` a row may hold anything."""
    device, count = model.embedding.device, len(prompts)
    longest = max(len(p) for p in prompts)
    padded = [[0] * (longest - len(p)) + list(p) for p in prompts]
    pad = torch.tensor([longest - len(p) for p in prompts], device=device)
    decoder = _Decoder(model, pad, longest + min(max_new, GROW))
    new = torch.zeros(count, max_new, dtype=torch.int64, device=device)
    row = torch.arange(count, device=device)  # where in `new` each live row writes
    ended = torch.zeros(count, dtype=torch.bool, device=device)
    if draws is not None:
        draws = draws.to(device)
    scores = decoder.advance(torch.tensor(padded, device=device))
    for i in range(max_new):
        if draws is not None:
            token = _sample(scores / temperature, draws[row, i])
        elif device.type == "cpu":  # numpy's takes a fifth of the time
            token = torch.from_numpy(scores.numpy().argmax(-1))
        else:
            token = scores.argmax(-1)
        new[row, i] = token
        ended |= token == eos
        over = int(ended.sum())
        if over == len(row) or i + 1 == max_new:
            break
        if over >= DROP * len(row):
            keep = (~ended).nonzero()[:, 0]
            decoder.keep(keep)
            row, token, ended = row[keep], token[keep], ended[keep]
        scores = decoder.advance(token[:, None])
    rows: list[list[int]] = new.tolist()  # pyright: ignore[reportUnknownVariableType]
    return rows


def _sample(scores: Tensor, draw: Tensor) -> Tensor:
    """Token of each row of scores [n, vocab] at the quantile draw [n] of its distribution."""
    heaped = torch.softmax(scores, -1).cumsum(-1)
    edge = (draw * heaped[:, -1]).to(heaped.dtype)[:, None]
    token = torch.searchsorted(heaped, edge, right=True)[:, 0]
    # rounding may put the edge at the very top: then the last token that has any probability
    return torch.minimum(token, (heaped < heaped[:, -1:]).sum(-1))


class _Decoder:
    """Weights and key-value cache of a batch whose prompts are padded on the left by `pad` [n].

    There is room for `length` tokens, and more is made when they are needed.
    """

    def __init__(self, model: Llama, pad: Tensor, length: int) -> None:
        shape = model.shape
        self.model = model
        self.layers = model.folded()
        self.output = model.embedding * model.final_gain
        self.pad = pad
        self.at = 0
        size = (shape.layers, 2, len(pad), shape.heads, length, shape.head_size)
        self.cache = model.embedding.new_zeros(size)
        slots = torch.arange(length, device=pad.device)
        self.mask = model.embedding.new_zeros(len(pad), 1, 1, length)
        self.mask.masked_fill_((slots < pad[:, None])[:, None, None], -math.inf)

    def grow(self, length: int) -> None:
        """Make room for texts of `length` tokens."""
        more = length - self.mask.shape[-1]
        self.cache = F.pad(self.cache, (0, 0, 0, more))
        self.mask = F.pad(self.mask, (0, more))

    def keep(self, rows: Tensor) -> None:
        """Drop all rows of the batch but these (indices, ascending)."""
        self.cache = self.cache.index_select(2, rows)
        self.mask, self.pad = self.mask[rows], self.pad[rows]

    def advance(self, tokens: Tensor) -> Tensor:
        """Read tokens [n, length]; the scores [n, vocab] of what follows the last one."""
        rows, length = tokens.shape
        end = self.at + length
        if end > self.mask.shape[-1]:
            self.grow(end + GROW)
        slots = torch.arange(self.at, end, device=tokens.device)
        turn = self.model.rotation[(slots - self.pad[:, None]).clamp_(min=0)][:, :, None, None]
        mask = self.mask[..., :end]
        if length > 1:  # causal within the prompt; padding sees itself, to have something to see
            later = slots[:, None] < slots
            same = slots[:, None] == slots
            mask = mask.expand(-1, -1, length, -1).masked_fill(later, -math.inf)
            mask = mask.masked_fill(same, 0.0)

        def attend(layer: int, qkv: Tensor) -> Tensor:
            each = qkv.view(rows, length, 3, self.model.shape.heads, -1)
            q, k = rotate(each[:, :, :2], turn).transpose(1, 3).unbind(2)
            keys, values = self.cache[layer, :, :, :, :end]
            keys[:, :, self.at :] = k
            values[:, :, self.at :] = each[:, :, 2].transpose(1, 2)
            mixed = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
            return mixed.transpose(1, 2).reshape(rows * length, -1)

        x = self.model.run(tokens.flatten(), self.layers, attend)
        self.at = end
        last = x.view(rows, length, -1)[:, -1]
        return F.linear(rms_norm(last), self.output)
