"""A prepared run: its spec, checked against pack and folder, and what the spec names, loaded.

Everything that a run needs is checked here, before the first call is paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec import Struct

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.eval.record.eval_spec import LATER, EvalSpec, grown, spec_of
from unparrot.eval.record.journal import FILE, LOCK, read_journal
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.prompts import PromptSet, load_prompts, prompts_for, shipped_prompts
from unparrot.packs.reading import is_shipped, load_pack

# The journal's name for what was asked.
SPEC: Final = "spec"


class Unit(NamedTuple):
    """A text that a student is to write: its combination, that one's place in the draw, a round."""

    student: str
    place: int
    combination: SkillCombination
    round: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked spec, and what it names, loaded.

    ``whole`` is the spec of the run with all that the folder has held before; ``spec`` is what
    this call adds or goes on with. ``before`` is what the folder held, and ``new_decides`` says
    whether the first grader of ``spec`` decides from now on. Where a corpus is tagged, texts are
    its windows, marked on batches of skills (``kind``), and ``sample`` is the SHA-256 of how they
    are drawn.
    """

    spec: EvalSpec
    whole: EvalSpec
    pack: SkillPack
    prompts: PromptSet
    private: bool
    folder: Path
    before: EvalSpec | None = None
    new_decides: bool = True
    kind: type[SkillCombination] = SkillCombination
    sample: str = ""

    def with_graders(self, graders: tuple[str, ...]) -> Prepared:
        """Return the same with these graders asked for, under the names of their gradings."""
        spec = whole = replace(self.spec, graders=graders or (LATER,))
        if self.before is not None:
            whole = grown(self.before, spec, self.folder, new_decides=self.new_decides)
        return replace(self, spec=spec, whole=whole)

    def units(self, student: str) -> Iterator[Unit]:
        """Yield the texts of a student: all k and rounds of one place in the draw, then of the
        next, so that a run that is stopped has as many of each."""
        spec = self.spec
        pack = self.pack.without(spec.without)
        draws = [draw_combinations(pack, k, spec.n, spec.seed) for k in spec.k]
        for place in range(spec.n):
            for draw, number in product(draws, range(1, spec.rounds + 1)):
                yield Unit(student, place, draw[place], number)

    @property
    def texts(self) -> int:
        """Texts that the call asks of each student."""
        return self.spec.n * len(self.spec.k) * self.spec.rounds

    @property
    def calls(self) -> int:
        """Calls of the whole, if every text comes and every reply can be used."""
        each = len(self.prompts.turns) + self.spec.grading_rounds * len(self.spec.markers)
        return self.texts * each * len(self.spec.models)

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the pack and of the prompts, and of the sample if there is one."""
        sample = {"sample": self.sample} if self.sample else {}
        return {"pack": self.pack.digest, "prompts": self.prompts.digest, **sample}


def prepare(
    spec: EvalSpec,
    folder: Path,
    packs: Callable[[str], SkillPack | None] | None = None,
    *,
    new_decides: bool = True,
) -> Prepared:
    """Check a spec against its pack and the folder, changing nothing.

    Parameters
    ----------
    spec
        What is asked now.
    folder
        Of the run; it need not exist.
    packs
        Gives packs that are not YAML files, by name (those of the lab).
    new_decides
        Whether the first grader of ``spec`` decides from now on, or the run's own.

    Raises
    ------
    BadInput
        If a pack, a prompt or a combination is not there, or the folder holds something else.
    """
    of_lab = packs(spec.pack) if packs else None
    pack = of_lab or load_pack(spec.pack)
    spec = replace(spec, prompts=prompts_for(spec.prompts, pack.language))
    prompts = load_prompts(spec.prompts)
    private = of_lab is None and not is_shipped(spec.pack)
    # files are found again from any folder
    if private:
        spec = replace(spec, pack=str(Path(spec.pack).absolute()))
    if spec.prompts not in shipped_prompts():
        spec = replace(spec, prompts=str(Path(spec.prompts).absolute()))
    for k in spec.k:
        draw_combinations(pack.without(spec.without), k, spec.n, spec.seed)
    return resumed(Prepared(spec, spec, pack, prompts, private, folder), new_decides=new_decides)


def resumed(prepared: Prepared, *, new_decides: bool = True) -> Prepared:
    """Return a run with what its folder holds of it, changing nothing.

    Raises
    ------
    BadInput
        If the folder holds something else.
    """
    folder, spec = prepared.folder, prepared.spec
    if not (folder / FILE).exists():
        # A run that was stopped before its first record has left its lock alone.
        if folder.exists() and any(path.name != LOCK for path in folder.iterdir()):
            raise BadInput(
                f"{folder} holds something other than a run of this command; name another"
            )
        return prepared
    stored = _stored(folder)
    if stored is None:
        return prepared
    for name, digest in prepared.digests.items():
        if (before := getattr(stored, name)) != digest:
            raise BadInput(
                f"{folder} holds a run with other {name} (SHA-256 {before[:12]}, now "
                f"{digest[:12]}): it was changed since, or is another; give the same, or another "
                "--out"
            )
    earlier = spec_of(stored.spec, str(folder / FILE))
    prepared = replace(prepared, before=earlier, new_decides=new_decides)
    return prepared.with_graders(spec.graders)


def stored_spec(folder: Path) -> EvalSpec:
    """Return the spec of the run in the folder.

    Raises
    ------
    BadInput
        If it has none.
    """
    stored = _stored(folder)
    if stored is None:
        raise BadInput(f"{folder / FILE} does not say what was asked; run `unparrot eval run` anew")
    return spec_of(stored.spec, str(folder / FILE))


class _Stored(Struct):
    spec: dict[str, Any]
    pack: str
    prompts: str
    sample: str = ""


def _stored(folder: Path) -> _Stored | None:
    with read_journal(folder) as journal:
        return journal.get(SPEC, _Stored)
