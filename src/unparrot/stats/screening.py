"""A grader as a screening test: sensitivity, specificity, and the share that they correct.

References
----------
Rogan and Gladen (1978), "Estimating prevalence from the results of a screening test", Am. J.
Epidemiol. 107.
Lang and Reiczigel (2014), "Confidence limits for prevalence of disease adjusted for estimated
sensitivity and specificity", Prev. Vet. Med. 113.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.stats.clustered import clustered_share
from unparrot.stats.corrected import share_estimate
from unparrot.stats.intervals import require_level
from unparrot.stats.paired import design_effect


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
    truth: ArrayLike, graded: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
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
    y, f = np.asarray(truth, dtype=np.float64), np.asarray(graded, dtype=np.float64)
    if y.ndim != 1 or y.shape != f.shape:
        raise BadInput(f"truth and marks must be of the same texts, not {y.shape} and {f.shape}")
    known = ~np.isnan(y)
    if not (np.isin(y[known], (0.0, 1.0)).all() and np.isin(f, (0.0, 1.0)).all()):
        raise BadInput("truth and marks must be 0 or 1; nan stands for a truth that is not known")
    if not known.any():
        raise BadInput("the truth of no text is known; label some")
    names = np.arange(len(y)) if clusters is None else np.asarray(clusters)
    _, member = np.unique(names, return_inverse=True)
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
    half = float(np.sqrt(z2 * variance)) / gain
    return share_estimate(
        value,
        share + shift,
        half,
        level,
        "rogan-gladen",
        max(1, round(apparent[1])) if n is None else n,
    )
