"""What the figures of theory over measurement say, in sentences, whichever way they fell.

Each sentence is fixed beforehand but for its figures and its verdict, and which case it tells does
not depend on how well the theory does there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from unparrot.analysis.theory.concentration import TOLD_AT, Concentration
from unparrot.analysis.theory.error_law import ErrorLaw
from unparrot.analysis.theory.growth import Growth
from unparrot.analysis.theory.joint import JointPoint
from unparrot.core.estimate import Estimate

CHANCE: Final = 0.05
_TUPLES: Final = {1: "skills", 2: "pairs of skills"}


def findings(
    law: Mapping[str, Any],
    errors: ErrorLaw,
    curves: Sequence[Concentration],
    joint: Sequence[JointPoint],
    grown: Growth,
) -> list[str]:
    """Return the sentences, those about what was not measured left out.

    Parameters
    ----------
    law
        Of `prediction`: its ``fit`` is None or holds the estimate ``alpha``.
    errors, curves, joint, grown
        The other figures.
    """
    said = [
        *([_curves(curves)] if curves else []),
        *([_errors(errors.exponent)] if errors.exponent is not None else []),
    ]
    beyond = [point for point in joint if point.k > 1]
    if beyond:
        said.append(_joint(beyond))
    said += _growth(grown)
    if law["fit"] is not None:
        alpha = Estimate(**law["fit"]["alpha"])
        said.append(
            "Over the exact floor the loss goes as the number of parameters to the power "
            f"{_interval(alpha, -1)}."
        )
    return said


def _curves(curves: Sequence[Concentration]) -> str:
    above = sum(found.above for found in curves)
    said = (
        f"Beyond chance {above} of {len(curves)} measured curves lie above the sharp bound, "
        "against the theory."
        if above
        else "No measured curve lies above the sharp bound beyond chance."
    )
    uneven = sum(found.p_value < CHANCE for found in curves)
    said += (
        f" In {uneven} of {len(curves)} the failures prefer some skills or pairs beyond chance"
        f" (p under {CHANCE:g} each)."
    )
    for size, name in _TUPLES.items():
        placed = [f.placed for f in curves if f.tuple_size == size and f.placed is not None]
        values = [100 * e.value for e in placed if e.value is not None]
        ends = [100 * x for e in placed for x in (e.low, e.high) if x is not None]
        if values:
            limits = f" (intervals within {min(ends):.0f} and {max(ends):.0f})" if ends else ""
            said += (
                f" At the worst {100 * TOLD_AT:.0f} % of {name} the models stand"
                f" {_range(values)} % of the way from luck to malice{limits}."
            )
    return said


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.0f}", f"{max(values):.0f}"
    return low if low == high else f"{low} to {high}"


def _errors(exponent: Estimate) -> str:
    said = f"Errors go as the excess loss to the power {_interval(exponent)}; the theory assumes 1"
    if exponent.low is None or exponent.high is None:
        return f"{said}."
    inside = exponent.low <= 1 <= exponent.high
    return f"{said}, which the interval {'allows' if inside else 'excludes'}."


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
    told = [point for point in grown.points if point.by_excess is not None]
    if not told or grown.start is None:
        return []
    last = ([point for point in told if not point.beyond] or told)[-1]
    start = next(point for point in grown.points if point.model == grown.start)
    reaches = (
        f"at least {last.measured.value:.1f}, the largest k tested"
        if last.beyond
        else _interval(last.measured, digits=1)
    )
    return [
        f"From {grown.start}, which reaches k = {start.measured.value:.1f}, the theory predicts"
        f" k = {last.by_excess:.1f} for {last.model}; it reaches {reaches}."
    ]


def _interval(estimate: Estimate, sign: int = 1, digits: int = 2) -> str:
    value = sign * (estimate.value or 0.0)
    if estimate.low is None or estimate.high is None:
        return f"{value:.{digits}f} (no interval)"
    ends = sorted((sign * estimate.low, sign * estimate.high))
    return f"{value:.{digits}f} ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})"
