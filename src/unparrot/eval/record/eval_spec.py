"""The spec of a run of SKILL-MIX, from the command line or a TOML file, kept in the run.

A run may grow: more models, graders, k, combinations and rounds are rows that are missing, and are
filled in. What shapes every answer may not change within a run; `EvalSpec.fixed` is that part.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import inf
from pathlib import Path
from typing import Any, Final

import msgspec

from unparrot.core.errors import BadInput
from unparrot.core.inputs import read_text
from unparrot.eval.wire.models import Settings, full_name
from unparrot.packs.prompts import PROTOCOL

MOST_K: Final = 30
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
FORMS: Final = ("auto", "schema", "text")
_COUNT: Final = "must be at least 1"
_WARM: Final = "lies between 0 and 2"
_TOP_P: Final = "lies above 0 and up to 1"
_LISTS: Final = ("models", "graders", "k")
# What may be left to the provider, by this word.
UNSET: Final = "none"
_MAY_BE_UNSET: Final = frozenset(
    f"{role}{name}" for role in ("", "grader_") for name in ("temperature", "max_tokens", "top_p")
)
# what may differ between two calls for one run; `deduct_names` is applied to marks later, and files
# may move: their digests show whether they are the same
_MAY_CHANGE: Final = frozenset(
    {
        *(*_LISTS, "n", "rounds", "grading_rounds", "tries", "grader_tries", "deduct_names"),
        *("pack", "prompts"),
    }
)
# Of the graders; what a run began with stays, and gradings that differ have names of their own.
GRADING: Final = (
    "grader_temperature", "grader_max_tokens", "grader_top_p", "grader_reasoning_effort", "form",
)  # fmt: skip
# In place of a grader: the texts are graded another day.
LATER: Final = "later"


@dataclass(frozen=True, slots=True)
class EvalSpec:
    """All that determines what is asked.

    Parameters
    ----------
    models
        The students, by Inspect's names.
    graders
        Who marks; the first decides. At least one: a student is never its own grader by default.
        `LATER` alone leaves the grading to another day.
    k
        Numbers of skills.
    n
        Combinations of each k, from the draw of ``seed``: the first n of a longer draw are its
        draw of n, and every model gets the same ones.
    rounds, grading_rounds
        Texts of a model for each combination, and gradings of each text by each grader.
    seed
        Of the draw of combinations, and of what models that take seeds are given.
    pack, prompts
        Names that we ship, or paths of files; `PROTOCOL` is the protocol in the pack's language.
    temperature, max_tokens, top_p, reasoning_effort
        Of the students; None is not sent, and left to the provider. The protocol's are 0.7 and 512.
    grader_temperature, grader_max_tokens, grader_top_p, grader_reasoning_effort
        Of the graders.
    tries, grader_tries
        How often a student, or a grader, is asked for a reply that can be used. A student that is
        asked again draws anew, which favours those that fail often.
    deduct_names
        A skill that the text names loses its point.
    form
        How graders reply: ``auto`` (a JSON schema where the provider keeps to one, else lines),
        ``schema`` or ``text``.
    without
        Skills of the pack that no combination is drawn with.

    Raises
    ------
    BadInput
        If a value is out of range, or a model or grader is missing, without a name or named twice.
    """

    models: tuple[str, ...]
    graders: tuple[str, ...]
    k: tuple[int, ...] = (2, 3, 4, 5)
    n: int = 100
    rounds: int = 3
    grading_rounds: int = 3
    seed: int = 10
    pack: str = "language.en"
    prompts: str = PROTOCOL
    temperature: float | None = 0.7
    max_tokens: int | None = 512
    top_p: float | None = None
    reasoning_effort: str | None = None
    grader_temperature: float | None = 0.7
    grader_max_tokens: int | None = 2048
    grader_top_p: float | None = None
    grader_reasoning_effort: str | None = None
    tries: int = 1
    grader_tries: int = 2
    deduct_names: bool = False
    form: str = "auto"
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, named in (("models", self.models), ("graders", self.graders)):
            given = tuple(map(full_name, tuple[str, ...](named)))
            object.__setattr__(self, name, given)
            for each in given:
                if not each or not each.isprintable():
                    wrong = ascii(each) if each else "empty"
                    raise BadInput(f"a name among the {name} is {wrong}; write it, or leave it out")
            if len(set(given)) < len(given):
                twice = next(item for item in given if given.count(item) > 1)
                raise BadInput(f"{twice!r} is named twice among the {name}; name it once")
        object.__setattr__(self, "k", tuple(sorted(set(self.k))))
        if not self.models:
            raise BadInput("name at least one model, for example openai/gpt-4o-mini")
        if not self.graders:
            raise BadInput(
                "name a grader, for example --grader openai/gpt-4o: a model is not left to mark "
                "its own texts because nobody was named (--grader later grades another day)"
            )
        if LATER in self.graders and len(self.graders) > 1:
            raise BadInput(f"{LATER!r} names no grader, so it stands alone; leave out the others")
        if not self.k or not 1 <= self.k[0] <= self.k[-1] <= MOST_K:
            raise BadInput(f"k is one or more numbers from 1 to {MOST_K}, not {self.k}")
        counts = ("n", "rounds", "grading_rounds", "tries", "max_tokens")
        counts += ("grader_tries", "grader_max_tokens")
        temperatures = ("temperature", "grader_temperature")
        for name, holds, range_ in (
            *((name, _unset_or(getattr(self, name), 1, inf), _COUNT) for name in counts),
            ("seed", self.seed >= 0, "is a whole number from 0"),
            *((name, _unset_or(getattr(self, name), 0, 2), _WARM) for name in temperatures),
            *(
                (name, (value := getattr(self, name)) is None or 0 < value <= 1, _TOP_P)
                for name in ("top_p", "grader_top_p")
            ),
            *(
                (name, getattr(self, name) in (None, *EFFORTS), _one_of(EFFORTS))
                for name in ("reasoning_effort", "grader_reasoning_effort")
            ),
            ("form", self.form in FORMS, _one_of(FORMS)),
        ):
            if not holds:
                raise BadInput(f"{name} {range_}, not {getattr(self, name)!r}")

    def as_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold."""
        return msgspec.json.decode(msgspec.json.encode(self))

    @property
    def fixed(self) -> dict[str, Any]:
        """What may not change within a run."""
        free = {*_MAY_CHANGE, *GRADING}
        return {name: value for name, value in self.as_dict().items() if name not in free}

    @property
    def markers(self) -> tuple[str, ...]:
        """The graders that are called."""
        return tuple(grader for grader in self.graders if grader != LATER)

    @property
    def student(self) -> Settings:
        """Settings of the students' calls."""
        return Settings(self.temperature, self.max_tokens, self.top_p, self.reasoning_effort)

    @property
    def grader(self) -> Settings:
        """Settings of the graders' calls."""
        shape = (self.grader_temperature, self.grader_max_tokens)
        return Settings(*shape, self.grader_top_p, self.grader_reasoning_effort)

    @property
    def decoding(self) -> str:
        """How texts were decoded, as texts.parquet says it: ``greedy``, ``t0.7`` or, where no
        temperature was sent, ``default``."""
        if self.temperature is None:
            return "default"
        return "greedy" if self.temperature == 0 else f"t{self.temperature:g}"


def _unset_or(value: float | None, least: float, most: float) -> bool:
    return value is None or least <= value <= most


def _one_of(values: Sequence[str]) -> str:
    return f"is one of {', '.join(values)}"


def spec_of(values: Mapping[str, Any], where: str) -> EvalSpec:
    """Make a spec of plain data.

    Raises
    ------
    BadInput
        If a name is unknown or a value is of another type; ``where`` names the source.
    """
    known = [field.name for field in fields(EvalSpec)]
    for name in values:
        if name not in known:
            raise BadInput(f"{where} has an unknown name {name!r}; there are {', '.join(known)}")
    plain: dict[str, Any] = {"models": (), "graders": (), **values}
    for name in plain.keys() & _MAY_BE_UNSET:
        plain[name] = None if plain[name] == UNSET else plain[name]
    for name in plain.keys() & set(_LISTS):
        # one name may stand without a list
        plain[name] = plain[name] if isinstance(plain[name], (list, tuple)) else [plain[name]]
    try:
        return msgspec.convert(plain, EvalSpec)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, BadInput):  # the spec's own checks, which msgspec wraps
            raise error.__cause__ from None
        name = re.search(r"`\$\.(\w+)", str(error))
        if name is None:
            raise BadInput(f"{where}: {error}") from None
        wanted = str(error).partition(" - at")[0].lower()
        raise BadInput(f"{where}: {name[1]} is {values[name[1]]!r}; {wanted}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Read the values of a spec from a TOML file, unchecked.

    Raises
    ------
    BadInput
        If the file cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is no TOML: {error}") from error


def grown(earlier: EvalSpec, now: EvalSpec, folder: Path, *, new_decides: bool = True) -> EvalSpec:
    """Return the spec of a run that held ``earlier`` and is asked for ``now``: all of both.

    The first grader of ``now`` decides, or that of ``earlier`` if not ``new_decides``.

    Raises
    ------
    BadInput
        If they differ in what may not change; the message names it and both values.
    """
    mine, theirs = now.fixed, earlier.fixed
    for name, value in mine.items():
        if theirs[name] != value:
            raise BadInput(
                f"{folder} holds a run with {name} = {theirs[name]!r}, now it is {value!r}: "
                "give the same, or another --out"
            )
    graders = (now.markers, earlier.markers) if new_decides else (earlier.markers, now.markers)
    return replace(
        now,
        **{name: getattr(earlier, name) for name in GRADING},
        models=_union(earlier.models, now.models),
        graders=_union(*graders) or (LATER,),
        k=(*earlier.k, *now.k),
        n=max(earlier.n, now.n),
        rounds=max(earlier.rounds, now.rounds),
        grading_rounds=max(earlier.grading_rounds, now.grading_rounds),
        tries=max(earlier.tries, now.tries),
    )


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
