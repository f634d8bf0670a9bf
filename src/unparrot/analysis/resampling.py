"""Resampling: its level, number and seed, and a random generator for each resampled figure.

Each generator is made from the seed and the name of its figure, so a figure depends on nothing but
its own data and the seed: not on which other figures are worked out, nor on their order.
"""

import hashlib
import json
from dataclasses import dataclass

import numpy as np


def generator(seed: int, *name: str) -> np.random.Generator:
    """Return the generator of this seed and name.

    Examples
    --------
    >>> a, b = generator(1, "composition", "64k"), generator(1, "composition", "64k")
    >>> a.random() == b.random()
    True
    """
    digest = hashlib.blake2b(json.dumps(name).encode(), digest_size=16).digest()
    return np.random.default_rng([seed, int.from_bytes(digest)])


@dataclass(frozen=True, slots=True)
class Resampling:
    """Confidence level, number of resamples, and seed of the bootstraps."""

    level: float = 0.95
    resamples: int = 1000
    seed: int = 1

    def rng(self, *names: str) -> np.random.Generator:
        """Return the generator of one figure, which does not depend on the other figures."""
        return generator(self.seed, *names)


DEFAULT = Resampling()
