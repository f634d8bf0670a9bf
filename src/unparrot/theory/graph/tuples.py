"""Kernels that walk the k'-tuples of the pieces of a chunk, as ranks (see `ranks`).

The skills of every piece are sorted first, by exchanges of whole rows, so that any choice of
positions gives a sorted tuple. What each skill adds to the rank at each place of a tuple is looked
up once; the rank of a tuple is then a sum of k' rows, and the last sum alone is made anew for each
choice of positions.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.graph.draws import Chunk
from unparrot.theory.jit import inner_kernel

PIECE_TUPLES = 1 << 18
"""Most tuples in one piece."""


class TupleRows(NamedTuple):
    """Room for the tuples of size k' of a chunk of B lanes, whose pieces have up to k positions."""

    table: NDArray[np.int64]
    """[k', N1] of `rank_table`."""
    ordered: NDArray[np.uint32]
    """[k, B] the skills of each lane in rising order."""
    parts: NDArray[np.int64]
    """[k', k, B] what the skill at each position adds at each place."""
    prefix: NDArray[np.int64]
    """[k', B] ranks of the first places chosen."""
    chosen: NDArray[np.int64]
    """[k'] the positions of the tuple at hand."""
    ranks: NDArray[np.int64]
    """[B] the ranks of that tuple."""
    hashes: NDArray[np.uint64]
    """[B] for looking them up."""
    maybe: NDArray[np.int64]
    """[B]"""


def require_tuples(degree: int, size: int) -> None:
    """Refuse tuples larger than a piece, or more in one piece than `PIECE_TUPLES`.

    Raises
    ------
    BadInput
        In either case.
    """
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


def new_tuple_rows(table: NDArray[np.int64], degree: int, lanes: int) -> TupleRows:
    """Make room for the tuples of chunks of `lanes` pieces; each thread needs its own.

    Parameters
    ----------
    table
        `rank_table` of the tuples' size, int64 [k', N1]; it is shared, not copied.
    degree
        The largest degree of a piece.
    lanes
        B.
    """
    size = len(table)
    return TupleRows(
        table=table,
        ordered=np.empty((degree, lanes), np.uint32),
        parts=np.empty((size, degree, lanes), np.int64),
        prefix=np.empty((size, lanes), np.int64),
        chosen=np.empty(size, np.int64),
        ranks=np.empty(lanes, np.int64),
        hashes=np.empty(lanes, np.uint64),
        maybe=np.empty(lanes, np.int64),
    )


@inner_kernel
def begin_tuples(chunk: Chunk, rows: TupleRows) -> None:
    """Sort the pieces of a chunk and stand before its first tuple."""
    reach, size = chunk.degree[0], len(rows.chosen)
    for position in range(reach):
        source, target = chunk.skills[position], rows.ordered[position]
        for lane in range(chunk.ends[position]):
            target[lane] = source[lane]
    for last in range(reach - 1, 0, -1):
        for position in range(last):
            _exchange(rows.ordered[position], rows.ordered[position + 1], chunk.ends[position + 1])
    for place in range(size):
        table = rows.table[place]
        for position in range(place, reach - size + place + 1):
            skills, part = rows.ordered[position], rows.parts[place, position]
            for lane in range(chunk.ends[position]):
                part[lane] = table[skills[lane]]
    for place in range(size):
        rows.chosen[place] = place
    rows.chosen[size - 1] = size - 2
    if reach >= size:
        _add_prefixes(chunk, rows, 0)


@inner_kernel
def next_tuple(chunk: Chunk, rows: TupleRows) -> int:
    """Rank the next choice of positions; return how many lanes have it, 0 after the last."""
    reach, size = chunk.degree[0], len(rows.chosen)
    place = size - 1
    rows.chosen[place] += 1
    while rows.chosen[place] > reach - size + place:
        place -= 1
        if place < 0:
            return 0
        rows.chosen[place] += 1
    if place < size - 1:
        for later in range(place + 1, size):
            rows.chosen[later] = rows.chosen[later - 1] + 1
        _add_prefixes(chunk, rows, place)
    last = rows.chosen[size - 1]
    end, part, ranks = int(chunk.ends[last]), rows.parts[size - 1, last], rows.ranks
    if size == 1:
        for lane in range(end):
            ranks[lane] = part[lane]
    else:
        before = rows.prefix[size - 2]
        for lane in range(end):
            ranks[lane] = before[lane] + part[lane]
    return end


@inner_kernel
def _add_prefixes(chunk: Chunk, rows: TupleRows, changed: int) -> None:
    """Sum the ranks of all places but the last, from the first place whose position changed."""
    for place in range(changed, len(rows.chosen) - 1):
        position = rows.chosen[place]
        part, out = rows.parts[place, position], rows.prefix[place]
        end = chunk.ends[position]
        if place == 0:
            for lane in range(end):
                out[lane] = part[lane]
        else:
            before = rows.prefix[place - 1]
            for lane in range(end):
                out[lane] = before[lane] + part[lane]


@inner_kernel
def _exchange(low: NDArray[np.uint32], high: NDArray[np.uint32], end: int) -> None:
    for lane in range(end):
        a, b = low[lane], high[lane]
        low[lane] = min(a, b)
        high[lane] = max(a, b)
