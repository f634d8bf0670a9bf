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

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.analysis.model.competence import (
    COMPLETED_BY,
    METRICS,
    Bounded,
    Metric,
    bounded,
    combination_sums,
)
from unparrot.analysis.read.outcomes import OUTCOMES_SCHEMA, read_outcomes
from unparrot.analysis.read.protocol import (
    Side,
    models_of,
    only,
    require_model,
    require_same_protocol,
)
from unparrot.analysis.resampling import Resampling
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.records import RunFolder
from unparrot.core.wording import plural
from unparrot.stats.clustered import clustered_share
from unparrot.stats.mover import mean_share
from unparrot.stats.multiplicity import rank_ranges, settled_order, simultaneous_differences


class Place(Struct, frozen=True):
    """Where one model stands at one k, or over all k.

    Parameters
    ----------
    share
        The metric with its interval and bounds; its ``unscored`` counts texts.
    best, worst
        The ranks that the model may have, 1 being the best; None where it is not ranked.
    above
        Names of the models that are settled to be below this one.
    """

    share: Bounded
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


DRAWS: Final = Resampling(resamples=2000)


def leaderboard(
    entries: Sequence[Side],
    *,
    split: str | None = None,
    decoding: str | None = None,
    metric: Metric = "full_marks",
    sampling: Resampling = DRAWS,
    anyway: bool = False,
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
    sampling
        Level of each interval, and jointly of the ranks of a column; resamples and seed of the
        critical value of the ranks.
    anyway
        Rank also what differs in more than the model; the notes say in what.

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
    same: dict[Path, Path] = {}  # a folder under two names is one run
    entries = [
        entry._replace(run=same.setdefault(entry.run.resolve(), entry.run)) for entry in entries
    ]
    notes = require_same_protocol([entry.run for entry in entries], anyway=anyway)
    outcomes, runs, copies = _entered(entries)
    outcomes = only(outcomes, "the leaderboard", split, decoding)
    boards = outcomes.sort("split", "decoding").group_by("split", "decoding", maintain_order=True)
    notes += copies
    return [
        _board(group, runs, str(split), str(decoding), metric, sampling, notes)
        for (split, decoding), group in boards
    ]


def _entered(entries: Sequence[Side]) -> tuple[pl.DataFrame, dict[str, str], list[str]]:
    """The outcomes of all models, each by a name of its own; the run of each; and a note on each
    copy that is left out."""
    chosen: dict[Side, pl.DataFrame] = {}
    frames = {run: read_outcomes(run) for run in dict.fromkeys(entry.run for entry in entries)}
    for entry in entries:
        models = models_of(frames[entry.run])
        require_model(entry, models)
        for model in [entry.model] if entry.model is not None else models:
            texts = frames[entry.run].filter(pl.col("model") == model)
            chosen.setdefault(Side(entry.run, model), texts)
    notes: list[str] = []
    for copy, original in _copies(chosen):
        del chosen[copy]
        notes.append(
            f"{copy.model} of {copy.run} is left out: all of its texts and marks are those of "
            f"{original.run}, and would count twice."
        )
    times = Counter(side.model for side in chosen)
    runs: dict[str, str] = {}
    parts: list[pl.DataFrame] = []
    for side, texts in chosen.items():
        name = str(side.model) if times[side.model] == 1 else f"{side.model} ({side.run})"
        runs[name] = str(side.run)
        parts.append(texts.with_columns(model=pl.lit(name)))
    return pl.concat(parts), runs, notes


def _copies(chosen: Mapping[Side, pl.DataFrame]) -> list[tuple[Side, Side]]:
    """The models whose texts and marks another run has as well, word by word, and which one."""
    times = Counter(side.model for side in chosen)
    rows: dict[Side, frozenset[tuple[object, ...]]] = {}
    for side, outcomes in chosen.items():
        if times[side.model] > 1:
            texts = RunFolder(side.run).checked_table("texts").select("text_id", "text")
            own = outcomes.filter(pl.col("no_text").is_null()).join(texts, on="text_id")
            marks = [name for name, kind in OUTCOMES_SCHEMA.items() if kind == pl.Boolean]
            rows[side] = frozenset(own.select("text_id", "text", "skills_earned", *marks).rows())
    largest = sorted(rows, key=lambda side: -len(rows[side]))
    copies: list[tuple[Side, Side]] = []
    for i, side in enumerate(largest):
        for other in largest[:i]:
            if side.model == other.model and rows[side] and rows[side] <= rows[other]:
                copies.append((side, other))
                break
    return copies


class _Stratum(NamedTuple):
    """The combinations of one k that all of its models have: (combinations, models) arrays of what
    was earned by the texts that are ``closed``, and by all ``n`` at least and at most."""

    left_out: int
    won: NDArray[np.float64]
    closed: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    n: NDArray[np.float64]


def _stratum(sums: pl.DataFrame, models: Sequence[str], k: int, metric: Metric) -> _Stratum:
    rows = sums.filter(pl.col("k") == k)
    parts = k if metric == "skill_fraction" else 1
    place = pl.col("model").replace_strict({model: i for i, model in enumerate(models)})
    earned = [pl.col(f"{metric}{end}") / parts for end in ("", "_low", "_high")]
    shared = (
        rows.filter(pl.len().over("combination") == len(models))
        .sort("combination", place)
        .select(earned[0], "complete", *earned[1:], "n")
    )
    arrays = shared.to_numpy().astype(np.float64).T.reshape(5, -1, len(models))
    return _Stratum(rows["combination"].n_unique() - arrays.shape[1], *arrays)


def _board(
    texts: pl.DataFrame,
    runs: dict[str, str],
    split: str,
    decoding: str,
    metric: Metric,
    sampling: Resampling,
    notes: Sequence[str],
) -> Board:
    models = [name for name in runs if name in set(texts["model"].unique())]
    sums = combination_sums(texts)
    wrote = sums.group_by("k").agg("model").sort("k").iter_rows()
    has = {k: [m for m in models if m in names] for k, names in wrote}
    strata = {k: _stratum(sums, names, k, metric) for k, names in has.items()}
    everywhere = [s for k, s in strata.items() if has[k] == models and len(s.won)]

    def ranked(name: str, strata: Sequence[_Stratum], models: Sequence[str]) -> dict[str, Place]:
        rng = sampling.rng("leaderboard", split, decoding, metric, name)
        return _places(strata, models, sampling, rng)

    overall = ranked("overall", everywhere, models)
    columns = [Column(None, sum(len(s.won) for s in everywhere), 0)]
    places = {model: [overall[model]] for model in models}
    for k, stratum in strata.items():
        columns.append(Column(k, len(stratum.won), stratum.left_out))
        own = ranked(str(k), [stratum], has[k])
        for model in models:
            places[model].append(own.get(model) or _nowhere(sampling.level))
    shares = {m: overall[m].share.value for m in models}
    order = sorted(models, key=lambda m: (shares[m] is None, -(shares[m] or 0.0)))
    return Board(
        split,
        decoding,
        metric,
        sampling.level,
        tuple(columns),
        tuple(Standing(m, runs[m], tuple(places[m])) for m in order),
        (*notes, *_notes(models, has, strata, everywhere)),
    )


def _nowhere(level: float) -> Place:
    share = Bounded(None, None, None, level, "wilson", 0, unscored=0, worst=None, best=None)
    return Place(share, None, None, ())


def _places(
    strata: Sequence[_Stratum],
    models: Sequence[str],
    sampling: Resampling,
    rng: np.random.Generator,
) -> dict[str, Place]:
    """The places of the models over strata that all of them have, each of the same weight."""
    level, fewest = sampling.level, min((len(s.won) for s in strata), default=0)
    if not fewest:
        return {model: _nowhere(level) for model in models}
    ranked: list[tuple[int, int]] | None = None
    above = np.zeros((len(models), len(models)), dtype=np.bool_)
    if len(models) > 1 and fewest > 1:
        joint = simultaneous_differences(
            [s.least / s.n for s in strata],
            [s.most / s.n for s in strata],
            rng,
            level,
            sampling.resamples,
        )
        above = settled_order(joint)
        ranked = rank_ranges(above)

    def share(model: int) -> Bounded:
        def mean(good: str, trials: str) -> Estimate:
            columns = [(getattr(s, good)[:, model], getattr(s, trials)[:, model]) for s in strata]
            return mean_share([clustered_share(*column, level) for column in columns])

        unscored = sum(int((s.n - s.closed)[:, model].sum()) for s in strata)
        return bounded(mean, ("won", "closed"), ("least", "n"), ("most", "n"), unscored)

    return {
        model: Place(
            share(i),
            *(ranked[i] if ranked else (None, None)),
            tuple(models[j] for j in np.flatnonzero(above[i]).tolist()),
        )
        for i, model in enumerate(models)
    }


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
                f"k = {k}: left out, as not all of its models wrote for it: "
                f"{plural(strata[k].left_out, 'combination')}; {len(strata[k].won):,} remain."
            )
        if left_open := int((strata[k].most > strata[k].least).sum()):
            notes.append(
                f"k = {k}: unscored marks leave {plural(left_open, 'result')} open; no order rests "
                f"on that, and intervals allow for any outcome. {COMPLETED_BY.capitalize()}."
            )
        if len(strata[k].won) == 1 and len(names) > 1:
            notes.append(f"k = {k}: one combination alone ranks nobody.")
    if not everywhere:
        notes.append("No overall order: no k has combinations that every model wrote for.")
    return notes
