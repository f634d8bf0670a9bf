"""The texts of a run, read from its journal: what was written, every grader's marks, the verdict.

Replies are read here, by the same functions that the run used, and never stored: a better
reader reads old replies better. Nothing is invented: a text that did not come, a mark that was not
given and votes that tie are unscored, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import SkillCombination
from unparrot.eval.protocol.conversation import Conversation, read_turn
from unparrot.eval.protocol.grading import Grading
from unparrot.eval.protocol.sentences import length_mark
from unparrot.eval.protocol.verdict import SPLIT, all_unscored, verdict
from unparrot.eval.record.journal import Call, Journal
from unparrot.eval.record.prepare import Prepared
from unparrot.packs.checking import NameIndex
from unparrot.packs.prompts import PromptSet


class Marks(NamedTuple):
    """The marks of a grader in one round, and the call that gave them."""

    grader: str
    round: int
    marks: dict[str, Mark]
    call: Call


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A text and all that is known of it.

    Parameters
    ----------
    text
        As the deciding grader has it.
    reason
        Why there is no text; empty if there is one.
    place
        Of its combination in the draw, from 0.
    calls
        Every call about it: the turns with their tries, then grader by grader.
    given
        The marks of every grader, round by round.
    """

    text: GradedText
    reason: str
    place: int
    calls: tuple[Call, ...]
    given: tuple[Marks, ...]

    @property
    def turns(self) -> tuple[Call, ...]:
        """The calls of the conversation."""
        return tuple(call for call in self.calls if call.id.role == "student")


class Readback:
    """Reads the texts of a run.

    Parameters
    ----------
    prepared
        Says what was asked; ``prepared.whole`` says who decides.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        deduct = prepared.whole.deduct_names
        self._deducted = NameIndex(prepared.pack.skill_names) if deduct else None

    def texts(self, journal: Journal) -> Iterator[TextRecord]:
        """Every text of the students of the run, one in memory at a time."""
        students = set(self.prepared.whole.models)
        for (student, *_), calls in groupby(journal.calls(), _text_of):
            if student in students:
                record = self._record(tuple(calls))
                if record is not None:
                    yield record

    def _record(self, calls: Sequence[Call]) -> TextRecord | None:
        turns = [call for call in calls if call.id.role == "student"]
        graded = [call for call in calls if call.id.role == "grader"]
        if not turns:
            return None
        first = turns[0].id
        topic, *skills = json.loads(first.combination)
        combination = SkillCombination(topic, tuple(skills))
        answer = replay(turns, self.prepared.prompts).answer
        given = tuple(_marks(graded, combination)) if answer.text else ()
        if answer.text:
            decides = self.prepared.whole.graders[0]
            votes = [one.marks for one in given if one.grader == decides]
            marks = self.verdict(combination, answer.text, votes)
        else:
            marks = all_unscored(combination, answer.reason)
        text = GradedText(
            combination,
            answer.text,
            marks,
            first.student,
            SPLIT,
            self.prepared.whole.decoding,
            first.round - 1,
            None,
        )
        return TextRecord(text, answer.reason, first.place, tuple(calls), given)

    def verdict(
        self,
        combination: SkillCombination,
        text: str,
        votes: Sequence[Mapping[str, Mark]],
    ) -> dict[str, Mark]:
        """Return the marks of a text that the rounds of one grader come to, by the run's rules."""
        named = self._deducted.named_in(text) if self._deducted else ()
        return verdict(combination, votes, length_mark(text, combination.k), named)

    def outcome(self, call: Call, combination: SkillCombination) -> str:
        """Return 'ok', or why the reply of the call cannot be used."""
        if call.failure:
            return f"no reply: {call.failure}"
        if call.id.role == "student":
            prompts = self.prepared.prompts
            return read_turn(call.reply, call.stop_reason, prompts, call.id.step)[1].reason or "ok"
        return "; ".join(_take(_grading(call, combination), call)) or "ok"


def replay(turns: Iterable[Call], prompts: PromptSet) -> Conversation:
    """Return the conversation that the calls come to.

    Parameters
    ----------
    turns
        Calls of a student, in the order of turns and tries; the last try of a turn counts.
    prompts
        That were used.
    """
    last = {call.id.step: call for call in turns}
    talk = Conversation(prompts)
    while not talk.finished and (call := last.get(talk.turn)) is not None:
        if talk.take(call.reply, call.stop_reason, call.failure):
            break
    return talk


def _text_of(call: Call) -> tuple[str, int, int, int]:
    return call.id.student, call.id.k, call.id.place, call.id.round


def _marks(calls: Iterable[Call], combination: SkillCombination) -> Iterator[Marks]:
    """Every grader's marks, round by round."""
    for (grader, number), tries in groupby(calls, lambda call: (call.id.model, call.id.step)):
        call = next(tries)
        grading = _grading(call, combination)
        while _take(grading, call) and (another := next(tries, None)) is not None:
            call = another
        yield Marks(grader, number, grading.marks, call)


def _grading(call: Call, combination: SkillCombination) -> Grading:
    return Grading(combination, json.loads(call.id.config)["form"])


def _take(grading: Grading, call: Call) -> list[str]:
    return grading.take(call.reply, call.stop_reason, call.token, call.failure)
