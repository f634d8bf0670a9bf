"""Fit of one variable above a known floor, L = E + A N^-alpha: for a ladder of few model sizes.

    unparrot theory fit ladder.csv --floor 1.234

Where the entropy of the text is known, as in a synthetic world, the excess L - E is a power of N
and its logarithm a straight line in log N. The line is fitted by least squares. With four points
the Huber objective of the full law, nearly a sum of absolute residuals, would just run through two
of them, and a bootstrap has nothing to draw from; Student's t gives intervals that hold for any
number of points from three on, if the noise of log excess is normal, independent and as large for
every run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit
from scipy.stats import linregress  # pyright: ignore[reportUnknownVariableType]

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import require_level
from unparrot.theory.law.lawspace import huber


@dataclass(frozen=True, slots=True)
class PowerFit:
    """A fitted power of N above a known floor; the constants of D, ``B`` and ``beta``, are None.

    Parameters
    ----------
    E
        The given floor, without interval.
    A, alpha
        The constants; low and high are None with fewer than three runs.
    huber
        Sum over runs of the Huber function of measured minus predicted log loss, the objective of
        the full law, at this fit.
    spread
        Standard deviation of log excess about the line, n - 2 degrees of freedom; None below three
        runs.
    n
        Number of runs.
    level, delta
        What the fit was asked for.
    method
        How it was made, in words.
    """

    E: Estimate
    A: Estimate
    alpha: Estimate
    huber: float
    spread: float | None
    n: int
    level: float
    delta: float
    method: str
    B: None = None
    beta: None = None

    def excess(self, params: ArrayLike) -> NDArray[np.float64]:
        """Return A N^-alpha for N above 0, of the shape of ``params``."""
        assert self.A.value is not None
        assert self.alpha.value is not None
        return self.A.value * np.asarray(params, dtype=np.float64) ** -self.alpha.value


def fit_power(
    params: ArrayLike,
    loss: ArrayLike,
    *,
    floor: float,
    level: float = 0.95,
    delta: float = 1e-3,
) -> PowerFit:
    """Fit L = floor + A N^-alpha by least squares of log excess on log N.

    Parameters
    ----------
    params, loss
        Shape (n,): parameters N (above 0) and loss (above the floor) of each run.
    floor
        The known least loss E, at least 0.
    level
        Confidence level in (0, 1).
    delta
        Of the Huber sum that is reported.

    Raises
    ------
    BadInput
        If a number is out of range, all runs have one size, or the excess does not fall with size.

    Examples
    --------
    >>> fit = fit_power([1e6, 1e7, 1e8], [3.0, 2.5, 2.25], floor=2.0)
    >>> round(fit.alpha.value, 4)
    0.301
    """
    require_level(level)
    if not (math.isfinite(floor) and floor >= 0):
        raise BadInput(f"the floor must be at least 0 and finite, not {floor!r}")
    if not (math.isfinite(delta) and delta > 0):
        raise BadInput(f"delta must be above 0 and finite, not {delta!r}")
    sizes, losses = run_columns(params=params, loss=loss)
    low = np.flatnonzero(losses <= floor)
    if len(low):
        raise BadInput(
            f"loss of run {low[0]} (counted from 0) must be above the floor {floor!r}, not "
            f"{float(losses[low[0]])!r}"
        )
    n = len(sizes)
    x, y = np.log(sizes), np.log(losses - floor)
    if n < 2 or float(np.ptp(x)) < 1e-6:
        raise BadInput(
            "params is the same in every run, which cannot tell A from alpha; give runs of at "
            "least 2 sizes, 3 for intervals"
        )
    line: Any = linregress(x, y)
    if not line.slope < 0:
        raise BadInput(
            f"the excess over {floor!r} does not fall with params (alpha would be "
            f"{-line.slope:.3g}), so no power law describes it; check the floor and the columns, "
            "or add larger models"
        )
    rest = y - line.intercept - line.slope * x
    spread = t = None
    method = "least squares of log excess; no interval below 3 runs"
    if n > 2:
        method = "least squares of log excess, Student t"
        spread = math.sqrt(float(rest @ rest) / (n - 2))
        t = float(stdtrit(n - 2, (1 + level) / 2))

    def estimate(centre: float, error: float, place: Callable[[float], float]) -> Estimate:
        ends = (None, None) if t is None else (place(centre - t * error), place(centre + t * error))
        return Estimate(place(centre), *ends, level, method, n)

    predicted = np.log(floor + np.exp(y - rest))
    return PowerFit(
        Estimate(float(floor), None, None, level, "given", n),
        estimate(float(line.intercept), line.intercept_stderr, math.exp),
        estimate(-float(line.slope), line.stderr, float),
        float(huber(np.log(losses) - predicted, delta)),
        spread,
        n,
        level,
        delta,
        method,
    )


def run_columns(**columns: ArrayLike) -> list[NDArray[np.float64]]:
    """Return columns of a table of runs as floats of one shape (n,), above 0 and finite.

    Raises
    ------
    BadInput
        If they are not; the message names the column and the run.
    """
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise BadInput(f"the columns must have one shape (n,), not {shapes}")
    for name, array in arrays.items():
        wrong = np.flatnonzero(~(np.isfinite(array) & (array > 0)))
        if len(wrong):
            raise BadInput(
                f"{name} of run {int(wrong[0])} (counted from 0) must be above 0 and finite, not "
                f"{float(array[wrong[0]])!r}; correct or leave out {len(wrong)} such runs"
            )
    return list(arrays.values())
