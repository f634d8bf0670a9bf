"""Does a language model combine skills in ways it never saw, and does scale explain it?

The names below are the public list. Each is imported when it is first used, so that
``import unparrot`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unparrot.core.errors import BadInput, MissingExtra, UnparrotError
    from unparrot.core.estimate import Estimate
    from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
    from unparrot.core.records import RunFolder
    from unparrot.core.skills import HeldOut, Novelty, Skill, SkillCombination, SkillPack, Topic
    from unparrot.stats.bootstrap import bootstrap_mean
    from unparrot.stats.intervals import wilson

__version__ = "0.1.0"

__all__ = [
    "EARNED",
    "MISSED",
    "BadInput",
    "Estimate",
    "GradedText",
    "HeldOut",
    "Mark",
    "MissingExtra",
    "Novelty",
    "RunFolder",
    "Skill",
    "SkillCombination",
    "SkillPack",
    "Topic",
    "UnparrotError",
    "__version__",
    "bootstrap_mean",
    "wilson",
]

_HOME = {
    "BadInput": "core.errors",
    "MissingExtra": "core.errors",
    "UnparrotError": "core.errors",
    "Estimate": "core.estimate",
    "EARNED": "core.grades",
    "MISSED": "core.grades",
    "GradedText": "core.grades",
    "Mark": "core.grades",
    "RunFolder": "core.records",
    "HeldOut": "core.skills",
    "Novelty": "core.skills",
    "Skill": "core.skills",
    "SkillCombination": "core.skills",
    "SkillPack": "core.skills",
    "Topic": "core.skills",
    "bootstrap_mean": "stats.bootstrap",
    "wilson": "stats.intervals",
}


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'unparrot' has no attribute {name!r}")
    value: object = getattr(import_module(f"unparrot.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
