"""What a manifest says of the software and the machine behind a run."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from importlib import metadata


def package_versions(names: Iterable[str]) -> dict[str, str | None]:
    """Return the installed version of Python and of each package; None where it is not installed.

    Examples
    --------
    >>> package_versions(["no-such-package"])["no-such-package"] is None
    True
    """
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def describe_machine() -> dict[str, str | int | None]:
    """Return the system, the processor's kind and how many processors this process may use.

    Neither the host's name nor the user's is among them, so a run can be published as it is.
    """
    if sys.platform == "linux":
        processors: int | None = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count()
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": processors,
    }
