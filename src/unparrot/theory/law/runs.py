"""Training runs from a CSV file, for `unparrot theory fit FILE.csv`.

The first line names the columns: ``params``, ``loss``, and ``tokens`` or ``flops``; other columns
are ignored. Tokens follow from FLOP as C / (6 N).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.theory.law.loss_law import FLOPS_PER_PARAM_TOKEN

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Runs:
    """Columns of a table of training runs, each of shape (n,), above 0 and finite.

    Parameters
    ----------
    params, loss
        Parameters N and final loss (nats per token) of each run.
    tokens
        Training tokens D; None where the table gives neither tokens nor FLOP.
    """

    params: Floats
    loss: Floats
    tokens: Floats | None


def read_runs(path: Path) -> Runs:
    """Read training runs from a CSV file in UTF-8, with commas between the cells.

    Where a file has both ``tokens`` and ``flops``, tokens count. Empty lines are skipped.

    Raises
    ------
    BadInput
        If the file holds no table, a column is missing or there twice, or a cell is empty or not
        a number above 0; the message names the line.
    OSError
        If the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text ({error}); save it as CSV in UTF-8") from error
    first = len(text) - len(text.lstrip())
    if first == len(text):
        raise BadInput(f"{path} is empty; its first line must name params, tokens (or flops), loss")
    above = text.count("\n", 0, first)
    cells = _cells(path, text[first:], above)
    header = [str(name or "").strip() for name in cells.row(0)]
    for name in ("params", "tokens", "flops", "loss"):
        if header.count(name) > 1:
            raise BadInput(
                f"{path}, line {above + 1}: the header names {name} {header.count(name)} times; "
                "keep one such column"
            )
    for name in ("params", "loss"):
        if name not in header:
            raise BadInput(
                f"{path} has no column {name}; line {above + 1} must be a header that names "
                f"params, tokens (or flops) and loss, with commas between them, not {header!r}"
            )
    blank = cells.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    kept = np.flatnonzero(~blank)[1:]  # without the header
    if not len(kept):
        raise BadInput(f"{path} has a header but no run below it; add a line for each run")

    def column(name: str) -> Floats:
        return _numbers(path, name, cells.to_series(header.index(name)).gather(kept), kept + above)

    params, loss = column("params"), column("loss")
    if "tokens" in header:
        return Runs(params, loss, column("tokens"))
    if "flops" in header:
        return Runs(params, loss, column("flops") / (FLOPS_PER_PARAM_TOKEN * params))
    return Runs(params, loss, None)


def _cells(path: Path, text: str, above: int) -> pl.DataFrame:
    """Every cell as text, the header in row 0, so that a row's number gives its line."""
    try:
        return pl.read_csv(text.encode(), has_header=False, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        lines = text.splitlines()
        width = lines[0].count(",")
        long = next((i for i, line in enumerate(lines) if line.count(",") > width), None)
        if long is None:
            reason = str(error).strip().rpartition("\n")[2]
            raise BadInput(f"{path} is not well-formed CSV: {reason}") from error
        raise BadInput(
            f"{path}, line {above + long + 1}: more cells than the header names; write numbers "
            "without commas inside, and one comma between two cells"
        ) from error


def _numbers(path: Path, name: str, texts: pl.Series, rows: NDArray[np.intp]) -> Floats:
    stripped = texts.str.strip_chars()
    numbers = stripped.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers > 0)))
    if len(wrong):
        i = int(wrong[0])
        cell: object = stripped[i]
        given = "empty" if cell is None else repr(cell)
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise BadInput(
            f"{path}, line {int(rows[i]) + 1}: {name} is {given}, which is no number above "
            f"0{more}; correct the cell or delete the line"
        )
    return numbers
