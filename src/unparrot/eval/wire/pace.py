"""The pace of a model's calls: how many at a time, how long each may take, when to try again.

It starts with one call. Each reply that came in good time lets one more go at a time; a rate limit
or a time-out, which are signs of overload alike, halve the number. An attempt is given up only
after much longer than replies have taken of late, since the server goes on with it unheard.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from random import uniform
from typing import Final

from unparrot.core.errors import UnparrotError

# Seconds before the second attempt; each further one waits so many times longer, up to the longest.
FIRST_WAIT, LONGER, LONGEST_WAIT = 0.5, 4.0, 120.0
# An attempt may take so many times the slowest reply of late.
PATIENCE: Final = 3.0
# While time-outs follow each other the patience is doubled, up to so many times.
MOST_PATIENCE: Final = 4.0
# Seconds that calls under way have to be answered once the user has stopped the run.
GRACE: Final = 30.0
# The slowest reply of late is forgotten by this factor with every other reply.
_FADING: Final = 0.95


class Halted(UnparrotError):
    """Nothing new is sent: the run is being stopped."""


class Pace:
    """How fast calls are sent to a model, learnt from how it answers.

    Parameters
    ----------
    name
        The model.
    most
        Calls at a time, at most.
    timeout
        Seconds that an attempt may take in any case; None for calls that go in batches: no limit
        at all, and ``most`` of them at a time from the start.
    """

    def __init__(self, name: str, most: int, timeout: float | None) -> None:
        self.name, self.most, self.timeout = name, most, timeout
        self.limit = 1.0 if timeout is not None else float(most)
        self.answered = 0
        self.no_schema = ""  # what was said when a JSON schema was refused
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._alone = self._slowest = 0.0  # seconds of the first reply, and the slowest of late
        self._stretch = 1.0
        self._cut = self._not_before = 0.0
        self._written = 0
        self._busy = self._since = 0.0
        self._why: UnparrotError | None = None
        self._stopped = asyncio.Event()

    @property
    def patience(self) -> float | None:
        """Seconds after which an attempt is given up."""
        if self.timeout is None:
            return None
        return max(self.timeout, PATIENCE * self._slowest) * self._stretch

    @property
    def speed(self) -> float | None:
        """Tokens written a second, by all calls at a time; None before the first reply."""
        busy = self._busy + (time.perf_counter() - self._since if self._running else 0.0)
        return self._written / busy if self._written and busy else None

    @property
    def halted(self) -> bool:
        """Whether nothing more may be sent."""
        return self._why is not None

    def halt(self, why: UnparrotError) -> None:
        """Send nothing more: whoever waits for a turn, now or later, gets the error."""
        self._why = self._why or why
        self._stopped.set()
        self._wake(len(self._waiting))

    def check(self) -> None:
        """Raise what halted the calls, if anything has."""
        if self._why is not None:
            raise self._why

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until the calls are halted."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until an attempt may be made, and make it within.

        Raises
        ------
        UnparrotError
            What the calls were halted with.
        """
        while self._why is None and self._running >= int(self.limit):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self.check()
        if not self._running:
            self._since = time.perf_counter()
        self._running += 1
        try:
            if (delay := self._not_before - time.perf_counter()) > 0:
                await self.wait(delay)
            self.check()
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._busy += time.perf_counter() - self._since
            self._wake(int(self.limit) - self._running)

    def _wake(self, number: int) -> None:
        while number > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                number -= 1

    def note_reply(self, seconds: float, written: int | None) -> None:
        """Learn from a reply that took so long and has so many tokens."""
        self.answered += 1
        self._written += written or 0
        self._stretch = 1.0
        self._alone = self._alone or seconds
        self._slowest = max(seconds, _FADING * self._slowest)
        if self.timeout is not None and seconds <= max(self.timeout / 2, 2 * self._alone):
            more = 1.0 if not self._cut else 1 / self.limit
            self.limit = min(float(self.most), self.limit + more)

    def note_overload(self, sent: float, *, timed_out: bool, wait: float = 0.0) -> None:
        """Learn that a call that was sent then (`time.perf_counter`) was one too many, and that the
        provider asks everyone to wait so long."""
        now = time.perf_counter()
        self._not_before = max(self._not_before, now + wait)
        if sent < self._cut:
            return  # the calls that were under way with it have been answered for already
        self._cut = now
        if self.timeout is not None:
            self.limit = max(1.0, min(self.limit, self._running) // 2)
        if timed_out:
            self._stretch = min(MOST_PATIENCE, 2 * self._stretch)


def backoff(attempts: int) -> float:
    """Return the seconds to wait after so many attempts: 0.5, 2, 8, 32 and then 120, give or take
    a quarter, so that calls that failed together do not come back together."""
    return uniform(0.75, 1.25) * min(LONGEST_WAIT, FIRST_WAIT * LONGER ** (attempts - 1))
