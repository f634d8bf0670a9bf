"""Certificates from the rates of a corpus: B by hand, the rho that flips, and other packs."""

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from unparrot.analysis.certificate.certify import certify
from unparrot.analysis.certificate.claims import Certificate
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.report.words.certificate_words import assumptions, model_sentences

SKILLS = tuple(f"s{i}" for i in range(9))
TOPICS = ("tea", "war", "sewing")
RATE = {name: 0.02 / (i + 1) for i, name in enumerate(SKILLS)}
ABOUT = {"tea": 0.01, "war": 0.02, "sewing": 0.005}
ASKED = {
    k: [SkillCombination(t, s) for t in TOPICS for s in combinations(SKILLS, k)][:n]
    for k, n in ((2, 100), (3, 200))
}
WINDOWS = 1e7


@pytest.fixture
def rates(tmp_path: Path) -> tuple[Path, ...]:
    lines = ["kind,name,rate", *(f"skill,{name},{rate!r}" for name, rate in RATE.items())]
    lines += [f"topic,{name},{rate!r}" for name, rate in ABOUT.items()]
    path = tmp_path / "rates.csv"
    path.write_text("\n".join(lines) + "\n")
    return (path,)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A model that succeeds on every fifth combination of 3 skills, and on all of 2."""
    folder = RunFolder(tmp_path / "run")
    folder.write_graded(
        [
            GradedText(
                c,
                "",
                dict.fromkeys((*c.skills, "topic", "sense"), EARNED)
                | {"length": EARNED if k == 2 or i % 5 == 0 else MISSED},
                "m",
                "random",
                "t0.7",
                0,
                None,
            )
            for k, asked in ASKED.items()
            for i, c in enumerate(asked)
        ]
    )
    return folder.path


def bound(k: int, rho: float) -> float:
    """B, straight from its definition."""
    expected = [
        rho * WINDOWS * ABOUT[c.topic] * math.prod(RATE[s] for s in c.skills) for c in ASKED[k]
    ]
    return sum(min(1.0, x) for x in expected) / len(expected)


def evidence(certificate: Certificate, k: int) -> Any:
    return next(row for row in certificate.rows if row.k == k)


def test_B_is_the_capped_mean_of_the_tested_combinations(run: Path, rates: Any) -> None:
    for rho in (1.0, 3.0):
        certificate = certify(run, rates=rates, windows=WINDOWS, rho=rho)
        for k in (2, 3):
            found = evidence(certificate, k).evidence
            assert pytest.approx(bound(k, rho), rel=1e-9) == found.B
            assert found.bound == pytest.approx(found.B)
            assert found.slip == 0
    assert 0.01 < bound(3, 1.0) < 0.1 < bound(2, 1.0) < 1  # the cap bites at k = 2 only


def test_the_limit_is_that_of_the_effective_sample(run: Path, rates: Any) -> None:
    found = evidence(certify(run, rates=rates, windows=WINDOWS), 3).evidence
    assert (found.full_marks, found.combinations) == (0.2, 200)
    # two claims share 5 %; small combinations of few skills overlap a little
    exact = binomtest(40, 200, alternative="greater").proportion_ci(0.975, "exact").low
    assert 1 < found.spread < 1.5
    assert exact * 0.9 < found.a_lo < exact


def test_the_verdict_flips_at_the_rho_that_is_told(run: Path, rates: Any) -> None:
    windows = WINDOWS / 4
    for k in (2, 3):
        row = evidence(certify(run, rates=rates, windows=windows), k)
        flips = row.robustness.rho
        assert flips > 1.2
        assert bound(k, flips / 4) == pytest.approx(row.evidence.a_lo, rel=1e-6)
        assert pytest.approx(row.evidence.a_lo) == row.robustness.B
        below, above = (
            evidence(certify(run, rates=rates, windows=windows, rho=flips * x), k).verdict
            for x in (0.9, 1.1)
        )
        assert (below, above) == ("shown", "not shown")
    # nothing is shown at rho = 1 of a hundred times the windows, so nothing flips
    row = evidence(certify(run, rates=rates, windows=WINDOWS * 100), 3)
    assert (row.verdict, row.robustness.rho) == ("not shown", None)


def test_slip_adds_to_the_bound(run: Path, rates: Any) -> None:
    certificate = certify(run, rates=rates, windows=WINDOWS, slip=0.04)
    row = evidence(certificate, 3)
    b = bound(3, 1.0)
    assert row.evidence.bound == pytest.approx(b + (1 - b) * 0.04)
    assert row.evidence.new_at_least == pytest.approx(1 - row.evidence.bound / row.evidence.a_lo)
    assert any("pass at most 4 %" in said for said in assumptions(certificate))
    plain = certify(run, rates=rates, windows=WINDOWS)
    assert any("assumed, not measured" in said for said in assumptions(plain))
    assert row.robustness.rho < evidence(plain, 3).robustness.rho


def test_it_says_of_which_corpus_it_speaks(run: Path, rates: Any) -> None:
    certificate = certify(run, rates=rates, windows=WINDOWS, rho=2.0)
    assert certificate.terms.source == "rates"
    assert (certificate.terms.windows, certificate.terms.rho) == (1e7, 2.0)
    assert certificate.hashes["rates.csv"] is not None
    assert "1e+07 windows" in assumptions(certificate)[0]
    assert "rho = 2" in assumptions(certificate)[0]
    assert "recall and luck at most" in model_sentences(certificate)[0]


def test_the_corpus_of_gpt_4_by_the_rates_of_yu_et_al(tmp_path: Path) -> None:
    # Yu et al. (2023, section 6): B about 0.07 at k = 5, and 12 % of 100 combinations
    skills = [f"s{i}" for i in range(50)]
    asked = [
        SkillCombination(f"t{i}", tuple(skills[(i + j * j) % 50] for j in range(5)))
        for i in range(100)
    ]
    folder = RunFolder(tmp_path / "run")
    folder.write_graded(
        [
            GradedText(
                c,
                "",
                dict.fromkeys((*c.skills, "topic", "sense"), EARNED)
                | {"length": EARNED if i < 12 else MISSED},
                *("gpt-4", "random", "t0.7", 0, None),
            )
            for i, c in enumerate(asked)
        ]
    )
    path = tmp_path / "rates.csv"
    lines = [f"skill,{name},0.0144" for name in skills]
    lines += [f"topic,t{i},0.0022" for i in range(100)]
    path.write_text("kind,name,rate\n" + "\n".join(lines) + "\n")
    row = evidence(certify(folder.path, rates=(path,), windows=5e10), 5)
    assert pytest.approx(0.0681, abs=1e-4) == row.evidence.B
    # 12 of 100 is just enough at 95 % in one test, and would not be in two
    assert row.evidence.a_lo == pytest.approx(0.0707, abs=2e-4)
    assert row.verdict == "shown"
    assert row.robustness.rho == pytest.approx(0.0707 / 0.0681, abs=0.01)


def test_rates_of_another_pack_are_refused(run: Path, rates: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("kind,name,rate\nskill,pun,0.1\ntopic,tea,0.1\n")
    with pytest.raises(BadInput, match="9 of the 9 skills"):
        certify(run, rates=(other,), windows=WINDOWS)
    with pytest.raises(BadInput, match="rho"):
        certify(run, rates=rates, windows=WINDOWS, rho=0.5)
    with pytest.raises(BadInput, match="window"):
        certify(run, rates=rates, windows=0.1)
