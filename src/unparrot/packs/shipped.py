"""Files of packs and prompts: those that come with unparrot by name, others by path."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from unparrot.core.errors import BadInput, did_you_mean
from unparrot.core.inputs import opened
from unparrot.packs.nodes import Finding

_ENDING: Final = ".yaml"
_ERRORS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of file that unparrot comes with.

    Parameters
    ----------
    folder
        In `unparrot.packs`; empty for itself.
    what, called, file
        What messages call such a file, one that we ship, and one of a user's.
    most
        Bytes that a file may have.
    """

    folder: str
    what: str
    called: str
    file: str
    most: int

    def names(self) -> tuple[str, ...]:
        """Return the names that we ship, sorted."""
        entries = (entry.name for entry in files("unparrot.packs").joinpath(self.folder).iterdir())
        return tuple(
            sorted(name.removesuffix(_ENDING) for name in entries if name.endswith(_ENDING))
        )

    def read(self, name: str | Path) -> bytes:
        """Return the content of a file.

        Raises
        ------
        BadInput
            If there is no such file, or it is too large or cannot be read.
        """
        if name in self.names():
            return files("unparrot.packs").joinpath(self.folder, f"{name}{_ENDING}").read_bytes()
        if os.path.lexists(name):
            with opened(Path(name)) as file:
                content = file.read(self.most + 1)
            if len(content) <= self.most:
                return content
            raise BadInput(
                f"{self.what} {str(name)!r} has more than {self.most:,} bytes; shorten it"
            )
        hint = did_you_mean(str(name), self.names()) or ";"
        raise BadInput(
            f"{str(name)!r} is neither {self.called} that we ship nor a file{hint} give the path "
            f"of {self.file}, or one of: {', '.join(self.names())}"
        )

    def refused(self, name: str | Path, errors: Iterable[Finding], hint: str = "") -> BadInput:
        """Return the error for a file with errors; the message lists the first of them."""
        lines = [str(error) for error in sorted(errors, key=lambda error: error.line or 0)]
        if len(lines) > _ERRORS_SHOWN:
            lines[_ERRORS_SHOWN:] = [f"and {len(lines) - _ERRORS_SHOWN} more"]
        listed = "\n  ".join(lines)
        return BadInput(f"{self.what} {str(name)!r} cannot be used{hint}:\n  {listed}")
