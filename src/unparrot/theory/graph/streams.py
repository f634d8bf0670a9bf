"""Kernels that stream a range of pieces, chunk by chunk, into counts: what one thread does.

Every one draws the pieces anew; none keeps anything of a piece.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.theory.graph.draws import Chunk, DrawPlan, draw_chunk
from unparrot.theory.graph.marks import MarkPlan, MarkRoom, hold_chunk, mark_chunk
from unparrot.theory.graph.rank_set import RankSet, place_of, sift
from unparrot.theory.graph.scores import ScorePlan, ScoreRoom, score_chunk
from unparrot.theory.graph.tables import (
    ByteTables,
    PackedTables,
    bump,
    bump_one,
    count_bytes,
    count_packed,
)
from unparrot.theory.graph.tuples import TupleRows, begin_tuples, next_tuple
from unparrot.theory.jit import inner_kernel, kernel

_FAILED = np.uint64(1 << 32)


class TupleTables(NamedTuple):
    """Counts of tuples: by rank, or by place in a sample."""

    rows: TupleRows
    counts: ByteTables
    sample: RankSet
    """The tuples counted; without ranks: all."""
    failed_lanes: NDArray[np.int64]
    """[B]"""


class Tables(NamedTuple):
    """All counts of one thread; those not asked for have length 0."""

    packed: PackedTables
    bytes: ByteTables
    tuples: TupleTables


@kernel
def count_pieces(
    draw: DrawPlan,
    mark: MarkPlan,
    chunk: Chunk,
    room: MarkRoom,
    tables: Tables,
    first: int,
    last: int,
) -> int:
    """Count the skills, and tuples, of the pieces first .. last - 1; return how many failed."""
    failed, at = 0, first
    while at < last:
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        failed += mark_chunk(mark, chunk, lanes, room)
        if len(tables.packed.even) > 0:
            count_packed(chunk, tables.packed)
        else:
            count_bytes(chunk, tables.bytes)
        if len(tables.tuples.counts.degree) > 0:
            _count_tuples(chunk, lanes, tables.tuples)
        at += lanes
    return failed


@inner_kernel
def _count_tuples(chunk: Chunk, lanes: int, tables: TupleTables) -> None:
    counts, ranks, step = tables.counts, tables.rows.ranks, chunk.step
    failures = 0
    for lane in range(lanes):
        if step[lane] >= _FAILED:
            tables.failed_lanes[failures] = lane
            failures += 1
    begin_tuples(chunk, tables.rows)
    end = next_tuple(chunk, tables.rows)
    while end > 0:
        if len(tables.sample.ranks) == 0:
            bump(counts.degree, counts.degree_carry, ranks, end)
            for at in range(failures):
                lane = tables.failed_lanes[at]
                if lane >= end:
                    break
                bump_one(counts.failed, counts.failed_carry, int(ranks[lane]))
        else:
            maybe, hashes = tables.rows.maybe, tables.rows.hashes
            for at in range(sift(tables.sample, ranks, end, hashes, maybe)):
                lane = maybe[at]
                place = place_of(tables.sample, int(ranks[lane]), int(hashes[lane]))
                if place >= 0:
                    bump_one(counts.degree, counts.degree_carry, place)
                    if step[lane] >= _FAILED:
                        bump_one(counts.failed, counts.failed_carry, place)
        end = next_tuple(chunk, tables.rows)


@kernel
def score_histogram(
    draw: DrawPlan,
    score: ScorePlan,
    chunk: Chunk,
    room: ScoreRoom,
    first: int,
    last: int,
    histogram: NDArray[np.int64],
) -> int:
    """Add each piece's score to a histogram; return how many tuples the pieces hold together."""
    tuples, at = 0, first
    while at < last:
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        score_chunk(score, chunk, lanes, room)
        for lane in range(lanes):
            histogram[room.score[lane]] += 1
            tuples += int(score.tuples[chunk.degree[lane]])
        at += lanes
    return tuples


@kernel
def end_of_ties(
    draw: DrawPlan,
    score: ScorePlan,
    chunk: Chunk,
    room: ScoreRoom,
    first: int,
    last: int,
    cut: int,
    wanted: int,
) -> int:
    """Return the index after the piece that is the `wanted`-th with the score `cut`."""
    if wanted == 0:
        return first
    tied = np.zeros(len(chunk.piece), np.bool_)
    at = first
    while at < last:
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        score_chunk(score, chunk, lanes, room)
        for lane in range(lanes):
            tied[chunk.piece[lane] - at] = room.score[lane] == cut
        for offset in range(lanes):
            if tied[offset]:
                wanted -= 1
                if wanted == 0:
                    return at + offset + 1
        at += lanes
    return last


@kernel
def count_holding(
    draw: DrawPlan, member: NDArray[np.bool_], chunk: Chunk, first: int, last: int
) -> int:
    """Count the pieces that hold one of some skills."""
    held = np.zeros(len(chunk.piece), np.bool_)
    holding, at = 0, first
    while at < last:
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        hold_chunk(member, chunk, lanes, held)
        for lane in range(lanes):
            holding += int(held[lane])
        at += lanes
    return holding


@kernel
def write_degrees(
    draw: DrawPlan, chunk: Chunk, first: int, last: int, degree: NDArray[np.int64]
) -> None:
    """Write the degree of each piece to its place in ``degree [pieces]``."""
    at = first
    while at < last:
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        for lane in range(lanes):
            degree[chunk.piece[lane]] = chunk.degree[lane]
        at += lanes


@kernel
def write_pieces(
    draw: DrawPlan,
    mark: MarkPlan,
    chunk: Chunk,
    room: MarkRoom,
    first: int,
    last: int,
    indptr: NDArray[np.int64],
    skills: NDArray[np.int32],
    failed: NDArray[np.bool_],
) -> None:
    """Write the skills of each piece, in the order drawn, to its row, and whether it failed."""
    at = first
    while at < last:
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        mark_chunk(mark, chunk, lanes, room)
        for lane in range(lanes):
            piece = chunk.piece[lane]
            failed[piece] = chunk.step[lane] >= _FAILED
            to = indptr[piece]
            for position in range(chunk.degree[lane]):
                skills[to + position] = np.int32(chunk.skills[position, lane])
        at += lanes
