"""Theory over measurement in sentences, and the steps of a ladder of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unparrot.analysis.theory.concentration import SHOWN_AT, Concentration
from unparrot.analysis.theory.emergence import Emergence
from unparrot.analysis.theory.prediction import Growth, JointPoint, Theory
from unparrot.core.estimate import Estimate
from unparrot.core.wording import given, number, rough

CHANCE: Final = 0.05
_TUPLES: Final = {1: "skills", 2: "pairs of skills"}
_LEAPS: Final = {
    "metric": "The leap is sharper in full marks than in the share of marks, so part of it is the"
    " metric's.",
    "both": "The smooth metric leaps there as much, so the leap is not the metric's.",
    "open": "Whether the leap is the metric's alone is not settled.",
}


def theory_findings(theory: Theory) -> list[str]:
    """Return a sentence on each prediction that could be measured."""
    findings = [_curves(theory.curves)] if theory.curves else []
    if theory.errors.exponent is not None:
        findings.append(_errors(theory.errors.exponent))
    beyond = [point for point in theory.joint if point.k > 1]
    if beyond:
        findings.append(_joint(beyond))
    findings += _growth(theory.growth)
    if theory.law.fit is not None:
        alpha = theory.law.fit.alpha
        findings.append(
            "Over the exact floor the loss goes as the number of parameters to the power "
            f"{number(_negative(alpha))}."
        )
    return findings


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
            words += (
                f" At the worst {given(SHOWN_AT)} of {name} the models stand"
                f" {_range(values)} % of the way from luck to malice{limits}."
            )
    return words


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.0f}", f"{max(values):.0f}"
    return low if low == high else f"{low} to {high}"


def _errors(exponent: Estimate) -> str:
    words = f"Errors go as the excess loss to the power {number(exponent)}; the theory assumes 1"
    if exponent.low is None or exponent.high is None:
        return f"{words}."
    inside = exponent.low <= 1 <= exponent.high
    return f"{words}, which the interval {'allows' if inside else 'excludes'}."


def _joint(points: Sequence[JointPoint]) -> str:
    off = sum(
        p.residual.low is not None
        and p.residual.high is not None
        and not p.residual.low <= 0 <= p.residual.high
        for p in points
    )
    worst = max(points, key=lambda p: abs(p.residual.value or 0.0))
    failed, expected = 100 * (worst.measured.value or 0), 100 * worst.predicted
    return (
        f"The slingshot is off beyond chance (95 % each) in {off} of {len(points)} cases; the"
        f" largest residual is that of {worst.model} at k = {worst.k}, which fails {failed:.1f} %"
        f" where it says {expected:.1f} %."
    )


def _growth(grown: Growth) -> list[str]:
    """The last model whose k was within reach; if none was, the last of all."""
    predicted = [point for point in grown.points if point.by_excess is not None]
    if not predicted or grown.start is None:
        return []
    last = ([point for point in predicted if not point.beyond] or predicted)[-1]
    start = next(point for point in grown.points if point.model == grown.start)
    reaches = (
        f"at least {last.measured.value:.1f}, the largest k tested"
        if last.beyond
        else number(last.measured, 1)
    )
    return [
        f"From {grown.start}, which reaches k = {start.measured.value:.1f}, the theory predicts"
        f" k = {last.by_excess:.1f} for {last.model}; it reaches {reaches}."
    ]


def _negative(estimate: Estimate) -> Estimate:
    value, low, high = (
        None if x is None else -x for x in (estimate.value, estimate.high, estimate.low)
    )
    return Estimate(value, low, high, estimate.level, estimate.method, estimate.n)


def emergence_statement(leap: Emergence) -> str:
    """Return what the steps of a ladder say at one k and split, in a sentence or several."""
    skills = "one skill" if leap.k == 1 else f"{leap.k} skills"
    if leap.largest is None:
        return (
            f"With {skills} no steps are compared: all models were marked in full on "
            f"{leap.combinations} combination{'' if leap.combinations == 1 else 's'}, and steps "
            "need two."
        )
    step = leap.steps[leap.largest]
    if leap.verdict == "no rise":
        return (
            f"With {skills} full marks rise beyond chance in no step between neighbouring models;"
            f" the largest, from {step.before} to {step.after}, is "
            f"{rough(step.full_marks, 'points')}."
        )
    statement = (
        f"With {skills} full marks rise most from {step.before} to {step.after}, by "
        f"{rough(step.full_marks, 'points')}; there the skill fraction rises by "
        f"{rough(step.skill_fraction, 'points')} and the share of all marks by "
        f"{rough(step.mark_share, 'points')}. The rates of the single marks, multiplied, rise by "
        f"{rough(step.implied, 'points')}."
    )
    if leap.sharpness is not None and leap.smooth_sharpness is not None:
        statement += (
            f" That step makes {rough(leap.sharpness)} of the whole rise of full marks and "
            f"{rough(leap.smooth_sharpness)} of that of the share of marks."
        )
    return f"{statement} {_LEAPS[leap.verdict]}"
