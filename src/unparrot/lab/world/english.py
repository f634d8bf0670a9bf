"""The micro-English world: a request names two people, a thing and a fact; a text nests k skills.

>>> from random import Random
>>> world = World()
>>> combination = SkillCombination("sewing", ("doubt", "simile", "modus ponens"))
>>> situation = Situation(0, 3, "needle", "quality", 6)
>>> world.prompt(combination, situation)[:45]
"topic: sewing about: paul and mary 's wet nee"
>>> print(world.sample(combination, Random(7).random, situation).pretty)  # doctest: +SKIP

The list of skills is read in order: operators and modifiers wait for the next proposition and then
shape its clause (those left over shape the last one); the first operator is the outermost, a
question always is. What a clause says of the thing, the next ones take up: whose it is and what was
last said of it stands in every clause, and a skill that speaks of a quality, a material, a place, a
price or a feeling goes on from the one that the text holds. k skills fit into max(1, k - 1)
sentences, as SKILL-MIX asks (Yu et al. 2023, section 3).
"""

import math
import re
import statistics
from collections.abc import Callable, Sequence
from functools import cache, cached_property, lru_cache
from random import Random
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.core.skills import Skill, SkillCombination, SkillPack, Topic
from unparrot.lab.world.lexicon import EPITHETS, NAMES, TABLES, TOPICS, column
from unparrot.lab.world.skills import JOINTS, OPENERS, SKILLS, Variable
from unparrot.lab.world.template import COMPILED, CompiledSkill, Part, template_words

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
VERSION: Final = "2"
# Of a draw among n the first is preferred by this much over the (1 - PREFERENCE) / n of each
PREFERENCE: Final = 0.6
# Chance that a clause joins the one before it in one sentence, where that is free
JOIN: Final = 0.35
# Operators, or modifiers, in a clause
MOST_WAITING: Final = 2
# The types of the fact in a request
GIVEN: Final = ("quality", "material", "place", "number")
# Rows of the table of numbers that a price may have
PRICES: Final = range(2, 25)
# Above this price it goes down, up to it up
TURN: Final = 12
# Stands before a word that the text before it determines, while a text is made
MARK: Final = "\x01"

Uniform = Callable[[], float]

_DIMENSIONS: Final = len(TABLES["quality"]) // 2
_BROUGHT: Final = tuple(column("quality", "adj").index(q) for q in column("cause", "state"))
_FIRST: Final = {table: column(table, next(iter(rows[0]))) for table, rows in TABLES.items()}
_SIZES: Final = {name: len(rows) for name, rows in TABLES.items()} | {"number": len(PRICES)}
_PRONOUNS: Final = (
    {"~": "she", "^": "her", "'s": "her"},
    {"~": "he", "^": "him", "'s": "his"},
)


class Situation(NamedTuple):
    """What a request is about: rows of `NAMES` (owner, and other one), the thing, a fact about it.

    `kind` is one of `GIVEN`, `row` the row of that table.
    """

    owner: int
    other: int
    thing: str
    kind: str
    row: int

    @property
    def words(self) -> list[str]:
        """The situation as a prompt names it: paul and mary 's wet needle."""
        fact = _FIRST[self.kind][self.row]
        noun = {"number": [fact, "coin", self.thing], "place": [self.thing, "from", "the", fact]}
        people = [NAMES[self.other], "and", NAMES[self.owner], "'s"]
        return people + noun.get(self.kind, [fact, self.thing])


class Sampled(NamedTuple):
    """A text of the world: its words, and -log of its probability given the prompt, in nats.

    `cloze`: places of the words that follow from the text before them (a copy, a conclusion, what
    was last said of the thing); empty unless they were asked for.
    """

    words: tuple[str, ...]
    nats: float
    cloze: tuple[int, ...]

    @property
    def pretty(self) -> str:
        """The text as people write it: capitals, and no space before a punctuation mark."""
        return pretty(self.words)


class Unit(NamedTuple):
    """A clause: operators from the outermost in, modifiers of its noun, and the proposition."""

    operators: tuple[str, ...]
    modifiers: tuple[str, ...]
    proposition: str

    @property
    def asks(self) -> bool:
        """Whether it is a question."""
        return bool(self.operators) and COMPILED[self.operators[0]].spec.question


@lru_cache(maxsize=1 << 16)
def plan(skills: tuple[str, ...]) -> tuple[Unit, ...]:
    """Return the clauses that a request for these skills asks for, in order."""
    units: list[Unit] = []
    waiting: dict[str, list[str]] = {"operator": [], "modifier": []}

    def close(proposition: str = "") -> None:
        units.append(_unit(waiting["operator"], waiting["modifier"], proposition))
        waiting["operator"], waiting["modifier"] = [], []

    for name in skills:
        kind = COMPILED[name].spec.kind
        if kind == "proposition":
            close(name)
            continue
        if len(waiting[kind]) == MOST_WAITING:
            close()
        waiting[kind].append(name)
    operators, modifiers = waiting["operator"], waiting["modifier"]
    if units and (operators or modifiers):
        last = units[-1]
        operators = [*operators, *last.operators]
        modifiers = [*last.modifiers, *modifiers]
        if max(len(operators), len(modifiers)) <= MOST_WAITING:
            units[-1] = _unit(operators, modifiers, last.proposition)
            return tuple(units)
    if waiting["operator"] or waiting["modifier"]:
        close()
    return tuple(units)


def _unit(operators: Sequence[str], modifiers: Sequence[str], proposition: str) -> Unit:
    return Unit(
        tuple(sorted(operators, key=lambda name: not COMPILED[name].spec.question)),
        tuple(sorted(modifiers, key=lambda name: name != "alliteration")),
        proposition,
    )


def _must_join(units: Sequence[Unit], k: int) -> bool:
    """Whether the first two clauses share a sentence, so that there are at most max(1, k - 1)."""
    return len(units) > max(1, k - 1)


def draw_entropy(n: int) -> float:
    """Return the entropy in nats of a draw among `n` options, the first of them preferred."""
    if n <= 1:
        return 0.0
    low = (1 - PREFERENCE) / n
    high = PREFERENCE + low
    return -(high * math.log(high) + (n - 1) * low * math.log(low))


_ENTROPY: Final = [draw_entropy(n) for n in range(100)]
_NATS: Final = [(0.0, 0.0)] * 2 + [
    (-math.log(PREFERENCE + (1 - PREFERENCE) / n), -math.log((1 - PREFERENCE) / n))
    for n in range(2, 100)
]
_JOIN_NATS: Final = (-math.log(1 - JOIN), -math.log(JOIN))


@cache
def _favourite(topic: str, table: str) -> int:
    """The row that a topic's texts prefer where the text holds nothing of the kind."""
    return (list(TOPICS).index(topic) * 7 + list(TABLES).index(table) * 5) % _SIZES[table]


class _Text:
    """A text in the making: what it holds of the thing, and the words for who and what it is."""

    __slots__ = ("env", "held", "kind", "known", "mark", "nats", "row", "topic", "uniform")

    def __init__(self, topic: str, situation: Situation, uniform: Uniform, mark: bool) -> None:
        self.topic = topic
        self.uniform = uniform
        self.mark = mark
        self.nats = 0.0
        self.held = {situation.kind: situation.row}
        self.kind, self.row = situation.kind, situation.row  # what was said last
        self.known: set[str] = set()  # variables of the clause that are known by now
        self.env = {"thing": situation.thing}
        for who, row in (("P", situation.owner), ("Q", situation.other)):
            self.env[who] = NAMES[row]
            for case, word in _PRONOUNS[row & 1].items():
                self.env[who + case] = word

    def draw(self, n: int) -> int:
        u = self.uniform()
        if u < PREFERENCE:
            self.nats += _NATS[n][0]
            return 0
        r = int((u - PREFERENCE) / (1 - PREFERENCE) * n)
        self.nats += _NATS[n][r > 0]
        return r

    def fresh(self, table: str) -> int:
        """A row of a table, the topic's favourite preferred."""
        n = _SIZES[table]
        row = (_favourite(self.topic, table) + self.draw(n)) % n
        return row + PRICES[0] if table == "number" else row

    def bind(self, skill: CompiledSkill) -> dict[str, int]:
        """The row of each variable of a skill."""
        rows: dict[str, int] = {}
        if self.mark:
            self.known.clear()
        for name, how in skill.variables:
            if how.get:
                row = self.held.get(how.get, -1)
                if row < 0:
                    row = self.fresh(how.get)
                elif self.mark:
                    self.known.add(name)
            elif how.new:
                row = self.new(how, rows)
            elif how.row:
                row = self.fresh(how.row)
            elif how.opposite:
                row = rows[how.opposite] ^ 1
            elif how.after:
                row = (rows[how.after] + 1) % _SIZES["day"]
            elif how.sum:
                n, more = rows[how.sum[0]], rows[how.sum[1]] + PRICES[0]
                row = n + more if n <= TURN else n - more
            else:
                row = _BROUGHT[rows[how.brought]]
            rows[name] = row
        return rows

    def new(self, how: Variable, rows: dict[str, int]) -> int:
        """Another row than that of the variables in `unlike`, or than the one held."""
        table, unlike = how.new, how.unlike
        current = rows[unlike[0]] if unlike else self.held.get(table, -1)
        if current < 0:
            return self.fresh(table)
        if table == "number":
            return PRICES[0] + (current - PRICES[0] + 1 + self.draw(_SIZES[table] - 1)) % len(
                PRICES
            )
        if table != "quality":
            n = _SIZES[table]
            return (current + 1 + self.draw(n - 1)) % n
        dimension = current >> 1
        r = self.draw(2 * (_DIMENSIONS - len(unlike)))
        step = r >> 1
        if len(unlike) == 2 and step >= ((rows[unlike[1]] >> 1) - dimension - 1) % _DIMENSIONS:
            step += 1
        return (dimension + 1 + step) % _DIMENSIONS * 2 + (r & 1)

    def write(self, skill: CompiledSkill, rows: dict[str, int]) -> None:
        for table, name in skill.writes:
            self.held[table] = rows[name]
            if table != "day":
                self.kind, self.row = table, rows[name]

    def pick(self, skill: CompiledSkill, rows: dict[str, int]) -> str:
        spec = skill.spec
        turned = spec.over_twelve and rows["n"] > TURN
        templates = spec.over_twelve if turned else spec.templates
        return templates[self.draw(len(templates))]

    def fill(self, part: Part, rows: dict[str, int], skill: CompiledSkill) -> str:
        """The words of a part, if they are marked with `MARK` before what the text determines."""
        env = self.env
        for key, words, name in part.fills:
            env[key] = words[rows[name]]
        if self.mark:
            for key, _, name in part.fills:
                env[key] = MARK * self._follows(skill, name) + env[key]
                self.known.add(name)
        return part.format % env

    def _follows(self, skill: CompiledSkill, name: str) -> bool:
        """Whether the text so far determines a variable."""
        how = skill.spec.variables[name]
        sources = how.sum or tuple(filter(None, (how.opposite, how.after, how.brought)))
        return name in self.known or (bool(sources) and self.known.issuperset(sources))

    def name_thing(self, modifiers: Sequence[str]) -> None:
        """Set the noun phrase: the thing, whose it is, what was last said of it, its modifiers."""
        env, kind = self.env, self.kind
        mark = MARK if self.mark else ""
        fact = mark + _FIRST[kind][self.row]
        thing = mark + env["thing"]
        owner = f"{env['P']} 's"
        his = env["P's"]
        if kind == "place":
            thing = f"{thing} from the {fact}"
        elif kind == "number":
            thing = f"{fact} coin {thing}"
        elif kind != "feeling":
            thing = f"{fact} {thing}"
        for name in modifiers:
            if name == "alliteration":
                words = EPITHETS[env["P"][0]]
                his = owner = f"{words[self.draw(len(words))]} {owner}"
                continue
            skill = COMPILED[name]
            rows = self.bind(skill)
            part = skill.part(self.pick(skill, rows), "fin", False, "P", 0)
            thing += " " + self.fill(part, rows, skill)
            self.write(skill, rows)
        if kind == "feeling":
            his = owner = f"{fact} {owner}"
        thing = thing.replace(", ,", ",")
        env["noun"] = f"{owner} {thing}"
        env["its_noun"] = f"{his} {thing}"

    def nest(self, unit: Unit, depth: int, form: str, flags: int, actor: str) -> tuple[str, int]:
        """The clause from its `depth`-th operator inwards, and who has been named then."""
        if depth == len(unit.operators):
            skill = COMPILED[unit.proposition]
            rows = self.bind(skill)
            part = skill.part(self.pick(skill, rows), form, False, actor, flags)
            words = self.fill(part, rows, skill)
            self.write(skill, rows)
            return words, part.flags
        skill = COMPILED[unit.operators[depth]]
        actor = skill.actor[actor]
        template = self.pick(skill, {})
        first = skill.part(template, form, False, actor, flags)
        framed = skill.cut(template, form)[1]
        inner, flags = self.nest(unit, depth + 1, framed, first.flags, actor)
        rows = self.bind(skill)
        words = f"{self.fill(first, rows, skill)} {inner}" if first.format else inner
        last = skill.part(template, form, True, actor, flags)
        if last.format:
            words = f"{words} {self.fill(last, rows, skill)}"
        self.write(skill, rows)
        return words, last.flags


def _spread(what: str, of: int, count: int | None) -> list[int]:
    """`count` places among `of`, from the first to the last, evenly."""
    if count is None:
        return list(range(of))
    if not 1 <= count <= of:
        raise BadInput(f"the world has {of} {what}; {count} were asked for")
    return [i * (of - 1) // max(1, count - 1) for i in range(count)]


class World:
    """The generator of texts, their vocabulary and their exact entropy.

    Parameters
    ----------
    skills, topics
        How many there are to combine, spread evenly over the order of their frequency; all if None.
        The vocabulary has the words of all.

    Raises
    ------
    BadInput
        If there are not so many.
    """

    def __init__(self, skills: int | None = None, topics: int | None = None) -> None:
        self._skills = _spread("skills", len(SKILLS), skills)
        self._topics = _spread("topics", len(TOPICS), topics)

    @cached_property
    def pack(self) -> SkillPack:
        """The skills by frequency, each with a text that shows it, and the topics."""
        skills: list[Skill] = []
        for i in self._skills:
            spec = SKILLS[i]
            text = self.sample(SkillCombination("sewing", (spec.name,)), Random(i).random)
            skills.append(Skill(spec.name, spec.category, spec.definition, text.pretty))
        names = list(TOPICS)
        topics = tuple(Topic(names[i]) for i in self._topics)
        return SkillPack("micro-english", VERSION, tuple(skills), topics)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens: specials, then the prompt's marks, skill names (one token each), words."""
        tokens = [PAD, BOS, EOS, "topic:", "about:", "skills:", "text:", ",", ".", "?", "'s"]
        tokens += [*(spec.name for spec in SKILLS), *TOPICS, *NAMES]
        tokens += [thing for things in TOPICS.values() for thing in things]
        tokens += [
            word
            for rows in TABLES.values()
            for row in rows
            for words in row.values()
            for word in words.split()
        ]
        tokens += [word for words in EPITHETS.values() for word in words]
        for text in (*OPENERS, *JOINTS, "she her he him his from the coin and"):
            tokens += text.split()
        return tuple(dict.fromkeys((*tokens, *template_words())))

    def check(self, combination: SkillCombination) -> None:
        """Raise `BadInput` if the world lacks the topic or a skill of `combination`."""
        if combination.topic not in TOPICS:
            raise BadInput(
                f"unknown topic {combination.topic!r}; "
                f"`unparrot world list` names the {len(TOPICS)} topics"
            )
        for name in combination.skills:
            if name not in COMPILED:
                raise BadInput(
                    f"unknown skill {name!r}; `unparrot world list` names the {len(SKILLS)} skills"
                )

    @staticmethod
    def draw_situation(topic: str, uniform: Uniform) -> Situation:
        """Draw a situation: the two people, the thing, and a fact of one of four types about it."""

        def row(n: int) -> int:
            return int(uniform() * n)

        owner = row(len(NAMES))
        other = row(len(NAMES) // 2) * 2 + (1 - owner % 2)
        thing = TOPICS[topic][row(len(TOPICS[topic]))]
        kind = GIVEN[row(len(GIVEN))]
        return Situation(
            owner, other, thing, kind, row(_SIZES[kind]) + PRICES[0] * (kind == "number")
        )

    def situation(self, combination: SkillCombination) -> Situation:
        """Return the situation of a test: drawn by the topic and the set of skills alone.

        Two requests for one combination are about the same people and thing.
        """
        self.check(combination)
        return self.draw_situation(combination.topic, Random(combination.id).random)

    def about(self, combination: SkillCombination) -> str:
        """Return what a test of the combination is about, as its prompt says it."""
        return " ".join(self.situation(combination).words)

    def prompt(self, combination: SkillCombination, situation: Situation | None = None) -> str:
        """What a model is given: the topic, what the text is about, then the skills in order."""
        return " ".join(self.prompt_tokens(combination, situation)[1:])

    def prompt_tokens(
        self, combination: SkillCombination, situation: Situation | None = None
    ) -> list[str]:
        """The prompt as tokens of `vocabulary`, <bos> first."""
        about = (situation or self.situation(combination)).words
        tokens = [BOS, "topic:", combination.topic, "about:", *about, "skills:"]
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

    def sample(
        self,
        combination: SkillCombination,
        uniform: Uniform,
        situation: Situation | None = None,
        cloze: bool = False,
    ) -> Sampled:
        """Draw a text.

        Parameters
        ----------
        combination
            What it shows.
        uniform
            Returns the next number of a stream in [0, 1).
        situation
            What it is about; None: what tests of the combination are about.
        cloze
            Whether to note the places of the words that the text before them determines.
        """
        self.check(combination)
        text = _Text(combination.topic, situation or self.situation(combination), uniform, cloze)
        units = plan(combination.skills)
        parts: list[str] = []
        joined = False  # whether the clause before joins the one before it
        for i, unit in enumerate(units):
            if i:
                before = units[i - 1]
                join = False
                if not (joined or before.asks or unit.asks):
                    join = i == 1 and _must_join(units, combination.k)
                    if not join:
                        join = uniform() < JOIN
                        text.nats += _JOIN_NATS[join]
                if join:
                    parts.append(JOINTS[text.draw(len(JOINTS))])
                else:
                    parts.append("?" if before.asks else ".")
                    if not unit.asks:
                        parts.append(OPENERS[text.draw(len(OPENERS))])
                joined = join
            text.name_thing(unit.modifiers)
            parts.append(text.nest(unit, 0, "fin", 0, "P")[0])
        parts.append("?" if units[-1].asks else ".")
        words = _tidy(" ".join(parts)).split()
        if not cloze:
            return Sampled(tuple(words), text.nats, ())
        places = tuple(i for i, word in enumerate(words) if word[0] == MARK)
        return Sampled(tuple(word.strip(MARK) for word in words), text.nats, places)

    def entropy(self, combination: SkillCombination, kind: str) -> float:
        """Return the exact entropy in nats of the text, given a request with a fact of `kind`."""
        self.check(combination)
        return _entropy(combination.skills, kind)


@lru_cache(maxsize=1 << 16)
def _entropy(skills: tuple[str, ...], kind: str) -> float:
    units = plan(skills)
    known = {kind}
    nats = 0.0
    free = 1.0  # chance that the clause before does not join the one before it
    join_entropy = -(JOIN * math.log(JOIN) + (1 - JOIN) * math.log(1 - JOIN))
    for i, unit in enumerate(units):
        if i:
            chance = 0.0
            if not (units[i - 1].asks or unit.asks):
                if i == 1 and _must_join(units, len(skills)):
                    chance = 1.0
                else:
                    chance = free * JOIN
                    nats += free * join_entropy
            nats += chance * _ENTROPY[len(JOINTS)]
            if not unit.asks:
                nats += (1 - chance) * _ENTROPY[len(OPENERS)]
            free = 1 - chance
        for name in (*unit.modifiers, unit.proposition, *reversed(unit.operators)):
            nats += _skill_entropy(COMPILED[name], known)
    return nats


def _skill_entropy(skill: CompiledSkill, known: set[str]) -> float:
    """Nats of a skill's draws where the text holds the types in `known`; adds what it writes."""
    if skill.name == "alliteration":
        return _ENTROPY[2]
    nats = _ENTROPY[len(skill.spec.templates)]
    for _, how in skill.variables:
        if (
            how.row
            or (how.get and how.get not in known)
            or (how.new and not how.unlike and how.new not in known)
        ):
            nats += _ENTROPY[_SIZES[how.table]]
        elif how.new == "quality":
            nats += _ENTROPY[2 * (_DIMENSIONS - len(how.unlike))]
        elif how.new:
            nats += _ENTROPY[_SIZES[how.new] - 1]
    known.update(skill.spec.writes)
    return nats


def _tidy(text: str) -> str:
    """Of two marks in a row the stronger remains."""
    return text.replace(", ,", ",").replace(", .", ".").replace(", ?", "?")


CAPITALS: Final = frozenset((*NAMES, *column("day", "day")))


def pretty(tokens: Sequence[str]) -> str:
    """Join words as people write them: 'mary 's needle , wet .' -> 'Mary's needle, wet.'"""
    out: list[str] = []
    start = True
    for token in tokens:
        if token in (",", ".", "?"):
            out.append(token)
            start = token != ","
        elif token == "'s":
            out.append(token)
        else:
            word = token.capitalize() if start or token in CAPITALS else token
            out.append(f" {word}" if out else word)
            start = False
    return "".join(out)


_WITHOUT_ABOUT: Final = re.compile(r"topic: (\S+) skills: (.+) text:")


def complete_prompt(prompt: str) -> str:
    """Return a prompt that says what the text is about, as a test of its combination has it.

    Prompts that say it already, and texts that are no prompts of the world, are returned as they
    are.

    Examples
    --------
    >>> complete_prompt("topic: sewing skills: metaphor text:")
    "topic: sewing about: oscar and anna 's glass robe skills: metaphor text:"
    """
    match = _WITHOUT_ABOUT.fullmatch(" ".join(prompt.split()))
    if not match:
        return prompt
    try:
        combination = SkillCombination(match[1], tuple(match[2].split(" , ")))
        return World().prompt(combination)
    except BadInput:
        return prompt


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
        situation = world.draw_situation(combination.topic, rng.random)
        text = world.sample(combination, rng.random, situation)
        exact.append(world.entropy(combination, situation.kind))
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
    """Return the pack of the world; None if `name` is not 'world'.

    Examples
    --------
    >>> len(world_pack("world").skills), world_pack("language.en")
    (36, None)
    """
    return World().pack if name == "world" else None
