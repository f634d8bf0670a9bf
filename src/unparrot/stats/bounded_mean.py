"""Lower limits of the mean of independent differences that lie between -1 and 1: Gaffke's test.

Weights are drawn evenly from all that sum to 1, one for each difference and one more for a
difference of -1 that might have been drawn next. The p value of 'the mean is at most m' is the
chance that the weighted mean is at most m. For differences of -1, 0 and 1 and m = 0 this is
McNemar's exact test, and for values of two kinds the limit is Clopper and Pearson's. Values in
between, such as means of several texts, need no assumption on their distribution: that the level
holds for them too is a conjecture without a known counterexample (Learned-Miller and Thomas 2020;
Phan et al. 2021), for which `benchmarks/studies_certificate.py` searches.

References
----------
Gaffke (2005), "Three test statistics for a nonparametric one-sided hypothesis on the mean of a
nonnegative variable", Mathematical Methods of Statistics 14.
Learned-Miller and Thomas (2020), "A new confidence interval for the mean of a bounded random
variable", arXiv 1905.06208.
Phan, Thomas and Learned-Miller (2021), "Towards practical mean bounds for small samples", ICML.
McNemar (1947), Psychometrika 12; Clopper and Pearson (1934), Biometrika 26.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput

Floats = NDArray[np.float64]

# Halvings of [-1, 1]: limits to 3e-8, from below.
_HALVINGS: Final = 26
_STEP: Final = 0.12
# Midpoints of the contour in units of its width, under a sinh: p to ten digits.
_NODES: Final = np.arange(_STEP / 2, 8, _STEP)


def mean_exceeds_p(differences: ArrayLike, mean: ArrayLike = 0.0) -> Floats:
    """Return Gaffke's p value of the hypothesis that the mean of the differences is at most m.

    Parameters
    ----------
    differences
        Shape (..., n), in [-1, 1].
    mean
        m, in (-1, 1), of a shape that fits (...).

    Returns
    -------
    array
        Shape (...), in [0, 1].

    Raises
    ------
    BadInput
        If there is no difference, one lies outside [-1, 1], or m is out of range.

    Notes
    -----
    Even weights are independent exponential variables E over their sum, so p is the chance that
    S = sum (x - m) E is at most 0: the integral of exp(K(t)) / -t over a line across the negative
    real axis, K being the cumulant function of S. The line crosses where the integrand is least.

    Examples
    --------
    >>> six_to_none = mean_exceeds_p([1.0] * 6 + [0.0] * 14)  # McNemar: 1 / 2 ** 6
    >>> round(float(six_to_none), 6)
    0.015625
    """
    values, counts = _distinct(differences)
    m = np.asarray(mean, dtype=np.float64)
    if not (np.abs(m) < 1).all():
        raise BadInput(f"the mean of differences lies between -1 and 1, not {mean!r}")
    return _p(values, counts, np.broadcast_to(m, counts.shape[:-1]))


def least_difference(differences: ArrayLike, miss: float) -> Floats:
    """Return the lower limit of the mean of independent differences.

    Parameters
    ----------
    differences
        Shape (..., n), in [-1, 1].
    miss
        Greatest probability in (0, 0.25) that the limit exceeds the mean.

    Returns
    -------
    array
        Shape (...), from -1: where `mean_exceeds_p` reaches ``miss``.

    Raises
    ------
    BadInput
        If there is no difference, one lies outside [-1, 1], or ``miss`` is out of range.

    Examples
    --------
    >>> least = least_difference([1.0] * 12 + [-1.0] * 88, 0.05)
    >>> round(float(least + 1) / 2, 4)  # Clopper and Pearson's of 12 in 100
    0.0707
    """
    if not 0 < miss < 0.25:
        raise BadInput(f"the probability to miss must be above 0 and under 0.25, not {miss!r}")
    values, counts = _distinct(differences)
    low = np.full(counts.shape[:-1], -1.0)
    high: Floats = np.asarray(differences, dtype=np.float64).mean(axis=-1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = _p(values, counts, middle) <= miss
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low


def _p(values: Floats, counts: Floats, mean: Floats) -> Floats:
    """p by the counts (..., values) of the distinct values, that of the added -1 among them."""
    a = values - mean[..., None]
    # the integrand is finite between 1 / (the smallest of a) and 0
    low, high = -1 / np.maximum(1 + mean, 1e-12), np.zeros_like(mean)
    for _ in range(50):
        t = (low + high) / 2
        falls = (counts * a / (1 - a * t[..., None])).sum(axis=-1) < 1 / t
        low, high = np.where(falls, t, low), np.where(falls, high, t)
    t = (low + high) / 2
    curvature = (counts * (a / (1 - a * t[..., None])) ** 2).sum(axis=-1) + 1 / t**2
    width = 1 / np.sqrt(curvature)
    total = np.zeros_like(mean)
    for node in _NODES:
        at = t + 1j * width * np.sinh(node)
        log = -(counts * np.log(1 - a * at[..., None])).sum(axis=-1) - np.log(-at)
        total += np.exp(log).real * np.cosh(node)
    return np.clip(total * width * _STEP / np.pi, 0.0, 1.0)


def _distinct(differences: ArrayLike) -> tuple[Floats, Floats]:
    """The distinct values, from -1 on, and how often each occurs, one more -1 added."""
    x = np.asarray(differences, dtype=np.float64)
    if not x.shape or not x.shape[-1]:
        raise BadInput("a limit needs at least one difference")
    if not (np.abs(x) <= 1).all():
        raise BadInput(f"differences lie between -1 and 1, not {differences!r}")
    values = np.unique(np.append(x.ravel(), -1.0))
    row = np.arange(x.size) // x.shape[-1]
    place = np.searchsorted(values, x.ravel()) + row * len(values)
    counts = np.bincount(place, minlength=x.size // x.shape[-1] * len(values))
    counts = counts.reshape(*x.shape[:-1], len(values)).astype(np.float64)
    counts[..., 0] += 1
    return values, counts
