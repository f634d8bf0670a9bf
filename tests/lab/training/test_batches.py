from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from unparrot.core.errors import BadInput
from unparrot.lab import inspect_provider
from unparrot.lab.inspect_provider import Batches


class Recorder:
    """Doubles numbers, notes the batches, and waits at a gate."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.started = threading.Event()
        self.threads: set[int] = set()

    def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        self.threads.add(threading.get_ident())
        self.started.set()
        self.gate.wait()
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * i for i in items]


def test_what_comes_meanwhile_is_answered_together() -> None:
    run = Recorder()
    calls = Batches(run, most=4)
    first = calls.submit(0)
    run.started.wait()
    rest = [calls.submit(i) for i in range(1, 8)]
    run.gate.set()
    assert [future.result() for future in (first, *rest)] == [0, 2, 4, 6, 8, 10, 12, 14]
    assert run.batches == [[0], [1, 2, 3, 4], [5, 6, 7]]
    assert len(run.threads) == 1
    assert threading.get_ident() not in run.threads


def test_a_cancelled_call_is_left_out_and_an_error_reaches_its_batch_alone() -> None:
    run = Recorder()
    calls = Batches(run, most=2)
    first = calls.submit(0)
    run.started.wait()
    rest = [calls.submit(i) for i in (1, 2, 13, 3, 4)]
    assert rest[0].cancel()
    run.gate.set()
    assert first.result() == 0
    with pytest.raises(CancelledError):
        rest[0].result()
    assert rest[1].result() == 4
    for future in rest[2:4]:
        with pytest.raises(ValueError, match="unlucky"):
            future.result()
    assert rest[4].result() == 8
    assert run.batches == [[0], [2], [13, 3], [4]]


def test_too_few_results_are_an_error_to_all() -> None:
    calls: Batches[int, int] = Batches(lambda items: items[:-1], most=2)
    with pytest.raises(ValueError, match="shorter"):
        calls.submit(1).result()


def test_the_thread_ends_when_idle_and_another_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_provider, "IDLE", 0.01)
    run = Recorder()
    run.gate.set()
    calls = Batches(run, most=2)
    assert calls.submit(1).result() == 2
    before = set(threading.enumerate())
    while any(thread.name == "batches" for thread in before):
        before = set(threading.enumerate())
    assert calls.submit(2).result() == 4
    with pytest.raises(BadInput, match="at least one item, not 0"):
        Batches(run, most=0)
