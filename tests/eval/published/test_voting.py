"""From records to graded texts: votes, copies, and texts that are not what was answered."""

from collections.abc import Callable
from typing import Any

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.grades import GradedText
from unparrot.core.tables import GRADES_SCHEMA
from unparrot.eval.published.record_layout import read_records
from unparrot.eval.published.voting import PROGRAM, Imported, import_records

TEA = ("tea", ("irony", "zeugma"))
HATS = ("hats", ("irony", "metaphor"))
FINE = "She took the tea, and offence."
PROSE = "\n" + "The verb takes two objects of two kinds, which is what was asked for. " * 5
Table = Callable[..., str]


def statuses(text: GradedText) -> str:
    return "".join(mark.status[0] for mark in text.marks.values())


def imported(published: Any, grader: str | None = None) -> Imported:
    return import_records(read_records(published.root), grader)


@pytest.fixture
def graded(published: Any, whole_table: Table) -> Callable[..., Imported]:
    """Import one text about tea with the given rounds of marks."""

    def make(*rounds: list[object], within: float = 1.0) -> Imported:
        published.answers("stu", [(*TEA, FINE)])
        for number, marks in enumerate(rounds, 1):
            reply = whole_table(TEA[1], TEA[0], marks) + f"\n{number}"
            row = (*TEA, FINE, reply, "1.0,1.0,1.0,1.0,1.0")
            published.grades("stu", [row], grading=number, within=[within])
        return imported(published)

    return make


def test_majority_of_the_marks_that_exist(graded: Callable[..., Imported]) -> None:
    # irony 1 1 0; zeugma 1 0.5 0: a tie; topic 0.5 0.5 1; sense never; length by the program
    result = graded([1, 1, 0.5, 2, 1], [1, 0.5, 0.5, 2, 1], [0, 0, 1, 2, 1], within=0.0)
    (text,) = result.texts
    assert statuses(text) == "eueum"
    assert text.marks["zeugma"].reason == "the rounds tie, 1 to 1"
    assert text.marks["sense"].reason == "the mark '2' is neither 0 nor 1"
    assert (text.model, text.sample, text.trained_count) == ("stu", 0, None)


def test_grades_table(graded: Callable[..., Imported]) -> None:
    grades = graded([1, 1, 1, 1, 1], [1, 0, 1, 1, 1]).grades
    assert grades.schema == GRADES_SCHEMA
    assert grades.height == 2 * 5 + 1
    assert set(grades["grader"]) == {"gpt-4", PROGRAM}
    assert set(grades["family"]) == {"gpt", "program"}
    assert set(grades["student_family"]) == {"stu"}
    assert grades["kind"].to_list()[:5] == ["skill", "skill", "topic", "sense", "length"]


def test_copies_are_one_vote(published: Any, whole_table: Table) -> None:
    published.answers("stu", [(*TEA, FINE)])
    good, bad = (whole_table(TEA[1], TEA[0], [m, 1, 1, 1, 1]) + PROSE for m in (1, 0))
    for number, reply in enumerate((good, good, bad, bad + " So it is."), 1):
        published.grades("stu", [(*TEA, FINE, reply, "")], grading=number)
    result = imported(published)
    assert statuses(result.texts[0]) == "meeee"  # 1 to 2; had the copy counted, 2 to 2
    # five marks are too few for the analysis to see that it is a copy, so they are unscored
    second = result.grades.filter(result.grades["round"] == 2)
    assert set(second["status"]) == {"unscored"}
    assert set(second["reason"]) == {"word for word the reply of round 1"}
    assert "rounds 1 and 2 are the same word for word: one vote" in result.findings.sentences()[0]
    assert result.findings.replies_read == 3


def test_a_round_that_is_a_copy_throughout_is_left_for_the_analysis(
    published: Any, whole_table: Table
) -> None:
    rows = [(f"topic {i}", TEA[1], FINE) for i in range(4)]
    published.answers("stu", rows)
    for number in (1, 2):
        replies = [(*row, whole_table(TEA[1], row[0], [1] * 5) + PROSE, "") for row in rows]
        published.grades("stu", replies, grading=number)
    grades = imported(published).grades
    assert set(grades["status"]) == {"earned"}
    assert set(grades["reason"]) == {""}


@pytest.mark.parametrize(
    ("text", "reply", "reason"),
    [
        ("", "Answer: Explanation was asked for, and tea.",
         "the published code cut the answer at the word Explanation"),
        ("", "Answer: She said so. Answer:\nExplanation: irony.",
         "the published code took what follows a second 'Answer:'"),
        ("No", "Answer: No Explanation was given, or tea. Explanation: irony.",
         "the published code cut the answer at the word Explanation"),
        ("both.", "Answer: She said: Answer: both. Explanation: irony.",
         "the published code took what follows a second 'Answer:'"),
        (FINE, "Answer: none. Explanation: irony.",
         "the recorded text is not in the student's reply"),
    ],
)  # fmt: skip
def test_texts_that_are_not_the_answer(
    published: Any, whole_table: Table, text: str, reply: str, reason: str
) -> None:
    published.answers("stu", [(*TEA, text)], reply=lambda _: reply)
    published.grades("stu", [(*TEA, text, whole_table(TEA[1], TEA[0], [1] * 5), "")])
    (graded,) = imported(published).texts
    assert {(mark.status, mark.reason) for mark in graded.marks.values()} == {("unscored", reason)}
    assert graded.no_text is None


def test_an_empty_answer_has_missed_every_mark(published: Any, whole_table: Table) -> None:
    published.answers("stu", [(*TEA, "")], reply=lambda _: "Answer:\n\nExplanation: a queue.")
    published.grades("stu", [(*TEA, "", whole_table(TEA[1], TEA[0], [1] * 5), "")])
    result = imported(published)
    (text,) = result.texts
    assert (statuses(text), text.no_text) == ("mmmmm", "empty")
    assert not result.findings.unscored_verdicts


@pytest.mark.parametrize("after", ["Explanation: x", "**Explanation**: x", "Explanation\nx", "Bye"])
def test_texts_that_end_where_they_should(published: Any, whole_table: Table, after: str) -> None:
    published.answers("stu", [(*TEA, FINE)], reply=lambda text: f"Answer: {text} {after}")
    published.grades("stu", [(*TEA, FINE, whole_table(TEA[1], TEA[0], [1] * 5), "")])
    assert statuses(imported(published).texts[0]) == "eeeee"


def test_grades_of_other_texts(published: Any, whole_table: Table) -> None:
    published.answers("stu", [(*TEA, FINE), (*HATS, FINE)])
    rows = [
        (*HATS, "Another text.", whole_table(HATS[1], HATS[0], [1] * 5), ""),
        (*TEA, FINE, whole_table(TEA[1], TEA[0], [1] * 5), ""),
        ("gloves", TEA[1], FINE, "", ""),
    ]
    published.grades("stu", rows)
    result = imported(published)
    assert [statuses(text) for text in result.texts] == ["eeeee", "uuuue"]
    assert result.texts[1].marks["irony"].reason == "the grader was shown another text"
    assert result.findings.left_out == {"a grader's reply about no text of the records": 1}


def test_names_that_were_split(published: Any, whole_table: Table) -> None:
    skills = ("irony", "red herring, of sorts")
    parts = ("irony", "red herring", "of sorts")
    published.answers("stu", [("tea", skills, FINE)])
    reply = whole_table(parts, "tea", [1, 1, 1, 1, 1, 1])
    published.grades("stu", [("tea", skills, FINE, reply, "")])
    result = imported(published)
    assert statuses(result.texts[0]) == "eueee"
    split = "were asked for the parts of a name that holds a comma"
    assert result.findings.faults[split] == 1


def test_rounds_and_counts(published: Any, whole_table: Table) -> None:
    for number in (1, 3):
        published.answers("two", [(*TEA, FINE), (*HATS, FINE)], number=number)
    for number in (1, 2, 3):
        published.answers("three", [(*TEA, FINE)], number=number)
    whole = whole_table(TEA[1], TEA[0], [1, 0, 1, 1, 1])
    cut = whole[: whole.index("| Text")]
    published.grades("two", [(*TEA, FINE, whole, "1.0,0.0,1.0,1.0,1.0")], number=1)
    published.grades("two", [(*TEA, FINE, cut, "1.0,1.0,1.0")], number=3)
    found = imported(published).findings
    written = {row.model: row for row in found.students}
    assert (written["two"].rounds, written["two"].missing) == ((1, 3), (2,))
    assert (written["two"].texts, written["two"].graded) == (4, 2)
    assert (written["three"].missing, written["three"].graded) == ((), 0)
    assert found.replies_read == 2
    assert found.faults["are cut off before their end"] == 1
    assert found.faults["give other marks than the records say"] == 1
    assert (found.marks_padded, found.marks_recorded) == (2, 10)
    assert found.unscored_marks == {"the grader's reply is cut off before this mark": 1}
    assert found.unscored_verdicts["gpt-4 has not graded the text"] == 5 * 5
    samples = [(t.model, t.sample) for t in imported(published).texts]
    assert samples == [
        ("three", 0),
        *[("two", 0)] * 2,
        ("three", 1),
        ("three", 2),
        *[("two", 2)] * 2,
    ]
    assert any(line == "two, k = 2, seed 10: round 2 missing." for line in found.sentences())


def test_a_combination_drawn_twice(published: Any, whole_table: Table) -> None:
    texts = [f"{FINE} Again {i}." for i in range(3)]
    published.answers("stu", [(*TEA, text) for text in texts[:2]])
    published.answers("stu", [(*TEA, texts[2])], number=2)
    rows = [
        (*TEA, text, whole_table(TEA[1], TEA[0], [i, 1, 1, 1, 1]), "")
        for i, text in enumerate(texts[:2])
    ]
    published.grades("stu", rows)
    result = imported(published).texts
    assert [(text.sample, statuses(text)) for text in result] == [
        (0, "meeee"), (2, "eeeee"), (1, "uuuuu"),
    ]  # fmt: skip


def test_several_graders(published: Any, whole_table: Table) -> None:
    published.answers("stu", [(*TEA, FINE)])
    for name, mark in (("gpt-4", 1), ("llama2-70b-chat", 0)):
        reply = whole_table(TEA[1], TEA[0], [mark, 1, 1, 1, 1])
        published.grades("stu", [(*TEA, FINE, reply, "")], grader=name)
    with pytest.raises(BadInput, match="several graders graded: gpt-4, llama2-70b-chat"):
        imported(published)
    with pytest.raises(BadInput, match="there is no grader 'me'"):
        imported(published, "me")
    assert statuses(imported(published, "gpt-4").texts[0]) == "eeeee"
    result = imported(published, "llama2-70b-chat")
    assert statuses(result.texts[0]) == "meeee"
    assert set(result.grades["family"]) == {"gpt", "llama", "program"}


def test_nobody_graded(published: Any) -> None:
    published.answers("stu", [(*TEA, FINE)])
    with pytest.raises(BadInput, match="hold no grades"):
        imported(published)


def test_two_generation_prompts_are_two_decodings(published: Any, whole_table: Table) -> None:
    for prompt in ("8", "9"):
        published.answers("stu", [(*TEA, FINE)], prompt=prompt)
        row = (*TEA, FINE, whole_table(TEA[1], TEA[0], [1] * 5), "")
        published.grades("stu", [row], generation=prompt)
    decodings = [text.decoding for text in imported(published).texts]
    assert decodings == ["published, prompt 8", "published, prompt 9"]
