"""From the journal to the tables of a run: graded texts, all marks, transcripts, usage.

`unparrot.eval.record.readback` reads the journal text by text; here its texts become tables.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from unparrot.core.errors import UnparrotError
from unparrot.core.grades import GradedText, Mark
from unparrot.core.machine import describe_machine, package_versions
from unparrot.core.records import RunFolder, atomic_write
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.core.tables import GRADES_SCHEMA, TRANSCRIPTS_SCHEMA, USAGE_SCHEMA
from unparrot.eval.people.label_sample import as_grades, read_labels
from unparrot.eval.published.voting import PROGRAM, family
from unparrot.eval.record.journal import Call, Journal
from unparrot.eval.record.readback import LENGTH, Marks, Readback, TextRecord
from unparrot.packs.reading import public_part

if TYPE_CHECKING:
    from unparrot.eval.ask.run import Prepared

PACKAGES: Final = ("unparrot", "inspect-ai", "openai", "numpy", "polars")
_MOST_CALLS: Final = 1000
_MOST_GRADES: Final = 20_000
"""Rows of transcripts and of grades that are held in memory before they are put away."""


@dataclass(slots=True)
class _Usage:
    calls: int = 0
    attempts: int = 0
    failed: int = 0
    unusable: int = 0
    tokens: dict[str, int] = field(default_factory=dict[str, int])
    cost: float | None = 0.0
    seconds: float = 0.0

    def count(self, call: Call, outcome: str) -> None:
        self.calls += 1
        self.attempts += call.attempts
        self.failed += call.state == "failed"
        self.unusable += call.state == "answered" and outcome != "ok"
        self.seconds += call.latency
        for name in ("input_tokens", "output_tokens", "reasoning_tokens"):
            value = getattr(call, name)
            if value is not None:
                self.tokens[name] = self.tokens.get(name, 0) + value
        if call.state == "answered":
            known = self.cost is not None and call.cost is not None
            self.cost = self.cost + call.cost if known else None  # type: ignore[operator]


class TablesNotWritten(UnparrotError):
    """The tables of a run cannot be written. What models answered is safe in the journal."""


def write_tables(journal: Journal, prepared: Prepared, command: str) -> None:
    """Write the tables and the manifest of a run from its journal.

    Parameters
    ----------
    journal
        Of the run.
    prepared
        Says what was asked; ``prepared.whole`` says who decides.
    command
        The command line, for the manifest.

    Raises
    ------
    TablesNotWritten
        If there is no room for them, say. The journal has everything.
    """
    try:
        _write(journal, prepared, command)
    except OSError as error:
        raise TablesNotWritten(
            f"the tables of {prepared.folder} cannot be written ({error.strerror}). Every answer "
            "is kept in the journal: make room, then give the same command again"
        ) from error


def _write(journal: Journal, prepared: Prepared, command: str) -> None:
    folder = RunFolder(prepared.folder)
    with tempfile.TemporaryDirectory(dir=prepared.folder, prefix=".parts.") as parts:
        extracted = _Extracted(prepared, Path(parts))
        extracted.read(journal)
        folder.write_graded(extracted.texts)
        people = as_grades(read_labels(prepared.folder), extracted.texts)
        folder.write_table("grades", pl.concat([extracted.grades.table(), people.lazy()]))
        folder.write_table("transcripts", extracted.transcripts.table())
    pack = prepared.pack
    folder.write_table(
        "skills",
        pl.DataFrame(
            [(skill.name, skill.category) for skill in pack.skills],
            schema={"skill": pl.String, "category": pl.String},
            orient="row",
        ),
    )
    folder.write_table("usage", extracted.usage_table())
    folder.write_manifest(_manifest(prepared, command, extracted))


class _Rows:
    """Rows of a table that need not all be in memory: what there are too many of goes to files.

    Parameters
    ----------
    folder, name
        Where the files go, and how they begin.
    schema
        Of the table.
    most
        Rows that are held in memory.
    """

    def __init__(self, folder: Path, name: str, schema: pl.Schema, most: int) -> None:
        self._folder, self._name, self._schema, self._most = folder, name, schema, most
        self._rows: list[tuple[Any, ...]] = []
        self._files: list[Path] = []

    def add(self, row: tuple[Any, ...]) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) >= self._most:
            self._put_away()

    def table(self) -> pl.LazyFrame:
        """All rows, in the order in which they came."""
        self._put_away()
        # one file after the other: read side by side they would all be in memory
        return pl.scan_parquet(self._files, low_memory=True, parallel="none")

    def _put_away(self) -> None:
        path = self._folder / f"{self._name}.{len(self._files):06}.parquet"
        part = pl.DataFrame(self._rows, schema=self._schema, orient="row")
        atomic_write(path, part.write_parquet)
        self._files.append(path)
        self._rows.clear()


class _Extracted:
    """The tables, as they are read from the journal text by text."""

    def __init__(self, prepared: Prepared, parts: Path) -> None:
        self.prepared = prepared
        self.grades = _Rows(parts, "grades", GRADES_SCHEMA, _MOST_GRADES)
        self.transcripts = _Rows(parts, "transcripts", TRANSCRIPTS_SCHEMA, _MOST_CALLS)
        self.texts: list[GradedText] = []
        self.usage: dict[tuple[str, str], _Usage] = defaultdict(_Usage)
        self.snapshots: dict[str, set[str]] = defaultdict(set)
        self._readback = Readback(prepared)

    def read(self, journal: Journal) -> None:
        """Read all texts of the run."""
        for record in self._readback.texts(journal):
            self._add(record)
        # models come as they were named, whatever order the journal keeps them in
        named = {model: i for i, model in enumerate(self.prepared.whole.models)}
        self.texts.sort(key=lambda text: named[text.model])

    def _add(self, record: TextRecord) -> None:
        self.texts.append(record.text)
        self._add_grades(record.text, record.given)
        for call in record.calls:
            self._add_call(record.text.id, call, record.text.combination)

    def _add_grades(self, text: GradedText, given: Sequence[Marks]) -> None:
        student = family(text.model)
        for said in given:
            for criterion, mark in said.marks.items():
                self._grade(text.id, criterion, said.grader, student, said.round, mark)
        if text.text:
            mark = text.marks[LENGTH]
            self._grade(text.id, LENGTH, PROGRAM, student, 1, mark, "program")

    def _grade(
        self,
        text_id: str,
        criterion: str,
        grader: str,
        student: str,
        number: int,
        mark: Mark,
        grader_family: str | None = None,
    ) -> None:
        kind = criterion if criterion in CRITERIA else "skill"
        names = (grader, grader_family or family(grader), student, number)
        self.grades.add((text_id, criterion, kind, *names, mark.status, mark.reason))

    def _add_call(self, text_id: str, call: Call, combination: SkillCombination) -> None:
        student = call.id.role == "student"
        outcome = self._readback.outcome(call, combination)
        self.usage[call.id.model, call.id.role].count(call, outcome)
        if call.snapshot:
            self.snapshots[call.id.model].add(call.snapshot)
        self.transcripts.add(
            (
                text_id,
                "turn" if student else "grading",
                None if student else call.id.model,
                call.id.step,
                call.id.again,
                call.prompt,
                call.reply,
                call.stop_reason,
                outcome,
                call.latency,
                call.input_tokens,
                call.output_tokens,
                call.cost,
            )
        )

    def usage_table(self) -> pl.DataFrame:
        """Calls, tokens, cost and time by model and role."""
        rows = [
            (
                model,
                role,
                used.calls,
                used.attempts,
                used.failed,
                used.unusable,
                *(
                    used.tokens.get(name)
                    for name in ("input_tokens", "output_tokens", "reasoning_tokens")
                ),
                used.cost,
                used.seconds,
            )
            for (model, role), used in sorted(self.usage.items())
        ]
        return pl.DataFrame(rows, schema=USAGE_SCHEMA, orient="row")


def _manifest(prepared: Prepared, command: str, extracted: _Extracted) -> dict[str, Any]:
    spec = prepared.whole
    told = spec.as_dict()
    del told["pack"], told["prompts"], told["seed"]
    return {
        "spec": {
            "protocol": "SKILL-MIX",
            "origin": "unparrot eval",
            **told,
            "grader": spec.graders[0],
            "prompts": {"name": prepared.prompts.name, "version": prepared.prompts.version},
            "pack": public_part(prepared.pack, prepared.private),
            "private": prepared.private,
            "combinations_seed": spec.seed,
            "snapshots": {name: sorted(seen) for name, seen in sorted(extracted.snapshots.items())},
            "votes": "the majority of the marks that exist; a tie is unscored",
            "length": "sentences are counted by program, at most max(1, k - 1)",
        },
        "command": command,
        "seed": spec.seed,
        "versions": package_versions(PACKAGES),
        "digests": {"pack": prepared.pack.digest, "prompts": prepared.prompts.digest},
        "timings": {
            f"{role} {model}, seconds of calls": round(used.seconds, 2)
            for (model, role), used in sorted(extracted.usage.items())
        },
        "machine": describe_machine(),
    }
