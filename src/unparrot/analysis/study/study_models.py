"""Models of a study: what each run of it measured, and where each model stands on the axes.

A *slice* of a study is a combination of the axes of runs other than the seed: one world, mixture
and recipe. A *setting* is a slice, a shape and a number of training tokens: models of one setting
differ in their seed alone.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from unparrot.analysis.read.lab_tables import read_tables
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.theory.growth import (
    Counts,
    ModelGrowth,
    counts,
    model_growth,
    token_steps,
)
from unparrot.core.errors import BadInput
from unparrot.core.records import RunFolder
from unparrot.core.studies import StudyRecord, Value, read_study

SEED: Final = "seed"


class Shape(NamedTuple):
    """Depth and width of a model; ``order`` numbers those of a slice that share both, by size."""

    layers: int
    width: int
    order: int


class Setting(NamedTuple):
    """What models of several seeds have in common; ``step`` numbers tokens, 0 for the most."""

    place: tuple[Value, ...]
    shape: Shape
    step: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A model of a run, or a parrot.

    Parameters
    ----------
    run, axes
        Folder of its run, and where that stands on the axes.
    seed
        Of the run.
    shape
        None for a parrot.
    max_k
        The largest k of training.
    growth
        How many skills it combines.
    shares
        Columns k, split, n (combinations) and full (of them with full marks), greedy.
    seen, pairs
        Counts up to ``max_k``, of the splits 'seen' and 'heldout_pair'.
    """

    run: str
    axes: Mapping[str, Value]
    seed: int
    shape: Shape | None
    max_k: int
    growth: ModelGrowth
    shares: pl.DataFrame
    seen: Counts
    pairs: Counts

    @property
    def excess(self) -> float | None:
        """Its excess loss, where that is above 0."""
        excess = self.growth.excess
        return excess.value if excess is not None and excess.value > 0 else None


@dataclass(frozen=True)
class Study:
    """The models of all finished runs of a study.

    Parameters
    ----------
    record
        study.json.
    models
        Of all finished runs, in the order of the runs.
    """

    record: StudyRecord
    models: tuple[Measured, ...]

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The axes of runs with several values, the seed included."""
        return tuple(
            name
            for name, values in self.record.axes.items()
            if len(values) > 1 and all(name in run.axes for run in self.record.runs)
        )

    @cached_property
    def slicing(self) -> tuple[str, ...]:
        """The axes whose combinations are the slices."""
        return tuple(name for name in self.varying if name != SEED)

    @cached_property
    def trained(self) -> tuple[Measured, ...]:
        """The models that are no parrots."""
        return tuple(model for model in self.models if model.shape is not None)

    def place(self, axes: Mapping[str, Value]) -> tuple[Value, ...]:
        """Return the slice that a run belongs to."""
        return tuple(axes[name] for name in self.slicing)

    @cached_property
    def settings(self) -> Mapping[Setting, Sequence[Measured]]:
        """The trained models of each setting, in the order of the study."""
        return by_setting(self.trained, self.slicing)

    @cached_property
    def grid(self) -> Mapping[str, Mapping[str, Value]]:
        """All runs that the axes ask for, by folder; by its axes, where a run has no record."""
        record = self.record
        there = {tuple(run.axes.items()): run for run in record.runs}
        names = list(record.runs[0].axes)
        runs = {run.folder: run.axes for run in record.runs}
        for values in product(*(record.axes.get(name, ()) for name in names)):
            axes = dict(zip(names, values, strict=True))
            if tuple(axes.items()) not in there:
                name = ", ".join(f"{axis} {written(axes[axis])}" for axis in self.varying)
                runs[name] = axes
        return runs

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Models that a run should have, as another seed of its slice, or else any run, has them.

        Each is named by its run and the name that it has elsewhere.
        """
        by_place: dict[tuple[Value, ...], dict[tuple[Shape, int], str]] = {}
        there: set[tuple[str, tuple[Shape, int]]] = set()
        for setting, own in self.settings.items():
            kind = setting.shape, setting.step
            by_place.setdefault(setting.place, {})[kind] = own[0].growth.name
            there |= {(model.run, kind) for model in own}
        everywhere = {kind: name for kinds in by_place.values() for kind, name in kinds.items()}
        return tuple(
            f"{run}: {name}"
            for run, axes in self.grid.items()
            for kind, name in by_place.get(self.place(axes), everywhere).items()
            if (run, kind) not in there
        )


def written(value: Value) -> str | int | float:
    """Return a value of an axis as a table has it: several numbers as one string."""
    return " ".join(f"{part:g}" for part in value) if isinstance(value, tuple) else value


def read_models(folder: Path) -> Study:
    """Read the models of all finished runs of a study.

    Raises
    ------
    BadInput
        If the record of the study is not what it should be, no run is finished, or a finished one
        is damaged.
    """
    record = read_study(folder)
    finished = [run for run in record.runs if (folder / run.folder / "manifest.json").is_file()]
    models = [model for run in finished for model in _models(folder, run.folder, run.axes)]
    if not any(model.shape for model in models):
        raise BadInput(
            f"no run of the study {folder} has a trained model yet; `unparrot lab study run` goes "
            "on with it"
        )
    return Study(record, tuple(_numbered(models)))


def _numbered(models: Sequence[Measured]) -> Iterator[Measured]:
    """The models, those of a slice that share depth and width numbered by their parameters.

    Parameters themselves tell no shape: they differ a little with the words of the world.
    """

    def alike(model: Measured, shape: Shape) -> Hashable:
        place = tuple((name, value) for name, value in model.axes.items() if name != SEED)
        return place, shape.layers, shape.width

    sizes: dict[Hashable, set[int]] = {}
    for model in models:
        if model.shape is not None:
            sizes.setdefault(alike(model, model.shape), set()).add(model.shape.order)
    for model in models:
        if model.shape is None:
            yield model
        else:
            order = sorted(sizes[alike(model, model.shape)]).index(model.shape.order)
            yield replace(model, shape=model.shape._replace(order=order))


def by_setting(models: Sequence[Measured], slicing: Sequence[str]) -> dict[Setting, list[Measured]]:
    """Group trained models by setting; ``slicing`` are the axes that make a slice."""
    settings: dict[Setting, list[Measured]] = {}
    steps = token_steps([model.growth.tokens for model in models])
    for model, step in zip(models, steps, strict=True):
        if model.shape is not None:
            place = tuple(model.axes[name] for name in slicing)
            settings.setdefault(Setting(place, model.shape, step), []).append(model)
    return settings


def _models(study: Path, name: str, axes: Mapping[str, Value]) -> list[Measured]:
    """The models of one run, parameters standing for the order of a shape."""
    folder = RunFolder(study / name)
    tables, outcomes = read_tables(folder), read_outcomes(folder)
    max_k = tables.world["max_k"]
    scored = outcomes.filter((pl.col("decoding") == "greedy") & (pl.col("unscored") == 0))
    by_combination = scored.group_by("model", "k", "split", "combination").agg(
        pl.col("full_marks").mean()
    )
    shares = by_combination.group_by("model", "k", "split").agg(
        pl.len().alias("n"), pl.col("full_marks").sum().alias("full")
    )
    measured: list[Measured] = []
    for row in tables.models.iter_rows(named=True):
        shape = None
        if row["kind"] == "transformer":
            shape = Shape(row["layers"], row["width"], row["params"])
        texts = scored.filter(pl.col("model") == row["name"])
        measured.append(
            Measured(
                name,
                axes,
                tables.seed,
                shape,
                max_k,
                model_growth(row, texts, max_k),
                shares.filter(pl.col("model") == row["name"]).drop("model").sort("split", "k"),
                *(counts(texts, split, max_k) for split in ("seen", "heldout_pair")),
            )
        )
    return measured
