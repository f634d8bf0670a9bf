"""Micro-English: a world whose texts show skills, with an exactly known entropy."""

from unparrot.lab.world.packs import WORLD_PACKS, world_pack
from unparrot.lab.world.world import BOS, EOS, PAD, Sampled, World, WorldSpec, pretty

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "WORLD_PACKS",
    "Sampled",
    "World",
    "WorldSpec",
    "pretty",
    "world_pack",
]
