"""Fit of the loss law to training runs, with bootstrap intervals.

    unparrot theory fit runs.csv --json > law.json

The objective is the one of Hoffmann et al. (2022, arXiv:2203.15556, eq. 3): the sum over runs of
the Huber function (delta 1e-3) of measured minus predicted log loss. All 4,500 starts of their grid
descend together; the ones that lag are dropped on the way. Each interval holds the middle share of
the constants found on resamples of the runs (the percentile bootstrap; Efron and Tibshirani 1993,
chapter 13), as in Besiroglu et al. (2024, arXiv:2404.10102).
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.estimate import Estimate
from unparrot.core.progress import Progress
from unparrot.stats.bootstrap import percentile_estimate
from unparrot.stats.intervals import require_level
from unparrot.theory.checks import require_count
from unparrot.theory.law.identify import (
    FEWEST_POINTS,
    FEWEST_VALUES,
    codes,
    lost_constant,
    pair_codes,
    require_design,
    require_optimum,
    require_resamples,
)
from unparrot.theory.law.lawspace import (
    DELTA,
    SIZE,
    Floats,
    LawSurface,
    Minima,
    law_surface,
    minimise,
)
from unparrot.theory.law.loss_law import NAMES, LossLaw
from unparrot.theory.law.power_law import run_columns

# Runs below which no interval is given: resamples of fewer hold too few different runs
FEWEST_RESAMPLED = 20

# Starts of log A, log B, log E, alpha, beta (Hoffmann et al. 2022, appendix D.3).
GRID = (
    (0.0, 5.0, 10.0, 15.0, 20.0, 25.0),
    (0.0, 5.0, 10.0, 15.0, 20.0, 25.0),
    (-1.0, -0.5, 0.0, 0.5, 1.0),
    (0.0, 0.5, 1.0, 1.5, 2.0),
    (0.0, 0.5, 1.0, 1.5, 2.0),
)

_ROUNDS = ((20, 8), (30, 64))  # steps of a round, and what share of its starts goes on: 1/8, 1/64
_LAST = 3000  # most steps of the last round
_THINNED = 400  # runs that the first rounds look at
_BATCH = 128  # resamples fitted at once
_JITTER = np.array([0.5, 0.5, 0.15, 0.15, 0.15])


@dataclass(frozen=True, slots=True)
class LawFit:
    """A fitted loss law; `read_law` reads it from JSON.

    Parameters
    ----------
    E, A, B, alpha, beta
        The constants with their intervals; low and high are None without resamples.
    huber
        The objective at the optimum: the sum over runs, not the mean.
    n
        Number of runs.
    level, resamples, seed
        What the fit was asked for; ``resamples`` is 0 where no interval could be given.
    method
        How it was made, in words.
    """

    E: Estimate
    A: Estimate
    B: Estimate
    alpha: Estimate
    beta: Estimate
    huber: float
    n: int
    level: float
    resamples: int
    seed: int
    method: str

    @property
    def law(self) -> LossLaw:
        """The law of the five values."""
        return LossLaw(*(getattr(self, name).value for name in NAMES))


def fit_law(
    params: ArrayLike,
    tokens: ArrayLike,
    loss: ArrayLike,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> LawFit:
    """Fit L(N, D) = E + A N^-alpha + B D^-beta.

    Parameters
    ----------
    params, tokens, loss
        Shape (n,): parameters N, training tokens D and final loss in nats per token of each run;
        above 0 and finite.
    seed
        Of the resampling, at least 0. The optimum itself does not depend on it.
    resamples
        Bootstrap samples of the runs: 0 for no intervals, else at least 100. With fewer than
        `FEWEST_RESAMPLED` runs there are no intervals either.
    level
        Confidence level in (0, 1).

    Raises
    ------
    BadInput
        If an argument is out of range, or the runs do not fix all five constants; the message says
        which and what is missing.

    Notes
    -----
    The optimum is that of the whole grid. A resample is a set of whole-number weights; its fit
    starts from the optimum and from two random points around it, and the best of the three counts.

    Examples
    --------
    >>> from dataclasses import asdict
    >>> from unparrot.theory.law.loss_law import PRESETS
    >>> n, d = np.meshgrid(np.geomspace(1e8, 1e10, 5), np.geomspace(1e9, 1e12, 5))
    >>> loss = PRESETS["besiroglu"].loss(n, d)
    >>> fit = fit_law(n.ravel(), d.ravel(), loss.ravel(), seed=0, resamples=0)
    >>> {name: float(f"{value:.5g}") for name, value in asdict(fit.law).items()}
    {'E': 1.8172, 'A': 482.01, 'B': 2085.4, 'alpha': 0.3478, 'beta': 0.3658}
    """
    require_level(level)
    if require_count("the resamples", resamples, 0) in range(1, 100):
        raise BadInput(
            f"bootstrap intervals need at least 100 resamples (or 0 for none), not {resamples!r}"
        )
    require_count("the seed", seed, 0)
    n, d, measured = run_columns(params=params, tokens=tokens, loss=loss)
    require_design(n, d)
    surface = law_surface(n, d, measured)
    ended = _search(surface)
    best, value = ended.points[0], float(ended.values[0])
    require_optimum(surface, best, level)
    if not ended.converged[0]:
        raise BadInput(
            f"the objective is so flat that no optimum was reached in {_LAST} steps: these runs "
            "hardly fix the law; vary params and tokens independently and over a wider range"
        )
    method = "huber"
    draws = None
    if resamples and len(n) >= FEWEST_RESAMPLED:
        method = "huber, percentile bootstrap of runs"
        rng = np.random.default_rng(seed)
        draws = _bootstrap(surface, best, level, resamples, rng)
    elif resamples:
        method = f"huber; no interval below {FEWEST_RESAMPLED} runs"
    constants = [
        percentile_estimate(value, draws[:, i], level, method, len(n))
        if draws is not None
        else Estimate(value, None, None, level, method, len(n))
        for i, value in enumerate(surface.constants(best[None])[0].tolist())
    ]
    return LawFit(
        *constants,
        huber=value,
        n=len(n),
        level=level,
        resamples=0 if draws is None else resamples,
        seed=seed,
        method=method,
    )


def grid_starts() -> Floats:
    """Return the 4,500 points of `GRID`, shape (4500, 5)."""
    return np.array(list(itertools.product(*GRID)))


def _search(surface: LawSurface) -> Minima:
    """The best of the minima that the whole grid of starts leads to; one point."""
    quick = surface if surface.runs <= _THINNED else surface.thinned(_THINNED)
    points = surface.centred(grid_starts())
    total = len(points)
    for steps, share in _ROUNDS:
        ended = minimise(quick, points, DELTA, steps=steps)
        points = ended.points[np.argsort(ended.values)[: total // share]]
    ended = minimise(surface, points, DELTA, steps=_LAST)
    first = np.argsort(ended.values)[:1]
    return Minima(ended.points[first], ended.values[first], ended.converged[first])


def _bootstrap(
    surface: LawSurface, best: Floats, level: float, resamples: int, rng: np.random.Generator
) -> Floats:
    """The constants of each sound resample, shape (R, 5)."""
    n, params, tokens = surface.runs, codes(surface.u), codes(surface.v)
    groups = (params, tokens, np.unique(pair_codes(params, tokens), return_inverse=True)[1])
    fewest = (FEWEST_VALUES, FEWEST_VALUES, FEWEST_POINTS)
    fitted: list[Floats] = []
    defective: list[NDArray[np.bool_]] = []
    batches = range(0, resamples, _BATCH)
    progress = Progress("bootstrap", len(batches))
    for begin in batches:
        size = min(_BATCH, resamples - begin)
        weights = rng.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)
        jitter = rng.standard_normal((2, size, SIZE)) * _JITTER
        starts = np.concatenate([np.zeros((1, size, SIZE)), jitter]) + best
        ended = minimise(
            surface, starts.reshape(-1, SIZE), DELTA, np.tile(weights, (3, 1)), tolerance=1e-9
        )
        choice = ended.values.reshape(3, size).argmin(axis=0)
        fitted.append(ended.points.reshape(3, size, SIZE)[choice, np.arange(size)])
        few = [_different(weights, group) < k for group, k in zip(groups, fewest, strict=True)]
        defective.append(np.any(few, axis=0))
        progress.step()
    points, bad = np.concatenate(fitted), np.concatenate(defective)
    require_resamples(lost_constant(surface, points), bad, level)
    return surface.constants(points[~bad])


def _different(weights: Floats, group: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many groups each resample drew from; weights (R, n), group (n,), result (R,)."""
    drawn = np.zeros((len(weights), int(group.max()) + 1), dtype=np.bool_)
    rows, columns = np.nonzero(weights)
    drawn[rows, group[columns]] = True
    return drawn.sum(axis=1)
