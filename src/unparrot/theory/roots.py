"""Where monotone functions cross a level: arrays of them by halving, one by Brent's method."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq as _brentq  # pyright: ignore[reportUnknownVariableType]

_brent = cast(Callable[..., float], _brentq)

Ends = NDArray[Any]


def last_held(
    held: Callable[[Ends], NDArray[np.bool_]], low: Ends, high: Ends, halvings: int = 60
) -> Ends:
    """Return where a condition that holds from ``low`` on ceases to hold, element by element.

    Parameters
    ----------
    held
        Says of points of the shape of the ends whether they hold; taken to be so at ``low``, and
        not so at ``high``.
    low, high
        The ends; whole numbers are searched to the last that holds.
    halvings
        Of the interval, where the ends are floats: 60 reach the rounding of a float64.

    Examples
    --------
    >>> last_held(lambda n: n * n <= np.array([8, 9]), np.array([0, 0]), np.array([9, 9])).tolist()
    [2, 3]
    """
    whole = low.dtype.kind == "i"
    steps = int(np.max(high - low, initial=1)).bit_length() if whole else halvings
    for _ in range(steps):
        middle = (low + high) // 2 if whole else (low + high) / 2
        holds = held(middle) & (middle > low) if whole else held(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low


def crossing(
    function: Callable[[float], float],
    level: float,
    low: float,
    high: float,
    tolerance: float = 1e-12,
) -> float:
    """Return where a function crosses a level between two points; the nearer end if it does not.

    Parameters
    ----------
    function
        Continuous; its values at the ends lie on both sides of the level. Where both lie on one
        side, by rounding alone, the crossing is at an end.
    level
        The level.
    low, high
        The ends.
    tolerance
        Absolute error, beside a relative one of 1e-14.

    Examples
    --------
    >>> round(crossing(lambda x: x * x, 2, 0, 2), 12)
    1.414213562373
    """

    def above(x: float) -> float:
        return function(x) - level

    first, last = above(low), above(high)
    if first * last >= 0:
        return low if abs(first) < abs(last) else high
    return _brent(above, low, high, xtol=tolerance, rtol=1e-14)
