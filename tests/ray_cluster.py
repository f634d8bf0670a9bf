"""A Ray cluster on loopback, for tests: a head that runs no task, and two nodes of one core each.

Ray starts in a process of its own, which this file is the program of; what a test kills is named by
its process id. Addresses are 127.0.0.2 and up, which only this machine has, so nothing listens to
the network, and the nodes differ by address as they would elsewhere.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

STORE = 80_000_000  # bytes of each node's object store, about the least that Ray takes


class LoopbackCluster:
    """Two nodes and a head that are up."""

    def __init__(self, process: "subprocess.Popen[str]", started: dict[str, Any]) -> None:
        self._process = process
        self.address: str = started["address"]
        self.head: list[int] = started["head"]
        self.nodes: list[int] = started["nodes"]  # process ids of their raylets

    def add_node(self, **environment: str) -> None:
        """Start one more node, with other variables in its environment."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(environment), file=self._process.stdin, flush=True)
        self.nodes.append(json.loads(self._process.stdout.readline()))

    def workers(self, node: int) -> list[int]:
        """Return the processes of a node that run a task right now."""
        children = Path(f"/proc/{self.nodes[node]}/task/{self.nodes[node]}/children")
        return [
            pid
            for pid in map(int, children.read_text("ascii").split())
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::run")
        ]

    def kill_head(self) -> None:
        """End the head as a machine that loses its power."""
        _kill(self.head)

    def kill_node(self, node: int) -> None:
        """End a node as a machine that loses its power."""
        _kill([self.nodes[node], *self.workers(node)])


def _kill(processes: list[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def loopback_cluster() -> Iterator[LoopbackCluster]:
    """Start a cluster, and stop all of it in the end; skip the test where there is no Ray."""
    if find_spec("ray") is None:
        if os.environ.get("UNPARROT_REQUIRE_RAY") == "1":
            pytest.fail("UNPARROT_REQUIRE_RAY=1, but Ray is absent")
        pytest.skip("needs Ray: pip install 'unparrot[cluster]'")
    if sys.platform != "linux":
        pytest.skip("only Linux has all of 127.0.0.0/8 as its own")
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield LoopbackCluster(process, json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def serve() -> None:
    """Start a cluster, print what a test needs to know of it, and stop it when stdin ends."""
    from ray.cluster_utils import Cluster

    answers, sys.stdout = sys.stdout, sys.stderr
    quiet = {"object_store_memory": STORE, "include_dashboard": False}
    head = {**quiet, "num_cpus": 0, "node_ip_address": "127.0.0.2"}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    started = 0

    def raylet(node: Any) -> int:
        return node.all_processes["raylet"][0].process.pid

    def add(environment: dict[str, str]) -> int:
        nonlocal started
        started += 1
        place = f"127.0.0.{2 + started}"
        node = cluster.add_node(
            **quiet, num_cpus=1, node_ip_address=place, env_vars=environment or None
        )
        return raylet(node)

    nodes = [add({}), add({})]
    running = cluster.head_node.all_processes.values()
    of_head = [each.process.pid for processes in running for each in processes]
    told = {"address": cluster.address, "head": of_head, "nodes": nodes}
    print(json.dumps(told), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(add(json.loads(line))), file=answers, flush=True)
    # not `cluster.shutdown`, which would wait for a head that is gone
    for node in (*cluster.worker_nodes, cluster.head_node):
        node.kill_all_processes(check_alive=False, allow_graceful=False)


if __name__ == "__main__":
    serve()
