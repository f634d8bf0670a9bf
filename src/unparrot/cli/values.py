"""What the values of options may be: counts, ranges, shares, files, models of runs."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from unparrot.core.errors import BadInput

PLACE: Final = click.Path(path_type=Path)
FILE: Final = click.Path(path_type=Path, dir_okay=False)
PRESENT_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
FOLDER: Final = click.Path(path_type=Path, file_okay=False)
RUN: Final = click.Path(path_type=Path, file_okay=False, exists=True)
SHARE: Final = click.FloatRange(0, 1)
OPEN_SHARE: Final = click.FloatRange(0, 1, min_open=True, max_open=True)
POSITIVE: Final = click.IntRange(min=1)
SEED: Final = click.IntRange(min=0)

MOST_POINTS: Final = 10_000
"""Most points of a grid or numbers of a range, far above what a table or a chart can show."""

MOST_COUNTED: Final = int(1e300)
"""Largest count: it fits a float with room for what is worked out from it."""

MOST_SKILLS: Final = 65_536
"""Skills of the largest piece where there are pieces of several sizes."""


class Value(click.ParamType[Any]):
    """A value that a function reads from text; it raises `BadInput` where it cannot."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._read = read

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return what the text stands for; other values, such as defaults, as they are."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except BadInput as error:
            self.fail(str(error), param, ctx)


def whole(text: str) -> int | None:
    """Read a whole number that may be written 1e7; None if the text is none."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and number == int(number) else None


def Count(least: int = 0) -> Value:  # noqa: N802
    """Return the type of a whole number that may be written 1e7 or 10_000_000."""

    def read(text: str) -> int:
        number = whole(text)
        if number is None:
            raise BadInput(f"{text!r} is not a whole number; write it like 5000 or 1e7")
        if number < least:
            raise BadInput(f"{text!r} must be at least {least}")
        if number > MOST_COUNTED:
            raise BadInput(f"{text[:20]}... is too large for a float; give at most 1e300")
        return number

    return Value("count", read)


def Span(least: int = 1) -> Value:  # noqa: N802
    """Return the type of a range of whole numbers, ``2..6`` or one number: a tuple of them all."""

    def read(text: str) -> tuple[int, ...]:
        low, dots, high = text.partition("..")
        first, last = whole(low), whole(high if dots else low)
        if first is None or last is None or not least <= first <= last:
            raise BadInput(f"{text!r} is not a range from {least} up; write it like 2..6 or 3")
        if last - first >= MOST_POINTS:
            raise BadInput(
                f"{text!r} has {last - first + 1:,} numbers, at most {MOST_POINTS:,} are worked "
                "out; narrow it"
            )
        return tuple(range(first, last + 1))

    return Value("range", read)


def read_degrees(text: str) -> dict[int, float]:
    """Read how many skills a piece holds: ``4``, or shares of the pieces, ``1:0.1,4:0.9``."""
    shares: dict[int, float] = {}
    parts = text.split(",")
    for part in parts:
        degree, colon, share = part.partition(":")
        k = whole(degree)
        try:
            p = float(share) if colon or len(parts) > 1 else 1.0
        except ValueError:
            k, p = None, 1.0
        if k is None:
            raise BadInput(f"{part!r} is no degree with its share; write them like 1:0.1,4:0.9")
        if k < 0 or not 0 <= p <= 1:
            raise BadInput(f"{part!r} must be a degree from 0 up and a share from 0 to 1")
        if len(parts) > 1 and k > MOST_SKILLS:
            raise BadInput(
                f"{part!r}: a piece of mixed sizes has at most {MOST_SKILLS:,} skills; lower the "
                "degree"
            )
        if k in shares:
            raise BadInput(f"the degree {k} is given twice in {text!r}")
        shares[k] = p
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-6:
        raise BadInput(f"the shares in {text!r} add up to {total:g}, not 1")
    return shares


def listed_degrees(degrees: dict[int, float]) -> tuple[float, ...]:
    """Return the shares of the pieces with 0, 1, 2, ... skills."""
    return tuple(degrees.get(k, 0.0) for k in range(max(degrees) + 1))


def _degrees_or_file(text: str) -> dict[int, float]:
    if Path(text).is_file():
        lines = Path(text).read_text("utf-8", errors="replace").split()
        text = ",".join(line.rstrip(",") for line in lines)
    return read_degrees(text)


def _interval(text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    try:
        ends = float(low), float(high)
    except ValueError:
        ends = math.nan, math.nan
    if not 0 <= ends[0] < ends[1] < math.inf:
        raise BadInput(f"{text!r} is not a range of numbers from 0 up; write it like 0.5..12")
    return ends


def _measured(text: str) -> dict[int | None, float]:
    """Read the limit by k, or under None that of every k."""
    limits: dict[int | None, float] = {}
    for part in text.split(","):
        k, colon, limit = part.rpartition(":")
        try:
            key, number = int(k) if colon else None, float(limit)
        except ValueError:
            raise BadInput(f"{part!r} is no ratio; write 0.12 or 5:0.12,6:0.08") from None
        if not 0 <= number <= 1:
            raise BadInput(f"{part!r} must be a ratio from 0 to 1")
        if key in limits:
            raise BadInput(f"{text!r} gives two ratios for one k; give one")
        limits[key] = number
    if None in limits and len(limits) > 1:
        raise BadInput(f"{text!r} mixes a ratio for every k with others")
    return limits


class RunModel(NamedTuple):
    """A run's folder and the name of one of its models, or None if none was named."""

    run: Path
    model: str | None


def _run_model(text: str) -> RunModel:
    # names such as provider/name:tag have colons too: the first that ends a folder counts
    ends = [len(text), *(i for i, letter in enumerate(text) if letter == ":")]
    end = next((i for i in ends if Path(text[:i]).is_dir()), None)
    if end is None or text[end:] == ":":
        raise BadInput(f"{text!r} is not the folder of a run, nor RUN:MODEL with one")
    return RunModel(Path(text[:end]), text[end + 1 :] or None)


def require_place(path: Path) -> None:
    """Raise `BadInput` before any work if no file can be written at this path."""
    try:
        path.exists()  # a name that the system cannot hold fails here
        folder = path.absolute().parent
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(
            f"cannot write {path}: {error.strerror}; name a file in a folder that you may write to"
        ) from error


def _drawing(text: str) -> Path:
    path = Path(str(FILE.convert(text, None, None)))
    if path.suffix.lower() not in (".svg", ".png", ".pdf"):
        raise BadInput(f"{path}: name a file that ends in .svg, .png or .pdf")
    require_place(path)
    return path


DEGREES: Final = Value("degrees", read_degrees)
"""``4``, or shares of the pieces by their number of skills, ``1:0.1,4:0.9``."""
DEGREES_OR_FILE: Final = Value("degrees", _degrees_or_file)
"""`DEGREES`, or a file with one such share a line."""
INTERVAL: Final = Value("interval", _interval)
"""Two numbers from 0 up, ``0.5..12``."""
MEASURED: Final = Value("measured", _measured)
"""A lower confidence limit for every k, ``0.12``, or for each, ``5:0.12,6:0.08``."""
RUN_MODEL: Final = Value("run[:model]", _run_model)
"""``RUN`` or ``RUN:MODEL``; the folder must exist."""
DRAWING: Final = Value("file", _drawing)
"""A file that a figure can be drawn into."""
