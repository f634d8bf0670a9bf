"""What the page shows, read from a run folder into typed, frozen records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.records import RunFolder

Json = Mapping[str, Any]
METRICS = ("full_marks", "all_skills", "skill_fraction")
NOT_MEASURED = Estimate(None, None, None, 0.95, "not measured", 0)


@dataclass(frozen=True, slots=True)
class Cell:
    """The estimates of one model at one k, split and decoding; each a share in [0, 1]."""

    k: int
    split: str
    decoding: str
    n: int
    metrics: Mapping[str, Estimate]
    marks: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class SkillRate:
    """How often one skill's mark was earned in one split (greedy, pooled over k)."""

    skill: str
    category: str
    split: str
    earned: Estimate


@dataclass(frozen=True, slots=True)
class Model:
    """One row of ``summary["models"]``; loss, entropy and excess in nats a token.

    ``train_seconds`` comes from the training log, as a summary holds nothing that the clock says.
    """

    name: str
    kind: str
    params: int | None
    tokens: int | None
    loss: float | None
    entropy: float | None
    excess: float | None
    train_seconds: float | None
    layers: int | None
    width: int | None
    cells: tuple[Cell, ...]
    per_skill: tuple[SkillRate, ...]
    threshold: float | None
    largest_k: int | None
    theta: Estimate
    pieces: int | None
    cloze_per_skill: Mapping[str, Estimate]

    @property
    def is_parrot(self) -> bool:
        """Whether this is one of the control group."""
        return self.kind == "parrot"

    def cell(self, k: int, split: str, decoding: str) -> Cell | None:
        """Return the cell, or None if it was not measured."""
        for cell in self.cells:
            if (cell.k, cell.split, cell.decoding) == (k, split, decoding):
                return cell
        return None

    def estimate(self, metric: str, k: int, split: str, decoding: str) -> Estimate:
        """Return one metric of one cell; ``NOT_MEASURED`` where there is none."""
        cell = self.cell(k, split, decoding)
        return cell.metrics[metric] if cell else NOT_MEASURED


@dataclass(frozen=True, slots=True)
class Example:
    """One generated text with its marks."""

    model: str
    decoding: str
    split: str
    k: int
    topic: str
    skills: tuple[str, ...]
    text: str
    marks: Mapping[str, bool | None]
    full_marks: bool | None
    trained_count: int | None


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything the page shows of one run."""

    summary: Json
    manifest: Json
    training: pl.DataFrame
    models: tuple[Model, ...]
    examples: tuple[Example, ...]
    headline: Estimate
    parrot_headline: Estimate

    @property
    def transformers(self) -> tuple[Model, ...]:
        """The trained models, smallest first."""
        return tuple(m for m in self.models if not m.is_parrot)

    @property
    def parrots(self) -> tuple[Model, ...]:
        """The control group."""
        return tuple(m for m in self.models if m.is_parrot)

    @property
    def decodings(self) -> tuple[str, ...]:
        """Decodings that were measured, greedy first."""
        found = {cell.decoding for model in self.models for cell in model.cells}
        return tuple(sorted(found, key=lambda name: (name != "greedy", name)))

    @property
    def splits(self) -> frozenset[str]:
        """Splits that were measured."""
        return frozenset(cell.split for model in self.models for cell in model.cells)

    @property
    def ks(self) -> tuple[int, ...]:
        """Every k measured, rising; 1..6 if none was."""
        found = {cell.k for model in self.models for cell in model.cells}
        return tuple(sorted(found)) or (1, 2, 3, 4, 5, 6)

    @property
    def trained_k(self) -> int:
        """The largest k that training saw."""
        return int(self.part("world", "heldout").get("max_k") or 4)

    @property
    def entropy(self) -> float | None:
        """Exact entropy of the text in nats a token."""
        value = self.part("world").get("entropy")
        return None if value is None else float(value)

    def part(self, *keys: str) -> Json:
        """Return a nested object of the summary; empty where it is absent."""
        found: Any = self.summary
        for key in keys:
            found = cast(Json, found).get(key) or {}
        return cast(Json, found)


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
            "for example runs/demo"
        )
    folder = RunFolder(run)
    summary = cast(Json, folder.read_summary())
    manifest: Json = {}
    if (run / "manifest.json").is_file():
        manifest = cast(Json, folder.read_manifest())
    training = pl.DataFrame(
        schema={
            "model": pl.String,
            "tokens": pl.Int64,
            "split": pl.String,
            "loss": pl.Float64,
            "seconds": pl.Float64,
        }
    )
    if (run / "training.parquet").is_file():
        training = folder.read_table("training")
    spent = _train_seconds(training)
    headline = cast(Json, summary.get("headline") or {})
    parrot = cast(Json, headline.get("parrot") or {})
    return Contents(
        summary=summary,
        manifest=manifest,
        training=training,
        models=tuple(_model(row, spent) for row in _rows(summary, "models", "the summary")),
        examples=tuple(_example(row) for row in summary.get("examples") or ()),
        headline=_estimate(headline.get("estimate"), "the headline"),
        parrot_headline=_estimate(parrot.get("estimate"), "the parrot's headline"),
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


def _estimate(plain: Any, where: str) -> Estimate:
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


def _model(row: Json, train_seconds: Mapping[str, float]) -> Model:
    where = f"model {row.get('name')!r}"
    saturation = cast(Json, row.get("saturation") or {})
    cloze = cast(Json, row.get("cloze") or {})
    return Model(
        name=str(_field(row, "name", "a model")),
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
                _estimate(rate.get("earned"), where),
            )
            for rate in row.get("per_skill") or ()
        ),
        threshold=_optional_float(saturation.get("threshold")),
        largest_k=_optional_int(saturation.get("k")),
        theta=_estimate(cloze.get("theta"), where),
        pieces=_optional_int(cloze.get("pieces")),
        cloze_per_skill={
            str(_field(rate, "skill", where)): _estimate(rate.get("competence"), where)
            for rate in cloze.get("per_skill") or ()
        },
    )


def _cell(row: Json, where: str) -> Cell:
    return Cell(
        k=int(_field(row, "k", where)),
        split=str(_field(row, "split", where)),
        decoding=str(_field(row, "decoding", where)),
        n=int(row.get("n") or 0),
        metrics={metric: _estimate(row.get(metric), where) for metric in METRICS},
        marks={
            kind: _estimate(plain, where)
            for kind, plain in cast(Json, row.get("marks") or {}).items()
        },
    )


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
    )
