"""Reading back a run's journal, text by text: what was written, every grader's marks, the verdict.

What a reply says is read here, by the same functions that the run used, and never stored: a better
reader reads old replies better. Nothing is invented: a text that did not come, a mark that was not
given and votes that tie are unscored, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import SkillCombination
from unparrot.eval.protocol.conversation import Conversation, read_turn
from unparrot.eval.protocol.grading import Grading
from unparrot.eval.protocol.sentences import length_mark
from unparrot.eval.protocol.votes import all_unscored, verdict
from unparrot.eval.record.journal import Call, Journal
from unparrot.eval.record.prepare import Prepared
from unparrot.packs.checking import NameIndex

SPLIT: Final = "unknown"
"""How new a combination was to a model whose training is not known."""


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
        """Yield every text of the students of the run, one in memory at a time."""
        students = set(self.prepared.whole.models)
        whose = attrgetter("id.student", "id.k", "id.place", "id.round")
        for (student, *_), calls in groupby(journal.calls(), whose):
            if student in students:
                record = self._record(tuple(calls))
                if record is not None:
                    yield record

    def _record(self, calls: Sequence[Call]) -> TextRecord | None:
        turns = [call for call in calls if call.id.role == "student"]
        if not turns:
            return None
        first, spec = turns[0].id, self.prepared.whole
        topic, *skills = json.loads(first.combination)
        combination = SkillCombination(topic, tuple(skills))
        talk = Conversation(self.prepared.prompts)
        for call in turns:
            if call.id.step == talk.turn:
                talk.take(call.reply, call.stop_reason, call.kind)
        answer = talk.answer
        given = tuple(_marks(calls[len(turns) :], combination)) if answer.text else ()
        decisive = [round_.marks for round_ in given if round_.grader == spec.graders[0]]
        marks = (
            self.verdict(combination, answer.text, decisive)
            if answer.text
            else all_unscored(combination, answer.reason)
        )
        text = GradedText(
            combination,
            answer.text,
            marks,
            first.student,
            SPLIT,
            spec.decoding,
            first.round - 1,
            None,
        )
        return TextRecord(text, answer.reason, first.place, tuple(calls), given)

    def verdict(
        self, combination: SkillCombination, text: str, rounds: Sequence[Mapping[str, Mark]]
    ) -> dict[str, Mark]:
        """Return the marks of a text that the rounds of one grader come to, by the run's rules."""
        return judge(combination, text, rounds, self._deducted)

    def outcome(self, call: Call, combination: SkillCombination) -> str:
        """Return 'ok', or why the reply of the call cannot be used."""
        if call.id.role == "grader":
            return "; ".join(_grading([call], combination)[1]) or "ok"
        if call.state == "failed":
            return f"no reply: {call.kind}"
        prompts = self.prepared.prompts
        return read_turn(call.reply, call.stop_reason, prompts, call.id.step)[1].reason or "ok"


def judge(
    combination: SkillCombination,
    text: str,
    rounds: Sequence[Mapping[str, Mark]],
    deducted: NameIndex | None,
) -> dict[str, Mark]:
    """Return the verdict on a text whose sentences are counted here.

    Parameters
    ----------
    combination, text
        What was asked for, and what was written.
    rounds
        Marks by criterion, round by round.
    deducted
        Finds the skills that a text names, which lose their point; None to let names be.
    """
    named = () if deducted is None else deducted.named_in(text)
    return verdict(combination, rounds, length_mark(text, combination.k), named)


def _marks(calls: Iterable[Call], combination: SkillCombination) -> Iterator[Marks]:
    """Every grader's marks, round by round."""
    for (grader, number), tries in groupby(calls, lambda call: (call.id.model, call.id.step)):
        grading, _, call = _grading(tries, combination)
        yield Marks(grader, number, grading.marks, call)


def _grading(
    tries: Iterable[Call], combination: SkillCombination
) -> tuple[Grading, list[str], Call]:
    """The marks of one round, why some are missing, and the call that gave them."""
    left = list(tries)
    grading = Grading(combination, json.loads(left[0].id.config)["form"])
    while True:
        call = left.pop(0)
        reasons = grading.take(call.reply, call.stop_reason, call.token, call.kind)
        if not reasons or not left:
            return grading, reasons, call
