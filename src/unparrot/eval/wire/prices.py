"""Prices of calls: a small dated table of prices, and a budget that is never exceeded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any, Final, NamedTuple, cast

import yaml

from unparrot.core.errors import BadInput, UnparrotError

# Providers that run a model on the user's own machine.
FREE: Final = ("lab/", "hf/", "vllm/", "sglang/", "ollama/", "llama-cpp-python/", "mockllm/")
# Of English text, roughly: only to say beforehand what a run may cost.
CHARACTERS_PER_TOKEN: Final = 4


class Price(NamedTuple):
    """US dollars for a million tokens read, and written (thinking included)."""

    read: float
    written: float

    def of(self, read: float, written: float) -> float:
        """Cost in US dollars of so many tokens."""
        return (read * self.read + written * self.written) / 1e6


class OverBudget(UnparrotError):
    """The next call could cost more than is left of the budget."""


@cache
def _table() -> tuple[str, dict[str, Price]]:
    text = files("unparrot.eval.wire").joinpath("prices.yaml").read_text("utf-8")
    content = cast(dict[str, Any], yaml.safe_load(text))
    return content["as_of"], {name: Price(*pair) for name, pair in content["prices"].items()}


def table_date() -> str:
    """Return the month of the price table, for example ``2025-11``."""
    return _table()[0]


def price_of(model: str, given: Mapping[str, Price] | None = None) -> Price | None:
    """Return the price of a model; None if it is not known.

    Parameters
    ----------
    model
        Name as Inspect has it, for example ``openai/gpt-4o-mini``.
    given
        Prices that the user gave, by name; they come before the table.

    Examples
    --------
    >>> price_of("hf/some-model")
    Price(read=0.0, written=0.0)
    >>> price_of("openai/gpt-4o-2024-08-06") == price_of("openai/gpt-4o")
    True
    >>> price_of("openai/gpt-4o-something-else") is None
    True
    """
    if given and model in given:
        return given[model]
    if model.startswith(FREE):
        return Price(0.0, 0.0)
    prices = _table()[1]
    return prices.get(model) or prices.get(
        re.sub(r"[-@](\d{8}|\d{4}-\d{2}-\d{2}|latest)$", "", model)
    )


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


class Budget:
    """Lets a call through only if, at its dearest, it cannot exceed what may be spent.

    Parameters
    ----------
    most
        US dollars, or None for no limit.
    spent
        What earlier calls of the run have cost.
    """

    def __init__(self, most: float | None, spent: float) -> None:
        self.most = most
        self.spent = spent
        self._held = 0.0
        self._change = asyncio.Condition()

    @asynccontextmanager
    async def hold(
        self, price: Price | None, prompt: str, max_tokens: int
    ) -> AsyncGenerator[float]:
        """Hold back the most that a call can cost while it is made.

        A token is at least a byte of the prompt; a chat's frame adds a few.

        Yields
        ------
        float
            That most, in US dollars; 0 where nothing is held back.

        Raises
        ------
        OverBudget
            If the call could exceed the budget although no other call is under way.
        """
        if self.most is None or price is None:
            yield 0.0
            return
        dearest = price.of(len(prompt.encode()) + 64, max_tokens)
        async with self._change:
            while self.spent + self._held + dearest > self.most:
                if not self._held:
                    raise OverBudget(
                        f"${self.spent:.4f} of ${self.most:.2f} are spent and the next call could "
                        f"cost ${dearest:.4f}: nothing more was sent. What was answered is kept; "
                        "go on with a larger --max-cost"
                    )
                await self._change.wait()
            self._held += dearest
        try:
            yield dearest
        finally:
            async with self._change:
                self._held = max(0.0, self._held - dearest)
                if self._held < 1e-12:
                    self._held = 0.0
                self._change.notify_all()

    def settle(self, cost: float | None) -> None:
        """Count what a call has cost."""
        self.spent += cost or 0.0
