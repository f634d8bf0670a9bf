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

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.wording import plural
from unparrot.stats.intervals import Labels, cluster_numbers, require_level, widened

# Labels below which no corrected share is given.
LEAST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Corrected:
    """A share corrected by labels.

    Parameters
    ----------
    estimate
        The corrected share; ``n`` counts labelled and unlabelled texts.
    labelled_only
        What the labels alone give, with the interval made in the same way: never narrower.
    weight
        Weight of the grader's marks in [0, 1]: 0 ignores them.
    """

    estimate: Estimate
    labelled_only: Estimate
    weight: float


def corrected_share(
    labels: ArrayLike, graded: ArrayLike, *, clusters: Labels | None = None, level: float = 0.95
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
    n = int(known.sum())
    if n < LEAST_LABELS:
        raise BadInput(
            f"too few to correct a share: {plural(n, 'label')}; label at least {LEAST_LABELS} "
            "texts, drawn at random"
        )
    member = cluster_numbers(clusters, len(y))
    weight, best, alone = _fit(
        np.append(y[known], [0.0, 1.0]),
        np.append(f[known], [1.0, 0.0]),
        f[~known],
        np.append(member[known], np.array([1, 2]) + member.max()),
        member[~known],
    )
    share = float(y[known].mean())
    value = share if known.all() else share + weight * float(f[~known].mean() - f[known].mean())
    z = NormalDist().inv_cdf((1 + level) / 2)
    ends = [(max(0.0, at - z * e), min(1.0, at + z * e)) for at, e in (best, alone)]
    return Corrected(
        widened(min(1.0, max(0.0, value)), *ends[0], level, "ppi++", len(y)),
        widened(share, *ends[1], level, "labels only", n),
        weight,
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
