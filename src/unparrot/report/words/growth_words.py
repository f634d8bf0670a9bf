"""The growth of k in sentences, and what was measured of the theory's other laws."""

import math
from collections.abc import Sequence
from typing import Final

from unparrot.analysis.theory.concentration import SHOWN_AT, Concentration
from unparrot.analysis.theory.growth import Growth, ModelGrowth, Reach
from unparrot.analysis.theory.laws import ErrorPoint, Theory
from unparrot.core.estimate import Estimate
from unparrot.core.wording import ABSENT, given, listed, number, plural

CHANCE: Final = 0.05
_TUPLES: Final = {1: "skills", 2: "pairs of skills"}
VERDICTS: Final = {
    "equivalent": "the same, up to the margin fixed beforehand",
    "different": "which the interval excludes",
    "open": "which the interval allows, but not only that",
    "not measured": "and there are too few models for an interval",
}


def reach_words(reach: Reach | None) -> str:
    """Write the k at which full marks fall to a share, or how far it is known.

    Examples
    --------
    >>> reach_words(Reach(4.52, 4.1, 5.0, "")), reach_words(Reach(None, 9.0, None, ">= 12"))
    ('4.5 (4.1 to 5.0)', '≥ 12 (from 9.0)')
    """
    if reach is None:
        return ABSENT
    low, high = (None if end is None else f"{end:.1f}" for end in (reach.low, reach.high))
    ends = f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"
    value = reach.bound.replace(">=", "≥") if reach.value is None else f"{reach.value:.1f}"
    return f"{value} ({ends})" if low or high else value


def growth_sentences(growth: Growth) -> list[str]:
    """Return the growth of k50 in sentences; none if no model has one."""
    trained = [m for m in growth.models if m.excess is not None and m.k50 is not None]
    if growth.reference is None:
        return []
    order = sorted(trained, key=lambda m: -m.excess.value if m.excess else 0.0)
    sentences: list[str] = []
    if growth.halved is not None:
        sentences.append(
            "Half the excess loss multiplies the number of skills that a model combines at once by "
            f"{number(growth.halved)}; theory says 2, {VERDICTS[growth.verdict]}."
        )
    ends = [f"{_plain(model)} ({model.name})" for model in (order[0], order[-1])]
    way = f"is {ends[0]}" if len(order) == 1 else f"goes from {ends[0]} to {ends[1]} as loss falls"
    sentences.append(
        "k50, the number of skills at once at which half of a model's texts are right in "
        f"everything, {way}."
    )
    return sentences


def _plain(model: ModelGrowth) -> str:
    reach = model.k50
    if reach is None or reach.value is not None:
        return ABSENT if reach is None else f"{reach.value:.1f}"
    return reach.bound.replace("<", "under").replace(">=", "at least")


def growth_findings(growth: Growth) -> list[str]:
    """Return what is said of the growth beside the headline: its exponents, c, and the axes."""
    if growth.exponent is None or growth.c is None:
        return []
    words = (
        f"k50 goes as the excess loss to the power {number(growth.exponent)} over "
        f"{growth.exponent.n} models; the theory says −{-growth.predicted:g}, and an interval "
        f"within {growth.margin:g} of that would have been called the same."
    )
    axes = (("parameters", growth.by_params), ("tokens", growth.by_tokens))
    parts = [
        f"{number(e)} over the {e.n} models that differ in {name}"
        for name, e in axes
        if e is not None and e.n < growth.exponent.n
    ]
    if parts:
        words += f" It is {listed(parts)}."
    if growth.tokens_at_equal_excess is not None:
        words += (
            " At equal excess k50 goes as the training tokens to the power "
            f"{number(growth.tokens_at_equal_excess)}: 0 if the loss is all that counts."
        )
    if growth.exponent.low is not None:
        words += (
            " The intervals cover other models of such sizes, not another seed, corpus or world, "
            "of which a run has one each."
        )
    return [
        words,
        f"The law of all models has the steepness c = {number(growth.c)}{_against(growth.c)}. "
        "c = 1 says that full marks are the rate of one skill to the power k, as if skills came "
        "independently; above 1, each further skill costs more than the one before.",
    ]


def _against(estimate: Estimate, value: float = 1) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    inside = estimate.low <= value <= estimate.high
    return f", an interval that {'allows' if inside else 'excludes'} {value:g}"


def theory_findings(theory: Theory) -> list[str]:
    """Return a sentence on each law that could be measured."""
    findings = [_curves(theory.curves)] if theory.curves else []
    if theory.exponent is not None:
        findings.append(
            f"Mistakes a piece go as the excess loss to the power {number(theory.exponent)}"
            f"{_against(theory.exponent)}; the theory assumes 1."
        )
    findings += _joint(theory.errors)
    return findings + _losses(theory)


def _losses(theory: Theory) -> list[str]:
    """The loss over parameters N and tokens D, E being the world's entropy and so not fitted."""
    law = "L = E + A/N^α + B/D^β"
    sum_of_terms, product = theory.loss, theory.product
    findings = [
        "L is the loss, E the world's own entropy, which is known, N the parameters, D the tokens."
    ]
    if product is not None and product.beta is not None:
        findings.append(
            f"The loss of {product.n} models goes as L = E + A/(N^α D^β) with α = "
            f"{number(product.alpha)} for parameters and β = {number(product.beta)} for tokens; a "
            f"model's excess lies off it by a factor of {_off(product.spread)} (one standard "
            "deviation)."
        )
    if sum_of_terms is not None and sum_of_terms.beta is not None:
        findings.append(
            f"The usual {law} fits with α = {number(sum_of_terms.alpha)} and β = "
            f"{number(sum_of_terms.beta)}, off by a factor of {_off(sum_of_terms.spread)}."
        )
    else:
        findings.append(f"The models of this run do not fix both exponents of the usual {law}.")
    return findings


def _off(spread: float | None) -> str:
    """The factor by which a model lies off a law: one standard deviation of its logarithm."""
    return f"{math.exp(spread or 0.0):.2f}"


def _curves(curves: Sequence[Concentration]) -> str:
    above = sum(curve.above for curve in curves)
    words = (
        f"Beyond chance {above} of {len(curves)} measured curves lie above the sharp bound, "
        "against the theory."
        if above
        else "No measured curve lies above the sharp bound beyond chance."
    )
    uneven = sum(curve.p_value < CHANCE for curve in curves)
    words += (
        f" In {uneven} of {len(curves)} the failures prefer some skills or pairs beyond chance"
        f" (p under {CHANCE:g} each)."
    )
    for size, name in _TUPLES.items():
        placed = [c.placed for c in curves if c.tuple_size == size and c.placed is not None]
        values = [100 * e.value for e in placed if e.value is not None]
        ends = [100 * x for e in placed for x in (e.low, e.high) if x is not None]
        if values:
            limits = f" (intervals within {min(ends):.0f} and {max(ends):.0f})" if ends else ""
            low, high = f"{min(values):z.0f}", f"{max(values):z.0f}"
            words += (
                f" At the worst {given(SHOWN_AT)} of {name} the models stand"
                f" {low if low == high else f'{low} to {high}'} % of the way from luck to"
                f" malice{limits}."
            )
    return words


def _joint(points: Sequence[ErrorPoint]) -> list[str]:
    measured = [p.joint for p in points if p.joint is not None and p.joint.low is not None]
    if not measured:
        return []
    above = sum(e.low > 1 for e in measured if e.low is not None)
    below = sum(e.high < 1 for e in measured if e.high is not None)
    return [
        "Pieces of several skills fail as the slingshot says, like so many pieces of one skill, if "
        f"their c is 1: it is above 1 beyond chance (95 % each) in {above} of "
        f"{plural(len(measured), 'model')} and below in {below}."
    ]
