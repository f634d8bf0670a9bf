"""G(n, p) by streaming its edges: isolated vertices and components of graphs of any size.

No edge is stored. Pairs of vertices are walked along the circle, those at distance 1, then those
at distance 2, and so on, with geometric leaps from edge to edge (Batagelj and Brandes 2005). Every
round of n pairs passes each vertex twice, so that a dense graph has shown an edge at every vertex,
or hung together, after a few rounds: the walk stops there, since nothing can change any more.

    unparrot theory threshold gnp --n 1000000 --c 0 --trials 100

References
----------
Batagelj and Brandes (2005), "Efficient generation of large random networks", Phys. Rev. E 71.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.jit import kernel
from unparrot.core.machine import require_bytes, thread_count
from unparrot.core.wording import plural
from unparrot.stats.intervals import wilson
from unparrot.theory.checks import require_count
from unparrot.theory.graph.draws import over_blocks
from unparrot.theory.threshold import isolated_expected

# Vertices of the largest graph: their marks are 125 MB, their parents 4 GB
MOST_VERTICES = 1_000_000_000

# Expected edges of all trials together, some hours of one core
MOST_EDGES = 1e11


@dataclass(frozen=True, slots=True)
class GnpTrials:
    """What the trials of `simulate_gnp` found.

    Parameters
    ----------
    isolated
        int64, shape (trials,): vertices without an edge.
    edges
        int64, shape (trials,): edges walked before the rest could change nothing.
    components, largest
        int64, shape (trials,): number of components, isolated vertices among them, and vertices
        of the largest; None unless asked for.
    """

    isolated: NDArray[np.int64]
    edges: NDArray[np.int64]
    components: NDArray[np.int64] | None
    largest: NDArray[np.int64] | None

    def none_isolated(self, level: float = 0.95) -> Estimate:
        """Return the share of trials without an isolated vertex, with its Wilson interval."""
        return wilson(int((self.isolated == 0).sum()), len(self.isolated), level)


def simulate_gnp(
    n: int,
    p: float,
    *,
    trials: int = 1,
    seed: int = 0,
    components: bool = False,
    threads: int | None = None,
) -> GnpTrials:
    """Simulate G(n, p) several times.

    Parameters
    ----------
    n
        Vertices, 2 to `MOST_VERTICES`. A trial takes n/8 bytes, or 4n with ``components``.
    p
        Probability of an edge, in [0, 1].
    trials
        Number of graphs, at least 1.
    seed
        At least 0; trial t has the t-th child of its `numpy.random.SeedSequence`, whatever the
        number of threads.
    components
        Whether to count components too (union-find while streaming).
    threads
        Trials run at a time; None for all cores.

    Raises
    ------
    BadInput
        If a number is out of range, or the work needs more than `MOST_EDGES` edges or more memory
        than there is.
    """
    n, trials = require_count("the number n of vertices", n, 2), require_count("trials", trials, 1)
    seed = require_count("seed", seed, 0)
    isolated_expected(n, p)  # checks p
    if n > MOST_VERTICES:
        raise BadInput(f"n = {n:,} is above {MOST_VERTICES:,} vertices; lower n")
    expected = trials * walked_edges(n, p)
    if expected > MOST_EDGES:
        raise BadInput(
            f"{plural(trials, 'trial')} of G({n:,}, {p:g}) would walk some {expected:.3g} edges, "
            f"above {MOST_EDGES:.0e}; lower the number of trials, n or p"
        )
    workers = min(thread_count(threads), trials)
    each = 4 * n if components else n // 8 + 8
    require_bytes(
        each * workers, f"{plural(workers, 'graph')} of {n:,} vertices", "lower n or the threads"
    )
    rows = np.zeros((trials, 4), dtype=np.int64)

    def work(_: None, __: int, first: int, last: int) -> None:
        for trial in range(first, last):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(trial,)))
            marks = np.zeros(0 if components else n // 64 + 1, dtype=np.uint64)
            parent = np.full(n if components else 0, -1, dtype=np.int32)
            left, edges = _walk(n, p, rng, marks, parent)
            lonely = int((parent == -1).sum()) if components else left
            rows[trial] = lonely, edges, left, -int(parent.min(initial=0))

    over_blocks("random graphs", trials, 1, workers, lambda: None, work)
    isolated, walked, joined, largest = rows.T
    return GnpTrials(isolated, walked, *((joined, largest) if components else (None, None)))


def walked_edges(n: int, p: float) -> float:
    """Return about how many edges a trial walks: all, or enough to touch every vertex."""
    return min(p * n * (n - 1) / 2, n * (math.log(n) + 10) / 2)


@kernel
def _walk(
    n: int, p: float, rng: np.random.Generator, marks: NDArray[np.uint64], parent: NDArray[np.int32]
) -> tuple[int, int]:
    """Walk the edges, marking their ends, or joining the components of their ends.

    marks: n bits of 0, uint64 [n // 64 + 1]. parent: int32 [n], -1 everywhere; at a root minus the
    size of its component; empty to mark. Returns the vertices left unmarked, or the components,
    and the edges walked.
    """
    rate = -np.log1p(-p)
    joining = len(parent) > 0
    left, edges = n, 0
    at, distance = -1, 1
    if p == 0:
        return left, edges
    while left > joining:
        leap = rng.standard_exponential() / rate
        if leap > 2.0 * n * n:
            break
        at += 1 + int(leap)
        if at >= n:
            distance += at // n
            at %= n
        # at an even n the pairs at distance n/2 are met from both ends
        if distance > n // 2 or (2 * distance == n and 2 * at >= n):
            break
        edges += 1
        other = at + distance
        if other >= n:
            other -= n
        if joining:
            a, b = _root(parent, at), _root(parent, other)
            if a != b:
                if parent[a] > parent[b]:  # b is larger
                    a, b = b, a
                parent[a] += parent[b]
                parent[b] = a
                left -= 1
            continue
        for vertex in (at, other):
            word, bit = vertex >> 6, np.uint64(1) << np.uint64(vertex & 63)
            if not marks[word] & bit:
                marks[word] |= bit
                left -= 1
    return left, edges


@kernel
def _root(parent: NDArray[np.int32], vertex: int) -> int:
    """Root of the vertex; every other vertex on the way is hung one step higher."""
    while parent[vertex] >= 0:
        above = parent[vertex]
        if parent[above] >= 0:
            parent[vertex] = parent[above]
        vertex = above
    return vertex
