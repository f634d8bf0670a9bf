"""Runs that cannot fix the law are refused, each with what is missing."""

from dataclasses import asdict

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.theory.law.fit import fit_law
from unparrot.theory.law.identify import codes, lost_constant, pair_codes, require_resamples
from unparrot.theory.law.lawspace import law_surface
from unparrot.theory.law.loss_law import PRESETS

LAW = PRESETS["besiroglu"]


def spread(n: int, low: float, high: float, seed: int) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).uniform(np.log(low), np.log(high), n))


def noise(n: int, size: float) -> np.ndarray:
    return np.exp(size * np.random.default_rng(99).standard_normal(n))


N, D = spread(40, 1e8, 1e10, 1), spread(40, 1e9, 1e12, 2)
BY_PARAMS, BY_TOKENS = LAW.A * N**-LAW.alpha, LAW.B * D**-LAW.beta
GRID_N, GRID_D = (x.ravel() for x in np.meshgrid(np.geomspace(1e8, 1e10, 5), [1e9, 1e10, 1e11]))


def refusal(params: np.ndarray, tokens: np.ndarray, loss: np.ndarray, **options: object) -> str:
    with pytest.raises(BadInput) as refused:
        fit_law(params, tokens, loss, seed=0, **{"resamples": 100, **options})
    return str(refused.value)


def test_too_few_points():
    n, d = np.repeat(N[:5], 3), np.repeat(D[:5], 3)
    assert "5 different pairs of params and tokens" in refusal(n, d, LAW.loss(n, d))


@pytest.mark.parametrize(("values", "words"), [(1, "is the same in every run"), (2, "has only 2")])
def test_constant_or_two_valued(values: int, words: str):
    few = np.array([1e9, 3e9])[np.arange(40) % values]
    assert f"params {words}" in refusal(few, D, LAW.loss(few, D))
    assert f"tokens {words}" in refusal(N, few, LAW.loss(N, few))


def test_collinear():
    for tokens in (20 * N, 3 * N**0.7):
        message = refusal(N, tokens, LAW.loss(N, tokens))
        assert "tokens follow params exactly" in message
        assert "vary tokens at the same params" in message


def test_nearly_collinear_with_noise():
    tokens = 20 * N * np.exp(0.01 * np.random.default_rng(3).standard_normal(40))
    refusal(N, tokens, LAW.loss(N, tokens) * noise(40, 0.01))


@pytest.mark.parametrize("size", [0.0, 1e-3])
def test_no_floor(size: float):
    message = refusal(N, D, (BY_PARAMS + BY_TOKENS) * noise(40, size))
    assert "do not fix the floor E" in message
    assert "larger scale" in message


def test_a_variable_without_effect():
    assert "params" in refusal(N, D, LAW.E + BY_TOKENS)
    assert "tokens" in refusal(N, D, (LAW.E + BY_PARAMS) * noise(40, 1e-3))


def test_loss_that_is_only_noise():
    refusal(N, D, 2 * noise(40, 0.1))


def test_loss_that_rises():
    refusal(N, D, 1 / LAW.loss(N, D))


def test_noise_larger_than_the_effect():
    message = refusal(GRID_N, GRID_D, LAW.loss(GRID_N, GRID_D) * noise(15, 0.03))
    assert "cannot be told from 0: at a level of 0.95" in message


def test_one_run_carries_a_value():
    n = np.where(np.arange(40) == 7, 1e8, np.array([1e9, 1e10])[np.arange(40) % 2])
    message = refusal(n, D, LAW.loss(n, D))
    assert "the fit hangs on single runs" in message
    alone = fit_law(n, D, LAW.loss(n, D), seed=0, resamples=0).law
    assert asdict(alone) == pytest.approx(asdict(LAW))


def test_codes():
    first = codes(np.array([3.0, 1.0, 3.0 + 1e-9, 2.0]))
    assert first.tolist() == [2, 0, 2, 1]
    pairs = pair_codes(first, np.array([0, 1, 0, 1]))
    assert pairs[0] == pairs[2]
    assert len(set(pairs.tolist())) == 3


def test_lost_constant():
    surface = law_surface(N, D, LAW.loss(N, D))
    points = np.array(
        [
            [0.0, 0.0, 0.5, 0.3, 0.3],
            [-30.0, 0.0, 0.5, 0.3, 0.3],
            [0.0, -30.0, 0.5, 0.3, 0.3],
            [0.0, 0.0, 0.5, -0.1, 0.3],
            [0.0, 0.0, 0.5, 0.3, 11.0],
            [0.0, 0.0, -30.0, 0.3, 0.3],
        ]
    )
    assert lost_constant(surface, points).tolist() == [-1, 0, 1, 2, 3, 4]


def test_resamples_may_run_away_up_to_the_tail():
    lost, sound = np.full(1000, -1), np.zeros(1000, np.bool_)
    lost[:24] = 4
    require_resamples(lost, sound, 0.95)
    lost[24] = 3
    with pytest.raises(BadInput, match=r"floor E.*2\.5 % of the resamples.*allows 2\.5 %"):
        require_resamples(lost, sound, 0.95)
    require_resamples(lost, sound, 0.9)
    with pytest.raises(BadInput, match=r"10\.0 % of the resamples hold fewer"):
        require_resamples(np.full(1000, -1), np.arange(1000) < 100, 0.95)
