"""The summary of a run of language models by the SKILL-MIX protocol.

What `unparrot analyze` writes for the runs of `unparrot eval run` and `unparrot eval import`. Of a
run whose pack is private it says nothing of skills and topics but how many there are: they are
numbers from the start (`unparrot.analysis.read.skillmix_tables`).
"""

from __future__ import annotations

from typing import Any, Final, cast

import polars as pl

from unparrot.analysis.between.all_pairs import all_pairs
from unparrot.analysis.certificate.certify import standing_certificate
from unparrot.analysis.examples import examples
from unparrot.analysis.graders.instruments import instruments
from unparrot.analysis.graders.unscored import unscored_marks
from unparrot.analysis.model.model_figures import model_figures
from unparrot.analysis.model.skill_rates import ALL, skill_rates
from unparrot.analysis.read.skillmix_tables import (
    PROTOCOL,
    SkillMixTables,
    public_spec,
    read_skillmix,
)
from unparrot.analysis.resampling import Resampling
from unparrot.analysis.schema import VERSION
from unparrot.analysis.skillmix_headline import skillmix_headline
from unparrot.analysis.spending import spending
from unparrot.core.records import RunFolder

THRESHOLD: Final = 0.2
"""Share of full marks that the saturation point is read at."""

Json = dict[str, Any]


def summarise_skillmix(folder: RunFolder) -> Json:
    """Return the figures of a run as plain data.

    Parameters
    ----------
    folder
        Of a run of `unparrot eval run` or `unparrot eval import`.

    Raises
    ------
    BadInput
        If a table that every such run has is absent or is not what it should be.
    """
    tables = read_skillmix(folder)
    outcomes, seed = tables.outcomes, tables.seed
    decodings = {name: _primary(outcomes, name) for name in tables.models}
    models = [_model(tables, name, decodings[name]) for name in tables.models]
    sampling = Resampling(seed=seed)
    return {
        "version": VERSION,
        "type": PROTOCOL,
        "title": _title(len(models)),
        "seed": seed,
        "private": tables.private,
        "run": _run(tables),
        "models": models,
        "comparison": all_pairs(outcomes, tables.models, seed),
        "unscored": unscored_marks(tables.graded, tables.texts, tables.models),
        "graders": None
        if tables.grades is None
        else instruments(
            tables.grades, tables.texts, tables.graded, tables.grader, tables.models, sampling
        ),
        "certificate": _certificate(folder, tables),
        "usage": spending(tables.usage, tables.calls, tables.texts),
        "examples": []
        if tables.private
        else examples(tables.texts, outcomes, tables.models, seed, decoding=None, identified=True),
        "headline": skillmix_headline(models, decodings),
    }


def _title(models: int) -> str:
    return f"How many skills can {'this model' if models == 1 else 'these models'} combine at once?"


def _primary(outcomes: pl.DataFrame, model: str) -> str:
    """The decoding that a model's saturation point is of: most k, then most texts, then by name."""
    found = (
        outcomes.filter(pl.col("model") == model)
        .group_by("decoding")
        .agg(pl.col("k").n_unique().alias("ks"), pl.len().alias("texts"))
        .sort("ks", "texts", "decoding", descending=[True, True, False])
    )
    return str(found["decoding"][0])


def _run(tables: SkillMixTables) -> Json:
    """What was asked, in short."""
    told = public_spec(tables.spec)
    pack = cast(Json, tables.spec.get("pack") or {})
    asked = tables.outcomes.group_by("k").agg(pl.col("combination").n_unique().alias("n")).sort("k")
    return {
        "spec": {**told, "pack": told["pack"] if tables.private else pack},
        "models": list(tables.models),
        "silent": list(tables.silent),
        "texts": tables.outcomes.height,
        "combinations": [{"k": k, "n": n} for k, n in asked.iter_rows()],
    }


def _model(tables: SkillMixTables, name: str, decoding: str) -> Json:
    own = tables.outcomes.filter(pl.col("model") == name)
    splits: list[str] = own["split"].unique().sort().to_list()
    figures = model_figures(
        own,
        tables.categories,
        seed=tables.seed,
        threshold=THRESHOLD,
        decoding=decoding,
        splits=splits,
    )
    by_skill = [rate for rate in figures["per_skill"] if rate["split"] == ALL]
    return {
        "name": name,
        "kind": "language model",
        **figures,
        "per_skill": [] if tables.private else by_skill,
        "per_category": [] if tables.private else _by_category(own, tables, decoding),
    }


def _by_category(own: pl.DataFrame, tables: SkillMixTables, decoding: str) -> list[Json]:
    """Rates of whole categories; none where the run knows no categories."""
    kinds = list(dict.fromkeys(tables.categories.values()))
    if kinds == [""]:
        return []
    pooled = own.with_columns(
        pl.col("skills").list.eval(pl.element().replace_strict(dict(tables.categories)))
    )
    rates = skill_rates(pooled, {kind: kind for kind in kinds}, decoding=decoding)
    return [
        {"category": rate.category, "earned": rate.earned.as_dict()}
        for rate in rates
        if rate.split == ALL
    ]


def _certificate(folder: RunFolder, tables: SkillMixTables) -> Json | None:
    found = standing_certificate(folder.path, tables.outcomes)
    if found is None or not tables.private:
        return found
    # files of rates are named by people, and may be named for what they hold
    kept = {*tables.digests, "texts.parquet", "graded.parquet", "models.parquet"}
    hashes = cast(Json, found.get("hashes") or {})
    return found | {"hashes": {name: value for name, value in hashes.items() if name in kept}}
