"""Skill graphs held in memory: drawn whole, or read from a tagged corpus, and their counts.

Simulated graphs are counted without being stored (`simulate`); these are for those who want to
look at single pieces, and for `unparrot theory graph --tagged FILE`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.jit import kernel
from unparrot.core.machine import require_bytes, thread_count
from unparrot.core.wording import plural
from unparrot.theory.graph.draws import (
    Chunk,
    DrawPlan,
    draw_chunk,
    draw_plan,
    new_chunk,
    over_blocks,
)
from unparrot.theory.graph.error_models import Errors, require_fit
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.marks import MarkPlan, mark_chunk, mark_plan
from unparrot.theory.graph.simulate import TupleCounts
from unparrot.theory.graph.spread import OneMachine
from unparrot.theory.graph.tuples import rank, rank_table, tuple_total

_CHUNK = 1 << 21  # edges written, or tuples of pieces ranked, at once

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class SkillGraph:
    """A skill graph as compressed sparse rows, one row a piece.

    Parameters
    ----------
    indptr
        Int64 [pieces + 1], rising from 0: piece t holds ``skills[indptr[t] : indptr[t + 1]]``.
    skills
        Int32 [edges], each in [0, skill_count); a skill may stand twice in a piece.
    failed
        Bool [pieces].
    skill_count
        N1, the number of skills, those without edges too.

    Raises
    ------
    BadInput
        If the shapes do not fit together or a skill is out of range.
    """

    indptr: Ints
    skills: NDArray[np.int32]
    failed: NDArray[np.bool_]
    skill_count: int

    def __post_init__(self) -> None:
        bounds = self.indptr
        right = bounds.shape == (len(self.failed) + 1,) and not (np.diff(bounds) < 0).any()
        if not right or bounds[0] != 0 or bounds[-1] != len(self.skills):
            raise BadInput(
                f"{plural(len(self.failed), 'piece')} must have row bounds, one more, that rise "
                f"from 0 to the number of edges, {len(self.skills)}; not {bounds!r}"
            )
        low, high = (self.skills.min(), self.skills.max()) if len(self.skills) else (0, 0)
        if len(self.skills) and not 0 <= low <= high < self.skill_count:
            raise BadInput(
                f"skills must be from 0 to {self.skill_count - 1}, not from {low} to {high}"
            )

    @property
    def pieces(self) -> int:
        """Number of pieces."""
        return len(self.failed)

    @property
    def edges(self) -> int:
        """Number of edges."""
        return len(self.skills)


def require_room(spec: GraphSpec) -> None:
    """Raise `BadInput` if the graph of a spec does not fit into memory."""
    spread = 0.0 if isinstance(spec.degree, int) else 8.0 * spec.max_degree * spec.pieces**0.5
    edges = min(spec.pieces * spec.mean_degree + spread, spec.pieces * spec.max_degree)
    require_bytes(
        9 * spec.pieces + math.ceil(4 * edges),
        f"{plural(spec.pieces, 'piece')} with about {spec.pieces * spec.mean_degree:,.0f} edges",
        "store fewer pieces, or count them with simulate, which stores none",
    )


def store_graph(spec: GraphSpec, errors: Errors, *, threads: int | None = None) -> SkillGraph:
    """Draw the graph that `simulate` counts, and keep it: 9 bytes a piece and 4 an edge.

    Parameters
    ----------
    spec, errors
        As for `simulate`.
    threads
        Number of threads; all cores if None. No change of the graph.

    Raises
    ------
    BadInput
        Before any work: if the errors do not fit the graph, or there is not enough memory.

    Examples
    --------
    >>> from unparrot.theory.graph.error_models import RandomErrors
    >>> graph = store_graph(GraphSpec(skills=5, pieces=3, degree=2, seed=1), RandomErrors(0.5))
    >>> graph.indptr.tolist(), graph.skills.dtype.name
    ([0, 2, 4, 6], 'int32')
    """
    require_fit(spec, errors)
    workers = thread_count(threads)
    require_room(spec)
    draw = draw_plan(spec)
    mark, _ = mark_plan(spec, errors, draw, OneMachine(workers))
    indptr = np.zeros(spec.pieces + 1, np.int64)
    failed = np.empty(spec.pieces, np.bool_)

    block = max(1, _CHUNK // spec.max_degree)

    def write(skills: NDArray[np.int32]) -> None:
        def work(chunk: Chunk, _: int, first: int, last: int) -> None:
            _write_pieces(draw, mark, chunk, indptr, skills, failed, first, last)

        over_blocks("skill graph", spec.pieces, block, workers, lambda: new_chunk(draw), work)

    write(np.empty(0, np.int32))
    np.cumsum(indptr, out=indptr)
    skills = np.empty(int(indptr[-1]), np.int32)
    if len(skills):
        write(skills)
    return SkillGraph(indptr, skills, failed, spec.skills)


@kernel
def _write_pieces(
    draw: DrawPlan,
    mark: MarkPlan,
    chunk: Chunk,
    indptr: Ints,
    skills: NDArray[np.int32],
    failed: NDArray[np.bool_],
    first: int,
    last: int,
) -> None:
    """Write the skills of the pieces first .. last - 1, in the order drawn, to their rows.

    Without room for skills: the degree of each piece, one place on, and whether it fails.
    """
    for at in range(first, last, len(chunk.piece)):
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        if len(skills) == 0:
            mark_chunk(mark, chunk, lanes)
        for lane in range(lanes):
            piece, degree = chunk.piece[lane], chunk.degree[lane]
            if len(skills) == 0:
                indptr[piece + 1] = degree
                failed[piece] = chunk.failed[lane]
            else:
                for position in range(degree):
                    skills[indptr[piece] + position] = np.int32(chunk.skills[position, lane])


def tuple_counts(graph: SkillGraph, size: int) -> TupleCounts:
    """Count every tuple of skills that some piece holds.

    Parameters
    ----------
    graph
        The graph. A piece of degree d holds C(d, size) tuples.
    size
        k', at least 1.

    Returns
    -------
    TupleCounts
        Only the tuples that occur; of ``total - len(ids)`` others nothing is known. The weights
        are the shares of the degrees: the measure that the graph itself suggests. Tuples with one
        skill twice are possible (and numbered) if some piece holds a skill twice.

    Raises
    ------
    BadInput
        If no piece has that many skills, the tuples are too many to be numbered, or counting needs
        more memory than there is.

    Examples
    --------
    >>> graph = SkillGraph(np.array([0, 3, 5]), np.array([0, 1, 2, 0, 1], np.int32),
    ...                    np.array([True, False]), 3)
    >>> pairs = tuple_counts(graph, 2)
    >>> pairs.ids.tolist(), pairs.degree.tolist(), pairs.failed.tolist()
    ([0, 1, 2], [2, 1, 1], [1, 1, 1])
    """
    degrees = np.diff(graph.indptr)
    most = int(degrees.max(initial=0))
    if most < size:
        raise BadInput(
            f"no piece has {plural(size, 'skill')} (at most {most}); ask for shorter tuples"
        )
    repeats = _holds_repeats(graph)
    total = tuple_total(graph.skill_count, size, repeats)
    held = sum(math.comb(d, size) * int(n) for d, n in enumerate(np.bincount(degrees)) if d >= size)
    require_bytes(
        120 * min(held, total),  # grouping holds all counts some times over
        f"counts of up to {min(held, total):,} tuples",
        "ask for shorter tuples or give fewer pieces",
    )
    frames: list[pl.DataFrame] = []
    for ranks, failed in _ranks(graph, size, rank_table(graph.skill_count, size, repeats)):
        frames.append(pl.DataFrame({"id": ranks, "degree": np.ones_like(ranks), "failed": failed}))
        # merging only as much as there is already keeps the sum of all merges in bounds
        if sum(map(len, frames[1:])) > max(_CHUNK, len(frames[0])):
            frames = [_merged(frames)]
    merged = _merged(frames).sort("id")
    ids, degree, failed = (merged[name].to_numpy() for name in ("id", "degree", "failed"))
    return TupleCounts(size, total, None, ids, degree, failed, degree / degree.sum())


def _ranks(graph: SkillGraph, size: int, table: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield ranks of the tuples in the pieces, and 1 where the piece failed, a chunk at a time."""
    degrees = np.diff(graph.indptr)
    for d in np.unique(degrees[degrees >= size]).tolist():
        pieces = np.flatnonzero(degrees == d)
        step = max(1, _CHUNK // d)
        for start in range(0, len(pieces), step):
            chunk = pieces[start : start + step]
            skills = graph.skills[graph.indptr[chunk][:, None] + np.arange(d)]
            failed = graph.failed[chunk].astype(np.int64)
            for positions in combinations(range(d), size):
                yield rank(skills[:, positions], table), failed


def _merged(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the degree and the failures of each tuple, from frames that may hold it often."""
    return pl.concat(frames).group_by("id").agg(pl.col("degree", "failed").sum())


def _holds_repeats(graph: SkillGraph) -> bool:
    piece = np.repeat(np.arange(graph.pieces), np.diff(graph.indptr))
    place = np.sort(piece * graph.skill_count + graph.skills)
    return bool((np.diff(place) == 0).any())
