"""Findings of an import: counts of what the records hold and of what is wrong with it.

`unparrot eval import DIR` prints them, so that no figure rests on a fault that nobody named.

The published code keeps the replies of all rounds of one call in one record, so that the last of
them is written under every round. Such rounds are found and named: a grading round that repeats an
earlier one word for word is one vote, however often it is written.
"""

import re
from collections import Counter
from collections.abc import Mapping
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
# A grader and the number of its round.
Round = tuple[str, int]
_ROW: Final = re.compile(r"^.*\|.*$", re.MULTILINE)


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
        A sentence on grading rounds with replies that repeat each other.
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
    identical_rounds: list[str] = field(default_factory=list[str])
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
        sentences += self.identical_rounds
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


def prose(reply: str) -> int:
    """Return how many characters of a reply stand outside of tables.

    Examples
    --------
    >>> prose("Fine.\\n| irony | 1 |")
    5
    """
    return len("".join(_ROW.sub("", reply).split()))


def copied_replies(
    rounds: Mapping[Round, Mapping[T, str]],
) -> tuple[dict[tuple[Round, T], int], list[str]]:
    """Find the replies that repeat those of an earlier round of the same grader.

    Parameters
    ----------
    rounds
        By grader and number of the round, the reply about each text (by any name of the text).

    Returns
    -------
    copies
        For each (round, text) whose reply is a copy, the number of the round that it is a copy of.
    sentences
        Which rounds are the same, in whole or in part, each beside the earliest that it copies.

    Examples
    --------
    >>> copied_replies({("ann", 1): {0: "x" * 300, 1: "a"}, ("ann", 2): {0: "x" * 300, 1: "b"}})
    ({(('ann', 2), 0): 1}, ["ann's grading rounds 1 and 2 share 1 of 2 replies word for word: one \
vote each"])
    """
    copies: dict[tuple[Round, T], int] = {}
    alike: dict[tuple[Round, str], list[int]] = {}
    whole: set[Round] = set()
    for first, second in combinations(sorted(rounds), 2):
        if first[0] != second[0] or first in whole or second in whole:
            continue
        shared = [text for text in rounds[second] if text in rounds[first]]
        same = [text for text in shared if rounds[first][text] == rounds[second][text]]
        certain = [text for text in same if prose(rounds[first][text]) >= LEAST_PROSE]
        how = f"share {len(certain)} of {len(shared)} replies word for word: one vote each"
        if len(same) == len(shared) and (certain or len(same) >= LEAST_REPLIES):
            certain, how = same, "are the same word for word: one vote"
            whole.add(second)
        copies = {(second, text): first[1] for text in certain} | copies
        if certain:
            alike.setdefault((first, how), [first[1]]).append(second[1])
    return copies, [
        f"{grader}'s grading rounds {listed(numbers)} {how}"
        for ((grader, _), how), numbers in alike.items()
    ]
