"""A run of SKILL-MIX in a folder: `unparrot eval run MODEL --grader MODEL --out runs/NAME`.

    prepare -> ask (schedule, journal) -> run_tables -> manifest

Models, keys and prices are checked before the first call is paid for, as the spec was by
`unparrot.eval.record.prepare`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from unparrot.core.errors import BadInput, CannotWrite, MissingExtra, UnparrotError
from unparrot.core.records import RunFolder
from unparrot.eval.ask.asking import LOST, Asker, Tally
from unparrot.eval.ask.schedule import Interrupted, Schedule
from unparrot.eval.protocol.conversation import Answer
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import FILE, Journal, open_journal
from unparrot.eval.record.prepare import SPEC, Prepared, Unit
from unparrot.eval.record.provenance import (
    NO_SCHEMA,
    PROVENANCE,
    add_gradings,
    add_students,
    provenance,
)
from unparrot.eval.record.readback import Readback
from unparrot.eval.record.run_tables import write_tables
from unparrot.eval.wire.cost_limit import UNLIMITED, Budget
from unparrot.eval.wire.models import Limits, OpenModel, open_model
from unparrot.eval.wire.prices import Price, price_of
from unparrot.eval.wire.redaction import Redactor, holds_key, keys_of_address


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
    arguments, grader_arguments
        More for the students' and for the graders' providers.
    moved
        Models that are reached at another address than before are the same all the same.

    Raises
    ------
    BadInput
        If an address is none.
    """

    limits: Limits = field(default_factory=Limits)
    base_url: str | None = None
    grader_base_url: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    max_cost: float | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    grader_arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    moved: bool = False

    def __post_init__(self) -> None:
        for url in (self.base_url, self.grader_base_url):
            if url is not None and not _is_address(url):
                raise BadInput(
                    f"the address {Redactor(self.secrets)(url)!r} is none: give one such as "
                    "http://127.0.0.1:8080/v1, or leave it out"
                )

    @property
    def secrets(self) -> set[str]:
        """Keys among the arguments, and the passwords of addresses."""
        given = (*self.arguments.items(), *self.grader_arguments.items())
        secrets = {str(value) for name, value in given if holds_key(name)}
        for url in (self.base_url, self.grader_base_url):
            secrets |= keys_of_address(url or "")
        return secrets


def _is_address(url: str) -> bool:
    with suppress(ValueError):  # of a port that is none
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
        return parts.scheme in ("http", "https") and bool(host) and not re.search(r"\s", url)
    return False


def rewrite(prepared: Prepared) -> None:
    """Write the tables of a run anew from its journal, calling nobody: people's labels or the rules
    of the votes have changed.

    Raises
    ------
    BadInput
        If another process works on the run, which then writes them itself.
    """
    with open_journal(prepared.folder) as journal:
        try:
            command = RunFolder(prepared.folder).read_manifest().command
        except BadInput:
            command = "unparrot eval run"  # it was stopped before it could write its tables
        write_tables(journal, prepared, command)


def open_models(
    spec: EvalSpec, access: Access, redact: Redactor, *, students: bool = True
) -> tuple[list[OpenModel], list[OpenModel]]:
    """Open students and graders, so that whatever is missing is reported before any call.

    Raises
    ------
    BadInput
        If one cannot be opened, or there is a limit of cost and a price is not known.
    MissingExtra
        If a package that the run needs is not installed.
    """
    if find_spec("sentencex") is None:  # needed only when all is paid for
        raise MissingExtra("eval", "sentencex")

    names = spec.models if students else ()
    grading = (access.grader_base_url, spec.form, access.grader_arguments)
    return (
        [
            open_priced(name, access, redact, access.base_url, "auto", access.arguments)
            for name in names
        ],
        [open_priced(name, access, redact, *grading) for name in spec.markers],
    )


def open_priced(name: str, access: Access, redact: Redactor, *more: Any) -> OpenModel:
    """Open a model whose price is known if there is a limit of cost; ``more`` is as `open_model`
    takes it after the limits.

    Raises
    ------
    BadInput
        If it cannot be opened, or its price is needed and not known.
    """
    price = price_of(name, access.prices, batch=access.limits.batch)
    if price is None and access.max_cost is not None:
        raise BadInput(
            f"the price of {name} is not known, so --max-cost cannot be kept: give "
            f"--price {name}=IN,OUT in US dollars for a million tokens"
        )
    return open_model(name, price, redact, access.limits, *more)


def open_folder(folder: Path, *, share: bool) -> None:
    """Make the folder of a run, closed to others unless it is shared."""
    folder.mkdir(parents=True, exist_ok=True)
    if not share and not (folder / FILE).exists():
        folder.chmod(0o700)


def budget_of(journal: Journal, access: Access) -> Budget:
    """Return what calls may still cost, beside those in the journal."""
    budget = Budget(
        access.max_cost, 0.0 if access.max_cost is None else _spent(journal, access.prices)
    )
    budget.lost = journal.get(LOST, float) or 0.0
    return budget


def stopped_by(
    work: Awaitable[object], models: Sequence[OpenModel], journal: Journal, budget: Budget
) -> UnparrotError | None:
    """Do work that calls models, close these, and return what stopped it, None if it is done.

    Raises
    ------
    CannotWrite
        If the journal cannot be written: there is no room for tables either.
    """

    async def carry_out() -> None:
        try:
            await work
        finally:
            for who in models:
                await who.close()

    stopped: UnparrotError | None = None
    try:
        asyncio.run(carry_out())
    except asyncio.CancelledError:
        stopped = Interrupted(
            "stopped, and the calls that were still under way were given up; the same command "
            "goes on from here"
        )
    except CannotWrite:
        raise
    except UnparrotError as error:
        stopped = error
    if budget.lost:
        journal.put(LOST, budget.lost)
    return stopped


def _spent(journal: Journal, prices: Mapping[str, Price]) -> float:
    """What the calls in the journal have cost. One whose cost was not known, for want of a price or
    of reported tokens, is taken at today's price, and at the most that it can have been."""
    spent = journal.get(LOST, float) or 0.0
    for call in journal.calls():
        price = price_of(call.id.model, prices)
        if call.cost is not None:
            spent += call.cost
        elif price is not None and call.state == "answered":
            longest = int(json.loads(call.id.config).get("max_tokens", UNLIMITED))
            read, written = call.input_tokens, call.output_tokens
            if read is None:
                turns = call.id.step if call.id.role == "student" else 1
                read = turns * (len(call.prompt.encode()) + 64) + (turns - 1) * longest
            spent += price.of(read, longest if written is None else written)
    return spent


def _written(journal: Journal, prepared: Prepared) -> dict[Unit, Answer]:
    """The texts that the journal has, place by place in the draw."""
    records = sorted(Readback(prepared).texts(journal), key=lambda record: record.place)
    return {
        Unit(each.text.model, each.place, each.text.combination, each.text.sample + 1): each.answer
        for each in records
        if each.answer.text
    }


def run(
    prepared: Prepared,
    access: Access | None = None,
    watch: Callable[[Tally], None] = lambda _: None,
    command: str = "unparrot eval run",
    *,
    share: bool = False,
    write: bool = True,
    given: Mapping[Unit, Answer] | None = None,
    tables: Callable[[Journal, Prepared, str], Counter[str]] = write_tables,
) -> Tally:
    """Ask what is missing, then write the tables of the run.

    Parameters
    ----------
    prepared
        By `unparrot.eval.record.prepare.prepare`.
    access
        How models are reached.
    watch
        Is given the counts at the start; they change as the run goes on. And once more when the
        user stops the run.
    command
        For the manifest.
    share
        Let others on the machine read the folder.
    write
        False to have only the texts marked that the journal has: no student is asked or opened.
    given
        Texts to be marked in place of those.
    tables
        Writes the tables, and returns how many texts each grader gave no whole grading.

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
    students, graders = open_models(prepared.spec, access, redact, students=write)
    folder = prepared.folder
    open_folder(folder, share=share)
    tally = Tally(planned=prepared.calls, paces=[who.pace for who in (*students, *graders)])
    with open_journal(folder) as journal:
        origins = [{who.name: who.origin for who in role} for role in (students, graders)]
        known, spec = provenance(journal), prepared.spec
        add_students(known, origins[0], folder, moved=access.moved)
        names = add_gradings(known, origins[1], spec, moved=access.moved)
        journal.put(PROVENANCE, known)
        graders = [replace(who, name=name) for who, name in zip(graders, names, strict=True)]
        for grader in graders:
            grader.pace.no_schema = known["gradings"][grader.name].get(NO_SCHEMA, "")
        prepared = prepared.with_graders(tuple(names))
        journal.put(SPEC, {"spec": prepared.whole.as_dict(), **prepared.digests})
        budget = budget_of(journal, access)
        asker = Asker(prepared, journal, access.limits.retries, budget, tally)
        named = {student.name: student for student in students}
        units = {name: prepared.units(name) for name in named}
        written: dict[Unit, Answer] = {}
        if not write:
            written = _written(journal, prepared) if given is None else dict(given)
            tally.planned = len(written) * len(graders) * spec.grading_rounds
            names = {unit.student for unit in written}
            units = {name: iter([u for u in written if u.student == name]) for name in names}
        shown = partial(watch, tally)
        shown()

        async def text(unit: Unit) -> Answer:
            return await asker.write(named[unit.student], unit) if write else written[unit]

        schedule = Schedule(asker, text, graders, units, access.limits.connections, shown)
        stopped = stopped_by(schedule.run(), (*students, *graders), journal, budget)
        tally.lacking = tables(journal, prepared, command)
        if stopped is not None:
            raise stopped
    return tally
