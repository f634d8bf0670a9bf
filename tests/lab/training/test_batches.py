from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from unparrot.lab.inspect_provider import Batches

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


class Recorder:
    """Doubles numbers, notes the batches, and holds each up until the gate is open."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.busy = 0

    def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        self.busy += 1
        assert self.busy == 1
        self.gate.wait()
        self.busy -= 1
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * i for i in items]


def kept(answer: Callable[[int], Awaitable[int]], item: int, results: dict[int, Any]) -> Any:
    """A task that asks for an item and keeps the result, or the error."""

    async def ask() -> None:
        try:
            results[item] = await answer(item)
        except ValueError as error:
            results[item] = str(error)

    return ask


async def after(run: Recorder, count: int) -> None:
    """Wait until so many batches have begun."""
    while len(run.batches) < count:
        await anyio.sleep(0.001)


@pytest.mark.anyio
async def test_what_comes_meanwhile_is_answered_together() -> None:
    run, results = Recorder(), dict[int, Any]()
    calls = Batches(run, most=4)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kept(calls.answer, 0, results))
        await after(run, 1)
        for i in range(1, 8):
            tasks.start_soon(kept(calls.answer, i, results))
            await anyio.sleep(0)
        run.gate.set()
    assert results == {i: 2 * i for i in range(8)}
    assert run.batches == [[0], [1, 2, 3, 4], [5, 6, 7]]


@pytest.mark.anyio
async def test_a_call_given_up_is_left_out_and_an_error_reaches_its_batch_alone() -> None:
    run, results = Recorder(), dict[int, Any]()
    calls = Batches(run, most=2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kept(calls.answer, 0, results))
        await after(run, 1)
        given_up = anyio.CancelScope()

        async def ask() -> None:
            with given_up:
                await calls.answer(1)

        tasks.start_soon(ask)
        await anyio.sleep(0.001)
        for i in (2, 13, 3, 4):
            tasks.start_soon(kept(calls.answer, i, results))
            await anyio.sleep(0.001)
        given_up.cancel()
        await anyio.sleep(0.001)
        run.gate.set()
    assert results == {0: 0, 2: "unlucky", 13: "unlucky", 3: 6, 4: 8}
    assert run.batches == [[0], [2, 13], [3, 4]]


@pytest.mark.anyio
async def test_whoever_is_given_up_amid_a_batch_takes_nobody_along() -> None:
    run, results = Recorder(), dict[int, Any]()
    calls = Batches(run, most=2)
    async with anyio.create_task_group() as tasks, anyio.create_task_group() as first:
        first.start_soon(kept(calls.answer, 0, results))
        await anyio.sleep(0)
        tasks.start_soon(kept(calls.answer, 1, results))
        await after(run, 1)
        first.cancel_scope.cancel()
        run.gate.set()
    assert results[1] == 2


@pytest.mark.anyio
async def test_too_few_results_are_an_error_to_all() -> None:
    calls: Batches[int, int] = Batches(lambda items: items[:-1], most=2)
    with pytest.raises(ValueError, match="shorter"):
        await calls.answer(1)
