from __future__ import annotations

import pytest
import torch

from unparrot.core.errors import BadInput
from unparrot.lab.training.model import Llama, ModelShape, attention_mask, resolve_device


def _model(seed: int = 0) -> Llama:
    """A model whose blocks do something (output matrices start at zero otherwise)."""
    generator = torch.Generator().manual_seed(seed)
    model = Llama(ModelShape(16, 2, 2, 24, 19), generator)
    with torch.no_grad():
        for weight in (model.attention_out, model.down):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    return model


def test_params_by_hand() -> None:
    # 19*16 embedding + 2 layers * (4*256 + 3*16*24 + 32) + 16 final gains = 304 + 4416 + 16
    shape = ModelShape(16, 2, 2, 24, 19)
    assert shape.params == 4736
    assert sum(p.numel() for p in _model().parameters()) == 4736


@pytest.mark.parametrize(("width", "heads"), [(16, 3), (6, 2), (0, 1)])
def test_bad_shapes_are_refused(width: int, heads: int) -> None:
    with pytest.raises(BadInput, match="width"):
        ModelShape(width, 2, heads, 24, 19)


def test_mask_by_hand() -> None:
    seen = attention_mask(torch.tensor([[1, 1, 2, 0]]))[0, 0] == 0
    assert seen.int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@torch.no_grad()
def test_documents_of_a_row_do_not_see_each_other_nor_the_future() -> None:
    model = _model()
    tokens = torch.randint(3, 19, (1, 10), generator=torch.Generator().manual_seed(1))
    segment = torch.tensor([[1] * 4 + [2] * 6])
    position = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3, 4, 5]])
    whole = model(tokens, position, segment)
    alone = model(tokens[:, 4:], position[:, 4:], segment[:, 4:])
    torch.testing.assert_close(whole[:, 4:], alone)
    shorter = model(tokens[:, :8], position[:, :8], segment[:, :8])
    torch.testing.assert_close(whole[:, :8], shorter)


@torch.no_grad()
def test_only_distances_between_positions_matter() -> None:
    model = _model()
    tokens = torch.randint(3, 19, (1, 6), generator=torch.Generator().manual_seed(1))
    position, segment = torch.arange(6)[None], torch.ones(1, 6, dtype=torch.int64)
    torch.testing.assert_close(
        model(tokens, position, segment),
        model(tokens, position + 700, segment),
        atol=1e-4,
        rtol=1e-4,
    )


def test_weights_follow_from_the_generator() -> None:
    assert torch.equal(_model(3).qkv, _model(3).qkv)
    assert not torch.equal(_model(3).qkv, _model(4).qkv)


def test_device_names() -> None:
    assert resolve_device("cpu").type == "cpu"
    with pytest.raises(BadInput, match="'tpu'"):
        resolve_device("tpu")
