"""Packs found and loaded by the name of one that we ship or by a path: `unparrot packs list`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from unparrot.packs.checking import check_pack
from unparrot.packs.shipped import Shelf

if TYPE_CHECKING:
    from unparrot.core.skills import SkillPack

_SHELF: Final = Shelf("", "the pack", "a pack", "a pack file", most=1 << 20)


def shipped_packs() -> tuple[str, ...]:
    """Return the names of the packs that come with unparrot, sorted."""
    return _SHELF.names()


def is_shipped(name: str | Path) -> bool:
    """Return whether `load_pack` takes this for a pack that we ship, and so not for a private one.

    Examples
    --------
    >>> is_shipped("language.en"), is_shipped("./language.en.yaml")
    (True, False)
    """
    return isinstance(name, str) and name in shipped_packs()


def read_bytes(name: str | Path) -> bytes:
    """Return the content of a pack file.

    Raises
    ------
    BadInput
        If there is no such pack or file, or it is too large or cannot be read.
    """
    return _SHELF.read(name)


def load_pack(name: str | Path) -> SkillPack:
    """Load a pack.

    Parameters
    ----------
    name
        Name of a pack that we ship (`shipped_packs`), or the path of a file. A file of that very
        name in the current folder is reached as ``./NAME``.

    Raises
    ------
    BadInput
        If there is no such pack, it cannot be read, or it has errors; the message lists the first
        of them with their lines.

    Examples
    --------
    >>> load_pack("language.en").skill("litotes").category
    'rhetorical'
    """
    report = check_pack(read_bytes(name), warn=False)
    if report.pack is None:
        raise _SHELF.refused(name, report.errors, "; `unparrot packs check` tells more")
    return report.pack


def public_part(pack: SkillPack, private: bool) -> dict[str, str | int]:
    """Return what a report may say of the pack: of a private one, no names.

    Parameters
    ----------
    pack
        The pack that a run used.
    private
        Whether its names must not become known; see `is_shipped`.

    Returns
    -------
    dict
        ``language``, ``digest`` (64 hex digits), ``skills``, ``categories`` and ``topics`` (how
        many), and of a public pack also ``name`` and ``version``.
    """
    facts: dict[str, str | int] = {
        "language": pack.language,
        "digest": pack.digest,
        "skills": len(pack.skills),
        "categories": len({skill.category for skill in pack.skills}),
        "topics": len(pack.topics),
    }
    return facts if private else {"name": pack.name, "version": pack.version, **facts}
