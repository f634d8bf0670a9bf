"""Cloze pieces: theta, and competence on skills and pairs of skills, from a run's table `cloze`.

The accounting is conservative: a piece counts as failed when any of its questions was answered
wrongly, and a failed piece counts against each of its skills (Arora and Goyal 2023, section 3).
Pieces without a question tell nothing and do not count.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any, Final

import polars as pl

from unparrot.stats.intervals import wilson

MIN_PAIR_PIECES: Final = 30
"""Pieces that a pair of skills needs before its competence is told."""


def cloze_summary(cloze: pl.DataFrame, model: str) -> dict[str, Any] | None:
    """Return theta and competences of one model, ready for ``summary.json``.

    Parameters
    ----------
    cloze
        Columns of `CLOZE_SCHEMA`.
    model
        Whose answers; None is returned for a model without any.
    """
    rows = cloze.filter((pl.col("model") == model) & (pl.col("questions") > 0))
    if rows.is_empty():
        return None
    right: dict[tuple[str, ...], list[int]] = {}
    for skills, wrong in rows.select("skills", "wrong").iter_rows():
        names = sorted(skills)
        for subset in (*((name,) for name in names), *combinations(names, 2)):
            tally = right.setdefault(subset, [0, 0])
            tally[0] += wrong == 0
            tally[1] += 1
    failed = int((rows["wrong"] > 0).sum())
    return {
        "theta": wilson(failed, rows.height).as_dict(),
        "pieces": rows.height,
        "questions": int(rows["questions"].sum()),
        "wrong": int(rows["wrong"].sum()),
        "per_skill": [
            {"skill": subset[0], "competence": wilson(*tally).as_dict()}
            for subset, tally in sorted(right.items())
            if len(subset) == 1
        ],
        "per_pair": [
            {"skills": list(subset), "competence": wilson(*tally).as_dict()}
            for subset, tally in sorted(right.items())
            if len(subset) == 2 and tally[1] >= MIN_PAIR_PIECES
        ],
    }
