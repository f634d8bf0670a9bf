"""The pace of calls: one at first, more after replies in good time, fewer after overload."""

import asyncio

import pytest

from unparrot.core.errors import UnparrotError
from unparrot.eval.wire.pace import MOST_PATIENCE, PATIENCE, Halted, Pace, backoff


def test_it_starts_with_one_call_and_each_reply_lets_one_more_go() -> None:
    pace = Pace("model", 4, 100.0)
    limits = [int(pace.limit)]
    for _ in range(5):
        pace.note_reply(1.0, 10)
        limits.append(int(pace.limit))
    assert limits == [1, 2, 3, 4, 4, 4]


def test_overload_halves_it_once_for_the_calls_that_were_under_way() -> None:
    async def scenario() -> list[int]:
        pace = Pace("model", 16, 100.0)
        for _ in range(15):
            pace.note_reply(1.0, 10)
        limits = [int(pace.limit)]
        async with asyncio.TaskGroup() as group:

            async def attempt() -> None:
                async with pace.turn():
                    await asyncio.sleep(0)
                    pace.note_overload(sent, timed_out=False)
                    limits.append(int(pace.limit))

            import time

            sent = time.perf_counter()
            for _ in range(16):
                group.create_task(attempt())
        for _ in range(8):  # a round of replies lets one more go
            pace.note_reply(1.0, 10)
        return [*limits, int(pace.limit)]

    assert asyncio.run(scenario()) == [16, *[8] * 16, 8]


def test_slow_replies_let_no_more_go_and_lengthen_the_patience() -> None:
    pace = Pace("model", 16, 100.0)
    assert pace.patience == 100.0
    pace.note_reply(30.0, 10)
    pace.note_reply(80.0, 10)  # beyond half of the time, and more than twice what one took alone
    assert int(pace.limit) == 2
    assert pace.patience == PATIENCE * 80.0
    alone = Pace("model", 16, 100.0)
    for _ in range(15):
        alone.note_reply(80.0, 10)  # slow, and no slower for being asked more at a time
    assert int(alone.limit) == 16


def test_time_outs_in_a_row_lengthen_the_patience_until_a_reply_comes() -> None:
    pace = Pace("model", 16, 100.0)
    for _ in range(5):
        pace.note_overload(float("inf"), timed_out=True)
    assert pace.patience == MOST_PATIENCE * 100.0
    pace.note_reply(1.0, 10)
    assert pace.patience == 100.0


def test_a_batch_begins_with_all_and_waits_for_ever() -> None:
    pace = Pace("model", 500, None)
    assert (pace.patience, int(pace.limit)) == (None, 500)
    pace.note_overload(float("inf"), timed_out=False)
    assert int(pace.limit) == 500


def test_halting_ends_waits_and_refuses_turns() -> None:
    async def scenario() -> None:
        pace = Pace("model", 1, 100.0)
        async with pace.turn():
            waiting = [asyncio.create_task(take(pace)) for _ in range(3)]
            sleeping = asyncio.create_task(pace.wait(3600.0))
            await asyncio.sleep(0)
            pace.halt(Halted("stopped"))
            await sleeping
        for task in waiting:
            with pytest.raises(Halted):
                await task
        with pytest.raises(Halted):
            await take(pace)

    async def take(pace: Pace) -> None:
        async with pace.turn():
            raise AssertionError("nothing may be sent")

    asyncio.run(scenario())


def test_the_speed_is_of_all_calls_at_a_time() -> None:
    async def scenario() -> Pace:
        pace = Pace("model", 2, 100.0)
        pace.limit = 2.0
        assert pace.speed is None

        async def call() -> None:
            async with pace.turn():
                await asyncio.sleep(0.05)
                pace.note_reply(0.05, 50)

        await asyncio.gather(call(), call())
        return pace

    speed = asyncio.run(scenario()).speed
    assert speed is not None
    assert 0 < speed <= 2 * 50 / 0.05


def test_waits_grow_to_two_minutes() -> None:
    for attempts, seconds in ((1, 0.5), (2, 2.0), (3, 8.0), (4, 32.0), (5, 120.0), (9, 120.0)):
        assert 0.75 * seconds <= backoff(attempts) <= 1.25 * seconds


def test_what_halted_it_first_is_what_is_raised() -> None:
    pace = Pace("model", 1, None)
    pace.halt(UnparrotError("first"))
    pace.halt(UnparrotError("second"))
    with pytest.raises(UnparrotError, match="first"):
        pace.check()
