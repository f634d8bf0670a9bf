"""Findings of an import: counts of what the records hold and of what is wrong with it.

`unparrot eval import DIR` prints them, so that no figure rests on a fault that nobody named.

The published code keeps the replies of all rounds of one call in one record, so that the last of
them is written under every round. Such rounds are found and named: a grading round that repeats an
earlier one word for word is one vote, however often it is written.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, TypeVar

from unparrot.core.wording import listed, plural

# Characters outside of tables from which on two replies that are the same cannot be by chance: a
# grader at the published temperature words no paragraph twice alike. Bare tables often are alike.
LEAST_PROSE: Final = 200
# Replies, all the same, from which on a round is a copy even if they are bare tables.
LEAST_REPLIES: Final = 10

T = TypeVar("T")
_ROW: Final = re.compile(r"^.*\|.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Copy:
    """Two rounds of a grader over one student's round that are the same, in whole or in part.

    ``same`` of the ``shared`` replies that both rounds have are one reply written twice.
    """

    student: str
    k: int
    seed: int
    generation_prompt: str
    generation_round: int
    grader: str
    first: int
    second: int
    same: int
    shared: int


@dataclass(frozen=True, slots=True)
class Written:
    """The texts of one student at one k.

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
class Findings:
    """The counts of an import, under their names in JSON.

    Parameters
    ----------
    students
        Students, rounds and texts.
    replies
        Replies of each grader, copies among them.
    identical_rounds
        Pairs of grading rounds with replies that repeat each other.
    replies_read
        Replies that were read: those that are no copies.
    faults
        Of these, how many have which fault.
    marks_padded, marks_recorded
        Marks that the records lack, which the published code takes for zeros, and all that they
        should hold.
    unscored_marks, unscored_verdicts
        Why marks of replies, and verdicts on texts, are unscored, the most common reason first.
    left_out
        Items of other programs, replies and files of grades that cannot be used, by why.
    """

    students: list[Written] = field(default_factory=list[Written])
    replies: Counter[str] = field(default_factory=Counter[str])
    identical_rounds: list[Copy] = field(default_factory=list[Copy])
    replies_read: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    marks_padded: int = 0
    marks_recorded: int = 0
    unscored_marks: Counter[str] = field(default_factory=Counter[str])
    unscored_verdicts: Counter[str] = field(default_factory=Counter[str])
    left_out: Counter[str] = field(default_factory=Counter[str])

    def sentences(self) -> list[str]:
        """Return what a reader must know besides the figures, a sentence each."""
        sentences = [
            f"{row.model}, k = {row.k}, seed {row.seed}: "
            f"{'rounds' if len(row.missing) > 1 else 'round'} {', '.join(map(str, row.missing))} "
            "missing."
            for row in self.students
            if row.missing
        ]
        sentences += [f"Left out, items: {n:,}: {why}." for why, n in self.left_out.most_common()]
        sentences += _copied(self.identical_rounds)
        sentences += [
            f"{n:,} of {plural(self.replies_read, 'reply')} {fault}."
            for fault, n in self.faults.items()
            if n
        ]
        if self.marks_padded:
            sentences.append(
                f"{self.marks_padded:,} of the {plural(self.marks_recorded, 'mark')} that the "
                "records should hold: missing; the published code takes them for zeros, here they "
                "are unscored unless the reply gives them."
            )
        return sentences


def _copied(copies: Sequence[Copy]) -> list[str]:
    """A sentence for each student's round and grader; all copies of one round together."""
    groups: dict[tuple[str, str, int, str], list[int]] = {}
    for copy in copies:
        where = (
            f"{copy.student}, k = {copy.k}, seed {copy.seed}, round {copy.generation_round}: "
            f"{copy.grader}'s grading rounds"
        )
        how = "are the same word for word: one vote"
        if copy.same < copy.shared:
            how = f"share {copy.same} of {copy.shared} replies word for word: one vote each"
        key = (where, copy.generation_prompt, copy.first, how)
        groups.setdefault(key, [copy.first]).append(copy.second)
    return [f"{where} {listed(rounds)} {how}." for (where, *_, how), rounds in groups.items()]


def prose(reply: str) -> int:
    """Return how many characters of a reply stand outside of tables.

    Examples
    --------
    >>> prose("Fine.\\n| irony | 1 |")
    5
    """
    return len("".join(_ROW.sub("", reply).split()))


def copied_replies(
    rounds: Mapping[int, Mapping[T, str]],
) -> tuple[dict[tuple[int, T], int], list[tuple[int, int, int, int]]]:
    """Find the replies that repeat those of an earlier round.

    Parameters
    ----------
    rounds
        By number of the round, the reply about each text (by any name of the text).

    Returns
    -------
    copies
        For each (round, text) whose reply is a copy, the round that it is a copy of.
    pairs
        (first round, second round, replies copied, replies shared), where any is copied; a round
        is compared with the earliest that it copies.

    Examples
    --------
    >>> copied_replies({1: {0: "x" * 300, 1: "a"}, 2: {0: "x" * 300, 1: "b"}})
    ({(2, 0): 1}, [(1, 2, 1, 2)])
    """
    copies: dict[tuple[int, T], int] = {}
    pairs: list[tuple[int, int, int, int]] = []
    whole: set[int] = set()
    for first, second in combinations(sorted(rounds), 2):
        if first in whole or second in whole:
            continue
        shared = [text for text in rounds[second] if text in rounds[first]]
        alike = [text for text in shared if rounds[first][text] == rounds[second][text]]
        certain = [text for text in alike if prose(rounds[first][text]) >= LEAST_PROSE]
        if len(alike) == len(shared) and (certain or len(alike) >= LEAST_REPLIES):
            certain = alike
            whole.add(second)
        for text in certain:
            copies.setdefault((second, text), first)
        if certain:
            pairs.append((first, second, len(certain), len(shared)))
    return copies, pairs
