"""The texts and marks of the chat server, read by what reads those of real models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from unparrot.core.skills import SkillCombination
from unparrot.eval.protocol.conversation import extract_answer, turn_prompt
from unparrot.eval.protocol.grading import (
    Form,
    grading_prompt,
    grading_schema,
    new_token,
    read_grades,
)
from unparrot.packs.prompts import load_prompts
from unparrot.packs.reading import load_pack

PROMPTS, PACK = load_prompts("skillmix.en"), load_pack("language.en")
ITEMS = [
    SkillCombination(PACK.topic_names[i], (PACK.skill_names[i], PACK.skill_names[i + 20]))
    for i in range(60)
]


def say(server: Any, model: str, *contents: str, **more: Any) -> tuple[str, str]:
    """What a model says after these messages, in turn the user's and its own; and why it ended."""
    messages = [
        {"role": ("user", "assistant")[i % 2], "content": content}
        for i, content in enumerate(contents)
    ]
    body = {"model": model, "messages": messages, **more}
    choice = server.call("POST", "/v1/chat/completions", body)["choices"][0]
    return choice["message"]["content"], choice["finish_reason"]


def text_of(server: Any, model: str, item: SkillCombination) -> str:
    """A student's text after two turns."""
    first = turn_prompt(PROMPTS, PACK, item, 1)
    reply, stop = say(server, model, first)
    assert extract_answer(reply, stop, PROMPTS).reason == ""
    again, stop = say(server, model, first, reply, turn_prompt(PROMPTS, PACK, item, 2))
    found = extract_answer(again, stop, PROMPTS)
    assert found.reason == ""
    assert found.text not in reply
    return found.text


def points(
    server: Any, grader: str, item: SkillCombination, text: str, form: Form, **more: Any
) -> Sequence[str]:
    token = new_token()
    if form == "schema":
        schema = {"name": "marks", "schema": grading_schema(item)}
        more["response_format"] = {"type": "json_schema", "json_schema": schema}
    prompt = grading_prompt(PROMPTS, PACK, item, text, token, form)
    reply, stop = say(server, grader, prompt, **more)
    marks = read_grades(reply, stop, item, token, form)
    return [mark.status for mark in marks.values()]


@pytest.mark.parametrize("model", ["student-good", "student-weak", "student-thinking"])
def test_students_write_on_their_topic_in_the_form_asked_for(chat_server: Any, model: str) -> None:
    texts = [text_of(chat_server, model, item) for item in ITEMS[:10]]
    assert all(item.topic.lower() in text.lower() for item, text in zip(ITEMS, texts, strict=False))
    assert texts == [text_of(chat_server, model, item) for item in ITEMS[:10]]
    assert len(set(texts)) == 10


def test_prompts_of_the_world_are_answered_by_the_text_alone(chat_server: Any) -> None:
    prompts = load_prompts("world")
    item = SkillCombination("sewing", ("modus ponens", "metaphor"))
    reply, stop = say(chat_server, "student-good", turn_prompt(prompts, PACK, item, 1))
    assert "sewing" in reply
    assert extract_answer(reply, stop, prompts).text == reply


def test_marks_depend_on_grader_and_text_alone_and_quality_shows(chat_server: Any) -> None:
    shares: dict[tuple[str, str], float] = {}
    for student in ("student-good", "student-weak"):
        texts = [text_of(chat_server, student, item) for item in ITEMS]
        for grader in ("grader-strict", "grader-fair", "grader-lenient"):
            found = [
                points(chat_server, grader, item, text, "text")
                for item, text in zip(ITEMS, texts, strict=True)
            ]
            again = [
                points(chat_server, grader, item, text, "schema", seed=3)
                for item, text in zip(ITEMS, texts, strict=True)
            ]
            assert found == again
            earned = [mark == "earned" for marks in found for mark in marks[:2]]
            shares[student, grader] = sum(earned) / len(earned)
    good, weak = (
        [v for (s, _), v in shares.items() if s == f"student-{n}"] for n in ("good", "weak")
    )
    assert good == sorted(good)
    assert all(a > b for a, b in zip(good, weak, strict=True))
    for share, chance in zip(good, (0.45, 0.75, 0.92), strict=True):
        assert abs(share - chance) < 4 * (0.25 / 120) ** 0.5  # four standard errors at most


def test_a_whim_sets_grading_rounds_apart(chat_server: Any) -> None:
    def rounds(item: SkillCombination) -> list[Sequence[str]]:
        return [
            points(chat_server, "grader-fair", item, f"On {item.topic}.", "text", seed=seed)
            for seed in (1, 2, 3)
        ]

    assert all(a == b == c for a, b, c in map(rounds, ITEMS[:20]))
    chat_server.control(whim=0.3)
    assert sum(not a == b == c for a, b, c in map(rounds, ITEMS[:20])) > 10
    assert rounds(ITEMS[0]) == rounds(ITEMS[0])


def test_garbage_earns_and_costs_nothing(chat_server: Any) -> None:
    chat_server.control(faults={"garbage": 1.0})
    forms: tuple[Form, ...] = ("text", "schema")
    for form in forms:
        for item in ITEMS[:20]:
            marks = points(chat_server, "grader-lenient", item, "A text.", form)
            assert set(marks) == {"unscored"}
    reply, stop = say(chat_server, "student-good", turn_prompt(PROMPTS, PACK, ITEMS[0], 1))
    assert extract_answer(reply, stop, PROMPTS).reason == "no answer part"


def test_rounds_of_one_text_are_one_content(chat_server: Any) -> None:
    for _ in range(3):
        points(chat_server, "grader-fair", ITEMS[0], "A text.", "text")
    points(chat_server, "grader-fair", ITEMS[0], "Another text.", "text")
    assert chat_server.stats()["answered"] == {"1": 1, "3": 1}
    assert sorted(chat_server.stats(full=True)["contents"].values()) == [1, 3]
