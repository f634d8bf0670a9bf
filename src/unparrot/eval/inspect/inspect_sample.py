"""A text of a run as a sample of Inspect: its conversation, its scores, every call as an event."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast, get_args

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalSample
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
    StopReason,
)
from inspect_ai.scorer import Score

from unparrot.core.grades import GradedText, Mark
from unparrot.eval.ask.asking import extract, usable_turn
from unparrot.eval.inspect.conversation import NO_TEXT, TEXT
from unparrot.eval.inspect.inspect_scoring import sample_id, score_of
from unparrot.eval.record.journal import Call
from unparrot.eval.record.readback import LENGTH, Readback, TextRecord

TASK: Final = "unparrot/skillmix"
_STOPS: Final = frozenset(get_args(StopReason))


class Usage:
    """Tokens and cost, summed by model and role. What some call does not report is left out."""

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        self._sums: dict[tuple[str, str], ModelUsage] = {}
        self._unknown: set[tuple[str, str]] = set()
        self._unpriced: set[tuple[str, str]] = set()
        for call in calls:
            self.add(call)

    def add(self, call: Call) -> None:
        """Count a call."""
        if call.state == "failed":
            return
        key = (call.id.model, call.id.role)
        used = _usage(call)
        if used is None:
            self._unknown.add(key)
        else:
            self._sums[key] = self._sums.get(key, ModelUsage()) + used
        if call.cost is None:
            self._unpriced.add(key)

    def _known(self, place: int) -> dict[str, ModelUsage]:
        found: dict[str, ModelUsage] = {}
        unknown = {key[place] for key in self._unknown}
        unpriced = {key[place] for key in self._unpriced}
        for key, used in self._sums.items():
            name = key[place]
            if name not in unknown:
                found[name] = found.get(name, ModelUsage()) + used
        for name in unpriced & found.keys():
            found[name].total_cost = None
        return found

    def by_model(self) -> dict[str, ModelUsage]:
        """Usage by name of the model."""
        return self._known(0)

    def by_role(self) -> dict[str, ModelUsage]:
        """Usage of the graders; students have no role in Inspect."""
        return {role: used for role, used in self._known(1).items() if role == "grader"}


def _usage(call: Call) -> ModelUsage | None:
    if call.input_tokens is None or call.output_tokens is None:
        return None
    return ModelUsage(
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        total_tokens=call.input_tokens + call.output_tokens,
        reasoning_tokens=call.reasoning_tokens,
        total_cost=call.cost,
    )


def sample_of(
    record: TextRecord, readback: Readback, people: Mapping[str, Mapping[str, Mark]]
) -> EvalSample:
    """Return the sample of a text; its epoch is the round of generation.

    Parameters
    ----------
    record
        The text and its calls.
    readback
        That read it.
    people
        What people said of it, by person and criterion.

    Returns
    -------
    EvalSample
        ``messages`` holds the tries that counted, ``events`` every call, ``scores`` a score by each
        grader of the run, and by each of these people.
    """
    text, turns = record.text, record.turns
    messages = _conversation(record, readback)
    calls = record.calls
    started = min(call.finished - call.latency for call in calls)
    usage = Usage(calls)
    return EvalSample(
        id=sample_id(text.combination.k, record.place),
        epoch=text.sample + 1,
        input=turns[0].prompt,
        target="",
        metadata={
            "k": text.combination.k,
            "topic": text.combination.topic,
            "skills": list(text.combination.skills),
            "place": record.place,
            "text_id": text.id,
        },
        messages=messages,
        output=_output(turns[-1]),
        scores=_scores(record, readback, people),
        store={TEXT: text.text, NO_TEXT: record.reason},  # so that `inspect score` marks it anew
        events=list(_events(record, readback)),
        model_usage=usage.by_model(),
        role_usage=usage.by_role(),
        started_at=moment(started),
        completed_at=moment(max(call.finished for call in calls)),
        working_time=sum(call.latency for call in calls),
        uuid=text.id,
    )


def _conversation(record: TextRecord, readback: Readback) -> list[ChatMessage]:
    """The turns that went on, and the question that stayed without a reply of use, if any."""
    prompts = readback.prepared.prompts
    messages: list[ChatMessage] = []
    last = {call.id.step: call for call in record.turns}
    for step, call in sorted(last.items()):
        name = f"{record.text.id}-{step}"
        messages.append(ChatMessageUser(id=f"{name}-user", content=call.prompt))
        reply, reason = ("", "failed") if call.state == "failed" else usable_turn(call, prompts)
        if reason or extract(call, prompts).reason:
            break
        messages.append(_said(f"{name}-assistant", reply, call))
    return messages


def _said(name: str, reply: str, call: Call) -> ChatMessageAssistant:
    return ChatMessageAssistant(id=name, content=reply, model=call.id.model, source="generate")


def _output(call: Call) -> ModelOutput:
    model = call.snapshot or call.id.model
    if call.state == "failed":
        return ModelOutput(model=model, error=f"{call.kind}: {call.error}")
    stop = cast(StopReason, call.stop_reason if call.stop_reason in _STOPS else "unknown")
    message = _said(f"{call.id.key}-reply", call.reply, call)
    return ModelOutput(
        model=model,
        choices=[ChatCompletionChoice(message=message, stop_reason=stop)],
        usage=_usage(call),
        time=call.latency,
    )


def _scores(
    record: TextRecord, readback: Readback, people: Mapping[str, Mapping[str, Mark]]
) -> dict[str, Score]:
    text = record.text
    rounds: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for person, said_so in people.items():
        counted = {LENGTH: text.marks[LENGTH]}
        rounds[person].append({"round": 1, "marks": {**said_so, **counted}})
    for said in record.given:
        rounds[said.grader].append(
            {
                "round": said.round,
                "try": said.call.id.again,
                "marks": said.marks,
                "reply": said.call.reply,
            }
        )
    scores: dict[str, Score] = {}
    for grader in (*readback.prepared.whole.graders, *people):
        gradings = rounds[grader]
        marks = text.marks
        if text.text:
            votes = [given["marks"] for given in gradings]
            marks = readback.verdict(text.combination, text.text, votes)
        own = GradedText(
            text.combination, text.text, marks, text.model, text.split, text.decoding,
            text.sample, None,
        )  # fmt: skip
        scores[grader] = score_of(own, record.reason, gradings)
    return scores


def _events(record: TextRecord, readback: Readback) -> Iterable[ModelEvent]:
    """Every call, in the order of the conversation, then grader by grader."""
    asked: dict[int, list[ChatMessage]] = {}
    working = 0.0
    for call in record.calls:
        question = ChatMessageUser(id=f"{call.id.key}-user", content=call.prompt)
        before: list[ChatMessage] = []
        if call.id.role == "student":
            earlier = [turn for turn in record.turns if turn.id.step < call.id.step]
            before = asked.get(call.id.step) or _before(earlier, readback)
            asked[call.id.step] = before
        yield ModelEvent(
            uuid=f"{call.id.key}-event",
            timestamp=datetime.fromtimestamp(call.finished - call.latency, UTC),
            completed=datetime.fromtimestamp(call.finished, UTC),
            working_start=working,
            working_time=call.latency,
            model=call.id.model,
            role=None if call.id.role == "student" else "grader",
            input=[*before, question],
            tools=[],
            tool_choice="none",
            config=_config(call),
            output=_output(call),
            error=f"{call.kind}: {call.error}" if call.state == "failed" else None,
            retries=call.attempts - 1 or None,
            metadata={
                "step": "turn" if call.id.role == "student" else "grading",
                "round": call.id.step,
                "try": call.id.again,
                "outcome": readback.outcome(call, record.text.combination),
            },
        )
        working += call.latency


def _before(earlier: Iterable[Call], readback: Readback) -> list[ChatMessage]:
    """What was said before a turn."""
    messages: list[ChatMessage] = []
    for call in {turn.id.step: turn for turn in earlier}.values():
        reply, _ = usable_turn(call, readback.prepared.prompts)
        messages.append(ChatMessageUser(id=f"{call.id.key}-user", content=call.prompt))
        messages.append(_said(f"{call.id.key}-reply", reply, call))
    return messages


def _config(call: Call) -> GenerateConfig:
    values = json.loads(call.id.config)
    values.pop("form", None)
    return GenerateConfig(**values)


def moment(seconds: float) -> str:
    """Return a time, in seconds since 1970, as Inspect writes it.

    Examples
    --------
    >>> moment(0.0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()
