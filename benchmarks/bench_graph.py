"""How fast skill graphs are simulated, beside programs that build them.

    python benchmarks/bench_graph.py [--json] [--edges 8e8] [--peer-edges 4e6] [--threads N]

Every row draws N2 pieces of k = 8 skills, fails 5 % of them, and counts edges and failed edges of
each skill. Rates are edges a second by the clock on the wall, the best of several rounds, as other
work on the machine can only slow a round down. `one core` is the same by processor time on one
thread, and `cycles` what that core spends on an edge, its own speed being measured by a chain of
instructions that must wait for each other. Slow rows get fewer pieces; so do the peers, which hold
the graph in memory: drawing it with numpy is part of their time, as making it is of ours.

`copy` moves 4 bytes an edge through memory, which are read and written: what a program that stores
its graph cannot beat even if all else cost nothing. A program that streams can.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from unparrot.core.jit import kernel
from unparrot.core.machine import thread_count
from unparrot.theory.graph.error_models import (
    Clique,
    Errors,
    RandomErrors,
    WorstCase,
)
from unparrot.theory.graph.graph_spec import GraphSpec, PowerLaw
from unparrot.theory.graph.simulate import simulate

THETA = 0.05
DEGREE = 8
SKILLS = 1000
PAIRS = DEGREE * (DEGREE - 1) // 2
COPY_BYTES = 1 << 28


def best(action: Callable[[], object], rounds: int, clock: Callable[[], float]) -> float:
    """Seconds of the fastest round."""
    spent: list[float] = []
    for _ in range(rounds):
        began = clock()
        action()
        spent.append(clock() - began)
    return min(spent)


@kernel
def chain(n: int, x: np.uint64) -> np.uint64:
    """n times six instructions, each of which needs the one before and takes one cycle."""
    for _ in range(n):
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
    return x


def cycles_a_second(rounds: int) -> float:
    """Speed of the core while it is at work."""
    n = 20_000_000
    chain(1, np.uint64(1))
    return 6 * n / best(lambda: chain(n, np.uint64(1)), rounds, time.process_time)


Row = dict[str, float]
"""The figures of a row; those that do not apply are left out."""


def ours(
    spec: GraphSpec,
    errors: Errors,
    rounds: int,
    threads: int,
    hertz: float,
    tuple_size: int = 1,
) -> Row:
    """Rates of one simulation on all threads, and on one core."""

    def run(pieces: int, threads: int) -> None:
        simulate(replace(spec, pieces=pieces), errors, tuple_size=tuple_size, threads=threads)

    run(1000, 1)  # compiles
    edges = spec.pieces * DEGREE
    wall = best(lambda: run(spec.pieces, threads), rounds, time.perf_counter)
    pieces = spec.pieces // 4
    core = best(lambda: run(pieces, 1), 2 * rounds, time.process_time) / (pieces * DEGREE)
    row = {"edges": edges, "edges_a_second": edges / wall}
    row |= {"one_core": 1 / core, "cycles": core * hertz}
    if tuple_size == 2:
        row["pairs_a_second"] = edges / wall / DEGREE * PAIRS
    return row


def our_rows(edges: float, rounds: int, threads: int, hertz: float) -> dict[str, Row]:
    """The simulator on graphs of many kinds."""
    random = RandomErrors(THETA)
    pieces = int(edges) // DEGREE
    uniform = GraphSpec(SKILLS, pieces, DEGREE)
    fewer, least = replace(uniform, pieces=pieces // 4), replace(uniform, pieces=pieces // 16)
    worst = WorstCase(THETA, Clique(range(SKILLS // 10), 1))
    zipf, distinct = {"frequencies": PowerLaw(1.0)}, {"repeats": False}

    def row(spec: GraphSpec, errors: Errors = random, tuple_size: int = 1) -> Row:
        return ours(spec, errors, rounds, threads, hertz, tuple_size)

    return {
        "uniform": row(uniform),
        "without repeats": row(replace(fewer, **distinct)),
        "power law": row(replace(fewer, **zipf)),
        "power law without repeats": row(replace(fewer, **zipf, **distinct)),
        "worst case of a set": row(fewer, worst),
        "worst case of pairs": row(least, WorstCase(THETA, Clique(range(SKILLS // 3), 2))),
        "pairs": row(least, tuple_size=2),
        "10 skills": row(replace(uniform, skills=10)),
        "10,000 skills": row(replace(uniform, skills=10_000)),
        "100,000 skills": row(replace(fewer, skills=100_000)),
        "1,000,000 skills": row(replace(fewer, skills=1_000_000)),
    }


def copy_row(rounds: int, threads: int) -> Row:
    """4 bytes an edge from one array to another, all threads at once."""
    size = COPY_BYTES // 4
    source, target = np.ones(size, np.int32), np.zeros(size, np.int32)
    parts = [slice(size * t // threads, size * (t + 1) // threads) for t in range(threads)]
    with ThreadPoolExecutor(threads) as pool:

        def copy() -> None:
            list(pool.map(lambda part: np.copyto(target[part], source[part]), parts))

        seconds = best(copy, rounds + 2, time.perf_counter)
    return {"edges": size, "edges_a_second": size / seconds}


def drawn(pieces: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Skills [pieces, k] and failures [pieces] from numpy."""
    skills = rng.integers(SKILLS, size=(pieces, DEGREE), dtype=np.int64)
    return skills, rng.random(pieces) < THETA


def with_numpy(edges: int) -> None:
    """Stream as we do, in chunks that fit the caches."""
    rng, chunk = np.random.default_rng(0), 10_000
    degree, failed = np.zeros(SKILLS, np.int64), np.zeros(SKILLS, np.int64)
    for _ in range(edges // (chunk * DEGREE)):
        skills, fails = drawn(chunk, rng)
        degree += np.bincount(skills.ravel(), minlength=SKILLS)
        failed += np.bincount(skills[fails].ravel(), minlength=SKILLS)


def with_networkx(edges: int) -> None:
    nx = importlib.import_module("networkx")
    pieces = edges // DEGREE
    skills, fails = drawn(pieces, np.random.default_rng(0))
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(SKILLS + pieces))
    for piece, (row, fail) in enumerate(zip(skills.tolist(), fails.tolist(), strict=True)):
        graph.add_edges_from(((SKILLS + piece, s) for s in row), failed=fail)
    dict(graph.degree(range(SKILLS)))
    dict(graph.degree(range(SKILLS), weight="failed"))


def coordinates(edges: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Edges as pairs (piece, skill) [edges, 2], and whether each is failed."""
    pieces = edges // DEGREE
    skills, fails = drawn(pieces, np.random.default_rng(0))
    piece = np.repeat(np.arange(SKILLS, SKILLS + pieces), DEGREE)
    return SKILLS + pieces, np.stack([piece, skills.ravel()], axis=1), np.repeat(fails, DEGREE)


def with_igraph(edges: int) -> None:
    igraph = importlib.import_module("igraph")
    n, pairs, fails = coordinates(edges)
    graph = igraph.Graph(n=n, edges=pairs)
    graph.degree(range(SKILLS))
    graph.strength(range(SKILLS), weights=fails.astype(float).tolist())


def with_networkit(edges: int) -> None:
    nk = importlib.import_module("networkit")
    n, pairs, fails = coordinates(edges)
    rows, columns = pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)
    # an edge weighs 1, or 2^-20 more if failed: both counts come from the weighted degree
    weight = 1.0 + fails * 2.0**-20
    graph = nk.GraphFromCoo((weight, (rows, columns)), n=n, weighted=True)
    for skill in range(SKILLS):
        graph.degree(skill)
        graph.weightedDegree(skill)


PEERS: dict[str, tuple[str, Callable[[int], None], float]] = {
    "numpy": ("numpy", with_numpy, 1.0),
    "networkx": ("networkx", with_networkx, 0.05),
    "igraph": ("igraph", with_igraph, 0.25),
    "networkit": ("networkit", with_networkit, 0.5),
}
"""Peer: the package, what to run, and its share of the peers' edges."""


def peer_rows(edges: float, rounds: int, hertz: float) -> dict[str, Row]:
    """The peers that are installed; the others have a row without figures."""
    rows: dict[str, Row] = {}
    for name, (package, action, share) in PEERS.items():
        try:
            importlib.import_module(package)
        except ImportError:
            rows[name] = {}
            continue
        n = int(edges * share)
        n -= n % (10_000 * DEGREE)
        wall = best(partial(action, n), rounds, time.perf_counter)
        core = best(partial(action, n), rounds, time.process_time) / n
        row = {"edges": n, "edges_a_second": n / wall}
        rows[name] = row | {"one_core": 1 / core, "cycles": core * hertz}
    return rows


def memory_row(edges: float) -> Row:
    """Growth of the process's largest memory when a hundred times the pieces are streamed."""
    spec = GraphSpec(SKILLS, max(1, int(edges) // DEGREE // 100), DEGREE)
    simulate(spec, RandomErrors(THETA))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    simulate(replace(spec, pieces=100 * spec.pieces), RandomErrors(THETA))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"edges": 100.0 * spec.pieces * DEGREE, "more_kib": float(after - before)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--edges", type=float, default=8e8)
    parser.add_argument("--peer-edges", type=float, default=4e6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=None)
    args = parser.parse_args()
    threads = thread_count(args.threads)
    hertz = cycles_a_second(args.rounds)
    found = {
        "memory": memory_row(args.edges),
        **our_rows(args.edges, args.rounds, threads, hertz),
        "copy": copy_row(args.rounds, threads),
        **peer_rows(args.peer_edges, args.rounds, hertz),
    }
    if args.json:
        print(json.dumps({"threads": threads, "rows": found}, indent=2))
        return
    base = found["uniform"]["edges_a_second"]
    title = f"{threads} threads, load {os.getloadavg()[0]:.1f}"
    print(f"{title:28}{'edges':>9}{'edges/s':>11}{'of uniform':>12}{'one core':>11}{'cycles':>10}")
    for name, row in found.items():
        if not row:
            print(f"{name:28}  not installed: skipped")
        elif "more_kib" in row:
            grown = f"{row['more_kib']:,.0f} KiB more memory for 100 times the pieces"
            print(f"{name:28}{row['edges']:>9.1e}  {grown}")
        else:
            rate = row["edges_a_second"]
            line = f"{name:28}{row['edges']:>9.1e}{rate:>11.3g}{rate / base:>12.2g}"
            if "one_core" in row:
                line += f"{row['one_core']:>11.3g}{row['cycles']:>10.3g}"
            if "pairs_a_second" in row:
                line += f"  {row['pairs_a_second']:.3g} pairs/s"
            print(line)


if __name__ == "__main__":
    main()
