"""Fits above a known floor, for few models: L = E + A N^-alpha, and with B D^-beta, or times
D^-beta, for tokens.

    unparrot theory fit ladder.csv --floor 1.234

Where the entropy of the text is known, as in a synthetic world, the excess L - E is a power of N
and its logarithm a straight line in log N. The line is fitted by least squares. With four points
the Huber objective of the full law, nearly a sum of absolute residuals, would just run through two
of them, and a bootstrap has nothing to draw from; Student's t gives intervals that hold for any
number of points from three on, if the noise of log excess is normal, independent and as large for
every run. With tokens D the logarithm of the excess is no longer straight; `fit_joint` fits it by
nonlinear least squares, and its intervals are those of the profile. Where more parameters divide
the excess by as much whatever the tokens, the two terms are one product, a plane in logarithms:
`fit_product`.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize
from scipy.special import stdtrit
from scipy.stats import linregress  # pyright: ignore[reportUnknownVariableType]

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.wording import plural
from unparrot.stats.intervals import require_level
from unparrot.theory.law.identify import EXPONENTS
from unparrot.theory.law.lawspace import DELTA, huber

CONSTANTS = 4
"""Of the law with a term of N and one of D."""
_solve: Any = optimize.least_squares  # pyright: ignore[reportUnknownVariableType]
_root: Any = optimize.brentq  # pyright: ignore[reportUnknownVariableType]
_LARGEST = 600.0
"""ln A, up to which A is a number."""
_STARTS = (0.2, 0.6, 1.2, 2.0)  # of alpha and beta


@dataclass(frozen=True, slots=True)
class PowerFit:
    """A fitted law above a known floor; without tokens ``B`` and ``beta`` are None, and ``B`` is
    where one term has both exponents.

    Parameters
    ----------
    E
        The given floor, without interval.
    A, alpha, B, beta
        The constants; low and high are None with no more runs than constants.
    huber
        Sum over runs of the Huber function of measured minus predicted log loss, the objective of
        the full law, at this fit.
    spread
        Standard deviation of log excess about the law, as many degrees of freedom as there are more
        runs than constants; None without any.
    n
        Number of runs.
    level
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
    method: str
    B: Estimate | None = None
    beta: Estimate | None = None

    def excess(self, params: ArrayLike) -> NDArray[np.float64]:
        """Return the term A N^-alpha of a sum for N above 0, of the shape of ``params``."""
        assert self.beta is None or self.B is not None, "a product has no term of N alone"
        assert self.A.value is not None
        assert self.alpha.value is not None
        return self.A.value * np.asarray(params, dtype=np.float64) ** -self.alpha.value


def fit_power(params: ArrayLike, loss: ArrayLike, *, floor: float, level: float = 0.95) -> PowerFit:
    """Fit L = floor + A N^-alpha by least squares of log excess on log N.

    Parameters
    ----------
    params, loss
        Shape (n,): parameters N (above 0) and loss (above the floor) of each run.
    floor
        The known least loss E, at least 0.
    level
        Confidence level in (0, 1).

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
    sizes, losses = run_columns(params=params, loss=loss)
    n = len(sizes)
    x, y = np.log(sizes), _log_excess(losses, floor)
    if n < 2 or float(np.ptp(x)) < 1e-6:
        raise BadInput(
            "params is the same in every run, which cannot tell A from alpha; give runs of at "
            "least 2 sizes, 3 for intervals"
        )
    line: Any = linregress(x, y)
    _require_fall("params", "alpha", -float(line.slope), floor)
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
        float(huber(np.log(losses) - predicted, DELTA)),
        spread,
        n,
        level,
        method,
    )


def fit_joint(
    params: ArrayLike, tokens: ArrayLike, loss: ArrayLike, *, floor: float, level: float = 0.95
) -> PowerFit:
    """Fit L = floor + A N^-alpha + B D^-beta by least squares of log excess.

    Parameters
    ----------
    params, tokens, loss
        Shape (n,): parameters N, training tokens D (above 0) and loss (above the floor).
    floor
        The known least loss E, at least 0.
    level
        Confidence level in (0, 1).

    Raises
    ------
    BadInput
        If a number is out of range, or the runs do not fix the four constants: fewer than two
        values of N or of D, no more pairs of them than constants, or an exponent that cannot be
        told from 0 or has no end.

    Notes
    -----
    The intervals of the exponents hold those values whose best law has a sum of squares not above
    the optimum's by more than the factor 1 + t^2/(n - 4), t being Student's (the profile of the
    likelihood; Bates and Watts 1988, Nonlinear Regression Analysis, section 6.1). A and B, losses
    far outside the runs, have none.

    Examples
    --------
    >>> n, d = np.meshgrid([1e6, 4e6, 16e6], [1e8, 4e8, 16e8])
    >>> loss = 2 + 30 * n.ravel() ** -0.3 + 400 * d.ravel() ** -0.4
    >>> fit = fit_joint(n.ravel(), d.ravel(), loss, floor=2.0)
    >>> round(fit.alpha.value, 4), round(fit.beta.value, 4)
    (0.3, 0.4)
    """
    require_level(level)
    sizes, read, losses = run_columns(params=params, tokens=tokens, loss=loss)
    y, n = _log_excess(losses, floor), len(sizes)
    u, v = np.log(sizes), np.log(read)
    pairs = len(np.unique(np.round([u, v], 6), axis=1).T)
    if pairs <= CONSTANTS or min(np.ptp(u), np.ptp(v)) < 1e-6:
        raise BadInput(
            f"{plural(pairs, 'different pair')} of params and tokens cannot fix the four "
            f"constants; give at least {CONSTANTS + 1}, of at least two sizes and two numbers of "
            "tokens"
        )
    middle = np.array([u.mean(), v.mean()])
    u, v = u - middle[0], v - middle[1]

    def rest(point: NDArray[np.float64]) -> NDArray[np.float64]:
        a, alpha, b, beta = point
        return np.logaddexp(a - alpha * u, b - beta * v) - y

    start = float(y.mean()) - math.log(2)
    grid = itertools.product(_STARTS, _STARTS)
    fits = [_solve(rest, [start, alpha, start, beta], method="lm") for alpha, beta in grid]
    best = min(fits, key=_cost)
    at: NDArray[np.float64] = best.x
    freedom = n - CONSTANTS
    limit = _cost(best) * (1 + float(stdtrit(freedom, (1 + level) / 2)) ** 2 / freedom)
    method = "least squares of log excess, profile intervals"

    def exponent(name: str, i: int) -> Estimate:
        def above(value: float) -> float:
            """How far the best law with this exponent lies above the limit."""

            def others(point: NDArray[np.float64]) -> NDArray[np.float64]:
                return rest(np.insert(point, i, value))

            return _cost(_solve(others, np.delete(at, i), method="lm")) - limit

        value, (least, most) = float(at[i]), EXPONENTS
        if not (least < value < most and above(least) > 0 and above(most) > 0):
            raise BadInput(
                f"these runs do not fix {name}: at a level of {level:g} it may be under {least:g} "
                f"or above {most:g}; add runs that vary params and tokens over a wider range"
            )
        low, high = (float(_root(above, value, end, xtol=1e-6)) for end in EXPONENTS)
        return Estimate(value, low, high, level, method, n)

    def size(i: int) -> Estimate:
        """The constant of a term, moved from the middle of the runs to N or D of 1."""
        value = math.exp(float(at[i] + at[i + 1] * middle[i // 2]))
        return Estimate(value, None, None, level, method, n)

    alphas, betas = exponent("alpha", 1), exponent("beta", 3)
    return PowerFit(
        Estimate(float(floor), None, None, level, "given", n),
        size(0),
        alphas,
        float(huber(np.log(losses) - np.log(floor + np.exp(y + rest(at))), DELTA)),
        math.sqrt(2 * _cost(best) / freedom),
        n,
        level,
        method,
        size(2),
        betas,
    )


def fit_product(
    params: ArrayLike, tokens: ArrayLike, loss: ArrayLike, *, floor: float, level: float = 0.95
) -> PowerFit:
    """Fit L = floor + A N^-alpha D^-beta by linear least squares of log excess.

    Parameters
    ----------
    params, tokens, loss, floor, level
        As in `fit_joint`.

    Raises
    ------
    BadInput
        If a number is out of range, the runs do not fix the three constants and the spread (fewer
        than four, or N and D that are one or go together), or the excess does not fall with N or D.

    Notes
    -----
    A, the excess at N = D = 1, lies far outside the runs and has no interval.

    Examples
    --------
    >>> n, d = np.meshgrid([1e6, 4e6], [1e8, 4e8])
    >>> loss = 2 + 3e5 * n.ravel() ** -0.3 * d.ravel() ** -0.4
    >>> fit = fit_product(n.ravel(), d.ravel(), loss, floor=2.0)
    >>> round(fit.alpha.value, 4), round(fit.beta.value, 4)
    (0.3, 0.4)
    """
    require_level(level)
    sizes, read, losses = run_columns(params=params, tokens=tokens, loss=loss)
    y, n = _log_excess(losses, floor), len(sizes)
    x = np.column_stack([np.ones(n), -np.log(sizes), -np.log(read)])
    freedom = n - x.shape[1]
    if freedom < 1 or np.linalg.matrix_rank(x, tol=1e-6) < x.shape[1]:
        raise BadInput(
            f"{plural(n, 'run')} cannot fix the three constants; give at least 4, of sizes and "
            "numbers of tokens that do not go together"
        )
    at = np.linalg.lstsq(x, y, rcond=None)[0]
    _require_fall("params", "alpha", float(at[1]), floor)
    _require_fall("tokens", "beta", float(at[2]), floor)
    if at[0] > _LARGEST:
        raise BadInput(
            f"A would be e^{at[0]:.0f}: these runs do not fix the exponents; add runs that vary "
            "params and tokens over a wider range"
        )
    rest = x @ at - y
    spread = math.sqrt(float(rest @ rest) / freedom)
    errors = spread * np.sqrt(np.diag(np.linalg.inv(x.T @ x)))
    halves = float(stdtrit(freedom, (1 + level) / 2)) * errors
    method = "least squares of log excess, Student t"

    def exponent_of(i: int) -> Estimate:
        centre, half = float(at[i]), float(halves[i])
        return Estimate(centre, centre - half, centre + half, level, method, n)

    return PowerFit(
        Estimate(float(floor), None, None, level, "given", n),
        Estimate(math.exp(at[0]), None, None, level, method, n),
        exponent_of(1),
        float(huber(np.log(losses) - np.log(floor + np.exp(y + rest)), DELTA)),
        spread,
        n,
        level,
        method,
        beta=exponent_of(2),
    )


def _require_fall(name: str, symbol: str, exponent: float, floor: float) -> None:
    if not exponent > 0:
        raise BadInput(
            f"the excess over {floor!r} does not fall with {name} ({symbol} would be "
            f"{exponent:.3g}), so no power law describes it; check the floor and the columns, or "
            "add larger models"
        )


def _cost(fit: Any) -> float:
    """Half the sum of squares of what `scipy.optimize.least_squares` returns."""
    return float(fit.cost)


def _log_excess(losses: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """ln(loss - floor), where every loss is above a floor that is 0 or more."""
    if not (math.isfinite(floor) and floor >= 0):
        raise BadInput(f"the floor must be at least 0 and finite, not {floor!r}")
    low = np.flatnonzero(losses <= floor)
    if len(low):
        raise BadInput(
            f"loss of run {low[0] + 1} of {len(losses)} must be above the floor {floor!r}, not "
            f"{float(losses[low[0]])!r}"
        )
    return np.log(losses - floor)


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
                f"{name} of run {wrong[0] + 1} of {len(array)} must be above 0 and finite, not "
                f"{float(array[wrong[0]])!r}; correct or leave out such runs ({len(wrong)} in all)"
            )
    return list(arrays.values())
