"""A Ray cluster that runs already, and independent tasks on its nodes.

`joined` connects to a cluster by its address, from a machine that is one of its nodes. Each task
gets the resources that it asks for, in a process of some node. One whose worker or node dies, or
whose result is lost with a node, runs again elsewhere. Nothing here starts or stops a cluster, and
what Ray prints by itself stays off standard output.
"""

import logging
import math
import os
import signal
import socket
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from unparrot.core.errors import BadInput, UnparrotError
from unparrot.core.machine import package_versions
from unparrot.core.progress import LOG

RETRIES = 3  # times that a task is run again after a loss
PATIENCE = 20.0  # seconds of the head's silence to bear; after 60 Ray ends the process by itself
GRACE = 20.0  # seconds for tasks to end when they are asked to
_PAUSE = 5.0  # seconds after a loss in which Ray learns what is gone
_LOOK = 1.0  # seconds between looks at the head
_AHEAD = 2  # tasks handed to Ray for each that can run at once

Item = TypeVar("Item")
Result = TypeVar("Result")


class ClusterError(UnparrotError):
    """A cluster that cannot be used, or no longer."""


class WorkerLost(ClusterError):
    """A task that was lost with its worker each time that it was run."""


@contextmanager
def joined(address: str) -> Generator["Cluster"]:
    """Connect this process to the Ray cluster whose head is at an address.

    Parameters
    ----------
    address
        HOST:PORT, as ``ray start --head`` prints it.

    Raises
    ------
    BadInput
        If the address has another form, or no cluster answers there.
    ClusterError
        If this machine is none of its nodes, or has other versions of Ray or Python.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise BadInput(
            f"the address of a Ray cluster is HOST:PORT, as `ray start --head` prints it, "
            f"not {address!r}"
        )
    ray = _ray()
    if not _answers((host, int(port))):
        raise BadInput(
            f"no Ray cluster answers at {address}; start one with `ray start --head "
            f"--port {port} --disable-usage-stats`, or give the address of one that runs"
        )
    terminated = signal.getsignal(signal.SIGTERM)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        except (RuntimeError, ConnectionError, ValueError) as error:
            raise ClusterError(_why_not(address, str(error))) from error
        signal.signal(signal.SIGTERM, terminated)  # Ray puts its own in its place
        try:
            yield Cluster(address, (host, int(port)))
        finally:
            ray.shutdown()


def _why_not(address: str, reason: str) -> str:
    """Return the message for what `ray.init` refused."""
    if "ersion mismatch" in reason:
        return (
            f"the cluster at {address} has other versions than this machine: "
            f"{' '.join(reason.split())}; install the same on every node"
        )
    return (
        f"cannot join the Ray cluster at {address}: {' '.join(reason.split())}; make this machine "
        f"a node of it with `ray start --address {address}`, and give the command again"
    )


def _answers(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, timeout=5).close()
    except OSError:
        return False
    return True


class Cluster:
    """A cluster that this process has joined; made by `joined`.

    ``cores`` is the number that its nodes offered together when last seen, at least 1.
    """

    def __init__(self, address: str, head: tuple[str, int]) -> None:
        self.address, self._head = address, head
        self._heard = self._looked = -math.inf
        self._waits, self.cores = False, 1
        self._look({})

    def results(
        self,
        work: Callable[..., Result],
        items: Iterable[Item],
        *,
        packages: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        gpus: float = 0,
        memory: int = 0,
        on_event: Callable[[Any], object] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[Item, Result | WorkerLost]]:
        """Run a task for each item and yield item and result, in the order in which they end.

        Parameters
        ----------
        work
            The task, a function of a module or a `functools.partial` of one. It is called with the
            item, and with `on_event` also with a function `emit(event)`, which tells whether the
            task should come to an end.
        items
            Taken as tasks are handed to Ray, a few more than run at once.
        packages
            Those whose versions must be the same here and on a task's node, besides unparrot.
        environment
            Variables of the processes of tasks.
        gpus, memory
            What a task takes of its node beside one core; bytes of memory.
        on_event
            Called here with what tasks emit, of types that need no package: some get lost with a
            node, and some come twice.
        stopping
            Whether no further task should begin and those that run should end, for which they have
            `GRACE` seconds.

        Raises
        ------
        ClusterError
            If a node has other versions, or the head is gone.
        UnparrotError
            Whatever the work raises.
        """
        ray, needs = _ray(), {"CPU": 1.0, "GPU": gpus, "memory": memory}
        # by value, so that it also runs, and can say so, on a node with other versions or none
        task: Any = ray.remote(_checked_task()).options(
            num_cpus=1,
            num_gpus=gpus,
            memory=memory or None,
            max_retries=0,  # Ray would try again on a node that is gone, before it knows
            runtime_env={"env_vars": dict(environment)} if environment else None,
        )
        mailbox: Any = None if on_event is None else _mailbox(ray)
        versions = package_versions(["unparrot", *packages])
        shared, left = ray.put(work), iter(items)
        running: dict[Any, tuple[Item, int]] = {}  # with the times that it was lost
        again: list[tuple[float, Item, int]] = []  # and when to begin it again
        end = math.inf
        while True:
            now = time.monotonic()
            room = _AHEAD * self.cores - len(running) if end == math.inf else 0
            begin = [(item, 0) for item in islice(left, max(0, room))]
            begin += [(item, losses) for due, item, losses in again if due <= now]
            again = [lost for lost in again if lost[0] > now]
            for item, losses in begin:
                # in lists, where Ray does not unpack them before the versions are known to agree
                reference = task.remote(versions, [shared], [ray.put(item)], mailbox)
                running[reference] = item, losses
            if (not running and not again) or now > end:
                return
            ended: list[Any] = []
            if running:
                ended, _ = ray.wait([*running], timeout=_LOOK)
            else:
                time.sleep(_LOOK)
            self._look(needs)
            if on_event is not None:
                with suppress(ray.exceptions.RayError):
                    for event in ray.get(mailbox.take.remote(), timeout=_LOOK):
                        on_event(event)
                if end == math.inf and stopping():
                    end, again = time.monotonic() + GRACE, []
                    mailbox.stop.remote()
            for reference in ended:
                item, losses = running.pop(reference)
                result = self._result(reference, versions)
                if isinstance(result, WorkerLost) and losses < RETRIES and end == math.inf:
                    LOG.info("a task was lost with its worker; it begins again in %g s", _PAUSE)
                    again.append((time.monotonic() + _PAUSE, item, losses + 1))
                else:
                    yield item, result

    def _result(self, reference: Any, versions: dict[str, str | None]) -> Any:
        ray = _ray()
        try:
            node, theirs, value = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UnparrotError):
                raise error.cause from error
            raise
        except ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            return WorkerLost(f"lost with its worker every time; at last: {reason}")
        if theirs != versions:
            named = [
                f"{name} {theirs[name] or 'missing'} in place of {versions[name] or 'none'}"
                for name in versions
                if theirs[name] != versions[name]
            ]
            raise ClusterError(
                f"node {node} has {', '.join(named)}; install the same versions on every node"
            )
        return value

    def _look(self, needs: dict[str, float]) -> None:
        """Raise `ClusterError` if the head is gone; tell where no node can run a task."""
        now = time.monotonic()
        if now < self._looked + _LOOK:
            return
        if _answers(self._head):
            self._heard = now
        elif now > self._heard + PATIENCE:
            raise ClusterError(
                f"the head of the Ray cluster at {self.address} is gone: no answer for "
                f"{PATIENCE:.0f} s; start it again, and give the same command again"
            )
        else:
            return
        alive: list[dict[str, Any]] = [node for node in _ray().nodes() if node["Alive"]]
        nodes: list[dict[str, float]] = [node["Resources"] for node in alive]
        self.cores = max(1, int(sum(node.get("CPU", 0) for node in nodes)))
        waits = not any(all(node.get(k, 0) >= n for k, n in needs.items()) for node in nodes)
        if waits and not self._waits:
            wanted = " and ".join(f"{k} {n:,g}" for k, n in needs.items() if n)
            LOG.info(
                "none of the %d nodes has %s: waiting for one; Ctrl-C stops", len(nodes), wanted
            )
        self._waits, self._looked = waits, time.monotonic()


def _ray() -> Any:
    """Import Ray, which is typed in part only."""
    import ray

    return ray


def _mailbox(ray: Any) -> Any:
    """Start what takes the events of tasks: on this node, which lives as long as this process."""

    class Mailbox:  # nested, so that it travels whole
        def __init__(self) -> None:
            self.events: list[Any] = []
            self.ending = False

        def put(self, event: Any) -> bool:
            self.events.append(event)
            return self.ending

        def take(self) -> list[Any]:
            events, self.events = self.events, []
            return events

        def stop(self) -> None:
            self.ending = True

    here = ray.get_runtime_context().get_node_id()
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
    return ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=strategy).remote()


def _checked_task() -> Callable[..., Any]:
    """Return the function that Ray runs; nested, so that it travels whole."""

    def run(versions: dict[str, str | None], work: Any, item: Any, mailbox: Any) -> Any:
        import platform
        from importlib import import_module, metadata

        ray: Any = import_module("ray")
        theirs: dict[str, str | None] = {}
        for name in versions:
            try:
                theirs[name] = (
                    platform.python_version() if name == "python" else metadata.version(name)
                )
            except metadata.PackageNotFoundError:
                theirs[name] = None
        node: str = ray.util.get_node_ip_address()
        if theirs != versions:
            return node, theirs, None
        if mailbox is None:
            return node, theirs, ray.get(work[0])(ray.get(item[0]))

        def emit(event: object) -> bool:
            try:
                return ray.get(mailbox.put.remote(event), timeout=5)
            except ray.exceptions.RayError:
                return False

        return node, theirs, ray.get(work[0])(ray.get(item[0]), emit)

    return run
