"""The arithmetic of the certificate: limits, the parrot's bound, and the claim they make.

`unparrot.analysis.certificate.certify` puts it to the texts of a run, the benchmark
`studies_certificate` to simulated ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.stats.limits import greatest_mean, greatest_share, least_mean, least_share

LEVEL: Final = 0.95

_MOST_LOG: Final = 690.0
"""Logarithm of what a float can hold, with room."""
_CHUNK: Final = 4_000_000
"""Pairs of combinations held at once: 32 MB of them."""

LEAST_LUCK: Final = 0.05
"""Luck granted where training is counted, however little the controls have (assumed): parrots that
nobody tried may be luckier than those of the run."""


class ClaimEvidence(Struct, frozen=True, forbid_unknown_fields=True):
    """What a claim rests on.

    Parameters
    ----------
    combinations, texts, unsettled
        Number of combinations that the claim is put to, of their texts, and of texts whose full
        marks unscored marks leave open (they count against the model).
    full_marks, a_lo
        Measured share (the mean over combinations) and its lower limit.
    B, slip, bound
        The share of the combinations that training showed at most; the share of the others that
        luck may pass; and what both allow a parrot.
    slip_measured, slip_of
        Upper limit of the luckiest other parrot, and its name; None if there is none.
    spread
        How much more the number of seen combinations varies than if none overlapped.
    new_at_least
        Share of the successes that are neither recall nor luck; None if not shown.
    """

    combinations: int
    texts: int
    unsettled: int
    full_marks: float
    a_lo: float
    B: float
    slip: float
    slip_measured: float | None
    slip_of: str | None
    bound: float
    spread: float
    new_at_least: float | None


class Robustness(Struct, frozen=True, forbid_unknown_fields=True):
    """The B, the slip and the rho up to which the verdict is 'shown'; None where there is none."""

    B: float | None
    slip: float | None
    rho: float | None


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """What is certified of one model at one k, or why nothing is.

    Parameters
    ----------
    kind
        Of the model; None if the run does not say.
    verdict
        Whether the lower limit exceeds the bound.
    reason
        Why there is no evidence; None if there is some.
    combinations, shown_in_training
        Number of combinations tested, and of those that training showed (None if not known).
    """

    model: str
    kind: str | None
    k: int
    verdict: Literal["shown", "not shown"]
    reason: str | None
    combinations: int
    shown_in_training: int | None
    evidence: ClaimEvidence | None
    robustness: Robustness

    @property
    def shown(self) -> bool:
        """Whether the verdict is 'shown'."""
        return self.verdict == "shown"


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """On what terms claims were made.

    Parameters
    ----------
    level
        Probability that all limits hold at once.
    decoding
        Which texts were examined.
    source
        Where B comes from: counted in the corpus itself, or worked out from rates.
    windows, rho
        M and the attraction of skills; None if B was counted.
    slip
        The slip that was granted beforehand.
    controls
        The parrots that measured slip.
    multiplicity, claims, control_limits, error_of_a_claim, error_of_a_control
        How the error is shared, among how many limits, and what is left to each; None without any.
    """

    level: float
    decoding: str
    source: Literal["counted", "rates"]
    windows: float | None
    rho: float | None
    slip: float
    controls: tuple[str, ...]
    multiplicity: str
    claims: int
    control_limits: int
    error_of_a_claim: float | None
    error_of_a_control: float | None


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate of a run: a claim a model and k, their terms, and what they rest on.

    ``hashes`` are SHA-256 of the tables, pack and corpus; None where the run does not name one.
    """

    version: int
    rows: tuple[Claim, ...]
    terms: Terms
    hashes: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class ErrorShares:
    """How the error ``1 - level`` is shared among limits that must all hold at once (Bonferroni).

    With measured slip one half goes to the lower limits of the claims and one half to the upper
    limits of the controls; without, all of it goes to the claims.

    Parameters
    ----------
    claims, controls
        Number of lower limits, and of upper limits of slip (0 if it is given, not measured).
    level
        Probability in (0.75, 1) that all limits hold.

    Examples
    --------
    >>> shares = ErrorShares(claims=5, controls=0)
    >>> round(shares.claim, 6), shares.control
    (0.01, 0.0)
    """

    claims: int
    controls: int
    level: float = LEVEL

    def __post_init__(self) -> None:
        if not 0.75 < self.level < 1:
            raise BadInput(f"the level must be above 0.75 and under 1, not {self.level!r}")
        if self.claims < 1 or self.controls < 0:
            raise BadInput(f"{self.claims!r} claims and {self.controls!r} controls: count them")

    @property
    def claim(self) -> float:
        """Error left to each lower limit."""
        return (1 - self.level) / self.claims / (2 if self.controls else 1)

    @property
    def control(self) -> float:
        """Error left to each upper limit of a control."""
        return (1 - self.level) / 2 / self.controls if self.controls else 0.0


def lower_limit(
    total: ArrayLike, n: int, miss: float, single: bool, spread: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Return ``a_lo`` for sums of n per-combination means.

    Exact for one text a combination (``single``), else for means over rounds: combinations are
    independent, the rounds of one are not. ``spread`` is that of `overlap`, 1 for independent ones.
    """
    if single:
        return least_share(total, n, miss, spread)
    return least_mean(total, n, miss, spread)


def upper_limit(total: ArrayLike, n: int, miss: float, single: bool) -> NDArray[np.float64]:
    """Return the upper limit in the same way."""
    return greatest_share(total, n, miss) if single else greatest_mean(total, n, miss)


def parrot_limit(seen: ArrayLike, slip: ArrayLike) -> NDArray[np.float64]:
    """Return the largest expected share of full marks of a parrot: ``B + (1 - B) * slip``.

    Parameters
    ----------
    seen, slip
        B and slip, shares in [0, 1] of shapes that fit each other.
    """
    b = np.asarray(seen, dtype=np.float64)
    return b + (1 - b) * np.asarray(slip, dtype=np.float64)


def judged(lower: float, seen: float, slip: float) -> tuple[float | None, Robustness]:
    """Return the share of successes that must be new, None if not shown, and where that flips.

    Parameters
    ----------
    lower
        Lower limit of full marks.
    seen, slip
        B, and the share of the other combinations that luck may pass.

    Returns
    -------
    new_at_least
        At least this share of the successes is neither recall nor luck.
    robustness
        The B and the slip up to which the verdict would be 'shown', the other one staying as it
        is; None where the other alone reaches the lower limit.
    """
    bound = float(parrot_limit(seen, slip))
    new_at_least = 1 - bound / lower if lower > bound else None
    most_seen = (lower - slip) / (1 - slip) if lower > slip else None
    most_slip = (lower - seen) / (1 - seen) if lower > seen else None
    return new_at_least, Robustness(most_seen, most_slip, None)


def overlap(shows: NDArray[np.bool_], log_rates: ArrayLike, windows: float) -> float:
    """Return the variance of the number of seen combinations over that of independent ones.

    A window that holds many skills may hold several tested combinations, which are then seen
    together. If windows are independent, combinations c and c' are unseen with probability
    exp(-lambda_c) and exp(-lambda_c') each, and exp(lambda_both - lambda_c - lambda_c') together,
    where lambda_both expects the windows that hold the union of the two. The ratio is 1 for
    combinations that share little, as those of a large pack do.

    Parameters
    ----------
    shows
        Shape (n, names): which skills and topic each combination asks for.
    log_rates
        Shape (names,): logarithms of their rates.
    windows
        M, times rho.

    Returns
    -------
    float
        At least 1.
    """
    indicator = shows.astype(np.float64)
    logs = indicator * np.asarray(log_rates, dtype=np.float64)
    log_windows = math.log(windows)
    log_lambda = logs.sum(axis=1) + log_windows
    lam = np.exp(np.minimum(log_lambda, _MOST_LOG))
    own = float((np.exp(-lam) * -np.expm1(-lam)).sum())
    total, step = 0.0, max(1, _CHUNK // len(indicator))
    for start in range(0, len(indicator), step):
        part = slice(start, start + step)
        both = log_lambda[part, None] + log_lambda - log_windows - logs[part] @ indicator.T
        neither = lam[part, None] + lam
        # e^-neither (e^both - 1), which keeps its digits where both is small
        shared = np.exp(np.minimum(both, _MOST_LOG))
        small = shared < 1
        gained = np.exp(-neither) * np.expm1(np.where(small, shared, 0.0))
        total += float(gained[small].sum())
        total += float((np.exp(shared - neither) - np.exp(-neither))[~small].sum())
    return max(1.0, total / own) if own > 0 else 1.0
