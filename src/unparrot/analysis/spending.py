"""What a run of language models cost: calls, tokens, dollars and seconds, by model and role.

What nobody reported is None, and a sum with an unknown part is None too: never less than it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl
from msgspec import Struct

COUNTS: Final = ("calls", "attempts", "failed", "unusable")
TOKENS: Final = ("input_tokens", "output_tokens", "reasoning_tokens")
SUMS: Final = (*COUNTS, *TOKENS, "cost", "seconds")
_QUANTILES: Final = {"median": 0.5, "nine_tenths": 0.9}


class Spent(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls, tokens, dollars and seconds; None where nobody reported some of it."""

    calls: int | None
    attempts: int | None
    failed: int | None
    unusable: int | None
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    seconds: float | None


class Latency(Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds that ``n`` calls took: the median, and what nine tenths of them did not exceed."""

    n: int
    median: float
    nine_tenths: float


class SpentRow(Spent, frozen=True):
    """What one model spent in one role; ``latency`` is None where no call says."""

    model: str
    role: str
    latency: Latency | None


class UnusableReplies(Struct, frozen=True, forbid_unknown_fields=True):
    """Number of calls of one step whose replies were of no use, for one reason."""

    step: str
    reason: str
    calls: int


class Usage(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run of language models cost, by model and role.

    ``known_cost`` is the dollars of the rows whose cost is known; None if that is none.
    """

    rows: tuple[SpentRow, ...]
    total: Spent
    known_cost: float | None
    texts: int
    unusable: tuple[UnusableReplies, ...]


def spending(
    usage: pl.DataFrame | None, calls: pl.DataFrame | None, texts: pl.DataFrame
) -> Usage | None:
    """Return usage by model and role, with totals, or None if the run has no record of it.

    Parameters
    ----------
    usage
        usage.parquet (`unparrot.core.tables.USAGE_SCHEMA`), or None.
    calls
        transcripts.parquet; prompts and replies may be absent. None if there are none.
    texts
        ``text_id`` and ``model`` of the texts.
    """
    if usage is None:
        return None
    spent = _latencies(calls, texts)
    rows = tuple(
        SpentRow(
            **{name: row[name] for name in ("model", "role", *SUMS)},
            latency=spent.get((row["model"], row["role"])),
        )
        for row in usage.iter_rows(named=True)
    )
    known = [row.cost for row in rows if row.cost is not None]
    return Usage(
        rows=rows,
        total=Spent(**{name: _sum(usage[name].to_list()) for name in SUMS}),
        known_cost=sum(known) if known else None,
        texts=texts.height,
        unusable=_unusable(calls),
    )


def _sum(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _latencies(calls: pl.DataFrame | None, texts: pl.DataFrame) -> dict[tuple[str, str], Latency]:
    if calls is None:
        return {}
    known = calls.filter(pl.col("latency").is_not_null()).join(
        texts.select("text_id", "model"), on="text_id", how="left"
    )
    turn = pl.col("step") == "turn"
    latencies = (
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
    return {(model, role): Latency(*rest) for model, role, *rest in latencies.iter_rows()}


def _unusable(calls: pl.DataFrame | None) -> tuple[UnusableReplies, ...]:
    if calls is None:
        return ()
    lost = calls.filter(pl.col("outcome") != "ok")
    counts = lost.group_by("step", pl.col("outcome").alias("reason")).agg(pl.len().alias("calls"))
    rows = counts.sort("calls", "step", "reason", descending=[True, True, False]).iter_rows()
    return tuple(UnusableReplies(*row) for row in rows)
