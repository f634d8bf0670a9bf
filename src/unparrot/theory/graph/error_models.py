"""Which pieces a model fails: at random, in the worst way for a set, or tied to some skills.

A set Z of skills, or of k'-tuples of skills, is what the adversary of `WorstCase` wants failed. A
k'-tuple of a piece is a choice of k' of its positions i < j < ...; a piece of degree d has C(d, k')
of them. With repeats a tuple may name one skill twice, and as a set of tuples all of them together
have the measure mu1^k'. Which tuples of a piece lie in Z does not depend on the order of its
skills.

`chosen_of_measure`, `skills_of_measure` and `spread_rates` make sets and rates from a few numbers,
as `unparrot theory graph` asks for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.wording import plural
from unparrot.theory.checks import finite_list, require_count, require_share
from unparrot.theory.graph.graph_spec import DEGREE_LIMIT, SKILLS_LIMIT, GraphSpec
from unparrot.theory.roots import crossing

Shape = Literal["clique", "star"]


@dataclass(frozen=True, slots=True)
class _OfSkills:
    skills: Sequence[int]
    tuple_size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "skills", _skill_set("the chosen set", self.skills))
        require_count("k'", self.tuple_size, 1, DEGREE_LIMIT)


@dataclass(frozen=True, slots=True)
class Clique(_OfSkills):
    """All k'-tuples whose skills are all among those named; with k' = 1 those skills."""


@dataclass(frozen=True, slots=True)
class Star(_OfSkills):
    """All k'-tuples that hold at least one of the skills named."""


Chosen = Clique | Star


@dataclass(frozen=True, slots=True)
class RandomErrors:
    """Each piece fails with chance theta, whatever its skills."""

    theta: float

    def __post_init__(self) -> None:
        require_share("theta", self.theta)


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The theta share of the pieces that hold the most tuples of a set fail.

    Exactly round(theta * pieces) pieces fail (halves up): all with more than t of their tuples in
    the set, and of those with exactly t the first ones by index, which is as good a choice as any
    since pieces are alike given their count.

    Parameters
    ----------
    theta
        In (0, 1).
    chosen
        The set Z of skills or tuples.
    """

    theta: float
    chosen: Chosen

    def __post_init__(self) -> None:
        require_share("theta", self.theta)


@dataclass(frozen=True, slots=True)
class ConcentratedErrors:
    """Failures fall in pieces that hold one of some skills; theta of all pieces fail.

    With q the chance that a piece holds at least one of the skills, such a piece fails with chance
    ``theta / q``, and no other fails.

    Parameters
    ----------
    theta
        In (0, 1), the expected share of failed pieces.
    skills
        The skills that errors gather at.
    """

    theta: float
    skills: Sequence[int]

    def __post_init__(self) -> None:
        require_share("theta", self.theta)
        object.__setattr__(self, "skills", _skill_set("the concentrated errors", self.skills))


@dataclass(frozen=True, slots=True)
class SkillErrors:
    """Each skill has its own failure rate; a piece fails if any of its positions does.

    A piece of skills s_1 .. s_d fails with chance 1 - (1 - rates[s_1]) ... (1 - rates[s_d]): a
    skill that it holds twice is tried twice.

    Parameters
    ----------
    rates
        One number in [0, 1] for each skill.
    """

    rates: Sequence[float]

    def __post_init__(self) -> None:
        values = finite_list("the failure rates of skills", self.rates, 0.0, 1.0)
        object.__setattr__(self, "rates", values)


Errors = RandomErrors | WorstCase | ConcentratedErrors | SkillErrors


def _skill_set(name: str, values: Sequence[Any]) -> tuple[int, ...]:
    """Return skills in rising order; refuse an empty set, or a skill named twice or too large."""
    skills = sorted(
        require_count(f"a skill of {name}", value, 0, SKILLS_LIMIT - 1) for value in values
    )
    if not skills:
        raise BadInput(f"{name} holds no skill; name at least one")
    for skill, following in pairwise(skills):
        if skill == following:
            raise BadInput(f"{name} names skill {skill} more than once; name each once")
    return tuple(skills)


def require_fit(spec: GraphSpec, errors: Errors) -> None:
    """Refuse errors that name what the graph does not have.

    Raises
    ------
    BadInput
        If a skill is named that is not there, a chosen tuple is longer than any piece, or the
        number of rates is not the number of skills.
    """
    if isinstance(errors, SkillErrors) and len(errors.rates) != spec.skills:
        raise BadInput(
            f"{plural(len(errors.rates), 'failure rate')} for {plural(spec.skills, 'skill')}; "
            "give one a skill"
        )
    chosen = errors.chosen if isinstance(errors, WorstCase) else errors
    named = chosen.skills if isinstance(chosen, _OfSkills | ConcentratedErrors) else ()
    if max(named, default=0) >= spec.skills:
        raise BadInput(
            f"skill {max(named)} is named, but the graph has the skills 0 to {spec.skills - 1}"
        )
    if isinstance(errors, WorstCase) and errors.chosen.tuple_size > spec.max_degree:
        raise BadInput(
            f"k' = {errors.chosen.tuple_size} is more than the largest degree of a piece, "
            f"k = {spec.max_degree}; choose shorter tuples"
        )


def skills_of_measure(
    probabilities: NDArray[np.float64], share: float, rng: np.random.Generator
) -> tuple[int, ...]:
    """Return different skills whose measure is the share asked for, or a little under it.

    They are taken in random order, each if it still fits. Where all are alike they are the first
    ones instead: any set is as good as another.

    Parameters
    ----------
    probabilities
        mu1, float64 [N1].
    share
        In (0, 1).

    Raises
    ------
    BadInput
        If even the rarest skill is more than the share.

    Examples
    --------
    >>> skills_of_measure(np.full(10, 0.1), 0.3, np.random.default_rng(0))
    (0, 1, 2)
    """
    require_share("alpha", share)
    room = share * (1 + 1e-12)
    if (probabilities == probabilities[0]).all():
        chosen = list(range(int(room * len(probabilities))))
    else:
        chosen: list[int] = []
        held = 0.0
        for skill in rng.permutation(np.flatnonzero(probabilities)).tolist():
            if held + probabilities[skill] <= room:
                held += float(probabilities[skill])
                chosen.append(skill)
    if not chosen:
        least = float(probabilities[probabilities > 0].min())
        raise BadInput(
            f"alpha = {share:g} is too small: the rarest of the skills has "
            f"the measure {least:.3g}; raise alpha or the number of skills"
        )
    return tuple(sorted(chosen))


def chosen_of_measure(
    spec: GraphSpec, alpha: float, tuple_size: int, shape: Shape, seed: int
) -> Chosen:
    """Return a set Z of k'-tuples of about the measure alpha.

    Parameters
    ----------
    spec
        The graph that they are of.
    alpha
        In (0, 1).
    tuple_size
        k'; with 1 the set is one of skills, whatever the shape.
    shape
        ``'clique'``: all tuples of skills of the measure alpha^(1/k'); ``'star'``: all that touch
        skills of the measure 1 - (1 - alpha)^(1/k').
    seed
        Of the choice.

    Raises
    ------
    BadInput
        If alpha is too small for the number of skills.
    """
    rng = np.random.default_rng(seed)
    require_share("alpha", alpha)
    if tuple_size == 1 or shape == "clique":
        made, share = Clique, alpha ** (1 / tuple_size)
    else:
        made, share = Star, float(-np.expm1(np.log1p(-alpha) / tuple_size))
    return made(skills_of_measure(spec.probabilities, share, rng), tuple_size)


def spread_rates(spec: GraphSpec, theta: float) -> SkillErrors:
    """Return failure rates of the skills that spread like waiting times, and fail theta of pieces.

    Skill s has the (s + 1/2) / N1 quantile of an exponential law, the first the worst, scaled so
    that pieces fail with chance theta: 1 - G(1 - r) = theta for the mean rate r and the generating
    function G of the degree, since positions fail independently.

    Raises
    ------
    BadInput
        If theta is so large that a rate would exceed 1, or larger than the share of pieces that
        hold a skill.

    Notes
    -----
    Exact with repeats. Without them, and with uneven frequencies, theta is met approximately.
    """
    require_share("theta", theta)
    chances, mu1 = spec.degree_probabilities, spec.probabilities
    if theta >= 1 - chances[0]:
        raise BadInput(
            f"theta = {theta:g} cannot be reached: {chances[0]:.3g} of the pieces hold no skill"
        )

    def passes(mean: float) -> float:
        return float(np.polynomial.polynomial.polyval(1 - mean, chances))

    mean = crossing(passes, 1 - theta, 0, 1, tolerance=1e-300)
    spread = -np.log((np.arange(spec.skills) + 0.5) / spec.skills)
    rates = spread * (mean / float(spread @ mu1))
    if rates[0] > 1:
        raise BadInput(
            f"theta = {theta:g} would need a skill that fails with chance {rates[0]:.3g}; lower "
            "theta or raise k"
        )
    return SkillErrors(rates.tolist())
