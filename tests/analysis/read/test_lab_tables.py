"""Tables of a run that are not what they should be are refused by name."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from unparrot.analysis.read.lab_tables import read_tables, require_texts
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.core.tables import (
    CELLS_SCHEMA,
    CLOZE_SCHEMA,
    MODELS_SCHEMA,
    SKILLS_SCHEMA,
    WORLD_SCHEMA,
)

MANIFEST = {name: {} for name in ("versions", "digests", "timings", "machine")} | {
    "command": "",
    "seed": 3,
    "spec": {"plan": {"name": "tiny"}},
}
MODELS = pl.DataFrame(
    [("9k", "transformer", 9000, 1, 1.5, 0.5, 0.01, 1, 1), ("splice", "parrot", *[None] * 7)],
    schema=MODELS_SCHEMA,
    orient="row",
)
WORLD = pl.DataFrame({name: [1] for name in WORLD_SCHEMA}, schema=WORLD_SCHEMA)


def run(folder: Path, **changed: pl.DataFrame) -> RunFolder:
    made = RunFolder(folder)
    made.write_manifest(MANIFEST)
    tables = {
        "models": MODELS,
        "world": WORLD,
        "skills": pl.DataFrame(schema=SKILLS_SCHEMA),
        "cells": pl.DataFrame(schema=CELLS_SCHEMA),
        "cloze": pl.DataFrame(schema=CLOZE_SCHEMA),
    }
    for name, table in (tables | changed).items():
        made.write_table(name, table)
    return made


def test_read(tmp_path: Path) -> None:
    found = read_tables(run(tmp_path))
    assert (found.seed, found.plan, found.world["max_k"]) == (3, "tiny", 1)
    assert found.models.equals(MODELS)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"models": MODELS.drop("entropy")}, "models.parquet .* needs a column 'entropy'"),
        ({"models": pl.concat([MODELS, MODELS[:1]])}, "lists '9k' twice"),
        ({"models": MODELS.with_columns(kind=pl.lit("oracle"))}, "the kind 'oracle'"),
        ({"models": MODELS.with_columns(loss=pl.lit(float("nan")))}, "'9k' the loss nan"),
        ({"world": WORLD.clear()}, "world.parquet .* one full row"),
        ({"world": WORLD.drop("max_k")}, "needs a column 'max_k'"),
        ({"skills": pl.DataFrame({"skill": ["a"]})}, "needs a column 'category'"),
        ({"cloze": pl.DataFrame({"model": ["a"]})}, "needs a column 'piece'"),
    ],
)
def test_refused(tmp_path: Path, changed: dict[str, pl.DataFrame], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read_tables(run(tmp_path, **changed))


def test_a_manifest_of_another_kind_of_run_is_refused(tmp_path: Path) -> None:
    made = run(tmp_path)
    made.write_manifest(MANIFEST | {"spec": {}})
    with pytest.raises(BadInput, match=r"spec\.plan\.name"):
        read_tables(made)


def test_models_and_texts_must_belong_together() -> None:
    require_texts(MODELS, pl.DataFrame({"model": ["9k", "splice", "9k"]}))
    with pytest.raises(BadInput, match="no text of splice"):
        require_texts(MODELS, pl.DataFrame({"model": ["9k"]}))
    with pytest.raises(BadInput, match=r"texts of z, which models\.parquet does not list"):
        require_texts(MODELS, pl.DataFrame({"model": ["9k", "splice", "z"]}))
