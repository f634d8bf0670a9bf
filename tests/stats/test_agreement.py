"""Agreement against published worked examples, hand arithmetic and simulation."""

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.stats.agreement import agreement

NONE = np.nan
# Krippendorff (2011), section C: four observers, twelve units, values 1 to 5
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
).T


def listed(table: list[list[int]]) -> np.ndarray:
    """Ratings of two raters from their table of counts."""
    cells = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    return np.array(cells, dtype=float)


def test_krippendorffs_own_example() -> None:
    found = agreement(KRIPPENDORFF - 1, np.random.default_rng(0), categories=5)
    assert found.alpha.value == pytest.approx(0.743, abs=5e-4)  # type: ignore[union-attr]
    # the same data in the vignette of the R package irrCAC (cac.raw4raters)
    assert found.raw.value == pytest.approx(0.8181818, abs=1e-7)
    assert found.ac1.value == pytest.approx(0.77544, abs=5e-6)  # type: ignore[union-attr]
    assert (found.kappa, found.units) == (None, 11)


def test_two_abstractors() -> None:
    # the vignette of irrCAC, cont3x3abstractors
    found = agreement(
        listed([[13, 0, 0], [0, 20, 7], [0, 4, 56]]), np.random.default_rng(0), categories=3
    )
    assert found.raw.value == pytest.approx(0.89)
    for estimate, value, low, high in (
        (found.kappa, 0.7964094, 0.680, 0.913),
        (found.alpha, 0.7972585, 0.680, 0.914),
        (found.ac1, 0.8493305, 0.764, 0.935),
    ):
        assert estimate is not None
        assert estimate.value == pytest.approx(value, abs=1e-7)
        # the bootstrap beside their normal interval
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.02)


def test_high_agreement_and_low_kappa() -> None:
    # what Feinstein and Cicchetti (1990) warn of: 118 earned for both, 5 and 2 apart, none missed
    found = agreement(listed([[0, 2], [5, 118]]), np.random.default_rng(0))
    # by hand: chance 120/125 * 123/125 + 5/125 * 2/125 = 0.94528; (0.944 - 0.94528) / 0.05472
    assert found.kappa.value == pytest.approx(-0.0234, abs=5e-5)  # type: ignore[union-attr]
    assert found.raw.value == 0.944
    # by hand: mean share 243/250, chance 2 * 0.972 * 0.028 = 0.054432
    assert found.ac1.value == pytest.approx(  # type: ignore[union-attr]
        (0.944 - 0.054432) / (1 - 0.054432)
    )


def test_missing_ratings_by_hand() -> None:
    # units: earned twice; one of each; one rating only; none. Three raters.
    ratings = [[1, 1, NONE], [1, NONE, 0], [NONE, 1, NONE], [NONE, NONE, NONE], [0, 0, 0]]
    found = agreement(np.array(ratings), np.random.default_rng(0))
    assert (found.units, found.raw.n) == (3, 3)
    assert found.raw.value == pytest.approx((1 + 0 + 1) / 3)
    # alpha: values 1 1 | 1 0 | 0 0 0, so 3 ones and 4 zeros; coincidences that differ: 2
    assert found.alpha.value == pytest.approx(  # type: ignore[union-attr]
        1 - (2 / 7) / (2 * 3 * 4 / (7 * 6))
    )
    # AC1: shares of earned 1, 1/2, 1, 0 over the four rated units
    share = 2.5 / 4
    chance = 2 * share * (1 - share)
    assert found.ac1.value == pytest.approx((2 / 3 - chance) / (1 - chance))  # type: ignore[union-attr]


def test_complete_agreement_is_not_certainty() -> None:
    found = agreement(listed([[10, 0], [0, 10]]), np.random.default_rng(0))
    for estimate in (found.kappa, found.alpha, found.ac1, found.raw):
        assert estimate is not None
        assert (estimate.value, estimate.high) == (1.0, 1.0)
        assert 0.6 < estimate.low < 0.9  # type: ignore[operator]
    # with one category alone chance agreement is complete: kappa and alpha mean nothing
    alone = agreement(listed([[0, 0], [0, 20]]), np.random.default_rng(0))
    assert (alone.kappa, alone.alpha) == (None, None)
    assert alone.ac1.value == 1.0  # type: ignore[union-attr]


def test_too_little_to_say() -> None:
    rng = np.random.default_rng(0)
    nothing = agreement(np.full((3, 2), NONE), rng)
    assert (nothing.units, nothing.raw.value, nothing.ac1) == (0, None, None)
    one = agreement([[1, 0], [1, 1]], rng, clusters=["a", "a"])
    assert one.raw.value == 0.5
    assert one.raw.low is None
    assert one.ac1.low is None  # type: ignore[union-attr]


def graded(rng: np.random.Generator, texts: int, error: float, rate: float) -> np.ndarray:
    """Two graders over the four marks of each text; a text's marks resemble each other."""
    easy = rng.random((texts, 1))
    own = rng.random((texts, 4))
    truth = np.where(rng.random((texts, 4)) < 0.6, easy, own) < rate
    flips = [rng.random((texts, 4)) < error for _ in range(2)]
    return np.stack([np.where(flip, ~truth, truth) for flip in flips], axis=-1).reshape(-1, 2)


@pytest.mark.parametrize(("error", "rate"), [(0.1, 0.6), (0.05, 0.9)])
def test_intervals_cover_at_about_their_level(error: float, rate: float) -> None:
    rng = np.random.default_rng([round(100 * error), round(100 * rate)])
    # what two such graders agree on in the long run
    same = (1 - error) ** 2 + error**2
    seen = rate * (1 - error) + (1 - rate) * error
    chance = seen**2 + (1 - seen) ** 2
    truth = {
        "raw": same,
        "kappa": (same - chance) / (1 - chance),
        "alpha": (same - chance) / (1 - chance),
        "ac1": (same - 2 * seen * (1 - seen)) / (1 - 2 * seen * (1 - seen)),
    }
    trials, texts = 400, 100
    covered = dict.fromkeys(truth, 0)
    labels = np.repeat(np.arange(texts), 4)
    for _ in range(trials):
        found = agreement(graded(rng, texts, error, rate), rng, clusters=labels, resamples=400)
        for name, value in truth.items():
            e = getattr(found, name)
            covered[name] += e.low <= value <= e.high
    # 95 % within what a percentile bootstrap of 100 texts gives, less four standard deviations
    # of 400 trials (1.1 points each)
    for name, times in covered.items():
        assert 0.89 < times / trials < 0.99, name


def test_bad_ratings_are_named() -> None:
    rng = np.random.default_rng(0)
    for ratings, options, message in (
        ([[1], [0]], {}, "2 or more raters"),
        ([[1, 2]], {}, "0 to 1"),
        ([[1, 1]], {"categories": 1}, "0 to 0"),
        ([[1, 1]], {"clusters": [1, 2]}, "cluster labels"),
        ([[1, 1]], {"level": 2}, "level"),
    ):
        with pytest.raises(BadInput, match=message):
            agreement(np.array(ratings), rng, **options)
