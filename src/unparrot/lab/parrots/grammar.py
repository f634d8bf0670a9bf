"""Grammar: which stretches of training texts show which skills, and where they fit.

A text is a row of clauses, joined by full stops and links; each names the thing once (`NAMED`) and
shows a run of the skills asked for, in their order. In a clause a skill is one of three kinds,
which the texts of a single skill tell apart:

frame
    words around what another skill says: ``ann told ben that ...``. Alone, it is put around a
    clause that says nothing in particular, and that frames share
remark
    words added to the name of the thing: ``..., as red as a rose``, or an epithet
core
    all else: a clause of its own

A frame asks for a *form* of what it frames (``ben to lose``, ``ben losing``); the empty clauses in
them tell which frames ask for the same. The words by which facts are told are *values*, in types
(prices; places; materials apart from qualities, though both are named alike). What a clause speaks
of last is the fact that the next one knows the thing by, and a clause that speaks of a value known
from before must, for some skills and types, repeat it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import takewhile
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from unparrot.lab.corpus import Example
from unparrot.lab.parrots.naming import NAMED, Mention, Naming, any_of

Kind = Literal["frame", "remark", "core"]
# The value of each type that is known
State = dict[int, str]

LINK_WORDS: Final = 4
# a link that joins clauses in a smaller share of texts is taken for a mistake (assumed)
RARE: Final = 1e-3
# cosine of the neighbours of two words from which on they are of one type (assumed)
ALIKE: Final = 0.1
# share of cases that makes a rule of repeating a value, and the cases needed for a rule
ALWAYS: Final = 0.95
ENOUGH: Final = 10
# stretches whose values are changed, where none fits
EDITED: Final = 20
_GAP: Final = "%s"


class Stretch(NamedTuple):
    """Words before and behind the thing, with `_GAP` for values, and these values."""

    head: str
    tail: str
    values: tuple[str, ...]

    @property
    def words(self) -> tuple[str, str]:
        """Both halves with their values."""
        n = self.head.count(_GAP)
        return self.head % self.values[:n], self.tail % self.values[n:]


class Frame(NamedTuple):
    """A frame: its skill, and patterns of the words before and behind what it frames."""

    skill: str
    before: str
    after: str


class Reading(NamedTuple):
    """A clause taken apart: frames from without, what they frame, and remarks (skill, words)."""

    frames: tuple[Frame, ...]
    remarks: tuple[tuple[str, str], ...]
    head: str
    tail: str


class Clause(NamedTuple):
    """A clause of a training text: patterns before and behind the thing, values, and mention."""

    head: str
    tail: str
    values: tuple[str, ...]
    mention: Mention


class Grammar:
    """What a corpus teaches about its texts; see the module.

    ``kinds``: of each skill; ``epithet``: the skill that an epithet shows; ``link``: what most
    often joins two clauses of a sentence; ``read``: how many texts could be taken apart.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self.naming: Final = Naming(examples)
        documents = self.naming.documents
        links = _Links([plain for _, plain, _ in documents])
        self.link: Final = links.usual
        cut = [(skills, links.cut(plain, mentions)) for skills, plain, mentions in documents]
        self.shapes, self.types = _types([clause for _, clauses in cut for clause in clauses])
        self._documents = [(skills, list(map(self._clause, row))) for skills, row in cut if row]
        self.kinds: Final[dict[str, Kind]] = {}
        self.epithet: str | None = None
        self._empty: set[str] = set()
        self._frames: defaultdict[str, dict[Frame, None]] = defaultdict(dict)
        self._remarks: dict[str, str] = {}
        self._learn_kinds()
        self._fronts = self._fronts_of
        self._learn_inner_frames()
        self._fronts = cache(self._fronts_of)
        self._readings = cache(self._readings_of)
        longest = sorted(self._remarks, key=len, reverse=True)
        self._remark = re.compile(rf"{any_of(longest)}(?!\S)")
        self._stretches: defaultdict[tuple[str | None, str], Counter[Stretch]]
        self._stretches = defaultdict(Counter)
        self._befores: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        self._repeated: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        self._place: defaultdict[tuple[str | None, str, int], Counter[int]] = defaultdict(Counter)
        self._cuts: Counter[tuple[int, str, str]] = Counter()
        self._turned: Counter[str] = Counter()
        self._learn()
        self._rules = self._learn_rules()
        self._groups = cache(self._groups_of)
        self._fitting = cache(self._fitting_known)

    def _clause(self, clause: tuple[str, str, Mention]) -> Clause:
        types = self.types
        words, behind = clause[0].split(), clause[1].split()
        values = tuple([word for word in words + behind if word in types])
        head = " ".join([_GAP if word in types else word for word in words])
        tail = " ".join([_GAP if word in types else word for word in behind])
        return Clause(head, tail, values, clause[2])

    # -- kinds, frames and remarks

    def _learn_kinds(self) -> None:
        """Tell the kinds apart by the texts of one skill.

        A clause says nothing in particular if it ends in the thing and stands in texts of at least
        two skills that never do without one.
        """
        single = [
            (skills[0], clauses[0], _inner(clauses[0].head))
            for skills, clauses in self._documents
            if len(skills) == len(clauses) == 1
        ]
        users: defaultdict[str, set[str]] = defaultdict(set)
        for skill, _, inner in single:
            users[inner].add(skill)
        shared = {inner for inner, skills in users.items() if inner and len(skills) > 1}
        always = {skill for skill, _, _ in single}
        always -= {skill for skill, _, inner in single if inner not in shared}
        self._empty = {inner for inner in shared if len(users[inner] & always) > 1}
        counts: defaultdict[str, Counter[Kind]] = defaultdict(Counter)
        for skill, clause, inner in single:
            kind = "remark" if clause.head == inner else "frame"
            counts[skill][kind if inner in self._empty else "core"] += 1
        self.kinds.update((skill, c.most_common(1)[0][0]) for skill, c in sorted(counts.items()))
        for skill, clause, inner in single:
            if self.kinds[skill] == "frame" and inner in self._empty and clause.head != inner:
                self._add_frame(skill, clause.head, inner, clause.tail)
            elif self.kinds[skill] == "remark" and clause.tail:
                self._remarks[clause.tail] = skill
            elif self.kinds[skill] == "remark" and clause.mention.epithet:
                self.epithet = skill

    def _add_frame(self, skill: str, head: str, inner: str, after: str) -> None:
        before = head.removesuffix(inner).strip()
        if _GAP not in before:
            self._frames[before][Frame(skill, before, after)] = None

    def _learn_inner_frames(self) -> None:
        """Learn frames inside frames, and more remarks, from texts of one clause without a core."""
        for skills, (clause, *others) in self._documents:
            kinds = [self.kinds.get(skill) for skill in skills]
            inner = _inner(clause.head)
            if others or "core" in kinds or inner not in self._empty:
                continue
            remarks = [s for s in skills if self.kinds.get(s) == "remark" and s != self.epithet]
            for frames, head, tail in list(self._peeled(clause.head, clause.tail)):
                left = set(skills) - {frame.skill for frame in frames} - {self.epithet}
                if len(left) != 1:
                    continue
                (skill,) = left
                if remarks == [skill] and head == inner and tail:
                    self._remarks[tail.removesuffix(" ,")] = skill
                elif not remarks and self.kinds.get(skill) == "frame" and head != inner:
                    self._add_frame(skill, head, inner, tail)

    # -- texts taken apart

    def _peeled(self, head: str, tail: str) -> Iterator[tuple[tuple[Frame, ...], str, str]]:
        """Take frames away, in all ways; most frames first."""
        for frame, inside in self._fronts(head):
            if not frame.after or f" {tail}".endswith(f" {frame.after}"):
                rest = tail[: len(tail) - len(frame.after)].rstrip()
                for frames, core, behind in self._peeled(inside, rest):
                    yield (frame, *frames), core, behind
        yield (), head, tail

    def _fronts_of(self, head: str) -> list[tuple[Frame, str]]:
        words = head.split()
        return [
            (frame, " ".join(words[n:]))
            for n in range(len(words), 0, -1)
            for frame in self._frames.get(" ".join(words[:n]), ())
        ]

    def _readings_of(self, head: str, tail: str) -> list[Reading]:
        """All ways to take a clause apart; a comma behind remarks may be theirs, or not."""
        remarks: list[tuple[str, str]] = []
        while match := self._remark.match(tail):
            remarks.append((self._remarks[match[0]], match[0]))
            tail = tail[match.end() :].lstrip()
        rests = [tail, tail[1:].lstrip()] if remarks and tail[:1] == "," else [tail]
        return [
            Reading(frames, tuple(remarks), core, behind)
            for rest in rests
            for frames, core, behind in self._peeled(head, rest)
        ]

    def _read_all(
        self, clauses: Iterable[Clause], skills: tuple[str, ...]
    ) -> list[tuple[Clause, Reading, tuple[str, ...]]] | None:
        """Each clause, taken apart, and the skills that it shows: none may be left, or lacking."""
        read: list[tuple[Clause, Reading, tuple[str, ...]]] = []
        for clause in clauses:
            epithet = [self.epithet] if clause.mention.epithet and self.epithet else []
            for reading in self._readings(clause.head, clause.tail):
                shown = [frame.skill for frame in reading.frames]
                shown += [*(skill for skill, _ in reading.remarks), *epithet]
                cores = 0 if reading.head in self._empty and not reading.tail else 1
                run = skills[: len(shown) + cores]
                others = [skill for skill in run if self.kinds.get(skill) != "core"]
                if sorted(shown) == sorted(others) and len(run) - len(others) == cores:
                    read.append((clause, reading, run))
                    skills = skills[len(run) :]
                    break
            else:
                return None
        return None if skills else read

    def _learn(self) -> None:
        """Learn from all texts that can be taken apart."""
        every = [read for s, clauses in self._documents if (read := self._read_all(clauses, s))]
        self.read = len(every)
        self._form = _forms(
            (reading.frames[-1].before if reading.frames else "", reading.head)
            for read in every
            for _, reading, _ in read
            if reading.head in self._empty and not reading.tail
        )
        self._nested = {f.skill for read in every for _, r, _ in read for f in r.frames[1:]}
        signatures: Counter[tuple[str, ...]] = Counter()
        for read in every:
            runs = [self._letters(run) for _, _, run in read]
            signatures[tuple(runs)] += 1
            for letters, (_, reading, run) in zip(runs, read, strict=True):
                frames = [f.skill for f in reading.frames if f.skill in self._nested]
                if len(frames) == 2:
                    order = [skill for skill in run if skill in frames]
                    self._turned[letters.replace("r", "")] += 1 if order != frames else -1
            state: State = {}
            for clause, reading, run in read:
                self.update(state, [clause.mention.fact])
                self._learn_clause(clause, reading, run, state)
        self._learn_cuts(signatures)

    def _learn_clause(
        self, clause: Clause, reading: Reading, run: tuple[str, ...], state: State
    ) -> None:
        """Store the stretches of a clause; ``state`` is what was known, and becomes what is."""
        at = reading.head.count(_GAP)
        ahead, values = clause.values[:at], clause.values[at:]

        def take(pattern: str) -> tuple[str, ...]:
            nonlocal values
            taken, values = values[: pattern.count(_GAP)], values[pattern.count(_GAP) :]
            return taken

        for skill, remark in reading.remarks:
            self._store(skill, "", Stretch("", remark, take(remark)), state)
        core = next((skill for skill in run if self.kinds[skill] == "core"), None)
        stretch = Stretch(reading.head, reading.tail, (*ahead, *take(reading.tail)))
        # behind remarks a comma may be missing, or left over
        kept = not reading.remarks
        inmost = reading.frames[-1].before if reading.frames else ""
        self._store(core, self.form(inmost), stretch, state, kept)
        for frame in reversed(reading.frames):
            ending = Stretch("", frame.after, take(frame.after))
            self._store(frame.skill, frame.before, ending, state, kept)
        outer = ""
        for frame in reading.frames:
            self._befores[self._home(frame.skill, outer)][frame.before] += kept
            outer = frame.before

    def _store(
        self, skill: str | None, place: str, stretch: Stretch, state: State, kept: bool = True
    ) -> None:
        """Count a stretch that was written in a state; it changes the state."""
        if kept:
            self._stretches[skill, place][stretch] += 1
        if skill is not None:
            kinds = {self.types[value] for value in stretch.values}
            for kind in kinds & state.keys():
                repeats = state[kind] in stretch.values
                self._repeated[skill, kind][repeats] += 1
                if repeats:
                    place_of = self._place[skill, stretch.tail, kind]
                    place_of[stretch.values.index(state[kind])] += 1
        self.update(state, stretch.values)

    def update(self, state: State, values: Iterable[str]) -> None:
        """Let the last value of each type be the one that is known."""
        state.update((self.types[value], value) for value in values if value in self.types)

    # -- which skills share a clause, and in which order frames hold each other

    def _learn_cuts(self, signatures: Counter[tuple[str, ...]]) -> None:
        """Count where rows of runs, written as the first letters of kinds, are cut."""
        for runs, times in signatures.items():
            for i, run in enumerate(runs):
                for n in range(1, len(run) + 1):
                    for key in _contexts(run[:n], run[n:] + "".join(runs[i + 1 :])):
                        self._cuts[key] += times if n == len(run) else -times

    def _letters(self, skills: Iterable[str]) -> str:
        return "".join(self.kinds[skill][0] for skill in skills)

    def runs(self, skills: Sequence[str]) -> Iterator[list[str]]:
        """Cut the skills into those that share a clause, as training texts do."""
        letters = self._letters(skills)
        start = 0
        for i in range(1, len(skills) + 1):
            keys = _contexts(letters[start:i], letters[i:])
            votes = (self._cuts[key] for key in keys if key in self._cuts)
            if i == len(skills) or next(votes, 0) > 0:
                yield list(skills[start:i])
                start = i

    def nest(self, run: Sequence[str]) -> list[str]:
        """The frames of a run, from without: in the order asked, unless training turned it."""
        frames = [skill for skill in run if self.kinds[skill] == "frame"]
        if self._turned[self._letters(run).replace("r", "")] > 0:
            frames.reverse()
        # what was never seen inside another frame has to be without
        return sorted(frames, key=lambda skill: skill in self._nested)

    # -- what fits where

    def form(self, before: str) -> str:
        """The form that a frame asks for; of an unknown frame, that of the one that ends most
        like it."""
        if before not in self._form:
            before = max(self._form, key=lambda known: _same_end(known, before), default="")
        return self._form.get(before, "")

    def _home(self, skill: str, outer: str) -> tuple[str, str, str]:
        """Where a frame stands: outermost, or in another of some form and who acts in it."""
        actor = next((word[0] for word in outer.split() if word[0] in "AB"), "")
        return skill, self.form(outer) if outer else "", actor

    def frames(self, skill: str, outer: str) -> list[str]:
        """How a frame of the skill begins inside the outer one ('': none), most often first."""
        home = self._home(skill, outer)
        if home not in self._befores:
            likest = (key for key in self._befores if key[:2] == home[:2])
            home = next(likest, (skill, "", ""))
        return [before for before, _ in self._befores[home].most_common()]

    def fitting(
        self, skill: str | None, place: str, state: State, edits: bool = False
    ) -> dict[str, list[Stretch]]:
        """Return what may show a skill in a state, most often first; by the words before the thing.

        ``place``: of a core, the form in which it is needed; of the end of a frame, its beginning.
        ``edits``: if nothing fits, may known values be put into what does not?
        """
        known = tuple((kind, state[kind]) for kind in sorted(state) if (skill, kind) in self._rules)
        return self._fitting(skill, place, known, edits)

    def _fitting_known(
        self, skill: str | None, place: str, known: tuple[tuple[int, str], ...], edits: bool
    ) -> dict[str, list[Stretch]]:
        values, groups = dict(known), self._groups(skill, place)
        counts = self._stretches[skill, place]
        barred = {value for kind, value in known if not self._rules[skill, kind]}
        fits = {
            stretch: counts[stretch]
            for repeated, stretches in groups.items()
            if all(values.get(kind, value) == value for kind, value in repeated)
            for stretch in stretches
            if barred.isdisjoint(stretch.values)
        }
        if not fits and edits:
            for stretch, n in counts.most_common(EDITED):
                instead = {
                    value: values.get(kind, value) for kind, value in self._repeats(skill, stretch)
                }
                new = tuple(instead.get(value, value) for value in stretch.values)
                fits.setdefault(stretch._replace(values=new), n)
        by_head: defaultdict[str, list[Stretch]] = defaultdict(list)
        for stretch in sorted(fits, key=lambda stretch: -fits[stretch]):
            by_head[stretch.words[0]].append(stretch)
        return dict(by_head)

    def _repeats(self, skill: str | None, stretch: Stretch) -> tuple[tuple[int, str], ...]:
        """The values that a stretch repeats; '' where it is unknown which."""
        kinds = {self.types[value] for value in stretch.values}
        repeated: list[tuple[int, str]] = []
        for kind in sorted(kinds):
            if self._rules.get((skill, kind)):
                places = self._place.get((skill, stretch.tail, kind))
                value = stretch.values[places.most_common(1)[0][0]] if places else ""
                repeated.append((kind, value))
        return tuple(repeated)

    def _groups_of(
        self, skill: str | None, place: str
    ) -> dict[tuple[tuple[int, str], ...], list[Stretch]]:
        """The stretches for a place, by the values that they repeat."""
        groups: defaultdict[tuple[tuple[int, str], ...], list[Stretch]] = defaultdict(list)
        for stretch in self._stretches[skill, place]:
            groups[self._repeats(skill, stretch)].append(stretch)
        return groups

    def _learn_rules(self) -> dict[tuple[str | None, int], bool]:
        """Must a stretch of a skill repeat the known value of a type (True), or must it not?"""
        rules: dict[tuple[str | None, int], bool] = {}
        size = Counter(self.types.values())
        for (skill, kind), (other, same) in self._repeated.items():
            by_chance = (other + same) / max(2, size[kind])
            if other + same >= ENOUGH and same >= ALWAYS * (other + same):
                rules[skill, kind] = True
            elif other + same >= ENOUGH and same < by_chance / 10:
                rules[skill, kind] = False
        return rules


class _Links:
    """What joins clauses, learnt where the next clause begins with the thing."""

    def __init__(self, texts: Sequence[str]) -> None:
        opening = {text.partition(NAMED)[0].strip() for text in texts}
        starts: Counter[str] = Counter()
        middles: Counter[str] = Counter()
        for text in texts:
            for gap in text.split(NAMED)[1:-1]:
                *before, start = re.split(r" [.?](?= )", gap)
                if before:
                    starts[start.strip()] += 1
                else:
                    middles["," + gap.rpartition(" ,")[2].rstrip()] += 1
        enough = max(2.0, RARE * len(texts))

        def links(counts: Counter[str]) -> list[str]:
            return [
                link
                for link, n in counts.most_common()
                if n >= enough and link.islower() and len(link.split()) <= LINK_WORDS
            ]

        known = links(middles)
        self.usual: Final = known[0] if known else ""
        start = any_of(link for link in links(starts) if link not in opening)
        self._joint = re.compile(rf"(.*) (?:([.?])(?: {start})?|{any_of(known)}) (.*)")

    def cut(self, text: str, mentions: Sequence[Mention]) -> list[tuple[str, str, Mention]]:
        """Cut into clauses: what stands before and behind `NAMED`, a question mark among it.

        Empty if the text does not come apart.
        """
        head, *gaps = f"{text} ".split(NAMED)
        halves = [head]
        for gap in gaps:
            joint = self._joint.fullmatch(gap)
            if joint is None:
                return []
            halves += [f"{joint[1]} ?" if joint[2] == "?" else joint[1], joint[3]]
        return [
            (before.strip(), behind.strip(), mention)
            for before, behind, mention in zip(halves[::2], halves[1::2], mentions, strict=False)
        ]


def _types(clauses: Sequence[tuple[str, str, Mention]]) -> tuple[dict[str, int], dict[str, int]]:
    """How each value is named, and its type: what is used among the same neighbours."""
    times = Counter((mention.fact, mention.shape) for *_, mention in clauses)
    ways = {fact: shape for (fact, shape), _ in reversed(times.most_common())}
    words = " ".join(f" {before} {NAMED} {behind} " for before, behind, _ in clauses).split(" ")
    near: Counter[tuple[str, str | int, str | int]] = Counter()
    for (one, word, other), n in Counter(zip(words, words[1:], words[2:], strict=False)).items():
        if word in ways:
            near[word, ways.get(one, one), ways.get(other, other)] += n
    facts = sorted(ways)
    rows = {fact: i for i, fact in enumerate(facts)}
    columns = {
        key: i for i, key in enumerate(dict.fromkeys((one, other) for _, one, other in near))
    }
    table = np.zeros((len(facts), len(columns)))
    for (word, one, other), n in near.items():
        table[rows[word], columns[one, other]] = n
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1)
    groups = DisjointSet(facts)
    for i, j in np.argwhere(table @ table.T >= ALIKE).tolist():
        if ways[facts[i]] == ways[facts[j]]:
            groups.merge(facts[i], facts[j])
    return ways, {fact: rows[groups[fact]] for fact in facts}


def _inner(head: str) -> str:
    """The last few words up to the thing, from the last mention of a person."""
    match = re.search(r"(?<!\S)[AB](?: [^AB]\S*){0,2}$", head)
    return match[0] if match else ""


def _same_end(one: str, other: str) -> int:
    """How many last characters are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _contexts(before: str, ahead: str) -> list[tuple[int, str, str]]:
    """Kinds before a cut and ahead, as far as the next core, or the end: all, or the nearest."""
    at = ahead.find("c") + 1
    ahead = ahead[:at] if at else f"{ahead}."
    return [(n, before[-n:], ahead[-n:]) for n in (99, 2, 1)]


def _forms(empty: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The form for which every frame asks ('': no frame): one of the empty clauses."""
    forms: DisjointSet = DisjointSet()
    first: dict[str, str] = {}
    for before, inside in sorted(set(empty)):
        forms.add(inside)
        forms.merge(first.setdefault(before, inside), inside)
    return {before: forms[inside] for before, inside in first.items()}
