"""Marks and graded texts: the one data type that the lab, the evaluation and the analysis share.

A text that asks for k skills is marked on k + 3 criteria: each skill, then topic, sense and
length. A mark is earned, missed, or *unscored* with a reason; nothing unscored ever counts as a
miss or as a point.

Where no text came, a code says why, and whose failure it is: a model that was asked and did not
give a text has missed every mark (`STUDENT_FAILED`); where the call failed nobody knows what it
would have written, and every mark is unscored (`CALL_FAILED`).

References
----------
Yu et al. (2023), "Skill-Mix", section 3, for the three metrics.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

from unparrot.core.errors import BadInput
from unparrot.core.skills import CRITERIA, SkillCombination

T = TypeVar("T")
Status = Literal["earned", "missed", "unscored"]
STATUSES: tuple[Status, ...] = ("earned", "missed", "unscored")

# Why there is no text, by the code in texts.parquet.
CUT_OFF: Mapping[str, str] = {
    "cut_off": "cut off before the answer ended",
    "cut_off_thinking": "cut off while thinking",
    "context_full": "cut off because the context was full",
}
STUDENT_FAILED: Mapping[str, str] = {
    "no_answer": "no answer part",
    "several_answers": "several answer parts",
    "empty": "empty",
    "refused": "refused in words",
    "filtered": "stopped by a content filter",
    "too_long": "far longer than any text that was asked for",
    **CUT_OFF,
}
CALL_FAILED: Mapping[str, str] = {
    "no_reply": "no reply",
    "unfinished": "the conversation was not finished",
}
NO_TEXT: Mapping[str, str] = {**STUDENT_FAILED, **CALL_FAILED}


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark for one criterion: ``earned``, ``missed``, or ``unscored`` with a reason.

    Raises
    ------
    BadInput
        If the status is another, or an unscored mark gives no reason.

    Examples
    --------
    >>> Mark.unscored("the grader did not answer").status
    'unscored'
    """

    status: Status
    reason: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise BadInput(f"a mark is one of {', '.join(STATUSES)}; not {self.status!r}")
        if self.status == "unscored" and not self.reason.strip():
            raise BadInput("an unscored mark must say why it is unscored")

    @classmethod
    def unscored(cls, reason: str) -> Mark:
        """Return a mark that counts neither way, and why."""
        return cls("unscored", reason)


EARNED = Mark("earned")
MISSED = Mark("missed")
# True and false also as spreadsheets in other languages write them.
_WORDS = {
    EARNED: "1 true yes y pass passed earned correct c wahr vrai verdadero verdadeiro vero waar",
    MISSED: "0 false no n fail failed missed incorrect i falsch faux falso onwaar",
}
_MARKS = {word: mark for mark, words in _WORDS.items() for word in words.split()}
_NO_MARK = frozenset({"", "?", "nan", "none", "null", "na", "n/a", "unscored"})


def read_mark(written: str, where: str, pass_mark: float | None = None) -> Mark:
    """Read a mark that another program or a person wrote.

    Parameters
    ----------
    written
        1 or 0 in figures or words, or ``missed: why``; without a mark, nothing, ? or ``unscored``.
    where
        For the message of an error.
    pass_mark
        Least number that is earned, for marks on a scale.

    Raises
    ------
    BadInput
        If it is anything else.

    Examples
    --------
    >>> read_mark("1.0", "line 2").status, read_mark("Fail", "line 2").status
    ('earned', 'missed')
    >>> read_mark("unscored: a tie", "line 2")
    Mark(status='unscored', reason='a tie')
    >>> read_mark("3.5", "line 2", pass_mark=4).status
    'missed'
    """
    word, _, reason = (part.strip() for part in written.partition(":"))
    if word.lower() in _NO_MARK:
        return Mark.unscored(reason or "no mark")
    number = math.nan
    with suppress(ValueError):
        number = float(word.replace(",", "."))
        word = f"{number:g}"
    if pass_mark is not None and math.isfinite(number):
        return EARNED if number >= pass_mark else MISSED
    if mark := _MARKS.get(word.lower()):
        return Mark(mark.status, reason)
    scale = (
        "no number for --pass-mark, either"
        if pass_mark is not None
        else "give --pass-mark for marks on a scale"
    )
    raise BadInput(
        f"{where}: the mark is {written[:60]!r}, neither 1 nor 0 (yes, no; pass, fail); {scale}, "
        "and leave a mark that is missing empty"
    )


def family(name: str) -> str:
    """Return the family of a model: the letters that its name begins with.

    Examples
    --------
    >>> family("gpt-3.5-turbo"), family("llama2-7b-chat"), family("Mistral-7B")
    ('gpt', 'llama', 'mistral')
    """
    letters = re.match(r"[^\W\d_]+", name.rpartition("/")[2])
    return (letters[0] if letters else name).lower()


@dataclass(frozen=True, slots=True)
class GradedText:
    """A text, the combination that was asked for, and a mark for every criterion.

    Parameters
    ----------
    combination
        What the prompt asked for.
    text
        What the model wrote.
    marks
        One mark for each of the k skills and for topic, sense and length: exactly these keys. They
        are kept in that order.
    model, split, decoding
        Who wrote the text, how new the combination was, and how the text was decoded.
    sample
        Number of the text among those of the same model, split, decoding and combination (from 0).
    trained_count
        How often training showed the topic and set of skills; None if that is not known.
    no_text
        Why there is no text, one of `NO_TEXT`; None if there is one.

    Raises
    ------
    BadInput
        If a criterion has no mark or a mark has no criterion, a number is negative, or the code is
        unknown.

    Examples
    --------
    >>> c = SkillCombination("tea", ("irony",))
    >>> marks = {"irony": EARNED, "topic": EARNED, "sense": EARNED, "length": MISSED}
    >>> g = GradedText(c, "Lovely.", marks, "64k", "seen", "greedy", 0, 3)
    >>> g.full_marks, g.all_skills, g.skill_fraction
    (False, True, 0.0)
    """

    combination: SkillCombination
    text: str
    marks: Mapping[str, Mark]
    model: str
    split: str
    decoding: str
    sample: int
    trained_count: int | None
    no_text: str | None = None

    def __post_init__(self) -> None:
        expected = self.combination.criteria
        missing = [name for name in expected if name not in self.marks]
        extra = [name for name in self.marks if name not in expected]
        if missing or extra:
            raise BadInput(
                f"marks must be for {', '.join(expected)}: missing {missing}, unexpected {extra}"
            )
        object.__setattr__(self, "marks", {name: self.marks[name] for name in expected})
        if self.sample < 0:
            raise BadInput(f"sample counts from 0; not {self.sample!r}")
        if self.trained_count is not None and self.trained_count < 0:
            raise BadInput(
                f"trained_count is a count or None if not known; not {self.trained_count!r}"
            )
        if self.no_text is not None and self.no_text not in NO_TEXT:
            raise BadInput(f"no_text is one of {', '.join(NO_TEXT)}; not {self.no_text!r}")

    @property
    def id(self) -> str:
        """16 hex digits that name this text within a run.

        Made from the model, split, decoding, combination (as ordered in the prompt) and sample,
        not from the text: generating again gives the same id.
        """
        key = [self.model, self.split, self.decoding, self.sample, self.combination.topic]
        data = json.dumps([*key, *self.combination.skills], separators=(",", ":"))
        return hashlib.blake2b(data.encode(), digest_size=8).hexdigest()

    def _either_way(self, metric: Callable[[int, int], T]) -> T | None:
        """Return a metric of the skills and of the other criteria earned; None if it is open.

        It is open if it depends on whether the unscored marks are taken for missed or for earned.
        """
        statuses, k = [mark.status for mark in self.marks.values()], self.combination.k
        low, high = (
            metric(sum(s in earned for s in statuses[:k]), sum(s in earned for s in statuses[k:]))
            for earned in (("earned",), ("earned", "unscored"))
        )
        return low if low == high else None

    @property
    def full_marks(self) -> bool | None:
        """Whether every mark was earned; None if unscored marks leave it open."""
        return self._either_way(lambda skills, others: skills + others == len(self.marks))

    @property
    def all_skills(self) -> bool | None:
        """Whether all skills and at least two of topic, sense and length were earned.

        None if unscored marks leave it open.
        """
        k = self.combination.k
        return self._either_way(lambda skills, others: skills == k and others >= 2)

    @property
    def skill_fraction(self) -> float | None:
        """Share of the skills earned if topic, sense and length all were, else 0.

        None if unscored marks leave it open.
        """
        k, most = self.combination.k, len(CRITERIA)
        return self._either_way(lambda skills, others: skills / k if others == most else 0.0)
