"""How often the intervals of k50 and of the growth exponent hold the truth, and their bias.

    python benchmarks/coverage_growth.py [--simulations 200]

One model: full marks at k = 1 to 8 follow 2^-(k/k50)^c, n combinations at each k. With a `lapse`
that share of the texts fails whatever k is, which the law does not know.

All models: ten models along two axes with k50 = 1.2 / 2 / 3.5 / 6 at the end of training, 60
combinations at each k from 1 to 12, and k50 = scale excess^gamma. Violations: models lie off that
line with a standard deviation in ln k50 (as seeds do), c differs from model to model, 4 % of the
texts lapse, excess is measured with an error of 3 %. `combinations alone` is the interval of the
same regression had only the combinations been drawn by chance.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np

from unparrot.analysis.theory.growth import Counts, pool, skill_law
from unparrot.stats.cloglog import CloglogRegression

GAMMA = -0.8
EXCESS = (0.45, 0.3, 0.25, 0.2, 0.15, 0.1, 0.075, 0.05, 0.04, 0.03)


def draw(
    rng: np.random.Generator, k50: float, c: float, n: int, last: int, lapse: float = 0.0
) -> Counts:
    """Counts of one model at k = 1 to last."""
    k = np.arange(1.0, last + 1)
    failed = n - rng.binomial(n, (1 - lapse) * 0.5 ** ((k / k50) ** c))
    return np.column_stack([k, np.full(last, n), failed]).astype(np.float64)


def one_model(k50: float, c: float, n: int, lapse: float, simulations: int) -> tuple[float, ...]:
    """Bias of k50 and of c, coverage of both intervals, and the share of bounds.

    ``k50`` is the true one, the k at which half of the texts earn full marks, lapses and all.
    """
    rng = np.random.default_rng([round(100 * k50), round(100 * c), n, round(100 * lapse)])
    without = k50 / math.log2(2 * (1 - lapse)) ** (1 / c)
    values, steepness, held, bounds = [], [], np.zeros(2), 0
    for _ in range(simulations):
        law = skill_law(draw(rng, without, c, n, 8, lapse))
        assert law is not None
        reach, slope = law.reach(0.5), law.steepness()
        held += [
            (reach.low is None or reach.low <= k50) and (reach.high is None or k50 <= reach.high),
            slope.low is None or slope.low <= c <= (slope.high or math.inf),
        ]
        steepness.append(law.c)
        bounds += reach.value is None
        values.append((math.log(math.log(2)) - law.a) / law.c)
    return (
        math.exp(float(np.mean(values))) / k50 - 1,
        float(np.mean(steepness)) - c,
        *(held / simulations),
        bounds / simulations,
    )


ONE_MODEL = (
    (0.8, 1.3, 60, 0.0),
    (1.2, 1.3, 60, 0.0),
    (2.5, 1.0, 60, 0.0),
    (2.5, 1.9, 60, 0.0),
    (5.0, 1.3, 60, 0.0),
    (5.0, 1.3, 200, 0.0),
    (7.5, 1.3, 60, 0.0),
    (2.5, 1.3, 60, 0.04),
    (5.0, 1.3, 200, 0.04),
)


@dataclass(frozen=True)
class Case:
    """How ten models depart from the law."""

    c: float = 1.3
    seeds: float = 0.0
    c_spread: float = 0.0
    lapse: float = 0.0
    error: float = 0.0


CASES = {
    "the law itself": Case(),
    "c = 1": Case(c=1.0),
    "c = 1.9": Case(c=1.9),
    "seeds .06": Case(seeds=0.06),
    "seeds .12": Case(seeds=0.12),
    "c from 1 to 1.6": Case(c_spread=0.3),
    "lapses of 4 %": Case(lapse=0.04),
    "all: seeds .12, c 1 to 1.6, lapses, error": Case(
        seeds=0.12, c_spread=0.3, lapse=0.04, error=0.03
    ),
}


def all_models(case: Case, simulations: int, combinations: int = 60) -> tuple[float, ...]:
    """Bias of gamma, its coverage over models and over combinations alone, and mean width."""
    rng = np.random.default_rng(7)
    excess = np.array(EXCESS)
    values, held, widths = [], np.zeros(2), []
    for _ in range(simulations):
        k50 = 0.55 * excess**GAMMA * np.exp(case.seeds * rng.standard_normal(len(excess)))
        steep = case.c + case.c_spread * rng.uniform(-1, 1, len(excess))
        tables = [
            draw(rng, k, c, combinations, 12, case.lapse) for k, c in zip(k50, steep, strict=True)
        ]
        measured = excess * np.exp(case.error * rng.standard_normal(len(excess)))
        exponent = pool(tables, measured[:, None].tolist()).exponent(0)
        assert exponent is not None
        assert None not in (exponent.value, exponent.low, exponent.high)
        half = 1.96 * naive_error(tables, measured)
        held += [
            exponent.low <= GAMMA <= exponent.high,
            abs(exponent.value - GAMMA) <= half,
        ]
        values.append(exponent.value)
        widths.append(exponent.high - exponent.low)
    return float(np.mean(values)) - GAMMA, *(held / simulations), float(np.mean(widths))


def naive_error(tables: list[Counts], excess: np.ndarray) -> float:
    """Standard error of gamma by the Fisher information: chance of combinations alone."""
    k, n, failed = np.concatenate(tables).T
    model = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    x = np.column_stack([np.ones(len(k)), np.log(k), np.log(excess)[model]])
    regression = CloglogRegression(x, failed, n)
    beta, _ = regression.fit()
    covariance = np.linalg.inv(regression.information(beta))
    by_beta = np.array([0.0, beta[2] / beta[1] ** 2, -1 / beta[1]])
    return math.sqrt(by_beta @ covariance @ by_beta)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--simulations", type=int, default=200)
    simulations = parser.parse_args().simulations
    print("| k50 | c | combinations | bias of k50 | bias of c | k50 held | c held | bounds |")
    print("|---|---|---|---|---|---|---|---|")
    for k50, c, n, lapse in ONE_MODEL:
        bias, of_c, held, c_held, bounds = one_model(k50, c, n, lapse, simulations)
        name = f"{n}, lapse 4 %" if lapse else f"{n}"
        print(
            f"| {k50:g} | {c:g} | {name} | {100 * bias:+.1f} % | {of_c:+.3f} "
            f"| {100 * held:.1f} | {100 * c_held:.1f} | {100 * bounds:.0f} % |"
        )
    print("\n| ten models | bias of gamma | held | combinations alone | mean width |")
    print("|---|---|---|---|---|")
    for name, case in CASES.items():
        bias, held, alone, width = all_models(case, simulations)
        print(f"| {name} | {bias:+.3f} | {100 * held:.1f} | {100 * alone:.1f} | {width:.2f} |")


if __name__ == "__main__":
    main()
