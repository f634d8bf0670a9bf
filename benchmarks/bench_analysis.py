"""1,000,000 marks analysed, intervals included, beside a plain pandas and SciPy bootstrap.

    python benchmarks/bench_analysis.py [--json] [--marks 1000000] [--peer PYTHON]

A run of 8 models, 2 decodings, 3 splits, k from 1 to 6 and 3 rounds of every combination is made up
and written once. Then, each in a process of its own (seconds without imports, peak memory with
everything):

  all      the outcomes read, and every estimate: cells, rounds, skills, saturation, composition
           gaps, with 1,000 resamples wherever something is resampled
  cells    only what the peer does: the outcomes read, and a cluster bootstrap with 1,000 resamples
           of the seven shares of every cell
  peer     the same in pandas and scipy.stats.bootstrap (percentile) by the Python that --peer names
           (pandas, pyarrow and SciPy installed there); skipped by name if it lacks one
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MODELS, DECODINGS, SPLITS, KS, ROUNDS, SKILLS = 8, ("greedy", "t0.7"), 3, range(1, 7), 3, 30
SPLIT_NAMES = ("seen", "heldout_topic", "heldout_pair")
CRITERIA = ("topic", "sense", "length")
RESAMPLES = 1000


def make_run(folder: Path, marks: int) -> int:
    """Write texts.parquet and graded.parquet of about so many marks, and return how many."""
    import numpy as np
    import polars as pl

    from unparrot.core.tables import GRADED_SCHEMA, TEXTS_SCHEMA

    rng = np.random.default_rng(1)
    names = np.array([f"skill {i}" for i in range(SKILLS)])
    each = MODELS * len(DECODINGS) * SPLITS * ROUNDS * sum(k + len(CRITERIA) for k in KS)
    combinations = max(2, round(marks / each))
    texts: list[pl.DataFrame] = []
    graded: list[pl.DataFrame] = []
    for model in range(MODELS):
        for k in KS:
            n = len(DECODINGS) * SPLITS * combinations * ROUNDS
            # the combinations of a cell are the same for every model
            chosen = np.random.default_rng(k).random((n // ROUNDS, SKILLS)).argsort(axis=1)[:, :k]
            skills = np.repeat(names[chosen], ROUNDS, axis=0)
            ids = [f"{model}-{k}-{i:08x}" for i in range(n)]
            number = np.arange(n) // ROUNDS
            texts.append(
                pl.DataFrame(
                    {
                        "text_id": ids,
                        "model": [f"model {model}"] * n,
                        "split": np.repeat(SPLIT_NAMES * len(DECODINGS), n // 6).tolist(),
                        "decoding": np.repeat(DECODINGS, n // 2).tolist(),
                        "k": [k] * n,
                        "topic": [f"topic {i}" for i in number],
                        "skills": skills.tolist(),
                        "sample": np.arange(n) % ROUNDS,
                        "trained_count": [None] * n,
                        "text": ["a text of some length, " * 4] * n,
                        "no_text": [None] * n,
                    },
                    schema=TEXTS_SCHEMA,
                )
            )
            able = rng.beta(2 + model, 2, n // ROUNDS).repeat(ROUNDS)[:, None]
            earned = rng.random((n, k + 3)) < np.append(np.full(k, 1.0), [1.1, 1.1, 1.1]) * able
            status = np.where(earned, "earned", "missed").astype("U8")
            status[rng.random(status.shape) < 0.001] = "unscored"
            graded.append(
                pl.DataFrame(
                    {
                        "text_id": np.repeat(ids, k + 3),
                        "criterion": np.hstack([skills, np.tile(CRITERIA, (n, 1))]).ravel(),
                        "kind": [*["skill"] * k, *CRITERIA] * n,
                        "status": status.ravel(),
                        "reason": np.where(status == "unscored", "lost", "").ravel(),
                    },
                    schema=GRADED_SCHEMA,
                )
            )
    pl.concat(texts).write_parquet(folder / "texts.parquet")
    table = pl.concat(graded)
    table.write_parquet(folder / "graded.parquet")
    return table.height


def everything(folder: Path) -> int:
    """Every estimate; returns how many cells there are."""
    import polars as pl

    from unparrot.analysis.model.competence import competence
    from unparrot.analysis.model.composition import composition_gaps
    from unparrot.analysis.model.saturation import saturation
    from unparrot.analysis.model.skill_rates import skill_rates
    from unparrot.analysis.read.outcomes import read_outcomes

    outcomes = read_outcomes(folder)
    cells = competence(outcomes)
    skill_rates(outcomes, {f"skill {i}": "all" for i in range(SKILLS)})
    for i in range(MODELS):
        own = outcomes.filter(pl.col("model") == f"model {i}")
        for decoding in DECODINGS:
            saturation(own, decoding=decoding, splits=("seen", "untrained_k"))
    composition_gaps(outcomes, seed=1, resamples=RESAMPLES)
    return len(cells)


def cells_only(folder: Path) -> int:
    """The seven shares of every cell with a cluster bootstrap; returns how many cells."""
    import numpy as np
    import polars as pl

    from unparrot.analysis.read.outcomes import read_outcomes
    from unparrot.stats.bootstrap import percentile_estimate, resampled_sums

    outcomes = read_outcomes(folder)
    rng = np.random.default_rng(1)
    cell = ["model", "decoding", "k", "split"]
    sums = outcomes.group_by(*cell, "combination").agg(
        pl.len().alias("n"),
        pl.col("full_marks").sum(),
        pl.col("all_skills").sum(),
        (pl.col("skill_fraction") * pl.col("k")).sum(),
        pl.col("skills_earned").sum(),
        *(pl.col(f"{criterion}_mark").sum() for criterion in CRITERIA),
    )
    parts = sums.partition_by(cell, as_dict=True)
    for key in sorted(parts):
        rows = parts[key][:, 5:].to_numpy().astype(float)
        drawn = resampled_sums(rows, rng, RESAMPLES)
        total = rows.sum(axis=0)
        for i in range(1, 8):
            parts_each = key[2] if i in (3, 4) else 1
            value, draws = total[i] / total[0] / parts_each, drawn[:, i] / drawn[:, 0] / parts_each
            percentile_estimate(value, draws, 0.95, "cluster bootstrap", int(total[0]))
    return len(parts)


def peer(folder: Path) -> int:
    """The same in pandas, with scipy.stats.bootstrap over the means of combinations."""
    import numpy as np
    import pandas as pd
    from scipy.stats import bootstrap

    texts = pd.read_parquet(folder / "texts.parquet", columns=[
        "text_id", "model", "decoding", "k", "split", "topic", "skills"])  # fmt: skip
    graded = pd.read_parquet(folder / "graded.parquet")
    graded["earned"] = (graded["status"] == "earned").astype(float)
    wide = graded.pivot_table(
        index="text_id", columns="kind", values="earned", aggfunc="sum", observed=True
    )
    texts = texts.rename(columns={"topic": "subject"})
    table = texts.join(wide, on="text_id")
    table["combination"] = [
        topic + "|" + "|".join(sorted(skills))
        for topic, skills in zip(table["subject"], table["skills"], strict=True)
    ]
    others = table[list(CRITERIA)].sum(axis=1)
    table["full"] = ((table["skill"] == table["k"]) & (others == 3)).astype(float)
    table["all"] = ((table["skill"] == table["k"]) & (others >= 2)).astype(float)
    table["skill"] /= table["k"]
    table["fraction"] = table["skill"] * (others == 3)
    shares = ["full", "all", "fraction", "skill", *CRITERIA]
    rng = np.random.default_rng(1)
    cells = table.groupby(["model", "decoding", "k", "split"])
    for _, cell in cells:
        means = cell.groupby("combination")[shares].mean()
        for share in shares:
            bootstrap(
                (means[share].to_numpy(),), np.mean, n_resamples=RESAMPLES, method="percentile",
                rng=rng,
            )  # fmt: skip
    return len(cells)


WORK = {"all": everything, "cells": cells_only, "peer": peer}
IMPORTS = {
    "all": "unparrot.analysis.model.composition unparrot.analysis.model.saturation",
    "cells": "unparrot.analysis.read.outcomes unparrot.stats.bootstrap",
    "peer": "pandas scipy.stats pyarrow.parquet",
}


def child(name: str, folder: Path) -> None:
    """Print seconds and peak memory of one piece of work."""
    import importlib

    for module in IMPORTS[name].split():
        importlib.import_module(module)
    began, busy = time.perf_counter(), time.process_time()
    cells = WORK[name](folder)
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "cpu_seconds": time.process_time() - busy,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "cells": cells,
            }
        )
    )


def measured(name: str, python: str, folder: Path, runs: int) -> dict[str, Any] | str:
    """The quickest of some runs in processes of their own, or why there is none."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}
    environment["OPENBLAS_NUM_THREADS"] = "2"
    command = [python, __file__, "--child", name, str(folder)]
    results: list[dict[str, Any]] = []
    for _ in range(runs):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{python}: {done.stderr.strip().splitlines()[-1]}"
        results.append(json.loads(done.stdout))
    return min(results, key=lambda result: result["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--marks", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], Path(options.child[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        marks = make_run(folder, options.marks)
        result: dict[str, Any] = {"marks": marks, "resamples": RESAMPLES}
        for work in ("all", "cells"):
            result[work] = measured(work, sys.executable, folder, options.runs)
        result["peer"] = measured("peer", options.peer, folder, 1)
    theirs, ours = result["peer"], result["cells"]
    if isinstance(theirs, dict) and isinstance(ours, dict):
        result["ratio"] = theirs["seconds"] / ours["seconds"]
        result["cpu_ratio"] = theirs["cpu_seconds"] / ours["cpu_seconds"]
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{marks:,} marks, {RESAMPLES:,} resamples, 2 threads")
    for work in ("all", "cells", "peer"):
        told = result[work]
        if isinstance(told, str):
            print(f"{work:6} skipped: {told}")
        else:
            print(
                f"{work:6} {told['seconds']:7.2f} s ({told['cpu_seconds']:.2f} s of processor), "
                f"peak {told['peak_mb']:.0f} MB, {told['cells']} cells"
            )
    if "ratio" in result:
        print(f"cells: the peer takes {result['ratio']:.1f} times as long")


if __name__ == "__main__":
    main()
