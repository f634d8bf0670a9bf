"""A battery for the counter-based generator: known answers, and tests of words and of draws.

Every test of chance has a fixed seed, a p-value from an exact or asymptotic law, and shares one
error rate over all cases of the file (Bonferroni): a sound generator with other seeds would fail
one of them less than once in a thousand runs.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from unparrot.theory.graph.error_models import RandomErrors
from unparrot.theory.graph.graph_spec import GraphSpec, PowerLaw
from unparrot.theory.graph.rng import (
    DEGREES,
    FAILURES,
    SKILLS,
    coin_threshold,
    draws_a_word,
    fraction_bits,
    keys,
    mixed,
    stream_key,
    words,
)
from unparrot.theory.graph.simulate import simulate
from unparrot.theory.graph.stored import store_graph

LEVEL = 1e-3
CASES = 400
"""More than the p-values that the tests of this file look at together."""

Words = NDArray[np.uint64]


def require_likely(p_values: list[float]) -> None:
    assert min(p_values) > LEVEL / CASES, sorted(p_values)[:5]


def chi_square(counts: NDArray[np.integer]) -> float:
    """Two-sided p-value of counts that should be equal: neither too uneven nor too even."""
    expected = counts.sum() / counts.size
    assert expected > 20
    statistic = float(((counts - expected) ** 2).sum() / expected)
    upper = float(stats.chi2.sf(statistic, counts.size - 1))
    return 2 * min(upper, 1 - upper)


def byte_tests(series: Words) -> list[float]:
    """Chi-square of each of the eight bytes, and of neighbours' top bytes together."""
    parts = series.view(np.uint8).reshape(-1, 8)
    found = [chi_square(np.bincount(parts[:, at], minlength=256)) for at in range(8)]
    top = parts[:, 7].astype(np.int64)
    low = parts[:, 0].astype(np.int64)
    found.append(chi_square(np.bincount(top[1:] * 256 + top[:-1], minlength=65536)))
    found.append(chi_square(np.bincount(top * 256 + low, minlength=65536)))
    return found


def mix_int(z: int) -> int:
    return int(mixed(np.array([z % 2**64], np.uint64))[0])


def consecutive(kind: str, n: int) -> Words:
    """Words whose seed, stream, index or piece runs through consecutive numbers."""
    one = np.zeros(1, np.int64)
    match kind:
        case "pieces":
            return words(5, SKILLS, 0, np.arange(n))
        case "far pieces":
            return words(5, SKILLS, 0, np.arange(n) + 10**10)
        case "indices":
            return keys(5, SKILLS, n)
        case "seeds":
            return np.concatenate([words(seed, SKILLS, 0, one) for seed in range(n)])
        case _:
            return np.concatenate([words(5, stream, 0, one) for stream in range(n)])


def test_published_output_of_splitmix64() -> None:
    # Rosetta Code, "Pseudo-random numbers/Splitmix64", seed 1234567; the key of index i is the
    # (i + 1)-th output of the generator seeded with the key of the stream
    gamma = 0x9E3779B97F4A7C15
    assert [mix_int(1234567 + gamma * i) for i in range(1, 6)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_the_definition_word_by_word() -> None:
    gamma = 0x9E3779B97F4A7C15
    for seed, stream, index, piece in [(0, 0, 0, 0), (2**64 - 1, 3, (7 << 32) + 9, 2**39 + 1)]:
        key = mix_int(mix_int(mix_int(seed + gamma) + gamma * (stream + 1)) + gamma * (index + 1))
        assert int(words(seed, stream, index, np.array([piece]))[0]) == mix_int(key + gamma * piece)
        assert int(stream_key(seed, stream)) == mix_int(
            mix_int(seed + gamma) + gamma * (stream + 1)
        )


@pytest.mark.parametrize(
    ("kind", "n"),
    [("pieces", 1 << 21), ("far pieces", 1 << 21), ("indices", 1 << 17), ("seeds", 1 << 16)],
)
def test_bytes_are_uniform_and_neighbours_independent(kind: str, n: int) -> None:
    series = consecutive(kind, n)
    if n < 1 << 21:
        parts = series.view(np.uint8).reshape(-1, 8)
        require_likely([chi_square(np.bincount(parts[:, at], minlength=256)) for at in range(8)])
    else:
        require_likely(byte_tests(series))


@pytest.mark.parametrize(
    "other",
    [(6, SKILLS, 0, 0), (5, FAILURES, 0, 0), (5, DEGREES, 0, 0), (5, SKILLS, 1, 0)]
    + [(5, SKILLS, 0, lag) for lag in (1, 2, 3, 1 << 10, 1 << 32)]
    + [(5 + 2**32, SKILLS, 0, 0), (5 + 2**63, SKILLS, 0, 0)],
)
def test_neighbouring_series_are_independent(other: tuple[int, int, int, int]) -> None:
    seed, stream, index, lag = other
    n = 1 << 21
    one, two = words(5, SKILLS, 0, np.arange(n)), words(seed, stream, index, np.arange(n) + lag)
    found = byte_tests(one ^ two)
    joint = (one >> np.uint64(56)) * np.uint64(256) + (two >> np.uint64(56))
    found.append(chi_square(np.bincount(joint.astype(np.int64), minlength=65536)))
    both = np.corrcoef((one >> np.uint64(11)).astype(float), (two >> np.uint64(11)).astype(float))
    found.append(2 * float(stats.norm.sf(abs(both[0, 1]) * n**0.5)))
    require_likely(found)


def test_every_bit_is_balanced_alone_and_with_every_other() -> None:
    n = 1 << 17
    bits = np.unpackbits(words(9, SKILLS, 2, np.arange(n)).view(np.uint8)).reshape(n, 64)
    signs = 2.0 * bits - 1
    z = np.concatenate([signs.sum(axis=0), (signs.T @ signs)[np.triu_indices(64, 1)]]) / n**0.5
    require_likely(
        [
            float(z.size * 2 * stats.norm.sf(abs(z).max())),
            float(2 * min(stats.chi2.cdf(z @ z, z.size), stats.chi2.sf(z @ z, z.size))),
        ]
    )


@pytest.mark.parametrize("argument", ["piece", "seed"])
def test_avalanche(argument: str) -> None:
    """Turning one bit of an argument turns each bit of the word with chance 1/2."""
    n, bits = (4096, 40) if argument == "piece" else (512, 64)
    z: list[float] = []
    for bit in range(bits):
        if argument == "piece":
            # pieces as they come, so that the inputs have little randomness of their own
            pieces = np.arange(n)
            turned = words(3, SKILLS, 0, pieces) ^ words(3, SKILLS, 0, pieces ^ (1 << bit))
        else:
            zero = np.zeros(1, np.int64)
            turned = np.concatenate(
                [
                    words(seed, SKILLS, 0, zero) ^ words(seed ^ (1 << bit), SKILLS, 0, zero)
                    for seed in range(n)
                ]
            )
        ones = np.unpackbits(turned.view(np.uint8)).reshape(n, 64).sum(axis=0)
        # for a low bit the n differences come in equal pairs (x, x ^ bit): half of them count
        units = n // 2 if 1 << bit < n else n
        z += ((ones / n - 0.5) * 2 * units**0.5).tolist()
    square = float(np.square(z).sum())
    require_likely(
        [
            float(len(z) * 2 * stats.norm.sf(np.abs(z).max())),
            float(2 * min(stats.chi2.cdf(square, len(z)), stats.chi2.sf(square, len(z)))),
        ]
    )


def test_equal_words_are_as_frequent_as_by_chance() -> None:
    # 2^20 values of 34 bits: 2^20 (2^20 - 1) / 2^35 = 32 pairs are expected to be equal
    found = []
    for shift in (0, 13, 30):
        values = (words(1, SKILLS, 0, np.arange(1 << 20)) >> np.uint64(shift)) % np.uint64(1 << 34)
        equal = int((np.diff(np.sort(values)) == 0).sum())
        found += [float(stats.poisson.cdf(equal, 32)), float(stats.poisson.sf(equal - 1, 32))]
    require_likely(found)


def test_rank_of_binary_matrices() -> None:
    """A 64 x 64 matrix of words has full rank with chance 0.2888, one less with 0.5776."""
    n = 3000
    rows = words(8, SKILLS, 0, np.arange(64 * n)).reshape(n, 64).copy()
    rank = np.zeros(n, np.int64)
    for bit in range(64):
        has = (rows >> np.uint64(bit)) & np.uint64(1) == 1
        pivot = np.where(has.any(axis=1), has.argmax(axis=1), -1)
        which = np.flatnonzero(pivot >= 0)
        row = rows[which, pivot[which]].copy()
        rows[which] = np.where(has[which], rows[which] ^ row[:, None], rows[which])
        rank[which] += 1
    product = np.prod(1 - 0.5 ** np.arange(1.0, 65))
    chance = [product, 2 * product]
    counts = [(rank == 64).sum(), (rank == 63).sum(), (rank < 63).sum()]
    expected = n * np.array([*chance, 1 - sum(chance)])
    require_likely([float(stats.chisquare(counts, expected).pvalue)])


@pytest.mark.parametrize("skills", [1, 2, 3, 7, 10, 100, 999, 1000, 1024, 65_537, 1_000_003, 2**20])
def test_draws_a_word_keep_the_bias_below_2_to_the_minus_24(skills: int) -> None:
    draws, bits = draws_a_word(skills), fraction_bits(skills)
    assert skills <= 2 ** (64 - bits)
    assert skills**draws <= 2 ** (bits - 24) or skills == 2**20
    assert draws == 32 or skills ** (draws + 1) > 2 ** (bits - 24)


def stored(skills: int, pieces: int, degree: int, seed: int = 0) -> NDArray[np.int64]:
    """Skills of pieces, int64 [pieces, degree]."""
    graph = store_graph(GraphSpec(skills, pieces, degree, seed=seed), RandomErrors(0.5))
    return graph.skills.reshape(pieces, degree).astype(np.int64)


@pytest.mark.parametrize("skills", [2, 3, 10, 100, 777, 1000, 1024, 4099])
def test_skills_are_uniform_at_every_position(skills: int) -> None:
    drawn = stored(skills, 200_000, 4)
    require_likely([chi_square(np.bincount(drawn[:, p], minlength=skills)) for p in range(4)])


@pytest.mark.parametrize("skills", [7, 30])
def test_two_positions_of_a_piece_and_of_the_next_are_independent(skills: int) -> None:
    # 7: all eight positions from one word; 30: from two
    drawn = stored(skills, 300_000, 8, seed=4)
    found = [
        chi_square(np.bincount(a * skills + b, minlength=skills**2))
        for p in range(8)
        for q in range(8)
        for a, b in [(drawn[1:, p], drawn[:-1, q])]
    ]
    found += [
        chi_square(np.bincount(drawn[:, p] * skills + drawn[:, q], minlength=skills**2))
        for p in range(8)
        for q in range(p)
    ]
    require_likely(found)


def test_three_positions_of_one_word_are_independent() -> None:
    drawn = stored(20, 400_000, 3, seed=5)
    joint = (drawn[:, 0] * 20 + drawn[:, 1]) * 20 + drawn[:, 2]
    require_likely([chi_square(np.bincount(joint, minlength=8000))])


def test_degrees_scatter_as_binomial_counts_do() -> None:
    """Over 40 seeds, the chi-square of 1,000 degrees is neither too large nor too small."""
    found = []
    for seed in range(40):
        counts = simulate(GraphSpec(1000, 50_000, 8, seed=seed), RandomErrors(0.05))
        expected = counts.edges / 1000
        found.append(float(((counts.degree - expected) ** 2).sum() / expected))
    total = sum(found)
    law = stats.chi2(999 * 40)
    spread = stats.kstest(found, stats.chi2(999).cdf).pvalue
    require_likely([2 * min(law.cdf(total), law.sf(total)), float(spread)])


def test_failures_are_binomial_and_independent_of_the_skills() -> None:
    found = []
    for seed, theta in enumerate((1e-4, 0.01, 0.05, 0.5, 0.9)):
        counts = simulate(GraphSpec(200, 2_000_000, 4, seed=seed), RandomErrors(theta))
        law = stats.binom(counts.spec.pieces, theta)
        tails = law.cdf(counts.failed_pieces), law.sf(counts.failed_pieces - 1)
        found.append(2 * float(min(tails)))
        # 200 skills x (failed, passed): edges of one piece share its fate, but each skill stands
        # in a piece but once nearly always
        table = np.stack([counts.failed, counts.degree - counts.failed])
        found.append(float(stats.chi2_contingency(table).pvalue))
    require_likely(found)


def test_coins_below_a_threshold() -> None:
    assert coin_threshold(0.25) == 2**51
    assert coin_threshold(2.0**-60) == 1


def test_frequencies_that_differ_are_met_at_every_position() -> None:
    for frequencies in (PowerLaw(0), PowerLaw(1.0), PowerLaw(0.3)):
        spec = GraphSpec(500, 300_000, 3, frequencies=frequencies, seed=11)
        drawn = store_graph(spec, RandomErrors(0.5)).skills.reshape(-1, 3)
        found = [
            float(
                stats.chisquare(
                    np.bincount(drawn[:, p], minlength=500), 3e5 * spec.probabilities
                ).pvalue
            )
            for p in range(3)
        ]
        require_likely(found)
