"""A run as logs of Inspect: `unparrot eval export RUN --to inspect`, an ``.eval`` file a student.

An ``.eval`` file is a zip of JSON: a member for each sample, their summaries, and a header. To
write one, Inspect takes a whole log in memory; here its data types are written member by member, so
that memory does not grow with the run. Tests read the result with Inspect.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalPlan,
    EvalPlanStep,
    EvalSample,
    EvalSpec,
    EvalStats,
)
from inspect_ai.model import GenerateConfig, ModelConfig
from pydantic import BaseModel

from unparrot.core.errors import BadInput
from unparrot.core.grades import Mark
from unparrot.core.machine import package_versions
from unparrot.core.records import RunFolder, atomic_write
from unparrot.eval.inspect.inspect_figures import Figures
from unparrot.eval.inspect.inspect_sample import TASK, Usage, moment, sample_of
from unparrot.eval.inspect.inspect_scoring import sample_id, task_metadata
from unparrot.eval.people.label_sample import by_text, read_labels
from unparrot.eval.record.journal import read_journal
from unparrot.eval.record.readback import Readback, TextRecord

if TYPE_CHECKING:
    from unparrot.eval.ask.run import Prepared

VERSION: Final = 2
"""Of Inspect's log format."""
SUFFIX: Final = ".eval"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that the same run gives the same file."""
_People = Mapping[str, Mapping[str, Mapping[str, Mark]]]
"""Marks by id of the text, person and criterion."""


class Exported(NamedTuple):
    """A log that was written: of which student, where, with how many samples, and whether the run
    has all the texts that were asked for."""

    model: str
    path: Path
    samples: int
    complete: bool


def export_logs(prepared: Prepared, places: Mapping[str, Path]) -> list[Exported]:
    """Write the logs of students.

    Parameters
    ----------
    prepared
        The run, by `unparrot.eval.ask.run.prepare` from its stored spec.
    places
        The file of each student; the user's alone if the run folder or the pack is.

    Returns
    -------
    list
        What was written; a student without any text has no log.

    Raises
    ------
    BadInput
        If the journal cannot be read, or no student has a text.
    """
    private = prepared.private or RunFolder(prepared.folder).private
    readback = Readback(prepared)
    people = by_text(read_labels(prepared.folder))
    written: list[Exported] = []
    journal = read_journal(prepared.folder)
    try:
        for student, records in groupby(readback.texts(journal), lambda record: record.text.model):
            if student not in places:
                continue
            log = _Log(prepared, readback, people, student)
            write = partial(log.write, records)
            atomic_write(places[student], write, private=private or None)
            written.append(Exported(student, places[student], log.samples, log.complete))
    finally:
        journal.close()
    if not written:
        raise BadInput(f"{prepared.folder} has no text of {', '.join(places)}; run it first")
    return written


def file_names(models: Iterable[str]) -> dict[str, str]:
    """Return a file name for each model, made of its own, all different.

    Examples
    --------
    >>> file_names(["openai/gpt-4o", "openai_gpt-4o", "openai:gpt-4o"])["openai:gpt-4o"]
    'openai-gpt-4o-2.eval'
    """
    names: dict[str, str] = {}
    for model in models:
        stem = re.sub(r"[^\w.-]+", "-", model).strip("-.") or "model"
        taken = {name.casefold() for name in names.values()}
        name, number = f"{stem}{SUFFIX}", 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}{SUFFIX}"
        names[model] = name
    return names


class _Log:
    """The log of one student, as it is written."""

    def __init__(
        self, prepared: Prepared, readback: Readback, people: _People, student: str
    ) -> None:
        self.prepared, self.readback, self.student = prepared, readback, student
        self.people = people
        self.samples = 0
        spec = prepared.whole
        persons = dict.fromkeys(person for said in people.values() for person in said)
        self.figures = Figures((*spec.graders, *persons), spec.k, spec.rounds)
        self.usage = Usage()
        self.first = float("inf")
        self.last = 0.0

    @property
    def planned(self) -> int:
        """Samples that the run asks for."""
        spec = self.prepared.whole
        return spec.n * len(spec.k) * spec.rounds

    @property
    def complete(self) -> bool:
        """Whether they are all there."""
        return self.samples >= self.planned

    def write(self, records: Iterable[TextRecord], path: Path) -> None:
        """Write the file, reading the texts one by one."""
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
            tempfile.TemporaryFile() as summaries,
        ):
            summaries.write(b"[")
            for sample in self._samples(records):
                _add(archive, f"samples/{sample.id}_epoch_{sample.epoch}.json", sample)
                summaries.write(b"," if self.samples else b"")
                summaries.write(_json(sample.summary()))
                self.samples += 1
            summaries.write(b"]")
            summaries.seek(0)
            with archive.open(_member("summaries.json"), "w", force_zip64=True) as member:
                _copy(summaries, member)
            header = self._header()
            _add(archive, "header.json", header)
            start = {"version", "eval", "plan"}
            _add(archive, "_journal/start.json", header, include=start)

    def _samples(self, records: Iterable[TextRecord]) -> Iterator[EvalSample]:
        for record in records:
            sample = sample_of(record, self.readback, self.people.get(record.text.id, {}))
            self.figures.add(sample)
            for call in record.calls:
                self.usage.add(call)
                self.first = min(self.first, call.finished - call.latency)
                self.last = max(self.last, call.finished)
            yield sample

    def _header(self) -> EvalLog:
        prepared = self.prepared
        spec = prepared.whole
        results = self.figures.results(self.planned, self.samples)
        return EvalLog(
            version=VERSION,
            status="success" if self.complete else "cancelled",
            eval=self._spec(),
            plan=EvalPlan(
                steps=[
                    EvalPlanStep(
                        solver="unparrot/conversation",
                        params={"prompts": spec.prompts, "tries": spec.tries},
                    )
                ],
                config=self._config(),
            ),
            results=results,
            stats=EvalStats(
                started_at=moment(self.first),
                completed_at=moment(self.last),
                model_usage=self.usage.by_model(),
                role_usage=self.usage.by_role(),
            ),
        )

    def _config(self) -> GenerateConfig:
        return GenerateConfig(**self.prepared.whole.student._asdict())

    def _spec(self) -> EvalSpec:
        prepared, spec = self.prepared, self.prepared.whole
        name = "private pack" if prepared.private else prepared.pack.name
        graders = [
            ModelConfig(model=grader, config=GenerateConfig(**spec.grader._asdict()))
            for grader in spec.graders
        ]
        arguments = {
            key: value
            for key, value in spec.as_dict().items()
            if key not in ("models", "graders", "rounds")
        }
        if prepared.private:
            arguments["pack"] = name
        identity = [self.student, prepared.pack.digest, prepared.prompts.digest, str(self.first)]
        return EvalSpec(
            eval_id=_id("eval", *identity),
            run_id=_id("run", *identity[1:]),
            task_id=_id("task", *identity),
            created=moment(self.first),
            task=TASK,
            task_version=prepared.prompts.version,
            task_display_name="skillmix",
            task_registry_name=TASK,
            task_args={"grader": spec.graders[0], **arguments},
            dataset=EvalDataset(
                name=name,
                samples=spec.n * len(spec.k),
                sample_ids=[sample_id(k, place) for k in spec.k for place in range(spec.n)],
                shuffled=False,
            ),
            model=self.student,
            model_generate_config=self._config(),
            model_roles={"grader": graders[0] if len(graders) == 1 else graders},
            config=EvalConfig(epochs=spec.rounds, epochs_reducer=self.figures.reducers),
            packages={
                name.replace("-", "_"): version
                for name, version in package_versions(("inspect-ai", "unparrot")).items()
                if version is not None
            },
            metadata={
                **task_metadata(prepared.pack, prepared.prompts, prepared.private, spec.seed),
                "origin": "unparrot eval export",
                "grader": spec.graders[0],
                "votes": "the majority of the marks that exist; a tie is unscored",
                "length": "sentences are counted by program, at most max(1, k - 1)",
            },
        )


def _id(*parts: str) -> str:
    """22 letters and digits, as Inspect's own ids have, that depend on the parts alone."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=11).hexdigest()


def _json(value: BaseModel, include: Any = None) -> bytes:
    return value.model_dump_json(exclude_none=True, include=include).encode()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, date_time=_LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _add(archive: zipfile.ZipFile, name: str, value: BaseModel, include: Any = None) -> None:
    archive.writestr(_member(name), _json(value, include))


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while block := source.read(1 << 20):
        target.write(block)
