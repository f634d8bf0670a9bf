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
    calls, spent
        Calls made, and US dollars; None where the cost of some call is not known.
    """

    model: str
    role: str
    asked: int
    done: int = 0
    unusable: Counter[str] = field(default_factory=Counter[str])
    failed: Counter[str] = field(default_factory=Counter[str])
    calls: int = 0
    spent: float | None = 0.0

    @property
    def left(self) -> int:
        """What the same command would ask for."""
        return max(0, self.asked - self.done - self.unusable.total())


@dataclass(frozen=True, slots=True)
class Status:
    """The parts of a run, students first.

    ``lost`` is what attempts without a reply may have cost (US dollars), ``latest`` the end of the
    last call in seconds since 1970, None before the first.
    """

    parts: tuple[Part, ...]
    lost: float
    latest: float | None


def status_of(prepared: Prepared) -> Status:
    """Read the status of a run.

    Parameters
    ----------
    prepared
        By `unparrot.eval.record.prepare.prepare` from the stored spec.
    """
    spec, ends = prepared.whole, list[float]()
    texts = spec.n * len(spec.k) * spec.rounds
    parts = {(name, "student"): Part(name, "student", texts) for name in spec.models}
    graders = {name: Part(name, "grader", 0) for name in spec.markers}
    with read_journal(prepared.folder) as journal:
        for record in Readback(prepared).texts(journal):
            part, code = parts[record.text.model, "student"], record.text.no_text
            ends.append(max(heard.call.finished for heard in record.heard))
            if code is None:
                part.done += 1
            elif code in STUDENT_FAILED:
                part.unusable[NO_TEXT[code]] += 1
            else:
                kinds = [heard.call.kind for heard in record.heard if heard.call.kind]
                part.failed.update(kinds[-1:])
            for given in record.given:
                if (grader := graders.get(given.grader)) is None:
                    continue
                reasons = missing(given.marks)
                counts = grader.failed if given.call.state == "failed" else grader.unusable
                counts.update([given.call.kind or reasons[0]] if reasons else [])
                grader.done += not reasons
        to_grade = sum(part.done + part.left for part in parts.values())
        for name, grader in graders.items():
            grader.asked = to_grade * spec.grading_rounds
            parts[name, "grader"] = grader
        for model, role, calls, *_, cost, _seconds in journal.usage():
            if (part := parts.get((model, role))) is not None:
                part.calls, part.spent = calls, cost
        lost = journal.get(LOST, float) or 0.0
    return Status(tuple(parts.values()), lost, max(ends, default=None))
