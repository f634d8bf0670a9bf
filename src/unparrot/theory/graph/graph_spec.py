"""What a random skill graph is made of: skills, pieces, degrees, frequencies and a seed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.graph.frequencies import Frequencies, PowerLaw, Uniform
from unparrot.theory.graph.limits import (
    DEGREE_LIMIT,
    PIECES_LIMIT,
    SKILLS_LIMIT,
    finite_list,
    whole,
)

MOST_REDRAWS = 10_000
"""Draws that one piece may be expected to need; above it distinct skills are refused."""


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """A random bipartite graph between skills and pieces of text.

    Each piece draws its degree, then its skills from mu1, independently of all other pieces.

    Parameters
    ----------
    skills
        N1, from 1 to 2^20.
    pieces
        N2, from 1 to 2^40.
    degree
        Skills in a piece, k: a number, or the probabilities of the degrees 0, 1, 2, ...
    repeats
        Whether a piece may draw one skill more than once. If not, each skill is drawn by its
        frequency among those that the piece does not hold yet (successive sampling; with uniform
        frequencies all sets of that size are equally likely).
    frequencies
        mu1: `Uniform`, `PowerLaw` or `Given`.
    seed
        From 0 to 2^64 - 1. Equal specs give equal graphs, whatever the threads or the device.

    Raises
    ------
    BadInput
        If a number is out of its range, the degrees are no distribution, or a piece without
        repeats cannot find enough skills.

    Examples
    --------
    >>> spec = GraphSpec(skills=1000, pieces=10**9, degree=8)
    >>> spec.max_degree, spec.mean_degree
    (8, 8.0)
    """

    skills: int
    pieces: int
    degree: int | tuple[float, ...]
    repeats: bool = True
    frequencies: Frequencies = field(default_factory=Uniform)
    seed: int = 0

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("skills", whole("the number of skills", self.skills, 1, SKILLS_LIMIT))
        put("pieces", whole("the number of pieces", self.pieces, 1, PIECES_LIMIT))
        put("seed", whole("the seed", self.seed, 0, 2**64 - 1))
        if isinstance(self.degree, Iterable):
            put("degree", _distribution(self.degree))
        else:
            put("degree", whole("the degree of a piece", self.degree, 1, DEGREE_LIMIT))
        mu1 = self.frequencies.probabilities(self.skills)
        if not self.repeats:
            self._require_distinct(mu1)

    def _require_distinct(self, mu1: NDArray[np.float64]) -> None:
        possible = int(np.count_nonzero(mu1))
        if self.max_degree > possible:
            raise BadInput(
                f"a piece of {self.max_degree} different skills cannot be drawn from the "
                f"{possible} that have a frequency above 0; lower the degree or allow repeats"
            )
        if self.uniform:
            return
        # the worst case: a piece that holds the most frequent skills already
        taken = np.cumsum(np.sort(mu1)[::-1])[: self.max_degree - 1]
        left = np.maximum(1.0 - taken, mu1[mu1 > 0].min())
        draws = 1.0 + float((1.0 / left).sum())
        if draws > MOST_REDRAWS:
            raise BadInput(
                f"a piece of {self.max_degree} different skills could need {draws:,.0f} draws "
                f"with these frequencies (at most {MOST_REDRAWS:,}); lower the degree, flatten "
                "the frequencies or allow repeats"
            )

    @property
    def uniform(self) -> bool:
        """Whether all skills are equally frequent by definition, so that no table is needed."""
        return isinstance(self.frequencies, Uniform) or (
            isinstance(self.frequencies, PowerLaw) and self.frequencies.exponent == 0
        )

    @property
    def degree_probabilities(self) -> NDArray[np.float64]:
        """Probabilities of the degrees 0 .. max_degree, float64 [max_degree + 1]."""
        if isinstance(self.degree, tuple):
            return np.array(self.degree, dtype=np.float64)
        fixed = np.zeros(self.degree + 1)
        fixed[self.degree] = 1.0
        return fixed

    @property
    def max_degree(self) -> int:
        """The largest degree that a piece can have."""
        return len(self.degree) - 1 if isinstance(self.degree, tuple) else self.degree

    @property
    def mean_degree(self) -> float:
        """The expected degree of a piece."""
        if isinstance(self.degree, tuple):
            return math.fsum(d * p for d, p in enumerate(self.degree))
        return float(self.degree)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """mu1, float64 [skills], summing to 1."""
        return self.frequencies.probabilities(self.skills)


def _distribution(values: Iterable[float]) -> tuple[float, ...]:
    """Probabilities of degrees, checked, without zeros at the end, scaled to sum to 1."""
    degrees = list(finite_list("the probabilities of the degrees", values, 0.0, 1.0))
    total = math.fsum(degrees)
    if abs(total - 1.0) > 1e-6:
        raise BadInput(f"the probabilities of the degrees must sum to 1, not {total!r}")
    while degrees[-1] == 0:
        degrees.pop()
    if not 2 <= len(degrees) <= DEGREE_LIMIT + 1:
        raise BadInput(
            f"the largest degree must be from 1 to {DEGREE_LIMIT:,}, not {len(degrees) - 1:,}"
        )
    return tuple(p / total for p in degrees)
