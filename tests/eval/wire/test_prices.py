"""Prices, and the budget that no call exceeds."""

import asyncio
import re
from datetime import UTC, date, datetime

import pytest

from unparrot.core.errors import BadInput
from unparrot.eval.wire.prices import Budget, OverBudget, Price, parse_price, price_of, price_source


def test_a_price_is_for_a_million_tokens() -> None:
    # 2,000 read at $3 and 500 written at $15 a million: 0.006 + 0.0075
    assert Price(3.0, 15.0).of(2000, 500) == pytest.approx(0.0135)


def test_given_prices_come_before_the_table() -> None:
    given = {"openai/gpt-4o": Price(1.0, 2.0)}
    assert price_of("openai/gpt-4o", given) == (1.0, 2.0)
    assert price_of("openai/gpt-4o") != (1.0, 2.0)


@pytest.mark.parametrize(
    "name", ["openai/unheard-of", "openai-api/local/x", "gpt-4o", "openai-api/my-openai/gpt-4o"]
)
def test_what_is_not_known_has_no_price(name: str) -> None:
    assert price_of(name) is None


def test_models_of_ones_own_cost_nothing() -> None:
    assert price_of("lab/runs/demo") == price_of("vllm/org/model") == (0.0, 0.0)


@pytest.mark.parametrize(
    ("route", "same_as"),
    [
        ("openai/azure/gpt-4o", "openai/gpt-4o"),
        ("azureai/gpt-4o", "openai/gpt-4o"),
        ("anthropic/vertex/claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5"),
        ("openrouter/anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
        ("openai-api/groq/llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
        ("litellm-proxy/openai/gpt-4o-mini", "openai/gpt-4o-mini"),
    ],
)
def test_a_route_has_its_price(route: str, same_as: str) -> None:
    price = price_of(route)
    assert price is not None
    assert price == price_of(same_as)
    assert 0 < price.read < price.written


@pytest.mark.parametrize(
    "name",
    [
        "grok/grok-4",
        "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic/bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0",
        "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "hf-inference-providers/openai/gpt-oss-20b:groq",
        "mistral/mistral-large-latest",
    ],
)
def test_other_providers_have_prices(name: str) -> None:
    price = price_of(name)
    assert price is not None
    assert 0 < price.read <= price.written


def test_a_price_that_is_not_by_the_token_alone_is_not_known() -> None:
    assert price_of("perplexity/sonar") is None  # asks for money for each call as well
    assert price_of("openai/text-embedding-3-small") is None  # writes nothing


def test_a_model_that_is_free_costs_nothing() -> None:
    assert price_of("openrouter/google/gemma-3-27b-it:free") == (0.0, 0.0)


def test_prices_have_a_source_and_a_day() -> None:
    parts = re.fullmatch(
        r"genai-prices (\d+(?:\.\d+)*), whose newest price is of (\S+)", price_source()
    )
    assert parts is not None
    assert date(2025, 11, 30) < date.fromisoformat(parts[2]) <= datetime.now(UTC).date()


@pytest.mark.parametrize("text", ["", "a=1", "a=1,x", "=1,2", "a=-1,2", "a=1,2,3", "a=nan,1"])
def test_what_is_no_price_is_quoted(text: str) -> None:
    with pytest.raises(BadInput, match=r"is not a price; write MODEL=IN,OUT"):
        parse_price(text)


def spend(budget: Budget, each: float, calls: int, at_a_time: int) -> list[BaseException]:
    """Make calls that cost half of the most they could; returns what was refused."""
    # no prompt but the frame's 64 tokens, which cost nothing: `each` is what 1,000 tokens cost
    price = Price(0.0, each * 1000)
    refused: list[BaseException] = []

    async def worker(count: int) -> None:
        for _ in range(count):
            try:
                async with budget.hold(price, "", 1000):
                    await asyncio.sleep(0)
                    budget.settle(each / 2)
            except OverBudget as error:
                refused.append(error)

    async def all_workers() -> None:
        await asyncio.gather(*(worker(calls // at_a_time) for _ in range(at_a_time)))

    asyncio.run(all_workers())
    return refused


def test_the_budget_is_used_up_and_never_exceeded() -> None:
    budget = Budget(1.0, 0.0)
    refused = spend(budget, each=0.125, calls=40, at_a_time=8)
    # a call may cost 1/8 and costs 1/16: from 15/16 spent on the next could exceed 1
    assert budget.spent == 15 / 16
    assert len(refused) == 40 - 15
    assert "nothing more was sent" in str(refused[0])


def test_what_earlier_runs_spent_counts() -> None:
    assert len(spend(Budget(1.0, 0.99), each=0.1, calls=4, at_a_time=2)) == 4


def test_without_a_limit_everything_goes_through() -> None:
    assert spend(Budget(None, 5.0), each=100.0, calls=10, at_a_time=5) == []


def test_the_prompt_is_taken_at_a_token_a_byte() -> None:
    async def hold(budget: Budget, prompt: str) -> None:
        async with budget.hold(Price(1e6, 0.0), prompt, 10):  # a dollar a token
            pass

    asyncio.run(hold(Budget(164.0, 0.0), "é" * 50))
    with pytest.raises(OverBudget):
        asyncio.run(hold(Budget(164.0, 0.0), "é" * 51))
