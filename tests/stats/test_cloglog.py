"""Complementary log-log regression: against an independent maximiser, at separation, profiles."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from unparrot.core.errors import BadInput
from unparrot.stats.cloglog import CloglogRegression

X = np.column_stack([np.ones(5), np.log([1.0, 2, 3, 4, 5])])
FAILURES = np.array([4.0, 11, 20, 25, 31])
TRIALS = np.array([40.0, 40, 40, 35, 35])


def penalised(beta: np.ndarray, x=X, failures=FAILURES, trials=TRIALS) -> float:
    """Jeffreys' penalty by the textbook: failure rates, their derivatives, the information."""
    p = 1 - np.exp(-np.exp(x @ beta))
    by_eta = np.exp(x @ beta) * (1 - p)
    information = sum(
        n * d * d / (q * (1 - q)) * np.outer(row, row)
        for n, d, q, row in zip(trials, by_eta, p, x, strict=True)
    )
    likelihood = float(failures @ np.log(p) + (trials - failures) @ np.log(1 - p))
    return likelihood + 0.5 * math.log(np.linalg.det(information))


def test_agrees_with_an_independent_maximiser() -> None:
    beta, value = CloglogRegression(X, FAILURES, TRIALS).fit()
    found = minimize(lambda b: -penalised(b), [0, 1], method="Nelder-Mead", tol=1e-12)
    assert beta == pytest.approx(found.x, abs=1e-5)
    assert value == pytest.approx(penalised(beta), abs=1e-9)


def test_large_counts_of_the_law_give_its_coefficients() -> None:
    truth = np.array([-2.0, 1.5])
    trials = np.full(5, 1e8)
    failures = trials * (1 - np.exp(-np.exp(X @ truth)))
    beta, _ = CloglogRegression(X, failures, trials).fit()
    assert beta == pytest.approx(truth, abs=1e-6)


def test_finite_where_all_succeed_up_to_a_place_and_all_fail_beyond() -> None:
    trials = np.full(5, 30.0)
    for failures in ([0.0, 0, 30, 30, 30], [30.0] * 5, [0.0] * 5):
        beta, value = CloglogRegression(X, np.array(failures), trials).fit()
        assert np.isfinite(beta).all()
        assert math.isfinite(value)


def test_a_profile_limit_is_where_the_likelihood_has_fallen_by_half_of_chi_squared() -> None:
    regression = CloglogRegression(X, FAILURES, TRIALS)
    beta, best = regression.fit()

    def slope_at(c: float) -> tuple[np.ndarray, np.ndarray]:
        return np.array([0.0, c]), np.array([[1.0], [0.0]])

    low, high = regression.profile(slope_at, float(beta[1]), (0.01, 10.0), level=0.9)
    assert low is not None
    assert high is not None
    assert low < beta[1] < high
    for end in (low, high):
        free = minimize(
            lambda a, end=end: -penalised(np.array([a[0], end])), [-2], method="Nelder-Mead"
        )
        assert best + free.fun == pytest.approx(chi2.ppf(0.9, 1) / 2, abs=1e-5)
    assert regression.profile(slope_at, float(beta[1]), (low + 0.01, high - 0.01), 0.9) == (
        None,
        None,
    )


def test_rows_that_do_not_determine_the_coefficients_are_refused() -> None:
    with pytest.raises(BadInput, match="2 coefficients"):
        CloglogRegression(X[:1], FAILURES[:1], TRIALS[:1])
