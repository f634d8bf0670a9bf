"""The errors this package raises on purpose; the command line turns each into one clear message."""

from __future__ import annotations

from collections.abc import Iterable


class UnparrotError(Exception):
    """Base of every error that unparrot raises on purpose."""


class BadInput(UnparrotError, ValueError):
    """A value, a file or a record that cannot be used; the message says what to do."""


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
