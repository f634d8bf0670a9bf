"""The tables of a run that stand beside its graded texts, checked before a figure is made of them.

What is amiss is refused here by the name of the table and of the column or model, so that nobody
meets it as a wrong figure, or as an error of the library that tripped over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.records import CLOZE_SCHEMA, RunFolder

MODELS_SCHEMA: Final = pl.Schema(
    {
        "name": pl.String,
        "kind": pl.String,
        "params": pl.Int64,
        "tokens": pl.Int64,
        "loss": pl.Float64,
        "entropy": pl.Float64,
        "layers": pl.Int64,
        "width": pl.Int64,
    }
)
SKILLS_SCHEMA: Final = pl.Schema({"skill": pl.String, "category": pl.String})
CELLS_SCHEMA: Final = pl.Schema(
    {"k": pl.Int64, "split": pl.String, "n": pl.Int64, "imbalance": pl.Float64}
)
_COUNTS: Final = (
    "skills", "topics", "vocabulary", "heldout_pairs", "heldout_pairs_of", "heldout_triples",
    "heldout_cells", "max_k", "documents", "tokens", "text_tokens",
)  # fmt: skip
WORLD_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(_COUNTS, pl.Int64),
        **dict.fromkeys(("entropy", "entropy_error"), pl.Float64),
    }
)
KINDS: Final = ("transformer", "parrot")


@dataclass(frozen=True, slots=True)
class RunTables:
    """The tables of a run, ``world`` being its only row, and seed and name of the plan.

    ``models`` has the transformers from small to large, then the parrots.
    """

    seed: int
    plan: str
    models: pl.DataFrame
    skills: pl.DataFrame
    cloze: pl.DataFrame
    cells: pl.DataFrame
    world: dict[str, Any]


def read_tables(folder: RunFolder) -> RunTables:
    """Read and check the tables of a run.

    Raises
    ------
    BadInput
        If the manifest or a table is absent, lacks a field or column, or holds what cannot be: a
        model twice, an unknown kind, a number that is not finite, a world of several rows.
    """
    manifest = cast(dict[str, Any], folder.read_manifest())
    try:
        seed, plan = int(manifest["seed"]), str(manifest["spec"]["plan"]["name"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{folder.path}/manifest.json lacks its seed or spec.plan.name; give a run of the lab, "
            "or of language models by the SKILL-MIX protocol"
        ) from error
    models = _models(folder)
    world = checked_table(folder, "world", WORLD_SCHEMA)
    if world.height != 1 or any(column.null_count() for column in world):
        raise BadInput(f"world.parquet in {folder.path} must hold one full row")
    return RunTables(
        seed,
        plan,
        models,
        checked_table(folder, "skills", SKILLS_SCHEMA),
        checked_table(folder, "cloze", CLOZE_SCHEMA),
        checked_table(folder, "cells", CELLS_SCHEMA),
        world.row(0, named=True),
    )


def require_texts(models: pl.DataFrame, outcomes: pl.DataFrame) -> None:
    """Refuse a listed model without texts, and texts of a model that is not listed."""
    listed, wrote = (set[str](frame.to_list()) for frame in (models["name"], outcomes["model"]))
    if silent := sorted(listed - wrote):
        raise BadInput(
            f"the run has no text of {', '.join(silent)}, which models.parquet lists; generate "
            "and grade some"
        )
    if unknown := sorted(wrote - listed):
        raise BadInput(
            f"the run has texts of {', '.join(unknown)}, which models.parquet does not list"
        )


def _models(folder: RunFolder) -> pl.DataFrame:
    models = checked_table(folder, "models", MODELS_SCHEMA)
    where = f"models.parquet in {folder.path}"
    for name, kind in models.select("name", "kind").iter_rows():
        if kind not in KINDS:
            raise BadInput(f"{where} gives {name!r} the kind {kind!r}; there are {KINDS}")
    twice = models.filter(pl.col("name").is_duplicated())
    if not twice.is_empty():
        raise BadInput(f"{where} lists {twice['name'][0]!r} twice")
    for column in ("loss", "entropy"):
        odd = models.filter(pl.col(column).is_not_null() & ~pl.col(column).is_finite())
        if not odd.is_empty():
            raise BadInput(
                f"{where} gives {odd['name'][0]!r} the {column} {odd[column][0]}: its training "
                "diverged; train it again, or leave it out"
            )
    return models


def checked_table(folder: RunFolder, name: str, schema: pl.Schema) -> pl.DataFrame:
    """Read a table of a run that has at least these columns.

    Raises
    ------
    BadInput
        If it is absent, or lacks a column or has it of another type.
    """
    table = folder.read_table(name)
    for column, kind in schema.items():
        if table.schema.get(column) != kind:
            raise BadInput(
                f"{name}.parquet in {folder.path} needs a column {column!r} of {kind!r}; it has "
                f"{dict(table.schema)!r}"
            )
    return table
