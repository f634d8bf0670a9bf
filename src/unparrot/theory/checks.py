"""Checks of shares and whole numbers that come from outside."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput

# Three of them, multiplied, are still a float
LEAST_SHARE = 1e-100


def require_share(name: str, value: float) -> float:
    """Return the value as a float.

    Raises
    ------
    BadInput
        If it is not above 0 and under 1.
    """
    return float(require_shares(name, value))


def require_shares(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return the values as float64 of their own shape, each checked to be a share.

    Raises
    ------
    BadInput
        If one is not above 0 and under 1, or so small that what is divided by it overflows.
    """
    shares = np.asarray(values, dtype=np.float64)
    bad = shares[~((shares >= LEAST_SHARE) & (shares < 1))]
    if bad.size:
        worst = float(bad.flat[0])
        tiny = f"; give at least {LEAST_SHARE:g}" if 0 < worst < 1 else ""
        raise BadInput(f"{name} must be above 0 and under 1, not {worst!r}{tiny}")
    return shares


def require_count(name: str, value: float, least: int, most: int | None = None) -> int:
    """Return the value as an int; 4e5 passes for 400,000.

    Raises
    ------
    BadInput
        If it is no whole number, under ``least`` or above ``most``.
    """
    if (
        isinstance(value, bool)
        or not (math.isfinite(value) and value == int(value) and value >= least)
        or (most is not None and value > most)
    ):
        span = f"of at least {least}" if most is None else f"from {least:,} to {most:,}"
        raise BadInput(f"{name} must be a whole number {span}, not {value!r}")
    return int(value)


def finite_list(name: str, values: Iterable[Any], low: float, high: float) -> tuple[float, ...]:
    """Return many values as finite floats in [low, high].

    Raises
    ------
    BadInput
        If one is no number, not finite, or outside; the message gives it with its place.
    """
    listed = list(values)
    try:
        numbers = np.array(listed, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput(f"{name} must all be numbers") from None
    if numbers.ndim != 1:
        raise BadInput(f"{name} must be a plain list, not of shape {numbers.shape}")
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= low) & (numbers <= high)))
    if len(wrong):
        span = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        place = int(wrong[0])
        raise BadInput(f"{name} must be finite and {span}; number {place} is {listed[place]!r}")
    return tuple(numbers.tolist())


def require_distribution(name: str, values: Iterable[float]) -> NDArray[np.float64]:
    """Return probabilities, float64 [n], scaled to sum to 1 to the last digit.

    Raises
    ------
    BadInput
        If one is outside [0, 1], or they sum to 1 with an error above 1e-6.
    """
    law = np.array(finite_list(name, values, 0.0, 1.0))
    total = math.fsum(law.tolist())
    if abs(total - 1.0) > 1e-6:
        raise BadInput(f"{name} must sum to 1, not {total!r}; divide each by their sum")
    return law / total
