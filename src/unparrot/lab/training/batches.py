"""Calls that arrive one by one, answered together: many small texts cost little more than one.

A thread collects calls for as long as one follows the other within a few milliseconds, and what
came while the batch before was at work, and runs one batch at a time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

from unparrot.core.errors import BadInput

WAIT: Final = 0.01
"""Seconds without a further call after which a batch begins."""
PATIENCE: Final = 10
"""A batch begins at the latest after so many times `WAIT`."""
IDLE: Final = 1.0
"""Seconds without a call after which the thread ends; the next call starts another."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """Answers items by `run`, at most `most` at a time.

    Parameters
    ----------
    run
        Takes a list of items and returns as many results in their order. Only one call of it is
        under way at any time, in a thread of its own. What it raises is raised to every caller
        whose item was in the list.
    most
        Items in a list.
    wait
        Seconds without a further item after which a list is closed; it is at the latest after
        `PATIENCE` times as many, so that a slow trickle does not hold up the first for long.

    Examples
    --------
    >>> squares = Batches(lambda items: [i * i for i in items], most=8)
    >>> [future.result() for future in [squares.submit(3), squares.submit(4)]]
    [9, 16]
    """

    def __init__(
        self, run: Callable[[list[Item]], Sequence[Result]], most: int, wait: float = WAIT
    ) -> None:
        if most < 1:
            raise BadInput(f"a batch holds at least one item, not {most}")
        self._run = run
        self._most = most
        self._wait = wait
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, item: Item) -> Future[Result]:
        """Hand in an item from any thread; the future can be cancelled until its batch begins."""
        future: Future[Result] = Future()
        with self._changed:
            self._waiting.append((item, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="batches", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    def _work(self) -> None:
        while batch := self._next():
            live = [pair for pair in batch if pair[1].set_running_or_notify_cancel()]
            if live:
                self._answer(live)

    def _next(self) -> list[tuple[Item, Future[Result]]]:
        """The next batch; empty if nothing came for a while, and then the thread is given up."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting, IDLE):
                self._thread = None
                return []
            latest = time.monotonic() + PATIENCE * self._wait
            while len(self._waiting) < self._most and time.monotonic() < latest:
                if not self._changed.wait(self._wait):
                    break
            count = min(self._most, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def _answer(self, batch: list[tuple[Item, Future[Result]]]) -> None:
        try:
            results = self._run([item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the callers' to see
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
