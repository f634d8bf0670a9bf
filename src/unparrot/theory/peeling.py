"""Learning as peeling: pieces that teach one skill after another, simulated and in the limit.

A piece of text teaches a skill when that is its only unknown one; a skill that stands twice in a
piece counts once. What is known in the end does not depend on the order of the pieces, so one pass
over a growing corpus gives the whole curve of skills learned against data (`simulate_peeling`), and
each piece may set off a cascade. `unparrot theory peel` draws it beside its limit for many skills.

The simulation
--------------
A waiting piece is two numbers: how many of its skills are unknown, and the exclusive or of their
indices. When one is left, the second number is that skill. Each unknown skill heads a linked list
of the edges to the pieces that wait for it. An edge is entered once and followed once, so the work
is linear in the edges; an edge of a skill that is known already is not kept at all.

The limit: density evolution
----------------------------
Let a piece hold k skills with probability r_k, let rho(y) = sum_k k r_k y^(k-1) / sum_k k r_k be
the generating function of the other skills along an edge, and let a skill s have Poisson many
edges, of mean c w_s, where c = (mean k) N2 / N1 and w_s = N1 mu1(s) has mean 1. A skill stays
unknown while none of its pieces teaches it, and a piece teaches along an edge with probability
rho(1 - x), so that

    x = sum_s mu1(s) exp(-a w_s),    a = c rho(1 - x),

where x is the chance that the far end of an edge is unknown. Learning starts from nothing known,
x = 1, and stops at the largest solution; a share (1/N1) sum_s exp(-a w_s) of the skills is then
still unknown, which is x itself for uniform mu1.

Both x and c are functions of the one number a, the mean number of lessons that a skill of weight
1 receives: c(a) = a / rho(1 - x(a)). The state at c is therefore the smallest a with c(a) = c: what
is learned follows the running maximum of c(a), and jumps wherever a local maximum ends it.

References
----------
Liao, Chang and Hong (2024), "A mathematical theory for learning semantic languages by abstract
learners" (arXiv 2404.07009), for learning as iterative decoding of the skill graph.
Luby, Mitzenmacher, Shokrollahi and Spielman (2001), "Efficient erasure correcting codes", IEEE
Trans. Inf. Theory 47, for density evolution with any degrees. The one curve c(a), which yields
the state and every jump for any mu1, is our arrangement of them.
Goodrich and Mitzenmacher (2011), "Invertible Bloom lookup tables", Allerton, where exclusive or
stores a graph that is to be peeled.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.jit import kernel
from unparrot.core.machine import require_bytes
from unparrot.core.progress import Progress
from unparrot.core.wording import plural
from unparrot.theory.checks import require_count
from unparrot.theory.graph.error_models import RandomErrors
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.stored import SkillGraph, store_graph
from unparrot.theory.roots import last_held

EDGES_LIMIT = 2**31 - 2  # edges and pieces are numbered in 32 bits

POINTS_A_DECADE = 400  # of the grid of a where extrema of c(a) are looked for: 0.6 % apart

# Skills whose frequencies lie this close (in the logarithm) stand in for each other by two points
# of their mean and variance, which errs by under 1e-8 in x; equal frequencies are exact.
CLASS_WIDTH = 0.03

SMALLEST_JUMP = 1e-6  # in the share learned: what rounding can make of a curve that only touches

_LEAST_WEIGHT = 1e-100
_CELLS = 2_000_000  # exponentials held at once: 16 MB of them
_BLOCK = 1 << 16  # pieces that arrive between two looks at the clock
_NONE = -1
_LEARNED, _USED = range(2)

Vector = NDArray[np.float64]


def peel_graph(
    graph: SkillGraph, at: Sequence[int] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Peel a given graph, its pieces in their order.

    Parameters
    ----------
    graph
        For example a tagged corpus (`graph.exchange.read_corpus`); failures play no part.
    at
        Numbers of pieces to report, rising, at most those of the graph; None reports the end.

    Returns
    -------
    learned, known
        Int64 [n]: skills known after so many pieces. Bool [N1]: which are known in the end.

    Raises
    ------
    BadInput
        If `at` does not rise or runs beyond the graph, or the work needs more memory than there is.

    Examples
    --------
    Skill 0 is taught alone, 1 then by the second piece, 2 by the first; 3 and 4 come as a pair:

    >>> graph = SkillGraph(np.array([0, 3, 5, 6, 8]), np.array([0, 1, 2, 0, 1, 0, 3, 4], np.int32),
    ...                    np.zeros(4, np.bool_), 5)
    >>> learned, known = peel_graph(graph, [2, 3, 4])
    >>> learned.tolist(), known.tolist()
    ([0, 3, 3], [True, True, True, False, False])
    """
    reported = _reported(at, graph.pieces)
    _require_room(graph.skill_count, graph.pieces, graph.edges)
    state = _State(
        known=np.zeros(graph.skill_count, np.bool_),
        stamp=np.full(graph.skill_count, _NONE, np.int32),
        head=np.full(graph.skill_count, _NONE, np.int32),
        stack=np.empty(graph.skill_count, np.int32),
        waiting=np.empty((graph.pieces, 2), np.int32),
        link=np.empty((graph.edges, 2), np.int32),
        totals=np.zeros(2, np.int64),
    )
    _arrive(graph.indptr, graph.skills, 0, 0, state)  # compiles, before the clock of the progress
    starts = [0, *reported.tolist()[:-1]]
    spans = [range(*span, _BLOCK) for span in zip(starts, reported.tolist(), strict=True)]
    progress = Progress("peeling", sum(map(len, spans)))
    learned, most_known = np.empty_like(reported), False
    for place, span in enumerate(spans):
        for first in span:
            _arrive(graph.indptr, graph.skills, first, min(first + _BLOCK, span.stop), state)
            progress.step()
            if not most_known and 2 * state.totals[_LEARNED] > graph.skill_count:
                # from here on a piece takes a tenth of the time
                most_known = True
                progress = Progress("peeling, most skills known", progress.steps - progress.done)
        learned[place] = state.totals[_LEARNED]
    return learned, state.known


def simulate_peeling(
    spec: GraphSpec, at: Sequence[int] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw a random skill graph and peel it, its pieces in their order.

    Parameters
    ----------
    spec
        The graph, the same as `graph.simulate` counts. Its first n pieces do not depend on how many
        follow, so what is reported at n holds for a graph of n pieces with the same seed.
    at
        Numbers of pieces to report, rising, at most ``spec.pieces``; None reports the end.

    Returns
    -------
    learned, known
        As of `peel_graph`.

    Raises
    ------
    BadInput
        If `at` does not rise or runs beyond the graph, or the work needs more memory than there is.

    Notes
    -----
    Away from a jump the share learned differs from `density_evolution` by chance only, of the
    order of N1^-1/2. A jump at c happens at a c that varies by the order of c N1^-1/2 from
    seed to seed. With repeats a piece of k draws may hold one skill k times and teach it alone;
    about c N1^(2-k) / k such pieces are among N1 skills and pieces of degree k, which counts for
    k = 2 only.

    Examples
    --------
    Two pieces of three hold one skill, the others two:

    >>> spec = GraphSpec(skills=100_000, pieces=300_000, degree=(0, 2 / 3, 1 / 3), seed=1)
    >>> (simulate_peeling(spec, [75_000, 300_000])[0] / spec.skills).round(1).tolist()
    [0.5, 1.0]
    """
    reported = _reported(at, spec.pieces)
    used = replace(spec, pieces=max(1, int(reported[-1])))
    _require_room(spec.skills, used.pieces, math.ceil(spec.mean_degree * used.pieces))
    # failures play no part
    return peel_graph(store_graph(used, RandomErrors(0.5)), reported.tolist())


class _State(NamedTuple):
    """What is known, and what waits."""

    known: NDArray[np.bool_]  # [N1]
    stamp: NDArray[np.int32]  # [N1] the last piece that held the skill while it was unknown
    head: NDArray[np.int32]  # [N1] first edge of the skill's list, or _NONE
    stack: NDArray[np.int32]  # [N1] skills whose lists are still to be followed
    waiting: NDArray[np.int32]  # [pieces, 2] number of unknown skills, and their exclusive or
    link: NDArray[np.int32]  # [edges, 2] next edge of the skill, and piece
    totals: NDArray[np.int64]  # [2] skills learned, edges kept


def _require_room(skills: int, pieces: int, edges: int) -> None:
    if max(pieces, edges) > EDGES_LIMIT:
        raise BadInput(
            f"peeling takes at most {EDGES_LIMIT:,} edges, not about {max(edges, pieces):,}; take "
            "fewer pieces (density evolution has no such limit)"
        )
    require_bytes(
        12 * edges + 17 * pieces + 13 * skills,
        f"the lists of {plural(pieces, 'piece')} with about {edges:,} edges",
        "take fewer pieces (density evolution needs no memory)",
    )


def _reported(at: Sequence[int] | None, pieces: int) -> NDArray[np.int64]:
    points = (
        [pieces] if at is None else [require_count("a number of pieces", n, 0, pieces) for n in at]
    )
    if not points or points != sorted(points):
        raise BadInput(f"the numbers of pieces must rise, and be at least one; not {points!r}")
    return np.array(points, dtype=np.int64)


@kernel
def _arrive(
    indptr: NDArray[np.int64], skills: NDArray[np.int32], first: int, stop: int, state: _State
) -> None:
    """Enter the pieces first .. stop - 1, and learn what follows from each."""
    stamp, head, link, totals = state.stamp, state.head, state.link, state.totals
    for piece in range(first, stop):
        unknown, both = 0, 0
        used = totals[_USED]
        for skill in skills[indptr[piece] : indptr[piece + 1]]:
            if state.known[skill] or stamp[skill] == piece:
                continue
            stamp[skill] = piece
            unknown += 1
            both ^= skill
            link[used, 0] = head[skill]
            link[used, 1] = piece
            head[skill] = used
            used += 1
        if unknown == 1:  # it teaches at once and waits for nothing
            used -= 1
            head[both] = link[used, 0]
            _learn(both, state)
        elif unknown > 1:
            state.waiting[piece, 0] = unknown
            state.waiting[piece, 1] = both
        totals[_USED] = used


@kernel
def _learn(skill: int, state: _State) -> None:
    """Learn a skill and all that its pieces, and theirs, then teach."""
    known, waiting, link, stack = state.known, state.waiting, state.link, state.stack
    known[skill] = True
    stack[0] = skill
    depth, learned = 1, 1
    while depth > 0:
        depth -= 1
        taught = stack[depth]
        edge = state.head[taught]
        while edge != _NONE:
            piece = link[edge, 1]
            waiting[piece, 0] -= 1
            waiting[piece, 1] ^= taught
            last = waiting[piece, 1]
            if waiting[piece, 0] == 1 and not known[last]:
                known[last] = True
                learned += 1
                stack[depth] = last
                depth += 1
            edge = link[edge, 0]
    state.totals[_LEARNED] += learned


@dataclass(frozen=True, slots=True)
class Jump:
    """A data size at which a whole share of the skills is learned at once.

    Parameters
    ----------
    mean_degree
        c of the jump, pieces per skill: (mean k) N2 / N1.
    before, after
        Share of the skills learned just below and just above it.
    """

    mean_degree: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class PeelThreshold:
    """Where learning jumps.

    Parameters
    ----------
    starts
        Whether anything is learned at all: whether some pieces hold a single skill.
    jumps
        All jumps, by rising data; empty if learning is smooth or never starts.
    """

    starts: bool
    jumps: tuple[Jump, ...]

    def describe(self) -> str:
        """Return the finding as one sentence."""
        if not self.starts:
            return "never starts: no piece holds a single skill, so none teaches the first one"
        if not self.jumps:
            return "no jump: learning is smooth"
        jump = self.jumps[0]
        more = f" (and {len(self.jumps) - 1} more)" if len(self.jumps) > 1 else ""
        return (
            f"a jump at mean degree {jump.mean_degree:.6g}: the share of skills learned goes from "
            f"{jump.before:.4g} to {jump.after:.4g}{more}"
        )


def density_evolution(spec: GraphSpec, mean_degree: ArrayLike) -> Vector:
    """Return the share of skills still unknown when learning stops, in the limit of many skills.

    Parameters
    ----------
    spec
        The graph; its degrees and frequencies count, its pieces, repeats and seed do not. (A
        repeated skill in one piece is O(1 / N1) of the edges and vanishes in the limit.)
    mean_degree
        Any shape: c, mean number of pieces per skill, each finite and at least 0.

    Returns
    -------
    NDArray
        Float64 of that shape. At the very c of a jump: the value before it.

    Raises
    ------
    BadInput
        If a mean degree is negative or not finite.

    Examples
    --------
    Pieces of one skill are a coupon collector, exp(-c):

    >>> density_evolution(GraphSpec(1000, 1, 1), [0.5, 2.0]).round(6).tolist()
    [0.606531, 0.135335]
    """
    c = np.asarray(mean_degree, dtype=np.float64)
    if not (np.isfinite(c) & (c >= 0)).all():
        bad = c[~(np.isfinite(c) & (c >= 0))].ravel()[0]
        raise BadInput(f"a mean degree must be finite and at least 0, not {float(bad)!r}")
    evolution = _Evolution(spec)
    if not evolution.starts:
        return np.ones_like(c)
    a, curve = evolution.landscape()
    wanted = c.ravel()
    first = np.searchsorted(np.maximum.accumulate(curve), wanted)
    # past the last point c(a) rises, and c(a) >= a: the root is at most c
    low, high = a[np.maximum(first - 1, 0)], np.append(a, 0)[first]
    high = np.where(first < len(a), high, wanted)
    return evolution.unknown(evolution.between(low, high, wanted)).reshape(c.shape)


def peel_threshold(spec: GraphSpec) -> PeelThreshold:
    """Return where the share of skills learned jumps as data grows.

    A jump sits at each local maximum of c(a) that exceeds all before it. Two extrema closer
    together than the grid (0.6 % in a) may be missed; such a jump has no visible size.

    Parameters
    ----------
    spec
        As for `density_evolution`.

    Examples
    --------
    >>> spec = GraphSpec(1000, 1, (0, 0.1, 0, 0, 0.9))
    >>> jump = peel_threshold(spec).jumps[0]
    >>> round(jump.mean_degree, 4), round(jump.before, 3), round(jump.after, 3)
    (6.8235, 0.261, 0.999)
    """
    evolution = _Evolution(spec)
    if not evolution.starts:
        return PeelThreshold(starts=False, jumps=())
    a, curve = evolution.landscape()
    jumps: list[Jump] = []
    i = 1
    while i < len(a) - 1:
        if curve[i] >= curve[i + 1]:
            above = np.flatnonzero(curve[i + 1 :] > curve[i])
            k = i + 1 + int(above[0])
            landing = evolution.between(a[k - 1 : k], a[k : k + 1], curve[i])
            before, after = 1 - evolution.unknown(np.append(a[i], landing))
            if after - before > SMALLEST_JUMP:
                jumps.append(Jump(float(curve[i]), float(before), float(after)))
            i = k
        i += 1
    return PeelThreshold(starts=True, jumps=tuple(jumps))


class _Evolution:
    """The curve c(a) of one degree distribution and one set of frequencies."""

    def __init__(self, spec: GraphSpec) -> None:
        r = spec.degree_probabilities
        k = np.arange(1, len(r))[r[1:] > 0]
        edges = k * r[k]
        self._power = (k - 1).astype(np.float64)
        self._edges = edges / edges.sum()
        self._share, self._weight = _classes(spec)
        self.starts = bool(k[0] == 1)

    def unknown(self, a: Vector) -> Vector:
        """Share of skills unknown at a [n]."""
        return self._sums(np.exp, a, self._share)[0]

    def curve(self, a: Vector) -> Vector:
        """c(a), [n]."""
        known = -self._sums(np.expm1, a, self._share * self._weight)[0]
        return a / self._rho(known)

    def slope(self, a: Vector) -> Vector:
        """rho^2 c'(a), [n], which has the sign of c'(a)."""
        weighted = self._share * self._weight
        squared = weighted * self._weight
        sums = -self._sums(np.expm1, a, weighted, squared)
        known, growth = sums[0], squared.sum() - sums[1]
        above = self._power > 0
        power, edges = self._power[above], self._edges[above]
        steep = (known[:, None] ** (power - 1)) @ (edges * power)
        return self._rho(known) - a * steep * growth

    def landscape(self) -> tuple[Vector, Vector]:
        """Return a rising from 0 and c(a), with every extremum of c(a) among the points.

        Beyond the last point c(a) rises.
        """
        weights = self._weight[self._weight > 0]
        if float(weights.min()) < _LEAST_WEIGHT:
            raise BadInput(
                "some skills are too rare for density evolution: a frequency is under "
                f"{_LEAST_WEIGHT:g} of the mean one; lower the power, or leave those skills out"
            )
        low = 1e-6 * min(1.0, float(self._edges[0])) / float(weights.max())
        # there every skill is known but for a part in 1e17, and rho = 1
        high = (math.log(self._power[-1] + 1) + 40) / float(weights.min())
        count = math.ceil(math.log10(high / low) * POINTS_A_DECADE) + 1
        a: Vector = np.geomspace(low, high, count)
        rising = self.slope(a) > 0
        turns = np.flatnonzero(rising[1:] != rising[:-1])
        extrema = last_held(lambda x: (self.slope(x) > 0) == rising[turns], a[turns], a[turns + 1])
        a = np.concatenate((np.zeros(1), np.sort(np.append(a, extrema))))
        curve = self.curve(a)
        # c(a) >= a, so that this last point lies above every maximum
        last = np.array([2 * max(high, float(curve.max()))])
        return np.append(a, last), np.append(curve, self.curve(last))

    def between(self, low: Vector, high: Vector, c: Vector) -> Vector:
        """The a in [low, high] with c(a) = c, where c(a) rises from under c to above."""
        return last_held(lambda a: self.curve(a) < c, low, high)

    def _rho(self, y: Vector) -> Vector:
        return (y[:, None] ** self._power) @ self._edges

    def _sums(self, function: Callable[[Vector], Vector], a: Vector, *terms: Vector) -> Vector:
        """Sum_j term_j function(-a w_j) for each term and a, [terms, n]."""
        stacked = np.array(terms)
        out = np.empty((len(terms), len(a)))
        step = max(1, _CELLS // len(self._weight))
        for start in range(0, len(a), step):
            part = slice(start, start + step)
            out[:, part] = stacked @ function(np.outer(-self._weight, a[part]))
        return out


def _classes(spec: GraphSpec) -> tuple[Vector, Vector]:
    """Share of the skills in each class, and their weight w, both [classes]; w has mean 1."""
    if spec.uniform:
        return np.ones(1), np.ones(1)
    weights = np.sort(spec.probabilities * spec.skills)
    zero = int(np.count_nonzero(weights == 0))
    positive = weights[zero:]
    label = np.floor(np.log(positive / positive[0]) / CLASS_WIDTH).astype(np.int64)
    _, start, count = np.unique(label, return_index=True, return_counts=True)
    mean = np.add.reduceat(positive, start) / count
    off = positive - np.repeat(mean, count)
    spread = np.sqrt(np.add.reduceat(off * off, start) / count)
    share = np.concatenate((count / 2, count / 2, [zero])) / spec.skills
    return share, np.concatenate((mean - spread, mean + spread, [0.0]))
