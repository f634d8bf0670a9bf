"""Peeling: hand-worked and brute-force graphs, the limit by plain iteration, and both together."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components

from unparrot.core import machine
from unparrot.core.errors import BadInput
from unparrot.theory.graph.error_models import RandomErrors
from unparrot.theory.graph.graph_spec import Given, GraphSpec, PowerLaw
from unparrot.theory.graph.stored import SkillGraph, store_graph
from unparrot.theory.peeling import (
    density_evolution,
    peel_graph,
    peel_threshold,
    simulate_peeling,
)

ONE_IN_TEN = (0, 0.1, 0, 0, 0.9)
"""Degree 1 for a tenth of the pieces, 4 for the others: the command's default."""


def stored(rows: Sequence[Sequence[int]], skills: int) -> SkillGraph:
    indptr = np.cumsum([0, *map(len, rows)])
    flat = np.array([s for row in rows for s in row], dtype=np.int32)
    return SkillGraph(indptr, flat, np.zeros(len(rows), np.bool_), skills)


def plain_peel(rows: Sequence[Sequence[int]]) -> set[int]:
    """What is known in the end, by going over all pieces until nothing changes."""
    known: set[int] = set()
    while True:
        taught = {min(left) for row in rows if len(left := set(row) - known) == 1}
        if not taught:
            return known
        known |= taught


def plain_fixed_point(spec: GraphSpec, c: float) -> float:
    """The share unknown, by x <- sum mu exp(-c w rho(1 - x)) from x = 1 until it stands still."""
    edges = {
        k - 1: k * r / spec.mean_degree for k, r in enumerate(spec.degree_probabilities) if k * r
    }
    weights = spec.probabilities * spec.skills
    x, before = 1.0, 2.0
    while before - x > 1e-15:
        rho = sum(share * (1 - x) ** others for others, share in edges.items())
        before, x = x, float((spec.probabilities * np.exp(-c * weights * rho)).sum())
    rho = sum(share * (1 - x) ** others for others, share in edges.items())
    return float(np.exp(-c * weights * rho).mean())


# --- the simulation ------------------------------------------------------------------------------


def test_hand_worked_cascade() -> None:
    # 5 is taught first; it completes the second piece, which teaches 3, and the third teaches 0.
    rows = [(3, 5), (0, 3, 5), (1, 2), (5,), (4, 4)]
    learned, known = peel_graph(stored(rows, 6), [0, 3, 4, 5])
    assert learned.tolist() == [0, 0, 3, 4]  # the pair (1, 2) never resolves; (4, 4) does
    assert np.flatnonzero(known).tolist() == [0, 3, 4, 5]


def test_every_prefix_agrees_with_going_over_the_pieces_again_and_again() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        skills = int(rng.integers(1, 12))
        rows = [
            rng.integers(skills, size=rng.integers(0, 5)).tolist()
            for _ in range(int(rng.integers(1, 25)))
        ]
        learned, known = peel_graph(stored(rows, skills), range(len(rows) + 1))
        assert learned.tolist() == [len(plain_peel(rows[:n])) for n in range(len(rows) + 1)]
        assert set(np.flatnonzero(known).tolist()) == plain_peel(rows)


def drawn(spec: GraphSpec) -> SkillGraph:
    return store_graph(spec, RandomErrors(0.5))


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("frequencies", [PowerLaw(0), PowerLaw(1.0)])
def test_simulation_peels_the_graph_of_the_spec(repeats: bool, frequencies: PowerLaw) -> None:
    spec = GraphSpec(300, 2500, (0.1, 0.1, 0.2, 0.3, 0.3), repeats, frequencies, seed=7)
    at = [0, 1, 400, 1023, 1024, 2499, 2500]
    whole, given = simulate_peeling(spec, at), peel_graph(drawn(spec), at)
    assert whole[0].tolist() == given[0].tolist()
    assert whole[1].tolist() == given[1].tolist()
    short = GraphSpec(300, 400, spec.degree, repeats, frequencies, seed=7)
    assert simulate_peeling(short)[0].tolist() == [whole[0][2]]


def test_degrees_one_and_two_teach_the_components_that_hold_a_seed() -> None:
    spec = GraphSpec(3000, 2400, (0, 0.05, 0.95), seed=3)
    graph = drawn(spec)
    pairs = np.array([(row[0], row[-1]) for row in np.split(graph.skills, graph.indptr[1:-1])])
    edges = sparse.coo_array((np.ones(len(pairs)), pairs.T), shape=(3000, 3000))
    label = connected_components(edges, directed=False)[1]
    seeds = pairs[pairs[:, 0] == pairs[:, 1], 0]  # alone, or drawn twice
    expected = np.isin(label, label[seeds])
    assert simulate_peeling(spec)[1].tolist() == expected.tolist()
    assert 0 < expected.sum() < 3000


def test_pieces_of_one_skill_collect_coupons() -> None:
    # of n = 500 coupons after m draws: mean n(1 - q), variance n q + n(n - 1) q2 - (n q)^2
    n, m, runs = 500, 700, 60
    q, q2 = (1 - 1 / n) ** m, (1 - 2 / n) ** m
    variance = n * q + n * (n - 1) * q2 - (n * q) ** 2
    found = [simulate_peeling(GraphSpec(n, m, 1, seed=s))[0][0] for s in range(runs)]
    z = (np.array(found) - n * (1 - q)) / math.sqrt(variance)
    # the sum of squares of nearly normal scores: chi-square, two-sided at 1 in 1,000
    assert stats.chi2.ppf(0.0005, runs) < (z**2).sum() < stats.chi2.ppf(0.9995, runs)
    assert abs(z.mean()) * math.sqrt(runs) < 3.5


def test_no_piece_of_one_skill_and_no_repeats_teaches_nothing() -> None:
    assert simulate_peeling(GraphSpec(50, 5000, 2, repeats=False))[0][0] == 0


def test_skills_that_are_never_drawn_are_never_learned() -> None:
    spec = GraphSpec(4, 1000, 1, frequencies=Given((1, 0, 2, 0)))
    assert simulate_peeling(spec)[1].tolist() == [True, False, True, False]
    assert density_evolution(spec, 1e3) == 0.5
    expected = (2 + math.exp(-0.8) + math.exp(-1.6)) / 4
    assert float(density_evolution(spec, 0.6)) == pytest.approx(expected, rel=1e-15)


# --- the limit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec",
    [
        GraphSpec(1000, 1, ONE_IN_TEN),
        GraphSpec(1000, 1, (0.2, 0.3, 0.1, 0.1, 0.3)),
        GraphSpec(1000, 1, (0, 0.1, 0, 0, 0.9), frequencies=PowerLaw(0.8)),
        GraphSpec(6, 1, (0, 0.02, 0.3, 0.68), frequencies=Given((1, 2, 3, 4, 5, 60))),
        GraphSpec(30, 1, tuple([0, 0.05] + [0] * 58 + [0.95])),
    ],
)
def test_density_evolution_is_the_fixed_point_that_plain_iteration_reaches(
    spec: GraphSpec,
) -> None:
    c = [0.0, 0.01, 0.5, 1.7, 4.0, 6.5, 7.5, 20.0, 80.0]
    expected = [plain_fixed_point(spec, x) for x in c]
    assert density_evolution(spec, c) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_density_evolution_keeps_the_shape_and_far_tails() -> None:
    spec = GraphSpec(10, 1, ONE_IN_TEN)
    assert density_evolution(spec, [[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)
    # with everything known rho = 1, and a skill is unknown if no piece at all holds it: exp(-c)
    assert density_evolution(spec, [60.0, 500.0]) == pytest.approx([math.exp(-60), math.exp(-500)])
    assert density_evolution(spec, 0.0) == 1


def classic_threshold(spec: GraphSpec) -> NDArray[np.float64]:
    """The first local maximum of -ln x / rho(1 - x) from x = 1, on a fine grid: (c, x)."""
    r = spec.degree_probabilities
    k = np.arange(1, len(r))
    x = np.linspace(1, 0, 1_000_001)[1:-1]
    rho = sum(d * r[d] * (1 - x) ** (d - 1) for d in k) / (k * r[1:]).sum()
    c = -np.log(x) / rho
    peak = int(np.flatnonzero(c[1:] < c[:-1])[0])
    return np.array([c[peak], x[peak]])


@pytest.mark.parametrize("degree", [ONE_IN_TEN, (0, 0.02, 0.5, 0, 0, 0, 0.48)])
def test_threshold_is_the_first_local_maximum(degree: tuple[float, ...]) -> None:
    spec = GraphSpec(1000, 1, degree)
    threshold = peel_threshold(spec)
    assert len(threshold.jumps) == 1
    jump = threshold.jumps[0]
    assert [jump.mean_degree, 1 - jump.before] == pytest.approx(
        classic_threshold(spec), rel=1e-9, abs=2e-6
    )
    below, above = density_evolution(spec, jump.mean_degree * np.array([1 - 1e-12, 1 + 1e-12]))
    assert [1 - below, 1 - above] == pytest.approx([jump.before, jump.after], abs=1e-5)
    assert "a jump at mean degree" in threshold.describe()


def test_degree_three_jumps_below_a_share_that_can_be_worked_out_by_hand() -> None:
    # rho = e + (1 - e) y^2. c(a) turns where e + (1 - e)(y^2 - 2 a y exp(-a)) = 0, y = 1 - exp(-a).
    # The bracket is least, -0.0887549, at a = 0.446; so there is a jump where e / (1 - e) is less.
    a = np.linspace(1e-3, 3, 300_001)
    y = -np.expm1(-a)
    critical = float(-(y**2 - 2 * a * y * np.exp(-a)).min())
    for ratio, jumps in ((critical * 0.995, 1), (critical * 1.005, 0)):
        e = ratio / (1 + ratio)  # share of edges; as a share of pieces e : (1 - e) / 3
        pieces = e / (e + (1 - e) / 3)
        threshold = peel_threshold(GraphSpec(100, 1, (0, pieces, 0, 1 - pieces)))
        assert len(threshold.jumps) == jumps
    assert threshold.describe() == "no jump: learning is smooth"


def test_two_scales_of_degrees_jump_twice() -> None:
    degree = np.zeros(201)
    degree[[1, 4, 200]] = 0.35, 0.6, 0.05
    spec = GraphSpec(1000, 1, tuple(degree))
    jumps = peel_threshold(spec).jumps
    assert len(jumps) == 2
    assert jumps[0].mean_degree < jumps[1].mean_degree
    assert jumps[0].before < jumps[0].after < jumps[1].before < jumps[1].after
    for jump in jumps:
        for side, share in ((1 - 1e-5, jump.before), (1 + 1e-5, jump.after)):
            c = jump.mean_degree * side
            assert 1 - plain_fixed_point(spec, c) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("degree", [2, 5, (0.5, 0, 0.5)])
def test_without_pieces_of_one_skill_learning_never_starts(degree: int | tuple[float, ...]) -> None:
    spec = GraphSpec(100, 1, degree)
    threshold = peel_threshold(spec)
    assert not threshold.starts
    assert not threshold.jumps
    assert threshold.describe().startswith("never starts")
    assert density_evolution(spec, [0.5, 100]).tolist() == [1, 1]


# --- both ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequencies", "sizes"),
    [(PowerLaw(0), [2.0, 5.0, 6.0, 8.0, 10.0]), (PowerLaw(0.7), [2.0, 6.0, 12.0])],
)
def test_simulation_agrees_with_density_evolution_away_from_the_jump(
    frequencies: PowerLaw, sizes: list[float]
) -> None:
    skills, runs, mean = 20_000, 24, 3.7
    at = [round(c * skills / mean) for c in sizes]
    spec = GraphSpec(skills, at[-1], ONE_IN_TEN, frequencies=frequencies)
    shares = np.array(
        [
            simulate_peeling(
                GraphSpec(skills, at[-1], ONE_IN_TEN, frequencies=frequencies, seed=s), at
            )[0]
            / skills
            for s in range(runs)
        ]
    )
    limit = 1 - density_evolution(spec, mean * np.array(at) / skills)
    # Student's interval for the mean of the runs at 1 - 1e-4, and 5 skills for the O(1) skills by
    # which a finite graph differs
    half = stats.t.ppf(1 - 0.5e-4, runs - 1) * shares.std(axis=0, ddof=1) / math.sqrt(runs)
    assert (np.abs(shares.mean(axis=0) - limit) < half + 5 / skills).all()
    # a single run keeps within a few N1^-1/2
    assert (np.abs(shares - limit) < 6 / math.sqrt(skills)).all()


def test_the_jump_is_smeared_by_the_root_of_the_number_of_skills() -> None:
    c = peel_threshold(GraphSpec(10, 1, ONE_IN_TEN)).jumps[0].mean_degree
    runs, spread = 50, []
    for skills in (2_000, 32_000):
        fine = c * (1 + np.linspace(-8, 8, 401) / math.sqrt(skills))
        at = np.rint(fine * skills / 3.7).astype(int).tolist()
        jumps = []
        for seed in range(runs):
            share = (
                simulate_peeling(GraphSpec(skills, at[-1], ONE_IN_TEN, seed=seed), at)[0] / skills
            )
            jumps.append(fine[int(np.argmax(share > 0.6))])
        spread.append(float(np.std(jumps, ddof=1)))
        assert abs(np.mean(jumps) / c - 1) < 3 / math.sqrt(skills)
    # 16 times the skills, 4 times as narrow: the F test of two variances at 1 in 1,000
    ratio = (spread[0] / spread[1]) ** 2 / 16
    assert stats.f.ppf(0.0005, runs - 1, runs - 1) < ratio < stats.f.ppf(0.9995, runs - 1, runs - 1)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("c", [-1.0, math.nan, math.inf])
def test_bad_mean_degrees_are_named(c: float) -> None:
    with pytest.raises(BadInput, match=f"not {c}"):
        density_evolution(GraphSpec(10, 1, 1), [1.0, c])


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ([5, 4], r"must rise, and be at least one; not \[5, 4\]"),
        ([101], "from 0 to 100, not 101"),
        ([-1], "not -1"),
        ([1.5], "not 1.5"),
        ([], r"at least one; not \[\]"),
    ],
)
def test_bad_sizes_are_named(at: list[int], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        simulate_peeling(GraphSpec(10, 100, 1), at)


def test_too_much_is_refused_before_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"at most 2,147,483,646 edges, not about 8,000,000,000"):
        simulate_peeling(GraphSpec(10, 10**9, 8))
    monkeypatch.setattr(machine, "available_bytes", lambda: 10_000)
    with pytest.raises(BadInput, match="take fewer pieces"):
        simulate_peeling(GraphSpec(10, 10**5, 8))
