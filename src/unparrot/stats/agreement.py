"""How far graders agree beyond chance: raw agreement, Cohen's kappa, Krippendorff's alpha, AC1.

The coefficients all are 1 - observed / expected disagreement and differ in what they expect. Where
nearly every mark is earned (or none is), kappa and alpha expect nearly full agreement and can be
low, even negative, though the graders hardly ever differ; raw agreement, the base rates and AC1
stand beside them for that reason.

References
----------
Cohen (1960), "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20.
Krippendorff (2011), "Computing Krippendorff's alpha-reliability", University of Pennsylvania.
Gwet (2008), "Computing inter-rater reliability and its variance in the presence of high
agreement", Brit. J. Math. Stat. Psychol. 61; and Gwet (2014), "Handbook of Inter-Rater
Reliability", for ratings that are missing.
Feinstein and Cicchetti (1990), "High agreement but low kappa", J. Clin. Epidemiol. 43.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.bootstrap import percentile_estimate, resampled_sums
from unparrot.stats.clustered import clustered_share
from unparrot.stats.intervals import Labels, cluster_numbers, require_level

# share of the resamples in which a coefficient may be undefined before its interval is, too
_MOST_UNDEFINED = 0.05
_NO_DISAGREEMENT = 1e-12


class Agreement(Struct, frozen=True, forbid_unknown_fields=True):
    """The agreement of raters.

    Parameters
    ----------
    raw
        Share of pairs of ratings of one unit that agree, averaged over units.
    kappa
        Cohen's kappa; None unless there are two raters, or if chance agreement is complete.
    alpha
        Krippendorff's nominal alpha; None if only one category was ever used.
    ac1
        Gwet's AC1.
    units
        Number of units rated at least twice.
    """

    raw: Estimate
    kappa: Estimate | None
    alpha: Estimate | None
    ac1: Estimate | None
    units: int


def agreement(
    ratings: ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: Labels | None = None,
    categories: int = 2,
    level: float = 0.95,
    resamples: int = 1000,
) -> Agreement:
    """Return the agreement of two or more raters with intervals.

    Parameters
    ----------
    ratings
        Shape (units, raters): categories 0, 1, ..., and nan where a rater gave none.
    rng
        Source of the resampling.
    clusters
        Shape (units,), a label for each unit: units of one label (the marks of one text) are drawn
        together. None if every unit stands alone.
    categories
        How many there are, used or not, at least 2.
    level
        Confidence level in (0, 1).
    resamples
        Number of bootstrap samples, at least 100.

    Returns
    -------
    Agreement
        ``n`` of every estimate counts the units that at least two raters rated. Raw agreement has
        the Wilson interval at the effective number of units, the coefficients a percentile
        bootstrap over clusters; where there is no disagreement to resample, their low end is that
        of raw agreement at the chance agreement seen.

    Raises
    ------
    BadInput
        If a shape is wrong or a rating is no category.
    """
    require_level(level)
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise BadInput(f"ratings must have the shape (units, 2 or more raters), not {table.shape}")
    given = ~np.isnan(table)
    if categories < 2 or not np.isin(table[given], np.arange(categories)).all():
        raise BadInput(f"ratings must be 0 to {categories - 1}, or nan where there is none")
    rated = given.any(axis=1)
    # numbered anew: a cluster without ratings does not count
    member = cluster_numbers(cluster_numbers(clusters, len(table))[rated], int(rated.sum()))
    table = table[rated]
    sums = np.stack([np.bincount(member, x) for x in _features(table, categories).T], axis=1)
    raw = clustered_share(sums[:, 0], sums[:, 1], level)
    measured = _disagreements(sums.sum(0, keepdims=True), categories)
    drawn = (
        _disagreements(resampled_sums(sums, rng, resamples), categories) if len(sums) > 1 else {}
    )
    alpha, ac1, kappa = (
        _coefficient(name, measured[name], drawn.get(name), raw) if name in measured else None
        for name in ("alpha", "ac1", "kappa")
    )
    return Agreement(raw, kappa, alpha, ac1, int((given.sum(1) >= 2).sum()))


def _features(table: NDArray[np.float64], categories: int) -> NDArray[np.float64]:
    """What adds up: agreement, whether it counts, disagreement; values; shares; units; pairs.

    A unit with one rating has no agreement to count; Gwet's shares of the categories have it, the
    values that Krippendorff pairs have not. Pairs of categories are those of two raters.
    """
    counts = np.stack([(table == c).sum(1) for c in range(categories)], axis=1).astype(np.float64)
    m = counts.sum(1)
    twice = m >= 2
    pairs = np.where(twice, m * (m - 1), 1.0)
    same = np.where(twice, (counts * (counts - 1)).sum(1), 0.0)
    # Krippendorff's coincidences of different values within a unit
    differing = np.where(twice, pairs - same, 0.0) / np.maximum(m - 1, 1.0)
    single = np.stack([same / pairs, twice, differing], axis=1)
    parts = [single, counts * twice[:, None], counts / m[:, None], np.ones((len(m), 1))]
    if table.shape[1] == 2:
        cell = table[:, 0] * categories + table[:, 1]  # nan, which is no cell, if one is missing
        parts.append(cell[:, None] == np.arange(categories**2))
    return np.concatenate(parts, axis=1)


# observed and expected disagreement, one of each for every row of sums
Disagreement = tuple[NDArray[np.float64], NDArray[np.float64]]


def _disagreements(sums: NDArray[np.float64], categories: int) -> dict[str, Disagreement]:
    same, twice, differing = sums[:, :3].T
    values, shares, units, cells = np.split(
        sums[:, 3:], [categories, 2 * categories, 2 * categories + 1], axis=1
    )
    total, shares = values.sum(1), shares / np.maximum(units, 1.0)
    pairs = (total**2 - (values**2).sum(1)) / np.maximum(total * (total - 1), 1.0)
    by_chance = (shares * (1 - shares)).sum(1) / (categories - 1)
    disagreements = {
        "alpha": (differing / np.maximum(total, 1.0), pairs),
        "ac1": (1 - same / np.maximum(twice, 1.0), 1 - by_chance),
    }
    if cells.size:
        joint = (cells / np.maximum(cells.sum(1, keepdims=True), 1.0)).reshape(
            -1, categories, categories
        )
        by_chance = (joint.sum(2) * joint.sum(1)).sum(1)
        disagreements["kappa"] = 1 - np.trace(joint, axis1=1, axis2=2), 1 - by_chance
    return disagreements


def _coefficient(
    name: str, measured: Disagreement, drawn: Disagreement | None, raw: Estimate
) -> Estimate | None:
    observed, expected = (float(x[0]) for x in measured)
    method = f"{name}, cluster bootstrap"
    if raw.n == 0 or expected < _NO_DISAGREEMENT:
        return None
    value = 1 - observed / expected
    unknown = Estimate(value, None, None, raw.level, method, raw.n)
    if drawn is None or raw.low is None:
        return unknown
    if observed < _NO_DISAGREEMENT:
        # every resample agrees too: as far down as raw agreement may be, at this chance agreement
        low = 1 - (1 - raw.low) / expected
        return Estimate(1.0, low, 1.0, raw.level, f"{name}, wilson", raw.n)
    defined = drawn[1] > _NO_DISAGREEMENT
    if defined.mean() < 1 - _MOST_UNDEFINED:
        return unknown
    draws = 1 - drawn[0][defined] / drawn[1][defined]
    return percentile_estimate(value, draws, raw.level, method, raw.n)
