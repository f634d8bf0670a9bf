"""Rates of another pack, and overlap against drawn corpora."""

from itertools import combinations

import numpy as np
import pytest

from unparrot.analysis.certificate.corpus_rates import CorpusRates, overlap
from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination


def test_another_pack_is_named() -> None:
    rates = CorpusRates({"irony": 0.01, "simile": 0.02}, {"tea": 0.005})
    rates.require([SkillCombination("tea", ("irony",))])
    with pytest.raises(BadInput, match=r"lack 1 of the 2 skills .* 'pun'; they may be of another"):
        rates.require([SkillCombination("tea", ("irony", "pun"))])
    with pytest.raises(BadInput, match="1 of the 1 topics"):
        rates.require([SkillCombination("war", ("irony",))])


def test_overlap_counts_topics_as_well() -> None:
    rates = CorpusRates({"irony": 0.1, "simile": 0.1}, {"tea": 0.1, "war": 0.1})
    same = [SkillCombination("tea", ("irony",)), SkillCombination("tea", ("simile",))]
    other = [SkillCombination("tea", ("irony",)), SkillCombination("war", ("simile",))]
    assert rates.overlap(same, 10.0) > rates.overlap(other, 10.0) > 1


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
    monkeypatch.setattr("unparrot.analysis.certificate.corpus_rates._CHUNK", 200)
    assert overlap(shows, np.log(np.full(9, 0.2)), 50.0) == pytest.approx(whole)
