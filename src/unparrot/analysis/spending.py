"""What a run of language models cost: calls, tokens, dollars and seconds, by model and role.

What nobody reported is None, and a sum with an unknown part is None too: never less than it was.
"""

from typing import Any, Final

import polars as pl
from msgspec import Struct

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


class SpentRow(Spent, frozen=True):
    """What one model spent in one role.

    ``median`` seconds of a call, and what nine tenths did not exceed; None where no call says.
    """

    model: str
    role: str
    median: float | None
    nine_tenths: float | None


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
    times = {name: pl.lit(None, pl.Float64) for name in _QUANTILES}
    rows = usage.select("model", "role", *Spent.__struct_fields__).with_columns(**times)
    if calls is not None:
        rows = rows.update(_latencies(calls, texts), on=["model", "role"])
    known = usage["cost"].drop_nulls()
    return Usage(
        rows=tuple(SpentRow(**row) for row in rows.iter_rows(named=True)),
        total=Spent(**{name: _sum(usage[name]) for name in Spent.__struct_fields__}),
        known_cost=float(known.sum()) if len(known) else None,
        texts=texts.height,
        unusable=_unusable(calls),
    )


def _sum(values: pl.Series) -> Any:
    return None if values.is_empty() or values.null_count() else values.sum()


def _latencies(calls: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    wrote, turn = texts.select("text_id", "model"), pl.col("step") == "turn"
    return (
        calls.drop_nulls("latency")
        .join(wrote, on="text_id", how="left")
        .group_by(
            model=pl.when(turn).then("model").otherwise("grader"),
            role=pl.when(turn).then(pl.lit("student")).otherwise(pl.lit("grader")),
        )
        .agg(pl.col("latency").quantile(q, "linear").alias(n) for n, q in _QUANTILES.items())
    )


def _unusable(calls: pl.DataFrame | None) -> tuple[UnusableReplies, ...]:
    if calls is None:
        return ()
    lost = calls.filter(pl.col("outcome") != "ok")
    counts = lost.group_by("step", pl.col("outcome").alias("reason")).agg(pl.len().alias("calls"))
    rows = counts.sort("calls", "step", "reason", descending=[True, True, False]).iter_rows()
    return tuple(UnusableReplies(*row) for row in rows)
