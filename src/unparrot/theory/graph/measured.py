"""The measured performance curve: how the failed edges of a graph lie on its skills or tuples.

`unparrot theory graph` prints it beside the bounds. Two readings of one ranking, worst first:

- the quantile: all but a share alpha of the tuples fail on at most f of their pieces;
- the worst share: the edges of the worst share alpha of the tuples fail at rate f. This is what
  the bounds of `unparrot.theory.curve.performance` bound, and it is never below the quantile.

Both are biased upward by chance where tuples have few pieces, because the ranking picks the
unlucky along with the bad (the winner's curse): with d pieces a tuple and one true rate theta, the
worst share reads theta + sqrt(theta (1 - theta) / d) phi(z) / alpha at the upper alpha point z of
the normal law. `chance_curve` gives that bias exactly, and `split_half` an estimate without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_shares
from unparrot.theory.curve.performance import classic, sharp
from unparrot.theory.graph.simulate import TupleCounts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING = 1e-12  # shares that differ by less are the same one, added up in another order
_DEGREES = 512  # distinct degrees that `chance_curve` keeps apart
_ATOMS = 400  # points that stand for the binomial law of one degree
_SPLIT_WORK = 1_000_000  # tuples times splits
_WINDOW = 9.0  # standard deviations of it that are kept on each side


@dataclass(frozen=True, slots=True, eq=False)
class PerformanceCurve:
    """The tuples with pieces, ranked worst first; made by `performance_curve`.

    Nothing is known of tuples without pieces, so they are no part of the curve, neither as failures
    nor as successes.

    Parameters
    ----------
    alpha
        Shape (n,), rising to 1: share, by measure, of the tuples up to and with this one.
    failure
        Shape (n,), falling: share of its pieces that each tuple fails.
    edges, failed_edges
        Shape (n,): edges, and failed edges, of the tuples up to and with this one.
    """

    alpha: Floats
    failure: Floats
    edges: Floats
    failed_edges: Floats

    @property
    def overall(self) -> float:
        """Share of all edges that fail."""
        return float(self.failed_edges[-1] / self.edges[-1])

    def quantile(self, alpha: ArrayLike) -> Floats:
        """Return the least f such that all but a share alpha of the tuples fail on at most f.

        Parameters
        ----------
        alpha
            Shares in (0, 1], any shape; at 1 this is the rate of the best tuple.
        """
        place = np.searchsorted(self.alpha, np.multiply(alpha, 1 + _ROUNDING), side="right")
        return np.asarray(self.failure[np.minimum(place, len(self.failure) - 1)])

    def worst(self, alpha: ArrayLike) -> Floats:
        """Return the rate at which the edges of the worst share alpha of the tuples fail.

        The tuple at the boundary counts with the part of it that the share holds. At alpha = 1
        this is `overall`.

        Parameters
        ----------
        alpha
            Shares in (0, 1], any shape.
        """
        return _rate_of_first(
            np.asarray(alpha, np.float64), self.alpha, self.edges, self.failed_edges
        )


def performance_curve(degree: Ints, failed: Ints, weights: Floats | Ints) -> PerformanceCurve:
    """Rank skills, or tuples of them, by the share of their pieces that the model fails.

    Parameters
    ----------
    degree, failed
        Shape (n,): pieces, or edges, of each tuple, and how many of them are failed.
    weights
        Shape (n,): the measure of each tuple, to any scale. With the degrees themselves as weights,
        alpha is a share of the edges.

    Raises
    ------
    BadInput
        If no tuple has a piece.

    Notes
    -----
    The ranking is by rate. It is the worst possible set exactly where edges are in proportion to
    measure, as they are in expectation.

    Examples
    --------
    >>> curve = performance_curve(np.full(4, 10), np.array([5, 1, 2, 0]), np.ones(4))
    >>> curve.quantile([0.25, 0.375])
    array([0.2, 0.2])
    >>> curve.worst([0.25, 0.375, 1])
    array([0.5, 0.4, 0.2])
    """
    has = (degree > 0) & (weights > 0)
    if not has.any():
        raise BadInput("no tuple has a piece, so there is no curve to measure; give more pieces")
    rates = failed[has] / degree[has]
    order = np.argsort(-rates, kind="stable")
    share = np.cumsum(weights[has][order])
    return PerformanceCurve(
        alpha=share / share[-1],
        failure=rates[order],
        edges=np.cumsum(degree[has][order], dtype=np.float64),
        failed_edges=np.cumsum(failed[has][order], dtype=np.float64),
    )


def chance_curve(degree: Ints, failed: Ints, weights: Floats | Ints) -> PerformanceCurve:
    """Return the curve that chance alone would show, if every tuple failed at the overall rate.

    The failures of a tuple of degree d are then Binomial(d, rate); ranked, they make a curve that
    lies above the rate all the same. What a measured curve shows above this one is real: some
    tuples are worse than others.

    Parameters
    ----------
    degree, failed, weights
        As for `performance_curve`.

    Returns
    -------
    PerformanceCurve
        The limit for many tuples of these degrees. Degrees beyond 512 distinct ones, and counts
        beyond 400 for a degree, are binned.

    Raises
    ------
    BadInput
        As for `performance_curve`.

    Examples
    --------
    One piece for each of many skills, half of them failed: the worst half fails always.

    >>> curve = chance_curve(np.ones(10, np.int64), np.array([1, 0] * 5), np.ones(10))
    >>> float(curve.worst(0.5)), float(curve.worst(1.0))
    (1.0, 0.5)
    """
    rate = performance_curve(degree, failed, weights).overall
    has = (degree > 0) & (weights > 0)
    size, share, edges = _grouped(degree[has], weights[has])
    reach = _WINDOW * np.sqrt(size * rate * (1 - rate)) + 1
    low = np.maximum(np.floor(size * rate - reach), 0).astype(np.int64)
    counts = np.minimum(np.ceil(size * rate + reach), size).astype(np.int64) - low + 1
    # column j holds the failures from bound j to under bound j + 1; few counts leave some empty
    bins = np.minimum(counts, _ATOMS)
    column = np.minimum(np.arange(_ATOMS + 1), bins[:, None])
    bound = low[:, None] + column * counts[:, None] // bins[:, None]
    chance = np.diff(binom.cdf(bound - 1, size[:, None], rate), axis=1)
    rates = (bound[:, :-1] + bound[:, 1:] - 1) / 2 / size[:, None]
    held = chance > 0
    order = np.argsort(-rates[held], kind="stable")
    alpha = np.cumsum((share[:, None] * chance)[held][order])
    return PerformanceCurve(
        alpha=alpha / alpha[-1],
        failure=rates[held][order],
        edges=np.cumsum((edges[:, None] * chance)[held][order]),
        failed_edges=np.cumsum((edges[:, None] * chance * rates)[held][order]),
    )


def split_half(
    degree: Ints,
    failed: Ints,
    alpha: Floats,
    rng: np.random.Generator,
    weights: Floats | Ints,
    splits: int = 10,
) -> Floats:
    """Return the worst-share reading without the winner's curse, by cross-fitting.

    The pieces of each tuple fall at random into two halves; the tuples are ranked by one half, and
    the worst share of that ranking is measured by the other. Chance that ruled the ranking has no
    part in the measurement, so the result is, in expectation, the true rate of the tuples picked.
    Half the pieces rank less well than all of them, so it lies below the truth where pieces are
    few, as `PerformanceCurve.worst` lies above it: the two enclose the true worst share.

    Parameters
    ----------
    degree, failed, weights
        As for `performance_curve`. Tuples with fewer than two pieces are left out.
    alpha
        Shares in (0, 1], any shape.
    rng
        Source of the splits; given the counts, the failures in a half are hypergeometric.
    splits
        Number of splits, at least 1; each is used both ways and all are averaged.

    Returns
    -------
    ndarray
        Failure rates in the shape of ``alpha``.

    Raises
    ------
    BadInput
        If no tuple has two pieces.

    References
    ----------
    Efron (2011), "Tweedie's formula and selection bias", JASA 106, for the selection bias.
    """
    has = (degree > 1) & (weights > 0)
    if not has.any():
        raise BadInput("no tuple has two pieces, so none can be split; give more pieces")
    # in an order of their own, so that ties in the ranking are broken by chance
    order = rng.permutation(np.flatnonzero(has))
    degree, failed, weights = degree[order], failed[order], weights[order]
    total = np.zeros(np.shape(alpha))
    for _ in range(splits):
        size = degree // 2 + (degree % 2) * rng.integers(0, 2, len(degree))
        fails = _failures_of_part(degree, failed, size, rng)
        other, other_fails = degree - size, failed - fails
        for ranks, edges, failed_edges in (
            (fails / size, other, other_fails),
            (other_fails / other, size, fails),
        ):
            first = np.argsort(-ranks, kind="stable")
            share = np.cumsum(weights[first])
            total += _rate_of_first(
                alpha, share / share[-1], np.cumsum(edges[first]), np.cumsum(failed_edges[first])
            )
    return total / (2 * splits)


def _failures_of_part(degree: Ints, failed: Ints, part: Ints, rng: np.random.Generator) -> Ints:
    """Failures among ``part`` pieces drawn from each tuple."""
    fails = np.empty_like(degree)
    # numpy draws hypergeometric numbers from fewer than 1e9 only; beyond, the binomial spread,
    # which is somewhat too wide, is no more than a few in 1e5 of the rate
    small = degree < 10**9
    fails[small] = rng.hypergeometric(failed[small], (degree - failed)[small], part[small])
    wide = rng.binomial(failed[~small], part[~small] / degree[~small])
    fails[~small] = np.clip(wide, (failed + part - degree)[~small], part[~small])
    return fails


def _rate_of_first(
    shares: Floats, alpha: Floats, edges: NDArray[np.generic], failed: NDArray[np.generic]
) -> Floats:
    """Rate of the edges in the first shares of a ranking, given its running sums."""
    ends = np.concatenate(([0.0], alpha))
    fails = np.interp(shares, ends, np.concatenate(([0.0], failed)))
    return np.asarray(fails / np.interp(shares, ends, np.concatenate(([0.0], edges))))


def _grouped(degree: Ints, measure: Floats | Ints) -> tuple[Ints, Floats, Floats]:
    """Group equal degrees, or where there are many near ones: degree, measure, edges of each."""
    sizes, group = np.unique(degree, return_inverse=True)
    if len(sizes) > _DEGREES:
        ranks = np.empty(len(degree), dtype=np.int64)
        ranks[np.argsort(degree, kind="stable")] = np.arange(len(degree)) * _DEGREES // len(degree)
        group = ranks
    edges: Floats = np.bincount(group, weights=degree).astype(np.float64)
    share: Floats = np.bincount(group, weights=measure).astype(np.float64)
    return np.rint(edges / np.bincount(group)).astype(np.int64), share, edges


def compare(
    alpha: ArrayLike,
    counts: TupleCounts,
    *,
    theta: float,
    k: int | Sequence[float],
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Measure a curve and work out the theory's beside it.

    Parameters
    ----------
    alpha
        Shares in (0, 1), shape (n,).
    counts
        Degrees and failures of skills (``size`` 1) or tuples, and their measure.
    theta
        Share of the pieces that failed, in [0, 1].
    k
        Skills in a piece, or the probabilities of the degrees 0, 1, 2, ...
    rng
        Of the split halves.

    Returns
    -------
    dict
        Float64 of the shape of ``alpha``, which comes first. ``worst`` and ``quantile``: the two
        readings of the measured curve. ``chance``: the worst share as it would be if all tuples
        failed alike. ``split``: without the winner's curse; absent if no tuple has two pieces.
        ``luck``, ``sharp``: the theory's curves at theta; absent if no piece failed, or all.
        ``classic``: absent also where pieces differ in degree, for which it is not stated.

    Raises
    ------
    BadInput
        If no tuple has a piece, or a share is outside (0, 1).
    """
    shares, size = require_shares("alpha", alpha), counts.size
    columns = counts.degree, counts.failed, counts.weights
    measured = performance_curve(*columns)
    curves = {"alpha": shares, "worst": measured.worst(shares)}
    curves["quantile"] = measured.quantile(shares)
    curves["chance"] = chance_curve(*columns).worst(shares)
    if (counts.degree > 1).any():
        splits = int(np.clip(_SPLIT_WORK // len(counts.degree), 1, 10))
        curves["split"] = split_half(*columns[:2], shares, rng, counts.weights, splits)
    if 0 < theta < 1:
        curves |= {"luck": np.full_like(shares, theta), "sharp": sharp(theta, shares, k, size)}
        if isinstance(k, int):
            curves["classic"] = classic(theta, shares, k, size)
    return curves
