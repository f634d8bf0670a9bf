"""What a run cost: sums by hand, and nothing unknown becomes a number."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from unparrot.analysis.spending import spending
from unparrot.core.tables import TRANSCRIPTS_SCHEMA, USAGE_SCHEMA

TEXTS = pl.DataFrame({"text_id": ["a", "b"], "model": ["s", "s"]})
USAGE = pl.DataFrame(
    [
        ("s", "student", 4, 5, 1, 1, 100, 40, 7, 0.5, 6.0),
        ("g", "grader", 6, 6, 0, 2, 300, 60, None, None, 9.0),
    ],
    schema=USAGE_SCHEMA,
    orient="row",
)


def plain(content: object) -> Any:
    """Return what JSON holds of some figures."""
    return msgspec.json.decode(msgspec.json.encode(content))


def call(
    text: str, step: str, grader: str | None, latency: float | None, outcome: str = "ok"
) -> tuple[object, ...]:
    return (text, step, grader, 1, 1, "p", "r", "stop", outcome, latency, 1, 1, None)


CALLS = pl.DataFrame(
    [
        call("a", "turn", None, 1.0),
        call("a", "turn", None, 3.0),
        call("b", "turn", None, 2.0, "refused"),
        call("b", "turn", None, None),
        call("a", "grading", "g", 5.0, "no marks"),
        call("b", "grading", "g", 5.0, "no marks"),
    ],
    schema=TRANSCRIPTS_SCHEMA,
    orient="row",
)


def test_by_hand() -> None:
    found = plain(spending(USAGE, CALLS, TEXTS))
    assert found is not None
    student, grader = found["rows"]
    assert (student["median"], student["nine_tenths"]) == (2.0, 2.8)
    assert (grader["median"], grader["nine_tenths"]) == (5.0, 5.0)
    assert found["total"]["calls"] == 10
    assert found["total"]["input_tokens"] == 400
    assert found["total"]["seconds"] == 15.0
    assert found["total"]["cost"] is None  # the grader's price is not known
    assert found["total"]["reasoning_tokens"] is None
    assert found["known_cost"] == 0.5
    assert found["texts"] == 2
    assert found["unusable"] == [
        {"step": "grading", "reason": "no marks", "calls": 2},
        {"step": "turn", "reason": "refused", "calls": 1},
    ]


def test_a_cost_of_nothing_is_not_an_unknown_one() -> None:
    free = USAGE.with_columns(pl.lit(0.0).alias("cost"))
    found = plain(spending(free, None, TEXTS))
    assert found is not None
    assert (found["total"]["cost"], found["known_cost"]) == (0.0, 0.0)
    assert found["rows"][0]["median"] is None
    assert found["unusable"] == []
    unknown = plain(spending(USAGE[1:], CALLS, TEXTS))
    assert unknown is not None
    assert unknown["known_cost"] is None


def test_without_a_record_there_is_nothing() -> None:
    assert spending(None, CALLS, TEXTS) is None
