"""The batched descent against scipy's minimisers, which share no code with it."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import huber as scipy_huber
from scipy.special import logsumexp

from unparrot.theory.law.fit import grid_starts
from unparrot.theory.law.lawspace import DELTA, huber, law_surface, minimise
from unparrot.theory.law.loss_law import PRESETS, LossLaw

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def runs(
    n: int, noise: float, seed: int, law: LossLaw = PRESETS["besiroglu"], tails: bool = False
) -> Columns:
    """Runs over the range of Hoffmann et al. with log-normal (or log-t) noise."""
    rng = np.random.default_rng(seed)
    params = np.exp(rng.uniform(np.log(4e7), np.log(1.6e10), n))
    tokens = np.exp(rng.uniform(np.log(1e18), np.log(1e22), n)) / 6 / params
    error = rng.standard_t(2, n) if tails else rng.standard_normal(n)
    return params, tokens, law.loss(params, tokens) * np.exp(noise * error)


def reference(columns: Columns, starts: np.ndarray, delta: float = DELTA) -> float:
    """The least objective that scipy reaches from starts with a = log A and b = log B."""
    log_n, log_d, log_loss = (np.log(column) for column in columns)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        a, b, e, alpha, beta = x
        terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
        predicted = logsumexp(terms, axis=0)
        residual = log_loss - predicted
        pull = -np.clip(residual, -delta, delta) * np.exp(terms - predicted)
        slope = [*pull.sum(axis=1), -pull[0] @ log_n, -pull[1] @ log_d]
        return float(scipy_huber(delta, residual).sum()), np.array(slope)

    exact = {"ftol": 1e-15, "gtol": 1e-12, "maxiter": 5000, "maxfun": 20000}
    return min(
        minimize(objective, start, jac=True, method="L-BFGS-B", options=exact).fun
        for start in starts
    )


def test_huber_is_scipys():
    residual = np.random.default_rng(0).standard_cauchy((3, 50)) * 1e-3
    weights = np.random.default_rng(1).integers(0, 3, (3, 50)).astype(float)
    expected = scipy_huber(2e-3, residual)
    np.testing.assert_allclose(huber(residual, 2e-3), expected.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(
        huber(residual, 2e-3, weights), (weights * expected).sum(axis=1), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("n", "noise", "tails", "delta"),
    [
        (60, 0.01, False, 1e-3),
        (60, 0.003, True, 1e-3),
        (120, 0.03, True, 1e-3),
        (60, 0.01, True, 1),
    ],
)
def test_never_above_scipy_from_the_same_starts(n: int, noise: float, tails: bool, delta: float):
    columns = runs(n, noise, seed=n, tails=tails)
    starts = grid_starts()[7::300]
    surface = law_surface(*columns)
    ended = minimise(surface, surface.centred(starts), delta)
    theirs = reference(columns, starts, delta)
    assert ended.values.min() <= theirs + 1e-9 * theirs
    assert ended.values.min() == pytest.approx(theirs, rel=1e-6)


@pytest.mark.slow
def test_never_above_scipy_from_the_grid():
    columns = runs(100, 0.01, seed=3)
    surface = law_surface(*columns)
    ended = minimise(surface, surface.centred(grid_starts()), DELTA)
    theirs = reference(columns, grid_starts()[::24])
    assert ended.values.min() <= theirs + 1e-12
    assert ended.values.min() == pytest.approx(theirs, rel=1e-9)


def test_gradient_vanishes_at_the_optimum():
    surface = law_surface(*runs(80, 0.01, seed=5))
    ended = minimise(surface, surface.centred(grid_starts()[::100]), DELTA)
    best = ended.points[ended.values.argmin()]
    assert ended.converged[ended.values.argmin()]
    terms = surface.terms(best[None])
    pull = np.clip(terms.residual, -DELTA, DELTA)
    slope, parts = (surface.sums(p, pull, terms)[0] for p in (pull, np.abs(pull)))
    assert (np.abs(slope) < 1e-6 * np.abs(parts)).all()


def test_values_never_rise_and_belong_to_the_points():
    surface = law_surface(*runs(50, 0.02, seed=6))
    starts = surface.centred(grid_starts()[::60])
    last = huber(surface.terms(starts).residual, DELTA)
    for steps in (1, 5, 25, 125):
        ended = minimise(surface, starts, DELTA, steps=steps)
        assert (ended.values <= last).all()
        np.testing.assert_array_equal(
            ended.values, huber(surface.terms(ended.points).residual, DELTA)
        )
        last = ended.values


def test_a_weight_is_a_repeated_run():
    columns = runs(40, 0.01, seed=7)
    weights = np.random.default_rng(8).multinomial(40, np.full(40, 1 / 40)).astype(float)
    drawn = np.repeat(np.arange(40), weights.astype(int))
    surface = law_surface(*columns)
    starts = grid_starts()[::400]
    ended = minimise(surface, surface.centred(starts), DELTA, np.tile(weights, (len(starts), 1)))
    gathered = tuple(column[drawn] for column in columns)
    assert ended.values.min() == pytest.approx(reference(gathered, starts), rel=1e-6)
    again = law_surface(*gathered)
    other = minimise(again, again.centred(starts), DELTA)
    np.testing.assert_allclose(
        surface.constants(ended.points[[ended.values.argmin()]]),
        again.constants(other.points[[other.values.argmin()]]),
        rtol=1e-5,
    )


def test_starts_do_not_touch_each_other():
    surface = law_surface(*runs(700, 0.01, seed=9))  # a chunk holds 23 starts
    starts = surface.centred(grid_starts()[::90])
    together = minimise(surface, starts, DELTA, steps=2)
    alone = [minimise(surface, start[None], DELTA, steps=2).values[0] for start in starts]
    np.testing.assert_allclose(together.values, alone, rtol=1e-5)
