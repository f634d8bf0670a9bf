"""One text at a time: the conversation with a student, and a grader's marks on its text.

Every call goes through the journal: what it holds is used as it is, what it lacks is asked, kept,
and only then used. So these functions say the same whether they ask or read.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.eval.protocol.conversation import (
    Answer,
    extract_answer,
    turn_prompt,
    without_thinking,
)
from unparrot.eval.protocol.grading import new_token, read_grades
from unparrot.eval.record.eval_spec import EvalSpec
from unparrot.eval.record.journal import Call, CallId, Journal, canonical, settings
from unparrot.eval.wire.messages import SEEDED, call_config, call_seed, grading_message
from unparrot.eval.wire.models import Failure, Form, Limits, OpenModel, Refused, Reply, Settings
from unparrot.eval.wire.prices import Budget
from unparrot.packs.prompts import PromptSet

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, GenerateConfig


class Unit(NamedTuple):
    """A text that a student is to write: its combination, that one's place in the draw, a round."""

    student: str
    place: int
    combination: SkillCombination
    round: int


@dataclass(slots=True)
class Tally:
    """What a run has done so far, for the display.

    Parameters
    ----------
    planned
        Calls that the run takes, as far as known: a text that never came is not graded, and a
        reply that cannot be used is asked for again.
    kept, made, failed
        Calls that the journal had, that were made, and that stayed without a reply.
    failures
        Attempts that failed, by kind.
    unusable
        Replies that could not be used, by reason.
    input_tokens, output_tokens, cost
        Of the calls made, as far as reported.
    unpriced
        Calls made whose cost is not known.
    """

    planned: int = 0
    kept: int = 0
    made: int = 0
    failed: int = 0
    failures: Counter[str] = field(default_factory=Counter[str])
    unusable: Counter[str] = field(default_factory=Counter[str])
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0


class Desk:
    """Asks students and graders, by way of the journal.

    Parameters
    ----------
    spec, pack, prompts
        What is asked.
    journal
        Where every call is looked up and kept.
    limits, budget
        How calls are made, and what they may cost.
    tally
        Counts what is done.
    """

    def __init__(
        self,
        spec: EvalSpec,
        pack: SkillPack,
        prompts: PromptSet,
        journal: Journal,
        limits: Limits,
        budget: Budget,
        tally: Tally,
    ) -> None:
        self.spec, self.pack, self.prompts = spec, pack, prompts
        self.journal, self.limits, self.budget, self.tally = journal, limits, budget, tally
        self._protocol = [prompts.digest, pack.digest]
        self._reached: set[str] = set()
        self._unreachable: dict[str, Refused] = {}
        self._reaching: dict[str, asyncio.Lock] = {}

    async def write(self, student: OpenModel, unit: Unit) -> Answer:
        """Hold the conversation of a text and return the text, or why there is none."""
        from inspect_ai.model import ChatMessageAssistant, ChatMessageUser

        messages: list[ChatMessage] = []
        said: list[str] = []
        answer = Answer("", "not asked")
        for turn in range(1, len(self.prompts.turns) + 1):
            prompt = turn_prompt(self.prompts, self.pack, unit.combination, turn)
            messages.append(ChatMessageUser(content=prompt))
            said.append(prompt)
            reply = ""
            for again in count(1):
                call_id = self._id("student", student, self.spec.student, unit, turn, again, said)
                # a run with more tries may have had a reply that can be used
                if again > self.spec.tries and self.journal.find(call_id) is None:
                    break
                call = await self._call(student, call_id, messages, prompt)
                if call.state == "failed":
                    return Answer("", f"no reply: {call.kind}")
                reply, reason = usable_turn(call, self.prompts)
                answer = Answer("", reason) if reason else extract(call, self.prompts)
                if not answer.reason:
                    break
                self.tally.unusable[answer.reason] += 1
                if again < self.spec.tries:
                    self.tally.planned += 1
            if answer.reason:
                return answer
            messages.append(ChatMessageAssistant(content=reply))
            said.append(reply)
        return answer

    async def read(self, unit: Unit) -> Answer:
        """Return a text that the journal has, asking nobody."""
        turns = self.journal.turns(unit.student, unit.combination.k, unit.place, unit.round)
        return answer_of(turns, self.prompts)

    async def grade(self, grader: OpenModel, unit: Unit, text: str, grading_round: int) -> None:
        """Have a text marked, again if marks are missing, until the tries are used up."""
        asked = [*self._protocol, text, grader.form]
        for again in range(1, self.spec.tries + 1):
            call_id = self._id(
                "grader", grader, self.spec.grader, unit, grading_round, again, asked, grader.form
            )
            token = new_token()
            message = grading_message(
                self.prompts, self.pack, unit.combination, text, token, grader.form, grader.name
            )
            call = await self._call(grader, call_id, [message], message.text, token)
            if call.state == "failed":
                return
            marks = read_grades(
                call.reply, call.stop_reason, unit.combination, call.token, grader.form
            )
            reasons = {mark.reason for mark in marks.values() if mark.status == "unscored"}
            if not reasons:
                return
            self.tally.unusable.update(reasons)
            if again < self.spec.tries:
                self.tally.planned += 1

    def _id(
        self,
        role: Any,
        who: OpenModel,
        shape: Settings,
        unit: Unit,
        step: int,
        again: int,
        asked: Sequence[str],
        form: Form | None = None,
    ) -> CallId:
        return CallId(
            role=role,
            model=who.name,
            config=settings({**shape._asdict(), "form": form}),
            prompt_hash=hashlib.sha256(canonical(list(asked)).encode()).hexdigest(),
            student=unit.student,
            k=unit.combination.k,
            place=unit.place,
            combination=canonical([unit.combination.topic, *unit.combination.skills]),
            round=unit.round,
            step=step,
            again=again,
        )

    async def _call(
        self,
        who: OpenModel,
        call_id: CallId,
        messages: Sequence[ChatMessage],
        prompt: str,
        token: str = "",
    ) -> Call:
        """Return the call from the journal, or make it and keep it."""
        found = self.journal.find(call_id)
        if found is not None and found.state == "answered":
            self.tally.kept += 1
            return found
        config = self._config(who, call_id)
        text = prompt if len(messages) == 1 else "".join(message.text for message in messages)
        async with self.budget.hold(who.price, text, config.max_tokens or 0) as dearest:
            reply = await self._reply(who, messages, config)
            call = _kept(who, call_id, prompt, token, reply)
            # where the provider reports no tokens the call may have cost all that it could
            unknown = call.state == "answered" and call.cost is None
            self.budget.settle(dearest if unknown else call.cost)
            await self.journal.add(call)
        self.tally.made += 1
        self.tally.failed += call.state == "failed"
        self.tally.input_tokens += call.input_tokens or 0
        self.tally.output_tokens += call.output_tokens or 0
        self.tally.cost += call.cost or 0.0
        self.tally.unpriced += call.state == "answered" and call.cost is None
        return call

    async def _reply(
        self, who: OpenModel, messages: Sequence[ChatMessage], config: GenerateConfig
    ) -> Reply | Failure:
        """Ask; the first call to a model goes alone and gives up soon if nobody is there, before
        all others wait through all of their attempts."""
        if who.name not in self._reached:
            async with self._reaching.setdefault(who.name, asyncio.Lock()):
                if who.name in self._unreachable:
                    raise self._unreachable[who.name]
                if who.name not in self._reached:
                    retries = min(1, self.limits.retries)
                    soon = config.model_copy(update={"max_retries": retries})
                    try:
                        reply = await self._asked(who, messages, soon)
                        if isinstance(reply, Failure) and reply.kind == "no connection":
                            raise Refused(
                                f"{who.name} cannot be reached ({reply.error}): check the address "
                                "and that the server is up"
                            )
                    except Refused as error:
                        self._unreachable[who.name] = error
                        raise
                    self._reached.add(who.name)
                    out_of_retries = isinstance(reply, Failure) and reply.attempts > retries
                    if not out_of_retries or retries == self.limits.retries:
                        return reply
        return await self._asked(who, messages, config)

    async def _asked(
        self, who: OpenModel, messages: Sequence[ChatMessage], config: GenerateConfig
    ) -> Reply | Failure:
        # a task of its own: what Inspect records of a call goes when the task does
        return await asyncio.create_task(who.ask(messages, config, self.tally.failures))

    def _config(self, who: OpenModel, call_id: CallId) -> GenerateConfig:
        form = who.form if call_id.role == "grader" else None
        shape = self.spec.student if form is None else self.spec.grader
        config = call_config(shape, self.limits, call_id.k if form == "schema" else None)
        if who.name.partition("/")[0] in SEEDED:
            return config.model_copy(update={"seed": call_seed(self.spec.seed, call_id)})
        return config


def answer_of(turns: Sequence[Call], prompts: PromptSet) -> Answer:
    """Return the text that a conversation ended with, or why it has none.

    Parameters
    ----------
    turns
        Its calls, in the order of turns and tries.
    prompts
        That were used.
    """
    last = {call.id.step: call for call in turns}  # the last try of each turn
    for step in range(1, len(prompts.turns) + 1):
        call = last.get(step)
        if call is None:
            return Answer("", "the conversation was not finished")
        if call.state == "failed":
            return Answer("", f"no reply: {call.kind}")
        _, reason = usable_turn(call, prompts)
        if reason:
            return Answer("", reason)
    return extract(last[len(prompts.turns)], prompts)


def usable_turn(call: Call, prompts: PromptSet) -> tuple[str, str]:
    """Return what of a reply goes on in the conversation, or why the conversation ends there."""
    return usable_reply(call.reply, call.stop_reason, prompts)


def usable_reply(said: str, stop_reason: str, prompts: PromptSet) -> tuple[str, str]:
    """The same, of what a model said and why it stopped."""
    if stop_reason == "content_filter":
        return "", "refused"
    reply = without_thinking(said)
    if reply is None:
        return "", extract_answer(said, stop_reason, prompts).reason
    reply = reply.strip()
    return (reply, "") if reply else ("", "empty reply")


def extract(call: Call, prompts: PromptSet) -> Answer:
    """The text of a student's reply. In a turn that others follow, any reply goes on."""
    if call.id.step < len(prompts.turns):
        return Answer(call.reply, "")
    return extract_answer(call.reply, call.stop_reason, prompts)


def _kept(who: OpenModel, call_id: CallId, prompt: str, token: str, reply: Reply | Failure) -> Call:
    """What the journal keeps of a call."""
    answered = reply if isinstance(reply, Reply) else None
    failed = reply if isinstance(reply, Failure) else None
    return Call(
        id=call_id,
        state="answered" if answered else "failed",
        prompt=who.redact.known(prompt),
        token=token,
        reply=answered.text if answered else "",
        stop_reason=answered.stop_reason if answered else "",
        snapshot=answered.snapshot if answered else "",
        error=failed.error if failed else "",
        kind=failed.kind if failed else "",
        input_tokens=answered.input_tokens if answered else None,
        output_tokens=answered.output_tokens if answered else None,
        reasoning_tokens=answered.reasoning_tokens if answered else None,
        cost=who.cost(answered) if answered else None,
        latency=reply.latency,
        attempts=reply.attempts,
        finished=time.time(),
    )
