"""The run folder of imported records: `unparrot eval import DIR --out runs/ref`.

texts.parquet, graded.parquet and grades.parquet, and a manifest with the digest of every source
file, of the skills and topics that were asked for, and the facts of the protocol.
"""

import hashlib
import time
from pathlib import Path
from typing import Any, Final

from unparrot.core.errors import BadInput
from unparrot.core.machine import describe_machine, package_versions
from unparrot.core.records import RunFolder
from unparrot.eval.published.other_programs import files_in, read_other
from unparrot.eval.published.record_layout import StudentFile, read_records
from unparrot.eval.published.voting import Imported, import_records
from unparrot.eval.record.journal import canonical

COMMAND: Final = "unparrot eval import"
PACKAGES: Final = ("unparrot", "numpy", "polars")


def import_run(
    source: Path, out: Path, grader: str | None = None, pass_mark: float | None = None
) -> tuple[list[StudentFile], Imported]:
    """Read records that others made and write them as a run.

    Parameters
    ----------
    source
        Folder of the published records, or a file or folder of other programs; it is only read.
    out
        Folder of the run. An earlier import there is replaced.
    grader
        Whose marks decide; needed only where several graders graded.
    pass_mark
        Least number that is earned, for marks of other programs on a scale.

    Returns
    -------
    records, imported
        The published records (none of other programs), and what was written.

    Raises
    ------
    BadInput
        If the records cannot be used, or ``out`` holds something other than an import.
    """
    started = time.perf_counter()
    _claim(source, out)
    records: list[StudentFile] = []
    if paths := files_in(source):
        imported = read_other(source, grader, pass_mark)
    else:
        records = read_records(source)
        if pass_mark is not None:
            raise BadInput("--pass-mark is for files of other programs; leave it out")
        imported = import_records(records, grader)
        paths = [source / each.path for file in records for each in (file, *file.grades)]
    root = source if source.is_dir() else source.parent
    files = {p.relative_to(root).as_posix(): _sha256(p.read_bytes()) for p in paths}
    folder = RunFolder(out)
    if imported.private:
        out.mkdir(parents=True, exist_ok=True)
        out.chmod(0o700)
    folder.write_table("grades", imported.grades)
    folder.write_graded(imported.texts)
    combinations = [text.combination for text in imported.texts]
    skills = sorted({name for combination in combinations for name in combination.skills})
    topics = sorted({combination.topic for combination in combinations})
    pack = {"skills": skills, "topics": topics}
    folder.write_manifest(
        {
            "spec": {"files": files, **_spec(records, imported)},
            "command": COMMAND,
            "seed": sorted({file.setting.seed for file in records}) or [0],
            "versions": package_versions(PACKAGES),
            "digests": {"pack": _digest(pack), "records": _digest(files)},
            "timings": {"import": round(time.perf_counter() - started, 2)},
            "machine": describe_machine(),
        }
    )
    return records, imported


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


def _spec(files: list[StudentFile], imported: Imported) -> dict[str, Any]:
    graded = [each for file in files for each in file.grades]
    deciding = [file for file in graded if imported.grader.startswith(file.grader)]
    published = {
        "seeds": sorted({file.setting.seed for file in files}),
        "generation_prompts": sorted({file.setting.prompt for file in files}),
        "rounds": sorted({file.setting.round for file in files}),
        "grading_rounds": sorted({file.round for file in deciding}),
        "grading_prompts": sorted({file.prompt for file in deciding}),
        "votes": "the majority of the marks that exist; identical rounds are one vote",
        "length": "the published count of sentences, at most max(1, k - 1)",
    }
    return {
        "protocol": "SKILL-MIX",
        "origin": "published records" if files else "files of other programs",
        "k": sorted({text.combination.k for text in imported.texts}),
        "students": sorted({text.model for text in imported.texts}),
        "graders": list(imported.findings.replies),
        "grader": imported.grader,
        "private": imported.private,
        **(published if files else {}),
    }


def _digest(content: object) -> str:
    return _sha256(canonical(content).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
