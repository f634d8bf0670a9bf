"""The run folder of imported records: `unparrot eval import DIR --out runs/ref`.

texts.parquet, graded.parquet and grades.parquet, and a manifest with the digest of every source
file, of the skills and topics that were asked for, and the facts of the protocol.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.machine import describe_machine, package_versions
from unparrot.core.records import RunFolder
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.published.other_programs import OtherTexts, files_in, read_other
from unparrot.eval.published.record_layout import Records, read_records
from unparrot.eval.published.voting import Imported, import_records
from unparrot.eval.record.journal import canonical

COMMAND: Final = "unparrot eval import"
PACKAGES: Final = ("unparrot", "numpy", "polars")


def import_run(
    source: Path, out: Path, grader: str | None = None
) -> tuple[Records, Imported] | OtherTexts:
    """Read records that others made and write them as a run.

    Parameters
    ----------
    source
        Folder of the published records, or a file or folder of other programs; it is only read.
    out
        Folder of the run. An earlier import there is replaced.
    grader
        Whose marks decide; needed only where several graders graded.

    Returns
    -------
    tuple or OtherTexts
        Published records as they were read, and what was written of them; or what was written of
        another program's.

    Raises
    ------
    BadInput
        If the records cannot be used, or ``out`` holds something other than an import.
    """
    started = time.perf_counter()
    _claim(source, out)
    if paths := files_in(source):
        others = read_other(source, grader)
        rows = pl.DataFrame(others.rows, GRADES_SCHEMA, orient="row")
        files = {path: path.read_bytes() for path in paths}
        root = source if source.is_dir() else source.parent
        digests = {
            path.relative_to(root).as_posix(): hashlib.sha256(content).hexdigest()
            for path, content in files.items()
        }
        spec = {
            "origin": "files of other programs",
            "files": digests,
            "k": sorted({text.combination.k for text in others.texts}),
            "students": sorted({text.model for text in others.texts}),
            "graders": list(others.gradings),
            "grader": others.grader,
            "private": others.private,
        }
        _write(out, others.texts, rows, spec, started)
        return others
    records = read_records(source)
    imported = import_records(records, grader)
    _write(out, imported.texts, imported.grades, _spec(records, imported), started)
    return records, imported


def _write(
    out: Path,
    texts: Sequence[GradedText],
    grades: pl.DataFrame,
    spec: dict[str, Any],
    started: float,
) -> None:
    folder = RunFolder(out)
    if spec.get("private"):
        out.mkdir(parents=True, exist_ok=True)
        out.chmod(0o700)
    folder.write_table("grades", grades)
    folder.write_graded(texts)
    folder.write_manifest(
        {
            "spec": {"protocol": "SKILL-MIX", **spec},
            "command": COMMAND,
            "seed": spec.get("seeds", [0]),
            "versions": package_versions(PACKAGES),
            "digests": {"pack": _asked(texts), "records": _digest(spec["files"])},
            "timings": {"import": round(time.perf_counter() - started, 2)},
            "machine": describe_machine(),
        }
    )


def _claim(source: Path, out: Path) -> None:
    """Refuse a folder whose content is not that of an earlier import."""
    if out.resolve() == source.resolve():
        raise BadInput(f"{out} holds the records themselves; name another folder for the run")
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; name a folder for the run")
    manifest = out / "manifest.json"
    if manifest.is_file() and RunFolder(out).read_manifest().command != COMMAND:
        raise BadInput(f"{out} holds a run of another command; name another folder")
    if not manifest.is_file() and (out / "texts.parquet").exists():
        raise BadInput(f"{out} holds texts without a manifest; name another folder, or empty it")


def _spec(records: Records, imported: Imported) -> dict[str, Any]:
    files = records.students
    graded = [each for file in files for each in file.grades]
    deciding = [file for file in graded if imported.grader.startswith(file.grader)]
    return {
        "origin": "published records",
        "files": records.digests,
        "k": sorted({file.setting.k for file in files}),
        "seeds": sorted({file.setting.seed for file in files}),
        "generation_prompts": sorted({file.setting.prompt for file in files}),
        "rounds": sorted({file.setting.round for file in files}),
        "students": sorted({file.student for file in files}),
        "graders": list(imported.findings.replies),
        "grader": imported.grader,
        "grading_rounds": sorted({file.round for file in deciding}),
        "grading_prompts": sorted({file.prompt for file in deciding}),
        "votes": "the majority of the marks that exist; identical rounds are one vote",
        "length": "the published count of sentences, at most max(1, k - 1)",
    }


def _asked(texts: Sequence[GradedText]) -> str:
    """The digest of the skills and topics that occur, whatever their order."""
    skills = {name for text in texts for name in text.combination.skills}
    topics = {text.combination.topic for text in texts}
    return _digest({"skills": sorted(skills), "topics": sorted(topics)})


def _digest(content: object) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()
