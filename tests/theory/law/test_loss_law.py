"""The loss law against hand arithmetic and numerical minimisation."""

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize_scalar

from unparrot.core.errors import BadInput
from unparrot.theory.law.loss_law import FLOPS_PER_PARAM_TOKEN, PRESETS, SOURCES, LossLaw, read_law

LAWS = st.builds(
    LossLaw,
    E=st.floats(0, 5),
    A=st.floats(1, 1e5),
    B=st.floats(1, 1e5),
    alpha=st.floats(0.05, 1.5),
    beta=st.floats(0.05, 1.5),
)


def test_by_hand():
    # 100^-0.5 = 1/10 and 16^-0.25 = 1/2
    law = LossLaw(E=1.0, A=3.0, B=4.0, alpha=0.5, beta=0.25)
    assert float(law.excess(100, 16)) == pytest.approx(0.3 + 2.0)
    assert float(law.loss(100, 16)) == pytest.approx(3.3)
    by_params, by_tokens = law.gradient(100, 16)
    assert float(by_params) == pytest.approx(-0.5 * 0.3 / 100)
    assert float(by_tokens) == pytest.approx(-0.25 * 2.0 / 16)


@pytest.mark.parametrize(("name", "ratio"), [("hoffmann", 2.0010), ("besiroglu", 2.2726)])
def test_ten_times_the_scale(name: str, ratio: float):
    assert float(PRESETS[name].excess_ratio(7e9, 1.4e11, 10)) == pytest.approx(ratio, abs=5e-5)


def test_every_preset_has_its_source():
    assert PRESETS.keys() == SOURCES.keys()


def test_arrays_broadcast():
    law = PRESETS["hoffmann"]
    n, d = np.array([1e8, 1e9, 1e10]), np.array([[1e10], [1e12]])
    assert law.loss(n, d).shape == (2, 3)
    assert [part.shape for part in law.gradient(n, d)] == [(2, 3), (2, 3)]
    assert law.excess_ratio(n, d, 10).shape == (2, 3)
    assert law.loss(n, d)[1, 2] == law.loss(1e10, 1e12)


@given(LAWS, st.floats(3, 12), st.floats(3, 13))
def test_gradient_is_the_slope(law: LossLaw, log_n: float, log_d: float):
    # with respect to ln N and ln D: dL/dlnN = N dL/dN
    def loss(x: np.ndarray) -> float:
        return float(law.excess(math.exp(x[0]), math.exp(x[1])))

    at = np.array([log_n, log_d]) * math.log(10)
    n, d = np.exp(at)
    by_params, by_tokens = law.gradient(n, d)
    numeric = approx_fprime(at, loss, 1e-7)
    scale = loss(at)
    assert float(n * by_params) == pytest.approx(numeric[0], abs=1e-5 * scale)
    assert float(d * by_tokens) == pytest.approx(numeric[1], abs=1e-5 * scale)


@given(LAWS, st.floats(12, 27))
def test_allocation_is_the_minimum(law: LossLaw, log_flops: float):
    flops = 10.0**log_flops
    best = law.allocate(flops)
    assert FLOPS_PER_PARAM_TOKEN * best.params * best.tokens == pytest.approx(flops, rel=1e-12)
    assert best.loss == pytest.approx(float(law.loss(best.params, best.tokens)), rel=1e-12)

    def log_excess(log_n: float) -> float:
        n = math.exp(log_n)
        return math.log(float(law.excess(n, flops / 6 / n)))

    found = minimize_scalar(
        log_excess, bracket=(math.log(best.params) - 3, math.log(best.params) + 2), tol=1e-12
    )
    assert math.log(best.excess) == pytest.approx(found.fun, abs=1e-10)
    assert math.log(best.params) == pytest.approx(found.x, abs=1e-4)


def test_allocation_scales_as_the_exponents_say():
    # with s = alpha + beta: N grows as C^(beta/s), the excess falls as C^-(alpha beta/s)
    law = PRESETS["besiroglu"]
    small, large = law.allocate(1e20), law.allocate(1e22)
    a, b = law.alpha, law.beta
    assert large.params / small.params == pytest.approx(100 ** (b / (a + b)))
    assert small.excess / large.excess == pytest.approx(100 ** (a * b / (a + b)))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"E": -0.1}, "E"),
        ({"A": 0.0}, "A"),
        ({"B": math.nan}, "B"),
        ({"alpha": -0.3}, "alpha"),
        ({"beta": math.inf}, "beta"),
    ],
)
def test_bad_constants(changed: dict[str, float], word: str):
    with pytest.raises(BadInput, match=f"^{word} of a loss law"):
        LossLaw(**{**asdict(PRESETS["hoffmann"]), **changed})


def test_bad_sizes():
    law = PRESETS["hoffmann"]
    with pytest.raises(BadInput, match=r"params must be above 0 and finite, not -1\.0"):
        law.loss([1e9, -1.0], 1e10)
    with pytest.raises(BadInput, match="tokens"):
        law.gradient(1e9, 0)
    with pytest.raises(BadInput, match="factor"):
        law.excess_ratio(1e9, 1e10, math.nan)
    with pytest.raises(BadInput, match="flops"):
        law.allocate(0)


def test_read_law(tmp_path: Path):
    path = tmp_path / "law.json"
    wanted = PRESETS["besiroglu"]
    path.write_text(json.dumps(asdict(wanted)))
    assert read_law(path) == wanted
    fitted = {name: {"value": value, "low": None} for name, value in asdict(wanted).items()}
    path.write_text(json.dumps({**fitted, "n": 250}))
    assert read_law(path) == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "JSON object"),
        ('{"E": 1}', "number for A, not None"),
        ('{"E": true, "A": 1, "B": 1, "alpha": 1, "beta": 1}', "number for E, not True"),
        ('{"E": 1, "A": 1, "B": null, "alpha": 1, "beta": null}', "no B: a fit of one variable"),
        ('{"E": 1, "A": {"value": "x"}, "B": 1, "alpha": 1, "beta": 1}', "number for A, not 'x'"),
        ('{"E": 1, "A": -1, "B": 1, "alpha": 1, "beta": 1}', "A of a loss law"),
    ],
)
def test_read_law_refuses(tmp_path: Path, text: str, words: str):
    path = tmp_path / "law.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        read_law(path)
