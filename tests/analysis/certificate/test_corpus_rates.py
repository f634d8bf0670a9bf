"""Rates from one file of both kinds and from two, and files that cannot be used."""

from pathlib import Path

import pytest

from unparrot.analysis.certificate.corpus_rates import CorpusRates, read_corpus_rates
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
