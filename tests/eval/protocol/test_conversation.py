"""What a student is asked, and its text taken out of a reply, or the reason why there is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.errors import BadInput
from unparrot.core.grades import STUDENT_FAILED
from unparrot.core.skills import Skill, SkillCombination, SkillPack, Topic
from unparrot.eval.protocol.conversation import (
    Answer,
    Conversation,
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
    answer = extract_answer(reply, stop_reason, PROMPTS)
    assert bool(answer.text) != bool(answer.code)
    assert not answer.code or answer.code in STUDENT_FAILED
    return answer.text or f"✗ {answer.code}"


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
        "```\ncode\n```\ntea",
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


# tags written otherwise, and objects

QUOTED = 'an "answer": "x", it is'


@pytest.mark.parametrize(
    "reply",
    [
        f"[answer]\n{TEXT}\n[/answer]\n[explanation]why[/explanation]",
        f'<answer lang="en">\n{TEXT}\n</answer>',
        f"<answer id='1' kind=x>{TEXT}</answer>",
        f"< answer >\n{TEXT}\n</ answer >",
        f"&lt;answer&gt;\n{TEXT}\n&lt;/answer&gt;\n&lt;explanation&gt;why&lt;/explanation&gt;",
        f"\\<answer\\>\n{TEXT}\n\\</answer\\>",
        f"＜answer＞{TEXT}＜/answer＞",
        f"<answer/>\n{TEXT}\n<explanation/>\nwhy",
        f"<answer>\n{TEXT}\n<answer>\n<explanation>why<explanation>",
        f"<answer><answer>{TEXT}</answer></answer>",
        f"<answer>\n```\n{TEXT}\n```\n</answer>",
        f"<answer>\\boxed{{{TEXT}}}</answer>",
        f"\\boxed{{\\text{{{TEXT}}}}}",
        f"```\n<answer>{TEXT}\n```",
        f"```\nAnswer: {TEXT}\n```",
        # prose that mentions the tags
        f"I will write the text between <answer> tags.\n\n{FORM}",
        f"{FORM} It stands between <answer> and </answer>.",
        f"> So <answer> it is.\n\n{FORM}",
        f"<answer>{TEXT}</answer><explanation>The <answer> is in <answer></answer>.</explanation>",
        # objects
        json.dumps({"answer": TEXT, "explanation": "why"}),
        f"```json\n{json.dumps({'explanation': QUOTED, 'Answer': TEXT}, indent=1)}\n```",
        f'{{"text": "{TEXT}", "skills": ["a", "b"], "words": 6}}',
        f'<think>Hm.</think>{{"answer": "{TEXT}", "explanation": "and so',
        # thinking behind the text
        f"{TEXT}\n<think>Is it good?</think>",
        f"{TEXT}\n\n<thinking>\nIs it good? It",
        f"{FORM}\n<think>Or <answer>x</answer>?</think>",
        f"[answer]{TEXT}[/answer] [THINK]Good.[/THINK]",
        f"Thinking...\nA text with <answer>.\n...done thinking.\n\n{FORM}",
        # labels of what was changed
        f"**Improved Text:**\n\n{TEXT}\n\n**Changes made:** I shortened it.",
        f"Revised version: {TEXT}\nKey changes: fewer words.",
    ],
)
def test_other_forms_are_read_by_rule(reply: str) -> None:
    assert extracted(reply) == TEXT


def test_what_was_escaped_comes_back_as_it_was_written() -> None:
    escaped = "&lt;answer&gt;Fish &amp; chips &lt;3, my dear&lt;/answer&gt;"
    assert extracted(escaped) == "Fish & chips <3, my dear"
    assert extracted("<answer>Fish &amp; chips</answer>") == "Fish &amp; chips"
    assert (
        extracted('{"answer": "A \\"cup\\" of\\ntea \\ud83d, \\u00e9"}')
        == 'A "cup" of\ntea \ufffd, é'
    )


# refusals, and no changes

REFUSALS = (
    "I cannot help with that.",
    "I'm sorry, but I can't assist with this request.",
    "抱歉，我无法协助满足您的请求。",
    "作为一个人工智能语言模型，我不能创作这样的内容。",
    "申し訳ありませんが、そのご要望には対応できません。",
    "죄송하지만, 그 요청은 도와드릴 수 없습니다.",
    "Lo siento, pero no puedo ayudar con eso.",
    "Desculpe, mas não posso ajudar com isso.",
    "Mi dispiace, ma non posso aiutarti con questa richiesta.",
    "Je suis désolé, mais je ne peux pas répondre à cette demande.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Leider kann ich diese Anfrage nicht beantworten.",
    "Het spijt me, maar daar kan ik niet bij helpen.".replace("niet bij", "u niet mee").replace(
        "mee helpen", "helpen"
    ),
    "Przepraszam, ale nie mogę pomóc w tej sprawie.",
    "Извините, но я не могу помочь с этим.",
    "آسف، لا أستطيع مساعدتك في هذا.",
)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_one_within_the_tags_as_well(refusal: str) -> None:
    for reply in (
        refusal,
        f"<answer>{refusal}</answer>",
        f"Answer: {refusal}",
        json.dumps({"text": refusal}),
    ):
        assert extracted(reply) == "✗ refused"


@pytest.mark.parametrize(
    "text",
    [
        "I cannot help with the dishes, said the spoon.",
        "I can't do that. The tea, offended, went cold.",
        "I'm sorry, but I can't help with that; the needle, however, could.",
        "No changes were made to the menu since the war, nor to the soup.",
        "My text is the same as my mother's: late, short and about the weather.",
        "No puedo ayudar a nadie, dijo la tetera, y menos a mi madre.",
        "Ich kann dir nicht helfen, sprach die Nadel zum Faden.",
        "我无法提供更多的茶，茶壶说。",
    ],
)
def test_a_tagged_text_may_begin_as_refusals_do(text: str) -> None:
    assert extracted(f"<answer>{text}</answer>") == text


@pytest.mark.parametrize(
    "note",
    ["No changes.", "No changes are needed; it already has all that was asked for.", "(unchanged)",
     "[Same as above]", "No further revisions necessary.", "The text remains the same.",
     "My previous text stands as it is."],
)  # fmt: skip
def test_where_nothing_was_changed_the_text_of_the_turn_before_stands(note: str) -> None:
    for reply in (note, f"<answer>{note}</answer><explanation>Fine.</explanation>"):
        answer = extract_answer(reply, "stop", PROMPTS)
        assert answer.reason == "no answer part: it says that nothing was changed"
        talk = Conversation(PROMPTS)
        assert not talk.take(f"Sure: {FORM}", "stop")
        assert not talk.take(reply, "stop")
        assert talk.answer == Answer(TEXT)
        assert talk.finished
        talk = Conversation(PROMPTS)
        assert not talk.take("I cannot help with that.", "stop")
        assert talk.take(reply, "stop") == "refused in words"


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


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("Antwort:", "Erklärung:"),
        ("**Überarbeitete Antwort:**", "**Änderungen:**"),
        ("## Text", "## Begründung"),
        ("Réponse :", "Explication :"),
        ("**Réponse finale\u00a0:**", "**Explications\u202f:**"),
        ("Respuesta:", "Explicación:"),
        ("TEXTO REVISADO:", "CAMBIOS:"),
        ("Resposta:", "Explicação:"),
        ("Risposta:", "Spiegazione:"),
        ("Antwoord:", "Uitleg:"),
        ("Odpowiedź:", "Wyjaśnienie:"),
        ("Ответ:", "Объяснение:"),
        ("**ИСПРАВЛЕННЫЙ ТЕКСТ**", "**Изменения**"),
        ("回答：", "说明："),
        ("最终答案:", "解释:"),
        ("**修改后的文本：**", "**修改：**"),
        ("答え：", "解説："),
        ("답변:", "설명:"),
        ("최종 답변 :", "변경 사항 :"),
        ("الإجابة:", "الشرح:"),
        ("Answer (Antwort):", "Explanation (Erklärung):"),
    ],
)
def test_labels_are_read_in_other_languages(answer: str, why: str) -> None:
    assert extracted(f"{answer} \n{TEXT}\n\n{why}\nThe verb takes both.") == TEXT
    assert extracted(f"{answer}\n{TEXT}\n{answer}\n{TEXT}") == "✗ several_answers"
    # within a line, or without a colon, a word is a word
    told = f"She gave me her {answer} and no more, and said it was the last of {why} them all."
    assert extracted(told) == told


def test_the_words_within_a_labelled_text_do_not_end_it() -> None:
    text = "No Explanation: none was given, and Answer: came there none.\nExplanations bore me."
    assert extracted(f"Answer: {text}\nExplanation: an Answer: irony.") == text


# neither both tags nor both labels


WHY = "The verb takes both."


@pytest.mark.parametrize(
    "reply",
    [
        # the whole reply
        TEXT,
        f"\n  {TEXT}\n\n",
        f"Sure! Here is my text:\n\n{TEXT}",
        f"Here's the final answer: {TEXT}",
        f"Certainly!\n\n{TEXT}\n\nI hope this helps!",
        f"{TEXT}\n<explanation>\n{WHY}",
        f"{TEXT}\n\nExplanation: {WHY}\n\n{WHY}",
        f"{TEXT}\n\n**Explanation**\n\n- {WHY}",
        f"<think>Hm.</think>{TEXT}",
        f"Hm, tea.\n</think>\n\n{TEXT}",
        f"{TEXT}<|im_end|>",
        f"{TEXT}</s>",
        f"```\n{TEXT}\n```",
        # among signs of a chat template, or with the turns of others behind it
        f"<|im_start|>assistant\n{TEXT}<|im_end|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{TEXT}<|eot_id|>",
        f"[/INST] {TEXT}",
        f"{FORM}<|im_end|>\n<|im_start|>user\nAnd now?<|im_end|>\n{FORM}",
        f"{TEXT}<end_of_turn>\n<start_of_turn>user\nAnd now?",
        f"<response>\n{TEXT}\n</response>",
        # a lone closing tag
        f"{TEXT}\n</answer>",
        f"Here is my text: {TEXT}\n</answer>\n<explanation>\n{WHY}",
        # a lone opening tag
        f"<answer>{TEXT}",
        f"<answer>{TEXT}\n<\\answer>",
        f"**<answer>**\n{TEXT}\n**</answer>**",
        f"Sure.\n\n<answer>\n{TEXT}\n",
        f"<answer>{TEXT}</answ",
        f"<answer>\n{TEXT}\n<explanation>\n{WHY}\n\n{WHY}",
        f"<answer>\n{TEXT}\n</explanation>",
        f"<answer>{TEXT}\n\n**Explanation:** {WHY}",
        f"<explanation>{WHY}</explanation>\n<answer>{TEXT}",
        # a label
        f"Answer: {TEXT}",
        f"answer: {TEXT}\nexplanation: {WHY}",
        f"**Answer**\n\n{TEXT}\n\n**Explanation**\n\n{WHY}",
        f"**Answer**\n{TEXT}",
        f"**Answer: {TEXT}**\nExplanation: {WHY}",
        f"**Answer:** {TEXT}",
        f"### Answer\n{TEXT}\n### Explanation\n{WHY}",
        f"Sure!\n\nFinal answer: {TEXT}\n\nExplanations:\n- {WHY}",
        f"Text: {TEXT}\nExplanation: {WHY}\nExplanation: {WHY}",
        f"Answer: {TEXT}\n<explanation>{WHY}</explanation>",
        f"The Answer: {TEXT}\nExplanation: {WHY}",
        f"Answer：{TEXT}\nExplanation：{WHY}",
        f"Answer (回答): {TEXT}\n\nExplanation (解释): {WHY}",
        f"### 1. Answer\n{TEXT}\n\n### 2. Explanation\n{WHY}",
        f"{TEXT}\n\n---\n\n**Explanation:** {WHY}",
    ],
)
def test_the_text_need_not_be_tagged(reply: str) -> None:
    assert extracted(reply) == extracted(reply, "unknown") == TEXT


@pytest.mark.parametrize(
    "reply",
    [
        f"{TEXT}\n<explanation>{WHY}",
        f"<answer>{TEXT}\n<explanation>{WHY}",
        f"Answer: {TEXT}\nExplanation: {WHY}",
        f"**Answer**\n{TEXT}\n\n**Explanation**\n",
        f"<|im_start|>assistant\n{TEXT}<|im_end|>\n<|im_start|>user\nAnd",
    ],
)
def test_a_text_that_was_ended_counts_though_the_explanation_was_cut_off(reply: str) -> None:
    assert extracted(reply, "max_tokens") == extracted(reply, "model_length") == TEXT


@pytest.mark.parametrize(
    "reply",
    [
        f"<|channel|>analysis<|message|>Tea? <answer>x</answer>.<|end|><|start|>assistant"
        f"<|channel|>final<|message|>{FORM}<|return|>",
        f"<|channel|>analysis<|message|>Tea?<|end|><|start|>assistant<|channel|>commentary"
        f"<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{TEXT}<|return|>",
        f"<|channel|>final<|message|>{TEXT}",
        f"analysisWe need <answer>x</answer>.assistantfinal{FORM}",
        f"<think>One <answer>draft</answer>, then another.\n\n{FORM}",
        f"<think>Tea, so {FORM}",
        f"<thinking>Tea, so\nAnswer: {TEXT}",
        f"<reasoning><answer>x</answer></reasoning>{FORM}",
        f"[THINK]Tea.[/THINK]{TEXT}",
        f"◁think▷Tea.◁/think▷{FORM}",
        f"<|begin_of_thought|>Tea <answer>x</answer><|end_of_thought|>\n<|begin_of_solution|>"
        f"{FORM}<|end_of_solution|>",
        f"<unused94>thought\nTea <answer>x</answer><unused95>{FORM}",
        f"<|channel>thought\nTea.<channel|>{TEXT}",
        f"<|START_THINKING|>Tea.<|END_THINKING|><|START_RESPONSE|>{TEXT}<|END_RESPONSE|>",
        f"<mm:think>Tea <answer>x</answer></mm:think>{FORM}",
        f"Here is my thought process:\nTea.\n\nHere is my response:\n{TEXT}",
        f"Reasoning: I could write <answer>x</answer>, but no.\n\n{FORM}",
        f"**Reasoning:** Tea.\n\n**Answer:** {TEXT}",
        f"Thinking Process:\n\n1. Tea: <answer>x</answer>?\n\n{FORM}",
        f"Here is my thought process: tea.\nAnswer: {TEXT}\nExplanation: {WHY}",
    ],
)
def test_thinking_of_every_known_form_is_left_out(reply: str) -> None:
    assert extracted(reply) == TEXT
    assert extracted(f"<think>So.</think>{reply}") == TEXT
    first = Conversation(PROMPTS)
    assert not first.take(reply, "stop")
    assert "draft" not in first.replies[0]
    assert "<answer>x" not in first.replies[0]


def test_an_unknown_form_of_thinking_is_named() -> None:
    for form in ("<ponder>", "<|mull|>", "[MUSE]"):
        answer = extract_answer(f"{form}Tea:\n<answer>a</answer>\n{FORM}", "stop", PROMPTS)
        assert answer.code == "several_answers"
        assert answer.reason == (
            f"several answer parts: it begins with {form}, which is no form that is known"
        )
        assert extracted(f"{form}Tea.") == "✗ no_answer"
    assert extract_answer("<answer>a</answer><answer>b", "stop", PROMPTS).detail == ""


@pytest.mark.parametrize(
    "text",
    [
        "Unfortunately the kettle will not boil for love or money.",
        "I'm sorry, said the tailor, but the thread has run out of patience.",
        "I cannot help that the needle loves the cloth more than the thread does.",
        "I can't thread a needle, and my needle can't thread a thought.",
        "The line stands at the counter, and so does the price of tea.",
    ],
)
def test_a_text_may_speak_as_refusals_do(text: str) -> None:
    assert extracted(text) == text


def test_the_turns_of_others_are_not_passed_on() -> None:
    talk = Conversation(PROMPTS)
    assert not talk.take(f"{FORM}<|im_end|>\n<|im_start|>user\nAnd now?", "max_tokens")
    assert talk.replies == [FORM]


# no text


@pytest.mark.parametrize(
    ("reply", "stop_reason", "reason"),
    [
        # nothing, or something else
        ("", "stop", "empty"),
        (" \n ", "unknown", "empty"),
        ("", "tool_calls", "empty"),
        ("", "content_filter", "filtered"),
        (FORM, "content_filter", "filtered"),
        ("<explanation>both</explanation>", "stop", "no_answer"),
        (f"</answer>{TEXT}<answer>", "stop", "no_answer"),
        # of several paragraphs, one may be an explanation
        (f"{TEXT}\n\nThis shows zeugma.", "stop", "no_answer"),
        (f"<answer>{TEXT}\n\nThis shows zeugma.", "stop", "no_answer"),
        (f"Answer: {TEXT}\n\nThis shows zeugma.", "stop", "no_answer"),
        (f"Here is my text:\n\n{TEXT}\n\nThis shows zeugma.", "stop", "no_answer"),
        # nor does anybody know where a text ends that goes over into its explanation
        (f"{TEXT} This sentence uses zeugma.", "stop", "no_answer"),
        (f"Answer: {TEXT}\nThe text shows zeugma in its verb.", "stop", "no_answer"),
        ('{"answer": "a", "explanation": "b", "answer": "c"}', "stop", "several_answers"),
        ('{"answer": ["a"], "explanation": "b"}', "stop", "no_answer"),
        ('{"answer": ""}', "stop", "empty"),
        ('{"answer": "Let me', "max_tokens", "cut_off"),
        ('{"reply": "It has no field of the name."}', "stop", "no_answer"),
        # neither lists, nor headings, tables and talk
        (f"- zeugma: {TEXT}\n- litotes: not bad.", "stop", "no_answer"),
        (f"# Sewing\n{TEXT}", "stop", "no_answer"),
        ("| skill | words |", "stop", "no_answer"),
        ("Certainly! Here is a text that you will like.", "stop", "no_answer"),
        ("Reasoning: tea it is, said my old aunt.", "stop", "no_answer"),
        ("Sorry, what?", "stop", "no_answer"),
        ("Could you please clarify which topic the text is to have?", "stop", "no_answer"),
        ("No changes are needed; it already has all that was asked for.", "stop", "no_answer"),
        ("The original text is good and has every skill in it.", "stop", "no_answer"),
        (f"<|im_start|>assistant\n{TEXT}", "max_tokens", "cut_off"),
        # refusals
        ("I cannot help with that.", "stop", "refused"),
        ("I'm sorry, but I can't assist with this request.", "stop", "refused"),
        ("As an AI language model, I am not able to write that.", "stop", "refused"),
        ("Unfortunately, I won’t write about it.\n\nAsk me for something else.", "stop", "refused"),
        ("**I'm sorry, but I can't help with that.**", "stop", "refused"),
        ("As an AI language model, I don't have the ability to write this.", "stop", "refused"),
        ("I apologize, but I do not feel comfortable writing that.", "stop", "refused"),
        ("It is not possible for me to write this text.", "stop", "refused"),
        ("I'd rather not write about it. What else can I do for you?", "stop", "refused"),
        ("This request goes against my guidelines, so I have to pass.", "stop", "refused"),
        ("<answer></answer>", "stop", "empty"),
        ("<answer> \n\t</answer><explanation>x</explanation>", "stop", "empty"),
        # not ended
        ("", "max_tokens", "cut_off"),
        ("Let me see. A text on tea", "max_tokens", "cut_off"),
        (f"<answer>{TEXT}", "max_tokens", "cut_off"),
        (f"<answer>{TEXT}</answ", "model_length", "context_full"),
        ("<explanation>First, the", "max_tokens", "cut_off"),
        # twice
        ("<answer>a</answer><answer>b</answer>", "stop", "several_answers"),
        ("<answer>a</answer><answer>a</answer>", "stop", "several_answers"),
        ("<answer>a<answer>b</answer></answer>", "stop", "several_answers"),
        ("<answer>a<answer>b</answer>", "stop", "several_answers"),
        ("<answer>a</answer> not b</answer>", "stop", "several_answers"),
        ("<answer>a</answer><answer>b", "max_tokens", "several_answers"),
        ("I use <answer> and </answer>. " + FORM, "stop", "several_answers"),
        (f"First:\n<answer>a</answer>\nSecond:\n{FORM}", "stop", "several_answers"),
        (f"<answer>a\n</answer>\n{TEXT}\n</answer>", "stop", "several_answers"),
        ("[answer]a[/answer] [answer]b[/answer]", "stop", "several_answers"),
        ("<answer>a<answer>b", "stop", "several_answers"),
        # thinking
        (f"<think>Tea, so {FORM}", "max_tokens", "cut_off_thinking"),
        ("<think>Tea.</think>", "max_tokens", "cut_off_thinking"),
        ("<think>Tea.</think>", "stop", "empty"),
        ("<think>Tea.</think><think>So", "stop", "no_answer"),
        (f"Hm </think> {FORM} {FORM}", "stop", "several_answers"),
        # labels
        (f"Answer: {TEXT}", "max_tokens", "cut_off"),
        (f"Explanation: both.\nAnswer: {TEXT}", "stop", "no_answer"),
        ("Answer: a\nAnswer: b\nExplanation: c", "stop", "several_answers"),
        ("Answer:\nExplanation: none", "stop", "empty"),
    ],
)
def test_what_is_no_text_gives_a_reason(reply: str, stop_reason: str, reason: str) -> None:
    assert extracted(reply, stop_reason) == f"✗ {reason}"


@given(st.text() | st.lists(WORDS | st.sampled_from(["<answer>", "</answer>"])).map("".join),
       st.sampled_from(["stop", "max_tokens", "content_filter", "unknown"]))  # fmt: skip
def test_every_reply_gives_a_text_or_a_reason(reply: str, stop_reason: str) -> None:
    for prompts in (PROMPTS, WORLD):
        answer = extract_answer(reply, stop_reason, prompts)
        assert bool(answer.text) != bool(answer.code)
        assert answer.text == answer.text.strip()


# the whole reply


@pytest.mark.parametrize(
    ("reply", "stop_reason", "answer"),
    [
        (" Tea . \n", "stop", Answer("Tea .")),
        ("Tea .", "unknown", Answer("Tea .")),
        ("<answer>Tea</answer>", "stop", Answer("<answer>Tea</answer>")),
        ("<think>Hm</think> Tea .", "stop", Answer("Tea .")),
        ("Tea </think> .", "stop", Answer("Tea </think> .")),
        ("Tea .", "max_tokens", Answer("", "cut_off")),
        ("", "stop", Answer("", "empty")),
        ("Tea", "content_filter", Answer("", "filtered")),
    ],
)
def test_the_whole_reply_is_the_text(reply: str, stop_reason: str, answer: Answer) -> None:
    assert extract_answer(reply, stop_reason, WORLD) == answer


def test_thinking_is_dropped_only_at_the_beginning() -> None:
    assert without_thinking("a<think>b</think>c") == "a<think>b</think>c"
    assert without_thinking("<think>b</think>c<think>d") == "c<think>d"
    assert without_thinking("<think>b") is None


@pytest.mark.parametrize(
    "part",
    [
        "<answer>",
        "</answer>",
        "<think>",
        "</think>",
        "Answer:\n",
        "*",
        " ",
        "[answer",
        "&lt;",
        "a<think>",
        "no puedo ",
        '{"answer": "',
        '"a": "b", ',
        "\\boxed{",
        "```\n",
        "<answer x=",
        "I can't ",
        "答案我",
    ],
)
def test_long_replies_of_tags_are_read_in_no_time(part: str) -> None:
    answer = extract_answer(part * 50_000, "stop", PROMPTS)
    assert bool(answer.text) != bool(answer.code)
