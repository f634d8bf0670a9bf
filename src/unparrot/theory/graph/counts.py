"""What a simulated skill graph comes down to: counts for each skill, each tuple, and the set Z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unparrot.theory.graph.error_models import Errors
from unparrot.theory.graph.graph_spec import GraphSpec


@dataclass(frozen=True, slots=True)
class ChosenCounts:
    """How the adversary of `WorstCase` fared with its set Z.

    Parameters
    ----------
    edges
        Tuples of all pieces, each piece apart: the sum of C(degree, k').
    chosen
        Those in Z.
    failed
        Those in Z whose piece failed.
    """

    edges: int
    chosen: int
    failed: int

    @property
    def alpha(self) -> float | None:
        """The share of the edges that lie in Z; None without edges."""
        return self.chosen / self.edges if self.edges else None

    @property
    def failure(self) -> float | None:
        """The failed share of the edges in Z, which `curve.sharp` bounds; None if there is none."""
        return self.failed / self.chosen if self.chosen else None


@dataclass(frozen=True, eq=False, slots=True)
class TupleCounts:
    """Counts for k'-tuples: of all that are possible, or of a sample.

    Parameters
    ----------
    size
        k'.
    total
        Number of possible tuples, C(N1, k') or with repeats C(N1 + k' - 1, k').
    sampled
        Number of draws of the sample; None if all possible tuples are counted.
    ids
        Ranks of the tuples (see `ranks`), rising, int64 [n]; with a sample the different ones.
    degree
        Pieces' tuples that are this one, int64 [n]; a piece that holds one of its skills more than
        once counts once for each choice of positions.
    failed
        Those in failed pieces, int64 [n].
    weights
        Float64 [n], summing to 1: the measure of each tuple (the chance that k' independent draws
        from mu1 give it, in any order; without repeats given that they differ), or with a sample
        its share of the draws, which were made with that measure.
    """

    size: int
    total: int
    sampled: int | None
    ids: NDArray[np.int64]
    degree: NDArray[np.int64]
    failed: NDArray[np.int64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class GraphCounts:
    """Degree and failure counts of a simulated skill graph.

    Parameters
    ----------
    spec, errors
        What was simulated.
    degree
        Edges of each skill, int64 [N1]; a piece that holds a skill twice counts twice.
    failed
        Those to failed pieces, int64 [N1].
    failed_pieces
        Number of failed pieces.
    chosen
        The adversary's set, with `WorstCase`; else None.
    tuples
        Counts for tuples, if they were asked for; else None.
    """

    spec: GraphSpec
    errors: Errors
    degree: NDArray[np.int64]
    failed: NDArray[np.int64]
    failed_pieces: int
    chosen: ChosenCounts | None = None
    tuples: TupleCounts | None = None

    @property
    def pieces(self) -> int:
        """Number of pieces, N2."""
        return self.spec.pieces

    @property
    def edges(self) -> int:
        """Number of edges."""
        return int(self.degree.sum())
