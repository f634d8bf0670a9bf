"""The budget of a run, and what a provider does to it that bills more than the limits of a call."""

import asyncio
from collections.abc import Callable

import pytest

from unparrot.eval.wire.cost_limit import Budget, OverBudget
from unparrot.eval.wire.prices import Price


def spend(
    budget: Budget, worst: float, bills: Callable[[int], float], calls: int, at_a_time: int
) -> tuple[list[BaseException], int]:
    """Make calls of one model that cost ``worst`` at their limit and are billed ``bills(number)``;
    returns what was refused, and the most calls that were under way together."""
    # no prompt but the frame's 64 tokens, which cost nothing: `worst` is what 1,000 tokens cost
    price = Price(0.0, worst * 1000)
    refused: list[BaseException] = []
    numbers = iter(range(calls))
    now = most = 0

    async def worker() -> None:
        nonlocal now, most
        for number in numbers:
            try:
                async with budget.hold("model", price, 0, 1000) as hold:
                    now += 1
                    most = max(most, now)
                    for _ in range(100):  # long enough for others to come
                        await asyncio.sleep(0)
                    hold.bill, hold.known = bills(number), True
                    now -= 1
            except OverBudget as error:
                refused.append(error)

    async def all_workers() -> None:
        await asyncio.gather(*(worker() for _ in range(at_a_time)))

    asyncio.run(all_workers())
    return refused, most


def test_the_budget_is_used_up_and_never_exceeded() -> None:
    budget = Budget(1.0, 0.0)
    refused, most = spend(budget, 0.125, lambda _: 0.0625, calls=40, at_a_time=8)
    # a call may cost 1/8 and costs 1/16: from 15/16 spent on the next could exceed 1
    assert budget.spent == 15 / 16
    assert len(refused) == 40 - 15
    assert most > 4
    assert "nothing more was sent" in str(refused[0])


def test_what_earlier_runs_spent_counts() -> None:
    assert len(spend(Budget(1.0, 0.99), 0.1, lambda _: 0.05, calls=4, at_a_time=2)[0]) == 4


def test_without_a_limit_everything_goes_through() -> None:
    assert spend(Budget(None, 5.0), 100.0, lambda _: 100.0, calls=10, at_a_time=5)[0] == []


def test_a_provider_that_bills_a_hundred_times_the_limit_shows_it_at_one_call() -> None:
    budget = Budget(1.0, 0.0)
    refused, most = spend(budget, 0.005, lambda _: 0.3, calls=40, at_a_time=16)
    # the first costs 0.3, and twice that is held for each further one: one fits, a third does not
    assert budget.spent == pytest.approx(0.6)
    assert (len(refused), most) == (38, 1)
    budget = Budget(0.5, 0.0)
    spend(budget, 0.005, lambda _: 0.5, calls=40, at_a_time=16)
    assert budget.spent == 0.5


def test_bills_that_grow_are_not_followed_beyond_the_budget() -> None:
    budget = Budget(10.0, 0.0)
    # up to twice the largest before is foreseen; in the end 1.22 is held for calls of 0.612
    spend(budget, 0.01, lambda number: 0.01 * 1.8 ** min(number // 40, 7), calls=4000, at_a_time=16)
    assert 10.0 - 1.23 < budget.spent <= 10.0


def test_an_attempt_without_a_reply_counts_as_if_it_had_been_billed() -> None:
    budget = Budget(1.0, 0.0)

    async def fail(*, given_up: bool) -> None:
        async with budget.hold("model", Price(0.0, 100.0), 0, 1000) as hold:
            if given_up:
                raise asyncio.CancelledError
            budget.lose("model", hold)

    asyncio.run(fail(given_up=False))
    assert budget.spent == budget.lost == pytest.approx(0.1)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(fail(given_up=True))
    assert budget.spent == budget.lost == pytest.approx(0.2)


def test_a_dear_call_is_not_held_up_for_ever_by_cheap_ones() -> None:
    budget = Budget(1.0, 0.0)
    order: list[str] = []

    async def call(name: str, worst: float) -> None:
        async with budget.hold(name, Price(0.0, worst * 1000), 0, 1000) as hold:
            order.append(name)
            await asyncio.sleep(0)
            hold.known = True

    async def all_calls() -> None:
        await call("cheap", 0.1)
        await asyncio.gather(
            *(call("cheap", 0.1) for _ in range(4)), call("dear", 0.9),
            *(call("cheap", 0.1) for _ in range(20)),
        )  # fmt: skip

    asyncio.run(all_calls())
    assert order.index("dear") == 5


def test_the_prompt_is_taken_at_a_token_a_byte() -> None:
    async def hold(budget: Budget, prompt: int) -> None:
        async with budget.hold("model", Price(1e6, 0.0), prompt, 10):  # a dollar a token
            pass

    asyncio.run(hold(Budget(164.0, 0.0), 100))
    with pytest.raises(OverBudget):
        asyncio.run(hold(Budget(164.0, 0.0), 101))
