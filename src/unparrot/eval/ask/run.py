"""A run of SKILL-MIX in a folder: `unparrot eval run MODEL --grader MODEL --out runs/NAME`.

    prepare -> ask (schedule, journal) -> tables (extract) -> manifest

Everything that a run needs is checked before the first call is paid for: the spec against what the
folder holds, the pack, the models, their keys and prices.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

from unparrot.core.errors import BadInput, MissingExtra, UnparrotError
from unparrot.core.records import RunFolder
from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.eval.ask.asking import Desk, Tally, Unit
from unparrot.eval.ask.schedule import Interrupted, Schedule
from unparrot.eval.record.eval_spec import EvalSpec, grown, spec_of
from unparrot.eval.record.extract import write_tables
from unparrot.eval.record.journal import FILE, Journal, JournalFull, open_journal, read_journal
from unparrot.eval.wire.models import Form, Limits, OpenModel, open_model
from unparrot.eval.wire.prices import Budget, Price, price_of
from unparrot.eval.wire.redaction import Redactor, holds_key
from unparrot.packs.drawing import draw_combinations
from unparrot.packs.prompts import PromptSet, load_prompts, shipped_prompts
from unparrot.packs.reading import is_shipped, load_pack

SPEC: Final = "spec"


@dataclass(frozen=True, slots=True)
class Access:
    """How models are reached and what they cost; none of it is a part of what is asked.

    Parameters
    ----------
    limits
        Connections, time and retries.
    base_url, grader_base_url
        Addresses of the students' and of the graders' providers, if not the usual ones.
    prices
        By name of the model; before the table's.
    max_cost
        US dollars that the run may cost in all, earlier calls included; None for no limit.
    arguments
        More for the students' provider.
    """

    limits: Limits = field(default_factory=Limits)
    base_url: str | None = None
    grader_base_url: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    max_cost: float | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def secrets(self) -> set[str]:
        """Keys among the arguments, and the passwords of addresses."""
        found = {str(value) for name, value in self.arguments.items() if holds_key(name)}
        for url in (self.base_url, self.grader_base_url):
            found.update(re.findall(r"://[^/\s:@]*:([^/\s@]+)@", url or ""))
        return found


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked spec, and what it names, loaded.

    ``whole`` is the spec of the run with all that the folder has held before; ``asked`` is what
    this call adds or goes on with.
    """

    asked: EvalSpec
    whole: EvalSpec
    pack: SkillPack
    prompts: PromptSet
    private: bool
    folder: Path

    def units(self, student: str) -> Iterator[Unit]:
        """The texts of a student: all k and rounds of one place in the draw, then of the next, so
        that a run that is stopped has as many of each."""
        draws = {
            k: draw_combinations(self.pack, k, self.asked.n, self.asked.seed) for k in self.asked.k
        }
        for place in range(self.asked.n):
            for k in self.asked.k:
                for number in range(1, self.asked.rounds + 1):
                    yield Unit(student, place, draws[k][place], number)

    def first_units(self, places: int) -> list[Unit]:
        """One text of each combination in the first places of the draw, of the first student."""
        few = replace(self.asked, n=min(places, self.asked.n), rounds=1)
        return list(replace(self, asked=few).units(self.asked.models[0]))

    @property
    def texts(self) -> int:
        """Texts that the call asks of each student."""
        return self.asked.n * len(self.asked.k) * self.asked.rounds

    @property
    def calls(self) -> int:
        """Calls of the whole, if every text comes and every reply can be used."""
        each = len(self.prompts.turns) + self.asked.grading_rounds * len(self.asked.graders)
        return self.texts * each * len(self.asked.models)


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
    private = of_lab is None and not is_shipped(spec.pack)
    prompts = load_prompts(spec.prompts)
    # files are found again from any folder
    if private:
        spec = replace(spec, pack=str(Path(spec.pack).absolute()))
    if spec.prompts not in shipped_prompts():
        spec = replace(spec, prompts=str(Path(spec.prompts).absolute()))
    for k in spec.k:
        draw_combinations(pack, k, spec.n, spec.seed)
    whole = spec
    if (folder / FILE).exists():
        journal = read_journal(folder)
        try:
            earlier = journal.get(SPEC)
        finally:
            journal.close()
        if earlier is not None:
            _same_digests(earlier, pack, prompts, folder)
            whole = grown(
                spec_of(earlier["spec"], str(folder / FILE)), spec, folder, new_decides=new_decides
            )
    elif folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} holds something other than a run of this command; name another")
    return Prepared(spec, whole, pack, prompts, private, folder)


def stored_spec(folder: Path) -> EvalSpec:
    """Return the spec of the run in the folder.

    Raises
    ------
    BadInput
        If it has none.
    """
    journal = read_journal(folder)
    try:
        stored = journal.get(SPEC)
    finally:
        journal.close()
    if stored is None:
        raise BadInput(f"{folder / FILE} does not say what was asked; run `unparrot eval run` anew")
    return spec_of(stored["spec"], str(folder / FILE))


def rewrite(prepared: Prepared) -> None:
    """Write the tables of a run anew from its journal, calling nobody: people's labels or the rules
    of the votes have changed.

    Raises
    ------
    BadInput
        If another process works on the run, which then writes them itself.
    """
    journal = open_journal(prepared.folder)
    try:
        try:
            command = str(RunFolder(prepared.folder).read_manifest()["command"])
        except BadInput:
            command = "unparrot eval run"  # it was stopped before it could write its tables
        write_tables(journal, prepared, command)
    finally:
        journal.close()


def _same_digests(
    earlier: Mapping[str, Any], pack: SkillPack, prompts: PromptSet, folder: Path
) -> None:
    for what, mine in (("pack", pack.digest), ("prompts", prompts.digest)):
        theirs = earlier[what]
        if theirs != mine:
            raise BadInput(
                f"{folder} holds a run with other {what} (SHA-256 {theirs[:12]}, now {mine[:12]}): "
                "it was changed since, or is another; give the same, or another --out"
            )


def open_models(
    spec: EvalSpec, access: Access, redact: Redactor, *, students: bool = True
) -> tuple[list[OpenModel], list[OpenModel]]:
    """Open students and graders, so that whatever is missing is told before a call is made.

    Raises
    ------
    BadInput
        If one cannot be opened, or there is a limit of cost and a price is not known.
    MissingExtra
        If a package that the run needs is not installed.
    """
    if find_spec("sentencex") is None:  # needed only when all is paid for
        raise MissingExtra("eval", "sentencex")
    form = None if spec.form == "auto" else cast(Form, spec.form)
    if access.max_cost is not None:
        for name in (*(spec.models if students else ()), *spec.graders):
            if price_of(name, access.prices) is None:
                raise BadInput(
                    f"the price of {name} is not known, so --max-cost cannot be kept: give "
                    f"--price {name}=IN,OUT in US dollars for a million tokens"
                )
    writing = [
        open_model(
            name, price_of(name, access.prices), redact, access.base_url, None, access.arguments
        )
        for name in (spec.models if students else ())
    ]
    graders = [
        open_model(name, price_of(name, access.prices), redact, access.grader_base_url, form)
        for name in spec.graders
    ]
    return writing, graders


async def _carry_out(
    schedule: Schedule, students: Sequence[OpenModel], graders: Sequence[OpenModel]
) -> None:
    try:
        await schedule.run()
    finally:
        for who in (*students, *graders):
            await who.close()


def _spent(journal: Journal, access: Access) -> float:
    """What the calls in the journal have cost. One whose cost was not known, for want of a price or
    of reported tokens, is taken at today's price, and at the most that it can have been."""
    spent = journal.spent()
    if access.max_cost is None:
        return spent
    for call in journal.calls():
        price = price_of(call.id.model, access.prices)
        if price is None or call.cost is not None or call.state == "failed":
            continue
        longest = int(json.loads(call.id.config)["max_tokens"])
        read, written = call.input_tokens, call.output_tokens
        if read is None:
            turns = call.id.step if call.id.role == "student" else 1
            read = turns * (len(call.prompt.encode()) + 64) + (turns - 1) * longest
        spent += price.of(read, longest if written is None else written)
    return spent


def _begun(journal: Journal) -> list[Unit]:
    """The texts that the journal has something of."""
    return [
        Unit(student, place, SkillCombination(topic, tuple(skills)), number)
        for student, _, place, combination, number in journal.texts()
        for topic, *skills in (json.loads(combination),)
    ]


def _of_student(units: Sequence[Unit], student: str) -> Iterator[Unit]:
    return (unit for unit in units if unit.student == student)


def run(
    prepared: Prepared,
    access: Access | None = None,
    watch: Callable[[Tally], None] | None = None,
    command: str = "unparrot eval run",
    *,
    share: bool = False,
    write: bool = True,
) -> Tally:
    """Ask what is missing, then write the tables of the run.

    Parameters
    ----------
    prepared
        By `prepare`.
    access
        How models are reached.
    watch
        Is given the counts at the start; they change as the run goes on.
    command
        For the manifest.
    share
        Let others on the machine read the folder.
    write
        False to have only the texts marked that the journal has: no student is asked or opened.

    Returns
    -------
    Tally
        What was done.

    Raises
    ------
    UnparrotError
        If the run was stopped (see `Schedule.run`). The tables say what there is so far.
    """
    access = access or Access()
    redact = Redactor(access.secrets)
    students, graders = open_models(prepared.asked, access, redact, students=write)
    folder = prepared.folder
    folder.mkdir(parents=True, exist_ok=True)
    if not share and not (folder / FILE).exists():
        folder.chmod(0o700)
    journal = open_journal(folder)
    tally = Tally(planned=prepared.calls)
    try:
        journal.put(
            SPEC,
            {
                "spec": prepared.whole.as_dict(),
                "pack": prepared.pack.digest,
                "prompts": prepared.prompts.digest,
            },
        )
        budget = Budget(access.max_cost, _spent(journal, access))
        desk = Desk(
            prepared.asked, prepared.pack, prepared.prompts, journal, access.limits, budget, tally
        )
        if watch is not None:
            watch(tally)
        units = prepared.units
        writers = {student.name: partial(desk.write, student) for student in students}
        if not write:
            begun = _begun(journal)
            tally.planned = len(begun) * len(graders) * prepared.asked.grading_rounds
            writers = {unit.student: desk.read for unit in begun}
            units = partial(_of_student, begun)
        stopped: UnparrotError | None = None
        try:
            asyncio.run(_carry_out(Schedule(desk, writers, graders, units), students, graders))
        except asyncio.CancelledError:
            stopped = Interrupted(
                "stopped at once: the calls under way were given up; the same command goes on"
            )
        except JournalFull:
            raise  # there is no room for tables either
        except UnparrotError as error:
            stopped = error
        write_tables(journal, prepared, command)
        if stopped is not None:
            raise stopped
    finally:
        journal.close()
    return tally
