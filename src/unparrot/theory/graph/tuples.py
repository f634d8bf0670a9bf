"""k'-tuples of skills: their ranks, their measure, and kernels that walk and find those of pieces.

Every set (or multiset) of k' skills has one rank. Sort its skills, s_0 <= s_1 <= ...; the rank is
the sum over l of C(s_l, l + 1) without repeats, and of C(s_l + l, l + 1) with them: the
combinatorial number system, which counts tuples in the order of their largest skill, then of their
second largest, and so on, without a gap.

The measure of a k'-tuple is the chance that a piece of k' skills is just that tuple, in any order:
with repeats mu1^k', else the law of successive sampling.

References
----------
Knuth (2011), "The Art of Computer Programming", volume 4A, section 7.2.1.3.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.jit import inner_kernel, kernel
from unparrot.theory.graph import rng
from unparrot.theory.graph.draws import Chunk, draw_chunk, draw_plan, new_chunk
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.rng import mix

MOST_TUPLES = 2**63 - 1  # ranks are int64
PIECE_TUPLES = 1 << 18  # most tuples in one piece
LARGEST_UNEVEN = 8  # largest k' whose measure is summed over all orders of its skills
_BLOCK = 1 << 18
_SLOTS_EACH = 4  # of a `RankSet`: nearly every tuple looked up falls on a free one

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def tuple_total(skills: int, size: int, repeats: bool) -> int:
    """Return how many tuples of `size` skills there are, exactly.

    Examples
    --------
    >>> tuple_total(1000, 2, repeats=False), tuple_total(1000, 2, repeats=True)
    (499500, 500500)
    """
    return math.comb(skills + size - 1 if repeats else skills, size)


def require_rankable(skills: int, size: int, repeats: bool) -> None:
    """Raise `BadInput` if there are more tuples than int64 ranks, 2^63 - 1."""
    total = tuple_total(skills, size, repeats)
    if total > MOST_TUPLES:
        raise BadInput(
            f"there are {float(total):.3g} tuples of {size} of {skills:,} skills, more than can be "
            "numbered (2^63); use fewer skills or a smaller k'"
        )


def require_tuples(degree: int, size: int) -> None:
    """Raise `BadInput` if tuples are larger than a piece, or a piece has over `PIECE_TUPLES`."""
    if size > degree:
        raise BadInput(
            f"k' = {size} is more than the largest degree of a piece, k = {degree}; "
            "take shorter tuples"
        )
    tuples = math.comb(degree, size)
    if tuples > PIECE_TUPLES:
        raise BadInput(
            f"a piece of {degree} skills has {float(tuples):.3g} tuples of {size}, more than the "
            f"{PIECE_TUPLES:,} that are walked; take a smaller k' or a smaller degree"
        )


def rank_table(skills: int, size: int, repeats: bool) -> Ints:
    """Return what each skill adds to a rank at each place of a sorted tuple, int64 [size, skills].

    Raises
    ------
    BadInput
        If there are more than 2^63 - 1 tuples.

    Examples
    --------
    >>> rank_table(4, 2, repeats=False).tolist()
    [[0, 1, 2, 3], [0, 0, 1, 3]]
    """
    require_rankable(skills, size, repeats)
    table = np.zeros((size, skills), dtype=np.int64)
    table[0] = np.arange(skills)
    for place in range(1, size):
        # C(n, l + 1) is the sum of C(m, l) over m < n; the shift by l counts multisets
        below = np.cumsum(table[place - 1])
        table[place, 0 if repeats else 1 :] = below if repeats else below[:-1]
    return table


def rank(members: NDArray[np.integer], table: Ints) -> Ints:
    """Return the ranks of tuples, int64 [n], from their skills [n, size] in any order.

    Examples
    --------
    >>> rank(np.array([[0, 1], [3, 2]]), rank_table(4, 2, repeats=False)).tolist()
    [0, 5]
    """
    return table[np.arange(len(table)), np.sort(members, axis=1)].sum(axis=1)


def unrank(ranks: Ints, table: Ints) -> NDArray[np.int32]:
    """Return the skills of tuples, int32 [n, size] and rising, from their ranks [n].

    Examples
    --------
    >>> unrank(np.array([0, 5]), rank_table(4, 2, repeats=False)).tolist()
    [[0, 1], [2, 3]]
    """
    members = np.empty((len(ranks), len(table)), dtype=np.int32)
    left = ranks.astype(np.int64)
    for place in range(len(table) - 1, -1, -1):
        skill = np.searchsorted(table[place], left, side="right") - 1
        members[:, place] = skill
        left -= table[place, skill]
    return members


def require_measure(spec: GraphSpec, size: int) -> None:
    """Refuse tuples whose measure would take a sum over too many orders.

    Raises
    ------
    BadInput
        If pieces have no repeats, frequencies differ and k' is over `LARGEST_UNEVEN`.
    """
    if not spec.repeats and not spec.uniform and size > LARGEST_UNEVEN:
        raise BadInput(
            f"the measure of all tuples of {size} different skills with uneven frequencies sums "
            f"over all their orders, which is done up to k' = {LARGEST_UNEVEN}; count a sample"
        )


def tuple_weights(spec: GraphSpec, table: Ints, total: int) -> Floats:
    """Return the measure of all tuples in the order of their ranks, float64 [total].

    Parameters
    ----------
    spec
        Gives frequencies and whether skills repeat.
    table
        `rank_table` of the tuples' size, int64 [k', N1].
    total
        Number of tuples.
    """
    if spec.uniform and not spec.repeats:
        return np.full(total, 1.0 / total)
    weights, mu1 = np.empty(total), spec.probabilities
    measure = _with_repeats if spec.repeats else _distinct
    block = max(1, _BLOCK >> (0 if spec.repeats else len(table)))
    for first in range(0, total, block):
        last = min(total, first + block)
        members = unrank(np.arange(first, last), table)
        weights[first:last] = measure(mu1, members)
    return weights


def _with_repeats(mu1: Floats, members: NDArray[np.int32]) -> Floats:
    """Return the multinomial chance of sorted tuples [n, k']."""
    weight = mu1[members[:, 0]].copy()
    run = np.ones(len(members))
    for place in range(1, members.shape[1]):
        run = np.where(members[:, place] == members[:, place - 1], run + 1, 1.0)
        weight *= mu1[members[:, place]] * (place + 1) / run
    return weight


def _distinct(mu1: Floats, members: NDArray[np.int32]) -> Floats:
    """Return the chance of sets [n, k'] under successive sampling, summed subset by subset."""
    p = mu1[members]
    size = members.shape[1]
    reached = np.zeros((1 << size, len(members)))
    held = np.zeros((1 << size, len(members)))
    reached[0] = 1.0
    for subset in range(1, 1 << size):
        newest = subset.bit_length() - 1
        held[subset] = held[subset ^ (1 << newest)] + p[:, newest]
        for place in range(size):
            if subset >> place & 1:
                before = subset ^ (1 << place)
                reached[subset] += reached[before] * p[:, place] / (1.0 - held[before])
    return reached[-1]


def sample_tuples(spec: GraphSpec, table: Ints, draws: int) -> tuple[Ints, Floats]:
    """Draw tuples by their measure: each is one piece of k' skills, of a seed of its own.

    Returns
    -------
    ranks, weights
        The different tuples drawn, rising, int64 [n], and their shares of the draws, float64 [n].
    """
    seed = int(rng.words(spec.seed, rng.SAMPLE, 0, np.zeros(1, np.int64))[0])
    plan = draw_plan(replace(spec, pieces=draws, degree=len(table), seed=seed))
    chunk = new_chunk(plan)
    ranks = np.empty(draws, np.int64)
    step = len(chunk.piece)
    for first in range(0, draws, step):
        lanes = min(step, draws - first)
        draw_chunk(plan, chunk, first, lanes)
        ranks[first : first + lanes] = rank(chunk.skills[:, :lanes].T, table)
    held, times = np.unique(ranks, return_counts=True)
    return held, times / draws


class Walk(NamedTuple):
    """Room to walk the tuples of a chunk of B lanes, whose pieces have up to k positions."""

    table: Ints  # [k', N1] of `rank_table`
    ordered: NDArray[np.uint32]  # [k, B] the skills of each lane in rising order
    sums: Ints  # [k' + 1, B] ranks of the first 0, 1, ..., k' places of the tuple at hand
    chosen: Ints  # [k'] its positions


def new_walk(table: Ints, degree: int, lanes: int) -> Walk:
    """Make room to walk chunks of `lanes` pieces; each thread needs its own, but for the table.

    Parameters
    ----------
    table
        `rank_table` of the tuples' size, int64 [k', N1].
    degree
        The largest degree of a piece.
    lanes
        B.
    """
    size = len(table)
    return Walk(
        table=table,
        ordered=np.empty((degree, lanes), np.uint32),
        sums=np.zeros((size + 1, lanes), np.int64),
        chosen=np.empty(size, np.int64),
    )


@inner_kernel
def begin_tuples(chunk: Chunk, walk: Walk) -> None:
    """Sort the pieces of a chunk, by exchanges of whole rows, and stand before its first tuple."""
    reach, size = chunk.degree[0], len(walk.chosen)
    for position in range(reach):
        source, target = chunk.skills[position], walk.ordered[position]
        for lane in range(chunk.ends[position]):
            target[lane] = source[lane]
    for last in range(reach - 1, 0, -1):
        for position in range(last):
            low, high = walk.ordered[position], walk.ordered[position + 1]
            for lane in range(chunk.ends[position + 1]):
                a, b = low[lane], high[lane]
                low[lane] = min(a, b)
                high[lane] = max(a, b)
    for place in range(size):
        walk.chosen[place] = reach - size + place
    walk.chosen[0] = -1


@inner_kernel
def next_tuple(chunk: Chunk, walk: Walk) -> int:
    """Rank the next choice of positions; return how many lanes have it, 0 after the last."""
    reach, size = chunk.degree[0], len(walk.chosen)
    place = size - 1
    walk.chosen[place] += 1
    while walk.chosen[place] > reach - size + place:
        if place == 0:
            return 0
        place -= 1
        walk.chosen[place] += 1
    end = 0
    for later in range(place, size):
        if later > place:
            walk.chosen[later] = walk.chosen[later - 1] + 1
        position = walk.chosen[later]
        end = int(chunk.ends[position])
        skills, table = walk.ordered[position], walk.table[later]
        before, after = walk.sums[later], walk.sums[later + 1]
        for lane in range(end):
            after[lane] = before[lane] + table[skills[lane]]
    return end


class RankSet(NamedTuple):
    """Different ranks, found again by `place_of`."""

    ranks: Ints  # [n] rising
    slots: NDArray[np.int32]  # [a power of two] places in `ranks`; -1 where free


def rank_set(ranks: Ints) -> RankSet:
    """Make the set of some ranks (any order, no matter if twice)."""
    held = np.unique(ranks)
    size = 1 << max(1, _SLOTS_EACH * len(held) - 1).bit_length()
    made = RankSet(held, np.full(size, -1, np.int32))
    _fill(made)
    return made


@kernel
def _fill(held: RankSet) -> None:
    for place in range(len(held.ranks)):
        slot = _slot_of(held, held.ranks[place])
        held.slots[slot] = place


@inner_kernel
def _slot_of(held: RankSet, ranked: int) -> np.uint64:
    """Return the slot of a rank, or if the set does not hold it a free one."""
    mask = np.uint64(len(held.slots) - 1)
    slot = mix(np.uint64(ranked)) & mask
    while held.slots[slot] >= 0 and held.ranks[held.slots[slot]] != ranked:
        slot = (slot + np.uint64(1)) & mask
    return slot


@inner_kernel
def sift(held: RankSet, ranks: Ints, end: int, hashes: NDArray[np.uint64], lanes: Ints) -> int:
    """Write the lanes of the first `end` ranks that may be in the set; return how many they are."""
    mask, slots = np.uint64(len(held.slots) - 1), held.slots
    for lane in range(end):
        hashes[lane] = mix(np.uint64(ranks[lane])) & mask
    passed = 0
    for lane in range(end):
        # branchless, as the branch mispredicts: written in any case, and kept if it passes
        lanes[passed] = lane
        passed += np.int64(slots[hashes[lane]] >= 0)
    return int(passed)


@inner_kernel
def place_of(held: RankSet, ranked: int) -> int:
    """Return the place of a rank in the set; -1 if it is not there."""
    return int(held.slots[_slot_of(held, ranked)])
