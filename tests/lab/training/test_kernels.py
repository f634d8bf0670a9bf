"""Each fused kernel equals plain torch, values and gradients, and plain torch the definition."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from unparrot.lab.training.kernels import attention, cross_entropy, rms_norm, rotate, swiglu
from unparrot.lab.training.model import rotation_table


def _random(*size: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def _compare(operation: Callable[..., Tensor], *inputs: Tensor, uniform: bool = False) -> Tensor:
    """Run in float32, by the kernel, and in float64, by plain torch; return the latter's result."""
    results: list[Tensor] = []
    gradients: list[tuple[Tensor, ...]] = []
    for kind in (torch.float32, torch.float64):
        own = [x.detach().to(kind).requires_grad_() for x in inputs]
        result = operation(*own)
        assert result.dtype == kind
        given = torch.full_like(result, 0.7) if uniform else _random(*result.shape, seed=9).to(kind)
        gradients.append(torch.autograd.grad(result, own, given))
        results.append(result.detach())
    torch.testing.assert_close(results[0].double(), results[1], atol=1e-5, rtol=1e-5)
    for mine, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(mine.double(), plain, atol=1e-5, rtol=1e-5)
    return results[1]


def test_rms_norm() -> None:
    x = _random(5, 19)
    y = _compare(lambda t: rms_norm(t, 1e-5), x)
    torch.testing.assert_close(y, x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt())


def test_swiglu() -> None:
    x = torch.cat([_random(6, 44), 30 * _random(6, 44, seed=1)])  # also where sigmoids are 0 and 1
    y = _compare(swiglu, x)
    torch.testing.assert_close(y, x[:, :22] * torch.sigmoid(x[:, :22]) * x[:, 22:])


def test_cross_entropy() -> None:
    x, weight = 3 * _random(600, 4), _random(19, 4, seed=1)  # more than two lots of rows
    targets = torch.randint(19, (600,), generator=torch.Generator().manual_seed(2))
    losses = _compare(lambda a, b: cross_entropy(a, b, targets), x, weight, uniform=True)
    torch.testing.assert_close(losses, -(x @ weight.T).log_softmax(-1)[range(600), targets])
    with torch.no_grad():
        single = cross_entropy(x.float(), weight.float(), targets)
    torch.testing.assert_close(single.double(), losses, atol=2e-6, rtol=2e-6)


def test_rotate_turns_pairs_by_the_angle() -> None:
    x, angle = _random(3, 4), _random(3, 2, seed=1)
    turned = rotate(x, torch.cat([angle.cos(), angle.sin()], -1))
    expected = torch.complex(x[:, :2], x[:, 2:]) * torch.polar(torch.ones_like(angle), angle)
    torch.testing.assert_close(turned, torch.cat([expected.real, expected.imag], -1))


@pytest.mark.parametrize(("heads", "size"), [(1, 2), (2, 10), (3, 16)])
@pytest.mark.parametrize("sizes", [(1,), (1, 2, 3, 4, 5), (37, 8, 90, 33)])
def test_attention_within_documents(heads: int, size: int, sizes: tuple[int, ...]) -> None:
    starts = torch.tensor([0, *sizes]).cumsum(0)
    qkv = 2 * _random(sum(sizes), 3 * heads * size)
    table = rotation_table(size)
    mixed = _compare(lambda t: attention(t, table.to(t.dtype), starts, heads), qkv)
    # by the definition, a query at a time
    for at, length in zip(starts.tolist(), sizes, strict=False):
        part = qkv[at : at + length].view(length, 3, heads, size)
        turn = table[:length, None].double()
        q, k, v = rotate(part[:, 0], turn), rotate(part[:, 1], turn), part[:, 2]
        for i in range(length):
            scores = torch.einsum("hs,jhs->hj", q[i], k[: i + 1]) / size**0.5
            expected = torch.einsum("hj,jhs->hs", functional.softmax(scores, -1), v[: i + 1])
            torch.testing.assert_close(mixed[at + i], expected.flatten())
