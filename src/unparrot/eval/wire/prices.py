"""Prices of calls, as the package genai-prices lists them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from math import isfinite
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput

# Providers that run a model on the user's own machine.
FREE: Final = (
    "lab/", "gguf/", "hf/", "vllm/", "sglang/", "ollama/", "llama-cpp-python/", "mockllm/",
)  # fmt: skip
# What Inspect calls a provider, or a route through one, where the list has another name.
_ROUTES: Final = {
    "azure": "azure", "azureai": "azure", "bedrock": "aws", "vertex": "google", "grok": "x-ai",
    "moonshot": "moonshotai",
}  # fmt: skip
# Prices of a model in the list: for tokens read and written, and for calls.
_UNITS: Final = ("input_mtok", "output_mtok", "requests_kcount")
# Of English text, roughly: only to say beforehand what a run may cost.
CHARACTERS_PER_TOKEN: Final = 4


class Price(NamedTuple):
    """US dollars for a million tokens read, and written (thinking included)."""

    read: float
    written: float

    def of(self, read: float, written: float) -> float:
        """Cost in US dollars of so many tokens."""
        return (read * self.read + written * self.written) / 1e6


def model_of(grading: str) -> str:
    """Return the model of a grading, which is named after it and, in brackets, how it is set.

    Examples
    --------
    >>> model_of("openai/gpt-4o [max_tokens=8192]"), model_of("openai/gpt-4o")
    ('openai/gpt-4o', 'openai/gpt-4o')
    """
    return grading.partition(" [")[0]


def price_source() -> str:
    """Return where prices are from: the version of genai-prices, and its newest price's day."""
    from genai_prices.data_snapshot import get_snapshot

    today = datetime.now(UTC).date()
    models = (model for provider in get_snapshot().providers for model in provider.models)
    dated = (price for model in models if isinstance(model.prices, list) for price in model.prices)
    days = (getattr(price.constraint, "start_date", None) for price in dated)
    newest = max(day for day in days if day is not None and day <= today)
    return f"genai-prices {version('genai-prices')}, whose newest price is of {newest}"


def price_of(
    model: str, given: Mapping[str, Price] | None = None, *, batch: bool = False
) -> Price | None:
    """Return the price of a model today; None if it is not known, or is not by the token alone.

    Parameters
    ----------
    model
        Name as Inspect has it, for example ``openai/gpt-4o-mini``, ``openrouter/openai/gpt-4o`` or
        ``anthropic/bedrock/...``: the price is that of the route.
    given
        Prices that the user gave, by name; they come before the list's.
    batch
        The price in a batch, where the list has another.

    Examples
    --------
    >>> price_of("hf/some-model")
    Price(read=0.0, written=0.0)
    >>> price_of("openai/gpt-4o-2024-08-06") == price_of("openai/azure/gpt-4o")
    True
    >>> price_of("openai/gpt-4o-something-else") is None
    True
    """
    model = model_of(model)
    if given and model in given:
        return given[model]
    if model.startswith(FREE):
        return Price(0.0, 0.0)
    from genai_prices.data_snapshot import get_snapshot

    provider, _, name = (
        model.removeprefix("openai-api/").removeprefix("litellm-proxy/").partition("/")
    )
    if provider == "hf-inference-providers":
        name, _, host = name.partition(":")
        provider = f"huggingface_{host}"
    route, _, routed = name.partition("/")
    if route in _ROUTES and provider != "openrouter":
        provider, name = route, routed
    snapshot, provider = get_snapshot(), _ROUTES.get(provider, provider)
    if provider not in {each.id for each in snapshot.providers}:  # no guess at what a name means
        return None
    try:
        info = snapshot.find_provider_model(name, None, provider, None)[1]
    except LookupError:
        return None
    listed = info.get_prices(datetime.now(UTC), {"processing": "batch"} if batch else None)
    if info.id.endswith(":free"):
        return Price(0.0, 0.0)
    read, written, calls = (
        # a higher tier begins beyond what a prompt of ours holds
        getattr(each, "base", each)
        for each in (getattr(listed, unit, None) for unit in _UNITS)
    )
    return None if read is None or written is None or calls else Price(float(read), float(written))


def parse_price(text: str) -> tuple[str, Price]:
    """Read ``MODEL=IN,OUT``, US dollars for a million tokens read and written.

    Raises
    ------
    BadInput
        If the text is another, or a price is negative.

    Examples
    --------
    >>> parse_price("openai/gpt-4o=2.5,10")
    ('openai/gpt-4o', Price(read=2.5, written=10.0))
    """
    model, _, pair = text.rpartition("=")
    try:
        read, written = (float(part) for part in pair.split(","))
    except ValueError:
        read = written = -1.0
    if not model or not (isfinite(read) and isfinite(written)) or min(read, written) < 0:
        raise BadInput(
            f"{text!r} is not a price; write MODEL=IN,OUT in US dollars for a million tokens, "
            "for example openai/gpt-4o=2.5,10"
        )
    return model, Price(read, written)
