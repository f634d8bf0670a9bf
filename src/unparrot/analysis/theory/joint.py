"""The slingshot, tested: is a text of k skills failed like k texts of one skill joined together?

Joining k independent pieces gives a piece that fails with 1 - (1 - theta)^k, so a model whose
theta is k times smaller should do on k skills at once what its smaller relative did on one (Arora
and Goyal 2023, section 5). All models and k then lie on one curve, 1 - exp(-x), over
x = -k ln(1 - theta_1). The residuals say where that is not so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import wilson
from unparrot.stats.mover import mover_difference

METHOD: Final = "mover of wilson"


@dataclass(frozen=True, slots=True)
class JointPoint:
    """One model at one k.

    Parameters
    ----------
    model, k
        Whose pieces, and how many skills they hold.
    exponent
        x = -k ln(1 - theta_1) of the model; None if it fails every piece of one skill.
    predicted
        1 - (1 - theta_1)^k.
    measured
        Share of the pieces of k skills that were failed.
    residual
        Measured - predicted, with MOVER's interval (`stats.mover`) from the Wilson intervals of the
        pieces of both sizes; so failing none of few pieces is not taken for certainty.
    """

    model: str
    k: int
    exponent: float | None
    predicted: float
    measured: Estimate
    residual: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return {
            "model": self.model,
            "k": self.k,
            "exponent": self.exponent,
            "predicted": self.predicted,
            "measured": self.measured.as_dict(),
            "residual": self.residual.as_dict(),
        }


def joint_points(cloze: pl.DataFrame, level: float = 0.95) -> list[JointPoint]:
    """Return the points of all models, in the order of the table, k rising.

    Parameters
    ----------
    cloze
        Columns ``model``, ``skills``, ``questions`` and ``wrong``. Pieces without a question are
        left out, and models without a piece of one skill: nothing can be predicted for them.
    level
        Confidence level of the intervals.
    """
    rows = cloze.filter(pl.col("questions") > 0).select(
        "model", pl.col("skills").list.len().cast(pl.Int64).alias("k"), failed=pl.col("wrong") > 0
    )
    counts = rows.group_by("model", "k", maintain_order=True).agg(
        pl.col("failed").sum().cast(pl.Int64), pl.len().cast(pl.Int64).alias("n")
    )
    points: list[JointPoint] = []
    for model in counts["model"].unique(maintain_order=True):
        tally = {
            int(k): (int(failed), int(n))
            for _, k, failed, n in counts.filter(pl.col("model") == model).iter_rows()
        }
        if 1 not in tally:
            continue
        points += [_point(str(model), k, tally[1], tally[k], level) for k in sorted(tally)]
    return points


def failed_by_slingshot(exponent: float) -> float:
    """Return the share of failed pieces that the slingshot predicts at x = -k ln(1 - theta_1)."""
    return -math.expm1(-exponent)


def _point(
    model: str, k: int, single: tuple[int, int], joint: tuple[int, int], level: float
) -> JointPoint:
    one, many = wilson(*single, level), wilson(*joint, level)
    theta, low, high = (x or 0.0 for x in (one.value, one.low, one.high))
    predicted = _joined(theta, k)
    residual = Estimate(0.0, 0.0, 0.0, level, "by definition", joint[1])
    if k > 1:  # at k = 1 it is predicted from itself
        ends = Estimate(predicted, _joined(low, k), _joined(high, k), level, METHOD, single[1])
        value = (many.value or 0.0) - predicted
        residual = Estimate(value, *mover_difference(many, ends), level, METHOD, joint[1])
    return JointPoint(
        model,
        k,
        k * abs(math.log1p(-theta)) if theta < 1 else None,
        predicted,
        many,
        residual,
    )


def _joined(theta: float, k: int) -> float:
    """Share of failed pieces if k pieces, each failed with theta, are joined."""
    return 1 - (1 - theta) ** k
