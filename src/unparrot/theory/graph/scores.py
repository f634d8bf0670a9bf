"""Kernels that count how many tuples of each piece lie in a chosen set Z: its score.

For sets that are told by their skills the score follows from the number of positions that hold one
of them; else the tuples are walked and looked up one by one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.theory.graph import rng
from unparrot.theory.graph.chosen import Chosen, Clique, RandomTuples, SkillSet, Star, TupleList
from unparrot.theory.graph.draws import Chunk, DrawPlan
from unparrot.theory.graph.rank_set import RankSet, place_of, rank_set, sift
from unparrot.theory.graph.ranks import rank, rank_table
from unparrot.theory.graph.rng import GAMMA, mix
from unparrot.theory.graph.tuples import (
    TupleRows,
    begin_tuples,
    new_tuple_rows,
    next_tuple,
    require_tuples,
)
from unparrot.theory.jit import inner_kernel

INSIDE, TOUCHING, HASHED, LISTED = range(4)
_COIN_SHIFT = np.uint64(rng.COIN_SHIFT)


class ScorePlan(NamedTuple):
    """A chosen set, as the kernels need it."""

    kind: int
    member: NDArray[np.bool_]
    """[N1] whether the set names the skill."""
    tuples: NDArray[np.int64]
    """[k + 1] C(d, k') for each number of positions d."""
    key: np.uint64
    """Of the tuples' coins."""
    threshold: np.uint64
    """A tuple is chosen if its coin is below."""
    table: NDArray[np.int64]
    """[k', N1] of `rank_table`, for sets whose tuples are walked; else [1, 0]."""
    listed: RankSet


class ScoreRoom(NamedTuple):
    """Room for the scores of a chunk of B lanes; each thread needs its own."""

    score: NDArray[np.int64]
    """[B]"""
    rows: TupleRows


def score_plan(chosen: Chosen, plan: DrawPlan) -> ScorePlan:
    """Prepare a set for scoring.

    Raises
    ------
    BadInput
        If its tuples are too long or too many for a piece, or too many to number.
    """
    size = chosen.tuple_size
    require_tuples(plan.degree, size)
    member = np.zeros(plan.skills, dtype=np.bool_)
    table, listed = np.empty((1, 0), dtype=np.int64), np.empty(0, dtype=np.int64)
    key, threshold = np.uint64(0), np.uint64(0)
    match chosen:
        case SkillSet() | Clique():
            kind = INSIDE
            member[list(chosen.skills)] = True
        case Star():
            kind = TOUCHING
            member[list(chosen.skills)] = True
        case RandomTuples():
            kind = HASHED
            table = rank_table(plan.skills, size, plan.repeats)
            key = rng.keys(chosen.seed, rng.CHOSEN, size)[size - 1]
            threshold = np.uint64(rng.coin_threshold(chosen.share))
        case TupleList():
            kind = LISTED
            table = rank_table(plan.skills, size, plan.repeats)
            listed = rank(np.array(chosen.tuples, dtype=np.int64), table)
    return ScorePlan(
        kind=kind,
        member=member,
        tuples=np.array([math.comb(d, size) for d in range(plan.degree + 1)], dtype=np.int64),
        key=key,
        threshold=threshold,
        table=table,
        listed=rank_set(listed),
    )


def no_score() -> ScorePlan:
    """The plan of no set, for error models that need none."""
    empty = np.empty(0, np.int64)
    zero = np.uint64(0)
    return ScorePlan(
        INSIDE,
        np.empty(0, np.bool_),
        empty,
        zero,
        zero,
        np.empty((1, 0), np.int64),
        rank_set(empty),
    )


def new_score_room(plan: ScorePlan, degree: int, lanes: int) -> ScoreRoom:
    """Make room for the scores of chunks of `lanes` pieces of up to `degree` skills."""
    walked = plan.kind > TOUCHING
    rows = new_tuple_rows(plan.table, degree if walked else 1, lanes if walked else 1)
    return ScoreRoom(np.empty(lanes, np.int64), rows)


@inner_kernel
def score_chunk(plan: ScorePlan, chunk: Chunk, lanes: int, room: ScoreRoom) -> None:
    """Score the pieces in the first `lanes` lanes."""
    score = room.score
    for lane in range(lanes):
        score[lane] = 0
    if plan.kind <= TOUCHING:
        _count_members(plan.member, chunk, score)
        if plan.kind == INSIDE:
            for lane in range(lanes):
                score[lane] = plan.tuples[score[lane]]
        else:
            for lane in range(lanes):
                degree = chunk.degree[lane]
                score[lane] = plan.tuples[degree] - plan.tuples[degree - score[lane]]
        return
    begin_tuples(chunk, room.rows)
    end = next_tuple(chunk, room.rows)
    ranks = room.rows.ranks
    while end > 0:
        if plan.kind == HASHED:
            for lane in range(end):
                word = mix(plan.key + np.uint64(ranks[lane]) * GAMMA)
                score[lane] += np.int64((word >> _COIN_SHIFT) < plan.threshold)
        else:
            maybe, hashes = room.rows.maybe, room.rows.hashes
            for at in range(sift(plan.listed, ranks, end, hashes, maybe)):
                lane = maybe[at]
                place = place_of(plan.listed, int(ranks[lane]), int(hashes[lane]))
                score[lane] += np.int64(place >= 0)
        end = next_tuple(chunk, room.rows)


@inner_kernel
def _count_members(member: NDArray[np.bool_], chunk: Chunk, count: NDArray[np.int64]) -> None:
    """Add to each lane how many positions hold a named skill, four positions at a time."""
    ends, skills = chunk.ends, chunk.skills
    positions, position = len(ends) - 1, 0
    while position < positions:
        shared = 0
        if position + 4 <= positions:
            shared = ends[position + 3]
            a, b = skills[position], skills[position + 1]
            c, d = skills[position + 2], skills[position + 3]
            for lane in range(shared):
                first = np.int64(member[a[lane]]) + np.int64(member[b[lane]])
                count[lane] += first + np.int64(member[c[lane]]) + np.int64(member[d[lane]])
        last = min(position + 4, positions)
        for at in range(position, last):
            row = skills[at]
            for lane in range(shared, ends[at]):
                count[lane] += np.int64(member[row[lane]])
        position = last
