"""A skill graph held in memory, for those who want to look at single pieces."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.machine import require_bytes
from unparrot.theory.graph.draws import Chunk, draw_plan, new_chunk
from unparrot.theory.graph.error_models import Errors, require_fit
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.mark_plans import mark_plan
from unparrot.theory.graph.marks import MarkRoom, new_mark_room
from unparrot.theory.graph.streams import write_degrees, write_pieces
from unparrot.theory.graph.workers import over_blocks, thread_count

_BLOCK_EDGES = 1 << 20


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

    indptr: NDArray[np.int64]
    skills: NDArray[np.int32]
    failed: NDArray[np.bool_]
    skill_count: int

    def __post_init__(self) -> None:
        if self.indptr.shape != (len(self.failed) + 1,):
            raise BadInput(
                f"{len(self.failed)} pieces need {len(self.failed) + 1} row bounds, "
                f"not the shape {self.indptr.shape}"
            )
        if self.indptr[0] != 0 or self.indptr[-1] != len(self.skills):
            raise BadInput(
                f"the row bounds must run from 0 to the {len(self.skills)} edges, "
                f"not from {self.indptr[0]} to {self.indptr[-1]}"
            )
        if (self.indptr[1:] < self.indptr[:-1]).any():
            raise BadInput("the row bounds must not fall")
        if len(self.skills) and not (
            self.skills.min() >= 0 and self.skills.max() < self.skill_count
        ):
            raise BadInput(
                f"skills must be from 0 to {self.skill_count - 1}, "
                f"not from {self.skills.min()} to {self.skills.max()}"
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
        f"{spec.pieces:,} pieces with about {spec.pieces * spec.mean_degree:,.0f} edges",
        "store fewer pieces, or count them with simulate, which stores none",
    )


def store_graph(spec: GraphSpec, errors: Errors, *, threads: int | None = None) -> SkillGraph:
    """Draw the graph that `simulate` counts, and keep it: 9 bytes a piece and 4 an edge.

    Parameters
    ----------
    spec, errors
        As for `simulate`.
    threads
        Number of threads; all cores that the process may use if None. Does not change the graph.

    Raises
    ------
    BadInput
        Before any work: if the errors do not fit the graph, or there is not enough memory.

    Examples
    --------
    >>> from unparrot.theory.graph import GraphSpec, RandomErrors
    >>> graph = store_graph(GraphSpec(skills=5, pieces=3, degree=2, seed=1), RandomErrors(0.5))
    >>> graph.indptr.tolist(), graph.skills.dtype.name
    ([0, 2, 4, 6], 'int32')
    """
    require_fit(spec, errors)
    workers = thread_count(threads)
    require_room(spec)
    draw = draw_plan(spec)
    mark, _ = mark_plan(spec, errors, draw, workers)
    block = max(1, _BLOCK_EDGES // spec.max_degree)
    indptr = np.zeros(spec.pieces + 1, np.int64)

    def new_room() -> tuple[Chunk, MarkRoom]:
        chunk = new_chunk(draw)
        return chunk, new_mark_room(mark, draw.degree, len(chunk.piece))

    def degrees(room: tuple[Chunk, MarkRoom], _: int, first: int, last: int) -> None:
        write_degrees(draw, room[0], first, last, indptr[1:])

    if isinstance(spec.degree, int):
        indptr[1:] = spec.degree
    else:
        over_blocks(spec.pieces, block, workers, new_room, degrees)
    np.cumsum(indptr, out=indptr)
    skills = np.empty(int(indptr[-1]), np.int32)
    failed = np.empty(spec.pieces, np.bool_)

    def pieces(room: tuple[Chunk, MarkRoom], _: int, first: int, last: int) -> None:
        write_pieces(draw, mark, room[0], room[1], first, last, indptr, skills, failed)

    over_blocks(spec.pieces, block, workers, new_room, pieces)
    return SkillGraph(indptr, skills, failed, spec.skills)
