"""What a comparison of two models costs before any of it is spent: combinations, calls, tokens.

``unparrot plan`` prints it. The number of combinations is `unparrot.stats.power`'s; calls follow
the protocol (two turns a text, then the grading rounds), and tokens are estimated from it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Final, TypedDict

import numpy as np

from unparrot.core.errors import BadInput
from unparrot.core.skills import CRITERIA
from unparrot.stats.power import Design, combinations_needed, detectable, largest_match, power_of

GENERATION_TURNS: Final = 2


# Tokens of a conversation, assumed: the published records of Yu et al. (2023) at k = 3, at four
# characters a token. The first request, what each skill (name, definition, example) adds to it and
# to the grader's, and the request to improve the text:
PROMPT, PER_SKILL, FOLLOW_UP = 190, 70, 100
# The grader's request without skills and text, the text in it, and what it writes for a criterion:
RUBRIC, TEXT, MARK = 240, 30, 35


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of a million tokens read and written, for the students and for the grader."""

    student_in: float = 0.0
    student_out: float = 0.0
    grader_in: float = 0.0
    grader_out: float = 0.0


class PlanRow(TypedDict):
    """One way to run it, as plain data."""

    rounds: int
    combinations: int
    power: float
    detectable: float | None
    half_width: float
    texts: int
    generation_calls: int
    grading_calls: int
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """What to find, and how it is run.

    Parameters
    ----------
    baseline, detect
        Share of full marks of the first model, and how much more (or, below 0, less) the second
        must earn to be found.
    k
        Skills in a combination, at least 1.
    power, level
        Wanted probability of finding the difference, and the confidence level.
    tests
        Number of k that are compared: the level of each is Bonferroni's share, and the comparison
        itself (Holm's) finds at least as much.
    icc, match, paired
        As in `unparrot.stats.power.Design`. A match of None is half of ``icc``, or the largest
        that the shares allow: in the lab, rounds of a model correlate by about 0.3 and models next
        to each other in size by half of that.
    grading_rounds, models
        Gradings of each text, and how many of the two models are still to be run (1 or 2).
    combinations
        Number of combinations, where it is given; None to find the smallest that has the power.
    answer_tokens
        One answer of the student: text and explanation. Reasoning models write many times more.
    prices
        What tokens cost.
    """

    baseline: float
    detect: float
    k: int
    power: float = 0.8
    level: float = 0.95
    tests: int = 1
    icc: float = 0.3
    match: float | None = None
    paired: bool = True
    grading_rounds: int = 3
    models: int = 2
    combinations: int | None = None
    answer_tokens: int = 260
    prices: Prices = Prices()

    def __post_init__(self) -> None:
        for what, value, least in (
            ("k", self.k, 1),
            ("tests", self.tests, 1),
            ("grading rounds", self.grading_rounds, 0),
            ("answer tokens", self.answer_tokens, 0),
        ):
            if value < least:
                raise BadInput(f"{what} must be at least {least}, not {value!r}")
        if self.models not in (1, 2):
            raise BadInput(f"models to be run are 1 or 2, not {self.models!r}")
        for what, share in (("power", self.power), ("level", self.level)):
            if not 0 < share < 1:
                raise BadInput(f"the {what} must be above 0 and under 1, not {share!r}")

        for name, price in asdict(self.prices).items():
            if not 0 <= price < float("inf"):
                raise BadInput(f"the price {name} must be at least 0, not {price!r}")

    def design(self, rounds: int) -> Design:
        """Return the design with so many texts a combination."""
        match = self.match
        if match is None:
            match = min(self.icc / 2, largest_match(self.baseline, self.detect))
        return Design(
            baseline=self.baseline,
            detect=self.detect,
            rounds=rounds,
            icc=self.icc,
            match=match,
            paired=self.paired,
            alpha=(1 - self.level) / self.tests,
        )


def plan(spec: PlanSpec, rounds: Sequence[int]) -> list[PlanRow]:
    """Return what each number of rounds needs and costs.

    Parameters
    ----------
    spec
        What to find.
    rounds
        Numbers of texts of a model for a combination, each at least 1.

    Returns
    -------
    list of PlanRow
        One for each number of rounds. Each model is given ``combinations``; ``texts``, calls and
        tokens are those of all models to be run. ``detectable`` is the smallest difference found
        with the wanted power, None if there is none; ``half_width`` is about half the interval of
        the difference.

    Raises
    ------
    BadInput
        If a number is out of range or the difference cannot be found.
    """
    if not rounds:
        raise BadInput("give at least one number of rounds")
    return [_row(spec, count) for count in rounds]


def _row(spec: PlanSpec, rounds: int) -> PlanRow:
    design = spec.design(rounds)
    given = spec.combinations
    n = combinations_needed(design, spec.power) if given is None else given
    texts = spec.models * n * rounds
    generation, grading = GENERATION_TURNS * texts, spec.grading_rounds * texts
    skills, prices = PER_SKILL * spec.k, spec.prices
    # the second turn reads the first again
    student_in = 2 * (PROMPT + skills) + spec.answer_tokens + FOLLOW_UP
    student_out = GENERATION_TURNS * spec.answer_tokens
    grader_in, grader_out = RUBRIC + skills + TEXT, MARK * (spec.k + len(CRITERIA))
    cost = (
        texts * (student_in * prices.student_in + student_out * prices.student_out)
        + grading * (grader_in * prices.grader_in + grader_out * prices.grader_out)
    ) / 1e6
    z = NormalDist().inv_cdf((1 + spec.level) / 2)
    return {
        "rounds": rounds,
        "combinations": n,
        "power": power_of(design, n),
        "detectable": spec.detect if given is None else detectable(design, n, spec.power),
        "half_width": z * (max(0.0, design.difference_variance) / n) ** 0.5,
        "texts": texts,
        "generation_calls": generation,
        "grading_calls": grading,
        "calls": generation + grading,
        "tokens_in": texts * student_in + grading * grader_in,
        "tokens_out": texts * student_out + grading * grader_out,
        "cost": cost,
    }


def cheapest(rows: Sequence[PlanRow]) -> PlanRow:
    """Return the row that costs least, and of those the one with the fewest calls."""
    return min(rows, key=lambda row: (row["cost"], row["calls"], row["rounds"]))


def power_curve(spec: PlanSpec, rounds: int, most: int) -> tuple[list[int], list[float]]:
    """Return some 60 numbers of combinations up to ``most``, rising, and the power of each."""
    sizes = sorted({int(n) for n in np.linspace(max(2, most // 60), most, 60)})
    return sizes, [power_of(spec.design(rounds), n) for n in sizes]
