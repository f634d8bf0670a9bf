"""The summary of a run of the lab: what `unparrot analyze runs/demo` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from unparrot.analysis.certificate.certify import standing_certificate
from unparrot.analysis.examples import examples
from unparrot.analysis.headline import headline
from unparrot.analysis.model.model_figures import model_figures
from unparrot.analysis.model.saturation import BASE_SPLITS
from unparrot.analysis.read.lab_tables import read_tables, require_texts
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.schema import VERSION
from unparrot.analysis.theory.cloze import cloze_summary
from unparrot.analysis.theory.emergence import emergence
from unparrot.analysis.theory.prediction import theory_summary
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder

THRESHOLD: Final = 0.2
"""Share of full marks that the largest k is read at."""
TITLE: Final = "Do tiny language models combine skills that they never saw together?"

Json = dict[str, Any]


def summarise_lab(folder: RunFolder) -> Json:
    """Return the figures of a run of the lab as plain data.

    Raises
    ------
    BadInput
        If a table that every run of the lab has is absent or is not what it should be.
    """
    tables, outcomes = read_tables(folder), read_outcomes(folder)
    models, cloze, world, seed = tables.models, tables.cloze, tables.world, tables.seed
    require_texts(models, outcomes)
    measured: list[Json] = [
        model_summary(row, outcomes, tables.skills, cloze, seed)
        for row in models.iter_rows(named=True)
    ]
    return {
        "version": VERSION,
        "type": "lab",
        "title": TITLE,
        "budget": tables.plan,
        "seed": seed,
        "world": {
            **{name: world[name] for name in ("skills", "topics", "vocabulary", "entropy")},
            "entropy_error": world["entropy_error"],
            "heldout": {
                "pairs": world["heldout_pairs"],
                "pairs_of": world["heldout_pairs_of"],
                "triples": world["heldout_triples"],
                "cells": world["heldout_cells"],
                "max_k": world["max_k"],
            },
        },
        "corpus": {name: world[name] for name in ("documents", "tokens", "text_tokens")},
        "cells": tables.cells.to_dicts(),
        "models": measured,
        "emergence": ladder_steps(models.to_dicts(), outcomes, seed),
        "certificate": standing_certificate(folder.path, outcomes),
        "theory": theory_summary(models, cloze, outcomes, THRESHOLD, seed),
        "examples": examples(folder.read_table("texts"), outcomes, models["name"].to_list(), seed),
        "headline": headline(measured, world["max_k"]),
    }


def model_summary(
    row: Mapping[str, Any],
    outcomes: pl.DataFrame,
    skills: pl.DataFrame,
    cloze: pl.DataFrame,
    seed: int,
) -> Json:
    """Return the entry of one model.

    Parameters
    ----------
    row
        Of the table `models`: name, kind, params, tokens, loss, entropy, layers, width.
    outcomes
        Of the run; the texts of other models are left out.
    skills
        Columns ``skill`` and ``category``, in the order of the pack.
    cloze
        Answers of all models.
    seed
        Of the resampling.

    Raises
    ------
    BadInput
        If the run has no text of the model.
    """
    own = outcomes.filter(pl.col("model") == row["name"])
    categories = dict(skills.select("skill", "category").iter_rows())
    excess = None
    if row["loss"] is not None and row["entropy"] is not None:
        excess = row["loss"] - row["entropy"]
    return {
        **{name: row[name] for name in ("name", "kind", "params", "tokens", "loss", "entropy")},
        "excess": excess,
        "layers": row["layers"],
        "width": row["width"],
        **model_figures(own, categories, seed=seed, threshold=THRESHOLD),
        "cloze": cloze_summary(cloze, row["name"]),
    }


def ladder_steps(
    models: Sequence[Mapping[str, Any]], outcomes: pl.DataFrame, seed: int
) -> list[Json]:
    """Full marks and a smooth metric along the transformers, for every k and base split."""
    ladder = [row["name"] for row in models if row["kind"] == "transformer"]
    if len(ladder) < 2:
        return []
    greedy = outcomes.filter(
        (pl.col("decoding") == "greedy") & pl.col("split").is_in(list(BASE_SPLITS))
    )
    steps: list[Json] = []
    for k, split in greedy.select("k", "split").unique().sort("k", "split").iter_rows():
        try:
            step: Json = emergence(outcomes, ladder, k=k, split=split, seed=seed).as_dict()
        except BadInput as error:  # too few combinations that all models were marked on
            step = {
                "k": k, "split": split, "decoding": "greedy", "statement": str(error),
                "n": 0, "combinations": 0, "left_out": 0, "steps": [], "largest": None,
                "sharpness": None, "smooth_sharpness": None, "verdict": "not compared",
            }  # fmt: skip
        steps.append(step)
    return steps
