"""The tables of a run that stand beside its graded texts, checked before a figure is made of them.

What is amiss is refused here by the name of the table and of the column or model, so that nobody
meets it as a wrong figure, or as an error of the library that tripped over it.
"""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder

KINDS: Final = ("transformer", "parrot")


@dataclass(frozen=True, slots=True)
class RunTables:
    """The tables of a run, ``world`` being its only row, and seed and name of the plan.

    ``models`` has the transformers from small to large, then the parrots; ``about`` is the
    situation of a topic and its skills.
    """

    seed: int
    plan: str
    models: pl.DataFrame
    skills: pl.DataFrame
    cloze: pl.DataFrame
    world: dict[str, Any]
    about: dict[tuple[str, tuple[str, ...]], str]


def read_tables(folder: RunFolder) -> RunTables:
    """Read and check the tables of a run.

    Raises
    ------
    BadInput
        If the manifest or a table is absent, lacks a field or column, or holds what cannot be: a
        model twice, an unknown kind, a number that is not finite, a world of several rows.
    """
    manifest = folder.read_manifest()
    planned: dict[str, object] = manifest.spec.get("plan") or {}
    plan = planned.get("name")
    if not isinstance(plan, str) or isinstance(manifest.seed, tuple):
        raise BadInput(
            f"{folder.path}/manifest.json lacks its seed or spec.plan.name; give a run of the lab, "
            "or of language models by the SKILL-MIX protocol"
        )
    models = _models(folder)
    world = folder.checked_table("world")
    if world.height != 1 or any(column.null_count() for column in world):
        raise BadInput(f"world.parquet in {folder.path} must hold one full row")
    return RunTables(
        manifest.seed,
        plan,
        models,
        folder.checked_table("skills"),
        folder.checked_table("cloze"),
        world.row(0, named=True),
        _about(folder),
    )


def _about(folder: RunFolder) -> dict[tuple[str, tuple[str, ...]], str]:
    if not (folder.path / "requests.parquet").is_file():  # a run of an earlier version
        return {}
    rows = folder.checked_table("requests").iter_rows()
    return {(topic, tuple(skills)): about for topic, skills, about in rows}


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
    models = folder.checked_table("models")
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
