"""Certificates from the rates of a corpus: B by hand, the rho that flips, and other packs."""

import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from unparrot.analysis.certificate.beyond_bound import (
    BoundClaim,
    allowed_to_parrots,
    lower_limit,
)
from unparrot.analysis.certificate.certify import Certificate, certify
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.report.words.certificate_words import (
    assumptions,
    evidence_table,
    statements,
    verdict_table,
)

SKILLS = tuple(f"s{i}" for i in range(9))
TOPICS = ("tea", "war", "sewing")
RATE = {name: 0.02 / (i + 1) for i, name in enumerate(SKILLS)}
ABOUT = {"tea": 0.01, "war": 0.02, "sewing": 0.005}
ASKED = {
    k: [SkillCombination(t, s) for t in TOPICS for s in combinations(SKILLS, k)][:n]
    for k, n in ((2, 100), (3, 200))
}
WINDOWS = 1e7


def rate_files(folder: Path, skills: dict[str, float], topics: dict[str, float]) -> dict[str, Path]:
    files = {kind: folder / f"{kind}.csv" for kind in ("skills", "topics")}
    for (kind, path), rates in zip(files.items(), (skills, topics), strict=True):
        lines = [f"{kind.removesuffix('s')},rate", *(f"{n},{r!r}" for n, r in rates.items())]
        path.write_text("\n".join(lines) + "\n")
    return files


@pytest.fixture
def rates(tmp_path: Path) -> dict[str, Path]:
    return rate_files(tmp_path, RATE, ABOUT)


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


def claim(certificate: Certificate, k: int) -> BoundClaim:
    claims: Any = certificate.claims
    return next(claim for claim in claims if claim.k == k)


def test_what_parrots_are_allowed_by_hand() -> None:
    # of 100 combinations the corpus holds 20; of the 80 others luck passes a tenth, 8
    assert float(allowed_to_parrots(0.2, 0.1)) == pytest.approx(0.28)
    assert allowed_to_parrots([0.0, 1.0], 0.3).tolist() == [0.3, 1.0]


def test_rounds_are_not_taken_as_independent() -> None:
    once = float(lower_limit(30, 100, 0.01, single=True))
    # three rounds that repeat each other have the same mean, and may claim no more
    assert float(lower_limit(30, 100, 0.01, single=False)) < once


def test_B_is_the_capped_mean_of_the_tested_combinations(run: Path, rates: Any) -> None:
    for rho in (1.0, 3.0):
        certificate = certify(run, **rates, windows=WINDOWS, rho=rho)
        for k in (2, 3):
            found = claim(certificate, k)
            assert found.parrot_bound == pytest.approx(bound(k, rho), rel=1e-9)
            assert found.allowed == pytest.approx(found.parrot_bound)
    assert 0.01 < bound(3, 1.0) < 0.1 < bound(2, 1.0) < 1  # the cap bites at k = 2 only


def test_the_limit_is_that_of_the_effective_sample(run: Path, rates: Any) -> None:
    found = claim(certify(run, **rates, windows=WINDOWS), 3)
    assert (found.full_marks, found.combinations) == (0.2, 200)
    # two claims share 5 %; small combinations of few skills overlap a little
    exact = binomtest(40, 200, alternative="greater").proportion_ci(0.975, "exact").low
    assert 1 < found.spread < 1.5
    assert exact * 0.9 < found.full_marks_at_least < exact


def test_the_verdict_flips_at_the_rho_and_the_slip_that_are_printed(run: Path, rates: Any) -> None:
    windows = WINDOWS / 4
    for k in (2, 3):
        found = claim(certify(run, **rates, windows=windows), k)
        rho, slip = found.flip_rho, found.flip_slip
        assert rho is not None
        assert rho > 1.2
        assert slip is not None
        assert bound(k, rho / 4) == pytest.approx(found.full_marks_at_least, rel=1e-6)
        for name, flip in (("rho", rho), ("slip", slip)):
            below, above = (
                claim(certify(run, **rates, windows=windows, **{name: flip * x}), k).verdict
                for x in (0.9, 1.1)
            )
            assert (below, above) == ("shown", "not shown")
    # nothing is shown at rho = 1 of a hundred times the windows, so nothing flips
    found = claim(certify(run, **rates, windows=WINDOWS * 100), 3)
    assert (found.verdict, found.flip_rho, found.flip_slip) == ("not shown", None, None)


def test_nothing_that_is_lost_helps_a_model(run: Path, rates: Any, tmp_path: Path) -> None:
    texts = RunFolder(run).read_graded()
    rng = np.random.default_rng(3)
    order, claims = rng.random(len(texts)), []
    for lost in (0.0, 0.05, 0.2):
        folder = RunFolder(tmp_path / str(lost))
        # failures are lost first, whose loss would leave a share of successes alone
        folder.write_graded(
            replace(text, marks=text.marks | {"length": Mark.unscored("no reply")})
            if chance < lost * (1 if text.full_marks else 2)
            else text
            for text, chance in zip(texts, order, strict=True)
        )
        certificate: Any = certify(folder.path, **rates, windows=WINDOWS)
        claims.append(certificate.claims)
    for one, *others in zip(*claims, strict=True):
        for more in others:
            assert more.full_marks_at_least <= one.full_marks_at_least
            assert more.flip_slip is None or more.flip_slip <= one.flip_slip
            assert more.flip_rho is None or more.flip_rho <= one.flip_rho
            assert (more.combinations, more.texts) == (one.combinations, one.texts)
    assert sum(claim.unsettled for claim in claims[-1]) > 0


def test_slip_adds_to_what_parrots_are_allowed(run: Path, rates: Any) -> None:
    found = claim(certify(run, **rates, windows=WINDOWS, slip=0.04), 3)
    b = bound(3, 1.0)
    assert found.allowed == pytest.approx(b + (1 - b) * 0.04)
    plain = claim(certify(run, **rates, windows=WINDOWS), 3)
    assert found.flip_rho is not None
    assert plain.flip_rho is not None
    assert found.flip_rho < plain.flip_rho


def test_the_statement_names_every_assumption(run: Path, rates: Any) -> None:
    certificate: Any = certify(run, **rates, windows=WINDOWS / 4, rho=1.5, slip=0.01)
    assert (certificate.windows, certificate.rho, certificate.slip) == (2.5e6, 1.5, 0.01)
    assert certificate.hashes["skills.csv"] is not None
    (statement,) = statements(certificate)
    assert statement.startswith("If the corpus holds 2.5e+06 windows")
    for part in ("as the given rates say", "at most 1.5 times", "passes at most 1 % of the texts"):
        assert part in statement
    assert statement.endswith(
        "then full marks are shown, with 95 % confidence in all 2 claims at once, to be more "
        "frequent than a parrot of that corpus can expect, for m at k = 2 and 3."
    )
    (nothing,) = statements(certify(run, **rates, windows=WINDOWS * 1000))
    assert "not even then is it shown of any model" in nothing
    assert any("'Up to rho'" in line for line in assumptions(certificate))
    for table in (verdict_table(certificate), evidence_table(certificate)):
        assert {len(row) for row in table.rows} == {len(table.head)}


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
    topics = {f"t{i}": 0.0022 for i in range(100)}
    files: Any = rate_files(tmp_path, dict.fromkeys(skills, 0.0144), topics)
    found = claim(certify(folder.path, **files, windows=5e10), 5)
    assert found.parrot_bound == pytest.approx(0.0681, abs=1e-4)
    # 12 of 100 is just enough at 95 % in one test, and would not be in two
    assert found.full_marks_at_least == pytest.approx(0.0707, abs=2e-4)
    assert found.shown
    assert found.flip_rho == pytest.approx(0.0707 / 0.0681, abs=0.01)


def test_rates_of_another_pack_are_refused(run: Path, rates: Any, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other: Any = rate_files(tmp_path / "other", {"pun": 0.1}, {"tea": 0.1})
    with pytest.raises(BadInput, match="9 of the 9 skills"):
        certify(run, **other, windows=WINDOWS)
    with pytest.raises(BadInput, match="rho"):
        certify(run, **rates, windows=WINDOWS, rho=0.5)
    with pytest.raises(BadInput, match="window"):
        certify(run, **rates, windows=0.1)
