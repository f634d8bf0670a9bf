"""Performance curves: how badly all but an alpha share of the skills, or k'-tuples, can fare.

A model fails a theta share of the pieces. Three curves bound what its failures can do to the
worst alpha share of the tuples, and one says what they do by chance:

- `sharp`: the worst theta share of pieces holds theta CVaR_theta(X) of a set Z of measure alpha,
  with X = Binomial(m, alpha)/m and m = floor(k/k'). Exact for k' = 1. Derived in docs/theory.md.
- `entropic`: the same with D(c || alpha) = log(1/theta)/m in place of CVaR_theta(X) = c.
- `classic`: D(c || alpha) = H(theta)/(m theta), Arora and Goyal 2023 (arXiv 2307.15936).
- `luck`: errors independent of the skills; every tuple fails on theta of its pieces.

    unparrot theory curve --theta 0.05 --k 8 --tuple 2 --alpha 0.1 --bound both
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from unparrot.core.errors import BadInput
from unparrot.theory.checks import require_share, require_shares
from unparrot.theory.curve.finite import union_rate, worst_mass
from unparrot.theory.curve.piece import Degree, Floats, PieceLaw, blocks, piece_law, upper_tail
from unparrot.theory.roots import last_held

# Probabilities held at once: 16 MB an array
_BATCH = 2_000_000


def luck(theta: float, alpha: ArrayLike) -> Floats:
    """Return the curve of errors that are independent of the skills: theta for every alpha.

    Examples
    --------
    >>> luck(0.05, [0.1, 0.2])
    array([0.05, 0.05])
    """
    return np.full_like(require_shares("alpha", alpha), require_share("theta", theta))


def sharp(
    theta: float,
    alpha: ArrayLike,
    k: Degree,
    tuple_size: int = 1,
    *,
    pieces: int | None = None,
    tuples: int | None = None,
    delta: float = 1.0,
) -> Floats:
    """Return the sharp bound: no alpha share of the k'-tuples fails on more than this, on average.

    All but an alpha share of the tuples then fail on at most this share of their pieces. It falls
    with alpha, from 1 towards theta, and equals the largest power of a test of level theta that
    tells a piece met along an edge of Z from a piece drawn at random.

    Parameters
    ----------
    theta
        Share of the pieces that the model fails, in (0, 1).
    alpha
        Shares of the tuples given up as the worst, by measure, each in (0, 1); any shape.
    k
        Skills in a piece, or the probabilities of degrees 0, 1, 2, ...
    tuple_size
        k', skills in a tuple.
    pieces, tuples
        N2 and the number of tuples; both or neither. With them the bound is that of a finite
        graph, for failures over the expected number of edges of Z as in `classic`, and holds for
        all sets Z of alpha * tuples tuples at once, but for a chance of `delta`.
    delta
        The chance, in (0, 1]; 1 leaves out its term and gives the published exponent, which
        speaks of large graphs only.

    Returns
    -------
    float64 of the shape of alpha, at least theta and at most 1; for one k at most theta/alpha.

    Raises
    ------
    BadInput
        If a number is out of range, k' > k, or alpha * tuples < 1.

    Notes
    -----
    Ours; derived in docs/theory.md. Skills of a piece are drawn with repeats. Without repeats the
    bound holds as it stands for k' = 1. For k' > 1 (q'/q) sharp(q theta, q' alpha) is proved, with
    q and q' the chances that k and k' draws with repeats all differ; q is 1 - O(k^2/N1).

    Examples
    --------
    >>> sharp(0.05, [0.1, 0.5], k=8).round(6)
    array([0.179465, 0.084766])
    """
    theta = require_share("theta", theta)
    shares = require_shares("alpha", alpha)
    large = pieces is None and tuples is None
    if large and not isinstance(k, Sequence):
        bound, most = _single(theta, shares, blocks(k, tuple_size)), 1.0
    else:
        rate = None if large else union_rate(shares, pieces, tuples, delta)
        law = piece_law(k, tuple_size)
        # most: edges of a piece in Z over the mean degree, if all of them are there
        bound, most = _by_law(theta, shares, law, rate), float(law.values[-1])
    return np.clip(bound, theta, np.minimum(1.0, most * theta / shares))


def classic(
    theta: float,
    alpha: ArrayLike,
    k: int,
    tuple_size: int = 1,
    *,
    pieces: int | None = None,
    tuples: int | None = None,
    delta: float = 1.0,
) -> Floats:
    """Return the published bound: f = beta theta with D(alpha beta || alpha) = H(theta)/(m theta).

    Parameters
    ----------
    theta, alpha, tuple_size, delta
        As for `sharp`.
    k
        Skills in a piece.
    pieces, tuples
        N2 and the number of tuples M; both or neither. They add (M/N2) H(alpha)/(m theta), what a
        union over the sets Z costs on a finite graph.

    Returns
    -------
    float64 of the shape of alpha. 1 where the equation has no solution: the bound says nothing.

    Raises
    ------
    BadInput
        If a number is out of range, k is a distribution, k' > k, or alpha * tuples < 1.

    References
    ----------
    Arora and Goyal (2023), "A theory for emergence of complex skills in language models", arXiv
    2307.15936, theorem 11 and its version for k'-tuples.

    Examples
    --------
    >>> classic(0.05, [0.1, 0.5], k=8).round(6)
    array([0.246672, 0.095056])
    """
    large = pieces is None and tuples is None
    rate = 0.0 if large else union_rate(alpha, pieces, tuples, delta)
    bound, nats = _tilted("classic", classic_nats, theta, alpha, k, tuple_size, rate)
    return np.where(nats > -np.log(alpha), 1.0, bound)


def entropic(theta: float, alpha: ArrayLike, k: int, tuple_size: int = 1) -> Floats:
    """Return the bound between the two: f = c theta/alpha with D(c || alpha) = log(1/theta)/m.

    A theta share of the pieces, taken for a law of its own, has divergence log(1/theta) from all
    of them, and each of m independent draws can carry a 1/m of it. Never below `sharp`, never
    above `classic`.

    Parameters
    ----------
    theta, alpha, k, tuple_size
        As for `classic`.

    Returns
    -------
    float64 of the shape of alpha.

    Raises
    ------
    BadInput
        As for `classic`.

    Examples
    --------
    >>> entropic(0.05, [0.1, 0.5], k=8).round(6)
    array([0.216979, 0.090289])
    """
    return _tilted("entropic", entropic_nats, theta, alpha, k, tuple_size)[0]


# The bounds by name, each called with (theta, alpha, k, tuple_size)
BOUNDS: dict[str, Callable[[float, ArrayLike, int, int], Floats]] = {
    "sharp": sharp,
    "entropic": entropic,
    "classic": classic,
}


def tilted_share(alpha: Floats, nats: Floats) -> Floats:
    """Return the c in [alpha, 1] with D(c || alpha) = nats; 1 where even D(1 || alpha) is less.

    Parameters
    ----------
    alpha, nats
        Same shape; shares in (0, 1), and divergences of at least 0.
    """
    # The root is sought in x = log u, u = c/alpha - 1: c - alpha would lose its digits where c is
    # near alpha, and 1/alpha may be 1e12.
    high = np.log1p(-alpha) - np.log(alpha)
    x = last_held(lambda x: tilted_nats(alpha, np.exp(x)) < nats, high - 80.0, high)
    return np.where(nats >= -np.log(alpha), 1.0, np.minimum(alpha * (1 + np.exp(x)), 1.0))


def tilted_nats(alpha: Floats, rise: Floats) -> Floats:
    """Return D(c || alpha) for c = alpha (1 + rise), at most 1."""
    return alpha * _excess(rise) + (1 - alpha) * _excess(-_fall(alpha, rise))


def _fall(alpha: Floats, rise: Floats) -> Floats:
    """The v with 1 - c = (1 - alpha) (1 - v) for c = alpha (1 + rise), below 1."""
    return np.minimum(rise * alpha / (1 - alpha), 1 - 2.0**-53)


def _excess(x: Floats) -> Floats:
    """(1 + x) log(1 + x) - x, by its series where the difference would lose digits."""
    near = np.abs(x) < 0.02
    small = np.where(near, x, 0.0)
    series = np.zeros_like(small)
    for n in range(10, 1, -1):
        series = series * -small + 1 / (n * (n - 1))
    far = np.where(near, 1.0, x)
    return np.where(near, small**2 * series, (1 + far) * np.log1p(far) - far)


def classic_nats(theta: Floats | np.float64, m: int) -> Floats:
    """Return H(theta)/(m theta), what the classic bound lets each edge of a failed piece tell."""
    return (-np.log(theta) - (1 - theta) / theta * np.log1p(-theta)) / m


def entropic_nats(theta: Floats | np.float64, m: int) -> Floats:
    """Return log(1/theta)/m, what the entropic bound lets each edge of a failed piece tell."""
    return -np.log(theta) / m


def _tilted(
    name: str,
    nats_of: Callable[[np.float64, int], Floats],
    theta: float,
    alpha: ArrayLike,
    k: Degree,
    tuple_size: int,
    rate: Floats | float = 0.0,
) -> tuple[Floats, Floats]:
    """The bound f = c theta/alpha, at most 1, and the nats D(c || alpha) that are allowed; `rate`
    are those that a finite graph adds, by piece."""
    theta, shares = require_share("theta", theta), require_shares("alpha", alpha)
    if isinstance(k, Sequence):
        raise BadInput(
            f"the {name} bound is stated for one k, not for the degrees {tuple(k)!r}; "
            f"use the sharp bound"
        )
    m = blocks(k, tuple_size)
    nats = np.full_like(shares, nats_of(np.float64(theta), m)) + rate / (m * theta)
    return np.minimum(1.0, theta * (tilted_share(shares, nats) / shares)), nats


def _single(theta: float, alpha: Floats, m: int) -> Floats:
    """The bound for one degree: with j the quantile of J ~ Binomial(m, alpha),

    theta E[J | worst theta] = theta j + E[(J - j)+], E[(J - j)+] = m alpha P(J' >= j) - j P(J > j)
    for J' ~ Binomial(m - 1, alpha).
    """
    ends = np.full(alpha.shape, -1), np.full(alpha.shape, m)
    # smallest j with P(J > j) <= theta
    j = last_held(lambda j: upper_tail(j + 1, m, alpha) > theta, *ends) + 1
    above = theta - upper_tail(j + 1, m, alpha)
    return upper_tail(j, m - 1, alpha) + j * above / (m * alpha)


def _by_law(theta: float, alpha: Floats, law: PieceLaw, rate: Floats | None) -> Floats:
    """The bound for a law of pieces, of a finite graph where there is a rate."""
    flat = alpha.ravel()
    mass = np.empty_like(flat)
    step = max(1, _BATCH // len(law.values))
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        log_chance = law.log_probability(flat[part])
        if rate is not None:
            mass[part] = worst_mass(theta, law.values, log_chance, rate.ravel()[part])
            continue
        # fill theta from the largest values downwards
        chance = np.exp(log_chance[:, ::-1])
        before = np.cumsum(chance, axis=1) - chance
        mass[part] = np.clip(theta - before, 0, chance) @ law.values[::-1]
    return (mass / flat).reshape(alpha.shape)
