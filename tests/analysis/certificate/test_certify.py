"""Certificates where training is counted: by hand, of a real run, and what is refused."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from scipy.stats import binomtest

from unparrot.analysis.certificate.certify import certify, standing_certificate, write_certificate
from unparrot.analysis.certificate.claims import Certificate
from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination
from unparrot.report.words.certificate_words import (
    assumptions,
    evidence_table,
    model_sentences,
    verdict_grid,
    verdict_sentence,
)

OPEN = Mark.unscored("cut off")
MARK = {"1": EARNED, "0": MISSED, "?": OPEN}


def texts_of(
    model: str,
    k: int,
    full: str,
    trained: str | None = None,
    decoding: str = "greedy",
    sample: int = 0,
) -> list[GradedText]:
    """One text a letter: with full marks (1), without (0), open (?); trained: 1 where shown."""
    skills = tuple(f"skill {i}" for i in range(k))
    return [
        GradedText(
            SkillCombination(f"topic {i}", skills),
            "words",
            dict.fromkeys((*skills, "topic", "sense"), EARNED) | {"length": MARK[letter]},
            model,
            "seen",
            decoding,
            sample,
            None if trained is None else int(trained[i]),
        )
        for i, letter in enumerate(full)
    ]


def run_of(
    folder: Path, texts: Sequence[GradedText], kinds: Mapping[str, str] | None = None
) -> Path:
    run = RunFolder(folder)
    run.write_graded(texts)
    if kinds is not None:
        run.write_table("models", pl.DataFrame({"name": list(kinds), "kind": list(kinds.values())}))
    return folder


def row_of(certificate: Certificate, model: str, k: int) -> Any:
    (row,) = (r for r in certificate.rows if (r.model, r.k) == (model, k))
    return row


def exact(successes: int, n: int, miss: float, side: str) -> float:
    interval = binomtest(successes, n, alternative=side).proportion_ci(1 - miss, "exact")
    return interval.low if side == "greater" else interval.high


KINDS = {"m": "transformer", "p": "parrot", "q": "parrot"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """40 combinations of 2 skills, 10 shown in training; 24, 1 and 0 of the others succeed."""
    trained = "1" * 10 + "0" * 30
    texts = texts_of("m", 2, "1" * 34 + "0" * 6, trained)
    texts += texts_of("p", 2, "1" * 11 + "0" * 29, trained)
    texts += texts_of("q", 2, "1" * 10 + "0" * 30, trained)
    return run_of(tmp_path / "run", texts, KINDS)


def test_hand_worked(run: Path) -> None:
    certificate = certify(run)
    row = row_of(certificate, "m", 2)
    found = row.evidence
    # 3 claims share one half of 5 %, 2 controls the other
    lower = exact(24, 30, 0.025 / 3, "greater")
    luck = exact(1, 30, 0.025 / 2, "less")
    assert (row.combinations, row.shown_in_training, found.combinations) == (40, 10, 30)
    assert (found.B, found.full_marks) == (0.0, 0.8)
    assert found.a_lo == pytest.approx(lower)
    assert found.slip == found.slip_measured == found.bound == pytest.approx(luck)
    assert found.slip_of == "p"
    assert row.verdict == "shown"
    assert found.new_at_least == pytest.approx(1 - luck / lower)
    assert pytest.approx((lower - luck) / (1 - luck)) == row.robustness.B
    assert row.robustness.slip == pytest.approx(lower)
    assert row.robustness.rho is None
    # a parrot is left out of its own measure
    assert row_of(certificate, "p", 2).evidence.slip_of == "q"
    assert row_of(certificate, "q", 2).evidence.slip_of == "p"
    assert [r.verdict for r in certificate.rows] == ["shown", "not shown", "not shown"]
    assert verdict_sentence(certificate) == (
        "Beyond parrot is shown, with 95 % confidence in all 3 claims at once, for m at k = 2."
    )
    assert certificate.terms.error_of_a_claim == pytest.approx(0.025 / 3)


def test_it_holds_plain_data_and_repeats_to_the_last_digit(run: Path) -> None:
    first, second = certify(run), certify(run)
    assert first == second
    path = write_certificate(run, first)
    assert path == run / "certificate.json"
    text = path.read_text()
    assert msgspec.json.decode(text, type=Certificate) == first
    assert write_certificate(run, second).read_text() == text
    for table in (verdict_grid(first), evidence_table(first)):
        assert all(isinstance(cell, str) for row in table.rows for cell in row)
        assert {len(row) for row in table.rows} == {len(table.head)}
    assert "parrot" not in {row.verdict for row in first.rows}


def test_hashes_are_those_of_the_tables_and_the_manifest(run: Path) -> None:
    import hashlib

    assert certify(run).hashes["pack"] is None  # no manifest: not named, not made up
    RunFolder(run).write_manifest(
        {key: {} for key in ("spec", "command", "seed", "versions", "timings", "machine")}
        | {"digests": {"pack": "ab" * 32, "corpus": "cd" * 32}}
    )
    hashes = certify(run).hashes
    assert (hashes["pack"], hashes["corpus"]) == ("ab" * 32, "cd" * 32)
    for name in ("texts", "graded", "models"):
        content = (run / f"{name}.parquet").read_bytes()
        assert hashes[f"{name}.parquet"] == hashlib.sha256(content).hexdigest()


def test_luck_is_granted_however_little_was_measured(tmp_path: Path) -> None:
    trained, n = "0" * 600, 600
    texts = texts_of("m", 2, "1" * 60 + "0" * 540, trained)
    texts += texts_of("p", 2, "0" * n, trained)
    texts += texts_of("q", 2, "1" * 15 + "0" * 585, trained)
    run = run_of(tmp_path, texts, KINDS)
    found = row_of(certify(run), "q", 2).evidence
    assert found.slip == 0.05 > found.slip_measured
    # without it, the only other control would not do: a splicer is luckier than an n-gram
    strict = certify(run, slip=0.0)
    assert row_of(strict, "q", 2).verdict == "shown"
    assert row_of(certify(run), "q", 2).verdict == "not shown"
    assert row_of(certify(run), "m", 2).verdict == "shown"
    assert row_of(certify(run, slip=0.2), "m", 2).verdict == "not shown"
    assert any("5 % is granted" in said for said in assumptions(certify(run)))


def test_without_controls_luck_is_given_and_said_to_be(tmp_path: Path) -> None:
    run = run_of(tmp_path, texts_of("m", 2, "1" * 20, "0" * 20))
    certificate = certify(run, slip=0.1)
    found = row_of(certificate, "m", 2).evidence
    assert (found.slip, found.slip_measured, found.slip_of) == (0.1, None, None)
    assert found.a_lo == pytest.approx(0.05 ** (1 / 20))  # no half for controls
    assert any("given, not measured" in x or "granted, not measured" in x
               for x in assumptions(certificate))  # fmt: skip
    assert any("assumed, not measured" in x for x in assumptions(certify(run, slip=0.0)))


def test_unscored_marks_count_against_the_model_and_for_luck(tmp_path: Path) -> None:
    trained = "0" * 40
    texts = texts_of("m", 2, "1" * 30 + "?" * 10, trained)
    texts += texts_of("p", 2, "0" * 30 + "?" * 10, trained)
    certificate = certify(run_of(tmp_path, texts, {"m": "transformer", "p": "parrot"}))
    found = row_of(certificate, "m", 2).evidence
    assert (found.full_marks, found.unsettled) == (0.75, 10)
    assert found.slip_measured == pytest.approx(exact(10, 40, 0.025, "less"))
    assert any("20 texts are left open" in said for said in assumptions(certificate))


def test_rounds_of_a_combination_count_once(tmp_path: Path) -> None:
    once = certify(run_of(tmp_path / "a", texts_of("m", 2, "1" * 15 + "0" * 15, "0" * 30)))
    texts = [
        text
        for sample in range(3)
        for text in texts_of("m", 2, "1" * 15 + "0" * 15, "0" * 30, sample=sample)
    ]
    thrice = certify(run_of(tmp_path / "b", texts))
    assert row_of(thrice, "m", 2).evidence.texts == 90
    assert row_of(thrice, "m", 2).evidence.combinations == 30
    first, second = (row_of(c, "m", 2).evidence.a_lo for c in (once, thrice))
    assert 0.8 * first < second < first
    assert any("taken as one mean" in said for said in assumptions(thrice))


def test_what_has_no_evidence_is_named_and_takes_no_error(tmp_path: Path) -> None:
    texts = texts_of("m", 1, "1" * 20, "1" * 20)  # all shown in training
    texts += texts_of("m", 2, "1" * 20, "0" * 20)
    texts += texts_of("m", 3, "1", "0")  # a single combination
    texts += texts_of("m", 4, "??", "00")
    texts += texts_of("n", 2, "1" * 20, "0" * 20)
    certificate = certify(run_of(tmp_path, texts))
    reasons = {(r.model, r.k): r.reason for r in certificate.rows if r.reason}
    assert reasons == {
        ("m", 1): "training showed every combination that was tested",
        ("m", 3): "a single combination was tested",
        ("m", 4): "unscored marks leave every text open",
        ("n", 1): "no texts of this k",
        ("n", 3): "no texts of this k",
        ("n", 4): "no texts of this k",
    }
    # marks that are open must not change how many share the error
    assert certificate.terms.claims == 3
    assert all(r.evidence is None for r in certificate.rows if r.reason)


def test_nothing_to_claim_is_said(tmp_path: Path) -> None:
    certificate = certify(run_of(tmp_path, texts_of("m", 1, "1" * 20, "1" * 20)))
    assert verdict_sentence(certificate).startswith("Nothing could be claimed")
    assert model_sentences(certificate) == [
        "m: not shown at any k: training showed every combination that was tested."
    ]
    assert certificate.terms.error_of_a_claim is None


def test_greedy_texts_count_unless_another_decoding_is_named(tmp_path: Path) -> None:
    texts = texts_of("m", 2, "1" * 20, "0" * 20)
    texts += texts_of("m", 2, "0" * 20, "0" * 20, decoding="t0.7")
    run = run_of(tmp_path / "a", texts)
    assert certify(run).terms.decoding == "greedy"
    assert row_of(certify(run, decoding="t0.7"), "m", 2).evidence.full_marks == 0
    warm = texts_of("m", 2, "1" * 20, "0" * 20, decoding="t0.7")
    assert certify(run_of(tmp_path / "b", warm)).terms.decoding == "t0.7"
    both = [*warm, *texts_of("m", 2, "1" * 20, "0" * 20, decoding="t1")]
    for options in ({}, {"decoding": "greedy"}):
        with pytest.raises(BadInput, match=r"t0\.7, t1; name one of these with --decoding"):
            certify(run_of(tmp_path / "c", both), **options)


Change = Callable[[Path], object]


@pytest.mark.parametrize(
    ("texts", "kinds", "message"),
    [
        (texts_of("m", 2, "11"), None, r"2 of 2 texts have no trained_count.*--rates FILE"),
        (texts_of("m", 2, "1", "0"), None, "tests a single combination"),
        (texts_of("m", 2, "??", "00"), None, "unscored marks leave every one of the 2 texts"),
        (texts_of("m", 2, "11", "00") + texts_of("n", 2, "11", "00"), {"m": "parrot"},
         "does not list n"),
        (texts_of("m", 2, "11", "00") + texts_of("p", 2, "111", "000"),
         {"m": "transformer", "p": "parrot"}, "'p' and 'm' were asked for different"),
        (texts_of("m", 2, "11", "00") + texts_of("m", 2, "11", "01", sample=1), None,
         "different counts of training"),
    ],
)  # fmt: skip
def test_runs_that_cannot_be_certified_are_refused(
    tmp_path: Path, texts: list[GradedText], kinds: Mapping[str, str] | None, message: str
) -> None:
    run = run_of(tmp_path, texts, kinds)
    with pytest.raises(BadInput, match=message):
        certify(run)


def test_an_empty_run_and_options_out_of_range(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no texts"):
        certify(run_of(tmp_path / "empty", []))
    for options, message in (
        ({"slip": 1.0}, "slip is a share"),
        ({"level": 0.5}, "level must be"),
        ({"rho": 2.0}, "says nothing without rates"),
        ({"windows": 1e6}, "go together"),
        ({"rates": (tmp_path / "r.csv",)}, "go together"),
        ({"rates": (tmp_path / "r.csv",), "windows": 1e6}, "certify it without --rates"),
    ):
        with pytest.raises(BadInput, match=message):
            certify(run, **options)


def test_the_standing_certificate_is_the_one_that_was_written(run: Path) -> None:
    assert standing_certificate(run) == certify(run)
    chosen = certify(run, slip=0.3)
    write_certificate(run, chosen)
    assert standing_certificate(run) == chosen
    # made of other tables, it no longer stands
    run_of(run, texts_of("m", 2, "1" * 20, "0" * 20), {"m": "transformer"})
    assert standing_certificate(run) == certify(run)
    run_of(run, texts_of("m", 2, "1" * 20), {"m": "transformer"})
    assert standing_certificate(run) is None
    for text, message in (
        ("{", r"certificate\.json is not what it should be .* or delete the file"),
        ('{"rows": []}', r"certificate\.json was made by an older version: run `unparrot certify"),
    ):
        (run / "certificate.json").write_text(text)
        with pytest.raises(BadInput, match=message):
            standing_certificate(run)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The greedy marks of a real run of the lab, written by write_demo_marks.py."""
    texts: list[GradedText] = []
    kinds: dict[str, str] = {}
    for line in Path(__file__).with_name("demo_marks.txt").read_text().splitlines():
        model, kind, k, digits = line.split()
        kinds[model] = kind
        full = "".join("1" if int(d) & 2 else "0" for d in digits)
        trained = "".join("1" if int(d) & 1 else "0" for d in digits)
        texts += texts_of(model, int(k), full, trained)
    return run_of(tmp_path_factory.mktemp("demo"), texts, kinds)


def test_the_transformers_of_the_lab_are_certified_and_its_parrots_never(demo: Path) -> None:
    for level in (0.95, 0.8):
        shown: dict[str, list[int]] = {}
        for row in certify(demo, level=level).rows:
            shown.setdefault(row.model, []).extend([row.k] * (row.verdict == "shown"))
        assert shown["463k"] == shown["139k"] == [1, 2, 3, 4, 5, 6]
        assert shown["25k"] == [1, 2, 3, 4, 5]
        assert shown["9k"] == [1]
        assert shown["n-gram"] == shown["splice"] == []
    # and not for what is granted alone: the controls measure less than 5 % from k = 2 on
    strict = certify(demo, slip=0.0)
    assert {r.verdict for r in strict.rows if r.kind == "parrot"} == {"not shown"}
    best = row_of(certify(demo), "463k", 3).evidence
    assert (best.combinations, round(best.full_marks, 4)) == (600, 0.9917)
    assert best.new_at_least > 0.94
