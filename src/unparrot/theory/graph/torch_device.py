"""The simulation on a device of torch: `unparrot theory graph --device cuda`.

The same pieces as on the CPU, drawn as whole tensors (`torch_draws`, `torch_marks`); the counts are
bit-equal to those of the kernels. All sums stay on the device, and the host does not wait for it
within a pass, but for one case: skills of uneven frequency without repeats, where it must see
whether a piece still draws again. Before a `ConcentratedErrors` on such a graph the kernels take a
pass over it on the CPU.

Compared with the kernels on torch's CPU device (``device='torch-cpu'``), over every kind of graph,
errors and tuples. It uses nothing that CUDA lacks, but has not been run on a CUDA device yet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unparrot.core.errors import BadInput
from unparrot.core.machine import require_bytes
from unparrot.theory.graph.counts import GraphCounts, TupleCounts
from unparrot.theory.graph.draws import draw_plan
from unparrot.theory.graph.error_models import Errors, WorstCase
from unparrot.theory.graph.mark_plans import mark_plan
from unparrot.theory.graph.scores import score_plan
from unparrot.theory.graph.spec import GraphSpec
from unparrot.theory.graph.torch_draws import chunks, drawing, padded, piece_tuples
from unparrot.theory.graph.torch_marks import marking, worst_marking

_CPU_BYTES = 1 << 25  # what a chunk may take on the CPU: about its caches
_CHUNK_SHARE = 4  # part of a device's free memory that a chunk may take
_MOST_LANES = 1 << 22
_PACKED_COUNTS = 1 << 30  # most counts between two emptyings of packed counts
_LOW = (1 << 32) - 1


@dataclass(slots=True)
class _PackedCounts:
    """Degree and failures of n values; a place after the last takes what is not counted."""

    packed: Tensor
    degree: Tensor
    failed: Tensor
    pending: int = 0

    def add(self, values: Tensor, step: Tensor) -> None:
        """Count values int64 [B] by steps int64 [B]: 1, and 2^32 more for a failure."""
        if self.pending + len(values) > _PACKED_COUNTS:
            self.empty()
        self.pending += len(values)
        self.packed.scatter_add_(0, values, step)

    def empty(self) -> None:
        """Add the packed counts to the totals."""
        self.degree += self.packed & _LOW
        self.failed += self.packed >> 32
        self.packed.zero_()
        self.pending = 0

    def totals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return degree and failures, int64 [n] both."""
        self.empty()
        return self.degree[:-1].cpu().numpy(), self.failed[:-1].cpu().numpy()


def simulate_torch(
    spec: GraphSpec, errors: Errors, tuple_size: int, sample: int | None, device: str
) -> GraphCounts:
    """Draw and count a graph on a device of torch; called by `simulate.simulate`.

    Parameters
    ----------
    spec, errors, tuple_size, sample
        As for `simulate.simulate`.
    device
        ``'cuda'``, ``'cuda:1'``, ..., or ``'torch-cpu'``.

    Raises
    ------
    BadInput
        If there is no such device, or its memory does not hold the counts.
    """
    from unparrot.theory.graph.simulate import tuple_plan

    at = _device(device)
    tuples = tuple_plan(spec, tuple_size, sample)
    kept = spec.skills + (0 if tuples is None else len(tuples.ids))
    free = _free_bytes(at)
    need = 24 * kept + 8 * tuple_size * spec.skills
    if free is None:
        require_bytes(need, f"counts of {kept:,} skills and tuples", "count a sample of the tuples")
    elif need > free:
        raise BadInput(
            f"counts of {kept:,} skills and tuples need {need:,} bytes, and {device} has {free:,} "
            "free; count a sample of the tuples, or use device 'cpu'"
        )
    lanes = _lanes(spec, tuple_size, _CPU_BYTES if free is None else (free - need) // _CHUNK_SHARE)
    plan = draw_plan(spec)
    draw = drawing(plan, at)
    chosen = None
    if isinstance(errors, WorstCase):
        wanted = score_plan(errors.chosen, plan)
        mark, chosen = worst_marking(spec, errors.theta, wanted, plan, draw, lanes, at)
    else:
        mark = marking(mark_plan(spec, errors, plan, 1)[0], at)

    skills = _packed_counts(spec.skills, at)
    table = ids = None
    tuple_totals = _packed_counts(0, at)
    if tuples is not None:
        table = padded(tuples.table, at)
        ids = None if tuples.sampled is None else torch.from_numpy(tuples.ids).to(at)
        tuple_totals = _packed_counts(len(tuples.ids), at)
    failed_pieces = torch.zeros((), dtype=torch.int64, device=at)
    for pieces in chunks(spec.pieces, lanes, draw):
        failed = mark(pieces)
        failed_pieces += failed.sum()
        step = (failed.to(torch.int64) << 32) + 1
        for row in pieces.skills:
            skills.add(row, step)
        if table is not None:
            none = len(tuple_totals.packed) - 1
            for ranks, held in piece_tuples(pieces, table):
                tuple_totals.add(_places(ranks, held, ids, none), step)

    found = None
    if tuples is not None:
        found = TupleCounts(
            tuples.size,
            tuples.total,
            tuples.sampled,
            tuples.ids,
            *tuple_totals.totals(),
            tuples.weights,
        )
    return GraphCounts(spec, errors, *skills.totals(), int(failed_pieces.item()), chosen, found)


def _device(name: str) -> torch.device:
    if name == "torch-cpu":
        return torch.device("cpu")
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdecimal()):
        raise BadInput(f"unknown device {name!r}; give 'cpu', 'cuda', 'cuda:1' or 'torch-cpu'")
    if not torch.cuda.is_available() or int(number or 0) >= torch.cuda.device_count():
        raise BadInput(
            f"torch {torch.__version__} sees no device {name!r} here; use device 'cpu', or install "
            "a build of torch for the CUDA of this machine"
        )
    return torch.device(name)


def _free_bytes(at: torch.device) -> int | None:
    """Free memory of a device of its own; None on the CPU."""
    return int(torch.cuda.mem_get_info(at)[0]) if at.type == "cuda" else None


def _lanes(spec: GraphSpec, tuple_size: int, room: int) -> int:
    """Pieces in a chunk that takes about so many bytes."""
    each = 8 * (spec.max_degree * (2 + tuple_size) + 16)
    return max(1, min(room // each, _MOST_LANES, spec.pieces))


def _packed_counts(n: int, at: torch.device) -> _PackedCounts:
    packed, degree, failed = (torch.zeros(n + 1, dtype=torch.int64, device=at) for _ in range(3))
    return _PackedCounts(packed, degree, failed)


def _places(ranks: Tensor, held: Tensor | None, ids: Tensor | None, none: int) -> Tensor:
    """Where tuples are counted: by rank, or by their place in a sample; `none` for the others."""
    place = ranks
    if ids is not None:
        place = torch.searchsorted(ids, ranks).clamp_(max=len(ids) - 1)
        found = ids[place] == ranks
        held = found if held is None else held & found
    return place if held is None else torch.where(held, place, none)
