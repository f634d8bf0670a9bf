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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import require_level
from unparrot.theory.law.lawspace import huber


@dataclass(frozen=True, slots=True)
class PowerFit:
    """A fitted power of N above a known floor.

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

    def excess(self, params: ArrayLike) -> NDArray[np.float64]:
        """Return A N^-alpha for N above 0, of the shape of ``params``."""
        assert self.A.value is not None
        assert self.alpha.value is not None
        return self.A.value * np.asarray(params, dtype=np.float64) ** -self.alpha.value

    def as_dict(self) -> dict[str, Any]:
        """Return the fit as plain data that JSON can hold; B and beta are None."""
        return {
            "E": self.E.as_dict(),
            "A": self.A.as_dict(),
            "B": None,
            "alpha": self.alpha.as_dict(),
            "beta": None,
            "huber": self.huber,
            "spread": self.spread,
            "n": self.n,
            "level": self.level,
            "delta": self.delta,
            "method": self.method,
        }


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
    sizes = np.asarray(params, dtype=np.float64)
    losses = np.asarray(loss, dtype=np.float64)
    if sizes.ndim != 1 or sizes.shape != losses.shape:
        raise BadInput(
            f"params and loss must have one shape (n,), not {sizes.shape!r} and {losses.shape!r}"
        )
    for name, values, least in (("params", sizes, 0.0), ("loss", losses, floor)):
        wrong = np.flatnonzero(~(np.isfinite(values) & (values > least)))
        if len(wrong):
            bound = "0" if name == "params" else f"the floor {floor!r}"
            raise BadInput(
                f"{name} of run {int(wrong[0])} (counted from 0) must be above {bound} and finite, "
                f"not {float(values[wrong[0]])!r}"
            )
    n = len(sizes)
    u = np.log(sizes)
    if n < 2 or float(np.ptp(u)) < 1e-6:
        raise BadInput(
            "params is the same in every run, which cannot tell A from alpha; give runs of at "
            "least 2 sizes, 3 for intervals"
        )
    y = np.log(losses - floor)
    mean = float(u.mean())
    u = u - mean
    scatter = float(u @ u)
    alpha = -float(u @ y) / scatter
    centre = float(y.mean())
    if not alpha > 0:
        raise BadInput(
            f"the excess over {floor!r} does not fall with params (alpha would be {alpha:.3g}), so "
            "no power law describes it; check the floor and the columns, or add larger models"
        )
    rest = y - (centre - alpha * u)
    log_a = centre + alpha * mean
    margin_alpha = margin_a = spread = None
    method = "least squares of log excess; no interval below 3 runs"
    if n > 2:
        method = "least squares of log excess, Student t"
        spread = math.sqrt(float(rest @ rest) / (n - 2))
        t = float(stdtrit(n - 2, (1 + level) / 2))
        margin_alpha = t * spread / math.sqrt(scatter)
        margin_a = t * spread * math.sqrt(1 / n + mean * mean / scatter)
    predicted = np.log(floor + np.exp(y - rest))
    return PowerFit(
        Estimate(float(floor), None, None, level, "given", n),
        _about(log_a, margin_a, level, method, n, exponential=True),
        _about(alpha, margin_alpha, level, method, n, exponential=False),
        float(huber(np.log(losses) - predicted, delta)),
        spread,
        n,
        level,
        delta,
        method,
    )


def _about(
    centre: float, margin: float | None, level: float, method: str, n: int, *, exponential: bool
) -> Estimate:
    def place(x: float) -> float:
        return math.exp(x) if exponential else x

    if margin is None:
        return Estimate(place(centre), None, None, level, method, n)
    return Estimate(place(centre), place(centre - margin), place(centre + margin), level, method, n)
