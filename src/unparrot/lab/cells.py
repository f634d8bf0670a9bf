"""What is tested: cells of combinations that are new in one stated way, matched in skills.

For every k there are cells ('splits'): combinations that training held (`seen`); a topic that was
never paired with one of the skills (`heldout_topic`); one pair of skills never seen together
(`heldout_pair`); one triple never seen together though its pairs were (`heldout_triple`). Nothing
else about them is new. Beyond the largest trained k, `untrained_k` takes the place of `seen`, and
the others are new in that way too.

Within a cell combinations are drawn with weights (iterative proportional fitting) that make every
skill as frequent as every other, as far as the cell's combinations allow: so rarity is not mistaken
for novelty.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from unparrot.core.skills import HeldOut, SkillCombination, SkillPack
from unparrot.lab.corpus import Allowed

Split = Literal["seen", "heldout_topic", "heldout_pair", "heldout_triple", "untrained_k"]
POOL: Final = 1500
_ROUNDS: Final = 60
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """The combinations of one k and split.

    Parameters
    ----------
    k, split
        Number of skills, and what is new about the combinations.
    combinations, trained_counts
        What is asked for, and how often training held each topic and set of skills.
    imbalance
        Total variation distance of the cell's skill frequencies from even, in [0, 1).
    """

    k: int
    split: Split
    combinations: tuple[SkillCombination, ...]
    trained_counts: tuple[int, ...]
    imbalance: float


class Question(NamedTuple):
    """One combination of a cell."""

    split: Split
    combination: SkillCombination
    trained_count: int


def questions(cells: Sequence[Cell]) -> list[Question]:
    """Return everything that is asked, cell by cell."""
    return [
        Question(cell.split, *request)
        for cell in cells
        for request in zip(cell.combinations, cell.trained_counts, strict=True)
    ]


def splits_of(k: int, max_k: int) -> tuple[Split, ...]:
    """Return the splits that exist at k skills, where training has up to `max_k`."""
    base: Split = "seen" if k <= max_k else "untrained_k"
    return (base, "heldout_topic", "heldout_pair", "heldout_triple")[: min(k, 3) + 1]


def draw_cells(
    pack: SkillPack,
    held_out: HeldOut,
    seen: Collection[SkillCombination],
    ks: Sequence[int],
    n: int,
    rng: np.random.Generator,
    on_cell: Callable[[int, int], None] | None = None,
) -> list[Cell]:
    """Draw cells for every k.

    Parameters
    ----------
    pack, held_out
        What there is to combine, and what training left out.
    seen
        The combination of every training document.
    ks
        Numbers of skills.
    n
        Most combinations in a cell. They are all different; a cell for which the world has fewer is
        as large as it can be.
    rng
        Source of the draw.
    on_cell
        Called with how many cells are drawn, of how many.

    Returns
    -------
    list of Cell
        By k, then in the order of `splits_of`.
    """
    pools = _Pools(pack, held_out, rng)
    by_k: dict[int, dict[str, SkillCombination]] = {}
    counts = Counter[str]()
    for combination in seen:
        name = combination.id
        counts[name] += 1
        by_k.setdefault(combination.k, {}).setdefault(name, combination)
    cells: list[Cell] = []
    wanted: list[tuple[int, Split]] = [
        (k, split) for k in ks for split in splits_of(k, held_out.max_k)
    ]
    for k, split in wanted:
        if on_cell:
            on_cell(len(cells), len(wanted))
        if split == "seen":
            known = sorted(by_k.get(k, {}).values(), key=lambda c: c.id)
            keep: list[int] = rng.permutation(len(known))[:POOL].tolist()
            pool = [known[i] for i in keep]
        else:
            pool = pools.pool(k, split)
        chosen, imbalance = _matched(pool, n, pack.skill_names, rng)
        trained = tuple(counts[c.id] for c in chosen)
        cells.append(Cell(k, split, tuple(_shuffled(c, rng) for c in chosen), trained, imbalance))
    return cells


def _shuffled(combination: SkillCombination, rng: np.random.Generator) -> SkillCombination:
    order: list[int] = rng.permutation(combination.k).tolist()
    return SkillCombination(combination.topic, tuple(combination.skills[i] for i in order))


class _Pools:
    """Random combinations with one stated novelty, grown skill by skill."""

    def __init__(self, pack: SkillPack, held_out: HeldOut, rng: np.random.Generator) -> None:
        self.names = pack.skill_names
        self.topics = pack.topic_names
        self.random = Random(int(rng.integers(1 << 62)))
        self.allowed = Allowed(pack, held_out)

    def pool(self, k: int, split: Split) -> list[SkillCombination]:
        """Up to POOL different combinations of the split: what some tries for each of them find."""
        pool: dict[str, SkillCombination] = {}
        for _ in range(POOL * _TRIES):
            combination = self._one(k, split)
            if combination is not None:
                pool.setdefault(combination.id, combination)
                if len(pool) == POOL:
                    break
        return list(pool.values())

    def _one(self, k: int, split: Split) -> SkillCombination | None:
        start: Sequence[int] = ()
        if split in ("heldout_pair", "heldout_triple"):
            novelties = self.allowed.pairs if split == "heldout_pair" else self.allowed.triples
            if not novelties:
                return None
            start = self.random.choice(novelties)
        chosen: list[int] = []
        allowed = self.allowed.everything
        for i in start:
            allowed &= self.allowed.beside(i, chosen)
            chosen.append(i)
        while len(chosen) < k:
            if not allowed:
                return None
            i = int(self.random.random() * len(self.names))
            if allowed >> i & 1:
                allowed &= self.allowed.beside(i, chosen)
                chosen.append(i)
        mask = sum(1 << i for i in chosen)
        wanted = 1 if split == "heldout_topic" else 0
        topics = [
            t for t, bits in enumerate(self.allowed.closed) if (bits & mask).bit_count() == wanted
        ]
        if not topics:
            return None
        topic = self.topics[self.random.choice(topics)]
        return SkillCombination(topic, tuple(self.names[i] for i in chosen))


def _matched(
    pool: Sequence[SkillCombination], n: int, names: Sequence[str], rng: np.random.Generator
) -> tuple[list[SkillCombination], float]:
    """At most n of the pool, weighted to make skills even; and how far from even they came out."""
    if not pool:
        return [], 0.0
    index = {name: i for i, name in enumerate(names)}
    members: npt.NDArray[np.int64] = np.array([[index[s] for s in c.skills] for c in pool])
    weights = np.ones(len(pool))
    for _ in range(_ROUNDS):
        frequency = np.bincount(
            members.ravel(), np.repeat(weights, members.shape[1]), minlength=len(names)
        )
        frequency /= frequency.sum() / len(names)
        factor = np.where(frequency > 0, np.maximum(frequency, 1e-9) ** -0.5, 1.0)
        weights *= np.exp(np.log(factor)[members].mean(axis=1))
        weights /= weights.mean()
    keys = rng.exponential(size=len(pool)) / weights  # smallest first: weights without replacement
    best: list[int] = np.argsort(keys, kind="stable")[:n].tolist()
    chosen = [pool[i] for i in best]
    counts = Counter(s for c in chosen for s in c.skills)
    share = np.array([counts[name] for name in names]) / max(1, counts.total())
    return chosen, float(np.abs(share - 1 / len(names)).sum() / 2)
