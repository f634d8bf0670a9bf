"""How often the corpus of a model shows each skill and topic, and what combinations share in it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination

# Logarithm of what a float can hold, with room.
_MOST_LOG: Final = 690.0
# Pairs of combinations held at once: 32 MB of them.
_CHUNK: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class CorpusRates:
    """The rate of every skill and topic by name: the share of the corpus' windows that show it."""

    skills: Mapping[str, float]
    topics: Mapping[str, float]

    def overlap(self, combinations: Sequence[SkillCombination], windows: float) -> float:
        """Return how much more the number of seen combinations varies than if none overlapped.

        See `overlap`; ``windows`` is M times rho.
        """
        place = {name: i for i, name in enumerate(self.skills)}
        about = {name: len(place) + i for i, name in enumerate(self.topics)}
        shows = np.zeros((len(combinations), len(place) + len(about)), dtype=np.bool_)
        for row, combination in zip(shows, combinations, strict=True):
            row[[about[combination.topic], *(place[name] for name in combination.skills)]] = True
        rates = np.log([*self.skills.values(), *self.topics.values()])
        return overlap(shows, rates, windows)

    def require(self, combinations: Sequence[SkillCombination]) -> None:
        """Refuse combinations that the rates do not cover: those of another pack, say.

        Raises
        ------
        BadInput
            If a skill or a topic has no rate; the message names some.
        """
        requested = {name for combination in combinations for name in combination.skills}
        for kind, names, rates in (
            ("skills", requested, self.skills),
            ("topics", {combination.topic for combination in combinations}, self.topics),
        ):
            missing = sorted(names.difference(rates))
            if missing:
                some = ", ".join(map(repr, missing[:3]))
                raise BadInput(
                    f"the rates lack {len(missing)} of the {len(names)} {kind} that the run asks "
                    f"for, among them {some}; they may be of another pack"
                )


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
