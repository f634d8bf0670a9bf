"""What the values of options may be: counts, ranges, shares, files, models of runs."""

import math
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from unparrot.core.errors import BadInput, refusal
from unparrot.core.inputs import number, read_text

PLACE: Final = click.Path(path_type=Path)
# Help of an option of several commands.
WITHOUT_COMMON: Final = (
    "Leave out skills that 5 % or more of a corpus' windows show: a folder of `unparrot rates "
    "sample`, or a CSV file with the columns skill,rate."
)
FILE: Final = click.Path(path_type=Path, dir_okay=False)
PRESENT_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
FOLDER: Final = click.Path(path_type=Path, file_okay=False)
RUN: Final = click.Path(path_type=Path, file_okay=False, exists=True)
RUN_OR_FILE: Final = click.Path(path_type=Path, exists=True)

# Most points of a grid or numbers of a range, far above what a table or a chart can show.
MOST_POINTS: Final = 10_000
# What is nearer to an end that is no value itself counts as that end.
NEAR: Final = 1e-12
# Largest count: it fits a float with room for what is worked out from it.
MOST_COUNTED: Final = int(1e300)
# Skills of the largest piece where there are pieces of several sizes.
MOST_SKILLS: Final = 65_536


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
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError, OverflowError):
        number = float(text)
        return int(number) if number == int(number) else None
    return None


def Count(least: int = 0, most: int = MOST_COUNTED) -> Value:  # noqa: N802
    """Return the type of a whole number that may be written 1e7 or 10_000_000."""

    def read(text: str) -> int:
        number = whole(text)
        if number is None:
            raise BadInput(f"{text!r} is not a whole number; write it like 5000 or 1e7")
        if not least <= number <= most:
            limit = f"at least {least:,}" if number < least else f"at most {most:.15g}"
            raise BadInput(f"{text[:40]!r} must be {limit}")
        return number

    return Value("count", read)


def Number(  # noqa: N802
    least: float = -math.inf, most: float = math.inf, *, inside: bool = False
) -> Value:
    """Return the type of a finite number from ``least`` to ``most``, or between them."""

    def read(text: str) -> float:
        value = number(text)
        if not math.isfinite(value):
            raise BadInput(f"{text!r} is not a finite number; write it like 0.05 or 1e-3")
        edge = NEAR if inside else 0
        if not least + edge <= value <= most - edge:
            signs = ("above", "under") if inside else ("at least", "at most")
            ends = zip(signs, (least, most), strict=True)
            limits = [f"{sign} {end:g}" for sign, end in ends if math.isfinite(end)]
            raise BadInput(f"{text!r} must be {' and '.join(limits)}")
        return value

    return Value("number", read)


def Unset(kind: click.ParamType[Any]) -> Value:  # noqa: N802
    """Return the type of a setting that may also be 'none', which is then not sent at all."""

    def read(text: str) -> object:
        none = text.strip().lower() == "none"
        return "none" if none else kind.convert(text, None, None)

    return Value(f"{kind.name}|none", read)


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


def _keyed(text: str, what: str, form: str, *, alone: bool) -> dict[int | None, float]:
    """Read shares by whole numbers, ``1:0.1,4:0.9``; one without may stand alone, under None."""
    shares: dict[int | None, float] = {}
    for part in text.split(","):
        key, colon, share = part.rpartition(":")
        k = whole(key)
        value = number(share)
        if not 0 <= value <= 1 or (k is None or k < 0 if colon else not alone):
            raise BadInput(f"{part!r} is no {what} from 0 to 1; write {form}")
        if k in shares:
            raise BadInput(f"{text!r} gives {key or 'every k'} twice; give it once")
        shares[k] = value
    if None in shares and len(shares) > 1:
        raise BadInput(f"{text!r} mixes a {what} for every k with others")
    return shares


def read_degrees(text: str) -> dict[int, float]:
    """Read how many skills a piece holds: ``4``, or shares of the pieces, ``1:0.1,4:0.9``."""
    k = whole(text)
    if k is not None and k >= 0:
        return {k: 1.0}
    form = "4, or shares of the pieces like 1:0.1,4:0.9"
    keyed = _keyed(text, "degree from 0 up with its share", form, alone=False)
    shares = {k: share for k, share in keyed.items() if k is not None}
    if len(shares) > 1 and max(shares) > MOST_SKILLS:
        raise BadInput(
            f"{text!r}: a piece of mixed sizes has at most {MOST_SKILLS:,} skills; lower the degree"
        )
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-6:
        raise BadInput(f"the shares in {text!r} add up to {total:g}, not 1")
    return shares


def degree_of(shares: dict[int, float]) -> int | tuple[float, ...]:
    """Return the degree of all pieces, or the shares of those with 0, 1, 2, ... skills."""
    most = max(shares)
    return most if len(shares) == 1 else tuple(shares.get(k, 0.0) for k in range(most + 1))


def _degrees_or_file(text: str) -> dict[int, float]:
    if os.path.isfile(text):  # unlike that of a Path, false where a name is too long  # noqa: PTH113
        lines = read_text(Path(text)).split()
        text = ",".join(line.rstrip(",") for line in lines)
    return read_degrees(text)


def _interval(text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    ends = number(low), number(high)
    if not 0 <= ends[0] < ends[1] < math.inf:
        raise BadInput(f"{text!r} is not a range of numbers from 0 up; write it like 0.5..12")
    return ends


def _measured(text: str) -> dict[int | None, float]:
    """Read the limit by k, or under None that of every k."""
    return _keyed(text, "ratio", "0.12 or 5:0.12,6:0.08", alone=True)


class RunModel(NamedTuple):
    """A run's folder and the name of one of its models, or None if none was named."""

    run: Path
    model: str | None


def _run_model(text: str) -> RunModel:
    # names such as provider/name:tag have colons too: the first that ends a folder counts
    ends = [len(text), *(i for i, letter in enumerate(text) if letter == ":")]
    end = next((i for i in ends if os.path.isdir(text[:i])), None)  # noqa: PTH112
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
            f"cannot write {path}: {refusal(error)}; name a file in a folder that you may write to"
        ) from error


def _drawing(text: str) -> Path:
    path = Path(str(FILE.convert(text, None, None)))
    if path.suffix.lower() not in (".svg", ".png", ".pdf"):
        raise BadInput(f"{path}: name a file that ends in .svg, .png or .pdf")
    require_place(path)
    return path


# ``4``, or shares of the pieces by their number of skills, ``1:0.1,4:0.9``.
DEGREES: Final = Value("degrees", read_degrees)
# `DEGREES`, or a file with one such share a line.
DEGREES_OR_FILE: Final = Value("degrees", _degrees_or_file)
NUMBER: Final = Number()
SHARE: Final = Number(0, 1)
OPEN_SHARE: Final = Number(0, 1, inside=True)
POSITIVE: Final = Count(1)
# What every generator of random numbers takes.
SEED: Final = Count(0, 2**63 - 1)
# Of a bootstrap, or draws of ranks: more would only take longer.
RESAMPLES: Final = Count(100, 1_000_000)
# Two numbers from 0 up, ``0.5..12``.
INTERVAL: Final = Value("interval", _interval)
# A lower confidence limit for every k, ``0.12``, or for each, ``5:0.12,6:0.08``.
MEASURED: Final = Value("measured", _measured)
# ``RUN`` or ``RUN:MODEL``; the folder must exist.
RUN_MODEL: Final = Value("run[:model]", _run_model)
# A file that a figure can be drawn into.
DRAWING: Final = Value("file", _drawing)
