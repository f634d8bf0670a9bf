"""A random skill graph in a line: skills, pieces, degrees, frequencies and a seed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.wording import plural
from unparrot.theory.checks import finite_list, require_count, require_distribution

SKILLS_LIMIT = 1 << 20  # a skill and a 44-bit threshold share one 64-bit word of an alias table
PIECES_LIMIT = 1 << 40  # the index of a piece times a degree stays far below 2^63
DEGREE_LIMIT = 1 << 16
MOST_REDRAWS = 10_000  # draws that one piece may need on average; above, repeats must be allowed


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Skill s (counted from 0) is drawn in proportion to ``(s + 1) ** -exponent``.

    Parameters
    ----------
    exponent
        At least 0, where 0 is uniform and 1 is Zipf's law.

    Raises
    ------
    BadInput
        If the exponent is negative or not finite.
    """

    exponent: float

    def __post_init__(self) -> None:
        if not 0 <= self.exponent < math.inf:
            raise BadInput(
                f"the exponent of the power law must be a finite number of at least 0, not "
                f"{self.exponent!r}"
            )

    def probabilities(self, skills: int) -> NDArray[np.float64]:
        """Return mu1, float64 [skills], summing to 1."""
        weights = np.arange(1, skills + 1, dtype=np.float64) ** -float(self.exponent)
        return weights / weights.sum()


@dataclass(frozen=True, slots=True)
class Given:
    """Skill s is drawn in proportion to ``frequencies[s]``.

    Parameters
    ----------
    frequencies
        One number a skill, not negative, not all 0; they need not sum to 1.

    Raises
    ------
    BadInput
        If a number is negative or not finite, or all are 0.
    """

    frequencies: Sequence[float]

    def __post_init__(self) -> None:
        values = finite_list("the frequencies of skills", self.frequencies, 0.0, math.inf)
        if not 0 < sum(values) < math.inf:
            raise BadInput(
                f"the frequencies of {plural(len(values), 'skill')} must have a positive sum"
            )
        object.__setattr__(self, "frequencies", values)

    def probabilities(self, skills: int) -> NDArray[np.float64]:
        """Return mu1, float64 [skills], summing to 1.

        Raises
        ------
        BadInput
            If there is not one frequency for each skill.
        """
        if len(self.frequencies) != skills:
            raise BadInput(
                f"{plural(len(self.frequencies), 'frequency')} for {plural(skills, 'skill')}; "
                "give one a skill"
            )
        weights = np.array(self.frequencies, dtype=np.float64)
        return weights / weights.sum()


Frequencies = PowerLaw | Given


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
        mu1: `PowerLaw`, of exponent 0 for uniform ones, or `Given`.
    seed
        From 0 to 2^64 - 1. Equal specs give equal graphs, whatever the number of threads.

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
    frequencies: Frequencies = PowerLaw(0.0)
    seed: int = 0

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("skills", require_count("the number of skills", self.skills, 1, SKILLS_LIMIT))
        put("pieces", require_count("the number of pieces", self.pieces, 1, PIECES_LIMIT))
        put("seed", require_count("the seed", self.seed, 0, 2**64 - 1))
        if isinstance(self.degree, Iterable):
            put("degree", _distribution(self.degree))
        else:
            put("degree", require_count("the degree of a piece", self.degree, 1, DEGREE_LIMIT))
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
        return self.frequencies == PowerLaw(0)

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
    """Check probabilities of degrees, drop zeros at the end, and scale them to sum to 1."""
    law = np.trim_zeros(require_distribution("the probabilities of the degrees", values), "b")
    if not 2 <= len(law) <= DEGREE_LIMIT + 1:
        raise BadInput(
            f"the largest degree must be from 1 to {DEGREE_LIMIT:,}, not {len(law) - 1:,}"
        )
    return tuple(law.tolist())
