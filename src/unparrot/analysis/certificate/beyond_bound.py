"""Models against the parrot bound of a corpus, from the rates of skills and topics in it.

A parrot earns full marks only on combinations that its corpus holds, and by luck, or a mistake of
the grader, on a share ``slip`` of the others. If the corpus holds a share of at most B of the
tested ones, the parrot bound (`unparrot.theory.novelty.parrot_bound`), it can expect

    allowed = B + (1 - B) slip

and a model is *beyond the parrot bound* if the lower limit of its full marks exceeds that. Rates
and rho are taken from whoever certifies, or measured on a sample of windows
(`unparrot.analysis.certificate.measured_rates`): then half of the error goes to the lower limits of
full marks, and half to the upper limits of rates and rho, which hold all at once. The windows and
slip are always given.

References
----------
Yu et al. (2023), "Skill-Mix", section 6, for the bound; Hoeffding (1956) for the limits (see
`unparrot.stats.limits`).
"""

from typing import Literal, cast

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from unparrot.analysis.certificate.corpus_rates import CorpusRates
from unparrot.analysis.certificate.evidence import Evidence, combinations_of
from unparrot.analysis.certificate.measured_rates import MeasuredRates, RatesTerms
from unparrot.stats.limits import least_mean, least_share
from unparrot.theory.novelty.parrot_bound import flip_rho, listed, parrot_bound


class BoundClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """What is certified of one model at one k.

    Parameters
    ----------
    combinations, texts, unsettled
        Number of combinations, of texts, and of texts that unscored marks leave open (they count
        against the model).
    full_marks, full_marks_at_least
        Share of the model, the mean over combinations, and its lower limit.
    rho
        How much more often skills and topic meet than independent ones, at most; None where the
        sample is too small to say, and B is 1.
    spread
        How much more the number of combinations that a corpus holds varies than if none overlapped.
    parrot_bound
        B, the share of the combinations that the corpus holds at most.
    allowed
        Full marks that a parrot can expect at most, by B and slip.
    verdict
        'shown' if the lower limit exceeds that.
    flip_rho, flip_windows, flip_slip
        The rho, the windows of the corpus, and the slip at which the verdict is 'shown' no more,
        each by itself; None if it is not shown.
    """

    model: str
    k: int
    combinations: int
    texts: int
    unsettled: int
    full_marks: float
    full_marks_at_least: float
    rho: float | None
    spread: float
    parrot_bound: float
    allowed: float
    verdict: Literal["shown", "not shown"]
    flip_rho: float | None
    flip_windows: float | None
    flip_slip: float | None

    @property
    def shown(self) -> bool:
        """Whether the verdict is 'shown'."""
        return self.verdict == "shown"


class BoundCertificate(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="parrot bound"
):
    """The certificate of a run whose training corpus is known by rates alone.

    Parameters
    ----------
    level
        Probability that all lower limits hold at once.
    windows, rho, slip
        Of the corpus, as they were given; rho is None where it was measured.
    error_of_a_limit
        What Bonferroni leaves of ``1 - level`` to each lower limit.
    hashes
        SHA-256 of the tables, pack and rates; None where the run does not name one.
    measured
        What was taken of measured rates; None if they were given.
    """

    version: int
    level: float
    decoding: str
    windows: float
    rho: float | None
    slip: float
    claims: tuple[BoundClaim, ...]
    error_of_a_limit: float
    hashes: dict[str, str | None]
    measured: RatesTerms | None = None


def lower_limit(
    total: ArrayLike, n: int, miss: float, single: bool, spread: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Return the lower limit of full marks from sums of n per-combination means.

    Exact for one text a combination (``single``), else for means over rounds: combinations are
    independent, the rounds of one are not. ``spread`` is that of
    `unparrot.analysis.certificate.corpus_rates.overlap`, 1 for independent ones.
    """
    return (least_share if single else least_mean)(total, n, miss, spread)


def allowed_to_parrots(bound: ArrayLike, slip: ArrayLike) -> NDArray[np.float64]:
    """Return the full marks that a parrot can expect at most: ``B + (1 - B) slip``.

    Parameters
    ----------
    bound, slip
        B and slip, shares in [0, 1] of shapes that fit each other.
    """
    b = np.asarray(bound, dtype=np.float64)
    return b + (1 - b) * np.asarray(slip, dtype=np.float64)


def claims_beyond_bound(
    evidence: Evidence,
    rates: CorpusRates | MeasuredRates,
    windows: float,
    rho: float,
    slip: float,
    level: float,
) -> tuple[list[BoundClaim], float, RatesTerms | None]:
    """Return the claims on every model and k, the error that is left to each lower limit, and what
    was taken of measured rates.

    Raises
    ------
    BadInput
        If the rates do not cover the combinations, or a number is out of range.
    """
    tested = combinations_of(evidence.rows)
    terms, error, rho_of = None, 1 - level, dict.fromkeys({c.k for c in tested}, rho)
    if isinstance(rates, MeasuredRates):
        error /= 2
        names = len({c.topic for c in tested} | {name for c in tested for name in c.skills})
        terms, rho_of = rates.terms(error, names), {k: rates.rho_at_most(k, error) for k in rho_of}
        rates = rates.at_most(error, names)
    rates.require(tested)
    groups = {
        (str(key[0]), cast(int, key[1])): rows
        for key, rows in evidence.rows.group_by("model", "k", maintain_order=True)
    }
    miss = error / len(groups)
    keys = sorted(groups, key=lambda key: (evidence.models.index(key[0]), key[1]))
    claims = [
        _claim(model, k, groups[model, k], rates, windows, rho_of[k], slip, miss)
        for model, k in keys
    ]
    return claims, miss, terms


def _claim(
    model: str,
    k: int,
    rows: pl.DataFrame,
    rates: CorpusRates,
    windows: float,
    rho: float | None,
    slip: float,
    miss: float,
) -> BoundClaim:
    tested, n = combinations_of(rows), rows.height
    single = bool((rows["texts"] == 1).all())
    total = float(rows["worst"].sum())
    corpus = listed(tested, rates.skills, rates.topics, windows)
    bound, spread = 1.0, 1.0
    if rho is not None:
        bound, spread = parrot_bound(corpus, rho).limit, rates.overlap(tested, rho * windows)
    lower = float(lower_limit(total, n, miss, single, spread))
    allowed = float(allowed_to_parrots(bound, slip))
    shown = lower > allowed
    # the rho at which B alone, with this slip, allows as much as was earned at least
    flip = flip_rho(corpus, (lower - slip) / (1 - slip)) if shown else None
    return BoundClaim(
        model=model,
        k=k,
        combinations=n,
        texts=int(rows["texts"].sum()),
        unsettled=int(rows["unsettled"].sum()),
        full_marks=total / n,
        full_marks_at_least=lower,
        rho=rho,
        spread=spread,
        parrot_bound=bound,
        allowed=allowed,
        verdict="shown" if shown else "not shown",
        flip_rho=flip,
        # windows and rho matter by their product alone
        flip_windows=None if flip is None or rho is None else windows * flip / rho,
        flip_slip=(lower - bound) / (1 - bound) if shown else None,
    )
