"""From the journal to the tables of a run: graded texts, all marks, transcripts, usage.

`unparrot.eval.readback` reads the journal text by text; here its texts become tables.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from unparrot.core.calls import TRANSCRIPTS_SCHEMA, USAGE_SCHEMA
from unparrot.core.errors import UnparrotError
from unparrot.core.grades import GradedText, Mark
from unparrot.core.provenance import describe_machine, package_versions
from unparrot.core.records import RunFolder, atomic_write
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.eval.journal import Call, Journal
from unparrot.eval.labels import as_grades, read_labels
from unparrot.eval.readback import LENGTH, Marks, Readback, TextRecord
from unparrot.eval.reference.voting import GRADES_SCHEMA, PROGRAM, family
from unparrot.packs.reading import public_part

if TYPE_CHECKING:
    from unparrot.eval.run import Prepared

PACKAGES: Final = ("unparrot", "inspect-ai", "openai", "numpy", "polars")
_CHUNK: Final = 1000
"""Calls that are held in memory before they are written out."""


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
    extracted = _Extracted(prepared)
    with tempfile.TemporaryDirectory(dir=prepared.folder, prefix=".transcripts.") as parts:
        extracted.read(journal, Path(parts))
        folder.write_graded(extracted.texts)
        people = as_grades(read_labels(prepared.folder), extracted.texts)
        folder.write_table("grades", pl.concat([extracted.grades(), people]))
        files = sorted(Path(parts).glob("*.parquet"))
        folder.write_table(
            "transcripts",
            pl.scan_parquet(files) if files else pl.LazyFrame(schema=TRANSCRIPTS_SCHEMA),
        )
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


class _Extracted:
    """The tables, as they are read from the journal text by text."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.texts: list[GradedText] = []
        self.usage: dict[tuple[str, str], _Usage] = defaultdict(_Usage)
        self.snapshots: dict[str, set[str]] = defaultdict(set)
        self._readback = Readback(prepared)
        self._grades: dict[str, list[Any]] = {name: [] for name in GRADES_SCHEMA.names()}
        self._rows: list[tuple[Any, ...]] = []

    def read(self, journal: Journal, parts: Path) -> None:
        """Read all texts of the run, and leave the transcripts in parts in a folder."""
        number = 0
        for record in self._readback.texts(journal):
            self._add(record)
            if len(self._rows) >= _CHUNK:
                self._write_part(parts / f"{number:06}.parquet")
                number += 1
        if self._rows:
            self._write_part(parts / f"{number:06}.parquet")
        # models come as they were named, whatever order the journal keeps them in
        named = {model: i for i, model in enumerate(self.prepared.whole.models)}
        self.texts.sort(key=lambda text: named[text.model])

    def _write_part(self, path: Path) -> None:
        part = pl.DataFrame(self._rows, schema=TRANSCRIPTS_SCHEMA, orient="row")
        atomic_write(path, part.write_parquet)
        self._rows.clear()

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
        row = {
            "text_id": text_id,
            "criterion": criterion,
            "kind": criterion if criterion in CRITERIA else "skill",
            "grader": grader,
            "family": grader_family or family(grader),
            "student_family": student,
            "round": number,
            "status": mark.status,
            "reason": mark.reason,
        }
        for name, value in row.items():
            self._grades[name].append(value)

    def _add_call(self, text_id: str, call: Call, combination: SkillCombination) -> None:
        student = call.id.role == "student"
        outcome = self._readback.outcome(call, combination)
        self.usage[call.id.model, call.id.role].count(call, outcome)
        if call.snapshot:
            self.snapshots[call.id.model].add(call.snapshot)
        self._rows.append(
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

    def grades(self) -> pl.DataFrame:
        """All marks, grader by grader; the program that counts sentences is one, too."""
        return pl.DataFrame(self._grades, schema=GRADES_SCHEMA)

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
