"""The arithmetic of a claim by hand, and the overlap of combinations against drawn corpora."""

import math
from itertools import combinations

import numpy as np
import pytest

from unparrot.analysis.certificate.claims import (
    ErrorShares,
    judged,
    lower_limit,
    overlap,
    parrot_limit,
)
from unparrot.core.errors import BadInput
from unparrot.core.wording import at_least, at_most


def test_the_bound_by_hand() -> None:
    # of 100 combinations 20 were seen; of the 80 others luck passes a tenth, 8
    assert float(parrot_limit(0.2, 0.1)) == pytest.approx(0.28)
    assert parrot_limit([0.0, 1.0], 0.3).tolist() == [0.3, 1.0]


def test_the_error_is_shared() -> None:
    shares = ErrorShares(claims=10, controls=4)
    assert shares.claim == pytest.approx(0.0025)
    assert shares.control == pytest.approx(0.00625)
    assert shares.claim * 10 + shares.control * 4 == pytest.approx(0.05)
    assert ErrorShares(1, 0, 0.9).claim == pytest.approx(0.1)
    for wrong in ((0, 0, 0.95), (1, -1, 0.95), (1, 0, 0.5), (1, 0, 1.0)):
        with pytest.raises(BadInput):
            ErrorShares(*wrong)


def test_a_claim_and_where_it_flips() -> None:
    new_at_least, robustness = judged(0.4, seen=0.1, slip=0.2)
    assert new_at_least == pytest.approx(1 - 0.28 / 0.4)
    # at the flip the bound reaches the lower limit
    assert robustness.B is not None
    assert float(parrot_limit(robustness.B, 0.2)) == pytest.approx(0.4)
    assert robustness.slip is not None
    assert float(parrot_limit(0.1, robustness.slip)) == pytest.approx(0.4)
    new_at_least, robustness = judged(0.1, seen=0.1, slip=0.1)
    assert (new_at_least, robustness.B, robustness.slip) == (None, None, None)


def test_rounds_are_not_taken_as_independent() -> None:
    once = float(lower_limit(30, 100, 0.01, single=True))
    # three rounds that repeat each other have the same mean, and may claim no more
    assert float(lower_limit(30, 100, 0.01, single=False)) < once


def names(sets: list[tuple[int, ...]], skills: int) -> np.ndarray:
    shows = np.zeros((len(sets), skills), dtype=np.bool_)
    for row, members in zip(shows, sets, strict=True):
        row[list(members)] = True
    return shows


def test_combinations_that_share_nothing_do_not_overlap() -> None:
    # rate 0.01: a window that holds one combination holds another with chance 1e-4
    shows = names([(0, 1), (2, 3), (4, 5)], 6)
    assert overlap(shows, np.log(np.full(6, 0.01)), 1e4) == pytest.approx(1 + 2e-4, rel=0.5)


def test_a_combination_twice_varies_twice_as_much() -> None:
    shows = names([(0, 1), (0, 1)], 2)
    assert overlap(shows, np.log([0.1, 0.1]), 3.0) == pytest.approx(2.0)


def test_what_is_surely_seen_does_not_vary() -> None:
    assert overlap(names([(0,), (1,)], 2), np.log([0.5, 0.5]), 1e9) == 1.0


def test_overlap_is_the_variance_of_drawn_corpora() -> None:
    # all 56 triples of 8 skills, windows drawn one by one: 6,000 corpora
    rng = np.random.default_rng(5)
    rates = np.linspace(0.15, 0.4, 8)
    sets = list(combinations(range(8), 3))
    corpora, windows = 6000, 12
    shows = rng.random((corpora, windows, 8)) < rates
    seen = np.stack([shows[:, :, list(s)].all(axis=2).any(axis=1) for s in sets], axis=1)
    chance = seen.mean(axis=0)
    measured = seen.sum(axis=1).var() / (chance * (1 - chance)).sum()
    expected = overlap(names(sets, 8), np.log(rates), float(windows))
    # the formula takes the number of windows as Poisson, which adds to the variance
    poisson = rng.poisson(windows, corpora)
    shows = rng.random((corpora, poisson.max(), 8)) < rates
    shows &= (np.arange(poisson.max()) < poisson[:, None])[:, :, None]
    seen = np.stack([shows[:, :, list(s)].all(axis=2).any(axis=1) for s in sets], axis=1)
    chance = seen.mean(axis=0)
    drawn = seen.sum(axis=1).var() / (chance * (1 - chance)).sum()
    # the standard error of a variance of 6,000 is about 2 %
    assert drawn == pytest.approx(expected, rel=0.08)
    assert 3 < measured < expected * 1.08


def test_overlap_in_blocks_is_the_overlap_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shows = names(list(combinations(range(9), 3)), 9)
    whole = overlap(shows, np.log(np.full(9, 0.2)), 50.0)
    monkeypatch.setattr("unparrot.analysis.certificate.claims._CHUNK", 200)
    assert overlap(shows, np.log(np.full(9, 0.2)), 50.0) == pytest.approx(whole)


def test_printed_limits_never_claim_more_than_was_shown() -> None:
    rng = np.random.default_rng(6)
    for share in [*rng.random(300), *10 ** rng.uniform(-9, 0, 300), 1 - 1e-7, 0.0, 1.0]:
        low, high = (float(f(float(share)).removesuffix(" %")) / 100 for f in (at_least, at_most))
        assert low <= share * (1 + 1e-12)
        assert high >= share * (1 - 1e-12)
        assert high - low <= max(1.001e-5, 0.011 * share)
    assert at_least(1 - 1e-7) != "100 %"
    assert math.isclose(float(at_most(1e-9).removesuffix(" %")), 0.001)
