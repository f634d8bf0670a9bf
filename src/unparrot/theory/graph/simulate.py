"""Simulate a skill graph of any size by streaming: `unparrot theory graph`.

Pieces are drawn, failed or passed, counted and forgotten, so memory does not grow with their
number. All randomness is a function of seed and piece (see `rng`): the counts are the same to the
last digit for any number of threads.

A random count takes as long as its table is far away. Where there are many values each count
therefore has a byte, and a byte that runs over carries into a large table that is seldom touched: a
million values fit in one megabyte, in or near the second cache.
"""

import math
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.core.cluster.ray_cluster import Cluster
from unparrot.core.errors import BadInput
from unparrot.core.jit import inner_kernel, kernel
from unparrot.core.machine import require_bytes, thread_count
from unparrot.core.wording import plural
from unparrot.theory.checks import require_count
from unparrot.theory.graph import tuples
from unparrot.theory.graph.draws import (
    Chunk,
    DrawPlan,
    chunk_lanes,
    draw_chunk,
    draw_plan,
    new_chunk,
    over_blocks,
)
from unparrot.theory.graph.error_models import Errors, require_fit
from unparrot.theory.graph.graph_spec import DEGREE_LIMIT, GraphSpec
from unparrot.theory.graph.marks import ChosenCounts, MarkPlan, mark_chunk, mark_plan
from unparrot.theory.graph.spread import OnCluster, OneMachine, Pieces

EXACT_TUPLES = 1 << 26  # possible tuples up to which all are counted; with more, a sample
SAMPLE_TUPLES = 100_000  # draws of the sample where none is asked for
MOST_SAMPLED = 1 << 26

FEW_VALUES = 1 << 12  # values up to which the totals themselves fit in the first cache
_COUNT_BYTES = 18  # of a value in a thread: two bytes, and two int64 that they carry into
_EXACT_BYTES = 40  # of a tuple: rank, weight, degree, failures, and what weights take meanwhile
_SAMPLE_BYTES = 96  # the same for a draw of a sample, with the set that it is looked up in
_BLOCK_WORK = 1 << 22  # skills or tuples in one block of a thread, about; some milliseconds

Ints = NDArray[np.int64]


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
        Ranks of the tuples (see `tuples`), rising, int64 [n]; with a sample the different ones.
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
    ids: Ints
    degree: Ints
    failed: Ints
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
    degree: Ints
    failed: Ints
    failed_pieces: int
    chosen: ChosenCounts | None = None
    tuples: TupleCounts | None = None

    @property
    def edges(self) -> int:
        """Number of edges."""
        return int(self.degree.sum())

    @property
    def skills(self) -> TupleCounts:
        """The counts of the skills, as tuples of one."""
        n, mu1 = self.spec.skills, self.spec.probabilities
        return TupleCounts(1, n, None, np.arange(n), self.degree, self.failed, mu1)


def simulate(
    spec: GraphSpec,
    errors: Errors,
    *,
    tuple_size: int = 1,
    sample: int | None = None,
    threads: int | None = None,
    cluster: Cluster | None = None,
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
    cluster
        Where to draw and count instead, a thread for each of its cores. Does not change the counts
        either.

    Returns
    -------
    GraphCounts

    Raises
    ------
    BadInput
        Before any work: if the errors or k' do not fit the graph, or there is not enough memory.
    ClusterError
        If the cluster is lost, or a part of the work with its worker time and again.

    Examples
    --------
    >>> from unparrot.theory.graph.error_models import RandomErrors
    >>> counts = simulate(GraphSpec(skills=100, pieces=10_000, degree=8), RandomErrors(0.05))
    >>> counts.edges, int(counts.failed.sum()) == 8 * counts.failed_pieces
    (80000, True)
    """
    require_fit(spec, errors)
    spread = OneMachine(thread_count(threads)) if cluster is None else OnCluster(cluster)
    size = require_count("k'", tuple_size, 1, DEGREE_LIMIT)
    draws = _tuple_draws(spec, size, sample)
    _require_room(spec, size, draws, spread.rooms)
    draw = draw_plan(spec)
    mark, chosen = mark_plan(spec, errors, draw, spread)
    table, total = np.empty((1, 0), np.int64), 0
    ids, weights = np.empty(0, np.int64), np.empty(0)
    if size > 1:
        table, total = tuples.rank_table(spec.skills, size, spec.repeats), _total(spec, size)
        if draws is None:
            ids, weights = np.arange(total), tuples.tuple_weights(spec, table, total)
        else:
            ids, weights = tuples.sample_tuples(spec, table, draws)
    sampled = tuples.rank_set(ids if draws is not None else ids[:0])
    piece_work = spec.max_degree + (math.comb(spec.max_degree, size) if size > 1 else 0)
    block = max(1, _BLOCK_WORK // piece_work)
    work = partial(_count_span, draw, mark, table, sampled, len(ids), block)
    memory = _room_bytes(spec, size, draws, 1)
    pieces = Pieces(0, spec.pieces, block, block * piece_work, memory)
    counts = reduce(_added, (part for _, part in spread.shards(work, pieces)))
    counted = None
    if size > 1:
        counted = TupleCounts(
            size, total, draws, ids, counts.tuple_degree, counts.tuple_failed, weights
        )
    failed_pieces = int(counts.failed_pieces[0])
    return GraphCounts(spec, errors, counts.degree, counts.failed, failed_pieces, chosen, counted)


class _Counts(NamedTuple):
    """What is counted in a span of pieces."""

    degree: Ints  # of skills
    failed: Ints
    tuple_degree: Ints
    tuple_failed: Ints
    failed_pieces: Ints  # [1]


def _added(one: _Counts, other: _Counts) -> _Counts:
    return _Counts(*(a + b for a, b in zip(one, other, strict=True)))


def _count_span(
    draw: DrawPlan,
    mark: MarkPlan,
    table: Ints,
    sampled: tuples.RankSet,
    counted: int,
    block: int,
    first: int,
    last: int,
    threads: int,
) -> _Counts:
    """Count the pieces first .. last - 1 and, if `counted` is not 0, so many of their tuples."""

    def new_room() -> _Room:
        chunk = new_chunk(draw)
        return _Room(
            chunk,
            tuples.new_walk(table, *(chunk.skills.shape if counted else (1, 1))),
            sampled,
            _new_tally(draw.skills),
            _new_tally(draw.skills),
            _new_tally(counted),
            _new_tally(counted),
            np.empty(len(chunk.piece), np.int64),
            np.zeros(1, np.int64),
        )

    def work(room: _Room, _: int, start: int, stop: int) -> None:
        _count_pieces(draw, mark, room, first + start, first + stop)

    rooms = over_blocks("skill graph", last - first, block, threads, new_room, work)
    return _Counts(
        _sum([room.degree for room in rooms]),
        _sum([room.failed for room in rooms]),
        _sum([room.tuple_degree for room in rooms]),
        _sum([room.tuple_failed for room in rooms]),
        reduce(np.add, [room.failed_pieces for room in rooms]),
    )


def _total(spec: GraphSpec, size: int) -> int:
    return tuples.tuple_total(spec.skills, size, spec.repeats)


def _tuple_draws(spec: GraphSpec, size: int, sample: int | None) -> int | None:
    """Return how many draws a sample of tuples takes; None if all of them are counted.

    Raises
    ------
    BadInput
        If a sample is asked for single skills, or is too large.
    """
    if sample is not None:
        if size == 1:
            raise BadInput("all single skills are counted; a sample needs k' of at least 2")
        return require_count("the sample of tuples", sample, 1, MOST_SAMPLED)
    return SAMPLE_TUPLES if size > 1 and _total(spec, size) > EXACT_TUPLES else None


def _require_room(spec: GraphSpec, size: int, draws: int | None, rooms: int) -> None:
    """Refuse counts that do not fit in memory, and tuples that pieces do not have."""
    kept = 0
    if size > 1:
        tuples.require_tuples(spec.max_degree, size)
        tuples.require_rankable(spec.skills, size, spec.repeats)
        if draws is None:
            tuples.require_measure(spec, size)
        kept = draws or _total(spec, size)
    what, remedy = f"counts of {plural(spec.skills, 'skill')}", "use fewer threads"
    if kept:
        what, remedy = (
            f"{what} and {plural(kept, 'tuple')}",
            f"{remedy}, or count a sample of the tuples",
        )
    need = _room_bytes(spec, size, draws, rooms)
    require_bytes(need, f"{what} in {plural(rooms, 'thread')}", remedy)


def _room_bytes(spec: GraphSpec, size: int, draws: int | None, rooms: int) -> int:
    """Return the bytes that counts take, with so many threads that count apart."""
    kept, each = 0, _EXACT_BYTES if draws is None else _SAMPLE_BYTES
    if size > 1:
        kept = draws or _total(spec, size)
    lane = 128 + 8 * spec.max_degree + 8 * (size + 1)
    room = _COUNT_BYTES * (spec.skills + kept) + chunk_lanes(spec.max_degree) * lane
    return spec.skills * (16 + 8 * size) + kept * each + rooms * room


class _Tally(NamedTuple):
    """How often each of n values came: its total, and with many values a byte that carries."""

    low: NDArray[np.uint8]  # [n], or [0] without bytes
    total: Ints  # [n]


class _Room(NamedTuple):
    """What one thread works in."""

    chunk: Chunk
    walk: tuples.Walk
    sample: tuples.RankSet  # the tuples counted; without ranks: all
    degree: _Tally  # of skills
    failed: _Tally
    tuple_degree: _Tally  # by rank, or by place in the sample; empty without tuples
    tuple_failed: _Tally
    failed_lanes: Ints  # [B]
    failed_pieces: Ints  # [1]


def _new_tally(n: int) -> _Tally:
    return _Tally(np.zeros(n if n > FEW_VALUES else 0, np.uint8), np.zeros(n, np.int64))


def _sum(tallies: list[_Tally]) -> Ints:
    """Return the totals of all threads together."""
    for tally in tallies:
        tally.total[: len(tally.low)] += tally.low
    return reduce(np.add, [tally.total for tally in tallies])


@kernel
def _count_pieces(draw: DrawPlan, mark: MarkPlan, room: _Room, first: int, last: int) -> None:
    """Count the skills, the tuples and the failures of the pieces first .. last - 1."""
    chunk, failed_lanes = room.chunk, room.failed_lanes
    for at in range(first, last, len(chunk.piece)):
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        room.failed_pieces[0] += mark_chunk(mark, chunk, lanes)
        failures = 0
        for lane in range(lanes):
            failed_lanes[failures] = lane
            failures += np.int64(chunk.failed[lane])
        few = len(room.degree.low) == 0
        if few:
            _count_few(room.degree.total, chunk.skills, chunk.ends)
        for position in range(len(chunk.skills)):
            row, end = chunk.skills[position], chunk.ends[position]
            if not few:
                _count(room.degree, row, end)
            _count_failed(room.failed, row, end, failed_lanes[:failures])
        if len(room.tuple_degree.total) > 0:
            _count_tuples(room, failed_lanes[:failures])


@inner_kernel
def _count_tuples(room: _Room, failed_lanes: Ints) -> None:
    chunk, walk, degree, failed = room.chunk, room.walk, room.tuple_degree, room.tuple_failed
    tuples.begin_tuples(chunk, walk)
    end = tuples.next_tuple(chunk, walk)
    ranks = walk.sums[-1]
    while end > 0:
        if len(room.sample.ranks) == 0:
            _count(degree, ranks, end)
            _count_failed(failed, ranks, end, failed_lanes)
        else:
            for at in range(tuples.sift(room.sample, ranks, end, chunk.fraction, chunk.score)):
                lane = chunk.score[at]
                place = tuples.place_of(room.sample, ranks[lane])
                if place >= 0:
                    _bump(degree, place)
                    if chunk.failed[lane]:
                        _bump(failed, place)
        end = tuples.next_tuple(chunk, walk)


@inner_kernel
def _count(tally: _Tally, values: NDArray[Any], end: int) -> None:
    """Count the first `end` values."""
    for lane in range(end):
        _bump(tally, values[lane])


@inner_kernel
def _count_failed(tally: _Tally, values: NDArray[Any], end: int, failed_lanes: Ints) -> None:
    """Count the values in those of the first `end` lanes that failed."""
    for lane in failed_lanes:
        if lane >= end:
            break
        _bump(tally, values[lane])


@inner_kernel
def _count_few(total: Ints, rows: NDArray[np.uint32], ends: Ints) -> None:
    """Count the skills of a chunk, four positions at a time, which keeps additions apart."""
    positions = len(rows)
    for position in range(0, positions - 3, 4):
        a, b, c, d = rows[position], rows[position + 1], rows[position + 2], rows[position + 3]
        shared = ends[position + 3]
        for lane in range(shared):
            total[a[lane]] += 1
            total[b[lane]] += 1
            total[c[lane]] += 1
            total[d[lane]] += 1
        for at in range(position, position + 3):
            for lane in range(shared, ends[at]):
                total[rows[at, lane]] += 1
    for at in range(positions - positions % 4, positions):
        for lane in range(ends[at]):
            total[rows[at, lane]] += 1


@inner_kernel
def _bump(tally: _Tally, value: Any) -> None:
    """Count one value."""
    if len(tally.low) == 0:
        tally.total[value] += 1
        return
    count = np.uint8(tally.low[value] + np.uint8(1))
    tally.low[value] = count
    if count == 0:
        tally.total[value] += 256
