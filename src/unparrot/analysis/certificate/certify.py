"""The certificate of a run: is a model beyond a parrot, and beyond which.

    unparrot certify RUN

A run of the lab says what training showed and has parrots that were put to the same test: the
certificate compares with these (`unparrot.analysis.certificate.beyond_parrots`). Of a run of
language models the corpus is known by rates at best: the certificate compares with what a parrot of
such a corpus can expect (`unparrot.analysis.certificate.beyond_bound`). The verdict is 'shown' or
'not shown', never 'parrot', and all limits of a certificate hold at once with the stated level.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import polars as pl

from unparrot.analysis.certificate.beyond_bound import BoundCertificate, claims_beyond_bound
from unparrot.analysis.certificate.beyond_parrots import (
    ParrotCertificate,
    claims_beyond_parrots,
    parrots_of,
)
from unparrot.analysis.certificate.corpus_rates import CorpusRates
from unparrot.analysis.certificate.evidence import Evidence, read_evidence
from unparrot.analysis.certificate.measured_rates import (
    RATES,
    MeasuredRates,
    read_measured,
    require_fit,
)
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder, closed_to_others, read_typed, write_json
from unparrot.theory.novelty.rates import read_rates

Certificate = ParrotCertificate | BoundCertificate

CERTIFICATE: Final = "certificate.json"
# Of the form of certificate.json.
VERSION: Final = 4
LEVEL: Final = 0.95
_TABLES: Final = ("texts", "graded", "models", "parrots", "heldout")


def certify(
    run: Path,
    *,
    skills: Path | None = None,
    topics: Path | None = None,
    rates: Path | None = None,
    windows: float | None = None,
    rho: float = 1.0,
    slip: float = 0.0,
    decoding: str | None = None,
    level: float = LEVEL,
    outcomes: pl.DataFrame | None = None,
) -> Certificate:
    """Return the certificate of a run.

    Parameters
    ----------
    run
        Folder of the run.
    skills, topics
        CSV files of the share of the corpus' windows that show each skill, and each topic
        (`unparrot.theory.novelty.rates`); None for a run of the lab.
    rates
        In place of those two: the folder, or the rates.json, of `unparrot rates sample`.
    windows, rho, slip
        With those: number of windows of the corpus; how much more often skills and topic may
        meet in one than if they were independent, at least 1; and the share in [0, 1) of texts for
        combinations that the corpus lacks that luck or a grader's mistake may pass. Measured rates
        have a rho of their own, and the number of windows of the corpus sampled.
    decoding
        Which texts; None takes the greedy ones, or those of the only decoding.
    level
        Probability that everything claimed holds, in (0.75, 1).
    outcomes
        What `unparrot.analysis.read.outcomes.read_outcomes` returns for the run; None reads it.

    Raises
    ------
    BadInput
        If the run does not hold what a certificate needs; the message says what to give.
    """
    if not 0 <= slip < 1:
        raise BadInput(f"slip is a share from 0 to under 1, not {slip!r}")
    if not 0.75 < level < 1:
        raise BadInput(f"the level must be above 0.75 and under 1, not {level!r}")
    known = [x is not None for x in (skills, topics, windows)]
    if rates is not None and (skills is not None or topics is not None or rho != 1):
        raise BadInput(
            "--rates has skills, topics and rho; leave --skills, --topics and --rho out, or --rates"
        )
    if rates is None and any(known) and not all(known):
        raise BadInput("--skills FILE, --topics FILE and --windows M go together: give all three")
    evidence = read_evidence(run, decoding, outcomes)
    _require_source(run, evidence, rates is not None or windows is not None)
    of_corpus: CorpusRates | MeasuredRates | None = None
    files: tuple[Path, ...] = ()
    if rates is not None:
        files = (rates / RATES if rates.is_dir() else rates,)
        of_corpus = read_measured(files[0])
        require_fit(of_corpus, _digests(run)["pack"], _lengths(run, evidence.decoding))
        windows = windows or of_corpus.windows
    elif skills is not None and topics is not None:
        files = (skills, topics)
        of_corpus = CorpusRates(read_rates(skills, "skill"), read_rates(topics, "topic"))
    if of_corpus is not None and windows is not None:
        claims, miss, measured = claims_beyond_bound(evidence, of_corpus, windows, rho, slip, level)
        terms = (VERSION, level, evidence.decoding, windows, None if measured else rho, slip)
        return BoundCertificate(*terms, tuple(claims), miss, _digests(run, files), measured)
    if rho != 1 or slip:
        raise BadInput(
            f"rho = {rho!r} and slip = {slip!r} say nothing without rates; give --skills FILE, "
            "--topics FILE and --windows M, too"
        )
    folder = RunFolder(run)
    parrots = parrots_of(folder)
    if not parrots:
        raise BadInput(
            f"{run} does not name its parrots (parrots.parquet), so that there is nothing to be "
            "beyond; run `unparrot demo` again"
        )
    beaten, miss = claims_beyond_parrots(folder, evidence, parrots, level)
    return ParrotCertificate(
        VERSION, level, evidence.decoding, parrots, tuple(beaten), miss, _digests(run)
    )


def _lengths(run: Path, decoding: str) -> list[int]:
    """Words of every text of a run in a decoding."""
    texts = RunFolder(run).checked_table("texts").filter(pl.col("decoding") == decoding)["text"]
    return [len(text.split()) for text in cast(list[str], texts.to_list()) if text]


def write_certificate(run: Path, certificate: Certificate, out: Path | None = None) -> Path:
    """Write a certificate as certificate.json of its run, or as ``out``; return the path."""
    path = out or run / CERTIFICATE
    write_json(path, certificate, private=closed_to_others(run) or None)
    return path


def standing_certificate(run: Path, outcomes: pl.DataFrame | None = None) -> Certificate | None:
    """Return the certificate that a summary of the run shows, or None if there can be none.

    It is that of ``certificate.json`` if it was made of these very tables (it may rest on rates
    that only a person can give), else a new one if the run says what training showed and names its
    parrots. ``outcomes`` as for `certify`.
    """
    path = run / CERTIFICATE
    if path.is_file():
        again = f"run `unparrot certify {run}` again, or delete the file"
        written = read_typed(path, Certificate, VERSION, again)
        if all(written.hashes.get(name) == value for name, value in _digests(run).items()):
            return written
    texts = read_outcomes(run) if outcomes is None else outcomes
    if texts["trained_count"].null_count() or not parrots_of(RunFolder(run)):
        return None
    return certify(run, outcomes=texts)


def _require_source(run: Path, evidence: Evidence, rated: bool) -> None:
    """Refuse rates for a run that knows its corpus, and one that does not without them."""
    if rated and evidence.counted:
        raise BadInput(
            f"{run} says itself what training showed, and picked combinations by it, so that "
            "rates do not bound what a parrot can do there; certify it without them"
        )
    if not rated and not evidence.counted:
        raise BadInput(
            f"{run} does not say what training showed. Give the rates of skills and topics in the "
            "model's corpus: measured, with --rates FOLDER of `unparrot rates sample`, or with "
            "--skills FILE and --topics FILE, and the number of its windows with --windows M (and, "
            "if skills attract each other there, --rho R)"
        )


def _digests(run: Path, rates: Sequence[Path] = ()) -> dict[str, str | None]:
    """SHA-256 of what the certificate rests on; packs and corpus as the manifest names them."""
    digests: dict[str, str | None] = {"pack": None}
    if (run / "manifest.json").is_file():
        digests |= RunFolder(run).read_manifest().digests
    for path in (*(run / f"{name}.parquet" for name in _TABLES), *rates):
        if path.is_file():
            digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests
