"""What the page shows, as typed, frozen records; `unparrot.report.reading` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from unparrot.core.estimate import Estimate

Json = Mapping[str, Any]
METRICS = ("full_marks", "all_skills", "skill_fraction")
NOT_MEASURED = Estimate(None, None, None, 0.95, "not measured", 0)


@dataclass(frozen=True, slots=True)
class Tries:
    """The metrics of one round of each combination, or of the best of several; as in a `Cell`."""

    rounds: int
    metrics: Mapping[str, Estimate]
    bounds: Mapping[str, tuple[float, float] | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """The estimates of one model at one k, split and decoding; each a share in [0, 1].

    ``unscored`` counts the texts with an unscored mark. ``bounds`` are what the metrics would be
    had all unscored marks been missed, or earned; None where nothing is unscored. ``once`` and
    ``best`` are there where combinations have several texts.
    """

    k: int
    split: str
    decoding: str
    n: int
    metrics: Mapping[str, Estimate]
    marks: Mapping[str, Estimate]
    combinations: int
    unscored: int
    bounds: Mapping[str, tuple[float, float] | None]
    once: Tries | None
    best: Tries | None


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
    ``label`` is the name as figures write it, short.
    """

    name: str
    label: str
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
    text_id: str | None


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
    def protocol(self) -> str | None:
        """The protocol of a run of language models; None of one of the lab."""
        named = str(self.summary.get("type") or "lab")
        return None if named == "lab" else named

    @property
    def private(self) -> bool:
        """Whether the page may tell the pack by its hash and sizes only."""
        return bool(self.summary.get("private"))

    @property
    def trained_k(self) -> int | None:
        """The largest k that training saw; None where nobody knows, as of a language model."""
        if self.protocol is not None:
            return None
        return int(self.part("world", "heldout").get("max_k") or 4)

    def untrained(self, k: int) -> bool:
        """Whether k is known to be more than any training text had."""
        return self.trained_k is not None and k > self.trained_k

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
