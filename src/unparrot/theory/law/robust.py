"""Batched minimisation of a Huber objective over a `LawSurface`: every start at the same time.

The objective of one point is sum_i w_i huber(r_i) over the residuals r_i of log loss, with
huber(r) = r^2/2 up to delta and delta (|r| - delta/2) beyond (Huber 1964). With delta far below the
noise it is nearly the sum of absolute residuals: Gauss-Newton crawls along its creases and Newton's
quadratic model holds only until a residual crosses delta.

Each step solves (N + lambda M) s = -gradient, where N is the exact Hessian and
M = sum_i w_i delta/max(|r_i|, delta) g_i g_i^T the Hessian of the majorising least-squares problem
(iteratively reweighted least squares). A large lambda gives a short step of that safe kind, a small
one Newton's step, and the choice does not depend on how the parameters are scaled. lambda follows
from the ratio of the achieved decrease to the predicted one, as in Levenberg-Marquardt; eigenvalues
of the matrix enter by their absolute values, so that no step leads to a saddle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unparrot.theory.law.lawspace import SIZE, Floats, LawSurface, Terms

CHUNK = 1 << 14
"""Residuals handled at once: the working arrays of a chunk stay in the processor's cache."""

_LONGEST = 5.0  # most that a coordinate changes in a step
_STUCK = 1e12  # damping at which no decrease is left above the rounding error


class Minima(NamedTuple):
    """Where S starts ended: points (S, 5), objective values (S,), and whether each converged."""

    points: Floats
    values: Floats
    converged: NDArray[np.bool_]


def huber(residual: Floats, delta: float, weights: Floats | None = None) -> Floats:
    """Return the (weighted) Huber sum over the last axis.

    Examples
    --------
    >>> float(huber(np.array([[0.5, 3.0]]), 1.0)[0])
    2.625
    """
    size = np.abs(residual)
    short = np.minimum(size, delta)
    each = short * (size - 0.5 * short)
    return each.sum(axis=-1) if weights is None else (each * weights).sum(axis=-1)


def minimise(
    surface: LawSurface,
    starts: Floats,
    delta: float,
    weights: Floats | None = None,
    *,
    steps: int = 300,
    tolerance: float = 1e-12,
) -> Minima:
    """Descend from every start.

    Parameters
    ----------
    starts
        Shape (S, 5), in the surface's coordinates.
    delta
        Where the Huber function turns linear, in log loss.
    weights
        Shape (S, n), at least 0: weight of each run for each start; None for 1.
    steps
        Most steps of a start.
    tolerance
        A start has converged when the undamped step would lower its objective by less than this
        share of it.
    """
    size = max(1, CHUNK // surface.runs)
    parts = [
        _descend(
            surface,
            starts[i : i + size],
            delta,
            None if weights is None else weights[i : i + size],
            steps,
            tolerance,
        )
        for i in range(0, len(starts), size)
    ]
    return Minima(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _descend(
    surface: LawSurface,
    starts: Floats,
    delta: float,
    weights: Floats | None,
    steps: int,
    tolerance: float,
) -> Minima:
    points = starts.copy()
    terms = surface.terms(points)
    values = huber(terms.residual, delta, weights)
    damping = np.ones(len(points))
    converged = np.zeros(len(points), dtype=np.bool_)
    rounding = 1e-30 * surface.runs  # an exact fit reaches 0 up to this
    for _ in range(steps):
        active = np.flatnonzero(~converged)
        if not len(active):
            break
        mine = None if weights is None else weights[active]
        lam = damping[active]
        step, decrease = _step(surface, terms.of(active), delta, mine, lam)
        tried = points[active] + step
        new_terms = surface.terms(tried)
        new_values = huber(new_terms.residual, delta, mine)
        gain = values[active] - new_values
        better = gain > 0
        trust = gain / np.maximum(decrease, 1e-300)
        grown = np.where(trust > 0.75, lam / 5, np.where(trust < 0.25, 2 * lam, lam))
        damping[active] = np.maximum(np.where(better, grown, 4 * lam), 1e-10)
        converged[active] = (1 + lam) * decrease <= tolerance * values[active] + rounding
        converged[active] |= lam >= _STUCK
        rows = active[better]
        points[rows] = tried[better]
        values[rows] = new_values[better]
        terms.replace(rows, new_terms, better)
    return Minima(points, values, converged)


def _step(
    surface: LawSurface, terms: Terms, delta: float, weights: Floats | None, damping: Floats
) -> tuple[Floats, Floats]:
    """The step of each point, shape (S, 5), and the decrease that its quadratic model predicts."""
    size = np.abs(terms.residual)
    pull = np.clip(terms.residual, -delta, delta)
    # N = sum psi' g g^T - psi (Hessian of the prediction), and `spread` is g g^T plus that Hessian
    share = (size <= delta) + pull + damping[:, None] * (delta / np.maximum(size, delta))
    if weights is not None:
        pull = pull * weights
        share = share * weights
    gradient = -surface.slope(pull, terms)
    matrix = surface.outer(share, terms) - surface.spread(pull, terms)
    largest = np.abs(matrix[:, range(SIZE), range(SIZE)]).max(axis=1)
    # a term that has vanished leaves a flat direction: keep its step finite
    matrix[:, range(SIZE), range(SIZE)] += (1e-12 * largest + 1e-300)[:, None]
    curvature, axes = np.linalg.eigh(matrix)
    curvature = np.abs(curvature)
    curvature = np.maximum(curvature, 1e-14 * curvature[:, -1:])
    along = np.einsum("sij,si->sj", axes, gradient)
    newton = along / curvature
    step = -np.einsum("sij,sj->si", axes, newton)
    cut = np.minimum(1, _LONGEST / np.maximum(np.abs(step).max(axis=1), 1e-300))
    return step * cut[:, None], cut * (1 - cut / 2) * (along * newton).sum(axis=1)
