"""What an import saw: counts of what is there and of what is wrong with it.

`unparrot eval import DIR` tells these, so that no figure rests on a fault that nobody named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from unparrot.eval.published.copies import Copy


class Written(NamedTuple):
    """What there is of one student at one k.

    ``missing`` are the rounds that others of the same k, seed and prompt have and this student
    lacks; ``graded`` counts the texts with a reply of the deciding grader.
    """

    model: str
    k: int
    seed: int
    prompt: str
    rounds: tuple[int, ...]
    missing: tuple[int, ...]
    texts: int
    graded: int


@dataclass(slots=True)
class Found:
    """The counts of an import; all but ``written`` and ``copies`` count replies or marks.

    Parameters
    ----------
    written
        Students, rounds and texts.
    graders
        Replies of each grader, copies among them.
    copies
        Pairs of grading rounds with replies that repeat each other.
    read
        Replies that were read: those that are no copies.
    cut_off
        Of these, replies that end before what they were asked to end with.
    without_rubric
        Replies to a prompt whose list of criteria is empty.
    recorded_otherwise
        Replies whose recorded marks are not those that the reply gives.
    sums
        Replies whose stated total is not the sum of their marks.
    padded, recorded
        Marks that the records lack, which the published code takes for zeros, and all that they
        should hold.
    split_names
        Replies of a grader that was asked for the parts of a skill's name.
    other_columns
        Files of grades of another turn than the last, left out.
    astray
        Replies about no text of the records.
    open_marks, open_verdicts
        Why marks of replies, and verdicts on texts, are unscored.
    """

    written: list[Written] = field(default_factory=list[Written])
    graders: Counter[str] = field(default_factory=Counter[str])
    copies: list[Copy] = field(default_factory=list[Copy])
    read: int = 0
    cut_off: int = 0
    without_rubric: int = 0
    recorded_otherwise: int = 0
    sums: int = 0
    padded: int = 0
    recorded: int = 0
    split_names: int = 0
    other_columns: list[str] = field(default_factory=list[str])
    astray: int = 0
    open_marks: Counter[str] = field(default_factory=Counter[str])
    open_verdicts: Counter[str] = field(default_factory=Counter[str])

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain data that JSON can hold."""
        return {
            "students": [
                {**row._asdict(), "rounds": list(row.rounds), "missing": list(row.missing)}
                for row in self.written
            ],
            "replies": dict(self.graders),
            "identical_rounds": [copy._asdict() for copy in self.copies],
            "replies_read": self.read,
            "replies_cut_off": self.cut_off,
            "replies_without_rubric": self.without_rubric,
            "replies_recorded_otherwise": self.recorded_otherwise,
            "replies_with_another_sum": self.sums,
            "marks_padded": self.padded,
            "marks_recorded": self.recorded,
            "replies_on_split_names": self.split_names,
            "files_of_other_turns": list(self.other_columns),
            "replies_astray": self.astray,
            "unscored_marks": dict(self.open_marks.most_common()),
            "unscored_verdicts": dict(self.open_verdicts.most_common()),
        }

    def sentences(self) -> list[str]:
        """Return what a reader must know besides the figures, a sentence each."""
        told = [_missing(row) for row in self.written if row.missing]
        told += _copied(self.copies)
        for count, what in (
            (self.cut_off, "are cut off before their end"),
            (
                self.without_rubric,
                "answer a prompt with an empty rubric: topic, sense and length were not asked for",
            ),
            (self.recorded_otherwise, "give other marks than the records say"),
            (self.sums, "state a total that is not the sum of their marks"),
            (self.split_names, "were asked for the parts of a name that holds a comma"),
        ):
            if count:
                told.append(f"{count:,} of {self.read:,} replies {what}.")
        if self.padded:
            told.append(
                f"{self.padded:,} of the {self.recorded:,} marks that the records should hold are "
                "missing; the published code takes them for zeros, here they are unscored unless "
                "the reply gives them."
            )
        if self.astray:
            told.append(f"{self.astray:,} replies are about no text of the records; left out.")
        if self.other_columns:
            told.append(f"Grades of an earlier turn are left out: {', '.join(self.other_columns)}.")
        return told


def _missing(row: Written) -> str:
    rounds = ", ".join(map(str, row.missing))
    return (
        f"{row.model}, k = {row.k}, seed {row.seed}: "
        f"{'rounds' if len(row.missing) > 1 else 'round'} {rounds} missing."
    )


def _copied(copies: Sequence[Copy]) -> list[str]:
    """A sentence for each student's round and grader; all its copies of one round together."""
    groups: dict[tuple[Any, ...], list[Copy]] = {}
    for copy in copies:
        groups.setdefault((*copy[:7], copy.same == copy.shared), []).append(copy)
    told: list[str] = []
    for group in groups.values():
        one = group[0]
        where = (
            f"{one.student}, k = {one.k}, seed {one.seed}, round {one.generation_round}: "
            f"{one.grader}'s grading rounds"
        )
        numbers = [one.first, *(copy.second for copy in group)]
        rounds = f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
        if one.same == one.shared:
            told.append(f"{where} {rounds} are the same word for word: one vote.")
        else:
            told.append(
                f"{where} {rounds} share {one.same} of {one.shared} replies word for word: one "
                "vote each."
            )
    return told
