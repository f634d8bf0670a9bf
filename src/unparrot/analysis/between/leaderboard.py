"""Models in order, with the ranks they may have: ``unparrot leaderboard RUN...``.

All models of a board are compared over the same combinations; a combination that one of them lacks
is counted and left out. Ranks come from simultaneous limits for the differences of all pairs
(`unparrot.stats.multiplicity`): with the stated confidence every true rank of a column lies in its
range, so models whose order is not settled share ranks. An unscored mark never settles an order:
the model that is behind is given all of its own, and the one ahead none.

References
----------
Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks ...", Review of Economic Studies
91.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.analysis.model.competence import METRICS, Metric
from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.read.protocol import Side, models_of, require_same_protocol
from unparrot.analysis.resampling import generator
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.clustered import clustered_share
from unparrot.stats.mover import mean_share
from unparrot.stats.multiplicity import rank_ranges, settled_order, simultaneous_differences


class Place(Struct, frozen=True):
    """Where one model stands at one k, or over all k.

    Parameters
    ----------
    share
        The metric with its interval, over the texts whose every mark was scored.
    least, most
        What it would be if every unscored mark were missed, or earned; None without texts.
    best, worst
        The ranks that the model may have, 1 being the best; None where it is not ranked.
    above
        Names of the models that are settled to be below this one.
    """

    share: Estimate
    least: float | None
    most: float | None
    best: int | None
    worst: int | None
    above: tuple[str, ...]

    @property
    def rank(self) -> str:
        """The rank, or the range of ranks: '1', '2-4', 'none'."""
        if self.best is None or self.worst is None:
            return "none"
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


class Column(Struct, frozen=True):
    """What all models are compared on at one k.

    Parameters
    ----------
    k
        Number of skills; None for the mean over all k that every model has.
    combinations
        Those that all of its models wrote for.
    left_out
        Combinations that some of its models lack.
    """

    k: int | None
    combinations: int
    left_out: int

    @property
    def title(self) -> str:
        """'k = 2', or 'overall'."""
        return "overall" if self.k is None else f"k = {self.k}"


class Standing(Struct, frozen=True):
    """One model: its name, its run, and its place in each column."""

    model: str
    run: str
    places: tuple[Place, ...]


class Board(Struct, frozen=True):
    """The models of one split and decoding, the best overall first.

    Parameters
    ----------
    split, decoding, metric, level
        What is ranked, and the joint confidence of the ranks of a column.
    columns
        The overall one first, then one for each k.
    standings
        One for each model, with a place for each column.
    notes
        What a reader must know besides the figures.
    """

    split: str
    decoding: str
    metric: Metric
    level: float
    columns: tuple[Column, ...]
    standings: tuple[Standing, ...]
    notes: tuple[str, ...]


def leaderboard(
    entries: Sequence[Side],
    *,
    split: str | None = None,
    decoding: str | None = None,
    metric: Metric = "full_marks",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 1,
) -> list[Board]:
    """Rank the models of one or several runs, a board for each split and decoding.

    Parameters
    ----------
    entries
        Runs, with the name of a model or None for all of the run's.
    split, decoding
        Make only the boards of this split, or decoding; None for all.
    metric
        What is ranked.
    level
        Confidence level in (0, 1): of each interval, and jointly of the ranks of a column.
    resamples, seed
        Of the critical value of the ranks.

    Raises
    ------
    BadInput
        If there is no run, the runs were made with different packs or protocols, or a model, a
        split or a decoding is not there.
    """
    if not entries:
        raise BadInput("name at least one run")
    if metric not in METRICS:
        raise BadInput(f"the metric is one of {', '.join(METRICS)}; not {metric!r}")
    notes = require_same_protocol([entry.run for entry in entries])
    outcomes, runs = _entered(entries, metric)
    for name, wanted in (("split", split), ("decoding", decoding)):
        known = outcomes[name].unique().sort().to_list()
        if wanted is not None and wanted not in known:
            raise BadInput(f"there is no {name} {wanted!r}; there are {', '.join(known)}")
        if wanted is not None:
            outcomes = outcomes.filter(pl.col(name) == wanted)
    return [
        _board(group, runs, str(key[0]), str(key[1]), metric, level, resamples, seed, notes)
        for key, group in outcomes.sort("split", "decoding").group_by(
            "split", "decoding", maintain_order=True
        )
    ]


def _entered(entries: Sequence[Side], metric: Metric) -> tuple[pl.DataFrame, dict[str, str]]:
    """One row a model, split, decoding, k and combination; and the run of each model."""
    chosen: dict[Side, pl.DataFrame] = {}
    frames = {run: read_outcomes(run) for run in dict.fromkeys(entry.run for entry in entries)}
    for entry in entries:
        models = models_of(frames[entry.run])
        if entry.model is not None and entry.model not in models:
            raise BadInput(
                f"{entry.run} has no model {entry.model!r}; it has {', '.join(sorted(models))}"
            )
        for model in [entry.model] if entry.model is not None else models:
            texts = frames[entry.run].filter(pl.col("model") == model)
            chosen.setdefault(Side(entry.run, model), texts)
    times = Counter(side.model for side in chosen)
    runs: dict[str, str] = {}
    parts: list[pl.DataFrame] = []
    for side, texts in chosen.items():
        name = str(side.model) if times[side.model] == 1 else f"{side.model} ({side.run})"
        runs[name] = str(side.run)
        parts.append(_by_combination(texts, metric).with_columns(pl.lit(name).alias("model")))
    return pl.concat(parts), runs


def _by_combination(texts: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    value = pl.col(metric).cast(pl.Float64)
    low, high = value.fill_null(0.0), value.fill_null(1.0)
    if metric == "skill_fraction":
        low, high = pl.col("skill_fraction_low"), pl.col("skill_fraction_high")
    # of texts with an unscored mark only the bounds are known (see `competence`)
    scored = pl.when(pl.col("unscored") == 0).then(value)
    return texts.group_by("split", "decoding", "k", "combination").agg(
        scored.sum().alias("won"),
        scored.count().cast(pl.Float64).alias("closed"),
        low.mean().alias("low"),
        high.mean().alias("high"),
    )


class _Stratum(NamedTuple):
    """The combinations of one k that all of its models have: (combinations, models) arrays."""

    k: int
    models: tuple[str, ...]
    left_out: int
    won: NDArray[np.float64]
    closed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def _stratum(texts: pl.DataFrame, models: Sequence[str], k: int) -> _Stratum:
    rows = texts.filter((pl.col("k") == k) & pl.col("model").is_in(list(models)))
    count = pl.len().over("combination")
    shared = rows.filter(count == len(models)).sort("combination")
    arrays = [
        np.column_stack([shared.filter(pl.col("model") == m)[name].to_numpy() for m in models])
        for name in ("won", "closed", "low", "high")
    ]
    left_out = rows["combination"].n_unique() - len(arrays[0])
    return _Stratum(k, tuple(models), left_out, *arrays)


def _board(
    texts: pl.DataFrame,
    runs: dict[str, str],
    split: str,
    decoding: str,
    metric: Metric,
    level: float,
    resamples: int,
    seed: int,
    notes: Sequence[str],
) -> Board:
    models = [name for name in runs if name in set(texts["model"].unique())]
    has = {
        k: [
            m
            for m in models
            if not texts.filter((pl.col("k") == k) & (pl.col("model") == m)).is_empty()
        ]
        for k in sorted(texts["k"].unique().to_list())
    }
    strata = {k: _stratum(texts, names, k) for k, names in has.items()}
    everywhere = [s for k, s in strata.items() if has[k] == models and len(s.won)]

    def rng(column: str) -> np.random.Generator:
        return generator(seed, "leaderboard", split, decoding, metric, column)

    overall = _places(everywhere, models, level, resamples, rng("overall"))
    columns = [Column(None, sum(len(s.won) for s in everywhere), 0)]
    found = {model: [overall[model]] for model in models}
    for k, stratum in strata.items():
        columns.append(Column(k, len(stratum.won), stratum.left_out))
        places = _places([stratum], has[k], level, resamples, rng(str(k)))
        for model in models:
            found[model].append(places.get(model) or _nowhere(level))
    order = sorted(
        models,
        key=lambda m: (-(-1.0 if (v := overall[m].share.value) is None else v), models.index(m)),
    )
    return Board(
        split,
        decoding,
        metric,
        level,
        tuple(columns),
        tuple(Standing(m, runs[m], tuple(found[m])) for m in order),
        (*notes, *_notes(models, has, strata, everywhere)),
    )


def _nowhere(level: float) -> Place:
    return Place(Estimate(None, None, None, level, "wilson", 0), None, None, None, None, ())


def _places(
    strata: Sequence[_Stratum],
    models: Sequence[str],
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, Place]:
    """The places of the models over strata that all of them have, each of the same weight."""
    if not strata or min(len(s.won) for s in strata) < 1:
        return {model: _nowhere(level) for model in models}
    ranked: list[tuple[int, int]] | None = None
    above = np.zeros((len(models), len(models)), dtype=np.bool_)
    if len(models) > 1 and min(len(s.won) for s in strata) > 1:
        joint = simultaneous_differences(
            [s.low for s in strata], [s.high for s in strata], rng, level, resamples
        )
        above = settled_order(joint)
        ranked = rank_ranges(above)
    places: dict[str, Place] = {}
    for i, model in enumerate(models):
        best, worst = ranked[i] if ranked else (None, None)
        places[model] = Place(
            share=mean_share([clustered_share(s.won[:, i], s.closed[:, i], level) for s in strata]),
            least=float(np.mean([s.low[:, i].mean() for s in strata])),
            most=float(np.mean([s.high[:, i].mean() for s in strata])),
            best=best,
            worst=worst,
            above=tuple(models[j] for j in np.flatnonzero(above[i]).tolist()),
        )
    return places


def _notes(
    models: Sequence[str],
    has: dict[int, list[str]],
    strata: dict[int, _Stratum],
    everywhere: Sequence[_Stratum],
) -> list[str]:
    notes: list[str] = []
    for k, names in has.items():
        lacking = [m for m in models if m not in names]
        if lacking:
            notes.append(
                f"k = {k}: no text of {', '.join(lacking)}; not part of the overall order."
            )
        if strata[k].left_out:
            notes.append(
                f"k = {k}: {strata[k].left_out:,} combinations are left out, which not all of its "
                f"models wrote for; {len(strata[k].won):,} remain."
            )
        left_open = int((strata[k].high > strata[k].low).sum())
        if left_open:
            notes.append(
                f"k = {k}: unscored marks leave {left_open:,} results open; no order rests on them."
            )
        if len(strata[k].won) == 1 and len(names) > 1:
            notes.append(f"k = {k}: one combination alone ranks nobody.")
    if not everywhere:
        notes.append("No overall order: no k has combinations that every model wrote for.")
    return notes
