"""Skills, topics, their combinations, and which combinations training must never show.

A `SkillPack` lists skills and topics; a `SkillCombination` asks for one text that shows k skills
on one topic; `HeldOut` says which pairs, triples, topic-skill cells and values of k are kept out
of training, and how new a combination therefore is.

References
----------
Arora and Goyal (2023), "A Theory for Emergence of Complex Skills in Language Models";
Yu et al. (2023), "Skill-Mix: a Flexible and Expandable Family of Evaluations for AI Models".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

from unparrot.core.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

# What every text is marked on besides its skills; no skill may bear one of these names.
CRITERIA = ("topic", "sense", "length")
LENGTH = CRITERIA[2]
# A well-formed language tag (RFC 5646): a language, then subtags.
LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)


def main_language(tag: str) -> str:
    """Return the language that a tag begins with.

    Examples
    --------
    >>> main_language("pt-BR")
    'pt'
    """
    return tag.partition("-")[0].lower()


def _require_text(what: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{what} must be a text that is not empty, not {value!r}")
    if value != value.strip():
        raise BadInput(f"{what} has white space at an end: {value!r}; remove it")


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill: its name, its category, what it means, and a text that shows it.

    Raises
    ------
    BadInput
        If the name or the category is empty, or the name is that of a criterion (`CRITERIA`).
    """

    name: str
    category: str
    definition: str
    example: str

    def __post_init__(self) -> None:
        _require_text("the name of a skill", self.name)
        _require_text(f"the category of the skill {self.name!r}", self.category)
        if self.name.casefold() in CRITERIA:
            raise BadInput(
                f"a skill cannot be called {self.name!r}: every text is marked on a criterion "
                "of that name; choose another"
            )


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is to be about."""

    name: str

    def __post_init__(self) -> None:
        _require_text("the name of a topic", self.name)


@dataclass(frozen=True, slots=True)
class SkillPack:
    """A named, versioned list of skills and topics, for texts in one language.

    ``language`` is a BCP 47 tag: how sentences are counted and names are recognised depends on it.

    Raises
    ------
    BadInput
        If there is no skill or no topic, two share a name (ignoring case), or the language is no
        tag.

    Examples
    --------
    >>> pack = SkillPack("small", "1", (Skill("irony", "rhetorical", "", ""),), (Topic("tea"),))
    >>> pack.skill("irony").category
    'rhetorical'
    """

    name: str
    version: str
    skills: tuple[Skill, ...]
    topics: tuple[Topic, ...]
    language: str = "en"

    def __post_init__(self) -> None:
        _require_text("the name of a skill pack", self.name)
        _require_text(f"the version of the skill pack {self.name!r}", self.version)
        if not LANGUAGE_TAG.fullmatch(self.language):
            raise BadInput(
                f"the language of the skill pack {self.name!r} must be a BCP 47 tag such as en, ko "
                f"or pt-BR, not {self.language!r}"
            )
        object.__setattr__(self, "skills", tuple(self.skills))
        object.__setattr__(self, "topics", tuple(self.topics))
        if not self.skills or not self.topics:
            raise BadInput(
                f"the skill pack {self.name!r} needs at least one skill and one topic; it has "
                f"{len(self.skills)} and {len(self.topics)}"
            )
        for what, names in (("skills", self.skill_names), ("topics", self.topic_names)):
            counts = Counter(name.casefold() for name in names)
            doubled = ", ".join(sorted(name for name, count in counts.items() if count > 1))
            if doubled:
                raise BadInput(f"{what} named more than once (ignoring case): {doubled}")

    @property
    def skill_names(self) -> tuple[str, ...]:
        """Names of the skills, in the order of the pack."""
        return tuple(skill.name for skill in self.skills)

    @property
    def topic_names(self) -> tuple[str, ...]:
        """Names of the topics, in the order of the pack."""
        return tuple(topic.name for topic in self.topics)

    @property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the canonical JSON of the pack; changes with any of it."""
        skills = [astuple(skill) for skill in self.skills]
        names = {"name": self.name, "version": self.version, "topics": self.topic_names}
        # packs that declare no language keep the digest that they had before there was one
        names |= {} if self.language == "en" else {"language": self.language}
        return hashlib.sha256(_canonical({**names, "skills": skills})).hexdigest()

    def as_dict(self) -> dict[str, object]:
        """Return the pack as plain data that JSON can hold, with its digest."""
        skills, topics = [asdict(skill) for skill in self.skills], list(self.topic_names)
        names = {"name": self.name, "version": self.version, "language": self.language}
        return {**names, "digest": self.digest, "skills": skills, "topics": topics}

    def without(self, names: Collection[str]) -> SkillPack:
        """Return the pack without some skills.

        Raises
        ------
        BadInput
            If it does not have one of them, or has no others.
        """
        for name in names:
            self.skill(name)
        kept = tuple(skill for skill in self.skills if skill.name not in names)
        if not kept:
            raise BadInput(f"all {len(self.skills)} skills of the pack {self.name!r} are left out")
        return SkillPack(self.name, self.version, kept, self.topics)

    def skill(self, name: str) -> Skill:
        """Return the skill of this name.

        Raises
        ------
        BadInput
            If the pack has none; the message offers the nearest names.
        """
        for skill in self.skills:
            if skill.name == name:
                return skill
        hint = did_you_mean(name, self.skill_names)
        raise BadInput(f"the skill pack {self.name!r} has no skill {name!r}{hint}")


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


@dataclass(frozen=True, slots=True)
class SkillCombination:
    """k different skills, in the order of the prompt, to be shown together on one topic.

    Raises
    ------
    BadInput
        If there is no skill, or one is listed twice.

    Examples
    --------
    >>> c = SkillCombination("sewing", ("metaphor", "irony"))
    >>> c.k, c.pairs()
    (2, (('irony', 'metaphor'),))
    >>> c.id == SkillCombination("sewing", ("irony", "metaphor")).id
    True
    """

    topic: str
    skills: tuple[str, ...]

    def __post_init__(self) -> None:
        _require_text("the topic of a combination", self.topic)
        if isinstance(self.skills, str):
            raise BadInput(f"skills must be a tuple of names, not the text {self.skills!r}")
        object.__setattr__(self, "skills", tuple(self.skills))
        if not self.skills:
            raise BadInput(f"a combination needs at least one skill (topic {self.topic!r})")
        for name in self.skills:
            _require_text("a skill of a combination", name)
        if len(set(self.skills)) != len(self.skills):
            raise BadInput(f"a combination lists each skill once, not {self.skills!r}")

    @property
    def k(self) -> int:
        """Number of skills."""
        return len(self.skills)

    @property
    def criteria(self) -> tuple[str, ...]:
        """What a text is marked on: the skills, then topic, sense and length."""
        return (*self.skills, *CRITERIA)

    @property
    def id(self) -> str:
        """16 hex digits that name the topic and the set of skills, whatever their order."""
        return hashlib.sha256(_canonical([self.topic, *sorted(self.skills)])).hexdigest()[:16]

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every pair of the skills, each pair and the whole sorted; k(k-1)/2 of them."""
        return tuple(combinations(sorted(self.skills), 2))

    def triples(self) -> tuple[tuple[str, str, str], ...]:
        """Every triple of the skills, each triple and the whole sorted; k(k-1)(k-2)/6 of them."""
        return tuple(combinations(sorted(self.skills), 3))


@dataclass(frozen=True, slots=True)
class SkillBatch(SkillCombination):
    """Skills that a text is searched for, together because one call asks about all of them: a text
    was not written to show them, and is marked on nothing else."""

    @property
    def criteria(self) -> tuple[str, ...]:
        """What a text is marked on: the skills."""
        return self.skills


@dataclass(frozen=True, slots=True)
class Novelty:
    """How new a combination is to a model trained without the held-out ones.

    ``pairs``, ``triples`` and ``cells`` count what the combination contains of each; a triple that
    already contains a held-out pair is new for that reason and is not counted again.
    """

    pairs: int
    triples: int
    cells: int
    untrained_k: bool

    @property
    def is_new(self) -> bool:
        """True if anything about the combination was kept out of training."""
        return self.untrained_k or self.pairs + self.triples + self.cells > 0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The pairs and triples of skills, the (topic, skill) cells and the k kept out of training.

    Pairs and triples are sorted tuples of skill names; a cell is (topic, skill). A text may be
    trained on only if it contains none of these and at most ``max_k`` skills.

    Raises
    ------
    BadInput
        If a pair or a triple is not sorted or repeats a skill, a triple contains a held-out pair
        (it would be held out twice), or ``max_k`` is under 1.
    """

    pairs: frozenset[tuple[str, str]]
    triples: frozenset[tuple[str, str, str]]
    cells: frozenset[tuple[str, str]]
    max_k: int

    def __post_init__(self) -> None:
        if self.max_k < 1:
            raise BadInput(f"max_k must be at least 1, not {self.max_k!r}")
        for what, size, group in (("pair", 2, self.pairs), ("triple", 3, self.triples)):
            for names in group:
                if len(names) != size or list(names) != sorted(set(names)):
                    raise BadInput(
                        f"a held-out {what} is {size} different skills, sorted; not {names!r}"
                    )
        for cell in self.cells:
            if len(cell) != 2:
                raise BadInput(f"a held-out cell is (topic, skill), not {cell!r}")
        for triple in self.triples:
            doubled = self.pairs.intersection(combinations(triple, 2))
            if doubled:
                raise BadInput(
                    f"the held-out triple {triple!r} contains the held-out pair "
                    f"{min(doubled)!r}; leave the triple out"
                )

    def novelty(self, combination: SkillCombination) -> Novelty:
        """Count what the combination contains that training never showed."""
        return Novelty(
            pairs=sum(pair in self.pairs for pair in combination.pairs()),
            triples=sum(triple in self.triples for triple in combination.triples()),
            cells=sum((combination.topic, name) in self.cells for name in combination.skills),
            untrained_k=combination.k > self.max_k,
        )

    def rows(self) -> list[tuple[str, str | None, list[str]]]:
        """Return the rows of heldout.parquet (`unparrot.core.tables.HELDOUT_SCHEMA`)."""
        return [
            *(("pair", None, list(pair)) for pair in sorted(self.pairs)),
            *(("triple", None, list(triple)) for triple in sorted(self.triples)),
            *(("cell", topic, [skill]) for topic, skill in sorted(self.cells)),
        ]

    @classmethod
    def draw(
        cls,
        pack: SkillPack,
        rng: np.random.Generator,
        pair_share: float,
        triple_share: float,
        cell_share: float,
        max_k: int,
        by: Literal["pair", "category"] = "pair",
    ) -> HeldOut:
        """Draw what to hold out, uniformly and without replacement.

        Parameters
        ----------
        pack
            The skills and topics to draw from. The order in the pack does not change the result.
        rng
            Source of the draw.
        pair_share, triple_share, cell_share
            Share in [0, 1) of all pairs, of the triples that contain no held-out pair, and of all
            (topic, skill) cells; the numbers drawn are rounded to the nearest integer.
        max_k
            Largest number of skills in a training text.
        by
            'category' holds out all pairs of a skill of one category and a skill of another, for
            as many pairs of categories, in random order, as it takes to reach `pair_share`: no
            training text then combines these kinds of skills.

        Raises
        ------
        BadInput
            If a share is outside [0, 1) or ``max_k`` is under 1.
        """

        for what, share in (("pair", pair_share), ("triple", triple_share), ("cell", cell_share)):
            if not 0 <= share < 1:
                raise BadInput(f"{what}_share must be at least 0 and under 1, not {share!r}")

        def drawn(group: list[T], share: float) -> frozenset[T]:
            taken = rng.choice(len(group), size=round(share * len(group)), replace=False)
            return frozenset(group[i] for i in cast(list[int], taken.tolist()))

        skills, topics = sorted(pack.skill_names), sorted(pack.topic_names)
        every = list(combinations(skills, 2))
        if by == "category" and pair_share:
            pairs = _across_categories(pack, every, pair_share, rng)
        else:
            pairs = drawn(every, pair_share)
        free = [t for t in combinations(skills, 3) if pairs.isdisjoint(combinations(t, 2))]
        triples = drawn(free, triple_share)
        cells = drawn(list(product(topics, skills)), cell_share)
        return cls(pairs, triples, cells, max_k)


def _across_categories(
    pack: SkillPack, every: Sequence[tuple[str, str]], share: float, rng: np.random.Generator
) -> frozenset[tuple[str, str]]:
    """All pairs of as many pairs of categories as it takes to reach a share of every pair."""
    kinds = {skill.name: skill.category for skill in pack.skills}
    across: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for pair in every:
        kind = tuple(sorted(kinds[name] for name in pair))
        if kind[0] != kind[1]:
            across.setdefault(kind, []).append(pair)
    groups = [across[kind] for kind in sorted(across)]
    taken: list[tuple[str, str]] = []
    for i in cast(list[int], rng.permutation(len(groups)).tolist()):
        if len(taken) < share * len(every):
            taken += groups[i]
    return frozenset(taken)
