"""The theory laid over the measurement: every prediction beside what the models of a run did.

Loss against parameters, errors against excess loss, the performance curves, the slingshot, and the
growth of k; each with its interval, and a sentence that says what was found.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from unparrot.analysis.model.saturation import BASE_SPLITS
from unparrot.analysis.theory.concentration import Concentration, concentration
from unparrot.analysis.theory.error_law import ErrorLaw, error_law
from unparrot.analysis.theory.findings import findings
from unparrot.analysis.theory.growth import Rung, growth
from unparrot.analysis.theory.joint import joint_points
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.clustered import clustered_share
from unparrot.theory.law.fit import PowerFit, fit_power

TUPLE_SIZES: Final = (1, 2)


def theory_summary(
    models: pl.DataFrame,
    cloze: pl.DataFrame,
    outcomes: pl.DataFrame,
    threshold: float,
    seed: int,
) -> dict[str, Any] | None:
    """Return the part `theory` of the summary; None for a run without cloze pieces.

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
    curves: list[tuple[str, Concentration]] = []
    untold: list[str] = []
    for size in TUPLE_SIZES:
        for name in trained["name"]:
            try:
                found = concentration(cloze.filter(pl.col("model") == name), size, seed)
            except BadInput as error:
                untold.append(f"{name}, tuples of {size}: {error}")
            else:
                curves.append((str(name), found))
    joint = joint_points(cloze)
    grown = growth(_rungs(trained, outcomes, errors), threshold)
    law = _law(trained)
    return {
        "law": law,
        "errors": errors.as_dict(),
        "curves": [{"model": name, **found.as_dict()} for name, found in curves],
        "untold": untold,
        "joint": [point.as_dict() for point in joint],
        "growth": grown.as_dict(),
        "findings": findings(law, errors, [found for _, found in curves], joint, grown),
    }


def _law(trained: pl.DataFrame) -> dict[str, Any]:
    """L = E + A N^-alpha over the ladder, with the exact floor E."""
    floor = float(trained["entropy"][0])
    points = [
        {"model": name, "params": params, "excess": loss - entropy}
        for name, params, loss, entropy in trained.select(
            "name", "params", "loss", "entropy"
        ).iter_rows()
    ]
    try:
        fit: PowerFit = fit_power(trained["params"], trained["loss"], floor=floor)
    except BadInput as error:
        return {"floor": floor, "points": points, "fit": None, "reason": str(error)}
    return {"floor": floor, "points": points, "fit": fit.as_dict(), "reason": None}


def _rungs(trained: pl.DataFrame, outcomes: pl.DataFrame, errors: ErrorLaw) -> list[Rung]:
    """The models with a theta, and full marks of the texts that were marked in full."""
    theta = {point.model: point.theta.value for point in errors.points}
    told = outcomes.filter(
        (pl.col("decoding") == "greedy")
        & pl.col("split").is_in(BASE_SPLITS)
        & (pl.col("unscored") == 0)
    )
    rungs: list[Rung] = []
    for name, loss, entropy in trained.select("name", "loss", "entropy").iter_rows():
        own = told.filter(pl.col("model") == name)
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
