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
from typing import Final

from unparrot.core.grades import EARNED, MISSED, Mark
from unparrot.core.skills import CRITERIA, SkillCombination
from unparrot.lab.grader.grammar import (
    ASKS,
    BETWEEN,
    NAMED,
    OUTERMOST,
    PATTERNS,
    STOP,
)
from unparrot.lab.grader.reader import MOST_CLAUSES, About, Reader, Step, parse_about, split_figures
from unparrot.lab.grader.rules import ALLITERATION, LAST, QUESTION, Clause, Held, plan
from unparrot.lab.grader.words import OTHERS

# A longer text is no short text: it earns nothing (and costs no time)
MAX_CHARACTERS: Final = 16_384


def sentences_if_perfect(about: About, codes: str, planned: Sequence[Clause]) -> int:
    """Return the number of sentences of a text that is in all as the plan asks, or 0.

    It takes none of the ways that `Reader` knows to go on after a mistake, so it costs a third.
    """
    held: Held = list(about.held)
    woman = about.woman
    at = sentences = clauses = 0
    opener = None
    operators: list[Step] = []
    for names, modifiers in planned:
        form, key = OUTERMOST, woman
        for name in names:
            for pattern in PATTERNS[form][name]:
                if match := pattern.match(codes, at):
                    break
            else:
                return 0
            groups = match.groups()
            at = match.end()
            form = pattern.inner
            if form >= 0:
                operators.append((pattern, groups))
            else:
                feeling, epithet, _, thing, figures = groups[pattern.noun]
                if feeling or epithet:
                    key += NAMED
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
                if pattern.judged and not pattern.judge(groups, held):
                    return 0
            if pattern.pick:
                due, key = pattern.due[key]
                if pattern.pick(groups) != due:
                    return 0
        while operators:
            pattern, groups = operators.pop()
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
        match = BETWEEN.match(codes, at)
        if not match:
            return 0
        clauses += 1
        at = match.end()
        joint, mark, following = match.groups()
        asks = names[0] == QUESTION
        if joint:
            if asks or clauses == MOST_CLAUSES:
                return 0
        elif mark != (ASKS if asks else STOP) or (asks and (opener or clauses > 1)):
            return 0
        else:
            sentences += 1
            clauses = 0
            opener = following
    return sentences if at == len(codes) and not clauses and not opener else 0


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
    skills = combination.skills
    request = parse_about(combination.topic, about)
    if len(text) <= MAX_CHARACTERS:
        codes = request.encode(text)
        if not OTHERS(codes) and (sentences := sentences_if_perfect(request, codes, plan(skills))):
            given = dict.fromkeys((*skills, *CRITERIA), True)
            given["length"] = sentences == 1 or sentences < len(skills)
            return given
    return read(combination, about, text)[0]


def read(combination: SkillCombination, about: str, text: str) -> tuple[dict[str, bool], list[str]]:
    """Return the marks of a text, without the short cut, and what is wrong with its sense."""
    skills = combination.skills
    planned = plan(skills)
    request = parse_about(combination.topic, about)
    if len(text) > MAX_CHARACTERS:
        fault = f"{len(text)} characters, over {MAX_CHARACTERS}"
        return dict.fromkeys(combination.criteria, False), [fault]
    reader = Reader(request, text, planned)
    shown = reader.shown()
    given = {name: name in shown for name in skills}
    given["topic"] = reader.on_topic
    given["sense"] = not reader.faults
    given["length"] = 1 <= reader.sentences <= max(1, len(skills) - 1)
    return given, reader.faults


def grade(combination: SkillCombination, about: str, text: str) -> dict[str, Mark]:
    """Return `marks` as earned or missed; the exact grader leaves nothing unscored."""
    given = marks(combination, about, text)
    return {name: EARNED if mark else MISSED for name, mark in given.items()}
