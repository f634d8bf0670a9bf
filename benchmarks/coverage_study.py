"""How often the intervals of a study over seeds hold the truth, and their bias.

    python benchmarks/coverage_study.py [--simulations 200]

4 sizes x 3 numbers of tokens x 5 seeds, 100 combinations at each k from 1 to 8, and
k50 = scale excess^gamma, on held-out pairs 0.95 of that. Seeds move ln k50 by a standard deviation
of .12, each model alone, or all models of a training or of a seed together; they move ln excess by
.1. Printed for each case: bias of gamma, its coverage over seeds and over trainings, mean width of
both, coverage of k50 over the settings whose true k50 was asked for, and of the ratio of held-out
pairs. The last line has 3 seeds.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import polars as pl

from unparrot.analysis.study.over_seeds import (
    Pooling,
    exponential,
    jackknife,
    reach_over_seeds,
)
from unparrot.analysis.study.study_models import Measured, Shape
from unparrot.analysis.theory.growth import Excess, ModelGrowth

GAMMA, SCALE, C, PAIRS, LAST, COMBINATIONS = -0.9, 0.45, 1.3, 0.95, 8, 100
# Excess by size and tokens; k50 goes from 0.8 to 6.
EXCESS = ((0.55, 0.25, 0.14), (0.42, 0.19, 0.1), (0.32, 0.14, 0.075), (0.25, 0.1, 0.055))
SPREAD, EXCESS_SPREAD = 0.12, 0.1
# Shares of the variance of ln k50: of each model, each training, each seed.
CASES: dict[str, tuple[float, float, float]] = {
    "no spread": (0, 0, 0),
    "of each model": (1, 0, 0),
    "of each training": (0, 1, 0),
    "of each seed": (0, 0, 1),
    "a third each": (1 / 3, 1 / 3, 1 / 3),
}


def draw(
    rng: np.random.Generator, shares: tuple[float, float, float], seeds: int
) -> list[Measured]:
    """A study."""
    models: list[Measured] = []
    by_model, by_training, by_seed = (SPREAD * math.sqrt(share) for share in shares)
    for seed in range(seeds):
        of_seed = by_seed * rng.standard_normal()
        for size, row in enumerate(EXCESS):
            of_training = by_training * rng.standard_normal()
            for step, typical in enumerate(row):
                moved = of_seed + of_training + by_model * rng.standard_normal()
                excess = typical * math.exp(EXCESS_SPREAD * rng.standard_normal())
                k50 = SCALE * excess**GAMMA * math.exp(moved)
                counts = []
                for factor, first in ((1.0, 1), (PAIRS, 2)):
                    k = np.arange(first, LAST + 1, dtype=np.float64)
                    full = rng.binomial(COMBINATIONS, 0.5 ** ((k / (factor * k50)) ** C))
                    rows = [k, np.full(len(k), COMBINATIONS), COMBINATIONS - full]
                    counts.append(np.column_stack(rows).astype(np.float64))
                growth = ModelGrowth(
                    f"{size}@{step}", size, step, Excess(excess, None, None), *[None] * 5, ()
                )
                models.append(
                    Measured(
                        str(seed),
                        {},
                        seed,
                        Shape(1, size, 0),
                        LAST,
                        growth,
                        pl.DataFrame(),
                        *counts,
                    )
                )
    return models


def holds(low: float | None, high: float | None, truth: float) -> bool:
    return (low is None or low <= truth) and (high is None or truth <= high)


def case(shares: tuple[float, float, float], seeds: int, simulations: int) -> list[float]:
    """Bias of gamma; coverage over seeds and trainings, of k50, and of the ratio; widths."""
    rng = np.random.default_rng(11)
    law = Pooling((), lambda _: ())
    values: list[float] = []
    held, widths, k50_held = np.zeros(3), np.zeros(2), [0, 0]
    for _ in range(simulations):
        models = draw(rng, shares, seeds)
        for i, unit in enumerate(("seeds", "trainings")):
            gamma = jackknife(law.exponent, models, unit)
            assert gamma is not None
            assert gamma.low is not None
            held[i] += holds(gamma.low, gamma.high, GAMMA)
            widths[i] += gamma.high - gamma.low
        values.append(gamma.value)
        ratio = exponential(jackknife(law.pairs, models, "seeds"))
        assert ratio is not None
        held[2] += holds(ratio.low, ratio.high, PAIRS)
        for size, row in enumerate(EXCESS):
            for step, typical in enumerate(row):
                truth = SCALE * typical**GAMMA
                if truth < 1:
                    continue
                own = [m for m in models if m.growth.name == f"{size}@{step}"]
                reach = reach_over_seeds(own, lambda model: model.seen, 0.5)
                assert reach is not None
                k50_held[0] += holds(reach.low, reach.high, truth)
                k50_held[1] += 1
    return [
        float(np.mean(values)) - GAMMA,
        *(held[:2] / simulations),
        *(widths / simulations),
        k50_held[0] / k50_held[1],
        held[2] / simulations,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--simulations", type=int, default=200)
    simulations = parser.parse_args().simulations
    print(
        "| spread .12 | seeds | bias of gamma | held, over seeds | over trainings | width | width "
        "| k50 held | pairs held |"
    )
    print("|---" * 9 + "|")
    for name, shares, seeds in [
        *((name, shares, 5) for name, shares in CASES.items()),
        ("a third each", CASES["a third each"], 3),
    ]:
        bias, *gamma, narrow, wide, k50, pairs = case(shares, seeds, simulations)
        print(
            f"| {name} | {seeds} | {bias:+.3f} | {100 * gamma[0]:.1f} | {100 * gamma[1]:.1f} "
            f"| {narrow:.2f} | {wide:.2f} | {100 * k50:.1f} | {100 * pairs:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
