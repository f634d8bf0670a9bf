"""Work on parts of a corpus, here or on the nodes of a Ray cluster, with the same results in order.

Tasks of Ray's core, a file or some windows each, and not Ray Data: a draw reads a file at a few
places, and nothing is sorted, joined or exchanged between files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from unparrot.core.cluster.ray_cluster import Cluster, WorkerLost
from unparrot.core.errors import BadInput
from unparrot.core.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
# Those that figures depend on.
_PACKAGES: Final = ("numpy", "polars", "zstandard")


class Spread(Protocol):
    """A way to do work on each of some items."""

    def __call__(
        self, what: str, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> list[Result]:
        """Return the results in the order of the items; ``what`` names the work for progress."""
        ...


def one_machine(what: str, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do the work here, item by item."""
    del what
    return [work(item) for item in items]


def on_cluster(cluster: Cluster) -> Spread:
    """Return the way to do work as tasks of a cluster, an item each.

    Every node must have the files of the corpus under the paths that they have here.
    """
    here = Path.cwd()

    def spread(what: str, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        results: dict[int, Any] = {}
        progress = Progress(what, len(items))
        task = partial(_on_node, here, work)
        for (place, _), result in cluster.results(task, enumerate(items), packages=_PACKAGES):
            if isinstance(result, WorkerLost):
                raise WorkerLost(f"{what}: part {place + 1} of {len(items):,} was {result}")
            results[place] = result
            progress.step()
        return [results[place] for place in range(len(items))]

    return spread


def _on_node(here: Path, work: Callable[[Any], Any], item: tuple[int, Any]) -> Any:
    """Do the work for an item in the driver's folder; on a node."""
    try:
        with chdir(here):
            return work(item[1])
    except (BadInput, OSError) as error:
        raise BadInput(
            f"{error} (on the node {os.uname().nodename}: each needs the corpus under the paths "
            "that it has here)"
        ) from error
