"""The performance curves against tables, brute force, exact sums, root finders and each other."""

import math
from fractions import Fraction
from itertools import combinations, product

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from unparrot.core.errors import BadInput
from unparrot.theory.curve.performance import BOUNDS, classic, entropic, luck, sharp, tilted_share

THETA = st.floats(-27.0, -0.001).map(math.exp)
ALPHA = st.floats(-27.0, -0.001).map(math.exp)
K = st.integers(1, 3000)


@pytest.mark.parametrize(
    ("k", "size", "theta", "alpha", "published", "ours"),
    [
        (8, 1, 0.05, 0.10, 0.246672, 0.179465),
        (8, 2, 0.05, 0.10, 0.343366, 0.259500),
        (8, 4, 0.05, 0.10, 0.474116, 0.300000),
        (12, 5, 0.02, 0.25, 1.0, 0.080000),
    ],
)
def test_values_of_the_design(
    k: int, size: int, theta: float, alpha: float, published: float, ours: float
) -> None:
    assert float(classic(theta, alpha, k, size)) == pytest.approx(published, abs=5e-7)
    assert float(sharp(theta, alpha, k, size)) == pytest.approx(ours, abs=5e-7)


def test_values_by_hand() -> None:
    # m = 2, alpha = 0.1: both with 0.01, one with 0.18. theta = 0.05 takes the 0.01 with share 1
    # and 0.04 of those with share 1/2: 0.03 of the mass 0.1.
    assert float(sharp(0.05, 0.1, 2)) == pytest.approx(0.3, rel=1e-14)
    # theta above P(some edge in Z) fails every edge of Z
    assert float(sharp(0.2, 0.1, 2)) == 1.0
    # m = 1: the worst pieces lie in Z as far as they reach
    assert float(sharp(0.02, 0.25, 12, 7)) == pytest.approx(0.08, rel=1e-14)
    # degrees 1 and 2 in equal parts, Z of half: of 1.5 edges a piece, masses 2, 1, 0 come with
    # 1/8, 1/2, 3/8; theta = 1/4 takes 2/8 + 1/8 of the 3/4 in Z
    assert float(sharp(0.25, 0.5, (0.0, 0.5, 0.5))) == pytest.approx(0.5, rel=1e-14)


def exact_sharp(theta: float, alpha: float, m: int) -> mpmath.mpf:
    """Sum over j of min(theta, P(J >= j)) / (m alpha), the area under the worst tail."""
    a, t = mpmath.mpf(alpha), mpmath.mpf(theta)
    term, tail, total = a**m, mpmath.mpf(0), mpmath.mpf(0)
    for j in range(m, 0, -1):
        tail += term
        total += min(t, tail)
        term *= (1 - a) / a * j / (m - j + 1)
    return total / (m * a)


@settings(max_examples=60)
@given(THETA, ALPHA, st.integers(1, 40))
def test_sharp_is_the_exact_sum(theta: float, alpha: float, m: int) -> None:
    with mpmath.workdps(60):
        exact = exact_sharp(theta, alpha, m)
        assert float(abs(float(sharp(theta, alpha, m)) / exact - 1)) < 1e-12


def test_sharp_of_thousands_of_skills_and_tiny_shares() -> None:
    with mpmath.workdps(50):
        for theta, alpha, k in ((1e-12, 1e-12, 3000), (1e-12, 0.3, 400), (0.2, 1e-3, 2000)):
            exact = exact_sharp(theta, alpha, k)
            assert float(abs(float(sharp(theta, alpha, k)) / exact - 1)) < 1e-11


def test_worst_pieces_by_linear_programming() -> None:
    # choose for each of the 2^m patterns of a piece how much of it fails
    rng = np.random.default_rng(7)
    for _ in range(20):
        m = int(rng.integers(1, 7))
        theta, alpha = (float(x) for x in rng.uniform(0.02, 0.9, 2))
        hits = np.array([sum(bits) for bits in product((0, 1), repeat=m)])
        chance = alpha**hits * (1 - alpha) ** (m - hits)
        found = linprog(
            -hits / (m * alpha), A_eq=[np.ones_like(chance)], b_eq=[theta],
            bounds=list(zip(np.zeros_like(chance), chance, strict=True)),
        )  # fmt: skip
        assert float(sharp(theta, alpha, m)) == pytest.approx(-found.fun, rel=1e-8)


def test_worst_pieces_of_a_mixture_by_sorting_in_exact_arithmetic() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        shares = [Fraction(int(x)) for x in rng.integers(0, 5, 7)]
        size = int(rng.integers(1, 4))
        if not any(shares[size:]):
            continue
        law = [x / sum(shares) for x in shares]
        alpha, theta = (
            Fraction(int(rng.integers(1, 20)), 20),
            Fraction(int(rng.integers(1, 50)), 50),
        )
        atoms = []
        for degree, share in enumerate(law):
            m = degree // size
            for j in range(m + 1):
                chance = share * math.comb(m, j) * alpha**j * (1 - alpha) ** (m - j)
                atoms.append((math.comb(degree, size) * Fraction(j, max(m, 1)), chance))
        left, mass = theta, Fraction(0)
        for value, chance in sorted(atoms, reverse=True):
            taken = min(left, chance)
            left, mass = left - taken, mass + taken * value
        exact = mass / sum(value * chance for value, chance in atoms)
        found = sharp(float(theta), float(alpha), [float(x) for x in law], size)
        assert float(found) == pytest.approx(float(exact), rel=1e-12)


@settings(max_examples=150)
@given(THETA, ALPHA, K, st.data())
def test_order_of_the_bounds(theta: float, alpha: float, k: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, k))
    values = [float(bound(theta, alpha, k, size)) for bound in BOUNDS.values()]
    ours, between, published = values
    assert list(BOUNDS) == ["sharp", "entropic", "classic"]
    assert theta <= ours <= between * (1 + 1e-12)
    assert between <= published * (1 + 1e-12)
    assert ours <= min(1.0, theta / alpha)


@settings(max_examples=100)
@given(THETA, K, st.lists(ALPHA, min_size=2, max_size=6), st.data())
def test_sharp_falls_with_alpha(
    theta: float, k: int, alphas: list[float], data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, k))
    values = sharp(theta, sorted(alphas), k, size)
    assert (np.diff(values) <= 1e-12 * values[:-1]).all()


@settings(max_examples=60)
@given(THETA, ALPHA, K, st.data())
def test_sharp_rises_with_theta_and_with_fewer_blocks(
    theta: float, alpha: float, k: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, k))
    more = theta + (1 - theta) * data.draw(st.floats(0, 0.99))
    assert float(sharp(theta, alpha, k, size)) <= float(sharp(more, alpha, k, size)) * (1 + 1e-12)
    larger = data.draw(st.integers(size, k))
    assert float(sharp(theta, alpha, k, size)) <= float(sharp(theta, alpha, k, larger)) * (
        1 + 1e-12
    )


@pytest.mark.parametrize("theta", [1e-12, 0.05, 0.9])
@pytest.mark.parametrize("k", [1, 8, 1000])
def test_sharp_at_the_ends(theta: float, k: int) -> None:
    assert float(sharp(theta, 1 - 1e-13, k)) == pytest.approx(theta, rel=1e-9)
    assert float(sharp(theta, theta / (2 * k), k)) == 1.0  # P(some edge in Z) < theta


@settings(max_examples=60)
@given(THETA, ALPHA, st.integers(1, 400), st.data())
def test_a_mixture_of_one_degree_is_that_degree(
    theta: float, alpha: float, k: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, k))
    mixed = sharp(theta, alpha, [0.0] * k + [1.0], size)
    assert float(mixed) == pytest.approx(float(sharp(theta, alpha, k, size)), rel=1e-10)


def test_pieces_too_small_for_a_tuple_only_dilute() -> None:
    # half of the pieces hold no pair: theta = 0.1 of all pieces is 0.2 of the others
    mixed = sharp(0.1, [0.05, 0.3], (0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5), 2)
    assert mixed == pytest.approx(sharp(0.2, [0.05, 0.3], 8, 2), rel=1e-12)


@settings(max_examples=60)
@given(THETA, ALPHA, K)
def test_classic_solves_its_equation(theta: float, alpha: float, m: int) -> None:
    with mpmath.workdps(40):
        a, t = mpmath.mpf(alpha), mpmath.mpf(theta)
        nats = (-t * mpmath.log(t) - (1 - t) * mpmath.log(1 - t)) / (m * t)
        found = float(classic(theta, alpha, m))
        if nats > -mpmath.log(a):
            assert found == 1.0
            return

        def surplus(log_u: mpmath.mpf) -> mpmath.mpf:
            c = a * (1 + mpmath.exp(log_u))
            rest = (1 - c) * mpmath.log((1 - c) / (1 - a)) if c < 1 else mpmath.mpf(0)
            return c * mpmath.log(c / a) + rest - nats

        low, root = mpmath.log((1 - a) / a) - 70, mpmath.log((1 - a) / a)
        for _ in range(90):
            middle = (low + root) / 2
            low, root = (middle, root) if surplus(middle) < 0 else (low, middle)
        exact = min(mpmath.mpf(1), t * (1 + mpmath.exp(root)))
        assert float(abs(found / exact - 1)) < 1e-12


def test_tilted_share_inverts_the_divergence() -> None:
    rng = np.random.default_rng(3)
    alpha = 1 / (1 + np.exp(rng.uniform(-6, 27, 500)))
    nats = -np.log(alpha) * np.exp(-rng.uniform(0.01, 12, 500))
    share = tilted_share(alpha, nats)
    assert ((share > alpha) & (share < 1)).all()
    back = share * np.log(share / alpha) + (1 - share) * np.log1p((alpha - share) / (1 - alpha))
    np.testing.assert_allclose(back, nats, rtol=1e-6, atol=1e-14)


def test_tuples_in_any_set_stay_below_the_bound_of_blocks() -> None:
    """Hoeffding's averaging, over all texts of a tiny world and arbitrary sets of tuples."""
    rng = np.random.default_rng(11)
    skills, k = 4, 4
    texts = list(product(range(skills), repeat=k))
    for trial in range(60):
        size = 2 + trial % 2
        share = float(rng.uniform(0.05, 0.95))
        inside = {
            key: bool(rng.random() < share)
            for key in {tuple(sorted(t)) for t in product(range(skills), repeat=size)}
        }
        tuples = product(range(skills), repeat=size)
        alpha = float(np.mean([inside[tuple(sorted(t))] for t in tuples]))
        if not 0 < alpha < 1:
            continue
        held = np.sort(
            [
                np.mean([inside[tuple(sorted(t))] for t in combinations(text, size)])
                for text in texts
            ]
        )[::-1]
        for theta in (0.01, 0.05, 0.2, 0.5):
            failed = np.clip(theta * len(texts) - np.arange(len(texts)), 0, 1)
            worst = float(failed @ held) / len(texts) / alpha
            assert worst <= float(sharp(theta, alpha, k, size)) * (1 + 1e-12)


def test_shapes_follow_alpha() -> None:
    alpha = np.full((2, 3), 0.1)
    for bound in BOUNDS.values():
        found = bound(0.05, alpha, 8, 1)
        assert found.shape == (2, 3)
        assert found.dtype == np.float64
        assert (found == found[0, 0]).all()
        assert np.shape(bound(0.05, 0.1, 8, 1)) == ()
        assert bound(0.05, [], 8, 1).shape == (0,)
    assert luck(0.05, alpha).tolist() == [[0.05] * 3] * 2


@pytest.mark.parametrize("bound", [sharp, entropic, classic])
@pytest.mark.parametrize(
    ("theta", "alpha", "k", "size", "words"),
    [
        (0.0, 0.1, 8, 1, "theta must be above 0 and under 1, not 0"),
        (1.0, 0.1, 8, 1, "theta must be"),
        (math.nan, 0.1, 8, 1, "theta must be"),
        (0.05, [0.1, 1.0], 8, 1, "alpha must be above 0 and under 1, not 1"),
        (0.05, 0.0, 8, 1, "alpha must be"),
        (0.05, 0.1, 8, 9, "k' = 9 is above k = 8"),
        (0.05, 0.1, 0, 1, "k must be a whole number from 1 to .*, not 0"),
        (0.05, 0.1, -3, 1, "not -3"),
        (0.05, 0.1, 8, 0, "tuple size k' must be"),
        (0.05, 0.1, 2.5, 1, "not 2.5"),
    ],
)
def test_bad_input(bound, theta, alpha, k, size, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        bound(theta, alpha, k, size)


@pytest.mark.parametrize(
    ("degrees", "size", "words"),
    [
        ((0.5, 0.4), 1, "must sum to 1, not 0.9"),
        ((1.5, -0.5), 1, "from 0 to 1; number 0 is 1.5"),
        ((), 1, "must sum to 1, not 0.0"),
        ((0.2, 0.8), 2, "no piece has k' = 2 skills: the largest degree is 1"),
        ([0.0] * 9000 + [1 / 9000] * 9000, 1, "merge degrees"),
    ],
)
def test_bad_degrees(degrees: tuple[float, ...], size: int, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        sharp(0.05, 0.1, degrees, size)


def test_published_bounds_take_one_degree() -> None:
    for bound in (classic, entropic):
        with pytest.raises(BadInput, match="use the sharp bound"):
            bound(0.05, 0.1, (0.0, 0.5, 0.5))  # pyright: ignore[reportArgumentType]
