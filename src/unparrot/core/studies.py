"""The record of a study, study.json: its runs, and where each of them stands on the axes.

A study is a folder of runs of the lab that differ along stated axes. Within a run models differ in
shape and training tokens, which models.parquet has; what a run has in common (seed, world, mixture,
held-out shares, recipe) are its ``axes`` here.
"""

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from unparrot.core.records import read_json

STUDY: Final = "study.json"
Value = int | float | str | tuple[float, ...]


class StudyRun(Struct, frozen=True, forbid_unknown_fields=True):
    """A run of a study: its folder, relative to that of the study, and its place on every axis."""

    folder: str
    axes: dict[str, Value]


class StudyRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """What study.json holds.

    Parameters
    ----------
    name, about
        From the study's file.
    axes
        All values of every axis; those with several are what the study varies.
    runs
        In the order of the axes.
    """

    version: Literal[1]
    name: str
    about: str
    axes: dict[str, tuple[Value, ...]]
    runs: tuple[StudyRun, ...]


def read_study(folder: Path) -> StudyRecord:
    """Read the record of a study.

    Raises
    ------
    BadInput
        If it is absent, damaged, or of another version.
    """
    return read_json(folder / STUDY, StudyRecord, "run `unparrot lab study run` again")
