"""Budgets: how large a ladder is trained, on how much text, and how closely it is tested.

One name, ``quick``, ``standard`` or ``large``, fixes everything but the seed and the device.
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from unparrot.core.errors import BadInput
from unparrot.lab.corpus import Mixture
from unparrot.lab.training.model import ModelShape
from unparrot.lab.training.train import DOCUMENTS_PER_STEP


@dataclass(frozen=True, slots=True)
class Rung:
    """A shape of the ladder, without the vocabulary, and how its models are trained.

    Parameters
    ----------
    width, layers, heads, hidden
        See `unparrot.lab.training.model.ModelShape`.
    learning_rate
        Peak rate of AdamW; None if the width decides.
    documents_per_step
        Documents in a training step.
    shares
        Shares of the budget's tokens, ascending: a model for each.
    """

    width: int
    layers: int
    heads: int
    hidden: int
    learning_rate: float | None = None
    documents_per_step: int = DOCUMENTS_PER_STEP
    shares: tuple[float, ...] = (1.0,)

    def shape(self, vocabulary: int) -> ModelShape:
        """Return the shape of the model over a vocabulary of that many tokens."""
        return ModelShape(self.width, self.layers, self.heads, self.hidden, vocabulary)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run costs.

    Parameters
    ----------
    name
        Name in records and on the command line.
    rungs
        The shapes of the models, smallest first.
    tokens
        Training tokens of every shape's longest training, prompts included.
    samples
        Combinations in each cell of the test.
    pieces
        Fresh documents for the cloze questions.
    ks
        Numbers of skills that are tested.
    mixture
        What training documents are drawn from.
    pair_share, triple_share, cell_share, max_k
        What is held out; see `unparrot.core.skills.HeldOut.draw`.

    Raises
    ------
    BadInput
        If there is no model or no k, or a number is under 1.
    """

    name: str
    rungs: tuple[Rung, ...]
    tokens: int
    samples: int
    pieces: int
    ks: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12)
    mixture: Mixture = field(default_factory=Mixture)
    pair_share: float = 0.15
    triple_share: float = 0.02
    cell_share: float = 0.05
    max_k: int = 8

    def __post_init__(self) -> None:
        if not self.rungs:
            raise BadInput("a budget needs at least one model")
        for name in ("tokens", "samples", "pieces"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 1, not {getattr(self, name)}")
        if not self.ks or min(self.ks) < 1:
            raise BadInput(f"ks must be numbers of skills from 1 on, not {self.ks}")


_LADDER: Final = (
    Rung(32, 4, 2, 80, shares=(0.25, 0.5, 1.0)),
    Rung(40, 4, 2, 104, shares=(0.25, 0.5, 1.0)),
    Rung(48, 4, 4, 128, shares=(0.25, 0.5, 1.0)),
    Rung(56, 4, 4, 144, shares=(0.25, 0.5, 1.0)),
)
# The fewest with which k grows along parameters and along tokens: with less training none of the
# shapes leaves the plateau on which full marks are 0.
_FEW: Final = (
    Rung(40, 4, 2, 104, shares=(0.5, 1.0)),
    Rung(56, 4, 4, 144, shares=(0.5, 1.0)),
)
BUDGETS: Final = MappingProxyType(
    {
        "quick": Budget("quick", _FEW, 2_600_000, 30, 300),
        "standard": Budget("standard", _LADDER, 5_200_000, 100, 1000),
        "large": Budget(
            "large",
            (
                Rung(64, 4, 4, 160, documents_per_step=96),
                Rung(128, 6, 4, 352, documents_per_step=96),
                Rung(256, 8, 8, 704, documents_per_step=192),
                Rung(512, 8, 8, 1408, documents_per_step=192),
                Rung(640, 10, 10, 1760, documents_per_step=192),
            ),
            200_000_000,
            500,
            5000,
        ),
    }
)


def budget(name: str) -> Budget:
    """Return the budget of that name.

    Raises
    ------
    BadInput
        If there is none; the message names those there are.
    """
    if name not in BUDGETS:
        raise BadInput(f"unknown budget {name!r}; choose one of {', '.join(BUDGETS)}")
    return BUDGETS[name]
