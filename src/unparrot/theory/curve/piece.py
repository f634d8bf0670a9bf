"""The law of one text-piece: how much of it a set Z of skills, or of k'-tuples, can hold.

A piece of degree K carries T = C(K, k') tuples, and m = floor(K/k') of them share no position. With
Z of measure alpha the share of the piece in Z is replaced by the mean of those m independent
draws, Binomial(m, alpha)/m, which is the larger of the two in convex order (Hoeffding 1963,
section 5). `unparrot theory curve` and its bounds are computed from this law.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_count, require_distribution

Floats: TypeAlias = NDArray[np.float64]

# k of every piece, or the probabilities of the degrees 0, 1, 2, ...
Degree: TypeAlias = int | Sequence[float]

# Values that the share of a piece may take before its law is refused: 160 MB an array
MOST_ATOMS = 20_000_000

# Largest k that a bound is worked out for: floats count up to it
MOST_SKILLS = 2**53

# Skills in a tuple up to which combinations are counted in whole numbers on the way
EXACT = 1000


def blocks(k: int, tuple_size: int) -> int:
    """Return m = floor(k/k'), the k'-tuples in a piece of k skills that share no position.

    Raises
    ------
    BadInput
        If k or k' is not a whole number of at least 1, or k' is above k.
    """
    k = require_count("k", k, 1, MOST_SKILLS)
    tuple_size = require_count("the tuple size k'", tuple_size, 1)
    if tuple_size > k:
        raise BadInput(
            f"the tuple size k' = {tuple_size} is above k = {k}: no piece holds such a tuple; "
            f"lower k' or raise k"
        )
    return k // tuple_size


def log_combinations(skills: int, k: int) -> float:
    """Return log C(N1, k), in a float however large the number is.

    Examples
    --------
    >>> round(math.exp(log_combinations(1000, 4)))
    41417124750
    """
    require_count("skills", skills, 0)
    require_count("k", k, 0)
    if k > skills:
        raise BadInput(f"k = {k} different skills cannot be drawn of {skills}; lower k")
    fewer = min(k, skills - k)
    if fewer <= EXACT:
        return math.log(math.comb(skills, fewer))
    return -math.log1p(skills) - float(special.betaln(skills - fewer + 1.0, fewer + 1.0))


def upper_tail(hits: ArrayLike, trials: ArrayLike, alpha: ArrayLike) -> Floats:
    """Return P(Binomial(trials, alpha) >= hits), broadcast; accurate to about 1e-13 of itself.

    1 for hits <= 0 and 0 for hits > trials.
    """
    n = np.asarray(trials, dtype=np.intp)
    return cast(Floats, special.bdtrc(np.minimum(np.asarray(hits) - 1.0, n), n, alpha))


@dataclass(frozen=True, slots=True)
class PieceLaw:
    """The law of W, a piece's tuples in Z over the mean number of tuples of a piece.

    E[W] = alpha, so that the worst theta share of pieces holds E[W; worst]/alpha of Z's edges.

    Parameters
    ----------
    values
        Shape (atoms,), rising: the values of W, at least 0.
    trials, hits
        Shape (atoms,): the m of the piece and how many of its m tuples lie in Z.
    log_weight
        Shape (atoms,): log of the probability of the piece's degree.
    """

    values: Floats
    trials: Floats
    hits: Floats
    log_weight: Floats

    def log_probability(self, alpha: Floats) -> Floats:
        """Return log P(W = value), shape (len(alpha), atoms), for alpha of shape (n,)."""
        m, i, a = self.trials, self.hits, alpha[:, np.newaxis]
        choices = -np.log1p(m) - cast(Floats, special.betaln(m - i + 1, i + 1))
        return self.log_weight + choices + i * np.log(a) + (m - i) * np.log1p(-a)


def piece_law(degree: Degree, tuple_size: int) -> PieceLaw:
    """Return the law of a piece.

    Parameters
    ----------
    degree
        k, or the probabilities of the degrees 0, 1, 2, ...
    tuple_size
        k', the skills in a tuple.

    Raises
    ------
    BadInput
        If a number is out of range, no piece has k' skills, or the law has too many values.
    """
    if isinstance(degree, Sequence):
        shares = require_distribution("the probabilities of the degrees", degree)
        tuple_size = require_count("the tuple size k'", tuple_size, 1)
    else:
        blocks(degree, tuple_size)
        shares = np.zeros(int(degree) + 1)
        shares[-1] = 1.0
    degrees = np.flatnonzero(shares)
    most = int(degrees[-1])
    if tuple_size > most:
        raise BadInput(
            f"no piece has k' = {tuple_size} skills: the largest degree is {most}; lower k'"
        )
    trials = degrees // tuple_size
    if int(trials.sum()) + len(trials) > MOST_ATOMS:
        raise BadInput(
            f"degrees up to {most:,} give {int(trials.sum()):,} values of a piece's "
            f"share, above {MOST_ATOMS:,}; merge degrees into fewer"
        )
    # The ratio of two whole numbers is rounded once, however large they are.
    whole = math.comb(most, tuple_size)
    tuples = np.array([math.comb(int(d), tuple_size) / whole for d in degrees])
    mean = float(shares[degrees] @ tuples)
    m = np.repeat(trials, trials + 1)
    i = np.concatenate([np.arange(t + 1) for t in trials])
    values = np.repeat(tuples / mean, trials + 1) * i / np.maximum(m, 1)
    weight = np.repeat(np.log(shares[degrees]), trials + 1)
    order = np.argsort(values, kind="stable")
    return PieceLaw(
        values[order], m[order].astype(np.float64), i[order].astype(np.float64), weight[order]
    )
