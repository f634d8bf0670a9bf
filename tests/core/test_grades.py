"""Marks and the three metrics, worked by hand."""

import pickle
from itertools import product

import pytest

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, GradedText, Mark
from unparrot.core.skills import SkillCombination

OPEN = Mark.unscored("the grader did not answer")
BY_LETTER = {"e": EARNED, "m": MISSED, "u": OPEN}


def graded(letters: str) -> GradedText:
    """One letter a mark: the skills, then topic, sense and length."""
    skills = tuple(f"s{i}" for i in range(len(letters) - 3))
    keys = (*skills, "topic", "sense", "length")
    marks = {key: BY_LETTER[letter] for key, letter in zip(keys, letters, strict=True)}
    return GradedText(SkillCombination("tea", skills), "x", marks, "m", "seen", "greedy", 0, None)


@pytest.mark.parametrize(
    ("letters", "full_marks", "all_skills", "skill_fraction"),
    [
        # skills|topic sense length
        ("eeeee", True, True, 1.0),
        ("emeee", False, False, 0.5),
        ("mmeee", False, False, 0.0),
        ("eeeem", False, True, 0.0),  # two of the other three are enough for all_skills
        ("eeemm", False, False, 0.0),
        ("eemeee", False, False, 2 / 3),
        ("eeeeu", None, True, None),
        ("eeeuu", None, None, None),
        ("eeemu", False, None, 0.0),  # the open mark decides whether two of three are earned
        ("eemmu", False, False, 0.0),
        ("eueee", None, None, None),
        ("mueee", False, False, None),  # 0 or 1/2
        ("mmeuu", False, False, 0.0),  # no skill earned: 0 whatever the open marks are
        ("mueem", False, False, 0.0),
        ("uuuuu", None, None, None),
    ],
)
def test_metrics_by_hand(
    letters: str, full_marks: bool | None, all_skills: bool | None, skill_fraction: float | None
) -> None:
    text = graded(letters)
    assert text.full_marks is full_marks
    assert text.all_skills is all_skills
    assert text.skill_fraction == skill_fraction


def test_a_metric_is_open_exactly_if_the_unscored_marks_decide_it() -> None:
    for letters in map("".join, product("emu", repeat=5)):
        slots = [("e", "m") if letter == "u" else (letter,) for letter in letters]
        settled = [graded("".join(choice)) for choice in product(*slots)]
        for metric in ("full_marks", "all_skills", "skill_fraction"):
            possible = {getattr(text, metric) for text in settled}
            expected = possible.pop() if len(possible) == 1 else None
            assert getattr(graded(letters), metric) == expected, (letters, metric)


def test_marks_are_exactly_the_criteria_and_kept_in_order() -> None:
    c = SkillCombination("tea", ("irony", "simile"))
    marks = dict.fromkeys(("length", "sense", "topic", "simile", "irony"), EARNED)
    text = GradedText(c, "x", marks, "m", "seen", "greedy", 0, None)
    assert list(text.marks) == ["irony", "simile", "topic", "sense", "length"]
    marks["irony"] = MISSED
    assert text.marks["irony"] is EARNED
    with pytest.raises(BadInput, match="missing \\['length'\\]"):
        GradedText(
            c,
            "x",
            {key: EARNED for key in marks if key != "length"},
            "m",
            "seen",
            "greedy",
            0,
            None,
        )
    with pytest.raises(BadInput, match="unexpected \\['grammar'\\]"):
        GradedText(c, "x", {**marks, "grammar": EARNED}, "m", "seen", "greedy", 0, None)


def test_counts_are_not_negative() -> None:
    c = SkillCombination("tea", ("irony",))
    marks = dict.fromkeys(("irony", "topic", "sense", "length"), EARNED)
    with pytest.raises(BadInput, match="sample"):
        GradedText(c, "x", marks, "m", "seen", "greedy", -1, None)
    with pytest.raises(BadInput, match="None if not known"):
        GradedText(c, "x", marks, "m", "seen", "greedy", 0, -1)


def test_marks_say_why_they_are_unscored() -> None:
    assert Mark.unscored("refused").reason == "refused"
    with pytest.raises(BadInput, match="why"):
        Mark.unscored(" ")
    with pytest.raises(BadInput, match="'right'"):
        Mark("right")  # type: ignore[arg-type]


def test_id_depends_on_what_was_asked_and_not_on_what_was_written() -> None:
    first = graded("eeeee")
    assert graded("mmeee").id == first.id
    other = GradedText(
        first.combination, "x", first.marks, "m", "seen", "greedy", 1, first.trained_count
    )
    assert other.id != first.id


def test_a_graded_text_travels_between_processes() -> None:
    text = graded("emeue")
    assert pickle.loads(pickle.dumps(text)) == text  # noqa: S301
