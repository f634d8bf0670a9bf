"""Rates measured on a tagged sample: corrected by labels, and what a certificate makes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from unparrot.analysis.certificate.beyond_bound import BoundCertificate
from unparrot.analysis.certificate.certify import certify
from unparrot.analysis.certificate.measured_rates import (
    Attraction,
    MeasuredRates,
    attractions,
    measure,
)
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText
from unparrot.core.records import RunFolder, write_json
from unparrot.core.skills import SkillCombination
from unparrot.core.tables import GRADES_SCHEMA, TAGS_SCHEMA
from unparrot.report.words.certificate_words import assumptions, evidence_table, statements
from unparrot.stats.misclassified import JudgeErrors

SKILLS = tuple(f"s{i}" for i in range(12))
TOPICS = ("tea", "war", "ice")
RATES = np.linspace(0.02, 0.25, len(SKILLS))
ABOUT = np.array([0.02, 0.01, 0.05])
WINDOWS, LABELLED = 3000, 300
SENSITIVITY, SPECIFICITY = 0.85, 0.95


def tagged_sample(
    folder: Path, *, rich: float = 0.0, labels: int = LABELLED, seed: int = 1
) -> NDArray[np.bool_]:
    """Write a sample whose skills, and tagger, are known; returns what windows show."""
    rng = np.random.default_rng(seed)
    factor = np.exp(rich * rng.normal(size=(WINDOWS, 1)) - rich**2 / 2)
    shown = rng.random((WINDOWS, len(SKILLS))) < RATES * factor
    about = rng.random((WINDOWS, len(TOPICS))) < ABOUT * factor
    tags = np.where(
        shown, rng.random(shown.shape) < SENSITIVITY, rng.random(shown.shape) >= SPECIFICITY
    )
    rows: list[tuple[Any, ...]] = [
        (w, "skill", SKILLS[s], "openai/t", int(tags[w, s]), int(not tags[w, s]))
        for w in range(WINDOWS)
        for s in range(len(SKILLS))
    ]
    rows += [(w, "topic", TOPICS[t], "words", 1, 0) for w, t in np.argwhere(about).tolist()]
    RunFolder(folder).write_table("tags", pl.DataFrame(rows, TAGS_SCHEMA, orient="row"))
    if labels:
        marks = [
            (
                f"{w}.0",
                SKILLS[s],
                "skill",
                "person:ada",
                "person",
                "corpus",
                1,
                "earned" if shown[w, s] else "missed",
                "",
            )
            for w in range(labels)
            for s in range(len(SKILLS))
        ]
        RunFolder(folder).write_table("labels", pl.DataFrame(marks, GRADES_SCHEMA, orient="row"))
    counts = dict(zip(TOPICS, about.sum(axis=0).tolist(), strict=True))
    write_json(folder / "sample.json", {
        "version": 1, "pack": "p" * 64, "corpus": "c" * 64, "words": 30, "windows": 1e6,
        "sampled": WINDOWS, "taggers": ["openai/t"], "rounds": 1, "skills": SKILLS,
        "topics": counts, "counted": WINDOWS,
    })  # fmt: skip
    return shown


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """A run of one model that earns full marks throughout, of texts with so many words."""

    def make(words: int = 20, pack: str = "p" * 64) -> Path:
        rng = np.random.default_rng(5)
        asked = {
            k: {SkillCombination(TOPICS[i % 3], tuple(rng.choice(SKILLS, k, False).tolist()))
                for i in range(60)}
            for k in (3, 5)
        }  # fmt: skip
        folder = RunFolder(tmp_path / "run")
        folder.write_graded([
            GradedText(c, "tea " * words, dict.fromkeys((*c.skills, "topic", "sense"), EARNED)
                       | {"length": EARNED if i % 10 else MISSED}, "m", "random", "t0.7", 0, None)
            for k in asked for i, c in enumerate(sorted(asked[k], key=lambda c: c.id))
        ])  # fmt: skip
        folder.write_manifest({
            "spec": {}, "command": "unparrot eval run", "seed": 1, "versions": {},
            "digests": {"pack": pack}, "timings": {}, "machine": {},
        })  # fmt: skip
        return folder.path

    return make


def test_rates_are_put_right_by_labels(tmp_path: Path) -> None:
    shown = tagged_sample(tmp_path)
    rates = measure(tmp_path)
    labelled = shown[:LABELLED]
    assert rates.errors is not None
    assert rates.errors.present == labelled.sum()
    assert rates.errors.absent == (~labelled).sum()
    assert rates.by == "person:ada"
    raw = measure_without_labels(tmp_path)
    for rate, tagged, true in zip(rates.skills, raw.skills, RATES, strict=True):
        assert rate.rate.low is not None
        assert rate.rate.high is not None
        assert rate.rate.low <= true <= rate.rate.high
        assert tagged.rate.value == rate.marked / WINDOWS
    # false tags make rare skills look common
    assert raw.skills[0].rate.low is not None
    assert raw.skills[0].rate.low > 2 * RATES[0]
    limits = rates.at_most(0.025)
    assert (RATES <= list(limits.skills.values())).all()  # noqa: SIM300
    assert (ABOUT <= list(limits.topics.values())).all()  # noqa: SIM300
    with pytest.raises(BadInput, match=r"person:bo has labelled no window .* person:ada has"):
        measure(tmp_path, "person:bo")


def measure_without_labels(folder: Path) -> MeasuredRates:
    kept = (folder / "labels.parquet").read_bytes()
    (folder / "labels.parquet").unlink()
    try:
        return measure(folder)
    finally:
        (folder / "labels.parquet").write_bytes(kept)


def test_attraction_of_planted_windows() -> None:
    rng = np.random.default_rng(3)
    rich, n = 0.5, 40_000
    factor = np.exp(rich * rng.normal(size=(n, 1)) - rich**2 / 2)
    shown = rng.random((n, 12)) < RATES / 2 * factor
    about = rng.random((n, 3)) < ABOUT * factor
    # log-normal richness: exp(variance) for a pair, its cube for a triple, as assumed
    pairs, topic, triples = attractions(shown, about, None, rng)
    true = np.exp(rich**2)
    for attraction, value in ((pairs, true), (topic, true), (triples, 1.0)):
        estimate = attraction.estimate(n, 0.999)
        assert estimate is not None
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < value < estimate.high
    # random errors dilute what meets; with their share known it comes back
    tags = np.where(shown, rng.random(shown.shape) < SENSITIVITY,
                    rng.random(shown.shape) >= SPECIFICITY)  # fmt: skip
    diluted = attractions(tags, about, None, rng)[0]
    corrected = attractions(tags, about, JudgeErrors(850, 1000, 19_000, 20_000), rng)[0]
    assert diluted.ratio is not None
    assert corrected.ratio is not None
    assert diluted.ratio < 1.2 < true
    assert corrected.ratio == pytest.approx(true, rel=0.1)


def test_skills_that_never_meet_leave_any_attraction_possible() -> None:
    rng = np.random.default_rng(4)
    nothing = np.zeros((100, 3), dtype=np.bool_)
    pairs, topic, _ = attractions(nothing, nothing, None, rng)
    assert pairs == topic == Attraction(None, None)
    assert pairs.at_most(0.01) is None


def test_a_certificate_by_measured_rates(tmp_path: Path, run: Callable[..., Path]) -> None:
    tagged_sample(tmp_path / "rates", rich=0.3)
    write_json(tmp_path / "rates/rates.json", measure(tmp_path / "rates"))
    folder = run()
    certificate = certify(folder, rates=tmp_path / "rates")
    assert isinstance(certificate, BoundCertificate)
    terms = certificate.measured
    assert terms is not None
    assert certificate.rho is None
    assert certificate.windows == 1e6
    # half of the error each, and the evidence's half by two claims
    assert terms.error == pytest.approx(0.025)
    assert certificate.error_of_a_limit == pytest.approx(0.0125)
    assert "rates.json" in certificate.hashes
    for claim in certificate.claims:
        assert claim.rho is not None
        assert terms.pairs is not None
        assert terms.topic is not None
        expected = terms.pairs ** (claim.k * (claim.k - 1) / 2) * terms.topic**claim.k
        assert claim.rho == pytest.approx(expected)
    # a small corpus holds few combinations of five; up to the size that is told
    small = certify(folder, rates=tmp_path / "rates", windows=1000)
    assert isinstance(small, BoundCertificate)
    five = small.claims[-1]
    assert five.verdict == "shown"
    assert five.flip_windows is not None
    for factor, verdict in ((0.8, "shown"), (2.0, "not shown")):
        again = certify(folder, rates=tmp_path / "rates", windows=factor * five.flip_windows)
        assert again.claims[-1].verdict == verdict  # pyright: ignore[reportAttributeAccessIssue]
    words = " ".join([*statements(small), *assumptions(small)])
    assert "3,000 windows of 30 words" in words
    assert "person:ada" in words
    assert "is assumed" in words
    assert len(evidence_table(small).head) == len(evidence_table(small).rows[0])


def test_what_does_not_fit_is_refused(tmp_path: Path, run: Callable[..., Path]) -> None:
    tagged_sample(tmp_path / "rates", labels=0)
    write_json(tmp_path / "rates/rates.json", measure(tmp_path / "rates"))
    with pytest.raises(BadInput, match=r"windows of the rates have 30 words.*--words 45"):
        certify(run(words=45), rates=tmp_path / "rates")
    with pytest.raises(BadInput, match="the rates are of the pack with SHA-256 pppp"):
        certify(run(pack="q" * 64), rates=tmp_path / "rates")
    with pytest.raises(BadInput, match="leave --skills, --topics and --rho out"):
        certify(run(), rates=tmp_path / "rates", rho=2.0)
    with pytest.raises(BadInput, match=r"there is no rates\.json"):
        certify(run(), rates=tmp_path)
