"""Each fused operation equals plain torch, and its backward pass equals finite differences."""

from __future__ import annotations

import torch
from torch.nn import functional

from unparrot.lab.training.model import linear_cross_entropy, rms_norm, rotate, swiglu


def _random(*size: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=generator, dtype=torch.float64).requires_grad_()


def test_rms_norm() -> None:
    x = _random(5, 8)
    torch.testing.assert_close(rms_norm(x, 1e-5), functional.rms_norm(x, (8,), eps=1e-5))
    assert torch.autograd.gradcheck(lambda t: rms_norm(t, 1e-5), (x,))


def test_swiglu() -> None:
    x = _random(5, 12)
    torch.testing.assert_close(swiglu(x), functional.silu(x[:, :6]) * x[:, 6:])
    assert torch.autograd.gradcheck(swiglu, (x,))


def test_rotate_turns_queries_and_keys_by_the_angle_and_leaves_values() -> None:
    x = _random(2, 3, 6, 4)
    angle = _random(2, 3, 1, 2, seed=1).detach()
    turn = torch.complex(angle.cos(), angle.sin())
    q, k, v = rotate(x, turn, 2)
    even, odd = x[:, :, :2, 0::2], x[:, :, :2, 1::2]
    torch.testing.assert_close(q[..., 0::2], even * angle.cos() - odd * angle.sin())
    torch.testing.assert_close(q[..., 1::2], odd * angle.cos() + even * angle.sin())
    torch.testing.assert_close(k.square().sum(-1), x[:, :, 2:4].square().sum(-1))
    assert torch.equal(v, x[:, :, 4:])
    assert torch.autograd.gradcheck(lambda t: rotate(t, turn, 2), (x,))


def test_linear_cross_entropy() -> None:
    x, weight = _random(6, 4), _random(9, 4, seed=1)
    targets = torch.tensor([0, 8, 3, 3, 1, 5])
    expected = functional.cross_entropy(x @ weight.T, targets, reduction="sum")
    torch.testing.assert_close(linear_cross_entropy(x, weight, targets), expected)
    with torch.no_grad():  # the shorter path, which keeps no gradient
        torch.testing.assert_close(linear_cross_entropy(x, weight, targets), expected)
    assert torch.autograd.gradcheck(lambda a, b: linear_cross_entropy(a, b, targets), (x, weight))
