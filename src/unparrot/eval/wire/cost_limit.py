"""The budget of a run: a call is made only if what it can cost, by all that was seen, is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from unparrot.core.errors import UnparrotError
from unparrot.eval.wire.prices import Price

# Tokens that a reply is taken to have at most where no limit is sent.
UNLIMITED: Final = 32_768
# Once a provider has billed more than the limits of a call allow, so many times the worst is held.
MARGIN: Final = 2.0


class OverBudget(UnparrotError):
    """The next call could cost more than is left of the budget."""


@dataclass(slots=True)
class Hold:
    """What is held back for an attempt, and what it was billed.

    ``worst`` is the most that it can cost by its limits, in US dollars. ``bill`` is what is counted
    as spent once the attempt is over, and ``known`` whether the provider has said so.
    """

    worst: float
    bill: float = 0.0
    known: bool = False


class Budget:
    """Lets an attempt go only if it cannot exceed what may be spent, by all that was seen so far.

    The first attempts of a model go alone until one has been billed, since nobody knows whether its
    provider keeps to the limit of tokens. Each holds back the most that it can cost at its limits
    or, if the provider has billed more than that before, twice the worst excess.

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
        self.lost = 0.0  # of it, counted for attempts whose reply never came
        self._excess: dict[str, float] = {}  # bill as a multiple of `worst`, the largest so far
        self._under_way: list[tuple[str, float]] = []  # models, and `worst` of their attempts
        self._queue = asyncio.Lock()
        self._change = asyncio.Event()

    @asynccontextmanager
    async def hold(
        self, name: str, price: Price | None, prompt: int, max_tokens: int | None
    ) -> AsyncGenerator[Hold]:
        """Hold back what an attempt can cost while it is made; its bill is counted at the end.

        Parameters
        ----------
        name, price
            The model.
        prompt
            Bytes of all messages: a token is at least one of them; a chat's frame adds a few.
        max_tokens
            Limit of the reply.

        Raises
        ------
        OverBudget
            If the attempt could exceed the budget although no other is under way.
        """
        hold = Hold(0.0 if price is None else price.of(prompt + 64, max_tokens or UNLIMITED))
        limited = self.most is not None and hold.worst > 0
        if limited:
            await self._admit(name, hold.worst)
        try:
            yield hold
        except asyncio.CancelledError:  # given up: the provider may have gone on with it
            self.lose(name, hold)
            raise
        finally:
            self.spent += hold.bill
            if limited:
                if hold.known:
                    excess = max(1.0, hold.bill / hold.worst)
                    self._excess[name] = max(excess, self._excess.get(name, 1.0))
                self._under_way.remove((name, hold.worst))
                self._change.set()

    def likely(self, name: str, hold: Hold) -> float:
        """Return what an attempt is counted for whose cost nobody has said, in US dollars."""
        return hold.worst * self._excess.get(name, 1.0)

    def lose(self, name: str, hold: Hold) -> None:
        """Count an attempt whose reply never came: the provider may bill it all the same."""
        hold.bill = self.likely(name, hold)
        self.lost += hold.bill

    def _need(self, name: str, worst: float) -> float:
        excess = self._excess.get(name, 1.0)
        return worst if excess == 1.0 else MARGIN * excess * worst

    async def _admit(self, name: str, worst: float) -> None:
        assert self.most is not None
        async with self._queue:  # in order, so that a dear call does not wait for ever
            while True:
                # an attempt of a model of which no bill is known goes alone
                alone = {name, *(who for who, _ in self._under_way)} - self._excess.keys()
                held = sum(self._need(*each) for each in self._under_way)
                need = self._need(name, worst)
                fits = self.spent + held + need <= self.most
                if fits and not (alone and self._under_way):
                    self._under_way.append((name, worst))
                    return
                if not self._under_way:
                    raise OverBudget(
                        f"${self.spent:.4f} of ${self.most:.2f} are spent, or held back for calls "
                        f"of unknown cost, and the next call could cost ${need:.4f}: nothing more "
                        "was sent. What was answered is kept; go on with a larger --max-cost"
                    )
                self._change.clear()
                await self._change.wait()
