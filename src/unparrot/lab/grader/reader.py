"""The reader of texts: takes clause after clause apart and goes on behind what it can't read."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from unparrot.core.errors import BadInput
from unparrot.lab.grader import grammar
from unparrot.lab.grader.rules import ALLITERATION, CARRIER, LAST, QUESTION, Clause, Held
from unparrot.lab.grader.words import (
    ANY_THING,
    EPITHETS_OF,
    OTHERS,
    THING_CODES,
    WOMEN,
    decode,
    encode,
    tokenise,
)

# Clauses in a sentence
MOST_CLAUSES: Final = 2
# A pattern and the words in its groups
Step = tuple[grammar.Pattern, tuple[str, ...]]
# Whether the other person owns the thing, and what is wrong
Misnamed = tuple[bool, str]
# Where a clause ends, its patterns, and who is misnamed in it
Parse = tuple[int, list[Step], list[Misnamed]]


class About(NamedTuple):
    """What the request says a text is about, in codes."""

    owner: str
    other: str
    # `WOMAN` if the owner is one, else 0
    woman: int
    thing: str
    # The fact, as the text holds it at first
    held: tuple[str | None, ...]

    @property
    def epithets(self) -> frozenset[str]:
        """What may stand before the owner's name."""
        return EPITHETS_OF[self.owner]

    def encode(self, text: str) -> str:
        """Return a text in codes, with `P`, `Q` and `O` for the people and the thing."""
        codes = encode(text).replace(self.owner, "P").replace(self.other, "Q")
        return codes.replace(self.thing, "O")

    def decode(self, codes: str) -> str:
        """Return the words of such codes."""
        codes = codes.replace("P", self.owner).replace("Q", self.other)
        return decode(codes.replace("O", self.thing))


@lru_cache(maxsize=4096)
def parse_about(topic: str, about: str) -> About:
    """Return what a request says its text is about: "paul and mary 's wet needle".

    Raises
    ------
    BadInput
        If it does not read like that, or the thing is none of the topic.
    """
    if topic not in THING_CODES:
        raise BadInput(f"unknown topic {topic!r}; `unparrot world list` names the topics")
    match = grammar.ABOUT(encode(about))
    problem = 'it must read like "paul and mary \'s wet needle", with one fact about the thing'
    if match:
        other, owner, quality, material, number, thing, placed, place = match.groups()
        thing = thing or placed
        if (owner in WOMEN) == (other in WOMEN):
            problem = "one of the two must be a woman, the other a man"
        elif thing not in THING_CODES[topic]:
            problem = f"{decode(thing)!r} is no thing of {topic}"
        else:
            last = grammar.NOUN_PHRASES[quality or material or number or place]
            held = (quality, material, place, number, None, None, last)
            return About(owner, other, grammar.WOMAN * (owner in WOMEN), thing, held)
    raise BadInput(f"about {about!r}: {problem}")


@lru_cache(maxsize=1 << 14)
def split_figures(codes: str) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """Return the names and the patterns of the modifiers behind a noun, which a pattern matched."""
    steps: list[Step] = []
    at = 0
    while at < len(codes) - 1:
        for pattern in grammar.FIGURES:
            if match := pattern.match(codes, at):
                steps.append((pattern, match.groups()))
                at = match.end()
                break
    return tuple(pattern.name for pattern, _ in steps), tuple(steps)


class Reader:
    """One pass over one text."""

    def __init__(self, about: About, text: str, planned: tuple[Clause, ...]) -> None:
        self.about, self.planned = about, planned
        self.tokens = tokenise(text)
        self.codes = codes = about.encode(text)
        self.held: Held = list(about.held)
        self.clauses: list[Clause] = []
        # The number of the clause and the name of each skill that does not hold
        self.wrong: set[tuple[int, str]] = set()
        self.faults: list[str] = []
        self.sentences = 0
        self.on_topic = "O" in codes and not OTHERS(codes)
        at = 0
        if not codes:
            self.faults.append("there is no text")
        while at < len(codes):
            at = self._sentence(at)

    def _sentence(self, at: int) -> int:
        codes = self.codes
        opener = grammar.OPENER.match(codes, at)
        if opener:
            at = opener.end()
        clauses = 0
        asks = unread = False
        while True:
            clauses += 1
            end = self._clause(at)
            if end < 0:
                end = self._next(at)
                unread = True
            elif self.clauses[-1][0][0] == QUESTION:
                asks = True
            joint = grammar.JOINT.match(codes, end)
            if not joint:
                break
            at = joint.end()
        if end == len(codes):
            self.faults.append("the last sentence does not end")
        elif asks != (codes[end] == grammar.ASKS) and not unread:
            self.faults.append("a question ends without '?', or '?' ends what is none")
        if opener and not self.sentences:
            self.faults.append("an opener stands before the first sentence")
        if asks and (opener or clauses > 1):
            self.faults.append("a question is not a sentence of its own")
        elif clauses > MOST_CLAUSES:
            self.faults.append(f"{clauses} clauses in a sentence, over {MOST_CLAUSES}")
        self.sentences += 1
        return end + 1

    def _next(self, at: int) -> int:
        """Where an unreadable clause ends: at a mark, or a joint before what can be read."""
        codes = self.codes
        self.faults.append(f"cannot read {' '.join(self.tokens[at : at + 12])!r}")
        self.held = [None] * (LAST + 1)
        for mark in grammar.ENDS.finditer(codes, at):
            if codes[mark.start()] in (grammar.STOP, grammar.ASKS) or self._parse(mark.end()):
                return mark.start()
        return len(codes)

    def _clause(self, at: int) -> int:
        """Take in what a clause says; where it ends, or -1 if it can't be read."""
        parse = self._parse(at)
        if not parse:
            return -1
        end, steps, misnamed = parse
        self.on_topic = self.on_topic and not any(owner for owner, _ in misnamed)
        self.faults += [fault for owner, fault in misnamed if not owner]
        pattern, groups = steps[-1]
        feeling, epithet, owner, thing, figures = groups[pattern.noun]
        self._bears(feeling + thing)
        modifiers, figure_steps = split_figures(figures)
        if epithet:
            modifiers = (ALLITERATION, *modifiers)
            name = self.about.other if owner[0] == "Q" else owner[0]
            if epithet not in EPITHETS_OF.get(name, self.about.epithets):
                self.wrong.add((len(self.clauses), ALLITERATION))
        for pattern, groups in (*figure_steps, *reversed(steps)):
            if not pattern.judge(groups, self.held):
                self.wrong.add((len(self.clauses), pattern.name))
        self.clauses.append((tuple(pattern.name for pattern, _ in steps), modifiers))
        return end

    def _parse(self, at: int) -> Parse | None:
        """Take a clause apart, if it can be read."""
        codes = self.codes
        form, key = grammar.OUTERMOST, self.about.woman
        steps: list[Step] = []
        misnamed: list[Misnamed] = []
        while form >= 0:
            for pattern in grammar.ANY[form]:
                if match := pattern.match(codes, at):
                    break
            else:
                return None
            groups = match.groups()
            if any(groups[pattern.noun][:2]):
                key += grammar.NAMED
            if not self._name(pattern, groups, key, misnamed):
                return None
            key = pattern.due[key][1]
            steps.append((pattern, groups))
            at = match.end()
            form = pattern.inner
        for depth in reversed(range(len(steps))):
            pattern, groups = steps[depth]
            if pattern.tail:
                match = pattern.tail.match(codes, at)
                if not match:
                    return None
                self._name(pattern.tail, match.groups(), key, misnamed)
                steps[depth] = pattern, groups + match.groups()
                at = match.end()
        if at < len(codes) and not grammar.ENDS.match(codes, at):
            return None
        return at, steps, misnamed

    def _name(
        self, part: grammar.Part, groups: Sequence[str], key: int, misnamed: list[Misnamed]
    ) -> bool:
        """Note who is misnamed; whether who acts in an operator is who should act."""
        for (role, _, group), shape in zip(part.people, part.shapes(key)[0], strict=True):
            word = groups[group]
            named, due = self._who(word), self._who(shape)
            if word == shape or named is None or due is None:  # somebody else costs the topic
                continue
            fault = f"{self.about.decode(word)!r} where {self.about.decode(shape)!r} should stand"
            if named != due and part.actor and group == 0:
                return False
            misnamed.append((role == "O" and named >= 0 and named != due, fault))
        return True

    def _who(self, word: str) -> int | None:
        """0 for P, 1 for Q, None for somebody else, -1 for nobody."""
        if word[0] in "PQ":
            return "PQ".index(word[0])
        if word == grammar.THE:
            return -1
        for sex, pronouns in enumerate(grammar.PRONOUNS):
            if word in pronouns:
                return sex ^ (bool(self.about.woman))
        return None

    def _bears(self, thing: str) -> None:
        """Note a fault unless a noun phrase, of whatever thing, bears what was last said."""
        last = self.held[LAST]
        if last and last != ANY_THING.sub("O", thing):
            says, due = self.about.decode(thing), self.about.decode(last)
            self.faults.append(f"what was last said is {due!r}, not {says!r}")

    def shown(self) -> set[str]:
        """Return the skills shown where the plan wants them; note what nobody asked for."""
        places = self._places()
        wanted = {CARRIER}.union(*(skills + figures for skills, figures in self.planned))
        seen: set[str] = set()
        for skills, figures in self.clauses:
            for name in skills + figures:
                if name not in wanted:
                    self.faults.append(f"nobody asked for {name}")
                elif name in seen and name != CARRIER:
                    self.faults.append(f"{name} stands there twice")
                seen.add(name)
        in_order = _in_order(places)
        shown: set[str] = set()
        for number, (clause, place) in enumerate(zip(self.clauses, places, strict=True)):
            if place is None:
                continue
            (*operators, proposition), figures = clause
            kept = {proposition} if place in in_order else set[str]()
            if place in in_order or proposition != CARRIER:
                for names, plan in zip((operators, figures), self.planned[place], strict=True):
                    ranks = [plan.index(name) if name in plan else None for name in names]
                    kept |= {plan[rank] for rank in _in_order(ranks)}
            shown |= {name for name in kept if (number, name) not in self.wrong}
        return shown

    def _places(self) -> list[int | None]:
        """For each clause its number in the plan; carriers are matched by what they carry."""
        planned = {skills[-1]: at for at, (skills, _) in enumerate(self.planned)}
        planned.pop(CARRIER, None)
        places = [planned.get(skills[-1]) for skills, _ in self.clauses]
        carriers = [at for at, (skills, _) in enumerate(self.clauses) if skills[-1] == CARRIER]
        free = [at for at, (skills, _) in enumerate(self.planned) if skills[-1] == CARRIER]

        def shared(pair: tuple[int, int]) -> int:
            (has, figures), (wanted, also) = self.clauses[pair[0]], self.planned[pair[1]]
            return len({*has, *figures} & {*wanted, *also})

        while carriers and free:
            number, place = max(product(carriers, free), key=shared)
            places[number] = place
            carriers.remove(number)
            free.remove(place)
        self.faults += ["nobody asked for a plain clause"] * len(carriers)
        return places


def _in_order(places: Sequence[int | None]) -> set[int]:
    """Return the places that stand in order with all others; each counts where it is first.

    Examples
    --------
    >>> _in_order([0, 2, None, 1, 3, 0])
    {0, 3}
    """
    first = list(dict.fromkeys(place for place in places if place is not None))
    return {
        place
        for at, place in enumerate(first)
        if all(other < place for other in first[:at])
        and all(other > place for other in first[at + 1 :])
    }
