"""The certificate in words: plain data that a page or a terminal prints as it stands.

Lower limits are rounded down and bounds up, so that no printed figure claims more than was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from unparrot.analysis.certificate.claims import Claim, Terms
from unparrot.analysis.certificate.evidence import PARROT

SHOWN, NOT_SHOWN = "shown", "not shown"
NOTHING: Final = "–"
"""What stands in a table where there is nothing to tell."""

MEANING: Final = (
    "Beyond parrot means that a model earns full marks more often than recalling what training "
    "showed, and luck on top of it, can give. 'Not shown' means that this run does not prove it; "
    "it never means that the model is a parrot."
)


def plain_certificate(claims: Sequence[Claim], terms: Terms) -> dict[str, Any]:
    """Return the certificate as plain data.

    Returns
    -------
    dict
        ``meaning``, ``verdict`` (a sentence), ``sentences`` (one a model), ``grid`` (models by k)
        and ``table`` (one row a model and k), each with ``title``, ``head`` and ``rows`` of texts,
        ``assumptions`` (sentences), ``rows`` (the figures, one a model and k, shares in [0, 1]),
        ``terms`` and ``hashes``.
    """
    errors = terms.errors
    return {
        "meaning": MEANING,
        "verdict": _verdict(claims, terms),
        "sentences": [_sentence(name, found) for name, found in _by_model(claims).items()],
        "grid": _grid(claims),
        "table": _table(claims, terms),
        "assumptions": _assumptions(claims, terms),
        "rows": [_row(claim) for claim in claims],
        "terms": {
            "level": terms.level,
            "decoding": terms.decoding,
            "source": terms.source,
            "windows": terms.windows,
            "rho": terms.rho,
            "slip": terms.slip,
            "controls": list(terms.controls),
            "multiplicity": "Bonferroni",
            "claims": errors.claims if errors else 0,
            "control_limits": errors.controls if errors else 0,
            "error_of_a_claim": errors.claim if errors else None,
            "error_of_a_control": errors.control if errors and errors.controls else None,
        },
        "hashes": dict(terms.hashes),
    }


def _row(claim: Claim) -> dict[str, Any]:
    return {
        "model": claim.model,
        "kind": claim.kind,
        "k": claim.k,
        "verdict": SHOWN if claim.shown else NOT_SHOWN,
        "reason": claim.reason or None,
        "combinations": claim.asked,
        "shown_in_training": claim.trained,
        "evidence": None
        if claim.reason
        else {
            "combinations": claim.n,
            "texts": claim.texts,
            "unsettled": claim.unsettled,
            "full_marks": claim.full_marks,
            "a_lo": claim.lower,
            "B": claim.seen,
            "slip": claim.slip,
            "slip_measured": claim.luck,
            "slip_of": claim.luckiest or None,
            "bound": claim.bound,
            "spread": claim.spread,
            "new_at_least": claim.new_at_least,
        },
        "robustness": {"B": claim.most_seen, "slip": claim.most_slip, "rho": claim.flips},
        "sentence": _claim_sentence(claim),
    }


def _by_model(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.model, []).append(claim)
    return found


def _verdict(claims: Sequence[Claim], terms: Terms) -> str:
    made = sum(not claim.reason for claim in claims)
    if not made:
        return "Nothing could be claimed: no model has evidence at any k."
    shown = [
        f"{name} at k = {_numbers([c.k for c in found if c.shown])}"
        for name, found in _by_model(claims).items()
        if any(c.shown for c in found)
    ]
    confidence = f"{100 * terms.level:g} % confidence in all {made} claims at once"
    if made == 1:
        confidence = f"{100 * terms.level:g} % confidence"
    if terms.source == "counted" and not terms.controls:
        confidence += (
            f" and {percent(terms.slip)} of luck granted, not measured: no parrot was asked"
        )
    if not shown:
        return f"Beyond parrot is not shown for any model at any k, with {confidence}."
    return f"Beyond parrot is shown, with {confidence}, for {'; '.join(shown)}."


def _sentence(name: str, claims: Sequence[Claim]) -> str:
    """The verdict on one model, with the largest k at which it is shown."""
    shown = [claim for claim in claims if claim.shown]
    who = f"{name} (a parrot)" if claims[0].kind == PARROT else name
    if not shown:
        reasons = {claim.reason for claim in claims}
        why = f": {reasons.pop()}" if len(reasons) == 1 and "" not in reasons else ""
        return f"{who}: not shown at any k{why}."
    ks = _numbers([claim.k for claim in shown])
    return f"{who}: shown at k = {ks}. {_claim_sentence(shown[-1])}"


def _claim_sentence(claim: Claim) -> str:
    if claim.reason or claim.full_marks is None:
        return f"Nothing is claimed at k = {claim.k}: {claim.reason}."
    assert claim.lower is not None
    assert claim.bound is not None
    new = "" if claim.trained is None else " that training never showed"
    start = (
        f"With {claim.k} {'skill' if claim.k == 1 else 'skills'} it earns full marks on "
        f"{percent(claim.full_marks)} of {claim.n} combinations{new} (at least "
        f"{at_least(claim.lower)})"
    )
    allowed = "luck" if claim.trained is not None else "recall and luck"
    if not claim.shown:
        return f"{start}, which does not exceed the {at_most(claim.bound)} that {allowed} may give."
    assert claim.new_at_least is not None
    return (
        f"{start}, {allowed} at most {at_most(claim.bound)}: at least "
        f"{at_least(claim.new_at_least)} of these successes are neither recall nor luck."
    )


def _grid(claims: Sequence[Claim]) -> dict[str, Any]:
    """Models by k: the share that must be new, where it is shown."""
    ks = sorted({claim.k for claim in claims})
    rows: list[list[str]] = []
    for name, found in _by_model(claims).items():
        cells = [f"≥ {at_least(c.new_at_least)}" if c.shown else NOT_SHOWN for c in found]
        rows.append([f"{name} (parrot)" if found[0].kind == PARROT else name, *cells])
    return {
        "title": "Of the full marks, at least this share is neither recall nor luck",
        "head": ["model", *(f"k = {k}" for k in ks)],
        "rows": rows,
    }


def _table(claims: Sequence[Claim], terms: Terms) -> dict[str, Any]:
    counted = terms.source == "counted"
    head = ["model", "k", "combinations"]
    head += ["shown in training", "never shown"] if counted else []
    head += ["full marks", "at least"]
    head += ["parrots' luck, at most", "bound"] if counted else ["B", "slip", "bound"]
    head += ["beyond parrot", "new, at least", "robust"]
    return {
        "title": "Beyond parrot, model by model"
        + (", on combinations that training never showed" if counted else ""),
        "head": head,
        "rows": [_cells(claim, counted) for claim in claims],
    }


def _cells(claim: Claim, counted: bool) -> list[str]:
    cells = [claim.model, str(claim.k), str(claim.asked)]
    if counted:
        known = claim.trained is not None and claim.asked > 0
        cells.append(percent(claim.trained / claim.asked) if known and claim.trained else "0 %")
        cells.append(str(claim.asked - (claim.trained or 0)))
    if claim.reason:
        empty = [NOTHING] * (4 if counted else 5)
        return [*cells, *empty, f"{NOT_SHOWN}: {claim.reason}", NOTHING, NOTHING]
    cells += [percent(claim.full_marks), at_least(claim.lower)]
    cells += [at_most(claim.luck)] if counted else [at_most(claim.seen), at_most(claim.slip)]
    cells.append(at_most(claim.bound))
    cells.append(SHOWN if claim.shown else NOT_SHOWN)
    cells.append(at_least(claim.new_at_least))
    return [*cells, _robust(claim, counted)]


def _robust(claim: Claim, counted: bool) -> str:
    """Up to where the verdict would be 'shown'."""
    if counted:
        return NOTHING if not claim.shown else f"up to B = {at_least(claim.most_seen)}"
    return NOTHING if claim.flips is None else f"up to rho = {claim.flips:.3g}"


def _assumptions(claims: Sequence[Claim], terms: Terms) -> list[str]:
    made = [claim for claim in claims if not claim.reason]
    said: list[str] = []
    if terms.source == "counted":
        said.append(
            "What training showed was counted in the corpus itself: a combination was shown if "
            "some training text was made for this topic and this set of skills. Only combinations "
            "never shown count as evidence, so recall by itself gives B = 0; what cropping a text "
            "with more skills may give is luck. 'Robust' says which share of them training may "
            "have shown all the same before the verdict flips."
        )
    else:
        said.append(
            f"The corpus holds {terms.windows:g} windows, each about as long as an answer, that "
            "show every skill and topic as often as the given rates say, and skills and topic "
            f"meet at most rho = {terms.rho:g} times as often as if they were independent. "
            "The rates are taken as true; 'robust' gives the rho at which the verdict flips."
        )
        spread = max((claim.spread for claim in made), default=1.0)
        said.append(
            "Windows are independent, but one may hold several of the tested combinations if these "
            f"share skills: the number seen varies up to {spread:.3g} times as much as for "
            "combinations that share nothing, and the lower limits allow for that."
        )
    said.append(_luck(terms))
    said.append(
        "The combinations were drawn at random, without regard to "
        f"{'' if terms.source == 'counted' else 'what the corpus holds or '}what any model would "
        "answer; they are the independent units. "
        + (
            f"Each was asked once (texts decoded as {terms.decoding}), and the lower limits are "
            "exact for chances that need not be equal (Clopper-Pearson, Hoeffding 1956)."
            if all(claim.texts == claim.n for claim in made)
            else f"Texts of one combination (decoded as {terms.decoding}) are taken as one mean, "
            "and the limits hold however alike they are (Bentkus 2004)."
        )
    )
    unsettled = sum(claim.unsettled for claim in made)
    if unsettled:
        said.append(
            f"{unsettled} texts are left open by unscored marks. They count as failures of the "
            "model that is examined, and as successes of the parrots that measure luck."
        )
    if terms.errors:
        shared = f"shared evenly by {terms.errors.claims} lower limits"
        if terms.errors.controls:
            shared = (
                f"shared by {terms.errors.claims} lower limits, which have one half of it, and "
                f"{terms.errors.controls} limits of luck, which have the other"
            )
        said.append(
            f"All limits hold at once with {100 * terms.level:g} %: the error of "
            f"{100 * (1 - terms.level):.3g} % is {shared} (Bonferroni)."
        )
    return said


def _luck(terms: Terms) -> str:
    granted = at_most(terms.slip)
    if terms.controls:
        floor = (
            f"; {granted} is granted in any case, as a parrot that nobody tried may have more"
            if terms.slip
            else ""
        )
        return (
            f"Luck is measured by the parrots of this run ({_list(terms.controls)}), asked for the "
            "same combinations and graded alike: no parrot has more of it than the upper limit of "
            f"the luckiest of these{floor}. The grader is no kinder to models than to parrots. A "
            "parrot that is examined is left out of its own measure."
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


def _list(items: Sequence[object]) -> str:
    words = [str(item) for item in items]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _numbers(ks: Sequence[int]) -> str:
    """Write rising numbers: from three in a row on, as a range."""
    runs: list[list[int]] = []
    for k in ks:
        if runs and k == runs[-1][-1] + 1:
            runs[-1].append(k)
        else:
            runs.append([k])
    words: list[str] = []
    for run in runs:
        words += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(k) for k in run]
    return _list(words)


def percent(share: float | None) -> str:
    """Write a share in [0, 1] as a percentage of three digits.

    Examples
    --------
    >>> percent(0.1254), percent(0.0), percent(0.9999), percent(None)
    ('12.5 %', '0 %', '99.99 %', '–')
    """
    return _rounded(share, ROUND_HALF_EVEN)


def at_least(share: float | None) -> str:
    """Write a lower limit, rounded down.

    Examples
    --------
    >>> at_least(0.07079), at_least(1.0)
    ('7.07 %', '100 %')
    """
    return _rounded(share, ROUND_FLOOR)


def at_most(share: float | None) -> str:
    """Write an upper limit, rounded up.

    Examples
    --------
    >>> at_most(0.07071), at_most(0.0)
    ('7.08 %', '0 %')
    """
    return _rounded(share, ROUND_CEILING)


def _rounded(share: float | None, how: str) -> str:
    if share is None:
        return NOTHING
    value = Decimal(repr(100 * share))
    # three digits, to a thousandth of a per cent, and as many nines as keep 99.99 % from being all
    digits = max(-3, min(value.adjusted(), 1) - 2) if value else 0
    if 99 < value < 100:
        digits = min(digits, (100 - value).adjusted())
    rounded = value.quantize(Decimal(1).scaleb(digits), rounding=how)
    return f"{rounded.normalize():f} %"
