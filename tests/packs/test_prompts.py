"""Sets of prompts: what we ship, what a file may hold, and how placeholders are filled."""

import os
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination
from unparrot.lab.world.english import World, complete_prompt
from unparrot.packs.prompts import (
    PROTOCOL,
    PromptSet,
    fill,
    load_prompts,
    prompts_for,
    sentence_limit,
    shipped_prompts,
)

GOOD = """\
name: mine
version: 3
answer: tagged
separator: ", "
turns:
  - "Write on {topic}, showing {skills}, in {limit}."
  - "Again: <answer>text</answer>"
skill: "{name} is {definition} As in {example}"
limit_one: one sentence
limit_many: "{n} sentences"
grading: |-
  On {topic}, with {skills}, in {limit}:
  {token}
  {text}
  {token}
  {criteria}
criterion_skill: Shows {name}
criterion_topic: On {topic}
criterion_sense: Makes sense
criterion_length: At most {limit}
grading_schema: JSON with {token} and {ids}
grading_text: |-
  Thus:
  {lines}
"""
Changed = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """A file of prompts with parts replaced, each of which must be there."""

    def change(*parts: tuple[str, str]) -> Path:
        text = GOOD
        for old, new in parts:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "prompts.yaml"
        path.write_text(text, "utf-8")
        return path

    return change


def refusal(path: Path | str) -> str:
    with pytest.raises(BadInput) as caught:
        load_prompts(path)
    return str(caught.value)


def test_what_we_ship() -> None:
    assert shipped_prompts() == ("skillmix.en", "skillmix.ko", "world")
    for name in shipped_prompts():
        prompts = load_prompts(name)
        assert prompts.name == name
        assert re.fullmatch(r"[0-9a-f]{64}", prompts.digest)
    assert len(load_prompts("skillmix.en").turns) == len(load_prompts("skillmix.ko").turns) == 2


def test_the_protocol_follows_the_language_of_a_pack() -> None:
    assert prompts_for(PROTOCOL, "en") == prompts_for(PROTOCOL, "EN-gb") == "skillmix.en"
    assert prompts_for(PROTOCOL, "ko") == "skillmix.ko"
    assert prompts_for("./mine.yaml", "fr") == "./mine.yaml"
    with pytest.raises(BadInput, match=r"in the language 'fr', .* one of skillmix.en, skillmix.ko"):
        prompts_for(PROTOCOL, "fr")


def test_the_protocol_asks_for_the_same_in_every_language() -> None:
    english, korean = load_prompts("skillmix.en"), load_prompts("skillmix.ko")
    braces = re.compile(r"\{\w+\}|</?\w+>")
    for field in fields(PromptSet):
        mine, other = (str(getattr(prompts, field.name)) for prompts in (korean, english))
        assert set(braces.findall(mine)) == set(braces.findall(other)), field.name


@pytest.mark.parametrize(
    ("name", "version", "digest"),
    [
        ("skillmix.en", "1", "891aee064dfbfbfe11a33dc6936db10190f1994c68abd3de78b5bf8dbca26cb1"),
        ("skillmix.ko", "1", "84895a02a825eb0ce616dd95bd8625dde706aecb2dcea5f2931f4ac8d6baab81"),
        ("world", "1", "e0a0b60f5ec2769212abcdeb1028a6275df778060900ffb9969d26cd13f57057"),
    ],
)
def test_no_word_changes_without_a_new_version(name: str, version: str, digest: str) -> None:
    prompts = load_prompts(name)
    assert (prompts.version, prompts.digest) == (version, digest)


def test_the_world_is_asked_as_its_models_were_trained() -> None:
    prompts = load_prompts("world")
    combination = SkillCombination("sewing", ("doubt", "modus ponens"))
    names = prompts.separator.join(combination.skills)
    asked = fill(prompts.turns[0], {"topic": combination.topic, "names": names})
    assert complete_prompt(asked) == World().prompt(combination)
    assert prompts.answer == "whole"


def test_the_world_is_graded_in_the_words_of_the_protocol() -> None:
    world, protocol = load_prompts("world"), load_prompts("skillmix.en")
    own = {"name", "version", "answer", "turns", "separator"}
    shared = [field.name for field in fields(PromptSet) if field.name not in own]
    assert all(getattr(world, name) == getattr(protocol, name) for name in shared)


def test_the_digest_changes_with_every_field() -> None:
    prompts = load_prompts("skillmix.en")
    others = [
        replace(prompts, turns=(*prompts.turns[:1], prompts.turns[1] + ".")),
        replace(prompts, turns=(*prompts.turns, prompts.turns[1])),
        replace(prompts, answer="whole"),
    ]
    for field in fields(PromptSet):
        value = getattr(prompts, field.name)
        if isinstance(value, str) and field.name != "answer":
            others.append(replace(prompts, **{field.name: value + " "}))
    digests = {prompts.digest, *(other.digest for other in others)}
    assert len(digests) == len(others) + 1 == len(fields(PromptSet)) + 2
    assert load_prompts("skillmix.en").digest == prompts.digest


def test_a_file_is_read_as_it_stands(changed: Changed) -> None:
    prompts = load_prompts(changed())
    assert (prompts.name, prompts.version, prompts.answer) == ("mine", "3", "tagged")
    assert prompts.turns[1] == "Again: <answer>text</answer>"
    assert prompts.grading.splitlines()[1:4] == ["{token}", "{text}", "{token}"]
    assert prompts.limit(1) == prompts.limit(2) == "one sentence"
    assert prompts.limit(3) == "2 sentences"


def test_grading_can_be_borrowed(tmp_path: Path) -> None:
    own = GOOD[: GOOD.index("skill: ")]
    path = tmp_path / "mine.yaml"
    path.write_text(own + "grading_from: skillmix.en\n")
    assert load_prompts(path).grading == load_prompts("skillmix.en").grading
    path.write_text(own + "grading_from: nowhere\n")
    names = "skillmix.en, skillmix.ko, world"
    told = f"line 8: 'grading_from' names a set that we ship ({names}), not 'nowhere'"
    assert told in refusal(path)
    path.write_text(own + "grading_from: skillmix.en\nlimit_one: one\n")
    assert "line 9: unknown field 'limit_one'" in refusal(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # placeholders
        (
            "in {limit}.",
            "in {limits}.",
            "line 6: turn 1 has the unknown placeholder {limits}; did ",
        ),
        (
            "Shows {name}",
            "Shows {title}",
            "line 17: 'criterion_skill' has the unknown placeholder ",
        ),
        ("Shows {name}", "Shows it", "line 17: 'criterion_skill' lacks the placeholder {name}"),
        ("sense\n", "sense {text}\n", "unknown placeholder {text}; it may have none"),
        ("  {text}\n", "", "line 11: 'grading' lacks the placeholder {text}"),
        ("  {criteria}", "  {criteria} {text}", "'grading' has the placeholder {text} 2 times"),
        ("  {text}\n  {token}", "  {text}", "'grading' must have {token} before and after {text}"),
        ("{token} and {ids}", "{ids}", "line 21: 'grading_schema' lacks the placeholder {token}"),
        ("  {lines}", "  {ids}", "line 22: 'grading_text' lacks the placeholder {lines}"),
        ('"{n} s', '"{n} {n_max} s', "unknown placeholder {n_max}"),
        ("on {topic},", "on it,", "line 6: turn 1 lacks the placeholder {topic}"),
        ("showing {skills}, ", "", "line 6: turn 1 lacks the placeholder {skills} or {names}"),
        ("<answer>text</answer>", "both", "turn 2, the last, must ask for the tag <answer>"),
        ("text</answer>", "text", "turn 2, the last, must ask for the tag </answer>"),
        # fields
        ("answer: tagged", "answer: partial", "line 3: 'answer' is tagged or whole, not 'partial'"),
        ("limit_one: one sentence\n", "", "line 1: the field 'limit_one' is missing"),
        ("limit_one:", "limit_on:", "unknown field 'limit_on'; did you mean 'limit_one', 'limit"),
        ("limit_one:", "limit_many: x\nlimit_one:", "the field 'limit_many' is given twice"),
        ("limit_one: one sentence", "limit_one: 1", "line 9: 'limit_one' must be a text, but YAML"),
        ("one sentence", "'  '", "line 9: 'limit_one' is empty"),
        ("Makes sense", "[a]", "line 19: 'criterion_sense' must be a text, not a list"),
        ("turns:\n", "turns: []\nx:\n", "line 5: 'turns' must be a list of prompts"),
        (
            '- "Again: <answer>text</answer>"',
            "- {a: b}",
            "line 7: turn 2 must be a text, not a group of fields",
        ),
        ('- "Again: <answer>text</answer>"', "- {a: [b]}", "line 7: nested too deeply for a set"),
        ("Makes sense", "Makes\u200b sense", "the invisible character U+200B"),
        # YAML
        ("name: mine", "name: &a mine", "an anchor of YAML (&a) has no place in a set of prompts"),
        ("name: mine", "name: !x mine", "a tag of YAML (!x) has no place in a set of prompts"),
        ("Shows {name}", "{name}", "line 17: 'criterion_skill' must be a text, not a group"),
        ("name: mine", "name: 'mine", "broken YAML"),
    ],
)
def test_a_fault_is_told_with_its_place(changed: Changed, old: str, new: str, message: str) -> None:
    assert message in refusal(changed((old, new)))


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "did you mean 'skillmix.en', 'skillmix.ko'?" in refusal("skilmix.en")
    assert "neither a set of prompts that we ship nor a file" in refusal("./skillmix.en")
    os.mkfifo("pipe")
    assert "pipe is a named pipe" in refusal("pipe")
    Path("huge").write_bytes(b"#" * (1 << 19))
    assert "more than 262,144 bytes" in refusal("huge")
    Path("empty").write_bytes(b"")
    assert "the file is empty; a set of prompts has name, version" in refusal("empty")
    Path("latin").write_bytes(b"name: caf\xe9")
    assert "line 1: not UTF-8 text" in refusal("latin")
    Path("bad").write_text("version: 1\n" * 9)
    assert refusal("bad").splitlines()[-1] == "  and 17 more"


def test_a_file_that_cannot_be_read(changed: Changed, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = changed()
    monkeypatch.setattr(Path, "open", refuse)
    assert "cannot be read: permission denied" in refusal(path)


BRACED = st.text(st.sampled_from("{}$ab")) | st.sampled_from(
    ["{topic}", "{text}", "$names", "{{}}"]
)


@given(BRACED, BRACED)
def test_values_are_put_in_once_and_as_they_are(topic: str, text: str) -> None:
    values = {"topic": topic, "text": text}
    assert fill("<{topic}|{text}|{topic}>", values) == f"<{topic}|{text}|{topic}>"


def test_what_is_no_placeholder_stays() -> None:
    odd = '{"token": {}} {} { topic } {1} {tópic} $topic {topic'
    assert fill(odd, {"topic": "x"}) == odd
    with pytest.raises(BadInput, match=r"in the place of \{other\}"):
        fill("{other}", {"topic": "x"})


def test_the_limit_of_the_protocol() -> None:
    assert [sentence_limit(k) for k in range(1, 8)] == [1, 1, 2, 3, 4, 5, 6]
