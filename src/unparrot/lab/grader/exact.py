"""The exact grader: reads a text, finds out what it says, and marks k + 3 criteria.

Run ``unparrot world grade FILE``. Criteria (SKILL-MIX, Yu et al. 2023, section 3.2): every skill is
shown; the text is about the topic; it makes sense; it has at most max(1, k - 1) sentences.

- A *skill* is shown if what it reads is what the text holds, what it concludes follows, and it acts
  where the plan asks (`unparrot.lab.grader.rules.plan`): a proposition in its order, an operator or
  a modifier in its clause and there in its order. Of two that are swapped neither is.
- *Topic*: no other person is named, no other thing, and the owner is the owner.
- *Sense*: every clause can be read, bears what was last said and names people as it should; nothing
  is said that was not asked for. A false conclusion costs its skill alone.

What can't be read costs sense and the skills of its own clause; the text may hold anything then,
and the reader goes on behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.skills import SkillCombination
from unparrot.lab.grader.grammar import (
    ASKS,
    JOINT,
    NAMED,
    OPENER,
    OPENING,
    OUTERMOST,
    PATTERNS,
    STOP,
)
from unparrot.lab.grader.reader import MOST_CLAUSES, About, Reader, Step, parse_about, split_figures
from unparrot.lab.grader.rules import ALLITERATION, LAST, QUESTION, Clause, Held, plan
from unparrot.lab.grader.words import OTHERS

# A longer text is no short text: it earns nothing (and costs no time)
MAX_CHARACTERS: Final = 16_384


@dataclass(slots=True)
class Reading:
    """What a text earns: its marks, what is wrong with its sense, its sentences."""

    marks: dict[str, bool]
    faults: list[str]
    sentences: int


def sentences_if_perfect(about: About, codes: str, planned: Sequence[Clause]) -> int:
    """Return the number of sentences of a text that is in all as the plan asks, or 0.

    It takes none of the ways that `Reader` knows to go on after a mistake, so it costs a third.
    """
    held: Held = list(about.held)
    end = len(codes)
    at = sentences = clauses = 0
    opener = None
    for names, modifiers in planned:
        if not clauses:
            opener = codes[at : at + 1] in OPENING and OPENER.match(codes, at)
            if opener:
                if not sentences:
                    return 0
                at = opener.end()
        form, key = OUTERMOST, about.woman
        steps: list[Step] = []
        for name in names:
            for pattern in PATTERNS[form][name]:
                if match := pattern.match(codes, at):
                    break
            else:
                return 0
            groups = match.groups()
            if pattern.noun >= 0 and (groups[pattern.noun] or groups[pattern.noun + 1]):
                key += NAMED
            if pattern.pick:
                due, key = pattern.due[key]
                if pattern.pick(groups) != due:
                    return 0
            at = match.end()
            form = pattern.inner
            steps.append((pattern, groups))
        pattern, groups = steps[-1]
        feeling, epithet, _, thing, figures = groups[pattern.noun : pattern.noun + 5]
        if feeling + thing != held[LAST]:
            return 0
        if modifiers or epithet or figures:
            written, figure_steps = split_figures(figures)
            if epithet:
                written = (ALLITERATION, *written)
                if epithet not in about.epithets:
                    return 0
            if written != modifiers:
                return 0
            for figure, words in figure_steps:
                if figure.judged and not figure.judge(words, held):
                    return 0
        for pattern, groups in reversed(steps):
            tail = pattern.tail
            if tail:
                match = tail.match(codes, at)
                if not match:
                    return 0
                at = match.end()
                words = match.groups()
                if tail.pick and tail.pick(words) != tail.due[key][0]:
                    return 0
                groups += words
            if pattern.judged and not pattern.judge(groups, held):
                return 0
        clauses += 1
        mark = codes[at : at + 1]
        if names[0] == QUESTION and (mark != ASKS or clauses > 1 or opener):
            return 0
        if mark == STOP or (mark == ASKS and names[0] == QUESTION):
            sentences += 1
            clauses = 0
            at += 1
        elif clauses < MOST_CLAUSES and (match := JOINT.match(codes, at)):
            at = match.end()
        else:
            return 0
    return sentences if at == end and not clauses else 0


def read(combination: SkillCombination, about: str, text: str) -> Reading:
    """Return what `text` says and its marks; see `marks`."""
    skills = combination.skills
    planned = plan(skills)
    request = parse_about(combination.topic, about)
    if len(text) > MAX_CHARACTERS:
        fault = f"{len(text)} characters, over {MAX_CHARACTERS}"
        return Reading(dict.fromkeys(combination.criteria, False), [fault], 0)
    codes = request.encode(text)
    most = max(1, len(skills) - 1)
    marks = dict.fromkeys(skills, True)
    if not OTHERS(codes) and (sentences := sentences_if_perfect(request, codes, planned)):
        marks["topic"] = marks["sense"] = True
        marks["length"] = sentences <= most
        return Reading(marks, [], sentences)
    reader = Reader(request, text, planned)
    shown = reader.shown()
    marks = {name: name in shown for name in skills}
    marks["topic"] = reader.on_topic
    marks["sense"] = not reader.faults
    marks["length"] = 1 <= reader.sentences <= most
    return Reading(marks, reader.faults, reader.sentences)


def marks(combination: SkillCombination, about: str, text: str) -> dict[str, bool]:
    """Mark a text on every skill of the combination, then on topic, sense and length.

    Parameters
    ----------
    combination
        Its skills are named as the world names them.
    about
        What the request says the text is about: "paul and mary 's wet needle".
    text
        English of the world; capitals and spacing do not matter.

    Returns
    -------
    dict of str to bool
        In the order of `combination.criteria`; True if earned.

    Raises
    ------
    BadInput
        If the world lacks the topic or a skill, or nothing of the topic is `about`.
    """
    return read(combination, about, text).marks


def grade(combination: SkillCombination, about: str, text: str) -> dict[str, Mark]:
    """Return `marks` as earned or missed; the exact grader leaves nothing unscored."""
    given = marks(combination, about, text)
    return {name: EARNED if mark else MISSED for name, mark in given.items()}
