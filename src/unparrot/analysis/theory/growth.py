"""Does k grow with scale as the theory says? Its slingshot makes k proportional to 1/errors.

A model whose failures are k times rarer does on k skills what its smaller relative did on one. So
from one model of a ladder the theory predicts the k of every other: k ln(1-theta)/ln(1-theta'), or
k times the ratio of their excess losses, as far as errors are proportional to those (Arora and
Goyal 2023, section 5). What the models did is laid beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from unparrot.analysis.theory.error_law import slope
from unparrot.core.estimate import Estimate

METHOD: Final = "from the wilson intervals at each k"


@dataclass(frozen=True, slots=True)
class Rung:
    """One model: excess loss (nats a token), theta, and its full marks at k = 1, 2, and so on."""

    model: str
    excess: float
    theta: float
    full_marks: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """One model: the k at which full marks fall through the threshold, and what was predicted.

    ``measured`` is interpolated between whole k, as the ends of its interval are, from the limits
    of full marks at each k; ``beyond`` says that it lies beyond the largest k tested, which is then
    told in its place. The predictions are None up to the model from which they start
    (`Growth.start`), and where a model, or that one, has no excess loss, or fails no piece or all.
    """

    model: str
    measured: Estimate
    beyond: bool
    by_excess: float | None
    by_theta: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return {
            "model": self.model,
            "measured": self.measured.as_dict(),
            "beyond": self.beyond,
            "by_excess": self.by_excess,
            "by_theta": self.by_theta,
        }


@dataclass(frozen=True, slots=True)
class Growth:
    """The points of a ladder and the exponent b of k ~ excess^b; the theory says -1.

    ``start`` names the model that the predictions start from: the first that reaches the threshold
    with one skill. None if there is none, or if its own k lies beyond the largest tested.
    """

    threshold: float
    start: str | None
    points: tuple[GrowthPoint, ...]
    exponent: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return {
            "threshold": self.threshold,
            "start": self.start,
            "points": [point.as_dict() for point in self.points],
            "exponent": None if self.exponent is None else self.exponent.as_dict(),
        }


def growth(rungs: list[Rung], threshold: float, level: float = 0.95) -> Growth:
    """Lay the measured growth of k beside the predicted one.

    Parameters
    ----------
    rungs
        The models, smallest first; ``full_marks`` from k = 1 on, each with a value.
    threshold
        Share of full marks in (0, 1) at which k is read.
    level
        Confidence level.

    Notes
    -----
    The k read off a curve rises with every point of it. So the k read off all lower limits, and off
    all upper ones, hold the true k at least as often as the limits around it hold what they should.
    """
    measured = [_measured(rung, threshold, level) for rung in rungs]
    start = next((i for i, (e, _) in enumerate(measured) if (e.value or 0) >= 1), len(rungs))
    if start < len(rungs) and measured[start][1]:
        start = len(rungs)
    points: list[GrowthPoint] = []
    for i, (rung, (estimate, beyond)) in enumerate(zip(rungs, measured, strict=True)):
        predicted: list[float | None] = [None, None]
        if i > start:
            first, k = rungs[start], measured[start][0].value or 0.0
            ratios = (
                (first.excess, rung.excess),
                (_failures(first.theta), _failures(rung.theta)),
            )
            predicted = [k * a / b if a > 0 and b > 0 else None for a, b in ratios]
        points.append(GrowthPoint(rung.model, estimate, beyond, *predicted))
    usable = [
        (math.log(rung.excess), math.log(e.value))
        for rung, (e, beyond) in zip(rungs, measured, strict=True)
        if rung.excess > 0 and e.value and e.value >= 1 and not beyond
    ]
    exponent = slope([x for x, _ in usable], [y for _, y in usable], level)
    name = rungs[start].model if start < len(rungs) else None
    return Growth(threshold, name, tuple(points), exponent)


def _measured(rung: Rung, threshold: float, level: float) -> tuple[Estimate, bool]:
    value, beyond = crossing([e.value or 0.0 for e in rung.full_marks], threshold)
    low, _ = crossing([e.low or 0.0 for e in rung.full_marks], threshold)
    high, _ = crossing([1.0 if e.high is None else e.high for e in rung.full_marks], threshold)
    texts = sum(e.n for e in rung.full_marks)
    return Estimate(value, min(low, value), max(high, value), level, METHOD, texts), beyond


def _failures(theta: float) -> float:
    """-ln(1 - theta), and 0 where that says nothing: no piece was failed, or every one."""
    return -math.log1p(-theta) if 0 < theta < 1 else 0.0


def crossing(shares: list[float], threshold: float) -> tuple[float, bool]:
    """Return the k at which full marks first fall through the threshold, and whether they do not.

    Linear between whole k, from 1 at k = 0 on; the largest k, and True, if they never fall.

    Examples
    --------
    >>> crossing([0.9, 0.5, 0.1], 0.3)
    (2.5, False)
    >>> crossing([0.9, 0.5], 0.3)
    (2.0, True)
    """
    before = 1.0
    for k, share in enumerate(shares, start=1):
        if share < threshold:
            return k - 1 + (before - threshold) / (before - share), False
        before = share
    return float(len(shares)), True
