"""Thresholds in formula: random graphs, the coin-flip picture, and what a corpus can hold.

In G(n, p) each of the n (n - 1)/2 pairs of vertices is joined with probability p, independently.
At p = (log n + c)/n the last isolated vertices vanish; at p = 1/n a giant component appears. The
same happens to skills as text grows, and to tuples of skills much later.

    unparrot theory threshold gnp --n 1000000 --c 0 --trials 100
    unparrot theory threshold skills --skills 1000 --pieces 1e6 --k 8 --tuple 4 --topics 100

References
----------
Erdos and Renyi (1960), "On the evolution of random graphs", Publ. Math. Inst. Hung. Acad. Sci. 5.
"""

import math
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_count
from unparrot.theory.curve.piece import log_combinations
from unparrot.theory.roots import last_held

# Expected isolated vertices up to which `isolated_none` sums its series: P(none) is about e^-2000
# there, long below the least float64
MOST_EXPECTED = 2000.0

# Longest whole number that is written out: Python itself refuses from 4,300 digits on
MOST_DIGITS = 4000


def edge_probability(n: int, c: float) -> float:
    """Return p = (log n + c)/n, where exp(-c) isolated vertices are expected.

    Raises
    ------
    BadInput
        If n is under 2, or p is not in [0, 1].
    """
    require_count("the number n of vertices", n, 2)
    p = (math.log(n) + c) / n
    if not 0 <= p <= 1:
        raise BadInput(
            f"p = (log n + c)/n is {p:g} for n = {n:,} and c = {c:g}, not in 0..1; take c between "
            f"{-math.log(n):.4g} and {n - math.log(n):.4g}"
        )
    return p


def isolated_expected(n: int, p: float) -> float:
    """Return n (1 - p)^(n - 1), the expected number of isolated vertices of G(n, p).

    Parameters
    ----------
    n
        Vertices, at least 2.
    p
        Probability of an edge, in [0, 1].

    Raises
    ------
    BadInput
        If a number is out of range.

    Examples
    --------
    >>> round(isolated_expected(10**6, edge_probability(10**6, 0.0)), 4)
    0.9999
    """
    require_count("the number n of vertices", n, 2)
    if not 0 <= p <= 1:
        raise BadInput(f"the probability of an edge must be in 0..1, not {p!r}")
    return n * math.exp((n - 1) * math.log1p(-p)) if p < 1 else 0.0


def isolated_variance(n: int, p: float) -> float:
    """Return the variance of the number of isolated vertices, exact.

    Two vertices are both isolated with probability (1 - p)^(2n - 3), so that with the mean E it is
    E (1 + (np - 1)(1 - p)^(n - 2)).

    Parameters
    ----------
    n, p
        As for `isolated_expected`.
    """
    mean = isolated_expected(n, p)
    if p == 1:
        return 0.0
    return mean * (1 + (n * p - 1) * math.exp((n - 2) * math.log1p(-p)))


def isolated_none_limit(c: ArrayLike) -> NDArray[np.float64]:
    """Return exp(-exp(-c)), the limit of P(no isolated vertex) at p = (log n + c)/n.

    Examples
    --------
    >>> isolated_none_limit([-1, 0, 1]).round(4)
    array([0.066 , 0.3679, 0.6922])
    """
    with np.errstate(over="ignore"):  # exp(-inf) is the 0 that is meant
        return np.exp(-np.exp(-np.asarray(c, dtype=np.float64)))


def isolated_none(n: int, p: float) -> float:
    """Return the exact probability that G(n, p) has no isolated vertex.

    By inclusion and exclusion it is the sum over j of (-1)^j C(n, j) (1 - p)^(j(n-j) + j(j-1)/2),
    whose terms grow to exp(E), E the expected number, before they cancel: the sum is taken in as
    many decimal digits as that needs.

    Parameters
    ----------
    n, p
        As for `isolated_expected`.

    Raises
    ------
    BadInput
        If a number is out of range, or more than `MOST_EXPECTED` isolated vertices are expected.

    Examples
    --------
    >>> isolated_none(2, 0.3)
    0.3
    >>> round(isolated_none(10**6, edge_probability(10**6, 0.0)), 6)
    0.367912
    """
    mean = isolated_expected(n, p)
    if mean > MOST_EXPECTED:
        raise BadInput(
            f"the exact probability is summed up to {MOST_EXPECTED:g} expected isolated vertices, "
            f"not {mean:.4g}; raise p"
        )
    if p == 1:
        return 1.0
    with localcontext() as context:
        # The terms rise, then fall for good, from the 2,000 e-th on at the latest. So many digits
        # that what rounding leaves of the largest term is 0 as a float64:
        j = np.arange(min(n, 6_000))
        rises = np.log((n - j) / (j + 1)) + (n - 1 - j) * math.log1p(-p)
        context.prec = 350 + int(np.cumsum(rises).max(initial=0) / math.log(10))
        stay = 1 - Decimal(p)
        grow = stay ** (n - 1)
        term = total = Decimal(1)
        for j in range(n):
            # the steps of C(n, j) and of the exponent
            factor = grow * (n - j) / (j + 1)
            term *= -factor
            total += term
            grow /= stay
            if factor < 1 and abs(term) <= max(abs(total).scaleb(-20), Decimal("1e-340")):
                break
        return float(max(total, Decimal(0)))


def giant_share(mean_degree: ArrayLike) -> NDArray[np.float64]:
    """Return the share S of vertices in the giant component: S = 1 - exp(-mean_degree S).

    Parameters
    ----------
    mean_degree
        np, at least 0; any shape.

    Returns
    -------
    float64 of its shape: 0 up to a mean degree d of 1, then 1 + W(-d exp(-d))/d, Lambert's W.

    Raises
    ------
    BadInput
        If a mean degree is under 0 or not finite.

    Examples
    --------
    >>> giant_share([0.5, 1.0, 2.0]).round(6)
    array([0.      , 0.      , 0.796812])
    """
    degree = np.asarray(mean_degree, dtype=np.float64)
    if not (np.isfinite(degree) & (degree >= 0)).all():
        raise BadInput(f"the mean degree must be finite and at least 0, not {mean_degree!r}")
    # log(1 - S) + d S is above 0 between 0 and the root; 2 (d - 1) and 1 - exp(-d) are not below it
    d = np.maximum(degree, 1.0)
    most = np.minimum(2 * (d - 1), -np.expm1(-d))
    with np.errstate(divide="ignore"):  # where 1 - exp(-d) is 1
        return last_held(lambda share: np.log1p(-share) + d * share > 0, np.zeros_like(d), most)


def skills_without_text(skills: int, pieces: int, k: int, *, repeats: bool = True) -> float:
    """Return the expected number of skills that no piece needs: N1 (1 - 1/N1)^(k N2).

    Parameters
    ----------
    skills, pieces, k
        N1 >= 1, N2 >= 0 and k >= 1; every skill is as likely as any other.
    repeats
        Whether a piece may need a skill twice. If not: N1 (1 - k/N1)^N2.

    Raises
    ------
    BadInput
        If a number is out of range, or k > N1 without repeats.

    Examples
    --------
    >>> round(skills_without_text(1000, 1000, 8), 3)
    0.334
    """
    _require_skill_graph(skills, pieces, k)
    if repeats:
        # beyond it no skill is missed, and a product with a float would not fit one
        draws, missed = min(k * pieces, 10**305), 1 - 1 / skills
        logarithm = math.log1p(-1 / skills) if missed > 0 else -math.inf
    else:
        if k > skills:
            raise BadInput(f"k = {k} different skills cannot be drawn of {skills}; lower k")
        draws = pieces
        logarithm = math.log1p(-k / skills) if k < skills else -math.inf
    return skills * math.exp(draws * logarithm) if draws else float(skills)


def pieces_for_skills(skills: int, k: int) -> float:
    """Return N2 = N1 log(N1)/k, where one skill is expected to have no text.

    With N1 (log N1 + c)/k pieces the probability that every skill has text goes to exp(-exp(-c)),
    as for isolated vertices: the coupon collector's threshold.

    Examples
    --------
    >>> round(pieces_for_skills(1000, 8))
    863
    """
    _require_skill_graph(skills, 0, k)
    return skills * math.log(skills) / k


def tuples_seen(skills: int, pieces: int, k: int, tuple_size: int) -> float:
    """Return the expected share of k'-tuples that some piece holds.

    1 - exp(-N2 C(k, k')/C(N1, k')), for pieces of k different skills drawn uniformly, when a tuple
    is rare in one piece.

    Parameters
    ----------
    skills, pieces, k
        N1, N2, and the skills in a piece.
    tuple_size
        k', at least 1 and at most k.

    Raises
    ------
    BadInput
        If a number is out of range.

    Examples
    --------
    >>> round(tuples_seen(1000, 10**9, 8, 4), 4)
    0.8155
    """
    _require_skill_graph(skills, pieces, k)
    return -math.expm1(-pieces * _tuples_per_piece(skills, k, tuple_size))


def pieces_for_tuples(skills: int, k: int, tuple_size: int) -> float:
    """Return the N2 at which half of the k'-tuples have been seen; `tuples_seen` inverted.

    infinity where even a float cannot hold the number.
    """
    rate = _tuples_per_piece(skills, k, tuple_size)
    return math.log(2) / rate if rate > 0 else math.inf


def text_figures(
    skills: int, pieces: int, k: int, tuple_size: int, topics: int = 1, *, repeats: bool = True
) -> dict[str, Any]:
    """Return what a corpus of N2 pieces holds of the skills and the k'-tuples.

    Parameters
    ----------
    skills, pieces, k, tuple_size
        As for `tuples_seen`.
    topics
        T, at least 1.
    repeats
        As for `skills_without_text`.

    Returns
    -------
    dict
        The arguments and the figures of the functions above, by name;
        ``pieces_for_half_of_the_tuples`` is None where no float can hold it, and ``combinations``,
        T C(N1, k') exactly, if it has more than `MOST_DIGITS` digits. The logarithms are of that
        number and of T N1^k'.

    Raises
    ------
    BadInput
        If a number is out of range.

    Examples
    --------
    >>> text_figures(1000, 10**6, 8, 4)["combinations"]
    41417124750
    """
    topics = require_count("topics", topics, 1)
    half = pieces_for_tuples(skills, k, tuple_size)
    digits = log_combinations(skills, tuple_size) / math.log(10) + math.log10(topics)
    short = digits < MOST_DIGITS
    limit = float(isolated_none_limit(k * pieces / skills - math.log(skills)))
    return {
        "skills": skills,
        "pieces": pieces,
        "k": k,
        "tuple": tuple_size,
        "topics": topics,
        "skills_without_text": skills_without_text(skills, pieces, k, repeats=repeats),
        "all_skills_have_text_limit": limit,
        "pieces_for_all_skills": pieces_for_skills(skills, k),
        "tuples_seen": tuples_seen(skills, pieces, k, tuple_size),
        "pieces_for_half_of_the_tuples": half if math.isfinite(half) else None,
        "combinations": topics * math.comb(skills, tuple_size) if short else None,
        "log10_combinations": digits,
        "log10_ordered": math.log10(topics) + tuple_size * math.log10(skills),
    }


def _tuples_per_piece(skills: int, k: int, tuple_size: int) -> float:
    """C(k, k')/C(N1, k')."""
    _require_skill_graph(skills, 0, k)
    require_count("the tuple size k'", tuple_size, 1)
    if tuple_size > k:
        raise BadInput(f"the tuple size k' = {tuple_size} is above k = {k}; lower k' or raise k")
    if k > skills:
        raise BadInput(f"k = {k} different skills cannot be drawn of {skills}; lower k")
    return math.exp(log_combinations(k, tuple_size) - log_combinations(skills, tuple_size))


def _require_skill_graph(skills: int, pieces: int, k: int) -> None:
    require_count("skills", skills, 1)
    require_count("pieces", pieces, 0)
    require_count("k", k, 1)
