"""A run's journal read text by text: what was written, what every grader said, what it earned.

What a reply says is read here, by the same functions that the run used, and never stored: a better
reader reads old replies better. Nothing is invented: a text that did not come, a mark that was not
given and votes that tie are unscored, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.eval.ask.asking import answer_of, extract, usable_turn
from unparrot.eval.protocol.grading import read_grades
from unparrot.eval.protocol.sentences import length_mark
from unparrot.eval.protocol.verdict import majority
from unparrot.eval.published.voting import SPLIT
from unparrot.eval.record.journal import Call, Journal
from unparrot.packs.checking import NameIndex

if TYPE_CHECKING:
    from unparrot.eval.ask.run import Prepared

LENGTH: Final = "length"


class Marks(NamedTuple):
    """What a grader said in one round, and the call in which it did."""

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
        answer = answer_of(turns, self.prepared.prompts)
        given = tuple(_marks(graded, combination)) if answer.text else ()
        if answer.text:
            decides = self.prepared.whole.graders[0]
            votes = [said.marks for said in given if said.grader == decides]
            marks = self.verdict(combination, answer.text, votes)
        else:
            reason = Mark.unscored(answer.reason)
            marks = dict.fromkeys((*combination.skills, *CRITERIA), reason)
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
        return verdict(combination, text, votes, self._deducted)

    def outcome(self, call: Call, combination: SkillCombination) -> str:
        """'ok', or why the reply of the call cannot be used."""
        if call.state == "failed":
            return f"no reply: {call.kind}"
        if call.id.role == "student":
            _, reason = usable_turn(call, self.prepared.prompts)
            return reason or extract(call, self.prepared.prompts).reason or "ok"
        marks = _read(call, combination).values()
        reasons = dict.fromkeys(mark.reason for mark in marks if mark.status == "unscored")
        return "; ".join(reasons) or "ok"


def verdict(
    combination: SkillCombination,
    text: str,
    votes: Sequence[Mapping[str, Mark]],
    deducted: NameIndex | None = None,
) -> dict[str, Mark]:
    """Return the marks of a text that the rounds of one grader come to.

    Parameters
    ----------
    combination
        What was asked for.
    text
        What was written.
    votes
        A mark for each of the k + 3 criteria, round by round; the majority counts. The length is
        counted, whatever a grader thinks of it.
    deducted
        Knows the names of skills; a skill that the text names loses its point. None to let names
        be.
    """
    criteria = (*combination.skills, *CRITERIA)
    if votes:
        marks = {name: majority([vote[name] for vote in votes]) for name in criteria}
    else:
        marks = dict.fromkeys(criteria, Mark.unscored("not graded"))
    marks[LENGTH] = length_mark(text, combination.k)
    if deducted is not None:
        for name in deducted.named_in(text):
            if name in combination.skills:
                marks[name] = Mark("missed", "the text names the skill")
    return marks


def _text_of(call: Call) -> tuple[str, int, int, int]:
    return call.id.student, call.id.k, call.id.place, call.id.round


def _marks(calls: Iterable[Call], combination: SkillCombination) -> Iterator[Marks]:
    """Every grader's marks, round by round: of several tries the first that marks everything, or
    the last."""
    for (grader, number), tries in groupby(calls, lambda call: (call.id.model, call.id.step)):
        said: Marks | None = None
        for call in tries:
            if call.state == "failed":
                reason = Mark.unscored(f"no reply: {call.kind}")
                marks = dict.fromkeys((*combination.skills, *CRITERIA), reason)
            else:
                marks = _read(call, combination)
            said = Marks(grader, number, marks, call)
            if all(mark.status != "unscored" for mark in marks.values()):
                break
        if said is not None:
            yield said


def _read(call: Call, combination: SkillCombination) -> dict[str, Mark]:
    form = json.loads(call.id.config)["form"]
    return read_grades(call.reply, call.stop_reason, combination, call.token, form)
