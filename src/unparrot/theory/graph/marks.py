"""Which pieces of a chunk fail: plans of error models, and the kernels that follow them.

The worst case for a set Z: every piece has a score, how many of its tuples lie in Z. For sets that
name skills it follows from the number of positions that hold one of them; else the tuples are
walked and looked up one by one. A first pass makes the histogram of the scores, block by block.
From it follow the score at which the failed pieces begin, and how many of the pieces with just that
score fail too; the block with the last of these is then split into smaller ones until it is found.
After that each piece can be told by itself whether it fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.jit import inner_kernel, kernel
from unparrot.core.machine import require_bytes
from unparrot.theory.graph import rng
from unparrot.theory.graph.draws import Chunk, DrawPlan, draw_chunk, new_chunk, over_blocks
from unparrot.theory.graph.error_models import (
    Chosen,
    Clique,
    ConcentratedErrors,
    Errors,
    RandomErrors,
    RandomTuples,
    SkillErrors,
    Star,
    TupleList,
    require_fit,
)
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.rng import COIN_SHIFT, GAMMA, coin_threshold, mix
from unparrot.theory.graph.tuples import (
    RankSet,
    Walk,
    begin_tuples,
    new_walk,
    next_tuple,
    place_of,
    rank,
    rank_set,
    rank_table,
    require_tuples,
)

BY_COIN, BY_SKILL_RATES, BY_MEMBERSHIP, BY_SCORE = range(4)
INSIDE, TOUCHING, HASHED, LISTED = range(4)

_BLOCKS = 128  # of a pass that makes histograms

Ints = NDArray[np.int64]


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


class ScorePlan(NamedTuple):
    """A chosen set, as the kernels need it; what a kind has no use for is empty or 0."""

    kind: int
    member: NDArray[np.bool_]  # [N1] whether the set names the skill
    tuples: Ints  # [k + 1] C(d, k') for each number of positions d
    key: np.uint64  # of the tuples' coins
    threshold: np.uint64  # a tuple is chosen if its coin is below
    table: Ints  # [k', N1] of `rank_table`, for sets whose tuples are walked; else [1, 0]
    listed: RankSet


class MarkPlan(NamedTuple):
    """An error model, as the kernels need it; what a kind has no use for is empty or 0.

    A piece fails if its coin is below ``threshold``, or ``member_threshold`` if it scores; by
    score, if its score is above ``cut``, or equal and its index below ``cut_pieces``.
    """

    kind: int
    key: np.uint64  # of the coins
    threshold: np.uint64
    member_threshold: np.uint64
    survival: NDArray[np.float64]  # [N1] the chance of each skill not to fail
    score: ScorePlan
    cut: int
    cut_pieces: int


def score_plan(chosen: Chosen | None, draw: DrawPlan) -> ScorePlan:
    """Prepare a set for scoring; None for error models that need none.

    Raises
    ------
    BadInput
        If its tuples are too long or too many for a piece, or too many to number.
    """
    size = 1 if chosen is None else chosen.tuple_size
    require_tuples(draw.degree, size)
    plan = ScorePlan(
        kind=TOUCHING if isinstance(chosen, Star) else INSIDE,
        member=np.zeros(draw.skills, dtype=np.bool_),
        tuples=np.array([math.comb(d, size) for d in range(draw.degree + 1)], dtype=np.int64),
        key=np.uint64(0),
        threshold=np.uint64(0),
        table=np.empty((1, 0), dtype=np.int64),
        listed=rank_set(np.empty(0, np.int64)),
    )
    if isinstance(chosen, Clique | Star):
        plan.member[list(chosen.skills)] = True
    if not isinstance(chosen, RandomTuples | TupleList):
        return plan
    plan = plan._replace(table=rank_table(draw.skills, size, draw.repeats))
    if isinstance(chosen, RandomTuples):
        key = rng.keys(chosen.seed, rng.CHOSEN, size)[-1]
        return plan._replace(kind=HASHED, key=key, threshold=coin_threshold(chosen.share))
    listed = rank_set(rank(np.array(chosen.tuples, dtype=np.int64), plan.table))
    return plan._replace(kind=LISTED, listed=listed)


def score_walk(plan: ScorePlan, chunk: Chunk) -> Walk:
    """Make room for the scores of a chunk; each thread needs its own."""
    degree, lanes = chunk.skills.shape if plan.kind > TOUCHING else (1, 1)
    return new_walk(plan.table, degree, lanes)


def mark_plan(
    spec: GraphSpec, errors: Errors, draw: DrawPlan, threads: int
) -> tuple[MarkPlan, ChosenCounts | None]:
    """Prepare an error model for the kernels; the worst case takes a pass over all pieces.

    Raises
    ------
    BadInput
        If the errors do not fit the graph, or cannot be as concentrated as asked.
    """
    require_fit(spec, errors)
    plan = MarkPlan(
        kind=BY_COIN,
        key=rng.keys(spec.seed, rng.FAILURES, 1)[0],
        threshold=np.uint64(0),
        member_threshold=np.uint64(0),
        survival=np.empty(0, np.float64),
        score=score_plan(None, draw),
        cut=0,
        cut_pieces=0,
    )
    match errors:
        case RandomErrors():
            return plan._replace(threshold=coin_threshold(errors.theta)), None
        case SkillErrors():
            survival = 1.0 - np.array(errors.rates, dtype=np.float64)
            return plan._replace(kind=BY_SKILL_RATES, survival=survival), None
        case ConcentratedErrors():
            score = score_plan(Star(errors.skills, 1), draw)
            held = holding_chance(spec, errors)
            if held is None:
                scores = _Histograms(draw, score, threads, 0, spec.pieces)
                held = 1.0 - int(scores.total[0]) / spec.pieces
            inside, outside = errors.theta * errors.share, errors.theta * (1 - errors.share)
            if inside > held or outside > 1 - held:
                raise BadInput(
                    f"{errors.share:.4g} of the failures cannot gather in the {held:.4g} of the "
                    f"pieces that hold one of the {len(errors.skills)} skills while theta = "
                    f"{errors.theta:g}; name more skills, or lower the share or theta"
                )
            return plan._replace(
                kind=BY_MEMBERSHIP,
                score=score,
                member_threshold=coin_threshold(inside / held),
                threshold=coin_threshold(outside / (1 - held) if held < 1 else 0.0),
            ), None
        case _:
            score = score_plan(errors.chosen, draw)
            cut, cut_pieces, chosen = _worst_pieces(spec, errors.theta, draw, score, threads)
            return plan._replace(kind=BY_SCORE, score=score, cut=cut, cut_pieces=cut_pieces), chosen


def holding_chance(spec: GraphSpec, errors: ConcentratedErrors) -> float | None:
    """Return the chance that a piece holds one of the skills; None where no formula gives it.

    There is none for skills drawn without repeats by frequencies that differ.
    """
    if not spec.repeats and not spec.uniform:
        return None
    degrees, count = range(spec.max_degree + 1), len(errors.skills)
    if spec.repeats:
        missed = 1.0 - math.fsum(spec.probabilities[list(errors.skills)].tolist())
        absent = [max(missed, 0.0) ** d for d in degrees]
    else:
        absent = [1.0]
        for held in degrees[:-1]:
            left = spec.skills - held
            absent.append(absent[-1] * max(left - count, 0) / left)
    chances = spec.degree_probabilities.tolist()
    return max(0.0, 1.0 - math.fsum(p * a for p, a in zip(chances, absent, strict=True)))


class _Histograms:
    """How many pieces have each score, for blocks of the pieces first .. last - 1.

    Attributes
    ----------
    block
        Pieces in a block.
    counts, total
        Int64 [blocks, bins] and [bins].
    edges
        Tuples that the pieces hold together.
    """

    def __init__(
        self, draw: DrawPlan, score: ScorePlan, threads: int, first: int, last: int
    ) -> None:
        bins = int(score.tuples[-1]) + 1
        self.block = -(-(last - first) // _BLOCKS)
        blocks = -(-(last - first) // self.block)
        require_bytes(
            8 * blocks * bins, f"histograms of scores up to {bins - 1:,}", "lower the degree or k'"
        )
        self.counts = np.zeros((blocks, bins), np.int64)

        def new_room() -> tuple[Chunk, Walk, list[int]]:
            chunk = new_chunk(draw)
            return chunk, score_walk(score, chunk), []

        def work(room: tuple[Chunk, Walk, list[int]], block: int, start: int, stop: int) -> None:
            chunk, walk, edges = room
            counts = self.counts[block]
            edges.append(
                _score_pieces(draw, score, chunk, walk, first + start, first + stop, counts)
            )

        rooms = over_blocks(last - first, self.block, threads, new_room, work)
        self.edges = sum(sum(edges) for _, _, edges in rooms)
        self.total = self.counts.sum(axis=0)


def _worst_pieces(
    spec: GraphSpec, theta: float, draw: DrawPlan, score: ScorePlan, threads: int
) -> tuple[int, int, ChosenCounts]:
    """Return the least score that fails, the index below which it does, and what that comes to."""
    scores = _Histograms(draw, score, threads, 0, spec.pieces)
    wanted = math.floor(theta * spec.pieces + 0.5)
    above = np.append(np.cumsum(scores.total[::-1])[::-1], 0)  # pieces of each score or more
    cut = int(np.flatnonzero(above[:-1] >= wanted)[-1])
    ties = wanted - int(above[cut + 1])
    mass = np.arange(len(scores.total)) * scores.total
    failed = int(mass[cut + 1 :].sum()) + ties * cut
    chosen = ChosenCounts(scores.edges, int(mass.sum()), failed)
    first, last = 0, spec.pieces
    while ties > 0:
        tied = np.cumsum(scores.counts[:, cut])
        number = int(np.searchsorted(tied, ties))
        ties -= int(tied[number - 1]) if number else 0
        first += number * scores.block
        last = min(last, first + scores.block)
        if last - first == 1:
            return cut, last, chosen
        scores = _Histograms(draw, score, threads, first, last)
    return cut, 0, chosen


@kernel
def _score_pieces(
    draw: DrawPlan,
    score: ScorePlan,
    chunk: Chunk,
    walk: Walk,
    first: int,
    last: int,
    histogram: Ints,
) -> int:
    """Add each piece's score to a histogram; return how many tuples the pieces hold together."""
    tuples = 0
    for at in range(first, last, len(chunk.piece)):
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        _score_chunk(score, chunk, lanes, walk)
        for lane in range(lanes):
            histogram[chunk.score[lane]] += 1
            tuples += int(score.tuples[chunk.degree[lane]])
    return tuples


@inner_kernel
def _score_chunk(plan: ScorePlan, chunk: Chunk, lanes: int, walk: Walk) -> None:
    """Score the pieces in the first `lanes` lanes."""
    score, degree = chunk.score, chunk.degree
    for lane in range(lanes):
        score[lane] = 0
    if plan.kind <= TOUCHING:
        for position in range(len(chunk.skills)):
            row = chunk.skills[position]
            for lane in range(chunk.ends[position]):
                score[lane] += np.int64(plan.member[row[lane]])
        for lane in range(lanes):
            if plan.kind == INSIDE:
                score[lane] = plan.tuples[score[lane]]
            else:
                score[lane] = plan.tuples[degree[lane]] - plan.tuples[degree[lane] - score[lane]]
        return
    begin_tuples(chunk, walk)
    end = next_tuple(chunk, walk)
    ranks = walk.sums[-1]
    while end > 0:
        if plan.kind == HASHED:
            for lane in range(end):
                word = mix(plan.key + np.uint64(ranks[lane]) * GAMMA)
                score[lane] += np.int64((word >> COIN_SHIFT) < plan.threshold)
        else:
            for lane in range(end):
                score[lane] += np.int64(place_of(plan.listed, ranks[lane]) >= 0)
        end = next_tuple(chunk, walk)


@inner_kernel
def mark_chunk(plan: MarkPlan, chunk: Chunk, lanes: int, walk: Walk) -> int:
    """Mark the failed pieces of the first `lanes` lanes and return how many there are."""
    failed, score, place = chunk.failed, chunk.score, chunk.place
    if plan.kind >= BY_MEMBERSHIP:
        _score_chunk(plan.score, chunk, lanes, walk)
    if plan.kind == BY_COIN:
        for lane in range(lanes):
            failed[lane] = mix(plan.key + place[lane]) >> COIN_SHIFT < plan.threshold
    elif plan.kind == BY_SKILL_RATES:
        survival = chunk.survival
        for lane in range(lanes):
            survival[lane] = 1.0
        for position in range(len(chunk.skills)):
            row = chunk.skills[position]
            for lane in range(chunk.ends[position]):
                survival[lane] *= plan.survival[row[lane]]
        for lane in range(lanes):
            coin = mix(plan.key + place[lane]) >> COIN_SHIFT
            failed[lane] = np.float64(coin) * 2.0**-53 >= survival[lane]
    elif plan.kind == BY_MEMBERSHIP:
        for lane in range(lanes):
            threshold = plan.member_threshold if score[lane] > 0 else plan.threshold
            failed[lane] = mix(plan.key + place[lane]) >> COIN_SHIFT < threshold
    else:
        for lane in range(lanes):
            tied = (score[lane] == plan.cut) & (chunk.piece[lane] < plan.cut_pieces)
            failed[lane] = (score[lane] > plan.cut) | tied
    total = 0
    for lane in range(lanes):
        total += np.int64(failed[lane])
    return int(total)
