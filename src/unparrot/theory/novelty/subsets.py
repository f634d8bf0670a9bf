"""Sums over all k-subsets of some weights, and subsets drawn in proportion to their product.

The k-th elementary symmetric polynomial e_k(w) is the sum over all k-subsets of the product of
their weights. e_j(w_1 .. w_n) = e_j(w_2 .. w_n) + w_1 e_(j-1)(w_2 .. w_n) yields it in n k steps
of positive numbers, so nothing cancels; logarithms keep it within range.

References
----------
Chen, Dempster and Liu (1994), "Weighted finite population sampling to maximize entropy",
Biometrika 81, for drawing subsets by the table of these polynomials.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def log_comb(n: int, k: int) -> float:
    """Return the logarithm of C(n, k), 0 <= k <= n.

    Examples
    --------
    >>> round(log_comb(1000, 4), 6)
    24.44696
    """
    return math.log(math.comb(n, k))


def log_mean_product(log_weights: Vector, k: int) -> float:
    """Return the logarithm of the mean, over all k-subsets, of the product of their weights.

    Parameters
    ----------
    log_weights
        Shape (n,), finite.
    k
        From 0 to n.

    Examples
    --------
    >>> weights = np.array([1.0, 2.0, 3.0])  # (1 * 2 + 1 * 3 + 2 * 3) / 3
    >>> round(float(np.exp(log_mean_product(np.log(weights), 2))), 12)
    3.666666666667
    """
    # Scaled by the largest weight, so that the logarithms, and what they are rounded to, are small.
    scale = float(log_weights.max())
    row = np.full(k + 1, -np.inf)
    row[0] = 0.0
    for weight in (log_weights - scale).tolist():
        row[1:] = np.logaddexp(row[1:], row[:-1] + weight)
    return float(row[k]) + k * scale - log_comb(len(log_weights), k)


def subset_table(log_weights: Vector, k: int) -> Vector:
    """Return log e_j of the weights from the m-th on, float64 [n + 1, k + 1], at [m, j]."""
    n = len(log_weights)
    table = np.full((n + 1, k + 1), -np.inf)
    table[:, 0] = 0.0
    for m in range(n - 1, -1, -1):
        table[m, 1:] = np.logaddexp(table[m + 1, 1:], table[m + 1, :-1] + log_weights[m])
    return table


def draw_subsets(table: Vector, samples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw k-subsets, each with a chance in proportion to the product of its weights.

    Parameters
    ----------
    table
        `subset_table` of the weights.
    samples
        How many.
    rng
        Source of the draws.

    Returns
    -------
    NDArray
        Int64 [samples, k], each row rising.

    Examples
    --------
    >>> weights = np.log([1.0, 1.0, 1e9])
    >>> draw_subsets(subset_table(weights, 1), 3, np.random.default_rng(0)).tolist()
    [[2], [2], [2]]
    """
    n, k = table.shape[0] - 1, table.shape[1] - 1
    drawn = np.empty((samples, k), np.int64)
    start = np.zeros(samples, np.int64)
    for place in range(k):
        left = k - place
        column = table[:, left]
        # The next member stands at m or later with the chance e_left(m ..) / e_left(start ..),
        # which falls with m: invert it at a uniform number.
        aim = np.log1p(-rng.random(samples)) + column[start]
        member = np.searchsorted(-column, -aim, side="right") - 1
        drawn[:, place] = np.clip(member, start, n - left)
        start = drawn[:, place] + 1
    return drawn


def log_products(log_weights: Vector, k: int) -> Vector:
    """Return the logarithm of the product of every k-subset, float64 [C(n, k)]."""
    count = math.comb(len(log_weights), k)
    sums = map(math.fsum, combinations(log_weights.tolist(), k))
    return np.fromiter(sums, dtype=np.float64, count=count)
