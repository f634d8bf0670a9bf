"""From excess loss to errors: does theta fall in proportion to the excess, as the theory assumes?

Where the text fixes the answer of a cloze question, a wrong answer means that the model gave the
right word at most half of its probability, which costs it at least ln 2 nats at that word. So the
share of failed pieces is at most the excess loss of a piece over ln 2: a limit that holds for every
model (Markov's inequality on the divergence; for answers that the text leaves open, Pinsker's
inequality takes its place). The theory assumes more, that theta is proportional to the excess: an
exponent of 1 (Arora and Goyal 2023, section 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import wilson


@dataclass(frozen=True, slots=True)
class ErrorPoint:
    """One model: excess loss of a mean piece in nats, failed share, and the limit of that share.

    ``limit`` is None if the measured loss is not above the floor: it is then within its error of
    the floor, and sets no limit.
    """

    model: str
    excess: float
    theta: Estimate
    limit: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return {
            "model": self.model,
            "excess": self.excess,
            "theta": self.theta.as_dict(),
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True)
class ErrorLaw:
    """The points of a ladder, and the exponent b of theta ~ excess^b between them.

    ``exponent`` is None with fewer than two models that fail some pieces and not all; its interval
    is None with two. Its ``n`` counts models.
    """

    points: tuple[ErrorPoint, ...]
    exponent: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return {
            "points": [point.as_dict() for point in self.points],
            "exponent": None if self.exponent is None else self.exponent.as_dict(),
        }


def error_law(models: pl.DataFrame, cloze: pl.DataFrame, level: float = 0.95) -> ErrorLaw:
    """Lay theta beside the excess loss of every model that has both.

    Parameters
    ----------
    models
        Columns ``name``, ``loss`` and ``entropy`` (nats a token).
    cloze
        Columns ``model``, ``tokens``, ``questions`` and ``wrong``; pieces without a question are
        left out.
    level
        Confidence level of the intervals.
    """
    points: list[ErrorPoint] = []
    for name, loss, entropy in models.select("name", "loss", "entropy").iter_rows():
        rows = cloze.filter((pl.col("model") == name) & (pl.col("questions") > 0))
        if loss is None or entropy is None or rows.is_empty():
            continue
        excess = (loss - entropy) * float(rows["tokens"].sum()) / rows.height
        theta = wilson(int((rows["wrong"] > 0).sum()), rows.height, level)
        limit = failed_at_most(excess) if excess > 0 else None
        points.append(ErrorPoint(str(name), excess, theta, limit))
    usable = [
        (math.log(p.excess), math.log(p.theta.value))
        for p in points
        if p.excess > 0 and p.theta.value and p.theta.value < 1
    ]
    exponent = slope([x for x, _ in usable], [y for _, y in usable], level)
    return ErrorLaw(tuple(points), exponent)


def failed_at_most(excess: float) -> float:
    """Return the largest share of pieces that an excess loss of a piece (nats, above 0) allows."""
    return min(1.0, excess / math.log(2))


def slope(x: list[float], y: list[float], level: float) -> Estimate | None:
    """Return the least-squares slope with its t interval; None with fewer than two places in x."""
    if len(set(x)) < 2:
        return None
    from scipy.special import stdtrit

    n = len(x)
    across = np.array(x) - np.mean(x)
    spread = float((across**2).sum())
    value = float((across * np.array(y)).sum()) / spread
    if n == 2:
        return Estimate(value, None, None, level, "least squares, two points", n)
    residual = np.array(y) - np.mean(y) - value * across
    error = math.sqrt(float((residual**2).sum()) / (n - 2) / spread)
    half = float(stdtrit(n - 2, (1 + level) / 2)) * error
    return Estimate(value, value - half, value + half, level, "least squares, t interval", n)
