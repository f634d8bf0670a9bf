"""Grading rounds that repeat one another."""

from unparrot.eval.published.findings_in_records import copied_replies

PROSE = "The heron is no accident: it turns the talk away from the duel. " * 5
TABLE = "Here's the grading table:\n| irony | 1 |\n| Total Points Earned | 1 |\n"


def test_three_rounds_that_are_one() -> None:
    rounds = {n: {0: PROSE, 1: TABLE, 2: "Grade: 0"} for n in (1, 2, 3)}
    copies, pairs = copied_replies(rounds)
    assert copies == {(n, text): 1 for n in (2, 3) for text in (0, 1, 2)}
    assert pairs == [(1, 2, 3, 3), (1, 3, 3, 3)]


def test_bare_tables_may_agree_by_chance() -> None:
    few = {n: dict.fromkeys(range(9), TABLE) for n in (1, 2)}
    assert copied_replies(few) == ({}, [])
    many = {n: dict.fromkeys(range(10), TABLE) for n in (1, 2)}
    assert len(copied_replies(many)[0]) == 10


def test_only_certain_replies_of_a_round_in_part() -> None:
    rounds = {1: {0: PROSE, 1: TABLE, 2: "one"}, 4: {0: PROSE, 1: TABLE, 2: "two", 3: PROSE}}
    assert copied_replies(rounds) == ({(4, 0): 1}, [(1, 4, 1, 3)])


def test_rounds_without_a_text_in_common() -> None:
    assert copied_replies({1: {0: PROSE}, 2: {1: PROSE}}) == ({}, [])
