"""Combinations of k skills and a topic, drawn from a pack: `unparrot packs draw NAME -k 3`.

A draw depends on nothing but the seed, k, and the names of the skills and topics: not on their
order in the file, the rest of the file, the machine, or the version of any library. Every model
that is given the same seed is thus given the same combinations.
"""

import hashlib
from collections.abc import Iterator
from itertools import count, islice
from math import comb

from unparrot.core.errors import BadInput
from unparrot.core.skills import SkillCombination, SkillPack
from unparrot.core.wording import plural


def number_of_combinations(pack: SkillPack, k: int) -> int:
    """Return how many combinations of k skills and a topic there are, exactly.

    Examples
    --------
    >>> from unparrot.core.skills import Skill, Topic
    >>> skills = tuple(Skill(name, "letters", "", "") for name in "ABCD")
    >>> number_of_combinations(SkillPack("small", "1", skills, (Topic("tea"), Topic("ice"))), 2)
    12
    """
    return comb(len(pack.skills), k) * len(pack.topics)


def draw_combinations(pack: SkillPack, k: int, n: int, seed: int) -> tuple[SkillCombination, ...]:
    """Draw n different combinations of k skills and a topic, each set of them equally likely.

    The order of the skills, which is the order of the prompt, is uniform too. The first n of a
    longer draw are the draw of n.

    Parameters
    ----------
    pack
        Where to draw from.
    k
        Skills in a combination, at least 1.
    n
        Number of combinations, at least 0.
    seed
        Any whole number from 0.

    Returns
    -------
    tuple of SkillCombination
        All different in their topic or in their set of skills.

    Raises
    ------
    BadInput
        If the pack has fewer than k skills or fewer than n combinations, or a number is too small.
    """
    if k < 1 or n < 0 or seed < 0:
        raise BadInput(f"k must be at least 1, n and the seed at least 0; not {k}, {n} and {seed}")
    if k > len(pack.skills):
        raise BadInput(
            f"k is {k}, but the pack {pack.name!r} has only {plural(len(pack.skills), 'skill')}; "
            "lower k"
        )
    total = number_of_combinations(pack, k)
    if n > total:
        raise BadInput(
            f"{n:,} combinations were asked for, but the pack {pack.name!r} "
            f"({plural(len(pack.skills), 'skill')}, {plural(len(pack.topics), 'topic')}) has only "
            f"{total:,} of {plural(k, 'skill')} and a topic; ask for at most {total:,}"
        )
    return tuple(islice(_drawn(pack, k, seed), n))


def _drawn(pack: SkillPack, k: int, seed: int) -> Iterator[SkillCombination]:
    """All the combinations, shuffled."""
    skills, topics = sorted(pack.skill_names), sorted(pack.topic_names)
    total = number_of_combinations(pack, k)
    # Fisher and Yates's shuffle of the ranks 0 ... total - 1, of which only the places that a
    # swap has touched are stored: no combination comes twice, however many are drawn.
    moved: dict[int, int] = {}
    for i in range(total):
        place = f"unparrot combinations 1, seed {seed}, k {k}, place {i}, draw "
        labels = map(place.__add__, map(str, count()))
        j = i + _below(total - i, labels)
        rank = moved.get(j, j)
        moved[j] = moved.pop(i, i)
        subset, topic = divmod(rank, len(topics))
        chosen = [skills[member] for member in _subset(subset, len(skills), k)]
        for last in range(k - 1, 0, -1):
            other = _below(last + 1, labels)
            chosen[last], chosen[other] = chosen[other], chosen[last]
        yield SkillCombination(topics[topic], tuple(chosen))


def _below(bound: int, labels: Iterator[str]) -> int:
    """The next number in 0 ... bound - 1, uniform and the same on every machine: a hash."""
    bits = (bound - 1).bit_length()
    size = (bits + 7) // 8
    while True:
        value = int.from_bytes(hashlib.shake_256(next(labels).encode()).digest(size), "big")
        value >>= 8 * size - bits
        if value < bound:  # else drawn again, so that no number is favoured
            return value


def _subset(rank: int, size: int, k: int) -> Iterator[int]:
    """The members, rising, of the k-subset of 0 ... size - 1 with this rank in lexical order."""
    member = 0
    while k:
        first = comb(size - member - 1, k - 1)  # subsets of the rest that begin with this member
        if rank < first:
            yield member
            k -= 1
        else:
            rank -= first
        member += 1
