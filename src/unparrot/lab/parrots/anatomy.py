"""Anatomy: which stretches of a text show which skills, learnt from examples alone.

A text is a row of *clauses* (`cut_clauses`), joined by full stops and links. Every clause shows a
run of the skills asked for, in their order. Inside it a skill is one of three kinds, which the
texts of a single skill tell apart (`Anatomy`):

frame
    words around what another skill says: ``ann told ben that ...``. Alone, it is put around a
    clause that says nothing in particular, and that frames share
remark
    words added to the name of the thing: ``..., as red as a rose``
core
    all else: a clause of its own
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from unparrot.lab.corpus import Example
from unparrot.lab.parrots.naming import NAMED, STOP, THING, Naming, Plain, Subject

Words = tuple[str, ...]
Kind = Literal["frame", "remark", "core"]

LINK_WORDS: Final = 4
RARE: Final = 1e-3
"""A link that joins clauses in a smaller share of texts is taken for a mistake (assumed)."""
NESTED: Final = 3
"""Frames around frames that are looked for."""


class Frame(NamedTuple):
    """A frame in a text: its skill, and the words before and after what it frames."""

    skill: str
    before: Words
    after: Words


class Clause(NamedTuple):
    """A clause, taken apart. ``frames``: from without; ``core``: what they frame; ``empty``: says
    it nothing in particular?; ``remarks``: skills and words, an epithet among them."""

    skills: tuple[str, ...]
    frames: tuple[Frame, ...]
    core: Words
    empty: bool
    remarks: tuple[tuple[str, Words], ...]
    plain: Plain


class Links:
    """What joins clauses, learnt from clauses that also open texts.

    ``ends``: the words that end a sentence; ``starts`` and ``middles``: what joins a clause to a
    sentence before, or to a clause in the same. ``early``: facts that may stand before a name.
    """

    def __init__(self, texts: Sequence[list[str]], early: frozenset[str]) -> None:
        self._early: Final = early
        self.ends: Final = {words[-1] for words in texts if words}
        self._openings = {self._opening(words) for words in texts if words}
        first = {opening[0] for opening in self._openings}
        starts: Counter[Words] = Counter()
        middles: Counter[Words] = Counter()
        for words in texts:
            for n, sentence in enumerate(self._sentences(words)):
                if n and sentence[0] not in first | early:
                    for length in range(1, LINK_WORDS + 1):
                        if self.opens(sentence[length:]):
                            starts[tuple(sentence[:length])] += 1
                            break
                mentioned: set[str] = set()
                for i, word in enumerate(sentence):
                    if word in ("A", "B"):
                        if word in mentioned and THING in sentence[i:]:
                            self._count_link(sentence, i, middles)
                        mentioned.add(word)
        enough = max(2.0, RARE * len(texts))
        self.starts: Final = sorted(
            (link for link, n in starts.items() if n >= enough), key=len, reverse=True
        )
        self.middles: Final = [link for link, n in middles.most_common() if n >= enough]
        self._link_firsts = {link[0] for link in self.middles}

    @staticmethod
    def _opening(words: Sequence[str]) -> Words:
        return tuple(words[: 1 if words[0] in ("A", "B") else LINK_WORDS])

    def opens(self, words: Sequence[str]) -> bool:
        """Do texts open like this?"""
        words = words[1:] if words and words[0] in self._early else words
        return bool(words) and self._opening(words) in self._openings

    @staticmethod
    def _count_link(sentence: list[str], at: int, middles: Counter[Words]) -> None:
        """Count the words from the last comma or the like to a name that is named again."""
        for start in range(at - 1, max(-1, at - LINK_WORDS), -1):
            if not sentence[start].isalpha() and not sentence[start][0].isalpha():
                if THING in sentence[:start] and sentence[start] != "'s":
                    middles[tuple(sentence[start:at])] += 1
                return

    def _sentences(self, words: list[str]) -> Iterator[list[str]]:
        start = 0
        for i, word in enumerate(words):
            if word in self.ends:
                yield words[start : i + 1]
                start = i + 1

    def _joints(self, sentence: list[str]) -> Iterator[tuple[int, int]]:
        """Beginnings and ends of the links before words that open texts."""
        for i, word in enumerate(sentence):
            if word in self._link_firsts:
                for link in self.middles:
                    end = i + len(link)
                    if tuple(sentence[i:end]) == link and self.opens(sentence[end:]):
                        yield i, end
                        break

    def cut_clauses(self, words: list[str]) -> Iterator[list[str]]:
        """Cut a text with roles at its sentences and links; a clause keeps an end that is not
        the usual full stop."""
        for n, sentence in enumerate(self._sentences(words)):
            if n:
                for link in self.starts:
                    if tuple(sentence[: len(link)]) == link:
                        sentence = sentence[len(link) :]
                        break
            start = 0
            ends = [*self._joints(sentence), (len(sentence), len(sentence))]
            for (end, after), (following, _) in pairwise(ends):
                if THING in sentence[start:end] and THING in sentence[after:following]:
                    yield sentence[start:end]
                    start = after
            yield sentence[start:-1] if sentence[-1] == STOP else sentence[start:]


class Anatomy:
    """The links, kinds, frames and remarks of a corpus, and its texts taken apart."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.naming: Final = Naming(examples)
        documents: list[tuple[Subject, tuple[str, ...], list[str]]] = []
        for example in examples:
            subject = self.naming.subject(example.about)
            if subject is not None:
                words = Naming.roles(example.text.split(), subject)
                documents.append((subject, example.combination.skills, words))
        self.naming.learn_mentions([(subject, words) for subject, _, words in documents])
        self.links: Final = Links([words for _, _, words in documents], self.naming.before_owner)
        self._plain: list[tuple[Subject, tuple[str, ...], list[Plain]]] = []
        for subject, skills, words in documents:
            clauses = [self.naming.plain(c, subject) for c in self.links.cut_clauses(words)]
            known = [clause for clause in clauses if clause is not None]
            if known and len(known) == len(clauses):
                self._plain.append((subject, skills, known))
        self.kinds: dict[str, Kind] = {}
        self.epithets: set[str] = set()
        """Skills that are shown by an epithet: one more word before the thing."""
        self._empty: set[Words] = set()
        self._frames: dict[Words, dict[str, dict[Words, None]]] = {}
        self._by_first: defaultdict[str, list[Words]] = defaultdict(list)
        self._remarks: dict[Words, str] = {}
        self._learn_kinds()
        self._learn_nested()

    def _learn_kinds(self) -> None:
        """Tell the kinds apart by the texts of one skill.

        A clause says nothing in particular if it ends in the thing and stands in texts of at least
        two skills that never do without one.
        """
        alone: defaultdict[str, list[Plain]] = defaultdict(list)
        for _, skills, clauses in self._plain:
            if len(skills) == len(clauses) == 1:
                alone[skills[0]].append(clauses[0])
        users: defaultdict[Words, set[str]] = defaultdict(set)
        for skill, clauses in alone.items():
            for clause in clauses:
                users[_to_thing(clause.words)].add(skill)
        shared = {words for words, skills in users.items() if words and len(skills) > 1}
        without = {
            skill
            for skill, clauses in alone.items()
            if all(_to_thing(clause.words) in shared for clause in clauses)
        }
        self._empty = {words for words in shared if len(users[words] & without) > 1}
        for skill, clauses in sorted(alone.items()):
            kinds: Counter[Kind] = Counter()
            for clause in clauses:
                inner = _to_thing(clause.words)
                at = clause.words.index(NAMED) + 1
                after = tuple(clause.words[at:])
                if inner not in self._empty:
                    kinds["core"] += 1
                elif at > len(inner):
                    kinds["frame"] += 1
                    self._add(Frame(skill, tuple(clause.words[: at - len(inner)]), after))
                else:
                    kinds["remark"] += 1
                    if clause.epithet is not None and not after:
                        self.epithets.add(skill)
                    if after:
                        self._remarks[after] = skill
            self.kinds[skill] = kinds.most_common(1)[0][0]
        self._remarks = {w: s for w, s in self._remarks.items() if self.kinds[s] == "remark"}
        self._frames = {
            before: kept
            for before, homes in self._frames.items()
            if (kept := {s: ends for s, ends in homes.items() if self.kinds[s] == "frame"})
        }
        self._index()

    def _add(self, frame: Frame) -> None:
        homes = self._frames.setdefault(frame.before, {})
        homes.setdefault(frame.skill, {})[frame.after] = None

    def _index(self) -> None:
        self._by_first.clear()
        for before in self._frames:
            self._by_first[before[0]].append(before)

    def _learn_nested(self) -> None:
        """Learn what frames look like inside frames, from texts with two and no core."""
        for _ in range(2):
            new: list[Frame] = []
            for _, skills, clauses in self._plain:
                kinds = [self.kinds.get(skill) for skill in skills]
                if len(clauses) != 1 or kinds.count("frame") != 2 or "core" in kinds:
                    continue
                if any(self.kinds.get(s) == "remark" and s not in self.epithets for s in skills):
                    continue  # its closing comma could be the frame's
                for frames, rest in self._peeled(tuple(clauses[0].words), 1):
                    inner = _to_thing(rest)
                    at = rest.index(NAMED) + 1 if NAMED in rest else 0
                    if len(frames) == 1 and inner in self._empty and at > len(inner):
                        for skill in skills:
                            if skill != frames[0].skill and self.kinds[skill] == "frame":
                                new.append(Frame(skill, rest[: at - len(inner)], rest[at:]))
            for frame in new:
                self._add(frame)
            self._index()

    def _without_remarks(self, clause: Plain) -> Iterator[tuple[Words, list[tuple[str, Words]]]]:
        """Take remarks behind the thing away; a comma that follows may be theirs, or not."""
        words = tuple(clause.words)
        at = words.index(NAMED) + 1
        remarks: list[tuple[str, Words]] = []
        if clause.epithet is not None and self.epithets:
            remarks.append((min(self.epithets), (clause.epithet,)))
        rest = words[at:]
        while True:
            length = next(
                (n for n in range(min(12, len(rest)), 0, -1) if rest[:n] in self._remarks), 0
            )
            if not length:
                break
            remarks.append((self._remarks[rest[:length]], rest[:length]))
            rest = rest[length:]
        yield words[:at] + rest, remarks
        if rest[:1] == (",",) and len(rest) < len(words) - at:
            yield words[:at] + rest[1:], remarks

    def _peeled(self, words: Words, depth: int = NESTED) -> Iterator[tuple[list[Frame], Words]]:
        """Take frames away, in all ways; most frames first."""
        if depth:
            for before in self._by_first.get(words[0], ()):
                if words[: len(before)] == before and len(words) > len(before):
                    for skill, endings in self._frames[before].items():
                        for after in endings:
                            end = len(words) - len(after)
                            if words[end:] == after and end > len(before):
                                inside = self._peeled(words[len(before) : end], depth - 1)
                                for frames, rest in inside:
                                    yield [Frame(skill, before, after), *frames], rest
        yield [], words

    def _read(self, clause: Plain, skills: tuple[str, ...]) -> Iterator[Clause]:
        """All ways to see in the clause the first few of ``skills``."""
        for words, remarks in self._without_remarks(clause):
            for frames, core in self._peeled(words):
                if NAMED not in core:
                    continue
                empty = core in self._empty
                run = skills[: len(frames) + len(remarks) + (not empty)]
                shown = sorted([frame.skill for frame in frames] + [skill for skill, _ in remarks])
                others = sorted(skill for skill in run if self.kinds.get(skill) != "core")
                if shown == others and len(run) - len(others) == (not empty):
                    yield Clause(run, tuple(frames), core, empty, tuple(remarks), clause)

    def documents(self) -> Iterator[tuple[Subject, list[Clause]]]:
        """The texts that can be taken apart so that all their skills are accounted for."""
        for subject, skills, clauses in self._plain:
            read = self._read_all(clauses, skills)
            if read is not None:
                yield subject, read

    def _read_all(self, clauses: list[Plain], skills: tuple[str, ...]) -> list[Clause] | None:
        if not clauses:
            return None if skills else []
        for clause in self._read(clauses[0], skills):
            rest = self._read_all(clauses[1:], skills[len(clause.skills) :])
            if rest is not None:
                return [clause, *rest]
        return None


def _to_thing(words: Sequence[str]) -> Words:
    """The last few words up to the thing as known, from the last mention of a person."""
    at = list(words).index(NAMED) if NAMED in words else -1
    for start in range(at - 1, max(-1, at - LINK_WORDS), -1):
        if words[start] in ("A s", "A o", "B s", "B o"):
            return tuple(words[start : at + 1])
    return ()
