"""The loss law on a logarithmic scale and its fit, for many parameter points at once.

A *point* is (a, b, e, alpha, beta); the law predicts

    log L = log(exp(a - alpha u) + exp(b - beta v) + exp(e)),    u = log N - mean, v = log D - mean

so that A = exp(a + alpha mean(log N)), B likewise and E = exp(e). This is the log-sum-exp form of
Hoffmann et al. (2022, arXiv:2203.15556, appendix D.3), centred, which takes out most of the
correlation of a with alpha and of b with beta. Every derivative is a sum over runs of products of
the three terms' shares of the predicted loss with u and v: a few matrix products for a whole batch
of points.

`minimise` descends from every start at the same time. The objective of one point is sum_i w_i
huber(r_i) over the residuals r_i of log loss, with huber(r) = r^2/2 up to delta and delta (|r| -
delta/2) beyond (Huber 1964). With delta far below the noise it is nearly the sum of absolute
residuals: Gauss-Newton crawls along its creases and Newton's quadratic model holds only until a
residual crosses delta.

Each step solves (N + lambda M) s = -gradient, where N is the exact Hessian and
M = sum_i w_i delta/max(|r_i|, delta) g_i g_i^T the Hessian of the majorising least-squares problem
(iteratively reweighted least squares). A large lambda gives a short step of that safe kind, a small
one Newton's step, and the choice does not depend on how the parameters are scaled. lambda follows
from the ratio of the achieved decrease to the predicted one, as in Levenberg-Marquardt; eigenvalues
of the matrix enter by their absolute values, so that no step leads to a saddle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Coordinates of a point, in the order a, b, e, alpha, beta
SIZE = 5

# Where the Huber function turns linear, in log loss (Hoffmann et al. 2022, appendix D.3)
DELTA = 1e-3

# Residuals handled at once: the working arrays of a chunk stay in the processor's cache
CHUNK = 1 << 14

# The term (of N, of D, floor) of each coordinate, and what its derivative has beside the term's
# share: 1, -u or -v; and the number of each pair of three
_TERM, _LOG = [0, 1, 2, 0, 1], [0, 0, 0, 1, 2]
_PAIR = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])

_LONGEST = 5.0  # most that a coordinate changes in a step
_STUCK = 1e12  # damping at which no decrease is left above the rounding error


class Terms(NamedTuple):
    """What a batch of S points predicts for n runs, each of shape (S, n).

    ``residual`` is measured minus predicted log loss; the others are the shares of the terms of N,
    of D and of the floor in the predicted loss, which sum to 1.
    """

    residual: Floats
    params: Floats
    tokens: Floats
    floor: Floats

    def of(self, rows: NDArray[np.intp]) -> Terms:
        """Return the terms of some of the points."""
        return Terms(*(part[rows] for part in self))

    def replace(self, rows: NDArray[np.intp], other: Terms, kept: NDArray[np.bool_]) -> None:
        """Overwrite ``rows`` with those rows of ``other`` that are ``kept``."""
        for mine, theirs in zip(self, other, strict=True):
            mine[rows] = theirs[kept]


@dataclass(frozen=True, slots=True)
class LawSurface:
    """Runs, ready for the evaluation of many points; make it with `law_surface`.

    Parameters
    ----------
    u, v, log_loss
        Shape (n,): centred log N, centred log D, log loss.
    mean_params, mean_tokens
        The means taken from log N and log D.
    """

    u: Floats
    v: Floats
    log_loss: Floats
    mean_params: float
    mean_tokens: float

    @property
    def runs(self) -> int:
        """Number of runs n."""
        return len(self.log_loss)

    def thinned(self, runs: int) -> LawSurface:
        """Return the surface of ``runs`` of the runs, spread evenly over the order of loss."""
        order = np.argsort(self.log_loss, kind="stable")
        kept = order[np.linspace(0, self.runs - 1, runs).round().astype(np.intp)]
        u, v, log_loss = self.u[kept], self.v[kept], self.log_loss[kept]
        return replace(self, u=u, v=v, log_loss=log_loss)

    def centred(self, points: Floats) -> Floats:
        """Return points given with a = log A and b = log B in the coordinates of this surface."""
        moved = points.copy()
        moved[:, 0] -= moved[:, 3] * self.mean_params
        moved[:, 1] -= moved[:, 4] * self.mean_tokens
        return moved

    def constants(self, points: Floats) -> Floats:
        """Return E, A, B, alpha, beta of each point, shape (S, 5); inf where exp overflows."""
        a, b, e, alpha, beta = points.T
        with np.errstate(over="ignore"):
            size_params = np.exp(a + alpha * self.mean_params)
            size_tokens = np.exp(b + beta * self.mean_tokens)
        return np.stack([np.exp(e), size_params, size_tokens, alpha, beta], axis=1)

    def terms(self, points: Floats) -> Terms:
        """Return residuals and shares of a batch of points, shape (S, 5)."""
        a, b, e, alpha, beta = (points[:, i : i + 1] for i in range(SIZE))
        params = a - alpha * self.u
        tokens = b - beta * self.v
        top = np.maximum(np.maximum(params, tokens), e)
        params, tokens, floor = (np.exp(term - top) for term in (params, tokens, e))
        total = params + tokens + floor
        params /= total
        tokens /= total
        floor /= total
        residual = np.subtract(self.log_loss, np.add(top, np.log(total, out=total), out=top))
        return Terms(residual, params, tokens, floor)

    def gradient(self, terms: Terms) -> Floats:
        """Return the derivatives of the predicted log loss by the coordinates, shape (S, 5, n)."""
        _, params, tokens, floor = terms
        return np.stack([params, tokens, floor, -params * self.u, -tokens * self.v], axis=1)

    def sums(self, pull: Floats, weight: Floats, terms: Terms) -> tuple[Floats, Floats]:
        """Return sums over runs: of ``pull`` g, and of ``weight`` g g^T less ``pull`` (g g^T + H).

        g and H are the gradient and the Hessian of the prediction, the sums of shapes (S, 5) and
        (S, 5, 5). The Hessian of log-sum-exp is the covariance of the terms' own gradients under
        the shares, so g g^T + H is their second moment: 0 between two terms.
        """
        logs = (np.ones_like(self.u), -self.u, -self.v)
        products = np.stack([x * y for x, y in combinations_with_replacement(logs, 2)], axis=1)
        slope: list[Floats] = []
        moments: list[Floats] = []
        for i, term in enumerate(terms[1:]):
            pulled, scaled = pull * term, weight * term
            slope.append(pulled @ products[:, :3])
            moments.append((scaled * term - pulled) @ products)
            moments += [(scaled * other) @ products for other in terms[2 + i :]]
        pair, power = (_PAIR[np.ix_(of, of)] for of in (_TERM, _LOG))
        matrix = np.stack(moments)[pair, :, power].transpose(2, 0, 1)
        return np.stack(slope)[_TERM, :, _LOG].T, matrix


def law_surface(params: Floats, tokens: Floats, loss: Floats) -> LawSurface:
    """Return the surface of n runs; all three of shape (n,), above 0 and finite."""
    u, v = np.log(params), np.log(tokens)
    mean_params, mean_tokens = float(u.mean()), float(v.mean())
    u, v = u - mean_params, v - mean_tokens
    return LawSurface(u, v, np.log(loss), mean_params, mean_tokens)


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
    # N = sum psi' g g^T - psi H = sum (psi' + psi) g g^T - psi (g g^T + H)
    share = (size <= delta) + pull + damping[:, None] * (delta / np.maximum(size, delta))
    if weights is not None:
        pull = pull * weights
        share = share * weights
    slope, matrix = surface.sums(pull, share, terms)
    largest = np.abs(matrix[:, range(SIZE), range(SIZE)]).max(axis=1)
    # a term that has vanished leaves a flat direction: keep its step finite
    matrix[:, range(SIZE), range(SIZE)] += (1e-12 * largest + 1e-300)[:, None]
    curvature, axes = np.linalg.eigh(matrix)
    curvature = np.abs(curvature)
    curvature = np.maximum(curvature, 1e-14 * curvature[:, -1:])
    along = np.einsum("sij,si->sj", axes, -slope)
    newton = along / curvature
    step = -np.einsum("sij,sj->si", axes, newton)
    cut = np.minimum(1, _LONGEST / np.maximum(np.abs(step).max(axis=1), 1e-300))
    return step * cut[:, None], cut * (1 - cut / 2) * (along * newton).sum(axis=1)
