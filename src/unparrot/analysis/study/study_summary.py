"""study-summary.json, typed, and the tables beside it: every figure that a study's page shows.

``unparrot lab study report`` works it out from the runs of a study (`summarise_study`), writes it
and the tables (`write_summary`), and reads it back strictly (`read_study_summary`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from msgspec import Struct

from unparrot.analysis.study.over_seeds import (
    FEWEST_SEEDS,
    Pooling,
    Unit,
    exponential,
    jackknife,
    law_of,
    mean_over_seeds,
    pooling,
    reach_over_seeds,
    seed_of,
    share_over_seeds,
    steepness_over_seeds,
    unit_of,
)
from unparrot.analysis.study.study_models import (
    SEED,
    Measured,
    Shape,
    Study,
    read_models,
    written,
)
from unparrot.analysis.theory.growth import (
    MARGIN,
    PREDICTED,
    ModelGrowth,
    Reach,
    Verdict,
    halved,
    verdict,
)
from unparrot.core.estimate import Estimate
from unparrot.core.records import atomic_write, read_typed, write_json
from unparrot.core.studies import Value

SUMMARY: Final = "study-summary.json"
# Of the form of study-summary.json.
VERSION: Final = 1


class StudyModel(Struct, frozen=True, forbid_unknown_fields=True):
    """A model or parrot of a run: the folder of the run, its axes, its shape, and its figures."""

    run: str
    axes: dict[str, Value]
    layers: int | None
    width: int | None
    order: int | None
    growth: ModelGrowth


class SeedsShare(Struct, frozen=True, forbid_unknown_fields=True):
    """Full marks of a setting at one k and split; by the law of trained k where k is beyond it."""

    k: int
    split: str
    full_marks: Estimate
    law: float | None


class SettingSummary(Struct, frozen=True, forbid_unknown_fields=True):
    """Models that differ in their seed alone.

    Parameters
    ----------
    axes
        Of their runs: those that vary, without the seed.
    name, layers, width, order, params, tokens
        Of the first of them. ``order`` numbers shapes of equal depth and width, by size; one shape
        can differ a little in its parameters from world to world.
    max_k
        The largest k of training.
    seeds, of
        Seeds with such a model, and seeds of the study.
    bounded
        Seeds whose own k50 lies outside of the k asked for.
    excess
        Mean over seeds, nats a token.
    k50, k20, k50_heldout_pair, c
        Of the law over all seeds; intervals over seeds, with one seed over combinations, and with
        two none.
    shares
        By split and k.
    """

    axes: dict[str, Value]
    name: str
    layers: int
    width: int
    order: int
    params: int
    tokens: int
    max_k: int
    seeds: int
    of: int
    bounded: int
    excess: Estimate | None
    k50: Reach | None
    k20: Reach | None
    k50_heldout_pair: Reach | None
    c: Estimate | None
    shares: tuple[SeedsShare, ...]

    def ends(self, reach: Reach, first: float, last: float) -> tuple[float | None, float | None]:
        """Return the ends of an interval, open ones at the ends of a figure; None without one."""
        if reach.value is None or 1 < self.seeds < FEWEST_SEEDS:
            return None, None
        return reach.low or first, reach.high or last


class SliceSummary(Struct, frozen=True, forbid_unknown_fields=True):
    """Growth within one combination of the axes of runs other than the seed.

    Parameters
    ----------
    exponent
        gamma of k50 = scale excess^gamma over its models alone.
    scale
        By the law of all slices, k50 at an excess of 1 nat; None if they have no such law.
    """

    axes: dict[str, Value]
    models: int
    seeds: int
    exponent: Estimate | None
    verdict: Verdict
    scale: float | None


class StudyGrowth(Struct, frozen=True, forbid_unknown_fields=True):
    """Growth over all models of all runs.

    Parameters
    ----------
    unit
        What the interval of the headline is over: seeds where there are enough, else trainings.
    exponent, c
        gamma of k50 ~ excess^gamma and the steepness, over ``unit``; no gamma where every k50 is a
        bound.
    over_trainings
        The exponent with its interval over trainings, whatever the unit.
    own_scales
        Whether each slice has a scale of its own beside the exponent that they share.
    predicted, margin, verdict, halved
        As in `unparrot.analysis.theory.growth.Growth`.
    pairs
        k50 on held-out pairs over k50 on seen combinations, at the same k.
    """

    unit: Unit
    exponent: Estimate | None
    c: Estimate | None
    over_trainings: Estimate | None
    own_scales: bool
    predicted: float
    margin: float
    verdict: Verdict
    halved: Estimate | None
    pairs: Estimate | None


class StudySummary(Struct, frozen=True, forbid_unknown_fields=True):
    """study-summary.json.

    Parameters
    ----------
    axes
        All values of every axis of the runs.
    varying
        The axes with several values.
    seeds, runs, runs_of, models_of
        Seeds of the trained models, finished runs, all runs, and the trained models that all of
        them would have.
    missing
        Trained models that are not there, as ``RUN: NAME``.
    models
        Of all finished runs, parrots included.
    """

    version: int
    name: str
    about: str
    axes: dict[str, tuple[Value, ...]]
    varying: tuple[str, ...]
    seeds: int
    runs: int
    runs_of: int
    models_of: int
    missing: tuple[str, ...]
    growth: StudyGrowth
    slices: tuple[SliceSummary, ...]
    settings: tuple[SettingSummary, ...]
    models: tuple[StudyModel, ...]

    @property
    def trained(self) -> list[StudyModel]:
        """The models that are no parrots."""
        return [model for model in self.models if model.layers is not None]


def read_study_summary(folder: Path) -> StudySummary:
    """Read study-summary.json.

    Raises
    ------
    BadInput
        If it is absent, of another version, or not what it should be.
    """
    remedy = f"run `unparrot lab study report {folder}`"
    return read_typed(folder / SUMMARY, StudySummary, VERSION, remedy)


def summarise_study(study: Study) -> StudySummary:
    """Work out the figures of a study."""
    trained, record = study.trained, study.record
    law, unit = pooling(study), unit_of(trained)
    exponent = _exponent(law, trained, unit)
    return StudySummary(
        version=VERSION,
        name=record.name,
        about=record.about,
        axes=dict(record.axes),
        varying=study.varying,
        seeds=len(set(map(seed_of, trained))),
        runs=len({model.run for model in study.models}),
        runs_of=len(study.grid),
        models_of=len(trained) + len(study.missing),
        missing=study.missing,
        growth=StudyGrowth(
            unit=unit,
            exponent=exponent,
            c=jackknife(law.c, trained, unit),
            over_trainings=_exponent(law, trained, "trainings"),
            own_scales=len(law.places) > 1,
            predicted=PREDICTED,
            margin=MARGIN,
            verdict=verdict(exponent),
            halved=exponent and halved(exponent),
            pairs=exponential(jackknife(law.pairs, trained, unit)),
        ),
        slices=tuple(_slices(study, law)),
        settings=tuple(_settings(study)),
        models=tuple(
            StudyModel(
                model.run,
                dict(model.axes),
                model.shape and model.shape.layers,
                model.shape and model.shape.width,
                model.shape and model.shape.order,
                model.growth,
            )
            for model in study.models
        ),
    )


def _exponent(law: Pooling, models: Sequence[Measured], unit: Unit) -> Estimate | None:
    """The exponent; None where no model has a k50: bounds alone tell no growth."""
    known = any(m.growth.k50 is not None and m.growth.k50.value is not None for m in models)
    return jackknife(law.exponent, models, unit) if known else None


def _slices(study: Study, law: Pooling) -> list[SliceSummary]:
    alone = Pooling((), law.place)
    slices: list[SliceSummary] = []
    for place in dict.fromkeys(map(law.place, study.trained)):
        own = [model for model in study.trained if law.place(model) == place]
        exponent = _exponent(alone, own, unit_of(own))
        slices.append(
            SliceSummary(
                dict(zip(study.slicing, place, strict=True)),
                len(own),
                len(set(map(seed_of, own))),
                exponent,
                verdict(exponent),
                law.scale(study.trained, place),
            )
        )
    return slices


def _settings(study: Study) -> list[SettingSummary]:
    """The settings, slice by slice, from small to large and from few tokens to many."""
    order = {place: i for i, place in enumerate(dict.fromkeys(s.place for s in study.settings))}
    size = {shape: 0 for _, shape, _ in study.settings}
    for (_, shape, _), own in study.settings.items():
        size[shape] = max(size[shape], own[0].growth.params or 0)
    seeds = len(set(map(seed_of, study.trained)))
    seeds = max(seeds, len(study.record.axes.get(SEED, ())))
    return [
        _setting(dict(zip(study.slicing, s.place, strict=True)), s.shape, own, seeds)
        for s, own in sorted(
            study.settings.items(),
            key=lambda item: (order[item[0].place], size[item[0].shape], item[0][1], -item[0].step),
        )
    ]


def _setting(
    axes: dict[str, Value], shape: Shape, own: Sequence[Measured], of: int
) -> SettingSummary:
    first, law = own[0].growth, law_of(own)
    max_k = max(model.max_k for model in own)
    excesses = [model.growth.excess.value for model in own if model.growth.excess is not None]
    cells = pl.concat([model.shares for model in own]).group_by("split", "k").agg("n", "full")
    shares = tuple(
        SeedsShare(
            k,
            split,
            share_over_seeds(full, n),
            law.share(float(k)) if law is not None and k > max_k else None,
        )
        for split, k, n, full in cells.sort("split", "k").iter_rows()
    )
    return SettingSummary(
        axes=axes,
        name=first.name,
        layers=shape.layers,
        width=shape.width,
        order=shape.order,
        params=first.params or 0,
        tokens=first.tokens or 0,
        max_k=max_k,
        seeds=len(set(map(seed_of, own))),
        of=of,
        bounded=sum(m.growth.k50 is None or m.growth.k50.value is None for m in own),
        excess=mean_over_seeds(excesses) if excesses else None,
        k50=reach_over_seeds(own, lambda model: model.seen, 0.5),
        k20=reach_over_seeds(own, lambda model: model.seen, 0.2),
        k50_heldout_pair=reach_over_seeds(own, lambda model: model.pairs, 0.5),
        c=steepness_over_seeds(own),
        shares=shares,
    )


# Files


def write_summary(study: Path, out: Path) -> StudySummary:
    """Work out the figures of the study in a folder, and write them with their tables.

    Parameters
    ----------
    study
        Its folder.
    out
        The folder for study-summary.json, study.parquet and .csv (a row a model) and
        study-cells.parquet and .csv (a row a model, k and split).
    """
    models = read_models(study)
    summary = summarise_study(models)
    write_json(out / SUMMARY, summary)
    for name, table in (("study", model_table(summary)), ("study-cells", cell_table(models))):
        atomic_write(out / f"{name}.parquet", table.write_parquet)
        atomic_write(out / f"{name}.csv", table.write_csv)
    return summary


def model_table(summary: StudySummary) -> pl.DataFrame:
    """Return a row for every model: axes that vary, shape, excess, k50 and c with intervals.

    What lies outside of the k asked for has no value, but a bound; a parrot has no shape.
    """
    rows = [
        {
            **_placed(model.run, model.axes, summary.varying),
            "model": model.growth.name,
            "kind": "parrot" if model.layers is None else "transformer",
            "layers": model.layers,
            "width": model.width,
            "params": model.growth.params,
            "tokens": model.growth.tokens,
            **_ends("excess", model.growth.excess),
            **_reach("k50", model.growth.k50),
            **_reach("k20", model.growth.k20),
            **_reach("k50_heldout_pair", model.growth.k50_heldout_pair),
            **_ends("c", model.growth.c),
        }
        for model in summary.models
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def cell_table(study: Study) -> pl.DataFrame:
    """Return a row for every model, split and k: combinations, and full marks with an interval."""
    rows: list[dict[str, Any]] = []
    for model in study.models:
        for k, split, n, full in model.shares.select("k", "split", "n", "full").iter_rows():
            share = share_over_seeds([full], [n])
            rows.append(
                {
                    **_placed(model.run, model.axes, study.varying),
                    "model": model.growth.name,
                    "split": split,
                    "k": k,
                    "combinations": n,
                    **_ends("full_marks", share),
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _placed(run: str, axes: dict[str, Value] | Any, varying: Sequence[str]) -> dict[str, Any]:
    return {"run": run, **{name: written(axes[name]) for name in varying}}


def _ends(name: str, value: Any) -> dict[str, Any]:
    return {
        f"{name}{suffix}": getattr(value, end, None)
        for suffix, end in (("", "value"), ("_low", "low"), ("_high", "high"))
    }


def _reach(name: str, reach: Reach | None) -> dict[str, Any]:
    return {**_ends(name, reach), f"{name}_bound": (reach and reach.bound) or None}
