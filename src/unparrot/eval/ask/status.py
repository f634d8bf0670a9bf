"""The status of a run: what is asked, answered, graded, failed, spent and left, from its journal.

Reading takes no lock and writes nothing, so a run may go on meanwhile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from unparrot.core.grades import NO_TEXT, STUDENT_FAILED
from unparrot.eval.ask.asking import LOST
from unparrot.eval.protocol.grading import missing
from unparrot.eval.record.journal import read_journal
from unparrot.eval.record.prepare import Prepared
from unparrot.eval.record.readback import Readback


@dataclass(slots=True)
class Part:
    """What a model has done of what it was asked, as a student in texts, as a grader in gradings.

    Parameters
    ----------
    asked
        All that the run asks; of a grader, of the texts that are there or still to come.
    done
        Texts that are there, and gradings with every mark.
    unusable
        What was answered and cannot be used, by reason; it is not asked for again.
    failed
        What stayed without a reply, by kind; the same command asks for it again.
    left
        What the same command would ask for.
    calls, spent
        Calls made, and US dollars; None where the cost of some call is not known.
    """

    model: str
    role: str
    asked: int
    done: int = 0
    unusable: Counter[str] = field(default_factory=Counter[str])
    failed: Counter[str] = field(default_factory=Counter[str])
    left: int = 0
    calls: int = 0
    spent: float | None = 0.0


def status_of(prepared: Prepared) -> tuple[list[Part], float, float | None]:
    """Read the status of a run.

    Parameters
    ----------
    prepared
        By `unparrot.eval.record.prepare.prepare` from the stored spec.

    Returns
    -------
    parts
        Students first.
    lost
        What attempts without a reply may have cost, in US dollars.
    latest
        The end of the last call in seconds since 1970, None before the first.
    """
    spec, latest = prepared.whole, None
    texts = spec.n * len(spec.k) * spec.rounds
    students = {name: Part(name, "student", texts) for name in spec.models}
    graders = {name: Part(name, "grader", 0) for name in spec.markers}
    parts = [*students.values(), *graders.values()]
    with read_journal(prepared.folder) as journal:
        for record in Readback(prepared).texts(journal):
            part, code = students[record.text.model], record.text.no_text
            latest = max(latest or 0.0, *(heard.call.finished for heard in record.heard))
            if code is None:
                part.done += 1
            elif code in STUDENT_FAILED:
                part.unusable[NO_TEXT[code]] += 1
            else:
                kinds = [heard.call.kind for heard in record.heard if heard.call.kind]
                part.failed.update(kinds[-1:])
            for grader, _, marks, call in record.given:
                if grader in graders:
                    part, reasons = graders[grader], missing(marks)
                    part.done += not reasons
                    counts = part.failed if call.kind else part.unusable
                    counts.update([call.kind or reason for reason in reasons[:1]])
        usage = {
            (model, role): (calls, cost) for model, role, calls, *_, cost, _ in journal.usage()
        }
        lost = journal.get(LOST, float) or 0.0
    for part in parts:
        if part.role == "grader":
            part.asked = spec.grading_rounds * sum(s.done + s.left for s in students.values())
        part.left = max(0, part.asked - part.done - part.unusable.total())
        part.calls, part.spent = usage.get((part.model, part.role), (0, 0.0))
    return parts, lost, latest
