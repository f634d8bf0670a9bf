"""Reading back a run's journal, text by text: what was written, every grader's marks, the verdict.

What a reply says is read here, by the same functions that the run used, and never stored: a better
reader reads old replies better. Nothing is invented: a mark that was not given, votes that tie and
a text that the transport lost are unscored, with the reason. A student that was answered to and
gave no text has missed all its marks.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from unparrot.core.grades import GradedText, Mark
from unparrot.core.skills import SkillCombination
from unparrot.eval.protocol.conversation import Answer, Conversation, read_turn
from unparrot.eval.protocol.grading import missing, read_grades
from unparrot.eval.protocol.votes import all_unscored, judge
from unparrot.eval.record.journal import Call, Journal
from unparrot.eval.record.prepare import Prepared
from unparrot.packs.checking import NameIndex

# How new a combination was to a model whose training is not known.
SPLIT: Final = "unknown"


class Marks(NamedTuple):
    """The marks of a grader in one round, and the call that gave them."""

    grader: str
    round: int
    marks: dict[str, Mark]
    call: Call


class Heard(NamedTuple):
    """A call, and why its reply cannot be used: 'ok' if it can."""

    call: Call
    outcome: str


def take_marks(
    given: dict[tuple[str, int], Marks], call: Call, combination: SkillCombination
) -> list[str]:
    """Add the marks of a grader's reply to those of a text, by grader and round, and return why
    some are missing. Of the tries of a round the first that marks everything counts, or the last.
    """
    who, form = call.id, json.loads(call.id.config)["form"]
    marks = read_grades(call.reply, call.stop_reason, combination, call.token, form, call.kind)
    earlier = given.get((who.model, who.step))
    if earlier is None or missing(earlier.marks):
        given[who.model, who.step] = Marks(who.model, who.step, marks, call)
    return missing(marks)


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A text and all that is known of it.

    Parameters
    ----------
    text
        As the deciding grader has it.
    answer
        The text, or why there is none.
    place
        Of its combination in the draw, from 0.
    heard
        Every call about it: the turns with their tries, then grader by grader.
    used
        For each turn that is done the call that counted, and what later turns see of its reply.
    given
        The marks of every grader, round by round.
    """

    text: GradedText
    answer: Answer
    place: int
    heard: tuple[Heard, ...]
    used: tuple[tuple[Call, str], ...]
    given: tuple[Marks, ...]


class Readback:
    """Reads the texts of a run.

    Parameters
    ----------
    prepared
        Says what was asked; ``prepared.whole`` says who decides.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        pack = prepared.pack
        deduct = prepared.whole.deduct_names
        self._deducted = NameIndex(pack.skill_names, pack.language) if deduct else None

    def texts(self, journal: Journal) -> Iterator[TextRecord]:
        """Yield every text of the students of the run, one in memory at a time."""
        whose = attrgetter("id.student", "id.k", "id.place", "id.round")
        for (student, *_), calls in groupby(journal.calls(), whose):
            about = list(calls)
            if student in self.prepared.whole.models and about[0].id.role == "student":
                yield self._record(about)

    def _record(self, calls: Sequence[Call]) -> TextRecord:
        first, spec = calls[0].id, self.prepared.whole
        topic, *skills = json.loads(first.combination)
        combination = SkillCombination(topic, tuple(skills))
        talk = Conversation(self.prepared.prompts)
        heard: list[Heard] = []
        used: list[Call] = []
        given: dict[tuple[str, int], Marks] = {}
        for call in calls:
            who, reply = call.id, (call.reply, call.stop_reason)
            if who.role == "grader":
                reason = "; ".join(take_marks(given, call, combination))
            elif who.step == talk.turn:
                reason = talk.take(*reply, call.kind)
                used += [] if reason else [call]
            else:  # a turn that an earlier reply ended, or that never came
                reason = read_turn(*reply, call.kind, talk.prompts, who.step)[1].reason
            heard.append(Heard(call, reason or "ok"))
        rounds = tuple(given.values()) if talk.answer.text else ()
        decisive = [each.marks for each in rounds if each.grader == spec.graders[0]]
        verdict = self.verdict(combination, talk.answer, decisive)
        if not spec.markers:  # what program and answer alone settle would be taken for a share
            verdict = all_unscored(combination, "not graded yet")
        origin = (first.student, SPLIT, spec.decoding, first.round - 1, None)
        text = GradedText(
            combination, talk.answer.text, verdict, *origin, no_text=talk.answer.code or None
        )
        turns = tuple(zip(used, talk.replies, strict=True))
        return TextRecord(text, talk.answer, first.place, tuple(heard), turns, rounds)

    def verdict(
        self, combination: SkillCombination, answer: Answer, rounds: Sequence[Mapping[str, Mark]]
    ) -> dict[str, Mark]:
        """Return the marks of a text that the rounds of one grader come to, by the run's rules."""
        return judge(combination, answer, rounds, self._deducted, self.prepared.pack.language)
