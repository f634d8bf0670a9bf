"""The laws of loss and of errors: excess against scale, failures against excess.

*Loss against parameters and tokens*: L = E + A N^-alpha + B D^-beta (the form of Hoffmann et al.
2022) over the exact floor E, of all models.

*Errors against excess loss*. A model fails a share theta of the cloze pieces. Mistakes that come
independently at a rate h a piece leave 1 - theta = exp(-h) without any, so the rate is
h = -ln(1 - theta); theta itself levels off at 1. The theory assumes that this rate is proportional
to the excess loss, an exponent of 1 (Arora and Goyal 2023, section 4).

*The slingshot*. A piece of k skills fails as k joined pieces of one skill would: -ln(1 - theta_k)
is proportional to k (section 5). That is the law of `unparrot.analysis.theory.growth`, for reading
in place of writing, with c = 1; where c is above 1, combining costs more than having the skills.

The performance curves have a file of their own (`unparrot.analysis.theory.concentration`).
"""

import math
from contextlib import suppress
from typing import Final

import numpy as np
import polars as pl
from msgspec import Struct
from scipy.special import stdtrit

from unparrot.analysis.theory.concentration import Concentration, concentration
from unparrot.analysis.theory.growth import skill_law, token_steps
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import wilson
from unparrot.theory.law.power_law import PowerFit, fit_joint, fit_product

TUPLE_SIZES: Final = (1, 2)


class ErrorPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """One model: excess loss of a mean piece in nats, and its mistakes a piece.

    Parameters
    ----------
    rate
        -ln(1 - theta), with the ends of Wilson's interval of theta; None where every piece failed,
        and without an interval where that reaches to all pieces.
    joint
        c of -ln(1 - theta_k) = exp(a + c ln k), None with pieces of one size.
    """

    model: str
    excess: float
    rate: Estimate | None
    joint: Estimate | None


class Theory(Struct, frozen=True, forbid_unknown_fields=True):
    """Loss, errors and performance curves of the trained models.

    Parameters
    ----------
    loss
        L = E + A N^-alpha + B D^-beta; None where the models do not determine it.
    product
        L = E + A N^-alpha D^-beta; the same.
    errors, exponent
        The models, and the exponent of their rate of mistakes against excess, by least squares of
        logarithms with a t interval; None with fewer than two usable models.
    curves
        Performance curves, of the models with the most tokens and pieces enough for one.
    """

    loss: PowerFit | None
    errors: tuple[ErrorPoint, ...]
    exponent: Estimate | None
    curves: tuple[Concentration, ...]
    product: PowerFit | None = None


def theory_summary(models: pl.DataFrame, cloze: pl.DataFrame, seed: int) -> Theory | None:
    """Measure the laws; None for a run without cloze pieces.

    Parameters
    ----------
    models
        Columns ``name``, ``params``, ``tokens``, ``loss`` and ``entropy``; nulls for parrots.
    cloze
        Columns of `unparrot.core.tables.CLOZE_SCHEMA`.
    seed
        Of the splits and of the random placements of the performance curves.
    """
    trained = models.drop_nulls(["params", "tokens", "loss", "entropy"])
    if trained.is_empty() or cloze.is_empty():
        return None
    ladder = trained.filter(pl.Series(token_steps(trained["tokens"].to_list())) == 0)
    columns = [trained[name].to_numpy() for name in ("params", "tokens", "loss")]
    loss = product = None
    with suppress(BadInput):
        loss = fit_joint(*columns, floor=float(trained["entropy"][0]))
    with suppress(BadInput):
        product = fit_product(*columns, floor=float(trained["entropy"][0]))
    errors = error_points(trained, cloze)
    curves: list[Concentration] = []
    for size in TUPLE_SIZES:
        for name in ladder["name"]:
            with suppress(BadInput):  # too few pieces hold a tuple of this size
                curves.append(concentration(cloze, str(name), size, seed))
    return Theory(loss, errors, error_exponent(errors), tuple(curves), product)


def error_points(models: pl.DataFrame, cloze: pl.DataFrame) -> tuple[ErrorPoint, ...]:
    """Lay the rate of mistakes beside the excess loss of every model that has both."""
    pieces = cloze.filter(pl.col("questions") > 0).with_columns(
        k=pl.col("skills").list.len(), failed=pl.col("wrong") > 0
    )
    points: list[ErrorPoint] = []
    for name, loss, entropy in models.select("name", "loss", "entropy").iter_rows():
        own = pieces.filter(pl.col("model") == name)
        if own.is_empty():
            continue
        theta = wilson(int(own["failed"].sum()), own.height)
        by_k = own.group_by("k").agg(pl.len().alias("n"), pl.col("failed").sum()).sort("k")
        law = skill_law(by_k.to_numpy().astype(np.float64))
        points.append(
            ErrorPoint(
                str(name),
                (loss - entropy) * float(own["tokens"].sum()) / own.height,
                _rate(theta),
                law and law.steepness(),
            )
        )
    return tuple(points)


def _rate(theta: Estimate) -> Estimate | None:
    value, low, high = (x or 0.0 for x in (theta.value, theta.low, theta.high))
    if value == 1:
        return None
    ends = (None, None) if high == 1 else (-math.log1p(-low), -math.log1p(-high))
    return Estimate(-math.log1p(-value), *ends, theta.level, theta.method, theta.n)


def error_exponent(points: tuple[ErrorPoint, ...], level: float = 0.95) -> Estimate | None:
    """Return the least-squares slope of ln rate on ln excess; None with fewer than two models."""
    usable = [
        (math.log(p.excess), math.log(p.rate.value))
        for p in points
        if p.excess > 0 and p.rate is not None and p.rate.value
    ]
    n = len(usable)
    if len({x for x, _ in usable}) < 2:
        return None
    x, y = (np.array(usable) - np.mean(usable, axis=0)).T
    value = float(x @ y) / float(x @ x)
    if n == 2:
        return Estimate(value, None, None, level, "least squares, two models", n)
    rest = y - value * x
    error = math.sqrt(float(rest @ rest / (x @ x)) / (n - 2))
    half = float(stdtrit(n - 2, (1 + level) / 2)) * error
    return Estimate(value, value - half, value + half, level, "least squares, t interval", n)
