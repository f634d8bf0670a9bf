"""Every model of a run beside every other, over the same combinations: what a summary tells.

The p values of all pairs and all k are one family: Holm's adjustment runs over them together.
`unparrot compare RUN:MODEL RUN:MODEL` tells one pair at length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import polars as pl

from unparrot.analysis.between.compare import compare_outcomes
from unparrot.analysis.between.comparison import Comparison
from unparrot.core.errors import BadInput
from unparrot.stats.multiplicity import holm

MOST: Final = 6
"""Models up to which all pairs are told; beyond, the first of the run meets every other."""


def all_pairs(outcomes: pl.DataFrame, models: Sequence[str], seed: int) -> dict[str, Any] | None:
    """Compare the models of a run in pairs; None if it has one.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`.
    models
        Names, in the order in which they are told. With more than `MOST` of them only the pairs
        with the first are compared, whatever their results.
    seed
        Of the resampling.

    Returns
    -------
    dict
        ``pairs`` (``first``, ``second``, ``cells`` and ``notes`` each, as `compare_outcomes` has
        them, with ``without_partner`` as a number), ``tests`` (how many p values there are), and
        ``left_out`` (why some pair cannot be compared).
    """
    if len(models) < 2:
        return None
    chosen = list(combinations(models, 2))
    if len(models) > MOST:
        chosen = [(models[0], other) for other in models[1:]]
    found: list[Comparison] = []
    left_out: list[str] = []
    for names in chosen:
        one, two = (outcomes.filter(pl.col("model") == name) for name in names)
        try:
            found.append(compare_outcomes(one, two, names=names, seed=seed))
        except BadInput as error:
            left_out.append(str(error))
    values = [cell.p for comparison in found for cell in comparison.cells if cell.p is not None]
    adjusted = iter(holm(values))
    pairs = [
        {
            "first": comparison.first,
            "second": comparison.second,
            "family": "Holm over all pairs, k, splits and decodings",
            "cells": [
                cell.as_dict()
                | {
                    "p_adjusted": None if cell.p is None else next(adjusted),
                    "without_partner": len(cell.without_partner),
                }
                for cell in comparison.cells
            ],
            "notes": list(comparison.notes),
        }
        for comparison in found
    ]
    return {"pairs": pairs, "tests": len(values), "left_out": left_out}
