"""Kernels that draw the degrees and skills of pieces, a chunk of pieces at a time, on all cores.

A chunk holds its pieces in the order of falling degree, and skills by position: row p holds the
p-th skill of every piece that has one. Each row is then one run of memory, and each step one plain
loop over it, which the compiler turns into vector instructions. `rng` defines what is drawn.

Threads share out blocks of pieces (`over_blocks`). The kernels release the interpreter's lock, and
what a piece holds depends on its index alone, so counts do not depend on which thread took what.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from unparrot.core.jit import inner_kernel, kernel
from unparrot.core.progress import Progress
from unparrot.theory.graph import rng
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.rng import GAMMA, alias_draw, index_key, mix

CHUNK_SKILLS = 1 << 13  # about: the rows (32 KiB) stay in cache, and are long enough to vectorize

Words = NDArray[np.uint64]
Skills = NDArray[np.uint32]
Room = TypeVar("Room")


class DrawPlan(NamedTuple):
    """All that the kernels need to know of a `GraphSpec`.

    ``degree`` is that of every piece, or the largest; a draw uses ``bits`` of a word (f in `rng`)
    and a word gives ``word_draws`` draws (D; 1 with an alias table). ``keys`` are those of the
    words for skills, by index; ``redraws`` is the key of that stream. ``table`` is the alias table
    of the skills, empty if they are uniform; ``degree_table`` that of the degrees 0, 1, 2, ...,
    empty if the degree is fixed.
    """

    skills: int
    degree: int
    uniform: bool
    repeats: bool
    bits: np.uint64
    word_draws: int
    keys: Words
    redraws: np.uint64
    table: Words
    degree_key: np.uint64
    degree_bits: np.uint64
    degree_table: Words


class Chunk(NamedTuple):
    """Room for up to B pieces, each in a lane of its own, the lanes by falling degree."""

    piece: NDArray[np.int64]  # [B] index of the piece
    place: Words  # [B] G * piece: where it stands in every stream
    degree: NDArray[np.int64]  # [B]
    ends: NDArray[np.int64]  # [degree + 1] lanes that have a position p; 0 at the end
    skills: Skills  # [degree, B] the skill at position p of each lane
    fraction: Words  # [B] what a word still holds for further draws
    entry: Words  # [B] entries of the alias table
    seen: NDArray[np.bool_]  # [B] whether the skill just drawn is in the piece already
    failed: NDArray[np.bool_]  # [B] whether the piece fails
    score: NDArray[np.int64]  # [B] its tuples in a chosen set
    survival: NDArray[np.float64]  # [B] the chance that no skill makes it fail


def draw_plan(spec: GraphSpec) -> DrawPlan:
    """Work out keys and tables for a spec."""
    word_draws = rng.draws_a_word(spec.skills) if spec.uniform else 1
    empty = np.empty(0, dtype=np.uint64)
    fixed = isinstance(spec.degree, int)
    return DrawPlan(
        skills=spec.skills,
        degree=spec.max_degree,
        uniform=spec.uniform,
        repeats=spec.repeats,
        bits=np.uint64(rng.fraction_bits(spec.skills)),
        word_draws=word_draws,
        keys=rng.keys(spec.seed, rng.SKILLS, -(-spec.max_degree // word_draws)),
        redraws=rng.stream_key(spec.seed, rng.REDRAWS),
        table=empty if spec.uniform else rng.alias_table(spec.probabilities),
        degree_key=rng.keys(spec.seed, rng.DEGREES, 1)[0],
        degree_bits=np.uint64(rng.fraction_bits(spec.max_degree + 1)),
        degree_table=empty if fixed else rng.alias_table(spec.degree_probabilities),
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
        failed=np.empty(lanes, np.bool_),
        score=np.empty(lanes, np.int64),
        survival=np.empty(lanes, np.float64),
    )


@kernel
def draw_chunk(plan: DrawPlan, chunk: Chunk, first: int, lanes: int) -> None:
    """Draw the pieces first .. first + lanes - 1 into a chunk, whose room is at least that."""
    if len(plan.degree_table) == 0:
        for lane in range(lanes):
            chunk.piece[lane] = first + lane
            chunk.place[lane] = np.uint64(first + lane) * GAMMA
            chunk.degree[lane] = plan.degree
        for position in range(plan.degree):
            chunk.ends[position] = lanes
    else:
        _draw_degrees(plan, chunk, first, lanes)
    for position in range(plan.degree):
        end = chunk.ends[position]
        if end == 0:
            break
        # rows are passed as plain arrays, without which the loops over them do not vectorize
        row = chunk.skills[position]
        if not plan.uniform:
            _alias_row(plan.keys[position], chunk, plan, end, row)
        else:
            if position % plan.word_draws == 0:
                key = plan.keys[position // plan.word_draws]
                _word_row(key, chunk.place, plan.bits, end, chunk.fraction)
            if plan.repeats:
                _uniform_row(chunk.fraction, np.uint64(plan.skills), plan.bits, end, row)
            else:
                _shrunk_row(chunk, plan, position, end, row)
        if not plan.repeats and position > 0:
            _look_back(chunk, position, end)
            if plan.uniform:
                _replace_seen(chunk, plan, position, end, row)
            else:
                _redraw_seen(chunk, plan, position, end, row)


@inner_kernel
def _draw_degrees(plan: DrawPlan, chunk: Chunk, first: int, lanes: int) -> None:
    """Draw the degrees and put the pieces in the order of falling degree, equal ones by index."""
    ends = chunk.ends
    ends[:] = 0
    for lane in range(lanes):
        word = mix(plan.degree_key + np.uint64(first + lane) * GAMMA)
        drawn = alias_draw(word, plan.degree_bits, plan.degree_table)
        chunk.fraction[lane] = drawn
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
def _word_row(key: np.uint64, place: Words, bits: np.uint64, end: int, out: Words) -> None:
    for lane in range(end):
        out[lane] = mix(key + place[lane]) >> (np.uint64(64) - bits)


@inner_kernel
def _uniform_row(fraction: Words, n: np.uint64, bits: np.uint64, end: int, row: Skills) -> None:
    mask = (np.uint64(1) << bits) - np.uint64(1)
    for lane in range(end):
        x = fraction[lane] * n
        row[lane] = np.uint32(x >> bits)
        fraction[lane] = x & mask


@inner_kernel
def _shrunk_row(chunk: Chunk, plan: DrawPlan, position: int, end: int, row: Skills) -> None:
    """Draw from the first N - d + p + 1 skills."""
    bits, fraction, degree = plan.bits, chunk.fraction, chunk.degree
    mask = (np.uint64(1) << bits) - np.uint64(1)
    reach = plan.skills + position + 1
    for lane in range(end):
        x = fraction[lane] * np.uint64(reach - degree[lane])
        row[lane] = np.uint32(x >> bits)
        fraction[lane] = x & mask


@inner_kernel
def _alias_row(key: np.uint64, chunk: Chunk, plan: DrawPlan, end: int, row: Skills) -> None:
    """Make alias draws in three steps, as the look-up alone does not vectorize."""
    n, bits, table = np.uint64(plan.skills), plan.bits, plan.table
    place, x, entries = chunk.place, chunk.fraction, chunk.entry
    mask, drop = (np.uint64(1) << bits) - np.uint64(1), bits - np.uint64(rng.COIN_BITS)
    for lane in range(end):
        x[lane] = (mix(key + place[lane]) >> (np.uint64(64) - bits)) * n
    for lane in range(end):
        entries[lane] = table[x[lane] >> bits]
    for lane in range(end):
        own = ((x[lane] & mask) >> drop) < (entries[lane] >> np.uint64(rng.ALIAS_BITS))
        row[lane] = np.uint32(x[lane] >> bits if own else entries[lane] & rng.ALIAS_MASK)


@inner_kernel
def _replace_seen(chunk: Chunk, plan: DrawPlan, position: int, end: int, row: Skills) -> None:
    """Take Floyd's step: the last skill of the range is new for sure."""
    seen, degree = chunk.seen, chunk.degree
    last = plan.skills + position
    for lane in range(end):
        row[lane] = np.uint32(last - degree[lane]) if seen[lane] else row[lane]


@inner_kernel
def _redraw_seen(chunk: Chunk, plan: DrawPlan, position: int, end: int, row: Skills) -> None:
    """Draw again, word by word, until the skill is new."""
    seen = chunk.seen
    for lane in range(end):
        index = np.uint64(position) << rng.RETRY_SHIFT
        while seen[lane]:
            index += np.uint64(1)
            word = mix(index_key(plan.redraws, index) + chunk.place[lane])
            row[lane] = np.uint32(alias_draw(word, plan.bits, plan.table))
            seen[lane] = False
            for earlier in range(position):
                seen[lane] |= chunk.skills[earlier, lane] == row[lane]


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


def over_blocks(
    what: str,
    pieces: int,
    block: int,
    threads: int,
    new_room: Callable[[], Room],
    work: Callable[[Room, int, int, int], None],
) -> list[Room]:
    """Work through all blocks of pieces and return the room of each thread.

    Parameters
    ----------
    what
        The work, in a word or two, for its progress.
    pieces
        Number of pieces.
    block
        Pieces in a block; the last one may be shorter.
    threads
        Number of threads; no more are started than there are blocks.
    new_room
        Makes what one thread works in.
    work
        Called with the room, the number of the block, and its first piece and the one after its
        last, and once before with a block of no piece. An exception in it ends the work of all
        threads and is raised here.
    """
    blocks = -(-pieces // block)
    # threads may share an iterator of a range: a step of it holds the interpreter's lock
    numbers, stopped = iter(range(blocks)), threading.Event()
    work(new_room(), 0, 0, 0)  # compiles, before the clock of the progress starts
    progress = Progress(what, blocks)

    def drain() -> Room:
        room = new_room()
        try:
            for number in numbers:
                if stopped.is_set():
                    break
                work(room, number, number * block, min(pieces, (number + 1) * block))
                progress.step()
        except BaseException:
            stopped.set()
            raise
        return room

    threads = min(threads, blocks)
    if threads == 1:
        return [drain()]
    with ThreadPoolExecutor(threads, thread_name_prefix="unparrot") as pool:
        running = [pool.submit(drain) for _ in range(threads)]
        try:
            return [future.result() for future in running]
        finally:
            stopped.set()
