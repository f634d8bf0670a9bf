"""Skill graphs counted on a Ray cluster of two nodes: the same numbers, whatever dies meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unparrot.cli.main import run
from unparrot.core.cluster.ray_cluster import ClusterError, joined
from unparrot.theory.graph import spread
from unparrot.theory.graph.error_models import (
    Clique,
    ConcentratedErrors,
    Errors,
    RandomErrors,
    WorstCase,
)
from unparrot.theory.graph.graph_spec import GraphSpec, PowerLaw
from unparrot.theory.graph.simulate import GraphCounts, simulate

UNEVEN = GraphSpec(60, 30_000, (0, 0.2, 0.3, 0.5), repeats=False, frequencies=PowerLaw(1), seed=9)
CASES: list[tuple[GraphSpec, Errors, dict[str, int]]] = [
    (GraphSpec(5000, 50_000, 4, seed=1), RandomErrors(0.1), {}),
    (GraphSpec(40, 50_000, 4, seed=2), WorstCase(0.05, Clique(range(9), 2)), {"tuple_size": 2}),
    (UNEVEN, ConcentratedErrors(0.05, range(30)), {"tuple_size": 2, "sample": 500}),
]


def same(one: GraphCounts, other: GraphCounts) -> bool:
    def counts(each: GraphCounts) -> list[Any]:
        pairs = each.tuples
        of_pairs = [] if pairs is None else [pairs.ids, pairs.degree, pairs.failed, pairs.weights]
        return [each.degree, each.failed, each.failed_pieces, each.chosen, *of_pairs]

    return all(
        np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
        for a, b in zip(counts(one), counts(other), strict=True)
    )


@pytest.mark.slow
def test_counts_are_those_of_one_machine_even_if_workers_and_nodes_die(
    loopback_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "LEAST_WORK", 1 << 14)
    with joined(loopback_cluster.address) as cluster:
        assert cluster.cores == 2
        for spec, errors, asked in CASES:
            assert same(
                simulate(spec, errors, cluster=cluster, **asked), simulate(spec, errors, **asked)
            )

    # a worker is killed in a task, then a node with its worker: what they had begun is done again
    spec = GraphSpec(1000, 100_000_000, 8, seed=3)
    monkeypatch.setattr(spread, "LEAST_WORK", 1 << 24)
    killed: list[int] = []
    killer = threading.Thread(target=kill_worker_and_node, args=[loopback_cluster, killed])
    with joined(loopback_cluster.address) as cluster:
        killer.start()
        counts = simulate(spec, RandomErrors(0.1), cluster=cluster)
        assert len(killed) == 2, "the run was over before"
    assert same(counts, simulate(spec, RandomErrors(0.1)))


def kill_worker_and_node(cluster: Any, killed: list[int]) -> None:
    while not (busy := cluster.workers(0)):
        time.sleep(0.01)
    os.kill(busy[0], signal.SIGKILL)
    killed.append(busy[0])
    while not (busy := cluster.workers(1)):
        time.sleep(0.01)
    cluster.kill_node(1)
    killed.append(busy[0])


PROGRAM = "from unparrot.cli.main import main; main()"
COMMAND = [sys.executable, "-c", PROGRAM, "theory", "graph", "--engine", "ray"]


@pytest.mark.slow
def test_a_head_that_is_gone_ends_the_command_with_one_message(loopback_cluster: Any) -> None:
    address = loopback_cluster.address
    running = subprocess.Popen(
        [*COMMAND, "--address", address, "--pieces", "1e12"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any(loopback_cluster.workers(node) for node in range(2)):
        time.sleep(0.1)
    loopback_cluster.kill_head()
    out, err = running.communicate()
    lines = [line for line in err.splitlines() if not line.startswith("skill graph: ")]
    assert lines == [
        f"unparrot: the head of the Ray cluster at {address} is gone: no answer for 20 s; "
        "start it again, and give the same command again"
    ]
    assert (running.returncode, out) == (1, "")


@pytest.mark.slow
def test_a_node_of_another_version_is_named_and_ends_the_run(
    loopback_cluster: Any, tmp_path: Path
) -> None:
    other = tmp_path / "unparrot-99.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: unparrot\nVersion: 99\n")
    places = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    loopback_cluster.kill_node(0)
    loopback_cluster.kill_node(1)
    loopback_cluster.add_node(PYTHONPATH=places)
    with (
        joined(loopback_cluster.address) as cluster,
        pytest.raises(ClusterError, match=r"node 127\.0\.0\.5 has unparrot 99 in place of"),
    ):
        simulate(GraphSpec(10, 1000, 2), RandomErrors(0.1), cluster=cluster)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "ray"], "--engine ray needs --address HOST:PORT (or RAY_ADDRESS)"),
        (["--engine", "ray", "--address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1;"),
        (["--engine", "ray", "--address", "ray://head:10001"], "is HOST:PORT, as"),
        (["--engine", "ray", "--address", "auto"], "is HOST:PORT, as"),
        (["--engine", "ray", "--threads", "2"], "--threads are those of this machine"),
        (["--address", "127.0.0.1:1"], "is that of a Ray cluster; add --engine ray"),
        (["--tagged", __file__, "--engine", "ray"], "reads a corpus and --engine would draw one"),
    ],
)
def test_bad_addresses(
    arguments: list[str],
    message: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if "127.0.0.1:1" in arguments and "--engine" in arguments:
        pytest.importorskip("ray")
    assert run(["theory", "graph", *arguments]) == 2
    out, err = capfd.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


def test_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(["theory", "graph", "--engine", "ray", "--address", "127.0.0.1:1"]) == 3
    assert capfd.readouterr().err == (
        "unparrot: ray is not installed; install it with: pip install 'unparrot[cluster]'\n"
    )
