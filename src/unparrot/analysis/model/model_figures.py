"""What is worked out of every model alike, in a run of the lab or of language models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from unparrot.analysis.model.competence import competence
from unparrot.analysis.model.composition import composition_gaps
from unparrot.analysis.model.saturation import BASE_SPLITS, saturation
from unparrot.analysis.model.skill_rates import skill_rates


def model_figures(
    own: pl.DataFrame,
    categories: Mapping[str, str],
    *,
    seed: int,
    threshold: float,
    decoding: str = "greedy",
    splits: Sequence[str] = BASE_SPLITS,
) -> dict[str, Any]:
    """Return the figures of one model as plain data.

    Parameters
    ----------
    own
        Outcomes (`unparrot.analysis.read.outcomes`) of the model, and of no other.
    categories
        The category of every skill, in the order in which skills are told.
    seed
        Of the resampling.
    threshold
        Share of full marks that the saturation point is read at, in (0, 1].
    decoding, splits
        Which texts the saturation point is of. The rates of skills are those of greedy texts, or,
        if there are none, of this decoding.

    Returns
    -------
    dict
        ``cells``, ``per_skill``, ``saturation`` and ``composition``.
    """
    greedy = (own["decoding"] == "greedy").any()
    rates = skill_rates(own, categories, decoding=None if greedy else decoding)
    return {
        "cells": [cell.as_dict() for cell in competence(own)],
        "per_skill": [rate.as_dict() for rate in rates],
        "saturation": saturation(
            own, seed=seed, threshold=threshold, decoding=decoding, splits=splits
        ).as_dict(),
        "composition": [gap.as_dict() for gap in composition_gaps(own, seed=seed)],
    }
