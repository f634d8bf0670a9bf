"""The verdict on a text: one mark for each criterion, out of the rounds of a grader.

Skills, topic and sense get the majority of the marks that exist; the point for length is the
program's. A tie, or no mark at all, is unscored. A student that was asked and gave no text has
missed every mark; a text that the transport lost is unscored.
"""

from collections.abc import Iterable, Mapping, Sequence

from unparrot.core.grades import CALL_FAILED, EARNED, MISSED, Mark
from unparrot.core.skills import LENGTH, SkillCombination
from unparrot.eval.protocol.conversation import Answer
from unparrot.eval.protocol.sentences import length_mark
from unparrot.packs.checking import NameIndex


def all_unscored(combination: SkillCombination, reason: str) -> dict[str, Mark]:
    """Return marks of which none is given, all for one reason."""
    return dict.fromkeys(combination.criteria, Mark.unscored(reason))


def judge(
    combination: SkillCombination,
    answer: Answer,
    rounds: Sequence[Mapping[str, Mark]],
    deducted: NameIndex | None,
    language: str = "en",
) -> dict[str, Mark]:
    """Return the verdict on a text whose sentences are counted here, or on its absence.

    Parameters
    ----------
    combination, answer
        What was asked for, and what was written, or why there is nothing.
    rounds
        Marks by criterion, round by round.
    deducted
        Finds the skills that a text names, which lose their point; None to let names be.
    language
        Of the text, as a BCP 47 tag.
    """
    if answer.code:
        status = "unscored" if answer.code in CALL_FAILED else "missed"
        return dict.fromkeys(combination.criteria, Mark(status, answer.reason))
    named = () if deducted is None else deducted.named_in(answer.text)
    length = length_mark(answer.text, combination.k, language)
    return verdict(combination, rounds, length, named)


def verdict(
    combination: SkillCombination,
    rounds: Sequence[Mapping[str, Mark]],
    length: Mark,
    named: Iterable[str] = (),
) -> dict[str, Mark]:
    """Return the marks that the rounds of one grader come to.

    Parameters
    ----------
    combination
        What the student was asked for.
    rounds
        Marks by criterion, round by round; their marks for length are not used.
    length
        The mark for length, counted by program.
    named
        Skills that the text names and that lose their point for it.

    Returns
    -------
    dict
        A mark for each of the k + 3 criteria, in their order.
    """
    marks = all_unscored(combination, "not graded")
    for name in combination.criteria if rounds else ():
        if name != LENGTH:
            marks[name] = majority([votes[name] for votes in rounds])
    marks[LENGTH] = length
    for name in named:
        if name in combination.skills:
            marks[name] = Mark("missed", "the text names the skill")
    return marks


def majority(votes: Sequence[Mark]) -> Mark:
    """Return what most of the marks that exist say; a tie, or no mark at all, is unscored.

    Parameters
    ----------
    votes
        The marks of one criterion, round by round.

    Returns
    -------
    Mark
        Earned or missed; else unscored with the tie, or with why there is no mark.

    Examples
    --------
    >>> majority([EARNED, Mark.unscored("cut off"), EARNED, MISSED]).status
    'earned'
    >>> majority([EARNED, MISSED]).reason
    'the rounds tie, 1 to 1'
    >>> majority([Mark.unscored("cut off"), Mark.unscored("cut off")]).reason
    'cut off'
    >>> majority([]).reason
    'no round has marked it'
    """
    earned = sum(vote.status == "earned" for vote in votes)
    missed = sum(vote.status == "missed" for vote in votes)
    if earned != missed:
        return EARNED if earned > missed else MISSED
    if earned:
        return Mark.unscored(f"the rounds tie, {earned} to {missed}")
    reasons = dict.fromkeys(vote.reason for vote in votes)
    return Mark.unscored("; ".join(reasons) or "no round has marked it")
