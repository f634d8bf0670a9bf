"""What a run of the lab leaves for the analysis, beside its graded texts: tables of plain facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from unparrot.core.skills import HeldOut, SkillPack
from unparrot.core.tables import CELLS_SCHEMA, CLOZE_SCHEMA, MODELS_SCHEMA, SKILLS_SCHEMA
from unparrot.lab.cells import Cell
from unparrot.lab.corpus import Packed
from unparrot.lab.ladder import Cloze


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model or parrot; losses in nats a text token, what does not apply is None."""

    name: str
    kind: str
    params: int | None = None
    tokens: int | None = None
    loss: float | None = None
    entropy: float | None = None
    layers: int | None = None
    width: int | None = None


def models_table(models: Sequence[ModelRow]) -> pl.DataFrame:
    """One row a model: the transformers from small to large, then the parrots."""
    return pl.DataFrame(models, schema=MODELS_SCHEMA, orient="row")


def cloze_table(answers: Mapping[str, Sequence[Cloze]]) -> pl.DataFrame:
    """One row a model and piece; the pieces have the same numbers for every model."""
    rows = [
        (model, piece, list(answer.skills), *answer[1:])
        for model, found in answers.items()
        for piece, answer in enumerate(found)
    ]
    return pl.DataFrame(rows, schema=CLOZE_SCHEMA, orient="row")


def cells_table(cells: Sequence[Cell]) -> pl.DataFrame:
    """One row for each k and split that was tested, with the number of combinations."""
    return pl.DataFrame(
        [(c.k, c.split, len(c.combinations), c.imbalance) for c in cells],
        schema=CELLS_SCHEMA,
        orient="row",
    )


def skills_table(pack: SkillPack) -> pl.DataFrame:
    """One row a skill, in the order of the pack."""
    return pl.DataFrame(
        [(s.name, s.category) for s in pack.skills],
        schema=SKILLS_SCHEMA,
        orient="row",
    )


def world_table(
    pack: SkillPack,
    vocabulary: int,
    entropy: float,
    entropy_error: float,
    held: HeldOut,
    packed: Packed,
) -> pl.DataFrame:
    """One row: the size of the world, its entropy (nats a token), what was held out, the corpus."""
    return pl.DataFrame(
        {
            "skills": [len(pack.skills)],
            "topics": [len(pack.topics)],
            "vocabulary": [vocabulary],
            "entropy": [entropy],
            "entropy_error": [entropy_error],
            "heldout_pairs": [len(held.pairs)],
            "heldout_pairs_of": [len(pack.skills) * (len(pack.skills) - 1) // 2],
            "heldout_triples": [len(held.triples)],
            "heldout_cells": [len(held.cells)],
            "max_k": [held.max_k],
            "documents": [packed.documents],
            "tokens": [packed.tokens],
            "text_tokens": [packed.text_tokens],
        }
    )
