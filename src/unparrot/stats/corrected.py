"""A share of full marks from many marks of a grader and a few labels of people.

Prediction-powered inference: the grader's share over all texts, put right by how far the grader is
off on the labelled ones, with as much weight on the grader as its marks deserve (PPI++). With a
useless grader it is the share of the labels alone.

References
----------
Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), "Prediction-powered inference", Science
382; Angelopoulos, Duchi and Zrnic (2023), "PPI++: efficient prediction-powered inference",
arXiv:2311.01453, section 6 for the tuned weight.
Bonett and Price (2012), "Adjusted Wald confidence interval for a difference of binomial
proportions based on paired data", J. Educ. Behav. Stat. 37.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.intervals import require_level

LEAST_LABELS = 10
"""Labels below which no corrected share is given."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A share corrected by labels.

    Parameters
    ----------
    estimate
        The corrected share; ``n`` counts labelled and unlabelled texts.
    labelled_only
        What the labels alone give, with the interval made in the same way: never narrower.
    graded
        The grader's own share over all texts.
    weight
        Weight of the grader's marks in [0, 1]: 0 ignores them.
    labels
        Number of labelled texts.
    """

    estimate: Estimate
    labelled_only: Estimate
    graded: float
    weight: float
    labels: int


def corrected_share(
    labels: ArrayLike,
    graded: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Corrected:
    """Return a share corrected by a random sample of labels.

    Parameters
    ----------
    labels
        Shape (n,): 1 or 0 as people say, nan where a text has no label. The labelled texts must be
        a random sample of all.
    graded
        Shape (n,): 1 or 0 as the grader says, of every text.
    clusters
        Shape (n,), a label for each text; texts of one (rounds of a combination) are not taken for
        independent. None if every text stands alone.
    level
        Confidence level in (0, 1).

    Raises
    ------
    BadInput
        If the shapes differ, a value is not 0 or 1, or there are fewer than 10 labels.

    Notes
    -----
    With labelled y and f, and f over the unlabelled texts, the share is
    ``mean(y) + w (mean(f unlabelled) - mean(f labelled))``. Each text's influence on it is linear
    in w, so its variance, with influences added up within clusters, is a quadratic of w; the weight
    is where that is smallest, between 0 and 1, and the variance there at most that at 0, which is
    of the labels alone.

    A few labels that the grader got right would make it look faultless, so weight and interval are
    made with two more: a text that the grader wrongly passed, and one that it wrongly failed (for
    w = 1 this is Bonett and Price's adjustment of a paired difference). The normal interval without
    them covers 75 % instead of 95 % at 40 labels and a share of 5 %.
    """
    require_level(level)
    y, f = np.asarray(labels, dtype=np.float64), np.asarray(graded, dtype=np.float64)
    known = ~np.isnan(y)
    if y.ndim != 1 or y.shape != f.shape:
        raise BadInput(f"labels and marks must be of the same texts, not {y.shape} and {f.shape}")
    if not (np.isin(y[known], (0.0, 1.0)).all() and np.isin(f, (0.0, 1.0)).all()):
        raise BadInput("labels and marks must be 0 or 1; nan stands for a text without a label")
    if known.sum() < LEAST_LABELS:
        raise BadInput(
            f"{int(known.sum())} labels are too few to correct a share; label at least "
            f"{LEAST_LABELS} texts, drawn at random"
        )
    names = np.arange(len(y)) if clusters is None else np.asarray(clusters)
    if names.shape != y.shape:
        raise BadInput(f"{names.shape} cluster labels for {len(y)} texts; give one each")
    _, member = np.unique(names, return_inverse=True)
    last = member.max()
    fit = _fit(
        np.append(y[known], [0.0, 1.0]),
        np.append(f[known], [1.0, 0.0]),
        f[~known],
        np.append(member[known], [last + 1, last + 2]),
        member[~known],
    )
    value = float(y[known].mean())
    if not known.all():
        value += fit.weight * float(f[~known].mean() - f[known].mean())
    z = NormalDist().inv_cdf((1 + level) / 2)
    n = int(known.sum())
    return Corrected(
        estimate=share_estimate(value, fit.value, z * fit.error, level, "ppi++", len(y)),
        labelled_only=share_estimate(
            float(y[known].mean()), fit.alone, z * fit.alone_error, level, "labels only", n
        ),
        graded=float(f.mean()),
        weight=fit.weight,
        labels=n,
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    weight: float
    value: float
    error: float
    alone: float
    alone_error: float


def _fit(
    y: NDArray[np.float64],
    f: NDArray[np.float64],
    more: NDArray[np.float64],
    member: NDArray[np.int64],
    others: NDArray[np.int64],
) -> _Fit:
    """The weight with the smallest variance, and value and standard error there and at 0."""
    number = int(max(member.max(), others.max() if len(others) else 0)) + 1
    fixed = np.bincount(member, (y - y.mean()) / len(y), number)
    moved = np.bincount(member, (f.mean() - f) / len(f), number)
    gap = 0.0
    if len(more):
        moved = moved + np.bincount(others, (more - more.mean()) / len(more), number)
        gap = float(more.mean() - f.mean())
    clusters = len(np.unique(member))
    scale = clusters / max(1, clusters - 1)
    own, both, square = ((fixed**2).sum(), (fixed * moved).sum(), (moved**2).sum())
    weight = float(np.clip(-both / square, 0.0, 1.0)) if square > 0 and len(more) else 0.0
    variance = own + 2 * weight * both + weight**2 * square
    return _Fit(
        weight,
        float(y.mean()) + weight * gap,
        float(np.sqrt(max(0.0, scale * variance))),
        float(y.mean()),
        float(np.sqrt(scale * own)),
    )


def share_estimate(
    value: float, centre: float, half: float, level: float, method: str, n: int
) -> Estimate:
    """Return a share with a symmetric interval around a centre, both cut off at 0 and 1."""
    value = min(1.0, max(0.0, value))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Estimate(value, min(low, value), max(high, value), level, method, n)
