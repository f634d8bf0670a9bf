"""From a larger scale to more skills combined: the slingshot argument of Arora and Goyal.

Join k' independent pieces into one. It is failed if any of them is, a share 1 - (1 - theta)^k' of
the time, and one skill taken from each makes a k'-tuple. A joint piece holds k of these tuples
that share no skill, so the curve of single skills at k and at the joint theta bounds the k'-tuples.
Dividing theta by r so gives k'-tuples of r times the size the curve that the smaller ones had.

    unparrot theory slingshot --preset hoffmann --params 7e9 --tokens 1.4e11 --factor 10 \
        --theta 0.05 --k 32 --alpha 0.1 --failure 0.1
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_share
from unparrot.theory.curve.inverse import largest_tuple, theta_for
from unparrot.theory.law.loss_law import PRESETS, LossLaw, ScalePoint
from unparrot.theory.roots import crossing

# Parameters and tokens, 20 tokens a parameter (Hoffmann et al. 2022), of `doubling_table`.
STARTS = ((7e8, 1.4e10), (7e9, 1.4e11), (7e10, 1.4e12))


@dataclass(frozen=True, slots=True)
class Reach:
    """How many skills a model can combine by one bound, now and after scaling.

    Parameters
    ----------
    bound
        ``'sharp'``, ``'entropic'`` or ``'classic'``.
    theta_allowed
        The largest theta at which single skills still keep the failure rate; None if the bound
        allows none.
    direct_now, direct_later
        Largest k' <= k whose own curve, m = floor(k/k'), keeps the failure rate; 0 if none does.
    joined_now, joined_later
        Largest k' by the slingshot argument; 0 if even k' = 1 fails.
    real_now, real_later
        The same before rounding down: log(1 - theta_allowed)/log(1 - theta).
    """

    bound: str
    theta_allowed: float | None
    direct_now: int
    direct_later: int
    joined_now: int
    joined_later: int
    real_now: float | None
    real_later: float | None


@dataclass(frozen=True, slots=True)
class Slingshot:
    """What scaling by a factor does to errors and to the number of skills combined.

    Parameters
    ----------
    params, tokens, factor
        Scale now, and what both are multiplied by.
    excess_now, excess_later
        Excess loss in nats per token.
    ratio
        excess_now/excess_later.
    theta_now, theta_later
        Share of the pieces failed; theta_later = theta_now/ratio by assumption.
    k, alpha, failure
        Skills in a piece; share of the tuples given up; failure rate to keep.
    reach
        One entry for each bound.
    """

    params: float
    tokens: float
    factor: float
    excess_now: float
    excess_later: float
    ratio: float
    theta_now: float
    theta_later: float
    k: int
    alpha: float
    failure: float
    reach: tuple[Reach, ...]


def slingshot(
    law: LossLaw,
    params: float,
    tokens: float,
    factor: float,
    theta: float,
    k: int,
    alpha: float,
    failure: float,
    *,
    bounds: Sequence[str] = ("sharp", "classic"),
) -> Slingshot:
    """Return what N and D, both times a factor, do to theta and to the largest k'.

    Parameters
    ----------
    law
        The loss law.
    params, tokens
        Scale now; above 0.
    factor
        What both are multiplied by; above 0.
    theta
        Share of the pieces failed now, in (0, 1).
    k
        Skills in a piece.
    alpha, failure
        Share of the tuples given up, and failure rate to keep; in (0, 1).
    bounds
        Names of the bounds.

    Raises
    ------
    BadInput
        If a number is out of range, or the theta after scaling is (a factor under 1 raises it).

    Notes
    -----
    Assumes that theta falls as the excess loss does. Pinsker's inequality alone would give its
    square root; the step from loss to errors is the framework's assumption (Arora and Goyal 2023,
    section 3), and one to measure.
    """
    theta = require_share("theta", theta)
    now = float(law.excess(params, tokens))
    ratio = float(law.excess_ratio(params, tokens, factor))
    later = theta / ratio
    if not later < 1:
        raise BadInput(
            f"theta = {theta:g} times {1 / ratio:.6g} is not under 1 after scaling by {factor:g}; "
            f"lower theta or raise the factor"
        )
    if later == 0:
        raise BadInput(f"a factor of {factor:g} leaves no error to bound; lower the factor")
    reached = tuple(reach(theta, later, alpha, failure, k, bound) for bound in bounds)
    scale = float(params), float(tokens), float(factor)
    return Slingshot(*scale, now, now / ratio, ratio, theta, later, k, alpha, failure, reached)


def reach(theta: float, later: float, alpha: float, failure: float, k: int, bound: str) -> Reach:
    """Return how many skills two shares of failed pieces, now and later, let a model combine.

    Parameters
    ----------
    theta, later
        Share of the pieces failed now, and after scaling; in (0, 1).
    alpha, failure
        Share of the tuples given up, and failure rate to keep; in (0, 1).
    k
        Skills in each of the k' pieces joined. k' itself may be larger than k.
    bound
        ``'sharp'``, ``'entropic'`` or ``'classic'``.

    Raises
    ------
    BadInput
        If a number is out of range, or there is no such bound.

    Examples
    --------
    >>> reached = reach(0.01, 0.005, 0.1, 0.1, 32, "sharp")
    >>> reached.joined_now, round(reached.real_now, 3), round(reached.theta_allowed, 4)
    (4, 4.549, 0.0447)
    """
    direct = largest_tuple(theta, alpha, failure, k, bound=bound)
    direct_later = largest_tuple(later, alpha, failure, k, bound=bound)
    allowed = float(theta_for(failure, alpha, k, bound=bound))
    if math.isnan(allowed):
        return Reach(bound, None, direct, direct_later, 0, 0, None, None)
    now, after = (math.log1p(-allowed) / math.log1p(-share) for share in (theta, later))
    # Rounding must not turn a whole number into the one below it.
    joined, joined_later = (math.floor(real * (1 + 1e-12)) for real in (now, after))
    return Reach(bound, allowed, direct, direct_later, joined, joined_later, now, after)


@dataclass(frozen=True, slots=True)
class Doubling:
    """How close 'ten times the scale, half the errors, twice the skills' is for one law and start.

    Parameters
    ----------
    law
        Name of the law.
    path
        ``'N and D'``: both times the factor. ``'optimal'``: the best split of the compute now, and
        of factor^2 times the compute.
    params, tokens
        The start.
    ratio
        What the excess, and so theta, is divided by.
    growth
        What k' before rounding grows by from a model with theta: log(1 - theta)/log(1 -
        theta/ratio), at least the ratio.
    factor_to_double
        The factor that divides the excess by exactly 2.
    """

    law: str
    path: str
    params: float
    tokens: float
    ratio: float
    growth: float
    factor_to_double: float


def doubling_table(
    laws: Mapping[str, LossLaw] = PRESETS, *, factor: float = 10.0, theta: float = 0.05
) -> tuple[Doubling, ...]:
    """Return the table of 'ten times the scale, twice the skills' for laws, each from `STARTS`.

    Parameters
    ----------
    laws
        Laws by name.
    factor
        Scale factor of N and of D, above 1; compute grows by its square.
    theta
        Share of pieces failed at each start, in (0, 1).

    Raises
    ------
    BadInput
        If a number is out of range.

    Notes
    -----
    Along the optimal path both terms of the excess fall as C^-p, p = alpha beta/(alpha + beta), so
    that its ratio factor^(2p) is the same from the best split of the compute of every start, and k'
    grows as the power p of compute.
    """
    if not (math.isfinite(factor) and factor > 1):
        raise BadInput(
            f"the factor must be above 1, not {factor!r}, to tell of a larger scale; raise "
            "it, or leave out the table"
        )
    theta = require_share("theta", theta)
    rows: list[Doubling] = []

    def add(name: str, path: str, at: ScalePoint, ratio: float, to_double: float) -> None:
        growth = math.log1p(-theta) / math.log1p(-theta / ratio)
        rows.append(Doubling(name, path, at.params, at.tokens, ratio, growth, to_double))

    for name, law in laws.items():
        for start in STARTS:
            ratio = float(law.excess_ratio(*start, factor))
            add(name, "N and D", law.point(*start), ratio, _doubling_factor(law, *start))
        power = law.alpha * law.beta / (law.alpha + law.beta)
        for start in STARTS:
            best = law.allocate(law.point(*start).flops)
            ratio = best.excess / law.allocate(best.flops * factor**2).excess
            add(name, "optimal", best, ratio, 2 ** (1 / (2 * power)))
    return tuple(rows)


def _doubling_factor(law: LossLaw, params: float, tokens: float) -> float:
    """The factor of N and D that halves the excess: between the doubling factors of its terms."""
    ends = sorted(2 ** (1 / power) for power in (law.alpha, law.beta))
    return crossing(lambda factor: float(law.excess_ratio(params, tokens, factor)), 2, *ends)
