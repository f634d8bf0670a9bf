"""Grading rounds that repeat an earlier one word for word: one vote, however often it is written.

The published code keeps the replies of all rounds of one call in one record, so that the last of
them is written under every round. `unparrot eval import DIR` finds such rounds and names them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

LEAST_PROSE: Final = 200
"""Characters outside of tables from which on two replies that are the same cannot be by chance: a
grader at the published temperature words no paragraph twice alike. Bare tables often are alike."""
LEAST_REPLIES: Final = 10
"""Replies, all the same, from which on a round is a copy even if they are bare tables."""

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


def prose(reply: str) -> int:
    """Return how many characters of a reply stand outside of tables.

    Examples
    --------
    >>> prose("Fine.\\n| irony | 1 |")
    5
    """
    return len("".join(_ROW.sub("", reply).split()))


def copied_replies(
    rounds: Mapping[int, Mapping[int, str]],
) -> tuple[dict[tuple[int, int], int], list[tuple[int, int, int, int]]]:
    """Find the replies that repeat those of an earlier round.

    Parameters
    ----------
    rounds
        By number of the round, the reply about each text (by any number of the text's).

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
    copies: dict[tuple[int, int], int] = {}
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
