"""Grading: the prompt of a grader, and its marks, read so strictly that a student cannot give them.

A grader sees the student's text and may quote it, wherever and however it likes. So marks count
only where they stand with a token that is drawn afresh for every call, after the student has
written. In the text form that is a line for each mark; in the schema form, one JSON object that is
the whole reply. Nothing else in a reply is ever a mark. A grader may also repeat the text right
behind its token or the name of a criterion: a line of the text that would read as a mark there is
shown to it behind ``>``, which no mark has.
"""

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final, Literal, cast

from unparrot.core.errors import BadInput
from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.inputs import unique_keys
from unparrot.core.skills import CRITERIA, LENGTH, SkillBatch, SkillCombination, SkillPack
from unparrot.eval.protocol.conversation import (
    CUT_OFF,
    TAIL,
    THOUGHT,
    task_values,
    without_thinking,
)
from unparrot.packs.prompts import PromptSet, fill

# How a grader replies: as a JSON object under a schema, or with a line for each mark.
Form = Literal["schema", "text"]

TOKEN: Final = re.compile(r"[A-Za-z0-9]{8,64}", re.ASCII)
_MARKS: Final = {"0": MISSED, "1": EARNED}
_REASONS: Final = frozenset({"why"})

# What a line may have around its parts: white space, the signs of lists, quotations and headings,
# the bars of a table; emphasis, quotation marks and square brackets are taken out before.
_SPACES: Final = re.compile("[ \t\u00a0\u2007\u202f]+")
_ORNAMENTS: Final = dict.fromkeys(map(ord, "*_`\"'“”‘’[]"))
_LINE: Final = re.compile(
    r" ?\|? ?(?:(?:[-+•>]|#{1,6}|[0-9]{1,2}[.)]) )*"
    r"(?P<token>[A-Za-z0-9]+)(?: ?[|:,] ?| )"
    r"(?P<id>S[0-9]{1,4}|TOPIC|SENSE|LENGTH)"
    r"(?: ?[:=|,→] ?| [-–—] )(?P<value>.*)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_VALUE: Final = re.compile(
    r"(?:MARK:? )?(?P<mark>[01])(?:\.0)?(?: ?/ ?1(?:\.0)?)?(?: points?| ?점)?\.? ?"
    r"(?:\((?P<aside>[^()]*)\)\.?|(?:[,;:–—-]|--|\|) (?P<remark>.*))? ?\|? ?",
    re.ASCII | re.IGNORECASE,
)
# What is no mark, but a second opinion beside one.
_RIVAL: Final = re.compile(r"\W*(?:half|partial|절반|부분|[0-9½¼¾])", re.IGNORECASE)
# Remarks behind a mark, their apostrophes taken out, that take it back, or half of it: behind any
# mark, and behind a point.
_DOUBT: Final = re.compile(
    r"\b(?:zero|half|partial\w*|maybe|perhaps|either|(?:un|not )sure)\b"
    r"|영점|절반|반만|부분|일부|아마|글쎄|애매|불확실",
    re.IGNORECASE,
)
_AGAINST: Final = re.compile(
    r"\W*(?:no|not|missing|absent|fail\w*|false|lack\w*|(?:[a-z]+ ){0,3}(?:is|was|do|does|did|has)"
    r"(?:nt| not))\b"
    # a clause of Korean is denied at its end
    r"|.*(?:없|않|아니|아님|아닙|아닌|못|부족|누락|실패|미흡)\w{0,5}\W*$",
    re.IGNORECASE,
)
# Lines of a student's text that could complete a mark: 0 or 1 comes first, or behind a sign.
_COMPLETES: Final = re.compile(
    r"^(?=(?:(?:[^\w\n]|_)*|[^\n]*[:=|(,→>–—-][ \t\u00a0\u2007\u202f*_`\"'“”‘’[\]]*)(?:MARK:? )?"
    r"[01](?:\.0)?[*_`.]*+[ \t]*+(?:[^\w \t]|points?\b|점|\Z))",
    re.MULTILINE | re.IGNORECASE,
)
_FENCED: Final = re.compile(r"```(?:json)?[ \t]*\r?\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


def new_token() -> str:
    """Return a token that nobody can guess: a letter and 12 hexadecimal digits, 2^48 of them."""
    return "M" + secrets.token_hex(6)


def criterion_ids(combination: SkillCombination) -> dict[str, str]:
    """Return the short name of each criterion, in the order in which they are asked for.

    Examples
    --------
    >>> criterion_ids(SkillCombination("tea", ("irony",)))
    {'irony': 'S1', 'topic': 'TOPIC', 'sense': 'SENSE', 'length': 'LENGTH'}
    """
    return dict(zip(combination.criteria, _ids(combination.criteria), strict=True))


def _ids(criteria: Sequence[str]) -> list[str]:
    return [
        name.upper() if name in CRITERIA else f"S{i}" for i, name in enumerate(criteria, start=1)
    ]


def grading_prompt(
    prompts: PromptSet,
    pack: SkillPack,
    combination: SkillCombination,
    text: str,
    token: str,
    form: Form,
) -> str:
    """Return the prompt of a grader.

    Parameters
    ----------
    prompts
        The templates.
    pack
        Definitions and examples of the skills.
    combination
        What the student was asked for.
    text
        What the student wrote.
    token
        Drawn for this call, see `new_token`; it marks off the text and the marks.
    form
        How the grader is to reply.

    Raises
    ------
    BadInput
        If the pack lacks a skill, the token is none, or the task or the text contains it.
    """
    values = task_values(prompts, pack, combination)
    _check_token(token)
    if any(token.lower() in value.lower() for value in (text, *values.values())):
        raise BadInput(f"the token {token!r} occurs in what is graded; draw another")
    ids = criterion_ids(combination)
    of_text = {
        "topic": fill(prompts.criterion_topic, values),
        "sense": prompts.criterion_sense,
        "length": fill(prompts.criterion_length, values),
    }
    rubric = [
        f"{short}: {of_text.get(name) or fill(prompts.criterion_skill, {'name': name})}"
        for name, short in ids.items()
    ]
    values |= {
        "token": token,
        "text": _COMPLETES.sub("> ", text),
        "criteria": "\n".join(rubric),
        "ids": ", ".join(ids.values()),
        # no digit here, so that a grader who repeats these lines gives no mark by it
        "lines": "\n".join(f"{token} {name} = MARK" for name in ids.values()),
    }
    closing = prompts.grading_schema if form == "schema" else prompts.grading_text
    return f"{fill(prompts.grading, values)}\n\n{fill(closing, values)}"


def grading_schema(combination: SkillCombination) -> dict[str, Any]:
    """Return the JSON schema of a reply, in the part of the language that strict modes take.

    For each criterion the reasons come before the mark, so that a model reasons first; of a batch
    of skills, most of which a text does not show, there are no reasons.
    """
    why = {} if isinstance(combination, SkillBatch) else {"why": {"type": "string"}}
    entry = closed_object({**why, "mark": {"type": "integer", "enum": [0, 1]}})
    ids = criterion_ids(combination).values()
    return closed_object({"token": {"type": "string"}, **dict.fromkeys(ids, entry)})


def closed_object(properties: Mapping[str, object]) -> dict[str, Any]:
    """Return the JSON schema of an object with just these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def read_grades(
    reply: str,
    stop_reason: str,
    combination: SkillCombination,
    token: str,
    form: Form,
    failure: str = "",
) -> dict[str, Mark]:
    """Read a grader's marks: of several tries of a round the first that marks everything counts,
    or the last.

    Parameters
    ----------
    reply
        All that the grader wrote.
    stop_reason
        Why it stopped, as Inspect names it.
    combination
        What the student was asked for.
    token
        The token of the prompt.
    form
        The form that the prompt asked for.
    failure
        Why the call stayed without a reply, in two words; empty if it was answered.

    Returns
    -------
    dict
        A mark for each of the k + 3 criteria, in their order; unscored, with a reason from a short
        list, where the reply does not give it as it was asked to.

    Raises
    ------
    BadInput
        If the token is none.

    Notes
    -----
    In the text form a line ends at a line feed and nowhere else. It is a mark if it says
    ``TOKEN S1 = 1``, the name in small letters or not, with another sign or the bar of a table for
    each space or ``=``; ``1.0``, ``1/1``, ``1 point`` and ``MARK: 1`` are 1. Around it white space,
    emphasis, quotation marks, square brackets, a full stop and the signs of lists, quotations and
    headings are allowed, and behind it, after ``;`` or ``,``, the next mark. A remark may follow in
    brackets, behind a sign, or in the next cell, if it holds no number and does not take the mark
    back. All other lines are passed over. A criterion that is marked twice and not alike is
    unscored, whether 1 and 0 or 1 and 0.5, and so is one whose line a limit cut off. Lines of
    thinking at the beginning count only if the rest leaves a criterion open. The name of the
    criterion may stand behind its short name, in brackets or in a cell. The object of the schema
    form is read, too, if it is the whole reply and complete.

    Examples
    --------
    >>> tea = SkillCombination("tea", ("irony",))
    >>> reply = "I: S1 = 1.\\nM0a1b2c3 S1 = 0\\n- **M0a1b2c3 TOPIC: 1**\\nM0a1b2c3 SENSE = 1/2"
    >>> marks = read_grades(reply, "stop", tea, "M0a1b2c3", "text")
    >>> [mark.status for mark in marks.values()]
    ['missed', 'earned', 'unscored', 'unscored']
    >>> marks["sense"].reason
    'the mark is neither 0 nor 1'
    """
    _check_token(token)
    ids = criterion_ids(combination)
    if failure:
        return dict.fromkeys(ids, Mark.unscored(f"no reply: {failure}"))
    if not reply.strip():
        reason = "the grader was filtered" if stop_reason == "content_filter" else "empty reply"
        return dict.fromkeys(ids, Mark.unscored(reason))
    words = _readings(reply, stop_reason)
    ways = [(_from_object, part) for part in dict.fromkeys(reversed(words))]
    if form == "text":
        ways += [(_from_lines, part) for part in dict.fromkeys(words)]
    marks: dict[str, Mark] = {}
    for read, part in ways:
        marks = read(part, stop_reason, ids, token)
        if not missing(marks):
            break
    return marks


def _readings(reply: str, stop_reason: str) -> list[str]:
    """A reply without thinking, which some servers send with its end alone, and last the whole,
    which an object has to be."""
    if stop_reason not in CUT_OFF:
        reply = TAIL.sub("", reply)
    return [without_thinking(reply) or "", THOUGHT.split(reply)[-1], reply]


def read_object(reply: str, stop_reason: str, token: str) -> dict[str, object] | str:
    """Return the one JSON object with the token that is the whole reply, thinking left out; or why
    there is none."""
    reason = "the reply is empty"
    for part in reversed(_readings(reply, stop_reason)):
        fields = _fields(part.strip(), stop_reason)
        if not isinstance(fields, str) and fields.get("token") == token:
            return fields
        reason = fields if isinstance(fields, str) else "the JSON lacks the token"
    return reason.replace("the grader's", "the").replace("the grader", "the model")


def missing(marks: Mapping[str, Mark]) -> list[str]:
    """Return why marks are unscored, each reason once; empty if every mark was given.

    Examples
    --------
    >>> missing({"irony": EARNED, "topic": Mark.unscored("cut off")})
    ['cut off']
    """
    return list(dict.fromkeys(mark.reason for mark in marks.values() if mark.reason))


def faults(marks: Mapping[str, Mark]) -> str:
    """Return what is said to a grader that is asked again: what its last reply lacked.

    It quotes nothing of that reply, which may hold the student's words; the criteria are told by
    their short names.
    """
    names = dict(zip(marks, _ids(list(marks)), strict=True))
    lack = "; ".join(f"{names[name]}: {mark.reason}" for name, mark in marks.items() if mark.reason)
    return (
        f"\n\nYour last reply to this could not be used ({lack}). Keep exactly to the form above."
    )


def _check_token(token: str) -> None:
    if not TOKEN.fullmatch(token):
        raise BadInput(f"a token is 8 to 64 letters and digits, as new_token() makes it: {token!r}")


def _not_given(stop_reason: str, otherwise: str) -> str:
    if stop_reason in CUT_OFF:
        return "the grader's reply is cut off"
    return "the grader was filtered" if stop_reason == "content_filter" else otherwise


def _from_lines(
    reply: str, stop_reason: str, ids: Mapping[str, str], token: str
) -> dict[str, Mark]:
    lines = reply.split("\n")
    # a reply that was cut off could go on: "1" with "0", with "/2", or with second thoughts
    whole = len(lines) - (stop_reason in CUT_OFF or stop_reason == "content_filter")
    given: defaultdict[str, set[Mark]] = defaultdict(set)
    odd = Mark.unscored("the mark is neither 0 nor 1")
    strange: set[str] = set()
    for number, line in enumerate(lines):
        rows = [line] if token in line else []
        if line.count(token) > 1:  # several marks may stand in a line, one right behind the other
            rows = re.split(rf"[;,] ?(?=[*_`[]*{token})", line)
        for row in rows:
            # one space for a row of them, which the patterns would try in every way
            row = _without_name(_SPACES.sub(" ", row.removesuffix("\r")), ids)
            parts = _LINE.fullmatch(row.translate(_ORNAMENTS))
            if parts is None or parts["token"] != token:
                break
            value = _clear_value(parts["value"])
            name = parts["id"].upper()
            if number >= whole:
                given[name].add(Mark.unscored(_not_given(stop_reason, "")))
            elif value is not None:
                given[name].add(_MARKS[value])
            else:
                given[name] |= {odd} if _RIVAL.match(parts["value"]) else set()
                strange.add(name)
                break
    nothing = Mark.unscored(_not_given(stop_reason, "the grader's reply does not mark it"))
    twice = Mark.unscored("marked twice, not alike")
    marks: dict[str, Mark] = {}
    for criterion, name in ids.items():
        mark, *others = given[name] or {odd if name in strange else nothing}
        marks[criterion] = twice if others else mark
    return marks


def _without_name(row: str, ids: Mapping[str, str]) -> str:
    """The row without the name of a criterion, which may follow its short name, in brackets or in a
    cell."""
    if "(" not in row and "|" not in row:  # the pattern of a combination takes long to compile
        return row
    names = "|".join(map(re.escape, ids))
    named = (
        rf"(\b(?:{'|'.join(ids.values())})\b[*_`]*)(?: \((?:{names})\)| ?\| (?:{names})(?= ?\|))"
    )
    return re.sub(named, r"\1", row, count=1, flags=re.IGNORECASE)


def _clear_value(cell: str) -> str | None:
    """The mark that a line gives, None if there is none or the remark behind it is another."""
    value = _VALUE.fullmatch(cell)
    if value is None:
        return None
    mark, remark = value["mark"], value["aside"] or value["remark"] or ""
    doubtful = any(map(str.isnumeric, remark)) or _DOUBT.search(remark)
    return None if doubtful or (mark == "1" and _AGAINST.match(remark)) else mark


def _from_object(
    reply: str, stop_reason: str, ids: Mapping[str, str], token: str
) -> dict[str, Mark]:
    fields = _fields(reply.strip(), stop_reason)
    if isinstance(fields, str):
        reason = fields
    elif fields.get("token") != token:
        reason = "the grader's JSON lacks the token"
    elif not fields.keys() <= {"token", *ids.values()}:
        reason = "the grader's JSON has other fields"
    else:
        reasons = _REASONS if LENGTH in ids else frozenset[str]()  # else a batch of skills
        return {name: _entry_mark(fields.get(short), reasons) for name, short in ids.items()}
    return dict.fromkeys(ids, Mark.unscored(reason))


def _fields(reply: str, stop_reason: str) -> dict[str, object] | str:
    """The fields of the one object that is the reply, or why there is none."""
    fenced = _FENCED.fullmatch(reply)
    none = "the grader's reply is not one JSON object"
    try:
        content: object = json.loads(
            fenced[1] if fenced else reply, object_pairs_hook=unique_keys, parse_constant=_refuse
        )
    except BadInput:
        return "the grader's JSON has a key twice"
    except (ValueError, RecursionError):
        return _not_given(stop_reason, none)
    return cast(dict[str, object], content) if isinstance(content, dict) else none


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _entry_mark(entry: Any, reasons: Set[str]) -> Mark:
    match entry:
        case None:
            return Mark.unscored("the grader's reply does not mark it")
        case {"mark": mark, **more} if more.keys() == reasons and all(
            isinstance(why, str) for why in more.values()
        ):
            # neither true, which Python takes for 1, nor 1.0
            if type(mark) is int and mark in (0, 1):
                return EARNED if mark else MISSED
            return Mark.unscored("the mark is neither 0 nor 1")
        case _:
            return Mark.unscored("the mark is not in the form asked for")
