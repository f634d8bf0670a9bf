"""The certificate in words, which a page or a terminal prints as they stand.

Lower limits are rounded down and bounds up, so that no printed figure claims more than was shown.
"""

import math
from typing import Final, NamedTuple

from unparrot.analysis.certificate.beyond_bound import BoundCertificate, BoundClaim
from unparrot.analysis.certificate.beyond_parrots import Margin, ParrotCertificate
from unparrot.analysis.certificate.certify import Certificate
from unparrot.analysis.certificate.measured_rates import RatesTerms
from unparrot.core.wording import (
    NOTHING,
    at_least,
    at_most,
    given,
    listed,
    percent,
    plural,
    points,
    ranges,
    split_name,
)

# the two kinds of parrots: `verbatim`, and the others
WHOLE, PARTS = "copying whole stretches", "weaving or editing them"
_PARROTS_MEANING: Final = (
    "Beyond means that this trained model earns full marks more often than the best of these "
    "programs, which had the same training texts, were asked for the same combinations and were "
    "graded alike. It does not mean that no copying could do as well: a copier stronger than all "
    "of them would be beyond them, too. It is said of this trained model; to say it of the recipe "
    "takes several, trained from several seeds."
)
_BOUND_MEANING: Final = (
    "A parrot is here whatever earns full marks on no other combinations than those that its "
    "corpus holds, and by luck on a few more. What follows 'if' was "
)
_NOT_SHOWN: Final = (
    " 'Not shown' means that this run does not prove it; it never means that a model is a parrot."
)


class WordTable(NamedTuple):
    """A table of words, with a title and the names of its columns."""

    title: str
    head: list[str]
    rows: list[list[str]]


def title(certificate: Certificate) -> str:
    """Return the question that the certificate answers."""
    if isinstance(certificate, ParrotCertificate):
        return "Is it beyond the named parrots?"
    return "Is it beyond the parrot bound?"


def meaning(certificate: Certificate) -> str:
    """Return what being beyond means, and what it does not."""
    if isinstance(certificate, ParrotCertificate):
        return _PARROTS_MEANING + _NOT_SHOWN
    source = "given, not measured." if certificate.measured is None else "assumed, not measured."
    return _BOUND_MEANING + source + _NOT_SHOWN


def statements(certificate: Certificate, most: int | None = None) -> list[str]:
    """Return what is shown, with what confidence and, where it rests on some, which assumptions.

    Of more than ``most`` models that are shown to be beyond the parrots, only the number is told.
    """
    if isinstance(certificate, BoundCertificate):
        return [_bound_statement(certificate)]
    kinds = {parrot.verbatim: WHOLE if parrot.verbatim else PARTS for parrot in certificate.parrots}
    return [
        _parrot_statement(certificate, *kind, most) for kind in sorted(kinds.items(), reverse=True)
    ]


def _parrot_statement(
    certificate: ParrotCertificate, verbatim: bool, kind: str, most: int | None
) -> str:
    made = _confidence(certificate, "differences", _differences(certificate))
    parrots = [parrot.name for parrot in certificate.parrots if parrot.verbatim == verbatim]
    shown: dict[str, dict[str, list[int]]] = {}
    for claim in certificate.claims:
        margin = claim.verbatim if verbatim else claim.editing
        if margin is not None and margin.shown:
            shown.setdefault(claim.model, {}).setdefault(claim.split, []).append(claim.k)
    if len(parrots) == 1:
        rivals = f"the named parrot {kind} ({parrots[0]})"
    else:
        rivals = f"the best of {len(parrots)} named parrots {kind} ({listed(parrots)})"
    if not shown:
        return f"No trained model of this run is shown, {made}, to be beyond {rivals}."
    if most is not None and len(shown) > most:
        of = len({claim.model for claim in certificate.claims})
        return (
            f"Shown, {made}, to be beyond {rivals}: {len(shown)} of {of} trained models, where the "
            "table says so."
        )
    models = [
        f"{model} ({'; '.join(f'{split_name(s)} at k = {ranges(ks)}' for s, ks in cells.items())})"
        for model, cells in shown.items()
    ]
    return f"Shown, {made}, to be beyond {rivals}: {listed(models)}."


def _bound_statement(certificate: BoundCertificate) -> str:
    confidence = _confidence(certificate, "claims", len(certificate.claims))
    shown: dict[str, list[int]] = {}
    for claim in certificate.claims:
        if claim.shown:
            shown.setdefault(claim.model, []).append(claim.k)
    models = listed([f"{model} at k = {ranges(ks)}" for model, ks in shown.items()])
    if certificate.measured is None:
        corpus = (
            "shows every skill and topic in as many of them as the given rates say; lets skills "
            f"and topic meet at most {certificate.rho:g} times as often as independent ones"
        )
    else:
        corpus = (
            f"is such as the {plural(certificate.measured.sampled, 'window')} sampled from it; "
            "lets no more than pairs of skills and topic attract each other"
        )
    return (
        f"If the corpus holds {certificate.windows:g} windows, each about as long as an answer; "
        f"{corpus}; and if luck, or a mistake of the grader, passes at most "
        f"{at_most(certificate.slip)} of the texts for combinations that it does not hold: "
        + (f"then full marks are shown, {confidence}, " if shown else "not even then is it shown ")
        + (
            f"to be more frequent than a parrot of that corpus can expect, for {models}."
            if shown
            else f"of any model, {confidence}, that its full marks are more frequent than a parrot "
            "of that corpus can expect."
        )
    )


def rules(certificate: ParrotCertificate) -> list[str]:
    """Return each parrot with its rule."""
    return [f"{parrot.name}: {parrot.rule}" for parrot in certificate.parrots]


def verdict_table(certificate: Certificate) -> WordTable:
    """Return a table of one row a model and k: what is shown, on each kind of new combination."""
    if isinstance(certificate, BoundCertificate):
        head = ["model", "k", "at least", "a parrot at most", "beyond"]
        rows = [
            [c.model, str(c.k), at_least(c.full_marks_at_least), at_most(c.allowed), c.verdict]
            for c in certificate.claims
        ]
        return WordTable("Full marks, and what a parrot can expect", head, rows)
    splits = list(dict.fromkeys(claim.split for claim in certificate.claims))
    models = list(dict.fromkeys(claim.model for claim in certificate.claims))
    cells: dict[tuple[str, int], dict[str, str]] = {}
    for c in sorted(certificate.claims, key=lambda claim: (models.index(claim.model), claim.k)):
        shown = _floor_points(c.verbatim) if c.verbatim.shown else "not shown"
        cells.setdefault((c.model, c.k), {})[c.split] = shown
    return WordTable(
        f"Points of full marks above the best parrot {WHOLE}, at least",
        ["model", "k", *map(split_name, splits)],
        [
            [model, str(k), *(own.get(split, NOTHING) for split in splits)]
            for (model, k), own in cells.items()
        ],
    )


def _floor_points(margin: Margin) -> str:
    """The lower limit of a margin in points of a hundred, rounded down to a tenth."""
    assert margin.difference.low is not None
    return f"{math.floor(1000 * margin.difference.low) / 10:+.1f}"


def evidence_table(certificate: Certificate) -> WordTable:
    """Return a table of one row a claim: its evidence, what it was compared with, its verdict."""
    if isinstance(certificate, BoundCertificate):
        head = ["model", "k", "combinations", "full marks", "at least", "parrot bound B"]
        head += [
            "rho",
            "a parrot can expect",
            "verdict",
            "up to rho",
            "up to windows",
            "up to slip",
        ]
        rows = [_bound_cells(claim) for claim in certificate.claims]
        return WordTable("Full marks and the parrot bound, model by model", head, rows)
    head = ["model", "new", "k", "units", "combinations", "full marks"]
    margin = ["its full marks", "difference, points", "verdict"]
    head += [f"best parrot {WHOLE}", *margin]
    if any(not parrot.verbatim for parrot in certificate.parrots):
        head += [f"best parrot {PARTS}", *margin]
    rows = [
        [
            claim.model,
            split_name(claim.split),
            *map(str, (claim.k, claim.units, claim.combinations)),
            percent(claim.full_marks),
            *_margin_cells(claim.verbatim),
            *(_margin_cells(claim.editing) if claim.editing else ()),
        ]
        for claim in certificate.claims
    ]
    return WordTable("Full marks and the parrots, model by model", head, rows)


def _margin_cells(m: Margin) -> list[str]:
    return [m.rival, percent(m.rival_full_marks), points(m.difference), m.verdict]


def _bound_cells(claim: BoundClaim) -> list[str]:
    return [
        claim.model,
        *map(str, (claim.k, claim.combinations)),
        percent(claim.full_marks),
        at_least(claim.full_marks_at_least),
        at_most(claim.parrot_bound),
        *(NOTHING if rho is None else f"{rho:.3g}" for rho in (claim.rho,)),
        at_most(claim.allowed),
        claim.verdict,
        *(
            NOTHING if flip is None else f"{flip:.3g}"
            for flip in (claim.flip_rho, claim.flip_windows)
        ),
        NOTHING if claim.flip_slip is None else at_least(claim.flip_slip),
    ]


def assumptions(certificate: Certificate) -> list[str]:
    """Return what the claims rest on, a paragraph each."""
    claims, error = certificate.claims, f"{100 * (1 - certificate.level):.3g} %"
    if isinstance(certificate, ParrotCertificate):
        paragraphs = [
            "Only combinations that training never showed count. Those that share a held-out pair, "
            "a held-out triple, or a held-out topic of a skill are one unit, which has the mean of "
            "their marks, so that a share here may differ a little from the share of texts.",
            "The combinations were drawn at random, without regard to what anything would answer; "
            f"models and parrots answered the same ones (texts decoded as {certificate.decoding}). "
            "Limits are Gaffke's: where every unit is one text the verdict is McNemar's exact "
            "test; for means of several texts its level is a conjecture that simulated studies "
            "bear out.",
            f"The error of {error} is shared evenly by both ends of "
            f"{plural(_differences(certificate), 'difference')} (Bonferroni). To be beyond the "
            "best of several parrots is to be beyond each, so that the least of the lower limits "
            "needs no further share.",
        ]
    else:
        spread = max(claim.spread for claim in certificate.claims)
        single = all(claim.texts == claim.combinations for claim in certificate.claims)
        paragraphs = [
            "Windows are independent, but one may hold several of the tested combinations if these "
            f"share skills: the number held varies up to {spread:.3g} times as much as for "
            "combinations that share nothing, and the lower limits allow for that.",
            "The combinations were drawn at random, without regard to what the corpus holds or "
            "what any model would answer; they are the independent units. "
            + (
                f"Each was asked once (texts decoded as {certificate.decoding}), and the lower "
                "limits are exact for chances that need not be equal (Clopper-Pearson, Hoeffding "
                "1956)."
                if single
                else f"Texts of one combination (decoded as {certificate.decoding}) are taken as "
                "one mean, and the limits hold however alike they are (Bentkus 2004)."
            ),
            f"{_error_words(certificate, error)} {plural(len(claims), 'lower limit')} "
            "(Bonferroni).",
            "'Up to rho', 'up to windows' and 'up to slip' say at which rho, size of the corpus in "
            "windows, or slip the verdict is no longer 'shown', all else as given.",
        ]
        if certificate.measured is not None:
            paragraphs += _measured(certificate.measured)
    unsettled = sum(claim.unsettled for claim in claims)
    if unsettled:
        paragraphs.append(
            f"Unscored marks leave {plural(unsettled, 'text')} open: a failure each of the model "
            "that is examined."
        )
    return paragraphs


def _error_words(certificate: BoundCertificate, error: str) -> str:
    if certificate.measured is None:
        return f"The error of {error} goes evenly to"
    half = f"{100 * certificate.measured.error:.3g} %"
    return (
        f"Of the error of {error}, {half} goes to the rates and the attraction, whose upper limits "
        f"hold all at once, and {half} evenly to"
    )


def _measured(terms: RatesTerms) -> list[str]:
    """What measured rates rest on."""
    tags = (
        f"its tags are put right by {plural(terms.labels, 'label')} of {terms.by}, which are taken "
        "for the truth; its errors are taken to be alike for all skills, and made at random"
        if terms.labels
        else "no labels of people say how it errs, so that its tags are taken for the truth"
    )
    paragraphs = [
        f"Rates are the upper limits of {plural(terms.names, 'rate')} in "
        f"{plural(terms.sampled, 'window')} of {plural(terms.words, 'word')}, drawn at random and "
        f"tagged by {terms.tagger} in {plural(terms.rounds, 'round')}; {tags}."
    ]
    if terms.pairs is None or terms.topic is None:
        return [
            *paragraphs,
            "The sample is too small, or its labels are too few, to limit how often skills meet, "
            "so that the corpus may hold every combination: nothing can be shown.",
        ]
    beyond = ""
    if terms.triples is not None:
        beyond = (
            f" (three skills meet {terms.triples.value:.3g} times as often as that, in the tags, "
            f"from {terms.triples.low:.3g} to {terms.triples.high:.3g})"
        )
    return [
        *paragraphs,
        f"Two skills meet at most {terms.pairs:.3g} times, a skill and a topic at most "
        f"{terms.topic:.3g} times as often as independent ones, by the sample. That k skills and a "
        f"topic meet as if only pairs attracted each other is assumed{beyond}.",
    ]


def _confidence(certificate: Certificate, what: str, number: int) -> str:
    words = f"with {given(certificate.level)} confidence"
    return f"{words} in all {number} {what} at once" if number > 1 else words


def _differences(certificate: ParrotCertificate) -> int:
    """Number of margins that were worked out."""
    return sum(1 if claim.editing is None else 2 for claim in certificate.claims)
