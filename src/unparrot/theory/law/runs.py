"""Training runs from a CSV file, for `unparrot theory fit FILE.csv`.

The first line names the columns: ``params``, ``loss``, and ``tokens`` or ``flops``; other columns
are ignored. Tokens follow from FLOP as C / (6 N).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unparrot.core.errors import BadInput
from unparrot.core.inputs import number, read_rows
from unparrot.theory.law.loss_law import FLOPS_PER_PARAM_TOKEN

Floats = NDArray[np.float64]
_COLUMNS = ("params", "loss", "tokens", "flops")


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


def read_runs(path: Path, floor: float = 0.0) -> Runs:
    """Read training runs from a CSV file.

    Where a file has both ``tokens`` and ``flops``, tokens count. Empty lines are skipped.

    Parameters
    ----------
    path
        The file.
    floor
        What every loss must be above.

    Raises
    ------
    BadInput
        As `unparrot.core.inputs.read_rows`; also if a cell is empty or no number above 0, or
        there is no run.
    """
    columns: dict[str, list[float]] = {}
    for line, row in read_rows(path, _COLUMNS[:2], _COLUMNS[2:], numbers=_COLUMNS):
        for name, text in row.items():
            least = floor if name == "loss" else 0.0
            columns.setdefault(name, []).append(_size(text, f"{path}, line {line}: {name}", least))
    if not columns:
        raise BadInput(f"{path} has a header but no run below it; add a line for each run")
    arrays = {name: np.array(column) for name, column in columns.items()}
    if "tokens" not in arrays and "flops" in arrays:
        arrays["tokens"] = arrays["flops"] / (FLOPS_PER_PARAM_TOKEN * arrays["params"])
    return Runs(arrays["params"], arrays["loss"], arrays.get("tokens"))


def _size(text: str, what: str, floor: float) -> float:
    value = number(text)
    if not floor < value < math.inf:
        raise BadInput(
            f"{what} is {repr(text) if text else 'empty'}, which is no number above {floor:g}; "
            "correct the cell or delete the line"
        )
    return value
