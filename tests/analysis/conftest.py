"""Outcomes made from arrays of marks, for simulations that need many of them."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from unparrot.analysis.read.outcomes import OUTCOMES_SCHEMA
from unparrot.core.skills import CRITERIA

MadeOutcomes = Callable[..., pl.DataFrame]


def _made(
    skills: NDArray[np.int64],
    skill_marks: NDArray[np.bool_],
    others: NDArray[np.bool_],
    *,
    combination: NDArray[np.int64] | None = None,
    model: str = "m",
    split: str = "seen",
    decoding: str = "greedy",
) -> pl.DataFrame:
    """One text a row: the numbers of its skills (n, k), their marks (n, k), the others (n, 3).

    Texts with the same number of a combination are its rounds; without numbers, all differ.
    """
    n, k = skills.shape
    numbers = np.arange(n) if combination is None else combination
    names = np.array([f"s{i:02}" for i in range(int(skills.max()) + 1)])
    earned = skill_marks.sum(axis=1)
    fraction = np.where(others.all(axis=1), earned / k, 0.0)
    labels = [f"{k}-{i}" for i in numbers]
    columns: dict[str, object] = {
        "text_id": [f"{model} {split} {k} {i}" for i in range(n)],
        "model": [model] * n,
        "split": [split] * n,
        "decoding": [decoding] * n,
        "k": [k] * n,
        "topic": labels,
        "skills": names[skills].tolist(),
        "sample": [int((numbers[:i] == number).sum()) for i, number in enumerate(numbers)]
        if combination is not None
        else [0] * n,
        "trained_count": [None] * n,
        "no_text": [None] * n,
        "skill_marks": skill_marks.tolist(),
        **{f"{c}_mark": others[:, i] for i, c in enumerate(CRITERIA)},
        "combination": labels,
        "skills_earned": earned,
        "skills_unscored": [0] * n,
        "unscored": [0] * n,
        "full_marks": skill_marks.all(axis=1) & others.all(axis=1),
        "all_skills": skill_marks.all(axis=1) & (others.sum(axis=1) >= 2),
        "skill_fraction": fraction,
        "skill_fraction_low": fraction,
        "skill_fraction_high": fraction,
    }
    return pl.DataFrame(columns, schema=OUTCOMES_SCHEMA)


@pytest.fixture(scope="session")
def made_outcomes() -> MadeOutcomes:
    """The function `_made`."""
    return _made
