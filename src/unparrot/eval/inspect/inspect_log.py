"""A run as logs of Inspect: `unparrot eval export RUN --to inspect`, an ``.eval`` file a student.

Inspect writes the file and works out its figures from the scores of the samples, by the metrics of
the task (`unparrot.eval.inspect.inspect_task`). One student at a time is held in memory.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial, reduce
from itertools import groupby
from operator import add
from pathlib import Path
from typing import Any, Final, NamedTuple, cast, get_args

from inspect_ai.event import ModelEvent
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalSample,
    EvalSpec,
    EvalStats,
    recompute_metrics,
    write_eval_log,
)
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    ModelConfig,
    ModelOutput,
    ModelUsage,
    StopReason,
)
from inspect_ai.scorer import Score

from unparrot.core.errors import BadInput
from unparrot.core.grades import Mark
from unparrot.core.machine import package_versions
from unparrot.core.records import RunFolder, atomic_write
from unparrot.core.skills import LENGTH
from unparrot.eval.inspect.inspect_task import (
    METRICS,
    NO_TEXT,
    TEXT,
    sample_id,
    sample_metadata,
    score_of,
    task_metadata,
)
from unparrot.eval.record.journal import Call, read_journal
from unparrot.eval.record.labels import by_text, read_labels
from unparrot.eval.record.prepare import Prepared
from unparrot.eval.record.readback import Readback, TextRecord

SUFFIX: Final = ".eval"
TASK: Final = "unparrot/skillmix"
_STOPS: Final = frozenset(get_args(StopReason))
# The marks that people gave one text, by person and criterion.
_People = Mapping[str, Mapping[str, Mark]]


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
        The run, by `unparrot.eval.record.prepare.prepare` from its stored spec.
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
    with read_journal(prepared.folder) as journal:
        for student, records in groupby(readback.texts(journal), lambda record: record.text.model):
            if student not in places:
                continue
            log = _log(readback, people, student, list(records))
            write = partial(write_eval_log, log)
            atomic_write(places[student], write, private=private or None)
            samples = len(log.samples or ())
            written.append(Exported(student, places[student], samples, log.status == "success"))
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


def _log(
    readback: Readback, people: Mapping[str, _People], student: str, records: Sequence[TextRecord]
) -> EvalLog:
    """Return the log of a student, with the figures that Inspect works out."""
    spec = readback.prepared.whole
    times_and_usage = _totals([call for record in records for call, _ in record.heard])
    planned = spec.n * len(spec.k) * spec.rounds
    log = EvalLog(
        status="success" if len(records) >= planned else "cancelled",
        eval=_spec(readback.prepared, student, times_and_usage["started_at"]),
        stats=EvalStats(**times_and_usage),
        samples=[_sample(each, readback, people.get(each.text.id, {})) for each in records],
    )
    recompute_metrics(log)
    assert log.results is not None
    log.results.total_samples = planned
    for score in log.results.scores:
        score.metrics = {
            name: metric
            for name, metric in score.metrics.items()
            if not math.isnan(metric.value) and (name != "stderr" or score.scored_samples != 1)
        }
    return log


def _spec(prepared: Prepared, student: str, began: str) -> EvalSpec:
    spec = prepared.whole
    name = "private pack" if prepared.private else prepared.pack.name
    shape = GenerateConfig(**spec.grader._asdict())
    graders = [ModelConfig(model=grader, config=shape) for grader in spec.markers]
    decides = next(iter(spec.markers), None)
    arguments = spec.as_dict() | {"grader": decides}
    arguments |= {"pack": name} if prepared.private else {}
    for key in ("models", "graders", "rounds"):
        del arguments[key]
    identity = [student, *prepared.digests.values(), began]
    figures = ["mean", "stderr", *(["unparrot/by_k"] if len(spec.k) > 1 else [])]
    versions = package_versions(("inspect-ai", "unparrot")).items()
    metrics: Any = {name: [{"name": figure} for figure in figures] for name in METRICS}
    return EvalSpec(
        eval_id=_id("eval", *identity),
        run_id=_id("run", *identity[1:]),
        task_id=_id("task", *identity),
        created=began,
        task=TASK,
        task_version=prepared.prompts.version,
        task_display_name="skillmix",
        task_registry_name=TASK,
        task_args=arguments,
        dataset=EvalDataset(
            name=name,
            samples=spec.n * len(spec.k),
            sample_ids=[sample_id(k, place) for k in spec.k for place in range(spec.n)],
            shuffled=False,
        ),
        solver="unparrot/conversation",
        solver_args={"prompts": spec.prompts, "tries": spec.tries},
        model=student,
        model_generate_config=GenerateConfig(**spec.student._asdict()),
        model_roles={"grader": graders[0] if len(graders) == 1 else graders} if graders else {},
        config=EvalConfig(
            epochs=spec.rounds, epochs_reducer=["mean", "max"] if spec.rounds > 1 else None
        ),
        metrics=metrics,
        packages={name.replace("-", "_"): version for name, version in versions if version},
        metadata={
            **task_metadata(prepared.pack, prepared.prompts, prepared.private, spec.seed),
            "origin": "unparrot eval export",
            "grader": decides,
            "votes": "the majority of the marks that exist; a tie is unscored",
            "length": "sentences are counted by program, at most max(1, k - 1)",
        },
    )


def _id(*parts: str) -> str:
    """22 letters and digits, as Inspect's own ids have, that depend on the parts alone."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=11).hexdigest()


def _totals(calls: Sequence[Call]) -> dict[str, Any]:
    """Beginning and end of calls, and their tokens and cost summed by model and for graders by
    role, under Inspect's names; a sum that some call does not report is left out."""
    sums: dict[str, dict[str, ModelUsage]] = {"model_usage": {}, "role_usage": {}}
    used: defaultdict[tuple[str, str], list[ModelUsage | None]] = defaultdict(list)
    for call in calls:
        if call.state == "answered":
            used["model_usage", call.id.model].append(_used(call))
            if call.id.role == "grader":  # students have no role in Inspect
                used["role_usage", "grader"].append(_used(call))
    for (kind, name), each in used.items():
        known = [usage for usage in each if usage is not None]
        if len(known) == len(each):
            sums[kind][name] = reduce(add, known)
            if any(usage.total_cost is None for usage in known):
                sums[kind][name].total_cost = None
    began = min(call.finished - call.latency for call in calls)
    ended = max(call.finished for call in calls)
    return {
        "started_at": _moment(began).isoformat(), "completed_at": _moment(ended).isoformat(), **sums
    }  # fmt: skip


def _used(call: Call) -> ModelUsage | None:
    if call.input_tokens is None or call.output_tokens is None:
        return None
    return ModelUsage(
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        total_tokens=call.input_tokens + call.output_tokens,
        reasoning_tokens=call.reasoning_tokens,
        total_cost=call.cost,
    )


def _sample(record: TextRecord, readback: Readback, people: _People) -> EvalSample:
    """Return the sample of a text; its epoch is the round of generation.

    Returns
    -------
    EvalSample
        ``messages`` holds the tries that counted, ``events`` every call, ``scores`` a score by each
        grader of the run, and by each of these people.
    """
    text, calls = record.text, [call for call, _ in record.heard]
    turns = [call for call in calls if call.id.role == "student"]
    messages: list[ChatMessage] = []
    for call, words in record.used:
        messages += [_question(call), _reply(call, words)]
    # the question that stayed without a reply of use, if any
    messages += [_question(c) for c in turns if c.id.step == len(record.used) + 1][-1:]
    return EvalSample(
        id=sample_id(text.combination.k, record.place),
        epoch=text.sample + 1,
        input=turns[0].prompt,
        target="",
        metadata={**sample_metadata(text.combination, record.place), "text_id": text.id},
        messages=messages,
        output=_output(turns[-1]),
        scores=_scores(record, readback, people),
        # so that `inspect score` marks it anew
        store={TEXT: record.answer.text, NO_TEXT: record.answer.code},
        events=list(_events(record, messages)),
        **_totals(calls),
        working_time=sum(call.latency for call in calls),
        uuid=text.id,
    )


def _output(call: Call) -> ModelOutput:
    model = call.snapshot or call.id.model
    if call.state == "failed":
        return ModelOutput(model=model, error=f"{call.kind}: {call.error}")
    stop = cast(StopReason, call.stop_reason if call.stop_reason in _STOPS else "unknown")
    return ModelOutput(
        model=model,
        choices=[ChatCompletionChoice(message=_reply(call, call.reply), stop_reason=stop)],
        usage=_used(call),
        time=call.latency,
    )


def _scores(record: TextRecord, readback: Readback, people: _People) -> dict[str, Score]:
    text = record.text
    gradings: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for person, marks in people.items():
        gradings[person] = [{"round": 1, "marks": {**marks, LENGTH: text.marks[LENGTH]}}]
    for grader, number, marks, call in record.given:
        each = {"round": number, "try": call.id.again, "marks": marks, "reply": call.reply}
        gradings[grader].append(each)
    scores: dict[str, Score] = {}
    for grader in (*readback.prepared.whole.markers, *people):
        rounds = [grading["marks"] for grading in gradings[grader]]
        verdict = readback.verdict(text.combination, record.answer, rounds)
        own = replace(text, marks=verdict)
        scores[grader] = score_of(own, record.answer, gradings[grader])
    return scores


def _question(call: Call) -> ChatMessageUser:
    return ChatMessageUser(id=f"{call.id.key}-user", content=call.prompt)


def _reply(call: Call, words: str) -> ChatMessageAssistant:
    return ChatMessageAssistant(
        id=f"{call.id.key}-reply", content=words, model=call.id.model, source="generate"
    )


def _events(record: TextRecord, messages: Sequence[ChatMessage]) -> Iterator[ModelEvent]:
    """Every call, in the order of the conversation, then grader by grader."""
    working = 0.0
    for call, outcome in record.heard:
        student = call.id.role == "student"
        output, settings = _output(call), json.loads(call.id.config)
        settings.pop("form", None)  # how a grader replies is in the prompt
        yield ModelEvent(
            uuid=f"{call.id.key}-event",
            timestamp=_moment(call.finished - call.latency),
            completed=_moment(call.finished),
            working_start=working,
            working_time=call.latency,
            model=call.id.model,
            role=None if student else "grader",
            input=[*(messages[: 2 * (call.id.step - 1)] if student else ()), _question(call)],
            tools=[],
            tool_choice="none",
            config=GenerateConfig(**settings),
            output=output,
            error=output.error,
            retries=call.attempts - 1 or None,
            metadata={
                "step": "turn" if student else "grading",
                "round": call.id.step,
                "try": call.id.again,
                "outcome": outcome,
            },
        )
        working += call.latency


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
