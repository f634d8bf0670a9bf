"""Peeling beside two plain programs, on the same random graph.

    python benchmarks/bench_peel.py [--json] [--skills 1000000] [--edges 10000000]

The graph has pieces of degree 1 and 4 (one in ten, nine in ten) with repeats, and ends beyond its
jump, so that nearly everything is learned. `stream` draws the graph and peels it in one pass,
`stored` peels the graph in memory; `numpy` peels it round by round over whole arrays, `python` with
sets and a queue (on a tenth of the skills, its rate an edge being what counts). All must learn the
same skills. The best processor time of several rounds, as other work can only slow a round down.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from unparrot.theory.graph.error_models import RandomErrors
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.stored import SkillGraph, store_graph
from unparrot.theory.peeling import peel_graph, simulate_peeling

DEGREE = (0, 0.1, 0, 0, 0.9)
MEAN = 3.7

_T = TypeVar("_T")


def best(action: Callable[[], _T], rounds: int) -> tuple[float, _T]:
    """Least processor time of some calls, and what the last one returned."""
    least = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        result = action()
        least = min(least, time.process_time() - began)
    return least, result


def numpy_peel(graph: SkillGraph) -> int:
    """Skills learned, by rounds: the pieces with one unknown skill teach it all at once."""
    piece = np.repeat(np.arange(graph.pieces), np.diff(graph.indptr))
    edges = np.unique(piece * graph.skill_count + graph.skills)
    piece, skill = np.divmod(edges, graph.skill_count)
    known = np.zeros(graph.skill_count, np.bool_)
    while True:
        count = np.bincount(piece, minlength=graph.pieces)
        taught = skill[count[piece] == 1]
        if not len(taught):
            return int(known.sum())
        known[taught] = True
        kept = ~known[skill]
        piece, skill = piece[kept], skill[kept]


def python_peel(graph: SkillGraph) -> int:
    """Skills learned, with a set for every piece and a list for every skill."""
    rows = [set(row.tolist()) for row in np.split(graph.skills, graph.indptr[1:-1]) if len(row) > 0]
    holders: list[list[set[int]]] = [[] for _ in range(graph.skill_count)]
    for row in rows:
        for skill in row:
            holders[skill].append(row)
    known: set[int] = set()
    queue = [next(iter(row)) for row in rows if len(row) == 1]
    while queue:
        skill = queue.pop()
        if skill in known:
            continue
        known.add(skill)
        for row in holders[skill]:
            row.discard(skill)
            if len(row) == 1:
                queue.append(next(iter(row)))
    return len(known)


def measure(skills: int, edges: int, rounds: int) -> dict[str, float]:
    """Edges a second of each program."""
    spec = GraphSpec(skills, round(edges / MEAN), DEGREE, seed=1)
    tenth = GraphSpec(skills // 10, round(edges / MEAN / 10), DEGREE, seed=1)
    peel_graph(store_graph(tenth, RandomErrors(0.5)))
    simulate_peeling(tenth)
    graph, small = (store_graph(s, RandomErrors(0.5)) for s in (spec, tenth))
    stream, streamed = best(lambda: simulate_peeling(spec), rounds)
    stored, peeled = best(lambda: peel_graph(graph), rounds)
    whole, by_rounds = best(lambda: numpy_peel(graph), 1)
    plain, by_sets = best(lambda: python_peel(small), 1)
    assert streamed[0][0] == peeled[0][0] == by_rounds
    assert peel_graph(small)[0][0] == by_sets
    return {
        "skills": skills,
        "edges": graph.edges,
        "share_learned": float(peeled[0][0] / skills),
        "stream_seconds": stream,
        "stream": graph.edges / stream,
        "stored": graph.edges / stored,
        "numpy": graph.edges / whole,
        "python": small.edges / plain,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--skills", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    peeled = measure(given.skills, given.edges, given.rounds)
    if given.json:
        print(json.dumps(peeled, indent=2))
        return
    print(
        f"{peeled['edges']:,.0f} edges, {peeled['skills']:,} skills, "
        f"{peeled['share_learned']:.4f} of them learned; drawn and peeled in "
        f"{peeled['stream_seconds']:.2f} s"
    )
    for name in ("stream", "stored", "numpy", "python"):
        print(f"  {name:7} {peeled[name]:12,.0f} edges a second")


if __name__ == "__main__":
    main()
