"""A nearest neighbour: what was written for the request most like the one to be answered."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from unparrot.core.skills import SkillCombination
from unparrot.lab.corpus import Example


class NeighbourParrot:
    """Writes, word for word, the training text whose request is most like the one it is given.

    Two requests are as alike as the cosine of what they hold: each skill, each two skills in their
    order, the topic, and each word of what they are about, weighted by how rare it is (log of
    requests / requests with it). Skills count first: the words of abouts weigh a tenth.
    """

    rule: ClassVar[str] = "repeats the training text made for the most similar request"
    verbatim: ClassVar[bool] = True

    def __init__(self, examples: Sequence[Example]) -> None:
        self._texts = [example.text for example in examples]
        holds = [list(_parts(combination, about)) for combination, about, _ in examples]
        often = Counter(part for parts in holds for part in set(parts))
        self._weight = {part: math.log1p(len(holds) / n) for part, n in often.items()}
        where: defaultdict[str, list[int]] = defaultdict(list)
        for i, parts in enumerate(holds):
            for part in parts:
                where[part].append(i)
        self._where = {part: np.array(documents) for part, documents in where.items()}
        squares = [sum(self._of(part) ** 2 for part in parts) for parts in holds]
        self._norm = np.sqrt(np.array(squares))

    def _of(self, part: str) -> float:
        return self._weight.get(part, 0.0) * (0.1 if part.startswith("about ") else 1.0)

    def write(self, combination: SkillCombination, about: str) -> str:
        """See `Parrot.write`."""
        alike = np.zeros(len(self._texts))
        for part in _parts(combination, about):
            if part in self._where:
                alike[self._where[part]] += self._of(part) ** 2
        return self._texts[int((alike / self._norm).argmax())]


def _parts(combination: SkillCombination, about: str) -> Iterator[str]:
    """What a request holds."""
    yield f"topic {combination.topic}"
    for i, skill in enumerate(combination.skills):
        yield f"skill {skill}"
        yield from (f"skills {skill} , {later}" for later in combination.skills[i + 1 :])
    yield from (f"about {word}" for word in dict.fromkeys(about.split()))
