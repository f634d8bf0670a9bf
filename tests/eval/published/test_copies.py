"""Grading rounds that repeat one another."""

from unparrot.eval.published.findings_in_records import copied_replies

PROSE = "The heron is no accident: it turns the talk away from the duel. " * 5
TABLE = "Here's the grading table:\n| irony | 1 |\n| Total Points Earned | 1 |\n"


def test_three_rounds_that_are_one() -> None:
    rounds = {("a", n): {0: PROSE, 1: TABLE, 2: "Grade: 0"} for n in (1, 2, 3)}
    copies, sentences = copied_replies(rounds)
    assert copies == {(("a", n), text): 1 for n in (2, 3) for text in (0, 1, 2)}
    assert sentences == ["a's grading rounds 1, 2 and 3 are the same word for word: one vote"]


def test_bare_tables_may_agree_by_chance() -> None:
    few = {("a", n): dict.fromkeys(range(9), TABLE) for n in (1, 2)}
    assert copied_replies(few) == ({}, [])
    many = {("a", n): dict.fromkeys(range(10), TABLE) for n in (1, 2)}
    assert len(copied_replies(many)[0]) == 10


def test_only_certain_replies_of_a_round_in_part() -> None:
    one, two = {0: PROSE, 1: TABLE, 2: "one"}, {0: PROSE, 1: TABLE, 2: "two", 3: PROSE}
    copies, sentences = copied_replies({("a", 1): one, ("a", 4): two})
    assert copies == {(("a", 4), 0): 1}
    (sentence,) = sentences
    assert sentence.endswith("rounds 1 and 4 share 1 of 3 replies word for word: one vote each")


def test_rounds_without_a_text_in_common_and_of_two_graders() -> None:
    assert copied_replies({("a", 1): {0: PROSE}, ("a", 2): {1: PROSE}}) == ({}, [])
    assert copied_replies({("a", 1): {0: PROSE}, ("b", 2): {0: PROSE}}) == ({}, [])
