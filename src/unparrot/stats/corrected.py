"""A share of full marks from many marks of a grader and a few labels of people, in two ways.

Prediction-powered inference (`corrected_share`): the grader's share over all texts, put right by
how far the grader is off on the labelled ones, with as much weight on the grader as its marks
deserve (PPI++). With a useless grader it is the share of the labels alone.

The grader as a screening test (`screening`): its sensitivity and specificity on the labelled texts,
and the share that they correct.

References
----------
Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), "Prediction-powered inference", Science
382; Angelopoulos, Duchi and Zrnic (2023), "PPI++: efficient prediction-powered inference",
arXiv:2311.01453, section 6 for the tuned weight.
Bonett and Price (2012), "Adjusted Wald confidence interval for a difference of binomial
proportions based on paired data", J. Educ. Behav. Stat. 37.
Rogan and Gladen (1978), "Estimating prevalence from the results of a screening test", Am. J.
Epidemiol. 107.
Lang and Reiczigel (2014), "Confidence limits for prevalence of disease adjusted for estimated
sensitivity and specificity", Prev. Vet. Med. 113.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.clustered import clustered_share
from unparrot.stats.intervals import Labels, cluster_numbers, require_level, widened
from unparrot.stats.paired import design_effect

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
    clusters: Labels | None = None,
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
    y, f, known = _labelled(labels, graded)
    if known.sum() < LEAST_LABELS:
        raise BadInput(
            f"{int(known.sum())} labels are too few to correct a share; label at least "
            f"{LEAST_LABELS} texts, drawn at random"
        )
    member = cluster_numbers(clusters, len(y))
    last = member.max()
    weight, best, alone = _fit(
        np.append(y[known], [0.0, 1.0]),
        np.append(f[known], [1.0, 0.0]),
        f[~known],
        np.append(member[known], [last + 1, last + 2]),
        member[~known],
    )
    value = float(y[known].mean())
    if not known.all():
        value += weight * float(f[~known].mean() - f[known].mean())
    z = NormalDist().inv_cdf((1 + level) / 2)
    n = int(known.sum())
    return Corrected(
        estimate=_share_estimate(value, best, z, level, "ppi++", len(y)),
        labelled_only=_share_estimate(float(y[known].mean()), alone, z, level, "labels only", n),
        graded=float(f.mean()),
        weight=weight,
        labels=n,
    )


def _fit(
    y: NDArray[np.float64],
    f: NDArray[np.float64],
    more: NDArray[np.float64],
    member: NDArray[np.int64],
    others: NDArray[np.int64],
) -> tuple[float, tuple[float, float], tuple[float, float]]:
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
    alone, error = float(y.mean()), float(np.sqrt(max(0.0, scale * variance)))
    return weight, (alone + weight * gap, error), (alone, float(np.sqrt(scale * own)))


@dataclass(frozen=True, slots=True)
class Screening:
    """A grader as a screening test for full marks.

    Parameters
    ----------
    sensitivity
        Share of the texts that truly have full marks to which the grader gives them.
    specificity
        Share of the others to which it does not.
    corrected
        The share of full marks by Rogan and Gladen, with the interval of Lang and Reiczigel; None
        if the grader is no better than chance, or truth has only one of the two kinds of text.
    """

    sensitivity: Estimate
    specificity: Estimate
    corrected: Estimate | None


def screening(
    truth: ArrayLike, graded: ArrayLike, *, clusters: Labels | None = None, level: float = 0.95
) -> Screening:
    """Return sensitivity, specificity, and the share that they correct.

    Parameters
    ----------
    truth
        Shape (n,): 1 or 0, nan where it is not known.
    graded
        Shape (n,): 1 or 0 as the grader says.
    clusters
        Shape (n,), a label for each text, or None.
    level
        Confidence level in (0, 1).

    Notes
    -----
    Sensitivity and specificity come from the texts whose truth is known, the share to correct from
    the others (from all, if it is known of all). Clusters enter by effective numbers of texts.

    Raises
    ------
    BadInput
        If the shapes differ, a value is not 0 or 1, or no truth is known.
    """
    require_level(level)
    y, f, known = _labelled(truth, graded)
    if not known.any():
        raise BadInput("the truth of no text is known; label some")
    member = cluster_numbers(clusters, len(y))
    right, wrong = y == 1, y == 0
    rest = known if known.all() else ~known
    sensitivity, n_sensitivity = _rate(f[right], member[right], level)
    specificity, n_specificity = _rate(1 - f[wrong], member[wrong], level)
    apparent, n_apparent = _rate(f[rest], member[rest], level)
    corrected = None
    if sensitivity.value is not None and specificity.value is not None:
        corrected = rogan_gladen(
            (apparent.value or 0.0, n_apparent),
            (sensitivity.value, n_sensitivity),
            (specificity.value, n_specificity),
            level=level,
            n=len(y),
        )
    return Screening(sensitivity, specificity, corrected)


def _rate(
    values: NDArray[np.float64], member: NDArray[np.int64], level: float
) -> tuple[Estimate, float]:
    """Return a share with its interval, and the effective number of its texts."""
    present, place = np.unique(member, return_inverse=True)
    sums = np.bincount(place, values, len(present)).astype(np.float64)
    counts = np.bincount(place, minlength=len(present)).astype(np.float64)
    share = clustered_share(sums, counts, level)
    if len(present) < 2 or share.value is None:
        return share, float(len(present))
    return share, len(values) / design_effect(sums, counts, share.value * (1 - share.value))


def rogan_gladen(
    apparent: tuple[float, float],
    sensitivity: tuple[float, float],
    specificity: tuple[float, float],
    *,
    level: float = 0.95,
    n: int | None = None,
) -> Estimate | None:
    """Return a share corrected for misclassification.

    Parameters
    ----------
    apparent, sensitivity, specificity
        Each a share in [0, 1] and the (effective) number of texts it is from, above 0; the three
        sets of texts are independent.
    level
        Confidence level in (0, 1).
    n
        What the estimate's ``n`` is to say; the number behind the apparent share if None.

    Returns
    -------
    Estimate or None
        The share, cut off at 0 and 1, with the interval of Lang and Reiczigel (2014, equation 16);
        None if sensitivity and specificity add up to 1 or less, which tells nothing.

    Examples
    --------
    >>> e = rogan_gladen((0.2, 500), (0.9, 100), (0.95, 100))
    >>> round(e.value, 4)
    0.1765
    """
    require_level(level)
    youden = sensitivity[0] + specificity[0] - 1
    if youden <= 0:
        return None
    value = (apparent[0] + specificity[0] - 1) / youden
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    # their primed quantities: z^2 / 2 more of each kind of text, one more of each kind of test
    size, n1, n0 = apparent[1] + z2, sensitivity[1] + 2, specificity[1] + 2
    seen = (apparent[0] * apparent[1] + z2 / 2) / size
    se = (sensitivity[0] * sensitivity[1] + 1) / n1
    sp = (specificity[0] * specificity[1] + 1) / n0
    gain = se + sp - 1
    if gain <= 0:
        return None
    share = (seen + sp - 1) / gain
    positive, negative = se * (1 - se) / n1, sp * (1 - sp) / n0
    shift = 2 * z2 * (share * positive - (1 - share) * negative)
    variance = seen * (1 - seen) / size + share**2 * positive + (1 - share) ** 2 * negative
    around = (share + shift, float(np.sqrt(variance)) / gain)
    size = max(1, round(apparent[1])) if n is None else n
    return _share_estimate(value, around, math.sqrt(z2), level, "rogan-gladen", size)


def _labelled(
    labels: ArrayLike, graded: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return labels and marks as floats, and which texts have a label."""
    y, f = np.asarray(labels, dtype=np.float64), np.asarray(graded, dtype=np.float64)
    known = ~np.isnan(y)
    if y.ndim != 1 or y.shape != f.shape:
        raise BadInput(f"labels and marks must be of the same texts, not {y.shape} and {f.shape}")
    if not (np.isin(y[known], (0.0, 1.0)).all() and np.isin(f, (0.0, 1.0)).all()):
        raise BadInput("labels and marks must be 0 or 1; nan stands for a text without a label")
    return y, f, known


def _share_estimate(
    value: float, around: tuple[float, float], z: float, level: float, method: str, n: int
) -> Estimate:
    """A share with z errors on both sides of a centre, all cut off at 0 and 1."""
    centre, error = around
    low, high = max(0.0, centre - z * error), min(1.0, centre + z * error)
    return widened(min(1.0, max(0.0, value)), low, high, level, method, n)
