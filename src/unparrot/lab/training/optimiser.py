"""Muon for the matrices inside the layers, AdamW (without decay) for embedding and norm gains.

Muon (Jordan et al. 2024) replaces the momentum of a matrix by the nearest orthogonal matrix. All
matrices of one shape are orthogonalised in one batch.
"""

import torch
from torch import Tensor

from unparrot.lab.training.model import Llama
from unparrot.lab.training.shape import MUON_FACTOR

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024
NEWTON_SCHULZ_STEPS = 5
MOMENTUM = 0.9
"""Lower than the usual 0.95: small models then learn sooner which noun is meant. At width 40 (117
thousand weights, two seeds) the excess is 0.35 and 0.25 nats a token after 1.3 million tokens and
0.14 and 0.12 after 2.6 million, against 0.42 and 0.81, 0.16 and 0.42 with 0.95 (a decay of 0.4, no
curriculum)."""
BETAS = (0.9, 0.95)
EPS = 1e-8
WARM_UP = 40  # steps


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
    """Approximate U V^T of each matrix U S V^T in [n, rows, columns], rows <= columns.

    Singular values come out between about 0.7 and 1.2 (quintic Newton-Schulz iteration).
    """
    a, b, c = NEWTON_SCHULZ
    norms = matrices.square().sum((-2, -1), keepdim=True).sqrt()
    x = matrices / (norms + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
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
        shape = model.shape
        d, n, h = shape.width, shape.layers, shape.hidden
        like = model.embedding
        self.square = like.new_zeros(4 * n, d, d)
        self.wide = like.new_zeros(3 * n, min(d, h), max(d, h))
        self.dense = (model.embedding, model.gains, model.final_gain)
        self.first = [torch.zeros_like(p) for p in self.dense]
        self.second = [torch.zeros_like(p) for p in self.dense]

    def state(self) -> dict[str, Tensor]:
        """The tensors that, with the weights and the step, determine all later updates."""
        named = {"square": self.square, "wide": self.wide}
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
        model, shape = self.model, self.model.shape
        d, n, h = shape.width, shape.layers, shape.hidden
        grads = torch.cat([_grad(model.qkv).view(3 * n, d, d), _grad(model.attention_out)])
        update = _momentum(self.square, grads)
        model.qkv.view(3 * n, d, d).sub_(update[: 3 * n], alpha=rate)
        model.attention_out.sub_(update[3 * n :], alpha=rate)
        gate_up, down = _grad(model.gate_up).view(2 * n, h, d), _grad(model.down)
        tall = h >= d  # the usual case: lay the matrices so that rows <= columns
        grads = torch.cat([gate_up.mT, down] if tall else [gate_up, down.mT])
        update = _momentum(self.wide, grads)
        up, back = update[: 2 * n], update[2 * n :]
        # outputs of a matrix keep their size however many there are (Jordan et al. 2024)
        grow, shrink = max(1.0, h / d) ** 0.5, max(1.0, d / h) ** 0.5
        model.gate_up.view(2 * n, h, d).sub_(up.mT if tall else up, alpha=rate * grow)
        model.down.sub_(back if tall else back.mT, alpha=rate * shrink)


def _momentum(buffer: Tensor, grads: Tensor) -> Tensor:
    buffer.lerp_(grads, 1 - MOMENTUM)
    return orthogonalise(torch.lerp(grads, buffer, MOMENTUM))  # Nesterov


def _grad(p: Tensor) -> Tensor:
    assert p.grad is not None, "backward has not been run"
    return p.grad
