"""Spreading the pieces of a graph over the threads of one machine, or the nodes of a cluster.

Work is given as a function of a span of pieces, whose results the caller puts together. Every
random number follows from the seed and the piece that it is for (see `rng`), so what comes out
does not depend on how the pieces were cut or who worked on them.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from unparrot.core.cluster.ray_cluster import Cluster, WorkerLost
from unparrot.core.progress import Progress

SHARDS_A_CORE = 4
LEAST_WORK, MOST_WORK = 1 << 26, 1 << 33  # skills and tuples in a shard, about; below, overhead

Result = TypeVar("Result")


class Pieces(NamedTuple):
    """Pieces to be worked through, and how they may be cut.

    Parameters
    ----------
    first, stop
        The first of all, and the one after the last.
    block
        Spans begin at multiples of so many pieces, counted from the first.
    cost
        Skills and tuples in a block, about.
    memory
        Bytes that the work takes in one thread.
    """

    first: int
    stop: int
    block: int
    cost: int
    memory: int


class Spread(Protocol):
    """A way to work through pieces."""

    @property
    def rooms(self) -> int:
        """How many sets of counts this process holds at a time."""
        ...

    def shards(
        self, work: Callable[[int, int, int], Result], pieces: Pieces
    ) -> Iterator[tuple[int, Result]]:
        """Yield the first piece of each span and the result for it, in any order.

        Parameters
        ----------
        work
            Called with the first piece of a span, the one after its last, and a number of threads.
        pieces
            Those that there are.
        """
        ...


@dataclass(frozen=True, slots=True)
class OneMachine:
    """All pieces as one span, with threads of this process."""

    threads: int

    @property
    def rooms(self) -> int:
        """One a thread."""
        return self.threads

    def shards(
        self, work: Callable[[int, int, int], Result], pieces: Pieces
    ) -> Iterator[tuple[int, Result]]:
        """Yield the result for all pieces."""
        yield pieces.first, work(pieces.first, pieces.stop, self.threads)


@dataclass(frozen=True, slots=True)
class OnCluster:
    """Several spans for each core of a cluster, each span a task of one thread."""

    cluster: Cluster

    @property
    def rooms(self) -> int:
        """The sum, and what is added to it."""
        return 2

    def shards(
        self, work: Callable[[int, int, int], Result], pieces: Pieces
    ) -> Iterator[tuple[int, Result]]:
        """Yield the results of the tasks as they end.

        Raises
        ------
        WorkerLost
            If a task is lost with its worker each time that it is run.
        """
        first, last, block, cost, memory = pieces
        blocks = -(-(last - first) // block)
        even = blocks * cost / (SHARDS_A_CORE * self.cluster.cores)
        span = block * max(1, round(min(max(even, LEAST_WORK), MOST_WORK) / cost))
        starts = range(first, last, span)
        progress = Progress("skill graph", len(starts))
        task = partial(_span_of, work, span, last)
        packages = ("numba", "numpy")
        for start, result in self.cluster.results(task, starts, packages=packages, memory=memory):
            if isinstance(result, WorkerLost):
                raise WorkerLost(f"pieces {start:,} to {min(last, start + span):,} were {result}")
            progress.step()
            # what Ray hands over is part of its own memory, and read-only
            yield start, deepcopy(result)


def _span_of(work: Callable[[int, int, int], Any], span: int, last: int, first: int) -> Any:
    """Do the work for one span; on a node."""
    # kernels are compiled for arrays that can be written to, and those of Ray cannot
    return deepcopy(work)(first, min(last, first + span), 1)
