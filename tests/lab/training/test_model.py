from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unparrot.core.errors import BadInput
from unparrot.lab.training.model import (
    Llama,
    ModelShape,
    attention,
    resolve_device,
    rms_norm,
    rotate,
    rotation_table,
)


def _model(seed: int = 0) -> Llama:
    """A model whose blocks do something (output matrices start at zero otherwise)."""
    generator = torch.Generator().manual_seed(seed)
    model = Llama(ModelShape(16, 2, 2, 24, 19), generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    return model


def _random(*size: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def test_params_by_hand() -> None:
    # 19*16 embedding + 2 layers * (4*256 + 3*16*24 + 32) + 16 final gains = 304 + 4416 + 16
    shape = ModelShape(16, 2, 2, 24, 19)
    assert shape.params == 4736
    assert sum(p.numel() for p in _model().parameters()) == 4736


@pytest.mark.parametrize(("width", "heads"), [(16, 3), (6, 2), (0, 1)])
def test_bad_shapes_are_refused(width: int, heads: int) -> None:
    with pytest.raises(BadInput, match="width"):
        ModelShape(width, 2, heads, 24, 19)


@torch.no_grad()
def test_documents_do_not_see_each_other_nor_the_future() -> None:
    model = _model()
    tokens = torch.randint(3, 19, (10,), generator=torch.Generator().manual_seed(1))
    whole = model(tokens, torch.tensor([0, 4, 10]))
    torch.testing.assert_close(whole[4:], model(tokens[4:], torch.tensor([0, 6])))
    torch.testing.assert_close(whole[:8], model(tokens[:8], torch.tensor([0, 4, 8])))


def test_weights_follow_from_the_generator() -> None:
    assert torch.equal(_model(3).qkv, _model(3).qkv)
    assert not torch.equal(_model(3).qkv, _model(4).qkv)


def test_device_names() -> None:
    assert resolve_device("cpu").type == "cpu"
    with pytest.raises(BadInput, match="'tpu'"):
        resolve_device("tpu")


def test_rms_norm() -> None:
    x = _random(5, 19)
    expected = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(rms_norm(x), expected)


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
    table = rotation_table(size).double()
    mixed = attention(qkv, table, starts, heads)
    # by the definition, a query at a time
    for at, length in zip(starts.tolist(), sizes, strict=False):
        part = qkv[at : at + length].view(length, 3, heads, size)
        turn = table[:length, None]
        q, k, v = rotate(part[:, 0], turn), rotate(part[:, 1], turn), part[:, 2]
        for i in range(length):
            scores = torch.einsum("hs,jhs->hj", q[i], k[: i + 1]) / size**0.5
            expected = torch.einsum("hj,jhs->hs", scores.softmax(-1), v[: i + 1])
            torch.testing.assert_close(mixed[at + i], expected.flatten())
