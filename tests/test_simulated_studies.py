"""The certificate, certified: simulated parrots pass in at most 5 % of studies, composers do.

Binomial limits at 95 % over 1,000 studies of each regime, seeded. The full tables are printed by
benchmarks/studies_certificate.py.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unparrot.analysis.certificate.corpus_rates import CorpusRates, overlap
from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.stats.bounded_mean import mean_exceeds_p
from unparrot.stats.limits import least_share

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from simulated_studies import (
    Corpus,
    LabStudy,
    RatedStudy,
    Verdicts,
    Writer,
    run_lab,
    run_rated,
)
from studies_rates import KS, TaggedStudy
from studies_rates import run as run_tagged

MIDDLE = Corpus(windows=1e5)
SMALL = Corpus(skills=12, topics=4, windows=300, kind="themes")
STUDIES = 1000


def at_most(verdicts: Verdicts) -> float:
    """Upper 95 % limit of the share of studies with a parrot certified at any k."""
    return 1 - float(least_share(verdicts.studies - verdicts.any_shown, verdicts.studies, 0.05))


PARROTS = {
    "1e3 windows": RatedStudy(Corpus(windows=1e3)),
    "1e4 windows": RatedStudy(Corpus(windows=1e4)),
    "1e6 windows": RatedStudy(Corpus(windows=1e6)),
    "attraction 8": RatedStudy(replace(MIDDLE, attraction=8.0)),
    "attraction 32, slip": RatedStudy(replace(MIDDLE, attraction=32.0), slip=0.05),
    "one k": RatedStudy(MIDDLE, ks=(4,)),
    "six k": RatedStudy(MIDDLE, ks=(1, 2, 3, 4, 5, 6), combinations=30),
    "200 combinations, slip": RatedStudy(MIDDLE, combinations=200, slip=0.02),
    "small pack": RatedStudy(SMALL, ks=(3, 4, 5)),
    "rich windows": RatedStudy(replace(SMALL, windows=60, skills_a_window=4.0), ks=(3, 4, 5)),
    "themes": RatedStudy(replace(SMALL, skills=20, topics=5, windows=2000, attraction=4.0)),
    "one theme": RatedStudy(
        Corpus(skills=48, topics=20, windows=2000, kind="themes", attraction=4.0),
        combinations=60,
        one_theme=True,
    ),
}


SLOW = ("1e6 windows", "attraction 32, slip", "200 combinations, slip")


@pytest.mark.parametrize(
    "study",
    [
        pytest.param(study, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, study in PARROTS.items()
    ],
)
def test_parrots_are_certified_in_at_most_5_percent(study: RatedStudy) -> None:
    verdicts = run_rated(study, STUDIES, seed=1)
    assert at_most(verdicts) <= 0.05
    # B is a bound on what is held, by Markov's inequality
    assert (verdicts.held <= verdicts.bound + 0.002).all()


@pytest.mark.slow
def test_parrots_with_rounds_are_certified_in_at_most_5_percent() -> None:
    # an accident repeats in every round: three texts are no three tries
    verdicts = run_rated(RatedStudy(MIDDLE, ks=(3, 4), rounds=3, slip=0.05), STUDIES, seed=2)
    assert at_most(verdicts) <= 0.05


def test_without_room_for_overlap_a_small_pack_would_fail() -> None:
    # 12 skills of which a window shows 4: one window holds many of the tested combinations
    study = replace(PARROTS["rich windows"], overlap=False)
    verdicts = run_rated(study, STUDIES, seed=1)
    assert float(least_share(verdicts.any_shown, STUDIES, 0.05)) > 0.05


def test_an_understated_attraction_or_slip_certifies_parrots() -> None:
    # what the certificate assumes it cannot find out: this is why rho* is reported
    for study in (
        RatedStudy(replace(MIDDLE, attraction=4.0), ks=(3, 4, 5), rho=1.0),
        RatedStudy(MIDDLE, slip=0.05, given_slip=0.0),
    ):
        verdicts = run_rated(study, 200, seed=3)
        assert float(least_share(verdicts.any_shown, 200, 0.05)) > 0.5


def named(strongest: Writer) -> tuple[Writer, ...]:
    return (Writer(0.01), Writer(strongest.strength / 2), strongest)


NOT_BEYOND = {
    "as strong a copier": LabStudy(Writer(0.5, units="same"), named(Writer(0.5, units="same"))),
    "a stronger copier": LabStudy(Writer(0.2), named(Writer(0.5))),
    "as lucky a guesser": LabStudy(Writer(0.05, 0.0), named(Writer(0.05, 0.0))),
    "pairs all or nothing": LabStudy(Writer(0.5, 1.0, "same"), named(Writer(0.5, 1.0, "opposite"))),
    "a parrot sure of few pairs": LabStudy(
        Writer(0.2, 0.0), named(Writer(0.2, 1.0)), units=20, cells=3
    ),
    "one text a unit": LabStudy(Writer(0.5), named(Writer(0.5)), units=200, cells=3),
}


@pytest.mark.parametrize("name", NOT_BEYOND)
def test_who_is_not_beyond_is_shown_in_at_most_5_percent(name: str) -> None:
    study = NOT_BEYOND[name]
    assert not study.is_beyond
    assert at_most(run_lab(replace(study, cells=min(study.cells, 8)), STUDIES, seed=4)) <= 0.05


def test_a_copier_stronger_than_every_named_parrot_is_beyond_them() -> None:
    study = LabStudy(Writer(0.5), named(Writer(0.1)), cells=4)
    assert study.is_beyond
    assert run_lab(study, 50, seed=5).shown.mean() > 0.98
    # and so is a composer who is as strong
    assert run_lab(replace(study, examined=Writer(0.5, 0.1)), 50, seed=5).shown.mean() > 0.98


def test_without_clusters_texts_of_one_pair_would_pass_for_many() -> None:
    # three texts a pair, which agree: each alone would count
    rng = np.random.default_rng(6)
    mine, theirs = (rng.random((2000, 30)) < 0.3 for _ in range(2))
    differences = mine.astype(float) - theirs
    apart = mean_exceeds_p(np.repeat(differences, 3, axis=1)) <= 0.025
    assert float(least_share(int(apart.sum()), 2000, 0.05)) > 0.03
    assert int((mean_exceeds_p(differences) <= 0.025).sum()) <= 0.025 * 2000


def test_power_grows_with_strength_and_combinations() -> None:
    weak, strong = (
        run_rated(RatedStudy(MIDDLE, ks=(3, 4), combinations=n, strength=q), 300, seed=7)
        for n, q in ((30, 0.1), (100, 0.3))
    )
    # k = 4, B = 1.2 %: nearly always; k = 3, B = 29 %: hardly
    assert strong.shown[:, 1].mean() > 0.99
    assert strong.shown[:, 0].mean() < 0.15
    assert weak.shown[:, 1].mean() < 0.9
    low, high = (
        run_lab(LabStudy(Writer(q, 0.1), named(Writer(0.02)), cells=4), 50, seed=8).shown.mean()
        for q in (0.1, 0.3)
    )
    assert 0.1 < low < 0.9 < 0.95 < high


def test_studies_repeat_by_seed() -> None:
    study = RatedStudy(SMALL, strength=0.2)
    first, again, other = (run_rated(study, 50, seed=s).shown for s in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).all()


def test_the_overlap_of_a_study_is_that_of_the_certificate() -> None:
    # the same numbers, by the path of `certify`
    corpus = Corpus(skills=6, topics=2, windows=50.0, skills_a_window=1.5)
    rates = CorpusRates(
        {f"s{i}": float(p) for i, p in enumerate(corpus.rates)}, {"t0": 0.5, "t1": 0.5}
    )
    sets = [(0, 1), (1, 2), (0, 5)]
    asked = [SkillCombination(f"t{i % 2}", tuple(f"s{j}" for j in s)) for i, s in enumerate(sets)]
    shows = np.zeros((3, 8), dtype=np.bool_)
    for i, s in enumerate(sets):
        shows[i, [*s, 6 + i % 2]] = True
    logs = np.log([*corpus.rates, 0.5, 0.5])
    assert rates.overlap(asked, 50.0) == pytest.approx(overlap(shows, logs, 50.0))


def test_corpora_that_cannot_be_are_refused() -> None:
    for wrong in ({"windows": 0.5}, {"windows": 1e7, "kind": "themes"}, {"attraction": 0.5}):
        with pytest.raises(BadInput):
            Corpus(**wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="the pack has 40"):
        run_rated(RatedStudy(Corpus(skills=2), ks=(1,)), 1, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["independent", "rich", "themes", "lab"])
def test_measured_rates_certify_no_parrot_and_lose_power_to_counting(kind: Any) -> None:
    # seeded; the full tables are printed by benchmarks/studies_rates.py
    verdicts = run_tagged(TaggedStudy(kind), 25, 2)
    false = verdicts[:, 0, 0].any(axis=1).sum()
    # with 5 % of false certificates, 5 or more of 25 come up in 1 of 140 tests
    assert false <= 4
    measured, _, counted = verdicts[:, :, 1:].mean(axis=(0, 2))
    assert (measured <= counted + 0.1).all()
    assert counted[KS.index(6)] > 0.9
    if kind == "lab":
        assert measured[KS.index(6)] > 0.5
