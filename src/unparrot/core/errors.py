"""The errors this package raises on purpose; the command line turns each into one clear message."""

import errno
import os
import re
import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path


class UnparrotError(Exception):
    """Base of every error that unparrot raises on purpose."""


class BadInput(UnparrotError, ValueError):
    """A value, a file or a record that cannot be used; the message says what to do."""


class CannotWrite(UnparrotError):
    """A file cannot be written: the disk is full, say. What stood there before is as it was."""


_CURES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


def refusal(error: BaseException) -> str | None:
    """Return why the system refused to read or write, in its words; None if it is not to blame.

    Libraries wrap what the system says in errors of their own; a full disk is a full disk, whoever
    writes.

    Examples
    --------
    >>> refusal(OSError(28, "No space left on device")), refusal(KeyError("k"))
    ('no space left on device', None)
    """
    wrapped = re.search(r"os error (\d+)", str(error))  # as Rust words it
    if isinstance(error, OSError):
        short = "requested and" in str(error)  # how NumPy words a write that fell short
        number = errno.ENOSPC if short else error.errno
    elif isinstance(error, sqlite3.OperationalError):
        if error.sqlite_errorname not in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):
            # an error of the statement is none of the disk
            return None if error.sqlite_errorname == "SQLITE_ERROR" else str(error)
        number = errno.ENOSPC
    else:
        number = None if wrapped is None else int(wrapped[1])
    if number is None:
        return None
    reason = os.strerror(number)
    return reason[0].lower() + reason[1:]


@contextmanager
def writing(path: Path, kept: str = "") -> Generator[None]:
    """Turn what the system refuses inside into `CannotWrite`, by whatever library.

    Parameters
    ----------
    path
        What is written.
    kept
        A sentence for the message: what is safe all the same.
    """
    try:
        yield
    except CannotWrite as error:
        raise CannotWrite(f"{error} {kept}" if kept else str(error)) from error
    except Exception as error:
        if (reason := refusal(error)) is None:
            raise
        cures = {os.strerror(number).lower(): cure for number, cure in _CURES.items()}
        cure = cures.get(reason, "choose a place that can be written to")
        raise CannotWrite(
            f"cannot write {path}: {reason}; {cure}, then give the same command again."
            f"{f' {kept}' if kept else ''}"
        ) from error


class MissingExtra(UnparrotError, ImportError):
    """A package of an optional extra is not installed; the message names the command that adds it.

    Parameters
    ----------
    extra
        Name of the extra, for example ``'lab'``.
    package
        The package that could not be imported, for example ``'torch'``.

    Examples
    --------
    >>> print(MissingExtra("lab", "torch"))
    torch is not installed; install it with: pip install 'unparrot[lab]'
    """

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            f"{package} is not installed; install it with: pip install 'unparrot[{extra}]'",
            name=package,
        )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the nearest of the known names as the end of an error; nothing if none is near.

    Examples
    --------
    >>> did_you_mean("similes", ["simile", "irony"])
    "; did you mean 'simile'?"
    """
    import difflib

    near = difflib.get_close_matches(name, list(known), n=3)
    return f"; did you mean {', '.join(map(repr, near))}?" if near else ""
