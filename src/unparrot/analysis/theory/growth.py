"""The growth of k: how many skills a model combines, and how that number grows as its loss falls.

*One model.* Full marks with k skills at once follow S(k), with -ln S(k) = exp(a + c ln k). If every
skill succeeds independently with one rate r, S(k) = r^k and c = 1, so c is measured, not assumed.
k50 is the k with S(k) = 1/2, k20 that with S(k) = 1/5. The law is fitted to the k that training
showed, by complementary log-log regression (`unparrot.stats.cloglog`), each combination being one
trial. A k outside of what was asked for is a bound ('< 1', '>= 12') and never a number. Texts
longer than any of training are another question: their full marks stand beside what the law says.

*All models.* The same regression with b ln(excess) pools the models, whatever brought their loss
down. Its k50 goes as excess^gamma, gamma = -b / c. The theory says gamma = -1: half the excess
loss, half the failures of a piece, twice as many pieces that can be joined (Arora and Goyal 2023,
section 5). Models differ by more than the chance of their texts, so the interval of gamma is that
of a jackknife over models, with Student's t at two fewer degrees of freedom than models. It covers
other models of these sizes, not other seeds, corpora or worlds, of which a run has one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import ndtri, stdtrit

from unparrot.core.estimate import Estimate
from unparrot.stats.cloglog import CloglogRegression, Restriction
from unparrot.stats.clustered import clustered_share

# The exponent of k50 against excess loss, by the theory.
PREDICTED: Final = -1.0
# Distance from it up to which an exponent counts as the same; fixed before any was measured.
MARGIN: Final = 0.15
LEVEL: Final = 0.95
# Models with an interval of the exponent; with one fewer there is the value alone.
FEWEST_MODELS: Final = 4
_STEEPEST: Final = (0.02, 8.0)  # c is looked for between these

Verdict = Literal["equivalent", "different", "open", "not measured"]
# Shape (n, 3): k, combinations, and how many of them failed (their mean over rounds).
Counts = NDArray[np.float64]


class Reach(Struct, frozen=True, forbid_unknown_fields=True):
    """The k at which full marks fall to a share.

    Parameters
    ----------
    value
        None if it lies outside of the k asked for; ``bound`` then says where ('< 1', '>= 12'), and
        is empty otherwise.
    low, high
        Profile likelihood interval; an end is None where it lies outside of the k asked for.
    """

    value: float | None
    low: float | None
    high: float | None
    bound: str


class Excess(Struct, frozen=True, forbid_unknown_fields=True):
    """Loss over the exact floor, nats a token; normal interval over the validation documents."""

    value: float
    low: float | None
    high: float | None


class Longer(Struct, frozen=True, forbid_unknown_fields=True):
    """Full marks at a k beyond any of training, and the share that the law of smaller k gives."""

    k: int
    full_marks: Estimate
    law: float


class ModelGrowth(Struct, frozen=True, forbid_unknown_fields=True):
    """How many skills one model combines.

    Parameters
    ----------
    params, tokens, excess
        None for a parrot.
    k50, k20
        On the combinations that are new in nothing but themselves (split 'seen').
    k50_heldout_pair
        On pairs of skills that no training text has.
    c
        Of the law on 'seen'; its ``n`` counts combinations.
    isotonic
        The k50 of a monotone regression, linear between whole k: a check that assumes no law.
    longer
        Texts longer than any of training.
    """

    name: str
    params: int | None
    tokens: int | None
    excess: Excess | None
    k50: Reach | None
    k20: Reach | None
    k50_heldout_pair: Reach | None
    c: Estimate | None
    isotonic: float | None
    longer: tuple[Longer, ...]


class Growth(Struct, frozen=True, forbid_unknown_fields=True):
    """k50 against the excess loss.

    Parameters
    ----------
    models
        All models of the run, in its order.
    exponent
        gamma of k50 ~ excess^gamma over the trained models with an excess above 0; ``n`` counts
        them. Negative where k50 grows as the loss falls. None with fewer than three.
    predicted, margin, verdict
        What the theory says, and whether the exponent is the same up to a margin: 'equivalent' if
        its interval lies within, 'different' if it does not and leaves out the prediction.
    halved
        By how much k50 is multiplied where the excess is half as large, 2^-gamma; 2 by the theory.
    scale
        k50 of the fit at an excess of 1 nat: k50 = scale excess^gamma.
    c
        Of the pooled law.
    reference
        The model that the theory's line is drawn through, without any fit: of those with a k50,
        the one with the highest loss.
    by_params, by_tokens
        The exponent over the models with the most tokens, and over the sizes with several numbers
        of tokens.
    tokens_at_equal_excess
        The exponent of k50 against tokens at a given excess: 0 if loss is all that counts.
    """

    models: tuple[ModelGrowth, ...]
    exponent: Estimate | None
    predicted: float
    margin: float
    verdict: Verdict
    halved: Estimate | None
    scale: float | None
    c: Estimate | None
    reference: str | None
    by_params: Estimate | None
    by_tokens: Estimate | None
    tokens_at_equal_excess: Estimate | None


def growth(models: pl.DataFrame, outcomes: pl.DataFrame, max_k: int) -> Growth:
    """Estimate how many skills every model combines, and how that grows as the loss falls.

    Parameters
    ----------
    models
        Columns of `unparrot.core.tables.MODELS_SCHEMA`.
    outcomes
        Frame of `unparrot.analysis.read.outcomes.read_outcomes`; greedy texts count.
    max_k
        The largest k of training.
    """
    scored = outcomes.filter((pl.col("decoding") == "greedy") & (pl.col("unscored") == 0))
    rows = list(models.iter_rows(named=True))
    trials = {row["name"]: scored.filter(pl.col("model") == row["name"]) for row in rows}
    seen = {name: counts(own, "seen", max_k) for name, own in trials.items()}
    entries = tuple(model_growth(row, trials[row["name"]], max_k) for row in rows)
    pooled = [
        (entry, seen[entry.name], entry.excess.value)
        for entry in entries
        if entry.excess is not None and entry.excess.value > 0 and len(seen[entry.name])
    ]
    tables, excess = [table for _, table, _ in pooled], [excess for *_, excess in pooled]
    tokens, sizes = ([getattr(m, name) for m, *_ in pooled] for name in ("tokens", "params"))
    steps = token_steps(tokens)
    distinct = set(zip(sizes, steps, strict=True))

    def exponent_of(chosen: Sequence[bool]) -> Estimate | None:
        own = [i for i, kept in enumerate(chosen) if kept]
        return pool([tables[i] for i in own], [[excess[i]] for i in own]).exponent(0)

    whole = pool(tables, [[value] for value in excess])
    given = pool(tables, [list(pair) for pair in zip(excess, tokens, strict=True)])
    exponent = whole.exponent(0)
    known = [(value, m.name) for m, _, value in pooled if m.k50 and m.k50.value is not None]
    return Growth(
        models=entries,
        exponent=exponent,
        predicted=PREDICTED,
        margin=MARGIN,
        verdict=verdict(exponent),
        halved=exponent and halved(exponent),
        scale=whole.scale,
        c=whole.c,
        reference=max(known)[1] if known else None,
        by_params=exponent_of([step == 0 for step in steps]),
        by_tokens=exponent_of([sum(own == size for own, _ in distinct) > 1 for size in sizes]),
        tokens_at_equal_excess=given.exponent(1) if any(steps) else None,
    )


def token_steps(tokens: Sequence[int | None]) -> list[int]:
    """Number models by their training tokens, from 0 for the most.

    Counts within a tenth of the next larger one have its number: sizes that were trained on as many
    tokens may end a few documents apart.

    Examples
    --------
    >>> token_steps([5_200_000, 5_190_000, 2_600_000, 1_300_000, 2_610_000])
    [0, 0, 1, 2, 1]
    """
    steps: dict[int, int] = {}
    before = 0
    for count in sorted({count or 0 for count in tokens}, reverse=True):
        last = max(steps.values(), default=0)
        steps[count] = last + 1 if steps and count < 0.9 * before else last
        before = count
    return [steps[count or 0] for count in tokens]


def counts(texts: pl.DataFrame, split: str, max_k: int) -> Counts:
    """Count the combinations of a split, and those that failed, at every k up to the largest."""
    table = (
        texts.filter((pl.col("split") == split) & (pl.col("k") <= max_k))
        .group_by("k", "combination")
        .agg(pl.col("full_marks").mean())
        .group_by("k")
        .agg(pl.len().alias("n"), (1 - pl.col("full_marks")).sum().alias("failed"))
        .sort("k")
    )
    return table.select("k", "n", "failed").to_numpy().astype(np.float64).reshape(-1, 3)


def model_growth(row: dict[str, Any], texts: pl.DataFrame, max_k: int) -> ModelGrowth:
    """Estimate how many skills one model combines.

    Parameters
    ----------
    row
        Of the table `models`.
    texts
        Outcomes of its greedy texts without unscored marks.
    max_k
        The largest k of training.
    """
    seen = counts(texts, "seen", max_k)
    law = skill_law(seen)
    pairs = skill_law(counts(texts, "heldout_pair", max_k))
    excess = None
    if row["loss"] is not None and row["entropy"] is not None:
        value, ends = row["loss"] - row["entropy"], (None, None)
        if row["excess_error"] is not None:
            half = row["excess_error"] * float(ndtri((1 + LEVEL) / 2))
            ends = value - half, value + half
        excess = Excess(value, *ends)
    return ModelGrowth(
        **{name: row[name] for name in ("name", "params", "tokens")},
        excess=excess,
        k50=law and law.reach(0.5),
        k20=law and law.reach(0.2),
        k50_heldout_pair=pairs and pairs.reach(0.5),
        c=law and law.steepness(),
        isotonic=monotone_k50(seen),
        longer=() if law is None else _longer(texts, law, max_k),
    )


def _longer(texts: pl.DataFrame, law: SkillLaw, max_k: int) -> tuple[Longer, ...]:
    beyond = texts.filter((pl.col("split") == "untrained_k") & (pl.col("k") > max_k))
    cells = (
        beyond.group_by("k", "combination")
        .agg(pl.col("full_marks").sum().cast(pl.Int64), pl.len().alias("n"))
        .partition_by("k", as_dict=True)
    )
    return tuple(
        Longer(
            int(k),
            clustered_share(own["full_marks"].to_numpy(), own["n"].to_numpy(), LEVEL),
            law.share(float(k)),
        )
        for (k,), own in sorted(cells.items())
    )


# One model


@dataclass(frozen=True, slots=True)
class SkillLaw:
    """-ln S(k) = exp(a + c ln k), fitted to counts."""

    table: Counts
    regression: CloglogRegression
    a: float
    c: float

    def share(self, k: float) -> float:
        """Return S(k)."""
        return math.exp(-math.exp(self.a + self.c * math.log(k)))

    def reach(self, share: float, *, limits: bool = True) -> Reach:
        """Return the k at which S falls to a share in (0, 1); without ``limits`` no interval."""
        first, last = (float(end) for end in self.table[[0, -1], 0])
        height = math.log(-math.log(share))
        if self.c <= 0:  # full marks do not fall with k: they are above the share, or below, at all
            above = self.share(last) >= share
            return Reach(None, None, None, f">= {last:g}" if above else f"< {first:g}")

        def through(log_k: float) -> Restriction:
            return np.array([height, 0.0]), np.array([[-log_k], [1.0]])

        at = (height - self.a) / self.c
        ends = math.log(first), math.log(last)
        profile = self.regression.profile(through, at, ends, LEVEL) if limits else (None, None)
        low, high = (None if end is None else math.exp(end) for end in profile)
        if at < ends[0]:
            return Reach(None, None, high, f"< {first:g}")
        if at > ends[1]:
            return Reach(None, low, None, f">= {last:g}")
        return Reach(math.exp(at), low, high, "")

    def steepness(self) -> Estimate:
        """Return c with its profile likelihood interval; 1 means independent skills."""

        def at(c: float) -> Restriction:
            return np.array([0.0, c]), np.array([[1.0], [0.0]])

        low, high = self.regression.profile(at, self.c, _STEEPEST, LEVEL)
        low, high = (None, None) if low is None or high is None else (low, high)
        n = int(self.table[:, 1].sum())
        return Estimate(self.c, low, high, LEVEL, "complementary log-log, profile", n)


def skill_law(table: Counts) -> SkillLaw | None:
    """Fit the law to counts; None with fewer than two k."""
    if len(table) < 2:
        return None
    k, n, failed = table.T
    regression = CloglogRegression(np.column_stack([np.ones(len(k)), np.log(k)]), failed, n)
    (a, c), _ = regression.fit()
    return SkillLaw(table, regression, float(a), float(c))


def monotone_k50(table: Counts) -> float | None:
    """Return where a monotone regression of full marks falls through 1/2; None if it does not.

    Examples
    --------
    >>> monotone_k50(np.array([[1, 10, 1], [2, 10, 4], [3, 10, 8]]))
    2.25
    """
    if len(table) < 2:
        return None
    k, n, failed = table.T
    fit = isotonic_regression(1 - failed / n, weights=n, increasing=False)
    shares = cast("NDArray[np.float64]", fit["x"])
    if shares[0] < 0.5 or shares[-1] > 0.5:
        return None
    at = int(np.argmax(shares <= 0.5))
    if at == 0:
        return float(k[0])
    part = (shares[at - 1] - 0.5) / (shares[at - 1] - shares[at])
    return float(k[at - 1] + part * (k[at] - k[at - 1]))


# All models


@dataclass(frozen=True, slots=True)
class Pooled:
    """The regression over all models, and the same without each of them.

    ``betas`` has the coefficients of 1, ln k and the logarithm of each explanation: first over all
    models, then with one left out at a time. It is empty if there is no k50 to speak of: too few
    models, or full marks that do not fall with k.
    """

    betas: NDArray[np.float64]

    def exponent(self, number: int) -> Estimate | None:
        """Return the exponent of k50 against an explanation, by its number from 0 on."""
        return self._jackknife(-self.betas[:, 2 + number] / self.betas[:, 1])

    @property
    def c(self) -> Estimate | None:
        """c of the pooled law."""
        return self._jackknife(self.betas[:, 1])

    @property
    def scale(self) -> float | None:
        """k50 where every explanation is 1."""
        if not len(self.betas):
            return None
        return math.exp((math.log(math.log(2)) - self.betas[0, 0]) / self.betas[0, 1])

    def _jackknife(self, values: NDArray[np.float64]) -> Estimate | None:
        if not len(values):
            return None
        value, left_out = float(values[0]), values[1:]
        n, free = len(left_out), len(left_out) - (self.betas.shape[1] - 1)
        if n < FEWEST_MODELS or free < 1:
            return Estimate(value, None, None, LEVEL, "no interval: too few models", n)
        error = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
        half = error * float(stdtrit(free, (1 + LEVEL) / 2))
        return Estimate(value, value - half, value + half, LEVEL, "jackknife over models", n)


def pool(tables: Sequence[Counts], explained_by: Sequence[Sequence[float]]) -> Pooled:
    """Fit one law to several models.

    Parameters
    ----------
    tables
        Counts of each model.
    explained_by
        For each model the same number of positive values, such as its excess loss.
    """
    n, width = len(tables), len(explained_by[0]) if explained_by else 1
    explanations = np.log(np.array(explained_by, dtype=np.float64).reshape(n, width))
    betas = np.empty((0, 2 + width))
    if n < FEWEST_MODELS - 1:
        return Pooled(betas)
    # without any of the models the others still tell
    kept = [list(range(n)), *([j for j in range(n) if j != i] for i in range(n))]
    fits = [pooled_fit([tables[i] for i in own], explanations[own]) for own in kept]
    known = [fit for fit in fits if fit is not None]
    return Pooled(np.array(known) if len(known) == len(fits) else betas)


def pooled_fit(
    tables: Sequence[Counts], columns: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Fit one law to several tables of counts.

    Parameters
    ----------
    tables
        Counts of each.
    columns
        Shape (n, m): what else explains the failures of each of the n tables.

    Returns
    -------
    array
        Coefficients of 1, ln k and each column; None with a single k, or where the tables do not
        fix them, or full marks do not fall with k.
    """
    if not tables:
        return None
    k, trials, failed = np.concatenate(tables).T
    table = np.repeat(np.arange(len(tables)), [len(own) for own in tables])
    x = np.column_stack([np.ones(len(k)), np.log(k), columns[table]])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return None
    beta, _ = CloglogRegression(x, failed, trials).fit()
    return beta if beta[1] > 0 else None


def verdict(exponent: Estimate | None) -> Verdict:
    """Return whether an exponent is the predicted one, up to the margin."""
    if exponent is None or exponent.low is None or exponent.high is None:
        return "not measured"
    if exponent.low >= PREDICTED - MARGIN and exponent.high <= PREDICTED + MARGIN:
        return "equivalent"
    return "open" if exponent.low <= PREDICTED <= exponent.high else "different"


def halved(exponent: Estimate) -> Estimate:
    """Return the factor of k50 where the excess is half as large, 2^-gamma, by an exponent."""
    value, high, low = (
        None if x is None else 2.0**-x for x in (exponent.value, exponent.low, exponent.high)
    )
    return Estimate(value, low, high, exponent.level, exponent.method, exponent.n)
