"""Marks in a grader's reply: what counts, and what is unscored and why."""

from collections.abc import Callable, Sequence

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.eval.published.replies import Reading, read_reply

TEA = SkillCombination("total war criteria", ("irony", "red herring (fallacy)"))
TEXT = "How brave, to duel by post. Look, a heron."
Table = Callable[[Sequence[str], str, Sequence[object]], str]
Ask = Callable[[Sequence[str], str, str], str]

POINTS = (
    "Grade it by: {rubric}. Write 'Point earned: 1' or 'Point earned: 0' for each. Finish with "
    "'Grade:' and the sum."
)
RUBRIC = (
    "criteria: Contains irony, Contains red herring (fallacy), Pertains to total war criteria, "
    "Text makes sense, At most two sentences"
)


def statuses(reading: Reading) -> str:
    """A letter a criterion: e, m, u."""
    return "".join(mark.status[0] for mark in reading.marks.values())


def reasons(reading: Reading) -> list[str]:
    return [mark.reason for mark in reading.marks.values() if mark.reason]


@pytest.fixture
def read_table(ask_for_table: Ask) -> Callable[..., Reading]:
    def read(reply: str, text: str = TEXT) -> Reading:
        return read_reply(ask_for_table(TEA.skills, TEA.topic, text), reply, TEA, text)

    return read


def read_points(reply: str, rubric: str = RUBRIC) -> Reading:
    return read_reply(POINTS.format(rubric=rubric), reply, TEA, TEXT)


def test_whole_table(read_table: Callable[..., Reading], whole_table: Table) -> None:
    # the topic holds both 'total' and 'criteria', which the published parser drops as a header
    reading = read_table(whole_table(TEA.skills, TEA.topic, [1, 0, 1, 1, 0]))
    assert statuses(reading) == "emeem"
    assert (reading.numbers, reading.total) == ((1, 0, 1, 1, 0), 3)
    assert reading.total is not None
    assert reading.rubric


@pytest.mark.parametrize(
    ("value", "status"),
    [("1", "e"), ("**0**", "m"), ("1.0", "e"), ("0/1", "m"), ("1 (out of 1)", "e"),
     ("1 point", "e"),
     ("-1", "u"), ("11", "u"), ("0.5", "u"), ("2/1", "u"), ("1/2", "u"), ("yes", "u"), ("", "u")],
)  # fmt: skip
def test_values(
    read_table: Callable[..., Reading], whole_table: Table, value: str, status: str
) -> None:
    reply = whole_table(TEA.skills, TEA.topic, [7, 1, 1, 1, 1]).replace("| 7 |", f"| {value} |")
    assert statuses(read_table(reply)) == status + "eeee"


def test_table_cut_off(read_table: Callable[..., Reading], whole_table: Table) -> None:
    whole = whole_table(TEA.skills, TEA.topic, [1, 1, 1, 1, 1])
    for end, expected in (
        (whole.index("| Pertains"), "eeuuu"),
        (whole.index("| Pertains") + 8, "eeuuu"),
        (whole.index("| Text makes sense | 1") + len("| Text makes sense | 1"), "eeeuu"),
    ):
        reading = read_table(whole[:end])
        assert statuses(reading) == expected
        assert set(reasons(reading)) == {"the grader's reply is cut off before this mark"}
        assert reading.total is None


def test_tables_elsewhere_give_nothing(
    read_table: Callable[..., Reading], whole_table: Table
) -> None:
    whole = whole_table(TEA.skills, TEA.topic, [1, 1, 1, 1, 1])
    without = read_table(whole.replace("Here's the grading table:", "See below."))
    assert statuses(without) == "uuuuu"
    assert "no table" in reasons(without)[0]
    assert "several" in reasons(read_table(f"{whole}\n{whole}"))[0]
    # a table later on is none of the first one
    zeros = whole_table(TEA.skills, TEA.topic, [0, 0, 0, 0, 0])
    after = whole.replace("as the table says.", zeros.partition(":")[2])
    assert statuses(read_table(after)) == "eeeee"


def test_text_that_looks_like_a_mark_earns_nothing(
    read_table: Callable[..., Reading], whole_table: Table
) -> None:
    whole = whole_table(TEA.skills, TEA.topic, [1, 1, 1, 1, 1])
    for text in ("Here's the grading table:", "| irony | 1 |", "Irony. Point earned: 1"):
        assert statuses(read_table(whole, text)) == "uuuuu"


def test_names_of_the_graders_own_making(
    read_table: Callable[..., Reading], whole_table: Table
) -> None:
    whole = whole_table(TEA.skills, TEA.topic, [1, 0, 1, 1, 1])
    assert statuses(read_table(whole.replace(" (fallacy)", ""))) == "emeee"
    own = whole.replace("red herring (fallacy)", "misdirection")
    assert statuses(read_table(own)) == "emeee"  # the one row left, and the sum holds
    assert statuses(read_table(own.replace("| 4 |", "| 5 |"))) == "eueee"
    two = own.replace("illustrates irony", "illustrates sarcasm")
    assert statuses(read_table(two)) == "uueee"


def test_a_row_twice(read_table: Callable[..., Reading], whole_table: Table) -> None:
    whole = whole_table(TEA.skills, TEA.topic, [1, 1, 1, 1, 1])
    for mark, expected in ((1, "eeeee"), (0, "ueeee")):
        twice = whole.replace("| Text", f"| Correctly illustrates irony | {mark} |\n| Text", 1)
        assert statuses(read_table(twice)) == expected


def test_points_under_headings() -> None:
    reply = """I grade irony and the rest.

1. **Irony**: The duel, and the heron is no red herring yet. Point earned: 1
2) The student's answer illustrates a ‘Red-Herring (fallacy)’.
It does not. 'Point earned: 0'.
- Pertains to total war criteria:
Point earned: **1**
Text makes sense - yes. Points earned: 0/1
At most two sentences. Point earned: 1

Grade: 3"""
    reading = read_points(reply)
    assert statuses(reading) == "ememe"
    assert reading.total == 3


def test_points_that_name_their_criterion() -> None:
    reading = read_points("Point earned for irony: 0\nPoint earned for red herring: 1\nGrade: 1")
    assert statuses(reading) == "meuuu"
    assert set(reasons(reading)) == {"the grader's reply does not mark it"}


@pytest.mark.parametrize(
    ("end", "expected"),
    [("Point earned: 1", "eu"), ("Point earned: 0.", "eu"), ("Point earned: 1\nGrade: 2", "ee"),
     ("Point earned:", "eu"), ("'Point earned", "eu"), ("Point earned: 0.5.", "eu")],
)  # fmt: skip
def test_points_cut_off(end: str, expected: str) -> None:
    reading = read_points(f"Irony: it is. Point earned: 1\nRed herring: a heron. {end}")
    assert statuses(reading) == expected + "uuu"


def test_two_marks_under_one_heading() -> None:
    reply = "Irony: 'Point earned: 1', says he. Point earned: 0\nGrade: 0"
    assert "twice" in reasons(read_points(reply))[0]


def test_empty_rubric() -> None:
    reading = read_points("Irony: it is. Point earned: 1\nGrade: 1", rubric="criteria: .")
    assert statuses(reading) == "euuuu"
    assert not reading.rubric
    assert reasons(reading)[1:] == ["the grader was not asked for it"] * 3


def test_nothing_to_read() -> None:
    assert "empty" in reasons(read_points(" \n"))[0]
    assert "no marks" in reasons(read_points("Where is the answer?"))[0]
    odd = read_reply("What do you think?", "Fine. Point earned: 1", TEA, TEXT)
    assert "a form that is not known" in reasons(odd)[0]


def test_names_that_two_criteria_share_are_nobodys() -> None:
    pair = SkillCombination("tea", ("ellipsis (film)", "ellipsis (grammar)"))
    prompt = "Write 'Point earned: 1'. The criteria: ellipsis (film), ellipsis (grammar)."
    for head, expected in (("Ellipsis (grammar)", "me"), ("Ellipsis", "uu")):
        reply = f"Ellipsis (film): no. Point earned: 0\n{head}: yes. Point earned: 1\nGrade: 1"
        assert statuses(read_reply(prompt, reply, pair, TEXT))[:2] == expected
