"""Cloze pieces by hand: theta, skills, pairs, and what is too few to tell."""

from __future__ import annotations

import polars as pl

from unparrot.analysis.theory.cloze import cloze_summary
from unparrot.core.tables import CLOZE_SCHEMA
from unparrot.stats.intervals import wilson

PIECES = [
    (["a", "b"], 20, 3, 0),
    (["b", "a"], 20, 2, 1),
    (["a"], 10, 1, 0),
    (["c"], 10, 0, 0),  # nothing was asked, so nothing is known
]


def frame(pieces: list[tuple[list[str], int, int, int]], model: str = "64k") -> pl.DataFrame:
    rows = [(model, i, *piece) for i, piece in enumerate(pieces)]
    return pl.DataFrame(rows, schema=CLOZE_SCHEMA, orient="row")


def test_a_failed_piece_counts_against_all_its_skills() -> None:
    found = cloze_summary(frame(PIECES), "64k")
    assert found is not None
    assert found.theta == wilson(1, 3)
    assert (found.pieces, found.questions, found.wrong) == (3, 6, 1)
    assert found.per_skill == {"a": wilson(2, 3), "b": wilson(1, 2)}


def test_a_model_without_answers_has_no_summary() -> None:
    assert cloze_summary(frame(PIECES), "splice") is None
    assert cloze_summary(frame([(["c"], 10, 0, 0)]), "64k") is None
