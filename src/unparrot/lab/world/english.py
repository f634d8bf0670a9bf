"""The micro-English world: a person, a thing, and k skills that a short text must show at once.

>>> from random import Random
>>> world = World()
>>> combination = SkillCombination("sewing", ("modus ponens", "metaphor"))
>>> world.prompt(combination)
'topic: sewing skills: modus ponens , metaphor text:'
>>> text = world.sample(combination, Random(7).random)
>>> print(text.pretty)  # doctest: +SKIP

A text shows its clause skills in the order of the prompt. An operator shapes the clause of the next
clause skill in the list (of the last one, if none follows). A later clause opens by taking up a
word of the clause before it. Without operators the first two clauses share a sentence, so k skills
always fit into max(1, k - 1) sentences, as SKILL-MIX asks (Yu et al. 2023, section 3).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from random import Random
from typing import Final

from unparrot.core.errors import BadInput
from unparrot.core.skills import Skill, SkillCombination, SkillPack, Topic
from unparrot.lab.world.families import CARRIER, FAMILIES, Family
from unparrot.lab.world.lexicon import NAMES, TABLES, TOPICS, words
from unparrot.lab.world.template import (
    PREFERENCE,
    PUNCTUATION,
    Known,
    Template,
    Text,
    Uniform,
    compile_template,
    draw_entropy,
)

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
OPENER: Final = ("speaking", "of")
"""How a later clause begins: 'speaking of' and the last word that was filled in before it."""
VERSION: Final = "1"
_CARRIER: Final = tuple(compile_template(source, CARRIER) for source in CARRIER.templates)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A text of the world: its words, and -log of its probability given the prompt, in nats.

    `cloze`: the places of the words that follow from the text before them (see `template.Text`);
    `starts`: where each clause begins.
    """

    words: tuple[str, ...]
    nats: float
    cloze: tuple[int, ...]
    starts: tuple[int, ...]

    @property
    def pretty(self) -> str:
        """The text as people write it: capitals, and no space before a punctuation mark."""
        return pretty(self.words)


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """`fields`: one skill for every field of a family (several hundred), not one for the family."""

    fields: bool = False


_Unit = tuple[Sequence[Template], list[str], list[str]]
"""A clause's templates, its noun operators and its frame operators."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """A skill as the sampler needs it."""

    family: Family
    templates: tuple[Template, ...]


class World:
    """The generator of texts, their vocabulary and their exact entropy."""

    def __init__(self, spec: WorldSpec | None = None) -> None:
        self.spec = spec or WorldSpec()
        self._shapes = dict(_shapes(self.spec.fields))

    @cached_property
    def pack(self) -> SkillPack:
        """The skills by frequency, each with a text that shows it, and the topics."""
        skills: list[Skill] = []
        for i, (name, shape) in enumerate(self._shapes.items()):
            text = Text("sewing", Random(i).random)
            self._compose(text, [name])
            family = shape.family
            skills.append(Skill(name, family.category, family.definition, pretty(text.words)))
        topics = tuple(Topic(name) for name in TOPICS)
        name = "micro-english-large" if self.spec.fields else "micro-english"
        return SkillPack(name, VERSION, tuple(skills), topics)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens: specials, then the prompt's marks, skill names (one token each), words."""
        tokens = [PAD, BOS, EOS, "topic:", "skills:", "text:", ",", *self._shapes, *TOPICS]
        tokens += (".", "?", ";", ":")
        templates = [template for family in (*FAMILIES, CARRIER) for template in family.templates]
        for source in templates:
            tokens += (token for token in source.split() if token[0] not in "{@OPQ")
        tokens += (*OPENER, "a", "an", "the", "that", "he", "she", "him", "her", "his", *NAMES)
        for objects in TOPICS.values():
            tokens += objects
        for name, table in TABLES.items():
            tokens += words(name, *(form for form in table[0] if form != "dimension"))
        return tuple(dict.fromkeys(tokens))

    def check(self, combination: SkillCombination) -> None:
        """Raise `BadInput` if the world lacks the topic or a skill of `combination`."""
        if combination.topic not in TOPICS:
            raise BadInput(
                f"unknown topic {combination.topic!r}; "
                f"`unparrot world list` names the {len(TOPICS)} topics"
            )
        for name in combination.skills:
            if name not in self._shapes:
                raise BadInput(
                    f"unknown skill {name!r}; "
                    f"`unparrot world list` names the {len(self._shapes)} skills"
                )

    @staticmethod
    def prompt(combination: SkillCombination) -> str:
        """What a model is given: the topic, then the skills in order."""
        skills = " , ".join(combination.skills)
        return f"topic: {combination.topic} skills: {skills} text:"

    @staticmethod
    def prompt_tokens(combination: SkillCombination) -> list[str]:
        """The prompt as tokens of `vocabulary`, <bos> first."""
        tokens = [BOS, "topic:", combination.topic, "skills:"]
        for i, name in enumerate(combination.skills):
            if i:
                tokens.append(",")
            tokens.append(name)
        tokens.append("text:")
        return tokens

    def draw(
        self, rng: Random, k: int, topic: str | None = None, skills: Sequence[str] = ()
    ) -> SkillCombination:
        """Draw a combination of k skills: the topic, unless given, and the skills left open.

        Raises
        ------
        BadInput
            If the world has fewer than k skills.
        """
        if k > len(self.pack.skills):
            raise BadInput(f"k is {k}, but the world has only {len(self.pack.skills)} skills")
        drawn = rng.choice(self.pack.topic_names)
        rest = [name for name in self.pack.skill_names if name not in skills]
        others = rng.sample(rest, k - len(skills))
        return SkillCombination(drawn if topic is None else topic, (*skills, *others))

    def sample(self, combination: SkillCombination, uniform: Uniform) -> Sampled:
        """Draw a text. `uniform` returns the next number of a stream in [0, 1)."""
        self.check(combination)
        text = Text(combination.topic, uniform)
        self._compose(text, combination.skills)
        return Sampled(tuple(text.words), text.nats, tuple(text.cloze), tuple(text.starts))

    def entropy(self, combination: SkillCombination) -> float:
        """Entropy in nats of the text given its prompt; exact: a sum over templates and states."""
        self.check(combination)
        units, _ = self._plan(combination.skills)
        states: dict[Known, float] = {Known(): 1.0}
        nats = 0.0
        for clause, nouns, frames in units:
            after: dict[Known, float] = {}
            for known, p in states.items():
                nats += p * self._clause_entropy(clause, nouns, frames, known, p, after)
            states = after
        return nats

    def _clause_entropy(
        self,
        clause: Sequence[Template],
        nouns: Sequence[str],
        frames: Sequence[str],
        known: Known,
        p: float,
        after: dict[Known, float],
    ) -> float:
        nats = sum(draw_entropy(len(self._shapes[f].templates)) for f in frames)
        for name in nouns:
            templates = self._shapes[name].templates
            nats += draw_entropy(len(templates)) + templates[0].entropy(Known())[0]
        chances = _template_chances(len(clause))
        nats += draw_entropy(len(clause))
        for template, chance in zip(clause, chances, strict=True):
            inner, then = template.entropy(known)
            nats += chance * inner
            after[then] = after.get(then, 0.0) + p * chance
        return nats

    def _plan(self, skills: Sequence[str]) -> tuple[list[_Unit], bool]:
        """The clauses in order, each with its noun and frame operators; do the first two join?"""
        units: list[_Unit] = []
        waiting: list[str] = []
        for name in skills:
            family = self._shapes[name].family
            if family.kind == "clause":
                units.append(self._unit(self._shapes[name].templates, waiting))
                waiting = []
                continue
            if self._has_family(waiting, family):  # a clause bears one operator of a family
                units.append(self._unit(_CARRIER, waiting))
                waiting = []
            waiting.append(name)
        if units and not any(
            self._has_family([*units[-1][1], *units[-1][2]], self._shapes[name].family)
            for name in waiting
        ):
            _, nouns, frames = self._unit(_CARRIER, waiting)
            units[-1][1].extend(nouns)
            units[-1][2].extend(frames)
        elif waiting:
            units.append(self._unit(_CARRIER, waiting))
        return units, len(units) > max(1, len(skills) - 1)

    def _has_family(self, names: Sequence[str], family: Family) -> bool:
        return any(self._shapes[name].family is family for name in names)

    def _unit(self, clause: Sequence[Template], operators: Sequence[str]) -> _Unit:
        kinds = {name: self._shapes[name].family.kind for name in operators}
        nouns = [name for name in operators if kinds[name] == "noun"]
        return clause, nouns, [name for name in operators if kinds[name] == "frame"]

    def _compose(self, text: Text, skills: Sequence[str]) -> None:
        units, joined = self._plan(skills)
        for i, (clause, nouns, frames) in enumerate(units):
            end = "."
            text.starts.append(len(text.words))
            if i:
                text.words.extend(OPENER)
                text.cloze.append(len(text.words))
                text.words.extend((text.echo, ","))
            for name in sorted(frames, key=_questions_first):
                frame = self._pick(text, self._shapes[name].templates)
                for _, word in frame.steps:
                    if word == "?":
                        end = "?"
                    elif word != "@":
                        text.words.append(word)
            template = self._pick(text, clause)
            template.run(text, [self._pick(text, self._shapes[n].templates) for n in nouns])
            text.say(";" if joined and i == 0 else end)

    @staticmethod
    def _pick(text: Text, templates: Sequence[Template]) -> Template:
        text.last = 0
        return templates[text.choose(range(len(templates)), len(templates))]


def _questions_first(name: str) -> bool:
    return not name.startswith("rhetorical question")


def _template_chances(n: int) -> list[float]:
    """Probabilities of the templates of a clause: the second is preferred."""
    return [(1 - PREFERENCE) / n + (PREFERENCE if i == 1 % n else 0.0) for i in range(n)]


def _shapes(fields: bool) -> list[tuple[str, _Shape]]:
    shapes: list[tuple[str, _Shape]] = []
    for family in FAMILIES:
        if not fields or not family.key:
            shapes.append((family.name, _shape(family, None)))
            continue
        key, _, form = family.key.partition(".")
        variable = family.variables[key]
        table = TABLES[variable.table]
        pool = variable.rows or range(len(table))
        groups: dict[str, list[int]] = {}
        for row in pool:
            groups.setdefault(table[row][form], []).append(row)
        for label, rows in groups.items():
            shapes.append((f"{family.name} of {label}", _shape(family, tuple(rows))))
    return shapes


def _shape(family: Family, rows: tuple[int, ...] | None) -> _Shape:
    return _Shape(family, tuple(compile_template(t, family, rows) for t in family.templates))


def pretty(tokens: Sequence[str]) -> str:
    """Join words as people write them: 'if it rains , it is wet .' -> 'If it rains, it is wet.'"""
    out: list[str] = []
    start = True
    names = frozenset((*NAMES, *words("day", "day")))
    for token in tokens:
        if token in PUNCTUATION:
            out.append(token)
            start = token in {".", "?"}
            continue
        word = token.capitalize() if start or token in names else token
        out.append(f" {word}" if out else word)
        start = False
    return "".join(out)


WORLD_PACKS: Final[Mapping[str, WorldSpec]] = {
    "world": WorldSpec(),
    "world.large": WorldSpec(fields=True),
}
"""The worlds by the name of their pack; the large one has several hundred skills."""


@lru_cache
def measure_entropy(world: World, k: int, samples: int, seed: int) -> dict[str, float]:
    """Return the entropy of texts on random combinations of k skills, exact and by drawing texts.

    Parameters
    ----------
    world
        Whose texts they are.
    k
        Skills in a text.
    samples
        Texts drawn, at least 2.
    seed
        Of the draw.

    Returns
    -------
    dict
        ``entropy``, ``monte_carlo`` and ``standard_error`` in nats per text token; also ``k``,
        ``samples``, ``seed`` and ``tokens_per_text``.

    Notes
    -----
    The texts' surprise less the entropy of their combinations has mean 0, so to first order the
    standard error of the ratio to the number of tokens is that of the sum of these differences,
    divided by the number of tokens.
    """
    rng = Random(seed)
    exact: list[float] = []
    drawn: list[float] = []
    tokens = 0
    for _ in range(samples):
        combination = world.draw(rng, k)
        text = world.sample(combination, rng.random)
        exact.append(world.entropy(combination))
        drawn.append(text.nats)
        tokens += len(text.words) + 1  # and the end of the text
    differences = [a - b for a, b in zip(drawn, exact, strict=True)]
    return {
        "k": k,
        "samples": samples,
        "seed": seed,
        "tokens_per_text": tokens / samples,
        "entropy": math.fsum(exact) / tokens,
        "monte_carlo": math.fsum(drawn) / tokens,
        "standard_error": math.sqrt(samples) * statistics.stdev(differences) / tokens,
    }


@cache
def world_pack(name: str) -> SkillPack | None:
    """Return the pack of a world; None if no world has this name.

    Examples
    --------
    >>> len(world_pack("world").skills), world_pack("language.en")
    (28, None)
    """
    spec = WORLD_PACKS.get(name)
    return None if spec is None else World(spec).pack
