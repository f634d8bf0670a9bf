"""An estimate: a number with its interval."""

import math

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
