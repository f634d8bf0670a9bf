"""The world's skills and topics as packs, by name: ``unparrot eval run ... --pack world``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from unparrot.lab.world.world import World, WorldSpec

if TYPE_CHECKING:
    from unparrot.core.skills import SkillPack

WORLD_PACKS: Final[Mapping[str, WorldSpec]] = MappingProxyType(
    {"world": WorldSpec(), "world.large": WorldSpec(fields=True)}
)
"""The worlds by the name of their pack; the large one has several hundred skills."""


@lru_cache
def world_pack(name: str) -> SkillPack | None:
    """Return the pack of a world; None if no world has this name.

    Examples
    --------
    >>> len(world_pack("world").skills), world_pack("language.en")
    (28, None)
    """
    spec = WORLD_PACKS.get(name)
    return None if spec is None else World(spec).pack
