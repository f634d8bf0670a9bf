"""The certificate: is a model beyond parrot, and how much of its success must be new.

    unparrot certify RUN

A *parrot* can only reproduce combinations that its training showed. On tested combinations of which
training showed a share B it can expect full marks on at most ``B + (1 - B) * slip`` of them, where
slip is the share of the others that luck or a grader's mistake lets pass. If the lower limit of
what the model earned, ``a_lo``, exceeds that bound, the model is *beyond parrot*, and at least
``1 - bound / a_lo`` of its successes are neither recall nor luck. Otherwise the verdict is 'not
shown', never 'parrot'.

Where the run says what training showed (the lab), the claim is put to the combinations that it
never showed, so B = 0 there, and slip is measured: the upper limit of the luckiest parrot of the
run on the same combinations, leaving out a parrot that is examined itself, and never less than a
granted 5 %, because a parrot that nobody tried may be luckier. Elsewhere B comes from
the rates of skills and topics in the corpus (`unparrot.theory.novelty.parrot_bound`), and slip is
given.

All limits hold together with the stated level (Bonferroni), over every model and k of the run.

References
----------
Yu et al. (2023), "Skill-Mix", section 6, for the bound; Hoeffding (1956) for the limits (see
`unparrot.stats.limits`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import polars as pl
from msgspec.structs import replace

from unparrot.analysis.certificate.claims import (
    LEAST_LUCK,
    LEVEL,
    Certificate,
    Claim,
    ClaimEvidence,
    ErrorShares,
    Robustness,
    Terms,
    judged,
    lower_limit,
    parrot_limit,
    upper_limit,
)
from unparrot.analysis.certificate.corpus_rates import CorpusRates, read_corpus_rates
from unparrot.analysis.certificate.evidence import Evidence, Examination, read_examination
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder, read_typed, write_json
from unparrot.theory.novelty.parrot_bound import CombinationSet, flip_rho, listed, parrot_bound

CERTIFICATE: Final = "certificate.json"
VERSION: Final = 2
"""Of the form of certificate.json."""
_ALL_OPEN: Final = "unscored marks leave every text open"


def certify(
    run: Path,
    *,
    rates: Sequence[Path] = (),
    windows: float | None = None,
    rho: float = 1.0,
    slip: float | None = None,
    decoding: str | None = None,
    level: float = LEVEL,
    outcomes: pl.DataFrame | None = None,
) -> Certificate:
    """Return the certificate of a run.

    Parameters
    ----------
    run
        Folder of the run.
    rates
        CSV files with the rate of every skill and topic
        (`unparrot.analysis.certificate.corpus_rates`); none if the run itself says what training
        showed.
    windows, rho
        With ``rates``: number of windows of the corpus, and how much more often skills and topic
        may meet in one than if they were independent, at least 1.
    slip
        Share in [0, 1) of texts for unseen combinations that luck or a grader's mistake may pass.
        Where parrots measure it, the larger counts. None grants `LEAST_LUCK` if the run says what
        training showed, and none with ``rates``.
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
    granted = (LEAST_LUCK if windows is None else 0.0) if slip is None else slip
    if not 0 <= granted < 1:
        raise BadInput(f"slip is a share from 0 to under 1, not {granted!r}")
    ErrorShares(1, 0, level)  # refuses a level out of range before any work
    if bool(rates) != (windows is not None):
        raise BadInput("rates and windows go together: give both --rates FILE and --windows M")
    examination = read_examination(run, decoding, outcomes)
    if windows is None:
        if rho != 1:
            raise BadInput(f"rho = {rho!r} says nothing without rates; give --rates FILE as well")
        _require_counts(run, examination)
        claims, errors = _counted(examination, granted, level)
    else:
        if not examination.without_count:
            raise BadInput(
                f"{run} says itself what training showed, and picked combinations by it, so that "
                "rates do not bound what a parrot can do there; certify it without --rates"
            )
        corpus_rates = read_corpus_rates(rates)
        claims, errors = _rated(examination, corpus_rates, windows, rho, granted, level)
    terms = Terms(
        level=level,
        decoding=examination.decoding,
        source="counted" if windows is None else "rates",
        windows=windows,
        rho=None if windows is None else rho,
        slip=granted,
        controls=examination.controls if windows is None else (),
        multiplicity="Bonferroni",
        claims=errors.claims if errors else 0,
        control_limits=errors.controls if errors else 0,
        error_of_a_claim=errors.claim if errors else None,
        error_of_a_control=errors.control if errors and errors.controls else None,
    )
    return Certificate(VERSION, tuple(claims), terms, _digests(run, rates))


def write_certificate(run: Path, certificate: Certificate) -> Path:
    """Write a certificate into the folder of its run, as ``certificate.json``; return the path."""
    write_json(run / CERTIFICATE, certificate)
    return run / CERTIFICATE


def standing_certificate(run: Path, outcomes: pl.DataFrame | None = None) -> Certificate | None:
    """Return the certificate that a summary of the run shows, or None if there can be none.

    It is that of ``certificate.json`` if it was made of these very tables (it may rest on rates
    that only a person can give), else a new one if the run says what training showed. ``outcomes``
    as for `certify`.
    """
    path = run / CERTIFICATE
    if path.is_file():
        again = f"run `unparrot certify {run}` again, or delete the file"
        written = read_typed(path, Certificate, VERSION, again)
        if all(written.hashes.get(name) == value for name, value in _digests(run).items()):
            return written
    texts = read_outcomes(run) if outcomes is None else outcomes
    return None if texts["trained_count"].null_count() else certify(run, outcomes=texts)


def _require_counts(run: Path, examination: Examination) -> None:
    if examination.without_count:
        raise BadInput(
            f"{run} does not say what training showed: {examination.without_count} of "
            f"{examination.texts} texts have no trained_count. Give the rates of skills and topics "
            "in the model's corpus with --rates FILE and the number of its windows with "
            "--windows M (and, if skills attract each other there, --rho R)"
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a claim is made of: on whom, put to which combinations (none for the ``reason``).

    ``seen`` is B, ``luck`` the upper limit of the luckiest other parrot, ``corpus`` what B was
    worked out from, if it was.
    """

    model: str
    kind: str | None
    k: int
    combinations: int
    shown_in_training: int | None
    put_to: Evidence | None
    reason: str
    seen: float = 0.0
    slip: float = 0.0
    luck: float | None = None
    luckiest: str | None = None
    spread: float = 1.0
    corpus: CombinationSet | None = None


def _counted(
    found: Examination, slip: float, level: float
) -> tuple[list[Claim], ErrorShares | None]:
    """Claims on the combinations that training never showed."""
    unseen = {key: tested.unseen() for key, tested in found.tested.items()}
    limits = _control_limits(found, unseen, level)
    drafts: list[_Draft] = []
    for model, kind, k in _every(found):
        tested, rest = found.tested.get((model, k)), unseen.get((model, k))
        others = {name: limit for (name, at), limit in limits.items() if at == k and name != model}
        luckiest = max(others, key=lambda name: others[name], default=None)
        luck = None if luckiest is None else others[luckiest]
        requested = 0 if tested is None else len(tested.ids)
        drafts.append(
            _Draft(
                model,
                kind,
                k,
                requested,
                requested - (0 if rest is None else len(rest.ids)),
                rest,
                _no_evidence(tested, rest),
                slip=max(slip, luck or 0.0),
                luck=luck,
                luckiest=luckiest,
            )
        )
    return _claims(drafts, level, len(limits))


def _control_limits(
    found: Examination, unseen: Mapping[tuple[str, int], Evidence], level: float
) -> dict[tuple[str, int], float]:
    """Upper limit of full marks of every control at every k, on combinations training never showed.

    What unscored marks leave open counts as passed.
    """
    keys = [(name, k) for name in found.controls for k in found.ks if (name, k) in unseen]
    keys = [key for key in keys if len(unseen[key].ids)]
    for name, k in keys:
        for (model, at), other in unseen.items():
            if at == k and len(other.ids) and other.ids != unseen[name, k].ids:
                raise BadInput(
                    f"the parrot {name!r} and {model!r} were asked for different combinations of "
                    f"k = {k}; ask all for the same, or luck cannot be measured"
                )
    if not keys:
        return {}
    miss = ErrorShares(1, len(keys), level).control
    return {
        key: float(upper_limit(of.best.sum(), len(of.ids), miss, of.single))
        for key, of in ((key, unseen[key]) for key in keys)
    }


def _rated(
    found: Examination, rates: CorpusRates, windows: float, rho: float, slip: float, level: float
) -> tuple[list[Claim], ErrorShares | None]:
    """Claims on all tested combinations, with B from rates."""
    for of in found.tested.values():
        rates.require(of.combinations)
    drafts: list[_Draft] = []
    for model, kind, k in _every(found):
        tested = found.tested.get((model, k))
        reason = _no_evidence(tested, tested)
        requested = 0 if tested is None else len(tested.ids)
        if tested is None or reason:
            drafts.append(_Draft(model, kind, k, requested, None, None, reason))
            continue
        corpus = listed(tested.combinations, rates.skills, rates.topics, windows)
        drafts.append(
            _Draft(
                *(model, kind, k, requested, None, tested, ""),
                seen=parrot_bound(corpus, rho).limit,
                slip=slip,
                spread=rates.overlap(tested.combinations, rho * windows),
                corpus=corpus,
            )
        )
    return _claims(drafts, level, 0)


def _every(found: Examination) -> Iterator[tuple[str, str | None, int]]:
    for model, kind in found.kinds.items():
        for k in found.ks:
            yield model, kind, k


def _no_evidence(tested: Evidence | None, put_to: Evidence | None) -> str:
    """Why nothing can be claimed, or nothing."""
    if tested is None or put_to is None:
        return "no texts of this k"
    if not len(put_to.ids):
        return "training showed every combination that was tested"
    if put_to.unsettled == put_to.texts:
        return _ALL_OPEN
    if len(put_to.ids) == 1:
        return "a single combination was tested"
    return ""


def _claims(
    drafts: Sequence[_Draft], level: float, controls: int
) -> tuple[list[Claim], ErrorShares | None]:
    # what the marks turned out to be must not change how many claims share the error
    number = sum(draft.reason in ("", _ALL_OPEN) for draft in drafts)
    errors = ErrorShares(number, controls, level) if number else None
    return [_claim(draft, errors) for draft in drafts], errors


def _claim(draft: _Draft, errors: ErrorShares | None) -> Claim:
    evidence, robustness = None, Robustness(None, None, None)
    of = draft.put_to
    if not draft.reason and errors is not None and of is not None:
        total, n = float(of.worst.sum()), len(of.ids)
        lower = float(lower_limit(total, n, errors.claim, of.single, draft.spread))
        new_at_least, robustness = judged(lower, draft.seen, draft.slip)
        if draft.corpus is not None and robustness.B is not None:
            robustness = replace(robustness, rho=flip_rho(draft.corpus, robustness.B))
        evidence = ClaimEvidence(
            combinations=n,
            texts=of.texts,
            unsettled=of.unsettled,
            full_marks=total / n,
            a_lo=lower,
            B=draft.seen,
            slip=draft.slip,
            slip_measured=draft.luck,
            slip_of=draft.luckiest,
            bound=float(parrot_limit(draft.seen, draft.slip)),
            spread=draft.spread,
            new_at_least=new_at_least,
        )
    shown = evidence is not None and evidence.new_at_least is not None
    return Claim(
        model=draft.model,
        kind=draft.kind,
        k=draft.k,
        verdict="shown" if shown else "not shown",
        reason=draft.reason or None,
        combinations=draft.combinations,
        shown_in_training=draft.shown_in_training,
        evidence=evidence,
        robustness=robustness,
    )


def _digests(run: Path, rates: Sequence[Path] = ()) -> dict[str, str | None]:
    """SHA-256 of what the certificate rests on; packs and corpus as the manifest names them."""
    digests: dict[str, str | None] = {"pack": None}
    if (run / "manifest.json").is_file():
        named = cast("dict[str, str | None] | None", RunFolder(run).read_manifest().get("digests"))
        digests |= named or {}
    tables = [run / f"{name}.parquet" for name in ("texts", "graded", "models")]
    for path in (*tables, *rates):
        if path.is_file():
            digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests
