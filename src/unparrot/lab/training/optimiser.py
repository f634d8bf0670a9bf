"""Muon for the matrices inside the layers, AdamW (without decay) for embedding and norm gains.

Muon (Jordan et al. 2024) replaces the momentum of a matrix by the nearest orthogonal matrix. All
matrices of one kind are orthogonalised in one batch.
"""

import torch
from torch import Tensor

from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import MUON_FACTOR

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024
NEWTON_SCHULZ_STEPS = 4
"""One fewer than the usual 5, a fortieth of a step's time at width 72. Excess in nats a token after
0.85 and 2.1 million tokens, means of two seeds, with 5, 4 and 3: 0.81 and 0.39, 0.83 and 0.25, 0.75
and 0.54 at width 32; 0.34 and 0.14, 0.32 and 0.13, 0.33 and 0.13 at 44; 0.23 and 0.09 with each at
72."""
MOMENTUM = 0.9
"""Lower than the usual 0.95: small models then learn sooner which noun is meant. At width 40 (117
thousand weights, two seeds) the excess is 0.35 and 0.25 nats a token after 1.3 million tokens and
0.14 and 0.12 after 2.6 million, against 0.42 and 0.81, 0.16 and 0.42 with 0.95 (a decay of 0.4, no
curriculum)."""
BETAS = (0.9, 0.95)
EPS = 1e-8
WARM_UP = 40  # steps
RECIPE = (NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS, MOMENTUM, BETAS, EPS, WARM_UP)
"""What determines the weights beside the specification of a training."""


def learning_rate(width: int) -> float:
    """AdamW's peak rate: 3.2e-2 at width 16, 1.2e-2 at 128, a power law between and beyond.

    Measured at width 64 (4 layers, 1.3 million tokens, 12 documents a step, one seed), excess loss
    in nats a token by (AdamW's rate, Muon's): 0.16 at (0.017, 0.010) and (0.017, 0.005), 0.17 at
    (0.033, 0.010), 0.25 at (0.008, 0.010), 0.46 at (0.017, 0.021), 0.51 at (0.0055, 0.007) and 0.69
    at (0.008, 0.021). The exponent is assumed from earlier work.
    """
    return 3.2e-2 * (16 / width) ** 0.4717


def schedule(step: int, fork: int, end: int) -> float:
    """Share of the peak rate at `step` (from 0) of a training that decays from `fork` to `end`.

    Warm-up over `WARM_UP` steps, flat, then linear to 0 (warm-up, stable, decay: Hu et al. 2024,
    arXiv 2404.06395). Before `fork` it does not depend on `end`, so trainings of several lengths
    share their trunk.
    """
    return min(1.0, (step + 1) / WARM_UP, (end - step) / (end - fork))


def orthogonalise(matrices: Tensor) -> Tensor:
    """Approximate U V^T of each matrix U S V^T in [n, rows, columns].

    Singular values above 0.005 of the Frobenius norm come out between about 0.7 and 1.2, smaller
    ones lower (quintic Newton-Schulz iteration).
    """
    a, b, c = NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    norms = matrices.square().sum((-2, -1), keepdim=True).sqrt()
    x = matrices / (norms + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x.mT @ x if tall else x @ x.mT
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, *((x, factor) if tall else (factor, x)), beta=a)
    return x


class Optimiser:
    """Updates a model in place from the gradients of its weights.

    Parameters
    ----------
    model: its device is used for the state.
    rate: AdamW's peak learning rate; Muon's is `muon_factor` times that.
    """

    def __init__(self, model: Llama, rate: float, muon_factor: float = MUON_FACTOR) -> None:
        self.model = model
        self.rate = rate
        self.muon_factor = muon_factor
        self.inner = (model.qkv, model.attention_out, model.gate_up, model.down)
        self.momenta = [torch.zeros_like(p) for p in self.inner]
        self.dense = (model.embedding, model.gains, model.final_gain)
        self.first = [torch.zeros_like(p) for p in self.dense]
        self.second = [torch.zeros_like(p) for p in self.dense]

    def state(self) -> dict[str, Tensor]:
        """The tensors that, with the weights and the step, determine all later updates."""
        named = {f"momentum.{i}": momentum for i, momentum in enumerate(self.momenta)}
        for i, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            named |= {f"first.{i}": first, f"second.{i}": second}
        return named

    @torch.no_grad()
    def step(self, step: int, share: float) -> None:
        """One update at a share of the peak rate; `step` counts from 0. Clears the gradients."""
        rate = self.rate * share
        self._adam(rate, step + 1)
        self._muon(rate * self.muon_factor)
        for p in self.model.parameters():
            p.grad = None

    def _adam(self, rate: float, count: int) -> None:
        b1, b2 = BETAS
        scale = rate / (1 - b1**count)
        for p, first, second in zip(self.dense, self.first, self.second, strict=True):
            grad = _grad(p)
            first.lerp_(grad, 1 - b1)
            second.mul_(b2).addcmul_(grad, grad, value=1 - b2)
            p.addcdiv_(first, (second / (1 - b2**count)).sqrt_().add_(EPS), value=-scale)

    def _muon(self, rate: float) -> None:
        d, h = self.model.shape.width, self.model.shape.hidden
        sizes = ((d, d), (d, d), (h, d), (d, h))
        for p, momentum, size in zip(self.inner, self.momenta, sizes, strict=True):
            grad = _grad(p)
            momentum.lerp_(grad, 1 - MOMENTUM)
            ahead = torch.lerp(grad, momentum, MOMENTUM)  # Nesterov
            # outputs of a matrix keep their size however many there are (Jordan et al. 2024)
            grow = max(1.0, size[0] / size[1]) ** 0.5
            p.sub_(orthogonalise(ahead.reshape(-1, *size)).view(p.shape), alpha=rate * grow)


def _grad(p: Tensor) -> Tensor:
    assert p.grad is not None, "backward has not been run"
    return p.grad
