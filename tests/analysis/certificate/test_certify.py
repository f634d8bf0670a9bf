"""The certificate of a run: which kind it is, its file, its version, and what is refused."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from unparrot.analysis.certificate.certify import (
    Certificate,
    certify,
    standing_certificate,
    write_certificate,
)
from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.records import RunFolder

TextsOf = Callable[..., list[GradedText]]
LabRun = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path, texts_of: TextsOf, lab_run: LabRun) -> Path:
    texts = [*texts_of("m", "1" * 30 + "0" * 10), *texts_of("p", "0" * 40)]
    return lab_run(tmp_path / "run", texts, {"p": True})


def test_it_holds_plain_data_and_repeats_to_the_last_digit(run: Path) -> None:
    first, second = certify(run), certify(run)
    assert first == second
    path = write_certificate(run, first)
    assert path == run / "certificate.json"
    text = path.read_text()
    assert msgspec.json.decode(text, type=Certificate) == first
    assert write_certificate(run, second).read_text() == text


def test_hashes_are_those_of_the_tables_and_the_manifest(run: Path) -> None:
    assert certify(run).hashes["pack"] is None  # no manifest: not named, not made up
    RunFolder(run).write_manifest(
        {key: {} for key in ("spec", "versions", "timings", "machine")}
        | {"command": "", "seed": 1, "digests": {"pack": "ab" * 32, "corpus": "cd" * 32}}
    )
    hashes = certify(run).hashes
    assert (hashes["pack"], hashes["corpus"]) == ("ab" * 32, "cd" * 32)
    for name in ("texts", "graded", "models", "parrots", "heldout"):
        content = (run / f"{name}.parquet").read_bytes()
        assert hashes[f"{name}.parquet"] == hashlib.sha256(content).hexdigest()


def test_greedy_texts_count_unless_another_decoding_is_named(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    greedy = [*texts_of("m", "1" * 20), *texts_of("p", "0" * 20)]
    warm = [*texts_of("m", "0" * 20, decoding="t0.7"), *texts_of("p", "0" * 20, decoding="t0.7")]
    run = lab_run(tmp_path / "a", [*greedy, *warm], {"p": True})
    shares: list[tuple[str, float]] = []
    for options in ({}, {"decoding": "t0.7"}):
        certificate: Any = certify(run, **options)
        shares.append((certificate.decoding, certificate.claims[0].full_marks))
    assert shares == [("greedy", 1.0), ("t0.7", 0.0)]
    assert certify(lab_run(tmp_path / "b", warm, {"p": True})).decoding == "t0.7"
    both = [*warm, *texts_of("m", "1" * 20, decoding="t1")]
    for options in ({}, {"decoding": "greedy"}):
        with pytest.raises(BadInput, match=r"t0\.7, t1; name one of these with --decoding"):
            certify(lab_run(tmp_path / "c", both, {"p": True}), **options)


def test_runs_that_cannot_be_certified_are_refused(
    tmp_path: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    for i, (texts, message) in enumerate(
        (
            ([], "has no texts"),
            (texts_of("m", "11", trained=None), "does not say what training showed.*--skills FILE"),
            (texts_of("m", "1"), "tests a single combination"),
            (texts_of("m", "??"), "unscored marks leave every one of 2 texts"),
            (
                texts_of("m", "11") + texts_of("m", "11", trained=1, sample=1),
                "different counts of training",
            ),
        )
    ):
        run = lab_run(tmp_path / str(i), texts, {"p": True})
        (run / "models.parquet").unlink()
        with pytest.raises(BadInput, match=message):
            certify(run)


def test_options_out_of_range_are_refused(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    rates = {"skills": path, "topics": path}
    for options, message in (
        ({"slip": 1.0}, "slip is a share"),
        ({"level": 0.5}, "level must be"),
        ({"rho": 2.0}, "say nothing without rates"),
        ({"slip": 0.1}, "say nothing without rates"),
        ({"windows": 1e6}, "go together"),
        (rates, "go together"),
        ({"skills": path, "windows": 1e6}, "go together"),
        (rates | {"windows": 1e6}, "certify it without them"),
    ):
        with pytest.raises(BadInput, match=message):
            certify(run, **options)


def test_the_standing_certificate_is_the_one_that_was_written(
    run: Path, texts_of: TextsOf, lab_run: LabRun
) -> None:
    assert standing_certificate(run) == certify(run)
    chosen = certify(run, level=0.9)
    write_certificate(run, chosen)
    assert standing_certificate(run) == chosen
    # made of other tables, it no longer stands
    lab_run(run, [*texts_of("m", "1" * 20), *texts_of("p", "0" * 20)], {"p": True})
    assert standing_certificate(run) == certify(run)
    for text, message in (
        ("{", r"certificate\.json is not what it should be .* or delete the file"),
        ('{"rows": []}', r"certificate\.json was made by an older version: run `unparrot certify"),
        ('{"version": 2}', r"certificate\.json was made by an older version"),
    ):
        (run / "certificate.json").write_text(text)
        with pytest.raises(BadInput, match=message):
            standing_certificate(run)


def test_a_run_that_names_no_parrots_has_no_certificate(run: Path) -> None:
    (run / "parrots.parquet").unlink()
    assert standing_certificate(run) is None
    with pytest.raises(BadInput, match=r"does not name its parrots.*unparrot demo"):
        certify(run)
