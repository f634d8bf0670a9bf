"""Figures over many runs: k50 of a setting, growth, full marks; with intervals over seeds.

Runs of several seeds differ in corpus, held-out combinations and weights, so an interval has to be
over seeds, not over texts. Each figure here is one complementary log-log regression of all counts,
made anew without each seed in turn (a jackknife): error^2 = (G - 1) / G times the sum of squares of
the G values around their mean, with Student's t at G - 1 degrees of freedom (the cluster jackknife,
CV3 of MacKinnon, Nielsen and Webb 2023, "Fast and reliable jackknife and bootstrap methods for
cluster-robust inference", J. Appl. Econometrics 38). No figure needs the k50 of a single model, so
that one whose k50 is a bound ('< 1') counts with what it did.

With fewer than `FEWEST_SEEDS` seeds growth has an interval over *trainings*: one shape of one run
at a time is left out, since models that branch off one training are no independent evidence. With
a single seed the interval of a setting's k50 is the chance of combinations alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from unparrot.analysis.study.study_models import Measured, Study
from unparrot.analysis.theory.growth import (
    LEVEL,
    Counts,
    Reach,
    SkillLaw,
    pooled_fit,
    skill_law,
)
from unparrot.core.estimate import Estimate
from unparrot.core.studies import Value
from unparrot.stats.intervals import wilson_limits

FEWEST_SEEDS: Final = 3
FEWEST_TRAININGS: Final = 4

T = TypeVar("T")
Unit = Literal["seeds", "trainings"]
# What a figure is made of, and what it is; None where these models do not fix it.
Statistic = Callable[[Sequence[Measured]], float | None]


def seed_of(model: Measured) -> Hashable:
    """Return what models of one seed share."""
    return model.seed


def training_of(model: Measured) -> Hashable:
    """Return what models that branch off one training share."""
    return model.run, model.shape


UNITS: Final[dict[Unit, tuple[Callable[[Measured], Hashable], int]]] = {
    "seeds": (seed_of, FEWEST_SEEDS),
    "trainings": (training_of, FEWEST_TRAININGS),
}


def unit_of(models: Sequence[Measured]) -> Unit:
    """Return what an interval over these models is over: their seeds, where there are enough."""
    return "seeds" if len(set(map(seed_of, models))) >= FEWEST_SEEDS else "trainings"


def jackknife(statistic: Statistic, models: Sequence[Measured], unit: Unit) -> Estimate | None:
    """Estimate a figure of some models, its interval over what `leave_out` leaves out."""
    group, fewest = UNITS[unit]
    return leave_out(statistic, models, group, fewest, unit)


def leave_out(
    statistic: Callable[[Sequence[T]], float | None],
    items: Sequence[T],
    group: Callable[[T], Hashable],
    fewest: int,
    unit: str,
    stratum: Callable[[T], Hashable] = lambda _: None,
) -> Estimate | None:
    """Estimate a figure with its jackknife interval.

    Parameters
    ----------
    statistic
        The figure of some of the items; None where they do not fix it.
    items
        All of them.
    group
        What is left out, one at a time.
    fewest
        Groups of a stratum with an interval.
    unit
        Name of the groups.
    stratum
        Groups of different strata are independent samples; degrees of freedom are then Welch's.

    Returns
    -------
    Estimate
        ``n`` counts the groups; without an interval if they are too few, or without one of them the
        others do not fix the figure. None if all do not.
    """
    value = statistic(items)
    if value is None:
        return None
    groups = dict.fromkeys((stratum(item), group(item)) for item in items)
    sizes, n = Counter(at for at, _ in groups), len(groups)
    if min(sizes.values()) < fewest:
        return Estimate(value, None, None, LEVEL, f"no interval: too few {unit}", n)
    without: dict[Hashable, list[float]] = {}
    for one in groups:
        figure = statistic([item for item in items if (stratum(item), group(item)) != one])
        if figure is None:
            return Estimate(value, None, None, LEVEL, f"no interval: it hangs on one of {unit}", n)
        without.setdefault(one[0], []).append(figure)
    variances = {at: (sizes[at] - 1) * float(np.var(own)) for at, own in without.items()}
    variance = sum(variances.values())
    welch = sum(part**2 / (sizes[at] - 1) for at, part in variances.items())
    free = variance**2 / welch if welch else n - 1
    half = math.sqrt(variance) * float(stdtrit(free, (1 + LEVEL) / 2))
    return Estimate(value, value - half, value + half, LEVEL, f"jackknife over {unit}", n)


def exponential(estimate: Estimate | None) -> Estimate | None:
    """Return the estimate of exp(x) for that of x."""
    if estimate is None:
        return None
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (None if x is None else math.exp(x) for x in ends)
    return replace(estimate, value=value, low=low, high=high)


# Growth


@dataclass(frozen=True, slots=True)
class Pooling:
    """The law over models of several slices: one exponent and c, a scale for each slice.

    Parameters
    ----------
    places
        The slices that have a scale of their own; a single scale for all if empty.
    """

    places: tuple[tuple[Value, ...], ...]
    place: Callable[[Measured], tuple[Value, ...]]

    def fit(self, models: Sequence[Measured]) -> NDArray[np.float64] | None:
        """Return the coefficients of 1, ln k, ln excess and the slices but the first."""
        own = [model for model in models if model.excess is not None and len(model.seen)]
        if len({model.excess for model in own}) < 2:
            return None
        return pooled_fit([model.seen for model in own], self.columns(own))

    def columns(self, models: Sequence[Measured]) -> NDArray[np.float64]:
        """Return ln excess and the indicators of slices, shape (models, 1 + others)."""
        there = {self.place(model) for model in models}
        # without the only seed of a slice the others still fix the rest
        places = [place for place in self.places if place in there][1:]
        rows = [
            [math.log(model.excess or 1.0), *(float(self.place(model) == own) for own in places)]
            for model in models
        ]
        return np.array(rows, dtype=np.float64).reshape(len(models), 1 + len(places))

    def exponent(self, models: Sequence[Measured]) -> float | None:
        """Return gamma of k50 = scale excess^gamma."""
        beta = self.fit(models)
        return None if beta is None else float(-beta[2] / beta[1])

    def c(self, models: Sequence[Measured]) -> float | None:
        """Return how steeply full marks fall with k."""
        beta = self.fit(models)
        return None if beta is None else float(beta[1])

    def scale(self, models: Sequence[Measured], place: tuple[Value, ...]) -> float | None:
        """Return k50 of a slice at an excess of 1 nat."""
        beta = self.fit(models)
        if beta is None:
            return None
        shift = dict(zip(self.places[1:], beta[3:], strict=False)).get(place, 0.0)
        return math.exp((math.log(math.log(2)) - beta[0] - shift) / beta[1])

    def pairs(self, models: Sequence[Measured]) -> float | None:
        """Return ln of k50 on held-out pairs over that on seen combinations, at the same k."""
        own = [m for m in models if m.excess is not None and len(m.seen) and len(m.pairs)]
        tables: list[Counts] = []
        for model in own:
            shared = np.intersect1d(model.seen[:, 0], model.pairs[:, 0])
            tables += [t[np.isin(t[:, 0], shared)] for t in (model.seen, model.pairs)]
        twice = [model for model in own for _ in range(2)]
        pair = np.tile([0.0, 1.0], len(own))[:, None]
        beta = pooled_fit(tables, np.column_stack([pair, self.columns(twice)]))
        return None if beta is None else float(-beta[2] / beta[1])


def pooling(study: Study) -> Pooling:
    """Return the law of all slices of a study.

    Where a slice has one shape at one number of tokens, the loss varies across slices alone, and
    they share one scale; otherwise each has its own.
    """
    settings = Counter(setting.place for setting in study.settings)
    own = min(settings.values()) > 1
    return Pooling(tuple(settings) if own else (), lambda model: study.place(model.axes))


# One setting


def summed(tables: Sequence[Counts]) -> Counts:
    """Add up the counts of several models, k by k."""
    rows = np.concatenate(tables) if tables else np.empty((0, 3))
    ks = np.unique(rows[:, 0])
    return np.array([[k, *rows[rows[:, 0] == k, 1:].sum(axis=0)] for k in ks]).reshape(-1, 3)


def reach_over_seeds(
    models: Sequence[Measured], counts_of: Callable[[Measured], Counts], share: float
) -> Reach | None:
    """Return the k at which full marks of a setting fall to a share.

    The law is fitted to the counts of all its seeds. Ends of the interval are None beyond the k
    asked for, and where there are several seeds but fewer than `FEWEST_SEEDS`.
    """
    law = skill_law(summed([counts_of(model) for model in models]))
    if law is None:
        return None
    seeds = len(set(map(seed_of, models)))
    reach = law.reach(share, limits=seeds == 1)
    if seeds == 1:
        return reach
    height = math.log(-math.log(share))

    def at(own: Sequence[Measured]) -> float | None:
        beta = pooled_fit([counts_of(model) for model in own], np.empty((len(own), 0)))
        return None if beta is None else float((height - beta[0]) / beta[1])

    place = exponential(jackknife(at, models, "seeds"))
    if place is None or place.low is None or place.high is None:
        return reach
    first, last = law.table[[0, -1], 0]
    low, high = (end if first <= end <= last else None for end in (place.low, place.high))
    if reach.value is None:  # a bound: below the first k, or beyond the last
        low, high = (None, high) if reach.bound.startswith("<") else (low, None)
    return replace(reach, low=low, high=high)


def steepness_over_seeds(models: Sequence[Measured]) -> Estimate | None:
    """Return c of a setting; with one seed with the interval over its combinations."""
    law = skill_law(summed([model.seen for model in models]))
    if law is None or len(set(map(seed_of, models))) == 1:
        return law and law.steepness()

    def c(own: Sequence[Measured]) -> float | None:
        beta = pooled_fit([model.seen for model in own], np.empty((len(own), 0)))
        return None if beta is None else float(beta[1])

    return jackknife(c, models, "seeds")


def law_of(models: Sequence[Measured]) -> SkillLaw | None:
    """Return the law of a setting, over its seeds."""
    return skill_law(summed([model.seen for model in models]))


def share_over_seeds(full: Sequence[float], n: Sequence[int]) -> Estimate:
    """Return the share of full marks over seeds.

    The Wilson interval at the effective size: between-seed variance makes it smaller, and so does
    Student's t in place of the normal (Korn and Graubard 1998). It is never above the number of
    combinations. With fewer than `FEWEST_SEEDS` seeds it is that number: the chance of combinations
    alone.

    Parameters
    ----------
    full, n
        Combinations with full marks, and all, of each seed.

    Examples
    --------
    >>> share_over_seeds([50.0], [100]).method, share_over_seeds([50, 40, 60], [100] * 3).method
    ('wilson, combinations alone', 'wilson over seeds')
    """
    size, seeds = sum(n), len(n)
    share = min(1.0, sum(full) / size)
    if seeds < FEWEST_SEEDS:
        low, high = wilson_limits(share, size, LEVEL)
        return Estimate(share, low, high, LEVEL, "wilson, combinations alone", size)
    f, t = np.array(full), np.array(n, dtype=np.float64)
    variance = seeds / (seeds - 1) * float(((f - share * t) ** 2).sum()) / size**2
    by_chance = share * (1 - share) / size
    effective = size * min(1.0, by_chance / variance) if variance > 0 else float(size)
    quantile = (1 + LEVEL) / 2
    effective *= (float(ndtri(quantile)) / float(stdtrit(seeds - 1, quantile))) ** 2
    low, high = wilson_limits(share, effective, LEVEL)
    return Estimate(share, low, high, LEVEL, "wilson over seeds", size)


def mean_over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean of a value over seeds, with Student's t; alone if they are too few."""
    n, mean = len(values), float(np.mean(values)) if values else None
    if mean is None or n < FEWEST_SEEDS:
        return Estimate(mean, None, None, LEVEL, "no interval: too few seeds", n)
    half = float(np.std(values, ddof=1)) / math.sqrt(n) * float(stdtrit(n - 1, (1 + LEVEL) / 2))
    return Estimate(mean, mean - half, mean + half, LEVEL, "Student's t over seeds", n)
