"""Korean in the protocol: sentences counted by hand, replies of students, marks of graders."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unparrot.core.skills import SkillCombination
from unparrot.eval.protocol.conversation import Conversation, extract_answer
from unparrot.eval.protocol.grading import read_grades
from unparrot.eval.protocol.sentences import count_sentences
from unparrot.packs.prompts import load_prompts
from unparrot.packs.reading import load_pack

PROMPTS = load_prompts("skillmix.ko")
TEXT = "쟁기는 밭의 연필이었고, 소는 제 이름도 못 쓰면서 종일 받아쓰기를 했다."
WHY = "'밭의 연필'에서 쟁기를 연필이라 불렀습니다."
TEA = SkillCombination("차", ("은유",))
TOKEN = "M0a1b2c3d4e5f"
LABELLED = [
    ("비가 왔다.", 1),
    ("비가 왔다", 1),
    ("비가 와요. 우산이 없어요.", 2),
    ("어서 오세요! 차 한잔 하실래요?", 2),
    ("그가 웃었다. 나는 울었다. 개는 잤다.", 3),
    ("정말? 정말! 정말…", 3),
    ("뭐라고?! 다시 말해 봐.", 2),
    ("물이 3.5리터 남았다.", 1),
    ("물은 3.5리터, 소금은 0.2킬로그램이다. 모자란다.", 2),
    ("2024. 5. 1. 문을 열었다.", 1),
    ("2024. 5. 1.에 문을 열었다. 손님은 없었다.", 2),
    ("그 배는 1987년 10월 3일에 떠났다. 7명이 탔다.", 2),
    ("오후 3시 30분이었다. 해가 기울었다.", 2),
    ("값은 12,500원이다. 비싸다.", 2),
    ('"비가 온다"고 그가 말했다.', 1),
    ('"비가 온다."라고 그가 말했다.', 1),
    ("“비가 온다.”라고 말했다. 우리는 뛰었다.", 2),
    ("“비가 온다!” 하고 그가 외쳤다.", 1),
    ("“비가 온다.” 그가 말했다.", 1),
    ("“비가 온다.” 그가 말했다. “뛰자.”", 2),
    ("“어디 가?” 어머니가 물었다. “장에요.” 나는 대답했다.", 2),
    ("그가 말했다. “비가 온다.”", 2),
    ("그가 말했다. “비가 온다. 뛰자.” 우리는 뛰었다.", 4),
    ("그는 “간다.”라는 쪽지를 남겼다.", 1),
    ("그는 ‘이제 끝이다.’ 하고 생각했다.", 1),
    ("‘왜 하필 오늘인가?’ 그는 속으로 물었다.", 1),
    ("그는 ‘봄’이라는 말을 싫어했다. 꽃가루 때문이었다.", 2),
    ("“눈이 와요.” “어디요?” “저기요.”", 3),
    ("“아이고…” 할머니가 한숨을 쉬었다.", 1),
    ("“그만!”이라는 소리에 모두 멈췄다.", 1),
    ("“그만!” 문이 벌컥 열렸다.", 2),
    ("“가자.” 그는 외투를 집었다.", 2),
    ("「돌아오라.」라고 적혀 있었다.", 1),
    ("『토지』를 읽었다. 사흘이 걸렸다.", 2),
    ("그는 망설였다… 그리고 떠났다.", 2),
    ("그는… 아무 말도 하지 않았다.", 1),
    ("저… 그게… 제가 깼어요.", 1),
    ("글쎄... 잘 모르겠네요.", 1),
    ("잘 모르겠네요... 다음에 다시 오세요.", 2),
    ("비는 그쳤지만... 길은 아직 젖어 있었다.", 1),
    ("눈이 내렸다...... 아무도 오지 않았다.", 2),
    ("제가 요새 사정이 좀….", 1),
    ("그래, 그건 그렇다 치자. 그다음은?", 2),
    ("오냐. 가거라. 뒤돌아보지 마라.", 3),
    ("왜. 뭐. 어쩌라고.", 3),
    ("이게 뭔가요? 떡입니다. 드셔 보세요!", 3),
    ("첫째, 쌀을 씻는다. 둘째, 불린다. 셋째, 안친다.", 3),
    ("1. 쌀을 씻는다. 2. 물을 붓는다. 3. 불을 켠다.", 3),
    ("- 쌀을 씻는다\n- 물을 붓는다\n- 불을 켠다", 3),
    ("1) 쌀을 씻는다\n2) 물을 붓는다", 2),
    ("맷돌이 돈다\n콩이 운다\n밤이 간다", 3),
    ("산은 높아 구름을 이고\n물은 깊어 달을 안는다", 1),
    ("산은 높아 구름을 이고,\n물은 깊어 달을 안는다.", 1),
    ("소리 없이 내리더니\n나뭇잎을 다 적시고\n기척도 없이 그쳤다.", 1),
    ("해가 졌다.\n\n달이 떴다.", 2),
    ("해가 졌다.\n달이 떴다.", 2),
    ("제목: 맷돌\n\n맷돌은 돌 두 짝으로 된다.", 2),
    ("할머니께,\n\n잘 지내시지요?", 1),
    ("그는 A씨를 만났다. B씨는 오지 않았다.", 2),
    ("www.example.com에 들어가 보았다. 문이 닫혀 있었다.", 2),
    ("김 씨(52)는 웃었다. 이 씨(48)는 웃지 않았다.", 2),
    ("그는 갔다(나도 갔다). 아무도 없었다.", 2),
    ("(그는 웃었다.) 나는 울었다.", 2),
    ("Dr. 김은 의사다. 나는 아니다.", 2),
    ("그는 U.S.A.라고 쓴 모자를 썼다. 어울렸다.", 2),
    ("vs. 라는 말은 겨룸을 뜻한다.", 1),
    ("나는 보았다, 불 꺼진 나루터를.", 1),
    ("비가 오나; 눈이 오나; 그는 나갔다.", 1),
    ("그의 답은 이랬다: 모른다.", 1),
    ("배가 떴다 — 아무도 타지 않은 채로.", 1),
    ("왔노라, 보았노라, 이겼노라!", 1),
    ("아, 첫눈이 이렇게도 곱게 오는구나!", 1),
    ("밥은 먹었니? 응. 너는?", 3),
    ("그래서요? 그래서 어떻게 됐는데요??", 2),
    ("ㅋㅋㅋ 그게 뭐야. 웃기다.", 2),
    ("맷돌은 돈다~ 콩은 운다~", 1),
    ("정말 좋았어요! ^^ 또 갈게요.", 2),
    ("좋아요👍 내일 봐요.", 1),
    ("비가 왔다.그리고 그쳤다.", 2),
    ("“갔다.”그가 말했다.", 1),
    ("“안녕하세요. 처음 뵙겠습니다.” 그가 고개를 숙였다.", 3),
    ("“누구냐?” “접니다.” “들어오너라.” 문이 열렸다.", 4),
    ("아내가 “먼저 자.” 하길래 나는 불을 껐다.", 1),
    ("그 소리를 듣고 “아차!” 했다.", 1),
    ("“됐다.”며 그는 손을 저었다.", 1),
    ("“됐다.”면서 손을 저었다. 다들 웃었다.", 2),
    ("“싫어.”란 말이 돌아왔다.", 1),
    ("그때 ‘쿵!’ 소리가 났다. 담이 무너졌다.", 2),
    ("이 글은 두 문장이다? 아니, 셋이다. 끝.", 3),
    ("섭씨 -3.2도였다. 강이 얼었다.", 2),
    ("제3.1절을 보라. 거기 있다.", 2),
    ("버전 2.0.1이 나왔다. 느렸다.", 2),
    ("약 50%가 젖었다. 나머지는 말랐다.", 2),
    ("가. 쌀을 씻는다.\n나. 물을 붓는다.", 2),
    ("모자… 아니, 모자보다 장갑이 낫겠다.", 1),
    ("그는 말했다, “나는 간다.”", 1),
    ("어머니는 늘 말씀하셨다. 밥은 먹고 다니라고.", 2),
    ("해금은 두 줄이다。 가야금은 열두 줄이다。", 2),
    ("해금은 두 줄이다! 가야금은 열두 줄이다！ 그렇다？", 3),
    ("떠났다.…아무 말도 없이.", 2),
]
NOT_FOUND = [
    # each quotation has its speaker before it, as in a play
    ('선비가 물었다. "이 고을의 자랑이 무엇이오?" 노인이 답했다. "느티나무요."', 4),
    # the verb of speech leads to the next quotation
    ('"이제 그만 좀 해." 대답이 없자 아내가 다시 말했다. "나가 주시겠어요?"', 3),
    # no mark, on one line
    ("오늘은 비가 왔다 우산을 샀다", 2),
]
"""What is miscounted, kept here so that an improvement shows."""


@pytest.mark.parametrize(("text", "sentences"), LABELLED)
def test_labelled_texts(text: str, sentences: int) -> None:
    assert count_sentences(text, "ko") == sentences
    assert count_sentences(unicodedata.normalize("NFD", text), "ko-KR") == sentences


@pytest.mark.parametrize(("text", "sentences"), NOT_FOUND)
def test_known_gaps(text: str, sentences: int) -> None:
    assert count_sentences(text, "ko") != sentences


def test_sentences_of_the_pack_add_up() -> None:
    definitions = [skill.definition for skill in load_pack("language.ko").skills]
    for size in (2, 3, 5):
        for start in range(0, len(definitions) - size, size):
            text = " ".join(definitions[start : start + size])
            assert count_sentences(text, "ko") == size, text


@given(st.text(st.sampled_from("가다요까 \n.!?…“”\"'‘’「」()-1가.나2024. 라고했다말")))
def test_any_text_has_a_count(text: str) -> None:
    assert 0 <= count_sentences(text, "ko") <= len(text) + 1


@pytest.mark.parametrize(
    "text", ["다." * 50_000, "다…" * 50_000, "“다.” " * 20_000, "1. " * 50_000, "다\n" * 50_000]
)
def test_long_and_odd_texts_are_counted(text: str) -> None:
    assert count_sentences(text, "ko") >= 0


@pytest.mark.parametrize(
    "reply",
    [
        f"<answer>\n{TEXT}\n</answer>\n<explanation>\n{WHY}\n</explanation>",
        f"<답>\n{TEXT}\n</답>\n<설명>\n{WHY}\n</설명>",
        f"<답변>{TEXT}</답변>",
        f"[글]\n{TEXT}\n[/글]\n[설명]\n{WHY}\n[/설명]",
        f"<answer>{TEXT}</답>",
        f"답변: {TEXT}\n\n설명: {WHY}",
        f"**답:** {TEXT}\n\n**설명:** {WHY}",
        f"**최종 답변**\n{TEXT}\n\n**설명**\n{WHY}",
        f"## 글\n{TEXT}\n\n## 해설\n{WHY}",
        f"수정된 글：{TEXT}\n변경 사항: 없음",
        f"답 (Answer): {TEXT}\n설명 (Explanation): {WHY}",
        f"네, 다음은 요청하신 글입니다:\n\n{TEXT}",
        f"다음은 최종 글입니다.\n\n{TEXT}\n\n도움이 되었기를 바랍니다!",
        f"물론입니다!\n\n{TEXT}",
        f"생각 과정: 답: 무엇을 쓸까.\n<answer>{TEXT}</answer>",
        TEXT,
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_answer_in_korean_is_read(reply: str, form: str) -> None:
    assert extract_answer(unicodedata.normalize(form, reply), "stop", PROMPTS).text == TEXT


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("죄송합니다. 이 요청은 도와드릴 수 없습니다.", "refused"),
        ("죄송하지만 그런 글은 작성해 드릴 수 없습니다.", "refused"),
        ("<answer>요청하신 글은 작성할 수 없습니다.</answer>", "refused"),
        ("해당 내용은 제공하기 어렵습니다.", "refused"),
        (f"답변: {TEXT}\n답변: {TEXT}", "several_answers"),
        (f"설명: {WHY}\n답변: {TEXT}", "no_answer"),
        (f"{TEXT}\n\n이 글은 은유를 잘 보여 준다.", "no_answer"),
        (f"{TEXT} 이 글은 은유를 사용했습니다.", "no_answer"),
        ("물론입니다! 한번 해 보겠습니다.", "no_answer"),
        ("<답></답>", "empty"),
    ],
)
def test_what_is_no_answer(reply: str, code: str) -> None:
    assert extract_answer(reply, "stop", PROMPTS).code == code


@pytest.mark.parametrize(
    "text",
    [
        "어머니의 부탁은 도무지 거절할 수 없었다.",
        "선생님, 그 요청만은 들어드릴 수가 없어 밤새 울었습니다.",
        "노를 저어도 배가 나아갈 수 없으니 돛이 답이었다.",
        "죄송하다는 말을 쓸 수 없는 편지였다.",
        "의사는 손을 내저었다. “I can't help you with that.”",
        "글을 그대로 두자던 스승의 말이 옳았다.",
    ],
)
def test_texts_that_only_speak_like_refusals(text: str) -> None:
    assert extract_answer(f"<answer>{text}</answer>", "stop", PROMPTS).text == text


@pytest.mark.parametrize(
    "note",
    ["수정할 점이 없습니다.", "변경 사항 없음", "고칠 곳이 없습니다. 글을 그대로 둡니다."],
)
def test_a_text_that_was_not_changed_stands(note: str) -> None:
    talk = Conversation(PROMPTS)
    talk.take(f"<답>{TEXT}</답>", "stop")
    talk.take(f"<answer>{note}</answer>", "stop")
    assert (talk.finished, talk.answer.text) == (True, TEXT)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("= 1점", "earned"),
        ("= 0점", "missed"),
        ("= 1 점 (뚜렷이 드러난다)", "earned"),
        ("= 1 - 더할 나위 없이 잘 드러난다", "earned"),
        ("= 1 - 은유가 보이지 않음", "unscored"),
        ("= 1, 은유가 없다.", "unscored"),
        ("= 1 (절반만 맞음)", "unscored"),
        ("= 1 (아마도)", "unscored"),
        ("= 0.5점", "unscored"),
        ("= 절반", "unscored"),
        ("= 일점", "unscored"),
    ],
)
def test_a_mark_in_korean(line: str, status: str) -> None:
    marks = read_grades(f"까닭을 따져 본다.\n{TOKEN} S1 {line}", "stop", TEA, TOKEN, "text")
    assert marks["은유"].status == status
