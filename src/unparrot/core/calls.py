"""What a run of language models records of its calls: its tables ``transcripts`` and ``usage``.

    transcripts.parquet   one row a call: what was sent, what came back, and whether it was usable
    usage.parquet         one row a model and role: calls, tokens, dollars, seconds

They stand beside texts.parquet and graded.parquet (`unparrot.core.records`). What a provider does
not report is null, never 0.
"""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

Step = Literal["turn", "grading"]
Role = Literal["student", "grader"]

TRANSCRIPTS_SCHEMA: Final = pl.Schema(
    {
        "text_id": pl.String,
        "step": pl.String,
        "grader": pl.String,
        "round": pl.Int64,
        "try": pl.Int64,
        "prompt": pl.String,
        "reply": pl.String,
        "stop_reason": pl.String,
        "outcome": pl.String,
        "latency": pl.Float64,
        "input_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "cost": pl.Float64,
    }
)
"""Columns of transcripts.parquet. ``step`` is 'turn' or 'grading'; ``grader`` is null for turns;
``round`` is the number of the turn, or the grading round; ``try`` counts from 1 how often it was
asked; ``outcome`` is 'ok', or why the reply was of no use; ``latency`` in seconds, ``cost`` in
US dollars."""

USAGE_SCHEMA: Final = pl.Schema(
    {
        "model": pl.String,
        "role": pl.String,
        "calls": pl.Int64,
        "attempts": pl.Int64,
        "failed": pl.Int64,
        "unusable": pl.Int64,
        "input_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "reasoning_tokens": pl.Int64,
        "cost": pl.Float64,
        "seconds": pl.Float64,
    }
)
"""Columns of usage.parquet. ``role`` is 'student' or 'grader'; ``attempts`` counts a call again
for every retry, ``failed`` those without a reply, ``unusable`` replies that were of no use. A sum
of tokens is null if no call reported any; ``cost`` in US dollars is null if that of some answered
call is not known; ``seconds`` is the sum of latencies."""
