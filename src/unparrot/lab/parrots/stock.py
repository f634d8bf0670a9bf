"""`Stock`: the stretches that training texts can lend, sorted by skill and by where they fit.

A frame asks for a *form* of what it frames (``ben to lose``, ``ben losing``). The empty clauses in
them tell which frames ask for the same form. Where a skill never stood in the form that is needed,
the first words of another form are changed as those of other skills were (``ben to`` into
``ben would``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Final

from unparrot.lab.parrots.anatomy import Anatomy, Clause, Frame, Words
from unparrot.lab.parrots.naming import person
from unparrot.lab.parrots.values import FIRST_WORDS, Memory, State, Values

Form = Words
"""An empty clause stands for the form that it and others have."""
Frames = dict[Words, Counter[Words]]
"""By the words before what is framed, those after it."""

ANYBODY: Final = "anybody"
SURE: Final = 0.2
"""Share of the stretches of a form which must be known with other first words in another form,
before a change of these words is believed (assumed)."""


class Stock:
    """What a corpus can lend, and how its texts are put together; see the module."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.kinds: Final = anatomy.kinds
        self.epithet_skills: Final = anatomy.epithets
        documents = list(anatomy.documents())
        clauses = [clause for _, found in documents for clause in found]
        self.values: Final = Values(clauses)
        self.memory: Final = Memory(self.values)
        self._form: dict[Words | None, Form] = _forms(clauses)
        self._free: Final = self._form.get(None)
        """The form of a clause that no frame holds."""
        self._cores: defaultdict[tuple[str | None, Form | None], Counter[Words]]
        self._cores = defaultdict(Counter)
        self._frames: defaultdict[tuple[str, Form | None, str | None], Frames]
        self._frames = defaultdict(lambda: defaultdict(Counter))
        self._outer: dict[str, Frames] = defaultdict(lambda: defaultdict(Counter))
        self.remarks: Final[defaultdict[str, Counter[Words]]] = defaultdict(Counter)
        self.epithets: Final[defaultdict[str, Counter[str]]] = defaultdict(Counter)
        self._cuts: defaultdict[tuple[str, str], Counter[bool]] = defaultdict(Counter)
        self._turned: defaultdict[str, Counter[bool]] = defaultdict(Counter)
        for subject, found in documents:
            state: State = {}
            self._learn_cuts([clause.skills for clause in found])
            for clause in found:
                self.values.update(state, [clause.plain.fact])
                self._learn(clause, state)
                for skill, words in clause.remarks:
                    if skill in self.epithet_skills:
                        self.epithets[subject.thing[:1]][words[0]] += 1
        self.shapes: Final = {c.plain.fact: c.plain.shape for c in clauses}
        """In which shape each fact is named."""
        self._nested = {skill for skill, _, _ in self._frames}
        for clause in clauses:
            frames = [frame.skill for frame in clause.frames if frame.skill in self._nested]
            if len(frames) == 2:
                asked = [skill for skill in clause.skills if skill in frames]
                self._turned[self._signature(clause.skills)][frames != asked] += 1
        self._changes = self._learn_changes()
        self.cores: Final = cache(self._cores_in)
        self.frames: Final = cache(self._frames_in)

    def _learn(self, clause: Clause, state: State) -> None:
        """Store the stretches of a clause; ``state`` is what was known, and becomes what is."""
        core = next((s for s in clause.skills if self.kinds[s] == "core"), None)
        appended = [(s, words) for s, words in clause.remarks if s not in self.epithet_skills]
        for skill, words in appended:
            self.memory.learn(skill, words, state)
            self.remarks[skill][words] += 1
            self.values.update(state, words)
        form, about = self._free, None
        for i, frame in enumerate(clause.frames):
            table = self._outer[frame.skill] if i == 0 else self._frames[frame.skill, form, about]
            if not appended:  # otherwise a comma may be missing
                table[frame.before][frame.after] += 1
            form, about = self._form.get(frame.before), person(frame.before)
        if not appended:  # otherwise a comma may be left over
            self._cores[core, form][clause.core] += 1
        if core is not None:
            self.memory.learn(core, clause.core, state)
        self.values.update(state, clause.core)
        for frame in reversed(clause.frames):
            self.memory.learn(frame.skill, frame.after, state)
            self.values.update(state, frame.after)

    # -- which skills share a clause, and in which order frames hold each other

    def _letters(self, skills: Iterable[str]) -> str:
        return "".join(self.kinds[skill][0] for skill in skills)

    def _signature(self, skills: Iterable[str]) -> str:
        return self._letters(skills).replace("r", "")

    def _learn_cuts(self, runs: Sequence[tuple[str, ...]]) -> None:
        letters = self._letters(skill for run in runs for skill in run)
        start = 0
        for run in runs:
            for i in range(start, start + len(run)):
                after = _ahead(letters[i + 1 :])
                self._cuts[letters[start : i + 1], after][i + 1 == start + len(run)] += 1
            start += len(run)

    def runs(self, skills: Sequence[str]) -> Iterator[list[str]]:
        """Cut the skills into those that share a clause, as training texts do."""
        letters = self._letters(skills)
        start = 0
        for i in range(len(skills)):
            key = letters[start : i + 1], _ahead(letters[i + 1 :])
            if i + 1 == len(skills) or self._is_cut(*key):
                yield list(skills[start : i + 1])
                start = i + 1

    def _is_cut(self, before: str, after: str) -> bool:
        seen = self._cuts.get((before, after))
        if seen is None:
            likest = max(
                self._cuts,
                key=lambda key: (
                    key[0] == before,
                    key[1][-1:] == after[-1:],
                    _likeness(key, before, after),
                ),
            )
            seen = self._cuts[likest]
        return seen[True] > seen[False]

    def nest(self, run: Sequence[str]) -> list[str]:
        """The frames of a run, from without: in the order asked, unless training turned it."""
        frames = [skill for skill in run if self.kinds[skill] == "frame"]
        turned = self._turned.get(self._signature(run))
        if turned is not None and turned[True] > turned[False]:
            frames.reverse()
        # what was never seen inside another frame has to be without
        return sorted(frames, key=lambda skill: skill in self._nested)

    # -- what fits where

    def form(self, before: Words) -> Form | None:
        """The form that a frame asks for; of a changed frame, that of the frame most like it."""
        if before in self._form:
            return self._form[before]
        known = [words for words in self._form if words]
        likest = max(known, key=lambda words: _same_end(words, before), default=None)
        return self._form.get(likest)

    def _cores_in(self, skill: str | None, before: Words | None) -> list[Counter[Words]]:
        """What a skill (None: nothing in particular) says inside the frame, or in none:
        first as it was seen, then changed from another form."""
        form = self._free if before is None else self.form(before)
        others = {f: c for (s, f), c in self._cores.items() if s == skill and f != form}
        changed: Counter[Words] = Counter()
        for new, old, other in self._changes_into(others, form):
            changed[new] += others[other][old]
        seen = self._cores.get((skill, form), Counter[Words]())
        return [table for table in (seen, changed) if table]

    def _frames_in(self, skill: str, before: Words | None) -> list[Frames]:
        """Frames of a skill inside the frame, or in none; as `_cores_in`."""
        if before is None:
            return [self._outer[skill]]
        form, about = self.form(before), person(before)
        outer = self._outer.get(skill, {}) if skill in self._nested else {}
        homes = [(f, a, t) for (s, f, a), t in self._frames.items() if s == skill]
        homes.append((self._free, None, outer))
        tables = [
            *(table for other, a, table in homes[:-1] if (other, a) == (form, about)),
            outer if form == self._free else {},
            self._moved(homes, form, about),
            self._moved(homes, form, ANYBODY),
            *(table for other, _, table in homes if other == form),
        ]
        return [table for table in tables if table]

    def _moved(
        self,
        homes: list[tuple[Form | None, str | None, Frames]],
        form: Form | None,
        about: str | None,
    ) -> Frames:
        """Frames changed into a form, from those about the same person."""
        tables = {f: t for f, a, t in homes if f != form and about in (a, ANYBODY)}
        counts = {f: Counter({b: e.total() for b, e in t.items()}) for f, t in tables.items()}
        moved: Frames = {}
        for changed, before, source in self._changes_into(counts, form):
            moved.setdefault(changed, Counter()).update(tables[source][before])
        return moved

    # -- first words of one form for those of another

    def _learn_changes(self) -> dict[tuple[Form | None, Form | None, Words], tuple[Words, float]]:
        """By forms from and to, and first words: those put instead, and how often that is right."""
        by_rest: defaultdict[Words, dict[tuple[Form | None, Words], None]] = defaultdict(dict)
        starting: Counter[tuple[Form | None, Words]] = Counter()
        stretches = ((f, words) for (_, f), counts in self._cores.items() for words in counts)
        for form, words in dict.fromkeys(stretches):
            for n in range(1, min(FIRST_WORDS, len(words) - 1) + 1):
                by_rest[words[n:]][form, words[:n]] = None
                starting[form, words[:n]] += 1
        changes: defaultdict[tuple[Form | None, Form | None, Words], Counter[Words]]
        changes = defaultdict(Counter)
        for alike in by_rest.values():
            for one, first in alike:
                for two, instead in alike:
                    if one != two and first[-1] != instead[-1]:
                        changes[one, two, first][instead] += 1
        best = {key: counts.most_common(1)[0] for key, counts in changes.items()}
        return {
            (one, two, first): (instead, times / starting[one, first])
            for (one, two, first), (instead, times) in best.items()
            if times >= SURE * starting[one, first]
        }

    def _changes_into(
        self, others: dict[Form | None, Counter[Words]], form: Form | None
    ) -> list[tuple[Words, Words, Form | None]]:
        """Stretches changed into a form, what they were before, and the form from which they
        come: that from which changes are surest."""
        best: list[tuple[Words, Words, Form | None]] = []
        surest = 0.0
        for other, counts in sorted(others.items(), key=str):
            changed: list[tuple[Words, Words, Form | None]] = []
            sure = 0.0
            for words in counts:
                for n in range(FIRST_WORDS, 0, -1):
                    change = self._changes.get((other, form, words[:n]))
                    if change is not None:
                        changed.append((change[0] + words[n:], words, other))
                        sure += change[1]
                        break
            if changed and sure / len(changed) > surest:
                best, surest = changed, sure / len(changed)
        return best


def _ahead(letters: str) -> str:
    """What follows, as far as the next core, or the end."""
    at = letters.find("c")
    return letters[: at + 1] if at >= 0 else letters + "."


def _likeness(key: tuple[str, str], before: str, after: str) -> float:
    return (
        SequenceMatcher(None, key[0], before).ratio() + SequenceMatcher(None, key[1], after).ratio()
    )


def _same_end(one: Words, two: Words) -> int:
    """How many last words are the same."""
    n = 0
    while n < min(len(one), len(two)) and one[-1 - n] == two[-1 - n]:
        n += 1
    return n


def _forms(clauses: Sequence[Clause]) -> dict[Words | None, Form]:
    """The form for which every frame asks (None: no frame): one of the empty clauses."""
    inside: defaultdict[Words | None, Counter[Form]] = defaultdict(Counter)
    for clause in clauses:
        if clause.empty:
            frame: Frame | None = clause.frames[-1] if clause.frames else None
            inside[frame.before if frame else None][clause.core] += 1
    parent: dict[Form, Form] = {}

    def root(form: Form) -> Form:
        while parent.setdefault(form, form) != form:
            form = parent[form]
        return form

    for forms in inside.values():
        first, *others = sorted(forms)
        for other in others:
            parent[root(other)] = root(first)
    return {before: root(min(forms)) for before, forms in inside.items()}
