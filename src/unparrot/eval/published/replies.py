"""The marks in a grader's reply, read strictly: `unparrot eval import DIR`.

Two forms were published: a table that follows the words *Here's the grading table*, and a
*Point earned: 1* after each criterion. A mark counts if the reply says 0 or 1 under the name of a
criterion that was asked for, once and not cut off; all else is unscored with its reason. Nothing
is read by position, from a quotation of the student's text, or from a table that stands elsewhere.
A row under a name of the grader's own making counts only if it is the one row left for the one
criterion left, and the sum that the grader states then holds.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.skills import CRITERIA, LENGTH, SkillCombination
from unparrot.packs.checking import bare_name

_TABLE_MARKER: Final = re.compile(r"here(?:'s| is) the grading table")
_POINT: Final = re.compile(r"points?[ _]earned(?:\s+for\s+(?P<name>[^\n:]{1,200}?))?\s*:")
_POINT_VALUE: Final = re.compile(r"[\s*_'\"`]*(?P<value>[^\s*_'\"`]*)")
_TOTAL: Final = re.compile(r"(?:\bgrade\s*:|\btotal points earned\b)[^\n\d-]*(\d+(?:\.\d+)?)")
_CELL: Final = re.compile(r"(-?\d+\.?\d*)\s*(?:/\s*1|\(?\s*out of 1\s*\)?|points?)?")
_LOOKS_LIKE_A_MARK: Final = re.compile(
    r"points?[ _]earned|grading table|\|\s*-?[\d.]+\s*(?:\||$)", re.MULTILINE
)
_LEAD: Final = (
    r"(?:(?:criterion|skill)[\W_]+)?(?:(?:the[\W_]+)?(?:student[\W_]+s[\W_]+)?"
    r"(?:text|answer|response)[\W_]+)?(?:correctly[\W_]+)?"
    r"(?:(?:illustrates?|contains?|demonstrates?|shows?)[\W_]+)?(?:(?:an?|the)[\W_]+)?"
)
_WORDS: Final = re.compile(r"\w+")
_RUBRIC: Final = re.compile(r"criteria(?: are)?\s*:(.*)", re.DOTALL)


class Reading(NamedTuple):
    """The marks of a reply.

    Attributes
    ----------
    marks
        One for each of the k + 3 criteria; length as the grader sees it.
    numbers
        Every number that stood under a criterion, in the order of the criteria: also those that are
        no mark.
    total
        The sum that the reply states at its end, as it was asked to; None if it does not.
    rubric
        Whether the prompt named any criterion.
    """

    marks: Mapping[str, Mark]
    numbers: tuple[float, ...]
    total: float | None
    rubric: bool


def read_reply(prompt: str, reply: str, combination: SkillCombination, text: str) -> Reading:
    """Read the marks that a reply gives.

    Parameters
    ----------
    prompt, reply
        What the grader was asked, and what it said.
    combination
        What the student was asked for.
    text
        The student's text. If it has the form of a mark no reply about it is read: one that
        quotes it cannot be told from one that marks it.

    Returns
    -------
    Reading
        Every criterion has a mark; those the reply leaves open are unscored and say why.

    Examples
    --------
    >>> tea = SkillCombination("tea", ("irony",))
    >>> prompt = "Write 'Point earned: 1' or 0. Criteria: Irony, Pertains to tea, Text makes sense."
    >>> reply = "Irony: not at all. Point earned: 0\\nPertains to tea: yes. Point earned: 1\\nText"
    >>> reading = read_reply(prompt, reply, tea, "Lovely.")
    >>> [mark.status for mark in reading.marks.values()]
    ['missed', 'earned', 'unscored', 'unscored']
    >>> reading.marks["sense"].reason
    "the grader's reply is cut off before this mark"
    """
    instructions = _plain(prompt.replace(text, " ", 1) if text else prompt)
    words = _plain(reply)
    names = _names(combination)
    rubric = _rubric(instructions, names)
    criteria = (*combination.skills, *CRITERIA)
    total = _total(words)

    def all_open(reason: str) -> Reading:
        return Reading(dict.fromkeys(criteria, Mark.unscored(reason)), (), total, bool(rubric))

    if not words.strip():
        return all_open("the grader's reply is empty")
    if _LOOKS_LIKE_A_MARK.search(_plain(text)):
        return all_open("the student's text has the form of a mark, so its grades cannot be told")
    if _TABLE_MARKER.search(instructions):
        _, *tables = _TABLE_MARKER.split(words)
        if len(tables) > 1:
            return all_open("the grader's reply has several grading tables")
        values = _from_table(tables[0], names, criteria, total) if tables else {}
        nothing = "the grader's reply has no table after the words that were to introduce it"
    elif _POINT.search(instructions):
        values = _from_points(words, names, ended=total is not None)
        nothing = "the grader's reply gives no marks"
    else:
        return all_open("the grader's prompt asks for marks in a form that is not known")
    if not values:
        return all_open(nothing)
    cut = "is cut off before this mark" if total is None else "does not mark it"
    marks = dict.fromkeys(criteria, Mark.unscored(f"the grader's reply {cut}"))
    marks |= {
        criterion: Mark.unscored("the grader was not asked for it")
        for criterion in CRITERIA
        if criterion not in rubric
    }
    marks |= {criterion: value.mark for criterion, value in values.items()}
    numbers = [values[criterion].number for criterion in criteria if criterion in values]
    return Reading(marks, tuple(n for n in numbers if n is not None), total, bool(rubric))


class _Value(NamedTuple):
    """The mark of a criterion, and the number it was read from."""

    mark: Mark
    number: float | None


def _plain(text: str) -> str:
    """Lower case, straight quotes, plain line breaks."""
    text = unicodedata.normalize("NFKC", text).replace("\r\n", "\n").casefold()
    return text.translate(str.maketrans("‘’“”", "''\"\""))


def _words(text: str) -> str:
    return " ".join(_WORDS.findall(text.replace("_", " ")))


def _names(combination: SkillCombination) -> dict[str, str]:
    """What a criterion may be called, as words; names of two criteria are nobody's."""
    about, sense, _ = CRITERIA
    pairs = [(name, skill) for skill in combination.skills for name in (skill, bare_name(skill))]
    pairs += [(f"pertains to {of}{combination.topic}", about) for of in ("", "the topic of ")]
    pairs += [("text makes sense", sense), ("makes sense", sense)]
    called: dict[str, set[str]] = defaultdict(set)
    for name, criterion in pairs:
        called[_words(_plain(name))].add(criterion)
    return {name: owners.pop() for name, owners in called.items() if name and len(owners) == 1}


def _criterion(head: str, names: Mapping[str, str]) -> str | None:
    """The criterion that a cell names, with or without what may stand before its name."""
    for text in (head, bare_name(head)):
        words = _words(text)
        bare = re.sub(rf"^(?:\d+ )?{_LEAD}", "", words)
        for name in (words, re.sub(r"^\d+ ", "", words), bare):
            if name in names:
                return names[name]
            if re.fullmatch(r"at most \w+ sentences?", name):
                return LENGTH
    return None


def _rubric(instructions: str, names: Mapping[str, str]) -> set[str]:
    """The criteria that the rubric of the prompt lists."""
    rubrics = _RUBRIC.findall(instructions)
    words = f" {_words(rubrics[-1] if rubrics else instructions)} "
    rubric = {criterion for name, criterion in names.items() if f" {name} " in words}
    return rubric | ({LENGTH} if re.search(r" at most \w+ sentences? ", words) else set())


def _total(reply: str) -> float | None:
    totals = _TOTAL.findall(reply.replace("|", " ").replace("*", " "))
    return float(totals[-1]) if totals else None


def _value(value: str) -> _Value:
    """The mark that a cell or the words after 'Point earned:' give."""
    cell = _CELL.fullmatch(value.strip(" *_'\"`.,;"))
    number = None if cell is None else float(cell[1])
    if number in (0, 1):
        return _Value(EARNED if number else MISSED, number)
    return _Value(Mark.unscored(f"the mark {value.strip()[:20]!r} is neither 0 nor 1"), number)


def _add(values: dict[str, _Value], criterion: str, value: _Value) -> None:
    """Add a mark; two that differ leave the criterion open."""
    if values.setdefault(criterion, value).mark != value.mark:
        twice = Mark.unscored("the grader's reply marks it twice, not alike")
        values[criterion] = _Value(twice, None)


def _from_table(
    table: str, names: Mapping[str, str], criteria: Sequence[str], total: float | None
) -> dict[str, _Value]:
    """The rows of the table that follows its marker, up to the first line that is none of it."""
    values: dict[str, _Value] = {}
    strange: list[_Value] = []
    lines = table.split("\n")[1:]
    begun = False
    for number, line in enumerate(lines, 1):
        if "|" not in line:
            if begun or line.strip(" :*"):
                break
            continue
        begun = True
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 2 or (number == len(lines) and not line.rstrip().endswith("|")):
            continue
        value = _value(cells[1])
        if criterion := _criterion(cells[0], names):
            _add(values, criterion, value)
        elif value.number is not None and not _words(cells[0]).startswith("total"):
            strange.append(value)
    left = [criterion for criterion in criteria if criterion not in values]
    known = [value.number for value in (*values.values(), *strange) if value.number is not None]
    all_known = len(known) == len(criteria)
    if len(left) == len(strange) == 1 and all_known and sum(known) == total:
        values[left[0]] = strange[0]
    return values


def _from_points(reply: str, names: Mapping[str, str], *, ended: bool) -> dict[str, _Value]:
    """Each 'Point earned' goes to the criterion of the heading before it, or the one it names.

    One below a heading of an unknown name counts as a second one of the heading before: if it is
    another mark both are left open, since neither is certain.
    """
    longest_first = sorted(names, key=len, reverse=True)
    called = "|".join(name.replace(" ", r"[\W_]+") for name in longest_first)
    heading = re.compile(
        rf"^[\W_]*(?:\d+[\W_]+)?(?P<head>{_LEAD}(?:{called}|at most \w+ sentences?))"
        rf"(?:[^\S\n]*\([^()\n]*\))?[^\w\n(]*?(?:[:.*\n'\"-]|$)",
        re.MULTILINE,
    )
    values: dict[str, _Value] = {}
    criterion: str | None = None
    end = 0
    for point in _POINT.finditer(reply):
        heads = [head["head"] for head in heading.finditer(reply[end : point.start()])]
        if point["name"] is not None:
            criterion = _criterion(point["name"], names)
        elif heads:
            criterion = _criterion(heads[-1], names)
        value = _POINT_VALUE.match(reply, point.end())
        assert value is not None
        end = value.end()
        cut = not value["value"] or (end == len(reply) and not ended)
        if criterion is not None and not cut:
            _add(values, criterion, _value(value["value"]))
    return values
