from __future__ import annotations

import pytest
import torch

from unparrot.lab.training.model import Llama
from unparrot.lab.training.optimiser import Optimiser, learning_rate, orthogonalise, schedule
from unparrot.lab.training.shape import ModelShape


def test_learning_rate_at_the_measured_widths() -> None:
    assert learning_rate(16) == pytest.approx(3.2e-2)
    assert learning_rate(128) == pytest.approx(1.2e-2, rel=1e-3)


def test_schedule_by_hand() -> None:
    # 200 steps: warm-up over 40, flat, linear over the last 100
    assert [schedule(i, 100, 200) for i in (0, 19, 39, 50, 100, 150, 199)] == pytest.approx(
        [1 / 40, 0.5, 1, 1, 1, 0.5, 0.01]
    )
    trunks = [[schedule(i, *ends) for i in range(100)] for ends in ((100, 200), (150, 170))]
    assert trunks[0] == trunks[1]


@pytest.mark.parametrize("size", [(8, 20), (20, 8), (8, 8)])
def test_orthogonalise_keeps_the_singular_vectors(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, *size, generator=generator)
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    found = orthogonalise(x)
    values = torch.linalg.diagonal(u.mT @ found @ v.mT)
    assert values.min() > 0.6
    assert values.max() < 1.3
    assert (found - u @ torch.diag_embed(values) @ v).abs().max() < 1e-3


@pytest.mark.parametrize("hidden", [8, 16, 40])
def test_first_step_moves_each_matrix_by_its_orthogonalised_gradient(hidden: int) -> None:
    generator = torch.Generator().manual_seed(0)
    model = Llama(ModelShape(16, 2, 2, hidden, 19), generator)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    grads: dict[str, torch.Tensor] = {}
    for name, p in model.named_parameters():
        grads[name] = torch.randn(p.shape, generator=generator)
        p.grad = grads[name].clone()
    Optimiser(model, rate=0.1, muon_factor=2.0).step(0, 1.0)
    moved = {name: before[name] - p.detach() for name, p in model.named_parameters()}

    key = grads["qkv"][1, 16:32]  # of the second layer
    torch.testing.assert_close(moved["qkv"][1, 16:32], 0.2 * orthogonalise(key[None])[0])
    up = grads["gate_up"][0, hidden:]
    grow = max(1.0, hidden / 16) ** 0.5
    expected = 0.2 * grow * orthogonalise(up[None])[0]
    torch.testing.assert_close(moved["gate_up"][0, hidden:], expected)
    # the first step of Adam is the sign of the gradient times the rate
    torch.testing.assert_close(
        moved["embedding"], 0.1 * grads["embedding"].sign(), atol=1e-4, rtol=1e-3
    )
    assert all(p.grad is None for p in model.parameters())
