"""Whether training runs can fix the five constants of the loss law.

A fit looks three times, each with its own remedy in the message: at the design (which N and D were
run) before it begins, at the optimum (terms that vanished, exponents out of range, a singular or
too noisy Jacobian), and at the resamples of the bootstrap.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from unparrot.core.errors import BadInput
from unparrot.core.wording import plural
from unparrot.theory.law.lawspace import SIZE, Floats, LawSurface

# Different pairs (N, D) that a fit needs: one more than there are constants
FEWEST_POINTS = SIZE + 1

# Different values of N, and of D: two fix A and alpha only if E is known
FEWEST_VALUES = 3

# A term whose share of the loss is below this in every run is gone
VANISHED = 1e-6

# Exponents outside this range have run away
EXPONENTS = (1e-3, 10.0)

_SAME = 1e-6  # logarithms closer than this are one value
_LINE = 1e-4  # spread of log D about a line in log N, below which the two are one variable
_SINGULAR = 1e-8  # smallest over largest singular value of the scaled Jacobian

_MORE = "add runs over a wider range of params and of tokens, varied independently"


def require_design(params: Floats, tokens: Floats) -> None:
    """Raise `BadInput` if no losses at these N and D, shape (n,), could fix the law.

    Raises
    ------
    BadInput
        With fewer than `FEWEST_POINTS` different pairs or `FEWEST_VALUES` different values of one
        variable, or if one variable is a power of the other.
    """
    u, v = np.log(params), np.log(tokens)
    by_params, by_tokens = codes(u), codes(v)
    pairs = len(np.unique(pair_codes(by_params, by_tokens)))
    if pairs < FEWEST_POINTS:
        raise BadInput(
            f"{plural(pairs, 'different pair')} of params and tokens cannot fix the law's "
            f"five constants; give at least {FEWEST_POINTS}"
        )
    for name, code, constants in (
        ("params", by_params, "A and alpha"),
        ("tokens", by_tokens, "B and beta"),
    ):
        values = int(code.max()) + 1
        if values < FEWEST_VALUES:
            has = "is the same in every run" if values == 1 else f"has only {values} values"
            raise BadInput(
                f"{name} {has}, which cannot tell {constants} from E; give runs with at least "
                f"{FEWEST_VALUES} different {name}"
            )
    u, v = u - u.mean(), v - v.mean()
    slope = float(u @ v / (u @ u))
    if float(np.linalg.norm(v - slope * u)) < _LINE * float(np.linalg.norm(v)):
        raise BadInput(
            f"tokens follow params exactly (tokens ~ params^{slope:.3g}), so A and alpha cannot be "
            "told from B and beta; add runs that vary tokens at the same params"
        )


def codes(logs: Floats) -> NDArray[np.intp]:
    """Number the different values of a logarithm 0, 1, ...; nearly equal ones share a number.

    Examples
    --------
    >>> codes(np.array([2.0, 1.0, 2.0 + 1e-12])).tolist()
    [1, 0, 1]
    """
    order = np.argsort(logs)
    steps = np.concatenate([[0], np.cumsum(np.diff(logs[order]) > _SAME)])
    numbered = np.empty(len(logs), dtype=np.intp)
    numbered[order] = steps
    return numbered


def pair_codes(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give every different pair of two codes one number."""
    return first * (int(second.max()) + 1) + second


def require_optimum(surface: LawSurface, point: Floats, level: float) -> None:
    """Raise `BadInput` if the optimum, shape (5,), does not fix every constant.

    With n - 5 degrees of freedom, none of E, A, B, alpha, beta may lie within its Student-t margin
    of 0. The margin comes from the Jacobian, a noise level of sqrt(pi/2) times the mean absolute
    residual, and the variance pi/2 of a fit by absolute residuals relative to least squares under
    normal noise (Bassett and Koenker 1978, JASA 73).

    Raises
    ------
    BadInput
        If a term vanished, an exponent is outside `EXPONENTS`, the Jacobian is singular, or a
        constant cannot be told from 0; the message names it.
    """
    lost = int(lost_constant(surface, point[None])[0])
    if lost >= 0:
        raise BadInput(_LOST[lost])
    terms = surface.terms(point[None])
    jacobian = surface.gradient(terms)[0].T
    length: Floats = np.sqrt((jacobian**2).sum(axis=0))
    _, singular, directions = np.linalg.svd(jacobian / length, full_matrices=False)
    if singular[-1] < _SINGULAR * singular[0]:
        mixed = [_NAMES[i] for i in range(SIZE) if abs(float(directions[-1, i])) > 0.3]
        raise BadInput(
            f"these runs fix only a mixture of {', '.join(mixed)}: changing them together leaves "
            f"every predicted loss the same; {_MORE}"
        )
    freedom = surface.runs - SIZE
    noise = math.sqrt(math.pi / 2) * float(np.abs(terms.residual).sum()) / freedom
    error = math.sqrt(math.pi / 2) * noise * np.sqrt(((directions.T / singular) ** 2).sum(axis=1))
    margin = float(stdtrit(freedom, (1 + level) / 2)) * error / length
    size = np.array([1.0, 1.0, 1.0, point[3], point[4]])  # a, b, e are logarithms
    worst = int(np.argmax(margin / size))
    if margin[worst] > size[worst]:
        raise BadInput(
            f"{_NAMES[worst]} cannot be told from 0: at a level of {level:g} it is uncertain by "
            f"{100 * margin[worst] / size[worst]:.3g} % of its value; {_MORE}, or with less noise"
        )


def lost_constant(surface: LawSurface, points: Floats) -> NDArray[np.intp]:
    """Return for each of S points which coordinate has run away, -1 where none has.

    0, 1: the term of N, of D has vanished; 2, 3: alpha, beta is out of range; 4: the floor has
    vanished.
    """
    terms = surface.terms(points)
    least, most = EXPONENTS
    gone = np.stack(
        [
            terms.params.max(axis=1) < VANISHED,
            terms.tokens.max(axis=1) < VANISHED,
            ~((points[:, 3] >= least) & (points[:, 3] <= most)),
            ~((points[:, 4] >= least) & (points[:, 4] <= most)),
            terms.floor.max(axis=1) < VANISHED,
        ],
        axis=1,
    )
    return np.where(gone.any(axis=1), gone.argmax(axis=1), -1)


def require_resamples(lost: NDArray[np.intp], defective: NDArray[np.bool_], level: float) -> None:
    """Raise `BadInput` if too many of R resamples do not fix the law.

    An interval of the given level leaves (1 - level)/2 of the resamples beyond each end; if more
    than that have run away, the end lies nowhere. Quantiles interpolate between order statistics
    0 to R - 1, hence the R - 1.

    Parameters
    ----------
    lost
        Shape (R,), as from `lost_constant`.
    defective
        Shape (R,): the resample drew too few different runs for any fit.
    """
    tail = (1 - level) / 2
    if defective.mean() > tail:
        raise BadInput(
            f"{100 * defective.mean():.1f} % of the resamples hold fewer than {FEWEST_VALUES} "
            f"different params or tokens, or {FEWEST_POINTS} different pairs: the fit hangs on "
            f"single runs; {_MORE}"
        )
    away = lost[~defective]
    if (away >= 0).sum() > tail * (len(away) - 1):
        names, counts = np.unique(away[away >= 0], return_counts=True)
        worst = int(names[np.argmax(counts)])
        share = 100 * float((away >= 0).mean())
        raise BadInput(
            f"{_LOST[worst]} ({share:.1f} % of the resamples run away; an interval of level "
            f"{level:g} allows {100 * tail:.3g} %)"
        )


_NAMES = ("A", "B", "E", "alpha", "beta")
_RANGE = f"the best value is not within {EXPONENTS[0]:g} to {EXPONENTS[1]:g}"
_LOST = (
    f"these runs do not fix A and alpha: the loss does not depend on params; {_MORE}",
    f"these runs do not fix B and beta: the loss does not depend on tokens; {_MORE}",
    f"these runs do not fix alpha: {_RANGE}; {_MORE}",
    f"these runs do not fix beta: {_RANGE}; {_MORE}",
    "these runs do not fix the floor E: the best fit has none, so the loss is still falling as a "
    "pure power; add runs of larger scale, or fit params alone above a known floor (--floor)",
)
