"""The vote of several rounds on one criterion."""

from itertools import product

import pytest

from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.eval.protocol.votes import majority

OPEN = Mark.unscored("cut off")
MARKS = {"1": EARNED, "0": MISSED, "-": OPEN}


@pytest.mark.parametrize(
    ("votes", "status"),
    [
        ("1", "earned"),
        ("0", "missed"),
        ("110", "earned"),
        ("001", "missed"),
        ("1--", "earned"),
        ("-0-", "missed"),
        ("10", "unscored"),
        ("10-", "unscored"),
        ("1100", "unscored"),
        ("---", "unscored"),
        ("", "unscored"),
    ],
)
def test_most_of_the_marks_that_exist_decide(votes: str, status: str) -> None:
    assert majority([MARKS[vote] for vote in votes]).status == status


@pytest.mark.parametrize("votes", ["".join(votes) for votes in product("10-", repeat=4)])
def test_the_order_of_the_rounds_does_not_matter(votes: str) -> None:
    given = [MARKS[vote] for vote in votes]
    assert majority(given) == majority(sorted(given, key=lambda mark: mark.status))


def test_why_there_is_no_mark_is_told() -> None:
    assert majority([EARNED, MISSED, OPEN]).reason == "the rounds tie, 1 to 1"
    empty = Mark.unscored("empty reply")
    assert majority([OPEN, empty, OPEN]).reason == "cut off; empty reply"
    assert majority([]).reason == "no round has marked it"


def test_a_reason_beside_a_mark_is_not_kept() -> None:
    assert majority([Mark("earned", "fine"), Mark("earned", "good")]) == EARNED
