"""Which pieces of a chunk fail: plans of error models, and the kernels that follow them.

The worst case for a set Z: every piece has a score, how many of its tuples lie in Z, which follows
from the number of positions that hold one of the skills that Z names. A first pass makes the
histogram of the scores, block by block. From it follow the score at which the failed pieces begin,
and how many of the pieces with just that score fail too; the block with the last of these is then
split into smaller ones until it is found.
After that each piece can be told by itself whether it fails.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from unparrot.core.errors import BadInput
from unparrot.core.jit import inner_kernel, kernel
from unparrot.core.machine import require_bytes
from unparrot.theory.graph import rng
from unparrot.theory.graph.draws import Chunk, DrawPlan, draw_chunk, new_chunk, over_blocks
from unparrot.theory.graph.error_models import (
    Chosen,
    ConcentratedErrors,
    Errors,
    RandomErrors,
    SkillErrors,
    Star,
)
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.rng import COIN_SHIFT, coin_threshold, mix
from unparrot.theory.graph.spread import Pieces, Spread
from unparrot.theory.graph.tuples import require_tuples

BY_COIN, BY_SKILL_RATES, BY_MEMBERSHIP, BY_SCORE = range(4)

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
    """A chosen set, as the kernels need it."""

    touching: bool  # tuples with a skill of the set are chosen; else those within it
    member: NDArray[np.bool_]  # [N1] whether the set names the skill
    tuples: Ints  # [k + 1] C(d, k') for each number of positions d


class MarkPlan(NamedTuple):
    """An error model, as the kernels need it; what a kind has no use for is empty or 0.

    A piece fails if its coin is below ``threshold``; by membership, if it scores too; by score, if
    its score is above ``cut``, or equal and its index below ``cut_pieces``.
    """

    kind: int
    key: np.uint64  # of the coins
    score: ScorePlan
    threshold: np.uint64 = np.uint64(0)
    survival: NDArray[np.float64] = np.empty(0)  # [N1] the chance of each skill not to fail
    cut: int = 0
    cut_pieces: int = 0


def score_plan(chosen: Chosen | None, draw: DrawPlan) -> ScorePlan:
    """Prepare a set for scoring; None for error models that need none.

    Raises
    ------
    BadInput
        If its tuples are too long or too many for a piece.
    """
    size = 1 if chosen is None else chosen.tuple_size
    require_tuples(draw.degree, size)
    plan = ScorePlan(
        touching=isinstance(chosen, Star),
        member=np.zeros(draw.skills, dtype=np.bool_),
        tuples=np.array([math.comb(d, size) for d in range(draw.degree + 1)], dtype=np.int64),
    )
    plan.member[[] if chosen is None else list(chosen.skills)] = True
    return plan


def mark_plan(
    spec: GraphSpec, errors: Errors, draw: DrawPlan, spread: Spread
) -> tuple[MarkPlan, ChosenCounts | None]:
    """Prepare errors that fit the graph for the kernels; the worst case takes a pass over it.

    Raises
    ------
    BadInput
        If the errors cannot be as concentrated as asked.
    """
    plan = MarkPlan(BY_COIN, rng.keys(spec.seed, rng.FAILURES, 1)[0], score_plan(None, draw))
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
                _, counts, _ = _histograms(draw, score, spread, 0, spec.pieces)
                held = 1.0 - int(counts[:, 0].sum()) / spec.pieces
            if errors.theta > held:
                raise BadInput(
                    f"theta = {errors.theta:g} of the pieces cannot fail among the {held:.4g} that "
                    f"hold one of the skills that are named; name more, or lower theta"
                )
            coin = coin_threshold(errors.theta / held)
            return plan._replace(kind=BY_MEMBERSHIP, score=score, threshold=coin), None
        case _:
            score = score_plan(errors.chosen, draw)
            cut, cut_pieces, chosen = _worst_pieces(spec, errors.theta, draw, score, spread)
            return plan._replace(kind=BY_SCORE, score=score, cut=cut, cut_pieces=cut_pieces), chosen


def holding_chance(spec: GraphSpec, errors: ConcentratedErrors) -> float | None:
    """Return the chance that a piece holds one of the skills; None where no formula gives it.

    There is none for skills drawn without repeats by frequencies that differ.
    """
    if not spec.repeats and not spec.uniform:
        return None
    degrees, named = np.arange(spec.max_degree + 1), list(errors.skills)
    if spec.repeats:
        absent = max(0.0, 1.0 - math.fsum(spec.probabilities[named].tolist())) ** degrees
    else:
        absent = hypergeom.pmf(0, spec.skills, len(named), degrees)
    return max(0.0, 1.0 - float(spec.degree_probabilities @ absent))


def _histograms(
    draw: DrawPlan, score: ScorePlan, spread: Spread, first: int, last: int
) -> tuple[int, Ints, int]:
    """How many of the pieces first .. last - 1 have each score.

    Returns
    -------
    block, counts, edges
        Pieces in a block; int64 [blocks, bins]; tuples that the pieces hold together.
    """
    bins = int(score.tuples[-1]) + 1
    block = -(-(last - first) // _BLOCKS)
    blocks = -(-(last - first) // block)
    need = 8 * blocks * bins
    require_bytes(need, f"histograms of scores up to {bins - 1:,}", "lower the degree or k'")
    counts, edges = np.empty((blocks, bins), np.int64), 0
    work = partial(_block_histograms, draw, score, block)
    pieces = Pieces(first, last, block, block * draw.degree, need)
    for start, (part, held) in spread.shards(work, pieces):
        number = (start - first) // block
        counts[number : number + len(part)] = part
        edges += held
    return block, counts, edges


def _block_histograms(
    draw: DrawPlan, score: ScorePlan, block: int, first: int, last: int, threads: int
) -> tuple[Ints, int]:
    """Return a histogram of scores for each block of pieces, and their edges."""
    counts = np.zeros((-(-(last - first) // block), int(score.tuples[-1]) + 1), np.int64)

    def new_room() -> tuple[Chunk, list[int]]:
        return new_chunk(draw), []

    def work(room: tuple[Chunk, list[int]], number: int, start: int, stop: int) -> None:
        chunk, edges = room
        span = first + start, first + stop
        edges.append(_score_pieces(draw, score, chunk, *span, counts[number]))

    rooms = over_blocks("skill graph", last - first, block, threads, new_room, work)
    return counts, sum(sum(edges) for _, edges in rooms)


def _worst_pieces(
    spec: GraphSpec, theta: float, draw: DrawPlan, score: ScorePlan, spread: Spread
) -> tuple[int, int, ChosenCounts]:
    """Return the least score that fails, the index below which it does, and what that comes to."""
    block, counts, edges = _histograms(draw, score, spread, 0, spec.pieces)
    total = counts.sum(axis=0)
    wanted = math.floor(theta * spec.pieces + 0.5)
    above = np.append(np.cumsum(total[::-1])[::-1], 0)  # pieces of each score or more
    cut = int(np.flatnonzero(above[:-1] >= wanted)[-1])
    ties = wanted - int(above[cut + 1])
    mass = np.arange(len(total)) * total
    failed = int(mass[cut + 1 :].sum()) + ties * cut
    chosen = ChosenCounts(edges, int(mass.sum()), failed)
    first, last = 0, spec.pieces
    while ties > 0:
        tied = np.cumsum(counts[:, cut])
        number = int(np.searchsorted(tied, ties))
        ties -= int(tied[number - 1]) if number else 0
        first += number * block
        last = min(last, first + block)
        if last - first == 1:
            return cut, last, chosen
        block, counts, _ = _histograms(draw, score, spread, first, last)
    return cut, 0, chosen


@kernel
def _score_pieces(
    draw: DrawPlan, score: ScorePlan, chunk: Chunk, first: int, last: int, histogram: Ints
) -> int:
    """Add each piece's score to a histogram; return how many tuples the pieces hold together."""
    tuples = 0
    for at in range(first, last, len(chunk.piece)):
        lanes = min(len(chunk.piece), last - at)
        draw_chunk(draw, chunk, at, lanes)
        _score_chunk(score, chunk, lanes)
        for lane in range(lanes):
            histogram[chunk.score[lane]] += 1
            tuples += int(score.tuples[chunk.degree[lane]])
    return tuples


@inner_kernel
def _score_chunk(plan: ScorePlan, chunk: Chunk, lanes: int) -> None:
    """Score the pieces in the first `lanes` lanes."""
    score, degree = chunk.score, chunk.degree
    for lane in range(lanes):
        score[lane] = 0
    for position in range(len(chunk.skills)):
        row = chunk.skills[position]
        for lane in range(chunk.ends[position]):
            score[lane] += np.int64(plan.member[row[lane]])
    for lane in range(lanes):
        if plan.touching:
            score[lane] = plan.tuples[degree[lane]] - plan.tuples[degree[lane] - score[lane]]
        else:
            score[lane] = plan.tuples[score[lane]]


@inner_kernel
def mark_chunk(plan: MarkPlan, chunk: Chunk, lanes: int) -> int:
    """Mark the failed pieces of the first `lanes` lanes and return how many there are."""
    failed, score, place = chunk.failed, chunk.score, chunk.place
    if plan.kind >= BY_MEMBERSHIP:
        _score_chunk(plan.score, chunk, lanes)
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
            coin = mix(plan.key + place[lane]) >> COIN_SHIFT
            failed[lane] = (score[lane] > 0) & (coin < plan.threshold)
    else:
        for lane in range(lanes):
            tied = (score[lane] == plan.cut) & (chunk.piece[lane] < plan.cut_pieces)
            failed[lane] = (score[lane] > plan.cut) | tied
    total = 0
    for lane in range(lanes):
        total += np.int64(failed[lane])
    return int(total)
