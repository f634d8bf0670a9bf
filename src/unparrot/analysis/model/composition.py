"""Is it combination, or only skill? Full marks at k beside the product of single-skill rates.

If every mark were earned independently, and as often as when its skill is asked for alone, full
marks at k would be the product of the k single-skill rates and the rates of topic, sense and
length. The composition gap is what was measured over that product: 1 where a model combines its
skills as well as it knows them, less where combining is what it fails at. (shared theory, 7.)

What is resampled. Texts at k: whole combinations, with replacement, each with its rounds and with
the product predicted for it (so measured and predicted go together: paired). Independently of
those, the texts at k = 1: within each skill its combinations (that is, its topics), one fewer than
there are, so that rates from few texts are as uncertain as they should be; a text brings its marks
for topic, sense and length along. The interval of the gap is MOVER's (`stats.mover`), from the
Wilson interval of what was measured, the interval of the prediction (of the bootstrap, and no
narrower than that of the pooled rates), and the correlation of both over the resamples. The
percentiles of the resampled gap itself would be a point at 0 where no text has full marks, and too
narrow where every single-skill text has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.analysis.model.competence import (
    Bounded,
    Cell,
    bounded_share,
    combination_sums,
    competence,
)
from unparrot.analysis.resampling import generator
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.skills import CRITERIA
from unparrot.stats.bootstrap import percentile_estimate, resampled_sums
from unparrot.stats.mover import mover_product, mover_ratio

_CELL: Final = ("model", "decoding", "k", "split")

Floats = NDArray[np.float64]
METHOD: Final = "mover of wilson and paired bootstrap"
PRODUCT: Final = "paired bootstrap, at least wilson"
SINGLE_SPLIT: Final = "seen"


# Rates where one skill is asked for alone


@dataclass(frozen=True, slots=True)
class SingleRates:
    """Rates at k = 1: column 0 as measured, then one column for each resample.

    Parameters
    ----------
    index
        Number of each skill that was scored at all.
    skills
        Shape (skills, 1 + resamples): the rate of each.
    others
        Shape (1 + resamples,): the product of the rates of topic, sense and length.
    pooled
        The rate of the skills, taken together, and those of topic, sense and length.
    few
        Skills of one combination, which cannot be resampled.
    """

    index: Mapping[str, int]
    skills: Floats
    others: Floats
    pooled: tuple[Bounded, ...]
    few: frozenset[str]


def single_rates(
    alone: pl.DataFrame, rng: np.random.Generator, level: float, resamples: int
) -> SingleRates | str:
    """Return the rates at k = 1, or why there are none.

    Parameters
    ----------
    alone
        Outcomes with k = 1 of one model and decoding. Those in the split `SINGLE_SPLIT` count, or
        all of them if there is no such split.
    rng
        Source of the resampling.
    level
        Confidence level in (0, 1), of the pooled rates.
    resamples
        At least 100.
    """
    base = alone.filter(pl.col("split") == SINGLE_SPLIT)
    texts = alone if base.is_empty() else base
    if texts.is_empty():
        return "no text asks for one skill alone"
    marks = ("skill", *CRITERIA)
    sums = (
        texts.with_columns(
            skill=pl.col("skills").list.first(), skill_mark=pl.col("skill_marks").list.first()
        )
        .group_by("skill", "combination")
        .agg(
            *(pl.col(f"{mark}_mark").sum().alias(f"{mark} earned") for mark in marks),
            *(pl.col(f"{mark}_mark").count().alias(f"{mark} scored") for mark in marks),
            texts=pl.len().cast(pl.Int64),
        )
        .filter(pl.col("skill scored").sum().over("skill") > 0)
        .sort("skill", "combination")
    )
    never = [mark for mark in marks if not sums[f"{mark} scored"].sum()]
    if never:
        return f"where one skill is asked for alone, {', '.join(never)} was never scored"
    parts = sums.partition_by("skill", as_dict=True, include_key=False)
    drawn = np.empty((len(parts), 1 + resamples, 2 * len(marks)))
    for draws, part in zip(drawn, parts.values(), strict=True):
        rows = part.drop("combination", "texts").to_numpy().astype(np.float64)
        draws[0] = rows.sum(axis=0)
        draws[1:] = rows if len(rows) == 1 else resampled_sums(rows, rng, resamples, fewer=1)
    earned, scored = drawn[..., : len(marks)], drawn[..., len(marks) :]
    others = _rates(earned[..., 1:].sum(axis=0).T, scored[..., 1:].sum(axis=0).T)
    return SingleRates(
        index={str(skill): number for number, (skill,) in enumerate(parts)},
        skills=_rates(earned[..., 0], scored[..., 0]),
        others=others.prod(axis=0),
        pooled=tuple(
            bounded_share(sums, (f"{mark} earned", f"{mark} scored", "texts"), level)
            for mark in marks
        ),
        few=frozenset(str(skill) for (skill,), part in parts.items() if part.height == 1),
    )


def _rates(earned: Floats, scored: Floats) -> Floats:
    """Earned over scored; where a resample drew nothing scored, the measured rate (column 0)."""
    measured = earned[:, :1] / scored[:, :1]
    rates = np.repeat(measured, earned.shape[1], axis=1)
    return np.divide(earned, scored, out=rates, where=scored > 0)


# The gaps


class CompositionGap(Struct, frozen=True, forbid_unknown_fields=True):
    """Measured full marks at one k, split and decoding over the product of the single rates.

    Parameters
    ----------
    measured
        Full marks.
    predicted
        The product: of the single-skill rates and of topic, sense and length, all at k = 1,
        averaged over the combinations. None if it is not known, see ``reason``.
    gap
        Measured over predicted. None, or without an interval, for the ``reason`` given.
    reason
        Why there is no gap, or no interval; empty otherwise.
    """

    model: str
    k: int
    split: str
    decoding: str
    measured: Bounded
    predicted: Estimate | None
    gap: Estimate | None
    reason: str


def composition_gaps(
    outcomes: pl.DataFrame,
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = 1000,
) -> tuple[CompositionGap, ...]:
    """Estimate the composition gap in every cell (model, decoding, k, split) with k above 1.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`: one model, or several, which are never mixed. The
        single-skill rates come from the texts with k = 1 of the same model and decoding in the
        split `seen`, or in every split if none is called so.
    seed
        Of the resampling. A gap depends on it and on its own texts alone.
    level
        Confidence level in (0, 1).
    resamples
        At least 100.

    Raises
    ------
    BadInput
        If there is no text, or a number is out of range.
    """
    if outcomes.is_empty():
        raise BadInput("there are no texts to estimate from")
    several = outcomes.filter(pl.col("k") > 1)
    if several.is_empty():
        return ()
    rows = combination_sums(several).partition_by(_CELL, as_dict=True)
    singles: dict[tuple[str, str], SingleRates | str] = {}
    gaps: list[CompositionGap] = []
    for cell in competence(several, level):
        source = cell.model, cell.decoding
        if source not in singles:
            alone = outcomes.filter(
                (pl.col("k") == 1)
                & (pl.col("model") == cell.model)
                & (pl.col("decoding") == cell.decoding)
            )
            rng = generator(seed, "single skills", *source)
            singles[source] = single_rates(alone, rng, level, resamples)
        rng = generator(seed, "composition", *source, str(cell.k), cell.split)
        combinations = rows[cell.model, cell.decoding, cell.k, cell.split]
        gaps.append(_gap(cell, combinations, singles[source], rng, level, resamples))
    return tuple(gaps)


def _gap(
    cell: Cell,
    rows: pl.DataFrame,
    singles: SingleRates | str,
    rng: np.random.Generator,
    level: float,
    resamples: int,
) -> CompositionGap:
    def result(
        reason: str, predicted: Estimate | None = None, gap: Estimate | None = None
    ) -> CompositionGap:
        where = cell.model, cell.k, cell.split, cell.decoding
        return CompositionGap(*where, cell.full_marks, predicted, gap, reason)

    if isinstance(singles, str):
        return result(singles)
    skills: list[list[str]] = rows["requested"].to_list()
    requested = {skill for members in skills for skill in members}
    lacking = sorted(requested - singles.index.keys())
    if lacking:
        return result(f"no scored text asks for {', '.join(lacking)} alone")
    measured = cell.full_marks
    if measured.value is None:
        return result("every text has an unscored mark")
    member = np.array([[singles.index[skill] for skill in members] for members in skills])
    counts = rows.select("complete", "full_marks").to_numpy().astype(np.float64)
    full, products = _draws(counts, member, singles, rng, resamples)
    few = sorted(requested & singles.few)
    reason = ""
    if len(counts) < 2:
        reason = "one combination: no interval"
    elif few:
        reason = f"one combination at k = 1 for {', '.join(few)}: no interval"
    skill, *others_alone = singles.pooled
    parts = [(skill, cell.k), *((other, 1) for other in others_alone)]
    predicted = _product(products, parts, not reason, level, measured.n)
    if predicted.value == 0:
        return result("the product of the rates is 0", predicted)
    gap = _ratio(measured, predicted, full, products[1:])
    if not reason and gap.low is None:
        reason = "the product of the rates cannot be told from 0: no interval"
    return result(reason, predicted, gap)


def _draws(
    counts: Floats,
    member: NDArray[np.int64],
    singles: SingleRates,
    rng: np.random.Generator,
    resamples: int,
) -> tuple[Floats, Floats]:
    """Full marks resampled, and what is predicted: as measured (first), and resampled."""
    m, width = len(counts), 1 + resamples
    # one column a resample: how often each combination was drawn; column 0 has each once
    drawn = rng.integers(m, size=(width, m)) * width + np.arange(width)[:, None]
    times = np.bincount(drawn.ravel(), minlength=m * width).reshape(m, width).astype(np.float64)
    times[:, 0] = 1
    complete, full = counts.T @ times  # whole numbers: exact in any order
    for column in member.T:
        times *= singles.skills[column]
    products = np.einsum("m,mb->b", counts[:, 0], times)
    # a resample may draw no complete text: it then stands for nothing
    kept = complete > 0
    share = full[kept] / complete[kept]
    return share[1:], products[kept] / complete[kept] * singles.others[kept]


def _product(
    draws: Floats, parts: Sequence[tuple[Bounded, int]], certain: bool, level: float, n: int
) -> Estimate:
    """The product as measured, ``draws[0]``, with an interval if it is certain enough for one.

    Rates that are all 1, or few, do not vary when they are drawn anew, though they are not known
    exactly: so the interval is at least that of the pooled rates, multiplied, from all of them at
    worst to all at best.
    """
    value = float(draws[0])
    worst, best = (
        [(getattr(part, case) or part, power) for part, power in parts]
        for case in ("worst", "best")
    )
    known = all(part.low is not None for part, _ in (*worst, *best))
    if not certain or not known or value == 0:
        return Estimate(value, None, None, level, PRODUCT, n)
    drawn = percentile_estimate(value, draws[1:], level, PRODUCT, n)
    (low, _), (_, high) = mover_product(worst), mover_product(best)
    centre = float(np.prod([(part.value or 0.0) ** power for part, power in parts]))
    low, high = low * value / centre, min(1.0, high * value / centre)
    assert drawn.low is not None
    assert drawn.high is not None
    return Estimate(value, min(drawn.low, low), max(drawn.high, high), level, PRODUCT, n)


def _ratio(measured: Estimate, predicted: Estimate, full: Floats, draws: Floats) -> Estimate:
    assert measured.value is not None
    assert predicted.value is not None
    value = measured.value / predicted.value
    low = high = None
    if measured.low is not None and predicted.low is not None:
        varies = full.std() > 0 and draws.std() > 0
        correlation = float(np.corrcoef(full, draws)[0, 1]) if varies else 0.0
        correlation = min(1.0, max(-1.0, correlation))
        low, high = mover_ratio(measured, predicted, correlation) or (None, None)
    return Estimate(value, low, high, measured.level, METHOD, measured.n)
