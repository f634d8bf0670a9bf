"""The theory's predictions beside what the models of a run did, each with its interval.

*Loss against parameters*: L = E + A N^-alpha over the exact floor E.

*Errors against excess loss*. Where the text fixes the answer of a cloze question, a wrong answer
means that the model gave the right word at most half of its probability, which costs it at least
ln 2 nats at that word. So the share of failed pieces is at most the excess loss of a piece over
ln 2: a limit that holds for every model (Markov's inequality on the divergence; for answers that
the text leaves open, Pinsker's inequality takes its place). The theory assumes more, that theta is
proportional to the excess: an exponent of 1 (Arora and Goyal 2023, section 4).

*The slingshot*. Joining k independent pieces gives a piece that fails with 1 - (1 - theta)^k, so a
model whose theta is k times smaller should do on k skills at once what its smaller relative did on
one (Arora and Goyal 2023, section 5). All models and k then lie on one curve, 1 - exp(-x), over
x = -k ln(1 - theta_1). The residuals say where that is not so.

*The growth of k*. From one model of a ladder the slingshot predicts the k of every other:
k ln(1-theta)/ln(1-theta'), or k times the ratio of their excess losses, as far as errors are
proportional to those.

The performance curves have a file of their own (`unparrot.analysis.theory.concentration`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from msgspec import Struct

from unparrot.analysis.model.saturation import BASE_SPLITS
from unparrot.analysis.theory.concentration import Concentration, concentration
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.clustered import clustered_share
from unparrot.stats.intervals import wilson
from unparrot.stats.mover import mover_difference
from unparrot.theory.law.power_law import PowerFit, fit_power

TUPLE_SIZES: Final = (1, 2)
_SLINGSHOT: Final = "mover of wilson"
_GROWTH: Final = "from the wilson intervals at each k"


class LawPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """One model: parameters, and loss over the floor."""

    model: str
    params: int
    excess: float


class MeasuredLaw(Struct, frozen=True, forbid_unknown_fields=True):
    """L = E + A N^-alpha over the ladder, with the exact floor E; ``reason`` says why not."""

    floor: float
    points: tuple[LawPoint, ...]
    fit: PowerFit | None
    reason: str | None


class ErrorPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """One model: excess loss of a mean piece in nats, failed share, and the limit of that share.

    ``limit`` is None if the measured loss is not above the floor: it is then within its error of
    the floor, and sets no limit.
    """

    model: str
    excess: float
    theta: Estimate
    limit: float | None


class ErrorLaw(Struct, frozen=True, forbid_unknown_fields=True):
    """The points of a ladder, and the exponent b of theta ~ excess^b between them.

    ``exponent`` is None with fewer than two models that fail some pieces and not all; its interval
    is None with two. Its ``n`` counts models.
    """

    points: tuple[ErrorPoint, ...]
    exponent: Estimate | None


class JointPoint(Struct, frozen=True, forbid_unknown_fields=True):
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


class GrowthPoint(Struct, frozen=True, forbid_unknown_fields=True):
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


class Growth(Struct, frozen=True, forbid_unknown_fields=True):
    """The points of a ladder and the exponent b of k ~ excess^b; the theory says -1.

    ``start`` names the model that the predictions start from: the first that reaches the threshold
    with one skill. None if there is none, or if its own k lies beyond the largest tested.
    """

    threshold: float
    start: str | None
    points: tuple[GrowthPoint, ...]
    exponent: Estimate | None


class Theory(Struct, frozen=True, forbid_unknown_fields=True):
    """Every prediction of the theory beside what the models of a run did.

    ``untold`` says why a model has no performance curve of some size of tuple.
    """

    law: MeasuredLaw
    errors: ErrorLaw
    curves: tuple[Concentration, ...]
    untold: tuple[str, ...]
    joint: tuple[JointPoint, ...]
    growth: Growth


def theory_summary(
    models: pl.DataFrame,
    cloze: pl.DataFrame,
    outcomes: pl.DataFrame,
    threshold: float,
    seed: int,
) -> Theory | None:
    """Lay the predictions beside the measurement; None for a run without cloze pieces.

    Parameters
    ----------
    models
        Columns ``name``, ``params``, ``loss`` and ``entropy``; nulls for parrots.
    cloze
        Columns of `unparrot.core.tables.CLOZE_SCHEMA`.
    outcomes
        Frame of `unparrot.analysis.read.outcomes.read_outcomes`.
    threshold
        Share of full marks at which k is read.
    seed
        Of the splits and of the random placements.
    """
    trained = models.drop_nulls(["params", "loss", "entropy"])
    if trained.is_empty() or cloze.is_empty():
        return None
    errors = error_law(trained, cloze)
    curves: list[Concentration] = []
    untold: list[str] = []
    for size in TUPLE_SIZES:
        for name in trained["name"]:
            try:
                curves.append(concentration(cloze, str(name), size, seed))
            except BadInput as error:
                untold.append(f"{name}, tuples of {size}: {error}")
    return Theory(
        law=_law(trained),
        errors=errors,
        curves=tuple(curves),
        untold=tuple(untold),
        joint=tuple(joint_points(cloze)),
        growth=growth(_rungs(trained, outcomes, errors), threshold),
    )


def _law(trained: pl.DataFrame) -> MeasuredLaw:
    """L = E + A N^-alpha over the ladder, with the exact floor E."""
    floor = float(trained["entropy"][0])
    rows = trained.select("name", "params", "loss", "entropy").iter_rows()
    points = tuple(LawPoint(name, params, loss - entropy) for name, params, loss, entropy in rows)
    try:
        fit = fit_power(trained["params"], trained["loss"], floor=floor)
    except BadInput as error:
        return MeasuredLaw(floor, points, None, str(error))
    return MeasuredLaw(floor, points, fit, None)


def _rungs(trained: pl.DataFrame, outcomes: pl.DataFrame, errors: ErrorLaw) -> list[Rung]:
    """The models with a theta, and full marks of the texts that were marked in full."""
    theta = {point.model: point.theta.value for point in errors.points}
    scored = outcomes.filter(
        (pl.col("decoding") == "greedy")
        & pl.col("split").is_in(BASE_SPLITS)
        & (pl.col("unscored") == 0)
    )
    rungs: list[Rung] = []
    for name, loss, entropy in trained.select("name", "loss", "entropy").iter_rows():
        own = scored.filter(pl.col("model") == name)
        counts = own.group_by("k", "combination").agg(
            pl.col("full_marks").sum().cast(pl.Int64), pl.len().cast(pl.Int64).alias("n")
        )
        shares: list[Estimate] = []
        # only k without a gap from 1 on: what lies beyond a gap cannot be reached by it
        while not (at_k := counts.filter(pl.col("k") == len(shares) + 1)).is_empty():
            shares.append(clustered_share(at_k["full_marks"].to_numpy(), at_k["n"].to_numpy()))
        rate = theta.get(str(name))
        if shares and rate is not None:
            rungs.append(Rung(str(name), loss - entropy, rate, tuple(shares)))
    return rungs


# Errors against excess loss


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


# The slingshot


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
        ends = Estimate(predicted, _joined(low, k), _joined(high, k), level, _SLINGSHOT, single[1])
        value = (many.value or 0.0) - predicted
        residual = Estimate(value, *mover_difference(many, ends), level, _SLINGSHOT, joint[1])
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


# The growth of k


@dataclass(frozen=True, slots=True)
class Rung:
    """One model: excess loss (nats a token), theta, and its full marks at k = 1, 2, and so on."""

    model: str
    excess: float
    theta: float
    full_marks: tuple[Estimate, ...]


def growth(rungs: Sequence[Rung], threshold: float, level: float = 0.95) -> Growth:
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
    return Estimate(value, min(low, value), max(high, value), level, _GROWTH, texts), beyond


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
