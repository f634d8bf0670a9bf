"""How many combinations a comparison of two shares needs: power of paired and unpaired designs.

Each of two models writes ``rounds`` texts for every combination. Texts of one model for one
combination correlate by ``icc``, texts of the two models for one combination by ``match``; texts
for different combinations are independent.

References
----------
Miettinen (1968), "The matched pairs design in the case of all-or-none responses", Biometrics 24;
Connor (1987), "Sample size for testing differences in proportions for the paired-sample design",
Biometrics 43: the paired formula.
Fleiss, Levin and Paik (2003), "Statistical Methods for Rates and Proportions", section 4.2: the
unpaired formula. Donner and Klar (2000), "Design and Analysis of Cluster Randomization Trials",
section 5.1: the design effect.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import partial
from statistics import NormalDist

import numpy as np
from scipy.stats import binom

from unparrot.core.errors import BadInput

MOST_COMBINATIONS = 10_000_000
# Combinations up to which the power of McNemar's exact test is summed; beyond it is normal.
_EXACT = 20_000


def _require_shares(baseline: float, detect: float) -> None:
    if not 0 < baseline < 1 or not 0 < baseline + detect < 1:
        raise BadInput(
            "both shares must lie between 0 and 1, ends excluded; not "
            f"{baseline!r} and {baseline + detect!r}"
        )


def largest_match(baseline: float, detect: float, icc: float = 1.0) -> float:
    """Return how strongly the texts of two models for one combination can correlate at most.

    Two shares that differ bound it, and so does ``icc`` where a model writes several texts: what
    two models share of a combination is no more than what two rounds of one do.
    """
    _require_shares(baseline, detect)
    low, high = sorted((baseline, baseline + detect))
    return min(icc, math.sqrt(low * (1 - high) / (high * (1 - low))))


@dataclass(frozen=True, slots=True)
class Design:
    """Two models to compare.

    Parameters
    ----------
    baseline
        Share of the first model, in (0, 1).
    detect
        The second's share less the first's; not 0, and the second's share in (0, 1) too.
    rounds
        Texts of each model for a combination, at least 1.
    icc
        Correlation of two texts of one model for one combination, in [0, 1].
    match
        Correlation of two texts of the two models for one combination. At least 0, at most what
        the two shares allow and, with several rounds, at most ``icc``.
    paired
        Whether both models write for the same combinations.
    alpha
        Two-sided error of the test, in (0, 1).

    Raises
    ------
    BadInput
        If a number is out of range.
    """

    baseline: float
    detect: float
    rounds: int = 1
    icc: float = 0.3
    match: float = 0.15
    paired: bool = True
    alpha: float = 0.05

    def __post_init__(self) -> None:
        _require_shares(self.baseline, self.detect)
        if not abs(self.detect) > 1e-9:
            raise BadInput("the difference to detect must not be 0: no size of run detects it")
        if self.rounds < 1:
            raise BadInput(f"rounds must be at least 1, not {self.rounds!r}")
        for what, value in (("icc", self.icc), ("match", self.match)):
            if not 0 <= value <= 1:
                raise BadInput(f"{what} must lie between 0 and 1, not {value!r}")
        if not 0 < self.alpha < 1:
            raise BadInput(f"alpha must be above 0 and under 1, not {self.alpha!r}")
        most = largest_match(self.baseline, self.detect, self.icc if self.rounds > 1 else 1.0)
        if self.paired and self.match > most:
            raise BadInput(
                f"match can be at most {most:.3f} here, not {self.match!r}: two models cannot "
                "agree more than their shares, and the rounds of one model, allow"
            )

    @property
    def difference_variance(self) -> float:
        """Variance of the difference that one combination (or two, if unpaired) contributes."""
        first, second = (p * (1 - p) for p in (self.baseline, self.baseline + self.detect))
        own = (first + second) * (1 + (self.rounds - 1) * self.icc) / self.rounds
        return own - (2 * self.match * math.sqrt(first * second) if self.paired else 0.0)

    @property
    def null_variance(self) -> float:
        """What the test takes that variance for."""
        if self.paired:
            # the mean square of the differences, which the sign flips keep
            return self.difference_variance + self.detect**2
        pooled = self.baseline + self.detect / 2
        effect = (1 + (self.rounds - 1) * self.icc) / self.rounds
        return 2 * pooled * (1 - pooled) * effect


def power_of(design: Design, combinations: int) -> float:
    """Return the probability of finding the difference, whichever direction it has.

    With one text each and pairs it is the exact power of McNemar's exact test: the sum over the
    number of discordant pairs and over how they split. Else it is the normal approximation of the
    references.

    Parameters
    ----------
    design
        What is compared.
    combinations
        How many combinations each model is given, at least 1.
    """
    if combinations < 1:
        raise BadInput(f"combinations must be at least 1, not {combinations!r}")
    if design.paired and design.rounds == 1 and combinations <= _EXACT:
        return _mcnemar_power(design, combinations)
    z = NormalDist().inv_cdf(1 - design.alpha / 2)
    reach = abs(design.detect) * math.sqrt(combinations) - z * math.sqrt(design.null_variance)
    if design.difference_variance <= 0:
        return 1.0 if reach > 0 else 0.0
    return NormalDist().cdf(reach / math.sqrt(design.difference_variance))


def _mcnemar_power(design: Design, n: int) -> float:
    discordant = min(1.0, design.null_variance)
    gained = min(1.0, (discordant + abs(design.detect)) / (2 * discordant))
    pairs = np.arange(n + 1)
    # the largest smaller count at which the two-sided exact p is at most alpha
    edge = binom.ppf(design.alpha / 2, pairs, 0.5)
    edge = np.where(2 * binom.cdf(edge, pairs, 0.5) > design.alpha, edge - 1, edge)
    rejects = binom.cdf(edge, pairs, gained) + binom.sf(pairs - edge - 1, pairs, gained)
    return float((binom.pmf(pairs, n, discordant) * np.where(edge >= 0, rejects, 0.0)).sum())


def combinations_needed(design: Design, power: float = 0.8) -> int:
    """Return the smallest number of combinations that finds the difference with this power.

    Parameters
    ----------
    design
        What is compared.
    power
        Wanted probability of finding the difference, in (0, 1).

    Returns
    -------
    int
        Combinations for each model: the same ones if the design is paired.

    Raises
    ------
    BadInput
        If 10 million combinations do not suffice.

    Notes
    -----
    The formula is ``n = (z_a sqrt(V0) + z_b sqrt(V1))^2 / d^2`` with V1 and V0 the variance of a
    combination's difference and what the test takes it for. With one text each n is then raised
    until the exact test, which is more careful than its normal approximation, has the power.

    Examples
    --------
    >>> combinations_needed(Design(0.3, 0.1, match=0.0))
    377
    """
    most = 1
    while power_of(design, most) < power:
        most *= 2
        if most > MOST_COMBINATIONS:
            raise BadInput(
                f"more than {MOST_COMBINATIONS:,} combinations are needed to detect "
                f"{design.detect!r}; look for a larger difference or less power"
            )
    least = most // 2 + 1
    return least + bisect_left(range(least, most), power, key=partial(power_of, design))


def detectable(design: Design, combinations: int, power: float = 0.8) -> float | None:
    """Return the smallest difference of the sign of ``design.detect`` that is found so often.

    Parameters
    ----------
    design
        What is compared; the size of its ``detect`` is ignored. Where a difference is so large that
        the two shares do not allow ``match``, the largest match that they allow is taken.
    combinations
        How many combinations each model is given.
    power
        Wanted probability of finding the difference, in (0, 1).

    Returns
    -------
    float or None
        The difference to four digits; None if even the largest possible one is not found so often.
    """
    sign = math.copysign(1.0, design.detect)
    room = 1 - design.baseline if sign > 0 else design.baseline
    least, most = 0.0, room - 1e-4
    if most <= 0 or power_of(_with(design, sign * most), combinations) < power:
        return None
    while most - least > 1e-5:
        middle = (least + most) / 2
        enough = power_of(_with(design, sign * middle), combinations) >= power
        least, most = (least, middle) if enough else (middle, most)
    return round(sign * most, 4)


def _with(design: Design, detect: float) -> Design:
    most = largest_match(design.baseline, detect, design.icc if design.rounds > 1 else 1.0)
    return replace(design, detect=detect, match=min(design.match, most))
