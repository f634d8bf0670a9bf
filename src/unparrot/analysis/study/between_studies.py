"""Two studies beside each other: ratios of k50, the difference of exponents, over matched models.

Models are matched by the axes of their runs on which the studies share values, by shape and by
tokens. An axis without a shared value is what the studies differ in; it is named, and matches
whatever it is. Seeds that both have are pairs, and an interval leaves out one seed of both at a
time; without a shared seed the studies are independent samples, and it leaves out one of either.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from unparrot.analysis.study.over_seeds import (
    FEWEST_SEEDS,
    FEWEST_TRAININGS,
    exponential,
    leave_out,
    reach_over_seeds,
)
from unparrot.analysis.study.study_models import SEED, Measured, Shape, Study
from unparrot.analysis.theory.growth import LEVEL, Reach, pooled_fit, token_steps
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.studies import Value
from unparrot.stats.mover import mover_ratio

Values = tuple[Value, ...]
FIRST: Final = 0
SECOND: Final = 1


class AxisDifference(Struct, frozen=True, forbid_unknown_fields=True):
    """An axis whose values differ; None where a study does not have it."""

    axis: str
    first: Values | None
    second: Values | None


class MatchedSetting(Struct, frozen=True, forbid_unknown_fields=True):
    """k50 of a setting in both studies, of matched models alone; its axes are those that vary.

    ``ratio`` is that of the second over that of the first; None where one of them is a bound.
    """

    axes: dict[str, Value]
    name: str
    seeds: int
    first: Reach | None
    second: Reach | None
    ratio: Estimate | None


class StudyComparison(Struct, frozen=True, forbid_unknown_fields=True):
    """The second study beside the first.

    Parameters
    ----------
    differences
        Axes whose values differ.
    models, seeds
        Pairs of models that are matched (of different seeds: models of the first study), and seeds
        that both studies have.
    unmatched_first, unmatched_second
        Trained models without a match, as ``RUN: NAME``.
    ratio
        k50 of the second over that of the first, one factor for all settings.
    at_equal_excess
        The same at equal excess loss: 1 if the studies differ in nothing but the loss.
    exponents, exponent_difference
        Of k50 against excess loss in both, with one scale each; second minus first.
    """

    first: str
    second: str
    differences: tuple[AxisDifference, ...]
    models: int
    seeds: int
    unmatched_first: tuple[str, ...]
    unmatched_second: tuple[str, ...]
    settings: tuple[MatchedSetting, ...]
    ratio: Estimate | None
    at_equal_excess: Estimate | None
    exponents: tuple[Estimate | None, Estimate | None]
    exponent_difference: Estimate | None


class _Key(NamedTuple):
    """What matched models have in common besides the seed."""

    place: Values
    shape: Shape
    step: int


@dataclass(frozen=True, slots=True)
class _Sided:
    """A model of one of the studies."""

    side: int
    model: Measured
    key: _Key


Items = Sequence[_Sided]
Interval = Callable[[Callable[[Items], float | None], Items], Estimate | None]


def compare_studies(first: Study, second: Study) -> StudyComparison:
    """Compare two studies.

    Raises
    ------
    BadInput
        If no models match, or one study varies an axis that the other has no value of.
    """
    studies = first, second
    differences, matching = _axes(first, second)
    models = [(side, m) for side, study in enumerate(studies) for m in study.trained]
    steps = token_steps([model.growth.tokens for _, model in models])
    items: list[_Sided] = []
    for (side, model), step in zip(models, steps, strict=True):
        assert model.shape is not None
        place = tuple(model.axes[axis] for axis in matching)
        items.append(_Sided(side, model, _Key(place, model.shape, step)))
    shared = {m.seed for m in first.trained} & {m.seed for m in second.trained}

    def identity(item: _Sided) -> Hashable:
        return item.key, item.model.seed if shared else None

    known = [{identity(item) for item in items if item.side == side} for side in (FIRST, SECOND)]
    both = known[FIRST] & known[SECOND]
    matched = [item for item in items if identity(item) in both]
    _require_pairs(studies, matched)
    interval = _over_seeds_of(bool(shared), len(shared) or 2)
    keys = list(dict.fromkeys(item.key for item in matched))
    several = [len({key.place[i] for key in keys}) > 1 for i in range(len(matching))]
    alone = [item for item in items if identity(item) not in both]
    lost = [
        tuple(f"{i.model.run}: {i.model.growth.name}" for i in alone if i.side == side)
        for side in (FIRST, SECOND)
    ]
    return StudyComparison(
        first=first.record.name,
        second=second.record.name,
        differences=differences,
        models=sum(item.side == FIRST for item in matched),
        seeds=len(shared),
        unmatched_first=lost[FIRST],
        unmatched_second=lost[SECOND],
        settings=tuple(
            _setting(
                dict(compress(zip(matching, key.place, strict=True), several)),
                [i for i in matched if i.key == key],
                interval,
            )
            for key in keys
        ),
        ratio=exponential(interval(_log_ratio, matched)),
        at_equal_excess=exponential(interval(_log_ratio_at_equal_excess, matched)),
        exponents=(
            interval(_exponent, [i for i in matched if i.side == FIRST]),
            interval(_exponent, [i for i in matched if i.side == SECOND]),
        ),
        exponent_difference=interval(_difference, matched),
    )


def _axes(first: Study, second: Study) -> tuple[tuple[AxisDifference, ...], tuple[str, ...]]:
    """The axes whose values differ, and those besides the seed that models are matched by."""
    a, b = first.record.axes, second.record.axes
    differences: list[AxisDifference] = []
    matching: list[str] = []
    for axis in dict.fromkeys((*a, *b)):
        here, there = a.get(axis), b.get(axis)
        if here is None or there is None or set(here) != set(there):
            differences.append(AxisDifference(axis, here, there))
        if axis == SEED:
            continue
        of_runs = all(axis in run.axes for study in (first, second) for run in study.record.runs)
        if of_runs and here and there and set(here) & set(there):
            matching.append(axis)
    return tuple(differences), tuple(matching)


def _require_pairs(studies: tuple[Study, Study], matched: Items) -> None:
    if not matched:
        raise BadInput(
            f"the studies {studies[0].record.name!r} and {studies[1].record.name!r} have no model "
            "in common: none of one has the axes, shape and tokens of one of the other"
        )
    for side, study in enumerate(studies):
        own = [(item.key, item.model.seed) for item in matched if item.side == side]
        if len(set(own)) < len(own):
            raise BadInput(
                f"several runs of {study.record.name!r} match one of the other study: they differ "
                f"in an axis that has no value in common ({', '.join(study.slicing)}); compare "
                "studies that vary it alike, or keep it fixed"
            )


def _over_seeds_of(paired: bool, seeds: int) -> Interval:
    """Return what makes an interval: over shared seeds, seeds of either, or trainings."""
    if not paired:
        return lambda figure, items: leave_out(
            figure, items, lambda i: i.model.seed, FEWEST_SEEDS, "seeds", lambda i: i.side
        )
    if seeds >= FEWEST_SEEDS:
        return lambda figure, items: leave_out(
            figure, items, lambda i: i.model.seed, FEWEST_SEEDS, "seeds"
        )
    return lambda figure, items: leave_out(
        figure,
        items,
        lambda i: (i.model.seed, i.key.place, i.key.shape),
        FEWEST_TRAININGS,
        "trainings",
    )


def _setting(axes: dict[str, Value], own: Items, interval: Interval) -> MatchedSetting:
    sides = [[i.model for i in own if i.side == side] for side in (FIRST, SECOND)]
    reaches = [reach_over_seeds(models, lambda m: m.seen, 0.5) for models in sides]
    ratio = None
    if all(reach is not None and reach.value is not None for reach in reaches):
        ratio = exponential(interval(_log_ratio, own))
        if ratio is not None and ratio.low is None and max(map(len, sides)) == 1:
            ratio = _by_combinations(reaches) or ratio
    return MatchedSetting(
        axes,
        own[0].model.growth.name,
        len({i.model.seed for i in own}),
        reaches[FIRST],
        reaches[SECOND],
        ratio,
    )


def _by_combinations(reaches: Sequence[Reach | None]) -> Estimate | None:
    """The ratio of two models, with the chance of their combinations alone."""
    parts = [
        Estimate(r.value, r.low, r.high, LEVEL, "profile", 1)
        for r in reaches
        if r is not None and r.low is not None and r.high is not None
    ]
    if len(parts) < 2:
        return None
    first, second = parts
    ends = mover_ratio(second, first)
    if ends is None or first.value is None or second.value is None:
        return None
    return Estimate(second.value / first.value, *ends, LEVEL, "MOVER, combinations alone", 1)


# Figures of both studies


def _log_ratio(items: Items) -> float | None:
    """ln k50 of the second less that of the first, where every setting has its own k50."""
    keys = list(dict.fromkeys(item.key for item in items))[1:]
    columns = [[item.side, *(item.key == key for key in keys)] for item in items]
    return _shift(items, columns)


def _log_ratio_at_equal_excess(items: Items) -> float | None:
    own = [item for item in items if item.model.excess is not None]
    return _shift(own, [[item.side, math.log(item.model.excess or 1.0)] for item in own])


def _shift(items: Items, columns: Sequence[Sequence[float]]) -> float | None:
    """The shift of ln k50 by the first of the columns."""
    if not items:
        return None
    beta = pooled_fit([item.model.seen for item in items], np.array(columns, dtype=np.float64))
    return None if beta is None else float(-beta[2] / beta[1])


def _exponent(items: Items) -> float | None:
    own = [item for item in items if item.model.excess is not None]
    if len(own) < 3:
        return None
    return _shift(own, [[math.log(item.model.excess or 1.0)] for item in own])


def _difference(items: Items) -> float | None:
    first, second = (_exponent([i for i in items if i.side == side]) for side in (FIRST, SECOND))
    return None if first is None or second is None else second - first
