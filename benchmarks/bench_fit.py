"""How fast the loss law is fitted, beside the PyPI package `chinchilla` and a loop over scipy.

    python benchmarks/bench_fit.py [--json] [--runs 250] [--grid classic|coarse] [--skip-peers]

All fit the same simulated runs with the same objective from the same grid of starts, one after the
other in this process; each objective value is computed by the same function from the constants that
were found. `chinchilla` runs a BFGS for each start in as many processes as there are processors,
with scipy's default tolerance; that one bites only where the objective is large, so a second round
hands it the objective times 1e6. The scipy loop has exact gradients and a tight tolerance. Ours
runs on one processor and is the best of several rounds; the peers run once.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from scipy.optimize import minimize
from scipy.special import huber, logsumexp

from unparrot.core.machine import available_cores
from unparrot.theory.law.fit import GRID, fit_law
from unparrot.theory.law.lawspace import DELTA
from unparrot.theory.law.loss_law import PRESETS, LossLaw

COARSE = ((0.0, 10.0, 20.0), (0.0, 10.0, 20.0), (0.0, 0.5), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0))
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def simulated(runs: int, noise: float, seed: int) -> Columns:
    """Runs of the Besiroglu law over the range of Hoffmann et al., with log-normal noise."""
    rng = np.random.default_rng(seed)
    params = np.exp(rng.uniform(np.log(4e7), np.log(1.6e10), runs))
    tokens = np.exp(rng.uniform(np.log(1e18), np.log(1e22), runs)) / 6 / params
    loss = PRESETS["besiroglu"].loss(params, tokens) * np.exp(noise * rng.standard_normal(runs))
    return params, tokens, loss


def objective(law: LossLaw, columns: Columns) -> float:
    """Sum of the Huber function over the runs."""
    params, tokens, loss = columns
    return float(huber(DELTA, np.log(loss) - np.log(law.loss(params, tokens))).sum())


def ours(columns: Columns, resamples: int) -> LossLaw:
    """Our fit; its grid is always the classic one."""
    return fit_law(*columns, seed=0, resamples=resamples).law


def scipy_loop(columns: Columns, starts: np.ndarray) -> LossLaw:
    """L-BFGS-B from every start in turn."""
    log_n, log_d, log_loss = (np.log(column) for column in columns)

    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        a, b, e, alpha, beta = x
        terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
        predicted = logsumexp(terms, axis=0)
        residual = log_loss - predicted
        pull = -np.clip(residual, -DELTA, DELTA) * np.exp(terms - predicted)
        slope = [*pull.sum(axis=1), -pull[0] @ log_n, -pull[1] @ log_d]
        return float(huber(DELTA, residual).sum()), np.array(slope)

    exact = {"ftol": 1e-15, "gtol": 1e-12, "maxiter": 5000, "maxfun": 20000}
    ended = [minimize(value, x, jac=True, method="L-BFGS-B", options=exact) for x in starts]
    a, b, e, alpha, beta = min(ended, key=lambda end: end.fun).x
    return LossLaw(np.exp(e), np.exp(a), np.exp(b), alpha, beta)


def chinchilla_package(
    columns: Columns, grid: tuple[tuple[float, ...], ...], times: float
) -> LossLaw:
    """The fit of the package `chinchilla`, with the objective multiplied by ``times``."""
    import pandas as pd
    from chinchilla import Chinchilla
    from chinchilla._metrics import log_huber

    def loss_fn(measured: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        return times * log_huber(measured, predicted, delta=DELTA)

    a, b, e, alpha, beta = grid
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        peer = Chinchilla(
            folder,
            param_grid={"e": e, "a": a, "b": b, "alpha": alpha, "beta": beta},
            loss_fn=loss_fn,
            log_level=50,
        )
        n, d, loss = columns
        peer.database.df = pd.DataFrame({"C": 6 * n * d, "N": n, "D": d, "loss": loss})
        peer.fit(parallel=True)
        return LossLaw(**peer.params)


def timed(action: Callable[[], LossLaw], rounds: int = 1) -> tuple[LossLaw, float]:
    """The fitted law and the wall time of the fastest round."""
    spent: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        law = action()
        spent.append(time.perf_counter() - began)
    return law, min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=250)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grid", choices=("classic", "coarse"), default="classic", help="peers'")
    parser.add_argument("--skip-peers", action="store_true")
    args = parser.parse_args()
    columns = simulated(args.runs, args.noise, args.seed)
    grid = GRID if args.grid == "classic" else COARSE
    starts = np.array(list(itertools.product(*grid)))
    contestants: dict[str, tuple[Callable[[], LossLaw], int]] = {
        "ours, fit alone": (lambda: ours(columns, 0), args.rounds),
        f"ours, {args.resamples} resamples": (lambda: ours(columns, args.resamples), args.rounds),
    }
    missing: dict[str, str] = {}
    if not args.skip_peers:
        contestants["scipy loop"] = (lambda: scipy_loop(columns, starts), 1)
        try:
            name = f"chinchilla {version('chinchilla')}"
            contestants[name] = (lambda: chinchilla_package(columns, grid, 1.0), 1)
            contestants[f"{name} x 1e6"] = (lambda: chinchilla_package(columns, grid, 1e6), 1)
        except PackageNotFoundError:
            missing["chinchilla"] = "not installed; pip install chinchilla"
    rows: dict[str, dict[str, float]] = {}
    for name, (action, rounds) in contestants.items():
        try:
            law, seconds = timed(action, rounds)
        except (ArithmeticError, ImportError, TypeError, ValueError) as error:
            missing[name] = f"failed: {error}"
            continue
        rows[name] = {"seconds": seconds, "objective": objective(law, columns), **asdict(law)}
    base = rows["ours, fit alone"]
    for row in rows.values():
        row["times_ours"] = row["seconds"] / base["seconds"]
        row["objective_over_ours"] = row["objective"] / base["objective"]
    figures = {
        "runs": args.runs,
        "peer_starts": len(starts),
        "our_starts": int(np.prod([len(values) for values in GRID])),
        "processors": available_cores(),
        "fits": rows,
        "missing": missing,
    }
    if args.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{args.runs} runs, {len(starts)} starts of the peers, {available_cores()} processors")
    print(f"{'':24}{'seconds':>10}{'ratio':>9}{'objective':>17}{'over ours - 1':>15}")
    for name, row in rows.items():
        print(
            f"{name:24}{row['seconds']:>10.2f}{row['times_ours']:>9.1f}{row['objective']:>17.10g}"
            f"{row['objective_over_ours'] - 1:>15.2e}"
        )
    for name, reason in missing.items():
        print(f"{name}: {reason}")


if __name__ == "__main__":
    main()
