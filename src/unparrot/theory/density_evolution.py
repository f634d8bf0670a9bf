"""Learning as peeling in the limit of many skills: density evolution and its jumps.

A piece of text teaches a skill when that is its only unknown one. Let a piece hold k skills with
probability r_k, let rho(y) = sum_k k r_k y^(k-1) / sum_k k r_k be the generating function of the
other skills along an edge, and let a skill s have Poisson many edges, of mean c w_s, where
c = (mean k) N2 / N1 and w_s = N1 mu1(s) has mean 1. A skill stays unknown while none of its pieces
teaches it, and a piece teaches along an edge with probability rho(1 - x), so that

    x = sum_s mu1(s) exp(-a w_s),    a = c rho(1 - x),

where x is the chance that the far end of an edge is unknown. Learning starts from nothing known,
x = 1, and stops at the largest solution; a share (1/N1) sum_s exp(-a w_s) of the skills is then
still unknown, which is x itself for uniform mu1.

Both x and c are functions of the one number a, the mean number of lessons that a skill of weight
1 receives: c(a) = a / rho(1 - x(a)). The state at c is therefore the smallest a with c(a) = c: what
is learned follows the running maximum of c(a), and jumps wherever a local maximum ends it.

References
----------
Liao, Chang and Hong (2024), "A mathematical theory for learning semantic languages by abstract
learners" (arXiv 2404.07009), for learning as iterative decoding of the skill graph.
Luby, Mitzenmacher, Shokrollahi and Spielman (2001), "Efficient erasure correcting codes", IEEE
Trans. Inf. Theory 47, for density evolution with any degrees. The one curve c(a), which yields
the state and every jump for any mu1, is our arrangement of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq as _brentq  # pyright: ignore[reportUnknownVariableType]

from unparrot.core.errors import BadInput
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.peeling import PeelResult, peel_graph, simulate_peeling

__all__ = [
    "Jump",
    "PeelResult",
    "PeelThreshold",
    "density_evolution",
    "peel_graph",
    "peel_threshold",
    "simulate_peeling",
]

_brent = cast(Callable[..., float], _brentq)

Vector = NDArray[np.float64]

POINTS_A_DECADE = 400
"""Grid of a on which extrema of c(a) are looked for: neighbours lie 0.6 % apart."""

CLASS_WIDTH = 0.03
"""Skills whose frequencies lie this close (in the logarithm) stand in for each other by two points
of their mean and variance, which errs by under 1e-8 in x; equal frequencies are exact."""

_LEAST_WEIGHT = 1e-100

SMALLEST_JUMP = 1e-6
"""In the share learned: what rounding can make of a curve that only touches a horizontal line."""

_CELLS = 2_000_000
"""Exponentials held at once: 16 MB of them."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A data size at which a whole share of the skills is learned at once.

    Parameters
    ----------
    mean_degree
        c of the jump, pieces per skill: (mean k) N2 / N1.
    before, after
        Share of the skills learned just below and just above it.
    """

    mean_degree: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class PeelThreshold:
    """Where learning jumps.

    Parameters
    ----------
    starts
        Whether anything is learned at all: whether some pieces hold a single skill.
    jumps
        All jumps, by rising data; empty if learning is smooth or never starts.
    """

    starts: bool
    jumps: tuple[Jump, ...]

    @property
    def first(self) -> Jump | None:
        """The first jump, or None."""
        return self.jumps[0] if self.jumps else None

    def describe(self) -> str:
        """Return the finding as one sentence."""
        if not self.starts:
            return "never starts: no piece holds a single skill, so none teaches the first one"
        jump = self.first
        if jump is None:
            return "no jump: learning is smooth"
        more = f" (and {len(self.jumps) - 1} more)" if len(self.jumps) > 1 else ""
        return (
            f"a jump at mean degree {jump.mean_degree:.6g}: the share of skills learned goes from "
            f"{jump.before:.4g} to {jump.after:.4g}{more}"
        )


def density_evolution(spec: GraphSpec, mean_degree: ArrayLike) -> Vector:
    """Return the share of skills still unknown when learning stops, in the limit of many skills.

    Parameters
    ----------
    spec
        The graph; its degrees and frequencies count, its pieces, repeats and seed do not. (A
        repeated skill in one piece is O(1 / N1) of the edges and vanishes in the limit.)
    mean_degree
        Any shape: c, mean number of pieces per skill, each finite and at least 0.

    Returns
    -------
    NDArray
        Float64 of that shape. At the very c of a jump: the value before it.

    Raises
    ------
    BadInput
        If a mean degree is negative or not finite.

    Examples
    --------
    Pieces of one skill are a coupon collector, exp(-c):

    >>> density_evolution(GraphSpec(1000, 1, 1), [0.5, 2.0]).round(6).tolist()
    [0.606531, 0.135335]
    """
    c = np.asarray(mean_degree, dtype=np.float64)
    if not (np.isfinite(c) & (c >= 0)).all():
        bad = c[~(np.isfinite(c) & (c >= 0))].ravel()[0]
        raise BadInput(f"a mean degree must be finite and at least 0, not {float(bad)!r}")
    evolution = _Evolution(spec)
    if not evolution.starts:
        return np.ones_like(c)
    a, curve = evolution.landscape()
    record = np.maximum.accumulate(curve)
    solved = np.zeros(c.size)
    for n, x in enumerate(c.ravel().tolist()):
        i = int(np.searchsorted(record, x))
        if i == len(a):  # c(a) >= a, so the root is at most x
            solved[n] = evolution.between(float(a[-1]), x, x)
        elif i > 0:
            solved[n] = evolution.between(float(a[i - 1]), float(a[i]), x)
    return evolution.unknown(solved).reshape(c.shape)


def peel_threshold(spec: GraphSpec) -> PeelThreshold:
    """Return where the share of skills learned jumps as data grows.

    A jump sits at each local maximum of c(a) that exceeds all before it. Two extrema closer
    together than the grid (0.6 % in a) may be missed; such a jump has no visible size.

    Parameters
    ----------
    spec
        As for `density_evolution`.

    Examples
    --------
    >>> spec = GraphSpec(1000, 1, (0, 0.1, 0, 0, 0.9))
    >>> jump = peel_threshold(spec).first
    >>> round(jump.mean_degree, 4), round(jump.before, 3), round(jump.after, 3)
    (6.8235, 0.261, 0.999)
    """
    evolution = _Evolution(spec)
    if not evolution.starts:
        return PeelThreshold(starts=False, jumps=())
    a, curve = evolution.landscape()
    found: list[Jump] = []
    i = 1
    while i < len(a) - 1:
        if curve[i] >= curve[i + 1]:
            above = np.flatnonzero(curve[i + 1 :] > curve[i])
            k = i + 1 + int(above[0])
            landing = evolution.between(float(a[k - 1]), float(a[k]), float(curve[i]))
            before, after = 1 - evolution.unknown(np.array([a[i], landing]))
            if after - before > SMALLEST_JUMP:
                found.append(Jump(float(curve[i]), float(before), float(after)))
            i = k
        i += 1
    return PeelThreshold(starts=True, jumps=tuple(found))


class _Evolution:
    """The curve c(a) of one degree distribution and one set of frequencies."""

    def __init__(self, spec: GraphSpec) -> None:
        r = spec.degree_probabilities
        k = np.arange(1, len(r))[r[1:] > 0]
        edges = k * r[k]
        self._power = (k - 1).astype(np.float64)
        self._edges = edges / edges.sum()
        self._share, self._weight = _classes(spec)
        self.starts = bool(k[0] == 1)

    def unknown(self, a: Vector) -> Vector:
        """Share of skills unknown at a [n]."""
        return self._sums(np.exp, a, self._share)[0]

    def curve(self, a: Vector) -> Vector:
        """c(a), [n]."""
        known = -self._sums(np.expm1, a, self._share * self._weight)[0]
        return a / self._rho(known)

    def slope(self, a: Vector) -> Vector:
        """rho^2 c'(a), [n], which has the sign of c'(a)."""
        weighted = self._share * self._weight
        squared = weighted * self._weight
        sums = -self._sums(np.expm1, a, weighted, squared)
        known, growth = sums[0], squared.sum() - sums[1]
        above = self._power > 0
        power, edges = self._power[above], self._edges[above]
        steep = (known[:, None] ** (power - 1)) @ (edges * power)
        return self._rho(known) - a * steep * growth

    def landscape(self) -> tuple[Vector, Vector]:
        """Return a rising from 0 and c(a), with every extremum of c(a) among the points.

        Beyond the last point c(a) rises.
        """
        weights = self._weight[self._weight > 0]
        if float(weights.min()) < _LEAST_WEIGHT:
            raise BadInput(
                "some skills are too rare for density evolution: a frequency is under "
                f"{_LEAST_WEIGHT:g} of the mean one; lower the power, or leave those skills out"
            )
        low = 1e-6 * min(1.0, float(self._edges[0])) / float(weights.max())
        # there every skill is known but for a part in 1e17, and rho = 1
        high = (math.log(self._power[-1] + 1) + 40) / float(weights.min())
        count = math.ceil(math.log10(high / low) * POINTS_A_DECADE) + 1
        a: Vector = np.geomspace(low, high, count)
        rising = self.slope(a) > 0
        turns = np.flatnonzero(rising[1:] != rising[:-1])
        extrema = [_root(self.slope, float(a[i]), float(a[i + 1])) for i in turns]
        a = np.concatenate((np.zeros(1), np.sort(np.append(a, extrema))))
        curve = self.curve(a)
        # c(a) >= a, so that this last point lies above every maximum
        last = np.array([2 * max(high, float(curve.max()))])
        return np.append(a, last), np.append(curve, self.curve(last))

    def between(self, low: float, high: float, c: float) -> float:
        """The a in [low, high] with c(a) = c, where c(a) rises from under c to above."""
        return _root(lambda a: self.curve(a) - c, low, high)

    def _rho(self, y: Vector) -> Vector:
        return (y[:, None] ** self._power) @ self._edges

    def _sums(self, function: Callable[[Vector], Vector], a: Vector, *terms: Vector) -> Vector:
        """Sum_j term_j function(-a w_j) for each term and a, [terms, n]."""
        stacked = np.array(terms)
        out = np.empty((len(terms), len(a)))
        step = max(1, _CELLS // len(self._weight))
        for start in range(0, len(a), step):
            part = slice(start, start + step)
            out[:, part] = stacked @ function(np.outer(-self._weight, a[part]))
        return out


def _root(function: Callable[[Vector], Vector], low: float, high: float) -> float:
    """The zero in [low, high] of a function that changes sign there; an end if it does not.

    The sign may stay the same by rounding alone, where the zero is at an end.
    """

    def at(x: float) -> float:
        return float(function(np.array([x]))[0])

    first, last = at(low), at(high)
    if first * last >= 0:
        return low if abs(first) < abs(last) else high
    return _brent(at, low, high, xtol=1e-300, rtol=1e-14)


def _classes(spec: GraphSpec) -> tuple[Vector, Vector]:
    """Share of the skills in each class, and their weight w, both [classes]; w has mean 1."""
    if spec.uniform:
        return np.ones(1), np.ones(1)
    weights = np.sort(spec.probabilities * spec.skills)
    zero = int(np.count_nonzero(weights == 0))
    positive = weights[zero:]
    label = np.floor(np.log(positive / positive[0]) / CLASS_WIDTH).astype(np.int64)
    _, start, count = np.unique(label, return_index=True, return_counts=True)
    mean = np.add.reduceat(positive, start) / count
    off = positive - np.repeat(mean, count)
    spread = np.sqrt(np.add.reduceat(off * off, start) / count)
    share = np.concatenate((count / 2, count / 2, [zero])) / spec.skills
    return share, np.concatenate((mean - spread, mean + spread, [0.0]))
