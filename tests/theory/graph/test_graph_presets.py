"""Error models from a few numbers, and the measured curve beside the theory's."""

import numpy as np
import pytest

from unparrot.core.errors import BadInput
from unparrot.theory.curve.performance import classic, sharp
from unparrot.theory.graph.error_models import (
    Clique,
    Star,
    WorstCase,
    chosen_of_measure,
    skills_of_measure,
    spread_rates,
)
from unparrot.theory.graph.graph_spec import Given, GraphSpec, PowerLaw
from unparrot.theory.graph.measured import compare, performance_curve
from unparrot.theory.graph.simulate import TupleCounts, simulate


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.99])
def test_even_skills_are_taken_from_the_first(share: float) -> None:
    rng = np.random.default_rng(0)
    assert skills_of_measure(np.full(100, 0.01), share, rng) == tuple(range(round(100 * share)))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_uneven_skills_come_close_to_the_share_from_below(exponent: float, share: float) -> None:
    mu1 = PowerLaw(exponent).probabilities(1000)
    skills = skills_of_measure(mu1, share, np.random.default_rng(3))
    assert len(set(skills)) == len(skills)
    left = share - mu1[list(skills)].sum()
    # whatever is left, no skill that was not taken would fit
    others = np.setdiff1d(np.arange(1000), skills)
    assert 0 <= left < mu1[others].min()


def test_a_share_less_than_the_rarest_skill_is_refused() -> None:
    for frequencies in ([1.0] * 10, [1.0, 2.0, 7.0, 0.0]):
        spec = GraphSpec(len(frequencies), 10, 4, frequencies=Given(frequencies))
        with pytest.raises(BadInput, match=r"alpha = 0\.05 is too small: the rarest of the skills"):
            chosen_of_measure(spec, 0.05, 1, "clique", 0)
    for alpha in (0, 1, -0.5, np.nan):
        with pytest.raises(BadInput, match="alpha must be above 0 and under 1"):
            chosen_of_measure(spec, alpha, 1, "clique", 0)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("shape", ["clique", "star"])
def test_chosen_sets_have_the_measure_asked_for(shape: str, size: int) -> None:
    """As counted in a graph: 80,000 pieces of 8 skills, so that 3 % is five standard errors."""
    spec = GraphSpec(2000, 20_000, 8, frequencies=PowerLaw(0.3), seed=1)
    chosen = chosen_of_measure(spec, 0.2, size, shape, 1)  # type: ignore[arg-type]
    kinds = {"clique": Clique, "star": Star}
    assert type(chosen) is (Clique if size == 1 else kinds[shape])
    assert chosen.tuple_size == size
    counts = simulate(spec, WorstCase(0.1, chosen), threads=1)
    assert counts.chosen is not None
    assert counts.chosen.alpha == pytest.approx(0.2, rel=0.03)


@pytest.mark.parametrize("degree", [8, (0.05, 0.5, 0.0, 0.45)])
@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_spread_rates_fail_theta_of_the_pieces(
    degree: int | tuple[float, ...], exponent: float
) -> None:
    spec = GraphSpec(500, 200_000, degree, frequencies=PowerLaw(exponent), seed=2)
    errors = spread_rates(spec, 0.05)
    assert (np.diff(errors.rates) < 0).all()
    share = simulate(spec, errors, threads=1).failed_pieces / spec.pieces
    assert abs(share - 0.05) < 5 * np.sqrt(0.05 * 0.95 / spec.pieces)


def test_spread_rates_by_hand() -> None:
    """Two even skills, one a piece: rates in proportion to log 4 and log(4/3), mean theta."""
    rates = spread_rates(GraphSpec(2, 10, 1), 0.3).rates
    total = np.log(4) + np.log(4 / 3)
    np.testing.assert_allclose(rates, [0.6 * np.log(4) / total, 0.6 * np.log(4 / 3) / total])


def test_rates_that_cannot_be() -> None:
    with pytest.raises(BadInput, match=r"theta = 0\.9 cannot be reached: 0\.2 of the pieces hold"):
        spread_rates(GraphSpec(10, 10, (0.2, 0.8)), 0.9)
    with pytest.raises(BadInput, match=r"theta = 0\.9 would need a skill that fails with chance"):
        spread_rates(GraphSpec(10, 10, 1), 0.9)
    with pytest.raises(BadInput, match="theta must be above 0 and under 1, not 0"):
        spread_rates(GraphSpec(10, 10, 1), 0.0)


def test_the_comparison_is_made_of_its_parts() -> None:
    spec = GraphSpec(200, 50_000, 8, seed=4)
    counts = simulate(spec, WorstCase(0.05, Clique(range(20), 1)), threads=1)
    alpha = [0.05, 0.1, 0.5]

    def compared(theta: float, k: int | tuple[float, ...] = 8):
        return compare(alpha, counts.skills, theta=theta, k=k, rng=np.random.default_rng(0))

    curves = compared(0.05)
    measured = performance_curve(counts.degree, counts.failed, spec.probabilities)
    np.testing.assert_array_equal(curves["sharp"], sharp(0.05, alpha, 8))
    np.testing.assert_array_equal(curves["classic"], classic(0.05, alpha, 8))
    np.testing.assert_array_equal(curves["luck"], [0.05] * 3)
    np.testing.assert_array_equal(curves["worst"], measured.worst(alpha))
    np.testing.assert_array_equal(curves["quantile"], measured.quantile(alpha))
    # Z is found by either half
    assert curves["split"][1] == pytest.approx(curves["worst"][1], rel=1e-5)
    assert (curves["chance"] < 0.065).all()
    assert "classic" not in compared(0.05, (0.5, 0.5))
    for theta in (0.0, 1.0):
        assert not {"luck", "sharp", "classic"} & set(compared(theta))
    one = np.ones(1, np.int64)
    single = TupleCounts(1, 1, None, one - 1, one, one, np.ones(1))
    with pytest.raises(BadInput, match="alpha must be above 0 and under 1"):
        compare([1.0], single, theta=0.5, k=1, rng=np.random.default_rng(0))
    alone = compare([0.5], single, theta=0.5, k=1, rng=np.random.default_rng(0))
    assert "split" not in alone
