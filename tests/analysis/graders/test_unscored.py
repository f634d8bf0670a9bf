"""Unscored marks are counted by reason, and rounds by how they voted: by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from unparrot.analysis.graders.unscored import unscored_marks, voting
from unparrot.core.tables import GRADED_SCHEMA

TEXTS = pl.DataFrame({"text_id": ["a", "b", "c"], "model": ["m", "m", "n"]})


def plain(content: object) -> Any:
    """Return what JSON holds of some figures."""
    return msgspec.json.decode(msgspec.json.encode(content))


def test_by_model_kind_and_reason() -> None:
    kinds = {"irony": "skill"} | {name: name for name in ("topic", "sense", "length")}
    rows = [(text, name, kind, "earned", "") for text in "abc" for name, kind in kinds.items()]
    rows[0] = ("a", "irony", "skill", "unscored", "refused")
    rows[1] = ("a", "topic", "topic", "unscored", "refused")
    rows[4] = ("b", "irony", "skill", "unscored", "the rounds tie, 1 to 1")
    rows[8] = ("c", "irony", "skill", "unscored", "refused")
    graded = pl.DataFrame(rows, schema=GRADED_SCHEMA, orient="row")
    found = plain(unscored_marks(graded, TEXTS, ["n", "m"]))
    none = {"skill": 0, "topic": 0, "sense": 0, "length": 0}
    assert found["models"] == [
        {"model": "n", "texts": 1, "texts_unscored": 1, "marks": 4, "unscored": 1,
         "kinds": {**none, "skill": 1}},
        {"model": "m", "texts": 2, "texts_unscored": 2, "marks": 8, "unscored": 3,
         "kinds": {**none, "skill": 2, "topic": 1}},
    ]  # fmt: skip
    assert found["reasons"] == [
        {"reason": "refused", "marks": 3, "texts": 2, "by_model": [1, 2]},
        {"reason": "the rounds tie, 1 to 1", "marks": 1, "texts": 1, "by_model": [0, 1]},
    ]


def test_nothing_unscored() -> None:
    graded = pl.DataFrame(
        [("a", "irony", "skill", "missed", "no")], schema=GRADED_SCHEMA, orient="row"
    )
    found = plain(unscored_marks(graded, TEXTS, ["m"]))
    assert found["reasons"] == []
    assert found["models"][0]["unscored"] == 0


def test_how_rounds_voted() -> None:
    said = {  # criterion: what rounds 1 to 3 said
        "agreed": "110",  # split: a majority
        "alike": "111",
        "with one silent": "0?0",  # all that there is agrees
        "tied": "1?0",
        "silent": "???",
    }
    status = {"1": "earned", "0": "missed", "?": "unscored"}
    grades = pl.DataFrame(
        [
            {"text_id": "a", "criterion": name, "kind": "skill", "grader": "g", "round": i,
             "status": status[mark]}
            for name, marks in said.items()
            for i, mark in enumerate(marks, start=1)
        ]
    )  # fmt: skip
    assert plain(voting(grades)) == [
        {
            "grader": "g",
            "rounds": 3,
            "verdicts": 5,
            "agreed": 2,
            "split": 1,
            "ties": 1,
            "silent": 1,
            "marks": 15,
            "abstained": 5,
        }
    ]
