"""The certificate in words, which a page or a terminal prints as they stand.

Lower limits are rounded down and bounds up, so that no printed figure claims more than was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from unparrot.analysis.certificate.claims import Certificate, Claim, Terms
from unparrot.analysis.certificate.evidence import PARROT
from unparrot.core.wording import NOTHING, at_least, at_most, given, listed, percent, ranges

MEANING: Final = (
    "Beyond parrot means that a model earns full marks more often than recalling what training "
    "showed, and luck on top of it, can give. 'Not shown' means that this run does not prove it; "
    "it never means that the model is a parrot."
)


class WordTable(NamedTuple):
    """A table of words, with a title and the names of its columns."""

    title: str
    head: list[str]
    rows: list[list[str]]


def _by_model(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.model, []).append(claim)
    return groups


def verdict_sentence(certificate: Certificate) -> str:
    """Return for which models and k 'beyond parrot' is shown, and with what confidence."""
    claims, terms = certificate.rows, certificate.terms
    made = sum(not claim.reason for claim in claims)
    if not made:
        return "Nothing could be claimed: no model has evidence at any k."
    shown = [
        f"{name} at k = {ranges(ks)}"
        for name, own in _by_model(claims).items()
        if (ks := [claim.k for claim in own if claim.shown])
    ]
    confidence = f"{given(terms.level)} confidence"
    if made > 1:
        confidence += f" in all {made} claims at once"
    if terms.source == "counted" and not terms.controls:
        confidence += (
            f" and {percent(terms.slip)} of luck granted, not measured: no parrot was asked"
        )
    if not shown:
        return f"Beyond parrot is not shown for any model at any k, with {confidence}."
    return f"Beyond parrot is shown, with {confidence}, for {'; '.join(shown)}."


def model_sentences(certificate: Certificate) -> list[str]:
    """Return the verdict on each model, with the largest k at which it is shown."""
    return [_model_sentence(name, own) for name, own in _by_model(certificate.rows).items()]


def _model_sentence(name: str, claims: Sequence[Claim]) -> str:
    shown = [claim for claim in claims if claim.shown]
    who = f"{name} (a parrot)" if claims[0].kind == PARROT else name
    if not shown:
        reasons = {claim.reason for claim in claims}
        why = f": {reasons.pop()}" if len(reasons) == 1 and None not in reasons else ""
        return f"{who}: not shown at any k{why}."
    ks = ranges([claim.k for claim in shown])
    return f"{who}: shown at k = {ks}. {_claim_sentence(shown[-1])}"


def _claim_sentence(claim: Claim) -> str:
    """What a claim with evidence says."""
    evidence = claim.evidence
    assert evidence is not None
    counted = claim.shown_in_training is not None
    allowed = "luck" if counted else "recall and luck"
    return (
        f"With {claim.k} {'skill' if claim.k == 1 else 'skills'} it earns full marks on "
        f"{percent(evidence.full_marks)} of {evidence.combinations} combinations"
        f"{' that training never showed' if counted else ''} (at least {at_least(evidence.a_lo)}), "
        f"{allowed} at most {at_most(evidence.bound)}: "
        f"at least {at_least(evidence.new_at_least)} of these successes are neither recall nor "
        "luck."
    )


def verdict_grid(certificate: Certificate) -> WordTable:
    """Return a table of models by k: the share that must be new, where it is shown."""
    ks = sorted({claim.k for claim in certificate.rows})
    rows: list[list[str]] = []
    for name, own in _by_model(certificate.rows).items():
        cells = [f"≥ {at_least(_new(c))}" if c.shown else c.verdict for c in own]
        rows.append([f"{name} (parrot)" if own[0].kind == PARROT else name, *cells])
    return WordTable(
        "Of the full marks, at least this share is neither recall nor luck",
        ["model", *(f"k = {k}" for k in ks)],
        rows,
    )


def _new(claim: Claim) -> float | None:
    return claim.evidence and claim.evidence.new_at_least


def evidence_table(certificate: Certificate) -> WordTable:
    """Return a table of one row a claim: its evidence, its bound and its verdict."""
    counted = certificate.terms.source == "counted"
    head = ["model", "k", "combinations"]
    head += ["shown in training", "never shown"] if counted else []
    head += ["full marks", "at least"]
    head += ["parrots' luck, at most", "bound"] if counted else ["B", "slip", "bound"]
    head += ["beyond parrot", "new, at least", "robust"]
    return WordTable(
        "Beyond parrot, model by model"
        + (", on combinations that training never showed" if counted else ""),
        head,
        [_cells(claim, counted) for claim in certificate.rows],
    )


def _cells(claim: Claim, counted: bool) -> list[str]:
    cells = [claim.model, str(claim.k), str(claim.combinations)]
    evidence = claim.evidence
    if counted:
        trained = claim.shown_in_training or 0
        share = percent(trained / claim.combinations) if trained else "0 %"
        cells += [share, str(claim.combinations - trained)]
    if evidence is None:
        empty = [NOTHING] * (4 if counted else 5)
        return [*cells, *empty, f"{claim.verdict}: {claim.reason}", NOTHING, NOTHING]
    robust = NOTHING
    if counted and claim.shown:
        robust = f"up to B = {at_least(claim.robustness.B)}"
    elif not counted and claim.robustness.rho is not None:
        robust = f"up to rho = {claim.robustness.rho:.3g}"
    return [
        *cells,
        percent(evidence.full_marks),
        at_least(evidence.a_lo),
        *map(_limit, [evidence.slip_measured] if counted else [evidence.B, evidence.slip]),
        at_most(evidence.bound),
        claim.verdict,
        NOTHING if evidence.new_at_least is None else at_least(evidence.new_at_least),
        robust,
    ]


def _limit(share: float | None) -> str:
    return NOTHING if share is None else at_most(share)


def assumptions(certificate: Certificate) -> list[str]:
    """Return what the claims rest on, a paragraph each."""
    terms = certificate.terms
    made = [claim.evidence for claim in certificate.rows if claim.evidence is not None]
    paragraphs: list[str] = []
    if terms.source == "counted":
        paragraphs.append(
            "What training showed was counted in the corpus itself: a combination was shown if "
            "some training text was made for this topic and this set of skills. Only combinations "
            "never shown count as evidence, so recall by itself gives B = 0; what cropping a text "
            "with more skills may give is luck. 'Robust' says which share of them training may "
            "have shown all the same before the verdict flips."
        )
    else:
        paragraphs.append(
            f"The corpus holds {terms.windows:g} windows, each about as long as an answer, that "
            "show every skill and topic as often as the given rates say, and skills and topic "
            f"meet at most rho = {terms.rho:g} times as often as if they were independent. "
            "The rates are taken as true; 'robust' gives the rho at which the verdict flips."
        )
        spread = max((evidence.spread for evidence in made), default=1.0)
        paragraphs.append(
            "Windows are independent, but one may hold several of the tested combinations if these "
            f"share skills: the number seen varies up to {spread:.3g} times as much as for "
            "combinations that share nothing, and the lower limits allow for that."
        )
    paragraphs.append(_luck(terms))
    paragraphs.append(
        "The combinations were drawn at random, without regard to "
        f"{'' if terms.source == 'counted' else 'what the corpus holds or '}what any model would "
        "answer; they are the independent units. "
        + (
            f"Each was asked once (texts decoded as {terms.decoding}), and the lower limits are "
            "exact for chances that need not be equal (Clopper-Pearson, Hoeffding 1956)."
            if all(evidence.texts == evidence.combinations for evidence in made)
            else f"Texts of one combination (decoded as {terms.decoding}) are taken as one mean, "
            "and the limits hold however alike they are (Bentkus 2004)."
        )
    )
    unsettled = sum(evidence.unsettled for evidence in made)
    if unsettled:
        paragraphs.append(
            f"{unsettled} texts are left open by unscored marks. They count as failures of the "
            "model that is examined, and as successes of the parrots that measure luck."
        )
    if terms.claims:
        shared = f"shared evenly by {terms.claims} lower limits"
        if terms.control_limits:
            shared = (
                f"shared by {terms.claims} lower limits, which have one half of it, and "
                f"{terms.control_limits} limits of luck, which have the other"
            )
        paragraphs.append(
            f"All limits hold at once with {given(terms.level)}: the error of "
            f"{100 * (1 - terms.level):.3g} % is {shared} ({terms.multiplicity})."
        )
    return paragraphs


def _luck(terms: Terms) -> str:
    granted = at_most(terms.slip)
    if terms.controls:
        floor = (
            f"; {granted} is granted in any case, as a parrot that nobody tried may have more"
            if terms.slip
            else ""
        )
        return (
            f"Luck is measured by the parrots of this run ({listed(terms.controls)}), asked for "
            "the same combinations and graded alike: no parrot has more of it than the upper limit "
            f"of the luckiest of these{floor}. The grader is no kinder to models than to parrots. "
            "A parrot that is examined is left out of its own measure."
        )
    if terms.slip:
        return (
            f"Luck and mistakes of the grader pass at most {granted} of the texts for combinations "
            "that training never showed: granted, not measured here."
        )
    return (
        "No text for a combination that training never showed earns full marks by luck or by a "
        "mistake of the grader: assumed, not measured. Give a rate with --slip to allow for some."
    )
