"""The inverse questions against the curves themselves, by round trip and by trying everything."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unparrot.core.errors import BadInput
from unparrot.theory.curve.inverse import largest_tuple, theta_for
from unparrot.theory.curve.performance import BOUNDS

SHARE = st.floats(-27.0, -0.001).map(math.exp)


@settings(max_examples=40)
@given(SHARE, SHARE, st.integers(1, 3000), st.data())
def test_largest_theta_meets_the_failure_and_no_more(
    failure: float, alpha: float, k: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, k))
    for name, bound in BOUNDS.items():
        theta = float(theta_for(failure, alpha, k, size, bound=name))
        if math.isnan(theta):
            assert name == "classic"
            continue
        assert failure * alpha * (1 - 1e-12) <= theta <= failure * (1 + 1e-12)
        assume(theta > 1e-300)
        assert float(bound(theta, alpha, k, size)) == pytest.approx(failure, rel=1e-9)
        more = theta * (1 + 1e-6)
        if more < 1:
            assert float(bound(more, alpha, k, size)) > failure


def test_classic_promises_nothing_where_it_has_no_solution() -> None:
    # one draw a piece: at alpha = 1/2 the equation has no solution at theta small enough for 0.01
    assert math.isnan(float(theta_for(0.01, 0.5, 1, bound="classic")))
    grid = np.geomspace(1e-12, 1 - 1e-12, 20_000)
    assert min(float(BOUNDS["classic"](theta, 0.5, 1, 1)) for theta in grid[::200]) > 0.01


def test_theta_by_hand() -> None:
    # m = 2, alpha = 0.1: up to theta = 0.01 both edges lie in Z, then one of two up to 0.19
    found = theta_for(0.05, [0.1], 2)
    assert found == pytest.approx([0.005], rel=1e-14)
    assert float(theta_for(0.3, 0.1, 2)) == pytest.approx(0.05, rel=1e-14)
    assert float(theta_for(1 - 1e-15, 0.1, 2)) == pytest.approx(0.19, rel=1e-12)


def test_theta_keeps_the_shape_of_alpha() -> None:
    for name in BOUNDS:
        assert theta_for(0.1, np.full((2, 3), 0.2), 8, bound=name).shape == (2, 3)


@pytest.mark.parametrize("name", list(BOUNDS))
def test_largest_tuple_by_trying_all(name: str) -> None:
    rng = np.random.default_rng(2)
    answers = set()
    for _ in range(60):
        k = int(rng.integers(1, 40))
        theta, alpha, failure = np.exp(-rng.uniform(0.1, [6, 4, 3]))
        blocks = {k // size for size in range(1, k + 1)}
        bound = {m: float(BOUNDS[name](theta, alpha, m, 1)) for m in blocks}
        good = [size for size in range(1, k + 1) if bound[k // size] <= failure]
        found = largest_tuple(theta, alpha, failure, k, bound=name)
        assert good == list(range(1, found + 1))
        answers.add(found)
    assert len(answers) > 4


@pytest.mark.parametrize(
    ("failure", "alpha", "k", "size", "bound", "words"),
    [
        (0.0, 0.1, 8, 1, "sharp", "failure must be above 0 and under 1, not 0"),
        (0.1, 1.5, 8, 1, "sharp", "alpha must be above 0 and under 1, not 1.5"),
        (0.1, 0.1, 8, 9, "sharp", "k' = 9 is above k = 8"),
        (0.1, 0.1, 8, 1, "best", "no bound 'best'; choose one of sharp, entropic, classic"),
    ],
)
def test_bad_input(failure: float, alpha: float, k: int, size: int, bound: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        theta_for(failure, alpha, k, size, bound=bound)
    if size == 1:
        with pytest.raises(BadInput, match=words):
            largest_tuple(0.05, alpha, failure, k, bound=bound)
