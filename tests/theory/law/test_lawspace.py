"""Derivatives of the log-sum-exp surface against finite differences and plain sums."""

import numpy as np
import pytest
from scipy.special import logsumexp

from unparrot.theory.law.lawspace import SIZE, LawSurface, law_surface
from unparrot.theory.law.loss_law import PRESETS


@pytest.fixture
def surface() -> LawSurface:
    rng = np.random.default_rng(0)
    params, tokens = np.exp(rng.uniform(15, 23, 30)), np.exp(rng.uniform(18, 27, 30))
    loss = PRESETS["hoffmann"].loss(params, tokens) * np.exp(0.1 * rng.standard_normal(30))
    return law_surface(params, tokens, loss)


@pytest.fixture
def points() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.array([0.2, 0.4, 0.5, 0.34, 0.28]) + 0.3 * rng.standard_normal((7, SIZE))


def predicted(surface: LawSurface, point: np.ndarray) -> np.ndarray:
    return surface.log_loss - surface.terms(point[None]).residual[0]


def gradients(surface: LawSurface, point: np.ndarray) -> np.ndarray:
    """Central differences of the prediction, shape (n, 5)."""
    steps = 1e-5 * np.eye(SIZE)
    return np.stack(
        [(predicted(surface, point + s) - predicted(surface, point - s)) / 2e-5 for s in steps],
        axis=1,
    )


def test_prediction_is_the_law(surface: LawSurface, points: np.ndarray):
    params = np.exp(surface.u + surface.mean_params)
    tokens = np.exp(surface.v + surface.mean_tokens)
    for point, constants in zip(points, surface.constants(points), strict=True):
        floor, a, b, alpha, beta = constants
        by_hand = np.log(floor + a * params**-alpha + b * tokens**-beta)
        np.testing.assert_allclose(predicted(surface, point), by_hand, rtol=1e-12)


def test_centring_keeps_the_law(surface: LawSurface):
    start = np.array([[6.0, 7.5, 0.6, 0.35, 0.37]])
    constants = surface.constants(surface.centred(start))[0]
    np.testing.assert_allclose(constants, [*np.exp([0.6, 6.0, 7.5]), 0.35, 0.37], rtol=1e-12)


def test_shares_sum_to_one(surface: LawSurface, points: np.ndarray):
    terms = surface.terms(points)
    np.testing.assert_allclose(terms.params + terms.tokens + terms.floor, 1, rtol=1e-13)


def test_far_points_do_not_overflow(surface: LawSurface):
    far = np.array([[800.0, -900.0, 3.0, 40.0, -30.0]])
    residual = surface.terms(far).residual[0]
    a, b = 800 - 40 * surface.u, -900 + 30 * surface.v
    expected = surface.log_loss - logsumexp([a, b, np.full_like(a, 3.0)], axis=0)
    np.testing.assert_allclose(residual, expected, rtol=1e-12)


def test_derivatives(surface: LawSurface, points: np.ndarray):
    rng = np.random.default_rng(2)
    weight = rng.standard_normal((len(points), surface.runs))
    terms = surface.terms(points)
    by_run = surface.gradient(terms)
    slope, bent = surface.sums(weight, weight, terms)
    hessian = -bent
    outer = surface.sums(np.zeros_like(weight), weight, terms)[1]
    np.testing.assert_allclose(outer, np.einsum("sn,sjn,skn->sjk", weight, by_run, by_run), 1e-9)
    steps = 1e-5 * np.eye(SIZE)
    for i, point in enumerate(points):
        g = gradients(surface, point)
        np.testing.assert_allclose(by_run[i].T, g, atol=1e-8)
        np.testing.assert_allclose(slope[i], weight[i] @ g, atol=1e-7)
        moved = [surface.gradient(surface.terms(np.stack([point + s, point - s]))) for s in steps]
        bent = [(up - down) @ weight[i] / 2e-5 for up, down in moved]
        np.testing.assert_allclose(hessian[i], bent, atol=1e-6)


def test_thinned_keeps_the_ends_of_the_loss(surface: LawSurface, points: np.ndarray):
    thin = surface.thinned(10)
    assert thin.runs == len(set(thin.log_loss)) == 10
    assert {surface.log_loss.min(), surface.log_loss.max()} <= set(thin.log_loss)
    every, few = surface.terms(points).residual, thin.terms(points).residual
    assert set(few.ravel()) <= set(every.ravel())
