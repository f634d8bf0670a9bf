"""Prices."""

import re
from datetime import UTC, date, datetime

import pytest

from unparrot.core.errors import BadInput
from unparrot.eval.wire.prices import Price, parse_price, price_of, price_source


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
