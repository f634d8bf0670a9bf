"""Simulate a skill graph of any size by streaming: `unparrot theory graph`.

Pieces are drawn, failed or passed, counted and forgotten, so memory does not grow with their
number. All randomness is a function of seed and piece (see `rng`): the counts are the same to the
last digit for any number of threads.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.machine import require_bytes
from unparrot.theory.graph import ranks as numbering
from unparrot.theory.graph.counts import ChosenCounts, GraphCounts, TupleCounts
from unparrot.theory.graph.draws import Chunk, DrawPlan, chunk_lanes, draw_plan, new_chunk
from unparrot.theory.graph.error_models import Errors, require_fit
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.limits import DEGREE_LIMIT, whole
from unparrot.theory.graph.mark_plans import mark_plan
from unparrot.theory.graph.marks import MarkPlan, MarkRoom, new_mark_room
from unparrot.theory.graph.rank_set import RankSet, rank_set
from unparrot.theory.graph.streams import Tables, TupleTables, count_pieces
from unparrot.theory.graph.tables import (
    BYTE_EDGES,
    BYTES_EACH,
    PACKED,
    PACKED_EDGES,
    byte_tables,
    empty_bytes,
    empty_packed,
    packed_tables,
)
from unparrot.theory.graph.tuple_measure import (
    require_measure,
    sample_tuples,
    tuple_weights,
)
from unparrot.theory.graph.tuples import new_tuple_rows, require_tuples
from unparrot.theory.graph.workers import over_blocks, thread_count

EXACT_TUPLES = 1 << 26
"""Possible tuples up to which all are counted; with more, a sample."""

SAMPLE_TUPLES = 100_000
"""Draws of the sample where none is asked for."""

MOST_SAMPLED = 1 << 26

_EXACT_BYTES = 40
"""Of a tuple: rank, weight, degree, failures, and what the weights take on the way."""

_SAMPLE_BYTES = 96
"""The same for a draw of a sample, with the set that it is looked up in."""

_BLOCK_WORK = 1 << 22
"""Skills or tuples in one block of a thread, about; some milliseconds."""


@dataclass(frozen=True, eq=False, slots=True)
class TuplePlan:
    """Which tuples are counted."""

    size: int
    total: int
    sampled: int | None
    table: NDArray[np.int64]
    ids: NDArray[np.int64]
    weights: NDArray[np.float64]


@dataclass(eq=False, slots=True)
class _Room:
    """What one thread works in."""

    chunk: Chunk
    marks: MarkRoom
    tables: Tables
    failed_pieces: int = 0
    pending: int = 0
    """Counts made since the tables were last emptied, at most."""


def simulate(
    spec: GraphSpec,
    errors: Errors,
    *,
    tuple_size: int = 1,
    sample: int | None = None,
    threads: int | None = None,
) -> GraphCounts:
    """Draw a skill graph, let a model fail on it, and count.

    Parameters
    ----------
    spec
        The graph.
    errors
        Which pieces fail.
    tuple_size
        k': 1 counts skills alone; above 1 tuples of that size are counted as well, all of them if
        there are at most 2^26 (`EXACT_TUPLES`), else a sample.
    sample
        Count the tuples of a sample of this many draws instead (see `TupleCounts.weights`; tuples
        drawn more than once are counted once). Needs k' of at least 2.
    threads
        Number of threads; all cores that the process may use if None. Does not change the counts.

    Returns
    -------
    GraphCounts

    Raises
    ------
    BadInput
        Before any work: if the errors or k' do not fit the graph, or there is not enough memory.

    Examples
    --------
    >>> from unparrot.theory.graph import GraphSpec, RandomErrors
    >>> counts = simulate(GraphSpec(skills=100, pieces=10_000, degree=8), RandomErrors(0.05))
    >>> counts.edges, int(counts.failed.sum()) == 8 * counts.failed_pieces
    (80000, True)
    """
    require_fit(spec, errors)
    workers = thread_count(threads)
    size = whole("k'", tuple_size, 1, DEGREE_LIMIT)
    _require_room(spec, size, sample, workers)
    draw = draw_plan(spec)
    mark, chosen = mark_plan(spec, errors, draw, workers)
    tuples = tuple_plan(spec, size, sample)
    return _count(spec, errors, draw, mark, chosen, tuples, workers)


def _counted_tuples(spec: GraphSpec, size: int, sample: int | None) -> int | None:
    """How many draws a sample of tuples takes; None if all of them are counted.

    Raises
    ------
    BadInput
        If a sample is asked for single skills, or is too large.
    """
    if sample is not None:
        if size == 1:
            raise BadInput("all single skills are counted; a sample needs k' of at least 2")
        return whole("the sample of tuples", sample, 1, MOST_SAMPLED)
    total = numbering.tuple_total(spec.skills, size, spec.repeats)
    return SAMPLE_TUPLES if size > 1 and total > EXACT_TUPLES else None


def _require_room(spec: GraphSpec, size: int, sample: int | None, threads: int) -> None:
    """Refuse counts that do not fit in memory, and tuples that pieces do not have."""
    lanes = chunk_lanes(spec.max_degree)
    draws = _counted_tuples(spec, size, sample)
    skills = spec.skills * (16 + max(16, BYTES_EACH) * threads)
    skills += threads * lanes * (128 + 4 * spec.max_degree)
    require_bytes(skills, f"counts of {spec.skills:,} skills in {threads} threads", "use fewer")
    if size == 1:
        return
    require_tuples(spec.max_degree, size)
    numbering.require_rankable(spec.skills, size, spec.repeats)
    if draws is None:
        require_measure(spec, size)
    total = numbering.tuple_total(spec.skills, size, spec.repeats)
    kept = total if draws is None else draws
    room = kept * (_EXACT_BYTES if draws is None else _SAMPLE_BYTES) + 8 * size * spec.skills
    room += threads * (BYTES_EACH * kept + 8 * lanes * (size + 1) * (spec.max_degree + 4))
    require_bytes(
        skills + room,
        f"counts of {kept:,} tuples in {threads} threads",
        "use fewer threads, or count a sample of the tuples",
    )


def tuple_plan(spec: GraphSpec, size: int, sample: int | None) -> TuplePlan | None:
    """Say which tuples are counted; None for single skills."""
    if size == 1:
        return None
    total = numbering.tuple_total(spec.skills, size, spec.repeats)
    draws = _counted_tuples(spec, size, sample)
    table = numbering.rank_table(spec.skills, size, spec.repeats)
    if draws is None:
        ids, weights = np.arange(total), tuple_weights(spec, table, total)
    else:
        ids, weights = sample_tuples(spec, table, draws)
    return TuplePlan(size, total, draws, table, ids, weights)


def _count(
    spec: GraphSpec,
    errors: Errors,
    draw: DrawPlan,
    mark: MarkPlan,
    chosen: ChosenCounts | None,
    tuples: TuplePlan | None,
    threads: int,
) -> GraphCounts:
    sampled = rank_set(
        np.empty(0, np.int64) if tuples is None or tuples.sampled is None else tuples.ids
    )
    degree, failed = np.zeros(spec.skills, np.int64), np.zeros(spec.skills, np.int64)
    counted = 0 if tuples is None else len(tuples.ids)
    tuple_degree, tuple_failed = np.zeros(counted, np.int64), np.zeros(counted, np.int64)
    piece_work = spec.max_degree
    if tuples is not None:
        piece_work += math.comb(spec.max_degree, tuples.size)
    most = PACKED_EDGES if spec.skills <= PACKED else BYTE_EDGES
    emptying = threading.Lock()

    def new_room() -> _Room:
        chunk = new_chunk(draw)
        lanes = len(chunk.piece)
        return _Room(
            chunk,
            new_mark_room(mark, draw.degree, lanes),
            _new_tables(draw, tuples, sampled, lanes),
        )

    def empty(room: _Room) -> None:
        with emptying:
            empty_packed(room.tables.packed, degree, failed)
            empty_bytes(room.tables.bytes, degree, failed)
            empty_bytes(room.tables.tuples.counts, tuple_degree, tuple_failed)
        room.pending = 0

    def work(room: _Room, _: int, first: int, last: int) -> None:
        added = (last - first) * piece_work
        if room.pending + added > most:
            empty(room)
        room.pending += added
        room.failed_pieces += count_pieces(
            draw, mark, room.chunk, room.marks, room.tables, first, last
        )

    rooms = over_blocks(spec.pieces, max(1, _BLOCK_WORK // piece_work), threads, new_room, work)
    for room in rooms:
        empty(room)
    found = None
    if tuples is not None:
        found = TupleCounts(
            tuples.size,
            tuples.total,
            tuples.sampled,
            tuples.ids,
            tuple_degree,
            tuple_failed,
            tuples.weights,
        )
    failed_pieces = sum(room.failed_pieces for room in rooms)
    return GraphCounts(spec, errors, degree, failed, failed_pieces, chosen, found)


def _new_tables(draw: DrawPlan, tuples: TuplePlan | None, sampled: RankSet, lanes: int) -> Tables:
    packed = draw.skills <= PACKED
    if tuples is None:
        rows, counted = new_tuple_rows(np.empty((1, 0), np.int64), 1, 1), 0
    else:
        rows, counted = new_tuple_rows(tuples.table, draw.degree, lanes), len(tuples.ids)
    return Tables(
        packed_tables(draw.skills if packed else 0),
        byte_tables(0 if packed else draw.skills),
        TupleTables(rows, byte_tables(counted), sampled, np.empty(lanes, np.int64)),
    )
