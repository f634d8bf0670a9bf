"""Rates from one file and from two, unusable files, and overlap against drawn corpora."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from unparrot.analysis.certificate.corpus_rates import CorpusRates, overlap, read_corpus_rates
from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination

BOTH = "kind,name,rate\nskill,irony,0.01\nskill,simile,0.02\ntopic,tea,0.005\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_one_file_or_two(tmp_path: Path) -> None:
    both = read_corpus_rates([write(tmp_path / "rates.csv", BOTH)])
    assert both == CorpusRates({"irony": 0.01, "simile": 0.02}, {"tea": 0.005})
    skills = write(tmp_path / "s.csv", "skill,rate\nirony,0.01\nsimile,0.02\n")
    topics = write(tmp_path / "t.csv", "topic,rate\ntea,5e-3\n")
    assert read_corpus_rates([topics, skills]) == both


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind,name,rate\nskill,irony,0.01\n", "no rate of a topic"),
        ("kind,name,rate\ntopic,tea,0.01\n", "no rate of a skill"),
        (BOTH + "skill,irony,0.5\n", "second rate"),
        (BOTH + "theme,war,0.5\n", "kind is skill or topic"),
        (BOTH + "skill,pun,0\n", "above 0"),
        (BOTH + "skill,pun,1.5\n", "above 0"),
        (BOTH + "skill,pun,often\n", "no number but 'often'"),
        (BOTH + "skill,,0.1\n", "no name"),
        ("name,share\nirony,0.1\n", "has the columns name,share"),
        ("skill,topic,rate\nirony,tea,0.1\n", "has the columns"),
        ("", "not CSV"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_corpus_rates([write(tmp_path / "rates.csv", text)])


def test_a_file_twice_or_not_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "rates.csv", BOTH)
    with pytest.raises(BadInput, match="second rate"):
        read_corpus_rates([path, path])
    with pytest.raises(BadInput, match="there is no file"):
        read_corpus_rates([tmp_path / "none.csv"])


def test_another_pack_is_named(tmp_path: Path) -> None:
    rates = read_corpus_rates([write(tmp_path / "rates.csv", BOTH)])
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
