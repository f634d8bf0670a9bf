"""The shape of a model, and the recipe of its training where nothing else is asked for."""

from dataclasses import dataclass
from typing import Final

from unparrot.core.errors import BadInput

DOCUMENTS_PER_STEP: Final = 12
DECAY: Final = 0.25
"""Share of a branch's steps in which its rate decays. Excess in nats a token after 1.3 million
tokens, two seeds, at width 40: 0.24 and 0.21 with 0.25, 0.25 and 0.22 with 0.4, 0.26 and 0.23 with
0.6; at width 56: 0.15 and 0.19 with 0.25, 0.16 and 0.20 with 0.15."""
MUON_FACTOR: Final = 0.6
"""Muon's learning rate over AdamW's; see `unparrot.lab.training.optimiser.learning_rate`."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a model: residual `width`, `layers`, attention `heads`, SwiGLU `hidden`, `vocab`."""

    width: int
    layers: int
    heads: int
    hidden: int
    vocab: int

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "hidden", "vocab"):
            value = getattr(self, name)
            if value < 1:
                raise BadInput(f"{name} is {value}; it must be at least 1")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise BadInput(
                f"width {self.width} over {self.heads} heads gives no even head size; choose a "
                f"width that is an even multiple of the heads"
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def cost_of_document(self) -> float:
        """Expected time to learn from a document, in units of a multiplication.

        The weights met by each token, and a constant for attention and small operations (fitted by
        eye to the speeds that benchmarks/bench_training.py finds).
        """
        return self.params + 30_000.0

    @property
    def params(self) -> int:
        """Exact number of weights; the tied embedding counts once."""
        layer = 4 * self.width**2 + 3 * self.width * self.hidden + 2 * self.width
        return self.vocab * self.width + self.layers * layer + self.width
