"""The schedule of a run: students write, graders mark what they wrote, each as fast as it may.

Every student and every grader has workers of its own, as many as it may have calls at a time.
Texts go from students to graders through short queues: a slow grader holds the students back, and
the memory that a run takes does not grow with its length.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import product
from typing import Final, TypeVar

from unparrot.core.errors import UnparrotError
from unparrot.eval.ask.asking import Asker, Caller
from unparrot.eval.protocol.conversation import Answer
from unparrot.eval.record.prepare import Unit
from unparrot.eval.wire.models import OpenModel, Refused
from unparrot.eval.wire.pace import GRACE, Halted

_T = TypeVar("_T")
# Gradings that wait for a grader, for each call that it may have at a time.
_WAITING: Final = 2


class Interrupted(UnparrotError):
    """The user stopped the run. What was answered is kept."""


class Crew:
    """Workers that share what stops them all.

    Parameters
    ----------
    caller
        Asks and keeps.
    interrupted
        Is called when the user stops the run.
    """

    def __init__(self, caller: Caller, interrupted: Callable[[], None]) -> None:
        self.caller, self.interrupted = caller, interrupted
        self.refused: dict[str, Refused] = {}
        self.stopped: UnparrotError | None = None

    async def carry_out(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do the work; returns when all is done.

        Raises
        ------
        UnparrotError
            What stopped the run: the budget, the journal, the user (`Interrupted`), or, after the
            others have finished, a provider that refused a model. Calls that were under way have
            been answered and kept.
        """
        with _quiet_collector(), self._interruptible():
            try:
                await work()
            finally:
                self.caller.journal.flush()
        if self.stopped is not None:
            raise self.stopped
        if self.refused:
            raise Refused("; ".join(map(str, self.refused.values())))

    def stop(self, why: UnparrotError) -> None:
        """Send nothing new; what is under way is waited for."""
        self.stopped = self.stopped or why
        for pace in self.caller.tally.paces:
            pace.halt(Halted("nothing more is sent: the run is being stopped"))

    async def careful(self, who: str, work: Awaitable[_T]) -> _T | None:
        """Do the work; what ends the run, or a model's part in it, is noted and not raised."""
        try:
            return await work
        except Refused as error:
            self.refused.setdefault(who, error)
            if self.pointless():
                self.stop(error)
        except UnparrotError as error:
            self.stop(error)
        return None

    def pointless(self) -> bool:
        """Return whether models were refused without which the rest is of no use."""
        return True

    @contextmanager
    def _interruptible(self) -> Generator[None]:
        """Ctrl-C, SIGTERM or a closed terminal: nothing more is sent, calls under way have
        `GRACE` seconds; the second one ends the run at once."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None

        def interrupt() -> None:
            tally = self.caller.tally
            if tally.stopping:
                task.cancel()
                return
            tally.stopping = True
            self.stop(Interrupted("stopped; the same command goes on from here"))
            loop.call_later(GRACE, task.cancel)
            self.interrupted()

        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        # nohup ignores the closing of a terminal
        ending = [each for each in signals if signal.getsignal(each) is not signal.SIG_IGN]
        # not in a thread other than the main one, where signals cannot be handled
        with suppress(ValueError, NotImplementedError, RuntimeError):
            for number in ending:
                loop.add_signal_handler(number, interrupt)
        try:
            yield
        finally:
            for number in ending:
                loop.remove_signal_handler(number)  # False, and no error, where there is none


class Schedule(Crew):
    """Carries out a run.

    Parameters
    ----------
    asker
        Asks and keeps.
    text
        Gives a text, or why there is none.
    graders
        Who marks them.
    units
        The texts of each student, in the order in which they are to be had.
    connections
        Calls of each model at a time, at most.
    interrupted
        Is called when the user stops the run.
    """

    def __init__(
        self,
        asker: Asker,
        text: Callable[[Unit], Awaitable[Answer]],
        graders: Sequence[OpenModel],
        units: Mapping[str, Iterator[Unit]],
        connections: int,
        interrupted: Callable[[], None],
    ) -> None:
        super().__init__(asker, interrupted)
        self.asker, self.text, self.graders, self.units = asker, text, graders, units
        self.connections = connections
        self._queues: dict[str, asyncio.Queue[tuple[Unit, str, int] | None]] = {
            grader.name: asyncio.Queue(_WAITING * connections) for grader in graders
        }

    async def run(self) -> None:
        """Write and mark all texts, as `carry_out` does its work."""
        await self.carry_out(self._all)

    async def _all(self) -> None:
        workers = range(self.connections)
        async with asyncio.TaskGroup() as marking:
            for grader, _ in product(self.graders, workers):
                marking.create_task(self._mark(grader))
            async with asyncio.TaskGroup() as writing:
                for student, _ in product(self.units, workers):
                    writing.create_task(self._write(student))
            for queue, _ in product(self._queues.values(), workers):
                await queue.put(None)

    def pointless(self) -> bool:
        """Return whether nobody is left to mark what students would go on to write."""
        return bool(self.graders) and all(grader.name in self.refused for grader in self.graders)

    async def _write(self, student: str) -> None:
        tally, rounds = self.asker.tally, self.asker.spec.grading_rounds
        gradings = rounds * len(self.graders)
        for unit in self.units[student]:
            if self.stopped is not None:
                return
            refused = student in self.refused
            text = None if refused else await self.careful(student, self.text(unit))
            if text is None or text.reason:
                # nothing is graded, and a student that was refused is asked for nothing
                tally.planned -= gradings + refused * len(self.asker.prompts.turns)
                await asyncio.sleep(0)
                continue
            for grading_round, grader in product(range(1, rounds + 1), self.graders):
                await self._queues[grader.name].put((unit, text.text, grading_round))

    async def _mark(self, grader: OpenModel) -> None:
        queue = self._queues[grader.name]
        while (item := await queue.get()) is not None:
            if grader.name in self.refused:
                self.asker.tally.planned -= 1
            elif self.stopped is None:
                await self.careful(grader.name, self.asker.grade(grader, *item))


@contextmanager
def _quiet_collector() -> Generator[None]:
    """Look for garbage less often: a run makes little that needs it, and with all that the model
    layer has loaded a collection takes long."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
