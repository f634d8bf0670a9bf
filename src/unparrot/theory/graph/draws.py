"""Kernels that draw the degrees and skills of pieces, a chunk of pieces at a time.

A chunk holds its pieces in the order of falling degree, and skills by position: row p holds the
p-th skill of every piece that has one. Each row is then one run of memory, and each step one plain
loop over it, which the compiler turns into vector instructions. What is drawn is defined in `rng`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.theory.graph import rng
from unparrot.theory.graph.frequencies import ALIAS_BITS, COIN_BITS, alias_table
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.rng import GAMMA, index_key, mix
from unparrot.theory.jit import inner_kernel, kernel

CHUNK_SKILLS = 1 << 13
"""Skills in a chunk, about: its rows (32 KiB) stay near, and are long enough for their loops."""

_ONE = np.uint64(1)
_ALIAS_BITS = np.uint64(ALIAS_BITS)
_ALIAS_MASK = np.uint64((1 << ALIAS_BITS) - 1)
_COIN_BITS = np.uint64(COIN_BITS)
_RETRY_SHIFT = np.uint64(rng.RETRY_SHIFT)


class DrawPlan(NamedTuple):
    """All that the kernels need to know of a `GraphSpec`."""

    skills: int
    degree: int
    """The degree of every piece, or the largest where a table of degrees is given."""
    uniform: bool
    repeats: bool
    shift: np.uint64
    """b: the bits of a word that a draw leaves out."""
    fraction_bits: np.uint64
    """f: the bits that it uses."""
    word_draws: int
    """D: draws from one word; 1 with an alias table."""
    keys: NDArray[np.uint64]
    """Of the words for skills, by index."""
    redraws: np.uint64
    """Key of the stream of redraws."""
    table: NDArray[np.uint64]
    """Alias table of the skills; empty if they are uniform."""
    degree_key: np.uint64
    degree_table: NDArray[np.uint64]
    """Alias table of the degrees 0, 1, 2, ...; empty if the degree is fixed."""


class Chunk(NamedTuple):
    """Room for up to B pieces, each in a lane of its own, the lanes by falling degree."""

    piece: NDArray[np.int64]
    """[B] index of the piece."""
    place: NDArray[np.uint64]
    """[B] G * piece: where it stands in every stream."""
    degree: NDArray[np.int64]
    """[B]"""
    ends: NDArray[np.int64]
    """[degree + 1] number of lanes that have a position p; 0 at the end."""
    skills: NDArray[np.uint32]
    """[degree, B] the skill at position p of each lane."""
    fraction: NDArray[np.uint64]
    """[B] what a word still holds for further draws."""
    entry: NDArray[np.uint64]
    """[B] entries of the alias table."""
    seen: NDArray[np.bool_]
    """[B] whether the skill just drawn is in the piece already."""
    step: NDArray[np.uint64]
    """[B] what a piece adds to a packed count: 1, and 2^32 more if it failed."""


def draw_plan(spec: GraphSpec) -> DrawPlan:
    """Work out keys and tables for a spec."""
    bits = rng.fraction_bits(spec.skills)
    word_draws = rng.draws_a_word(spec.skills) if spec.uniform else 1
    empty = np.empty(0, dtype=np.uint64)
    fixed = not isinstance(spec.degree, tuple)
    return DrawPlan(
        skills=spec.skills,
        degree=spec.max_degree,
        uniform=spec.uniform,
        repeats=spec.repeats,
        shift=np.uint64(64 - bits),
        fraction_bits=np.uint64(bits),
        word_draws=word_draws,
        keys=rng.keys(spec.seed, rng.SKILLS, -(-spec.max_degree // word_draws)),
        redraws=rng.stream_key(spec.seed, rng.REDRAWS),
        table=empty if spec.uniform else alias_table(spec.probabilities),
        degree_key=rng.keys(spec.seed, rng.DEGREES, 1)[0],
        degree_table=empty if fixed else alias_table(spec.degree_probabilities),
    )


def chunk_lanes(degree: int) -> int:
    """Return B, the pieces that a chunk has room for when they have up to `degree` skills."""
    return min(max(CHUNK_SKILLS // degree, 128), 1024)


def new_chunk(plan: DrawPlan) -> Chunk:
    """Make room for a chunk; each thread needs its own."""
    lanes = chunk_lanes(plan.degree)
    return Chunk(
        piece=np.empty(lanes, np.int64),
        place=np.empty(lanes, np.uint64),
        degree=np.empty(lanes, np.int64),
        ends=np.zeros(plan.degree + 1, np.int64),
        skills=np.empty((plan.degree, lanes), np.uint32),
        fraction=np.empty(lanes, np.uint64),
        entry=np.empty(lanes, np.uint64),
        seen=np.empty(lanes, np.bool_),
        step=np.empty(lanes, np.uint64),
    )


@kernel
def draw_chunk(plan: DrawPlan, chunk: Chunk, first: int, lanes: int) -> None:
    """Draw the pieces first .. first + lanes - 1 into a chunk, whose room is at least that."""
    for lane in range(lanes):
        chunk.piece[lane] = first + lane
        chunk.place[lane] = np.uint64(first + lane) * GAMMA
    if len(plan.degree_table) == 0:
        for lane in range(lanes):
            chunk.degree[lane] = plan.degree
        for position in range(plan.degree):
            chunk.ends[position] = lanes
    else:
        _draw_degrees(plan, chunk, first, lanes)
    for position in range(plan.degree):
        end = chunk.ends[position]
        if end == 0:
            break
        row = chunk.skills[position]
        if not plan.uniform:
            _alias_row(plan.keys[position], chunk, plan, end, row)
        else:
            if position % plan.word_draws == 0:
                key = plan.keys[position // plan.word_draws]
                _fraction_row(key, chunk.place, plan.shift, end, chunk.fraction)
            if plan.repeats:
                _uniform_row(chunk.fraction, plan, end, row)
            else:
                _shrunk_row(chunk, plan, position, end, row)
        if not plan.repeats and position > 0:
            _look_back(chunk, position, end)
            if plan.uniform:
                _replace_seen(chunk, plan, position, end, row)
            else:
                _redraw_seen(chunk, plan, position, end, row)


@inner_kernel
def alias_draw(
    word: np.uint64, n: np.uint64, bits: np.uint64, table: NDArray[np.uint64]
) -> np.uint64:
    """One alias draw among n values, whose draws use `bits` bits of a word."""
    x = (word >> (np.uint64(64) - bits)) * n
    column = x >> bits
    coin = (x & ((_ONE << bits) - _ONE)) >> (bits - _COIN_BITS)
    entry = table[column]
    return column if coin < (entry >> _ALIAS_BITS) else entry & _ALIAS_MASK


@inner_kernel
def _draw_degrees(plan: DrawPlan, chunk: Chunk, first: int, lanes: int) -> None:
    """Draw the degrees and put the pieces in the order of falling degree, equal ones by index."""
    n = len(plan.degree_table)
    bits, reach = 63, 2
    while reach < n:
        reach *= 2
        bits -= 1
    ends = chunk.ends
    ends[:] = 0
    for lane in range(lanes):
        word = mix(plan.degree_key + np.uint64(first + lane) * GAMMA)
        drawn = np.int64(alias_draw(word, np.uint64(n), np.uint64(bits), plan.degree_table))
        chunk.fraction[lane] = np.uint64(drawn)
        ends[drawn] += 1
    # from how many have each degree to where, in falling order, those of the degree begin
    at = 0
    for degree in range(plan.degree, -1, -1):
        here = ends[degree]
        ends[degree] = at
        at += here
    for lane in range(lanes):
        degree = np.int64(chunk.fraction[lane])
        to = ends[degree]
        ends[degree] += 1
        chunk.piece[to] = first + lane
        chunk.place[to] = np.uint64(first + lane) * GAMMA
        chunk.degree[to] = degree
    # where those of degree d now end, those of d - 1 begin: the lanes that have position d - 1
    for position in range(plan.degree):
        ends[position] = ends[position + 1]
    ends[plan.degree] = 0


@inner_kernel
def _fraction_row(
    key: np.uint64, place: NDArray[np.uint64], shift: np.uint64, end: int, out: NDArray[np.uint64]
) -> None:
    for lane in range(end):
        out[lane] = mix(key + place[lane]) >> shift


@inner_kernel
def _uniform_row(
    fraction: NDArray[np.uint64], plan: DrawPlan, end: int, row: NDArray[np.uint32]
) -> None:
    n, bits = np.uint64(plan.skills), plan.fraction_bits
    mask = (_ONE << bits) - _ONE
    for lane in range(end):
        x = fraction[lane] * n
        row[lane] = np.uint32(x >> bits)
        fraction[lane] = x & mask


@inner_kernel
def _shrunk_row(
    chunk: Chunk, plan: DrawPlan, position: int, end: int, row: NDArray[np.uint32]
) -> None:
    """Draw from the first N - d + p + 1 skills."""
    bits, fraction, degree = plan.fraction_bits, chunk.fraction, chunk.degree
    mask = (_ONE << bits) - _ONE
    reach = plan.skills + position + 1
    for lane in range(end):
        x = fraction[lane] * np.uint64(reach - degree[lane])
        row[lane] = np.uint32(x >> bits)
        fraction[lane] = x & mask


@inner_kernel
def _alias_row(
    key: np.uint64, chunk: Chunk, plan: DrawPlan, end: int, row: NDArray[np.uint32]
) -> None:
    """`alias_draw` for a row, in three steps, as the look-up alone is no vector instruction."""
    n, bits, table = np.uint64(plan.skills), plan.fraction_bits, plan.table
    place, x, entries = chunk.place, chunk.fraction, chunk.entry
    mask, drop = (_ONE << bits) - _ONE, bits - _COIN_BITS
    for lane in range(end):
        x[lane] = (mix(key + place[lane]) >> plan.shift) * n
    for lane in range(end):
        entries[lane] = table[x[lane] >> bits]
    for lane in range(end):
        coin, entry = (x[lane] & mask) >> drop, entries[lane]
        value = x[lane] >> bits if coin < (entry >> _ALIAS_BITS) else entry & _ALIAS_MASK
        row[lane] = np.uint32(value)


@inner_kernel
def _look_back(chunk: Chunk, position: int, end: int) -> None:
    """Mark the lanes whose skill at this position stands at an earlier one."""
    seen, row = chunk.seen, chunk.skills[position]
    for lane in range(end):
        seen[lane] = False
    for earlier in range(position):
        other = chunk.skills[earlier]
        for lane in range(end):
            seen[lane] |= other[lane] == row[lane]


@inner_kernel
def _replace_seen(
    chunk: Chunk, plan: DrawPlan, position: int, end: int, row: NDArray[np.uint32]
) -> None:
    """Floyd's step: the last skill of the range is new for sure."""
    seen, degree = chunk.seen, chunk.degree
    last = plan.skills + position
    for lane in range(end):
        row[lane] = np.uint32(last - degree[lane]) if seen[lane] else row[lane]


@inner_kernel
def _redraw_seen(
    chunk: Chunk, plan: DrawPlan, position: int, end: int, row: NDArray[np.uint32]
) -> None:
    """Draw again, word by word, until the skill is new."""
    n, bits = np.uint64(plan.skills), plan.fraction_bits
    for lane in range(end):
        index = np.uint64(position) << _RETRY_SHIFT
        while chunk.seen[lane]:
            index += _ONE
            word = mix(index_key(plan.redraws, index) + chunk.place[lane])
            skill = np.uint32(alias_draw(word, n, bits, plan.table))
            found = False
            for earlier in range(position):
                found |= chunk.skills[earlier, lane] == skill
            row[lane] = skill
            chunk.seen[lane] = found
