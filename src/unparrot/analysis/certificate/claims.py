"""The arithmetic of the certificate: limits, the parrot's bound, and the claim they make.

`unparrot.analysis.certificate.certify` puts it to the texts of a run, `unparrot.analysis.studies` to
simulated ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
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

Source = Literal["counted", "rates"]
"""Where B comes from: counted in the corpus itself, or worked out from rates."""


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
    asked = shows.astype(np.float64)
    logs = asked * np.asarray(log_rates, dtype=np.float64)
    log_windows = math.log(windows)
    log_lambda = logs.sum(axis=1) + log_windows
    lam = np.exp(np.minimum(log_lambda, _MOST_LOG))
    own = float((np.exp(-lam) * -np.expm1(-lam)).sum())
    total, step = 0.0, max(1, _CHUNK // len(asked))
    for start in range(0, len(asked), step):
        part = slice(start, start + step)
        both = log_lambda[part, None] + log_lambda - log_windows - logs[part] @ asked.T
        neither = lam[part, None] + lam
        # e^-neither (e^both - 1), which keeps its digits where both is small
        shared = np.exp(np.minimum(both, _MOST_LOG))
        small = shared < 1
        gained = np.exp(-neither) * np.expm1(np.where(small, shared, 0.0))
        total += float(gained[small].sum())
        total += float((np.exp(shared - neither) - np.exp(-neither))[~small].sum())
    return max(1.0, total / own) if own > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """What is certified of one model at one k, or why nothing is.

    Parameters
    ----------
    model, kind, k
        Of whom, of what kind (None if not known), and for how many skills.
    asked, trained
        Number of combinations tested, and of those that training showed (None if not known).
    n, texts, unsettled
        Number of combinations that the claim is put to, of their texts, and of texts whose full
        marks unscored marks leave open (they count against the model).
    full_marks, lower
        Measured share (the mean over combinations) and its lower limit; None without evidence.
    seen, slip, bound
        B, the share of the n that training showed at most; the share of the others that luck may
        pass; and what both allow a parrot.
    spread
        How much more the number of seen combinations varies than if none overlapped (`overlap`).
    luck, luckiest
        Upper limit of the luckiest other parrot, and its name; None and empty if there is none.
    flips
        The rho at which the verdict flips (rates only); None if even rho = 1 shows nothing.
    reason
        Why there is no claim; empty if there is one.
    """

    model: str
    kind: str | None
    k: int
    asked: int
    trained: int | None
    n: int = 0
    texts: int = 0
    unsettled: int = 0
    full_marks: float | None = None
    lower: float | None = None
    seen: float | None = None
    slip: float | None = None
    bound: float | None = None
    spread: float = 1.0
    luck: float | None = None
    luckiest: str = ""
    flips: float | None = None
    reason: str = ""

    @property
    def shown(self) -> bool:
        """Whether the lower limit exceeds the bound."""
        return self.lower is not None and self.bound is not None and self.lower > self.bound

    @property
    def new_at_least(self) -> float | None:
        """Share of the successes that are neither recall nor luck, at least; None if not shown."""
        if self.lower is None or self.bound is None or not self.shown:
            return None
        return 1 - self.bound / self.lower

    @property
    def most_seen(self) -> float | None:
        """The B up to which the verdict is 'shown'; None if luck alone reaches the lower limit."""
        if self.lower is None or self.slip is None or self.lower <= self.slip:
            return None
        return (self.lower - self.slip) / (1 - self.slip)

    @property
    def most_slip(self) -> float | None:
        """The slip up to which the verdict is 'shown'; None if B alone reaches the lower limit."""
        if self.lower is None or self.seen is None or self.lower <= self.seen:
            return None
        return (self.lower - self.seen) / (1 - self.seen)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms claims were made.

    Parameters
    ----------
    decoding
        Which texts were examined.
    source
        Where B comes from.
    level
        Probability that all limits hold at once.
    errors
        How what is left to 1 was shared; None if there was no claim.
    controls
        The parrots that measured slip.
    slip
        The slip that was granted beforehand.
    windows, rho
        M and the attraction of skills; None if B was counted.
    hashes
        SHA-256 of what the claims rest on; None where the run does not name it.
    """

    decoding: str
    source: Source
    level: float
    errors: ErrorShares | None
    controls: tuple[str, ...]
    slip: float
    windows: float | None
    rho: float | None
    hashes: Mapping[str, str | None]
