"""Which pieces a model fails: at random, in the worst way for a set, or tied to some skills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from unparrot.core.errors import BadInput
from unparrot.theory.graph.chosen import Chosen, TupleList, named_skills
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.limits import finite, finite_list, rate, skill_set


@dataclass(frozen=True, slots=True)
class RandomErrors:
    """Each piece fails with chance theta, whatever its skills."""

    theta: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "theta", rate("theta", self.theta))


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
        object.__setattr__(self, "theta", rate("theta", self.theta))


@dataclass(frozen=True, slots=True, init=False)
class ConcentratedErrors:
    """Failures fall mostly in pieces that hold one of some skills; theta of all pieces fail.

    With q the chance that a piece holds at least one of the skills, such a piece fails with chance
    ``share * theta / q`` and any other with chance ``(1 - share) * theta / (1 - q)``.

    Parameters
    ----------
    theta
        In (0, 1), the expected share of failed pieces.
    skills
        The skills that errors gather at.
    share
        The share of the failures that fall in pieces with one of the skills, in (0, 1]; 1: all.
    """

    theta: float
    skills: tuple[int, ...]
    share: float

    def __init__(self, theta: float, skills: Iterable[int], share: float = 1.0) -> None:
        object.__setattr__(self, "theta", rate("theta", theta))
        object.__setattr__(self, "skills", skill_set("the concentrated errors", skills))
        value = finite("the share of concentrated failures", share, 0.0)
        if not 0 < value <= 1:
            raise BadInput(f"the share must be above 0 and at most 1, not {share!r}")
        object.__setattr__(self, "share", value)


@dataclass(frozen=True, slots=True, init=False)
class SkillErrors:
    """Each skill has its own failure rate; a piece fails if any of its positions does.

    A piece of skills s_1 .. s_d fails with chance 1 - (1 - rates[s_1]) ... (1 - rates[s_d]): a
    skill that it holds twice is tried twice.

    Parameters
    ----------
    rates
        One number in [0, 1] for each skill.
    """

    rates: tuple[float, ...]

    def __init__(self, rates: Iterable[float]) -> None:
        values = finite_list("the failure rates of skills", rates, 0.0, 1.0)
        object.__setattr__(self, "rates", values)


Errors = RandomErrors | WorstCase | ConcentratedErrors | SkillErrors


def require_fit(spec: GraphSpec, errors: Errors) -> None:
    """Refuse errors that name what the graph does not have.

    Raises
    ------
    BadInput
        If a skill is named that is not there, a chosen tuple is longer than any piece or repeats a
        skill where pieces do not, or the number of rates is not the number of skills.
    """
    match errors:
        case RandomErrors():
            return
        case SkillErrors():
            if len(errors.rates) != spec.skills:
                raise BadInput(
                    f"{len(errors.rates)} failure rates for {spec.skills} skills; give one a skill"
                )
        case ConcentratedErrors():
            _require_skills(spec, errors.skills)
        case WorstCase():
            chosen = errors.chosen
            _require_skills(spec, named_skills(chosen))
            if chosen.tuple_size > spec.max_degree:
                raise BadInput(
                    f"k' = {chosen.tuple_size} is more than the largest degree of a piece, "
                    f"k = {spec.max_degree}; choose shorter tuples"
                )
            if isinstance(chosen, TupleList) and not spec.repeats:
                for members in chosen.tuples:
                    if any(a == b for a, b in pairwise(members)):
                        raise BadInput(
                            f"the tuple {members} repeats a skill, which pieces without repeats "
                            "cannot hold; leave it out"
                        )


def _require_skills(spec: GraphSpec, named: tuple[int, ...]) -> None:
    if named and named[-1] >= spec.skills:
        raise BadInput(
            f"skill {named[-1]} is named, but the graph has the skills 0 to {spec.skills - 1}"
        )
