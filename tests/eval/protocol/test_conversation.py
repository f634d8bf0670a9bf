"""What a student is asked, and its text taken out of a reply, or the reason why there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.errors import BadInput
from unparrot.core.skills import Skill, SkillCombination, SkillPack, Topic
from unparrot.eval.protocol.conversation import (
    Answer,
    extract_answer,
    turn_prompt,
    without_thinking,
)
from unparrot.packs.prompts import load_prompts
from unparrot.packs.reading import load_pack

PROMPTS = load_prompts("skillmix.en")
WORLD = load_prompts("world")
TEXT = "She took the tea, and offence."
FORM = f"<answer>\n{TEXT}\n</answer>\n<explanation>\nThe verb takes both.\n</explanation>"


def extracted(reply: str, stop_reason: str = "stop") -> str:
    """The text, or the reason behind a cross."""
    text, reason = extract_answer(reply, stop_reason, PROMPTS)
    assert bool(text) != bool(reason)
    return text or f"✗ {reason}"


# prompts


def test_the_first_turn_tells_all_and_names_the_limit() -> None:
    pack = load_pack("language.en")
    combination = SkillCombination("sewing", ("zeugma", "metaphor", "litotes"))
    asked = turn_prompt(PROMPTS, pack, combination, 1)
    for name in combination.skills:
        skill = pack.skill(name)
        assert f"- {name}: {skill.definition} Example: {skill.example}" in asked
    assert "zeugma, metaphor, litotes" in asked
    assert "at most 2 sentences" in asked
    assert '"sewing"' in asked
    again = turn_prompt(PROMPTS, pack, combination, 2)
    assert again.count("2 sentences") == 2
    for turn in (asked, again):
        for tag in ("<answer>", "</answer>", "<explanation>", "</explanation>"):
            assert turn.count(tag) == 1


@pytest.mark.parametrize(("k", "limit"), [(1, "one sentence"), (2, "one sentence"), (5, "4 sent")])
def test_every_k_has_its_limit(k: int, limit: str) -> None:
    pack = load_pack("language.en")
    combination = SkillCombination("sewing", pack.skill_names[:k])
    for turn in (1, 2):
        assert limit in turn_prompt(PROMPTS, pack, combination, turn)


def test_braces_in_a_pack_are_only_signs() -> None:
    skills = (
        Skill("{topic}", "odd", "Has {skills} and $names.", "Like {limit}."),
        Skill("set {x, y}", "odd", "A set {{", "{}"),
    )
    pack = SkillPack("odd", "1", skills, (Topic("{names}"),))
    asked = turn_prompt(PROMPTS, pack, SkillCombination("{names}", ("set {x, y}", "{topic}")), 1)
    assert "- {topic}: Has {skills} and $names. Example: Like {limit}." in asked
    assert "- set {x, y}: A set {{ Example: {}" in asked
    assert "Topic: {names}\n" in asked
    assert "set {x, y}, {topic}." in asked


def test_what_cannot_be_asked() -> None:
    pack = load_pack("language.en")
    tea = SkillCombination("sewing", ("irony",))
    for turn in (0, 3, -1):
        with pytest.raises(BadInput, match=f"the turns 1 to 2; not {turn}"):
            turn_prompt(PROMPTS, pack, tea, turn)
    with pytest.raises(BadInput, match="no skill 'ironing'"):
        turn_prompt(PROMPTS, pack, SkillCombination("sewing", ("ironing",)), 1)


def test_the_world_is_asked_in_its_one_line() -> None:
    pack = load_pack("language.en")
    combination = SkillCombination("sewing", ("litotes", "zeugma"))
    assert (
        turn_prompt(WORLD, pack, combination, 1) == "topic: sewing skills: litotes , zeugma text:"
    )


# replies in the form


@pytest.mark.parametrize(
    "reply",
    [
        FORM,
        f"<answer>{TEXT}</answer>",
        f"Here is my text:\n\n{FORM}\n\nI hope it helps!",
        f"```xml\n{FORM}\n```",
        f"**Answer**\n\n{FORM}",
        f"<ANSWER>{TEXT}</ANSWER><EXPLANATION>x</EXPLANATION>",
        f"<Answer>{TEXT}</answer>",
        f"<explanation>First why.</explanation>\n<answer>{TEXT}</answer>",
        f"<answer>{TEXT}</answer>\nExplanation: none. Answer: none.",
        f"\ufeff  {FORM}",
        FORM.replace("\n", "\r\n"),
        f"<think>One <answer>draft</answer>, or two?</think>\n{FORM}",
        f"<think>\n\n</think>\n\n{FORM}",
        f"<thinking>Hm.</thinking> <think>Hm <think> again.</think> {FORM}",
        f"Hm, so I must write <answer> first.\n</think>\n\n{FORM}",
        f"<answer>draft</answer></think>{FORM}",
    ],
)
def test_a_text_in_the_form_is_found(reply: str) -> None:
    assert extracted(reply) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "The Answer: tea. The Explanation: none.",
        "Answer: tea.\nExplanation: none.",
        "**Answer:** tea.\n**Explanation:** none.",
        "Explanation was not Answer's habit.",
        "<explanation>tea</explanation>",
        "He wrote </think> on the board.",
        "<think>Tea?</think> Tea!",
        "a < b > c & <b>bold</b>",
        "```\ncode\n```",
        '{"answer": "tea"}',
        "{topic} $names %s \\1",
        "< answer > </ answer >",
        "ＡＮＳＷＥＲ <аnswer>",
        "tea\u2028tea\x0btea\x85tea",
    ],
)
def test_the_text_may_say_anything_but_the_tags(text: str) -> None:
    for stop_reason in ("stop", "max_tokens", "unknown"):
        assert extracted(f"<answer>{text}</answer>", stop_reason) == text
    assert extracted(f"<answer>\n{text}\n</answer>\n<explanation>{text}</explanation>") == text


WORDS = st.sampled_from(
    ["Answer:", "Explanation:", "\n", " ", "**", "# ", "</think>", "<think>", "<", ">", "/answer",
     "<explanation>", "</explanation>", "tea", "`", "{topic}", "\r", "\u2028", "é"]
)  # fmt: skip
ANY = (st.text() | st.lists(WORDS, max_size=12).map("".join)).filter(
    lambda text: text.strip() and not any(tag in text.lower() for tag in ("<answer>", "</answer>"))
)


@given(ANY, ANY, st.sampled_from(["", "Sure!\n", "```\n", "\n\n", "**Answer:**\n"]))
def test_any_text_in_the_form_comes_out_as_it_is(text: str, why: str, before: str) -> None:
    reply = f"{before}<answer>{text}</answer>\n<explanation>{why}</explanation>"
    assert extracted(reply) == text.strip()
    assert extracted(f"{before}<answer>\n{text}\n</answer>", "max_tokens") == text.strip()


@given(ANY, ANY)
def test_any_thinking_before_it_is_dropped(text: str, thought: str) -> None:
    thought = thought.replace("</think>", "")
    assert extracted(f"<think>{thought}</think><answer>{text}</answer>") == text.strip()
    drafts = f"<think>{thought}<answer>{thought}</answer><answer></think><answer>{text}</answer>"
    assert extracted(drafts) == text.strip()


# labels in the place of tags


@pytest.mark.parametrize(
    "reply",
    [
        f"Answer: {TEXT}\nExplanation: The verb takes both.",
        f"Answer:\n{TEXT}\n\nExplanation:\nThe verb takes both.",
        f"**Answer:** {TEXT}\n\n**Explanation:** The verb takes both.",
        f"**Answer**: {TEXT}\n\n**Explanation**: The verb takes both.",
        f"***Answer:***\n{TEXT}\n_Explanation:_\nThe verb takes both.",
        f"## Answer:\n\n{TEXT}\n\n## Explanation:\n\nThe verb takes both.",
        f"Certainly.\n\n  Answer: {TEXT}\r\n  Explanation: My Answer: the verb. Explanation: both.",
        f"<think>Answer: draft</think>Answer: {TEXT}\nExplanation: both.",
    ],
)
def test_labels_may_stand_for_the_tags(reply: str) -> None:
    for stop_reason in ("stop", "max_tokens"):
        assert extracted(reply, stop_reason) == TEXT


def test_the_words_within_a_labelled_text_do_not_end_it() -> None:
    text = "No Explanation: none was given, and Answer: came there none.\nExplanations bore me."
    assert extracted(f"Answer: {text}\nExplanation: an Answer: irony.") == text


# no text


@pytest.mark.parametrize(
    ("reply", "stop_reason", "reason"),
    [
        # nothing, or something else
        ("", "stop", "empty reply"),
        (" \n ", "unknown", "empty reply"),
        ("", "tool_calls", "empty reply"),
        ("", "content_filter", "refused"),
        (FORM, "content_filter", "refused"),
        ("I cannot help with that.", "stop", "no answer part"),
        (TEXT, "stop", "no answer part"),
        ("<explanation>both</explanation>", "stop", "no answer part"),
        (f"{TEXT}</answer>", "stop", "no answer part"),
        (f"</answer>{TEXT}<answer>", "stop", "no answer part"),
        ("<answer></answer>", "stop", "empty answer"),
        ("<answer> \n\t</answer><explanation>x</explanation>", "stop", "empty answer"),
        # not ended
        ("", "max_tokens", "cut off before the answer ended"),
        ("Let me see. A text on tea", "max_tokens", "cut off before the answer ended"),
        (f"<answer>{TEXT}", "max_tokens", "cut off before the answer ended"),
        (f"<answer>{TEXT}</answ", "model_length", "cut off before the answer ended"),
        (f"<answer>{TEXT}</answ", "stop", "the answer part has no end"),
        (f"<answer>{TEXT}", "unknown", "the answer part has no end"),
        ("<explanation>First, the", "max_tokens", "cut off before the answer ended"),
        # twice
        ("<answer>a</answer><answer>b</answer>", "stop", "several answer parts"),
        ("<answer>a</answer><answer>a</answer>", "stop", "several answer parts"),
        ("<answer>a<answer>b</answer></answer>", "stop", "several answer parts"),
        ("<answer>a<answer>b</answer>", "stop", "several answer parts"),
        ("<answer>a</answer> not b</answer>", "stop", "several answer parts"),
        ("<answer>a</answer><answer>b", "max_tokens", "several answer parts"),
        ("I use <answer> and </answer>. " + FORM, "stop", "several answer parts"),
        (FORM + " It stands between <answer> and </answer>.", "stop", "several answer parts"),
        # thinking
        (f"<think>Tea, so {FORM}", "stop", "the thinking part has no end"),
        (f"<think>Tea, so {FORM}", "max_tokens", "cut off while thinking"),
        ("<think>Tea.</think>", "max_tokens", "cut off before the answer ended"),
        ("<think>Tea.</think>", "stop", "empty reply"),
        ("<think>Tea.</think><think>So", "stop", "the thinking part has no end"),
        (f"Hm </think> {FORM} {FORM}", "stop", "several answer parts"),
        # labels
        (f"Answer: {TEXT}", "stop", "the answer part has no end"),
        (f"Answer: {TEXT}", "max_tokens", "cut off before the answer ended"),
        (f"Explanation: both.\nAnswer: {TEXT}", "stop", "no answer part"),
        (f"The Answer: {TEXT}\nExplanation: both.", "stop", "no answer part"),
        (f"answer: {TEXT}\nexplanation: both.", "stop", "no answer part"),
        ("Answer: a\nAnswer: b\nExplanation: c", "stop", "several answer parts"),
        ("Answer: a\nExplanation: b\nExplanation: c", "stop", "several explanation parts"),
        ("Answer:\nExplanation: none", "stop", "empty answer"),
        (f"Answer: {TEXT}\n<explanation>both</explanation>", "stop", "no answer part"),
        (f"**Answer: {TEXT}**\nExplanation: both.", "stop", "no answer part"),
    ],
)
def test_what_is_no_text_gives_a_reason(reply: str, stop_reason: str, reason: str) -> None:
    assert extracted(reply, stop_reason) == f"✗ {reason}"


@given(st.text() | st.lists(WORDS | st.sampled_from(["<answer>", "</answer>"])).map("".join),
       st.sampled_from(["stop", "max_tokens", "content_filter", "unknown"]))  # fmt: skip
def test_every_reply_gives_a_text_or_a_reason(reply: str, stop_reason: str) -> None:
    for prompts in (PROMPTS, WORLD):
        text, reason = extract_answer(reply, stop_reason, prompts)
        assert bool(text) != bool(reason)
        assert text == text.strip()


# the whole reply


@pytest.mark.parametrize(
    ("reply", "stop_reason", "answer"),
    [
        (" Tea . \n", "stop", Answer("Tea .", "")),
        ("Tea .", "unknown", Answer("Tea .", "")),
        ("<answer>Tea</answer>", "stop", Answer("<answer>Tea</answer>", "")),
        ("<think>Hm</think> Tea .", "stop", Answer("Tea .", "")),
        ("Tea </think> .", "stop", Answer("Tea </think> .", "")),
        ("Tea .", "max_tokens", Answer("", "cut off before the answer ended")),
        ("", "stop", Answer("", "empty answer")),
        ("Tea", "content_filter", Answer("", "refused")),
    ],
)
def test_the_whole_reply_is_the_text(reply: str, stop_reason: str, answer: Answer) -> None:
    assert extract_answer(reply, stop_reason, WORLD) == answer


def test_thinking_is_dropped_only_at_the_beginning() -> None:
    assert without_thinking("a<think>b</think>c") == "a<think>b</think>c"
    assert without_thinking("<think>b</think>c<think>d") == "c<think>d"
    assert without_thinking("<think>b") is None


@pytest.mark.parametrize(
    "part", ["<answer>", "</answer>", "<think>", "</think>", "Answer:\n", "*", " "]
)
def test_long_replies_of_tags_are_read_in_no_time(part: str) -> None:
    text, reason = extract_answer(part * 50_000, "stop", PROMPTS)
    assert not text
    assert reason
