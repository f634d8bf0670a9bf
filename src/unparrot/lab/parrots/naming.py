"""Naming: how prompts and texts name two people, a thing and the fact that it is known by.

`Naming` learns it from examples alone. What prompts are about has few shapes (``_ and _ 's _ _``),
whose slots hold names, a thing and a fact; texts name the same by the same shapes, or by pronouns.
A *plain* text has A for the other person, B for the owner, T for the thing alone, and `NAMED` for
owner, fact and thing together, so that texts about different things can be compared;
`Naming.realize` names them again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from unparrot.lab.corpus import Example

# a word in at least this share of what prompts are about belongs to their shapes (assumed)
CONSTANT: Final = 0.1
# times that a word before an owner's name begins like it, and never else, if it is an epithet
ENOUGH: Final = 5
NAMED: Final = "@"
# where a text may be cut; never written
SEAM: Final = "|"
# the cases of pronouns: subject, object, possessive; 'her' is two of them
_CASE: Final = {"he": "s", "she": "s", "him": "o", "his": "p"}
_PRONOUN: Final = {
    "m": {"s": "he", "o": "him", "p": "his"},
    "f": {"s": "she", "o": "her", "p": "her"},
}
_SLOTS: Final = ("other", "owner", "thing", "fact")


class Subject(NamedTuple):
    """What a text is to be about; ``shape``: number of the way in which the fact is named."""

    other: str
    owner: str
    thing: str
    fact: str
    shape: int


class Mention(NamedTuple):
    """What a `NAMED` stands for: the fact, the way in which it is named, and the epithet."""

    fact: str
    shape: int
    epithet: str | None


class Naming:
    """The shapes, genders, cases and epithets of a corpus; see the module.

    ``epithets``: by the initial of a name, the words that stand before such names alone.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._prompts: list[re.Pattern[str]] = []
        self._tails: list[str] = []
        self._learn_shapes(examples)
        known = [(e, s) for e in examples if (s := self.subject(e.about)) is not None]
        self._gender = _genders(known)
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._case = cache(self._likeliest_case)
        self.epithets: Final[defaultdict[str, Counter[str]]] = defaultdict(Counter)
        self._learn_neighbours(example.text for example, _ in known)
        roles = [(e.combination.skills, self._roles(e.text, subject)) for e, subject in known]
        self._noun = self._noun_phrase(self._early_facts(text for _, text in roles))
        self.documents: Final = [(skills, *self._folded(text)) for skills, text in roles]

    def _learn_shapes(self, examples: Sequence[Example]) -> None:
        """Find the shapes, and of their last two slots that of the thing: its words fill a slot
        in more shapes than those of the fact."""
        abouts = Counter(example.about for example in examples)
        share: Counter[str] = Counter()
        for about, times in abouts.items():
            share.update(dict.fromkeys(about.split(), times))
        self._constant = {word for word, n in share.items() if n >= CONSTANT * len(examples)}
        times_seen: Counter[str] = Counter()
        fillers: dict[str, tuple[set[str], set[str]]] = {}
        for about, times in abouts.items():
            shape = " ".join(word if word in self._constant else "_" for word in about.split())
            if shape.count("_") == 4 and "_ 's " in shape:
                *_, third, fourth = (word for word in about.split() if word not in self._constant)
                times_seen[shape] += times
                slots = fillers.setdefault(shape, (set(), set()))
                slots[0].add(third)
                slots[1].add(fourth)
        homes = Counter(word for slots in fillers.values() for slot in slots for word in slot)
        for shape, _ in times_seen.most_common():
            third, fourth = (sum(homes[word] for word in s) / len(s) for s in fillers[shape])
            # a single shape says nothing; there the thing stands last, as nouns do
            last = ("thing", "fact") if third > fourth else ("fact", "thing")
            named = shape.replace("_", "{}").format(*(f"{{{s}}}" for s in (*_SLOTS[:2], *last)))
            self._tails.append(named.partition("{owner} 's ")[2])
            groups = {slot: rf"(?P<{slot}>\S+)" for slot in _SLOTS}
            self._prompts.append(re.compile(named.format(**groups)))

    def _learn_neighbours(self, texts: Iterable[str]) -> None:
        """Learn the cases of pronouns and the epithets from what stands around them."""
        words = f"  {'  '.join(texts)}  ".split(" ")
        before_name: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for (before, word, after), n in Counter(
            zip(words, words[1:], words[2:], strict=False)
        ).items():
            if word in _CASE:
                for key in ((before, after), ("", after), (before, "")):
                    self._seen[*key, _CASE[word]] += n
            elif after == "'s" and word in self._gender:
                before_name[before][word[0]] += n
        for word, initials in before_name.items():
            if initials.keys() == {word[:1]} and initials.total() >= ENOUGH:
                self.epithets[word[0]][word] = initials.total()

    def _early_facts(self, texts: Iterable[str]) -> list[str]:
        """Facts that are named before the owner: ``glad ann 's cup``."""
        bare = re.compile(rf"(\S+) (?:{self._any_epithet} )?B's T (?!{any_of(self._constant)} )")
        early = Counter(word for text in texts if "B's T" in text for word in bare.findall(text))
        return [word for word, times in early.items() if times > 1]

    @property
    def _any_epithet(self) -> str:
        return any_of(word for words in self.epithets.values() for word in words)

    def _noun_phrase(self, early: Iterable[str]) -> re.Pattern[str]:
        """Names of owner, fact and thing; the fact's group is the number of the way, from 1."""
        longest = sorted(self._tails, key=len, reverse=True)
        tails = [
            tail.format(fact=rf"(?P<_{self._tails.index(tail)}>\S+)", thing="T") for tail in longest
        ]
        named = (
            rf"(?P<_{len(self._tails)}>{any_of(early)}) (?:(?P<late>{self._any_epithet}) )?B's T"
        )
        also = rf"(?:(?P<epithet>{self._any_epithet}) )?B's (?:{'|'.join(tails) or '(?!)'})"
        return re.compile(rf"(?<!\S)(?:{named}|{also})(?!\S)")

    def subject(self, about: str) -> Subject | None:
        """Read what a prompt is about; None if it has no shape that was learnt."""
        for number, shape in enumerate(self._prompts):
            if match := shape.fullmatch(about):
                return Subject(
                    match["other"], match["owner"], match["thing"], match["fact"], number
                )
        return None

    def _likeliest_case(self, before: str, after: str, cases: str) -> str:
        """The case that either neighbour, or both, tell most surely."""
        best, sure = cases[0], 0.0
        for key in ((before, after), ("", after), (before, "")):
            seen = [self._seen[*key, case] for case in cases]
            if max(seen) > sure * (sum(seen) + 0.5):
                best, sure = cases[seen.index(max(seen))], max(seen) / (sum(seen) + 0.5)
        return best

    def _roles(self, text: str, subject: Subject) -> str:
        """A text with A, B and T for those whom it names, and those for pronouns; empty if too
        little was read to tell the two apart."""
        roles = {subject.thing: "T"}
        for role, name in (("A", subject.other), ("B", subject.owner)):
            roles[name] = role
            for case, word in _PRONOUN.get(self._gender.get(name, ""), {}).items():
                roles[word] = role if case != "p" else f"{role}'s"
        if len(roles) < 8:
            return ""
        words = text.split()
        plain = [roles.get(word, word) for word in words]
        if "her" in words:
            for i, (before, word, after) in enumerate(
                zip(("", *words), words, (*words[1:], ""), strict=False)
            ):
                if word == "her" and self._case(before, after, "op") == "o":
                    plain[i] = plain[i][0]
        return " ".join(plain).replace("A 's", "A's").replace("B 's", "B's")

    def _folded(self, text: str) -> tuple[str, list[Mention]]:
        """A text with `NAMED` for owner, fact and thing, and what each `NAMED` stands for."""
        mentions: list[Mention] = []

        def fold(match: re.Match[str]) -> str:
            way = next(name for name, word in match.groupdict().items() if word and name[0] == "_")
            mentions.append(Mention(match[way], int(way[1:]), match["late"] or match["epithet"]))
            return NAMED

        return self._noun.sub(fold, text), mentions

    def plain(self, text: str, subject: Subject) -> tuple[str, list[Mention]]:
        """Return a text with roles and `NAMED` for names, and what each `NAMED` stands for."""
        return self._folded(self._roles(text, subject))

    def realize(self, plain: str, subject: Subject, epithet: str | None) -> list[str]:
        """Name people, thing and fact again: a person by name at first, then by pronoun."""
        named: set[str] = set()
        words: list[str] = []
        tokens = plain.split()

        def name(role: str, possessive: bool, after: str) -> None:
            person = subject.other if role == "A" else subject.owner
            if person in named:
                before = next((word for word in reversed(words) if word != SEAM), "")
                case = "p" if possessive else self._case(before, after, "so")
                words.append(_PRONOUN[self._gender.get(person, "m")][case])
            else:
                named.add(person)
                words.extend([person, "'s"] if possessive else [person])

        for i, token in enumerate(tokens):
            if token in ("A", "B", "A's", "B's"):
                after = next((word for word in tokens[i + 1 : i + 3] if word != SEAM), "")
                name(token[0], len(token) > 1, after)
            elif token == "T":
                words.append(subject.thing)
            elif token == NAMED:
                tail = "{fact} {thing}"
                if subject.shape == len(self._tails):
                    words.append(subject.fact)
                    tail = "{thing}"
                else:
                    tail = self._tails[subject.shape]
                if epithet is not None:
                    words.append(epithet)
                if epithet is not None or subject.shape == len(self._tails):
                    named.discard(subject.owner)
                name("B", True, "")
                words += tail.format(fact=subject.fact, thing=subject.thing).split()
            else:
                words.append(token)
        return words


def _genders(texts: Iterable[tuple[Example, Subject]]) -> dict[str, str]:
    """The gender of every name, by the pronouns of texts that name one person."""
    votes: Counter[str] = Counter()
    for example, subject in texts:
        words = set(example.text.split())
        people = words & {subject.other, subject.owner}
        man, woman = words & {"he", "him", "his"}, words & {"she", "her"}
        if len(people) == 1 and bool(man) != bool(woman):
            votes[people.pop()] += 1 if woman else -1
    return {name: "f" if vote > 0 else "m" for name, vote in votes.items()}


def any_of(words: Iterable[str]) -> str:
    """A regular expression for any of these."""
    return f"(?:{'|'.join(map(re.escape, words)) or '(?!)'})"
