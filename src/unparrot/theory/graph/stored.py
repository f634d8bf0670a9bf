"""Counts of a graph that is held in memory, for skills and for every k'-tuple that it holds.

`unparrot theory graph --tagged FILE` counts a tagged corpus so. What is simulated is counted
without being stored: see `simulate`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.machine import require_bytes
from unparrot.theory.graph.counts import TupleCounts
from unparrot.theory.graph.csr import SkillGraph
from unparrot.theory.graph.limits import DEGREE_LIMIT, whole
from unparrot.theory.graph.ranks import rank_table, require_rankable, tuple_total

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_DENSE = 1 << 22  # tuples that are counted in an array of them all: 64 MB
_CHUNK = 1 << 21  # tuples of pieces ranked at once


def skill_counts(graph: SkillGraph) -> tuple[Ints, Ints]:
    """Return edges, and edges to failed pieces, of each skill: int64 [N1] both."""
    degree = np.bincount(graph.skills, minlength=graph.skill_count)
    fails = np.repeat(graph.failed, np.diff(graph.indptr))
    return degree, np.bincount(graph.skills[fails], minlength=graph.skill_count)


def tuple_counts(graph: SkillGraph, size: int) -> TupleCounts:
    """Count every tuple of skills that some piece holds.

    Parameters
    ----------
    graph
        The graph. A piece of degree d holds C(d, size) tuples.
    size
        k', at least 1.

    Returns
    -------
    TupleCounts
        Only the tuples that occur; of ``total - len(ids)`` others nothing is known. The weights
        are the shares of the degrees: the measure that the graph itself suggests. Tuples with one
        skill twice are possible (and numbered) if some piece holds a skill twice.

    Raises
    ------
    BadInput
        If no piece has that many skills, the tuples are too many to be numbered, or counting needs
        more memory than there is.

    Examples
    --------
    >>> graph = SkillGraph(np.array([0, 3, 5]), np.array([0, 1, 2, 0, 1], np.int32),
    ...                    np.array([True, False]), 3)
    >>> pairs = tuple_counts(graph, 2)
    >>> pairs.ids.tolist(), pairs.degree.tolist(), pairs.failed.tolist()
    ([0, 1, 2], [2, 1, 1], [1, 1, 1])
    """
    whole("k'", size, 1, DEGREE_LIMIT)
    degrees = np.diff(graph.indptr)
    most = int(degrees.max(initial=0))
    if most < size:
        raise BadInput(f"no piece has {size} skills (at most {most}); ask for shorter tuples")
    repeats = _holds_repeats(graph)
    require_rankable(graph.skill_count, size, repeats)
    total = tuple_total(graph.skill_count, size, repeats)
    held = sum(math.comb(d, size) * int(n) for d, n in enumerate(np.bincount(degrees)) if d >= size)
    dense = total <= _DENSE
    require_bytes(
        16 * total if dense else 120 * min(held, total),  # a merge holds all counts some times over
        f"counts of up to {min(held, total):,} tuples",
        "ask for shorter tuples or give fewer pieces",
    )
    chunks = _ranks(graph, size, rank_table(graph.skill_count, size, repeats))
    ids, degree, failed = _dense(chunks, total) if dense else _sparse(chunks)
    return TupleCounts(size, total, None, ids, degree, failed, degree / degree.sum())


def _ranks(graph: SkillGraph, size: int, table: Ints) -> Iterator[tuple[Ints, NDArray[np.bool_]]]:
    """Ranks of the tuples in the pieces, with whether each piece failed, a chunk at a time."""
    degrees = np.diff(graph.indptr)
    for d in np.unique(degrees[degrees >= size]).tolist():
        pieces = np.flatnonzero(degrees == d)
        step = max(1, _CHUNK // d)
        for start in range(0, len(pieces), step):
            chunk = pieces[start : start + step]
            skills = np.sort(graph.skills[graph.indptr[chunk][:, None] + np.arange(d)], axis=1)
            failed = graph.failed[chunk]
            for positions in combinations(range(d), size):
                ranks = table[0, skills[:, positions[0]]]
                for place in range(1, size):
                    ranks = ranks + table[place, skills[:, positions[place]]]
                yield ranks, failed


def _dense(chunks: Iterator[tuple[Ints, NDArray[np.bool_]]], total: int) -> tuple[Ints, Ints, Ints]:
    degree, failed = np.zeros(total, np.int64), np.zeros(total, np.int64)
    for ranks, fails in chunks:
        np.add.at(degree, ranks, 1)
        np.add.at(failed, ranks[fails], 1)
    ids = np.flatnonzero(degree)
    return ids, degree[ids], failed[ids]


def _sparse(chunks: Iterator[tuple[Ints, NDArray[np.bool_]]]) -> tuple[Ints, Ints, Ints]:
    keys, counts = np.empty(0, np.uint64), np.empty(0, np.int64)
    waiting: list[Words] = []
    held = 0
    for ranks, fails in chunks:
        waiting.append(ranks.astype(np.uint64) << np.uint64(1) | fails.astype(np.uint64))
        held += len(ranks)
        # merging only as much as there is already keeps the sum of all merges in bounds
        if held > max(_CHUNK, len(keys)):
            keys, counts = _merged(keys, counts, waiting)
            waiting, held = [], 0
    keys, counts = _merged(keys, counts, waiting)
    ranks = (keys >> np.uint64(1)).astype(np.int64)
    first = np.flatnonzero(np.diff(ranks, prepend=-1))
    fails = np.where(keys & np.uint64(1), counts, 0)
    return ranks[first], np.add.reduceat(counts, first), np.add.reduceat(fails, first)


def _merged(keys: Words, counts: Ints, waiting: list[Words]) -> tuple[Words, Ints]:
    """Count the waiting keys (rank, then one bit: failed) and add them to what is counted."""
    if not waiting:
        return keys, counts
    fresh = np.sort(np.concatenate(waiting))
    first = np.flatnonzero(np.concatenate(([True], fresh[1:] != fresh[:-1])))
    every = np.concatenate((keys, fresh[first]))
    added = np.concatenate((counts, np.diff(first, append=len(fresh))))
    order = np.argsort(every, kind="stable")  # two sorted runs: a merge
    every = every[order]
    first = np.flatnonzero(np.concatenate(([True], every[1:] != every[:-1])))
    return every[first], np.add.reduceat(added[order], first)


def _holds_repeats(graph: SkillGraph) -> bool:
    piece = np.repeat(np.arange(graph.pieces), np.diff(graph.indptr))
    place = np.sort(piece * graph.skill_count + graph.skills)
    return bool((np.diff(place) == 0).any())
