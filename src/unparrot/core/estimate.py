"""A number with its interval, and a curve of them against k."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from unparrot.core.errors import BadInput


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value with an interval around it.

    Parameters
    ----------
    value
        The estimate; None if and only if ``n`` is 0. Absent is never written as 0 or -1.
    low, high
        Ends of the interval, ``low <= value <= high``; both None where no interval can be given.
    level
        Confidence level in (0, 1), for example 0.95.
    method
        How the interval was made, for example ``'wilson'``.
    n
        Number of observations.

    Raises
    ------
    BadInput
        If any of that does not hold, or a number is not finite.

    Examples
    --------
    >>> estimate = Estimate(0.5, 0.4, 0.6, 0.95, "wilson", 100)
    >>> msgspec.to_builtins(estimate)["high"]
    0.6
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise BadInput(f"the number of observations must be at least 0, not {self.n!r}")
        if not 0 < self.level < 1:
            raise BadInput(f"the level must be above 0 and under 1, not {self.level!r}")
        if not self.method:
            raise BadInput("an estimate must name its method")
        numbers = (self.value, self.low, self.high)
        if any(x is not None and not math.isfinite(x) for x in numbers):
            raise BadInput(f"value, low and high must be finite or None, not {numbers!r}")
        if (self.value is None) != (self.n == 0):
            raise BadInput(
                f"the value is None exactly if there is no observation; not {self.value!r} "
                f"with n = {self.n!r}"
            )
        if self.low is None or self.high is None:
            if self.low is not self.high:
                raise BadInput(f"give both ends of the interval or neither; not {numbers!r}")
        elif self.value is None or not self.low <= self.value <= self.high:
            raise BadInput(f"low <= value <= high must hold; not {numbers!r}")

    def as_dict(self) -> dict[str, float | str | None]:
        """Return the estimate as plain data that JSON can hold."""
        return msgspec.to_builtins(self)


@dataclass(frozen=True, slots=True)
class CompetenceCurve:
    """One metric of one model against the number of skills k.

    Parameters
    ----------
    model, split, decoding, metric
        What the curve is of, for example ``'64k'``, ``'seen'``, ``'greedy'``, ``'full_marks'``.
    points
        (k, estimate), k at least 1 and rising.

    Raises
    ------
    BadInput
        If k does not rise or is under 1.
    """

    model: str
    split: str
    decoding: str
    metric: str
    points: tuple[tuple[int, Estimate], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(self.points))
        ks = self.ks
        if any(k < 1 for k in ks) or any(a >= b for a, b in pairwise(ks)):
            raise BadInput(f"the k of a curve must start at 1 or above and rise; not {ks!r}")

    @property
    def ks(self) -> tuple[int, ...]:
        """The k of the points, rising."""
        return tuple(k for k, _ in self.points)

    def largest_k(self, threshold: float) -> int:
        """Return the largest k up to which every k from 1 on reaches the threshold.

        0 if k = 1 is absent or below it. A k without a value ends the count.

        Examples
        --------
        >>> points = [(k, Estimate(v, None, None, 0.95, "given", 10))
        ...           for k, v in enumerate((0.9, 0.4, 0.1, 0.3), start=1)]
        >>> CompetenceCurve("m", "seen", "greedy", "full_marks", tuple(points)).largest_k(0.2)
        2
        """
        reached = 0
        for k, estimate in self.points:
            if k != reached + 1 or estimate.value is None or estimate.value < threshold:
                break
            reached = k
        return reached
