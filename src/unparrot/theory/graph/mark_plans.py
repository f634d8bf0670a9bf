"""From an error model to the plan of its marks; the worst case takes a pass over all pieces first.

The worst case for a set Z: every piece has a score, how many of its tuples lie in Z. The first
pass makes the histogram of the scores, block by block. From it follow the score at which the
failed pieces begin, how many of the pieces with just that score fail too, and in which block the
last of these lies; one more look at that block alone gives its index. The second pass then tells
for each piece by itself whether it fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unparrot.core.errors import BadInput
from unparrot.core.machine import require_bytes
from unparrot.theory.graph import rng
from unparrot.theory.graph.counts import ChosenCounts
from unparrot.theory.graph.draws import Chunk, DrawPlan, new_chunk
from unparrot.theory.graph.error_models import (
    ConcentratedErrors,
    Errors,
    RandomErrors,
    SkillErrors,
    WorstCase,
    require_fit,
)
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.marks import (
    BY_COIN,
    BY_MEMBERSHIP,
    BY_SCORE,
    BY_SKILL_RATES,
    MarkPlan,
)
from unparrot.theory.graph.scores import ScorePlan, ScoreRoom, new_score_room, no_score, score_plan
from unparrot.theory.graph.streams import count_holding, end_of_ties, score_histogram
from unparrot.theory.graph.workers import over_blocks

HISTOGRAM_BLOCKS = 1024
"""Blocks whose histograms are kept apart, where they are small."""

_LEAST_BLOCKS = 64
_HISTOGRAM_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class _FirstPass:
    """What the first pass found."""

    cut: int
    cut_pieces: int
    chosen: ChosenCounts


def mark_plan(
    spec: GraphSpec, errors: Errors, draw: DrawPlan, threads: int
) -> tuple[MarkPlan, ChosenCounts | None]:
    """Prepare an error model for the kernels.

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
        member=np.empty(0, np.bool_),
        survival=np.empty(0, np.float64),
        score=no_score(),
        cut=np.int64(0),
        cut_pieces=np.int64(0),
    )
    match errors:
        case RandomErrors():
            return plan._replace(threshold=_threshold(errors.theta)), None
        case SkillErrors():
            rates = np.array(errors.rates, dtype=np.float64)
            return plan._replace(kind=BY_SKILL_RATES, survival=1.0 - rates), None
        case ConcentratedErrors():
            member = np.zeros(spec.skills, np.bool_)
            member[list(errors.skills)] = True
            inside, outside = _concentrated_rates(spec, errors, draw, member, threads)
            plan = plan._replace(kind=BY_MEMBERSHIP, member=member)
            return plan._replace(
                member_threshold=_threshold(inside), threshold=_threshold(outside)
            ), None
        case WorstCase():
            score = score_plan(errors.chosen, draw)
            found = _first_pass(spec, errors.theta, draw, score, threads)
            return plan._replace(
                kind=BY_SCORE,
                score=score,
                cut=np.int64(found.cut),
                cut_pieces=np.int64(found.cut_pieces),
            ), found.chosen


def _threshold(chance: float) -> np.uint64:
    return np.uint64(rng.coin_threshold(chance))


def _concentrated_rates(
    spec: GraphSpec,
    errors: ConcentratedErrors,
    draw: DrawPlan,
    member: np.ndarray[tuple[int], np.dtype[np.bool_]],
    threads: int,
) -> tuple[float, float]:
    """Failure rates of the pieces that hold one of the skills, and of the others."""
    held = holding_chance(spec, errors)
    if held is None:
        held = _holding_share(spec, draw, member, threads)
    inside, outside = errors.theta * errors.share, errors.theta * (1 - errors.share)
    if inside > held or outside > 1 - held:
        raise BadInput(
            f"{errors.share:.4g} of the failures cannot gather in the {held:.4g} of the pieces "
            f"that hold one of the {len(errors.skills)} skills while theta = {errors.theta:g}; "
            "name more skills, or lower the share or theta"
        )
    return inside / held, outside / (1 - held) if held < 1 else 0.0


def holding_chance(spec: GraphSpec, errors: ConcentratedErrors) -> float | None:
    """Return the chance that a piece holds one of the skills; None where no formula gives it.

    There is none for skills drawn without repeats by frequencies that differ.
    """
    if not spec.repeats and not spec.uniform:
        return None
    count = len(errors.skills)
    if spec.repeats:
        missed = 1.0 - math.fsum(spec.probabilities[list(errors.skills)].tolist())
        absent = [max(missed, 0.0) ** d for d in range(spec.max_degree + 1)]
    else:
        absent = [1.0]
        for held in range(spec.max_degree):
            left = spec.skills - held
            absent.append(absent[-1] * max(left - count, 0) / left)
    chances = spec.degree_probabilities.tolist()
    return max(0.0, 1.0 - math.fsum(p * a for p, a in zip(chances, absent, strict=True)))


def _holding_share(
    spec: GraphSpec,
    draw: DrawPlan,
    member: np.ndarray[tuple[int], np.dtype[np.bool_]],
    threads: int,
) -> float:
    """The share of this graph's pieces that hold one of the skills, by a pass over them."""

    def work(room: tuple[Chunk, list[int]], _: int, first: int, last: int) -> None:
        room[1].append(count_holding(draw, member, room[0], first, last))

    def new_room() -> tuple[Chunk, list[int]]:
        return new_chunk(draw), []

    block = max(1, (1 << 22) // spec.max_degree)
    rooms = over_blocks(spec.pieces, block, threads, new_room, work)
    return sum(sum(found) for _, found in rooms) / spec.pieces


def _first_pass(
    spec: GraphSpec, theta: float, draw: DrawPlan, score: ScorePlan, threads: int
) -> _FirstPass:
    bins = int(score.tuples[-1]) + 1
    blocks = min(max(_HISTOGRAM_CELLS // bins, _LEAST_BLOCKS), HISTOGRAM_BLOCKS)
    block = -(-spec.pieces // blocks)
    blocks = -(-spec.pieces // block)
    require_bytes(
        8 * blocks * bins, f"histograms of scores up to {bins - 1:,}", "lower the degree or k'"
    )
    histograms = np.zeros((blocks, bins), np.int64)

    def new_room() -> tuple[Chunk, ScoreRoom, list[int]]:
        chunk = new_chunk(draw)
        return chunk, new_score_room(score, draw.degree, len(chunk.piece)), []

    def work(room: tuple[Chunk, ScoreRoom, list[int]], number: int, first: int, last: int) -> None:
        chunk, scores, tuples = room
        tuples.append(score_histogram(draw, score, chunk, scores, first, last, histograms[number]))

    rooms = over_blocks(spec.pieces, block, threads, new_room, work)
    histogram = histograms.sum(axis=0)
    wanted = math.floor(theta * spec.pieces + 0.5)
    above = np.concatenate([np.cumsum(histogram[::-1])[::-1], [0]])  # pieces of each score or more
    cut = int(np.flatnonzero(above >= wanted)[-1])
    cut = min(cut, bins - 1)  # where no piece fails at all
    ties = wanted - int(above[cut + 1])
    scores = np.arange(bins)
    chosen = ChosenCounts(
        edges=sum(sum(tuples) for _, _, tuples in rooms),
        chosen=int(scores @ histogram),
        failed=int(scores[cut + 1 :] @ histogram[cut + 1 :]) + ties * cut,
    )
    tied = np.cumsum(histograms[:, cut])
    number = int(np.searchsorted(tied, ties))
    before = int(tied[number - 1]) if number else 0
    chunk, room, _ = new_room()
    first, last = number * block, min(spec.pieces, (number + 1) * block)
    end = end_of_ties(draw, score, chunk, room, first, last, cut, ties - before)
    return _FirstPass(cut, end, chosen)
