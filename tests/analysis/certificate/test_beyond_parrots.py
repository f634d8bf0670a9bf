"""Models against named parrots: by hand, by unit, by kind of novelty, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from unparrot.analysis.certificate.beyond_parrots import ParrotClaim, limits_over_best
from unparrot.analysis.certificate.certify import certify
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.report.words.certificate_words import (
    assumptions,
    evidence_table,
    rules,
    statements,
    verdict_table,
)
from unparrot.stats.bounded_mean import least_difference

TextsOf = Callable[..., list[GradedText]]
LabRun = Callable[..., Path]
PARROTS = {"p": True, "q": True}
RATES = (("m", 0.7), ("p", 0.2), ("e", 0.3))


@pytest.fixture
def run(tmp_path: Path, texts_of: TextsOf, lab_run: LabRun) -> Path:
    """40 held-out pairs: the model has 32, one parrot 4 of these, another 3 of the others."""
    texts = texts_of("m", "1" * 32 + "0" * 8)
    texts += texts_of("p", "1" * 4 + "0" * 36)
    texts += texts_of("q", "0" * 37 + "1" * 3)
    # what training showed is no evidence
    texts += [text for name in "mpq" for text in texts_of(name, "1" * 9, split="seen", trained=2)]
    return lab_run(tmp_path / "run", texts, PARROTS)


def claim_of(run: Path, model: str, k: int, split: str = "heldout_pair") -> Any:
    claims: Any = certify(run).claims
    (claim,) = (c for c in claims if (c.model, c.k, c.split) == (model, k, split))
    return claim


def test_hand_worked(run: Path) -> None:
    certificate: Any = certify(run)
    (claim,) = certificate.claims
    assert certificate.error_of_a_limit == pytest.approx(0.025)
    assert (claim.units, claim.combinations, claim.full_marks) == (40, 40, 0.8)
    margin = claim.verbatim
    assert (margin.rival, margin.rival_full_marks) == ("p", 0.1)
    assert margin.difference.value == pytest.approx(0.7)
    # the least of both limits: against q three pairs were lost
    against_p = float(least_difference([1.0] * 28 + [0.0] * 12, 0.025))
    against_q = float(least_difference([1.0] * 32 + [0.0] * 5 + [-1.0] * 3, 0.025))
    assert margin.difference.low == pytest.approx(min(against_p, against_q))
    # either may be the best in truth, so that the upper limits share the error
    upper = -float(least_difference([-1.0] * 28 + [0.0] * 12, 0.0125))
    assert margin.difference.high == pytest.approx(upper)
    assert margin.verdict == "shown"
    assert claim.editing is None
    assert statements(certificate) == [
        "Shown, with 95 % confidence, to be beyond the best of 2 named "
        "parrots copying whole stretches (p and q): m (held-out pair at k = 2)."
    ]
    assert rules(certificate) == ["p: does as p does", "q: does as q does"]


def test_the_verdict_is_the_test_of_mcnemar(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    # of discordant pairs: 12 to 2 is enough for half of 5 %, 11 to 3 is not
    for gained, lost, verdict in ((12, 2, "shown"), (11, 3, "not shown")):
        assert (binom.sf(gained - 1, gained + lost, 0.5) < 0.025) == (verdict == "shown")
        texts = texts_of("m", "1" * gained + "0" * (lost + 20))
        texts += texts_of("p", "0" * gained + "1" * lost + "0" * 20)
        run = lab_run(tmp_path / f"{gained}", texts, {"p": True})
        assert claim_of(run, "m", 2).verbatim.verdict == verdict


def test_texts_of_one_held_out_pair_count_once(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    # 24 texts with full marks, of 6 pairs in turn: as pairs they are 6
    held = [("pair", None, (f"skill {i} 0", f"skill {i} 1")) for i in range(6)]
    texts = texts_of("m", "1" * 24, pairs=6) + texts_of("p", "0" * 24, pairs=6)
    together = claim_of(lab_run(tmp_path / "a", texts, {"p": True}, held), "m", 2)
    apart = claim_of(lab_run(tmp_path / "b", texts, {"p": True}), "m", 2)
    assert (together.units, together.combinations) == (6, 24)
    assert (apart.units, apart.combinations) == (24, 24)
    low = float(least_difference([1.0] * 6, 0.025))
    assert together.verbatim.difference.low == pytest.approx(low)
    assert apart.verbatim.difference.low > low


def test_a_held_out_triple_or_topic_of_a_skill_is_a_unit_too(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    triple = ("triple", None, ("skill 0 0", "skill 0 1", "skill 0 2"))
    # on topic 0 and topic 1, where the pairs are others, one skill each is held out
    cells = [("cell", f"topic {i}", (f"skill {i} 0",)) for i in range(2)]
    texts = [text for name in "mp" for text in texts_of(name, "10" * 6, k=3, pairs=2)]
    for held, units in (([triple], 1 + 6), (cells, 12)):
        run = lab_run(tmp_path, texts, {"p": True}, held)
        assert claim_of(run, "m", 3).units == units
    again = [
        text
        for name in "mp"
        for k in (2, 3)
        for text in texts_of(name, "10" * 6, k=k, split="heldout_topic")
    ]
    # the same topic and skill at another k is a unit of that k
    run = lab_run(tmp_path, again, {"p": True}, cells)
    assert {claim.units for claim in certify(run).claims if isinstance(claim, ParrotClaim)} == {12}


def test_parrots_that_change_words_are_compared_for_themselves(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    texts = [*texts_of("m", "1" * 36 + "0" * 4), *texts_of("p", "0" * 40)]
    texts += texts_of("editor", "1" * 34 + "0" * 6)
    run = lab_run(tmp_path, texts, {"p": True, "editor": False})
    claim = claim_of(run, "m", 2)
    assert (claim.verbatim.rival, claim.verbatim.verdict) == ("p", "shown")
    assert (claim.editing.rival, claim.editing.verdict) == ("editor", "not shown")
    certificate: Any = certify(run)
    assert certificate.error_of_a_limit == pytest.approx(0.0125)
    first, second = statements(certificate)
    assert "the named parrot copying whole stretches (p): m (held-out pair at k = 2)" in first
    assert second == (
        "No trained model of this run is shown, with 95 % confidence in all 2 differences at once, "
        "to be beyond the named parrot weaving or editing them (editor)."
    )
    for table in (verdict_table(certificate), evidence_table(certificate)):
        assert {len(row) for row in table.rows} == {len(table.head)}


def test_every_model_k_and_kind_of_novelty_shares_the_error(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    cells = (("heldout_pair", 2), ("heldout_pair", 5), ("untrained_k", 5))
    texts = [
        text
        for name, full in (("m", "1" * 30), ("n", "0" * 30), ("p", "0" * 30))
        for split, k in cells
        for text in texts_of(name, full, k=k, split=split)
    ]
    certificate: Any = certify(lab_run(tmp_path, texts, {"p": True}))
    assert [(c.model, c.split, c.k) for c in certificate.claims] == [
        (name, split, k) for name in "mn" for split, k in cells
    ]
    assert certificate.error_of_a_limit == pytest.approx(0.025 / 6)
    assert statements(certificate)[0].endswith(
        ": m (held-out pair at k = 2 and 5; untrained k at k = 5)."
    )


def test_open_marks_count_against_the_model(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    texts = texts_of("m", "1" * 30 + "?" * 10) + texts_of("p", "0" * 30 + "?" * 10)
    run = lab_run(tmp_path, texts, {"p": True})
    claim = claim_of(run, "m", 2)
    assert (claim.full_marks, claim.unsettled) == (0.75, 10)
    assert claim.verbatim.rival_full_marks == 0.25
    assert claim.verbatim.difference.value == pytest.approx(0.5)
    low = float(least_difference([1.0] * 30 + [-1.0] * 10, 0.025))
    assert claim.verbatim.difference.low == pytest.approx(low)
    # had they been earned by the model alone, it would be 100 %
    assert claim.verbatim.difference.high == pytest.approx(1.0, abs=1e-6)
    assert any("leave 10 texts open" in line for line in assumptions(certify(run)))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_is_lost_helps_a_model(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    marks = {(name, i): rng.random(30) < share for name, share in RATES for i in range(2)}
    low = []
    for lost in (0.0, 0.1, 0.3):
        texts = []
        for (name, sample), full in marks.items():
            # most of what is lost would hurt: misses of the model, successes of the parrots
            hurts = full == (name != "m")
            gone = np.random.default_rng(seed + 9).random(30) < np.where(hurts, 2 * lost, lost / 2)
            letters = np.where(gone, "?", np.where(full, "1", "0"))
            texts += texts_of(name, "".join(letters), pairs=12, sample=sample)
        claim = claim_of(lab_run(tmp_path / str(lost), texts, {"p": True, "e": False}), "m", 2)
        low.append([claim.full_marks, *(m.difference.low for m in (claim.verbatim, claim.editing))])
    # what is lost first stays lost, so each row lost more than the one above
    assert (np.diff(low, axis=0) <= 1e-12).all()
    assert (np.array(low[-1]) < np.array(low[0])).all()


def test_rounds_of_a_combination_count_once(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    once = [*texts_of("m", "1" * 9 + "0" * 9), *texts_of("p", "0" * 18)]
    thrice = [
        text
        for sample in range(3)
        for name, full in (("m", "1" * 9 + "0" * 9), ("p", "0" * 18))
        for text in texts_of(name, full, sample=sample)
    ]
    first, second = (
        claim_of(lab_run(tmp_path / str(len(texts)), texts, {"p": True}), "m", 2)
        for texts in (once, thrice)
    )
    assert (first.texts, second.texts) == (18, 54)
    assert first.verbatim == second.verbatim


def test_a_parrot_equal_to_the_model_is_not_beaten_by_adding_weak_ones() -> None:
    rng = np.random.default_rng(4)
    marks = (rng.random((1, 80)) < 0.5).astype(float)
    weak = np.zeros((3, 80))
    rivals = np.concatenate([marks, weak])
    low, high = limits_over_best(np.stack([marks] * 2), np.stack([rivals] * 2), 0.025)
    assert low[0] < 0 < high[0]
    low, _ = limits_over_best(np.stack([marks] * 2), np.stack([weak] * 2), 0.025)
    assert low[0] > 0


@pytest.mark.parametrize(
    ("parrots", "change", "message"),
    [
        ({"p": False}, None, "no parrot that changes no word"),
        ({"p": True, "m": True}, None, "tests no model"),
        ({"p": True}, "fewer", "'p' and 'm' were asked for different combinations at k = 2"),
        ({"p": True}, "unnamed", "differ in the parrots x"),
    ],
)
def test_runs_without_a_comparison_are_refused(
    tmp_path: Path,
    texts_of: TextsOf,
    lab_run: LabRun,
    parrots: dict[str, bool],
    change: str | None,
    message: str,
) -> None:
    texts = texts_of("m", "11") + texts_of("p", "0" if change == "fewer" else "00")
    run = lab_run(tmp_path, texts, parrots)
    if change == "unnamed":
        models = pl.read_parquet(run / "models.parquet")
        more = pl.DataFrame({"name": ["x"], "kind": ["parrot"]})
        pl.concat([models, more], how="diagonal").write_parquet(run / "models.parquet")
    with pytest.raises(BadInput, match=message):
        certify(run)
