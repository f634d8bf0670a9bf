"""Error models from a few numbers: the sets and rates that `unparrot theory graph` asks for."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.graph.chosen import Chosen, Clique, RandomTuples, SkillSet, Star
from unparrot.theory.graph.error_models import SkillErrors
from unparrot.theory.graph.graph_spec import GraphSpec
from unparrot.theory.graph.limits import rate

Shape = Literal["clique", "star", "tuples"]

_HALVINGS = 60


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
    rate("alpha", share)
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
            f"alpha = {share:g} is too small: the rarest of the {len(probabilities):,} skills has "
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
        skills of the measure 1 - (1 - alpha)^(1/k'); ``'tuples'``: each tuple by a coin.
    seed
        Of the choice.

    Raises
    ------
    BadInput
        If alpha is too small for the number of skills.
    """
    rng = np.random.default_rng(seed)
    rate("alpha", alpha)
    if tuple_size == 1:
        return SkillSet(skills_of_measure(spec.probabilities, alpha, rng))
    if shape == "tuples":
        return RandomTuples(alpha, tuple_size, seed)
    if shape == "clique":
        skills = skills_of_measure(spec.probabilities, alpha ** (1 / tuple_size), rng)
        return Clique(skills, tuple_size)
    share = -np.expm1(np.log1p(-alpha) / tuple_size)
    return Star(skills_of_measure(spec.probabilities, float(share), rng), tuple_size)


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
    rate("theta", theta)
    chances, mu1 = spec.degree_probabilities, spec.probabilities
    if theta >= 1 - chances[0]:
        raise BadInput(
            f"theta = {theta:g} cannot be reached: {chances[0]:.3g} of the pieces hold no skill"
        )

    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        mean = (low + high) / 2
        fails = 1 - float(np.polynomial.polynomial.polyval(1 - mean, chances))
        low, high = (mean, high) if fails < theta else (low, mean)
    spread = -np.log((np.arange(spec.skills) + 0.5) / spec.skills)
    rates = spread * (high / float(spread @ mu1))
    if rates[0] > 1:
        raise BadInput(
            f"theta = {theta:g} would need a skill that fails with chance {rates[0]:.3g}; lower "
            "theta or raise k"
        )
    return SkillErrors(rates.tolist())
