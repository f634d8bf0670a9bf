"""The fused losses and gradients equal those that torch makes of the plain model in float64."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from unparrot.lab.training.kernels import TOGETHER
from unparrot.lab.training.model import Batch, Llama
from unparrot.lab.training.shape import ModelShape

VOCAB = 23


def _model(shape: ModelShape, scale: float) -> Llama:
    """A model whose blocks do something, with gains that differ."""
    generator = torch.Generator().manual_seed(0)
    model = Llama(shape, generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
        model.gate_up *= scale
        for gain in (model.gains, model.final_gain):
            gain.copy_(torch.rand(gain.shape, generator=generator) + 0.5)
    return model


def _batch(*sizes: int, silent: int | None = None) -> Batch:
    """Random documents; about two thirds of their successors are predicted, none of `silent`."""
    generator = torch.Generator().manual_seed(1)
    starts = torch.tensor([0, *sizes]).cumsum(0)
    tokens = torch.randint(VOCAB, (int(starts[-1]),), generator=generator)
    wanted = torch.rand(len(tokens), generator=generator) < 2 / 3
    wanted[starts[1:] - 1] = False
    if silent is not None:
        wanted[starts[silent] : starts[silent + 1]] = False
    where = wanted.nonzero()[:, 0]
    return Batch(tokens, starts, where, tokens[where + 1])


def _losses_and_gradients(model: Llama, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    losses = model.losses(batch)
    (0.7 * losses.sum()).backward()  # pyright: ignore[reportUnknownMemberType]
    return losses.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(
    ("shape", "batch", "scale"),
    [
        (ModelShape(2, 1, 1, 3, VOCAB), _batch(1, 2, 3, 4, 5), 1.0),
        (ModelShape(20, 2, 2, 24, VOCAB), _batch(37, 8, 90, 33, *[TOGETHER // 3] * 4, 60), 1.0),
        (ModelShape(48, 3, 3, 40, VOCAB), _batch(12, TOGETHER + 9, 7), 1.0),
        (ModelShape(16, 2, 2, 24, VOCAB), _batch(*[TOGETHER * 2 // 3] * 3, silent=1), 1.0),
        (ModelShape(16, 2, 2, 24, VOCAB), _batch(50, 3), 40.0),  # sigmoids of 0 and 1
    ],
    ids=["tiny", "groups", "long", "nothing to learn in a group", "saturated gates"],
)
def test_losses_and_gradients(shape: ModelShape, batch: Batch, scale: float) -> None:
    model = _model(shape, scale)
    plain = copy.deepcopy(model).double()
    losses, gradients = _losses_and_gradients(model, batch)
    expected, exact = _losses_and_gradients(plain, batch)
    torch.testing.assert_close(losses.double(), expected, atol=1e-5, rtol=1e-5)
    assert gradients.keys() == exact.keys() == dict(model.named_parameters()).keys()
    for name, gradient in gradients.items():
        room = 1e-5 * float(exact[name].abs().max())
        torch.testing.assert_close(gradient.double(), exact[name], atol=room, rtol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(model.losses(batch), losses)
