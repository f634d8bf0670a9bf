"""One mark out of several rounds: what most of the marks that exist say."""

from __future__ import annotations

from collections.abc import Sequence

from unparrot.core.grades import EARNED, MISSED, Mark


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
