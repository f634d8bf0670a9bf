"""The formulas of the thresholds against brute force, simulation by hand and other programs."""

import math
from fractions import Fraction
from itertools import combinations as pairs_of
from itertools import product

import mpmath
import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.theory.curve.piece import log_combinations
from unparrot.theory.threshold import (
    edge_probability,
    giant_share,
    isolated_expected,
    isolated_none,
    isolated_none_limit,
    isolated_variance,
    pieces_for_skills,
    pieces_for_tuples,
    skills_without_text,
    text_figures,
    tuples_seen,
)


def isolated_law(n: int, p: Fraction) -> list[Fraction]:
    """P(number of isolated vertices = i) over all graphs of n vertices."""
    pairs = list(pairs_of(range(n), 2))
    law = [Fraction(0)] * (n + 1)
    for chosen in product((0, 1), repeat=len(pairs)):
        touched = {v for used, pair in zip(chosen, pairs, strict=True) if used for v in pair}
        edges = sum(chosen)
        law[n - len(touched)] += p**edges * (1 - p) ** (len(pairs) - edges)
    return law


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("p", [Fraction(1, 1000), Fraction(1, 5), Fraction(7, 10)])
def test_isolated_vertices_over_all_graphs(n: int, p: Fraction) -> None:
    law = isolated_law(n, p)
    mean = sum(i * x for i, x in enumerate(law))
    variance = sum(i * i * x for i, x in enumerate(law)) - mean**2
    assert isolated_expected(n, float(p)) == pytest.approx(float(mean), rel=1e-13)
    assert isolated_variance(n, float(p)) == pytest.approx(float(variance), rel=1e-11)
    assert isolated_none(n, float(p)) == pytest.approx(float(law[0]), rel=1e-12)


def test_isolated_vertices_at_the_ends() -> None:
    assert (isolated_expected(5, 0.0), isolated_variance(5, 0.0)) == (5, 0)
    assert (isolated_expected(5, 1.0), isolated_variance(5, 1.0)) == (0, 0)
    assert (isolated_none(5, 0.0), isolated_none(5, 1.0)) == (0, 1)
    # (1 - p)^(n-1) of a tiny p keeps its digits
    with mpmath.workdps(40):
        exact = 10**9 * (1 - mpmath.mpf(1e-15)) ** (10**9 - 1)
        assert isolated_expected(10**9, 1e-15) == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.parametrize(("n", "c"), [(50, -1.0), (200, -3.0), (400, 1.0)])
def test_none_isolated_by_the_whole_series(n: int, c: float) -> None:
    p = edge_probability(n, c)
    with mpmath.workdps(400):
        stay = 1 - mpmath.mpf(p)
        exact = mpmath.fsum(
            (-1) ** j * mpmath.binomial(n, j) * stay ** (j * (n - j) + j * (j - 1) // 2)
            for j in range(n + 1)
        )
        assert isolated_none(n, p) == pytest.approx(float(exact), rel=1e-13)


def test_none_isolated_tends_to_its_limit() -> None:
    for c in (-2.0, 0.0, 3.0):
        limit = float(isolated_none_limit(c))
        gaps = [
            abs(isolated_none(n, edge_probability(n, c)) - limit) for n in (10**3, 10**5, 10**8)
        ]
        assert gaps[0] > 10 * gaps[1] > 1000 * gaps[2]
    assert isolated_none_limit([-2000.0, 2000.0]).tolist() == [0, 1]
    assert isolated_none(1000, 1e-3) < 1e-150  # 368 expected; no garbage from cancellation


def test_giant_share_against_lambert() -> None:
    with mpmath.workdps(60):
        for d in (1 + 1e-6, 1.0001, 1.01, 1.3, 2.0, 5.0, 30.0, 40.0, 1e5):
            exact = 1 + mpmath.lambertw(-mpmath.mpf(d) * mpmath.exp(-mpmath.mpf(d))).real / d
            assert float(giant_share(d)) == pytest.approx(float(exact), rel=1e-10)
    assert giant_share([[0.0, 0.5], [1.0, 1 - 1e-16]]).tolist() == [[0, 0], [0, 0]]


def test_skills_without_text_over_all_texts() -> None:
    n, k, pieces = 3, 2, 2
    counts = [n - len(set(draw)) for draw in product(range(n), repeat=k * pieces)]
    assert skills_without_text(n, pieces, k) == pytest.approx(float(np.mean(counts)), rel=1e-14)
    texts = list(pairs_of(range(n), 2))
    counts = [n - len({*a, *b}) for a in texts for b in texts]
    found = skills_without_text(n, pieces, k, repeats=False)
    assert found == pytest.approx(float(np.mean(counts)), rel=1e-14)


def test_skills_without_text_at_the_ends_and_at_its_threshold() -> None:
    assert skills_without_text(10, 0, 3) == 10
    assert skills_without_text(1, 1, 1) == skills_without_text(3, 1, 3, repeats=False) == 0
    for c in (-1.0, 0.0, 2.0):
        pieces = round(pieces_for_skills(10**6, 8) + 10**6 * c / 8)
        assert skills_without_text(10**6, pieces, 8) == pytest.approx(math.exp(-c), rel=1e-4)


def test_tuples_seen() -> None:
    # C(8, 4) = 70 of C(1000, 4) = 41,417,124,750 a piece
    rate = 70 / 41_417_124_750
    assert tuples_seen(1000, 10**9, 8, 4) == pytest.approx(1 - math.exp(-(10**9) * rate), rel=1e-12)
    assert tuples_seen(1000, 1, 8, 4) == pytest.approx(rate, rel=1e-8)
    assert tuples_seen(10**6, 10**10, 500, 100) == pytest.approx(
        math.exp(
            math.log(10**10) + math.log(math.comb(500, 100)) - math.log(math.comb(10**6, 100))
        ),
        rel=1e-9,
    )
    half = pieces_for_tuples(1000, 8, 4)
    assert tuples_seen(1000, round(half), 8, 4) == pytest.approx(0.5, rel=1e-8)
    assert pieces_for_tuples(10**6, 100, 100) == math.inf


def test_tuples_seen_by_drawing() -> None:
    rng = np.random.default_rng(6)
    skills, k, pieces, trials = 20, 4, 60, 200
    shares = []
    for _ in range(trials):
        texts = np.argsort(rng.random((pieces, skills)), axis=1)[:, :k]
        seen = {pair for text in texts for pair in pairs_of(sorted(text.tolist()), 2)}
        shares.append(len(seen) / math.comb(skills, 2))
    error = float(np.std(shares)) / math.sqrt(trials)
    # the formula is the limit of rare tuples: (1 - r)^60 against exp(-60 r) at r = 6/190
    exact = 1 - (1 - 6 / 190) ** 60
    assert abs(float(np.mean(shares)) - exact) < 4 * error
    assert tuples_seen(skills, pieces, k, 2) == pytest.approx(exact, abs=0.005)


def test_combinations_are_exact() -> None:
    assert text_figures(1000, 1, 8, 4)["combinations"] == 41_417_124_750
    assert text_figures(1000, 1, 8, 4, 100)["combinations"] == 4_141_712_475_000
    assert text_figures(10**6, 1, 600, 600)["combinations"] == math.comb(10**6, 600)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: isolated_expected(1, 0.5), "number n of vertices must be .* at least 2, not 1"),
        (lambda: isolated_expected(10, 1.5), "must be in 0..1, not 1.5"),
        (lambda: isolated_variance(10, math.nan), "must be in 0..1, not nan"),
        (lambda: edge_probability(10, -5), "not in 0..1; take c between"),
        (lambda: isolated_none(10**6, 1e-7), "up to 2000 expected isolated vertices, not 9.048e"),
        (lambda: giant_share(-1), "at least 0, not -1"),
        (lambda: giant_share(math.inf), "finite"),
        (lambda: skills_without_text(0, 10, 2), "skills must be .* not 0"),
        (lambda: skills_without_text(10, -1, 2), "pieces must be .* not -1"),
        (lambda: skills_without_text(2, 1, 3, repeats=False), "k = 3 different skills"),
        (lambda: tuples_seen(10, 5, 3, 4), "k' = 4 is above k = 3"),
        (lambda: tuples_seen(2, 5, 3, 2), "k = 3 different skills cannot be drawn of 2"),
        (lambda: text_figures(-1, 1, 2, 2), "skills must be .* not -1"),
    ],
)
def test_bad_input(call, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        call()


@pytest.mark.parametrize(
    ("skills", "k"), [(5000, 1001), (5000, 4200), (3000, 1500), (9, 3), (9, 9)]
)
def test_logarithm_of_combinations(skills: int, k: int) -> None:
    assert log_combinations(skills, k) == pytest.approx(
        math.log(math.comb(skills, k)), rel=1e-13, abs=1e-13
    )


def test_long_tuples_are_seen_as_exact_numbers_say() -> None:
    exact = math.comb(4999, 1500) / math.comb(5000, 1500)
    assert tuples_seen(5000, 1, 4999, 1500) == pytest.approx(-math.expm1(-exact), rel=1e-9)
