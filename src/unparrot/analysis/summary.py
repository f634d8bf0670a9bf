"""From the records of a run to `summary.json`: every figure that the page shows. `unparrot analyze`

Reads the tables of the run and writes the summary; nothing is drawn from a clock, so the same
records give the same summary to the last digit. What a run is of is what its manifest says: a run
of language models names its protocol, any other is taken for one of the lab.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unparrot.analysis.lab_summary import summarise_lab
from unparrot.analysis.read.skillmix_tables import is_skillmix
from unparrot.analysis.skillmix_summary import summarise_skillmix
from unparrot.core.records import RunFolder


def analyze(run: RunFolder | Path) -> dict[str, Any]:
    """Work out the figures of a run, write them to its summary.json, and return them.

    Raises
    ------
    BadInput
        If a table that every run has is absent or is not what it should be.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    summary = summarise(folder)
    folder.write_summary(summary)
    return summary


def summarise(folder: RunFolder) -> dict[str, Any]:
    """Return the figures of a run as plain data, writing nothing."""
    return summarise_skillmix(folder) if is_skillmix(folder) else summarise_lab(folder)
