"""How much each tuple weighs, and a sample of tuples drawn with that weight.

The measure of a k'-tuple is the chance that a piece of k' skills is just that tuple, in any order:
with repeats mu1^k', else the law of successive sampling.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.graph import rng
from unparrot.theory.graph.draws import draw_chunk, draw_plan, new_chunk
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.ranks import rank, unrank

LARGEST_UNEVEN = 8
"""Largest k' whose measure is worked out without repeats and with uneven frequencies."""

_BLOCK = 1 << 18


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


def tuple_weights(spec: GraphSpec, table: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    """Return the measure of all tuples in the order of their ranks, float64 [total].

    Parameters
    ----------
    spec
        Gives frequencies and whether skills repeat.
    table
        `ranks.rank_table` of the tuples' size, int64 [k', N1].
    total
        Number of tuples.
    """
    if spec.uniform and not spec.repeats:
        return np.full(total, 1.0 / total)
    weights = np.empty(total)
    mu1 = spec.probabilities
    block = max(1, _BLOCK >> (0 if spec.repeats else len(table)))
    for first in range(0, total, block):
        last = min(total, first + block)
        members = unrank(np.arange(first, last), table)
        weights[first:last] = (
            _with_repeats(mu1, members) if spec.repeats else _distinct(mu1, members)
        )
    return weights


def _with_repeats(mu1: NDArray[np.float64], members: NDArray[np.int32]) -> NDArray[np.float64]:
    """The multinomial chance of sorted tuples [n, k']."""
    weight = mu1[members[:, 0]].copy()
    run = np.ones(len(members))
    for place in range(1, members.shape[1]):
        run = np.where(members[:, place] == members[:, place - 1], run + 1, 1.0)
        weight *= mu1[members[:, place]] * (place + 1) / run
    return weight


def _distinct(mu1: NDArray[np.float64], members: NDArray[np.int32]) -> NDArray[np.float64]:
    """The chance of sets [n, k'] under successive sampling: a sum over orders, subset by subset."""
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


def sample_tuples(
    spec: GraphSpec, table: NDArray[np.int64], draws: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
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
