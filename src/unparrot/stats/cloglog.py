"""Complementary log-log regression of counts: P(failure) = 1 - exp(-exp(x @ beta)).

The fit maximises the likelihood with Jeffreys' penalty, half the log determinant of the Fisher
information (Firth 1993). It removes the leading bias, and it is finite even where every trial of
some rows failed and every trial of the others succeeded, when the plain maximum lies at infinity
(Kosmidis and Firth 2021). Intervals are profiles of the same penalised likelihood (Heinze and
Schemper 2002), which need no symmetry and hold at counts of 0 and of all.

References
----------
Firth (1993), "Bias reduction of maximum likelihood estimates", Biometrika 80.
Heinze and Schemper (2002), "A solution to the problem of separation in logistic regression",
Statist. Med. 21.
Kosmidis and Firth (2021), "Jeffreys-prior penalty, finiteness and shrinkage in binomial-response
generalized linear models", Biometrika 108.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq as _brentq  # pyright: ignore[reportUnknownVariableType]
from scipy.special import chdtri

from unparrot.core.errors import BadInput
from unparrot.core.wording import plural

Floats = NDArray[np.float64]
# Origin (p,) and span (p, m): the coefficients origin + span @ theta, theta being free.
Restriction = tuple[Floats, Floats]

_MOST_STEPS: Final = 200
_CLOSE: Final = 1e-14  # relative gain of a step, about what doubles can tell
_DIFFERENCE: Final = 1e-5  # of coefficients
_FIRST_STEP: Final = 0.1  # of the search for a limit; doubled until it is passed
_ETA: Final = (-300.0, 6.5)  # what doubles hold the exponential of, and its exponential


@dataclass(frozen=True, slots=True)
class CloglogRegression:
    """Counts to be explained.

    Parameters
    ----------
    x
        Shape (n, p), of rank p.
    failures, trials
        Shape (n,): ``0 <= failures <= trials``; failures need not be whole.
    """

    x: Floats
    failures: Floats
    trials: Floats

    def __post_init__(self) -> None:
        if np.linalg.matrix_rank(self.x) < self.x.shape[1]:
            raise BadInput(
                f"{plural(len(self.x), 'row')} cannot fix "
                f"{plural(self.x.shape[1], 'coefficient')}; measure at more places"
            )

    def fit(self, within: Restriction | None = None) -> tuple[Floats, float]:
        """Return the coefficients, shape (p,), and the penalised log-likelihood at them.

        Parameters
        ----------
        within
            Where to look; everywhere if None.

        Raises
        ------
        BadInput
            If the fit does not converge.
        """
        p = self.x.shape[1]
        origin, span = (np.zeros(p), np.eye(p)) if within is None else within
        # the start: least squares on the empirical transform of the counts
        share = (self.failures + 0.5) / (self.trials + 1)
        root = np.sqrt(self.trials)[:, None]
        target = np.log(-np.log1p(-share)) - self.x @ origin
        theta = np.linalg.lstsq(root * (self.x @ span), root[:, 0] * target, rcond=None)[0]
        beta = origin + span @ theta
        value, score = self._at(beta)
        for _ in range(_MOST_STEPS):
            step = span @ np.linalg.solve(self._curvature(beta, score, span), span.T @ score)
            ahead = self._at(beta + step)
            while not ahead[0] >= value and float(step @ step) > _CLOSE**2:
                step = step / 2
                ahead = self._at(beta + step)
            gain, beta = ahead[0] - value, beta + step
            value, score = ahead
            if gain <= _CLOSE * abs(value):
                return beta, value
        raise BadInput(f"the regression of {self.failures!r} of {self.trials!r} does not converge")

    def information(self, beta: Floats) -> Floats:
        """Return the Fisher information of the coefficients, shape (p, p)."""
        return (self.x.T * self._weight(self._mu(beta))) @ self.x

    def _mu(self, beta: Floats) -> Floats:
        return np.exp(np.clip(self.x @ beta, *_ETA))

    def _weight(self, mu: Floats) -> Floats:
        return self.trials * mu * mu / np.expm1(mu)

    def _at(self, beta: Floats) -> tuple[float, Floats]:
        """Penalised log-likelihood, and its gradient."""
        mu = self._mu(beta)
        successes = self.trials - self.failures
        weight = self._weight(mu)
        information = (self.x.T * weight) @ self.x
        sign, log_det = np.linalg.slogdet(information)
        if sign <= 0:
            return -np.inf, np.zeros(len(beta))
        value = float(self.failures @ np.log(-np.expm1(-mu)) - successes @ mu + 0.5 * log_det)
        leverage = weight * np.einsum("ij,ji->i", self.x, np.linalg.solve(information, self.x.T))
        by_eta = mu * (self.failures / np.expm1(mu) - successes)
        by_eta += leverage * (1 + 0.5 * mu / np.expm1(-mu))
        return value, self.x.T @ by_eta

    def _curvature(self, beta: Floats, score: Floats, span: Floats) -> Floats:
        """Minus the second derivatives along the span, by differences of the gradient.

        Where they are not positive definite, far from the maximum, the information in their place.
        """
        ahead = [self._at(beta + _DIFFERENCE * line)[1] for line in span.T]
        curvature = span.T @ (score[:, None] - np.column_stack(ahead)) / _DIFFERENCE
        curvature = (curvature + curvature.T) / 2
        if np.linalg.eigvalsh(curvature)[0] > 0:
            return curvature
        return span.T @ self.information(beta) @ span + 1e-9 * np.eye(span.shape[1])

    def profile(
        self,
        restrict: Callable[[float], Restriction],
        value: float,
        ends: tuple[float, float],
        level: float = 0.95,
    ) -> tuple[float | None, float | None]:
        """Return the limits of a figure by its profile likelihood, where they lie between two ends.

        Parameters
        ----------
        restrict
            The coefficients that give the figure a value.
        value
            The figure at the fit.
        ends
            Where to look for the lower and the upper limit.
        level
            Confidence level in (0, 1).

        Returns
        -------
        low, high
            None where the limit lies beyond the ends: neither end is excluded, or both are.
        """
        allowed = float(chdtri(1, 1 - level)) / 2
        best = self.fit()[1]

        def excluded(at: float) -> float:
            return best - self.fit(restrict(at))[1] - allowed

        def limit(end: float) -> float | None:
            inside, step = start, math.copysign(_FIRST_STEP, end - start)
            while inside != end:
                outside = min(inside + step, end) if step > 0 else max(inside + step, end)
                if excluded(outside) > 0:
                    return float(_brentq(excluded, inside, outside, xtol=1e-10))  # type: ignore
                inside, step = outside, 2 * step
            return None

        low, high = ends
        start = min(max(value, low), high)
        return (None, None) if excluded(start) > 0 else (limit(low), limit(high))
