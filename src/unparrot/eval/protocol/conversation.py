"""The conversation with a student: the prompt of each turn, and the text that its replies give.

`Conversation` is fed reply after reply, whether they come from a model, a journal or Inspect, and
says which turn comes next, the finished text, or why there is none. A text counts if the last reply
has it in the form that was asked for, once and whole. Whatever else a model sends, such as a
refusal, half an answer or two of them, is no text but a reason.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.packs.prompts import PromptSet, fill

# Stop reasons, as Inspect names them, of a reply that its writer had not ended.
CUT_OFF: Final = frozenset({"max_tokens", "model_length"})

_TAG: Final = re.compile(r"<(/?)(answer|explanation)>", re.ASCII | re.IGNORECASE)
_THINKING: Final = re.compile(r"\s*<(think|thinking)>", re.ASCII | re.IGNORECASE)
_THOUGHT: Final = re.compile(r"</(?:think|thinking)>", re.ASCII | re.IGNORECASE)
_LABEL: Final = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+)?([*_]{0,3})(Answer|Explanation)(?:\1[ \t]*:|:\1)", re.MULTILINE
)


class Answer(NamedTuple):
    """The text of a reply, or why there is none: exactly one of the two is not empty."""

    text: str
    reason: str


_UNFINISHED: Final = Answer("", "the conversation was not finished")


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
    words = without_thinking(reply)
    if failure:
        return "", Answer("", f"no reply: {failure}")
    if stop_reason == "content_filter":
        return "", Answer("", "refused")
    if words is not None and not words.strip():
        return "", Answer("", "empty reply")
    if words is None or turn == len(prompts.turns):
        return (words or "").strip(), extract_answer(reply, stop_reason, prompts)
    return words.strip(), Answer(words.strip(), "")


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
    """Take the text out of a student's reply.

    A thinking part at the beginning is left out. Then, if the answer is tagged, the text is what
    stands between <answer> and </answer>, each of which must occur exactly once. A reply without
    any tag may mark the parts by ``Answer:`` and ``Explanation:`` at the beginning of a line, each
    exactly once and in this order, plain or emphasised as Markdown does.

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
        The text without white space at its ends; or a reason, from a short list, if there is none.
        A text that was ended counts although its explanation was cut off.

    Examples
    --------
    >>> from unparrot.packs.prompts import load_prompts
    >>> prompts = load_prompts("skillmix.en")
    >>> extract_answer("<answer>Tea. Explanation: none.</answer>", "max_tokens", prompts).text
    'Tea. Explanation: none.'
    >>> extract_answer("I would rather not.", "stop", prompts).reason
    'no answer part'
    """
    if stop_reason == "content_filter":
        return Answer("", "refused")
    cut = stop_reason in CUT_OFF
    words = without_thinking(reply)
    if words is None:
        return Answer("", "cut off while thinking" if cut else "the thinking part has no end")
    if prompts.answer == "whole":
        return Answer("", "cut off before the answer ended") if cut else _kept(words)
    words = _after_unopened_thinking(words)
    if not words.strip():
        return Answer("", "cut off before the answer ended" if cut else "empty reply")
    return (_tagged if _TAG.search(words) else _labelled)(words, cut)


def without_thinking(reply: str) -> str | None:
    """Return the reply without the thinking parts that it begins with; None if one has no end.

    Examples
    --------
    >>> without_thinking("<think>Hm: <answer>?</think><answer>Tea.</answer>")
    '<answer>Tea.</answer>'
    """
    start = 0
    while opened := _THINKING.match(reply, start):
        closed = _THOUGHT.search(reply, opened.end())
        if closed is None:
            return None
        start = closed.end()
    return reply[start:]


def _after_unopened_thinking(reply: str) -> str:
    """What follows the end of a thinking part whose beginning was not sent, as some servers do;
    the whole reply if the one answer does not stand behind it."""
    *_, last = [None, *_THOUGHT.finditer(reply)]
    if last is None:
        return reply
    after = reply[last.end() :]
    tags = [tag[1] for tag in _TAG.finditer(after) if tag[2].lower() == "answer"]
    return after if tags == ["", "/"] else reply


def _kept(text: str) -> Answer:
    text = text.strip()
    return Answer(text, "") if text else Answer("", "empty answer")


def _tagged(reply: str, cut: bool) -> Answer:
    tags = [tag for tag in _TAG.finditer(reply) if tag[2].lower() == "answer"]
    shape = "".join(tag[1] or "<" for tag in tags)
    if shape == "</":
        return _kept(reply[tags[0].end() : tags[1].start()])
    if shape.count("<") > 1 or shape.count("/") > 1:
        return Answer("", "several answer parts")
    if "/" not in shape and cut:
        return Answer("", "cut off before the answer ended")
    return Answer("", "the answer part has no end" if shape == "<" else "no answer part")


def _labelled(reply: str, cut: bool) -> Answer:
    labels = list(_LABEL.finditer(reply))
    names = [label[2] for label in labels]
    if names == ["Answer", "Explanation"]:
        return _kept(reply[labels[0].end() : labels[1].start()])
    if names.count("Answer") > 1:
        return Answer("", "several answer parts")
    if names.count("Explanation") > 1:
        return Answer("", "several explanation parts")
    if cut and "Explanation" not in names:
        return Answer("", "cut off before the answer ended")
    return Answer("", "the answer part has no end" if names == ["Answer"] else "no answer part")
