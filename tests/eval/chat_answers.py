"""What the models of the chat server of the tests write: plausible texts, and marks.

``student-...`` writes a text on the topic of its prompt, in the form it is asked for;
``student-weak`` writes worse than others, ``student-thinking`` thinks aloud first. ``grader-...``
marks the text that stands between the lines with the token; how often it gives the point depends on
its name. ``drafter-...`` replies to the questions of `unparrot packs draft`: a text says in
brackets which skills it needs, and behind them what it is about. All of it is a function of the
model and the messages alone; marks, of the model, the student's text and the criterion.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

MODELS = (
    "student-good", "student-weak", "student-thinking",
    "grader-fair", "grader-strict", "grader-lenient", "drafter-good",
)  # fmt: skip
GENEROSITY = {"grader-strict": 0.45, "grader-lenient": 0.92}
FAIR = 0.75
WEAK = 0.6
"""Points for skills are rarer by this factor where a text shows the marks of student-weak."""

TOKEN = re.compile(r"\bM[0-9a-f]{12}\b", re.ASCII)
CRITERION = re.compile(r"^(S[0-9]+|TOPIC|SENSE|LENGTH): ", re.MULTILINE)
TOPIC = re.compile(
    r'^(?:Topic: (.+)|주제: (.+)|topic: (.+?) skills: .* text:$)|topic "([^"\n]+)"', re.MULTILINE
)
LIMIT = re.compile(r"at most (?:one sentence|([0-9]+) sentences)|(?:한 |([0-9]+))문장 이내")
WORLD = re.compile(r"topic: .+ skills: .+ text:")
THOUGHT = "<think>\nThey want an <answer> on {topic}. What is its Answer: tag?\n</think>\n\n"
WEAK_SIGNS = ("stuff", "kind of", "whatever")

_OPENINGS = (
    "{who} says that {topic} is a patient teacher",
    "For {who}, {topic} has always been a quarrel with time",
    "No morning of {topic} is wasted, {who} told me",
    "Ask {who} about {topic} and the kettle goes cold",
)
_MIDDLES = (
    "if the hands are steady then the work is sound, and the hands are steady",
    "it asks for everything and thanks nobody",
    "what was lost on Monday was found on Friday, so Friday it is",
    "the neighbours, naturally, have never been so quiet",
    "half of it is waiting, and the other half is waiting well",
)
_LOOSE = (
    "{topic} is kind of nice and stuff",
    "people do {topic} or whatever",
    "there is a lot of stuff about {topic}",
)
_KOREAN = (
    "{topic}은(는) 고모의 오래된 스승이었고 그 스승은 말이 없었다",
    "손이 바르면 일도 바르다는데 {topic} 앞에서는 손이 늘 발랐다",
    "{topic} 소리에 이웃들은 오늘따라 참 조용하기도 하다",
    "반은 기다림이고 반은 잘 기다림이라고 {topic} 곁의 노인이 말했다",
)
_WHO = ("my aunt", "old Ferran", "the ferryman", "Ilse", "our postman", "Dr Oyelaran")


def content_text(messages: Sequence[dict[str, Any]]) -> str:
    """The texts of a conversation, one after the other; KeyError or TypeError if it is none."""
    if not isinstance(messages, list) or not messages:
        raise TypeError(f"messages are a list of some, not {messages!r}")
    texts: list[str] = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        texts.append(content or "")
    return "\n".join(texts)


def role_of(model: str) -> str | None:
    """'student', 'grader', 'drafter', or None for a model that is not there."""
    role = model.partition("-")[0]
    return role if role in ("student", "grader", "drafter") else None


def token_of(text: str) -> str | None:
    """The token of a grading prompt."""
    found = TOKEN.search(text)
    return found[0] if found else None


def answer(body: dict[str, Any], text: str, token: str | None, whim: float) -> str:
    """What the model writes; `text`: all messages, `token`: that of a grading prompt."""
    if role_of(body["model"]) == "grader":
        return grade(body, text, token, whim)
    if role_of(body["model"]) == "drafter":
        return draft(text, token)
    return write(body, text)


def draft(text: str, token: str | None) -> str:
    """The object that a question of a draft asks for.

    Names that differ behind ' like ' are merged. No example of 'untellable' skills is of use, and a
    text that needs 'a list' is first said to need two skills in one name.
    """
    data = re.search(rf"^\[begin (\w+) {token}\]\n(.*)\n\[end \1 {token}\]$", text, re.M | re.S)
    fields = re.search(r"in this order: (.+)\.$", text, re.MULTILINE)
    assert data is not None
    assert fields is not None
    reply: dict[str, str] = dict.fromkeys(fields[1].split(", "), "")
    if data[1] == "text":
        skills, topic = re.findall(r"\(([^)]*)\)", data[2])[:2]
        reply |= {f"skill_{i}": name for i, name in enumerate(skills.split("; "), start=1)}
        if reply["skill_1"] == "a list" and "could not be used" not in text:
            reply["skill_1"] = "one thing, another"
        reply["topic"] = topic
    elif data[1] == "names":
        names = dict(line.split(": ", 1) for line in data[2].split("\n"))
        merged = "mean the same" in text
        reply |= {n: x.split(" like ")[0] if merged else f"kind {x[0]}" for n, x in names.items()}
    else:
        name = data[2].split("\n")[0].removeprefix("Skill: ")
        year = 1000 + Draws(name).below(1000)
        reply["definition"] = f"The text has a thought that nobody had before the year {year}."
        reply["example"] = f"In {year} Ilse looked at it twice, and wrote down the other line."
        if name == "untellable":
            reply["example"] = "This is what untellable means, and nothing else is."
    return json.dumps({"token": token, **reply})


def write(body: dict[str, Any], text: str) -> str:
    """A student's reply."""
    model = body["model"]
    found = TOPIC.search(text)
    topic = next(filter(None, found.groups())) if found else "something"
    draws = Draws(model, text)
    limit = LIMIT.search(text)
    most = int(limit[1] or limit[2] or 1) if limit else 1
    korean = limit is not None and "문장" in limit[0]
    weak = model == "student-weak"
    sentences: list[str] = []
    for _ in range(most + (weak and draws.below(3) == 0)):
        if korean:
            sentence = draws.choice(_KOREAN)
        elif weak and draws.below(3):
            sentence = draws.choice(_LOOSE)
        else:
            sentence = f"{draws.choice(_OPENINGS)}: {draws.choice(_MIDDLES)}"
        sentence = sentence.replace("{topic}", topic).replace("{who}", draws.choice(_WHO))
        year = 1800 + draws.below(200)  # so that texts differ
        sentence = f"{year}년, {sentence}." if korean else f"{sentence}, as in {year}."
        sentences.append(sentence[0].upper() + sentence[1:])
    written = " ".join(sentences)
    if WORLD.fullmatch(text):
        return written
    thought = THOUGHT.format(topic=topic) if model == "student-thinking" else ""
    return (
        f"{thought}<answer>\n{written}\n</answer>\n"
        f"<explanation>\nEvery word of it is about {topic}.\n</explanation>"
    )


def grade(body: dict[str, Any], prompt: str, token: str | None, whim: float) -> str:
    """A grader's reply: token lines, or JSON if the request has a schema."""
    place = re.search(
        rf"^\[begin[^\n]* {token}\]\n(.*)\n\[end[^\n]* {token}\]$", prompt, re.MULTILINE | re.DOTALL
    )
    if token is None or place is None:
        return "There is no text to mark."
    judged = place[1]
    names = list(dict.fromkeys(CRITERION.findall(prompt, place.end())))
    marks = {name: mark(body["model"], judged, name) for name in names}
    if whim and "seed" in body:
        for name in names:
            if draw("whim", body["seed"], body["model"], judged, name) < whim:
                marks[name] = not marks[name]
    if body.get("response_format", {}).get("type") in ("json_schema", "json_object"):
        entries = {
            name: {"why": f"It {'is' if given else 'is not'} there.", "mark": int(given)}
            for name, given in marks.items()
        }
        return json.dumps({"token": token, **entries})
    said = [
        f"{name}: the text says {judged[:60]!r}; S1 = 1 is not for it to say." for name in names
    ]
    return "\n".join(
        [*said, "", *(f"{token} {name} = {int(given)}" for name, given in marks.items())]
    )


def mark(model: str, judged: str, name: str) -> bool:
    """Whether a grader gives the point; of itself, the same each time."""
    chance = GENEROSITY.get(model, FAIR)
    if name[0] == "S" and name != "SENSE" and any(sign in judged for sign in WEAK_SIGNS):
        chance *= WEAK
    return draw("mark", model, judged, name) < chance


def garbage(body: dict[str, Any], text: str, token: str | None) -> str:
    """A reply without what was asked for."""
    if role_of(body["model"]) == "student":
        return "Certainly! Here is a text that you will like. I hope that it helps."
    return Draws("garbage", text).choice(
        (
            "| Criteria | Points |\n|---|---|\n| S1 | 1 |\n| Total | 9/9 |",
            '{"token": "M000000000000", "S1": {"why": "", "mark": 1}}',
            "I would say that it earns all points. S1 = 1, S2 = 1, TOPIC = 1.",
            f"{token} S1 = 1 (out of 1)\n{token} S2: -1\n{token} TOPIC = yes",
        )
    )


def completion(
    body: dict[str, Any], text: str, content: str, finish: str, name: str
) -> dict[str, Any]:
    """The object that the OpenAI protocol answers with; cut where the request sets a limit."""
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if most is not None and tokens(content) > most:
        content, finish = content[: 4 * most], "length"
    read, written = tokens(text), tokens(content)
    thought = tokens(content.partition("</think>")[0]) if content.startswith("<think>") else 0
    return {
        "id": name,
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "system_fingerprint": "fp_tests",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None},
                "logprobs": None,
                "finish_reason": finish,
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "completion_tokens_details": {"reasoning_tokens": thought},
        },
    }


def tokens(text: str) -> int:
    """How many tokens a text counts for."""
    return -(-len(text) // 4)


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Draws:
    """Small whole numbers that depend on the parts alone."""

    def __init__(self, *parts: object) -> None:
        data = "\0".join(map(str, parts)).encode()
        self.state = int.from_bytes(hashlib.blake2b(data, digest_size=64).digest(), "big")

    def below(self, count: int) -> int:
        self.state, found = divmod(self.state, count)
        return found

    def choice(self, items: Sequence[str]) -> str:
        return items[self.below(len(items))]
