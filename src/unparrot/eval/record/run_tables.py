"""The tables of a run, written from its journal: graded texts, all marks, transcripts, usage.

`unparrot.eval.record.readback` reads the journal text by text; here its texts become tables.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from unparrot.core.errors import writing
from unparrot.core.grades import GradedText
from unparrot.core.machine import describe_machine, package_versions
from unparrot.core.records import RunFolder
from unparrot.core.skills import LENGTH
from unparrot.core.tables import GRADES_SCHEMA, SKILLS_SCHEMA, TRANSCRIPTS_SCHEMA, USAGE_SCHEMA
from unparrot.eval.protocol.grading import missing
from unparrot.eval.record.grade_rows import PROGRAM, grade_rows
from unparrot.eval.record.journal import Call, Journal
from unparrot.eval.record.labels import as_grades, read_labels
from unparrot.eval.record.prepare import Prepared
from unparrot.eval.record.provenance import provenance
from unparrot.eval.record.readback import Readback
from unparrot.packs.reading import public_part

PACKAGES: Final = ("unparrot", "inspect-ai", "openai", "numpy", "polars")
# Rows of transcripts and of grades that are held in memory before they are put away.
_MOST_CALLS: Final = 1000
_MOST_GRADES: Final = 20_000


def write_tables(journal: Journal, prepared: Prepared, command: str) -> Counter[str]:
    """Write the tables and the manifest of a run from its journal.

    Parameters
    ----------
    journal
        Of the run.
    prepared
        Says what was asked; ``prepared.whole`` says who decides.
    command
        The command line, for the manifest.

    Returns
    -------
    Counter
        How many texts each grader that was asked now has given no whole grading.

    Raises
    ------
    CannotWrite
        If there is no room for them, say. The journal has everything.
    """
    folder, texts = RunFolder(prepared.folder), list[GradedText]()
    lacking: Counter[str] = Counter()
    unusable: Counter[tuple[str, str]] = Counter()
    snapshots: defaultdict[str, set[str]] = defaultdict(set)
    with (
        writing(prepared.folder, "Every answer is kept in the journal."),
        tempfile.TemporaryDirectory(dir=prepared.folder, prefix=".parts.") as parts,
    ):
        grades = _Rows(f"{parts}/grades", GRADES_SCHEMA, _MOST_GRADES)
        transcripts = _Rows(f"{parts}/transcripts", TRANSCRIPTS_SCHEMA, _MOST_CALLS)
        for record in Readback(prepared).texts(journal):
            text = record.text
            texts.append(text)
            whose = (text.id, text.model)
            for given in record.given:
                grades.add(*grade_rows(*whose, given.grader, given.round, given.marks))
            if text.text:
                counted = {LENGTH: text.marks[LENGTH]}
                grades.add(*grade_rows(*whose, PROGRAM, 1, counted, "program"))
                whole = {given.grader for given in record.given if not missing(given.marks)}
                lacking.update(set(prepared.spec.markers) - whole)
            for call, outcome in record.heard:
                who = call.id
                unusable[who.model, who.role] += call.state == "answered" and outcome != "ok"
                if call.snapshot:
                    snapshots[who.model].add(call.snapshot)
                transcripts.add(_transcript(text.id, call, outcome))
        # models come as they were named, whatever order the journal keeps them in
        texts.sort(key=lambda text: prepared.whole.models.index(text.model))
        folder.write_graded(texts)
        lengths = {text.id: text.marks[LENGTH].status for text in texts if text.text}
        people = as_grades(read_labels(prepared.folder), lengths)
        folder.write_table("grades", pl.concat([grades.table(), people.lazy()]))
        folder.write_table("transcripts", transcripts.table())
        skills = [(skill.name, skill.category) for skill in prepared.pack.skills]
        usage = [(*sums[:5], unusable[sums[0], sums[1]], *sums[5:]) for sums in journal.usage()]
        folder.write_table("skills", pl.DataFrame(skills, SKILLS_SCHEMA, orient="row"))
        folder.write_table("usage", pl.DataFrame(usage, USAGE_SCHEMA, orient="row"))
        timings = {
            f"{role} {model}, seconds of calls": round(seconds, 2)
            for model, role, *_, seconds in usage
        }
        folder.write_manifest(
            {
                "spec": _spec(prepared, provenance(journal), snapshots),
                "command": command,
                "seed": prepared.whole.seed,
                "versions": package_versions(PACKAGES),
                "digests": prepared.digests,
                "timings": timings,
                "machine": describe_machine(),
            }
        )
    return lacking


def _transcript(text_id: str, call: Call, outcome: str) -> tuple[Any, ...]:
    """The row of a call in transcripts.parquet."""
    who = ("turn", None) if call.id.role == "student" else ("grading", call.id.model)
    counts = (call.latency, call.input_tokens, call.output_tokens, call.cost)
    reply = (call.prompt, call.reply, call.stop_reason, outcome)
    return (text_id, *who, call.id.step, call.id.again, *reply, *counts)


@dataclass
class _Rows:
    """Rows of a table, of which at most so many are in memory: the others go to ``files``.

    ``stem`` is the path of these files, but for their numbers.
    """

    stem: str
    schema: pl.Schema
    most: int
    rows: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    files: list[str] = field(default_factory=list[str])

    def add(self, *rows: tuple[Any, ...], last: bool = False) -> None:
        """Add rows."""
        self.rows += rows
        if last or len(self.rows) >= self.most:
            self.files.append(f"{self.stem}.{len(self.files):06}.parquet")
            pl.DataFrame(self.rows, self.schema, orient="row").write_parquet(self.files[-1])
            self.rows.clear()

    def table(self) -> pl.LazyFrame:
        """All rows, in the order in which they came."""
        self.add(last=True)
        # one file after the other: read side by side they would all be in memory
        return pl.scan_parquet(self.files, glob=False, low_memory=True, parallel="none")


def _spec(
    prepared: Prepared, reached: Mapping[str, Any], snapshots: Mapping[str, set[str]]
) -> dict[str, Any]:
    """What the manifest says of what was asked."""
    settings = prepared.whole.as_dict()
    return {
        "protocol": "SKILL-MIX",
        "origin": "unparrot eval",
        "combinations_seed": settings.pop("seed"),
        **settings,
        "grader": next(iter(prepared.whole.markers), None),
        "reached": reached["students"],
        "gradings": reached["gradings"],
        "prompts": {"name": prepared.prompts.name, "version": prepared.prompts.version},
        "pack": public_part(prepared.pack, prepared.private),
        "private": prepared.private,
        "snapshots": {name: sorted(seen) for name, seen in sorted(snapshots.items())},
        "votes": "the majority of the marks that exist; a tie is unscored",
        "length": "sentences are counted by program, at most max(1, k - 1)",
    }
