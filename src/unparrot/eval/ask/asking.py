"""Asking for one text at a time: the conversation with a student, and a grader's marks on it.

Every call goes through the journal: what it holds is used as it is, what it lacks is asked, kept,
and only then used. So these functions say the same whether they ask or read.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Final

from unparrot.core.grades import CUT_OFF
from unparrot.eval.protocol.conversation import Answer, Conversation, turn_prompt
from unparrot.eval.protocol.grading import faults, missing, new_token, read_grades
from unparrot.eval.record.journal import Call, CallId, Journal, Role, canonical, settings
from unparrot.eval.record.prepare import Prepared, Unit
from unparrot.eval.record.provenance import keep_lines
from unparrot.eval.wire.cost_limit import Budget
from unparrot.eval.wire.faults import MAY_BE_BILLED
from unparrot.eval.wire.models import (
    NoSchema,
    OpenModel,
    Refused,
    Settings,
    call_config,
    grading_message,
)
from unparrot.eval.wire.pace import Pace

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, GenerateConfig

# Dollars counted for attempts whose reply never came, in the journal's notes on the run.
LOST: Final = "lost"
# A model of whose first replies so many are of no use, all of them, is not asked on.
FIRST: Final = 20
# Providers that are sent a seed with every call, another one for each.
SEEDED: Final = frozenset({"lab", "gguf", "vllm", "sglang"})


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
    words
        What was said of the last call that stayed without a reply.
    unusable
        Replies that could not be used, by reason.
    input_tokens, output_tokens, cost
        Of the calls made, as far as reported.
    unpriced
        Calls made whose cost is not known.
    paces
        How fast each model is asked.
    lacking
        Texts that a grader has given no whole grading, at the end of the run.
    stopping
        The user has stopped the run, and calls under way are waited for.
    """

    planned: int = 0
    kept: int = 0
    made: int = 0
    failed: int = 0
    failures: Counter[str] = field(default_factory=Counter[str])
    words: str = ""
    unusable: Counter[str] = field(default_factory=Counter[str])
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0
    paces: list[Pace] = field(default_factory=list[Pace])
    lacking: Counter[str] = field(default_factory=Counter[str])
    stopping: bool = False

    @property
    def lost(self) -> int:
        """Attempts that failed although the provider may bill them."""
        return sum(self.failures[kind] for kind in MAY_BE_BILLED)


class Caller:
    """Makes calls by way of the journal.

    Parameters
    ----------
    journal
        Where every call is looked up and kept.
    retries, budget
        How often a call is tried again, and what all may cost.
    tally
        Counts what is done.
    """

    def __init__(self, journal: Journal, retries: int, budget: Budget, tally: Tally) -> None:
        self.journal, self.retries, self.budget, self.tally = journal, retries, budget, tally

    async def call(
        self,
        who: OpenModel,
        call_id: CallId,
        messages: Sequence[ChatMessage],
        config: GenerateConfig,
        token: str = "",
    ) -> Call:
        """Return the call from the journal, or make it and keep it."""
        tally = self.tally
        known = self.journal.find(call_id)
        if known is not None and known.state == "answered":
            tally.kept += 1
            return known
        lost = self.budget.lost
        work = who.ask(messages, config, self.budget, self.retries, tally.failures)
        try:
            # a task of its own: what Inspect records of a call goes when the task does
            response = await asyncio.create_task(work)
        except Refused:
            tally.planned -= 1
            raise
        if self.budget.lost > lost:
            self.journal.put(LOST, self.budget.lost)
        call = Call(
            id=call_id,
            state="failed" if response.kind else "answered",
            prompt=who.redact.known(messages[-1].text),
            token=token,
            finished=time.time(),
            **response._asdict(),
        )
        await self.journal.add(call)
        tally.made += 1
        tally.failed += call.state == "failed"
        tally.words = call.error or tally.words
        tally.input_tokens += call.input_tokens or 0
        tally.output_tokens += call.output_tokens or 0
        tally.cost += call.cost or 0.0
        tally.unpriced += call.state == "answered" and call.cost is None
        return call

    def suited(
        self, who: OpenModel, call_id: CallId, config: GenerateConfig, seed: int
    ) -> GenerateConfig:
        """Return settings as the model's provider takes them: in batches, or with a seed."""
        if who.pace.timeout is None:  # in batches, whose service Inspect asks again itself
            more = {"batch": who.pace.most, "max_retries": self.retries}
            return config.model_copy(update=more)
        if who.name.partition("/")[0] in SEEDED:
            return config.model_copy(update={"seed": call_id.seed(seed)})
        return config

    def unusable(self, reasons: Sequence[str], again: bool) -> None:
        """Count a reply that cannot be used, and the call that will be made in its place."""
        self.tally.unusable.update(reasons)
        self.tally.planned += again


class Asker(Caller):
    """Asks students for texts and graders for marks, by way of the journal.

    Parameters
    ----------
    prepared
        What is asked.
    journal, retries, budget, tally
        As `Caller` takes them.
    """

    def __init__(
        self, prepared: Prepared, journal: Journal, retries: int, budget: Budget, tally: Tally
    ) -> None:
        self.spec, self.pack, self.prompts = prepared.spec, prepared.pack, prepared.prompts
        self.kind = prepared.kind
        super().__init__(journal, retries, budget, tally)
        self._protocol = [self.prompts.digest, self.pack.digest]  # a digest takes milliseconds
        self._shapes: dict[Role, Settings] = {
            "student": self.spec.student,
            "grader": self.spec.grader,
        }
        self._useless: dict[tuple[Role, str], list[str]] = {}

    async def write(self, student: OpenModel, unit: Unit) -> Answer:
        """Hold the conversation of a text and return the text, or why there is none."""
        from inspect_ai.model import ChatMessageAssistant, ChatMessageUser

        talk = Conversation(self.prompts)
        messages: list[ChatMessage] = []
        turns = iter(self.prompts.turns)
        try:
            for _ in turns:
                prompt = turn_prompt(self.prompts, self.pack, unit.combination, talk.turn)
                messages.append(ChatMessageUser(content=prompt))
                if not await self._turn(student, unit, talk, messages):
                    break
                messages.append(ChatMessageAssistant(content=talk.replies[-1]))
        finally:
            self.tally.planned -= len(list(turns))  # which will not be asked
        return talk.answer

    async def _turn(
        self, student: OpenModel, unit: Unit, talk: Conversation, messages: list[ChatMessage]
    ) -> bool:
        """Ask until a reply can be used; False if none can."""
        words = [message.text for message in messages]
        for again in count(1):
            call_id = self._id("student", student, unit, talk.turn, again, words)
            # a run with more tries may have had a reply that can be used
            if again > self.spec.tries and self.journal.find(call_id) is None:
                return False
            call = await self.call(student, call_id, messages, self._config(student, call_id))
            reason = talk.take(call.reply, call.stop_reason, call.kind)
            if call.state == "failed":
                return False
            if reason or talk.finished:  # a draft that was cut off is of use
                cut = talk.answer.code in CUT_OFF
                self._judge_first("student", student, reason if cut else "")
            if not reason:
                return True
            self.unusable([reason], again < self.spec.tries)
        raise AssertionError("the tries are without end")

    async def grade(self, grader: OpenModel, unit: Unit, text: str, grading_round: int) -> None:
        """Have a text marked, again if marks are missing, until the tries are used up; in lines,
        from then on, if the grader's provider will not have a JSON schema."""
        try:
            await self._grade(grader, unit, text, grading_round)
        except NoSchema as error:  # marks that were given under one before are not bought again
            keep_lines(self.journal, grader.name, str(error))
            await self._grade(replace(grader, form="text"), unit, text, grading_round)

    async def _grade(self, grader: OpenModel, unit: Unit, text: str, grading_round: int) -> None:
        what, form, fault = unit.combination, grader.form, ""
        # what the prompt is made of, but for the token
        words = [*self._protocol, text, form]
        for again in range(1, self.spec.grader_tries + 1):
            call_id = self._id("grader", grader, unit, grading_round, again, words)
            token = new_token()
            about = (self.prompts, self.pack, what, text, token, form, grader.name)
            messages = [grading_message(*about, fault)]
            config = self._config(grader, call_id)
            call = await self.call(grader, call_id, messages, config, token)
            marks = read_grades(call.reply, call.stop_reason, what, call.token, form, call.kind)
            if call.state == "failed":
                return
            reasons = missing(marks)
            useless = all(mark.status == "unscored" for mark in marks.values())
            self._judge_first("grader", grader, reasons[0] if useless else "")
            if not reasons:
                return
            fault = faults(marks)
            self.unusable(reasons, again < self.spec.grader_tries)

    def _judge_first(self, role: Role, who: OpenModel, reason: str) -> None:
        """Refuse to go on with a model whose first replies are all of no use, for a setting has to
        be changed; ``reason`` is empty for a reply that shows that they are not."""
        lost = self._useless.setdefault((role, who.name), [])
        if len(lost) < FIRST:
            lost.append(reason)
        if len(lost) < FIRST or not all(lost):
            return
        often = Counter(lost).most_common(1)[0][0]
        if role == "student":
            raise Refused(
                f"the first {FIRST} replies of {who.name} were all cut off at --max-tokens "
                f"{self.spec.max_tokens} ({often}), so the rest was not asked: give many times as "
                "many tokens, or a lower --reasoning-effort if it thinks, and another --out, for "
                "both shape every answer"
            )
        raise Refused(
            f"the first {FIRST} replies of the grader {who.name} held no mark ({often}), so it was "
            "not asked on: try the other --form, a larger --grader-max-tokens if they were cut "
            "off, or another --grader. The texts are kept"
        )

    def _id(
        self, role: Role, who: OpenModel, unit: Unit, step: int, again: int, words: Sequence[str]
    ) -> CallId:
        form = who.form if role == "grader" else None
        config = settings({**self._shapes[role]._asdict(), "form": form})
        digest = hashlib.sha256(canonical(words).encode()).hexdigest()
        what = unit.combination
        names = canonical([what.topic, *what.skills])
        text = (unit.student, what.k, unit.place, names, unit.round)
        return CallId(role, who.name, config, digest, *text, step, again)

    def _config(self, who: OpenModel, call_id: CallId) -> GenerateConfig:
        schema_k = call_id.k if (call_id.role, who.form) == ("grader", "schema") else None
        config = call_config(self._shapes[call_id.role], schema_k, self.kind)
        return self.suited(who, call_id, config, self.spec.seed)
