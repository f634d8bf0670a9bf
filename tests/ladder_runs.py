"""Made-up runs of the lab with models along two axes, whose full marks follow a known law.

    python tests/ladder_runs.py FOLDER [--study]

writes one, or a study of five seeds, to look at its page. Texts are drawn, not written: full marks
at k come with the chance 2^-(k/k50)^c, k50 = SCALE excess^GAMMA, up to the k of training, and fall
off beyond.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from unparrot.core.grades import EARNED, MISSED, GradedText
from unparrot.core.records import RunFolder, write_json
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.core.studies import StudyRecord, StudyRun, Value
from unparrot.core.tables import SCHEMAS

GAMMA, SCALE, C = -0.8, 0.5, 1.3
ENTROPY = 0.24
MOST_TOKENS = 5_200_000
MODELS = {  # parameters (thousands), tokens (millions), excess
    "15k": (15, 5.2, 0.439),
    "25k": (25, 5.2, 0.204),
    "54k": (54, 5.2, 0.075),
    "139k": (139, 5.2, 0.028),
    "54k at 2.6M": (54, 2.6, 0.153),
    "139k at 2.6M": (139, 2.6, 0.071),
    "25k at 1.3M": (25, 1.3, 0.39),
    "54k at 1.3M": (54, 1.3, 0.325),
    "139k at 1.3M": (139, 1.3, 0.213),
}
PARROTS = ("n-gram", "splice")
SKILLS = {f"skill {i:02}": ("logical", "literary", "physical")[i % 3] for i in range(28)}
TOPICS = [f"topic {i:02}" for i in range(20)]


def k50_of(excess: float) -> float:
    """k50 of a model by the law of this run."""
    return SCALE * excess**GAMMA


def full_marks(name: str, k: int, split: str, max_k: int) -> float:
    """The chance of full marks."""
    if name in PARROTS:
        return float(name == "splice" and split == "seen" and k <= max_k)
    share = 0.5 ** ((k / k50_of(MODELS[name][2])) ** C)
    return float(share * 0.6 ** max(0, k - max_k))


def write_ladder_run(
    folder: Path,
    *,
    seed: int = 1,
    combinations: int = 60,
    max_k: int = 12,
    last_k: int = 14,
    models: tuple[str, ...] = tuple(MODELS),
) -> RunFolder:
    """Write the tables and the manifest of a run, ready for `unparrot analyze`."""
    rng = np.random.default_rng(seed)
    run = RunFolder(folder)
    run.write_manifest(
        {
            "spec": {"plan": {"name": "made up"}},
            "command": "made up",
            "seed": seed,
            **{name: {} for name in ("versions", "digests", "timings", "machine")},
        }
    )
    texts: list[GradedText] = []
    cells = [
        (k, split)
        for k in range(1, last_k + 1)
        for split in ("seen" if k <= max_k else "untrained_k", "heldout_pair")[: 1 + (k > 1)]
    ]
    asked: dict[tuple[str, SkillCombination], int] = {}
    for k, split in cells:
        drawn: dict[SkillCombination, int] = {}
        while len(drawn) < combinations:
            skills = sorted(rng.choice(list(SKILLS), k, replace=False).tolist())
            drawn[SkillCombination(TOPICS[len(drawn) % 20], tuple(skills))] = k
        asked |= {(split, each): k for each in drawn}
    for name in (*models, *PARROTS):
        for (split, combination), k in asked.items():
            missed = None
            if rng.random() >= full_marks(name, k, split, max_k):
                missed = combination.skills[int(rng.integers(k))]
            names = (*combination.skills, *CRITERIA)
            marks = {c: MISSED if c == missed else EARNED for c in names}
            texts.append(GradedText(combination, "Made up.", marks, name, split, "greedy", 0, 0))
    pieces = [rng.choice(list(SKILLS), int(rng.integers(1, 5)), replace=False) for _ in range(400)]
    models_rows: list[tuple[object, ...]] = []
    cloze: list[tuple[object, ...]] = []
    training: list[tuple[object, ...]] = []
    for name in models:
        params, tokens, excess = MODELS[name]
        row = (1000 * params, round(1e6 * tokens), ENTROPY + excess, ENTROPY, 0.02 * excess, 3, 10)
        models_rows.append((name, "transformer", *row))
        failed = rng.random(len(pieces)) >= np.exp([-1.5 * excess * len(piece) for piece in pieces])
        cloze += [
            (name, i, list(piece), 10 * len(piece), 2, int(wrong))
            for i, (piece, wrong) in enumerate(zip(pieces, failed, strict=True))
        ]
        training += [
            (name, step, step * 2000, "valid", ENTROPY + excess + 5 * np.exp(-step / 100), step / 9)
            for step in range(0, 1001, 50)
        ]
    models_rows += [(name, "parrot", *[None] * 7) for name in PARROTS]
    world = dict.fromkeys(SCHEMAS["world"].names(), 50) | {
        "skills": 28, "topics": 20, "entropy": ENTROPY, "entropy_error": 0.001, "max_k": max_k,
        "documents": 60_000, "tokens": MOST_TOKENS, "text_tokens": MOST_TOKENS,
    }  # fmt: skip
    tables: dict[str, list[tuple[object, ...]]] = {
        "models": models_rows,
        "skills": list(SKILLS.items()),
        "cells": [(k, split, combinations, 0.1) for k, split in cells],
        "cloze": cloze,
        "training": training,
        "world": [tuple(world[name] for name in SCHEMAS["world"].names())],
    }
    run.write_graded(texts)
    for name, rows in tables.items():
        run.write_table(name, pl.DataFrame(rows, schema=SCHEMAS[name], orient="row"))
    return run


def write_ladder_study(
    folder: Path,
    *,
    name: str = "made up",
    seeds: Sequence[int] = (1, 2, 3),
    axis: str = "recipe",
    values: Sequence[Value] = ("plain",),
    combinations: int = 40,
    max_k: int = 10,
    last_k: int = 10,
    models: tuple[str, ...] = tuple(MODELS),
    absent: Sequence[tuple[int, str]] = (),
    unfinished: int = 0,
) -> Path:
    """Write a study and return its folder.

    Parameters
    ----------
    axis, values
        An axis of runs besides the seed; runs are alike at each of its values.
    absent
        Models, by seed and name, that its runs lack.
    unfinished
        Seeds more, after the last, whose runs have no model yet.
    """
    every = [*seeds, *range(max(seeds) + 1, max(seeds) + 1 + unfinished)]
    runs: list[StudyRun] = []
    for value, seed in product(values, seeds):
        runs.append(StudyRun(f"{axis}-{value}-seed-{seed}", {axis: value, "seed": seed}))
        write_ladder_run(
            folder / runs[-1].folder,
            seed=seed,
            combinations=combinations,
            max_k=max_k,
            last_k=last_k,
            models=tuple(model for model in models if (seed, model) not in absent),
        )
    axes = {"shape": models, "tokens": (1, 2), axis: tuple(values), "seed": tuple(every)}
    write_json(folder / "study.json", StudyRecord(1, name, "How does k grow?", axes, tuple(runs)))
    return folder


if __name__ == "__main__":
    if "--study" in sys.argv:
        write_ladder_study(Path(sys.argv[1]), seeds=(1, 2, 3, 4, 5), last_k=12)
    else:
        write_ladder_run(Path(sys.argv[1]))
