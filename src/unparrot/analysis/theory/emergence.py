"""Does a jump in full marks, from one model to the next larger one, say more than the metric does?

Full marks need every mark at once, so they may leap where each mark improves little by little. At
one k and split, over a ladder of models on the same texts, each step is therefore told four times:
in full marks (sharp), in the skill fraction and in the share of all marks (smooth), and in what the
rates of the single marks multiply up to (*implied*: the metric alone, were marks independent).
What full marks gain beyond what is implied, marks gain *together*. And the *sharpness* of a metric,
the share of its whole rise that falls in the largest step of full marks, is compared between the
sharp metric and the smooth one: a leap of the metric alone is sharp in one and not in the other.

References
----------
Schaeffer, Miranda and Koyejo (2023), "Are Emergent Abilities of Large Language Models a Mirage?".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from unparrot.analysis.resampling import generator
from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.skills import CRITERIA
from unparrot.stats.bootstrap import percentile_estimate, resampled_sums
from unparrot.stats.mover import mover_difference
from unparrot.stats.paired import paired_share

Leap = Literal["no rise", "metric", "both", "open", "not compared"]
Floats = NDArray[np.float64]

MARGIN: Final = 0.1
"""Sharpness (a share of the rise) by which full marks may exceed the smooth metric and still leap
no more than it."""
FEWEST_COMPARED: Final = 2
"""Combinations under which no step has an interval."""
FEWEST: Final = 20
"""Combinations under which resampling tells too little for a verdict on a rise."""


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """From one model to the next: how much each metric rises, in shares, each with an interval.

    ``implied`` is the rise of what the rates of the single marks multiply up to, ``together`` the
    rise of full marks less that of ``implied``.
    """

    before: str
    after: str
    full_marks: Estimate
    skill_fraction: Estimate
    mark_share: Estimate
    implied: Estimate
    together: Estimate


class Emergence(Struct, frozen=True, forbid_unknown_fields=True):
    """The steps of a ladder of models at one k, split and decoding.

    Parameters
    ----------
    n, combinations
        Texts and combinations that every model was marked on in full; ``left_out`` texts were not.
    steps
        From each model to the next larger one; none if fewer than two combinations are left.
    largest
        Number of the step in which full marks rise most, from 0; None without steps.
    sharpness, smooth_sharpness
        Share of the whole rise of full marks, and of the share of marks, that falls in that step;
        None unless both rise from the first model to the last.
    verdict
        ``no rise``: no full marks were gained in the largest step beyond chance. ``metric``: the
        smooth metric is less sharp there, beyond chance. ``both``: it rises there beyond chance,
        and its sharpness falls short of theirs by less than a margin, beyond chance. ``open``: the
        data do not settle it, or there are too few combinations. ``not compared``: without steps.
    """

    k: int
    split: str
    decoding: str
    n: int
    combinations: int
    left_out: int
    steps: tuple[Step, ...]
    largest: int | None
    sharpness: Estimate | None
    smooth_sharpness: Estimate | None
    verdict: Leap


def emergence(
    outcomes: pl.DataFrame,
    models: Sequence[str],
    *,
    k: int,
    split: str,
    seed: int,
    decoding: str = "greedy",
    level: float = 0.95,
    resamples: int = 1000,
) -> Emergence:
    """Compare the steps of a ladder of models in sharp and smooth metrics.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`, of all the models.
    models
        At least two, smallest first.
    k, split, decoding
        Which texts.
    seed
        Of the resampling: combinations, each with its texts by every model.
    level
        Confidence level in (0, 1).
    resamples
        At least 100.

    Raises
    ------
    BadInput
        If fewer than two models are named, or one twice.
    """
    if len(models) < 2 or len(set(models)) < len(models):
        raise BadInput(f"a ladder needs at least two different models, not {list(models)}")
    texts = outcomes.filter(
        pl.col("model").is_in(list(models))
        & (pl.col("k") == k)
        & (pl.col("split") == split)
        & (pl.col("decoding") == decoding)
    ).with_columns(order=pl.col("skills").list.join("\n"))
    keys = ["combination", "sample", "order"]
    common = (
        texts.filter(pl.col("unscored") == 0)
        .group_by(keys)
        .agg(pl.col("model").n_unique())
        .filter(pl.col("model") == len(models))
        .select(keys)
    )
    left_out = texts.select(keys).n_unique() - common.height
    combinations = common["combination"].n_unique()
    if combinations < FEWEST_COMPARED:
        return Emergence(
            k, split, decoding, common.height, combinations, left_out,
            steps=(), largest=None, sharpness=None, smooth_sharpness=None, verdict="not compared",
        )  # fmt: skip
    wide = [
        texts.filter(pl.col("model") == model).join(common, on=keys).sort(keys).select(
            "combination", *(column.cast(pl.Float64) for column in _columns())
        )
        for model in models
    ]  # fmt: skip
    cluster = wide[0]["combination"].to_numpy()
    values = np.stack([frame.drop("combination").to_numpy() for frame in wide])
    return _compared(
        models, values, cluster, (k, split, decoding, left_out), seed, level, resamples
    )


def _columns() -> list[pl.Expr]:
    """Of a text: full marks, k times its skill fraction, skill marks, and the other marks."""
    return [
        pl.col("full_marks"),
        pl.col("skill_fraction") * pl.col("k"),
        pl.col("skills_earned"),
        *(pl.col(f"{criterion}_mark") for criterion in CRITERIA),
    ]


def _compared(
    models: Sequence[str],
    values: Floats,
    cluster: NDArray[np.generic],
    where: tuple[int, str, str, int],
    seed: int,
    level: float,
    resamples: int,
) -> Emergence:
    k, split, decoding, left_out = where
    n = values.shape[1]
    _, member = np.unique(cluster, return_inverse=True)
    units = int(member.max()) + 1
    # one row a combination: number of texts, then the sums of every model
    sums = np.zeros((units, 1 + values.shape[0] * values.shape[2]))
    np.add.at(sums, member, np.column_stack([np.ones(n), np.concatenate(list(values), axis=1)]))
    rng = generator(seed, "emergence", str(k), split, decoding, *models)
    drawn = np.vstack([sums.sum(axis=0), resampled_sums(np.rint(sums), rng, resamples)])
    rates = (drawn[:, 1:] / drawn[:, :1]).reshape(1 + resamples, len(models), -1)
    metric = _metrics(rates, k)
    steps: list[Step] = []
    for i in range(len(models) - 1):
        rises = {name: column[:, i + 1] - column[:, i] for name, column in metric.items()}
        estimates = {
            name: percentile_estimate(
                float(rise[0]), rise[1:], level, "paired bootstrap", n
            )
            for name, rise in rises.items()
        }  # fmt: skip
        labels = None if units == n else member
        full = paired_share(values[i, :, 0], values[i + 1, :, 0], level, labels)
        estimates["full_marks"] = full
        estimates["together"] = _together(full, estimates["implied"], rises)
        steps.append(Step(models[i], models[i + 1], **estimates))
    largest = max(range(len(steps)), key=lambda i: steps[i].full_marks.value or 0.0)
    sharp = _sharpness(metric["full_marks"], largest, level, n)
    smooth = _sharpness(metric["mark_share"], largest, level, n)
    verdict = _verdict(metric, steps[largest], largest, level, units)
    return Emergence(
        k, split, decoding, n, units, left_out, tuple(steps), largest, sharp, smooth, verdict,
    )  # fmt: skip


def _metrics(rates: Floats, k: int) -> dict[str, Floats]:
    full, fraction, skills, others = (
        rates[..., 0],
        rates[..., 1] / k,
        rates[..., 2] / k,
        rates[..., 3:],
    )
    return {
        "full_marks": full,
        "skill_fraction": fraction,
        "mark_share": (k * skills + others.sum(axis=-1)) / (k + len(CRITERIA)),
        "implied": skills**k * others.prod(axis=-1),
    }


def _together(full: Estimate, implied: Estimate, rises: dict[str, Floats]) -> Estimate:
    """Full marks less implied, by MOVER: where no text has full marks, a bootstrap sees nothing."""
    assert full.value is not None
    assert implied.value is not None
    a, b = rises["full_marks"][1:], rises["implied"][1:]
    varies = a.std() > 0 and b.std() > 0
    correlation = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1)) if varies else 0.0
    low, high = mover_difference(full, implied, correlation)
    value = full.value - implied.value
    return Estimate(value, low, high, full.level, "mover of tango and paired bootstrap", full.n)


def _sharpness(metric: Floats, step: int, level: float, n: int) -> Estimate | None:
    whole = metric[:, -1] - metric[:, 0]
    tail = (1 - level) / 2
    if np.quantile(whole[1:], tail) <= 0:
        return None
    share = (metric[:, step + 1] - metric[:, step])[whole > 0] / whole[whole > 0]
    return percentile_estimate(float(share[0]), share[1:], level, "paired bootstrap", n)


def _verdict(metric: dict[str, Floats], step: Step, largest: int, level: float, units: int) -> Leap:
    assert step.full_marks.low is not None
    assert step.mark_share.low is not None
    if step.full_marks.low <= 0:
        return "no rise"
    if units < FEWEST:
        return "open"
    shares: list[Floats] = []
    tail = (1 - level) / 2
    for name in ("full_marks", "mark_share"):
        whole = metric[name][1:, -1] - metric[name][1:, 0]
        if np.quantile(whole, tail) <= 0:
            return "open"
        whole = np.where(whole > 0, whole, np.nan)
        shares.append((metric[name][1:, largest + 1] - metric[name][1:, largest]) / whole)
    apart = shares[0] - shares[1]
    low, high = np.nanquantile(apart, [tail, 1 - tail])
    if low > 0:
        return "metric"
    return "both" if high < MARGIN and step.mark_share.low > 0 else "open"
