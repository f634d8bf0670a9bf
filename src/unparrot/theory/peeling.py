"""Peeling a skill graph: pieces arrive one by one, and each may set off a cascade of learning.

A piece teaches a skill when that is the only one of its skills that is still unknown; a skill that
stands twice in a piece counts once. What is known in the end does not depend on the order of the
pieces, so one pass over a growing corpus gives the whole curve of skills learned against data.
`unparrot theory peel` draws it beside its limit (`peel`).

A waiting piece is two numbers: how many of its skills are unknown, and the exclusive or of their
indices. When one is left, the second number is that skill. Each unknown skill heads a linked list
of the edges to the pieces that wait for it. An edge is entered once and followed once, so the work
is linear in the edges; an edge of a skill that is known already is not kept at all.

References
----------
Goodrich and Mitzenmacher (2011), "Invertible Bloom lookup tables", Allerton, where exclusive or
stores a graph that is to be peeled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.machine import require_bytes
from unparrot.theory.graph.csr import SkillGraph
from unparrot.theory.graph.draws import Chunk, DrawPlan, draw_chunk, draw_plan, new_chunk
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.limits import whole
from unparrot.theory.jit import kernel

EDGES_LIMIT = 2**31 - 2
"""Edges and pieces are numbered in 32 bits."""

_NONE = -1
_EDGES, _LEARNED, _USED = range(3)


@dataclass(frozen=True, eq=False, slots=True)
class PeelResult:
    """How many skills were known after some numbers of pieces.

    Parameters
    ----------
    skills
        N1.
    pieces
        Int64 [n], rising: numbers of pieces that had arrived.
    edges
        Int64 [n]: edges of those pieces; a skill that stands twice in a piece counts twice.
    learned
        Int64 [n]: skills known by then.
    known
        Bool [N1]: which are known in the end.
    """

    skills: int
    pieces: NDArray[np.int64]
    edges: NDArray[np.int64]
    learned: NDArray[np.int64]
    known: NDArray[np.bool_]

    @property
    def mean_degree(self) -> NDArray[np.float64]:
        """Edges per skill, float64 [n]."""
        return self.edges / self.skills

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the skills known, float64 [n]."""
        return self.learned / self.skills


def peel_graph(graph: SkillGraph, at: Sequence[int] | None = None) -> PeelResult:
    """Peel a given graph, its pieces in their order.

    Parameters
    ----------
    graph
        For example a tagged corpus (`graph.corpus.read_corpus`); failures play no part.
    at
        Numbers of pieces to report, rising, at most those of the graph; None reports the end.

    Raises
    ------
    BadInput
        If `at` does not rise or runs beyond the graph, or the work needs more memory than there is.

    Examples
    --------
    Skill 0 is taught alone, 1 then by the second piece, 2 by the first; 3 and 4 come as a pair:

    >>> graph = SkillGraph(np.array([0, 3, 5, 6, 8]), np.array([0, 1, 2, 0, 1, 0, 3, 4], np.int32),
    ...                    np.zeros(4, np.bool_), 5)
    >>> peel_graph(graph, [2, 3, 4]).learned.tolist()
    [0, 3, 3]
    """
    reported = _reported(at, graph.pieces)
    state = _start(graph.skill_count, graph.pieces, graph.edges, graph.edges)
    rows: list[NDArray[np.int64]] = []
    first = 0
    for stop in reported.tolist():
        _arrive_stored(graph.indptr, graph.skills, first, stop, state)
        rows.append(state.totals.copy())
        first = stop
    return _result(graph.skill_count, reported, rows, state)


def simulate_peeling(spec: GraphSpec, at: Sequence[int] | None = None) -> PeelResult:
    """Draw a random skill graph piece by piece and peel it as it grows.

    Parameters
    ----------
    spec
        The graph, the same as `graph.simulate` counts. Its first n pieces do not depend on how many
        follow, so what is reported at n holds for a graph of n pieces with the same seed.
    at
        Numbers of pieces to report, rising, at most ``spec.pieces``; None reports the end.

    Raises
    ------
    BadInput
        If `at` does not rise or runs beyond the graph, or the work needs more memory than there is.

    Notes
    -----
    Away from a jump the share learned differs from `peel.density_evolution` by chance only, of the
    order of N1^-1/2. A jump at c happens at a c that varies by the order of c N1^-1/2 from
    seed to seed. With repeats a piece of k draws may hold one skill k times and teach it alone;
    about c N1^(2-k) / k such pieces are among N1 skills and pieces of degree k, which counts for
    k = 2 only.

    Examples
    --------
    Two pieces of three hold one skill, the others two:

    >>> spec = GraphSpec(skills=100_000, pieces=300_000, degree=(0, 2 / 3, 1 / 3), seed=1)
    >>> simulate_peeling(spec, [75_000, 300_000]).share.round(1).tolist()
    [0.5, 1.0]
    """
    reported = _reported(at, spec.pieces)
    last = int(reported[-1])
    mean = spec.mean_degree * last
    spread = sum(d * d * float(p) for d, p in enumerate(spec.degree_probabilities)) * last
    room = math.ceil(mean + 8 * math.sqrt(spread)) + spec.max_degree
    state = _start(spec.skills, last, math.ceil(mean), room, spec.max_degree)
    plan = draw_plan(spec)
    chunk = new_chunk(plan)
    rows: list[NDArray[np.int64]] = []
    first = 0
    for stop in reported.tolist():
        while first < stop:
            first = _arrive_drawn(plan, chunk, first, stop, state)
            if first < stop:  # more edges than eight standard deviations allow
                state = state._replace(link=np.concatenate((state.link, state.link)))
        rows.append(state.totals.copy())
    return _result(spec.skills, reported, rows, state)


class _State(NamedTuple):
    """What is known, and what waits."""

    known: NDArray[np.bool_]
    """[N1]"""
    stamp: NDArray[np.int32]
    """[N1] the last piece that held the skill while it was unknown."""
    head: NDArray[np.int32]
    """[N1] first edge of the skill's list, or _NONE."""
    stack: NDArray[np.int32]
    """[N1] skills whose lists are still to be followed."""
    waiting: NDArray[np.int32]
    """[pieces, 2] number of unknown skills, and their exclusive or."""
    link: NDArray[np.int32]
    """[edges, 2] next edge of the skill, and piece."""
    row: NDArray[np.int32]
    """[degree] the skills of one piece."""
    totals: NDArray[np.int64]
    """[3] edges that arrived, skills learned, edges kept."""


def _start(skills: int, pieces: int, edges: int, room: int, degree: int = 0) -> _State:
    if max(pieces, edges, room) > EDGES_LIMIT:
        raise BadInput(
            f"peeling takes at most {EDGES_LIMIT:,} edges, not about {max(edges, pieces):,}; take "
            "fewer pieces (density evolution has no such limit)"
        )
    require_bytes(
        8 * (edges + pieces) + 13 * skills,
        f"the lists of {pieces:,} pieces with about {edges:,} edges",
        "take fewer pieces (density evolution needs no memory)",
    )
    return _State(
        known=np.zeros(skills, np.bool_),
        stamp=np.full(skills, _NONE, np.int32),
        head=np.full(skills, _NONE, np.int32),
        stack=np.empty(skills, np.int32),
        waiting=np.empty((pieces, 2), np.int32),
        link=np.empty((room, 2), np.int32),
        row=np.empty(degree, np.int32),
        totals=np.zeros(3, np.int64),
    )


def _reported(at: Sequence[int] | None, pieces: int) -> NDArray[np.int64]:
    points = [pieces] if at is None else [whole("a number of pieces", n, 0, pieces) for n in at]
    if not points:
        raise BadInput("no number of pieces to report; give at least one")
    for before, after in pairwise(points):
        if after < before:
            raise BadInput(f"the numbers of pieces must rise, but {after:,} follows {before:,}")
    return np.array(points, dtype=np.int64)


def _result(
    skills: int, reported: NDArray[np.int64], rows: list[NDArray[np.int64]], state: _State
) -> PeelResult:
    totals = np.array(rows)
    return PeelResult(skills, reported, totals[:, _EDGES], totals[:, _LEARNED], state.known)


@kernel
def _arrive_drawn(plan: DrawPlan, chunk: Chunk, first: int, stop: int, state: _State) -> int:
    """Draw pieces first .. stop - 1 and let them arrive; returns where the lists were full."""
    row = state.row
    while first < stop:
        lanes = min(stop - first, len(chunk.piece))
        draw_chunk(plan, chunk, first, lanes)
        if state.totals[_USED] + chunk.ends.sum() > len(state.link):
            return first
        for lane in range(lanes):
            degree = chunk.degree[lane]
            for position in range(degree):
                row[position] = chunk.skills[position, lane]
            _arrive(chunk.piece[lane], row[:degree], state)
        first += lanes
    return first


@kernel
def _arrive_stored(
    indptr: NDArray[np.int64], skills: NDArray[np.int32], first: int, stop: int, state: _State
) -> None:
    for piece in range(first, stop):
        _arrive(piece, skills[indptr[piece] : indptr[piece + 1]], state)


@kernel
def _arrive(piece: int, row: NDArray[np.int32], state: _State) -> None:
    """Enter one piece, and learn what follows from it."""
    stamp, head, link, totals = state.stamp, state.head, state.link, state.totals
    unknown, both = 0, 0
    used = totals[_USED]
    for position in range(len(row)):
        skill = row[position]
        if state.known[skill] or stamp[skill] == piece:
            continue
        stamp[skill] = piece
        unknown += 1
        both ^= skill
        link[used, 0] = head[skill]
        link[used, 1] = piece
        head[skill] = used
        used += 1
    totals[_EDGES] += len(row)
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
