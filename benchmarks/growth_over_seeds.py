"""k50 and its growth over runs of the lab that differ in their seed alone.

    for seed in 1 2 3 4 5; do unparrot demo --seed $seed --out runs/seed-$seed --no-open; done
    python benchmarks/growth_over_seeds.py runs/seed-*

Prints k50 of every model and run, the exponent of each run, and that over all models of all runs.
Its interval is a jackknife: `trainings` leaves out one shape of one run at a time (models that
branch off one training are no independent evidence), `runs` one run at a time (corpus, held-out
combinations and weights are its own).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import stdtrit

from unparrot.analysis.read.outcomes import read_outcomes
from unparrot.analysis.schema import LabSummary, read_summary
from unparrot.analysis.theory.growth import Counts, Pooled, counts, pool


class Trained(NamedTuple):
    """A model of one of the runs: its number of skills against its combinations, and its axes."""

    run: str
    params: int
    tokens: int
    excess: float
    table: Counts


def read(folder: Path) -> list[Trained]:
    """Print a run, a line a model, and return its models."""
    summary = read_summary(folder)
    if not isinstance(summary, LabSummary):
        raise SystemExit(f"{folder} is no run of the lab")
    outcomes = read_outcomes(folder).filter(pl.col("decoding") == "greedy")
    models: list[Trained] = []
    for model in summary.growth.models:
        if model.excess is None or model.params is None or model.tokens is None:
            continue
        own = outcomes.filter(pl.col("model") == model.name)
        table = counts(own, "seen", summary.world.max_k)
        models.append(Trained(str(folder), model.params, model.tokens, model.excess.value, table))
        reached = [model.k50, model.k50_heldout_pair]
        shown = ["-" if k is None else k.bound or f"{k.value:.2f}" for k in reached]
        print(f"  {model.name:12} excess {model.excess.value:.3f}  k50 {shown[0]:>5}", end="")
        print(f"  on held-out pairs {shown[1]:>5}")
    print(f"{folder}: exponent {wording(summary.growth.exponent)}")
    return models


def wording(estimate: object) -> str:
    """An estimate with its interval."""
    value, low, high = (getattr(estimate, name, None) for name in ("value", "low", "high"))
    if value is None:
        return "not measured"
    return f"{value:.2f}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")


def fit(models: Sequence[Trained]) -> Pooled:
    """The law over all models."""
    return pool([model.table for model in models], [[model.excess] for model in models])


def jackknife(
    models: Sequence[Trained],
    group: Callable[[Trained], Hashable],
    figure: Callable[[Pooled], float],
) -> tuple[float, int]:
    """Half the width of the 95 % interval, leaving out one group at a time, and their number."""
    groups = list(dict.fromkeys(map(group, models)))
    left = [figure(fit([m for m in models if group(m) != one])) for one in groups]
    n = len(groups)
    error = math.sqrt((n - 1) * float(np.var(left)))
    return error * float(stdtrit(n - 1, 0.975)), n


def main() -> None:
    """Print everything."""
    models = [model for folder in sys.argv[1:] for model in read(Path(folder))]
    whole = fit(models)
    figures: dict[str, Callable[[Pooled], float]] = {
        "exponent": lambda fitted: float(-fitted.betas[0, 2] / fitted.betas[0, 1]),
        "c": lambda fitted: float(fitted.betas[0, 1]),
    }
    groups: dict[str, Callable[[Trained], Hashable]] = {
        "trainings": lambda model: (model.run, model.params),
        "runs": lambda model: model.run,
    }
    for name, figure in figures.items():
        value = figure(whole)
        for kind, group in groups.items():
            half, n = jackknife(models, group, figure)
            low, high = value - half, value + half
            print(f"{name} of {len(models)} models: {value:.2f} ", end="")
            print(f"({low:.2f} to {high:.2f}, width {2 * half:.2f}; {n} {kind})")


if __name__ == "__main__":
    main()
