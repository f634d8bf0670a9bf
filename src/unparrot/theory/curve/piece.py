"""The law of one text-piece: how much of it a set Z of skills, or of k'-tuples, can hold.

A piece of degree K carries T = C(K, k') tuples, and m = floor(K/k') of them share no position. With
Z of measure alpha the share of the piece in Z is replaced by the mean of those m independent
draws, Binomial(m, alpha)/m, which is the larger of the two in convex order (Hoeffding 1963,
section 5). `unparrot theory curve` and its bounds are computed from this law.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.stats import binom

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


class PieceLaw(NamedTuple):
    """The law of W, a piece's tuples in Z over the mean number of tuples of a piece.

    E[W] = alpha, so that the worst theta share of pieces holds E[W; worst]/alpha of Z's edges.
    """

    values: Floats  # [atoms] falling: the values of W, at least 0
    trials: NDArray[np.intp]  # [atoms] the m of the piece
    hits: NDArray[np.intp]  # [atoms] how many of its m tuples lie in Z
    weight: Floats  # [atoms] the probability of the piece's degree

    def probability(self, alpha: Floats) -> Floats:
        """Return P(W = value), shape (len(alpha), atoms), for alpha of shape (n,)."""
        return self.weight * binom.pmf(self.hits, self.trials, alpha[:, np.newaxis])


def piece_law(degree: Sequence[float], tuple_size: int) -> PieceLaw:
    """Return the law of a piece.

    Parameters
    ----------
    degree
        The probabilities of the degrees 0, 1, 2, ...
    tuple_size
        k', the skills in a tuple.

    Raises
    ------
    BadInput
        If a number is out of range, no piece has k' skills, or the law has too many values.
    """
    shares = require_distribution("the probabilities of the degrees", degree)
    tuple_size = require_count("the tuple size k'", tuple_size, 1)
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
    weight, held = (np.repeat(x, trials + 1) for x in (shares[degrees], tuples / mean))
    i = np.concatenate([np.arange(t + 1) for t in trials])
    values = held * i / np.maximum(m, 1)
    order = np.argsort(-values, kind="stable")
    return PieceLaw(values[order], m[order], i[order], weight[order])
