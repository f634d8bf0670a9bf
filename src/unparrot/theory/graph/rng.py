"""The counter-based generator: every random number of a graph is a pure function of its place.

There is no state. A 64-bit word follows from (seed, stream, index, piece) alone, so any piece can
be made at any time on any thread, and always comes out the same. All arithmetic is on
64-bit integers modulo 2^64, ``>>`` is the logical shift (zeros come in)::

    mix(z)  :   z ^= z >> 30;  z *= 0xBF58476D1CE4E5B9
                z ^= z >> 27;  z *= 0x94D049BB133111EB
                z ^= z >> 31
    key(seed, stream, index)         = mix(mix(mix(seed + G) + G * (stream + 1)) + G * (index + 1))
    word(seed, stream, index, piece) = mix(key(seed, stream, index) + G * piece)
    G = 0x9E3779B97F4A7C15

For a fixed key the words of pieces 0, 1, 2, ... are SplitMix64 (Steele, Lea and Flood 2014, with
the finaliser that Stafford calls variant 13), which passes TestU01's BigCrush. The keys place each
(seed, stream, index) at an unrelated point of the same cycle of 2^64; two of them come within
2^40 of each other with a chance of 2^-23.

Measured with PractRand 0.95 (core tests): no anomaly in 16 GiB of the words of consecutive pieces,
the four of a piece side by side; none in 16 GiB of draws in [0, 256), four a word; none that
stayed in 4 GiB each of words of consecutive seeds, of consecutive indices, of redraws, and of
draws in [0, 768).

From words to a graph
---------------------
Let N be the number of skills, b = max(1, bit length of N - 1) and f = 64 - b.

*Coin.* ``word >> 11`` is a whole number m under 2^53. An event of chance x happens where
m < ceil(x * 2^53), that is m * 2^-53 < x.

*Draws in [0, n), n <= N, several from one word* (Lemire and Brackett-Rozinsky 2024, with the low
part kept). Start from the fraction u = word >> b, of f bits. A draw is x = u * n, which fits 64
bits; its value is x >> f, and u becomes the low f bits of x for the next draw. After j draws the
chance of any outcome is within N^j / 2^f of its due, relative to that. One word therefore gives
D = the largest j with N^j <= 2^(f - 24) draws, at least 1 and at most 32 (3 for 1,000 skills, 10
for 10), and the relative bias is at most 2^-24: 2^48 draws would be needed to see it.

*Alias draw* from n <= 2^20 values with the table of `alias_table`, one word each, b
and f those of n: u = word >> b, x = u * n, column c = x >> f, coin = (the low f bits of
x) >> (f - 44), entry e = table[c]; the value is c where coin < e >> 20, else e & (2^20 - 1).

*Degree* of a piece: fixed, or an alias draw among the degrees 0, 1, 2, ... from the word
(DEGREES, index 0).

*Skills* of a piece of degree d, positions p = 0 .. d - 1:

========================  =========================================================================
uniform, repeats          position p is draw p mod D of the word (SKILLS, index p div D), n = N
other, repeats            position p is an alias draw from the word (SKILLS, index p)
uniform, no repeats       as the first, but n = N - d + p + 1; a value already in the piece is
                          replaced by n - 1 (Floyd's method: all d-sets are equally likely)
other, no repeats         as the second; while the value is already in the piece, draw again from
                          the word (REDRAWS, index p * 2^32 + r), r = 1, 2, ... (successive
                          sampling: each skill by its frequency among those not yet there)
========================  =========================================================================

*Failure* of a piece: the coin of the word (FAILURES, index 0), with a chance set by the errors.

References
----------
Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA.
Lemire and Brackett-Rozinsky (2024), "Batched ranged random integer generation", Softw. Pract. Exp.
Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC11.
Bentley and Floyd (1987), "A sample of brilliance", CACM 30(9).
Walker (1977), "An efficient method for generating discrete random variables with general
distributions", ACM TOMS 3, and Vose (1991), "A linear algorithm for generating random numbers with
a given distribution", IEEE TSE 17, for alias tables: a fair draw of a column, then a biased coin
between the column's own value and its alias.
"""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.jit import inner_kernel, kernel
from unparrot.theory.graph.graph_spec import SKILLS_LIMIT

# Streams: what a word is for
SKILLS, DEGREES, FAILURES, REDRAWS, SAMPLE = 0, 1, 2, 3, 5

BIAS_BITS = 24  # a draw's relative bias is at most 2^-24
MOST_DRAWS = 32  # from one word, where the bias would allow more
ALIAS_BITS = 20  # low bits of an alias table's entry: the alias
COIN_BITS = 44  # its high bits: the column's own value has the chance entry / 2^44

GAMMA = np.uint64(0x9E3779B97F4A7C15)
RETRY_SHIFT = np.uint64(32)
COIN_SHIFT = np.uint64(11)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_1, _27, _30, _31 = np.uint64(1), np.uint64(27), np.uint64(30), np.uint64(31)
ALIAS_MASK = np.uint64((1 << ALIAS_BITS) - 1)
_ALIAS_BITS, _COIN_BITS = np.uint64(ALIAS_BITS), np.uint64(COIN_BITS)

Words = NDArray[np.uint64]
Mixed = TypeVar("Mixed", np.uint64, Words)


def mixed(z: Mixed) -> Mixed:
    """Return mix(z), SplitMix64's finaliser, of each word of an array: a bijection."""
    z = (z ^ (z >> _30)) * _FIRST  # pyright: ignore[reportAssignmentType]
    z = (z ^ (z >> _27)) * _SECOND  # pyright: ignore[reportAssignmentType]
    return z ^ (z >> _31)  # pyright: ignore[reportReturnType]


mix = inner_kernel(mixed)  # the same, of one word, for kernels


@inner_kernel
def index_key(base: np.uint64, index: np.uint64) -> np.uint64:
    """Return the key of a word's index, from its stream's `stream_key`."""
    return mix(base + GAMMA * (index + _1))


def stream_key(seed: int, stream: int) -> np.uint64:
    """Return the part of a key that seed and stream determine: mix(mix(seed + G) + G (stream + 1)).

    Parameters
    ----------
    seed
        0 <= seed < 2^64.
    stream
        One of the streams above.
    """
    of_seed = mixed(np.array([seed], dtype=np.uint64) + GAMMA)
    return mixed(of_seed + GAMMA * np.array([stream + 1], dtype=np.uint64))[0]


def keys(seed: int, stream: int, indices: int) -> Words:
    """Return the keys of indices 0 .. indices - 1, uint64 [indices]."""
    return mixed(stream_key(seed, stream) + GAMMA * np.arange(1, indices + 1, dtype=np.uint64))


def words(seed: int, stream: int, index: int, pieces: NDArray[np.integer]) -> Words:
    """Return the words of many pieces, uint64 of their shape: the definition in numpy.

    Examples
    --------
    >>> [hex(w) for w in words(7, SKILLS, 0, np.arange(2)).tolist()]
    ['0xe46a597c301f5ca6', '0x2bf6f81349ecc50e']
    """
    key = mixed(stream_key(seed, stream) + GAMMA * np.array([index + 1], dtype=np.uint64))
    return mixed(key[0] + GAMMA * pieces.astype(np.uint64))


def coin_threshold(chance: float) -> np.uint64:
    """Return ceil(chance * 2^53): a coin under it has that chance, to within 2^-53.

    Examples
    --------
    >>> int(coin_threshold(0.5)) == 2**52, int(coin_threshold(1.0)) == 2**53
    (True, True)
    """
    return np.uint64(math.ceil(chance * 2.0**53))


def fraction_bits(n: int) -> int:
    """Return f: the bits of the fraction that a draw among n values starts from.

    Examples
    --------
    >>> fraction_bits(1000), fraction_bits(1024), fraction_bits(1)
    (54, 54, 63)
    """
    return 64 - max(1, (n - 1).bit_length())


def draws_a_word(n: int) -> int:
    """Return D: how many draws in [0, n) one word gives.

    Examples
    --------
    >>> [draws_a_word(n) for n in (1, 10, 1000, 10_000, 1_000_000)]
    [32, 10, 3, 1, 1]
    """
    bound = 1 << (fraction_bits(n) - BIAS_BITS)
    return max([1] + [j for j in range(1, MOST_DRAWS + 1) if n**j <= bound])


@inner_kernel
def alias_draw(word: np.uint64, bits: np.uint64, table: Words) -> np.uint64:
    """Draw one of the values of an alias table by a word, of which a draw uses `bits` bits."""
    x = (word >> (np.uint64(64) - bits)) * np.uint64(len(table))
    column = x >> bits
    coin = (x & ((_1 << bits) - _1)) >> (bits - _COIN_BITS)
    entry = table[column]
    return column if coin < (entry >> _ALIAS_BITS) else entry & ALIAS_MASK


def alias_table(probabilities: NDArray[np.float64]) -> Words:
    """Return the alias table of a distribution, uint64 [n], n <= 2^20.

    Entry c is ``threshold << ALIAS_BITS | alias``: from column c the value is c where a fair coin
    of COIN_BITS bits is under the threshold, else the alias (a full column is its own alias). A
    value of probability 0 is never drawn; any other has its probability to within 2^-44 (absolute,
    all columns together).

    Parameters
    ----------
    probabilities
        Float64 [n], not negative, summing to 1.

    Examples
    --------
    >>> table = alias_table(np.array([0.75, 0.25]))
    >>> [(int(e) >> 20) / 2**44 for e in table], [int(e) & 0xFFFFF for e in table]
    ([0.0, 0.5], [0, 0])
    """
    n = len(probabilities)
    if not 1 <= n <= SKILLS_LIMIT:
        raise BadInput(f"an alias table takes 1 to {SKILLS_LIMIT:,} values, not {n:,}")
    share = np.ascontiguousarray(probabilities, dtype=np.float64) * n
    alias = np.arange(n, dtype=np.int64)
    _pair_columns(share, alias, np.empty(n, np.int64))
    own = alias == np.arange(n)
    thresholds = np.rint(np.clip(share, 0.0, 1.0) * 2.0**COIN_BITS).astype(np.uint64)
    # 2^44 does not fit: a column that is its own alias gives its value whatever the coin says
    thresholds[own] = 0
    thresholds[~own] = np.minimum(thresholds[~own], np.uint64(2**COIN_BITS - 1))
    return (thresholds << _ALIAS_BITS) | alias.astype(np.uint64)


@kernel
def _pair_columns(
    share: NDArray[np.float64], alias: NDArray[np.int64], stack: NDArray[np.int64]
) -> None:
    """Fill each column that has under its share from one that has over (Vose's two stacks)."""
    n = len(share)
    under, over = 0, n
    for c in range(n):
        if share[c] < 1.0:
            stack[under] = c
            under += 1
        else:
            over -= 1
            stack[over] = c
    while under > 0 and over < n:
        small, large = stack[under - 1], stack[over]
        alias[small] = large
        share[large] -= 1.0 - share[small]
        under -= 1
        if share[large] < 1.0:
            over += 1
            stack[under] = large
            under += 1
    # what rounding leaves over holds its full share
    share[stack[:under]] = 1.0
    share[stack[over:]] = 1.0
