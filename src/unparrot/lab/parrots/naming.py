"""Naming: how prompts and texts name two people, a thing and the fact that it is known by.

`Naming` learns it from examples alone. What prompts are about has few shapes (``_ and _ 's _ _``),
whose slots hold names, a thing and a fact; texts name the same by the same shapes, or by pronouns.
Texts become *plain* where their own names are replaced by roles, so that texts about different
people and things can be compared, and are given names again in `Naming.realize`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from unparrot.lab.corpus import Example

CONSTANT: Final = 0.1
"""A word in at least this share of what prompts are about belongs to their shapes (assumed)."""
THING: Final = "the thing"
"""Stands for the name of the thing alone. No word of a text has a space."""
NAMED: Final = "the thing as known"
"""Stands for owner, fact and thing together: ``ann 's red cup``."""
STOP: Final = "."
_OF: Final = "'s"
SEAM: Final = "a seam"
"""Where a text may be cut; never written."""

_PRONOUNS: Final = {
    "he": ("m", "s"),
    "him": ("m", "o"),
    "his": ("m", "p"),
    "she": ("f", "s"),
    "her": ("f", ""),
}
"""English pronouns: gender and case (subject, object, possessive; 'her' is two of them)."""
_PRONOUN: Final = {
    **{(gender, case): word for word, (gender, case) in _PRONOUNS.items()},
    ("f", "o"): "her",
    ("f", "p"): "her",
}


class _Cases:
    """The cases of pronouns, by the words before and after."""

    def __init__(self, usual: str) -> None:
        self._usual = usual
        self._seen: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def count(self, before: str, after: str, case: str) -> None:
        for key in ((before, after), ("", after), (before, "")):
            self._seen[key][case] += 1

    def case(self, before: str, after: str) -> str:
        """The case that either neighbour, or both, tell most surely."""
        best, sure = self._usual, 0.0
        for key in ((before, after), ("", after), (before, "")):
            seen = self._seen.get(key)
            if seen:
                case, times = seen.most_common(1)[0]
                if times / (seen.total() + 0.5) > sure:
                    best, sure = case, times / (seen.total() + 0.5)
        return best


class Subject(NamedTuple):
    """What a text is to be about; ``shape``: number of the way in which the fact is named."""

    other: str
    owner: str
    thing: str
    fact: str
    shape: int


class Plain(NamedTuple):
    """A clause without its own names: ``words``; how it named the fact; and its epithet, an extra
    word that it put before the thing."""

    words: list[str]
    fact: str
    shape: int
    epithet: str | None


class Naming:
    """The shapes, names and genders of a corpus; see the module."""

    def __init__(self, examples: Sequence[Example]) -> None:
        abouts = Counter(example.about for example in examples)
        with_word: Counter[str] = Counter()
        for about, times in abouts.items():
            for word in set(about.split()):
                with_word[word] += times
        self._constant = {w for w, n in with_word.items() if n >= CONSTANT * len(examples)}
        self._shapes: list[tuple[tuple[str | None, ...], int, int]] = []
        self._learn_shapes(abouts)
        self._tails = self._learn_tails()
        self._gender: dict[str, str] = {}
        self._before: set[str] = set()
        self._her = _Cases("o")
        self._name = _Cases("s")

    @property
    def before_owner(self) -> frozenset[str]:
        """Facts that are named before the owner: ``glad ann 's cup``."""
        return frozenset(self._before)

    @property
    def fact_before_owner(self) -> int:
        """The number of that way of naming a fact, after those of the prompts."""
        return len(self._shapes)

    def _learn_shapes(self, abouts: Counter[str]) -> None:
        """Find the shapes, and of their last two slots that of the thing: its words fill a slot
        in more shapes than those of the fact."""
        fillers: dict[tuple[str | None, ...], list[Counter[str]]] = {}
        for about, times in abouts.items():
            words = about.split()
            shape = tuple(word if word in self._constant else None for word in words)
            filling = [word for word in words if word not in self._constant]
            slots = fillers.setdefault(shape, [Counter() for _ in filling])
            for slot, word in zip(slots, filling, strict=True):
                slot[word] += times
        whole = {shape: slots for shape, slots in fillers.items() if len(slots) == 4}
        homes = Counter(word for slots in whole.values() for s in slots[2:] for word in s)
        frequent = sorted(whole, key=lambda shape: -whole[shape][2].total())
        for shape in frequent:
            third, fourth = (
                sum(homes[word] for word in slot) / len(slot) for slot in whole[shape][2:]
            )
            thing, fact = (2, 3) if third > fourth else (3, 2)
            # a single shape says nothing; there the thing stands last, as nouns do
            self._shapes.append((shape, thing, fact))

    def subject(self, about: str) -> Subject | None:
        """Read what a prompt is about; None if it has no shape that was learnt."""
        words = about.split()
        for number, (shape, thing, fact) in enumerate(self._shapes):
            if len(shape) == len(words) and all(
                form is None or form == word for form, word in zip(shape, words, strict=True)
            ):
                filling = [w for form, w in zip(shape, words, strict=True) if form is None]
                return Subject(filling[0], filling[1], filling[thing], filling[fact], number)
        return None

    def _learn_tails(self) -> list[tuple[list[str | int], int]]:
        """What follows the owner's 's in each shape (0: fact, 1: thing), longest first."""
        tails: list[tuple[list[str | int], int]] = []
        for number, (shape, thing, fact) in enumerate(self._shapes):
            slots = [i for i, form in enumerate(shape) if form is None]
            tail: list[str | int] = []
            for i in range(slots[1] + 2, len(shape)):
                form = shape[i]
                tail.append(form if form is not None else 0 if i == slots[fact] else 1)
            if slots[thing] > slots[1] + 1 and slots[fact] > slots[1] + 1:
                tails.append((tail, number))
        return sorted(tails, key=lambda tail: -len(tail[0]))

    @staticmethod
    def roles(words: Iterable[str], subject: Subject) -> list[str]:
        """Put A for the other person, B for the owner, and `THING`."""
        roles = {subject.other: "A", subject.owner: "B", subject.thing: THING}
        return [roles.get(word, word) for word in words]

    def learn_mentions(self, clauses: Sequence[tuple[Subject, list[str]]]) -> None:
        """Learn genders, cases and facts named before the owner, from clauses with roles."""
        votes: Counter[str] = Counter()
        for subject, words in clauses:
            people = {word for word in words if word in ("A", "B")}
            genders = {_PRONOUNS[word][0] for word in words if word in _PRONOUNS}
            if len(people) == 1 and len(genders) == 1:
                name = subject.other if "A" in people else subject.owner
                votes[name] += 1 if "f" in genders else -1
            for before, word, after in _neighbours(words):
                if word in ("his", "him"):
                    self._her.count(before, after, _PRONOUNS[word][1])
        self._gender = {name: "f" if vote > 0 else "m" for name, vote in votes.items()}
        bare: Counter[str] = Counter()
        for _, words in clauses:
            for before, word, after in _neighbours(words):
                case = self._case_of_pronoun(before, word, after)
                if case in ("s", "o"):
                    self._name.count(before, after, case)
            for i, word in enumerate(words):
                named = word == THING and i > 2 and words[i - 2 : i] == ["B", _OF]
                if named and not any(w in self._constant for w in words[i + 1 : i + 4]):
                    bare[words[i - 3]] += 1
        self._before = {word for word, times in bare.items() if times > 1}

    def _case_of_pronoun(self, before: str, word: str, after: str) -> str | None:
        if word not in _PRONOUNS:
            return None
        return _PRONOUNS[word][1] or self._her.case(before, after)

    def plain(self, words: Sequence[str], subject: Subject) -> Plain | None:
        """Put roles and cases for mentions, and `NAMED` for the thing as it is known.

        None unless the clause names the thing in one known way exactly once.
        """
        people = {self._gender.get(subject.other): "A", self._gender.get(subject.owner): "B"}
        if people.keys() != {"f", "m"}:  # too little was read to tell them apart
            return None
        mentions: list[str] = []
        for before, word, after in _neighbours(words):
            case = self._case_of_pronoun(before, word, after)
            if word in ("A", "B"):
                mentions.append(f"{word} {'p' if after == _OF else self._name.case(before, after)}")
            elif case is not None:
                mentions.append(f"{people[_PRONOUNS[word][0]]} {case}")
            elif word != _OF or before not in ("A", "B"):
                mentions.append(word)
        return self._folded(mentions)

    def _folded(self, words: list[str]) -> Plain | None:
        folded: list[str] = []
        known: tuple[str, int] | None = None
        epithet: str | None = None
        i = 0
        while i < len(words):
            if words[i] == "B p":
                read = self._read_tail(words, i, folded)
                if read is not None:
                    fact, shape, extra, i = read
                    if known is not None:
                        return None
                    known = fact, shape
                    if shape == self.fact_before_owner:
                        folded.pop()
                    epithet = extra
                    folded.append(NAMED)
                    continue
            folded.append(words[i])
            i += 1
        return None if known is None else Plain(folded, *known, epithet)

    def _read_tail(
        self, words: list[str], at: int, before: list[str]
    ) -> tuple[str, int, str | None, int] | None:
        """Fact, shape, epithet and end of a thing that is named from its owner at ``at``."""
        early = bool(before) and before[-1] in self._before
        for tail, number in self._tails:
            for extra in (0, 1):
                start = at + 1 + extra
                got = words[start : start + len(tail)]
                if len(got) < len(tail) or (early and len(tail) < 3):
                    continue
                if all(
                    (form == 0 and word != THING) or (form == 1 and word == THING) or form == word
                    for form, word in zip(tail, got, strict=True)
                ):
                    fact = got[tail.index(0)]
                    return fact, number, words[at + 1] if extra else None, start + len(tail)
        if early:
            for extra in (0, 1):
                if words[at + 1 + extra : at + 2 + extra] == [THING]:
                    epithet = words[at + 1] if extra else None
                    return before[-1], self.fact_before_owner, epithet, at + 2 + extra
        return None

    def realize(self, plain: Iterable[str], subject: Subject, epithet: str | None) -> list[str]:
        """Name people, thing and fact again: a person by name at first, then by pronoun."""
        mentioned: set[str] = set()
        words: list[str] = []

        def mention(role: str, case: str) -> None:
            name = subject.other if role == "A" else subject.owner
            if name in mentioned:
                words.append(_PRONOUN[self._gender.get(name, "m"), case])
            else:
                mentioned.add(name)
                words.extend([name, "'s"] if case == "p" else [name])

        for word in plain:
            if word == NAMED:
                extra = [] if epithet is None else [epithet]
                if subject.shape == self.fact_before_owner:
                    mentioned.add(subject.owner)
                    words += [subject.fact, subject.owner, "'s", *extra, subject.thing]
                else:
                    mention("B", "p")
                    tail = next(t for t, number in self._tails if number == subject.shape)
                    slots = {0: subject.fact, 1: subject.thing}
                    words += extra
                    words += [form if isinstance(form, str) else slots[form] for form in tail]
            elif word == THING:
                words.append(subject.thing)
            elif word[:2] in ("A ", "B "):
                mention(word[0], word[2])
            else:
                words.append(word)
        return words


def _neighbours(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Every word between the words before and after it; an end counts as a full stop."""
    return zip((STOP, *words), words, (*words[1:], STOP), strict=False)


def person(plain: Iterable[str]) -> str | None:
    """The role of whoever is mentioned first."""
    return next((word[0] for word in plain if word[:2] in ("A ", "B ")), None)
