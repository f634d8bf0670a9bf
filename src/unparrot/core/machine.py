"""Facts about machine and software: versions, cores, memory, and what a manifest records."""

import os
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from unparrot.core.errors import BadInput

MOST_THREADS = 1024

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


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


def describe_machine() -> dict[str, str | int]:
    """Return the system, the processor's kind and how many cores this process may use.

    Neither the host's name nor the user's is among them, so a run can be published as it is.
    """
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": available_cores(),
    }


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count(threads: int | None) -> int:
    """Return the number of threads to use: as given, else the cores that this process may use.

    Raises
    ------
    BadInput
        If it is not from 1 to 1,024.
    """
    if threads is None:
        return available_cores()
    if not 1 <= threads <= MOST_THREADS:
        raise BadInput(f"the number of threads must be from 1 to {MOST_THREADS:,}, not {threads!r}")
    return threads


def available_bytes() -> int:
    """Return the memory that a process can still have, in bytes.

    On Linux what the kernel counts as available, and no more than the control group leaves; else
    the memory of the machine.
    """
    known = [size for size in (_from_kernel(), _from_cgroup()) if size is not None]
    return min(known, default=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def require_bytes(need: int, what: str, remedy: str) -> None:
    """Refuse work that needs more memory than there is.

    Parameters
    ----------
    need
        Bytes.
    what
        Whose memory it is, for the message: ``'counts of 499,500 tuples'``.
    remedy
        What to do about it.

    Raises
    ------
    BadInput
        If fewer bytes are available.

    Examples
    --------
    >>> require_bytes(1 << 60, "counts of 10^17 tuples", "count a sample")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    unparrot.core.errors.BadInput: counts of 10^17 tuples need 1,073,741,824 GiB ...; count a sample
    """
    available = available_bytes()
    if need > available:
        raise BadInput(
            f"{what} need {gibibytes(need)} of memory, and {gibibytes(available)} are available; "
            f"{remedy}"
        )


def gibibytes(size: int) -> str:
    """Return a size in bytes as people read it."""
    return f"{size / 2**30:,.0f} GiB" if size >= 10 * 2**30 else f"{size / 2**20:,.0f} MiB"


def _from_kernel() -> int | None:
    kibibytes = _numbers(_MEMINFO).get("MemAvailable:")
    return None if kibibytes is None else 1024 * kibibytes


def _from_cgroup() -> int | None:
    limit, used = _CGROUP / "memory.max", _CGROUP / "memory.current"
    if not (limit.exists() and used.exists()):
        return None
    text = limit.read_text("ascii").strip()
    if text == "max":
        return None
    cached = _numbers(_CGROUP / "memory.stat").get("inactive_file", 0)  # given up on demand
    return max(0, int(text) - int(used.read_text("ascii")) + cached)


def _numbers(path: Path) -> dict[str, int]:
    """The number beside each name in a file of the kernel; none without the file."""
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    return {name: int(value) for name, value, *_ in map(str.split, lines)}
