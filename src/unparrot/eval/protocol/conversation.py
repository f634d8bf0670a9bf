"""The conversation with a student: the prompt of each turn, and the text that its replies give.

`Conversation` is fed reply after reply, whether they come from a model, a journal or Inspect, and
says which turn comes next, the finished text, or why there is none, as a code of
`unparrot.core.grades.NO_TEXT`.

The prompts ask for a form, but the form is not the test. The text of a reply is, by the first of
these rules that applies, once the thinking that it begins or ends with is left out:

1. Tags: what stands between ``<answer>`` and ``</answer>``, each once. Where the reply lacks one of
   them as it was asked for, tags in square brackets, with spaces or attributes, or escaped count as
   well. Of more than one, those count that begin and end lines, for prose may mention tags.
2. An object: what the one field ``"answer"`` or ``"text"`` of a reply in JSON holds.
3. A lone ``<answer>``: what follows it; a lone ``</answer>``: what precedes it, read by rule 5.
4. A label at the beginning of a line, once: ``Answer:``, plain, as a heading or emphasised as
   Markdown does, where the colon may be left out; ``Text``, ``Final answer`` and the like, too, and
   the same in other languages (``Réponse :``, ``回答：``). Tags count in Korean as well: ``<답>``.
5. None of these: the whole reply.

By rules 3 to 5 the text ends where the explanation begins, marked by its tag or label. Where no
mark says so (and by rule 5 always), only one paragraph is taken for the text: of several, nobody
knows which one explains. By rule 5 a lead-in ("Here is my text:") and a closing line ("I hope this
helps!") are left out, and a list, a heading, a table, small talk or what has fewer than five words
is no text.

A refusal is no text. It is told by the stock sentences in which models refuse, in thirteen
languages: by rule 5 where the reply begins with one, by the others only where the text is nothing
else, for a text may speak as refusals do. A refusal in other words is a text that its grader marks.
Nor is a note that nothing was changed a text: the text of the turn before stands.

Replies are read in Unicode's composed form (NFC), in which a text is also kept.
"""

import html
import json
import re
import unicodedata
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.grades import NO_TEXT
from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.packs.prompts import PromptSet, fill

# Stop reasons, as Inspect names them, of a reply that its writer had not ended, and their codes.
CUT_OFF: Final = {"max_tokens": "cut_off", "model_length": "context_full"}

_TAG: Final = re.compile(r"<(/?)(answer|explanation)>", re.ASCII | re.IGNORECASE)
# Other ways to write them, and what they are called in Korean.
_TAG_NAMES: Final = dict.fromkeys(("답변", "답안", "답", "글"), "answer") | {"설명": "explanation"}
_TAG_LIKE: Final = re.compile(
    rf"\\?(?:[<\[＜]|&lt;)\s*([/\\]?)\s*(answer|explanation|{'|'.join(_TAG_NAMES)})(?:"
    r"\s+\w+\s*=[^<>\n]{0,80}?)?\s*/?\s*"
    r"\\?(?:[>\]＞]|&gt;)",
    re.ASCII | re.IGNORECASE,
)
_REPEATED: Final = re.compile(r"(</?answer>)(?:\s*\1)+", re.ASCII | re.IGNORECASE)
# A tag that is no mention in a line of prose: an opening one begins its line, a closing one begins
# or ends it, or the explanation follows.
_BLOCK_TAG: Final = re.compile(
    r"(?:^[ \t>*_`#]*)(?P<open><answer>)"
    r"|(?P<close>(?:^</answer>|</answer>(?=[ \t*_`]*(?:\r?$|<explanation>))))",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_FIELD: Final = re.compile(r'"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*")(?=\s*[,}])', re.DOTALL)
# The forms in which models write what they think, at the beginning of a reply: tags of many names,
# Granite's, Command A's, Mistral's, Kimi's, OpenThinker's, MedGemma's and Gemma's, and the channels
# of gpt-oss.
_TAGS: Final = r"(?:(?:\w+:)?think|thinking|thoughts?|reason|reasoning|reflection|scratchpad)"
_THINKING: Final = re.compile(
    rf"\s*(?:<{_TAGS}>"
    r"|here is my thought process:(?=.*\nhere is my response:)|<\|START_THINKING\|>|\[THINK\]"
    r"|◁think▷|<\|begin_of_thought\|>|<unused94>|<\|channel>thought|thinking\.\.\.\r?\n"
    r"|(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary)"
    r"|analysis(?=.*assistantfinal))",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
THOUGHT: Final = re.compile(
    rf"</{_TAGS}>"
    r"|\nhere is my response:|<\|END_THINKING\|>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>"
    r"|\n\.\.\.done thinking\.|<unused95>|<channel\|>|<\|channel\|>final(?:<\|message\|>)?"
    r"|assistantfinal",
    re.ASCII | re.IGNORECASE,
)
_AFTERTHOUGHT: Final = re.compile(rf"<{_TAGS}>|\[THINK\]|◁think▷", re.ASCII | re.IGNORECASE)
_REASONING: Final = re.compile(
    r"[#*_ ]*(?:(?:my |here is my )?(?:reasoning|thinking|thoughts?)(?: process)?"
    r"|(?:생각|추론|사고)(?: ?과정)?)[*_ ]*:",
    re.ASCII | re.IGNORECASE,
)
# Signs of chat templates: what opens a reply, and what ends it, behind which a model that was not
# stopped writes the turns of others.
_OPENING: Final = re.compile(
    r"\A\s*(?:<\|im_start\|>assistant|<\|start_header_id\|>assistant<\|end_header_id\|>|\[/INST\]|"
    r"<start_of_turn>model|<\|begin_of_solution\|>|<\|START_RESPONSE\|>|<(?:response|output)>)\s*",
    re.ASCII,
)
_TURN_END: Final = re.compile(
    r"<\|(?:im_end|im_start|eot_id|end|endoftext|end_of_text|return|END_RESPONSE)\|>|"
    r"<(?:end|start)_of_turn>|</s>\s*(?:<s>|\[INST\])",
    re.ASCII,
)
TAIL: Final = re.compile(
    r"(?:<\|\w+\|>|</s>|<eos>|<end_of_turn>|</(?:response|output)>)\s*\Z", re.ASCII
)
_STRESSED: Final = re.compile(r"([*_`]{1,3})(</?(?:answer|explanation)>)\1", re.IGNORECASE)
# A form of thinking that nobody has told us of.
_MARKER: Final = re.compile(r"(<[|/]?[A-Za-z][\w:-]{0,30}\|?>|\[[A-Z_]{3,20}\]|◁\w+▷)")
# The words of labels, in the languages of refusals: what a text may be, what it is called, and what
# its explanation is called.
_LABELLED: Final = (
    ("final|revised|improved|new", "answer|text", "explanations?|(?:key )?changes(?: made)?"),
    (
        "endgültiger?|finaler?|überarbeiteter?|verbesserter?|neuer?",
        "antwort|text",
        "erklärung|erläuterung|begründung|änderungen",
    ),
    (
        "finale?|définitive?|révisée?|améliorée?|nouve(?:au|lle)",
        "réponse|texte",
        "explications?|justification|modifications",
    ),
    ("final|revisad[oa]|mejorad[oa]|nuev[oa]", "respuesta|texto", "explicaci[óo]n|cambios"),
    ("revist[oa]|melhorad[oa]|nov[oa]", "resposta", "explicaç(?:ão|ões)|alterações|mudanças"),
    ("finale|rivist[oa]|migliorat[oa]|nuov[oa]", "risposta|testo", "spiegazion[ei]|modifiche"),
    (
        "definitie(?:f|ve)|herziene?|verbeterde?|nieuwe?",
        "antwoord|tekst",
        "uitleg|toelichting|verklaring|wijzigingen",
    ),
    ("ostateczn[ya]|poprawion[ya]|now[ya]", "odpowiedź|tekst", "wyjaśnienie|uzasadnienie|zmiany"),
    (
        "итоговый|окончательный|исправленный|улучшенный|новый",
        "ответ|текст",
        "объяснени[ея]|пояснени[ея]|изменения",
    ),
    (
        "最终|最終|最終的な|修改后的?|改进后的?|改善された|新的?",
        "答案|回答|文本|答え|テキスト|文章",
        "解释|说明|説明|解説|修改|変更点",
    ),
    (
        "최종|수정된|수정한|개선된|고친|다듬은|새로운|새",
        "답변|답안|답|텍스트|글",
        "설명|해설|풀이|(?:변경|수정) ?사항|고친 ?점",
    ),
    ("النهائية?|المعدلة?", "الإجابة|الجواب|النص", "الشرح|التفسير|التوضيح"),
)
_NAME: Final = "|".join(f"(?:(?:{now}) ?)?(?:{name})(?: (?:{now}))?" for now, name, _ in _LABELLED)
_WHY: Final = "|".join(why for *_, why in _LABELLED)
_LABEL: Final = re.compile(
    r"^[ \t]*(?P<head>#{1,6}[ \t]+)?(?P<mark>[*_]{1,3})?(?:[0-9][.)] )?"
    rf"(?:(?:the |my )?(?P<name>{_NAME}|(?:final|revised|"
    rf"improved|new) (?:version|sentence))|(?P<why>{_WHY}))"
    r"(?: ?[(/] ?[^\s():]{1,20}\)?)?"  # the same in another language
    r"(?:(?(mark)(?P=mark))[ \t]*[:：]|[ \u00a0\u202f]?[:：](?(mark)(?P=mark)?)"
    r"|(?(mark)(?P=mark)|(?(head)|(?!)))[ \t]*(?=\r?$))",
    re.IGNORECASE | re.MULTILINE,
)
# Words of a reply without marks, short of which it is no text but talk.
_FEWEST_WORDS: Final = 5
_PARAGRAPHS: Final = re.compile(r"\r?\n[^\S\n]*\r?\n\s*")
_LEAD_IN: Final = re.compile(
    r"(?:sure|certainly|of course|okay|absolutely|here|below|this is|the following)\b"
    r"(?=[^\n:]{0,99}\b(?:text|answer|version|sentence|example|paragraph|response|attempt)s?\b)"
    r"[^\n:]{0,120}:(?:\s+|$)"
    r"|(?:네|물론|알겠습니다|다음은|아래는|여기)[^\n:]{0,80}(?:글|답변|답안|문장)[^\n:]{0,20}니다"
    r"(?::\s*|\.?[ \t]*\n\s*)",
    re.ASCII | re.IGNORECASE,
)
_SMALL_TALK: Final = re.compile(
    r"(?:(?:sure|certainly|of course|okay|absolutely)[!,.]|I hope (?:this|that|it|you)|let me know|"
    r"feel free|(?:could you )?please (?:provide|clarify|specify|let me know)|"
    r"물론(?:입니다|이죠)|알겠습니다|도움이 되|(?:더|추가로|혹시) (?:필요|수정|궁금)|언제든|"
    r"궁금한 (?:점|것)|이상입니다)",
    re.ASCII | re.IGNORECASE,
)
_FENCE: Final = re.compile(r"^```\w*[ \t]*\r?$", re.ASCII | re.MULTILINE)
_WRAPPED: Final = re.compile(
    r"```\w*\r?\n(.*)\n```|\\boxed\{(?:\\text\{(.*)\}|(.*))\}", re.ASCII | re.DOTALL
)
_UNCHANGED: Final = re.compile(
    r"[\s\"'*(]*(?:(?:수정|변경|고칠|바꿀|고친|모자란)[^\n.]{0,12}없(?:음|다|습니다|어요)[\s\"'*.)]*"
    r"|(?:(?:원래 )?글(?:을|은)? )?그대로 (?:두|둡|둔|유지)[^\n.]{0,8}[\s\"'*.)]*)+\Z|"
    r"\W*+(?:no (?:further |more )?(?:changes?|improvements?|revisions?|corrections?)"
    r"(?: (?:is|are|was|were))?(?: (?:needed|necessary|required|made))?|unchanged|"
    r"same (?:text )?as (?:above|before)|"
    r"(?:the|my) (?:original |first |previous )?(?:text|answer) (?:is|remains|stays|stands) "
    r"(?:unchanged|the same|as (?:it )?is))(?:\W*\Z|[;,:.] (?:it|the text|my text|all)\b)",
    re.IGNORECASE,
)
# A text that goes over into its own explanation, with no mark between.
_EXPLAINS: Final = re.compile(
    r"\b(?:this|the|my) (?:(?:text|sentence|passage|phrase|answer|line)s? (?:above )?(?:already )?"
    r"(?:uses?|shows?|illustrates?|demonstrates?|employs?|contains?|combines?|meets?)|"
    r"(?:original|previous|first) (?:text|answer|version) (?:is|was|already|stands|remains|needs))"
    r"\b|(?:이|위|위의|제) ?(?:글|문장|구절|답변)(?:은|에서는?|에는)[^\n.]{0,60}"
    r"(?:보여 ?[주준줍]|드러[내나냅낸난]|활용|사용[하했])",
    re.ASCII | re.IGNORECASE,
)
_LISTED: Final = re.compile(r"^[ \t]*(?:[-*+•#|>]|[0-9]{1,2}[.)])[ \t#]", re.MULTILINE)
_UNABLE: Final = (
    r"(?:I ?(?:can(?:no|['’])t|can not|won['’]t|will not|(?:am|['’]m) (?:unable|not able)(?: to)?|"
    r"must decline(?: to)?|decline to|do(?:n['’]t| not) (?:feel comfortable|have the ability to))|"
    r"(?:it is|it['’]s) (?:not possible|impossible) for me to)"
)
_REFUSAL: Final = re.compile(
    rf"\W*(?:(?:(?:(?:I['’]?m|I am) (?:sorry|afraid)|sorry|I apologi[sz]e|unfortunately|"
    rf"as an? (?:AI|(?:large )?language model|assistant)|(?:this|your) request)\b"
    rf"[^\n]{{0,120}}?\b)?{_UNABLE}"
    r"(?:\W*$| (?:help|assist)(?: you)?(?: with\b|[.!,]|$)| (?:writ|provid|fulfil|comply|generat|"
    r"produc|creat|answer|continue|engag|discuss|complete|do (?:this|that|so)))|"
    r"I(?:['’]d| would) rather not(?:[.!]?$| (?:write|discuss|answer))|sorry,? (?:but )?can['’]t|"
    r"(?:this|your) (?:request|prompt) (?:goes against|violates|was rejected))",
    re.IGNORECASE,
)
# What else an English refusal says that is nothing but one.
_REQUEST: Final = re.compile(
    r"(?:\W+(?:you|with|to|about|on|for|an?|any|the|this|that|it|so|such|your|these|requests?|task|"
    r"prompt|text|topic|content|material|question|conversation|as|described|requested|asked|write|"
    r"provide|do|fulfill?|discuss))*[\s.!*]*"
    r"(?:(?:please|is there|if you|let me know|ask me|would you|how can|what else|feel free)\b.*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
# Refusals in other languages: what the model cannot do, and what it was asked for.
_CANNOT: Final = (
    ("无法|不能|没办法", "提供|帮|协助|满足|回答|完成|生成|创作|处理"),
    ("お手伝い|お答え|対応|作成|提供", "できません|できかね|いたしかね"),
    (
        r"(?:죄송합니다[.!] [^.\n]{0,60}?)?(?:도와|도움|작성|제공|답변|답해|응답|생성|요청|써)",
        "(?:드릴|드리기|할|하기|들어줄|응할|수행할|처리할) ?(?:수(?:가|는)? 없|어렵|곤란|힘들)"
        "(?:습니다|어요|겠습니다|을 것 같습니다)",
    ),
    ("no puedo", "ayudar|escribir|cumplir|proporcionar|responder|generar|crear|completar"),
    ("não (?:posso|consigo)", "ajudar|escrever|atender|fornecer|responder|gerar|criar"),
    ("non posso", "aiutar|scriver|fornir|rispondere|generar|creare|soddisfare"),
    ("je ne (?:peux|suis) pas", "aider|écrire|répondre|fournir|accéder|créer|générer"),
    (
        "ich kann|kann ich",
        r"nicht (?:\w+ )?(?:weiter)?(?:helfen|schreiben|erfüllen|beantworten|nachkommen)",
    ),
    ("ik kan|kan ik", r"niet (?:\w+ )?(?:helpen|schrijven|voldoen|beantwoorden)"),
    ("nie mogę", "pomóc|napisać|spełnić|odpowiedzieć"),
    ("не (?:могу|смогу)", "помочь|выполнить|написать|ответить|предоставить|создать"),
    ("لا (?:أستطيع|يمكنني)", "مساعد|تقديم|كتابة|تلبية|الإجابة"),
)
_REFUSALS: Final = re.compile(
    "|".join(
        rf"[^.。:：\"«„“\n]{{0,60}}?(?:{cannot})[^.。:：\"\n]{{0,30}}?(?:{act})"
        for cannot, act in _CANNOT
    ),
    re.IGNORECASE,
)


# What stands in a reply for letters in its midst that were not kept; they may be thinking.
LEFT_OUT: Final = "[unparrot left out {} letters]"
_LEFT_OUT: Final = re.compile(re.escape(LEFT_OUT).replace(r"\{\}", "[0-9,]+"))


class Answer(NamedTuple):
    """The text of a reply, or why there is none: exactly one of text and code is not empty.

    ``code`` is one of `unparrot.core.grades.NO_TEXT`, ``detail`` says more where there is more.
    """

    text: str
    code: str = ""
    detail: str = ""

    @property
    def reason(self) -> str:
        """Why there is no text, in words; empty if there is one."""
        words = NO_TEXT.get(self.code, "")
        return f"{words}: {self.detail}" if self.detail else words


_UNFINISHED: Final = Answer("", "unfinished")
_ENDLESS: Final = "the thinking part has no end"
_SAME: Final = Answer("", "no_answer", "it says that nothing was changed")


class Conversation:
    """The conversation about one text, as far as it has come.

    A turn is asked again until a reply can be used; how often is the caller's business.

    Parameters
    ----------
    prompts
        The turns.

    Examples
    --------
    >>> from unparrot.packs.prompts import load_prompts
    >>> talk = Conversation(load_prompts("skillmix.en"))
    >>> talk.take("I'd say <answer>Tea.</answer>", "stop"), talk.turn, talk.finished
    ('', 2, False)
    >>> talk.take("That will do.", "stop"), talk.turn
    ('no answer part', 2)
    >>> talk.take("<answer>Good tea.</answer>", "stop"), talk.finished, talk.answer.text
    ('', True, 'Good tea.')
    """

    def __init__(self, prompts: PromptSet) -> None:
        self.prompts = prompts
        # What the next turns see of the replies: one for each turn that is done.
        self.replies: list[str] = []
        # The text, or why there is none (so far).
        self.answer = _UNFINISHED

    @property
    def turn(self) -> int:
        """Number of the turn that waits for a reply, from 1."""
        return len(self.replies) + 1

    @property
    def finished(self) -> bool:
        """Whether every turn has a reply that could be used, and so there is a text."""
        return len(self.replies) == len(self.prompts.turns)

    def take(self, reply: str, stop_reason: str, failure: str = "") -> str:
        """Take a reply to the turn that waits for one.

        Parameters
        ----------
        reply, stop_reason
            What the model wrote, and why it stopped, as Inspect names it.
        failure
            Why the call stayed without a reply, in two words; empty if it was answered.

        Returns
        -------
        str
            Why the reply cannot be used, and the turn waits for another; empty if it was used.
        """
        passed_on, answer = read_turn(reply, stop_reason, failure, self.prompts, self.turn)
        if answer == _SAME and self.replies:
            answer = extract_answer(self.replies[-1], "stop", self.prompts)
        if not answer.reason:
            self.replies.append(passed_on)
        self.answer = answer if answer.reason or self.finished else _UNFINISHED
        return answer.reason


def read_turn(
    reply: str, stop_reason: str, failure: str, prompts: PromptSet, turn: int
) -> tuple[str, Answer]:
    """Return what later turns see of a reply, and the text in it or why it cannot be used.

    Before the last turn any reply with words in it will do, and all of it is the text. The
    parameters are those of `Conversation.take`.
    """
    if failure or stop_reason == "content_filter":
        return "", Answer("", "no_reply" if failure else "filtered", failure)
    words = (_without_thinking(reply, stop_reason, prompts) or "").strip()
    if left_out := _LEFT_OUT.search(words):
        return "", Answer("", "too_long", left_out[0].strip("[]"))
    if words and turn < len(prompts.turns):
        return words, Answer(words)
    return words, extract_answer(reply, stop_reason, prompts)


def turn_prompt(
    prompts: PromptSet, pack: SkillPack, combination: SkillCombination, turn: int
) -> str:
    """Return the prompt of a turn of the conversation.

    Parameters
    ----------
    prompts
        The templates.
    pack
        Definitions and examples of the skills.
    combination
        The topic and the skills, in the order in which they are listed.
    turn
        Number of the turn, from 1.

    Raises
    ------
    BadInput
        If there is no such turn, or the pack lacks a skill.
    """
    if not 1 <= turn <= len(prompts.turns):
        raise BadInput(
            f"the prompts {prompts.name!r} have the turns 1 to {len(prompts.turns)}; not {turn}"
        )
    return fill(prompts.turns[turn - 1], task_values(prompts, pack, combination))


def task_values(
    prompts: PromptSet, pack: SkillPack, combination: SkillCombination
) -> dict[str, str]:
    """Return what the placeholders of a task stand for: topic, skills, names and limit.

    Raises
    ------
    BadInput
        If the pack lacks a skill of the combination.
    """
    shown = ("name", "definition", "example")
    skills = [pack.skill(name) for name in combination.skills]
    entries = [fill(prompts.skill, {key: getattr(s, key) for key in shown}) for s in skills]
    return {
        "topic": combination.topic,
        "skills": "\n".join(entries),
        "names": prompts.separator.join(combination.skills),
        "limit": prompts.limit(combination.k),
    }


def extract_answer(reply: str, stop_reason: str, prompts: PromptSet) -> Answer:
    """Take the text out of a student's reply, by the rules at the head of this module.

    Parameters
    ----------
    reply
        All that the model wrote.
    stop_reason
        Why it stopped, as Inspect names it: ``stop``, ``max_tokens``, ``model_length``,
        ``tool_calls``, ``content_filter`` or ``unknown``.
    prompts
        Say whether the answer is tagged or is the whole reply.

    Returns
    -------
    Answer
        The text without white space at its ends; or a code if there is none. A text that was ended
        counts although its explanation was cut off.

    Examples
    --------
    >>> from unparrot.packs.prompts import load_prompts
    >>> prompts = load_prompts("skillmix.en")
    >>> extract_answer("<answer>Tea. Explanation: none.</answer>", "max_tokens", prompts).text
    'Tea. Explanation: none.'
    >>> extract_answer("**Answer**\\nTea.\\n\\n**Explanation**\\nNone.", "stop", prompts).text
    'Tea.'
    >>> extract_answer("I would rather not.", "stop", prompts).code
    'refused'
    """
    if stop_reason == "content_filter":
        return Answer("", "filtered")
    reply = unicodedata.normalize("NFC", reply)
    cut = CUT_OFF.get(stop_reason, "")
    words = _without_thinking(reply, stop_reason, prompts)
    if not (words and words.strip()):
        if cut == "cut_off" and reply.strip():
            return Answer("", "cut_off_thinking")
        endless = words is None and not cut
        return Answer("", "no_answer", _ENDLESS) if endless else Answer("", cut or "empty")
    if prompts.answer == "whole":
        return Answer("", cut) if cut else Answer(words.strip())
    ended = _TURN_END.search(_OPENING.sub("", without_thinking(reply) or ""))
    answer = _read(words, "" if ended else cut)
    marker = _MARKER.match(words.lstrip())
    if answer.code in ("no_answer", "several_answers") and marker and not _TAG.match(marker[1]):
        return answer._replace(detail=f"it begins with {marker[1]}, which is no form that is known")
    return answer


def without_thinking(reply: str) -> str | None:
    """Return the reply without the thinking parts that it begins with; None if one has no end.

    Examples
    --------
    >>> without_thinking("<think>Hm: <answer>?</think><answer>Tea.</answer>")
    '<answer>Tea.</answer>'
    """
    start = 0
    while opened := _THINKING.match(reply, start):
        closed = THOUGHT.search(reply, opened.end())
        if closed is None:
            return None
        start = closed.end()
    return reply[start:]


def _without_thinking(reply: str, stop_reason: str, prompts: PromptSet) -> str | None:
    """What a student wrote, without thinking and signs of chat templates, and with its tags as they
    were asked for; None if it thought to the end.

    Thinking that was not closed, or that begins with a label such as ``Reasoning:``, ends where the
    last answer part begins, if the reply was ended and nothing but the explanation follows that
    part. A closing sign alone, as some servers send it, ends thinking if the answer stands behind
    it. Where the whole reply is the text, only what is opened and closed is thinking.
    """
    words = without_thinking(reply)
    if prompts.answer == "whole":
        return words
    if words is None:
        return None if stop_reason in CUT_OFF else _last_answer(_with_tags(reply))
    words = _after_unopened_thinking(_before_afterthought(_with_tags(words)))
    words = _TURN_END.split(_OPENING.sub("", words), maxsplit=1)[0].strip()
    words = _STRESSED.sub(r"\2", TAIL.sub("", words).strip())
    return _last_answer(words) or words if _REASONING.match(words) else words


def _answer_tags(words: str) -> list[re.Match[str]]:
    return [tag for tag in _TAG.finditer(words) if tag[2].lower() == "answer"]


def _with_tags(words: str) -> str:
    """The reply with its tags as they were asked for, if it has others in place of one of them."""
    words = _REPEATED.sub(r"\1", words)
    if {tag[1] for tag in _answer_tags(words)} == {"", "/"}:
        return words
    if any("&" in tag[0] for tag in _TAG_LIKE.finditer(words)):
        words = html.unescape(words)
    return _TAG_LIKE.sub(
        lambda tag: f"<{'/' if tag[1] else ''}{_TAG_NAMES.get(tag[2], tag[2])}>", words
    )


def _last_answer(words: str) -> str | None:
    """The last answer part and the explanation behind it; None if there is none, or more follows.

    Labels count where there is no tag.
    """
    tags = _answer_tags(words)
    if not tags:
        labels = [label for label in _LABEL.finditer(words) if label["name"]]
        return words[labels[-1].start() :] if labels else None
    if [tag[1] for tag in tags[-2:]] != ["", "/"]:
        return None
    behind = words[tags[-1].end() :].strip()
    why = _TAG.match(behind) or _LABEL.match(behind)
    return words[tags[-2].start() :] if why or not behind else None


def _before_afterthought(words: str) -> str:
    """What precedes a thinking part that a reply ends with; all if it is a part of the answer."""
    opened = _AFTERTHOUGHT.search(words)
    if opened is None or not words[: opened.start()].strip():
        return words
    before, rest = words[: opened.start()], words[opened.end() :]
    given = [tag[1] for tag in _answer_tags(before)]
    if given != ["", "/"] and (given or _answer_tags(rest) or _LABEL.search(rest)):
        return words
    *_, closed = [None, *THOUGHT.finditer(rest)]
    return words if closed and rest[closed.end() :].strip() else before


def _after_unopened_thinking(reply: str) -> str:
    """What follows the end of a thinking part whose beginning was not sent; the whole reply if the
    one answer does not stand behind it."""
    *_, last = [None, *THOUGHT.finditer(reply)]
    if last is None:
        return reply
    after = reply[last.end() :]
    tags = [tag[1] for tag in _answer_tags(after)]
    return after if tags == ["", "/"] or not _answer_tags(reply) else reply


def _marked(text: str) -> Answer:
    """The text of a reply that marks it."""
    text = text.strip()
    if whole := _WRAPPED.fullmatch(text):
        text = next(filter(None, whole.groups()), "").strip()
    english, other = _REFUSAL.match(text), _REFUSALS.match(text)
    if (english and _REQUEST.fullmatch(text, english.end())) or (
        other and not re.search(r"[,，、.。!?\n].", text[other.end() :])
    ):
        return Answer("", "refused")
    if _UNCHANGED.match(text):
        return _SAME
    return Answer(text) if text else Answer("", "empty")


def _from_object(words: str) -> Answer | None:
    """The text of a reply in JSON, which need not have come to its end; None if it is no such."""
    pairs = _FIELD.findall(words) if words.startswith("{") else []
    texts = [value for name, value in pairs if name.lower() in ("answer", "text")]
    if len(texts) != 1:
        return Answer("", "several_answers") if texts else None
    try:
        text = json.loads(texts[0], strict=False)
    except ValueError:
        return None
    # halves of characters, which JSON can hold, are no text
    return _marked(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _between(words: str) -> str | None:
    """What stands between the two tags that mark the text; None if these are not plain."""
    tags, blocks = _answer_tags(words), list(_BLOCK_TAG.finditer(words))
    if len(tags) > 2 and [tag.lastgroup for tag in blocks] == ["open", "close"]:
        part = words[blocks[0].end() : blocks[1].start()]
        return None if _answer_tags(part) else part
    if len(tags) != 2 or tags[0][1]:
        return None
    part, behind = words[tags[0].end() : tags[1].start()], words[tags[1].end() :].strip()
    # an opening tag may close, if its stroke was forgotten
    closes = tags[1][1] or (part.strip() and (not behind or _TAG.match(behind)))
    return part if closes else None


def _read(words: str, cut: str) -> Answer:
    """The text of a reply without thinking; ``cut`` is the code if it was cut off."""
    if (between := _between(words)) is not None:
        return _marked(between)
    words = _FENCE.sub("", words).strip()
    tags = _answer_tags(words)
    if not tags and (answer := _from_object(words)):
        return answer
    labels = [] if tags else list(_LABEL.finditer(words))
    named = [label for label in labels if label["name"]]
    shape = "".join(tag[1] or "<" for tag in tags)
    if max(shape.count("<"), shape.count("/"), len(named)) > 1:
        return Answer("", "several_answers")
    if shape == "/":
        return _unmarked(words[: tags[0].start()].strip())
    if shape == "/<":
        return Answer("", "no_answer")
    opened = tags[0] if tags else named[0] if named else None
    start = opened.end() if opened else 0
    reasons = [match.start() for match in _TAG.finditer(words) if match[2].lower() != "answer"]
    reasons += [label.start() for label in _LABEL.finditer(words) if label["why"]]
    end = min((at for at in reasons if at >= start), default=None)
    if cut and (end is None or not words[start:end].strip()):
        return Answer("", cut)
    if named and any(at < start for at in reasons):
        return Answer("", "no_answer", "the explanation comes before the answer")
    part = re.sub(r"(?:</?[A-Za-z]*|\n\s*[-*_]{3,})$", "", words[start:end].rstrip())
    if named and (mark := named[0]["mark"]) and named[0][0].count(mark) == 1:
        part = part.removesuffix(mark)  # one that reaches to the end of the text
    if opened is None:
        return _unmarked(part.strip())
    if end is None and (_PARAGRAPHS.search(part.strip()) or _EXPLAINS.search(part)):
        return Answer("", "no_answer", "where it ends is not marked")
    return _marked(part)


def _unmarked(reply: str) -> Answer:
    """The text of a reply that marks no part of it."""
    if _REFUSAL.match(reply) or _REFUSALS.match(reply):
        return Answer("", "refused")
    lead = _LEAD_IN.match(reply)
    paragraphs = _PARAGRAPHS.split(reply[lead.end() :] if lead else reply)
    text, *more = [part for part in paragraphs if not _SMALL_TALK.match(part)] or [""]
    if more:
        return Answer("", "no_answer", "none of its paragraphs is marked")
    answer = _marked(text)
    if answer == _SAME:
        return answer
    text = answer.text
    strange = text[:1] in ("{", "[", "<") or _REASONING.match(text)
    strange = strange or any(form.search(text) for form in (_LISTED, _MARKER, _EXPLAINS))
    plain = not strange and len(re.findall(r"\w+", text)) >= _FEWEST_WORDS
    return answer if plain else Answer("", "no_answer")
