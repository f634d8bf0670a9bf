"""What a run of language models cost: calls, tokens, dollars and seconds, by model and role.

What nobody reported is None, and a sum with an unknown part is None too: never less than it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

COUNTS: Final = ("calls", "attempts", "failed", "unusable")
TOKENS: Final = ("input_tokens", "output_tokens", "reasoning_tokens")
SUMS: Final = (*COUNTS, *TOKENS, "cost", "seconds")
_QUANTILES: Final = {"median": 0.5, "nine_tenths": 0.9}


def spending(
    usage: pl.DataFrame | None, calls: pl.DataFrame | None, texts: pl.DataFrame
) -> dict[str, Any] | None:
    """Return usage by model and role, with totals, or None if the run has no record of it.

    Parameters
    ----------
    usage
        usage.parquet (`unparrot.core.tables.USAGE_SCHEMA`), or None.
    calls
        transcripts.parquet; prompts and replies may be absent. None if there are none.
    texts
        ``text_id`` and ``model`` of the texts.

    Returns
    -------
    dict
        ``rows`` (a model and role each, with ``latency``: n calls, median and nine tenths in
        seconds, or None), ``total``, ``known_cost`` (dollars of the rows whose cost is known),
        ``texts``, and ``unusable``: replies of no use by step and reason.
    """
    if usage is None:
        return None
    spent = _latencies(calls, texts)
    rows: list[dict[str, Any]] = [
        {
            **{name: row[name] for name in ("model", "role", *SUMS)},
            "latency": spent.get((row["model"], row["role"])),
        }
        for row in usage.iter_rows(named=True)
    ]
    known: list[float] = [row["cost"] for row in rows if row["cost"] is not None]
    return {
        "rows": rows,
        "total": {name: _sum([row[name] for row in rows]) for name in SUMS},
        "known_cost": sum(known) if known else None,
        "texts": texts.height,
        "unusable": _unusable(calls),
    }


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _latencies(
    calls: pl.DataFrame | None, texts: pl.DataFrame
) -> dict[tuple[str, str], dict[str, Any]]:
    if calls is None:
        return {}
    known = calls.filter(pl.col("latency").is_not_null()).join(
        texts.select("text_id", "model"), on="text_id", how="left"
    )
    turn = pl.col("step") == "turn"
    found = (
        known.with_columns(
            pl.when(turn).then("model").otherwise("grader").alias("model"),
            pl.when(turn).then(pl.lit("student")).otherwise(pl.lit("grader")).alias("role"),
        )
        .group_by("model", "role")
        .agg(
            pl.len().alias("n"),
            *(pl.col("latency").quantile(q, "linear").alias(n) for n, q in _QUANTILES.items()),
        )
    )
    return {(row.pop("model"), row.pop("role")): row for row in found.iter_rows(named=True)}


def _unusable(calls: pl.DataFrame | None) -> list[dict[str, Any]]:
    if calls is None:
        return []
    lost = calls.filter(pl.col("outcome") != "ok")
    found = lost.group_by("step", pl.col("outcome").alias("reason")).agg(pl.len().alias("calls"))
    return found.sort("calls", "step", "reason", descending=[True, True, False]).to_dicts()
