"""What the page of a run shows: its summary, its manifest and its training log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import polars as pl

from unparrot.analysis.model.competence import Cell
from unparrot.analysis.schema import LabSummary, Model, SkillMixSummary
from unparrot.analysis.theory.growth import token_steps
from unparrot.core.records import Manifest
from unparrot.core.wording import short_names

S = TypeVar("S", bound=LabSummary | SkillMixSummary, covariant=True)


@dataclass(frozen=True)
class Contents(Generic[S]):
    """Everything the page shows of one run.

    Parameters
    ----------
    summary
        ``summary.json``.
    manifest
        ``manifest.json``; of a private pack only what may be known.
    training
        ``training.parquet``, None if the run has none, for example one of parrots alone.
    """

    summary: S
    manifest: Manifest
    training: pl.DataFrame | None = None

    @property
    def models(self) -> Sequence[Model]:
        """The models of the run, the trained ones from small to large, then the parrots."""
        return self.summary.models

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The names of models as figures write them, short."""
        names = [model.name for model in self.models]
        return dict(zip(names, short_names(names), strict=True))

    @property
    def transformers(self) -> Sequence[Model]:
        """The models that are no parrots."""
        return [model for model in self.models if not model.is_parrot]

    @property
    def ladder(self) -> Sequence[Model]:
        """The models that differ in size alone: of the trained ones, those with the most tokens."""
        steps = token_steps([model.tokens for model in self.transformers])
        return [m for m, step in zip(self.transformers, steps, strict=True) if step == 0]

    @property
    def shown(self) -> Sequence[Model]:
        """The models of figures with a line for each: the ladder and the parrots."""
        return [*self.ladder, *(model for model in self.models if model.is_parrot)]

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """The roles of the colours of models: one a size of the lab's, one a language model."""
        sizes = [model.params or model.name for model in self.transformers]
        places = {size: f"m{i}" for i, size in enumerate(dict.fromkeys(sizes))}
        return {
            model.name: "parrot" if model.is_parrot else places[model.params or model.name]
            for model in self.models
        }

    @cached_property
    def decodings(self) -> Sequence[str]:
        """Decodings that were measured, greedy first."""
        names = {cell.decoding for model in self.models for cell in model.cells}
        return sorted(names, key=lambda name: (name != "greedy", name))

    @cached_property
    def splits(self) -> frozenset[str]:
        """Splits that were measured."""
        return frozenset(cell.split for model in self.models for cell in model.cells)

    @cached_property
    def ks(self) -> Sequence[int]:
        """Every k measured, rising; 1 if none was."""
        return sorted({cell.k for model in self.models for cell in model.cells}) or [1]

    @property
    def trained_k(self) -> int | None:
        """The largest k that training saw; None where nobody knows, as of a language model."""
        return self.summary.world.max_k if isinstance(self.summary, LabSummary) else None

    def untrained(self, k: int) -> bool:
        """Whether k is known to be more than any training text had."""
        return self.trained_k is not None and k > self.trained_k

    def split_at(self, split: str, k: int) -> str:
        """Return the split that continues a figure at k: 'seen' goes on as 'untrained_k'."""
        return "untrained_k" if split == "seen" and self.untrained(k) else split

    def cell(self, model: Model, k: int, decoding: str, split: str = "") -> Cell | None:
        """Return the cell of a split, as `split_at` has it, or the first of any."""
        wanted = self.split_at(split, k)
        for cell in model.cells:
            if (cell.k, cell.decoding) == (k, decoding) and wanted in ("", cell.split):
                return cell
        return None


# of a run of either kind
AnyContents = Contents[LabSummary | SkillMixSummary]
