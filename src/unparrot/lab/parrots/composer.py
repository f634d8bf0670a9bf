"""`Composer`: a search for texts that are put together from stretches of a `Stock`.

Clause after clause, it chooses frames, a core and remarks, those first that training has most
often, such that every value known from before is repeated where it has to be; and it goes back
where it finds no way on. `Allowed` decides which words may be written at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final, NamedTuple, TypeVar

from unparrot.lab.parrots.anatomy import Anatomy, Words
from unparrot.lab.parrots.naming import NAMED, SEAM, Naming, Subject
from unparrot.lab.parrots.stock import Stock
from unparrot.lab.parrots.values import State

Allowed = Callable[[Sequence[str]], bool]
"""May these words, which stand between two seams, be written?"""

LOOKED_AT: Final = 400
"""Most cores that are looked at for one text, whether they fit or not."""
BEFORES: Final = 4
"""First halves of a frame that are tried."""


class Written(NamedTuple):
    """A clause: its words, what is known after it, and the subject as known then."""

    words: list[str]
    state: State
    subject: Subject


class Composer:
    """Writes texts from a corpus taken apart.

    ``allowed``: what may be written between seams; ``edits``: may values be put into stretches?;
    ``tried``: most clauses for a text; ``ways``: most outcomes of one clause that are tried.
    """

    def __init__(
        self, anatomy: Anatomy, allowed: Allowed, *, edits: bool, tried: int, ways: int
    ) -> None:
        self._naming: Final[Naming] = anatomy.naming
        self._realized: Final = anatomy.naming.realize
        self._stock: Final = Stock(anatomy)
        self._allowed: Final = allowed
        self._edits: Final = edits
        self._tried: Final = tried
        self._ways: Final = ways
        self._looks = 0
        self._link: Final[Words] = next(iter(anatomy.links.middles), ())

    def write(self, skills: Sequence[str], about: str, rng: Random | None) -> str:
        """The words of a text, or as much of it as could be found; joined by spaces."""
        subject = self._naming.subject(about)
        known = [skill for skill in skills if skill in self._stock.kinds]
        if subject is None or not known:
            return ""
        state: State = {}
        self._stock.values.update(state, [subject.fact])
        runs = list(self._stock.runs(known))
        best: list[list[str]] = []
        left = self._tried
        self._looks = LOOKED_AT

        def extend(done: list[list[str]], state: State, subject: Subject) -> bool:
            nonlocal best, left
            if len(done) > len(best):
                best = list(done)
            if len(done) == len(runs):
                return True
            ways = self._clauses(runs[len(done)], state, subject, rng)
            outcomes: set[tuple[tuple[int, str], ...]] = set()
            for way in ways:
                outcome = (*sorted(way.state.items()), (way.subject.shape, way.subject.fact))
                if outcome in outcomes:
                    continue
                outcomes.add(outcome)
                left -= 1
                if extend([*done, way.words], way.state, way.subject):
                    return True
                if left <= 0 or len(outcomes) >= self._ways:
                    break
            return False

        extend([], state, subject)
        return " ".join(self._joined(best, max(1, len(skills) - 1)))

    def _joined(self, clauses: list[list[str]], most: int) -> Iterator[str]:
        """Sentences of one clause each, unless there are too many for ``most``."""
        extra = len(clauses) - most
        for i, words in enumerate(clauses):
            yield from words
            ended = words[-1] == "?"
            last = i + 1 == len(clauses)
            if not last and extra > 0 and not ended and self._link:
                yield from self._link
                extra -= 1
            elif not ended:
                yield "."

    def _clauses(
        self, run: Sequence[str], state: State, subject: Subject, rng: Random | None
    ) -> Iterator[Written]:
        """Clauses that show a run of skills, best first."""
        core = next((s for s in run if self._stock.kinds[s] == "core"), None)
        remarks = [s for s in run if self._stock.kinds[s] == "remark"]
        epithets: list[str | None] = [None]
        if any(skill in self._stock.epithet_skills for skill in remarks):
            epithets = [*_ranked(self._stock.epithets[subject.thing[:1]], rng)]
            remarks = [s for s in remarks if s not in self._stock.epithet_skills]
        for added, remarked in self._remarks(remarks, state, rng):
            for befores, cores in self._nests(self._stock.nest(run), None, core, subject, rng):
                front = [word for before, _ in befores for word in (*before, SEAM)]
                heads: dict[Words, list[str | None]] = {}
                for inner in self._cores(core, cores, remarked, rng):
                    self._looks -= 1
                    if self._looks < 0:
                        return
                    head = inner[: inner.index(NAMED) + 1]
                    if head not in heads:
                        heads[head] = [
                            epithet
                            for epithet in epithets
                            if self._may(
                                _pieces(self._realized((*front, *head), subject, epithet))[-1:]
                            )
                        ]
                    if not heads[head]:
                        continue
                    after_core = dict(remarked)
                    self._stock.values.update(after_core, inner)
                    for ends, new in self._ends(befores, after_core, rng):
                        rest = [*inner[len(head) :], *ends]
                        after = next((word for word in rest if word != SEAM), "")
                        comma = [","] if added and _is_word(after) else []
                        plain = [*front, *head, *added, *comma, *rest]
                        for epithet in heads[head]:
                            words = self._realized(plain, subject, epithet)
                            if self._may(_pieces(words)):
                                uttered = self._stock.values.uttered([*head, *added, *rest])
                                yield self._written(words, new, subject, uttered)
                                break

    def _may(self, pieces: Sequence[Sequence[str]]) -> bool:
        return all(self._allowed(piece) for piece in pieces)

    def _written(
        self, words: list[str], state: State, subject: Subject, uttered: list[str]
    ) -> Written:
        if uttered and uttered[-1] != subject.fact:
            shape = self._stock.shapes.get(uttered[-1], subject.shape)
            subject = subject._replace(fact=uttered[-1], shape=shape)
        return Written([word for word in words if word != SEAM], state, subject)

    def _remarks(
        self, skills: Sequence[str], state: State, rng: Random | None
    ) -> Iterator[tuple[list[str], State]]:
        if not skills:
            yield [], state
            return
        for words in _ranked(self._stock.remarks[skills[0]], rng):
            if self._stock.memory.fits(skills[0], words, state):
                new = dict(state)
                self._stock.values.update(new, words)
                for rest, last in self._remarks(skills[1:], new, rng):
                    yield [SEAM, *words, *rest], last

    def _nests(
        self,
        skills: Sequence[str],
        outer: Words | None,
        core: str | None,
        subject: Subject,
        rng: Random | None,
        front: tuple[str, ...] = (),
    ) -> Iterator[tuple[list[tuple[Words, tuple[str, Counter[Words]]]], list[Counter[Words]]]]:
        """Frames inside one another, each with the words that may end it, and what may stand
        inside them all."""
        if not skills:
            cores = self._stock.cores(core, outer)
            if cores:
                yield [], cores
            return
        for table in self._stock.frames(skills[0], outer):
            befores = Counter({before: ends.total() for before, ends in table.items()})
            for before in list(_ranked(befores, rng))[:BEFORES]:
                words = self._realized((*front, *before), subject, None)
                if self._may(_pieces(words)[-1:]):
                    inside = self._nests(
                        skills[1:], before, core, subject, rng, (*front, *before, SEAM)
                    )
                    for frames, cores in inside:
                        yield [(before, (skills[0], table[before])), *frames], cores

    def _cores(
        self, skill: str | None, tables: list[Counter[Words]], state: State, rng: Random | None
    ) -> Iterator[Words]:
        for table in tables:
            for words in _ranked(table, rng):
                if skill is None or self._stock.memory.fits(skill, words, state):
                    yield words
        if self._edits and skill is not None:
            for table in tables:
                for words in _ranked(table, rng):
                    yield self._stock.memory.fitted(skill, words, state)

    def _ends(
        self,
        frames: Sequence[tuple[Words, tuple[str, Counter[Words]]]],
        state: State,
        rng: Random | None,
    ) -> Iterator[tuple[list[str], State]]:
        """The words that end the frames, from within."""
        if not frames:
            yield [], state
            return
        *outer, (_, (skill, table)) = frames
        memory = self._stock.memory
        fitting = [words for words in _ranked(table, rng) if memory.fits(skill, words, state)]
        if not fitting and self._edits:
            fitting = [memory.fitted(skill, words, state) for words in _ranked(table, rng)][:1]
        for words in fitting:
            new = dict(state)
            self._stock.values.update(new, words)
            for rest, last in self._ends(outer, new, rng):
                yield [*([SEAM] if words else []), *words, *rest], last


T = TypeVar("T")


def _is_word(word: str) -> bool:
    return word[:1].isalnum() or word == "'s"


def _ranked(counts: Counter[T], rng: Random | None) -> list[T]:
    """Most often first; or drawn one after another without return, in proportion to counts."""
    if rng is None:
        return [item for item, _ in counts.most_common()]
    return sorted(counts, key=lambda item: rng.expovariate(counts[item]))


def _pieces(words: Sequence[str]) -> list[list[str]]:
    """Cut at seams and around punctuation."""
    pieces: list[list[str]] = [[]]
    for word in words:
        if word == SEAM or not _is_word(word):
            pieces.append([])
        else:
            pieces[-1].append(word)
    return [piece for piece in pieces if piece]
