"""Reads a run folder into what its page shows: `unparrot.report.contents`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import polars as pl

from unparrot.analysis.read.skillmix_tables import public_manifest
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.records import RunFolder
from unparrot.core.tables import TRAINING_SCHEMA
from unparrot.core.wording import short_names
from unparrot.report.contents import (
    METRICS,
    NOT_MEASURED,
    Cell,
    Contents,
    Example,
    Json,
    Model,
    SkillRate,
    Tries,
)


def read_contents(run: Path) -> Contents:
    """Read what a page needs from a run folder.

    Parameters
    ----------
    run
        A folder with ``summary.json``, and with ``manifest.json`` and ``training.parquet`` if the
        run has them (a run of parrots alone trains nothing).

    Raises
    ------
    BadInput
        If the summary is absent or lacks a field; the message names the model and the field.
    """
    if not (run / "summary.json").is_file():
        raise BadInput(
            f"{str(run)!r} has no summary.json; give the folder of a finished run, "
            f"for example runs/demo, or make it: unparrot analyze {run}"
        )
    folder = RunFolder(run)
    summary = cast(Json, folder.read_summary())
    manifest: Json = {}
    if (run / "manifest.json").is_file():
        manifest = cast(Json, folder.read_manifest())
    if summary.get("private"):
        manifest = public_manifest(manifest)
    training = pl.DataFrame(schema=TRAINING_SCHEMA)
    if (run / "training.parquet").is_file():
        training = folder.read_table("training")
    spent = _train_seconds(training)
    rows = _rows(summary, "models", "the summary")
    labels = short_names([str(row.get("name")) for row in rows])
    headline = cast(Json, summary.get("headline") or {})
    parrot = cast(Json, headline.get("parrot") or {})
    return Contents(
        summary=summary,
        manifest=manifest,
        training=training,
        models=tuple(_model(row, label, spent) for row, label in zip(rows, labels, strict=True)),
        examples=tuple(_example(row) for row in summary.get("examples") or ()),
        headline=estimate_of(headline.get("estimate"), "the headline"),
        parrot_headline=estimate_of(parrot.get("estimate"), "the parrot's headline"),
    )


def _rows(source: Json, key: str, where: str) -> list[Json]:
    rows: Any = source.get(key)
    if not isinstance(rows, list):
        raise BadInput(f"{where} needs a list {key!r}, not {json.dumps(rows)[:80]}")
    return cast(list[Json], rows)


def _field(source: Json, key: str, where: str) -> Any:
    if key not in source:
        raise BadInput(f"{where} lacks {key!r}; it has {', '.join(sorted(source)) or 'nothing'}")
    return source[key]


def estimate_of(plain: Any, where: str) -> Estimate:
    """Read an estimate of the summary; `NOT_MEASURED` where it has no value.

    Raises
    ------
    BadInput
        If it is none; the message names ``where`` it stands.
    """
    if not isinstance(plain, Mapping):
        if plain is None:
            return NOT_MEASURED
        raise BadInput(f"an estimate of {where} must be an object, not {plain!r}")
    row = cast(Json, plain)
    if row.get("value") is None:
        return NOT_MEASURED
    return Estimate(
        float(row["value"]),
        None if row.get("low") is None else float(row["low"]),
        None if row.get("high") is None else float(row["high"]),
        float(row.get("level") or 0.95),
        str(row.get("method") or "not stated"),
        int(_field(row, "n", where)),
    )


def _optional_int(value: Any) -> int | None:
    return None if value is None else int(value)


def _optional_float(value: Any) -> float | None:
    return None if value is None else float(value)


def _train_seconds(training: pl.DataFrame) -> dict[str, float]:
    """Seconds of training by model: what the clock said when the last row was logged."""
    if "seconds" not in training.columns:
        return {}
    last = training.drop_nulls("seconds").group_by("model").agg(pl.col("seconds").max())
    return {str(name): float(value) for name, value in last.iter_rows()}


def _model(row: Json, label: str, train_seconds: Mapping[str, float]) -> Model:
    where = f"model {row.get('name')!r}"
    saturation = cast(Json, row.get("saturation") or {})
    cloze = cast(Json, row.get("cloze") or {})
    return Model(
        name=str(_field(row, "name", "a model")),
        label=label,
        kind=str(_field(row, "kind", where)),
        params=_optional_int(row.get("params")),
        tokens=_optional_int(row.get("tokens")),
        loss=_optional_float(row.get("loss")),
        entropy=_optional_float(row.get("entropy")),
        excess=_optional_float(row.get("excess")),
        train_seconds=train_seconds.get(str(row["name"])),
        layers=_optional_int(row.get("layers")),
        width=_optional_int(row.get("width")),
        cells=tuple(_cell(cell, where) for cell in _rows(row, "cells", where)),
        per_skill=tuple(
            SkillRate(
                str(_field(rate, "skill", where)),
                str(rate.get("category") or ""),
                str(_field(rate, "split", where)),
                estimate_of(rate.get("earned"), where),
            )
            for rate in row.get("per_skill") or ()
        ),
        threshold=_optional_float(saturation.get("threshold")),
        largest_k=_optional_int(saturation.get("k")),
        theta=estimate_of(cloze.get("theta"), where),
        pieces=_optional_int(cloze.get("pieces")),
        cloze_per_skill={
            str(_field(rate, "skill", where)): estimate_of(rate.get("competence"), where)
            for rate in cloze.get("per_skill") or ()
        },
    )


def _cell(row: Json, where: str) -> Cell:
    return Cell(
        k=int(_field(row, "k", where)),
        split=str(_field(row, "split", where)),
        decoding=str(_field(row, "decoding", where)),
        n=int(row.get("n") or 0),
        metrics={metric: estimate_of(row.get(metric), where) for metric in METRICS},
        marks={
            kind: estimate_of(plain, where)
            for kind, plain in cast(Json, row.get("marks") or {}).items()
        },
        combinations=int(row.get("combinations") or 0),
        unscored=int(row.get("unscored") or 0),
        bounds={metric: bounds_of(row.get(metric)) for metric in METRICS},
        once=_tries(row.get("pass_at_1"), where),
        best=_tries(row.get("max_at_rounds"), where),
    )


def _tries(plain: Any, where: str) -> Tries | None:
    if plain is None:
        return None
    row = cast(Json, plain)
    return Tries(
        int(_field(row, "rounds", where)),
        {metric: estimate_of(row.get(metric), where) for metric in METRICS},
        {metric: bounds_of(row.get(metric)) for metric in METRICS},
    )


def bounds_of(plain: Any) -> tuple[float, float] | None:
    """Return the values at worst and at best that stand beside an estimate, or None."""
    row = cast(Json, plain or {})
    worst, best = cast(Json, row.get("worst") or {}), cast(Json, row.get("best") or {})
    if worst.get("value") is None or best.get("value") is None:
        return None
    return float(worst["value"]), float(best["value"])


def _example(row: Json) -> Example:
    where = "an example"
    return Example(
        model=str(_field(row, "model", where)),
        decoding=str(row.get("decoding") or "not stated"),
        split=str(_field(row, "split", where)),
        k=int(_field(row, "k", where)),
        topic=str(_field(row, "topic", where)),
        skills=tuple(str(skill) for skill in _field(row, "skills", where)),
        text=str(_field(row, "text", where)),
        marks=dict(_field(row, "marks", where)),
        full_marks=row.get("full_marks"),
        trained_count=_optional_int(row.get("trained_count")),
        text_id=row.get("text_id"),
    )
