"""The finite-size bounds against brute force: all sets, all failures, many graphs."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize

from unparrot.core.errors import BadInput
from unparrot.theory.curve.finite import union_rate
from unparrot.theory.curve.performance import classic, sharp

THETA = st.floats(-20.0, -0.01).map(math.exp)


def test_rate_by_hand() -> None:
    # H(1/2) = log 2
    rate = float(union_rate(0.5, 100, 10, 0.01))
    assert rate == pytest.approx((10 * math.log(2) + math.log(100)) / 100, rel=1e-14)


def test_classic_with_its_published_term() -> None:
    # D(c || alpha) = H(theta)/(m theta) + (M/N2) H(alpha)/(m theta), solved by scipy
    theta, alpha, k, pieces, tuples = 0.05, 0.1, 8, 2000, 500

    def entropy(x: float) -> float:
        return -x * math.log(x) - (1 - x) * math.log(1 - x)

    nats = (entropy(theta) + tuples / pieces * entropy(alpha)) / (k * theta)

    def surplus(c: float) -> float:
        return c * math.log(c / alpha) + (1 - c) * math.log((1 - c) / (1 - alpha)) - nats

    c = brentq(surplus, alpha, 1 - 1e-12, xtol=1e-14)
    found = classic(theta, alpha, k, pieces=pieces, tuples=tuples)
    assert float(found) == pytest.approx(theta * c / alpha, rel=1e-10)


def test_sharp_is_the_least_of_its_definition() -> None:
    rng = np.random.default_rng(5)
    for _ in range(12):
        theta, alpha = (float(x) for x in rng.uniform(0.04, 0.6, 2))
        m, pieces, tuples = int(rng.integers(1, 12)), int(rng.integers(20, 5000)), 30
        j = np.arange(m + 1)
        chance = np.array([math.comb(m, i) for i in j]) * alpha**j * (1 - alpha) ** (m - j)
        rate = float(union_rate(alpha, pieces, tuples))

        def mass(at: np.ndarray, j=j, m=m, chance=chance, rate=rate, theta=theta) -> float:
            c, tilt = at[0], math.exp(at[1])
            rise = tilt * np.maximum(j / m - c, 0)
            return theta * c + (math.log(float(chance @ np.exp(rise))) + rate) / tilt

        starts = [(c, t) for c in (0.05, 0.3, 0.6, 0.9) for t in (0.0, 1.5, 3.0)]
        best = min(
            minimize(mass, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).fun
            for start in starts
        )
        found = float(sharp(theta, alpha, m, pieces=pieces, tuples=tuples))
        assert found == pytest.approx(min(1, best / alpha, theta / alpha), rel=1e-6)


@settings(max_examples=60)
@given(
    THETA,
    st.floats(0.001, 0.99),
    st.integers(1, 60),
    st.integers(1000, 10**9),
    st.floats(0, 40).map(lambda x: int(math.exp(x))),
    st.floats(-20, 0).map(math.exp),
)
def test_order(theta: float, alpha: float, k: int, tuples: int, pieces: int, delta: float) -> None:
    finite = float(sharp(theta, alpha, k, pieces=pieces, tuples=tuples, delta=delta))
    published = float(classic(theta, alpha, k, pieces=pieces, tuples=tuples, delta=delta))
    assert float(sharp(theta, alpha, k)) * (1 - 1e-9) <= finite <= published * (1 + 1e-9)


def test_limit_of_many_pieces() -> None:
    limit = sharp(0.05, [0.02, 0.1, 0.5], 8, 2)
    finite = sharp(0.05, [0.02, 0.1, 0.5], 8, 2, pieces=10**17, tuples=1000)
    np.testing.assert_allclose(finite, limit, rtol=1e-5)


def test_a_mixture_of_one_degree_is_that_degree() -> None:
    one = sharp(0.05, [0.1, 0.3], [0.0] * 8 + [1.0], 2, pieces=10**4, tuples=100)
    np.testing.assert_allclose(one, sharp(0.05, [0.1, 0.3], 8, 2, pieces=10**4, tuples=100))


@pytest.mark.parametrize("size", [1, 2])
def test_no_set_of_a_small_graph_breaks_the_bound(size: int) -> None:
    """All sets of three tuples, their worst failures, in 200 graphs: at most delta are broken."""
    skills, k, pieces, theta, delta, chosen = 6 if size == 1 else 3, 4, 400, 0.1, 0.05, 3
    tuples = skills**size  # in the order of their positions, so that all are equally likely
    sets = list(combinations(range(tuples), chosen))
    alpha = chosen / tuples
    most = float(sharp(theta, alpha, k, size, pieces=pieces, tuples=tuples, delta=delta))
    rng = np.random.default_rng(1)
    broken = 0
    closest = 0.0
    positions = list(combinations(range(k), size))
    members = np.zeros((len(sets), tuples))
    for row, some in enumerate(sets):
        members[row, list(some)] = 1
    failed = int(theta * pieces)
    for _ in range(200):
        drawn = rng.integers(skills, size=(pieces, k))
        held = np.zeros((pieces, tuples))
        for spots in positions:
            code = drawn[:, spots] @ skills ** np.arange(size)
            held[np.arange(pieces), code] += 1
        in_set = held @ members.T / len(positions)
        worst = np.sort(in_set, axis=0)[-failed:].sum(axis=0) / (pieces * alpha)
        broken += bool((worst > most).any())
        closest = max(closest, float(worst.max()))
    # a binomial of 200 with chance 0.05 exceeds 18 with probability 0.004
    assert broken <= 18
    assert closest > 0.75 * most


@pytest.mark.parametrize(
    ("alpha", "pieces", "tuples", "delta", "words"),
    [
        (0.1, 100, None, 1.0, "give both or neither"),
        (0.1, None, 100, 1.0, "give both or neither"),
        (0.1, -5, 100, 1.0, "pieces must be a whole number of at least 1, not -5"),
        (0.1, 100, 0, 1.0, "tuples must be a whole number of at least 1, not 0"),
        (0.1, 100, 100, 0.0, "delta must be above 0 and at most 1, not 0"),
        (0.001, 100, 100, 1.0, "alpha = 0.001 of 100 tuples is less than one"),
    ],
)
def test_bad_input(alpha: float, pieces, tuples, delta: float, words: str) -> None:
    for bound in (sharp, classic):
        with pytest.raises(BadInput, match=words):
            bound(0.05, alpha, 8, pieces=pieces, tuples=tuples, delta=delta)


def test_one_tuple_in_m_is_not_too_few() -> None:
    for tuples in (3, 7, 10, 49, 1000, 10**9):
        assert float(union_rate(1 / tuples, 10, tuples)) > 0
