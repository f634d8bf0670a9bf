"""Laws above a known floor, against scipy's regression and simulated ladders."""

import msgspec
import numpy as np
import pytest
from scipy import optimize, stats

from unparrot.core.errors import BadInput
from unparrot.theory.law.power_law import fit_joint, fit_power, fit_product

SIZES = np.array([64e3, 256e3, 1e6, 4e6])


def ladder(spread: float, rng: np.random.Generator) -> np.ndarray:
    return 1.25 + 30 * SIZES**-0.35 * np.exp(spread * rng.standard_normal(4))


def test_exact_runs_give_the_constants_back():
    fit = fit_power(SIZES, 1.25 + 30 * SIZES**-0.35, floor=1.25)
    assert fit.A.value == pytest.approx(30)
    assert fit.alpha.value == pytest.approx(0.35)
    assert fit.huber < 1e-25
    assert fit.spread == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(fit.excess([1e7, 1e8]), [30 * 1e7**-0.35, 30 * 1e8**-0.35])


def test_is_the_regression_of_log_excess():
    loss = ladder(0.05, np.random.default_rng(0))
    fit = fit_power(SIZES, loss, floor=1.25, level=0.9)
    line = stats.linregress(np.log(SIZES), np.log(loss - 1.25))
    t = stats.t.ppf(0.95, 2)
    assert fit.alpha.value == pytest.approx(-line.slope)
    assert fit.alpha.low == pytest.approx(-line.slope - t * line.stderr)
    assert fit.alpha.high == pytest.approx(-line.slope + t * line.stderr)
    assert fit.A.value == pytest.approx(np.exp(line.intercept))
    assert fit.A.low == pytest.approx(np.exp(line.intercept - t * line.intercept_stderr))
    assert fit.A.high == pytest.approx(np.exp(line.intercept + t * line.intercept_stderr))


def test_intervals_of_four_sizes_cover():
    # 2,000 ladders: hits are binomial(2000, 0.9); both counts within its central 99.9 %
    rng = np.random.default_rng(1)
    fits = [fit_power(SIZES, ladder(0.05, rng), floor=1.25, level=0.9) for _ in range(2000)]
    least, most = stats.binom.interval(0.999, 2000, 0.9)
    assert least <= sum(f.alpha.low <= 0.35 <= f.alpha.high for f in fits) <= most
    assert least <= sum(f.A.low <= 30 <= f.A.high for f in fits) <= most


def test_two_runs_have_no_interval():
    fit = fit_power(SIZES[:2], [3.25, 2.25], floor=1.25)
    assert fit.alpha.value == pytest.approx(0.5)  # half the excess for four times the size
    assert fit.alpha.low is fit.alpha.high is fit.spread is None
    assert "no interval below 3 runs" in fit.method


def test_as_json():
    fit = fit_power(SIZES, ladder(0.05, np.random.default_rng(2)), floor=1.25)
    told = msgspec.to_builtins(fit)
    assert told["E"] == {
        "value": 1.25, "low": None, "high": None, "level": 0.95, "method": "given", "n": 4
    }  # fmt: skip
    assert told["B"] is told["beta"] is None
    assert told["n"] == told["alpha"]["n"] == 4
    assert "Student t" in told["method"]


@pytest.mark.parametrize(
    ("params", "loss", "options", "words"),
    [
        ([1e6, 1e6], [3, 2], {}, "params is the same in every run"),
        ([1e6], [3], {}, "params is the same in every run"),
        ([1e6, 1e7], [2, 3], {}, "does not fall with params"),
        ([1e6, 1e7], [3, 1.0], {}, r"loss of run 2 of 2 .* above the floor 1\.0"),
        ([1e6, 0], [3, 2], {}, "params of run 2 of 2 .* above 0"),
        ([1e6, 1e7], [3], {}, "one shape"),
        ([1e6, 1e7], [3, 2], {"floor": -1}, "floor must be at least 0"),
        ([1e6, 1e7], [3, 2], {"level": 0}, "level"),
    ],
)
def test_refuses(params: list[float], loss: list[float], options: dict[str, float], words: str):
    with pytest.raises(BadInput, match=words):
        fit_power(params, loss, **{"floor": 1.0, **options})


GRID = [x.ravel() for x in np.meshgrid([2e4, 6e4, 2e5, 6e5], [1e6, 4e6, 16e6])]


def grid_loss(spread: float, rng: np.random.Generator) -> np.ndarray:
    n, d = GRID
    noise = np.exp(spread * rng.standard_normal(len(n)))
    return 0.2 + (30 * n**-0.4 + 60 * d**-0.4) * noise


def test_the_joint_law_gives_exact_constants_back():
    fit = fit_joint(*GRID, grid_loss(0, np.random.default_rng(0)), floor=0.2)
    assert fit.B is not None
    assert fit.beta is not None
    constants = [e.value for e in (fit.E, fit.A, fit.alpha, fit.B, fit.beta)]
    assert constants == pytest.approx([0.2, 30, 0.4, 60, 0.4], rel=1e-4)
    assert fit.spread == pytest.approx(0, abs=1e-9)
    assert (fit.n, fit.A.low) == (12, None)


def test_the_joint_law_is_the_least_squares_fit_of_scipy():
    loss = grid_loss(0.01, np.random.default_rng(3))

    def law(at: tuple[np.ndarray, np.ndarray], a: float, alpha: float, b: float, beta: float):
        return np.log(np.exp(a) * at[0] ** -alpha + np.exp(b) * at[1] ** -beta)

    start = (3, 0.4, 4, 0.4)
    best, _ = optimize.curve_fit(law, GRID, np.log(loss - 0.2), start, ftol=1e-14)
    fit = fit_joint(*GRID, loss, floor=0.2)
    assert (fit.alpha.value, fit.beta.value) == pytest.approx((best[1], best[3]), rel=1e-4)


@pytest.mark.slow
def test_the_intervals_of_the_joint_law_cover():
    # 100 grids: hits are binomial(100, 0.9); both counts within its central 99.9 %
    rng = np.random.default_rng(1)
    fits = [fit_joint(*GRID, grid_loss(0.03, rng), floor=0.2, level=0.9) for _ in range(100)]
    least, most = stats.binom.interval(0.999, 100, 0.9)
    assert least <= sum(f.alpha.low <= 0.4 <= f.alpha.high for f in fits) <= most
    assert least <= sum(f.beta.low <= 0.4 <= f.beta.high for f in fits) <= most


def product_loss(spread: float, rng: np.random.Generator) -> np.ndarray:
    n, d = GRID
    noise = np.exp(spread * rng.standard_normal(len(n)))
    return 0.2 + 4e7 * n**-0.65 * d**-0.9 * noise


def test_the_product_law_gives_exact_constants_back():
    fit = fit_product(*GRID, product_loss(0, np.random.default_rng(0)), floor=0.2)
    assert fit.B is None
    assert fit.beta is not None
    constants = [e.value for e in (fit.E, fit.A, fit.alpha, fit.beta)]
    assert constants == pytest.approx([0.2, 4e7, 0.65, 0.9])
    assert fit.spread == pytest.approx(0, abs=1e-9)


def test_the_product_law_describes_what_the_sum_does_not():
    rng = np.random.default_rng(4)
    product = product_loss(0.1, rng)
    with pytest.raises(BadInput, match="do not fix"):
        fit_joint(*GRID, product, floor=0.2)
    assert fit_product(*GRID, product, floor=0.2).spread == pytest.approx(0.1, rel=0.5)
    # and where the terms are a sum, the product is off by more than the noise
    assert fit_product(*GRID, grid_loss(0.001, rng), floor=0.2).spread > 0.01


def test_the_intervals_of_the_product_law_cover():
    # 400 grids: hits are binomial(400, 0.9); both counts within their central 99.9 %
    rng = np.random.default_rng(1)
    fits = [fit_product(*GRID, product_loss(0.1, rng), floor=0.2, level=0.9) for _ in range(400)]
    least, most = stats.binom.interval(0.999, 400, 0.9)
    assert least <= sum(f.alpha.low <= 0.65 <= f.alpha.high for f in fits) <= most
    assert least <= sum(f.beta.low <= 0.9 <= f.beta.high for f in fits) <= most


def test_the_product_law_refuses_runs_that_do_not_fix_it():
    n, d = GRID
    loss = product_loss(0, np.random.default_rng(0))
    for rows in (d == 1e6, n == 6e5, np.arange(12) < 3, np.isin(np.arange(12), (0, 5, 10))):
        with pytest.raises(BadInput, match="cannot fix the three constants"):
            fit_product(n[rows], d[rows], loss[rows], floor=0.2)
    with pytest.raises(BadInput, match="cannot fix the three constants"):
        fit_product(n, 20 * n, loss, floor=0.2)  # tokens in proportion: one variable
    with pytest.raises(BadInput, match="above the floor"):
        fit_product(n, d, loss, floor=2e6)
    for loss, word in ((0.2 + n / d, "params"), (0.2 + d / n**2, "tokens")):
        with pytest.raises(BadInput, match=f"does not fall with {word}"):
            fit_product(n, d, loss, floor=0.2)


def test_the_product_law_of_four_runs_close_together_is_a_law_or_refused():
    n, d = (x.ravel() for x in np.meshgrid([1.17e5, 1.3e5], [1.3e6, 1.5e6]))
    rng = np.random.default_rng(2)
    laws = 0
    for _ in range(300):
        try:
            fit = fit_product(n, d, 0.2 + np.exp(rng.normal(0, 3, 4)), floor=0.2)
        except BadInput:
            continue
        laws += 1
        assert np.isfinite([fit.A.value, fit.alpha.high, fit.beta.high]).all()
    assert laws > 20


def test_the_joint_law_refuses_runs_that_do_not_fix_it():
    n, d = GRID
    loss = grid_loss(0, np.random.default_rng(0))
    for rows, words in (
        (d == 1e6, "4 different pairs"),
        (np.arange(12) < 4, "4 different pairs"),
        (n == 6e5, "3 different pairs"),
    ):
        with pytest.raises(BadInput, match=words):
            fit_joint(n[rows], d[rows], loss[rows], floor=0.2)
    with pytest.raises(BadInput, match="do not fix beta"):
        fit_joint(n, d, 0.2 + 30 * n**-0.4 * np.exp(0.2 * np.sin(d)), floor=0.2)
    with pytest.raises(BadInput, match="above the floor"):
        fit_joint(n, d, loss, floor=2.0)
