"""How well a model does: every metric by k, split and decoding, each with an interval and bounds.

Rounds of one combination, and marks of one text, are not independent; all intervals are Wilson
intervals at the effective size of the sample (`stats.clustered`), with the combination as cluster.
They are formulas: there is nothing to seed, and the order of the rows does not matter.

Unscored marks. The estimate of a metric is over the texts whose every mark was scored. Leaving
out only the texts that unscored marks leave *open* would not do: a text with a missed mark and an
unscored one is known to fail, one with an unscored mark and all others earned is not known to
succeed, so failures would be kept and successes dropped. That is not enough: which texts are scored
in full may itself depend on how good they are. What a model failed to give is known to be missed at
once, what it gave has a call and several gradings still to come, so that a share of what is known
reads low while calls or gradings are lost. Beside the estimate stand the worst and the best case,
over all texts, and its interval goes from the low end of the worst to the high end of the best
(`bounded`), so that it holds whatever the marks are that are not known.

Texts that a model was asked for and did not give are no unscored ones: every mark of theirs is
missed. What full marks are among the texts that it gave stands beside, as a second figure.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import asdict, replace
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.grades import STUDENT_FAILED
from unparrot.core.skills import CRITERIA
from unparrot.core.wording import plural
from unparrot.stats.clustered import clustered_share, mean_best

Metric = Literal["full_marks", "all_skills", "skill_fraction"]
METRICS: Final[tuple[Metric, ...]] = ("full_marks", "all_skills", "skill_fraction")
# The order in which splits are told; others follow, by name.
SPLIT_ORDER: Final = ("seen", "untrained_k", "heldout_topic", "heldout_pair", "heldout_triple")

# What a reader can do about marks that leave a figure open.
COMPLETED_BY: Final = "where calls failed, the same `unparrot eval run` asks for them again"

_CELL: Final = ("model", "decoding", "k", "split")
Whole = NDArray[np.int64]


class Bounded(Estimate, frozen=True):
    """An estimate, and what it would be if everything unscored had been missed, or earned.

    Parameters
    ----------
    value, level, method, n
        The estimate over what was scored; without a value if nothing was. Where it lies outside
        ``worst`` and ``best``, what was scored is not like the rest: it is the nearer of the two.
    low, high
        Its interval; if something is unscored, from the low end of ``worst`` to the high end of
        ``best``.
    unscored
        How many texts the estimate leaves out (single marks: how many marks; the best of several
        rounds: how many combinations; a difference: how many pairs).
    worst, best
        Over everything, with what is open counted against, or for, the model (of a difference:
        the second model); None if nothing is unscored.
    """

    unscored: int
    worst: Estimate | None
    best: Estimate | None

    @property
    def estimate(self) -> Estimate:
        """The estimate without its bounds."""
        return Estimate(self.value, self.low, self.high, self.level, self.method, self.n)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The values at worst and at best; None if nothing is unscored."""
        if self.worst is None or self.best is None:
            return None
        if self.worst.value is None or self.best.value is None:
            return None
        return self.worst.value, self.best.value


class Rounds(Struct, frozen=True, forbid_unknown_fields=True):
    """The three metrics over several rounds of each combination: of one round, or the best of r.

    ``rounds`` is r: 1 for pass@1, where every combination weighs the same. For the best of r it
    is the smallest number of rounds that a combination has; where one has more, the mean of the
    best over all choices of r of them (Chen et al. 2021, "Evaluating Large Language Models Trained
    on Code", equation 1, which is that mean for passes). A best of several is no probability of
    success: it stands beside pass@1, never in its place.
    """

    rounds: int
    full_marks: Bounded
    all_skills: Bounded
    skill_fraction: Bounded


class Cell(Struct, frozen=True, forbid_unknown_fields=True):
    """One model at one k, split and decoding.

    Parameters
    ----------
    model, k, split, decoding
        Whose texts, and which.
    n, combinations
        Numbers of texts and of combinations.
    unscored
        Number of texts with an unscored mark.
    full_marks, all_skills, skill_fraction
        Shares of texts, and the mean fraction.
    failed
        Number of texts that the model failed to give (`unparrot.core.grades.STUDENT_FAILED`); they
        count as missed.
    among_given
        Full marks among the others; None if there are none, or it gave all.
    marks
        Share of the marks earned: ``skills`` (all together), ``topic``, ``sense``, ``length``.
    pass_at_1, max_at_rounds
        Only where some combination has several texts. ``max_at_rounds`` also needs two of every
        combination.
    notes
        What a reader must know of this cell, for example that it has one combination.
    """

    model: str
    k: int
    split: str
    decoding: str
    n: int
    combinations: int
    unscored: int
    full_marks: Bounded
    all_skills: Bounded
    skill_fraction: Bounded
    marks: dict[str, Bounded]
    pass_at_1: Rounds | None = None
    max_at_rounds: Rounds | None = None
    notes: tuple[str, ...] = ()
    failed: int = 0
    among_given: Bounded | None = None

    def metric(self, name: Metric) -> Bounded:
        """Return one of `METRICS`."""
        return getattr(self, name)


def competence(outcomes: pl.DataFrame, level: float = 0.95) -> tuple[Cell, ...]:
    """Estimate every metric in every cell (model, decoding, k, split) that has texts.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`: one model, or several, which are never mixed.
    level
        Confidence level in (0, 1).

    Returns
    -------
    tuple of Cell
        By model, decoding (greedy first), k and split (`SPLIT_ORDER`).

    Raises
    ------
    BadInput
        If there is no text, or the level is outside (0, 1).
    """
    if outcomes.is_empty():
        raise BadInput("there are no texts to estimate from")
    frame, sums = _with_parts(outcomes), combination_sums(outcomes)
    several = frame.filter(pl.len().over(*_CELL, "combination") > 1)
    rounds = several.partition_by(_CELL, as_dict=True)
    cells = sums.partition_by(_CELL, as_dict=True)
    return tuple(_cell(key, cells[key], rounds.get(key), level) for key in sorted(cells, key=_rank))


def _rank(key: tuple[Any, ...]) -> tuple[Any, ...]:
    model, decoding, k, split = key
    return model, decoding != "greedy", decoding, k, split_rank(split)


def split_rank(split: str) -> tuple[int, str]:
    """Return the key that sorts splits into the order in which they are told."""
    known = SPLIT_ORDER.index(split) if split in SPLIT_ORDER else len(SPLIT_ORDER)
    return known, split


def _with_parts(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Add whether all was scored, and the skill fraction as a number of skills, from to."""
    low, high = (pl.col(f"skill_fraction_{end}") * pl.col("k") for end in ("low", "high"))
    return outcomes.with_columns(
        complete=pl.col("unscored") == 0,
        parts=low.round().cast(pl.Int64),
        parts_high=high.round().cast(pl.Int64),
    )


def combination_sums(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return one row a model, decoding, k, split and combination, sorted by combination.

    Parameters
    ----------
    outcomes
        Of `unparrot.analysis.read.outcomes`.

    Returns
    -------
    DataFrame
        Those five columns; ``requested``, its skills, sorted; ``n`` texts, of which the model
        ``failed`` to give some and ``complete`` have every mark scored (those too). For each metric
        what its texts earned: ``full_marks`` over the complete ones, ``full_marks_low`` and
        ``full_marks_high`` over all, were everything unscored missed or earned, and so on; the
        skill fraction in skills. For all skills together, and each of `CRITERIA`, marks earned and
        ``_scored``; ``texts_with_skills`` have one scored.
    """
    complete, k = pl.col("complete"), pl.col("k")
    columns = {
        "n": pl.len(),
        "failed": pl.col("no_text").is_in(list(STUDENT_FAILED)).sum(),
        "complete": complete.sum(),
        "full_marks": (pl.col("full_marks") & complete).sum(),
        "full_marks_low": pl.col("full_marks").sum(),
        "full_marks_high": pl.col("full_marks").fill_null(value=True).sum(),
        "all_skills": (pl.col("all_skills") & complete).sum(),
        "all_skills_low": pl.col("all_skills").sum(),
        "all_skills_high": pl.col("all_skills").fill_null(value=True).sum(),
        "skill_fraction": pl.when(complete).then("parts").otherwise(0).sum(),
        "skill_fraction_low": pl.col("parts").sum(),
        "skill_fraction_high": pl.col("parts_high").sum(),
        "skills": pl.col("skills_earned").sum(),
        "skills_scored": (k - pl.col("skills_unscored")).sum(),
        "texts_with_skills": (pl.col("skills_unscored") < k).sum(),
    }
    for criterion in CRITERIA:
        columns[criterion] = pl.col(f"{criterion}_mark").sum()
        columns[f"{criterion}_scored"] = pl.col(f"{criterion}_mark").count()
    return (
        _with_parts(outcomes)
        .group_by(*_CELL, "combination")
        .agg(
            pl.col("skills").first().list.sort().alias("requested"),
            *(expression.cast(pl.Int64).alias(name) for name, expression in columns.items()),
        )
        .sort("combination")
    )


def _cell(
    key: tuple[Any, ...], sums: pl.DataFrame, several: pl.DataFrame | None, level: float
) -> Cell:
    model, decoding, k, split = key
    whole = sums.drop(*_CELL, "combination", "requested")
    column: dict[str, Whole] = {name: whole[name].to_numpy() for name in whole.columns}
    n, complete = column["n"], column["complete"]
    texts, scored = int(n.sum()), int(complete.sum())
    none, failed = np.zeros_like(n), int(column["failed"].sum())

    def share(good: Whole, trials: Whole, n: int, equal_weight: bool = False) -> Estimate:
        estimate = clustered_share(good, trials, level, equal_weight=equal_weight)
        return replace(estimate, n=n)

    def metric(name: str, equal_weight: bool = False, *, without: Whole = none) -> Bounded:
        parts, left = k if name == "skill_fraction" else 1, int(without.sum())
        cases = (("", complete, scored), ("_low", n, texts), ("_high", n, texts))
        own, worst, best = (
            (column[name + end], parts * (of - without), m - left, equal_weight)
            for end, of, m in cases
        )
        return bounded(share, own, worst, best, texts - scored)

    def mark(name: str, each: int, given: int) -> Bounded:
        good, trials, total = column[name], column[f"{name}_scored"], each * n
        worst, best = ((count, total, texts) for count in (good, good + total - trials))
        unscored = int((total - trials).sum())
        return bounded(share, (good, trials, given), worst, best, unscored)

    marks = {"skills": mark("skills", k, int(column["texts_with_skills"].sum()))}
    for criterion in CRITERIA:
        marks[criterion] = mark(criterion, 1, int(column[f"{criterion}_scored"].sum()))
    once = None
    if several is not None:
        once = Rounds(1, *(metric(name, equal_weight=True) for name in METRICS))
    among_given = None
    if 0 < failed < texts and scored:  # before any grading not even texts that never came are
        among_given = metric("full_marks", without=column["failed"])
    fewest = int(n.min())
    notes: list[str] = []
    if len(n) == 1:
        notes.append("one combination: it says nothing of others")
    if scored == 0:
        notes.append(f"an unscored mark in all of {plural(texts, 'text')}: only bounds are known")
    if fewest < n.max():
        notes.append(f"from {fewest} to {n.max()} texts a combination")
    return Cell(
        model, k, split, decoding, texts, len(n), texts - scored,
        *(metric(name) for name in METRICS),
        marks=marks,
        pass_at_1=once,
        max_at_rounds=None if several is None or fewest < 2 else _best_of(several, fewest, level),
        notes=tuple(notes),
        failed=failed,
        among_given=among_given,
    )  # fmt: skip


def bounded(
    estimated: Callable[..., Estimate],
    scored: tuple[Any, ...],
    worst_case: tuple[Any, ...],
    best_case: tuple[Any, ...],
    unscored: int,
) -> Bounded:
    """Return an estimate with its bounds, and the interval that holds at both of them.

    Parameters
    ----------
    estimated
        What makes an estimate of each of the following.
    scored, worst_case, best_case
        Its arguments: over what was scored, and over everything with what is open counted against,
        or for, the model. The last two are used only if something is unscored.
    unscored
        How much is.

    Notes
    -----
    The interval of all marks, were they known, lies between the low end at worst and the high end
    at best, so that the interval from the one to the other covers at least as often, however the
    losses depend on the marks (Manski 2003, "Partial Identification of Probability Distributions",
    chapter 1; the intervals of the ends as in Horowitz and Manski 2000, JASA 95).
    """
    estimate = estimated(*scored)
    if unscored == 0:
        return Bounded(**asdict(estimate), unscored=0, worst=None, best=None)
    worst, best = estimated(*worst_case), estimated(*best_case)
    value, low, high = estimate.value, None, None
    if value is not None and worst.value is not None and best.value is not None:
        value = min(max(value, worst.value), best.value)
        low, high = worst.low, best.high
    ends = (None, None) if low is None or high is None else (low, high)
    own = estimate.level, estimate.method, estimate.n
    return Bounded(value, *ends, *own, unscored=unscored, worst=worst, best=best)


def bounded_share(sums: pl.DataFrame, columns: tuple[str, str, str], level: float) -> Bounded:
    """Return the share of single marks with its bounds, from sums by combination.

    Parameters
    ----------
    sums
        One row a combination.
    columns
        Names of its columns of marks earned, scored, and all of them.
    level
        Confidence level in (0, 1).
    """
    earned, scored, total = (sums[name].to_numpy() for name in columns)
    share, lost = partial(clustered_share, level=level), total - scored
    cases = (earned, scored), (earned, total), (earned + lost, total)
    return bounded(share, *cases, int(lost.sum()))


def _best_of(texts: pl.DataFrame, r: int, level: float) -> Rounds:
    """The three metrics for the best of r rounds."""
    k = int(texts["k"][0])
    _, cluster = np.unique(texts["combination"].to_numpy(), return_inverse=True)
    complete = texts["complete"].to_numpy()
    enough = np.bincount(cluster, weights=complete) >= r
    used = complete & enough[cluster]

    def metric(low: str, high: str, parts: int) -> Bounded:
        worst = texts[low].fill_null(value=False).cast(pl.Float64).to_numpy() / parts
        best = texts[high].fill_null(value=True).cast(pl.Float64).to_numpy() / parts
        means = mean_best(worst[used], cluster[used], r)

        def share(values: NDArray[np.float64]) -> Estimate:
            trials = np.full(len(values), parts)
            return replace(clustered_share(values * parts, trials, level), n=len(values))

        low_means, high_means = (mean_best(case, cluster, r) for case in (worst, best))
        unscored = len(enough) - len(means)
        return bounded(share, (means,), (low_means,), (high_means,), unscored)

    return Rounds(
        r,
        metric("full_marks", "full_marks", 1),
        metric("all_skills", "all_skills", 1),
        metric("parts", "parts_high", k),
    )
